"""Open the tables that a dataset file names, as Ibis tables with the file's own columns."""

import difflib
import glob
import hashlib
import importlib.util
from collections.abc import Iterable
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir

from ..errors import DataError
from ..schema import Table

FORMATS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv"}


def connect() -> ibis.BaseBackend:
    """A DuckDB in this process."""
    # Its progress bar is off already; turning it off by hand fails in a kernel without ipywidgets.
    connection = ibis.duckdb.connect()
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
            f"{where}.source: no file {table.source!r}; expected a path below {base}, a glob, or package:NAME/PATH"
        )
    return found


def fingerprint(files: Iterable[Path]) -> str:
    """Hash of the files' contents, in the order given: the same bytes give the same fingerprint anywhere."""
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest())
    return digest.hexdigest()


def open_table(connection: ibis.BaseBackend, table: Table, files: list[Path], where: str) -> ir.Table:
    """The table as it lies in its files, columns named as there.

    Raises
    ------
    DataError
        If the format is unknown or the files cannot be read as it.
    """
    kind = table.format or FORMATS.get(files[0].suffix)
    names = [str(file) for file in files]
    if kind is None:
        raise DataError(
            f"{where}.format: cannot tell the format of {files[0].name}; expected one of parquet, csv, whitespace"
        )
    try:
        if kind == "parquet":
            return connection.read_parquet(names)
        if kind == "csv":
            return connection.read_csv(names)
        return _read_whitespace(connection, names)
    except (duckdb.Error, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{where}.source: {files[0].name} cannot be read as {kind}: {reason}") from None


def _read_whitespace(connection: ibis.BaseBackend, names: list[str]) -> ir.Table:
    """Columns that stand apart by any number of blanks; every column arrives as text."""
    heading = Path(names[0]).read_text("utf-8").split("\n", 1)[0].split()
    # A delimiter that no text file holds makes each line one field.
    lines = connection.read_csv(names, delim="\x1f", header=False, skip=1, columns={"line": "VARCHAR"}, quote="")
    fields = lines.line.strip().re_split(r"\s+")
    return lines.select(**{column: fields[position] for position, column in enumerate(heading)})


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
        raise DataError(f"{where}: {'; '.join(problems)}")
