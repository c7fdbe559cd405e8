"""Times of the log in the clock of the store."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir


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
    so that it does not depend on an engine's session zone or its own table of zones.
    """
    pairs = utc_offsets(timezone, first, last)
    seconds = ibis.literal(int(pairs[0][1].total_seconds()))
    for start, offset in pairs[1:]:
        seconds = (time >= ibis.literal(start)).ifelse(int(offset.total_seconds()), seconds)
    return time + seconds.as_interval("s")
