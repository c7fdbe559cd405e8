"""From lines to purchase days and from purchase days to histories.

A purchase day is one customer's purchases of one calendar day, the unit in which buy-till-you-die models count.
A day counts as one only if its lines add up to more than zero. A day whose lines add up to less is a return: it
is no purchase, but lowers what the customer has spent, from its own day on.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from .columns import Column, DayBlock, Tables, Window
from .windows import before, days_until

NOTHING = 1e-6
"""Money that is none: sums of cents in binary floats miss zero by less than this."""


def purchase_days(lines: ir.Table, zero_counts: bool = False) -> ir.Table:
    """One row a customer and day with a purchase.

    Parameters
    ----------
    lines : customer, day, order, amount, and optionally time, discount, coupon.
    zero_counts : whether a day worth exactly nothing is a purchase, as in the published figures of CDNOW.

    Returns
    -------
    customer, day, spend (money, net), lines, orders (receipts on which something was paid for, so that one of a return
    or a gift alone is none; at least 1), returned (money given back that day, ≥ 0), and where the lines have them
    discount, coupon (money) and hour (of the first line, 0 to 23; null where the log knows only the date).
    """
    days = lines.group_by("customer", "day").agg(
        spend=lines.amount.sum(),
        lines=lines.count(),
        # A purchase without a receipt number is still one.
        orders=ibis.greatest(lines.order.nunique(where=lines.amount > 0), 1),
        returned=(-lines.amount).clip(lower=0.0).sum(),
        **{money: lines[money].sum() for money in ("discount", "coupon") if money in lines.columns},
        **({"time": lines.time.min()} if "time" in lines.columns else {}),
    )
    if "time" in days.columns:
        days = days.mutate(hour=_hour(days.time)).drop("time")
    return days.filter(days.spend > (-NOTHING if zero_counts else NOTHING))


def _hour(time: ir.TimestampValue) -> ir.IntegerValue:
    """Hour of a time; null at midnight sharp, which is how a date without a time looks."""
    hour = time.hour().cast("int64")
    return ((hour + time.minute() + time.second()) == 0).ifelse(ibis.null("int64"), hour)


def return_days(lines: ir.Table) -> ir.Table:
    """Days on which a customer gave back more than was bought: customer, day, spend (money, < 0), returned (> 0)."""
    suspect = lines.filter(lines.amount < 0).select("customer", "day").distinct()
    concerned = lines.semi_join(suspect, ["customer", "day"])
    days = concerned.group_by("customer", "day").agg(
        spend=concerned.amount.sum(), returned=(-concerned.amount).clip(lower=0.0).sum()
    )
    return days.filter(days.spend < -NOTHING)


def net_spend(tables: Tables) -> ir.Table:
    """All days on which money moved.

    Returns
    -------
    customer, day, spend (money, net), orders (0 on days of return), purchase (False on days of return)
    """
    bought = tables.days.select("customer", "day", "spend", "orders", purchase=ibis.literal(True))
    if tables.returns is None:
        return bought
    back = tables.returns.select(
        "customer", "day", "spend", orders=ibis.literal(0, "int64"), purchase=ibis.literal(False)
    )
    return bought.union(back)


def sums(known: ir.Table) -> dict[str, ir.Value]:
    """What blocks may build on, by customer, from rows of `net_spend`.

    Returns
    -------
    purchase_days : count.
    first_day, last_day : of the purchase days.
    spend : net of returns, money.
    paid : on purchase days alone, money.
    first_spend : on the first of them, money.
    """
    bought = known.purchase
    return {
        "purchase_days": bought.sum(),
        "first_day": known.day.min(where=bought),
        "last_day": known.day.max(where=bought),
        "spend": known.spend.sum(),
        "paid": known.spend.sum(where=bought),
        "first_spend": known.spend.argmin(known.day, where=bought),
    }


def with_late_returns(each: ir.Table, tables: Tables, as_of: date) -> ir.Table:
    """Sums by customer with late_returns: what was given back after the second purchase day, money, ≤ 0."""
    if tables.returns is None:
        return each.mutate(late_returns=ibis.literal(0.0))
    returns = before(tables.returns, as_of)
    bought = before(tables.days, as_of).select("customer", bought="day")
    pairs = returns.join(bought, "customer")
    pairs = pairs.filter(pairs.bought < pairs.day)
    placed = pairs.group_by("customer", "day").agg(purchases=pairs.count(), spend=pairs.spend.max())
    late = placed.filter(placed.purchases > 1).group_by("customer").agg(late_returns=placed.spend.sum())
    joined = each.left_join(late, "customer").drop("customer_right")
    return joined.mutate(late_returns=joined.late_returns.coalesce(0.0))


def columns(window: Window | None = None) -> dict[str, Column]:
    """Columns of `histories`."""
    return {
        "frequency": Column("Repeat purchase days", "count", "purchase days after the first (x)"),
        "recency": Column(
            "Days from first to last purchase",
            "days",
            "from the first purchase day to the last (t_x); 0 without a repeat",
        ),
        "T": Column("Days since first purchase", "days", "from the first purchase day to the as-of date"),
        "monetary_value": Column(
            "Spend per repeat purchase day",
            "money",
            "spend on repeat purchase days, less what was given back after the second purchase day, over their number; "
            "at least 0",
            "no repeat purchase",
        ),
    }


def values(each: ir.Table, window: Window) -> dict[str, ir.Value]:
    """The history of each customer, from `sums` with late returns."""
    repeats = each.purchase_days - 1
    return {
        "frequency": repeats,
        "recency": each.last_day.delta(each.first_day, unit="day"),
        "T": days_until(window.as_of, each.first_day),
        "monetary_value": (each.paid - each.first_spend + each.late_returns).clip(lower=0.0) / repeats.nullif(0),
    }


BLOCK = DayBlock("histories", columns, lambda known, window: {}, values)


def histories(tables: Tables, as_of: date) -> ir.Table:
    """One row a customer who bought before `as_of`.

    Parameters
    ----------
    tables : purchase days and returns.
    as_of : first day that is not known.

    Returns
    -------
    customer
    frequency : number of repeat purchase days (x)
    recency : days from the first to the last purchase (t_x); 0 without a repeat
    T : days from the first purchase to `as_of`
    monetary_value : mean spend of a repeat purchase day, money; null without a repeat. Returns after the second
        purchase day are taken off, down to zero; earlier ones concern the first purchase or none that is known.
    """
    known = before(net_spend(tables), as_of)
    each = known.group_by("customer").agg(**sums(known))
    each = with_late_returns(each.filter(each.purchase_days > 0), tables, as_of)
    return each.select("customer", **values(each, Window(as_of, ())))


def distinct(histories: ir.Table, **more: ir.Value) -> ir.Table:
    """Different (frequency, recency, T), with how many customers share each as `weight`, and more sums over them."""
    keys = ["frequency", "recency", "T"]
    return histories.group_by(keys).agg(weight=histories.count(), **more).order_by(keys)
