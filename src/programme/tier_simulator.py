"""Other thresholds or benefits replayed on the log: who moves, what it costs, and what it must lift to pay.

Everyone buys as they did: a replay says what other rules would have given to the same purchases. Whether customers then
buy more, it cannot say; it says how much more they would have to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from ..errors import SettingsError
from ..features.columns import Tables
from ..features.histories import net_spend
from ..features.windows import before, last_days
from .effect import Interval
from .tier_rules import TierRules
from .tiers import membership, tier_at

YEAR = 365


@dataclass(frozen=True)
class Benefits:
    """What the tiers give, each value for one tier, from the lowest.

    Attributes
    ----------
    share_of_spend : of what is bought in the tier: a discount, or more points at their cost.
    a_year : money for each customer and year in the tier: gifts, free delivery, a service line.
    """

    share_of_spend: tuple[float, ...]
    a_year: tuple[float, ...]


@dataclass(frozen=True)
class Offer:
    """Rules, and what the tiers give under them.

    Raises
    ------
    SettingsError
        If the benefits are not one for each tier, or below zero.
    """

    rules: TierRules
    benefits: Benefits

    def __post_init__(self) -> None:
        for name, values in (("share_of_spend", self.benefits.share_of_spend), ("a_year", self.benefits.a_year)):
            if len(values) != len(self.rules.names) or not all(0 <= value < np.inf for value in values):
                raise SettingsError(
                    f"benefits.{name}: expected {len(self.rules.names)} numbers of 0 or more, one for each of "
                    f"{', '.join(self.rules.names)}, found {values!r}; give each tier what it gets"
                )


@dataclass(frozen=True)
class Replay:
    """What other tiers would have been.

    Attributes
    ----------
    moves : before (tier under the present rules at the end), after (under the others), customers; pairs that nobody
        takes are left out.
    costs : index offer (`present`, `other`), tier; customer_years, spend (bought in the tier), cost (money).
    extra_cost : of the other offer over the present one, money in the period.
    gainers, losers : customers whose benefits would be worth more, and less.
    gainers_cost, losers_saving : money by which they would be, together.
    gainers_spend, losers_spend : what they bought in the period.
    lift : by which share those who gain must buy more to pay for what they gain, with a 90 % interval that takes the
        customers as a sample; infinite if each further purchase costs more than it earns, NaN if nobody gains.
    loss : by which share those who lose may buy less before what is saved on them is gone; NaN if nobody loses.
    """

    moves: pd.DataFrame
    costs: pd.DataFrame
    extra_cost: float
    gainers: int
    losers: int
    gainers_cost: float
    losers_saving: float
    gainers_spend: float
    losers_spend: float
    lift: Interval
    loss: Interval


def replay(tables: Tables, present: Offer, other: Offer, as_of: date, margin: float, days: int = YEAR) -> Replay:
    """Replay the log under two offers.

    A purchase earns the benefits of the tier that was held when its day began, less what was given back. The lift
    solves :math:`l S (m - b) = C`: spend S of those who gain, margin m, the share b of their spend that goes back to
    them under the other offer, and what they gain C.

    Parameters
    ----------
    tables : with purchase days.
    present, other : offers to compare.
    as_of : first day that is not known.
    margin : share of spend that is left after the cost of goods.
    days : before `as_of`, that are counted.
    """
    offers = {"present": present, "other": other}
    members = {name: membership(tables, offer.rules, as_of).cache() for name, offer in offers.items()}
    given = {name: _given(tables, members[name], offer, as_of, days).cache() for name, offer in offers.items()}
    costs = {name: _costs(given[name], offer.rules) for name, offer in offers.items()}
    sums = _sums(tables, given["present"], given["other"], as_of, days)
    up, down = sums.get(1, _nobody()), sums.get(-1, _nobody())
    return Replay(
        moves=_moves(tables, members, {name: offer.rules for name, offer in offers.items()}, as_of),
        costs=pd.concat(costs, names=["offer", "tier"]),
        extra_cost=up["change"] + down["change"],
        gainers=int(up["customers"]),
        losers=int(down["customers"]),
        gainers_cost=up["change"],
        losers_saving=abs(down["change"]),
        gainers_spend=up["spend"],
        losers_spend=down["spend"],
        lift=_break_even(up, margin),
        loss=_break_even(down, margin),
    )


def _given(tables: Tables, members: ir.Table, offer: Offer, as_of: date, days: int) -> ir.Table:
    """By customer and tier, in the period: days in it, spend in it, and the cost of its benefits."""
    start = as_of - timedelta(days=days)
    # Who loses a tier on the first day has it still when that day begins.
    members = members.filter(members.until >= ibis.literal(start))
    first = ibis.greatest(members.since, ibis.literal(start))
    last = ibis.least(members.until, ibis.literal(as_of))
    stays = members.mutate(days=last.delta(first, unit="day"))
    stays = stays.group_by("customer", "tier").agg(days=stays.days.sum())
    pairs = members.join(_kept(tables, as_of, days), "customer")
    # The purchase that reaches a tier is not yet made in it.
    inside = pairs.filter((pairs.since < pairs.day) & (pairs.day <= pairs.until))
    bought = inside.group_by("customer", "tier").agg(spend=inside.spend.sum())
    each = stays.outer_join(bought, ["customer", "tier"])
    each = each.select(
        customer=each.customer.coalesce(each.customer_right),
        tier=each.tier.coalesce(each.tier_right),
        days=each.days.coalesce(0),
        spend=each.spend.coalesce(0.0),
    )
    share, a_year = (_of_tier(each.tier, values) for values in (offer.benefits.share_of_spend, offer.benefits.a_year))
    back = each.spend * share
    return each.mutate(back=back, cost=back + each.days / YEAR * a_year)


def _kept(tables: Tables, as_of: date, days: int) -> ir.Table:
    """Purchases of the period, less what was given back in it: customer, day, spend.

    Which purchase is given back nobody knows; each is lowered by the same share, so that a return costs nobody a tier's
    benefits on what was bought before it.
    """
    moved = last_days(net_spend(tables), as_of, days)
    sums = moved.group_by("customer").agg(net=moved.spend.sum(), paid=moved.spend.sum(where=moved.purchase))
    share = sums.select("customer", share=(sums.net.clip(lower=0.0) / sums.paid.nullif(0)).coalesce(0.0))
    bought = moved.filter(moved.purchase).join(share, "customer")
    return bought.select("customer", "day", spend=bought.spend * bought.share)


def _of_tier(tier: ir.IntegerValue, values: tuple[float, ...]) -> ir.FloatingValue:
    return ibis.cases(*((tier == number, float(value)) for number, value in enumerate(values, 1)), else_=0.0)


def _costs(given: ir.Table, rules: TierRules) -> pd.DataFrame:
    """By tier: customer_years, spend, cost; none of a tier that nobody was in."""
    sums = given.group_by("tier").agg(days=given.days.sum(), spend=given.spend.sum(), cost=given.cost.sum())
    table = sums.to_pandas().set_index("tier").reindex(range(1, len(rules.names) + 1)).fillna(0.0).astype(float)
    table.index = pd.Index(rules.names, name="tier")
    return pd.DataFrame({"customer_years": table["days"] / YEAR, "spend": table["spend"], "cost": table["cost"]})


def _moves(tables: Tables, members: dict[str, ir.Table], rules: dict[str, TierRules], as_of: date) -> pd.DataFrame:
    """Customers by the tiers that they have under both rules at a date."""
    placed = before(tables.days, as_of).select("customer").distinct()
    names = {"before": "present", "after": "other"}
    for side, offer in names.items():
        at = tier_at(members[offer], as_of).select("customer", **{side: "tier"})
        placed = placed.left_join(at, "customer").drop("customer_right")
    told = placed.mutate(before=placed.before.coalesce(0), after=placed.after.coalesce(0))
    counted = told.group_by("before", "after").agg(customers=told.count()).order_by("before", "after").to_pandas()
    levels = {side: rules[offer].levels for side, offer in names.items()}
    return counted.assign(**{side: [levels[side][at] for at in counted[side]] for side in names})


def _sums(tables: Tables, present: ir.Table, other: ir.Table, as_of: date, days: int) -> dict[int, dict[str, float]]:
    """Sums over those who gain (1) and those who lose (-1): customers, spend, change, back, and those of squares."""
    spent = last_days(net_spend(tables), as_of, days)
    each = spent.group_by("customer").agg(spend=spent.spend.sum().clip(lower=0.0))
    sides = {"was": present, "becomes": other}
    for name, given in sides.items():
        cost = given.group_by("customer").agg(**{name: given.cost.sum(), f"{name}_back": given.back.sum()})
        each = each.outer_join(cost, "customer")
        each = each.mutate(customer=each.customer.coalesce(each.customer_right)).drop("customer_right")
    each = each.select(
        spend=each.spend.coalesce(0.0),
        back=each.becomes_back.coalesce(0.0),
        change=each.becomes.coalesce(0.0) - each.was.coalesce(0.0),
    )
    small = 1e-9
    each = each.mutate(side=(each.change > small).cast("int64") - (each.change < -small).cast("int64"))
    sums = each.group_by("side").agg(
        customers=each.count().cast("float64"),
        **{name: each[name].sum() for name in ("spend", "back", "change")},
        spend_squared=(each.spend * each.spend).sum(),
        change_squared=(each.change * each.change).sum(),
        product=(each.spend * each.change).sum(),
    )
    return {int(row.pop("side")): row for row in sums.to_pyarrow().to_pylist()}


def _nobody() -> dict[str, float]:
    names = ("customers", "spend", "back", "change", "spend_squared", "change_squared", "product")
    return dict.fromkeys(names, 0.0)


def _break_even(sums: dict[str, float], margin: float) -> Interval:
    r"""The ratio of the change of cost to what spend earns; its error is that of a ratio (Cochran 1977, eq. 6.13)."""
    n, spend, change = sums["customers"], sums["spend"], abs(sums["change"])
    if not n:
        return Interval(np.nan, np.nan, np.nan)
    earns = margin - sums["back"] / spend if spend > 0 else 0.0
    if earns <= 0:
        return Interval(np.inf, np.inf, np.inf)
    ratio = change / spend
    product = abs(sums["product"])
    residual = max(sums["change_squared"] - 2 * ratio * product + ratio**2 * sums["spend_squared"], 0.0)
    error = np.sqrt(residual * n / (n - 1)) / spend if n > 1 else np.nan
    return Interval.around(ratio / earns, error / earns)
