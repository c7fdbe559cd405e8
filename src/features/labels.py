"""Who can leave, and what a prediction is held against: the days from the as-of date on."""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from .columns import Tables
from .histories import NOTHING, net_spend
from .windows import before, horizon, is_before, last_days

NO_PURCHASE, PARTIAL_DEFECTION, CONTRACT_END = "no purchase", "partial defection", "contract end"
"""What leaving may mean, see `labels`."""

PARTIAL = 0.5
"""Share of the earlier spend below which a customer has partially defected."""


def active(days: ir.Table, as_of: date, active_within_days: int) -> ir.Table:
    """Customers with a purchase in the `active_within_days` before `as_of`, one row each."""
    return last_days(days, as_of, active_within_days).select("customer").distinct()


def at_risk(
    tables: Tables, as_of: date, horizon_days: int, active_within_days: int, churn: str = NO_PURCHASE
) -> ir.Table:
    """Customers who can leave after `as_of`, by what leaving means; one row each, with `customer` alone.

    They are those active at the date; of partial defection, those of them who spent anything in the `horizon_days`
    before, for nothing cannot be halved; of contract end, those with a contract that runs and a purchase before.
    """
    if churn == CONTRACT_END:
        begun = contracts(tables, as_of)
        running = begun.filter(~is_before(begun.last_day, as_of))
        return before(tables.days, as_of).select("customer").distinct().semi_join(running, "customer")
    there = active(tables.days, as_of, active_within_days)
    if churn == NO_PURCHASE:
        return there
    spent = _spent_before(tables, as_of, horizon_days)
    return there.semi_join(spent.filter(spent.before > NOTHING), "customer")


def contracts(tables: Tables, day: date) -> ir.Table:
    """Contracts begun before a day: customer, last_day (of the customer's last one).

    A row of the customers' table is a contract that begins on `joined`, or always was where that is not known.
    """
    if (told := tables.customers) is None:
        raise ValueError("no table tells of contracts")
    if "joined" in told.columns:
        told = told.filter(told.joined.isnull() | is_before(told.joined, day))
    told = told.filter(told.contract_end.notnull())
    return told.group_by("customer").agg(last_day=told.contract_end.max())


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


def _spent_before(tables: Tables, as_of: date, horizon_days: int) -> ir.Table:
    """Money of the days before a date that are as many as the horizon: customer, before."""
    spent = spending(tables, as_of - timedelta(days=horizon_days), horizon_days)
    return spent.select("customer", before="spend")


def labels(
    tables: Tables,
    as_of: date,
    horizon_days: int,
    active_within_days: int,
    known_until: date | None = None,
    churn: str = NO_PURCHASE,
) -> ir.Table:
    """Outcome of each customer who could leave at `as_of`, see `at_risk`.

    Parameters
    ----------
    tables : purchase days and returns; of contract end, customers with contract_end.
    as_of : first day of the horizon.
    horizon_days, active_within_days : days.
    known_until : first day that the log does not cover any more; None if it covers the horizon. Silence in a horizon
        that is not over says nothing: every outcome is unknown, but that who has bought already has not stayed away.
    churn : what leaving means: "no purchase", "partial defection" or "contract end".

    Returns
    -------
    customer
    purchases : purchase days in [as_of, as_of + horizon_days); null if the horizon is not over
    orders : receipts on them; null if the horizon is not over
    spend : money, net of returns; null if the horizon is not over
    churned : True who left. By no purchase, who bought nothing; null if there is no purchase yet in a horizon that is
        not over. By partial defection, as below. By contract end, whose last contract begun before the end of the
        horizon ends in it; null if the horizon is not over
    partial_defection : whether spend is under half of that in the equally long period before; null if nothing was
        spent in that, or the horizon is not over
    """
    covered = horizon_days if known_until is None else max(min(horizon_days, (known_until - as_of).days), 0)
    who = at_risk(tables, as_of, horizon_days, active_within_days, churn)
    joined = who.left_join(spending(tables, as_of, covered), "customer").drop("customer_right")
    if covered < horizon_days:
        return _not_over(joined, churn)
    joined = joined.left_join(_spent_before(tables, as_of, horizon_days), "customer").drop("customer_right")
    spend = joined.spend.coalesce(0.0)
    defected = (joined.before > NOTHING).ifelse(spend < PARTIAL * joined.before - NOTHING, ibis.null("boolean"))
    told = joined.select(
        "customer",
        purchases=joined.purchases.coalesce(0),
        orders=joined.orders.coalesce(0),
        spend=spend,
        churned=defected if churn == PARTIAL_DEFECTION else joined.purchases.coalesce(0) == 0,
        partial_defection=defected,
    )
    return told if churn != CONTRACT_END else _by_contract(told, tables, as_of + timedelta(days=horizon_days))


def _not_over(joined: ir.Table, churn: str) -> ir.Table:
    """Outcomes of a horizon that is not over."""
    unknown = ibis.null("boolean")
    bought = (joined.purchases.coalesce(0) > 0).ifelse(False, unknown)
    nothing = {"purchases": "int64", "orders": "int64", "spend": "float64"}
    return joined.select(
        "customer",
        **{name: ibis.null(kind) for name, kind in nothing.items()},
        churned=bought if churn == NO_PURCHASE else unknown,
        partial_defection=unknown,
    )


def _by_contract(told: ir.Table, tables: Tables, over: date) -> ir.Table:
    """Outcomes whose churned says that the last contract begun before a day ends before it."""
    joined = told.left_join(contracts(tables, over), "customer").drop("customer_right")
    return joined.mutate(churned=is_before(joined.last_day, over)).drop("last_day")
