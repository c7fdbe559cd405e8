"""Figures of what a model of purchases says of customers; each takes data and an `ax`, draws, and returns the `ax`."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from . import style
from .figures import axes, nothing
from .words import exactly, percent


@style.context()
def history_matrix(
    grid: pd.DataFrame, column: str, label: str, title: str, *, share: bool = False, ax: Axes | None = None
) -> Axes:
    """A prediction for every history that a customer of one age may have.

    Parameters
    ----------
    grid : frequency, recency (days from the first purchase to the last), and `column`; see
        `models.portrait.history_grid`.
    column, label, title : what to draw, what it is with its unit, and what the figure shows.
    share : whether it is a share of 1.
    """
    ax = axes(ax, 420)
    table = grid.pivot(index="recency", columns="frequency", values=column)
    drawn = ax.pcolormesh(
        table.columns.to_numpy("float64"), table.index.to_numpy("float64"), table.to_numpy(), cmap="cividis",
        shading="nearest", rasterized=True, vmin=0, vmax=1 if share else None,
    )  # fmt: skip
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel("repeat purchases")
    ax.set_ylabel("day of the last purchase (days after the first)")
    ax.set_title(title, wrap=True)
    figure = ax.get_figure()
    if figure is not None:
        bar = figure.colorbar(drawn, ax=ax, pad=0.02, format=PercentFormatter(1, symbol=" %") if share else None)
        bar.set_label(label)
        bar.outline.set_visible(False)
    return ax


@style.context()
def spread(table: pd.DataFrame, xlabel: str, title: str, *, share: bool = False, ax: Axes | None = None) -> Axes:
    """How customers differ in a quality that nobody sees, as a model infers it.

    Parameters
    ----------
    table : left, right (edges of classes, the last right may be infinite), share (of customers), low and high (90 %);
        empty where the model knows no such quality.
    xlabel, title : what the classes are of, and what the figure shows.
    share : whether the edges are shares of 1.
    """
    ax = axes(ax, 320)
    if table.empty:
        return nothing(ax, title, "this model knows none of it")
    width = table["right"].iloc[0] - table["left"].iloc[0]
    middle = table["left"] + width / 2
    colours = [style.LIGHT_GREY if np.isinf(right) else style.ACCENT for right in table["right"]]
    ax.bar(middle, table["share"], width=0.92 * width, color=colours, alpha=0.85)
    ax.vlines(middle, table["low"], table["high"], color=style.INK, linewidth=1)
    last = table.iloc[-1]
    if np.isinf(last["right"]):
        ax.annotate(
            f"{exactly(last['left'])} or more\n{percent(last['share'])}", (float(middle.iloc[-1]), float(last["high"])),
            xytext=(0, 6), textcoords="offset points", ha="right", fontsize=9.5, color=style.GREY,
        )  # fmt: skip
    ax.set_xlim(left=0)
    ax.set_ylim(0, 1.1 * float(table["high"].max()))
    if share:
        style.percent(ax.xaxis)
    style.percent(ax.yaxis, decimals=0 if table["high"].max() > 0.05 else None)
    ax.set_xlabel(xlabel)
    ax.set_ylabel("share of customers, % (line: 90 %)")
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def alive_history(table: pd.DataFrame, purchases: list[int], *, ax: Axes | None = None) -> Axes:
    """P(alive) of one invented customer, day by day.

    Parameters
    ----------
    table : day (since the first purchase), probability_alive; see `models.portrait.alive_history`.
    purchases : days of the repeat purchases.
    """
    ax = axes(ax, 340)
    ax.vlines([0, *purchases], 0, 1, color=style.LIGHT_GREY, linewidth=1, linestyle=(0, (2, 2)), label="a purchase")
    ax.plot(table["day"], table["probability_alive"], color=style.ACCENT, label="probability of being a customer still")
    ax.set_xlim(0, float(table["day"].iloc[-1]))
    ax.set_ylim(0, 1.03)
    style.percent(ax.yaxis)
    ax.set_xlabel("days since the first purchase")
    ax.set_ylabel("probability of being one still, %")
    ax.set_title("One invented customer: how sure the model is, day by day", wrap=True)
    ax.legend(loc="lower left", frameon=True, facecolor=style.PAPER, edgecolor="none")
    return ax
