"""Tables beside the log: which of their rows can be used, and whether their customers are those of the log.

Points in a date format that cannot be read, or contacts with customer numbers of another spelling, would give every
customer none: a feature of zeros, and no error.
"""

from collections.abc import Mapping

import ibis.expr.types as ir

from .findings import Found

COMPANIONS = ("contacts", "redemptions", "points", "customers")
"""Roles of tables that features are made of, beside the log."""

NOTEWORTHY = 0.01
"""Share of rows that cannot be used above which it is a warning."""

FEW_KNOWN = 0.5
"""Share of a table's customers that the log knows below which it is a warning."""


def usable(table: ir.Table) -> ir.Table:
    """The rows that have a customer and, in a table of what happened, a day."""
    return table.filter(_has_all(table))


def companion_findings(tables: Mapping[str, ir.Table], days: ir.Table) -> list[Found]:
    """What is odd about the tables beside the log.

    Parameters
    ----------
    tables : role → table, the rows that cannot be used too.
    days : purchase days.
    """
    return [found for role, table in tables.items() for found in _about(role, table, days)]


def _about(role: str, table: ir.Table, days: ir.Table) -> list[Found]:
    counted = table.agg(rows=table.count(), used=_has_all(table).sum()).to_pyarrow().to_pylist()[0]
    rows, lost = counted["rows"], counted["rows"] - (counted["used"] or 0)
    found = []
    if lost:
        found.append(
            Found(
                name="unusable_rows",
                severity="warning" if lost > NOTEWORTHY * rows else "note",
                done="counted",
                detail=f"{role}: {lost:,} of {rows:,} rows lack a customer or a day that can be read, and are left out",
            )
        )
    people = usable(table).select("customer").distinct()
    known = people.semi_join(days, "customer").count().to_pyarrow().as_py()
    everyone = people.count().to_pyarrow().as_py()
    if known < FEW_KNOWN * everyone:
        found.append(
            Found(
                name="strangers",
                severity="warning",
                done="counted",
                detail=f"{role}: the log knows {known:,} of its {everyone:,} customers",
            )
        )
    return found


def _has_all(table: ir.Table) -> ir.BooleanValue:
    named = table.customer.notnull()
    return named & table.day.notnull() if "day" in table.columns else named
