"""Text files: what their bytes mean, where their values end, and how their numbers are written."""

import codecs
import csv
import gzip
import io
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, TextIO, cast

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from ..schema import Table

DELIMITERS = ",;\t|"
HEAD = 1 << 18
CHUNK = 1 << 22
ROWS = 50_000
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Python's codecs for these know fewer characters than the files that go by their names.
WIDER = {"gbk": "gb18030", "gb2312": "gb18030"}

UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
HIGH = re.compile(rb"[\x80-\xff]+")
LONG_OR_APART = re.compile(rb"[\x80-\xff]{4,}|(?<![A-Za-z\x80-\xff])[\x80-\xff]{2}(?![A-Za-z\x80-\xff])")
# Lead bytes of the 3,755 most usual characters of GB 2312 and of its punctuation.
USUAL = bytes([*range(0xA1, 0xA4), *range(0xB0, 0xD8)])


class Dialect(NamedTuple):
    """How the values of a CSV are told apart, and its header."""

    delimiter: str
    columns: tuple[str, ...]


def opened(file: Path) -> IO[bytes]:
    """The bytes of a file, unpacked where it is `.gz` or `.zst`."""
    if file.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(file, "rb"))
    if file.suffix == ".zst":
        return io.BufferedReader(pa.input_stream(file, compression="zstd"))
    return file.open("rb")


