"""Figures of a tournament: each takes data and an `ax`, draws, and returns the `ax`; nothing is fitted here."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from . import style
from .drawn import happened
from .figures import axes, nothing
from .marks import mark
from .words import money, percent


@style.context()
def gains(table: pd.DataFrame, rule: str, chosen: str, unit: str, title: str, *, ax: Axes | None = None) -> Axes:
    """How much better each contender is than the rule, with its 90 % interval.

    Parameters
    ----------
    table : index contender; gain, low, high; above zero is better. The first stands at the top.
    rule : what they are held against.
    chosen : the contender that is drawn in the accent colour.
    unit : of the gain, in words.
    title : what is shown.
    """
    ax = axes(ax, 130 + 36 * max(len(table), 2))
    if table.empty:
        return nothing(ax, title)
    ax.axvline(0, color=style.INK, linewidth=1)
    for place, (name, row) in enumerate(table.iterrows()):
        colour = style.ACCENT if name == chosen else style.GREY
        ax.hlines(place, row["low"], row["high"], color=colour, linewidth=2)
        ax.plot([row["gain"]], [place], "o", color=colour, markersize=7)
    ax.set_yticks(np.arange(len(table)), table.index)
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.08)
    ax.set_xlabel(f"better than “{rule.lower()}” by, {unit} (line: 90 %)")
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def by_date(
    table: pd.DataFrame,
    chosen: str,
    rule: str,
    label: str,
    title: str,
    *,
    events: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One score of each contender at each tested date.

    Parameters
    ----------
    table : index date, the earliest first; one column a contender.
    chosen, rule : drawn in colour, the others in grey.
    label : of the score, with its unit.
    title : what is shown.
    events : to mark, see `Study.events`.
    """
    ax = axes(ax, 360)
    if table.empty:
        return nothing(ax, title)
    colours = {rule: style.VERMILLION, chosen: style.ACCENT}
    for name in sorted(table, key=lambda name: name in colours):
        colour = colours.get(name, style.LIGHT_GREY)
        shown = name if name in colours else "_others"
        ax.plot(
            table.index, table[name], color=colour, marker="o", markersize=5, label=shown, zorder=2 + (name in colours)
        )
    if len(table.columns) > len(colours):
        ax.plot([], [], color=style.LIGHT_GREY, marker="o", markersize=5, label="other contenders")
    # In two lines, so that they stand apart on a phone.
    ax.set_xticks(table.index, [f"{day.day} {day:%b}\n{day.year}" for day in table.index])
    ax.margins(x=0.06)
    ax.set_xlabel("date of the forecast")
    ax.set_ylabel(label)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=2)
    ax.set_title(title, wrap=True)
    return mark(ax, events)


@style.context()
def profit(curves: dict[str, pd.Series], share: float, earned: float, currency: str, *, ax: Axes | None = None) -> Axes:
    """What contacting the customers most at risk would have earned, by how many are contacted.

    Parameters
    ----------
    curves : model name → series of profits (money a customer), index share of customers contacted; the first is in
        use.
    share, earned : of the customers above the cut-off that was chosen before, and what they brought.
    """
    ax = axes(ax, 380)
    ax.axhline(0, color=style.INK, linewidth=1)
    for (name, curve), colour in zip(curves.items(), style.PALETTE, strict=False):
        ax.plot(curve.index, curve, color=colour, label=name)
    ax.plot([share], [earned], "o", color=style.PALETTE[0], markersize=8)
    ax.annotate(f"cut-off chosen before: {percent(share)}", (share, earned), xytext=(8, 8),
                textcoords="offset points", fontsize=10)  # fmt: skip
    ax.margins(y=0.12)
    ax.set_xlim(0, 1)
    style.percent(ax.xaxis)
    _money(ax.yaxis, currency)
    ax.set_xlabel("customers contacted, likeliest to leave first, %")
    ax.set_ylabel("profit per active customer")
    ax.legend(loc="lower left")
    ax.set_title("What a retention offer would have earned (costs assumed)", wrap=True)
    return ax


@style.context()
def tenths(table: pd.DataFrame, name: str, currency: str, *, ax: Axes | None = None) -> Axes:
    """Spend promised against spend realised, by groups of customers of equal size.

    Parameters
    ----------
    table : promised, realised, low, high (money a customer), the least promised first.
    name : who promised.
    """
    ax = axes(ax, 360)
    places = np.arange(1, len(table) + 1)
    happened(ax, places, table, "realised", 0.7)
    ax.plot(places, table["promised"], "o", color=style.ACCENT, markersize=6, label=name)
    ax.set_xticks(places)
    ax.set_ylim(bottom=min(0.0, float(table["low"].min())))
    _money(ax.yaxis, currency)
    ax.set_xlabel("groups of customers, least spend promised first")
    ax.set_ylabel("spend per customer")
    ax.legend(loc="upper left")
    ax.set_title("Spend promised and spend realised, by groups of equal size", wrap=True)
    return ax


def _money(axis: Any, currency: str) -> None:
    """Write the ticks of an axis as amounts, nothing as a plain 0."""

    def write(value: float, _: int | None) -> str:
        return money(value, currency) if abs(value) > 1e-9 else "0"

    axis.set_major_formatter(FuncFormatter(write))
