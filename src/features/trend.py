"""Is the customer buying more or less than before?"""

from datetime import timedelta

import ibis.expr.types as ir

from .columns import Column, Tables, Window
from .windows import before, in_last_days


def columns(lengths: tuple[int, ...]) -> dict[str, Column]:
    """Columns of `trend` for the given windows."""
    named = {
        "last_against_mean": Column("Last purchase day over own mean", "ratio", "all purchases were worth nothing")
    }
    for length in _halves(lengths):
        named[f"spend_trend_{length}"] = Column(
            f"Share of the last {2 * length} days' spend that fell in the last {length}", "share", "no spend in them"
        )
    return named


def trend(tables: Tables, window: Window) -> ir.Table:
    """Direction of spend of every customer who bought before `window.as_of`."""
    known = before(tables.days, window.as_of)
    measures = {"last_against_mean": known.spend.argmax(known.day) / known.spend.mean().nullif(0)}
    for length in _halves(window.lengths):
        newer = in_last_days(known.day, window.as_of, length).ifelse(known.spend, 0.0).sum()
        older = in_last_days(known.day, window.as_of - timedelta(days=length), length).ifelse(known.spend, 0.0).sum()
        measures[f"spend_trend_{length}"] = newer / (newer + older).nullif(0)
    return known.group_by("customer").agg(**measures)


def _halves(lengths: tuple[int, ...]) -> tuple[int, ...]:
    """Windows whose double is still filled by the data."""
    return tuple(length for length in lengths if length >= 30 and 2 * length <= max(lengths))
