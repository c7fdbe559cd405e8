"""Figures of tiers and of high-value customers: each takes data and an `ax`, draws, and returns the `ax` or the figure.

A `note` such as `simulated programme` stands in brackets behind the title.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style
from .drawn import shares_moved
from .figures import axes, nothing
from .marks import mark
from .words import percent, titled

SERIES = len(style.PALETTE)


@style.context()
def months(table: pd.DataFrame, *, note: str = "", events: pd.DataFrame | None = None, ax: Axes | None = None) -> Axes:
    """Share of the customers in each tier at the ends of months.

    Parameters
    ----------
    table : index end (first day after each month); a column a tier, from none to the highest, shares of 1; missing
        where too few customers are behind them.
    events : to mark, see `Study.events`.
    """
    title = titled("Share of customers by tier at the ends of months", note)
    ax = axes(ax, 360)
    if table.empty or table.notna().sum().sum() == 0:
        return nothing(ax, title)
    tiers = list(table.columns)[-SERIES:]
    for at, name in enumerate(tiers):
        colour = style.LIGHT_GREY if name == table.columns[0] else style.PALETTE[at - 1]
        ax.plot(table.index, table[name], color=colour, marker="o", markersize=3.5, label=name)
    ax.set_ylim(0, min(1.0, 1.15 * float(table.max().max())))
    style.percent(ax.yaxis)
    style.dates(ax.xaxis)
    ax.set_ylabel("share of customers, %")
    ax.figure.legend(loc="outside lower center", ncols=2)
    ax.set_title(title, wrap=True)
    return mark(ax, events)


@style.context()
def moves(table: pd.DataFrame, days: int, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Where the customers of each tier went, as shares of the tier.

    Parameters
    ----------
    table : index tier before, columns tier now, shares of 1; missing where too few customers went.
    days : between the two dates.
    """
    title = titled(f"Where the customers of each tier are {days} days later, % of the tier", note)
    ax = axes(ax, 120 + 44 * len(table))
    if table.empty or table.notna().sum().sum() == 0:
        return nothing(ax, title)
    shares_moved(ax, table, lambda share: percent(share).removesuffix(" %"), "hidden")
    ax.set_yticks(range(len(table)), list(table.index))
    ax.set_xticks(range(table.shape[1]), list(table.columns))
    ax.set_ylabel("tier before")
    ax.set_xlabel("tier now")
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def bunching(parts: dict[str, pd.DataFrame], *, note: str = "") -> Figure:
    """Customers by what they had towards each threshold, beside a smooth curve through them.

    Parameters
    ----------
    parts : title of a panel → from, until (shares of the threshold), customers (missing where too few), smooth.
    """
    rows = max(1, len(parts))
    fig, found = style.figure(height=90 + 190 * rows, rows=rows, squeeze=False)
    title = titled("Customers just below and just above each threshold", note)
    fig.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", wrap=True)
    if not parts:
        nothing(found[0, 0], "")
        return fig
    for ax, (name, table) in zip(found[:, 0], parts.items(), strict=True):
        middle = (table["from"] + table["until"]) / 2
        ax.bar(middle, table["customers"], width=0.9 * (table["until"] - table["from"]), color=style.LIGHT_GREY)
        ax.plot(middle, table["smooth"], color=style.ACCENT, label="smooth curve")
        ax.axvline(1.0, color=style.INK, linewidth=1, linestyle=(0, (5, 3)), label="threshold")
        ax.set_ylim(bottom=0)
        ax.set_title(name, fontsize=11, fontweight="normal")
        ax.set_ylabel("customers")
        style.thousands(ax.yaxis)
        style.percent(ax.xaxis, decimals=0)
    found[-1, 0].set_xlabel("share of the threshold that was reached, %")
    handles, labels = found[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=2)
    return fig


@style.context()
def mix(table: pd.DataFrame, kind: str, *, note: str = "", ax: Axes | None = None) -> Axes:
    """What high-value customers spend their money on, or where, beside all others.

    Parameters
    ----------
    table : index category, channel or store; high_value, others (shares of what each of the two paid).
    kind : which of them.
    """
    title = titled(f"Share of what was paid, by {kind}: high-value customers beside all others", note)
    ax = axes(ax, 120 + 36 * max(2, len(table)))
    if table.empty:
        return nothing(ax, title)
    places = np.arange(len(table))
    for shift, column, colour, name in (
        (-0.2, "high_value", style.ACCENT, "high-value customers"),
        (0.2, "others", style.LIGHT_GREY, "all others"),
    ):
        bars = ax.barh(places + shift, table[column], height=0.38, color=colour, label=name)
        ax.bar_label(bars, [percent(share) for share in table[column]], padding=4, fontsize=9.5, color=style.GREY)
    ax.set_yticks(places, [str(name) for name in table.index])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set_xlim(0, 1.18 * float(table[["high_value", "others"]].max().max()))
    style.percent(ax.xaxis, decimals=0 if table[["high_value", "others"]].max().max() > 0.05 else 1)
    ax.set_xlabel("share of what was paid in the last year, %")
    ax.figure.legend(loc="outside lower center", ncols=2)
    ax.set_title(title, wrap=True)
    return ax
