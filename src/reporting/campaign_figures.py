"""Figures of campaigns as they were: each takes data and an `ax`, draws, and returns the `ax` or the figure."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style
from .figures import axes, nothing, symbol
from .marks import mark
from .words import percent

SERIES = len(style.PALETTE)


@style.context()
def rates(table: pd.DataFrame, line: float | None = None, *, ax: Axes | None = None) -> Axes:
    """Share of the reached who handed in a coupon, campaign by campaign, each with its interval.

    Parameters
    ----------
    table : index campaign, in order; type (null where none is known), redemption_rate, redemption_rate_low and _high
        (shares of 1; missing where too few customers are behind them), most (the share below which such a one lies).
    line : at which a campaign is to be stopped, if it is one for all.
    """
    title = "Customers reached who handed in a coupon (line: 90 %)"
    ax = axes(ax, 130 + 22 * max(3, len(table)))
    if table.empty:
        return nothing(ax, title)
    places = pd.Series(np.arange(len(table)), index=table.index)
    _types(ax, table, places)
    few = table[table["most"].notna()]
    if len(few):
        ax.hlines(
            places[few.index],
            0,
            few["most"],
            color=style.LIGHT_GREY,
            linewidth=5,
            label="too few to tell: below its end",
        )
    if line is not None:
        ax.axvline(
            line, color=style.INK, linewidth=1, linestyle=(0, (5, 3)), label=f"to be stopped below {percent(line)}"
        )
    ax.set_yticks(places, [str(name) for name in table.index])
    ax.set_ylim(len(table) - 0.4, -0.6)
    # Where little is known a bar says so; it need not end on the axis.
    told = [table["redemption_rate_high"].max(), line or 0.0]
    ax.set_xlim(0, 1.15 * np.nanmax(told) if np.nanmax(told) > 0 else 1.0)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.percent(ax.xaxis)
    ax.set_xlabel("share of the customers reached, %")
    ax.set_ylabel("campaign, the oldest first")
    ax.figure.legend(loc="outside lower center", ncols=2)
    ax.set_title(title, wrap=True)
    return ax


def _types(ax: Axes, table: pd.DataFrame, places: pd.Series) -> None:
    """Points of each type in a colour and a shape of its own."""
    kinds = table["type"].fillna("")
    for at, kind in enumerate(sorted(kinds.unique())):
        part = table[(kinds == kind) & table["redemption_rate"].notna()]
        shown, look = places[part.index], min(at, SERIES - 1)
        colour = style.PALETTE[look]
        ax.hlines(shown, part["redemption_rate_low"], part["redemption_rate_high"], color=colour, linewidth=1.6)
        ax.plot(part["redemption_rate"], shown, "os^Dv<>"[look], color=colour, markersize=5, label=kind or None)


@style.context()
def curves(parts: dict[str, pd.DataFrame], *, ax: Axes | None = None) -> Axes:
    """Share of the reached who have handed in a coupon by days since the contact, each with its 90 % band.

    Parameters
    ----------
    parts : group → share, low, high (shares of 1), index day; at most seven are drawn.
    """
    title = "Customers who have handed in a coupon, by days since the contact"
    ax = axes(ax, 380)
    if not parts:
        return nothing(ax, title)
    for (name, curve), colour in zip(parts.items(), style.PALETTE, strict=False):
        ax.fill_between(curve.index, curve["low"], curve["high"], step="post", color=colour, alpha=0.15, linewidth=0)
        ax.step(curve.index, curve["share"], where="post", color=colour, label=name)
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("days since the contact (band: 90 %)")
    ax.set_ylabel("share who handed one in, %")
    style.percent(ax.yaxis)
    ax.legend(loc="upper left")
    ax.set_title(title, wrap=True)
    return ax


@style.context()
def days(issued: pd.DataFrame, handed_in: pd.DataFrame, events: pd.DataFrame | None = None) -> Figure:
    """Contacts above, coupons handed in a day below, over the same days.

    Parameters
    ----------
    issued, handed_in : start, end, rows, per_day; see `chapters.campaign_numbers.spans`.
    events : to mark, see `Study.events`.
    """
    fig, (above, below) = style.figure(height=460, rows=2, sharex=True)
    above.set_title("Customers contacted, day by day", wrap=True)
    below.set_title("Coupons handed in a day", wrap=True)
    if issued.empty:
        for ax in (above, below):
            nothing(ax, ax.get_title(loc="left"))
        return fig
    above.vlines(issued["end"], 0, issued["rows"], color=style.ACCENT, linewidth=3)
    above.set_ylabel("contacts")
    edges = [*handed_in["start"], *handed_in["end"].tail(1) + pd.Timedelta(days=1)]
    if len(handed_in):
        below.stairs(handed_in["per_day"], edges, fill=True, color=style.VERMILLION, alpha=0.25)
        below.stairs(handed_in["per_day"], edges, color=style.VERMILLION, linewidth=1.4, baseline=None)
    below.set_ylabel("coupons a day")
    for ax in (above, below):
        ax.set_ylim(bottom=0)
        style.thousands(ax.yaxis)
        style.dates(ax.xaxis)
        mark(ax, events)
    return fig


@style.context()
def hold_outs(table: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """Least effect on spend that a campaign would show, by the share that is held out.

    Parameters
    ----------
    table : see `programme.design.by_hold_out`.
    """
    title = "Least effect that a campaign would show, by how many are held out"
    ax = axes(ax, 360)
    if table.empty:
        return nothing(ax, title)
    for column, colour, label in (
        ("plain", style.GREY, "without the customers' past"),
        ("cuped", style.ACCENT, "with the customers' past"),
    ):
        ax.plot(table["hold_out"], table[column], color=colour, marker="o", markersize=5, label=label)
    ax.set_xlim(0, 1.05 * table["hold_out"].max())
    ax.set_ylim(bottom=0)
    style.percent(ax.xaxis)
    style.thousands(ax.yaxis)
    ax.set_xlabel("share of the customers held out, %")
    ax.set_ylabel(f"{symbol(currency)} a customer")
    ax.legend(loc="lower left")
    ax.set_title(title, wrap=True)
    return ax


def powers(table: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """How surely a campaign would show effects of several sizes.

    Parameters
    ----------
    table : see `programme.design.power_curve`.
    """
    title = "How surely an effect would show, by its size"
    ax = axes(ax, 360)
    if table.empty:
        return nothing(ax, title)
    for column, colour, label in (
        ("plain", style.GREY, "without the customers' past"),
        ("cuped", style.ACCENT, "with the customers' past"),
    ):
        ax.plot(table["effect"], table[column], color=colour, marker="o", markersize=5, label=label)
    ax.set_xlim(0, 1.05 * table["effect"].max())
    ax.set_ylim(0, 1.02)
    style.percent(ax.yaxis)
    ax.set_xlabel(f"effect, {symbol(currency)} a customer")
    ax.set_ylabel("chance that it shows, %")
    ax.legend(loc="lower right")
    ax.set_title(title, wrap=True)
    return ax
