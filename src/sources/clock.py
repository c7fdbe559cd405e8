"""Times of the log in the clock of the store."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from ..formats import DIRECTIVES, MONTHS, NAMED, WORDS

OFFSET = r":\d\d(?:\.\d+)?\s*([+-])(\d\d):?(\d\d)?$"
UTC_SIGN = r":\d\d(?:\.\d+)?\s*[Zz]$"
ISO = r"^\d{4}-\d{1,2}-\d{1,2}(?:[T ](?:[01]?\d|2[0-3]):\d{1,2}(?::\d{1,2}(?:\.\d+)?)?)?$"
"""What all engines read alike: one takes 2020-06 for a date, another 24:00 for an hour."""
ZONED = r":\d\d(?:\.\d+)?\s*(?:[Zz]|[+-]\d\d(?::?\d\d)?)$"

SINCE_1970 = {"unix": 1, "unix_ms": 1000}
"""Named formats that tell an instant, with how many of their units are a second."""
FURTHEST = 1e15
"""A count beyond it is no time."""

EARLIEST, LATEST = datetime(1970, 1, 1), datetime(2100, 1, 1)
"""Between them a time may be of a purchase."""


def read_time(column: ir.Column, time_format: str | None) -> ir.TimestampColumn:
    """A column as timestamps without a zone; null where it cannot be read.

    Parameters
    ----------
    column : timestamps, dates or text; with a `time_format` also numbers such as 20170131.
    time_format : how text is written, see `DIRECTIVES`, or one of `NAMED`; ISO 8601 if not given, with `-`, `/` or `.`
        in the date. A text that names its own distance from UTC, and what counts seconds since 1970, is read as that
        instant, in UTC: see `is_zoned`.
    """
    if time_format in NAMED:
        return _counted(column, str(time_format))
    if time_format is not None:
        return _by_format(column.cast("string").strip(), time_format)
    if not column.type().is_string():
        return column.cast("timestamp") if column.type().is_temporal() else ibis.null("timestamp")
    text = column.strip()
    text = text.re_search(r"^\d{4}[/.]\d").ifelse(text.replace("/", "-").replace(".", "-"), text)
    bare = text.re_search(ZONED).ifelse(text.re_extract(r"^(.*\d)\s*(?:[Zz]|[+-][\d:]+)$", 1), text)
    read = bare.re_search(ISO).ifelse(bare, ibis.null("string")).try_cast("timestamp")
    return read - _offset(text).as_interval("m")


def is_zoned(column: ir.Column, time_format: str | None = None) -> ir.BooleanValue:
    """Whether a value says itself which instant it means: a timestamp with a zone, text in ISO 8601 that ends in Z or
    +hh:mm, or a number that counts from 1970 in UTC.
    """
    if time_format is not None:
        return ibis.literal(time_format in SINCE_1970)
    if column.type().is_timestamp():
        return ibis.literal(column.type().timezone is not None)
    if column.type().is_string():
        return column.strip().re_search(ZONED).coalesce(False)
    return ibis.literal(False)


def has_clock(column: ir.Column, time_format: str | None) -> ir.BooleanValue:
    """Whether a value names a time of day; a bare date is a day of the store, in whatever zone the times are."""
    if time_format == "excel":
        return (_as_float(column) % 1 != 0).coalesce(False)
    if time_format is not None:
        return ibis.literal("%H" in time_format or "%I" in time_format or time_format in SINCE_1970)
    if column.type().is_string():
        return column.contains(":").coalesce(False)
    return ibis.literal(column.type().is_timestamp())


def _offset(text: ir.StringColumn) -> ir.IntegerColumn:
    """Minutes from UTC that a text ends with; zero where it names none."""
    minutes = _number(text, OFFSET, 2) * 60 + _number(text, OFFSET, 3).coalesce(0)
    signed = (text.re_extract(OFFSET, 1) == "-").ifelse(-minutes, minutes)
    return text.re_search(OFFSET).ifelse(signed, 0).coalesce(0)


def _number(text: ir.StringColumn, pattern: str, group: int) -> ir.IntegerColumn:
    return text.re_extract(pattern, group).nullif("").try_cast("int32")


def _as_float(column: ir.Column) -> ir.FloatingValue:
    """A column as numbers, decimals after a point or a comma; null where it holds none."""
    if not column.type().is_numeric():
        column = column.cast("string").strip().replace(",", ".")
    value = column.try_cast("float64")
    return (value.abs() < FURTHEST).ifelse(value, ibis.null("float64"))


def _counted(column: ir.Column, named: str) -> ir.TimestampColumn:
    """Numbers that count seconds, milliseconds or days, to the second."""
    start, seconds = (datetime(1899, 12, 30), 86_400.0) if named == "excel" else (datetime(1970, 1, 1), 1.0)
    value = _as_float(column) * seconds / SINCE_1970.get(named, 1)
    # Days are fractions that meet a second only nearly; a millisecond belongs to the second that it is in.
    whole = (value.round() if named == "excel" else value.floor()).cast("int64")
    first, last = ((end - start).total_seconds() for end in (datetime(1, 1, 2), datetime(9999, 12, 30)))
    within = whole.between(int(first), int(last)).ifelse(whole, ibis.null("int64"))
    return ibis.literal(start) + within.as_interval("s")


def _by_format(text: ir.StringColumn, time_format: str) -> ir.TimestampColumn:
    """Text of one shape, put together as ISO 8601, which every engine reads the same."""
    pattern, order = _pattern(time_format)
    part = {name: text.re_extract(pattern, at + 1) for at, name in enumerate(order)}
    year = part["Y"] if "Y" in part else (part["y"] >= "69").ifelse("19", "20") + part["y"]
    date = year + "-" + _month(part) + "-" + part["d"]
    parts = part | ({"H": _hour_of_two_halves(part)} if "I" in part else {})
    clock = ibis.literal(" ")
    for name in "HMS":
        clock = clock + (parts[name] if name in parts else ibis.literal("00")) + ("" if name == "S" else ":")
    whole = text.re_search(pattern).ifelse(date + clock, ibis.null("string"))
    return whole.try_cast("timestamp")


def _month(part: dict[str, ir.StringColumn]) -> ir.StringColumn:
    """The number of a month; null where its name is not known."""
    if "m" in part:
        return part["m"]
    name = (part["b"] if "b" in part else part["B"]).lower()
    known = [(name.isin(names.split()), str(number)) for number, names in enumerate(MONTHS, start=1)]
    return ibis.cases(*known, else_=ibis.null("string"))


def _hour_of_two_halves(part: dict[str, ir.StringColumn]) -> ir.StringColumn:
    """The hour of a clock of twelve hours, as of one of 24; null where it is not from 1 to 12."""
    hour = part["I"].nullif("").try_cast("int32")
    afternoon = part["p"].lower().startswith("p").ifelse(12, 0)
    return hour.between(1, 12).ifelse(hour % 12 + afternoon, ibis.null("int32")).cast("string")


def _pattern(time_format: str) -> tuple[str, list[str]]:
    """A time format as a regular expression, and which part each of its groups is."""
    pieces, order = [], []
    tokens = re.findall(r"%.|[^%]+", time_format)
    for at, token in enumerate(tokens):
        name = token[1:] if token.startswith("%") else ""
        if name not in DIRECTIVES:
            pieces.append(re.escape(token.replace("%%", "%")))
            continue
        # Digits that touch other digits must be two; elsewhere a leading zero may be missing.
        beside = [other for other in tokens[max(at - 1, 0) : at + 2] if other is not token]
        touches = any(other.startswith("%") and other[1:] not in WORDS for other in beside)
        shape = DIRECTIVES[name].replace("{1,2}", "{2}") if touches else DIRECTIVES[name]
        pieces.append(rf"({shape})\.?" if name in WORDS else f"({shape})")
        order.append(name)
    # What follows seconds, a fraction, says nothing that a day or an hour depends on.
    tail = r"(?:\.\d+)?" if order and order[-1] == "S" and tokens[-1] == "%S" else ""
    return f"^{''.join(pieces)}{tail}$", order


def utc_offsets(timezone: str, first: datetime, last: datetime) -> list[tuple[datetime, timedelta]]:
    """Offsets from UTC that hold in a zone between two instants.

    Parameters
    ----------
    timezone : IANA name.
    first, last : naive UTC.

    Returns
    -------
    Pairs of (instant in naive UTC from which the offset holds, offset), oldest first; the first pair starts at `first`.

    Examples
    --------
    >>> pairs = utc_offsets("America/New_York", datetime(2017, 1, 1), datetime(2017, 6, 1))
    >>> [(str(start), offset / timedelta(hours=1)) for start, offset in pairs]
    [('2017-01-01 00:00:00', -5.0), ('2017-03-12 07:00:00', -4.0)]
    """
    zone = ZoneInfo(timezone)

    def offset_at(instant: datetime) -> timedelta:
        return instant.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta(0)

    pairs = [(first, offset_at(first))]
    day = first
    while day < last:
        next_day = min(day + timedelta(days=1), last)
        if offset_at(next_day) != offset_at(day):
            pairs.append((_change_between(day, next_day, offset_at), offset_at(next_day)))
        day = next_day
    return pairs


def _change_between(low: datetime, high: datetime, offset_at: Callable[[datetime], timedelta]) -> datetime:
    """First second after `low` at which the offset is the one of `high`."""
    after = offset_at(high)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        low, high = (low, middle) if offset_at(middle) == after else (middle, high)
    return high.replace(microsecond=0)


def to_local(time: ir.TimestampColumn, timezone: str, first: datetime, last: datetime) -> ir.TimestampColumn:
    """Naive UTC as naive local time of `timezone`.

    The shift is written as plain arithmetic with the zone's own rules between `first` and `last` (naive UTC),
    so that it does not depend on an engine's session zone or its own table of zones. Times of no purchase, such as
    9999-12-31, are left as they are: they may lie at the end of all that can be written.
    """
    pairs = utc_offsets(timezone, max(first, EARLIEST), min(last, LATEST))
    # Side by side: a hundred years of them inside each other are too deep. Most lines are of the latest.
    since = [(time >= ibis.literal(start), int(offset.total_seconds())) for start, offset in reversed(pairs[1:])]
    at_first = int(pairs[0][1].total_seconds())
    known = (time >= ibis.literal(EARLIEST)) & (time < ibis.literal(LATEST))
    seconds = ibis.cases((~known, 0), *since, else_=at_first)
    return time + seconds.as_interval("s")
