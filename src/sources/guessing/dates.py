"""How times are written: found out from the values of a column, and read as the engines read them."""

import re
from typing import NamedTuple

import ibis
import pandas as pd

from ...formats import MONTHS
from ..clock import read_time
from .writing import ENOUGH, MOST_READ

_ISO = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[Zz]|[+-]\d{2}:?\d{2})?)?"
_DATE = re.compile(
    r"((?:%a[^\d%]{1,3})?)(%b|\d{1,4})([^\d%]{0,6})(%b|\d{1,2})([^\d%]{1,6}|)(\d{4}|\d{1,2})(?!\d)(.*)", re.DOTALL
)
_COMPACT = {8: "", 12: "%H%M", 14: "%H%M%S"}
_NUMBER = re.compile(r"\d+")
_HALF_OF_DAY = re.compile(r"(?i)(?<=\d)(\s?)[ap]\.? ?m\b\.?")
_WORD = re.compile(r"[^\W\d_]+\.?")
_MONTHS = frozenset(name for names in MONTHS for name in names.split())
_WEEKDAYS = frozenset(
    name
    for names in (
        "monday mon tuesday tue tues wednesday wed thursday thu thur thurs friday fri saturday sat sunday sun",
        "montag mo dienstag di mittwoch mi donnerstag do freitag fr samstag sonnabend sa sonntag so",
        "lundi lun mardi mercredi mer jeudi jeu vendredi ven samedi sam dimanche dim",
        "lunes martes miércoles mié jueves jue viernes vie sábado sáb domingo dom",
        "segunda seg terça ter quarta qua quinta qui sexta sex sab",
    )
    for name in names.split()
)
_COUNTED = {"unix": r"\d{9,10}(?:\.\d+)?", "unix_ms": r"\d{12,13}", "excel": r"\d{5}(?:[.,]\d+)?"}


