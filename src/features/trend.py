"""Is the customer buying more or less than before?"""

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from .columns import Column, DayBlock, Window
from .windows import days_until, in_last_days

PERIOD = 28
"""Days whose spend is one point of the slope: four weeks, so that each has every weekday equally often."""


def columns(window: Window) -> dict[str, Column]:
    """Columns of the block."""
    named = {
        "last_against_mean": Column(
            "Last purchase day over own mean",
            "ratio",
            "spend of the last purchase day over the mean spend of all",
            "all purchases were worth nothing",
        )
    }
    for length in _halves(window):
        named[f"spend_trend_{length}"] = Column(
            f"Share of the last {2 * length} days' spend that fell in the last {length}",
            "share",
            f"net spend of the last {length} days over that of the last {2 * length}; each half at least 0",
            "no spend in them",
        )
    if _periods(window) >= 2:
        named["spend_slope"] = Column(
            "Change of spend from four weeks to the next",
            "money",
            f"slope of a straight line (least squares) through the net spend of each {PERIOD} days, counted back from "
            f"the as-of date as far as the first purchase or return, at most {_periods(window)} of them",
            f"nothing bought or returned before the last {PERIOD} days",
        )
    return named


def sums(known: ir.Table, window: Window) -> dict[str, ir.Value]:
    """Spend of the halves of each window, and spend by its age in periods."""
    named = {"last_spend": known.spend.argmax(known.day, where=known.purchase)}
    for length in _halves(window):
        for half, end in (("newer", window.as_of), ("older", window.as_of - timedelta(days=length))):
            inside = in_last_days(known.day, end, length)
            named[f"{half}_{length}"] = inside.ifelse(known.spend, 0.0).sum()
    if (periods := _periods(window)) >= 2:
        seen = in_last_days(known.day, window.as_of, periods * PERIOD).ifelse(known.spend, 0.0)
        named["first_move"] = known.day.min()
        named["seen_spend"] = seen.sum()
        named["seen_moment"] = (seen * _age(known.day, window)).sum()
    return named


def values(each: ir.Table, window: Window) -> dict[str, ir.Value]:
    """Direction of each customer's spend."""
    named = {"last_against_mean": each.last_spend / (each.paid / each.purchase_days).nullif(0)}
    for length in _halves(window):
        newer, older = each[f"newer_{length}"].clip(lower=0.0), each[f"older_{length}"].clip(lower=0.0)
        named[f"spend_trend_{length}"] = newer / (newer + older).nullif(0)
    if (periods := _periods(window)) >= 2:
        # Ages run from 0, the newest period, to n − 1: their mean is (n − 1) / 2, their squares sum to n (n² − 1) / 12.
        n = ibis.least(_age(each.first_move, window) + 1, periods)
        named["spend_slope"] = ((n - 1) / 2 * each.seen_spend - each.seen_moment) / (n * (n * n - 1) / 12).nullif(0)
    return named


BLOCK = DayBlock("trend", columns, sums, values)


def _halves(window: Window) -> tuple[int, ...]:
    """Windows whose double is still filled by the data."""
    return tuple(length for length in window.lengths if length >= 30 and 2 * length <= max(window.lengths))


def _periods(window: Window) -> int:
    """How many whole periods the longest window holds."""
    return max(window.lengths) // PERIOD


def _age(day: ir.DateValue, window: Window) -> ir.NumericValue:
    """Whole periods between a day and the as-of date; 0 for the last `PERIOD` days."""
    return ((days_until(window.as_of, day) - 1) / PERIOD).floor()
