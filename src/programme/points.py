"""Points as the rules of the dataset file have them: earned on purchases, held back, taken back, spent, expired.

Replayed from the purchase log, or read off the retailer's own ledger. Points are in hundredths, see `ledger`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from ..errors import SettingsError
from ..features.windows import before
from ..points_rules import PointsRules
from .ledger import STEPS, UNITS, settle, stretches

NEARLY = 1e-6
"""Products of binary floats miss a whole number by less."""

KINDS = ("earn", "redeem", "expire", "adjust")


@dataclass(frozen=True)
class Account:
    """What became of all points until a date.

    Attributes
    ----------
    settled : event by event, see `ledger.settle`.
    parts : see `ledger.stretches`.
    pending : customer, units: earned, and not to be spent yet.
    as_of : first day that is not known.
    rules : of the programme.
    """

    settled: ir.Table
    parts: ir.Table
    pending: ir.Table
    as_of: date
    rules: PointsRules

    @classmethod
    def of(cls, settled: ir.Table, pending: ir.Table, as_of: date, rules: PointsRules) -> "Account":
        """The account of settled events."""
        return cls(settled, stretches(settled).cache(), pending, as_of, rules)


def earned(
    days: ir.Table, rules: PointsRules, customers: ir.Table | None = None, levels: Mapping[int, str] | None = None
) -> ir.Table:
    """Points that purchases bring.

    Points are counted once a purchase day, on its net spend, and rounded down.

    Parameters
    ----------
    days : customer, day, spend (money, above 0), and where tiers multiply points level (0 below the first tier).
    rules : of the programme.
    customers : customer, birthday; needed where birthdays multiply points.
    levels : name of each level; needed where tiers multiply points.

    Returns
    -------
    customer, day, units; only days that bring any.

    Raises
    ------
    SettingsError
        If a multiplier has nothing to be read from.
    """
    rate = ibis.literal(rules.per_unit)
    if rules.tier_multipliers:
        rate = rate * _of_tier(days, rules, levels or {})
    table = days
    if rules.birthday_multiplier > 1:
        if customers is None or "birthday" not in customers.columns:
            raise SettingsError("programme.points.birthday_multiplier: expected a birthday under [customers]")
        born = customers.group_by("customer").agg(birthday=customers.birthday.min())
        table = days.left_join(born, "customer").drop("customer_right")
        celebrates = (table.birthday.month() == table.day.month()).fill_null(False)
        rate = rate * celebrates.ifelse(rules.birthday_multiplier, 1.0)
    bought = table.select("customer", "day", units=_units(table.spend, rate, rules.whole))
    bought = bought.filter(bought.units > 0)
    return bought if rules.most_per_month is None else _capped(bought, round(rules.most_per_month * UNITS))


def _of_tier(days: ir.Table, rules: PointsRules, levels: Mapping[int, str]) -> ir.FloatingValue:
    if unknown := sorted(set(rules.tier_multipliers) - set(levels.values())):
        raise SettingsError(
            f"programme.points.tier_multipliers: {', '.join(unknown)} is no tier; expected {', '.join(levels.values())}"
        )
    given = [(level, rules.tier_multipliers[name]) for level, name in levels.items() if name in rules.tier_multipliers]
    return days.level.cases(*given, else_=1.0)


def _units(money: ir.FloatingValue, rate: ir.FloatingValue, whole: bool) -> ir.IntegerValue:
    """Hundredths of points for money, rounded down; a cent is never split."""
    units = ((money * 100).round().cast("int64") * rate + NEARLY).floor().cast("int64")
    return units - units % UNITS if whole else units


def _capped(bought: ir.Table, most: int) -> ir.Table:
    """What is left of each day's points where a month brings no more than `most` units."""
    month = ibis.cumulative_window(group_by=["customer", bought.day.truncate("M")], order_by="day")
    so_far = bought.units.sum().over(month).cast("int64")
    units = ibis.least(so_far, most) - ibis.least(so_far - bought.units, most)
    kept = bought.mutate(units=units.cast("int64"))
    return kept.filter(kept.units > 0)


