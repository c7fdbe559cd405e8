"""Where the names of the columns stand, in a file that has something else above them."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from ..encoding import text_of
from ..text import DELIMITERS, HEAD, as_text
from ..workbook import read_sheet

SAMPLE = 200
"""Rows that are looked at."""
LOWEST = 30
"""Row below which no heading is looked for."""
NARROWEST = 3
"""Columns that a purchase log has at least."""
WHOLE = 0.75
"""Share of the usual number of values that a heading must have."""


def heading_at(rows: Sequence[Sequence[str]]) -> int | None:
    """Which of the first rows is the heading, counted from 0; None if it is the first that is not empty, or unclear.

    A heading has about as many values as most rows, all different, none of them a number or a date. It is looked for
    only where the first row that is not empty is too narrow to be one.

    Examples
    --------
    >>> title, empty, names = ["Sales 2024", "", ""], ["", "", ""], ["customer", "day", "amount"]
    >>> lines = [[f"K{at}", "2024-01-01", "3.50"] for at in range(9)]
    >>> heading_at([title, empty, names, *lines]), heading_at([names, *lines])
    (2, None)
    """
    filled = [sum(map(bool, map(str.strip, row))) for row in rows]
    usual = _usual(filled)
    first = next((at for at, count in enumerate(filled) if count), None)
    if usual < NARROWEST or first is None or filled[first] >= WHOLE * usual:
        return None
    return next((at for at in range(first, min(LOWEST, len(rows))) if _is_heading(rows[at], WHOLE * usual)), None)


def _usual(filled: Sequence[int]) -> int:
    """The most common number of values in a row that has any."""
    counts = Counter(filter(None, filled))
    return max(counts, key=lambda count: (counts[count], count)) if counts else 0


def _is_heading(row: Sequence[str], least: float) -> bool:
    values = [value.strip() for value in row if value.strip()]
    return (
        len(values) >= least
        and len(set(values)) == len(values)
        and all(re.search(r"[^\W\d_]", value) and not re.match(r"\d{1,4}[-/.]\d", value) for value in values)
    )


def row_in_text(file: Path, encoding: str) -> int | None:
    """The line of a CSV's heading, counted from 1; None where nothing stands above it."""
    with text_of(file, encoding) as stream:
        head = stream.read(HEAD)
    tables = [_rows(head, delimiter) for delimiter in DELIMITERS]
    rows, lines = max(tables, key=lambda table: _usual([len(list(filter(None, row))) for row in table[0]]))
    at = heading_at(rows)
    return None if at is None else lines[at]


def _rows(head: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """First rows, each with the line that it begins in."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    rows, lines, line = [], [], 1
    try:
        for row in islice(reader, SAMPLE):
            rows.append(row)
            lines.append(line)
            line = reader.line_num + 1
    except csv.Error:
        pass  # an endless value: whoever reads the file says so
    return rows, lines


def row_in_sheet(file: Path) -> int | None:
    """The row of the heading in a workbook's first sheet, counted from 1; None where nothing stands above it."""
    rows = read_sheet(file, None, 1)[:SAMPLE]
    at = heading_at([[as_text(value) or "" for value in row] for row in rows])
    return None if at is None else at + 1
