"""Figures of goals, the budget and satisfaction: each takes data, draws, and returns the `ax` or the figure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style
from .figures import axes, nothing, symbol
from .marks import mark
from .words import titled


@dataclass(frozen=True)
class Panel:
    """One goal.

    Attributes
    ----------
    title : what is measured, and its unit.
    unit : `share`, `money`, `count` or `points`.
    actual : end (of the period), value, low, high.
    path : day and target, from the start to the deadline, straight from row to row.
    forecast : end, value, low, high; empty where nothing is forecast.
    """

    title: str
    unit: str
    actual: pd.DataFrame
    path: pd.DataFrame
    forecast: pd.DataFrame


@style.context()
def paths(panels: Sequence[Panel], events: pd.DataFrame | None = None, note: str = "") -> Figure:
    """Goals one below the other: what was measured, the path to the target, and what is forecast, with 90 % bands.

    Parameters
    ----------
    events : to mark, see `Study.events`.
    """
    rows = max(1, len(panels))
    fig, found = style.figure(height=110 + 220 * rows, rows=rows, squeeze=False)
    fig.suptitle(titled("Goals: measured, path and forecast", note), x=0.01, ha="left", fontsize=13, fontweight="bold")
    if not panels:
        nothing(found[0, 0], "", "no goal can be drawn")
        return fig
    for ax, panel in zip(found[:, 0], panels, strict=True):
        _path(ax, panel)
        mark(ax, events)
    handles = {
        label: handle for ax in found[:, 0] for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    fig.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    return fig


def _path(ax: Axes, panel: Panel) -> None:
    actual, ahead = panel.actual, panel.forecast
    ax.plot(
        panel.path["day"], panel.path["target"], color=style.GREY, linewidth=1.4, linestyle=(0, (5, 3)), marker="s",
        markersize=4, label="path, with its stages",
    )  # fmt: skip
    if len(actual):
        ax.fill_between(actual["end"], actual["low"], actual["high"], color=style.ACCENT, alpha=0.15, linewidth=0)
        ax.plot(actual["end"], actual["value"], color=style.ACCENT, marker="o", markersize=4, label="measured (90 %)")
    if len(ahead):
        # The forecast begins where the measured ends, or there would be a gap.
        columns = ["end", "value", "low", "high"]
        now = actual[columns].tail(1)
        fan = pd.concat([now.assign(low=now["value"], high=now["value"]), ahead[columns]], ignore_index=True)
        ax.fill_between(fan["end"], fan["low"], fan["high"], color=style.ORANGE, alpha=0.2, linewidth=0)
        ax.plot(fan["end"], fan["value"], color=style.ORANGE, linestyle=":", label="forecast (90 %)")
    ax.set_title(panel.title, fontsize=11, fontweight="normal")
    style.percent(ax.yaxis) if panel.unit == "share" else style.thousands(ax.yaxis)
    style.dates(ax.xaxis)


@style.context()
def budget(frame: pd.DataFrame, currency: str, note: str = "", *, ax: Axes | None = None) -> Axes:
    """Planned and spent money, phase by phase.

    Parameters
    ----------
    frame : index phase; plan, due (money; what of the plan is due by now), actual (missing where not known).
    """
    title = titled("Budget: planned, due by now and spent", note)
    ax = axes(ax, 140 + 60 * max(1, len(frame)))
    if frame.empty:
        return nothing(ax, title, "no budget is set")
    places = np.arange(len(frame))
    ax.barh(places - 0.2, frame["plan"], height=0.36, color=style.LIGHT_GREY, label="planned")
    ax.barh(places + 0.2, frame["actual"].fillna(0.0), height=0.36, color=style.ACCENT, label="spent, as far as known")
    for place, due in zip(places, frame["due"], strict=True):
        ax.plot(
            [due, due], [place - 0.4, place], color=style.INK, linewidth=1.6, label="due by now" if not place else None
        )
    for place in places[frame["actual"].isna().to_numpy()]:
        ax.annotate(
            "not known", (0, place + 0.2), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9.5,
            color=style.GREY,
        )  # fmt: skip
    ax.set_yticks(places, [str(name).capitalize() for name in frame.index])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlim(left=0)
    style.thousands(ax.xaxis)
    ax.set_xlabel(symbol(currency))
    ax.figure.legend(loc="outside lower center", ncols=3)
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def satisfaction(frame: pd.DataFrame, note: str = "", *, ax: Axes | None = None) -> Axes:
    """Net promoter scores of groups, one below the other, each with its interval.

    Parameters
    ----------
    frame : label, nps, low, high (-100 to 100; missing where too few answered).
    """
    title = titled("Net promoter score (line: 90 %)", note)
    ax = axes(ax, 120 + 26 * max(2, len(frame)))
    if frame["nps"].notna().sum() == 0:
        return nothing(ax, title, "too few answers to show")
    _dots(ax, frame, "nps")
    ax.axvline(0, color=style.LIGHT_GREY, linewidth=1)
    style.thousands(ax.xaxis)
    ax.set_xlabel("share of 9 and 10 less share of 0 to 6, times 100")
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def later_churn(frame: pd.DataFrame, note: str = "", *, ax: Axes | None = None) -> Axes:
    """Share of customers who left, by what they had answered before, each with its interval.

    Parameters
    ----------
    frame : label, share, low, high (shares of 1; missing where too few are behind them).
    """
    title = titled("Customers who left, by what they had answered (line: 90 %)", note)
    ax = axes(ax, 120 + 32 * max(2, len(frame)))
    if frame["share"].notna().sum() == 0:
        return nothing(ax, title)
    _dots(ax, frame, "share")
    ax.set_xlim(left=0)
    style.percent(ax.xaxis)
    ax.set_xlabel("share of the active customers, %")
    ax.set_title(title, wrap=True)
    return ax


def _dots(ax: Axes, frame: pd.DataFrame, column: str) -> None:
    """A point with its interval for each row; a word where there is none."""
    places, told = np.arange(len(frame)), frame[column].notna().to_numpy()
    ax.hlines(places[told], frame["low"][told], frame["high"][told], color=style.ACCENT, linewidth=1.8)
    ax.plot(frame[column][told], places[told], "o", color=style.ACCENT)
    for place in places[~told]:
        ax.annotate(
            "not shown", (0, place), xycoords=("axes fraction", "data"), xytext=(5, 0), textcoords="offset points",
            va="center", fontsize=9.5, color=style.GREY,
        )  # fmt: skip
    ax.set_yticks(places, frame["label"])
    ax.set_ylim(len(frame) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
