"""Who joined the programme when, beside what was bought before and after: counted where the log lies.

`members` makes effects of it.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from ..errors import DataError
from ..features.columns import Tables
from ..features.histories import net_spend
from ..features.labels import spending
from ..features.windows import before, days_until, is_before

WEEK = 7
WINDOWS = 3
"""Windows before the week of joining: the last is subtracted, those before it are matched on."""
PAST = 2
"""Windows for which a customer must have been known."""
MOST = 300_000
"""Rows that are brought here, about: customers at a week."""


def standing(tables: Tables, as_of: date, horizon_days: int) -> ir.Table:
    """Members and others as they are, which is no effect: all who had bought before the last `horizon_days`.

    Returns
    -------
    member : whether the customer had joined before those days
    customers : count
    repurchased, churned : share who bought on two days or more of them, and on none
    spend, spend_deviation : mean and standard deviation over the customers, money net of returns
    """
    start = as_of - timedelta(days=horizon_days)
    joined = _joined(tables)
    each = before(tables.days, start).select("customer").distinct().left_join(joined, "customer")
    each = each.select("customer", member=is_before(each.joined, start).fill_null(False))
    later = spending(tables, start, horizon_days)
    each = each.left_join(later, "customer").drop("customer_right")
    days, spend = each.purchases.coalesce(0), each.spend.coalesce(0.0)
    told = each.mutate(spend=spend, repurchased=(days > 1).cast("float64"), churned=(days == 0).cast("float64"))
    return (
        told.group_by("member")
        .agg(
            customers=told.count(),
            repurchased=told.repurchased.mean(),
            churned=told.churned.mean(),
            spend=told.spend.mean(),
            spend_deviation=told.spend.std(),
        )
        .order_by("member")
    )


def counts(tables: Tables, as_of: date, horizon_days: int) -> ir.Table:
    """Buyers before a date by what is known of their joining; one row.

    Returns
    -------
    customers, members : who had bought, and had joined, before the date
    later : members from the date on
    at_first : members who joined on the day of their first purchase or before it
    with_past : members who were known for `PAST` windows when they joined
    """
    known = before(tables.days, as_of)
    first = known.group_by("customer").agg(first_day=known.day.min())
    each = first.left_join(_joined(tables), "customer")
    member = is_before(each.joined, as_of).fill_null(False)
    waited = each.joined.delta(each.first_day, unit="day")
    return each.agg(
        customers=each.count(),
        members=member.sum().coalesce(0),
        later=(each.joined.notnull() & ~member).sum().coalesce(0),
        at_first=(member & (waited <= 0)).sum().coalesce(0),
        with_past=(member & (waited >= PAST * horizon_days)).sum().coalesce(0),
    )


def comparison(tables: Tables, as_of: date, horizon_days: int, most: int = MOST) -> ir.Table:
    """Those who joined, each in the week of joining, and others in weeks in which they had not.

    Weeks are counted from the first day of the log. Of the others, a fixed share of all their weeks is drawn by a hash,
    so that about `most` rows are left.

    Parameters
    ----------
    tables : with purchase days and customers.
    as_of : first day that is not known.
    horizon_days : H, length of a window.

    Returns
    -------
    customer, week
    joins : whether the customer joined in that week; the others had not joined H days after it
    tenure : days from the first purchase to the week, at least `PAST` windows
    visited : whether the customer bought in that week
    spend_3, spend_2, spend_1, spend_after : money net of returns in the windows before it, and after it
    days_3, days_2, days_1, days_after : purchase days in them
    """
    known = before(net_spend(tables), as_of)
    start, customers = (
        known.agg(start=known.day.min(), customers=known.customer.nunique()).to_pyarrow().to_pylist()[0].values()
    )
    if start is None:
        raise DataError(f"transactions: no purchase before {as_of}; choose a later date")
    moved = known.select("customer", "spend", "purchase", number=-days_until(start, known.day))
    length = (as_of - start).days
    first, last = -(-PAST * horizon_days // WEEK), (length - WEEK - horizon_days) // WEEK
    share = min(1.0, most / max(customers * (last - first + 1), 1))
    rows = _weeks(moved, _numbers(_joined(tables), start), (first, last), horizon_days, length, share)
    pairs = rows.join(moved, "customer")
    at = pairs.number - WEEK * pairs.week
    windows = {f"_{n}": (-n * horizon_days, -(n - 1) * horizon_days) for n in range(WINDOWS, 0, -1)}
    windows["_after"] = (WEEK, WEEK + horizon_days)
    bought = pairs.purchase
    sums: dict[str, ir.Value] = {"visited": (bought & (at >= 0) & (at < WEEK)).any()}
    for name, (low, high) in windows.items():
        here = (at >= low) & (at < high)
        sums[f"spend{name}"] = pairs.spend.sum(where=here).coalesce(0.0)
        sums[f"days{name}"] = (bought & here).sum().coalesce(0)
    return pairs.group_by("customer", "week", "joins", "tenure").agg(**sums)


def _weeks(
    moved: ir.Table, joined: ir.Table, weeks: tuple[int, int], horizon_days: int, length: int, share: float
) -> ir.Table:
    """Customers and the weeks in which they are looked at: customer, week, joins, tenure."""
    bought = moved.filter(moved.purchase)
    since = bought.group_by("customer").agg(since=bought.number.min())
    each = since.left_join(joined, "customer").drop("customer_right")
    # Who joins when the log is over has not joined.
    each = each.mutate(joined=each.joined.coalesce(length).cast("int64"))
    each = each.mutate(week=ibis.range(weeks[0], weeks[1] + 1).unnest()).mutate(week=lambda t: t.week.cast("int64"))
    start = WEEK * each.week
    joins = (each.joined >= start) & (each.joined < start + WEEK)
    mark = (each.customer.cast("string") + "|" + each.week.cast("string")).hexdigest("md5")
    drawn = mark.substr(0, 8) < f"{round(share * 16**8):08x}" if share < 1 else ibis.literal(True)
    other = drawn & (each.joined >= start + WEEK + horizon_days)
    each = each.mutate(joins=joins, tenure=start - each.since)
    return each.filter((joins | other) & (each.tenure >= PAST * horizon_days)).select(
        "customer", "week", "joins", "tenure"
    )


def _joined(tables: Tables) -> ir.Table:
    """Customer and the day of joining, one row each, of those who ever joined."""
    if tables.customers is None or "joined" not in tables.customers.columns:
        raise DataError(
            "customers.joined: the dataset does not say who joined when, so members cannot be held against others; "
            "name the column under [customers]"
        )
    told = tables.customers.filter(tables.customers.joined.notnull())
    return told.group_by("customer").agg(joined=told.joined.min())


def _numbers(joined: ir.Table, start: date) -> ir.Table:
    return joined.select("customer", joined=-days_until(start, joined.joined))
