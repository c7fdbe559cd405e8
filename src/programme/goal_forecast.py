r"""Where a measure is going: exponential smoothing of few periods, with all that is not known of it in the interval.

The series is a level that moves, around which each period scatters (Hyndman, Koehler, Ord & Snyder 2008, Forecasting
with Exponential Smoothing, ch. 3), with or without a trend that dies out (Gardner & McKenzie 1985, Management Science
31 (10), 1237-1246):

.. math:: y_t = l_{t-1} + \phi b_{t-1} + e_t, \quad l_t = l_{t-1} + \phi b_{t-1} + \alpha e_t, \quad
          b_t = \phi b_{t-1} + \beta e_t.

With the smoothing given it is linear in the level and trend at the beginning and in the errors, y = X b + L e, so that
with flat priors on b and log sigma the next periods follow Student's t exactly. A dozen periods do not tell the
smoothing: the forecast is the mixture over a grid of it, weighted by how likely each makes the series (Bayesian model
averaging). `as now` is the same with alpha = 1 and no trend, a random walk, whose forecast is the last value.

Which of three it is, `as now`, `level` or `trend`, is decided by what each would have forecast from earlier periods. A
model that is not better than `as now` on those is not used.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from scipy.optimize import brentq
from scipy.special import logsumexp

from .effect import LEVEL, Interval

FloatArray = npt.NDArray[np.float64]

FEWEST = 6
"""Periods without which nothing is forecast."""
LEARNT_FROM = 5
"""Periods that a forecast of the past is made from, at least."""
DAMPING = 0.9
LEVELS = tuple(np.arange(0.0, 1.26, 0.125))
TRENDS = (0.0, 0.1, 0.3)

Smoothing = tuple[float, float | None]
"""Alpha and beta; without a trend beta is None."""

MODELS: dict[str, tuple[Smoothing, ...]] = {
    "as now": ((1.0, None),),
    "level": tuple((float(alpha), None) for alpha in LEVELS),
    "trend": tuple((float(alpha), beta) for alpha, beta in product(LEVELS, TRENDS) if beta <= alpha),
}
"""What each model holds."""

MEANING = {
    "as now": "stays as it is now",
    "level": "scatters around a level that moves (exponential smoothing)",
    "trend": "follows a trend that dies out (damped exponential smoothing)",
}


@dataclass(frozen=True)
class Ahead:
    """A mixture of Student's t: one period ahead, or several.

    Attributes
    ----------
    weight, centre, scale, freedom : of the parts.
    """

    weight: FloatArray
    centre: FloatArray
    scale: FloatArray
    freedom: FloatArray

    def at_most(self, value: float) -> float:
        """Probability of a value up to this one."""
        return float(self.weight @ stats.t.cdf((value - self.centre) / self.scale, self.freedom))

    @property
    def mean(self) -> float:
        """Expected value."""
        return float(self.weight @ self.centre)

    def quantile(self, share: float) -> float:
        """Value below which this share lies."""
        ends = self.centre + self.scale * stats.t.ppf(share, self.freedom)
        low, high = float(ends.min()), float(ends.max())
        if high - low < 1e-12 * max(1.0, abs(high)):
            return low
        return float(brentq(lambda value: self.at_most(value) - share, low, high))

    @property
    def interval(self) -> Interval:
        """Mean and 90 % interval."""
        return Interval(self.mean, self.quantile((1 - LEVEL) / 2), self.quantile((1 + LEVEL) / 2))


def ahead(series: FloatArray, periods: int, model: str) -> Ahead:
    """What is forecast for one period.

    Parameters
    ----------
    series : values of periods that follow each other, the earliest first; at least `LEARNT_FROM`.
    periods : ahead, from 1.
    model : see `MODELS`.
    """
    residuals, weights, log_determinant, spread, freedom = _stacked(len(series), periods, MODELS[model])
    # Numbers carry rounding errors of this size, even where every period is like the others.
    squares = np.maximum(np.sum((residuals @ series) ** 2, axis=1), 1e-18 * max(1.0, float(series @ series)))
    log_weight = 0.5 * (log_determinant - freedom * np.log(squares))
    scale = np.sqrt(squares / freedom * spread)
    return Ahead(np.exp(log_weight - logsumexp(log_weight)), weights @ series, scale, freedom)


@functools.lru_cache(maxsize=256)
def _stacked(n: int, periods: int, smoothings: tuple[Smoothing, ...]) -> tuple[FloatArray, ...]:
    """`_geometry` of all smoothings, and their degrees of freedom."""
    parts = zip(*(_geometry(n, periods, alpha, beta) for alpha, beta in smoothings), strict=True)
    freedom = np.array([n - (1 if beta is None else 2) for _, beta in smoothings], dtype=float)
    return *(np.array(each) for each in parts), freedom


def _geometry(n: int, periods: int, alpha: float, beta: float | None) -> tuple[FloatArray, FloatArray, float, float]:
    """All that does not depend on the series.

    Returns
    -------
    Residuals of a series as a matrix of it, its forecast as weights of it, log of the determinant, and the variance of
    the forecast in units of that of the errors.
    """
    last = n + periods - 1
    # What an error still adds so many periods later.
    response = np.full(last, alpha)
    start = np.ones((last + 1, 1))
    if beta is not None:
        damped = np.cumsum(DAMPING ** np.arange(1, last + 2))
        response = alpha + beta * damped[:last]
        start = np.column_stack([start, damped])
    lag = np.arange(n)[:, None] - np.arange(n)[None, :]
    whiten = np.linalg.inv(np.where(lag > 0, response[np.maximum(lag, 1) - 1], 0.0) + np.eye(n))
    design = whiten @ start[:n]
    inner = np.linalg.inv(design.T @ design)
    fit = inner @ design.T @ whiten
    residuals = whiten - design @ fit
    still = response[last - 1 - np.arange(n)]
    apart = start[last] - still @ design
    spread = 1 + float(np.sum(response[: periods - 1] ** 2)) + float(apart @ inner @ apart)
    return residuals, start[last] @ fit + still @ residuals, float(np.linalg.slogdet(inner)[1]), spread


def backtest(series: FloatArray, periods: int) -> pd.DataFrame:
    """What each model would have forecast so many periods ahead from earlier ones.

    Returns
    -------
    error : mean absolute error of the forecasts; NaN where no period can be forecast so.
    origins : how many forecasts.
    Index model, `as now` first.
    """
    origins = range(LEARNT_FROM, len(series) - periods + 1)
    rows = {
        name: [abs(ahead(series[:at], periods, name).mean - series[at + periods - 1]) for at in origins]
        for name in MODELS
    }
    return pd.DataFrame(
        {"error": {name: np.mean(found) if found else np.nan for name, found in rows.items()}, "origins": len(origins)}
    ).rename_axis("model")


def chosen(tested: pd.DataFrame) -> str:
    """The model with the least error; `as now` where none is better, or nothing could be tested."""
    errors = tested["error"]
    return str(errors.idxmin()) if errors.min() < errors["as now"] else "as now"
