"""One source of the purchase log as lines with the columns that the rest of the package knows."""

import ibis
import ibis.expr.types as ir

from ..schema import Contacts, Timed, Transactions
from .clock import has_clock, is_zoned
from .files import columns_named
from .values import finite, identifier

GIVEN = ("customer_as_given", "time_as_given", "amount_as_given")
"""Columns of the raw lines that hold what the source said, as text."""
LINE = "line_of_the_order"
"""Column with the number of a line that has no total of its own, from 1; 0 on any other line."""


def line_columns(
    raw: ir.Table, roles: Transactions, time: ir.TimestampColumn, counted_by: str | None
) -> dict[str, ir.Value]:
    """The columns of raw lines, those of `GIVEN` too.

    Parameters
    ----------
    raw : as opened.
    roles : what its columns are.
    time : in the clock of the store.
    counted_by : what tells the order numbers of this source from those of others; None where there are no others.
    """
    columns: dict[str, ir.Value] = {
        "customer": identifier(raw[roles.customer]),
        "time": time,
        "zoned": is_instant(raw, roles),
        "amount": finite(raw[roles.amount], roles),
    }
    if roles.quantity is not None:
        columns["amount"] = columns["amount"] * finite(raw[roles.quantity], roles)
    for role in ("product", "store", "category", "currency"):
        if (column := getattr(roles, role)) is not None:
            columns[role] = identifier(raw[column])
    for role in ("discount", "coupon"):
        if names := getattr(roles, role):
            off = sum((finite(raw[name], roles).abs().coalesce(0.0) for name in names), ibis.literal(0.0))
            # Who gives something back gives its discount back, too.
            columns[role] = (columns["amount"] < 0).ifelse(-off, off)
    columns["day"] = columns["time"].date()
    if roles.order is None:
        columns["order"] = columns["customer"] + "|" + columns["time"].cast("string")
    else:
        number = identifier(raw[roles.order])
        columns["order"] = number if counted_by is None else ibis.literal(f"{counted_by}:") + number
    if roles.total_on_first_line:
        columns[LINE] = raw[LINE]
    for given in GIVEN:
        columns[given] = raw[getattr(roles, given.removesuffix("_as_given"))].cast("string")
    return columns


def worth_nothing(lines: ir.Table) -> ir.BooleanValue:
    """Whether a line of the log is worth 0, and not because the total of its order stands on another line."""
    free = lines.amount == 0
    return free & (lines[LINE].coalesce(0) == 0) if LINE in lines.columns else free


def is_instant(raw: ir.Table, roles: Timed | Contacts) -> ir.BooleanValue:
    """Whether a time names its zone or is in UTC, so that it is read without the clock of the store."""
    column = raw[roles.time]
    zoned = is_zoned(column, roles.time_format)
    return zoned | ((roles.time_is == "utc") & has_clock(column, roles.time_format))


def with_totals_once(raw: ir.Table, roles: Transactions) -> ir.Table:
    """Lines of a source in which blanks say "as on the first line of this order".

    A blank amount is 0 where another line of the order has one; a blank customer, time or currency is what the order's
    other line says. Where no line of an order says it, it stays blank.

    Parameters
    ----------
    raw : as opened.
    roles : with `order`.

    Returns
    -------
    The same lines, with the column `LINE`: two lines without a total may be alike in all that is read, and still are
    two.
    """
    order = identifier(raw[str(roles.order)])
    of_order = ibis.window(group_by=order)

    def blank(column: str) -> ir.BooleanValue:
        return order.notnull() & identifier(raw[column]).isnull()

    def told(column: str) -> ir.Value:
        return raw[column].max(where=~blank(column)).over(of_order)

    names = [name for name in (roles.customer, roles.time, roles.currency) if name is not None]
    filled = {name: blank(name).ifelse(told(name), raw[name]) for name in names}
    further = blank(roles.amount) & told(roles.amount).notnull()
    zero = ibis.literal("0").cast(raw[roles.amount].type())
    whole = raw.mutate(**filled | {roles.amount: further.ifelse(zero, raw[roles.amount]), LINE: further})
    alike = ibis.window(
        group_by=[identifier(whole[str(roles.order)]), whole[LINE]],
        order_by=[whole[name] for name in dict.fromkeys(columns_named(roles).values())],
    )
    return whole.mutate(**{LINE: whole[LINE].ifelse(ibis.row_number().over(alike) + 1, 0)})
