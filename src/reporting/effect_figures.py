"""Figures of effects: each takes data and an `ax`, draws, and returns the `ax` or the figure. Each says its design."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style
from .figures import axes, nothing, symbol


@style.context()
def forest(table: pd.DataFrame, currency: str, design: str, *, ax: Axes | None = None) -> Axes:
    """Effects on spend, one below the other, each with its interval; those without a number say so.

    Parameters
    ----------
    table : label, estimate, low, high (money a customer; missing where nothing is identified).
    design : how the comparison was made and of what data, such as `observational, simulated data`.
    """
    title = f"What being contacted changed in spend ({design})"
    ax = axes(ax, 130 + 26 * max(2, len(table)))
    if table["estimate"].notna().sum() == 0:
        return nothing(ax, title, "no effect is identified")
    places = np.arange(len(table))
    told = table["estimate"].notna().to_numpy()
    ax.axvline(0, color=style.LIGHT_GREY, linewidth=1)
    ax.hlines(places[told], table["low"][told], table["high"][told], color=style.ACCENT, linewidth=1.8)
    ax.plot(table["estimate"][told], places[told], "o", color=style.ACCENT)
    for place in places[~told]:
        ax.annotate(
            "not identified", (0, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9.5,
            color=style.GREY,
        )  # fmt: skip
    ax.set_yticks(places, table["label"])
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.thousands(ax.xaxis)
    ax.set_xlabel(f"{symbol(currency)} a customer (line: 90 %)")
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def weeks(parts: dict[str, pd.DataFrame], currency: str, design: str) -> Figure:
    """The event study: what contacted customers spent more than those compared, week by week around the contact.

    Parameters
    ----------
    parts : title → see `programme.event_study.by_week`; of what is not identified only the weeks before.
    design : see `forest`.
    """
    title = f"Spend of the contacted less that of those compared, by week ({design})"
    rows = max(1, len(parts))
    fig, found = style.figure(height=110 + 190 * rows, rows=rows, sharex=True, squeeze=False)
    fig.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", wrap=True)
    if not parts:
        nothing(found[0, 0], "", "no campaign could be compared")
    for ax, (name, table) in zip(found[:, 0], parts.items(), strict=False):
        _weeks(ax, table)
        ax.set_title(name, fontsize=11, fontweight="normal")
        ax.set_ylabel(f"{symbol(currency)} a week")
    if parts:
        found[-1, 0].set_xlabel("weeks from the contact on (band: 90 % for all weeks together)")
        handles, labels = found[0, 0].get_legend_handles_labels()
        fig.legend(handles, labels, loc="outside lower center", ncols=2)
    return fig


def _weeks(ax: Axes, table: pd.DataFrame) -> None:
    matched = table[table["phase"] == "matched"]
    free = table[table["phase"] != "matched"]
    ax.axhline(0, color=style.LIGHT_GREY, linewidth=1)
    ax.axvline(-0.5, color=style.INK, linewidth=1, linestyle=(0, (5, 3)))
    ax.plot(matched["week"], matched["estimate"], ".", color=style.LIGHT_GREY, label="weeks matched on")
    for at, (_, part) in enumerate(free.groupby(free["week"] >= 0)):
        label = "weeks not matched on" if at == 0 else None
        ax.fill_between(part["week"], part["band_low"], part["band_high"], color=style.ACCENT, alpha=0.15, linewidth=0)
        ax.plot(
            part["week"], part["estimate"], color=style.ACCENT, marker="o", markersize=3.5, linewidth=1.4, label=label
        )
    style.thousands(ax.yaxis)
