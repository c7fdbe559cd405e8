"""The account of points of a dataset: the retailer's own ledger, a replay by its rules, or an assumed programme."""

from datetime import date
from typing import Literal, NamedTuple

import ibis.expr.types as ir

from ..features.columns import Tables
from ..points_rules import PointsRules
from ..schema import Programme
from .points import Account, assumed_wishes, earned, own, replay, wishes_of
from .points_totals import issued_by
from .tier_rules import TierRules
from .tiers import membership

Source = Literal["own", "rules", "assumed"]

ASSUMED = PointsRules(per_unit=1.0, expiry_months=12, pending_days=14, cost_per_point=0.01)
"""Rules of a programme such as many have, for a log without any."""
PAID_SHARE = 0.02
"""Share of every purchase that everyone is taken to pay with points, as far as they go, where nobody knows."""
WORTH = 0.01
"""Of a point, money, where the rules do not say what one costs."""


class Played(NamedTuple):
    """An account, where it comes from, what is known of its rules, and what it is made of.

    Attributes
    ----------
    rules : None where the retailer's own ledger comes without any.
    days : purchase days that earn points, with the level of the customer where tiers multiply them; None where that is
        not known.
    levels : name of each.
    wishes : customer, day, units that were to be redeemed.
    paid_share : of each purchase, where wishes are assumed.
    issued : units, those that never reached the balance too.
    """

    account: Account
    source: Source
    rules: PointsRules | None
    days: ir.Table | None
    levels: dict[int, str]
    wishes: ir.Table
    paid_share: float | None
    issued: int | None


def play(tables: Tables, programme: Programme, as_of: date) -> Played | str:
    """The account of a dataset; the part of its file that is lacking where the rules cannot be replayed.

    Parameters
    ----------
    tables : of the dataset.
    programme : what its file says.
    as_of : first day that is not known.
    """
    if tables.points is not None:
        return _own(tables, tables.points, programme, as_of)
    rules = programme.points or ASSUMED
    lacking, days, levels = _earning(tables, programme, rules, as_of)
    if lacking:
        return lacking
    # What a purchase brings does not pay for the same purchase.
    played = rules.model_copy(update={"pending_days": max(1, rules.pending_days)})
    earnings = earned(days, played, tables.customers, levels)
    wishes = assumed_wishes(tables.days, share=PAID_SHARE, worth=rules.cost_per_point or WORTH)
    account = replay(earnings, wishes, played, as_of, tables.returns)
    source: Source = "assumed" if programme.points is None else "rules"
    return Played(account, source, rules, days, levels, wishes, PAID_SHARE, issued_by(earnings, as_of))


def _own(tables: Tables, ledger: ir.Table, programme: Programme, as_of: date) -> Played:
    """The retailer's own ledger; the days that earn are those since a customer's first movement."""
    rules = programme.points or PointsRules()
    lacking, days, levels = _earning(tables, programme, rules, as_of)
    first = ledger.group_by(member=ledger.customer).agg(since=ledger.day.min())
    known = days.join(first, [days.customer == first.member, days.day >= first.since]).select(*days.columns)
    wishes, account = wishes_of(ledger, rules), own(ledger, rules, as_of)
    return Played(account, "own", programme.points, None if lacking else known, levels, wishes, None, None)


def _earning(
    tables: Tables, programme: Programme, rules: PointsRules, as_of: date
) -> tuple[str, ir.Table, dict[int, str]]:
    """What is lacking for a replay, purchase days as the rules need them, and the names of the levels."""
    days = tables.days.select("customer", "day", "spend")
    known = () if tables.customers is None else tables.customers.columns
    if rules.birthday_multiplier > 1 and "birthday" not in known:
        return "customers.birthday", days, {}
    if not rules.tier_multipliers:
        return "", days, {}
    if not programme.tiers:
        return "programme.tiers", days, {}
    tiers = TierRules.of(programme)
    if tiers.by == "points" and tables.points is None:
        return "points", days, {}
    return "", with_levels(tables, tiers, as_of), dict(enumerate(tiers.levels))


def with_levels(tables: Tables, rules: TierRules, as_of: date) -> ir.Table:
    """Purchase days with the level that the customer had at the end of the day before; 0 below the first tier."""
    members = membership(tables, rules, as_of).rename(member="customer")
    days = tables.days.select("customer", "day", "spend")
    held = [days.customer == members.member, members.since < days.day, members.until >= days.day]
    levels = days.join(members, held).select("customer", "day", level="tier")
    joined = days.left_join(levels, ["customer", "day"])
    return joined.select("customer", "day", "spend", level=joined.level.coalesce(0))
