"""Figures of models of purchases against what happened: each takes data and an `ax`, draws, and returns the `ax`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from . import style
from .drawn import happened
from .figures import axes, nothing
from .marks import mark


@style.context()
def total_purchases(
    table: pd.DataFrame, calibrated: pd.Timestamp, *, events: pd.DataFrame | None = None, ax: Axes | None = None
) -> Axes:
    """Repeat purchases summed up since the beginning: what happened, and what the model expected.

    Parameters
    ----------
    table : end (first day after each week), total_actual, total_expected, total_low, total_high (90 %).
    calibrated : the date at which the model was fitted.
    events : to mark, see `Study.events`.
    """
    title = "Repeat purchases since the beginning of the log"
    ax = axes(ax, 360)
    if table.empty:
        return nothing(ax, title)
    columns = ("end", "total_actual", "total_expected", "total_low", "total_high")
    _actual_and_expected(ax, *(table[name] for name in columns))
    ax.set_ylabel("repeat purchase days, all customers")
    ax.set_title(title, wrap=True)
    ax.legend(loc="upper left")
    return mark(_calibrated(ax, calibrated), events)


@style.context()
def weekly_purchases(
    table: pd.DataFrame, calibrated: pd.Timestamp, *, events: pd.DataFrame | None = None, ax: Axes | None = None
) -> Axes:
    """Repeat purchases week by week: what happened, and what the model expected.

    Parameters
    ----------
    table : start (first day of each week), actual, expected, low, high (90 %), all a week.
    calibrated : the date at which the model was fitted.
    events : to mark, see `Study.events`.
    """
    title = "Repeat purchases by week"
    ax = axes(ax, 360)
    if table.empty:
        return nothing(ax, title)
    _actual_and_expected(ax, *(table[name] for name in ("start", "actual", "expected", "low", "high")))
    ax.set_ylabel("repeat purchase days a week")
    ax.set_title(title, wrap=True)
    # Room for the legend above the highest week.
    ax.set_ylim(0, 1.25 * float(np.nanmax(table[["actual", "high"]].to_numpy())))
    ax.legend(loc="upper right")
    return mark(_calibrated(ax, calibrated), events)


@style.context()
def customers_by_count(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Customers by number of repeat purchases up to the date of the fit: how many there were, how many are expected.

    Parameters
    ----------
    table : index count in words; customers, expected, low and high (where 90 % of counts lie by chance).
    """
    title = "Customers by repeat purchases, while the model learned"
    ax = axes(ax, 340)
    if table.empty:
        return nothing(ax, title)
    places = np.arange(len(table))
    ax.bar(places, table["customers"], width=0.7, color=style.LIGHT_GREY, label="what happened")
    ax.vlines(places, table["low"], table["high"], color=style.ACCENT, linewidth=1.4)
    ax.plot(places, table["expected"], "o", color=style.ACCENT, markersize=6, label="model (line: 90 %)")
    ax.set_xticks(places, table.index)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("repeat purchases")
    ax.set_ylabel("customers")
    style.thousands(ax.yaxis)
    ax.set_title(title, wrap=True)
    ax.legend(loc="upper right")
    return ax


@style.context()
def expected_by_group(table: pd.DataFrame, names: Sequence[str], xlabel: str, *, ax: Axes | None = None) -> Axes:
    """Mean purchases after the date of the fit, by groups of customers: what happened, and what was expected.

    Parameters
    ----------
    table : index group in words; actual with low and high (90 %), and a column for each of `names`.
    names : the forecasts, at most six, the one that is chosen first.
    xlabel : what the groups are of.
    """
    title = f"Purchases after the calibration, by {xlabel}"
    ax = axes(ax, 360)
    if table.empty:
        return nothing(ax, title)
    places = np.arange(len(table))
    happened(ax, places, table, "actual", 0.76)
    shifts = np.linspace(-0.22, 0.22, len(names)) if len(names) > 1 else [0.0]
    for name, shift, colour, marker in zip(names, shifts, style.PALETTE, "oDs^vP", strict=False):
        ax.plot(places + shift, table[name], marker, color=colour, markersize=5.5, label=name)
    ax.set_xticks(places, table.index, fontsize=9.5)
    # Room for the legend above what it names.
    ax.set_ylim(0, 1.35 * float(table[["high", *names]].max().max()))
    ax.set_xlabel(xlabel)
    ax.set_ylabel("purchase days per customer")
    ax.set_title(title, wrap=True)
    ax.legend(loc="upper center")
    return ax


@style.context()
def new_customer(table: pd.DataFrame, chosen: str, known_days: float, *, ax: Axes | None = None) -> Axes:
    """Repeat purchases that each model expects of a new customer, by days since the first purchase.

    Parameters
    ----------
    table : index days; a column a model, at most six, purchase days per customer; low and high, the 90 % interval of
        the chosen one.
    chosen : the model that is drawn in the accent colour.
    known_days : age of the oldest customer that the models have seen.
    """
    ax = axes(ax, 360)
    ax.fill_between(table.index, table["low"], table["high"], color=style.ACCENT, alpha=0.18, linewidth=0)
    others = [name for name in table if name not in (chosen, "low", "high")]
    for name, colour in zip(others, style.PALETTE[1:], strict=False):
        ax.plot(table.index, table[name], color=colour, linewidth=1.4, label=name)
    ax.plot(table.index, table[chosen], color=style.ACCENT, linewidth=2.4, label=f"{chosen} (band: 90 %)")
    ax.set_xlim(0, float(table.index[-1]))
    ax.set_ylim(0, 1.35 * float(table.max().max()))
    _line(ax, known_days, "seen up to here")
    ax.set_xlabel("days since the first purchase")
    ax.set_ylabel("repeat purchase days per customer")
    ax.set_title("What a new customer is expected to buy", wrap=True)
    ax.legend(loc="upper left")
    return ax


def _actual_and_expected(
    ax: Axes, when: pd.Series, actual: pd.Series, expected: pd.Series, low: pd.Series, high: pd.Series
) -> None:
    ax.fill_between(when, low, high, color=style.ACCENT, alpha=0.18, linewidth=0)
    ax.plot(when, actual, color=style.INK, linewidth=1.6, label="what happened")
    ax.plot(when, expected, color=style.ACCENT, label="model (band: 90 %)")
    ax.set_ylim(bottom=0)
    style.thousands(ax.yaxis)
    style.dates(ax.xaxis)


def _calibrated(ax: Axes, day: pd.Timestamp) -> Axes:
    """Mark the date after which the model knew nothing."""
    _line(ax, day, "forecast begins")
    return ax


def _line(ax: Axes, place: float | pd.Timestamp, text: str) -> None:
    """Draw a line across the axes, and write along it."""
    ax.axvline(place, color=style.VERMILLION, linewidth=1.2, linestyle=(0, (5, 3)))
    ax.annotate(
        text, (place, 0.03), xycoords=("data", "axes fraction"), xytext=(-3, 0), textcoords="offset points",
        rotation=90, va="bottom", ha="right", fontsize=9.5, color=style.VERMILLION,
    )  # fmt: skip