def ends(day: ir.DateValue, rules: PointsRules) -> ir.DateValue:
    """First day on which points earned on a day are gone; null where they do not expire."""
    if rules.expiry_months is not None:
        return (day + ibis.interval(months=rules.expiry_months)).cast("date") + ibis.interval(days=1)
    if rules.expiry_days is not None:
        return day + ibis.interval(days=rules.expiry_days + 1)
    return ibis.null("date")


def replay(
    earnings: ir.Table, wishes: ir.Table, rules: PointsRules, as_of: date, returns: ir.Table | None = None
) -> Account:
    """The ledger that the rules make of purchases.

    Points of a return, at the rate without multipliers, are taken from those that are still pending, the oldest first,
    and what is left from the balance as far as it goes. A redemption that is larger than the balance takes what is
    there.

    Parameters
    ----------
    earnings : see `earned`.
    wishes : customer, day, units that the customer wants to redeem.
    rules : of the programme.
    as_of : first day that is not known.
    returns : see `features.histories.return_days`.
    """
    claws = None
    if returns is not None:
        units = _units(-returns.spend, ibis.literal(rules.per_unit), rules.whole)
        back = returns.select("customer", "day", units=units)
        claws = back.filter(back.units > 0).mutate(kind=ibis.literal("claw"))
    takes = wishes.select("customer", "day", kind=ibis.literal("redeem"), units=wishes.units.cast("int64"))
    lots, pending = earnings, before(earnings, as_of).filter(ibis.literal(False)).select("customer", "units")
    if rules.pending_days:
        lots, pending, claws = _released(earnings, claws, rules.pending_days, as_of)
    if claws is not None:
        takes = ibis.union(takes, claws.select(takes.columns))
    made = lots.day - ibis.interval(days=rules.pending_days) if rules.pending_days else lots.day
    lots = lots.select("customer", "day", expires=ends(made, rules), units="units")
    return Account.of(settle(lots, takes, as_of), pending, as_of, rules)


def _released(
    earnings: ir.Table, claws: ir.Table | None, days: int, as_of: date
) -> tuple[ir.Table, ir.Table, ir.Table | None]:
    """Points past the return period, those still in it, and claims of returns that were not met in it.

    Waiting is an account of its own, from which a point goes to the balance when its time is over.
    """
    lots = earnings.select("customer", "day", expires=earnings.day + ibis.interval(days=days), units="units")
    none = lots.select("customer", "day", kind=ibis.literal("claw"), units="units").filter(ibis.literal(False))
    waiting = settle(lots, none if claws is None else claws.select("customer", "day", "kind", "units"), as_of)
    left = waiting.step == STEPS.index("expire")
    free = waiting.filter(left & (waiting.taken > 0)).select("customer", "day", units="taken")
    sums = waiting.group_by("customer").agg(units=(waiting.earned - waiting.taken).sum().cast("int64"))
    unmet = waiting.filter(waiting.wanted > waiting.taken)
    rest = unmet.select("customer", "day", units=unmet.wanted - unmet.taken, kind=ibis.literal("claw"))
    return free, sums.filter(sums.units > 0), None if claws is None else rest


def own(points: ir.Table, rules: PointsRules, as_of: date) -> Account:
    """The account that the retailer's own ledger makes.

    Where the table says what expired, that is taken as it is; else the rules say it. More than the balance is taken
    as far as it goes; see `points_checks` for what is wrong.

    Parameters
    ----------
    points : customer, day, points, and kind where there is one, see `sources.log`.
    rules : of the programme; its `kinds` translate.
    as_of : first day that is not known.
    """
    rows = movements(points, rules)
    lots = rows.filter(rows.units > 0)
    lots = lots.select("customer", "day", expires=ends(lots.day, rules), units="units")
    gone = rows.filter(rows.units < 0)
    steps = gone.kind.cases(("expire", "expired"), ("adjust", "adjust"), else_="redeem")
    takes = gone.select("customer", "day", kind=steps, units=-gone.units)
    none = lots.select("customer", "units").filter(ibis.literal(False))
    return Account.of(settle(lots, takes, as_of, expire=not says_expiry(points, rules, as_of)), none, as_of, rules)


