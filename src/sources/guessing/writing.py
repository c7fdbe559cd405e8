"""How times and numbers are written as text: found out from the values of a column."""

import re
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from ..text import CURRENCY
from .words import MONEY

ENOUGH = 0.8
"""Share of values that must be of a kind for the column to be of it: files hold dirt."""
_MOST_READ = 5000
"""Different values that formats are tried on."""

_ISO = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[Zz]|[+-]\d{2}:?\d{2})?)?"
_DATE = re.compile(r"(\d{4}|\d{1,2})(\D{1,2})\d{1,2}(\D{1,2})(\d{4}|\d{1,2})(?!\d)(.*)", re.DOTALL)
_COMPACT = {8: "", 12: "%H%M", 14: "%H%M%S"}
_CLOCK = re.compile(r"\d+")
_SINCE_1970 = {1: "seconds", 1000: "milliseconds"}
_LETTERS = rf"R\$|元|\b(?:{'|'.join(MONEY)})\b"
_AROUND = rf"{_LETTERS}|[{re.escape(CURRENCY)}]"
"""What may stand around the digits of a price. `text.number` reads the signs, not the letters."""


class TimeReading(NamedTuple):
    """How the times of a column are written.

    Attributes
    ----------
    formats : as `time_format`; None where none is needed. Two where day and month could change places.
    share : of the values that it reads.
    times : the different values, read in the first of the formats; NaT where it does not read one.
    obstacle : why this package cannot read the column as it is; empty if it can.
    """

    formats: tuple[str | None, ...]
    share: float
    times: pd.Series
    obstacle: str = ""


class NumberStyle(NamedTuple):
    """Signs inside the numbers of a text file, as the dataset file calls them."""

    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = None


class NumberReading(NamedTuple):
    """The numbers of a column.

    Attributes
    ----------
    values : float64, null where a value is no number.
    style : how they are written, if as text.
    obstacle : why this package cannot read the column as it is; empty if it can.
    """

    values: pd.Series
    style: NumberStyle
    obstacle: str = ""


STYLES = (
    NumberStyle(), NumberStyle(","), NumberStyle(".", ","), NumberStyle(",", "."), NumberStyle(",", " "),
    NumberStyle(".", " "), NumberStyle(".", "'"),
)  # fmt: skip


