r"""Whether more customers lie just above a threshold than a smooth distribution has there: points pressure.

Counts of customers in windows of equal width around the threshold are a Poisson regression on a polynomial of the
distance, with a term of their own for the windows just above and for those just below (Kleven 2016, Annual Review of
Economics 8, section 2). With :math:`\log E\,y_i = p(x_i) + \alpha\,[above] + \beta\,[below]`, the share by which
there are more above than the smooth curve has is :math:`e^\alpha - 1`, its interval that of :math:`\alpha`. Errors are
widened by the dispersion of the counts around the curve where that is above one, for purchases come in lumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy import stats

from ..features.columns import Tables
from .effect import LEVEL, QUANTILE, Interval, Placebo, said
from .tier_rules import TierRules
from .tiers import standing, whole_parts

BINS = 100
"""Fine bins from 0 to the threshold; there are as many above it."""
WIDTH = 4
"""Fine bins of a window."""
REACH = 48
"""Fine bins on each side that are looked at."""
NEAR = 2
"""Windows just above, and just below, that are held against the curve."""
DEGREE = 3
FEWEST = 100
"""Customers in all windows below which nothing is said."""
FEWEST_NEAR = 10
"""Customers whom the curve must have in the windows just above."""
PLACEBOS = (-32, -20, 20, 32)
"""Distances of thresholds that do not exist, fine bins."""


@dataclass(frozen=True)
class Bunching:
    """Customers around one threshold.

    Attributes
    ----------
    tier, threshold : which one.
    above : share by which more customers lie in the windows just above than the smooth curve has; NaN if refused.
    below : the same for the windows just below, where those are missing who made one purchase more.
    customers : the same as `above`, as a number of customers.
    placebos : the same test at thresholds that do not exist.
    windows : from, until (shares of the threshold), customers, smooth; empty if refused.
    refusals : why nothing is said; empty if something is.
    """

    tier: str
    threshold: float
    above: Interval
    below: Interval
    customers: Interval
    placebos: tuple[Placebo, ...]
    windows: pd.DataFrame
    refusals: tuple[str, ...] = ()

    @property
    def clear(self) -> bool:
        """Whether there are more just above than chance and a smooth distribution explain, and no placebo fails."""
        return not self.refusals and self.above.low > 0 and all(placebo.passed for placebo in self.placebos)


def around_threshold(tables: Tables, rules: TierRules, number: int, as_of: date) -> pd.DataFrame:
    """Customers by what they had in one whole qualifying period, so that each counts once.

    Parameters
    ----------
    tables : with purchase days, or points.
    rules : of the tiers.
    number : of the tier whose threshold is looked at, 1 for the lowest.
    as_of : first day that is not known. A rolling period ends then; of calendar ones, the last that is over is taken.

    Returns
    -------
    bin : hundredths of the threshold above it, from -100; 0 begins at the threshold itself
    customers : count; bins without customers have no row
    """
    threshold = whole_parts(rules)[number - 1]
    end = as_of if rules.period == "rolling" else rules.period_start(as_of)
    had = standing(tables, rules, end)
    some = had.filter((had.worth > 0) & (had.worth < 2 * threshold))
    # Whole numbers: at the threshold itself the bin begins exactly.
    part = some.worth * BINS
    bins = some.group_by(bin=((part - part % threshold) / threshold).round().cast("int64") - BINS)
    return bins.agg(customers=some.count()).order_by("bin").to_pandas()


def bunching(tables: Tables, rules: TierRules, as_of: date) -> tuple[Bunching, ...]:
    """The test at every threshold of the rules, see `at_threshold`."""
    return tuple(
        at_threshold(around_threshold(tables, rules, number, as_of), rules, number)
        for number in range(1, len(rules.thresholds) + 1)
    )


def at_threshold(counts: pd.DataFrame, rules: TierRules, number: int) -> Bunching:
    """Hold the customers just above and just below a threshold against a smooth curve through the others.

    Parameters
    ----------
    counts : see `around_threshold`.
    rules : whose other thresholds end the range that is looked at.
    number : of the tier, 1 for the lowest.
    """
    name, threshold = rules.names[number - 1], rules.thresholds[number - 1]
    lower, upper = _range(rules, number)
    if -lower < (NEAR + 4) * WIDTH or upper < (NEAR + 4) * WIDTH:
        return _refused(name, threshold, "The next threshold is too close for a smooth curve between them.")
    starts = np.arange(lower, upper, WIDTH)
    seen = counts.set_index("bin")["customers"].reindex(range(lower, upper), fill_value=0).to_numpy(dtype=float)
    customers = seen.reshape(-1, WIDTH).sum(axis=1)
    if customers.sum() < FEWEST:
        told = f"Only {customers.sum():.0f} customers lie near the threshold; the test needs {FEWEST}."
        return _refused(name, threshold, told)
    real = [_beside(starts, 0, 1), _beside(starts, 0, -1)]
    fit = _fit(starts, customers, real)
    smooth = fit.fitted / np.exp(np.column_stack(real) @ fit.extra)
    if min(smooth[real[0]].sum(), customers[real[0]].sum()) < FEWEST_NEAR or not customers[real[1]].sum():
        return _refused(name, threshold, "Too few customers lie just above or just below the threshold.")
    above, below = (_more(fit, at) for at in (0, 1))
    windows = pd.DataFrame(
        {"from": 1 + starts / BINS, "until": 1 + (starts + WIDTH) / BINS, "customers": customers, "smooth": smooth}
    )
    placebos = _placebos(starts, customers, real)
    return Bunching(name, threshold, above, below, above.times(smooth[real[0]].sum()), placebos, windows)


@dataclass(frozen=True)
class _Fit:
    """Counts that are expected, the terms of single windows, and their standard errors."""

    fitted: np.ndarray
    extra: np.ndarray
    errors: np.ndarray


def _range(rules: TierRules, number: int) -> tuple[int, int]:
    """Fine bins that are looked at, whole windows from the threshold: none that another threshold touches."""
    own = rules.thresholds[number - 1]
    lower, upper = -REACH, REACH
    apart = NEAR * WIDTH
    for other in rules.thresholds:
        at = (other / own - 1) * BINS
        if other < own:
            lower = max(lower, int(np.ceil(at)) + apart)
        elif other > own:
            upper = min(upper, int(np.floor(at)) - apart)
    return -(-lower // WIDTH) * WIDTH, upper // WIDTH * WIDTH


def _beside(starts: np.ndarray, at: int, side: int) -> np.ndarray:
    """The windows just above (side 1) or just below (side -1) a fine bin."""
    low, high = (at, at + NEAR * WIDTH) if side > 0 else (at - NEAR * WIDTH, at)
    return np.asarray((starts >= low) & (starts < high))


def _fit(starts: np.ndarray, customers: np.ndarray, own: list[np.ndarray]) -> _Fit:
    """Poisson regression by iteratively reweighted least squares (McCullagh and Nelder 1989, section 2.5)."""
    x = (starts + WIDTH / 2) / REACH
    design = np.column_stack([*(x**power for power in range(DEGREE + 1)), *own]).astype(float)
    mean = np.maximum(customers, 0.5)
    for _ in range(50):
        working = np.log(mean) + (customers - mean) / mean
        weighted = design * mean[:, None]
        coefficients = np.linalg.pinv(weighted.T @ design, hermitian=True) @ (weighted.T @ working)
        moved = np.exp(np.clip(design @ coefficients, -30, 30))
        settled = np.allclose(moved, mean, rtol=1e-8, atol=1e-10)
        mean = moved
        if settled:
            break
    information = design.T @ (design * mean[:, None])
    free = max(len(customers) - design.shape[1], 1)
    dispersion = max(1.0, float(np.sum((customers - mean) ** 2 / mean)) / free)
    errors = np.sqrt(np.diag(np.linalg.pinv(information, hermitian=True)) * dispersion)
    return _Fit(mean, coefficients[DEGREE + 1 :], errors[DEGREE + 1 :])


def _more(fit: _Fit, at: int, quantile: float = QUANTILE) -> Interval:
    middle, half = fit.extra[at], quantile * fit.errors[at]
    return Interval(*(float(np.expm1(end)) for end in (middle, middle - half, middle + half)))


def _placebos(starts: np.ndarray, customers: np.ndarray, real: list[np.ndarray]) -> tuple[Placebo, ...]:
    """The test where there is no threshold; so many intervals are wider, that all hold at once as often as one."""
    apart = NEAR * WIDTH
    places = [at for at in PLACEBOS if starts[0] + apart <= at <= starts[-1] + WIDTH - apart]
    quantile = float(stats.norm.ppf(1 - (1 - LEVEL) / 2 / max(len(places), 1)))
    found = []
    for at in places:
        fit = _fit(starts, customers, [_beside(starts, at, 1), *real])
        more = _more(fit, 0, quantile)
        found.append(
            Placebo(
                f"a threshold at {1 + at / BINS:.0%} of the real one",
                more,
                more.holds(0.0),
                f"Just above {1 + at / BINS:.0%} of the threshold, where nothing is to be had, there are "
                f"{said(100 * more.estimate)} % more than the smooth curve has.",
            )
        )
    return tuple(found)


def _refused(name: str, threshold: float, reason: str) -> Bunching:
    nothing = Interval(np.nan, np.nan, np.nan)
    empty = pd.DataFrame(columns=["from", "until", "customers", "smooth"], dtype=float)
    return Bunching(name, threshold, nothing, nothing, nothing, (), empty, (reason,))