class TimeReading(NamedTuple):
    """How the times of a column are written.

    Attributes
    ----------
    formats : as `time_format`; None where none is needed. Two where day and month could change places.
    share : of the values that it reads.
    times : the different values, read in the first of the formats; NaT where it does not read one.
    obstacle : why this package cannot read the column as it is; empty if it can.
    counted : whether the values are plain numbers, which may as well be no times.
    """

    formats: tuple[str | None, ...]
    share: float
    times: pd.Series
    obstacle: str = ""
    counted: bool = False


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
    >>> read_times(pd.Series(["3/4/2024 9:05 PM", "5/6/2024 11:00 AM"])).formats
    ('%d/%m/%Y %I:%M %p', '%m/%d/%Y %I:%M %p')
    """
    known = _different(values)
    if not len(known):
        return None
    if (share := float(known.str.fullmatch(_ISO).mean())) >= ENOUGH:
        return TimeReading((None,), share, as_times(known.where(known.str.fullmatch(_ISO)), None))
    readings = [read for written in _formats(known) if (read := _try(known, written)) is not None]
    if not readings:
        return read_counts(values) or _in_other_words(known)
    best = max(reading.share for reading in readings)
    first, *others = [reading for reading in readings if reading.share == best]
    return first._replace(formats=(*first.formats, *(other.formats[0] for other in others)))


def read_counts(values: pd.Series) -> TimeReading | None:
    """Times that are numbers: seconds or milliseconds since 1970, or the days of Excel.

    Parameters
    ----------
    values : as text, null where missing.

    Returns
    -------
    None unless `ENOUGH` of the values would be times between 1995 and 2035.

    Examples
    --------
    >>> read_counts(pd.Series(["45322.5", "45323"])).formats, read_counts(pd.Series(["12", "13"]))
    (('excel',), None)
    """
    known = _different(values)
    for written, shape in _COUNTED.items():
        if len(known) and known.str.fullmatch(shape).mean() >= ENOUGH:
            times = as_times(known, written)
            times = times.where(times.dt.year.between(1995, 2035))
            if (share := float(times.notna().mean())) >= ENOUGH:
                return TimeReading((written,), share, times, counted=True)
    return None


def as_times(texts: pd.Series, written: str | None) -> pd.Series:
    """Texts in a `time_format` as the engines read them; NaT where they do not."""
    column = pd.DataFrame({"at": range(len(texts)), "text": texts.to_numpy(dtype=object)})
    table = ibis.memtable(column, schema={"at": "int64", "text": "string"})
    read = table.select("at", time=read_time(table.text, written)).order_by("at").to_pandas()
    return pd.Series(read["time"].to_numpy(), index=texts.index)


def _different(values: pd.Series) -> pd.Series:
    """Different values, not more than can be tried at once."""
    known = pd.Series(values.dropna().unique(), dtype="string")
    return known.iloc[:: max(1, len(known) // MOST_READ)]


def _try(known: pd.Series, written: str) -> TimeReading | None:
    times = as_times(known, written)
    times = times.where(times.dt.year.between(1990, 2100))
    share = float(times.notna().mean())
    return TimeReading((written,), share, times) if share >= ENOUGH else None


def _formats(known: pd.Series) -> list[str]:
    """Formats that the most common shape among some texts allows."""
    if known.str.contains("%", regex=False).any():
        return []
    named = known.map(_with_names_marked)
    shapes = named.str.replace(r"\d+", "0", regex=True)
    example = str(named[shapes == shapes.mode().iloc[0]].iloc[0])
    if example.isdigit():
        clock = _COMPACT.get(len(example))
        return [] if clock is None else [f"{date}{clock}" for date in ("%Y%m%d", "%d%m%Y")]
    match = _DATE.fullmatch(example)
    clock = None if match is None else _clock_format(match[7])
    if match is None or clock is None:
        return []
    return [f"{match[1]}{date}{clock}" for date in _date_formats(*match.groups()[1:6])]


def _with_names_marked(text: str) -> str:
    """A text with the names of months and weekdays, and AM or PM, as a format writes them.

    Examples
    --------
    >>> _with_names_marked("Fri, 5 Jan. 2024 9:05 pm"), _with_names_marked("5 de enero de 2024")
    ('%a, 5 %b 2024 9:05 %p', '5 de %b de 2024')
    """

    def marked(match: re.Match[str]) -> str:
        word = match[0].rstrip(".").lower()
        return "%b" if word in _MONTHS else "%a" if word in _WEEKDAYS else match[0]

    # Its own sign must not be taken for a word.
    halves = _HALF_OF_DAY.sub("\\1%0", text)
    return _WORD.sub(marked, halves).replace("%0", "%p")


def _date_formats(first: str, one: str, second: str, two: str, last: str) -> list[str]:
    """What three parts of a date, and the signs between them, may be."""
    words = (first, second).count("%b")
    if words == 2 or (not words and not all(1 <= len(sign) <= 2 for sign in (one, two))):
        return []
    if first.isdigit() and len(first) > 2:
        return [f"%Y{one}{second if words else '%m'}{two}%d"] if len(first) == 4 else []
    if len(last) == 1:
        return []
    year = "%Y" if len(last) == 4 else "%y"
    if words:
        return [f"{'%d' if first.isdigit() else first}{one}{'%d' if second.isdigit() else second}{two}{year}"]
    return [f"%d{one}%m{two}{year}", f"%m{one}%d{two}{year}"]


def _clock_format(rest: str) -> str | None:
    """What follows a date, with its digits as hours, minutes and seconds; None if that cannot be."""
    rest = re.sub(r"(:\d+:\d+)\.\d+$", r"\1", rest)
    halves = rest.count("%p")
    numbers = len(_NUMBER.findall(rest))
    if re.search(r"^\.|%[^p]", rest) or halves > 1 or numbers not in ((1, 2, 3) if halves else (0, 2, 3)):
        return None
    parts = iter(("%I" if halves else "%H", "%M", "%S"))
    return _NUMBER.sub(lambda _: next(parts), rest)


def _in_other_words(known: pd.Series) -> TimeReading | None:
    """Times whose month is a word that `formats.MONTHS` does not have."""
    worded = known.str.fullmatch(r"(?i)\d{1,2}[ .-]+(?:de )?[^\W\d]{3,10}[ .,-]+(?:de )?\d{2,4}.*")
    if worded.mean() < ENOUGH:
        return None
    reason = "its months are written in words that no time_format knows: write it as 2024-01-31 13:45 first"
    return TimeReading((None,), float(worded.mean()), pd.Series(dtype="datetime64[us]"), reason)