def is_utf8(encoding: str) -> bool:
    """Whether an encoding is UTF-8, with or without a byte order mark."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def find_encoding(file: Path) -> str:
    """The encoding of a text file, found out by a fixed rule.

    1. A byte order mark tells (UTF-8 or UTF-16).
    2. What is valid UTF-8 is UTF-8; so is what is meant to be: most bytes above 127 belong to valid sequences. The
       others are then told as an error by whoever reads on.
    3. Otherwise most bytes above 127 stand in long runs or in pairs with no Latin letter beside them, as Chinese
       does (GB 18030, which includes GBK), or they stand alone inside words, as accents do (Windows-1252, or Latin-1
       where a byte has no meaning in Windows-1252).

    Raises
    ------
    ValueError
        If the file holds zero bytes, or the bytes look like neither.
    """
    with opened(file) as stream:
        start = stream.read(3)
    for mark, name in MARKS.items():
        if start.startswith(mark):
            return name
    if _is_valid_utf8(file):
        return "utf-8"
    seen = _bytes_seen(file)
    if seen["utf8"] > seen["high"] / 2:
        return "utf-8"
    if seen["apart"] <= seen["high"] / 2:
        return "latin-1" if seen["undefined"] else "cp1252"
    if seen["usual"] <= seen["apart"] / 4:  # one usual character is two bytes
        raise ValueError("its encoding cannot be found out; give it, such as encoding = 'cp1251'")
    return "gb18030"


def _is_valid_utf8(file: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with opened(file) as stream:
        while block := stream.read(CHUNK):
            if b"\0" in block:
                raise ValueError("it holds zero bytes: it is no text, or its encoding must be given, such as 'utf-16'")
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return False
    return not decoder.getstate()[0]


def _bytes_seen(file: Path) -> Counter[str]:
    """How many bytes of a file are above 127, part of valid UTF-8, …; counted in blocks of whole lines."""
    seen: Counter[str] = Counter()
    with opened(file) as stream:
        while block := stream.read(CHUNK) + stream.readline():
            if block.isascii():
                continue
            seen["high"] += sum(map(len, HIGH.findall(block)))
            seen["utf8"] += sum(map(len, UTF8.findall(block)))
            seen["undefined"] += len(block) - len(block.translate(None, b"\x81\x8d\x8f\x90\x9d"))
            for run in LONG_OR_APART.findall(block):
                seen["apart"] += len(run)
                leads = run[::2]
                seen["usual"] += len(leads) - len(leads.translate(None, USUAL))
    return seen


def _holds(file: Path, what: bytes) -> bool:
    with opened(file) as stream:
        return any(what in line for line in stream)


def text_of(file: Path, encoding: str) -> TextIO:
    """The text of a file with its line ends as they are."""
    name = codecs.lookup(encoding).name
    name = "utf-8-sig" if name == "utf-8" else WIDER.get(name, name)
    return io.TextIOWrapper(opened(file), encoding=name, newline="")


def find_dialect(file: Path, encoding: str, delimiter: str | None = None) -> Dialect:
    """Delimiter and header of a CSV, from its first lines.

    The delimiter is the one of comma, semicolon, tab and bar with which most lines have as many values as the
    header, and among equals the most values.

    Raises
    ------
    ValueError
        If the file is empty, or its first lines are one endless value.
    """
    with text_of(file, encoding) as stream:
        head = stream.read(HEAD)
        cut = bool(stream.read(1))
    ranked: list[tuple[float, int, str, list[str]]] = []
    for candidate in [delimiter] if delimiter else DELIMITERS:
        try:
            lines = list(islice(filter(None, csv.reader(io.StringIO(head, newline=""), delimiter=candidate)), 1000))
        except csv.Error as error:
            raise ValueError(f"its first lines cannot be read ({error}); is a quote missing?") from None
        lines = lines[:-1] if cut and len(lines) > 1 else lines
        if not lines:
            raise ValueError("it is empty; expected a line with the names of the columns")
        width = len(lines[0])
        share = sum(len(line) == width for line in lines) / len(lines) if width > 1 else 0.0
        ranked.append((share, width, candidate, lines[0]))
    _, _, found, header = max(ranked, key=lambda rank: rank[:2])
    return Dialect(found, column_names(header))


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


def write_parquet(file: Path, encoding: str, delimiter: str | None, to: Path) -> None:
    """Write a CSV as Parquet, every column as text, an empty value as null.

    Line ends may differ from line to line. A quote inside a quoted value is doubled or, where the file cannot be read
    so, follows a backslash.

    Raises
    ------
    ValueError
        Naming the line that has too few or too many values, or bytes of another encoding.
    """
    dialect = find_dialect(file, encoding, delimiter)
    try:
        _write(_csv_rows(file, encoding, dialect, escaped=False), dialect.columns, to)
    except ValueError as told:
        if not _holds(file, b'\\"'):
            raise
        try:
            _write(_csv_rows(file, encoding, dialect, escaped=True), dialect.columns, to)
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


def _csv_rows(file: Path, encoding: str, dialect: Dialect, *, escaped: bool) -> Iterator[list[str]]:
    width = len(dialect.columns)
    with text_of(file, encoding) as stream:
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
                    raise ValueError(_ragged(reader.line_num, len(row), width))
        except csv.Error as error:
            raise ValueError(f"line {reader.line_num}: {error}; is a quote missing, or not doubled?") from None


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
    return f"line {line} has {found} values, expected {expected} as in the header; mend the line, or give delimiter"


def _write(rows: Iterator[list[str]], columns: tuple[str, ...], to: Path) -> None:
    schema = pa.schema([(name, pa.string()) for name in columns])
    with pq.ParquetWriter(to, schema, compression="zstd") as writer:
        while block := list(islice(rows, ROWS)):
            values = [pa.array([value or None for value in column], pa.string()) for column in zip(*block, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(values, schema=schema))


def undecodable(file: Path, encoding: str) -> str:
    """Where the bytes of a file are not of an encoding, in words."""
    codec = WIDER.get(codecs.lookup(encoding).name, encoding)
    if not codec.startswith("utf-16"):  # whose line ends are not single bytes
        with opened(file) as stream:
            for number, line in enumerate(stream, start=1):
                try:
                    line.decode(codec)
                except UnicodeDecodeError as error:
                    return f"line {number}, byte {error.start + 1} (0x{line[error.start]:02x}) is not {encoding}"
    return f"it is not {encoding}"


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


CURRENCY = "".join(map(chr, filter(lambda code: unicodedata.category(chr(code)) == "Sc", range(0x10000))))


def number(column: ir.Column, table: Table) -> ir.FloatingValue:
    """A column as numbers; null where a value is none, is not finite, or is not written as the dataset file says.

    Text may have blanks and a currency sign around it, and a minus before, after (`12.50-`) or as brackets (`(12.50)`).
    The sign between thousands must stand before groups of three (or two, as in India): with `thousands = "."` the text
    `12.5` is no number.

    Parameters
    ----------
    column : of any type.
    table : whose `decimal` and `thousands` say how its text writes numbers.
    """
    if column.type().is_numeric() or column.type().is_boolean():
        return _finite(column.cast("float64"))
    point = re.escape(table.decimal)
    digits = r"[0-9]+"
    if table.thousands is not None and table.thousands != table.decimal:
        # People write many blanks and two apostrophes.
        sign = {" ": "[ \u00a0\u2009\u202f]", "'": "['’]"}.get(table.thousands, re.escape(table.thousands))
        digits = rf"(?:[0-9]{{1,3}}(?:{sign}[0-9]{{2,3}})*{sign}[0-9]{{3}}|[0-9]+)"
    size = rf"(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?"
    around = f"[\\s\u00a0\u2009\u202f{CURRENCY}]*"
    minus = "[-−]"
    text = column.cast("string")
    # Nearly all are plain; the others take several times as long.
    plain = text.re_search(rf"^-?[0-9]+(?:{point}[0-9]+)?$")
    good = text.re_search(
        rf"^{around}(?:(?:[+]|{minus})?{around}{size}|{size}{around}{minus}|\({around}{size}{around}\)){around}$"
    )
    negative = text.re_search(rf"^{around}(?:{minus}|\()|{minus}{around}$")
    bare = text.re_extract(size, 0).re_replace(rf"[^0-9eE+{point}-]", "")
    written = ibis.cases((plain, text), (good, negative.ifelse("-", "") + bare), else_=ibis.null("string"))
    return _finite(written.replace(table.decimal, ".").try_cast("float64"))


def _finite(value: ir.FloatingValue) -> ir.FloatingValue:
    # Both engines hold NaN for greater than any number; Spark reads 1e999 as infinity, DuckDB as null.
    return (value.abs() <= sys.float_info.max).ifelse(value, ibis.null("float64"))
