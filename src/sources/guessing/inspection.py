"""A purchase log that no dataset file describes yet: found, sampled, and described."""

import glob
import os
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple, TypeVar

import duckdb
import ibis.expr.types as ir
import pandas as pd
from pydantic import ValidationError

from ...errors import DataError, SettingsError
from ...schema import Table, Transactions
from .. import databases
from ..databases import is_database, kind_of_file
from ..encoding import find_encoding
from ..experiment import open_experiment
from ..files import FORMATS, PACKED, cannot_read, connect, format_of, locate, open_table
from ..landing import land
from ..text import find_dialect
from .draft import Draft
from .evidence import REQUIRED
from .experiment import ExperimentGuess, guess_experiment
from .experiment_draft import ExperimentDraft, table_of
from .guesses import Guesses
from .heading import row_in_sheet, row_in_text
from .rhythm import day_and_month, rhythm, study_of
from .roles import guess_roles
from .writing import NumberStyle

T = TypeVar("T")
SAMPLE = 50_000
"""Rows that the guess is made from."""


class Seen(NamedTuple):
    """A log that was looked at.

    Attributes
    ----------
    rows : gives all of them, in the engine, with at least the columns of the roles that it is told.
    table : where they are and how they are written.
    guesses : of the columns.
    time_formats : two where day and month could change places; none where the reader needs none.
    """

    rows: Callable[[Transactions], ir.Table]
    table: Table
    guesses: Guesses
    time_formats: tuple[str, ...]


class SeenExperiment(NamedTuple):
    """A randomised experiment that was looked at.

    Attributes
    ----------
    table : where its rows are and how they are written.
    guess : of the columns.
    """

    table: Table
    guess: ExperimentGuess


def source_of(path: str, root: Path) -> str:
    """A path as a dataset file names it: below the project's folder where it lies there, otherwise in full.

    Parameters
    ----------
    path : a file, a folder with files of one format, a glob, `package:NAME/PATH`, or a database as a dataset file names
        it; relative to the working directory. A file that is a database is told by its first bytes.
    root : the project's folder.

    Raises
    ------
    SettingsError
        If nothing is there, or it is a folder with none or several formats, or an address of another kind.
    """
    if path.startswith("package:"):
        return path
    if "://" in path:
        return _address(path)
    kind, _, inner = path.partition(":") if is_database(path) else ("", "", path)
    whole = Path(os.path.realpath(Path(inner).expanduser()))
    if whole.is_dir():
        whole = Path(glob.escape(str(whole))) / f"*{_ending_of_all(whole, path)}"
    elif not whole.is_file() and (kind or not glob.glob(str(whole), recursive=True)):
        raise SettingsError(f"{path}: there is no such file; expected a file, a folder of files, or a glob in quotes")
    if not kind and whole.is_file():
        kind = kind_of_file(whole) or ""
    home = Path(os.path.realpath(root))
    named = whole.relative_to(home).as_posix() if whole.is_relative_to(home) else str(whole)
    return f"{kind}:{named}" if kind else named


def _address(path: str) -> str:
    """The address of a database on a server."""
    scheme = path.partition("://")[0]  # the rest may hold a password
    if not is_database(path):
        raise SettingsError(f"{scheme}://…: expected postgres://user@host:port/database, sqlite:PATH or duckdb:PATH")
    try:
        return Table(source=path).source
    except ValidationError as error:
        told = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise SettingsError(f"{scheme}://…: expected {told}") from None


def _ending_of_all(folder: Path, path: str) -> str:
    """What the names of the tables in a folder end with."""
    endings = sorted({ending for file in folder.iterdir() if file.is_file() and (ending := _ending(file))})
    if len(endings) != 1:
        found = f"files ending in {', '.join(endings)}: name one kind, as {path}/*{endings[0]}" if endings else "none"
        raise SettingsError(f"{path}: expected files of one format in this folder, found {found}")
    return endings[0]


def _ending(file: Path) -> str:
    """The end of a table's name, such as `.csv.gz`; empty for other files."""
    inner = file.with_suffix("") if file.suffix in PACKED else file
    known = inner.suffix.lower() in FORMATS and not file.name.startswith(".")
    return f"{inner.suffix}{file.suffix if inner != file else ''}" if known else ""


def look(source: str, root: Path, folder: Path, where: str, name: str | None = None) -> Seen | SeenExperiment:
    """Read a sample of a log, or of an experiment, and guess what its columns are.

    Parameters
    ----------
    source : as a dataset file names it.
    root : the project's folder.
    folder : where a table is kept that has to be converted.
    where : how to name the table in an error.
    name : of the table, in a database.

    Raises
    ------
    DataError
        If it cannot be read, or is neither a purchase log nor an experiment.
    """
    if is_database(source):
        table = Table(source=source, table=name)
        rows = _rows_of_database(root, folder, where)
        sample = databases.sample(table, root, where, SAMPLE)
    else:
        table = _with_dialect(Table(source=source), root, where)
        rows, sample = _rows_of_files(table, root, folder, where)
    if len(sample) and (experiment := guess_experiment(sample)) is not None:
        return SeenExperiment(_with_numbers(table, experiment), experiment)
    guesses = guess_roles(sample, where)
    amount, reading = guesses.column("amount"), guesses.reading()
    style = guesses.profiles[amount].reading if amount else None
    table = table.model_copy(update=(style.style if style else NumberStyle())._asdict())
    formats = tuple(way for way in reading.formats if way is not None) if reading else ()
    if len(formats) > 1:
        roles = _roles(table, guesses, formats)
        formats = day_and_month(rows(roles)[roles.time], formats)
    return Seen(rows, table, guesses, formats)


