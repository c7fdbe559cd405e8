"""The same period last year: what the customer did in the days that correspond to the coming ones."""

from datetime import timedelta

import ibis.expr.types as ir

from .columns import Column, DayBlock, Window
from .windows import in_last_days

YEAR = 365


def columns(window: Window) -> dict[str, Column]:
    """Columns of the block."""
    period = f"the {window.horizon_days} days (as many as the horizon) that begin {YEAR} days before the as-of date"
    needs = "transactions that reach back a year before the earliest date"
    return {
        "purchase_days_last_year": Column(
            "Purchase days in the same period last year", "count", f"purchase days in {period}", needs=needs
        ),
        "spend_last_year": Column(
            "Spend in the same period last year", "money", f"spend in {period}, less what was given back", needs=needs
        ),
    }


def sums(known: ir.Table, window: Window) -> dict[str, ir.Value]:
    """Days and money of the period; nothing where the log does not reach back so far."""
    if not window.reaches(YEAR):
        return {}
    end = window.as_of - timedelta(days=YEAR - window.horizon_days)
    inside = in_last_days(known.day, end, window.horizon_days)
    return {
        "purchase_days_last_year": (inside & known.purchase).sum(),
        "spend_last_year": inside.ifelse(known.spend, 0.0).sum(),
    }


def values(each: ir.Table, window: Window) -> dict[str, ir.Value]:
    """The sums."""
    return {name: each[name] for name in columns(window) if name in each.columns}


BLOCK = DayBlock("season", columns, sums, values)
