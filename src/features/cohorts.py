"""Groups of customers by when they came, and how the base as a whole behaves over time."""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from .windows import before, days_until, last_days


def retention(days: ir.Table, as_of: date) -> ir.Table:
    """Customers by month of first purchase and month since then; only months that are over at `as_of`.

    Returns
    -------
    cohort : first day of the month of the first purchase.
    months_later : 0, 1, 2 …
    customers : how many of the cohort bought in that month (missing rows mean none).
    size : customers in the cohort.
    """
    known = before(days, as_of.replace(day=1))
    first = known.group_by("customer").agg(cohort=known.day.min().truncate("M"))
    joined = known.join(first, "customer")
    elapsed = (joined.day.year() - joined.cohort.year()) * 12 + joined.day.month() - joined.cohort.month()
    counted = (
        joined.mutate(months_later=elapsed).group_by("cohort", "months_later").agg(customers=joined.customer.nunique())
    )
    size = ibis.window(group_by=counted.cohort)
    return counted.mutate(size=counted.customers.max().over(size)).order_by("cohort", "months_later")


def second_purchase(days: ir.Table, as_of: date) -> ir.Table:
    """Days from first to second purchase, counted.

    Returns
    -------
    elapsed : days from the first purchase to the second, or to `as_of` where there is none yet.
    returned : whether there was a second one.
    customers : how many.
    """
    known = before(days, as_of)
    later = known.mutate(next_day=known.day.lead().over(ibis.window(group_by=known.customer, order_by=known.day)))
    by_customer = later.group_by("customer").agg(first=later.day.min(), second=later.next_day.min())
    returned = by_customer.second.notnull()
    each = by_customer.select(
        returned=returned,
        elapsed=returned.ifelse(
            by_customer.second.delta(by_customer.first, unit="day"), days_until(as_of, by_customer.first)
        ),
    )
    return each.group_by("elapsed", "returned").agg(customers=each.count()).order_by("elapsed", "returned")


def concentration(days: ir.Table, as_of: date, within_days: int = 365, groups: int = 10) -> ir.Table:
    """Spend by tenth of the customers, the heaviest spenders first.

    Returns
    -------
    tenth : 1 is the tenth that spends most.
    customers : how many are in it.
    spend : their spend in the `within_days` before `as_of`, money.
    """
    recent = last_days(days, as_of, within_days)
    each = recent.group_by("customer").agg(spend=recent.spend.sum())
    placed = each.mutate(tenth=ibis.ntile(groups).over(order_by=[each.spend.desc(), each.customer]) + 1)
    return placed.group_by("tenth").agg(customers=placed.count(), spend=placed.spend.sum()).order_by("tenth")


def weekly(days: ir.Table, as_of: date) -> ir.Table:
    """The base week by week: week (its Monday), customers, purchase_days, spend (money); whole weeks only.

    A week without any purchase is a week with zeros: a till that stopped reporting must show.
    """
    known = before(days, as_of)
    by_week = known.group_by(week=known.day.truncate("W")).agg(
        customers=known.customer.nunique(), purchase_days=known.count(), spend=known.spend.sum()
    )
    first = known.day.min().execute()
    begins = pd.Timestamp(as_of if pd.isna(first) else first).normalize()
    mondays = pd.date_range(begins - pd.Timedelta(days=begins.weekday()), pd.Timestamp(as_of), freq="W-MON")
    # Weeks that the log or the as-of date cuts would look like a fall.
    whole = [monday.date() for monday in mondays if begins <= monday and monday.date() + timedelta(days=7) <= as_of]
    if not whole:
        return by_week.filter(ibis.literal(False))
    calendar = ibis.memtable({"week": whole}, schema={"week": "date"})
    joined = calendar.left_join(by_week, calendar.week == by_week.week.cast("date"))
    return joined.select(
        week=joined.week.cast("timestamp"),
        customers=joined.customers.coalesce(0),
        purchase_days=joined.purchase_days.coalesce(0),
        spend=joined.spend.coalesce(0.0),
    ).order_by("week")