def _with_numbers(table: Table, guess: ExperimentGuess) -> Table:
    """The table with how its numbers are written: as in the first column in which that can be seen."""
    roles = guess.guesses.roles
    columns = [name for role in ("outcomes", "history") if role in roles for name in roles[role].chosen]
    read = [reading.style for name in columns if (reading := guess.guesses.profiles[name].reading) is not None]
    style = next((style for style in read if style != NumberStyle()), NumberStyle())
    return table.model_copy(update=style._asdict())


def _rows_of_files(
    table: Table, root: Path, folder: Path, where: str
) -> tuple[Callable[[Transactions], ir.Table], pd.DataFrame]:
    """All rows, and the first of them."""
    landed = land(table, root, folder, where)
    rows = open_table(connect(), table, landed, where)
    try:
        return lambda _: rows, rows.limit(SAMPLE).to_pandas()
    except duckdb.Error as error:
        raise cannot_read(landed.files, landed.format, error, where) from None


def _rows_of_database(root: Path, folder: Path, where: str) -> Callable[[Transactions], ir.Table]:
    """All rows of a table with no more than the columns that are asked for: they are brought over."""

    def rows(roles: Transactions) -> ir.Table:
        return open_table(connect(), roles, land(roles, root, folder, where), where)

    return rows


def _roles(table: Table, guesses: Guesses, time_formats: tuple[str, ...]) -> Transactions:
    """The roles that a log must have; where one is undecided, its best candidate."""
    columns = {role: guesses.column(role) for role in REQUIRED}
    time_format = time_formats[0] if time_formats else None
    return Transactions.model_validate({**table.model_dump(), **columns, "time_format": time_format})


def _with_dialect(table: Table, root: Path, where: str) -> Table:
    """The table with what its files say of themselves, where all of them say the same.

    That is the encoding and the delimiter of text files, and the row of the heading where something stands above it.
    """
    files = locate(table, root, where)
    kind = format_of(table, files, where)
    try:
        if kind == "excel":
            return table.model_copy(update={"header_row": _only(map(row_in_sheet, files))})
        if kind != "csv":
            return table
        encodings = {file: find_encoding(file) for file in files}
        header_row = _only(row_in_text(file, encoding) for file, encoding in encodings.items())
        dialects = [find_dialect(file, encoding, None, header_row) for file, encoding in encodings.items()]
    except (ValueError, OSError, EOFError):
        return table  # whoever reads the file says what is wrong with it
    delimiter = _only(dialect.delimiter for dialect in dialects)
    return table.model_copy(
        update={"encoding": _only(encodings.values()), "delimiter": delimiter, "header_row": header_row}
    )


def _only(values: Iterable[T]) -> T | None:
    """The value that all are; None if they are not one."""
    first, *others = set(values)
    return None if others else first


def describe(seen: Seen, title: str, path: str, today: date) -> Draft:
    """All that goes into the dataset file of a log.

    Parameters
    ----------
    seen : the log; where a role is undecided, its best candidate is measured.
    title : of the reports.
    path : what the person called the source.
    today : the last day that a line may be of.

    Raises
    ------
    DataError
        If the engine cannot read the log to its end.
    """
    roles = _roles(seen.table, seen.guesses, seen.time_formats)
    try:
        measured = rhythm(seen.rows(roles), roles, today)
    except duckdb.Error as error:
        raise DataError(f"{path}: cannot be read to its end: {str(error).splitlines()[0]}") from None
    return Draft(title, path, seen.table, seen.guesses, seen.time_formats, measured, study_of(measured))


def describe_experiment(
    seen: SeenExperiment, title: str, path: str, root: Path, folder: Path, where: str
) -> ExperimentDraft:
    """All that goes into the dataset file of an experiment.

    Parameters
    ----------
    seen : the experiment.
    title : of the reports.
    path : what the person called the source.
    root, folder, where : as in `look`.

    Raises
    ------
    DataError
        If the engine cannot read it to its end.
    """
    arm = open_experiment(table_of(seen.table, seen.guess), root, folder, where).rows.arm
    try:
        counted = arm.name("arm").as_table().group_by("arm").agg(rows=lambda table: table.count()).to_pandas()
    except duckdb.Error as error:
        raise DataError(f"{path}: cannot be read to its end: {str(error).splitlines()[0]}") from None
    sizes = counted.dropna().sort_values(["rows", "arm"], ascending=[False, True]).set_index("arm")["rows"]
    return ExperimentDraft(title, path, seen.table, seen.guess, sizes)
