"""Figures of why a model says what it says; each takes data and an `ax`, draws, and returns the `ax`.

None of them shows a single customer: dots and points are means over groups, see `models.influence`.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pandas as pd
import shap
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from scipy.special import expit, logit

from ..models.explain import BASE
from ..models.influence import Cloud, Dependence, Typical
from . import style
from .figures import axes, nothing
from .words import percent

PUSH = "change of the log-odds of leaving"
CHANCES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Probabilities that an axis of log-odds may be marked with."""


class Panel(NamedTuple):
    """One feature of a figure of several.

    Attributes
    ----------
    label : of the feature, with its unit.
    found : what it adds, by its value.
    """

    label: str
    found: Dependence


@style.context()
def importance(table: pd.DataFrame, *, shown: int = 8, ax: Axes | None = None) -> Axes:
    """What moves the prediction most, with its error.

    Parameters
    ----------
    table : see `models.explain.importance`, its index in words.
    shown : rows drawn.
    """
    ax, title = axes(ax, 110 + 40 * min(shown, len(table))), "What moves the prediction (line: 90 %)"
    table = table[table["importance"] > 0].iloc[:shown]
    if table.empty:
        return nothing(ax, title)
    places = np.arange(len(table))
    ax.barh(places, table["importance"], height=0.6, color=style.ACCENT, alpha=0.85)
    ax.hlines(places, table["low"], table["high"], color=style.INK, linewidth=1.4)
    for place, (edge, share) in enumerate(zip(table["high"], table["share"], strict=True)):
        ax.annotate(
            percent(share), (edge, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9.5,
            color=style.GREY,
        )  # fmt: skip
    ax.set_yticks(places, _folded(table.index))
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set_xlim(0, 1.15 * float(table["high"].max()))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.set_xlabel(f"mean size of the {PUSH}")
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def beeswarm(cloud: Cloud | None, labels: Mapping[str, str], *, shown: int = 8, ax: Axes | None = None) -> Axes:
    """How strongly, and in which direction, each feature moves the predictions of groups of customers.

    Parameters
    ----------
    cloud : see `models.influence.cloud`; None if there are too few customers.
    labels : column → words.
    shown : features drawn, those that move most.
    """
    ax, title = axes(ax, 130 + 42 * shown), "What raises the risk of leaving, and what lowers it"
    strongest = [] if cloud is None else _strongest(cloud.contributions, shown)
    if cloud is None or not strongest:
        return nothing(ax, title)
    explanation = shap.Explanation(
        values=cloud.contributions[strongest].to_numpy(),
        data=cloud.levels[strongest].to_numpy(),
        feature_names=_folded(labels[name] for name in strongest),
    )
    with _same_jitter():
        shap.plots.beeswarm(
            explanation, max_display=len(strongest), color=style.low_to_high(), color_bar_label="value of the feature",
            plot_size=None, s=14, ax=ax, show=False,
        )  # fmt: skip
    ax.tick_params("y", length=0, labelsize=9.5)
    ax.tick_params("x", labelsize=10.5)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(PUSH, fontsize=11, color=style.GREY)
    ax.set_title(f"{title}: a dot is {cloud.customers} customers or more", wrap=True)
    return ax


@style.context()
def dependence(panels: Sequence[Panel]) -> Figure:
    """What each of several features adds to the log-odds of leaving, by value; the band holds nine customers of ten.

    Parameters
    ----------
    panels : at least one.
    """
    rows = (len(panels) + 1) // 2
    figure, grid = style.figure(height=60 + 240 * rows, rows=rows, columns=2, sharey=True, squeeze=False)
    for ax, panel in zip(grid.flat, panels, strict=False):
        _panel(ax, panel)
    for ax in grid.flat[len(panels) :]:
        ax.set_visible(False)
    figure.supylabel(PUSH, fontsize=11, color=style.GREY)
    figure.suptitle("How the strongest features push", x=0.01, ha="left", fontsize=13, fontweight="bold")
    return figure


def _panel(ax: Axes, panel: Panel) -> None:
    table = panel.found.table
    ax.axhline(0, color=style.LIGHT_GREY, linewidth=1)
    if len(table):
        ax.fill_between(table["value"], table["low"], table["high"], color=style.ACCENT, alpha=0.2, linewidth=0)
        ax.plot(table["value"], table["contribution"], color=style.ACCENT, marker="o", markersize=3, linewidth=1.4)
    if panel.found.unknown is not None:
        ax.axhline(panel.found.unknown["contribution"], color=style.VERMILLION, linewidth=1.2, linestyle=(0, (4, 3)))
        ax.annotate(
            "not known", (1, panel.found.unknown["contribution"]), xycoords=("axes fraction", "data"), xytext=(0, 3),
            textcoords="offset points", ha="right", fontsize=9, color=style.VERMILLION,
        )  # fmt: skip
    style.thousands(ax.xaxis)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.set_xlabel(textwrap.fill(panel.label, 22), fontsize=10)


@style.context()
def waterfall(
    one: Typical | None, labels: Mapping[str, str] | None = None, *, shown: int = 8, ax: Axes | None = None
) -> Axes:
    """How the probability of several customers, taken as one, comes about.

    Parameters
    ----------
    one : see `models.influence.typical`; None if there are too few customers.
    labels : column → words; the columns are words already if not given.
    shown : features drawn, the strongest; the others are one bar.
    """
    ax = axes(ax, 150 + 40 * shown)
    if one is None:
        return nothing(ax, "The customers most at risk, as one")
    parts = one.contributions.drop(BASE)
    strongest = list(parts.abs().sort_values(ascending=False, kind="stable").index[:shown])
    steps = parts[strongest].rename(index=dict(labels or {}))
    if len(parts) > shown:
        steps["Everything else"] = parts.drop(strongest).sum()
    ends = one.contributions[BASE] + steps[::-1].cumsum()[::-1]  # the strongest comes last, at the top
    starts, places = ends - steps, np.arange(len(steps))
    colours = [style.VERMILLION if step > 0 else style.ACCENT for step in steps]
    ax.barh(places, steps, left=starts, height=0.6, color=colours, alpha=0.85)
    ax.vlines(ends.iloc[1:], places[1:] - 1.3, places[1:] + 0.3, color=style.LIGHT_GREY, linewidth=0.8)
    _mark(ax, float(one.contributions[BASE]), len(steps) - 0.55, "everyone starts at")
    _mark(ax, float(ends.iloc[0]), -0.45, "they end at")
    ax.set_yticks(places, _folded(steps.index))
    ax.set_ylim(len(steps) + 0.1, -1.1)
    ax.grid(axis="y", visible=False)
    _chances(ax)
    ax.set_xlabel("probability of leaving, on a stretched scale")
    ax.set_title(f"The {one.customers} customers most at risk, as one", wrap=True)
    return ax


def _mark(ax: Axes, odds: float, place: float, text: str) -> None:
    ax.annotate(
        f"{text} {percent(round(float(expit(odds)), 3))}", (odds, place), xytext=(0, 0), textcoords="offset points",
        ha="center", va="top" if place > 0 else "bottom", fontsize=9.5, color=style.GREY,
    )  # fmt: skip


def _chances(ax: Axes) -> None:
    """Mark an axis of log-odds with a few probabilities."""
    low, high = ax.get_xlim()
    room = 0.12 * (high - low)
    ax.set_xlim(low - room, high + room)
    marks: list[float] = []
    for chance in CHANCES:
        odds = float(logit(chance))
        if low - room <= odds <= high + room and (not marks or odds - marks[-1] > 0.17 * (high - low)):
            marks.append(odds)
    ax.xaxis.set_major_locator(FixedLocator(marks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda odds, _: percent(round(float(expit(odds)), 4))))


def _strongest(contributions: pd.DataFrame, shown: int) -> list[str]:
    sizes = contributions.abs().mean().sort_values(ascending=False, kind="stable")
    return [str(name) for name in sizes[sizes > 0].index[:shown]]


def _folded(texts: "pd.Index | Iterator[str]") -> list[str]:
    return [textwrap.fill(str(text), 30) for text in texts]


@contextmanager
def _same_jitter() -> Iterator[None]:
    """Let shap, which draws from NumPy's global state, scatter dots alike in every run, and leave that as it was."""
    state = np.random.get_state()
    np.random.seed(1)
    try:
        yield
    finally:
        np.random.set_state(state)
