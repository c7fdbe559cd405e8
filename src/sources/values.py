"""Values of a source as the types that the rest of the package counts on."""

import sys

import ibis
import ibis.expr.types as ir

from ..schema import Table
from .numerals import number

MISSING = ("", "nan", "nat", "none", "null", "<na>")
LARGEST_WHOLE = 2.0**53
"""Above it a number with a fraction cannot tell neighbours apart."""

TRUE = ("1", "1.0", "true", "t", "yes", "y", "granted", "opt-in", "ja", "oui", "sí", "si", "sim", "是", "同意")
FALSE = ("0", "0.0", "false", "f", "no", "n", "withdrawn", "opt-out", "nein", "non", "não", "nao", "否", "不同意")


def identifier(column: ir.Column) -> ir.StringColumn:
    """An identifier as text, the same from whichever table it comes; null where it is empty or says that it is missing.

    Other tools write identifiers with gaps as numbers with a fraction: 12.0 is customer 12.
    """
    if column.type().is_floating():
        value = column.isnan().ifelse(ibis.null("float64"), column.cast("float64"))
        whole = (value == value.floor()) & (value.abs() < LARGEST_WHOLE)
        number = whole.ifelse(value, 0.0).floor().cast("int64").cast("string")
        return whole.ifelse(number, value.cast("string"))
    text = column.cast("string").strip()
    if column.type().is_integer():
        return text
    text = text.re_search(r"^\d+\.0+$").ifelse(text.re_extract(r"^(\d+)", 1), text)
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
