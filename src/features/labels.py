"""What a prediction is held against: the days from the as-of date on."""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from .columns import Tables
from .histories import NOTHING, net_spend
from .windows import horizon, last_days

PARTIAL = 0.5
"""Share of the earlier spend below which a customer has partially defected."""


def active(days: ir.Table, as_of: date, active_within_days: int) -> ir.Table:
    """Customers with a purchase in the `active_within_days` before `as_of`, one row each."""
    return last_days(days, as_of, active_within_days).select("customer").distinct()


def spending(tables: Tables, as_of: date, horizon_days: int) -> ir.Table:
    """Everyone whose money moved in [as_of, as_of + horizon_days).

    Returns
    -------
    customer
    purchases : purchase days; 0 for who has only given something back
    orders : receipts on them
    spend : money, net of returns
    """
    later = horizon(net_spend(tables), as_of, horizon_days)
    return later.group_by("customer").agg(
        purchases=later.purchase.sum(), orders=later.orders.sum(), spend=later.spend.sum()
    )


def labels(
    tables: Tables, as_of: date, horizon_days: int, active_within_days: int, known_until: date | None = None
) -> ir.Table:
    """Outcome of each customer who was active at `as_of`.

    Parameters
    ----------
    tables : purchase days and returns.
    as_of : first day of the horizon.
    horizon_days, active_within_days : days.
    known_until : first day that the log does not cover any more; None if it covers the horizon. Silence in a horizon
        that is not over says nothing: every outcome is unknown, but that who has bought already has not churned.

    Returns
    -------
    customer
    purchases : purchase days in [as_of, as_of + horizon_days); null if the horizon is not over
    orders : receipts on them; null if the horizon is not over
    spend : money, net of returns; null if the horizon is not over
    churned : True if there was no purchase; null if there is none yet in a horizon that is not over
    partial_defection : whether spend is under half of that in the equally long period before; null if nothing was
        spent in that, or the horizon is not over
    """
    covered = horizon_days if known_until is None else max(min(horizon_days, (known_until - as_of).days), 0)
    before = spending(tables, as_of - timedelta(days=horizon_days), horizon_days).select("customer", before="spend")
    who = active(tables.days, as_of, active_within_days)
    joined = who.left_join(spending(tables, as_of, covered), "customer").drop("customer_right")
    joined = joined.left_join(before, "customer")
    bought = joined.purchases.coalesce(0)
    if covered < horizon_days:
        nothing = {"purchases": "int64", "orders": "int64", "spend": "float64"}
        return joined.select(
            "customer",
            **{name: ibis.null(kind) for name, kind in nothing.items()},
            churned=(bought > 0).ifelse(False, ibis.null("boolean")),
            partial_defection=ibis.null("boolean"),
        )
    spend = joined.spend.coalesce(0.0)
    return joined.select(
        "customer",
        purchases=bought,
        orders=joined.orders.coalesce(0),
        spend=spend,
        churned=bought == 0,
        partial_defection=(joined.before > NOTHING).ifelse(
            spend < PARTIAL * joined.before - NOTHING, ibis.null("boolean")
        ),
    )
