"""How well a prediction puts customers in order, whatever its level.

All figures take customers with the same prediction as standing in any order: what is told is the mean over the orders.
"""

import numpy as np
from scipy import stats
from sklearn.metrics import average_precision_score

from .validation import FloatArray


def average_precision(churned: FloatArray, probability: FloatArray) -> float:
    """Area under the curve of precision over recall, as a sum of steps; NaN if nobody left.

    It is the share of leavers in a list, averaged over the lists that end at each leaver (Manning, Raghavan & Schütze
    2008, section 8.4).

    Examples
    --------
    >>> round(average_precision(np.array([1.0, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1])), 4)
    0.8333
    """
    return float(average_precision_score(churned, probability)) if churned.any() else np.nan


def lift(churned: FloatArray, probability: FloatArray, share: float = 0.1) -> float:
    """How many times more leavers the `share` at most risk holds than one drawn at random; NaN if nobody left.

    The customers with whom the list ends, if they are as likely to leave as some beyond it, count by their mean.

    Examples
    --------
    >>> lift(np.array([1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), np.linspace(1, 0, 10))
    5.0
    >>> lift(np.array([1.0, 0, 1, 0]), np.full(4, 0.5), share=0.5)
    1.0
    """
    if not churned.any():
        return np.nan
    size = max(1, round(share * len(churned)))
    edge = np.partition(probability, len(probability) - size)[len(probability) - size]
    above, level = probability > edge, probability == edge
    found = churned[above].sum() + (size - above.sum()) * churned[level].mean()
    return float(found / size / churned.mean())


def normalised_gini(actual: FloatArray, predicted: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Gini of what happened in the order of the prediction, over that in the order of what happened itself.

    1 for a perfect order, 0 for none (Frees, Meyers & Cummings 2011; Wang, Liu & Miao 2019 use it for customer value).
    For outcomes of 0 and 1 it is 2 AUC - 1.

    Parameters
    ----------
    actual, predicted : shape (n,).
    weights : of the customers, several weightings at once, shape (draws, n); all 1, with one draw, if not given.

    Returns
    -------
    Shape (draws,); NaN where all have the same.

    Examples
    --------
    >>> normalised_gini(np.array([0.0, 1, 9]), np.array([1.0, 2, 3])).tolist()
    [1.0]
    >>> normalised_gini(np.array([0.0, 1, 9]), np.array([3.0, 2, 1])).round(9).tolist()
    [-1.0]
    """
    weights = np.ones((1, len(actual))) if weights is None else weights
    own = _gini(actual, actual, weights)
    # What is left of a sum of numbers that are all the same is no inequality.
    own[np.abs(own) < 1e-12] = np.nan
    return np.asarray(_gini(actual, predicted, weights) / own)


def _gini(actual: FloatArray, order_by: FloatArray, weights: FloatArray) -> FloatArray:
    """Gini coefficient of `actual` in an order: one less twice the area under its concentration curve."""
    order = np.argsort(order_by, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(order_by[order]) > 0])
    ordered = weights[:, order]
    people = np.add.reduceat(ordered, starts, axis=1)
    amounts = np.add.reduceat(ordered * actual[order], starts, axis=1)
    below = np.cumsum(amounts, axis=1) - amounts / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - 2 * (people * below).sum(axis=1) / (people.sum(axis=1) * amounts.sum(axis=1)))


def spearman(actual: FloatArray, predicted: FloatArray) -> float:
    """Correlation of the ranks (Spearman 1904); NaN where all have the same.

    Examples
    --------
    >>> round(spearman(np.array([1.0, 2, 3, 4]), np.array([10.0, 20, 40, 30])), 3)
    0.8
    """
    if np.ptp(actual) == 0 or np.ptp(predicted) == 0:
        return np.nan
    return float(stats.spearmanr(actual, predicted).statistic)
