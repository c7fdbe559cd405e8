"""Which of a database's tables is the purchase log."""

from pathlib import Path
from typing import NamedTuple

from ...errors import DataError
from ...schema import Table
from ..databases import sample, table_names
from .evidence import REQUIRED
from .guesses import Guesses
from .roles import MARGIN, guess_roles
from .vocabulary import meaning

ROWS = 5_000
"""Rows of each table that are looked at."""
_SALES = {"order", "purchase", "amount", "line"}
_LISTED = 12
NAMED = 2 * MARGIN
"""What a name of sales adds: it decides between tables alike, not for one whose columns are worse."""


class Found(NamedTuple):
    """A table that may be the log.

    Attributes
    ----------
    name : as a dataset file gives it.
    score : how well its columns are a customer, a time and an amount, and its name is one of sales.
    columns : the likeliest customer, time and amount.
    """

    name: str
    score: float
    columns: tuple[str, ...]


def likely_tables(source: str, root: Path, where: str) -> list[Found]:
    """Tables that may be the log, the likeliest first; several only where none is clear.

    Parameters
    ----------
    source : a database as a dataset file names it.
    root : folder that a relative path starts from.
    where : how to name the table in an error.

    Raises
    ------
    DataError
        If the database cannot be reached, or none of its tables can be a log.
    """
    names = table_names(source, root, where)
    found = [table for name in names if (table := _judged(source, name, root, where)) is not None]
    if not found:
        shown = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
        raise DataError(
            f"{where}: none of its tables ({shown or 'it has none'}) has a customer, a time and an amount on every "
            "line; make a view that joins them, and name it with --table"
        )
    found.sort(key=lambda table: (-table.score, table.name))
    return [table for table in found if table.score > found[0].score - MARGIN]


def _judged(source: str, name: str, root: Path, where: str) -> Found | None:
    """A table as a log; None if it is none, or may not be read."""
    try:
        guesses = guess_roles(sample(Table(source=source, table=name), root, where, ROWS), where)
    except DataError:
        return None
    best = {role: guesses.roles[role].candidates[0].score for role in REQUIRED}
    named = NAMED if meaning(name).concepts & _SALES else 0.0
    return Found(name, sum(best.values()) / len(best) + named, _columns(guesses))


def _columns(guesses: Guesses) -> tuple[str, ...]:
    return tuple(str(guesses.column(role)) for role in REQUIRED)
