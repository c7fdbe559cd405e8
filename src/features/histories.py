"""From lines to purchase days and from purchase days to histories.

A purchase day is one customer's purchases of one calendar day, the unit in which buy-till-you-die models
count. A day whose lines add up to less than zero is a return, not a purchase. A day worth exactly zero stays:
the published CDNOW figures count it.
"""

from datetime import date

import ibis.expr.types as ir

from .windows import before, days_until


def purchase_days(lines: ir.Table) -> ir.Table:
    """One row a customer and day.

    Parameters
    ----------
    lines : customer, day, order, amount, and optionally discount, coupon, category, store.

    Returns
    -------
    customer, day, spend (money, net), lines, orders, and where the lines have them discount, coupon (money),
    categories, stores (how many different ones). Only days with spend ≥ 0.
    """
    measures = {"spend": lines.amount.sum(), "lines": lines.count(), "orders": lines.order.nunique()}
    for money in ("discount", "coupon"):
        if money in lines.columns:
            measures[money] = lines[money].sum()
    for kind, plural in (("category", "categories"), ("store", "stores")):
        if kind in lines.columns:
            measures[plural] = lines[kind].nunique()
    days = lines.group_by("customer", "day").agg(**measures)
    # Sums of cents in binary floats miss zero by less than a hundredth of a cent.
    return days.filter(days.spend > -1e-6)


def histories(days: ir.Table, as_of: date) -> ir.Table:
    """One row a customer who bought before `as_of`.

    Parameters
    ----------
    days : purchase days.
    as_of : first day that is not known.

    Returns
    -------
    customer
    frequency : number of repeat purchase days (x)
    recency : days from the first to the last purchase (t_x); 0 without a repeat
    T : days from the first purchase to `as_of`
    monetary_value : mean spend of a repeat purchase day, money; null without a repeat
    """
    known = before(days, as_of)
    spans = known.group_by("customer").agg(
        purchase_days=known.count(),
        first_day=known.day.min(),
        last_day=known.day.max(),
        spend=known.spend.sum(),
        first_spend=known.spend.argmin(known.day),
    )
    repeats = spans.purchase_days - 1
    return spans.select(
        "customer",
        frequency=repeats,
        recency=spans.last_day.delta(spans.first_day, unit="day"),
        T=days_until(as_of, spans.first_day),
        monetary_value=(spans.spend - spans.first_spend) / repeats.nullif(0),
    )


def distinct(histories: ir.Table) -> ir.Table:
    """Different (frequency, recency, T), with how many customers share each as `weight`."""
    keys = ["frequency", "recency", "T"]
    return histories.group_by(keys).agg(weight=histories.count()).order_by(keys)
