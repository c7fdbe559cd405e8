"""Groups of customers by when they came, and how the base as a whole behaves over time."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from .columns import Tables
from .histories import net_spend
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


def concentration(tables: Tables, as_of: date, within_days: int = 365, groups: int = 10) -> ir.Table:
    """Spend by tenth of the customers who bought, the heaviest spenders first.

    Returns
    -------
    tenth : 1 is the tenth that spends most.
    customers : how many are in it.
    spend : their spend in the `within_days` before `as_of`, money, net of returns.
    """
    recent = last_days(net_spend(tables), as_of, within_days)
    each = recent.group_by("customer").agg(spend=recent.spend.sum(), purchase_days=recent.purchase.sum())
    each = each.filter(each.purchase_days > 0)
    placed = each.mutate(tenth=ibis.ntile(groups).over(order_by=[each.spend.desc(), each.customer]) + 1)
    return placed.group_by("tenth").agg(customers=placed.count(), spend=placed.spend.sum()).order_by("tenth")


def weekly(tables: Tables, as_of: date) -> pd.DataFrame:
    """The base week by week; whole weeks only.

    A week without any purchase is a week with zeros: a till that stopped reporting must show.

    Returns
    -------
    week (its Monday), customers, purchase_days (counts), spend (money, net of returns)
    """
    known = before(net_spend(tables), as_of)
    by_week = known.group_by(week=known.day.truncate("W").cast("date")).agg(
        customers=known.customer.nunique(where=known.purchase),
        purchase_days=known.purchase.sum(),
        spend=known.spend.sum(),
        first_day=known.day.min(where=known.purchase),
    )
    weeks = by_week.to_pandas().astype({"week": "datetime64[s]", "first_day": "datetime64[s]"}).set_index("week")
    end = pd.Timestamp(as_of)
    begins = weeks["first_day"].min() if weeks["first_day"].notna().any() else end
    # Weeks that the log or the as-of date cuts would look like a fall.
    mondays = pd.date_range(begins, end - pd.Timedelta(days=7), freq="W-MON", name="week", unit="s")
    counts = weeks[["customers", "purchase_days", "spend"]].reindex(mondays, fill_value=0)
    return counts.astype({"customers": "int64", "purchase_days": "int64", "spend": "float64"}).reset_index()
