"""Means over groups of weighted customers, with their errors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from .validation import FloatArray

REACH = 1.645
"""Standard errors to either side of a 90 % interval."""


def conditional(cells: pd.DataFrame, expected: pd.DataFrame, by: pd.Series, edges: Sequence[float]) -> pd.DataFrame:
    """Mean purchases after the date in groups of customers: what happened and what was expected.

    Parameters
    ----------
    cells : purchases (what came after the date) and weight.
    expected : what forecasts said of it, rows of `cells`.
    by : what customers are grouped by, rows of `cells`, such as frequency.
    edges : of the groups: [e0, e1), [e1, e2) …

    Returns
    -------
    Index group, such as 3–4 or 20+; customers, actual with low and high (90 %), and each column of `expected`. Groups
    without customers are missing.
    """
    names = [class_name(low, high) for low, high in pairwise(edges)]
    group = pd.cut(by, list(edges), right=False, labels=names)
    rows = {}
    for name in names:
        of_group = (group == name).to_numpy()
        if of_group.any():
            weight = cells["weight"].to_numpy("float64")[of_group]
            interval = mean_and_interval(cells["purchases"].to_numpy("float64")[of_group], weight)
            means = np.average(expected[of_group], weights=weight, axis=0)
            actual = dict(zip(("actual", "low", "high"), interval, strict=True))
            rows[name] = {"customers": weight.sum()} | actual | dict(zip(expected, means, strict=True))
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("group")
    return table.assign(low=table["low"].clip(lower=0)) if rows else table


def class_name(low: float, high: float) -> str:
    """Name of a class of whole numbers from `low` to under `high`.

    Examples
    --------
    >>> class_name(2, 3), class_name(3, 5), class_name(20, float("inf"))
    ('2', '3–4', '20+')
    """
    if np.isinf(high):
        return f"{low:.0f}+"
    return f"{low:.0f}" if high == low + 1 else f"{low:.0f}–{high - 1:.0f}"


def mean_and_interval(values: FloatArray, weight: FloatArray | pd.Series) -> tuple[float, float, float]:
    """Mean over customers with its 90 % interval.

    Parameters
    ----------
    values : one a row.
    weight : customers in the row.

    Examples
    --------
    >>> [round(edge, 3) for edge in mean_and_interval(np.array([0.0, 1.0]), np.array([60.0, 40.0]))]
    [0.4, 0.319, 0.481]
    """
    mean = float(np.average(values, weights=weight))
    variance = float(np.average((values - mean) ** 2, weights=weight))
    half = REACH * float(np.sqrt(variance / np.sum(weight)))
    return mean, mean - half, mean + half


def weighted_quantile(values: pd.Series, weight: pd.Series, share: float) -> float:
    """The smallest value that a share of the customers does not exceed.

    Examples
    --------
    >>> weighted_quantile(pd.Series([5, 1, 9]), pd.Series([30, 60, 10]), 0.7)
    5.0
    """
    order = np.argsort(values.to_numpy(), kind="stable")
    reached = np.cumsum(weight.to_numpy("float64")[order])
    at = int(np.searchsorted(reached, share * reached[-1] - 1e-9))
    return float(values.to_numpy()[order[min(at, len(order) - 1)]])
