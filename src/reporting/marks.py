"""Happenings on the axis of time: a holiday, a price change, an outage."""

import pandas as pd
from matplotlib.axes import Axes

from . import style
from .words import day, listed

EPOCH, DAY = pd.Timestamp("1970-01-01"), pd.Timedelta(days=1)
"""What matplotlib counts dates from, and in."""

ROOM = 0.05
"""Share of the axis below which two names would lie on each other; they are written as one."""


def mark(ax: Axes, events: pd.DataFrame | None) -> Axes:
    """Draw happenings behind a chart over time: a line for a day, a band for longer, the name along it.

    Parameters
    ----------
    ax : with dates on its x axis, its limits as they are to stay.
    events : day, until, name; those outside the axis are left out. See `Study.events`.
    """
    low, high = ax.get_xlim()
    labels: list[tuple[float, str]] = []
    first, last = (EPOCH + edge * DAY for edge in (low, high))
    for event in inside(events, first, last).itertuples():
        start, end = (event.day - EPOCH) / DAY, (event.until - EPOCH) / DAY + 1
        if event.until > event.day:
            ax.axvspan(max(start, low), min(end, high), color=style.ORANGE, alpha=0.15, linewidth=0, zorder=0)
        else:
            ax.axvline(start, color=style.GREY, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
        if labels and (start - labels[-1][0]) < ROOM * (high - low):
            labels[-1] = (max(start, low), f"{labels[-1][1]} · {event.name}")
        else:
            labels.append((max(start, low), event.name))
    for place, name in labels:
        ax.annotate(
            name, (place, 0.02), xycoords=("data", "axes fraction"), xytext=(2, 0), textcoords="offset points",
            rotation=90, va="bottom", ha="left", fontsize=8.5, color=style.GREY,
        )  # fmt: skip
    ax.set_xlim(low, high)
    return ax


def inside(events: pd.DataFrame | None, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """The happenings that touch a span of time."""
    if events is None:
        return pd.DataFrame(columns=["day", "until", "name"])
    return events[(events["until"] >= first) & (events["day"] <= last)]


def read(events: pd.DataFrame | None, first: pd.Timestamp, last: pd.Timestamp) -> str:
    """What is marked between two dates, as a sentence that follows another; empty if nothing is."""
    seen = inside(events, first, last)
    if seen.empty:
        return ""
    told = listed(f"{event.name} ({day(event.day)})" for event in seen.itertuples())
    return f" Marked: {told}."
