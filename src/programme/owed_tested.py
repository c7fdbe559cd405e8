"""What both methods promised at earlier dates against what was redeemed since, which of them to trust, and what if."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from .effect import Interval
from .liability import Ultimate
from .owed import METHODS, PERIOD_DAYS, Counted, expected

FEWEST_PERIODS = 3
"""Over which a method can be tested."""
COLUMNS = ("tested", "method", "periods", "promised", "promised_low", "promised_high", "redeemed", "held")


def back_test(seen: Counted, as_of: date, period_days: int = PERIOD_DAYS) -> pd.DataFrame:
    """What each method would have said at one or two earlier dates of what was redeemed since.

    One date is as long ago as points last, or less where only then points had been seen until their end; the other is
    half as long ago.

    Parameters
    ----------
    seen : see `owed.counted`, of periods of as many days.
    as_of : first day that is not known.

    Returns
    -------
    tested (day), method, periods (since), promised (points to be redeemed in them), promised_low, promised_high,
        redeemed, held (whether it lies between them). No rows where the ledger is too short for it.
    """
    rows = []
    for periods in _dates(seen):
        then, redeemed = seen.earlier(periods), seen.redeemed_since(periods)
        for method in METHODS:
            found = expected(then, method, periods)
            low, high = float(found.low), float(found.high)
            day = as_of - timedelta(days=periods * period_days)
            rows.append((day, method, periods, float(found.total), low, high, redeemed, low <= redeemed <= high))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"tested": "datetime64[ns]", "held": "bool"})


def _dates(seen: Counted) -> list[int]:
    if not seen.whole or seen.ages is None:
        return []
    longest = min(seen.ages - 1, seen.cohorts - seen.ages)
    return [each for each in (longest, longest // 2) if each >= FEWEST_PERIODS]


def trusted(tested: pd.DataFrame) -> str:
    """The method whose promises were nearer to what was redeemed, in all; survival where nothing was tested."""
    if tested.empty:
        return "survival"
    misses = (tested["promised"] - tested["redeemed"]).abs().groupby(tested["method"]).sum()
    return str(misses.idxmin())


def ultimate_rate(issued: float, redeemed: float, ahead: Interval) -> Interval:
    """Share of all points issued that is redeemed in the end, those redeemed so far among them; one minus breakage."""
    ends = [(redeemed + each) / issued for each in (ahead.estimate, ahead.low, ahead.high)]
    return Interval(*(float(min(each, 1.0)) for each in ends))


def stress(found: Ultimate, outstanding: float, cost_per_point: float) -> pd.DataFrame:
    """What they cost if it comes otherwise.

    Returns
    -------
    case, points (redeemed in the end, of those there), share (of those there), money, change (of money, against the
        first case). Where points last longer than any has been seen, that is the least that can be expected.
    """
    likely = float(found.total)
    cases: Mapping[str, float] = {
        "expected": likely,
        "low end": float(found.low),
        "high end": float(found.high),
        "a quarter less is redeemed": 0.75 * likely,
        "a quarter more is redeemed": 1.25 * likely,
        "half of what would lapse is redeemed": (likely + outstanding) / 2,
    }
    if found.bound:
        cases = {
            "at ages seen so far": likely,
            "low end": float(found.low),
            "half of the rest is redeemed too": (likely + outstanding) / 2,
        }
    rows: list[Any] = [(case, min(points, outstanding)) for case, points in cases.items()]
    table = pd.DataFrame([*rows, ("everything is redeemed", outstanding)], columns=["case", "points"])
    table["share"] = table["points"] / outstanding if outstanding else np.nan
    table["money"] = table["points"] * cost_per_point
    return table.assign(change=table["money"] - table["money"].iloc[0])
