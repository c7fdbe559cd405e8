"""Figures of models: each takes data and an `ax`, draws, and returns the `ax`; nothing is fitted here."""

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from . import style
from .figures import axes, nothing, symbol
from .words import money, percent


@style.context()
def clv_by_tenth(table: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """Mean CLV of each tenth of the customers, the most valuable first, with the mean interval of its customers.

    Parameters
    ----------
    table : tenth, clv, low, high (money per customer).
    """
    ax = axes(ax, 340)
    if table.empty:
        return nothing(ax, "Expected margin per customer (line: 90 % interval of one)")
    ax.bar(table["tenth"], table["clv"], width=0.75, color=style.ACCENT, alpha=0.85)
    ax.vlines(table["tenth"], table["low"], table["high"], color=style.INK, linewidth=1.2)
    ax.set_xticks(table["tenth"])
    ax.set_ylim(bottom=0)
    ax.set_xlabel("tenths of customers, most valuable first")
    ax.set_ylabel(f"{symbol(currency)} margin per customer")
    style.thousands(ax.yaxis)
    ax.set_title("Expected margin per customer (line: 90 % interval of one)", wrap=True)
    return ax


@style.context()
def alive_by_silence(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Mean probability of still being a customer by days since the last purchase, for rare and frequent buyers.

    Parameters
    ----------
    table : days_since_last (middle of its class), frequency (class of repeat purchases, in words),
        probability_alive, customers.
    """
    ax = axes(ax, 340)
    if table.empty:
        return nothing(ax, "Who is still a customer, by silence and frequency")
    for (name, part), colour in zip(table.groupby("frequency", sort=False, observed=True), style.PALETTE, strict=False):
        ax.plot(
            part["days_since_last"],
            part["probability_alive"],
            color=colour,
            marker="o",
            markersize=4,
            label=f"{name} repeats",
        )
    ax.set_ylim(0, 1.03)
    ax.set_xlim(left=0)
    style.percent(ax.yaxis)
    ax.set_xlabel("days since the last purchase")
    ax.set_ylabel("probability of being one still, %")
    ax.set_title("Who is still a customer, by silence and frequency", wrap=True)
    ax.legend(loc="lower left")
    return ax


@style.context()
def total_against_actual(table: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """Spend forecast for the test period against what was spent.

    Parameters
    ----------
    table : index name of the forecast; total (money), low and high (missing where it has no interval); the first row
        is what happened.
    """
    ax = axes(ax, 110 + 42 * len(table))
    places = np.arange(len(table))
    colours = [style.GREY, style.ACCENT, style.VERMILLION, style.PURPLE][: len(table)]
    ax.barh(places, table["total"], color=colours, height=0.6, alpha=0.85)
    ax.hlines(places, table["low"], table["high"], color=style.INK, linewidth=1.4)
    for place, (_, row) in zip(places, table.iterrows(), strict=True):
        edge = np.nanmax([row["total"], row["high"]])
        ax.annotate(
            money(row["total"], currency),
            (edge, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
        )
    ax.set_yticks(places, table.index)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set_xlim(0, 1.2 * np.nanmax(table[["total", "high"]].to_numpy()))
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: money(value, currency)))
    ax.set_xlabel("spend (line: 90 % interval)")
    ax.set_title("Spend in the test period, by forecast", wrap=True)
    return ax


@style.context()
def calibration(curves: dict[str, pd.DataFrame], *, ax: Axes | None = None) -> Axes:
    """Promised against realised churn by groups of customers.

    Parameters
    ----------
    curves : model name → see `models.metrics.calibration`; the first is drawn in the accent colour with its intervals.
    """
    ax = axes(ax, 420)
    edge = 1.05 * max(float(curve[["promised", "high"]].max().max()) for curve in curves.values())
    ax.plot([0, edge], [0, edge], color=style.LIGHT_GREY, linewidth=1)
    ax.annotate(
        "as promised",
        (edge, edge),
        xytext=(-6, -12),
        textcoords="offset points",
        ha="right",
        color=style.GREY,
        fontsize=9.5,
    )
    for at, (name, curve) in enumerate(curves.items()):
        colour = style.PALETTE[at]
        if at == 0:
            ax.vlines(curve["promised"], curve["low"], curve["high"], color=colour, linewidth=1.2)
        ax.plot(curve["promised"], curve["realised"], color=colour, marker="o", markersize=5, linewidth=1.4, label=name)
    ax.set_xlim(0, edge)
    ax.set_ylim(0, edge)
    style.percent(ax.xaxis)
    style.percent(ax.yaxis)
    ax.set_xlabel("promised probability of leaving, %")
    ax.set_ylabel("share that left, %")
    ax.legend(loc="upper left")
    ax.set_title("Do the probabilities keep their promise?", wrap=True)
    return ax


@style.context()
def gains(curves: dict[str, pd.Series], *, ax: Axes | None = None) -> Axes:
    """Share of the leavers that is found by looking at the likeliest customers first.

    Parameters
    ----------
    curves : model name → series of shares found, index share of customers looked at.
    """
    ax = axes(ax, 380)
    ax.plot([0, 1], [0, 1], color=style.LIGHT_GREY, linewidth=1)
    ax.annotate("at random", (0.7, 0.7), xytext=(4, -14), textcoords="offset points", color=style.GREY, fontsize=9.5)
    for (name, curve), colour in zip(curves.items(), style.PALETTE, strict=False):
        ax.plot(curve.index, curve, color=colour, label=name)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.01)
    style.percent(ax.xaxis)
    style.percent(ax.yaxis)
    ax.set_xlabel("customers, likeliest to leave first, %")
    ax.set_ylabel("leavers found among them, %")
    ax.legend(loc="lower right")
    ax.set_title("How many leavers a list of a given length finds", wrap=True)
    return ax


@style.context()
def risk_bands(table: pd.DataFrame, hidden: str, *, ax: Axes | None = None) -> Axes:
    """Active customers by their probability of leaving.

    Parameters
    ----------
    table : index band in words; customers, missing where there are too few to be shown.
    hidden : what stands in place of a missing number, such as "<10".
    """
    ax = axes(ax, 320)
    if table["customers"].fillna(0).sum() == 0:
        return nothing(ax, "Active customers by their probability of leaving")
    colours = [style.LIGHT_GREY] * (len(table) - 1) + [style.ACCENT]
    shares = table["customers"] / max(table["customers"].sum(), 1)
    bars = ax.bar(range(len(table)), table["customers"].fillna(0), color=colours, width=0.8)
    labels = [hidden if pd.isna(share) else percent(share) for share in shares]
    ax.bar_label(bars, labels, padding=3, fontsize=9.5, color=style.GREY)
    # In two lines, so that they stand apart on a phone.
    ax.set_xticks(range(len(table)), [re.sub(" (?=[^ ]+ %)", "\n", str(band), count=1) for band in table.index])
    ax.set_ylim(0, 1.12 * max(table["customers"].max(), 1))
    ax.set_xlabel("probability of leaving in the horizon")
    ax.set_ylabel("active customers")
    style.thousands(ax.yaxis)
    ax.set_title("Active customers by their probability of leaving", wrap=True)
    return ax
