"""The table of a randomised experiment, opened with the columns that the rest of the package knows."""

from pathlib import Path
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from ..schema import ExperimentTable
from .files import columns_named, connect, open_table, require_columns
from .landing import land
from .values import finite, identifier, truth


class Opened(NamedTuple):
    """An experiment's table.

    Attributes
    ----------
    rows : customer and arm (text, null where the source has none), then one column for each outcome and history
        (float64, null where there is no number; yes is 1 and no is 0) and for each attribute (text), named
        `outcome_0`, `history_0`, `attribute_0` and so on in the order of the dataset file.
    fingerprint : of the contents, see `landing.Landed`.
    """

    rows: ir.Table
    fingerprint: str


def open_experiment(table: ExperimentTable, root: Path, folder: Path, where: str) -> Opened:
    """Open the table of an experiment.

    Parameters
    ----------
    table : the part of the dataset file that names it.
    root : folder that a relative path starts from.
    folder : where converted tables are kept.
    where : how to name the table in an error.

    Raises
    ------
    DataError
        If it cannot be read, or lacks a column.
    """
    landed = land(table, root, folder, where)
    raw = open_table(connect(), table, landed, where)
    require_columns(raw, columns_named(table), where)
    customer = ibis.null("string") if table.customer is None else identifier(raw[table.customer])
    columns: dict[str, ir.Value] = {"customer": customer, "arm": _arm(raw[table.arm])}
    columns |= {f"outcome_{at}": _amount(raw[name], table) for at, name in enumerate(table.outcomes)}
    columns |= {f"history_{at}": _amount(raw[name], table) for at, name in enumerate(table.history)}
    columns |= {f"attribute_{at}": identifier(raw[name]) for at, name in enumerate(table.attributes)}
    return Opened(raw.select(**columns), landed.fingerprint)


def _arm(column: ir.Column) -> ir.StringColumn:
    """What a customer was given, as text; `none` is an arm, and no gap."""
    text = column.cast("string").strip()
    return (text.lower() == "none").ifelse(text, identifier(column))


def _amount(column: ir.Column, table: ExperimentTable) -> ir.FloatingColumn:
    """Numbers; of a column with words in it, yes as 1 and no as 0."""
    if column.type().is_boolean():
        return column.cast("float64")
    number = finite(column, table)
    return number.coalesce(truth(column).cast("float64")) if column.type().is_string() else number
