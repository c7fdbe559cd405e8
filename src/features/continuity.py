"""Is a log whole: days without a line, weeks or tills far below what was usual, and clocks that cannot be right.

The engine counts by day and by week; what is found in these counts is found here, in plain numbers.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from ..sources.clock import utc_offsets

USUALLY_OPEN = 0.75
"""Share of its weeks in which a weekday must have a line for its silence to be a gap."""

LONG_PAUSE = 28
"""Days without a line that are a gap whatever the rhythm, if no pause that is usual in this log comes near."""

MEMORY = 8
"""Weeks that a week is measured against; a level that lasts as long is the new one."""

LEARNING = 4
"""Weeks that must be known before one can be called low."""

NOISE = 4.0
"""Standard deviations of a Poisson count that a change must exceed."""

MOST_PLACES = 200
"""Stores, or channels, that are looked at: those with the most lines."""

NIGHT_ENDS = 5
"""Hour at which shops do not open yet."""


class Gap(NamedTuple):
    """Days on which a line would have been usual and none came: the first and last of them, and how many."""

    first: date
    last: date
    days: int


class Episode(NamedTuple):
    """Weeks far from what was usual.

    Attributes
    ----------
    start : Monday of the first.
    weeks : how many.
    usual, level : customers a week before, and in them (medians).
    stays : whether it lasted for `MEMORY` weeks, or to the end.
    """

    start: date
    weeks: int
    usual: float
    level: float
    stays: bool


def daily(lines: ir.Table) -> pd.DataFrame:
    """Lines by day, the oldest first.

    Returns
    -------
    day, lines, spend (money), timed (lines with a time of day), night (those of them before five).
    """
    timed = (lines.time.hour() + lines.time.minute() + lines.time.second()) > 0
    counted = lines.group_by("day").agg(
        lines=lines.count(),
        spend=lines.amount.sum(),
        timed=timed.sum(),
        night=(timed & (lines.time.hour() < NIGHT_ENDS)).sum(),
    )
    return counted.to_pandas().sort_values("day", ignore_index=True)


def gaps(days: Sequence[date]) -> list[Gap]:
    """Pauses beyond the usual rhythm of a week.

    Parameters
    ----------
    days : with a line, in order.

    Returns
    -------
    The oldest first. A weekday on which the shop is usually closed is no gap, and neither is a quiet day of a shop that
    has no rhythm.

    Examples
    --------
    >>> open_days = [date(2020, 1, 6) + timedelta(days=n) for n in range(70) if n % 7 < 6 and n not in (30, 31)]
    >>> gaps(open_days)
    [Gap(first=datetime.date(2020, 2, 5), last=datetime.date(2020, 2, 6), days=2)]
    """
    pauses = [(later - earlier).days for earlier, later in pairwise(days)]
    if not pauses:
        return []
    long = max(LONG_PAUSE, 5 * float(np.quantile(pauses, 0.99, method="lower")))
    holes = [at for at, pause in enumerate(pauses) if pause > long]
    known = pd.DatetimeIndex(days)
    # How a week usually looks is not told by a year without a line.
    outside = pd.DatetimeIndex([])
    for at in holes:
        outside = outside.union(pd.date_range(known[at], known[at + 1], inclusive="neither"))
    every = pd.date_range(known[0], known[-1]).difference(outside)
    open_share = known.day_of_week.value_counts() / every.day_of_week.value_counts()
    expected = open_share[open_share >= USUALLY_OPEN].index
    found = []
    for at, pause in enumerate(pauses):
        between = [days[at] + timedelta(days=n) for n in range(1, pause)]
        missed = between if at in holes else [day for day in between if day.weekday() in expected]
        if missed:
            found.append(Gap(missed[0], missed[-1], len(missed)))
    return found


def weekly(lines: ir.Table, place: str | None = None) -> dict[str, pd.Series]:
    """Customers by week, in total or by store or channel.

    Parameters
    ----------
    lines : customer, day and `place`.
    place : a column; its `MOST_PLACES` values with the most lines are counted.

    Returns
    -------
    place (empty for the total) → customers by Monday: the weeks that the whole log covers, zero where nobody came.
    """
    span = lines.agg(first=lines.day.min(), last=lines.day.max()).to_pyarrow().to_pylist()[0]
    if span["first"] is None:
        return {}
    weeks = pd.DatetimeIndex(whole_weeks(span["first"], span["last"] + timedelta(days=1)))
    placed = lines.mutate(place=ibis.literal("") if place is None else lines[place], week=lines.day.truncate("W"))
    if place is not None:
        sizes = placed.filter(placed.place.notnull()).group_by("place").agg(lines=lambda each: each.count())
        largest = sizes.order_by(sizes.lines.desc(), sizes.place).limit(MOST_PLACES)
        placed = placed.semi_join(largest, "place")
    counted = placed.group_by("place", "week").agg(customers=placed.customer.nunique()).to_pandas()
    counted["week"] = pd.to_datetime(counted["week"])
    return {
        str(name): each.set_index("week")["customers"].reindex(weeks, fill_value=0)
        for name, each in counted.groupby("place", sort=True)
    }


def whole_weeks(first: date, end: date) -> list[date]:
    """Mondays of the weeks that lie in [first, end)."""
    monday = first + timedelta(days=-first.weekday() % 7)
    return [monday + timedelta(weeks=n) for n in range(max(0, (end - monday).days // 7))]


def episodes(customers: pd.Series) -> list[Episode]:
    """Weeks with less than half, or for good more than twice, of what was usual, beyond the noise of small numbers.

    Parameters
    ----------
    customers : by Monday, every week.

    Examples
    --------
    >>> weeks = pd.date_range("2020-01-06", periods=12, freq="W-MON")
    >>> episodes(pd.Series([100] * 8 + [3, 0] + [97, 103], index=weeks))
    [Episode(start=datetime.date(2020, 3, 2), weeks=2, usual=100.0, level=1.5, stays=False)]
    """
    values = customers.to_numpy(dtype=float)
    found: list[Episode] = []
    usual: list[float] = []
    at = 0
    while at < len(values):
        middle = float(np.median(usual[-MEMORY:])) if len(usual) >= LEARNING else None
        side = 0 if middle is None else _side(values[at], middle)
        if side == 0 or middle is None:
            usual.append(values[at])
            at += 1
            continue
        run = [values[at]]
        while at + len(run) < len(values) and len(run) < MEMORY and _side(values[at + len(run)], middle) == side:
            run.append(values[at + len(run)])
        stays = len(run) == MEMORY or (side < 0 and at + len(run) == len(values))
        if stays:
            usual = run.copy()
        if stays or side < 0:
            found.append(Episode(customers.index[at].date(), len(run), middle, float(np.median(run)), stays))
        at += len(run)
    return found


def _side(value: float, usual: float) -> int:
    """-1 for a week far below the usual number, 1 for one far above, else 0."""
    if value < usual / 2 and usual - value > NOISE * usual**0.5:
        return -1
    return int(value > 2 * usual and value - usual > NOISE * value**0.5)


def clock_changes(timezone: str, first: date, last: date) -> tuple[list[tuple[datetime, datetime]], ...]:
    """Local times that a zone leaves out, and those that it has twice.

    Returns
    -------
    skipped, repeated : pairs of (first local time, first local time after).

    Examples
    --------
    >>> skipped, repeated = clock_changes("Europe/Berlin", date(2020, 1, 1), date(2020, 12, 31))
    >>> [str(time) for time in skipped[0]], str(repeated[0][0])
    (['2020-03-29 02:00:00', '2020-03-29 03:00:00'], '2020-10-25 02:00:00')
    """
    midnight = datetime.min.time()
    pairs = utc_offsets(
        timezone,
        datetime.combine(first, midnight) - timedelta(days=1),
        datetime.combine(last, midnight) + timedelta(days=2),
    )
    skipped: list[tuple[datetime, datetime]] = []
    repeated: list[tuple[datetime, datetime]] = []
    for (_, before), (instant, after) in pairwise(pairs):
        low, high = sorted((instant + before, instant + after))
        (skipped if after > before else repeated).append((low, high))
    return skipped, repeated


def among(time: ir.TimestampColumn, spans: Sequence[tuple[datetime, datetime]]) -> ir.BooleanValue:
    """Whether a time lies in one of the spans, their ends not included."""
    inside: ir.BooleanValue = ibis.literal(False)
    for low, high in spans:
        inside = inside | ((time >= ibis.literal(low)) & (time < ibis.literal(high)))
    return inside
