"""Values of a source as the types that the rest of the package counts on."""

import sys

import ibis
import ibis.expr.types as ir

from ..schema import Table
from .text import number

MISSING = ("", "nan", "nat", "none", "null", "<na>")
TRUE, FALSE = (
    ("1", "true", "t", "yes", "y", "granted", "opt-in"),
    ("0", "false", "f", "no", "n", "withdrawn", "opt-out"),
)


def identifier(column: ir.Column) -> ir.StringColumn:
    """An identifier as text, the same from whichever table it comes; null where it is empty or says that it is missing.

    Other tools write identifiers with gaps as numbers with a fraction: 12.0 is customer 12.
    """
    if column.type().is_floating():
        value = column.isnan().ifelse(ibis.null("float64"), column.cast("float64"))
        whole = value == value.floor()
        return whole.ifelse(value.floor().cast("int64").cast("string"), value.cast("string"))
    text = column.cast("string").strip()
    if column.type().is_integer():
        return text
    text = text.re_search(r"^\d+\.0$").ifelse(text.substr(0, text.length() - 2), text)
    return text.lower().isin(MISSING).ifelse(ibis.null("string"), text)


def finite(column: ir.Column, table: Table) -> ir.FloatingColumn:
    """A column as numbers, text written as `table` says; null where it holds none, NaN or infinity."""
    value = number(column, table) if column.type().is_string() else column.try_cast("float64")
    # Not every engine calls the infinity that it reads from text infinite.
    return (value.abs() <= sys.float_info.max).ifelse(value, ibis.null("float64"))


def truth(column: ir.Column) -> ir.BooleanColumn:
    """A column as yes or no; null where it says neither."""
    if column.type().is_boolean():
        return column
    text = column.cast("string").strip().lower()
    return ibis.cases((text.isin(TRUE), True), (text.isin(FALSE), False), else_=ibis.null("boolean"))