def read_times(values: pd.Series) -> TimeReading | None:
    """Find out how times are written as text.

    Parameters
    ----------
    values : text, null where missing.

    Returns
    -------
    None unless `ENOUGH` of the values are times between 1990 and 2100.

    Examples
    --------
    >>> read_times(pd.Series(["31.01.2024 08:15", "1.2.2024 17:00"])).formats
    ('%d.%m.%Y %H:%M',)
    >>> read_times(pd.Series(["3/4/2024", "5/6/2024"])).formats
    ('%d/%m/%Y', '%m/%d/%Y')
    """
    known = pd.Series(values.dropna().unique(), dtype="string")
    known = known.iloc[:: max(1, len(known) // _MOST_READ)]
    if not len(known):
        return None
    if (share := float(known.str.fullmatch(_ISO).mean())) >= ENOUGH:
        times = pd.to_datetime(known.where(known.str.fullmatch(_ISO)), format="ISO8601", errors="coerce", utc=True)
        return TimeReading((None,), share, times.dt.tz_localize(None))
    readings = [read for written in _formats(known) if (read := _try(known, written)) is not None]
    if not readings:
        return _since_1970(known) or _in_words(known)
    best = max(reading.share for reading in readings)
    first, *others = [reading for reading in readings if reading.share == best]
    return first._replace(formats=(*first.formats, *(other.formats[0] for other in others)))


def _try(known: pd.Series, written: str) -> TimeReading | None:
    bare = known.str.replace(r"\.\d+$", "", regex=True) if written.endswith("%S") else known
    times = pd.to_datetime(bare, format=written, errors="coerce")
    times = times.where(times.dt.year.between(1990, 2100))
    share = float(times.notna().mean())
    return TimeReading((written,), share, times) if share >= ENOUGH else None


def _formats(known: pd.Series) -> list[str]:
    """Formats that the most common shape among some texts allows."""
    common = known.str.replace(r"\d+", "0", regex=True).mode().iloc[0]
    example = str(known[known.str.replace(r"\d+", "0", regex=True) == common].iloc[0])
    if example.isdigit():
        clock = _COMPACT.get(len(example))
        return [] if clock is None else [f"{date}{clock}" for date in ("%Y%m%d", "%d%m%Y")]
    match = _DATE.fullmatch(example)
    clock = None if match is None else _clock_format(match[5])
    if match is None or clock is None:
        return []
    first, one, two, last = match[1], match[2], match[3], match[4]
    if len(first) == 4:
        return [f"%Y{one}%m{two}%d{clock}"]
    year = "%Y" if len(last) == 4 else "%y"
    return [f"%d{one}%m{two}{year}{clock}", f"%m{one}%d{two}{year}{clock}"]


def _clock_format(rest: str) -> str | None:
    """What follows a date, with its digits as hours, minutes and seconds; None if that cannot be."""
    rest = re.sub(r"(:\d+:\d+)\.\d+$", r"\1", rest)
    if len(_CLOCK.findall(rest)) not in (0, 2, 3) or re.search(r"^\.|%|[ap]\.?m", rest, re.IGNORECASE):
        return None
    parts = iter(("%H", "%M", "%S"))
    return _CLOCK.sub(lambda _: next(parts), rest)


def _since_1970(known: pd.Series) -> TimeReading | None:
    if not known.str.fullmatch(r"\d{9,10}|\d{12,13}").mean() >= ENOUGH:
        return None
    numbers = pd.to_numeric(known, errors="coerce").astype("Float64")
    for divisor, unit in _SINCE_1970.items():
        times = pd.to_datetime((numbers / divisor).round(), unit="s", errors="coerce")
        plausible = times.dt.year.between(1995, 2035)
        if plausible.mean() >= ENOUGH:
            reason = f"it counts {unit} since 1970, which no time_format reads: write it as a date first"
            return TimeReading((None,), float(plausible.mean()), times.where(plausible), reason)
    return None


def _in_words(known: pd.Series) -> TimeReading | None:
    """Times with the month in letters, or on a clock of twelve hours."""
    letters = known.str.fullmatch(r"(?i)\d{1,2}[ .-]+(?:de )?[^\W\d]{3,10}[ .,-]+(?:de )?\d{2,4}.*")
    twelve = known.str.fullmatch(r"(?i)\d{1,4}\D\d{1,2}\D\d{1,4}\D+\d{1,2}:\d{2}.*[ap]\.?m\.?")
    for matches, what in ((letters, "its months are written in letters"), (twelve, "its clock has twelve hours")):
        if matches.mean() >= ENOUGH:
            reason = f"{what}, which no time_format reads: write it as 2024-01-31 13:45 first"
            return TimeReading((None,), float(matches.mean()), pd.Series(dtype="datetime64[ns]"), reason)
    return None


def read_numbers(values: pd.Series) -> NumberReading | None:
    """Find out how numbers are written.

    Parameters
    ----------
    values : text or typed, null where missing.

    Returns
    -------
    None unless `ENOUGH` of the values are numbers.

    Examples
    --------
    >>> read = read_numbers(pd.Series(["1.234,50", "7,99", "-3"], dtype="string"))
    >>> read.values.tolist(), read.style
    ([1234.5, 7.99, -3.0], NumberStyle(decimal=',', thousands='.'))
    """
    if not pd.api.types.is_string_dtype(values):
        return _typed_numbers(values)
    filled = values.dropna()
    if not len(filled) or filled.head(_MOST_READ).str.contains(r"^\D{0,5}\d").mean() < ENOUGH:
        return None
    bare = filled.str.replace(_AROUND, "", regex=True).str.strip()
    bare = bare.str.replace(r"^(?:\((.*)\)|(.*)-)$", lambda match: f"-{match[1] or match[2]}", regex=True)
    style = _style(bare)
    if style is None:
        return None
    plain = bare.where(bare.str.fullmatch(_pattern(style)))
    plain = plain.str.replace(_sign(style.thousands), "", regex=True) if style.thousands else plain
    numbers = pd.to_numeric(plain.str.replace(style.decimal, ".", regex=False), errors="coerce")
    lettered = filled[filled.str.contains(_LETTERS)]
    obstacle = f"its numbers carry letters ({lettered.iloc[0]}): write digits only" if len(lettered) else ""
    return NumberReading(numbers.astype("float64").reindex(values.index), style, obstacle)


def _typed_numbers(values: pd.Series) -> NumberReading | None:
    """Numbers of a typed source."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values) or not values.notna().any():
        return None
    return NumberReading(values.astype("float64").replace([np.inf, -np.inf], np.nan), NumberStyle())


def _style(bare: pd.Series) -> NumberStyle | None:
    """The style in which most of some texts are numbers; None if too few are in any."""
    known = pd.Series(bare.unique(), dtype="string")
    known = known.iloc[:: max(1, len(known) // _MOST_READ)]
    shares = {style: float(known.str.fullmatch(_pattern(style)).mean()) for style in STYLES}
    best = max(shares.values())
    return _likeliest([style for style, share in shares.items() if share == best], known) if best >= ENOUGH else None


def _sign(thousands: str) -> str:
    return {" ": "[ \u00a0\u2009\u202f]", "'": "['’]"}.get(thousands, re.escape(thousands))


def _pattern(style: NumberStyle) -> str:
    decimal = re.escape(style.decimal)
    if style.thousands is None:
        return rf"[-+−]?(?:\d+(?:{decimal}\d*)?|{decimal}\d+)"
    return rf"[-+−]?(?:[1-9]\d{{0,2}}(?:{_sign(style.thousands)}\d{{3}})+|\d+)(?:{decimal}\d*)?"


def _likeliest(styles: list[NumberStyle], texts: pd.Series) -> NumberStyle:
    """Of styles that read the same values, the one that is meant: money has seldom three decimals."""
    for style in styles:
        if style.thousands in (",", ".") and texts.str.contains(style.thousands, regex=False).any():
            return style
    return styles[0]
