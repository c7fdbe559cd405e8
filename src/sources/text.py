"""Text files as tables: where their values end, and what their columns are called."""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from .encoding import opened, text_of

DELIMITERS = ",;\t|"
HEAD = 1 << 18
ROWS = 50_000


class Dialect(NamedTuple):
    """How the values of a CSV are told apart, and its header."""

    delimiter: str
    columns: tuple[str, ...]


def _holds(file: Path, what: bytes) -> bool:
    with opened(file) as stream:
        return any(what in line for line in stream)


def find_dialect(file: Path, encoding: str, delimiter: str | None = None, header_row: int | None = None) -> Dialect:
    """Delimiter and header of a CSV, from its first lines.

    The delimiter is the one of comma, semicolon, tab and bar with which most lines have as many values as the
    header, and among equals the most values.

    Parameters
    ----------
    file, encoding : where the text is.
    delimiter : if it is known.
    header_row : line of the header, counted from 1; the first that is not empty if not given.

    Raises
    ------
    ValueError
        If the file is empty, its first lines are one endless value, or another delimiter than the given one is in it.
    """
    with text_of(file, encoding) as stream:
        go_to_line(stream, header_row)
        head = stream.read(HEAD)
        cut = bool(stream.read(1))
    best = max((_tried(head, candidate, cut) for candidate in DELIMITERS), key=lambda tried: tried[:2])
    if delimiter is not None:
        asked = _tried(head, delimiter, cut)
        if best.share > 0.9 and best.width >= asked.width and asked.share < 0.5:
            raise ValueError(f"delimiter is {delimiter!r}, but the values seem to be separated by {best.delimiter!r}")
        best = asked
    return Dialect(best.delimiter, column_names(best.header))


def go_to_line(stream: TextIO, line: int | None) -> None:
    """Pass over the lines before one, counted from 1.

    Raises
    ------
    ValueError
        If there are not so many.
    """
    for _ in range((line or 1) - 1):
        if not stream.readline():
            raise ValueError(f"header_row is {line}, and it has fewer lines")


class _Tried(NamedTuple):
    """What a delimiter makes of the first lines: the share of them that are as wide as the header, which it cuts."""

    share: float
    width: int
    delimiter: str
    header: list[str]


def _tried(head: str, delimiter: str, cut: bool) -> _Tried:
    try:
        lines = list(islice(filter(None, csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)), 1000))
    except csv.Error as error:
        raise ValueError(f"its first lines cannot be read ({error}); is a quote missing?") from None
    lines = lines[:-1] if cut and len(lines) > 1 else lines
    if not lines:
        raise ValueError("it is empty; expected a line with the names of the columns")
    width = len(lines[0])
    share = sum(len(line) == width for line in lines) / len(lines) if width > 1 else 0.0
    return _Tried(share, width, delimiter, lines[0])


def column_names(header: list[str]) -> tuple[str, ...]:
    """Names for columns: stripped, and told apart where they are equal or empty.

    Examples
    --------
    >>> column_names([" id ", "name", "Name", ""])
    ('id', 'name', 'Name_1', 'column_4')
    """
    names: list[str] = []
    taken: set[str] = set()
    for position, raw in enumerate(header, start=1):
        plain = raw.strip() or f"column_{position}"
        name, again = plain, 0
        while name.casefold() in taken:
            again += 1
            name = f"{plain}_{again}"
        taken.add(name.casefold())
        names.append(name)
    return tuple(names)


def write_parquet(file: Path, encoding: str, delimiter: str | None, to: Path, *, header_row: int | None = None) -> None:
    """Write a CSV as Parquet, every column as text, an empty value as null.

    Line ends may differ from line to line. A quote inside a quoted value is doubled or, where the file cannot be read
    so, follows a backslash. What stands above the header is left out.

    Raises
    ------
    ValueError
        Naming the line that has too few or too many values, or bytes of another encoding.
    """
    dialect = find_dialect(file, encoding, delimiter, header_row)
    try:
        _write(_csv_rows(file, encoding, dialect, header_row, escaped=False), dialect.columns, to)
    except ValueError as told:
        if not _holds(file, b'\\"'):
            raise
        try:
            _write(_csv_rows(file, encoding, dialect, header_row, escaped=True), dialect.columns, to)
        except ValueError:
            raise told from None


def write_blank_separated(file: Path, encoding: str, to: Path) -> None:
    """Write text whose columns stand apart by any number of blanks as Parquet, every column as text.

    Raises
    ------
    ValueError
        Naming the line that has too few or too many values.
    """
    with text_of(file, encoding) as stream:
        header = stream.readline().split()
    if not header:
        raise ValueError("it is empty; expected a line with the names of the columns")
    columns = column_names(header)
    _write(_blank_separated_rows(file, encoding, len(columns)), columns, to)


def _csv_rows(
    file: Path, encoding: str, dialect: Dialect, header_row: int | None, *, escaped: bool
) -> Iterator[list[str]]:
    width = len(dialect.columns)
    with text_of(file, encoding) as stream:
        go_to_line(stream, header_row)
        above = (header_row or 1) - 1
        reader = csv.reader(
            stream,
            delimiter=dialect.delimiter,
            strict=True,
            doublequote=not escaped,
            escapechar="\\" if escaped else None,
        )
        rows = filter(None, reader)
        next(rows)
        try:
            for row in rows:
                if len(row) == width:
                    yield row
                elif len(row) > width and not any(row[width:]):  # each line ends in a delimiter
                    yield row[:width]
                elif len(row) > 1 or row[0].strip():
                    raise ValueError(_ragged(above + reader.line_num, len(row), width))
        except csv.Error as error:
            raise ValueError(f"line {above + reader.line_num}: {error}; is a quote missing, or not doubled?") from None


def _blank_separated_rows(file: Path, encoding: str, width: int) -> Iterator[list[str]]:
    with text_of(file, encoding) as stream:
        for number, line in enumerate(stream, start=1):
            row = line.split()
            if number == 1 or not row:
                continue
            if len(row) != width:
                raise ValueError(_ragged(number, len(row), width))
            yield row


def _ragged(line: int, found: int, expected: int) -> str:
    return (
        f"line {line} has {found} values, expected {expected} as in the header; mend the line, or give "
        "delimiter, or header_row where something stands above the header"
    )


def _write(rows: Iterator[list[str]], columns: tuple[str, ...], to: Path) -> None:
    schema = pa.schema([(name, pa.string()) for name in columns])
    with pq.ParquetWriter(to, schema, compression="zstd") as writer:
        while block := list(islice(rows, ROWS)):
            values = [pa.array([value or None for value in column], pa.string()) for column in zip(*block, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(values, schema=schema))


def as_text(value: object) -> str | None:
    """One value of a column of mixed kinds as text; a whole number without a fraction, null where there is none.

    Examples
    --------
    >>> as_text(12.0), as_text(1.5), as_text("A7"), as_text("")
    ('12', '1.5', 'A7', None)
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return None if value is None or value == "" else str(value)
