"""Tables of databases, read through Ibis in batches."""

import difflib
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.common.exceptions import IbisError, TableNotFound

from ..errors import DataError
from ..schema import Table
from .files import columns_named, fingerprint, fingerprint_of, require_columns
from .text import as_text

SCHEMES = ("postgres://", "postgresql://", "sqlite:", "duckdb:")
BATCH = 50_000
PASSWORDS = ("LOYALTY_DB_PASSWORD", "PGPASSWORD")
# Dates that both Python and Arrow can hold; PostgreSQL also knows 4713 BC and infinity.
FIRST, LAST = "1000-01-01", "9999-12-30"


def is_database(source: str) -> bool:
    """Whether a source names a database.

    Examples
    --------
    >>> is_database("sqlite:data/raw/till.db"), is_database("data/raw/sqlite.csv")
    (True, False)
    """
    return source.startswith(SCHEMES)


class Rows(NamedTuple):
    """A table of a database that is ready to be read.

    Attributes
    ----------
    state : gives what is the same as long as the table holds the same rows.
    write : writes them to a Parquet file, a batch at a time.
    """

    state: Callable[[], str]
    write: Callable[[Path], None]


def kind_of_file(file: Path) -> str | None:
    """The database that a file is: `sqlite` or `duckdb`; None if it is neither."""
    with file.open("rb") as stream:
        start = stream.read(16)
    return "sqlite" if start == b"SQLite format 3\0" else "duckdb" if start[8:12] == b"DUCK" else None


def table_names(source: str, root: Path, where: str) -> list[str]:
    """Names of all tables and views of a database, as a dataset file gives them, sorted.

    Raises
    ------
    DataError
        See `opened`.
    """
    with _connected(Table(source=source), root, where) as connection:
        return sorted(_tables(connection))


def sample(table: Table, root: Path, where: str, rows: int) -> pd.DataFrame:
    """The first rows of a database's table, all of its columns.

    Raises
    ------
    DataError
        See `opened`.
    """
    with tempfile.TemporaryDirectory() as scratch, opened(table, root, where, most=rows) as found:
        found.write(Path(scratch) / "rows")
        return pq.read_table(Path(scratch) / "rows").to_pandas()


@contextmanager
def opened(table: Table, root: Path, where: str, most: int | None = None) -> Iterator[Rows]:
    """Open the columns of a database's table that have a role; all columns where none has.

    Parameters
    ----------
    table : the part of the dataset file that names the database and its `table`.
    root : folder that a relative path starts from.
    where : how to name this table in an error.
    most : rows; all if not given.

    Raises
    ------
    DataError
        If the database or the table cannot be reached, or a column is missing; inside the `with` too.
    """
    # Rows may be in the log that lies beside a database until it is tidied up.
    file = root / table.source.partition(":")[2]
    parts = [part for part in (file, Path(f"{file}-wal"), Path(f"{file}.wal")) if part.is_file()]
    with _connected(table, root, where) as connection:
        chosen = _chosen(connection, table, where)
        chosen = chosen if most is None else chosen.limit(most)
        plain = chosen.select(**{name: _plain(chosen[name]) for name in chosen.columns})
        if connection.name == "sqlite":
            yield Rows(lambda: fingerprint(parts), lambda to: _write_sqlite(connection, chosen, to))
        elif connection.name == "duckdb":
            yield Rows(lambda: fingerprint(parts), lambda to: connection.to_parquet(plain, to, compression="zstd"))
        else:
            yield Rows(lambda: _state(connection, plain), lambda to: _write_batches(connection, plain, to))


@contextmanager
def _connected(table: Table, root: Path, where: str) -> Iterator[ibis.BaseBackend]:
    """A connection to the database of a table, which it cannot change."""
    kind, _, path = table.source.partition(":")
    try:
        if kind.startswith("postgres"):
            with _postgres(table, where) as connection:
                yield connection
            return
        file = root / path
        if not file.is_file():
            raise DataError(f"{where}.source: no file {table.source!r}; expected {kind}:PATH, from {root}")
        if (found := kind_of_file(file)) not in (kind, None):
            raise DataError(f"{where}.source: {file.name} is a database of another kind; name it as {found}:{path}")
        if kind == "sqlite":
            connection = ibis.sqlite.from_connection(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True))
        else:
            connection = ibis.duckdb.connect(file, read_only=True)
        try:
            yield connection
        finally:
            connection.disconnect()
    except (duckdb.Error, sqlite3.Error, IbisError) as error:
        raise DataError(f"{where}.source: the database says: {_one_line(error)}") from None


@contextmanager
def _postgres(table: Table, where: str) -> Iterator[ibis.BaseBackend]:
    """A connection that sees the database as it is now, and cannot change it."""
    try:
        import psycopg

        connect = ibis.postgres.connect
    except ImportError as error:
        raise DataError(f"{where}.source: the driver of PostgreSQL is missing ({error}); run `make setup`") from None
    try:
        address = urlsplit(table.source)
        options = dict(parse_qsl(address.query))
        place = {"host": address.hostname, "port": address.port, "user": address.username, "database": address.path[1:]}
    except ValueError as error:
        raise DataError(f"{where}.source: expected postgres://user@host:port/database; {error}") from None
    if address.password or "password" in options:
        raise DataError(f"{where}.source: a password does not belong in a file; set {PASSWORDS[0]} in the environment")
    known = {key: unquote(value) if isinstance(value, str) else value for key, value in place.items() if value}
    password = next(filter(None, map(os.environ.get, PASSWORDS)), None)
    shown = f"{address.hostname or 'this machine'}:{address.port or 5432}"
    try:
        connection = connect(**{"connect_timeout": 10} | options | known, password=password)
    except psycopg.Error as error:
        advice = "is the address right and the server up?"
        if "password" in str(error):
            advice = f"set {PASSWORDS[0]} in the environment to the password of {known.get('user', 'the user')!r}"
        raise DataError(f"{where}.source: cannot connect to {shown}: {_one_line(error)}; {advice}") from None
    try:
        connection.con.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.con.read_only = True
        with connection.con.transaction():
            yield connection
    except psycopg.Error as error:
        raise DataError(f"{where}.source: the database says: {_one_line(error)}") from None
    finally:
        connection.disconnect()