def says_expiry(points: ir.Table, rules: PointsRules, as_of: date) -> bool:
    """Whether a retailer's own ledger tells what expired."""
    rows = before(movements(points, rules), as_of)
    return bool(rows.filter((rows.kind == "expire") & (rows.units < 0)).count().to_pyarrow().as_py())


def movements(points: ir.Table, rules: PointsRules) -> ir.Table:
    """A retailer's ledger in our words: customer, day, kind (of `KINDS`; by the sign where unknown), units, word."""
    word = points.kind.lower() if "kind" in points.columns else ibis.null("string")
    known = {kind: kind for kind in KINDS} | {said.lower(): kind for said, kind in rules.kinds.items()}
    kind = word.cases(*known.items(), else_=ibis.null("string")).coalesce((points.points < 0).ifelse("redeem", "earn"))
    units = (points.points * UNITS).round().cast("int64")
    return points.select("customer", "day", kind=kind, units=units, word=word, points=points.points.cast("float64"))


def wishes_of(points: ir.Table, rules: PointsRules) -> ir.Table:
    """What customers redeemed in the retailer's own ledger: customer, day, units."""
    rows = movements(points, rules)
    return rows.filter((rows.kind == "redeem") & (rows.units < 0)).select("customer", "day", units=-rows.units)


def assumed_wishes(days: ir.Table, *, share: float, worth: float) -> ir.Table:
    """An assumption, where nothing is known: everyone wants to pay a share of every purchase with points.

    Parameters
    ----------
    days : customer, day, spend.
    share : of the spend.
    worth : of a point, money.
    """
    units = _units(days.spend, ibis.literal(share / worth), True)
    wanted = days.select("customer", "day", units=units)
    return wanted.filter(wanted.units > 0)


def compare(
    days: ir.Table, wishes: ir.Table, rules: Mapping[str, PointsRules], as_of: date, returns: ir.Table | None = None,
    customers: ir.Table | None = None, levels: Mapping[int, str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """What other rules would have made of the same purchases and wishes; nobody is taken to behave otherwise.

    Parameters
    ----------
    days, customers, levels : see `earned`.
    wishes, as_of, returns : see `replay`.
    rules : by name.

    Returns
    -------
    Index rules; the columns of `totals`.
    """
    found = {}
    for name, each in rules.items():
        earnings = earned(days, each, customers, levels)
        found[name] = totals(replay(earnings, wishes, each, as_of, returns), issued_by(earnings, as_of))
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("rules")


def issued_by(earnings: ir.Table, as_of: date) -> int:
    """Units that were issued before a date, those that are still pending or were taken back too."""
    return before(earnings, as_of).units.sum().cast("int64").to_pyarrow().as_py() or 0


def totals(account: Account, issued: int | None = None) -> dict[str, float | None]:
    """What became of all points.

    Parameters
    ----------
    account : of everyone.
    issued : units; those that reached the balance if not given. Points that a return takes while they are pending never
        do.

    Returns
    -------
    issued, redeemed, expired, clawed_back, adjusted, outstanding (pending ones too), pending, unmet (points), cost (of
    the redeemed, money; None where no cost is known).
    """
    events = account.settled
    sums = events.group_by("step").agg(earned=events.earned.sum(), taken=events.taken.sum(), wanted=events.wanted.sum())
    by_step = sums.to_pandas().set_index("step").reindex(range(len(STEPS)), fill_value=0)
    taken, wanted = by_step["taken"], by_step["wanted"]
    pending = account.pending.units.sum().cast("int64").to_pyarrow().as_py() or 0
    made = int(by_step["earned"].sum()) + pending if issued is None else issued
    left = int(by_step["earned"].sum() - taken.sum()) + pending
    redeemed, expired, adjusted = int(taken[4]), int(taken[0] + taken[5]), int(taken[3])
    told = {
        "issued": made, "redeemed": redeemed, "expired": expired,
        "clawed_back": made - redeemed - expired - left - adjusted, "adjusted": adjusted, "outstanding": left,
        "pending": pending, "unmet": int(wanted[4] - taken[4]),
    }  # fmt: skip
    cost = account.rules.cost_per_point
    return {name: units / UNITS for name, units in told.items()} | {
        "cost": None if cost is None else redeemed / UNITS * cost
    }
