"""Whether probabilities, amounts and intervals keep their promise."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from .groups import REACH
from .validation import FloatArray, IntArray

TINY = 1e-6
"""No probability is told to be nearer to 0 or 1: one miss of a certainty would weigh more than all else."""

LEAST = 0.01
"""An expected amount is taken to be at least this share of the mean, where its logarithm is needed."""


class Brier(NamedTuple):
    """The mean squared error of probabilities, and what it is made of: score = reliability - resolution + uncertainty.

    Attributes
    ----------
    score : the Brier score.
    reliability : how far promises are from what happens, the smaller the better.
    resolution : how far what happens differs between promises, the larger the better.
    uncertainty : the score of who promises everyone the mean.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float


def log_losses(churned: FloatArray, probability: FloatArray) -> FloatArray:
    """Logarithmic loss of each customer (Good 1952), shape (n,).

    Examples
    --------
    >>> log_losses(np.array([1.0, 0.0]), np.array([0.5, 0.1])).round(4).tolist()
    [0.6931, 0.1054]
    """
    p = np.clip(probability, TINY, 1 - TINY)
    return np.asarray(-(churned * np.log(p) + (1 - churned) * np.log1p(-p)))


def brier(churned: FloatArray, probability: FloatArray, groups: int = 10) -> Brier:
    """The Brier score and its parts, by groups of equal size (Murphy 1973).

    Within a group promises differ a little. That is counted into the resolution (Stephenson, Coelho & Jolliffe 2008),
    so that the parts add up to the score whatever the groups are.

    Examples
    --------
    >>> parts = brier(np.array([0.0, 0, 1, 1]), np.array([0.2, 0.2, 0.2, 0.8]), groups=2)
    >>> [round(part, 3) for part in parts]
    [0.19, 0.145, 0.205, 0.25]
    """
    score, rate = float(((probability - churned) ** 2).mean()), float(churned.mean())
    table = _by_group(churned, probability, grouped(probability, groups))
    share = (table["customers"] / len(churned)).to_numpy("float64")
    reliability = float(share @ ((table["promised"] - table["realised"]) ** 2).to_numpy("float64"))
    uncertainty = rate * (1 - rate)
    return Brier(score, reliability, reliability + uncertainty - score, uncertainty)


def calibration_error(churned: FloatArray, probability: FloatArray, groups: int = 10) -> float:
    """Expected calibration error: mean distance of promise and outcome over groups of equal size.

    Naeini, Cooper & Hauskrecht (2015), with groups of equal size, which Nixon et al. (2019) found the steadier. A
    forecast that is right has one above zero too, see `calibration_error_of_chance`.

    Examples
    --------
    >>> round(calibration_error(np.array([0.0, 0, 1, 1]), np.array([0.1, 0.3, 0.5, 0.9]), groups=2), 3)
    0.25
    """
    table = _by_group(churned, probability, grouped(probability, groups))
    distance = (table["promised"] - table["realised"]).abs()
    return float(distance @ table["customers"] / len(churned))


def calibration_error_of_chance(probability: FloatArray, groups: int = 10) -> float:
    """What `calibration_error` would be on average if every probability were right.

    The outcome of a group is then normal about its promise, nearly, and the mean distance is √(2/π) of its deviation.

    Examples
    --------
    >>> round(calibration_error_of_chance(np.full(2000, 0.2)), 4)
    0.0226
    """
    group = grouped(probability, groups)
    deviation = np.sqrt(np.bincount(group, probability * (1 - probability)))
    return float(np.sqrt(2 / np.pi) * deviation.sum() / len(probability))


