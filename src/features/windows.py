"""The only place that filters by time.

A date is the first instant of its day. `as_of` itself is not known yet: features see days before it, labels
see days from it on. Ages are whole days.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir


def before(table: ir.Table, as_of: date) -> ir.Table:
    """Rows of days strictly before `as_of`: all that a feature may see."""
    return table.filter(is_before(table.day, as_of))


def is_before(day: ir.DateColumn, as_of: date) -> ir.BooleanColumn:
    """Whether a day is known at `as_of`."""
    return day < ibis.literal(as_of)


def before_or_undated(table: ir.Table, as_of: date) -> ir.Table:
    """Rows of `before`, and those without a day: only for counting what is wrong with a log."""
    return table.filter(is_before(table.day, as_of) | table.day.isnull())


def last_days(table: ir.Table, as_of: date, days: int) -> ir.Table:
    """Rows of the `days` days before `as_of`, that is of [as_of - days, as_of)."""
    return table.filter(in_last_days(table.day, as_of, days))


def in_last_days(day: ir.DateColumn, as_of: date, days: int) -> ir.BooleanColumn:
    """Whether a day lies in [as_of - days, as_of)."""
    return (day >= ibis.literal(as_of - timedelta(days=days))) & (day < ibis.literal(as_of))


def horizon(table: ir.Table, as_of: date, horizon_days: int) -> ir.Table:
    """Rows of [as_of, as_of + horizon_days): all that a label may see."""
    return last_days(table, as_of + timedelta(days=horizon_days), horizon_days)


def days_until(as_of: date, day: ir.DateValue) -> ir.IntegerValue:
    """Days from `day` to `as_of`."""
    return ibis.literal(as_of).delta(day, unit="day")


def in_days_before(day: ir.DateColumn, other: ir.DateColumn, days: int) -> ir.BooleanColumn:
    """Whether a day is one of the `days` days before another."""
    ahead = other.delta(day, unit="day")
    return (ahead >= 1) & (ahead <= days)
