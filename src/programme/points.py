"""Points as the rules of the dataset file have them: earned on purchases, held back, taken back, spent, expired.

Replayed from the purchase log, or read off the retailer's own ledger. Points are in hundredths, see `ledger`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from ..errors import SettingsError
from ..features.windows import before
from ..points_rules import PointsRules
from .ledger import STEPS, UNITS, settle, stretches

NEARLY = 1e-6
"""Products of binary floats miss a whole number by less."""

KINDS = ("earn", "redeem", "expire", "adjust", "return")


@dataclass(frozen=True)
class Account:
    """What became of all points until a date.

    Attributes
    ----------
    settled : event by event, see `ledger.settle`.
    parts : see `ledger.stretches`.
    pending : customer, units: earned, and not to be spent yet.
    returned : customer, units: taken back on a return before they could be spent.
    as_of : first day that is not known.
    rules : of the programme.
    """

    settled: ir.Table
    parts: ir.Table
    pending: ir.Table
    returned: ir.Table
    as_of: date
    rules: PointsRules

    @classmethod
    def of(
        cls, settled: ir.Table, as_of: date, rules: PointsRules,
        waiting: tuple[ir.Table, ir.Table] | None = None,
    ) -> "Account":  # fmt: skip
        """The account of settled events, and of points that were not to be spent yet: pending, and returned."""
        none = settled.select("customer", units="earned").filter(ibis.literal(False))
        pending, returned = waiting or (none, none)
        return cls(settled, stretches(settled).cache(), pending, returned, as_of, rules)


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
    lots, waiting = earnings, None
    if rules.pending_days:
        lots, waiting, claws = _released(earnings, claws, rules.pending_days, as_of)
    if claws is not None:
        takes = ibis.union(takes, claws.select(takes.columns))
    made = lots.day - ibis.interval(days=rules.pending_days) if rules.pending_days else lots.day
    lots = lots.select("customer", "day", expires=ends(made, rules), units="units")
    return Account.of(settle(lots, takes, as_of), as_of, rules, waiting)


def _released(
    earnings: ir.Table, claws: ir.Table | None, days: int, as_of: date
) -> tuple[ir.Table, tuple[ir.Table, ir.Table], ir.Table | None]:
    """Points past the return period, those still in it and those taken back in it, and claims not met in it.

    Waiting is an account of its own, from which a point goes to the balance when its time is over.
    """
    lots = earnings.select("customer", "day", expires=earnings.day + ibis.interval(days=days), units="units")
    none = lots.select("customer", "day", kind=ibis.literal("claw"), units="units").filter(ibis.literal(False))
    waiting = settle(lots, none if claws is None else claws.select("customer", "day", "kind", "units"), as_of)
    left = waiting.step == STEPS.index("expire")
    free = waiting.filter(left & (waiting.taken > 0)).select("customer", "day", units="taken")
    sums = waiting.group_by("customer").agg(units=(waiting.earned - waiting.taken).sum().cast("int64"))
    back = waiting.filter((waiting.step == STEPS.index("claw")) & (waiting.taken > 0))
    unmet = waiting.filter(waiting.wanted > waiting.taken)
    rest = unmet.select("customer", "day", units=unmet.wanted - unmet.taken, kind=ibis.literal("claw"))
    kept = sums.filter(sums.units > 0), back.select("customer", units="taken")
    return free, kept, None if claws is None else rest


def own(points: ir.Table, rules: PointsRules, as_of: date) -> Account:
    """The account that the retailer's own ledger makes.

    Where the table says what expired, that is taken as it is; else the rules say it. Points that are earned below zero
    are taken back on a return. More than the balance is taken as far as it goes; see `points_checks` for what is wrong.
    A table tells points on the day from which they count, so that none is pending.

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
    steps = gone.kind.cases(
        ("expire", "expired"), ("adjust", "adjust"), ("return", "claw"), ("earn", "claw"), else_="redeem"
    )
    takes = gone.select("customer", "day", kind=steps, units=-gone.units)
    settled = settle(lots, takes, as_of, expire=not says_expiry(points, rules, as_of))
    return Account.of(settled, as_of, rules.model_copy(update={"pending_days": 0}))


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
