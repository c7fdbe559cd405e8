"""How much all customers together will do: a level chosen among forecasts by how far off they were before.

Trees tell customers apart better than they know how busy a season will be. So a level is chosen by itself: each
forecast of the total counts by its past errors, and where the log reaches back a year, each is first corrected by what
came in the same days a year before, as far as that is more than chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .validation import FloatArray

SURE = 0.05
"""Error of a total that no forecast is thought to go below."""

DOUBT = 0.1
"""Error that a forecast is thought to have before it has any."""

LEAST_NOISE = 0.02
"""Error of a year-ago correction that does not come from how few customers there were."""


class Season(NamedTuple):
    """What came a year ago over what was expected then.

    Attributes
    ----------
    log_ratio : natural logarithm; 0 if all came as expected.
    variance : of it.
    """

    log_ratio: float
    variance: float

    def beside(self, usual: float) -> Season:
        """The season beside the mean log ratio of other dates."""
        return self._replace(log_ratio=self.log_ratio - usual)


def season(actual: FloatArray, expected: FloatArray) -> Season | None:
    """The season of a year ago; None if nothing came or was expected.

    Parameters
    ----------
    actual, expected : of each customer, shape (customers,).
    """
    came, hoped = float(actual.sum()), float(expected.sum())
    if came <= 0 or hoped <= 0:
        return None
    ratio = came / hoped
    chance = float(((actual - ratio * expected) ** 2).sum()) / came**2
    return Season(float(np.log(ratio)), chance + LEAST_NOISE**2)


def correction(seen: Season | None) -> float:
    """Factor for a forecast of the coming days, 1 for a season that may be chance (James & Stein 1961, positive part).

    Examples
    --------
    >>> round(correction(Season(0.3, 0.0025)), 3), correction(Season(0.03, 0.0025))
    (1.339, 1.0)
    """
    if seen is None or seen.log_ratio**2 <= seen.variance:
        return 1.0
    return float(np.exp(seen.log_ratio * (1 - seen.variance / seen.log_ratio**2)))


def mean_season(seasons: Sequence[Season]) -> Season | None:
    """The mean of what several models say of one season; None of none."""
    if not seasons:
        return None
    ratios, variances = zip(*seasons, strict=True)
    return Season(float(np.mean(ratios)), float(np.mean(variances)))


def log_error(expected: float, actual: float) -> float | None:
    """Logarithm of expected over actual; None where either is nothing."""
    return float(np.log(expected / actual)) if expected > 0 and actual > 0 else None


def mean_square(errors: Sequence[float]) -> float:
    """Mean square of past errors, one of `DOUBT` among them."""
    return (sum(error**2 for error in errors) + DOUBT**2) / (len(errors) + 1)


def combined(forecasts: Mapping[str, float], errors: Mapping[str, Sequence[float]]) -> tuple[float, float]:
    """One level from several forecasts of it, each with the weight that its past errors leave it.

    Parameters
    ----------
    forecasts : name → level, above 0.
    errors : name → logarithms of expected over actual on past dates.

    Returns
    -------
    The weighted geometric mean, and the root mean square error to be expected of it, in logarithms.

    Examples
    --------
    >>> level, error = combined({"good": 100.0, "bad": 150.0}, {"good": [0.01, -0.02], "bad": [0.4, 0.5]})
    >>> round(level, 1)
    101.7
    """
    squares = {name: mean_square(errors.get(name, ())) for name in forecasts}
    weights = {name: 1 / (SURE**2 + square) for name, square in squares.items()}
    total = sum(weights.values())
    level = sum(weights[name] * np.log(forecast) for name, forecast in forecasts.items()) / total
    square = sum(weights[name] * squares[name] for name in forecasts) / total
    return float(np.exp(level)), float(np.sqrt(square))
