"""Tables that a person reads: units in the headings, numbers set right, gaps and small cells in words."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Literal

import pandas as pd
from great_tables import GT, md

from .. import notation

Kind = Literal["text", "count", "number", "money", "percent", "days", "date"]

GAP = "–"
"""Stands where there is no value."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """How one column of a frame is set.

    Attributes
    ----------
    label : heading, without the unit.
    kind : how values are written. `percent` takes shares of 1; `count` is whole.
    unit : written after the heading in brackets, such as "USD"; `percent` and `days` know theirs.
    decimals : places after the point; if None as many as give the largest value three significant digits.
    interval : names of the columns with the lower and upper end, written after the value.
    """

    label: str
    kind: Kind = "text"
    unit: str = ""
    decimals: int | None = None
    interval: tuple[str, str] | None = None

    @property
    def heading(self) -> str:
        """The label with its unit."""
        unit = self.unit or {"percent": "%", "days": "days"}.get(self.kind, "")
        return f"{self.label} ({unit})" if unit else self.label


def text(label: str) -> Column:
    """Words, set left."""
    return Column(label=label)


def count(label: str, *, unit: str = "") -> Column:
    """Whole numbers: 12,345."""
    return Column(label=label, kind="count", unit=unit)


def number(label: str, *, unit: str = "", decimals: int | None = None) -> Column:
    """Numbers with as many places as they deserve."""
    return Column(label=label, kind="number", unit=unit, decimals=decimals)


def money(label: str, currency: str, *, decimals: int | None = None, interval: tuple[str, str] | None = None) -> Column:
    """Amounts in `currency` (its ISO code); cents only where the largest amount is under 100."""
    return Column(label=label, kind="money", unit=currency, decimals=decimals, interval=interval)


def percent(label: str, *, decimals: int | None = None, interval: tuple[str, str] | None = None) -> Column:
    """Shares of 1, written as percentages."""
    return Column(label=label, kind="percent", decimals=decimals, interval=interval)


def days(label: str, *, decimals: int | None = None) -> Column:
    """Spans of time in days."""
    return Column(label=label, kind="days", decimals=decimals)


def table(
    frame: pd.DataFrame,
    *,
    title: str = "",
    columns: Mapping[str, Column | str] | None = None,
    notes: str | Sequence[str] = (),
) -> GT:
    """Set a frame as a table.

    Parameters
    ----------
    frame : one row a line of the table. Null is written "–"; a string in a column of numbers, such as "<10"
        for a suppressed cell, stands as it is.
    title : what the table shows.
    columns : the columns to show, in order, and how each is set; a plain string is the heading of a column
        of words. All columns, with their own names, if not given.
    notes : Markdown below the table; HTML in it, and in all else, is shown as text.

    Raises
    ------
    ValueError
        If `columns` names a column that the frame does not have.
    """
    chosen = columns if columns is not None else {str(name): _guess(frame[name]) for name in frame}
    specs = {name: Column(label=column) if isinstance(column, str) else column for name, column in chosen.items()}
    needed = [*specs, *(end for column in specs.values() for end in column.interval or ())]
    absent = [name for name in needed if name not in frame.columns]
    if absent:
        raise ValueError(f"no column {', '.join(absent)} in this frame: it has {', '.join(map(str, frame.columns))}")
    texts = {name: _cells(frame, name, column) for name, column in specs.items()}
    cells = pd.DataFrame(texts, dtype="object")
    numeric = [name for name, column in specs.items() if column.kind != "text"]
    built = GT(cells).cols_label({name: column.heading for name, column in specs.items()})
    built = built.cols_align("left", [name for name in specs if name not in numeric])
    built = built.cols_align("right", numeric)
    if title:
        built = built.tab_header(title=title).opt_align_table_header("left")
    for note in [notes] if isinstance(notes, str) else notes:
        built = built.tab_source_note(md(escape(note, quote=False))) if note else built
    return built.tab_options(table_font_size="14px", table_margin_left="0", source_notes_font_size="12px")


def write(value: object, kind: Kind = "number", decimals: int | None = None) -> str:
    """Write one value; null as "–", a string as it is.

    Parameters
    ----------
    value : number, date, string or null; a share of 1 if `kind` is `percent`.
    kind : see `Column`.
    decimals : places after the point; if None as many as give `value` three significant digits.
    """
    if isinstance(value, str):
        return value or GAP
    if value is None or pd.isna(value):
        return GAP
    if kind == "date" or isinstance(value, date):
        moment = pd.Timestamp(value)
        return f"{moment.day} {moment:%b %Y}"
    if kind == "text":
        return str(value)
    amount = _scaled(float(str(value)), kind)
    if math.isinf(amount):
        return "∞" if amount > 0 else "−∞"
    written = f"{amount:,.{_places(kind, [amount]) if decimals is None else decimals}f}"
    return notation.write(re.sub(r"^-(?=[0.,]*$)", "", written).replace("-", "−"))  # no "−0.0"


def _scaled(amount: float, kind: Kind) -> float:
    return amount * 100 if kind == "percent" else amount


def _places(kind: Kind, amounts: Sequence[float]) -> int:
    """Places after the point that give the largest of `amounts`, already scaled, three significant digits."""
    sizes = [abs(amount) for amount in amounts if math.isfinite(amount)]
    largest = max(sizes, default=0.0)
    if kind == "count" or (kind == "days" and all(size == round(size) for size in sizes)):
        return 0
    if kind == "money":
        return 0 if largest >= 100 else 2
    if kind == "percent":
        return 0 if largest >= 100 and all(size == round(size) for size in sizes) else 1
    return 0 if largest == 0 else min(max(2 - math.floor(math.log10(largest)), 0), 4)


def _cells(frame: pd.DataFrame, name: str, column: Column) -> list[str]:
    """Texts of one column, with the same number of places throughout."""
    decimals = column.decimals
    values = list(frame[name])
    if decimals is None and column.kind not in ("text", "date"):
        numbers = [_scaled(float(value), column.kind) for value in values if _is_number(value)]
        decimals = _places(column.kind, numbers)
    texts = [write(value, column.kind, decimals) for value in values]
    if column.interval is None:
        return texts
    ends = zip(*(frame[end] for end in column.interval), strict=True)
    return [
        f"{shown} ({write(low, column.kind, decimals)} to {write(high, column.kind, decimals)})"
        if _is_number(value) and _is_number(low) and _is_number(high)
        else shown
        for shown, value, (low, high) in zip(texts, values, ends, strict=True)
    ]


def _is_number(value: object) -> bool:
    return not isinstance(value, str | date) and value is not None and not bool(pd.isna(value))


def _guess(values: pd.Series) -> Column:
    """Return how to set a column of which only the name and the values are known."""
    label = str(values.name).replace("_", " ").capitalize()
    if pd.api.types.is_bool_dtype(values):
        return text(label)
    if pd.api.types.is_integer_dtype(values):
        return count(label)
    if pd.api.types.is_float_dtype(values):
        return number(label)
    return Column(label=label, kind="date") if pd.api.types.is_datetime64_any_dtype(values) else text(label)
