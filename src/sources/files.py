"""Files that a dataset file names: found, and opened as Ibis tables with the columns that they have."""

import difflib
import glob
import hashlib
import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import duckdb
import ibis
import ibis.expr.types as ir

from ..errors import DataError
from ..schema import Format, Table
from .text import Dialect, find_dialect

if TYPE_CHECKING:
    from .landing import Landed

FORMATS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "excel",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
PACKED = {".gz", ".zst"}
JSON = {"json": "auto", "jsonl": "newline_delimited"}
"""Formats of JSON, as DuckDB calls them."""
_DATABASE = 'name a database file as "sqlite:PATH" or "duckdb:PATH", with its `table`'
REMEDIES = {
    ".zip": "unpack the archive and name the file that is in it",
    ".7z": "unpack the archive and name the file that is in it",
    ".xls": "save it as .xlsx, or as CSV",
    ".xlsb": "save it as .xlsx, or as CSV",
    ".ods": "save it as .xlsx, or as CSV",
    ".pdf": "export the table as CSV or .xlsx",
    **dict.fromkeys((".db", ".sqlite", ".sqlite3", ".db3", ".duckdb"), _DATABASE),
}
"""What to do with a file that is not read, by the end of its name."""
NOT_COLUMNS = {
    *Table.model_fields, "time_format", "time_is", "channel_is", "held_out", "total_on_first_line",
    *("control", "money", "planned", "cost"),
}  # fmt: skip


def connect(memory_gb: float | None = None, spill: Path | None = None) -> ibis.BaseBackend:
    """A DuckDB in this process, whose session is in UTC.

    Parameters
    ----------
    memory_gb : the most that it uses before it writes to disk; four fifths of the machine's if not given.
    spill : folder that it writes to then.
    """
    limits: dict[str, Any] = {}
    if memory_gb is not None:
        # Rows in the order of the file would have to be held back until their turn comes.
        limits = {"memory_limit": f"{memory_gb}GB", "preserve_insertion_order": False}
    if spill is not None:
        limits["temp_directory"] = str(spill)
    # Its progress bar is off already; turning it off by hand fails in a kernel without ipywidgets.
    connection = ibis.duckdb.connect(**limits)
    # Casts between instants and local times follow the session's zone: they must not follow the machine's.
    connection.con.execute("SET TimeZone = 'UTC'")
    return connection


def locate(table: Table, root: Path, where: str) -> list[Path]:
    """Files of a table, sorted.

    Parameters
    ----------
    table : the part of the dataset file that names the source.
    root : folder that a relative path starts from.
    where : how to name this table in an error, such as `data/cdnow.toml: transactions`.

    Raises
    ------
    DataError
        If the package is not installed or no file is there.
    """
    if table.source.startswith("package:"):
        package, _, inner = table.source.removeprefix("package:").partition("/")
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
        if spec is None or spec.origin is None:
            raise DataError(f"{where}.source: package {package!r} is not installed; run `make setup`")
        base, pattern = Path(spec.origin).parent, inner
    else:
        base, pattern = root, table.source
    whole = base / pattern
    found = [whole] if whole.is_file() else sorted(map(Path, glob.glob(str(whole), recursive=True)))
    found = [file for file in found if file.is_file()]
    if not found:
        raise DataError(
            f"{where}.source: no file {table.source!r}; expected a path below {base}, a glob, package:NAME/PATH, or a "
            "database as postgres://…, sqlite:PATH or duckdb:PATH"
        )
    return found


def format_of(table: Table, files: Sequence[Path], where: str) -> str:
    """The format of a table's files: what the dataset file says, or what their names tell.

    Raises
    ------
    DataError
        If the names tell nothing, or different things.
    """
    if table.format is not None:
        return table.format
    told: dict[str | None, Path] = {}
    for file in files:
        name = file.with_suffix("") if file.suffix in PACKED else file
        told.setdefault(FORMATS.get(name.suffix.lower()), file)
    if None in told:
        unknown = told[None]
        if remedy := REMEDIES.get(unknown.suffix.lower()):
            raise DataError(f"{where}.source: {unknown.name} is not read as it is: {remedy}")
        raise DataError(
            f"{where}.format: cannot tell the format of {unknown.name}; expected one of {', '.join(get_args(Format))}"
        )
    if len(told) > 1:
        names = ", ".join(f"{file.name} ({kind})" for kind, file in told.items())
        raise DataError(f"{where}.source: files of several formats: {names}; stack them as tables of their own")
    return str(next(iter(told)))


def fingerprint(files: Iterable[Path]) -> str:
    """Hash of the files' contents, in the order given: the same bytes give the same fingerprint anywhere.

    Folders named `column=value` are contents too.
    """
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest())
        digest.update("/".join(_partition(file)).encode())
    return digest.hexdigest()


