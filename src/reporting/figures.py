"""Figures of the customer base: each takes data and an `ax`, draws, and returns the `ax`; nothing is fitted here.

Figures of models lie in `model_figures`.
"""

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from . import style, words
from .marks import mark
from .words import percent

SEGMENT_ORDER = ("Champions", "Loyal", "Slipping", "Occasional", "New", "Cooling", "Dormant")


def nothing(ax: Axes, title: str, reason: str = "too few customers to show") -> Axes:
    """Say on the axes that there is nothing that may be shown."""
    ax.text(0.5, 0.5, reason, transform=ax.transAxes, ha="center", va="center", color=style.GREY)
    ax.set(xticks=[], yticks=[], xlabel=" ", ylabel=" ")
    ax.set_title(title, wrap=True)
    ax.spines[:].set_visible(False)
    return ax


def axes(ax: Axes | None, height: int = 380) -> Axes:
    """The axes given, or new ones in the house style, `height` CSS pixels tall."""
    return ax if ax is not None else style.figure(height=height)[1]


def _beside(ax: Axes, text: str, height: float, *, color: str, va: Literal["top", "center"]) -> None:
    """Write at the right of the axes, at a height in their own units, where no line can cross it."""
    ax.annotate(
        text,
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(5, 0),
        textcoords="offset points",
        va=va,
        color=color,
        fontsize=10,
    )


@style.context()
def weekly(
    frame: pd.DataFrame, column: str, label: str, *, events: pd.DataFrame | None = None, ax: Axes | None = None
) -> Axes:
    """One measure week by week, with the range in which nine of ten weeks lie.

    Parameters
    ----------
    frame : see `features.cohorts.weekly`.
    column, label : what to draw, and its name with its unit.
    events : to mark, see `Study.events`.
    """
    ax = axes(ax, 320)
    if frame.empty:
        return nothing(ax, f"{label} by week")
    low, middle, high = frame[column].quantile([0.05, 0.5, 0.95])
    ax.axhspan(low, high, color=style.GRID, zorder=0)
    ax.axhline(middle, color=style.LIGHT_GREY, linewidth=1)
    ax.plot(frame["week"], frame[column], color=style.ACCENT)
    _beside(ax, "nine of\nten weeks", high, color=style.GREY, va="top")
    ax.set_ylim(bottom=0)
    ax.set_title(f"{label} by week", wrap=True)
    ax.set_ylabel(label)
    style.thousands(ax.yaxis)
    style.dates(ax.xaxis)
    return mark(ax, events)


