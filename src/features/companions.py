"""Tables beside the log: which of their rows can be used, and whether their customers are those of the log.

Points in a date format that cannot be read, or contacts with customer numbers of another spelling, would give every
customer none: a feature of zeros, and no error. What is told concerns a whole table, whatever the as-of date: it says
how its columns are read.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis.expr.types as ir

from .findings import Found

COMPANIONS = ("contacts", "redemptions", "points", "customers")
"""Roles of tables that features are made of, beside the log."""

NOTEWORTHY = 0.01
"""Share of rows that cannot be used above which it is a warning."""

SAMPLE = 5
"""Rows shown of each finding."""

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


def event_findings(rows: ir.Table) -> list[Found]:
    """What is odd about the table of happenings.

    Parameters
    ----------
    rows : see `sources.log.Sources.event_rows`.
    """
    lost = rows.day.isnull() | rows.name.isnull()
    cut = ~lost & rows.until.isnull() & rows.until_as_given.notnull()
    shown = ("day", "day_as_given", "until", "until_as_given", "name")
    return [
        *_unusable("events", rows, lost, "lack a day that can be read or a name, and are left out", shown),
        *_unusable("events", rows, cut, "have a last day that cannot be read, and are marked on their first", shown),
    ]


def identity_findings(identities: ir.Table) -> list[Found]:
    """Whether an identity table is of two minds.

    Parameters
    ----------
    identities : see `sources.log.Sources.identities`.
    """
    lost = identities.id.isnull() | identities.key.isnull()
    found = _unusable("identity", identities, lost, "lack a number or a customer, and are left out")
    whole = identities.filter(~lost)
    each = whole.group_by(number="id", channel="channel").agg(customer=whole.key.min(), customers=whole.key.nunique())
    shared = each.filter(each.customers > 1)
    if number := count(shared):
        total = count(each)
        found.append(
            Found(
                name="shared_number",
                severity="warning" if number > NOTEWORTHY * total else "note",
                done="counted",
                detail=f"identity: {number:,} of {total:,} numbers stand for several customers; what was bought under "
                "one is counted for the customer whose key comes first",
                sample=first_rows(shared),
            )
        )
    return found


def _about(role: str, table: ir.Table, days: ir.Table) -> list[Found]:
    if role == "events":
        return event_findings(table)
    if role == "identity":
        return identity_findings(table)
    found = _unusable(role, table, ~_has_all(table), "lack a customer or a day that can be read, and are left out")
    people = usable(table).select("customer").distinct()
    known, everyone = count(people.semi_join(days, "customer")), count(people)
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


def _unusable(
    role: str, table: ir.Table, condition: ir.BooleanValue, what: str, shown: tuple[str, ...] = ()
) -> list[Found]:
    """Rows of which a condition is true, as a finding that shows some columns of a few of them."""
    rows = table.filter(condition)
    if not (lost := count(rows)):
        return []
    total = count(table)
    return [
        Found(
            name="unusable_rows",
            severity="warning" if lost > NOTEWORTHY * total else "note",
            done="counted",
            detail=f"{role}: {lost:,} of {total:,} rows {what}",
            sample=first_rows(rows.select(*shown)) if shown else [],
        )
    ]


def first_rows(table: ir.Table) -> list[dict[str, Any]]:
    """A few rows in total order, what is missing left out."""
    rows = table.order_by([table[name].asc(nulls_first=False) for name in table.columns]).limit(SAMPLE)
    return [
        {name: str(value) if isinstance(value, date) else value for name, value in row.items() if value is not None}
        for row in rows.to_pyarrow().to_pylist()
    ]


def count(table: ir.Table) -> int:
    """Rows of a table, counted by the engine."""
    number: int = table.count().to_pyarrow().as_py()
    return number


def _has_all(table: ir.Table) -> ir.BooleanValue:
    named = table.customer.notnull()
    return named & table.day.notnull() if "day" in table.columns else named
