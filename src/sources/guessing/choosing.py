"""Which of a database's tables is the purchase log or, where there is none, a randomised experiment."""

from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from ...errors import DataError
from ...schema import Table
from ..databases import sample, table_names
from .evidence import REQUIRED
from .experiment import ROLES, guess_experiment
from .roles import MARGIN, guess_roles
from .vocabulary import meaning

ROWS = 5_000
"""Rows of each table that are looked at."""
_SALES = {"order", "purchase", "amount", "line"}
_LISTED = 12
_TOLD = 2
NAMED = 2 * MARGIN
"""What a name of sales adds: it decides between tables alike, not for one whose columns are worse."""


class Found(NamedTuple):
    """A table that may be the log, or an experiment.

    Attributes
    ----------
    name : as a dataset file gives it.
    score : how well its columns are a customer, a time and an amount, and its name is one of sales; of an experiment,
        how well one says who was given what.
    columns : the likeliest customer, time and amount; of an experiment its customer, arm and outcomes.
    kind : which of the two.
    """

    name: str
    score: float
    columns: tuple[str, ...]
    kind: Literal["purchase log", "experiment"]


def likely_tables(source: str, root: Path, where: str) -> list[Found]:
    """Tables that may be the log or, if none can, an experiment, the likeliest first; several where none is clear.

    Parameters
    ----------
    source : a database as a dataset file names it.
    root : folder that a relative path starts from.
    where : how to name the table in an error.

    Raises
    ------
    DataError
        If the database cannot be reached, or none of its tables can be either.
    """
    names = table_names(source, root, where)
    rows = {name: sampled for name in names if (sampled := _rows(source, name, root, where)) is not None}
    found = [table for name, sampled in rows.items() if (table := _as_log(name, sampled, where)) is not None]
    if not found:
        found = [table for name, sampled in rows.items() if (table := _as_experiment(name, sampled)) is not None]
    if not found:
        shown = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
        raise DataError(
            f"{where}: none of its tables ({shown or 'it has none'}) has a customer, a time and an amount on every "
            "line, as a purchase log, or what each customer was given and what came after, as an experiment; make a "
            "view that joins them, and name it with --table"
        )
    found.sort(key=lambda table: (-table.score, table.name))
    return [table for table in found if table.score > found[0].score - MARGIN]


def _rows(source: str, name: str, root: Path, where: str) -> pd.DataFrame | None:
    """The first rows of a table; None if it may not be read."""
    try:
        return sample(Table(source=source, table=name), root, where, ROWS)
    except DataError:
        return None


def _as_log(name: str, rows: pd.DataFrame, where: str) -> Found | None:
    """A table as a log; None if it is none."""
    try:
        guesses = guess_roles(rows, where)
    except DataError:
        return None
    best = {role: guesses.roles[role].candidates[0].score for role in REQUIRED}
    named = NAMED if meaning(name).concepts & _SALES else 0.0
    columns = tuple(str(guesses.column(role)) for role in REQUIRED)
    return Found(name, sum(best.values()) / len(best) + named, columns, "purchase log")


def _as_experiment(name: str, rows: pd.DataFrame) -> Found | None:
    """A table as an experiment; None if it is none."""
    guess = guess_experiment(rows) if len(rows) else None
    if guess is None:
        return None
    roles = guess.guesses.roles
    columns = (candidate.column for role in ROLES[:3] if role in roles for candidate in roles[role].candidates[:_TOLD])
    return Found(name, roles["arm"].candidates[0].score, tuple(columns), "experiment")
