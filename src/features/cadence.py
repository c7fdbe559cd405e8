"""The customer's own rhythm: gaps between purchase days, and how overdue the next one is."""

import ibis
import ibis.expr.types as ir

from .columns import Column, Tables, Window
from .windows import before, days_until

COLUMNS = {
    "gap_mean": Column("Mean days between purchases", "days", "no repeat purchase"),
    "gap_sd": Column("Spread of days between purchases", "days", "fewer than two gaps"),
    "gap_cv": Column("Irregularity of the rhythm", "ratio", "fewer than two gaps"),
    "gap_longest": Column("Longest silence so far", "days", "no repeat purchase"),
    "overdue": Column("Days since last purchase over own mean gap", "ratio", "no repeat purchase"),
    "longer_gaps_share": Column("Share of own gaps longer than the present one", "share", "no repeat purchase"),
}


def cadence(tables: Tables, window: Window) -> ir.Table:
    """Rhythm of every customer who bought before `window.as_of`."""
    known = before(tables.days, window.as_of)
    by_customer = ibis.window(group_by=known.customer, order_by=known.day)
    whole = ibis.window(group_by=known.customer)
    gaps = known.select(
        "customer",
        gap=known.day.delta(known.day.lag().over(by_customer), unit="day"),
        since=days_until(window.as_of, known.day.max().over(whole)),
    )
    each = gaps.group_by("customer").agg(
        gap_mean=gaps.gap.mean(),
        gap_sd=gaps.gap.std(how="sample"),
        gap_longest=gaps.gap.max(),
        since=gaps.since.max(),
        longer_gaps_share=(gaps.gap > gaps.since).cast("float64").mean(),
    )
    return each.select(
        "customer",
        "gap_mean",
        "gap_sd",
        "gap_longest",
        "longer_gaps_share",
        gap_cv=each.gap_sd / each.gap_mean,
        overdue=each.since / each.gap_mean,
    )
