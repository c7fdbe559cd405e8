"""Tables brought to files that an engine reads as they are; what has to be converted is converted once."""

import functools
import operator
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import DataError
from ..schema import Table
from . import databases
from .encoding import find_encoding, is_utf8, undecodable
from .files import (
    JSON,
    cannot_read,
    columns_named,
    connect,
    fingerprint,
    fingerprint_of,
    format_of,
    locate,
    open_csv,
    open_table,
)
from .text import write_blank_separated, write_parquet
from .workbook import read_workbooks

TEXT = ("csv", "whitespace")
UNREADABLE = (ValueError, OSError, EOFError, zlib.error)
CONVERTING = ("databases", "encoding", "files", "landing", "text", "workbook")


class Landed(NamedTuple):
    """Files of a table that an engine reads as they are.

    Attributes
    ----------
    files : where they are.
    format : parquet, csv (UTF-8), json or jsonl.
    fingerprint : of the contents: the same rows, the same fingerprint. Of a database it does not depend on the order
        of the rows; of files it is a hash of their bytes.
    """

    files: tuple[Path, ...]
    format: str
    fingerprint: str


def land(table: Table, root: Path, folder: Path, where: str, *, parquet_only: bool = False) -> Landed:
    """Bring a table to files that an engine reads.

    Parquet, JSON lines and UTF-8 text without line breaks inside values are left where they lie. Other text, workbooks
    and databases are converted to Parquet below `folder`, once for the same contents. What is read for the first time
    is read to its end, so that a line that cannot be read is told here.

    Parameters
    ----------
    table : the part of the dataset file that names the source.
    root : folder that a relative path starts from.
    folder : where converted tables are kept; each is there whole or not at all.
    where : how to name this table in an error, such as `data/cdnow.toml: transactions`.
    parquet_only : convert all that is not Parquet, and Parquet with types that Spark does not know.

    Raises
    ------
    DataError
        If the source is not there, or cannot be read as what it is said to be.
    """
    if databases.is_database(table.source):
        return _land_database(table, root, folder, where)
    if "://" in table.source:
        scheme = table.source.partition("://")[0]  # the rest may hold a password
        raise DataError(
            f"{where}.source: expected a file, postgres://…, sqlite:PATH or duckdb:PATH, found '{scheme}://…'"
        )
    files = locate(table, root, where)
    kind = format_of(table, files, where)
    try:
        contents = fingerprint(files)
    except OSError as error:
        raise DataError(f"{where}.source: {error.filename} cannot be read: {error.strerror}") from None
    if kind == "parquet" and not (parquet_only and any(map(_is_beyond_spark, files))):
        return Landed(tuple(files), kind, contents)
    said = (table.encoding, table.delimiter, table.header_row, table.sheet, parquet_only, columns_named(table))
    key = fingerprint_of([_code(), contents, *said])
    converted = _once(folder / f"{kind}-{key}", lambda to: _convert(table, files, kind, to, where, parquet_only))
    return Landed(converted, "parquet", contents) if converted else Landed(tuple(files), kind, contents)


def _land_database(table: Table, root: Path, folder: Path, where: str) -> Landed:
    with databases.opened(table, root, where) as rows:
        key = fingerprint_of([_code(), rows.state(), table.table, columns_named(table)])

        def write(to: Path) -> None:
            rows.write(to / "rows")
            # The name keeps the fingerprint, so that nothing is read to know it.
            os.replace(to / "rows", to / f"{_fingerprint_of_rows(to / 'rows')}.parquet")

        files = _once(folder / f"database-{key}", write)
    return Landed(files, "parquet", files[0].stem)


def _once(place: Path, make: Callable[[Path], None]) -> tuple[Path, ...]:
    """The files in a folder that `make` fills if it is not there yet."""
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=place.parent, prefix=".new-"))
        try:
            make(scratch)
            os.replace(scratch, place)
        except OSError:
            if not place.is_dir():  # otherwise another process was first, and made the same
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    for used in (place.parent, place):  # so that they are not forgotten
        os.utime(used)
    return tuple(sorted(place.iterdir()))


