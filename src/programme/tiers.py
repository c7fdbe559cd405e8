"""Membership of the tiers replayed from the log: which customer had which tier, from when until when.

Everything is a column expression: no customer is looped over. What is still kept of a tier depends on when it was last
reached and on nothing else, so that every tier has its own stretches of days, and the tier of a day is the number of
tiers whose stretch covers it.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from ..errors import DataError
from ..features.columns import Tables
from ..features.histories import net_spend
from ..features.windows import before, last_days
from .tier_rules import MONTHS, TierRules

EPOCH = date(1970, 1, 1)
PARTS = 10_000
"""Parts of a unit of money or of a point in which sums are kept: whole numbers add up exactly, in any order."""


def qualifying(tables: Tables, rules: TierRules, as_of: date) -> ir.Table:
    """What counts towards a tier, before `as_of`.

    Returns
    -------
    customer, day, worth (whole ten-thousandths of money, net of returns, or of points earned), one row a day

    Raises
    ------
    DataError
        If points qualify and the dataset has no table of them.
    """
    if rules.by == "spend":
        known = before(net_spend(tables), as_of)
        worth = known.spend
    elif tables.points is None:
        raise DataError(
            "programme.tiers: they are reached by points, of which the dataset has no table; add [points], or give "
            "the tiers in spend"
        )
    else:
        known = before(tables.points.filter(tables.points.points > 0), as_of)
        worth = known.points
    counted = known.select("customer", "day", worth=(worth * PARTS).round().cast("int64"))
    return counted.group_by("customer", "day").agg(worth=counted.worth.sum().cast("int64"))


def membership(tables: Tables, rules: TierRules, as_of: date) -> ir.Table:
    """Every stretch of days that a customer spent in one tier and that began before `as_of`.

    A log that starts in the middle of a qualifying period shows less than counted then, so that its first period
    holds too few tiers.

    Parameters
    ----------
    tables : with purchase days and returns, or points.
    rules : of the tiers.
    as_of : first day that is not known.

    Returns
    -------
    customer
    tier : 1 for the lowest; days below the first tier have no row
    since : first day
    until : first day after it. From `as_of` on, it is the day on which the tier is lost if nothing more is bought.

    Raises
    ------
    DataError
        If points qualify and the dataset has no table of them.
    """
    moved = qualifying(tables, rules, as_of)
    moved = moved.select("customer", number=day_number(moved.day), worth=moved.worth, day=moved.day)
    spans = _rolling(moved, rules) if rules.period == "rolling" else _calendar(moved, rules)
    order = ibis.window(group_by="customer", order_by="number")
    changes = _changes(stretches(spans))
    held = changes.mutate(
        tier=changes.change.sum().over(ibis.cumulative_window(group_by="customer", order_by="number")),
        until=changes.number.lead().over(order),
    )
    held = held.filter((held.tier > 0) & (held.number < (as_of - EPOCH).days))
    return held.select("customer", tier=held.tier.cast("int64"), since=_day(held.number), until=_day(held.until))


def tier_at(members: ir.Table, as_of: date) -> ir.Table:
    """Tier at the end of the day before `as_of`: customer, tier (1 or above); others have none.

    Parameters
    ----------
    members : see `membership`, of this date or a later one: a tier depends on no later day.
    """
    on = members.filter((members.since < ibis.literal(as_of)) & (members.until >= ibis.literal(as_of)))
    return on.select("customer", "tier")


def standing(tables: Tables, rules: TierRules, as_of: date) -> ir.Table:
    """What each customer has towards the next tier at `as_of`: in the qualifying period that holds the day before.

    Returns
    -------
    customer, worth (ten-thousandths, see `qualifying`)
    """
    days = rules.days if rules.period == "rolling" else None
    length = days or (as_of - rules.period_start(as_of - timedelta(days=1))).days
    counted = last_days(qualifying(tables, rules, as_of), as_of, length)
    return counted.group_by("customer").agg(worth=counted.worth.sum().cast("int64"))


def whole_parts(rules: TierRules) -> tuple[int, ...]:
    """The thresholds in the unit of `qualifying`."""
    return tuple(round(threshold * PARTS) for threshold in rules.thresholds)


def level(worth: ir.IntegerValue, rules: TierRules) -> ir.IntegerValue:
    """Number of thresholds that `worth` reaches."""
    return sum(((worth >= threshold).cast("int64") for threshold in whole_parts(rules)), ibis.literal(0, "int64"))


def _rolling(moved: ir.Table, rules: TierRules) -> ir.Table:
    """Spans of days by the tier that is kept: customer, tier, number, until."""
    gone = moved.select("customer", number=moved.number + rules.days, worth=-moved.worth)
    flow = moved.select("customer", "number", "worth").union(gone)
    flow = flow.group_by("customer", "number").agg(worth=flow.worth.sum().cast("int64"))
    worth = flow.worth.sum().over(ibis.cumulative_window(group_by="customer", order_by="number"))
    following = flow.number.lead().over(ibis.window(group_by="customer", order_by="number"))
    spans = _kept(flow.select("customer", "number", level=level(worth, rules), following=following))
    further = (spans.level - spans.tier) * (rules.days if rules.downgrade == "step" else 0)
    return spans.select("customer", "tier", "number", until=spans.following + rules.grace_days + further)


def _calendar(moved: ir.Table, rules: TierRules) -> ir.Table:
    """The same where sums begin anew with each calendar period."""
    length = MONTHS[rules.period]
    month = (moved.day.year() * 12 + moved.day.month() - 1).cast("int64")
    placed = moved.mutate(period=(month - month % length).cast("int64"))
    running = ibis.cumulative_window(group_by=["customer", "period"], order_by="number")
    reached = level(placed.worth.sum().over(running), rules)
    spans = _kept(placed.select("customer", "number", "period", level=reached))
    further = (spans.level - spans.tier) * (1 if rules.downgrade == "step" else 0)
    ends = spans.period + length * (further + 1 + rules.grace_periods)
    first = ibis.date((ends - ends % 12) // 12, ends % 12 + 1, 1)
    return spans.select("customer", "tier", "number", until=day_number(first) + rules.grace_days)


def _kept(spans: ir.Table) -> ir.Table:
    """Each span once for its tier and once for every lower one."""
    some = spans.filter(spans.level > 0)
    each = some.mutate(tier=ibis.range(1, some.level + 1).unnest())
    return each.mutate(tier=each.tier.cast("int64"))


def stretches(spans: ir.Table) -> ir.Table:
    """Spans of a customer and tier that touch or overlap, made one.

    Parameters
    ----------
    spans : customer, tier, number (of the first day, see `day_number`; only one span of a tier begins on it), until
        (number of the first day after it).
    """
    earlier = ibis.window(group_by=["customer", "tier"], order_by="number", preceding=(None, 1))
    ends = spans.mutate(ended=spans.until.max().over(earlier))
    begins = ends.mutate(begins=(ends.ended.isnull() | (ends.number > ends.ended)).cast("int64"))
    running = ibis.cumulative_window(group_by=["customer", "tier"], order_by="number")
    numbered = begins.mutate(stretch=begins.begins.sum().over(running))
    return numbered.group_by("customer", "tier", "stretch").agg(
        number=numbered.number.min(), until=numbered.until.max()
    )


def _changes(each_stretch: ir.Table) -> ir.Table:
    """Days on which the number of tiers that are held changes: customer, number, change."""
    up = each_stretch.select("customer", "number", change=ibis.literal(1, "int64"))
    down = each_stretch.select("customer", number=each_stretch.until, change=ibis.literal(-1, "int64"))
    both = up.union(down)
    each = both.group_by("customer", "number").agg(change=both.change.sum())
    return each.filter(each.change != 0)


def day_number(day: ir.DateValue) -> ir.IntegerValue:
    """Days since `EPOCH`."""
    return day.delta(ibis.literal(EPOCH), unit="day").cast("int64")


def _day(number: ir.IntegerValue) -> ir.DateValue:
    return (ibis.literal(EPOCH) + number.as_interval("D")).cast("date")
