"""Sheets of Excel workbooks."""

import difflib
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from .text import as_text, column_names

Cell = int | float | str | bool | time | date | datetime | timedelta


def read_workbooks(files: Sequence[Path], sheet: str | None, header_row: int | None = None) -> pa.Table:
    """The rows of one sheet of each workbook, one below the other, matched by the names in their headers.

    A column of numbers is a column of floats, one of dates is a column of dates (of times, where one has a time of
    day), one of truths is boolean; any other is text, in which a whole number has no fraction and a date is written
    as `2024-05-31`. An empty cell is null. Rows without any value at the end are left out.

    Parameters
    ----------
    files : workbooks.
    sheet : its name; the first of each workbook if not given.
    header_row : the row with the names of the columns, counted from 1 as the sheet does; the first that is not empty
        if not given.

    Raises
    ------
    ValueError
        If a file is no workbook, the sheet is not there, or has no header.
    """
    columns: dict[str, list[Cell | None]] = {}
    height = 0
    for file in files:
        names, *rows = read_sheet(file, sheet, header_row)
        columns_here = column_names([as_text(value) or "" for value in names])
        for position, name in enumerate(columns_here):
            values = columns.setdefault(name, [None] * height)
            values += [row[position] if row[position] != "" else None for row in rows]
        height += len(rows)
        for values in columns.values():
            values += [None] * (height - len(values))
    return pa.table({name: _column(values) for name, values in columns.items()})


def read_sheet(file: Path, sheet: str | None, first: int | None = None) -> list[list[Cell]]:
    """The rows of a sheet from one on, counted from 1; from the first that is not empty if not given.

    Raises
    ------
    ValueError
        See `read_workbooks`.
    """
    try:
        workbook = CalamineWorkbook.from_path(str(file))
        if sheet is not None and sheet not in workbook.sheet_names:
            close = difflib.get_close_matches(sheet, workbook.sheet_names, n=1) or workbook.sheet_names
            raise ValueError(f"{file.name} has no sheet {sheet!r}; did you mean {' or '.join(map(repr, close))}?")
        found = workbook.get_sheet_by_name(sheet) if sheet else workbook.get_sheet_by_index(0)
        # What is empty above and beside the table is left out, unless its rows are to be counted.
        rows = found.to_python(skip_empty_area=first is None)[(first or 1) - 1 :]
    except CalamineError as error:
        raise ValueError(f"{file.name} is no workbook that can be opened: {error}") from None
    while rows and not _has_value(rows[-1]):
        rows.pop()
    if not rows:
        place = "" if first is None else f" from row {first} on"
        raise ValueError(
            f"sheet {found.name!r} of {file.name} is empty{place}; expected a row with the names of the columns"
        )
    return rows


def _has_value(row: list[Cell]) -> bool:
    return any(value != "" for value in row)


def _column(values: list[Cell | None]) -> pa.Array:
    """Values as the narrowest column that holds all of them."""
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())  # type: ignore[arg-type]
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {date}:
        return pa.array(values, pa.date32())
    if kinds and kinds <= {date, datetime}:
        return pa.array([_at_midnight(value) for value in values], pa.timestamp("us"))
    return pa.array([as_text(value) for value in values], pa.string())


def _at_midnight(value: object) -> object:
    """A date as the instant at which it begins."""
    return datetime.combine(value, time()) if type(value) is date else value
