"""Figures of points: each takes data and an `ax`, draws, and returns the `ax`."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from . import style
from .figures import axes, nothing, symbol
from .marks import mark
from .words import percent, titled

COLOURS = {"Issued": style.LIGHT_GREY, "Redeemed": style.ACCENT, "Expired": style.VERMILLION}


@style.context()
def moved(
    parts: dict[str, pd.DataFrame], events: pd.DataFrame | None = None, note: str = "", *, ax: Axes | None = None
) -> Axes:
    """Points a day over time, by what became of them.

    Parameters
    ----------
    parts : name → start, end (first day after), per_day; see `chapters.points.moved`.
    events : to mark, see `Study.events`.
    """
    ax, title = axes(ax, 360), titled("Points issued, redeemed and expired, a day", note)
    if not parts:
        return nothing(ax, title)
    for name, part in parts.items():
        edges = [*part["start"], part["end"].iloc[-1]]
        colour = COLOURS[name]
        ax.stairs(part["per_day"], edges, color=colour, linewidth=1.6, baseline=None, label=name)
        if name == "Issued":
            ax.stairs(part["per_day"], edges, color=colour, fill=True, alpha=0.35)
    ax.set_ylim(bottom=0)
    ax.set_ylabel("points a day")
    style.thousands(ax.yaxis)
    style.dates(ax.xaxis)
    ax.figure.legend(loc="outside lower center", ncols=3)
    ax.set_title(title, wrap=True)
    return mark(ax, events)


@style.context()
def ages(table: pd.DataFrame, note: str = "", *, ax: Axes | None = None) -> Axes:
    """Points that can be spent by how long they have been there.

    Parameters
    ----------
    table : label, points, share (of 1); missing where too few customers are behind them.
    """
    ax, title = axes(ax, 300), titled("Points on the accounts, by how long they have been there", note)
    if table["points"].notna().sum() == 0:
        return nothing(ax, title)
    bars = ax.bar(table["label"], table["points"].fillna(0), color=style.ACCENT, width=0.7)
    told = [percent(share) if pd.notna(share) else "too few" for share in table["share"]]
    ax.bar_label(bars, told, padding=3, fontsize=9.5, color=style.GREY)
    ax.set_ylim(0, 1.12 * table["points"].max())
    ax.set_ylabel("points")
    style.thousands(ax.yaxis)
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def calendar(
    table: pd.DataFrame, events: pd.DataFrame | None = None, note: str = "", *, ax: Axes | None = None
) -> Axes:
    """Points that expire if nobody spends any, by 30 days ahead.

    Parameters
    ----------
    table : day (the first of 30), points; missing where too few customers are behind them.
    events : to mark, see `Study.events`.
    """
    ax, title = axes(ax, 300), titled("Points that expire if nobody spends any, by 30 days", note)
    if table["points"].notna().sum() == 0:
        return nothing(ax, title)
    ax.bar(table["day"], table["points"].fillna(0), width=np.timedelta64(27, "D"), align="edge", color=style.VERMILLION)
    ax.set_ylim(bottom=0)
    ax.set_ylabel("points")
    style.thousands(ax.yaxis)
    style.dates(ax.xaxis)
    ax.set_title(title, wrap=True)
    return mark(ax, events)


@style.context()
def owed(table: pd.DataFrame, there: float, currency: str, note: str = "", *, ax: Axes | None = None) -> Axes:
    """What the points will cost by each method, with its interval, beside what they would if all were redeemed.

    Parameters
    ----------
    table : index name of the method; bound (whether it is the least), money, points, each with _low and _high. Points
        are drawn where no money is known.
    there : points that can be spent.
    """
    column = "money" if table.get("money", pd.Series(dtype=float)).notna().any() else "points"
    what = "What the points will cost" if column == "money" else "Points that will be redeemed"
    by = ", at least" if table.get("bound", pd.Series(dtype=bool)).any() else ", by two methods"
    ax, title = axes(ax, 130 + 44 * len(table)), titled(f"{what}{by}", note)
    if table.empty:
        return nothing(ax, title, "too short a log to tell")
    most = there * float(table["money"].iloc[0] / table["points"].iloc[0]) if column == "money" else there
    places = np.arange(len(table))
    ax.hlines(places, table[f"{column}_low"], table[f"{column}_high"], color=style.ACCENT, linewidth=1.8)
    ax.plot(table[column], places, "o", color=style.ACCENT)
    ax.axvline(most, color=style.GREY, linewidth=1, linestyle=(0, (5, 3)), label="if every point is redeemed")
    ax.set_yticks(places, [str(name) for name in table.index])
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.set_xlim(0, 1.08 * most)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.thousands(ax.xaxis)
    ax.set_xlabel(f"{symbol(currency)} (line: 90 %)" if column == "money" else "points (line: 90 %)")
    ax.figure.legend(loc="outside lower center")
    ax.set_title(title, wrap=True)
    return ax
