"""A part of the customers, the same on every engine and in every run."""

from collections.abc import Callable

import ibis.expr.types as ir

from .columns import Tables


def last_mark(customers: ir.Table, most: int) -> str | None:
    """Where to cut so that at most `most` customers stay; None if all may.

    Customers are in the order of a hash of their ids, which has nothing to do with what they buy. Another table cut
    at the same mark keeps the same customers.

    Parameters
    ----------
    customers : customer, one row each.
    most : at least 1.
    """
    marked = customers.select(mark=_mark(customers))
    if marked.count().to_pyarrow().as_py() <= most:
        return None
    first = marked.order_by("mark").limit(most)
    return str(first.agg(last=first.mark.max()).to_pyarrow().to_pylist()[0]["last"])


def up_to(table: ir.Table, mark: str | None) -> ir.Table:
    """Rows of the customers up to a mark of `last_mark`."""
    return table if mark is None else table.filter(_mark(table) <= mark)


def tables_up_to(tables: Tables, mark: str | None) -> Tables:
    """All tables for the customers up to a mark alone."""
    return _each(tables, lambda table: up_to(table, mark))


def tables_of(tables: Tables, customers: ir.Table) -> Tables:
    """All tables for some customers alone."""
    return _each(tables, lambda table: table.semi_join(customers, "customer"))


def _each(tables: Tables, cut: Callable[[ir.Table], ir.Table]) -> Tables:
    found = {name: cut(table) for name, table in tables._asdict().items() if isinstance(table, ir.Table)}
    return tables._replace(**found)


def _mark(table: ir.Table) -> ir.StringColumn:
    return table.customer.hexdigest("md5")