def _one_line(error: Exception) -> str:
    """What a database complains of; never what it quotes of the rows, which begins on the next line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _chosen(connection: ibis.BaseBackend, table: Table, where: str) -> ir.Table:
    """The table with the columns that are wanted of it."""
    schema, _, name = (table.table or "").rpartition(".")
    try:
        found = connection.table(name, database=schema or None) if name else None
    except TableNotFound:
        found = None
    if found is None:
        known = sorted(_tables(connection))
        close = difflib.get_close_matches(table.table or "", known, n=3) or known[:20]
        problem = (
            f"no table {table.table!r}; did you mean" if name else "missing; which of the database's tables is it:"
        )
        raise DataError(f"{where}.table: {problem} {', '.join(close) or 'none: the database is empty'}?")
    columns = columns_named(table)
    require_columns(found, columns, where)
    return found.select(*dict.fromkeys(columns.values())) if columns else found


def _tables(connection: ibis.BaseBackend) -> Iterator[str]:
    """Names of all tables as a dataset file gives them."""
    if connection.name == "duckdb":  # of whose new versions Ibis asks in a way that is going to be dropped
        yield from (name for (name,) in connection.con.execute("SHOW TABLES").fetchall())
        return
    if connection.name == "sqlite":
        yield from connection.list_tables()
        return
    here = connection.current_database
    for schema in connection.list_databases():
        if not schema.startswith(("pg_", "information_schema")):
            names = connection.list_tables(database=schema)
            yield from names if schema == here else (f"{schema}.{name}" for name in names)


def _plain(column: ir.Column) -> ir.Column:
    """A column as one of the few types that every engine reads alike.

    Decimal numbers without decimals may be identifiers of any length: they become text, as all other types do.
    """
    kind = column.type()
    if kind.is_boolean():
        return column
    if kind.is_integer() and not kind.is_uint64():
        return column.cast("int64")
    if kind.is_floating() or (kind.is_decimal() and kind.scale):
        return column.cast("float64")
    if kind.is_date() or kind.is_timestamp():
        held = column.between(ibis.literal(FIRST).cast(kind), ibis.literal(LAST).cast(kind))
        return held.ifelse(column, ibis.null(kind))
    if kind.is_string():
        # Ibis takes an enumeration for text, and would leave out a cast.
        return ibis.literal("") + column
    return column.cast("string")


def _state(connection: ibis.BaseBackend, rows: ir.Table) -> str:
    """What the server computes of all rows: another sum where a row is another, in whatever order they lie."""
    values = [rows[name].cast("string") for name in rows.columns]
    # Each value says whether it is there and where it ends.
    line = ibis.literal("|").join([(value.length().cast("string") + ":" + value).coalesce("null") for value in values])
    sums = rows.agg(rows=rows.count(), hashes=line.hash().cast("decimal(38, 0)").sum().cast("string"))
    found = connection.con.execute(connection.compile(sums)).fetchone()
    return fingerprint_of([rows.schema(), found])


def _write_batches(connection: ibis.BaseBackend, rows: ir.Table, to: Path) -> None:
    batches = connection.to_pyarrow_batches(rows, chunk_size=BATCH)
    with pq.ParquetWriter(to, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _write_sqlite(connection: ibis.BaseBackend, chosen: ir.Table, to: Path) -> None:
    """Write a table of SQLite, whose values have types of their own whatever their column is said to hold."""
    kinds = {name: chosen[name].typeof() for name in chosen.columns}
    holds = {f"{name}|text": kind.isin(["text", "blob"]).any() for name, kind in kinds.items()}
    holds |= {f"{name}|real": (kind == "real").any() for name, kind in kinds.items()}
    held = dict(zip(holds, connection.con.execute(connection.compile(chosen.agg(**holds))).fetchone(), strict=True))
    schema = pa.schema(
        [
            (name, pa.string() if held[f"{name}|text"] else pa.float64() if held[f"{name}|real"] else pa.int64())
            for name in chosen.columns
        ]
    )
    cursor = connection.con.execute(connection.compile(chosen))
    with pq.ParquetWriter(to, schema, compression="zstd") as writer:
        while rows := cursor.fetchmany(BATCH):
            columns = zip(*rows, strict=True)
            writer.write_batch(
                pa.RecordBatch.from_arrays(
                    [_array(values, kind) for values, kind in zip(columns, schema.types, strict=True)],
                    schema=schema,
                )
            )


def _array(values: tuple[object, ...], kind: pa.DataType) -> pa.Array:
    return pa.array([as_text(value) for value in values] if pa.types.is_string(kind) else values, kind)
