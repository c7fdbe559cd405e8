"""A measure over past runs as a small drawing: SVG in the colours of the page, with what it shows in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from markupsafe import Markup, escape

from . import words

MARGIN = 5.0
"""Around the line, so that its ends are whole."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A measure at a date, with its 90 % interval where there is one."""

    day: date
    value: float
    low: float | None = None
    high: float | None = None


def line(
    points: Sequence[Point],
    label: str,
    write: Callable[[float], str],
    *,
    goal: float | None = None,
    promised: Sequence[Point] = (),
    width: int = 216,
    height: int = 48,
) -> Markup:
    """Draw a measure run by run; dates are as far apart as they are.

    Parameters
    ----------
    points : in order of date, two at least.
    label : what is measured.
    write : writes a value.
    goal : drawn as a broken line.
    promised : what had been said of the same dates, drawn as a broken line too.
    width, height : of the drawing, CSS pixels; it shrinks where there is less room.

    Returns
    -------
    Markup
        An SVG element without styles of its own. Where the measure is not known in a run, the line bridges it.

    Raises
    ------
    ValueError
        For fewer than two points: one is no history.
    """
    if len(points) < 2:
        raise ValueError(f"expected two points or more, found {len(points)}")
    place = _Place([*points, *promised], goal, width, height)
    parts = [_band(points, place)]
    if goal is not None:
        level = f"{place.y(goal):.1f}"
        parts.append(
            f'<line x1="0" y1="{level}" x2="{width}" y2="{level}" stroke="currentColor" stroke-width="1" '
            'stroke-dasharray="3 3" opacity="0.6"/>'
        )
    if len(promised) > 1:
        parts.append(_polyline(promised, place, 'stroke="currentColor" stroke-width="1.25" stroke-dasharray="4 3"'))
    parts.append(_polyline(points, place, 'stroke="var(--accent)" stroke-width="1.75"'))
    end = points[-1]
    parts.append(f'<circle cx="{place.x(end.day):.1f}" cy="{place.y(end.value):.1f}" r="3.25" fill="var(--accent)"/>')
    alt = escape(described(points, label, write, goal))
    if len(promised) > 1:
        alt = alt + " " + escape(described(promised, "Promised", write))
    return Markup(  # noqa: S704  numbers, and words that are escaped
        f'<svg role="img" aria-label="{alt}" width="100%" height="{height}" viewBox="0 0 {width} {height}" '
        f'preserveAspectRatio="xMinYMid meet" focusable="false">{"".join(parts)}</svg>'
    )


def _polyline(points: Sequence[Point], place: "_Place", look: str) -> str:
    spots = " ".join(f"{place.x(one.day):.1f},{place.y(one.value):.1f}" for one in points)
    return f'<polyline points="{spots}" fill="none" stroke-linejoin="round" stroke-linecap="round" {look}/>'


def described(points: Sequence[Point], label: str, write: Callable[[float], str], goal: float | None = None) -> str:
    """What the drawing shows, from its numbers.

    Examples
    --------
    >>> days = [date(2020, 1, 1), date(2020, 2, 1)]
    >>> described([Point(day=day, value=value) for day, value in zip(days, [9, 12])], "Buyers", words.count)
    'Buyers in 2 reports: 9 on 1 January 2020, 12 on 1 February 2020.'
    """
    first, last = points[0], points[-1]
    low, high = (pick(points, key=lambda one: one.value) for pick in (min, max))
    told = f"{label} in {len(points)} reports: {_at(first, write)}, {_at(last, write)}"
    inner = [
        f"{name} {_at(one, write)}" for name, one in (("lowest", low), ("highest", high)) if one not in (first, last)
    ]
    return f"{'; '.join([told, *inner])}.{'' if goal is None else f' Goal: {write(goal)}.'}"


def _at(point: Point, write: Callable[[float], str]) -> str:
    return f"{write(point.value)} on {words.day(point.day)}"


class _Place:
    """From dates and values to places in the drawing."""

    def __init__(self, points: Sequence[Point], goal: float | None, width: int, height: int) -> None:
        ends = [end for one in points for end in (one.value, one.low, one.high) if end is not None]
        ends += [] if goal is None else [goal]
        self.low, self.high = min(ends), max(ends)
        days = [one.day for one in points]
        self.start, self.days = min(days), max((max(days) - min(days)).days, 1)
        self.width, self.height = width, height

    def x(self, day: date) -> float:
        """From the left."""
        return MARGIN + (self.width - 2 * MARGIN) * (day - self.start).days / self.days

    def y(self, value: float) -> float:
        """From the top; in the middle where all values are the same."""
        spread = self.high - self.low
        share = (value - self.low) / spread if spread else 0.5
        return self.height - MARGIN - (self.height - 2 * MARGIN) * share


def _band(points: Sequence[Point], place: _Place) -> str:
    """The intervals, between runs that have them."""
    quads = []
    for one, other in pairwise(points):
        corners = [(one, one.low), (one, one.high), (other, other.high), (other, other.low)]
        if all(value is not None for _, value in corners):
            spots = " ".join(
                f"{place.x(at.day):.1f},{place.y(value):.1f}" for at, value in corners if value is not None
            )
            quads.append(f'<polygon points="{spots}" fill="var(--accent)" opacity="0.14"/>')
    return "".join(quads)
