"""A purchase log that no dataset file describes yet: found, sampled, and described."""

import glob
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import ibis.expr.types as ir

from ...errors import DataError, SettingsError
from ...schema import Table, Transactions
from ..databases import is_database
from ..files import FORMATS, PACKED, cannot_read, connect, format_of, locate, open_table
from ..landing import land
from ..text import find_dialect, find_encoding
from .draft import Draft
from .evidence import REQUIRED
from .guesses import Guesses
from .rhythm import day_and_month, rhythm, study_of
from .roles import guess_roles
from .writing import NumberStyle

SAMPLE = 50_000
"""Rows that the guess is made from."""


class Seen(NamedTuple):
    """A log that was looked at.

    Attributes
    ----------
    rows : all of them, in the engine.
    table : where they are and how they are written.
    guesses : of the columns.
    time_formats : two where day and month could change places; none where the reader needs none.
    """

    rows: ir.Table
    table: Table
    guesses: Guesses
    time_formats: tuple[str, ...]


def source_of(path: str, root: Path) -> str:
    """A path as a dataset file names it: below the project's folder where it lies there, otherwise in full.

    Parameters
    ----------
    path : a file, a folder with files of one format, a glob, or `package:NAME/PATH`; relative to the working directory.
    root : the project's folder.

    Raises
    ------
    SettingsError
        If nothing is there, or it is a folder with none or several formats, or a database.
    """
    if path.startswith("package:"):
        return path
    if is_database(path) or "://" in path:
        raise SettingsError(
            f"{path.partition(':')[0]}: loyalty init reads files; for a database write the dataset file yourself, with "
            "source, table and the columns"
        )
    whole = Path(os.path.realpath(Path(path).expanduser()))
    if whole.is_dir():
        whole = Path(glob.escape(str(whole))) / f"*{_ending_of_all(whole, path)}"
    elif not whole.is_file() and not glob.glob(str(whole), recursive=True):
        raise SettingsError(f"{path}: there is no such file; expected a file, a folder of files, or a glob in quotes")
    home = Path(os.path.realpath(root))
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else str(whole)


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


def look(source: str, root: Path, folder: Path, where: str) -> Seen:
    """Read a sample of a log and guess what its columns are.

    Parameters
    ----------
    source : as a dataset file names it.
    root : the project's folder.
    folder : where a table is kept that has to be converted.
    where : how to name the table in an error.

    Raises
    ------
    DataError
        If it cannot be read, or is no purchase log.
    """
    table = _with_dialect(Table(source=source), root, where)
    landed = land(table, root, folder, where)
    rows = open_table(connect(), table, landed, where)
    try:
        sample = rows.limit(SAMPLE).to_pandas()
    except duckdb.Error as error:
        raise cannot_read(landed.files, landed.format, error, where) from None
    guesses = guess_roles(sample, where)
    amount, reading = guesses.column("amount"), guesses.reading()
    style = guesses.profiles[amount].reading if amount else None
    table = table.model_copy(update=(style.style if style else NumberStyle())._asdict())
    formats = tuple(way for way in reading.formats if way is not None) if reading else ()
    if len(formats) > 1:
        formats = day_and_month(rows[guesses.column("time")], formats)
    return Seen(rows, table, guesses, formats)


def _with_dialect(table: Table, root: Path, where: str) -> Table:
    """The table with the encoding and the delimiter of its text files, where all of them have the same."""
    files = locate(table, root, where)
    if format_of(table, files, where) != "csv":
        return table
    try:
        encodings = {find_encoding(file) for file in files}
        delimiters = {find_dialect(file, encoding).delimiter for file in files for encoding in encodings}
    except (ValueError, OSError, EOFError):
        return table  # whoever reads the file says what is wrong with it
    return table.model_copy(update={"encoding": _only(encodings), "delimiter": _only(delimiters)})


def _only(values: Iterable[str]) -> str | None:
    first, *others = values
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
    columns = {role: seen.guesses.column(role) for role in REQUIRED}
    time_format = seen.time_formats[0] if seen.time_formats else None
    roles = Transactions.model_validate({**seen.table.model_dump(), **columns, "time_format": time_format})
    try:
        measured = rhythm(seen.rows, roles, today)
    except duckdb.Error as error:
        raise DataError(f"{path}: cannot be read to its end: {str(error).splitlines()[0]}") from None
    return Draft(title, path, seen.table, seen.guesses, seen.time_formats, measured, study_of(measured))
