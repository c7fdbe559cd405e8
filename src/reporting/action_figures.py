"""Figures of actions: each takes data and an `ax`, draws, and returns the `ax`.

A `note` such as `assumed effects` stands in brackets behind the title.
"""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from . import style
from .drawn import shares_moved
from .figures import axes, nothing, symbol
from .words import titled

LABEL = 22
"""Letters after which a label goes on in the next line."""


@style.context()
def moves(table: pd.DataFrame, since: str, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Where the customers of each state went, as shares of the state.

    Parameters
    ----------
    table : index state before, columns state now, shares of 1; missing where too few went, or none was there.
    since : the earlier date, in words.
    """
    title = titled(f"Where customers of each state of {since} are now, % of the state", note)
    # A state in which nobody is that may be told of has no row; one in which nobody is now has no column.
    there = table[(table > 0).any(axis="columns")]
    there = there.loc[:, ((there != 0) | there.isna()).any()]
    ax = axes(ax, 190 + 38 * max(2, len(there)))
    if there.empty:
        return nothing(ax, title)
    shares_moved(ax, there, lambda share: "<1" if 0 < share < 0.005 else f"{100 * share:.0f}", "·")
    ax.set_yticks(range(len(there)), [_wrapped(str(name), 16) for name in there.index])
    ax.set_xticks(range(there.shape[1]), [_wrapped(str(name), 16) for name in there.columns], rotation=90)
    ax.set_ylabel("state before")
    ax.set_xlabel("state now (·: too few customers to tell)")
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def curve(
    table: pd.DataFrame, budget: float | None, currency: str, band: str, *, note: str = "", ax: Axes | None = None
) -> Axes:
    """Expected value over the budget, with its range, and the budget that is set.

    Parameters
    ----------
    table : budget, value, low, high (money).
    budget : that is set; None where there is none.
    band : what the range is, in words.
    """
    ax, title = axes(ax, 360), titled("What each budget is expected to bring", note)
    if len(table) < 2:
        return nothing(ax, title)
    ax.axhline(0, color=style.LIGHT_GREY, linewidth=1)
    ax.fill_between(
        table["budget"], table["low"], table["high"], color=style.ACCENT, alpha=0.15, linewidth=0, label=band
    )
    ax.plot(table["budget"], table["value"], color=style.ACCENT, marker="o", markersize=3.5, label="expected")
    if budget is not None and budget <= table["budget"].max():
        ax.axvline(budget, color=style.VERMILLION, linewidth=1.2, linestyle=(0, (5, 3)), label="budget that is set")
    ax.set_xlim(left=0)
    style.thousands(ax.xaxis)
    style.thousands(ax.yaxis)
    ax.set_xlabel(f"budget, {symbol(currency)}")
    ax.set_ylabel(f"value after cost, {symbol(currency)}")
    ax.figure.legend(loc="outside lower center", ncols=3)
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def rivals(table: pd.DataFrame, currency: str, band: str, *, note: str = "", ax: Axes | None = None) -> Axes:
    """What this choice and simpler ones are expected to bring, each with its range.

    Parameters
    ----------
    table : index name, the choice first; value, low, high (money).
    band : what the range is, in words.
    """
    title = titled("What this choice and simpler ones are expected to bring", note)
    ax = axes(ax, 130 + 44 * max(2, len(table)))
    if table.empty:
        return nothing(ax, title)
    places = np.arange(len(table))
    colours = [style.ACCENT, *[style.GREY] * (len(table) - 1)]
    ax.axvline(0, color=style.LIGHT_GREY, linewidth=1)
    ax.hlines(places, table["low"], table["high"], color=colours, linewidth=1.8, label=band)
    ax.scatter(table["value"], places, color=colours, zorder=3, label="expected")
    ax.set_yticks(places, [_wrapped(str(name), LABEL) for name in table.index])
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.thousands(ax.xaxis)
    ax.set_xlabel(f"value after cost, {symbol(currency)}")
    ax.figure.legend(loc="outside lower center", ncols=2)
    ax.set_title(title, wrap=True)
    return ax


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width))
