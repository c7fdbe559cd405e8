"""Figures of what customers are worth; each takes data and an `ax`, draws, and returns the `ax`."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from . import style
from .figures import axes, nothing
from .words import money, percent


@style.context()
def concentration(curve: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of the value that the most valuable customers hold.

    Parameters
    ----------
    curve : customers and value, shares of 1; see `models.worth.concentration`.
    """
    title = "How much of the value hangs on how few"
    ax = axes(ax, 380)
    if curve.empty:
        return nothing(ax, title)
    ax.plot([0, 1], [0, 1], color=style.LIGHT_GREY, linewidth=1)
    ax.annotate("if all were worth the same", (0.42, 0.42), xytext=(6, -14), textcoords="offset points",
                color=style.GREY, fontsize=9.5)  # fmt: skip
    ax.plot(curve["customers"], curve["value"], color=style.ACCENT)
    for share in (0.1, 0.5):
        height = float(np.interp(share, curve["customers"], curve["value"]))
        ax.plot([share], [height], "o", color=style.ACCENT, markersize=6)
        ax.annotate(f"{percent(share)} hold {percent(height)}", (share, height), xytext=(8, -12),
                    textcoords="offset points", fontsize=10)  # fmt: skip
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    style.percent(ax.xaxis)
    style.percent(ax.yaxis)
    ax.set_xlabel("customers, most valuable first, %")
    ax.set_ylabel("share of the expected margin, %")
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def values_ahead(table: pd.DataFrame, tested_days: float, currency: str, *, ax: Axes | None = None) -> Axes:
    """Value of all customers by how far one looks ahead, for several discount rates.

    Parameters
    ----------
    table : index days; one column a discount rate (share of 1), money.
    tested_days : up to which the forecast was held against what happened.
    """
    ax = axes(ax, 360)
    years = table.index.to_numpy("float64") / 365
    # The point up to which all was tested belongs to both lines.
    last = int((table.index <= tested_days).sum())
    for rate, colour in zip(table, style.PALETTE, strict=False):
        money_then = table[rate].to_numpy()
        ax.plot(years[:last], money_then[:last], color=colour, linewidth=2.6)
        ax.plot(years[last - 1 :], money_then[last - 1 :], color=colour, linewidth=1.4, linestyle=(0, (4, 2)),
                label=f"{percent(float(rate))} a year")  # fmt: skip
    ax.axvspan(0, tested_days / 365, color=style.GRID, zorder=0, linewidth=0)
    ax.annotate("tested", (tested_days / 365, 0.02), xycoords=("data", "axes fraction"), xytext=(4, 0),
                textcoords="offset points", color=style.GREY, fontsize=9.5)  # fmt: skip
    ax.set_xlim(0, float(years[-1]))
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(5))
    _money(ax.yaxis, currency)
    ax.set_xlabel("years ahead (dashed: nobody could test it)")
    ax.set_ylabel("margin on today's customers")
    ax.set_title("Value of today's customers, by how far one looks ahead", wrap=True)
    ax.legend(loc="upper left", title="discounted by")
    return ax


@style.context()
def sensitivity(table: pd.DataFrame, base: float, currency: str, *, ax: Axes | None = None) -> Axes:
    """How the value moves with each assumption: bars from one end of it to the other.

    Parameters
    ----------
    table : index assumption in words; low and high (money), label (what it is at either end, in words), the one that
        moves most first.
    base : the value as it is assumed, money.
    """
    ax = axes(ax, 120 + 62 * len(table))
    places = np.arange(len(table))
    ax.barh(places, table["high"] - table["low"], left=table["low"], height=0.46, color=style.ACCENT, alpha=0.85)
    ax.axvline(base, color=style.INK, linewidth=1.2)
    for place, label in zip(places, table["label"], strict=True):
        ax.annotate(label, (0.01, place - 0.36), xycoords=("axes fraction", "data"), va="center", fontsize=9.5,
                    color=style.GREY)  # fmt: skip
    ax.set_yticks(places, table.index)
    ax.set_ylim(len(table) - 0.6, -0.7)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlim(0, 1.06 * float(max(table["high"].max(), base)))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    _money(ax.xaxis, currency)
    ax.set_xlabel("margin (line: as assumed)")
    ax.set_title("What each assumption does to the value", wrap=True)
    return ax


def _money(axis: Any, currency: str) -> None:
    """Write the ticks of an axis as amounts, nothing as a plain 0."""

    def write(value: float, _: int | None) -> str:
        return money(value, currency) if value else "0"

    axis.set_major_formatter(FuncFormatter(write))
