"""What customers known at a past date did before and after it: counts alone, however many customers there are."""

from datetime import date

import ibis
import ibis.expr.types as ir

from .windows import before, horizon

LONG_BEFORE = 100_000
"""More weeks than any log has before a date: added while weeks are counted, so that none is negative."""


def starts(days: ir.Table, as_of: date) -> ir.Table:
    """Customers by the day of their first purchase before `as_of`: day, customers."""
    known = before(days, as_of)
    first = known.group_by("customer").agg(day=known.day.min())
    return first.group_by("day").agg(customers=first.count()).order_by("day")


def repeats(days: ir.Table, as_of: date, until: date) -> ir.Table:
    """Repeat purchases week by week, before and after `as_of`, of the customers who had bought by then.

    Parameters
    ----------
    days : purchase days: customer, day.
    as_of : the date that weeks are counted from.
    until : first day that is not looked at.

    Returns
    -------
    week : 0 begins at `as_of`, -1 ends before it. Weeks without a repeat purchase are missing.
    purchases : purchase days other than a customer's first.
    customers : how many bought.
    """
    known = before(days, as_of)
    first = known.group_by("customer").agg(first=known.day.min())
    seen = before(days, until).join(first, "customer")
    seen = seen.filter(seen.day > seen.first)
    since = seen.day.delta(ibis.literal(as_of), unit="day").cast("int64")
    placed = seen.mutate(week=((since + 7 * LONG_BEFORE) // 7).cast("int64") - LONG_BEFORE)
    return (
        placed.group_by("week")
        .agg(purchases=placed.count(), customers=placed.customer.nunique())
        .order_by("week")
    )  # fmt: skip


def log_gaps(days: ir.Table, as_of: date) -> ir.Table:
    """How regular each customer's purchases are: customer, log_gaps.

    It is the sum of the natural logarithms of the days between successive purchase days before `as_of`, 0 without a
    repeat purchase. Of gaps with the same sum the equal ones have the largest.
    """
    known = before(days, as_of)
    previous = known.day.lag().over(ibis.window(group_by=known.customer, order_by=known.day))
    gaps = known.mutate(gap=known.day.delta(previous, unit="day").cast("float64"))
    return gaps.group_by("customer").agg(log_gaps=gaps.gap.ln().sum().coalesce(0.0))


def held_out(histories: ir.Table, days: ir.Table, as_of: date, period_days: int) -> ir.Table:
    """Different histories at a past date, by what came after it.

    Parameters
    ----------
    histories : customer, frequency, recency, T at `as_of`.
    days : purchase days.
    as_of : the past date.
    period_days : days after it that are looked at.

    Returns
    -------
    frequency, recency, T
    purchases : purchase days in [as_of, as_of + period_days).
    weight : customers who share all of these.
    log_gaps : mean over them, see `log_gaps`.
    """
    later = horizon(days, as_of, period_days)
    bought = later.group_by("customer").agg(purchases=later.count())
    joined = histories.join(log_gaps(days, as_of), "customer").left_join(bought, "customer").drop("customer_right")
    joined = joined.mutate(purchases=joined.purchases.coalesce(0))
    keys = ["frequency", "recency", "T", "purchases"]
    return joined.group_by(keys).agg(weight=joined.count(), log_gaps=joined.log_gaps.mean()).order_by(keys)


def newcomers(days: ir.Table, as_of: date, period_days: int) -> ir.Table:
    """Who had never bought before a past date and did in the days after it, in one row: customers, purchases."""
    later = horizon(days, as_of, period_days)
    new = later.anti_join(before(days, as_of).select("customer").distinct(), "customer")
    return new.agg(customers=new.customer.nunique(), purchases=new.count())
