"""Figures of experiments: each takes data and an `ax`, draws, and returns the `ax`."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from . import style
from .figures import axes, nothing


@style.context()
def lifts(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Effects as shares of the control group's mean, each with its interval; below it in grey the plain difference.

    Parameters
    ----------
    table : label, estimate, low, high, raw, raw_low, raw_high (shares of 1).
    """
    title = "What each arm changed, against the control group"
    ax = axes(ax, 110 + 44 * max(1, len(table)))
    if table.empty:
        return nothing(ax, title, "no effect can be told")
    places = np.arange(len(table))
    ax.axvline(0, color=style.LIGHT_GREY, linewidth=1)
    ax.hlines(places + 0.22, table["raw_low"], table["raw_high"], color=style.LIGHT_GREY, linewidth=1.4)
    ax.plot(table["raw"], places + 0.22, "o", color=style.LIGHT_GREY, markersize=4, label="difference as it is")
    ax.hlines(places, table["low"], table["high"], color=style.ACCENT, linewidth=1.8)
    ax.plot(table["estimate"], places, "o", color=style.ACCENT, label="with the past taken out")
    ax.set_yticks(places, table["label"])
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.percent(ax.xaxis)
    ax.set_xlabel("% of the control group's mean (line: 90 %)")
    ax.figure.legend(loc="outside lower center", ncols=2)
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def balance(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """How far the arms were from the control group before, in standard deviations.

    Parameters
    ----------
    table : see `programme.balance.differences`.
    """
    title = "How the arms differed from the control group before"
    facts = list(dict.fromkeys(table["fact"]))
    ax = axes(ax, 150 + 34 * max(1, len(facts)))
    if table.empty:
        return nothing(ax, title, "nothing is known from before")
    half = float(((table["high"] - table["low"]) / 2).max())
    ax.axvspan(-half, half, color=style.GRID, zorder=0, label="nine in ten by chance")
    arms = list(dict.fromkeys(table["arm"]))
    for at, arm in enumerate(arms[: len(style.PALETTE)]):
        part = table[table["arm"] == arm]
        places = np.array([facts.index(fact) for fact in part["fact"]])
        ax.plot(part["difference"], places, "os^Dv<>"[at], color=style.PALETTE[at], label=arm, markersize=5)
    ax.set_yticks(range(len(facts)), facts)
    ax.set_ylim(len(facts) - 0.4, -0.6)
    reach = 1.15 * max(float(table["difference"].abs().max()), half)
    ax.set_xlim(-reach, reach)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlabel("difference of means, standard deviations")
    ax.figure.legend(loc="outside lower center", ncols=2)
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def tenths(table: pd.DataFrame, label: str, *, ax: Axes | None = None) -> Axes:
    """Predicted effects, and realised ones with their intervals, by tenths of the prediction.

    Parameters
    ----------
    table : see `programme.heterogeneity.by_part`.
    label : what is measured, with its unit.
    """
    title = "Effect by tenths of customers, those predicted to gain most first"
    ax = axes(ax, 360)
    if table.empty:
        return nothing(ax, title)
    ax.axhline(0, color=style.LIGHT_GREY, linewidth=1)
    ax.vlines(table["part"], table["low"], table["high"], color=style.ACCENT, linewidth=1.6)
    ax.plot(table["part"], table["realised"], "o", color=style.ACCENT, label="realised (line: 90 %)")
    ax.plot(table["part"], table["predicted"], "_", color=style.VERMILLION, markersize=14, label="predicted")
    ax.set_xticks(table["part"])
    ax.set_xlabel("tenth of the customers, by prediction")
    ax.set_ylabel(label)
    ax.figure.legend(loc="outside lower center", ncols=2)
    ax.set_title(title, wrap=True)
    return ax


def qini(curves: dict[str, pd.DataFrame], label: str, *, ax: Axes | None = None) -> Axes:
    """What giving an arm to the best so many adds, and dashed what drawing as many at random adds.

    Parameters
    ----------
    curves : arm → share, gain, low, high, random.
    label : what is gained, with its unit.
    """
    return _gains("What giving it to the best adds (Qini curve)", curves, label, ax)


def uplift(curves: dict[str, pd.DataFrame], label: str, *, ax: Axes | None = None) -> Axes:
    """Difference of the means among the best so many, times their share; see `qini`."""
    return _gains("How far the means of the best lie apart, times their share (uplift curve)", curves, label, ax)


@style.context()
def _gains(title: str, curves: dict[str, pd.DataFrame], label: str, ax: Axes | None) -> Axes:
    ax = axes(ax, 380)
    if not curves:
        return nothing(ax, title, "no effect can be told")
    ax.axhline(0, color=style.LIGHT_GREY, linewidth=1)
    for (arm, curve), colour in zip(curves.items(), style.PALETTE, strict=False):
        ax.fill_between(curve["share"], curve["low"], curve["high"], color=colour, alpha=0.12, linewidth=0)
        ax.plot(curve["share"], curve["gain"], color=colour, label=arm)
        ax.plot(curve["share"], curve["random"], color=colour, linewidth=1, linestyle=(0, (4, 3)))
    style.percent(ax.xaxis)
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of the customers, the best first (dashed: drawn at random; band: 90 %)")
    ax.set_ylabel(label)
    ax.legend(loc="upper left")
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def budget(table: pd.DataFrame, label: str, *, ax: Axes | None = None) -> Axes:
    """Profit by the share of customers who are given something, the best first.

    Parameters
    ----------
    table : share, gain, low, high, random.
    label : what is earned, with its unit.
    """
    ax = axes(ax, 360)
    title = "What each budget earns"
    if table.empty:
        return nothing(ax, title, "no effect can be told")
    best = table.loc[table["gain"].idxmax()]
    ax.axhline(0, color=style.LIGHT_GREY, linewidth=1)
    ax.fill_between(table["share"], table["low"], table["high"], color=style.ACCENT, alpha=0.15, linewidth=0)
    ax.plot(table["share"], table["gain"], color=style.ACCENT, label="the best first (band: 90 %)")
    ax.plot(table["share"], table["random"], color=style.GREY, linewidth=1, linestyle=(0, (4, 3)), label="at random")
    ax.plot(best["share"], best["gain"], "o", color=style.VERMILLION, label="highest")
    style.percent(ax.xaxis)
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of the customers who are given something")
    ax.set_ylabel(label)
    ax.legend(loc="upper left")
    ax.set_title(title, wrap=True)
    return ax