def _convert(table: Table, files: Sequence[Path], kind: str, to: Path, where: str, parquet_only: bool) -> None:
    """Write files as Parquet into a folder; nothing if they can be read as they are, and may be."""
    if kind == "excel":
        try:
            pq.write_table(
                read_workbooks(files, table.sheet, table.header_row), to / "rows.parquet", compression="zstd"
            )
        except ValueError as error:
            raise DataError(f"{where}.source: {error}") from None
        return
    if kind in TEXT:
        encodings = [_encoding(table, file, kind, where) for file in files]
        converts = kind != "csv" or (table.header_row or 1) > 1 or not all(map(is_utf8, encodings))
        if converts or not _is_plain(files, table.delimiter):
            for number, (file, encoding) in enumerate(zip(files, encodings, strict=True)):
                _convert_text(table, file, encoding, kind, to / f"{number:05}.parquet", where)
            return
    if kind in JSON or parquet_only:
        connection = connect()
        rows = open_table(connection, table, Landed(tuple(files), kind, ""), where)
        try:
            if parquet_only:
                connection.to_parquet(_for_spark(rows), to / "rows.parquet", compression="zstd")
            else:
                rows.agg(**{name: rows[name].count() for name in rows.columns}).execute()
        except duckdb.Error as error:
            raise cannot_read(files, kind, error, where) from None


def _is_beyond_spark(file: Path) -> bool:
    """Whether a Parquet file has a column of nanoseconds or of times of day."""
    kinds = pq.read_schema(file).types
    return any(pa.types.is_time(kind) or (pa.types.is_timestamp(kind) and kind.unit == "ns") for kind in kinds)


def _for_spark(rows: ir.Table) -> ir.Table:
    """Rows with times of microseconds, and times of day as text."""
    kinds = rows.schema().items()
    times = {name: rows[name].cast("timestamp(6)") for name, kind in kinds if kind.is_timestamp() and kind.scale == 9}
    told = times | {name: rows[name].cast("string") for name, kind in kinds if kind.is_time()}
    return rows.mutate(**told) if told else rows


def _is_plain(files: Sequence[Path], delimiter: str | None) -> bool:
    """Whether DuckDB reads a CSV as what it means: no value holds a line break, every line is like the header.

    Where a value holds a line break, several threads cannot tell where a line begins.
    """
    try:
        rows = open_csv(connect(), files, delimiter, parallel=False)
        broken = [rows[name].contains(end) for name in rows.columns for end in "\r\n"]
        found = rows.agg(broken=functools.reduce(operator.or_, broken).any()).execute()["broken"][0]
        return len(rows.columns) > 1 and not found
    except (duckdb.Error, ValueError):
        return False


def _encoding(table: Table, file: Path, kind: str, where: str) -> str:
    try:
        return table.encoding or find_encoding(file)
    except UNREADABLE as error:
        raise cannot_read([file], kind, error, where) from None


def _convert_text(table: Table, file: Path, encoding: str, kind: str, to: Path, where: str) -> None:
    try:
        if kind == "csv":
            write_parquet(file, encoding, table.delimiter, to, header_row=table.header_row)
        else:
            write_blank_separated(file, encoding, to)
    except UnicodeDecodeError:
        raise cannot_read([file], kind, ValueError(undecodable(file, encoding)), where) from None
    except UNREADABLE as error:
        raise cannot_read([file], kind, error, where) from None


def _fingerprint_of_rows(file: Path) -> str:
    """Hash of the rows of a Parquet file whatever their order, and of their columns' names and types."""
    found = duckdb.execute("SELECT count(*), sum(hash(r)) FROM read_parquet(?) AS r", [str(file)]).fetchone()
    return fingerprint_of([found, pq.read_schema(file).remove_metadata()])


@functools.cache
def _code() -> str:
    """Hash of the modules that convert: what they made is made anew when they change."""
    return fingerprint(Path(__file__).with_name(f"{name}.py") for name in CONVERTING)
