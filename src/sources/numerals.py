"""How people write numbers as text."""

import re
import sys
import unicodedata

import ibis
import ibis.expr.types as ir

from ..schema import Table

CURRENCY = "".join(map(chr, filter(lambda code: unicodedata.category(chr(code)) == "Sc", range(0x10000))))


def number(column: ir.Column, table: Table) -> ir.FloatingValue:
    """A column as numbers; null where a value is none, is not finite, or is not written as the dataset file says.

    Text may have blanks and a currency sign around it, and a minus before, after (`12.50-`) or as brackets (`(12.50)`).
    The sign between thousands must stand before groups of three (or two, as in India): with `thousands = "."` the text
    `12.5` is no number.

    Parameters
    ----------
    column : of any type.
    table : whose `decimal` and `thousands` say how its text writes numbers.
    """
    if column.type().is_numeric() or column.type().is_boolean():
        return _finite(column.cast("float64"))
    point = re.escape(table.decimal)
    digits = r"[0-9]+"
    if table.thousands is not None and table.thousands != table.decimal:
        # People write many blanks and two apostrophes.
        sign = {" ": "[ \u00a0\u2009\u202f]", "'": "['’]"}.get(table.thousands, re.escape(table.thousands))
        digits = rf"(?:[0-9]{{1,3}}(?:{sign}[0-9]{{2,3}})*{sign}[0-9]{{3}}|[0-9]+)"
    size = rf"(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?"
    around = f"[\\s\u00a0\u2009\u202f{CURRENCY}]*"
    minus = "[-−]"
    text = column.cast("string")
    # Nearly all are plain; the others take several times as long.
    plain = text.re_search(rf"^-?[0-9]+(?:{point}[0-9]+)?$")
    good = text.re_search(
        rf"^{around}(?:(?:[+]|{minus})?{around}{size}|{size}{around}{minus}|\({around}{size}{around}\)){around}$"
    )
    negative = text.re_search(rf"^{around}(?:{minus}|\()|{minus}{around}$")
    bare = text.re_extract(size, 0).re_replace(rf"[^0-9eE+{point}-]", "")
    written = ibis.cases((plain, text), (good, negative.ifelse("-", "") + bare), else_=ibis.null("string"))
    return _finite(written.replace(table.decimal, ".").try_cast("float64"))


def _finite(value: ir.FloatingValue) -> ir.FloatingValue:
    # Both engines hold NaN for greater than any number; Spark reads 1e999 as infinity, DuckDB as null.
    return (value.abs() <= sys.float_info.max).ifelse(value, ibis.null("float64"))
