"""The customer's own rhythm: gaps between purchase days, and how overdue the next one is."""

import ibis.expr.types as ir

from .columns import Column, DayBlock, Window
from .windows import days_until


def columns(window: Window) -> dict[str, Column]:
    """Columns of the block."""
    return {
        "gap_mean": Column("Mean days between purchases", "days", "mean of the gaps", "no repeat purchase"),
        "gap_sd": Column(
            "Spread of days between purchases", "days", "standard deviation of the gaps", "fewer than two gaps"
        ),
        "gap_cv": Column("Irregularity of the rhythm", "ratio", "gap_sd over gap_mean", "fewer than two gaps"),
        "gap_longest": Column("Longest silence so far", "days", "longest gap", "no repeat purchase"),
        "regularity": Column(
            "Regularity of the rhythm",
            "share",
            "geometric over arithmetic mean of the gaps: 1 like clockwork, 0.56 at random",
            "fewer than two gaps",
        ),
        "overdue": Column(
            "Days since last purchase over own mean gap", "ratio", "days_since_last over gap_mean", "no repeat purchase"
        ),
        "longer_gaps_share": Column(
            "Share of own gaps longer than the present one",
            "share",
            "share of the gaps that are longer than days_since_last",
            "no repeat purchase",
        ),
    }


def sums(known: ir.Table, window: Window) -> dict[str, ir.Value]:
    """Moments of the gaps."""
    return {
        "gaps": known.gap.count(),
        "gap_sd": known.gap.std(how="sample"),
        "gap_longest": known.gap.max(),
        "gap_log_mean": known.gap.ln().mean(),
        "longer_gaps_share": (known.gap > known.silence).cast("float64").mean(),
    }


def values(each: ir.Table, window: Window) -> dict[str, ir.Value]:
    """Rhythm of each customer.

    Of gaps that follow a gamma distribution, the ratio of their geometric to their arithmetic mean determines the
    shape k, the regularity of buying: ln k − ψ(k) = −ln(ratio) at the maximum of the likelihood (Minka 2002,
    "Estimating a Gamma distribution"; for purchases Platzer & Reutterer 2016, "Ticking Away the Moments"). The ratio
    itself is used, since k is infinite where all gaps are equal.
    """
    mean = each.last_day.delta(each.first_day, unit="day") / each.gaps.nullif(0)
    ratio = (each.gap_log_mean.exp() / mean).clip(upper=1.0)
    return {
        "gap_mean": mean,
        "gap_sd": each.gap_sd,
        "gap_cv": each.gap_sd / mean,
        "gap_longest": each.gap_longest,
        "regularity": (each.gaps > 1).ifelse(ratio, None),
        "overdue": days_until(window.as_of, each.last_day) / mean,
        "longer_gaps_share": each.longer_gaps_share,
    }


BLOCK = DayBlock("cadence", columns, sums, values)