@style.context()
def segment_bars(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Each segment's share of the customers beside its share of the spend.

    Parameters
    ----------
    table : index segment; customers_share and spend_share (shares of 1).
    """
    ax = axes(ax, 380)
    if table.empty:
        return nothing(ax, "Segments: share of customers and of spend in the last year")
    places = np.arange(len(table))
    for shift, column, colour, name in (
        (-0.2, "customers_share", style.LIGHT_GREY, "of customers"),
        (0.2, "spend_share", style.ACCENT, "of spend"),
    ):
        bars = ax.barh(places + shift, table[column], height=0.38, color=colour, label=name)
        ax.bar_label(bars, [percent(share) for share in table[column]], padding=4, fontsize=9.5, color=style.GREY)
    ax.set_yticks(places, table.index)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set_xlim(0, 1.15 * table[["customers_share", "spend_share"]].max().max())
    style.percent(ax.xaxis)
    ax.set_xlabel("share of all, %")
    ax.legend(loc="lower right")
    ax.set_title("Segments: share of customers and of spend in the last year", wrap=True)
    return ax


@style.context()
def retention_triangle(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Cohort retention as a triangle of percentages.

    Parameters
    ----------
    table : index cohort (first month), columns months later, values shares of the cohort; missing where unknown.
    """
    ax = axes(ax, max(240, 90 + 30 * len(table)))
    if table.shape[1] < 2 or table.empty:
        return nothing(ax, "Customers who bought in a later month, % of those who started together")
    later = table.iloc[:, 1:]
    ceiling = float(np.nanmax(later.to_numpy())) if later.size else 1.0
    ax.imshow(later.to_numpy(), cmap="Blues", vmin=0, vmax=1.15 * ceiling, aspect="auto")
    for row, column in np.argwhere(later.notna().to_numpy()):
        share = later.iat[row, column]
        colour = style.PAPER if share > 0.75 * ceiling else style.INK
        ax.text(
            column,
            row,
            f"{100 * share:.0f}",
            ha="center",
            va="center",
            fontsize=9 if later.shape[1] < 14 else 8,
            color=colour,
        )
    ax.set_yticks(range(len(later)), [f"{month:%b %Y}" for month in later.index])
    ax.set_xticks(range(later.shape[1]), [str(column) for column in later.columns])
    ax.set_xlabel("months after the first purchase")
    ax.set_ylabel("month of first purchase")
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set_title("Customers who bought in a later month, % of those who started together", wrap=True)
    return ax


@style.context()
def rate_over_time(
    frame: pd.DataFrame,
    goal: float | None,
    label: str,
    *,
    events: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A share period by period, with its interval and the goal.

    Parameters
    ----------
    frame : end (first day after each period), share, low, high (shares of 1).
    goal : share of 1, or None.
    label : what the share is.
    events : to mark, see `Study.events`.
    """
    ax = axes(ax, 320)
    if frame["share"].notna().sum() == 0:
        return nothing(ax, label)
    ax.fill_between(frame["end"], frame["low"], frame["high"], color=style.ACCENT, alpha=0.18, linewidth=0)
    ax.plot(frame["end"], frame["share"], color=style.ACCENT, marker="o", markersize=4)
    if goal is not None:
        ax.axhline(goal, color=style.VERMILLION, linewidth=1.2, linestyle=(0, (5, 3)))
        _beside(ax, f"goal\n{percent(goal)}", goal, color=style.VERMILLION, va="center")
    ax.set_ylim(0, min(1.0, 1.25 * max(frame["high"].max(), goal or 0)))
    ax.set_title(label, wrap=True)
    ax.set_ylabel("share, %")
    ax.set_xlabel("end of the period")
    style.percent(ax.yaxis)
    style.dates(ax.xaxis)
    return mark(ax, events)


@style.context()
def time_to_second(curve: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of customers with a second purchase by days since the first, with its 90 % band.

    Parameters
    ----------
    curve : see `models.survival.kaplan_meier`.
    """
    ax = axes(ax, 340)
    if curve.empty:
        return nothing(ax, "Customers who have come back, by days since their first purchase")
    ax.fill_between(curve.index, curve["low"], curve["high"], step="post", color=style.ACCENT, alpha=0.2, linewidth=0)
    ax.step(curve.index, curve["share"], where="post", color=style.ACCENT)
    ax.set_xlim(left=0)
    ax.set_ylim(0, min(1.0, 1.15 * curve["high"].max()))
    ax.set_title("Customers who have come back, by days since their first purchase", wrap=True)
    ax.set_xlabel("days since the first purchase")
    ax.set_ylabel("share who bought again, %")
    style.percent(ax.yaxis)
    return ax


@style.context()
def spend_by_tenth(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of spend by tenth of the customers, the heaviest spenders first.

    Parameters
    ----------
    table : tenth (1 to 10), share (of 1).
    """
    ax = axes(ax, 320)
    if table.empty:
        return nothing(ax, "Share of spend by tenth of the customers, last year")
    colours = [style.ACCENT if tenth == 1 else style.LIGHT_GREY for tenth in table["tenth"]]
    bars = ax.bar(table["tenth"], table["share"], color=colours, width=0.8)
    ax.bar_label(bars, [percent(share) for share in table["share"]], padding=3, fontsize=9.5, color=style.GREY)
    ax.set_xticks(table["tenth"])
    ax.set_xlabel("tenths of customers, heaviest spenders first")
    ax.set_ylabel("share of spend, %")
    ax.set_ylim(0, 1.12 * table["share"].max())
    style.percent(ax.yaxis)
    ax.set_title("Share of spend by tenth of the customers, last year", wrap=True)
    return ax


@style.context()
def shares_with_intervals(table: pd.DataFrame, average: float, label: str, *, ax: Axes | None = None) -> Axes:
    """A share for each group as a dot with its interval, beside the average of all.

    Parameters
    ----------
    table : index group; share, low, high (shares of 1).
    average : share over all groups.
    label : what the share is.
    """
    ax = axes(ax, 90 + 38 * len(table))
    if table.empty:
        return nothing(ax, label)
    places = np.arange(len(table))
    ax.axvline(average, color=style.LIGHT_GREY, linewidth=1)
    ax.annotate(
        f"all {percent(average)}",
        (average, len(table) - 0.55),
        xytext=(4, 0),
        textcoords="offset points",
        color=style.GREY,
        fontsize=9.5,
    )
    ax.hlines(places, table["low"], table["high"], color=style.ACCENT, linewidth=1.4)
    ax.plot(table["share"], places, "o", color=style.ACCENT)
    ax.set_yticks(places, table.index)
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.set_xlim(0, 1)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.percent(ax.xaxis)
    ax.set_xlabel("share, % (line: 90 %)")
    ax.set_title(label, wrap=True)
    return ax


def symbol(currency: str) -> str:
    """The sign to write on an axis of money."""
    return words.symbol(currency).strip()