def fingerprint_of(parts: Iterable[object]) -> str:
    """Hash of values that print the same whenever they are the same, such as other fingerprints, in the order given."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def _partition(file: Path) -> list[str]:
    """The folders of a file that are named `column=value`."""
    return [folder for folder in file.parent.parts if "=" in folder]


def columns_named(table: Table) -> dict[str, str]:
    """Role → column, for every key of a table's section that names a column.

    Examples
    --------
    >>> from loyalty.schema import Contacts
    >>> columns_named(Contacts(source="sent.csv", customer="id", campaign="wave", time_is="utc"))
    {'customer': 'id', 'campaign': 'wave'}
    """
    named: dict[str, str] = {}
    for role, value in table.model_dump(exclude=NOT_COLUMNS, exclude_none=True).items():
        columns = [name for name in (value if isinstance(value, tuple | list) else [value]) if isinstance(name, str)]
        named.update({role if len(columns) == 1 else f"{role}[{at}]": column for at, column in enumerate(columns)})
    return named


def require_columns(table: ir.Table, roles: dict[str, str], where: str) -> None:
    """Check that every column which a role names is there.

    Parameters
    ----------
    table : the table as opened.
    roles : role → column name, such as ``{"customer": "household_id"}``.
    where : how to name this table in the error.

    Raises
    ------
    DataError
        Naming each role whose column is missing, with the nearest column that exists.
    """
    problems = []
    for role, column in roles.items():
        if column in table.columns:
            continue
        close = difflib.get_close_matches(column, table.columns, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"the file has {', '.join(table.columns)}"
        problems.append(f"{role} = {column!r} is not a column; {hint}")
    if problems:
        nameless = len(problems) == len(roles) and "column_2" in table.columns
        titled = "; if the names stand in a later row, say in which with header_row" if nameless else ""
        raise DataError(f"{where}: {'; '.join(problems)}{titled}")


def open_table(connection: ibis.BaseBackend, table: Table, landed: "Landed", where: str) -> ir.Table:
    """The table as it lies in its files, columns named as there.

    The columns of text files all are text, so that 007 stays 007 and no value is lost to a type guessed from others;
    see `text.number`. Columns are matched by name where there are several files, and null in a file that lacks them.

    Parameters
    ----------
    connection : of DuckDB, or of Spark where the table landed as Parquet.
    table, where : see `locate`.
    landed : what `landing.land` gave.

    Raises
    ------
    DataError
        If the files cannot be read as what they are said to be.
    """
    names = [str(file) for file in landed.files]
    try:
        if landed.format == "csv":
            return open_csv(connection, landed.files, table.delimiter)
        if landed.format in JSON:
            return open_json(connection, names, list(columns_named(table).values()), JSON[landed.format])
        if connection.name == "pyspark":
            return _open_parquet_on_spark(connection, landed.files)
        return connection.read_parquet(names, union_by_name=True, hive_types_autocast=False)
    except (duckdb.Error, OSError, ValueError) as error:
        raise cannot_read(landed.files, landed.format, error, where) from None


def cannot_read(files: Sequence[Path], kind: str, error: Exception, where: str) -> DataError:
    """The complaint of a reader, as an error that names the table and the file."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    file = next((file for file in files if file.name in reason), files[0])
    return DataError(f"{where}.source: {file.name} cannot be read as {kind}: {reason}")


def open_csv(
    connection: ibis.BaseBackend, files: Sequence[Path], delimiter: str | None, *, parallel: bool = True
) -> ir.Table:
    """UTF-8 text files with a header each, every column as text, an empty value as null."""
    alike: dict[Dialect, list[str]] = {}
    for file in files:
        alike.setdefault(find_dialect(file, "utf-8", delimiter), []).append(str(file))
    tables = [
        # Everything is said: what DuckDB finds out by itself it finds in the first lines.
        connection.read_csv(
            names,
            columns=dict.fromkeys(dialect.columns, "VARCHAR"),
            auto_detect=False,
            header=True,
            delim=dialect.delimiter,
            quote='"',
            escape='"',
            comment="",
            parallel=parallel,
        )
        for dialect, names in alike.items()
    ]
    columns = dict.fromkeys(column for table in tables for column in table.columns)
    stacked = [
        table.select(**{name: table[name] if name in table.columns else ibis.null("string") for name in columns})
        for table in tables
    ]
    return ibis.union(*stacked) if len(stacked) > 1 else tables[0]


def open_json(
    connection: ibis.BaseBackend, names: list[str], wanted: Sequence[str] = (), shape: str = "newline_delimited"
) -> ir.Table:
    """Files with a JSON object in each line, every key as a column of text; null where it is missing or null.

    Parameters
    ----------
    wanted : columns that are looked for in all lines, where the first 20,000 do not have them.
    shape : of the files, see `JSON`; `auto` also reads an array of objects.
    """
    how: dict[str, Any] = {"format": shape, "union_by_name": True}
    columns = connection.read_json(names, **how).columns
    if not {*wanted} <= {*columns}:
        columns = connection.read_json(names, sample_size=-1, **how).columns
    if columns == ("json",):
        wished = "an array of JSON objects" if shape == "auto" else "a JSON object in each line"
        raise ValueError(f"expected {wished}")
    return connection.read_json(names, columns=dict.fromkeys(columns, "VARCHAR"), **how)


def _open_parquet_on_spark(connection: ibis.BaseBackend, files: Sequence[Path]) -> ir.Table:
    session = connection._session
    # Spark would read a folder `store=007` as 7.
    session.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    reader = session.read.option("mergeSchema", "true")
    if partition := _partition(files[0]):
        reader = reader.option("basePath", str(files[0]).partition(partition[0])[0])
    name = ibis.util.gen_name("parquet")
    reader.parquet(*map(str, files)).createOrReplaceTempView(name)
    return connection.table(name)
