"""What a prediction is held against: the days from the as-of date on."""

from datetime import date

import ibis.expr.types as ir

from .windows import horizon, last_days


def active(days: ir.Table, as_of: date, active_within_days: int) -> ir.Table:
    """Customers with a purchase in the `active_within_days` before `as_of`, one row each."""
    return last_days(days, as_of, active_within_days).select("customer").distinct()


def spending(days: ir.Table, as_of: date, horizon_days: int) -> ir.Table:
    """Everyone who bought in [as_of, as_of + horizon_days): customer, purchases (purchase days), spend (money)."""
    later = horizon(days, as_of, horizon_days)
    return later.group_by("customer").agg(purchases=later.count(), spend=later.spend.sum())


def labels(days: ir.Table, as_of: date, horizon_days: int, active_within_days: int) -> ir.Table:
    """Outcome of each customer who was active at `as_of`.

    The caller sees to it that the log covers the horizon; this cannot tell silence from missing days.

    Returns
    -------
    customer
    purchases : purchase days in [as_of, as_of + horizon_days)
    spend : money spent in them
    churned : True if there were none
    """
    bought = spending(days, as_of, horizon_days)
    joined = active(days, as_of, active_within_days).left_join(bought, "customer")
    purchases = joined.purchases.coalesce(0)
    return joined.select("customer", purchases=purchases, spend=joined.spend.coalesce(0.0), churned=purchases == 0)
