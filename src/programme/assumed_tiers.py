"""Tiers for a log without any: thresholds that its customers' spend suggests, benefits such as programmes have."""

from datetime import date
from math import floor, log10

from ..features.columns import Tables
from ..features.histories import NOTHING, net_spend
from ..features.windows import last_days
from .tier_rules import TierRules
from .tier_simulator import Benefits

NAMES = ("Bronze", "Silver", "Gold")
SHARES_BELOW = (0.5, 0.8, 0.95)
"""Share of the buyers who spent less than each threshold, roughly."""
PERIODS = (365, 182, 91, 28)
"""Lengths of a rolling period, days; the longest is taken that the log holds and a horizon more."""
STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.5, 10.0)
BENEFIT = 0.01
"""Share of spend that the first tier gives back; the second gives twice as much, and so on."""


def assumed_rules(tables: Tables, as_of: date, first_day: date, horizon_days: int) -> TierRules | None:
    """Three tiers that about half, a fifth and a twentieth of the buyers reach; None where nobody paid anything.

    Parameters
    ----------
    tables : with purchase days.
    as_of : first day that is not known.
    first_day : of the log.
    horizon_days : that are to be looked at after a date whose tiers are known.
    """
    known = (as_of - first_day).days
    days = next((length for length in PERIODS if length + horizon_days <= known), PERIODS[-1])
    wanted = (round_near(spend) for spend in spend_below(tables, as_of, days, SHARES_BELOW) if spend > NOTHING)
    thresholds = tuple(dict.fromkeys(wanted))
    return TierRules(NAMES[: len(thresholds)], thresholds, days=days) if thresholds else None


def spend_below(tables: Tables, as_of: date, days: int, shares: tuple[float, ...]) -> list[float]:
    """Spend of the `days` before `as_of` below which such shares of those lie who spent anything; none of nobody."""
    spent = last_days(net_spend(tables), as_of, days)
    each = spent.group_by("customer").agg(spend=spent.spend.sum())
    some = each.filter(each.spend > NOTHING)
    row = some.agg(**{f"below_{at}": some.spend.quantile(share) for at, share in enumerate(shares)})
    (found,) = row.to_pyarrow().to_pylist()
    return [float(value) for value in found.values() if value is not None]


def assumed_benefits(tiers: int) -> Benefits:
    """A hundredth of the spend back in the first tier, two hundredths in the second, and so on."""
    return Benefits(tuple(round(BENEFIT * number, 4) for number in range(1, tiers + 1)), (0.0,) * tiers)


def round_near(value: float) -> float:
    """A number that a person would choose, near one above 0.

    Examples
    --------
    >>> round_near(47.3), round_near(152), round_near(1840), round_near(0.83)
    (50.0, 150.0, 2000.0, 0.75)
    """
    scale = 10.0 ** floor(log10(value))
    return round(min(STEPS, key=lambda step: abs(step * scale - value)) * scale, 10)