def amounts_by_tenth(actual: FloatArray, predicted: FloatArray, groups: int = 10) -> pd.DataFrame:
    """Mean amount promised against mean amount realised, by groups of equal size, the least promised first.

    Returns
    -------
    customers, promised, realised (money a customer), low and high (90 % interval of the realised mean, NaN of one).

    Examples
    --------
    >>> amounts_by_tenth(np.array([0.0, 2, 4, 8]), np.array([1.0, 2, 5, 6]), groups=2)[["promised", "realised"]]
       promised  realised
    0       1.5       1.0
    1       5.5       6.0
    """
    table = _by_group(actual, predicted, grouped(predicted, groups))
    half = REACH * table["deviation"] / np.sqrt(table["customers"])
    realised = table["realised"]
    return table[["customers", "promised", "realised"]].assign(low=realised - half, high=realised + half)


def error_of_tenths(actual: FloatArray, predicted: FloatArray, groups: int = 10) -> float:
    """Mean distance of promise and outcome over groups of equal size, as a share of the mean amount.

    Dividing by the mean of all, not of each group as Wang, Liu & Miao (2019) do, keeps groups that spend nothing.

    Examples
    --------
    >>> round(error_of_tenths(np.array([0.0, 2, 4, 8]), np.array([1.0, 2, 5, 6]), groups=2), 4)
    0.1429
    """
    table = _by_group(actual, predicted, grouped(predicted, groups))
    if not actual.mean():
        return np.nan
    return float((table["promised"] - table["realised"]).abs() @ table["customers"] / len(actual) / actual.mean())


def deviances(actual: FloatArray, expected: FloatArray) -> FloatArray:
    """Poisson deviance of each customer's amount from the one expected, shape (n,).

    It is least for the true mean whatever the distribution is (Gourieroux, Monfort & Trognon 1984), so that it judges
    order and level at once, and bears large amounts better than a squared error. Amounts below nothing, which are
    returns, count as nothing.

    Examples
    --------
    >>> deviances(np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0])).round(4).tolist()
    [2.0, 0.0, 0.3015]
    """
    y = np.clip(actual, 0.0, None)
    mu = np.maximum(expected, max(LEAST * y.mean(), np.finfo("float64").tiny))
    ratio = np.divide(y, mu, out=np.ones_like(mu), where=y > 0)
    return np.asarray(2 * (y * np.log(ratio) - y + mu))


def explained(actual: FloatArray, expected: FloatArray) -> float:
    """Share of the deviance that a forecast explains, against the mean for everyone; NaN where nobody differs.

    Examples
    --------
    >>> y = np.array([0.0, 2.0, 4.0])
    >>> explained(y, np.full(3, 2.0)), explained(y, y) > 0.99
    (0.0, True)
    """
    least = deviances(actual, np.full(len(actual), np.clip(actual, 0.0, None).mean())).mean()
    return float(1 - deviances(actual, expected).mean() / least) if least > 1e-12 else np.nan


def coverage(actual: FloatArray, low: FloatArray, high: FloatArray) -> tuple[float, float]:
    """Share of customers whose amount lies inside their interval, its ends included, and the mean width.

    Examples
    --------
    >>> coverage(np.array([1.0, 5.0]), np.array([0.0, 1.0]), np.array([1.0, 4.0]))
    (0.5, 2.0)
    """
    inside = (actual >= low - 1e-9) & (actual <= high + 1e-9)
    return float(inside.mean()), float((high - low).mean())


def grouped(predicted: FloatArray, groups: int = 10) -> IntArray:
    """Group of each customer, 0 for the least; sizes differ by one at most, fewer groups if there are fewer customers.

    Examples
    --------
    >>> grouped(np.array([0.9, 0.1, 0.5, 0.6]), groups=2).tolist()
    [1, 0, 0, 1]
    """
    order = np.argsort(predicted, kind="stable")
    group = np.empty(len(predicted), dtype="int64")
    for number, part in enumerate(np.array_split(order, min(groups, len(order)))):
        group[part] = number
    return group


def _by_group(actual: FloatArray, predicted: FloatArray, group: IntArray) -> pd.DataFrame:
    frame = pd.DataFrame({"actual": actual, "predicted": predicted}).groupby(group)
    return frame.agg(
        customers=("actual", "size"),
        promised=("predicted", "mean"),
        realised=("actual", "mean"),
        deviation=("actual", "std"),
    )
