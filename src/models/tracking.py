"""Repeat purchases of a whole base of customers over time: what a fitted model expects.

The model knows of the base only on which day how many customers began. A customer who began on day e has the age
k + 1 - e at the end of day k, counted as T is, so that the expectation at the as-of date is that of the histories
fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd

from .base import BTYDModel
from .groups import REACH, class_name, weighted_quantile
from .likelihood import Seed
from .validation import FloatArray


def expected_by_day(model: BTYDModel, starts: pd.DataFrame, until: date) -> pd.Series:
    r"""Repeat purchases that the model expects on each day.

    .. math:: \sum_e n_e \left(E[X(k + 1 - e)] - E[X(k - e)]\right)

    Parameters
    ----------
    model : fitted.
    starts : day (of the first purchase), customers (who began on it); at least one row.
    until : first day that is not looked at.

    Returns
    -------
    Index day, from the first start to the day before `until`; purchase days expected of all.
    """
    began = _began(starts, until)
    return pd.Series(_spread(model, began), index=began.index, name="expected")


def draw_by_day(
    model: BTYDModel, starts: pd.DataFrame, until: date, *, draws: int = 100, seed: Seed = None
) -> FloatArray:
    """Repeat purchases on each day, drawn: parameters from their sampling distribution, and counts by chance.

    Given the rates of its customers, a base buys a Poisson number of times a day. Memory: draws times days.

    Parameters
    ----------
    model, starts, until : as in `expected_by_day`.
    draws : how many courses are drawn.
    seed : equal seeds give equal draws.

    Returns
    -------
    ndarray of shape (draws, days)
    """
    rng = np.random.default_rng(seed)
    began = _began(starts, until)
    courses = [
        rng.poisson(_spread(model.with_parameters(row), began))
        for _, row in model.sample_parameters(draws, rng).iterrows()
    ]
    return np.asarray(courses, dtype=np.float64)


def track(
    model: BTYDModel,
    starts: pd.DataFrame,
    weeks: pd.DataFrame,
    as_of: date,
    until: date,
    *,
    level: float = 0.9,
    draws: int = 100,
    seed: Seed = None,
) -> pd.DataFrame:
    """Actual against expected repeat purchases, week by week and summed up, before and after a past date.

    Parameters
    ----------
    model : fitted to the histories at `as_of`.
    starts : as in `expected_by_day`, of those who began before `as_of`.
    weeks : week (0 begins at `as_of`), purchases, customers; weeks without a purchase may be missing.
    as_of, until : the past date, and the first day that is not looked at.
    level : of the intervals, which hold the uncertainty of the parameters and chance.
    draws, seed : as in `draw_by_day`.

    Returns
    -------
    Index week, in order and without gaps.
    start (its first day), days (fewer than 7 where the log begins or ends), customers, actual, expected, low, high
    (purchase days in the week), total_actual, total_expected, total_low, total_high (since the beginning).
    """
    expected = expected_by_day(model, starts, until)
    drawn = draw_by_day(model, starts, until, draws=draws, seed=seed)
    since = (expected.index - pd.Timestamp(as_of)).days
    week = np.asarray(since // 7)
    edges = np.flatnonzero(np.r_[True, np.diff(week) > 0])
    by_week = np.add.reduceat(drawn, edges, axis=1)
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(by_week, tails, axis=0)
    total_low, total_high = np.quantile(by_week.cumsum(axis=1), tails, axis=0)
    seen = weeks.set_index("week").reindex(week[edges], fill_value=0)
    table = pd.DataFrame(
        {
            "start": expected.index[edges],
            "days": np.diff(np.r_[edges, len(expected)]),
            "customers": seen["customers"],
            "actual": seen["purchases"].astype("float64"),
            "expected": np.add.reduceat(expected.to_numpy(), edges),
            "low": low,
            "high": high,
        },
        index=pd.Index(week[edges], name="week"),
    )
    return table.assign(
        total_actual=table["actual"].cumsum(),
        total_expected=table["expected"].cumsum(),
        total_low=total_low,
        total_high=total_high,
    )


def by_count(
    model: BTYDModel, distinct: pd.DataFrame, edges: Sequence[float] | None = None, classes: int = 200
) -> pd.DataFrame:
    """Customers by number of repeat purchases: how many there are, and how many the model expects.

    Parameters
    ----------
    model : fitted to `distinct`.
    distinct : frequency, T, and optionally weight.
    edges : of the classes of counts, from 0 to infinity; `count_edges` if not given.
    classes : ages are put together in so many at most, which moves an expectation by under a per cent.

    Returns
    -------
    Index count in words, such as 3 or 20–29; customers, expected, and low and high: where nine of ten counts lie by
    chance, if the model is right.
    """
    weight = distinct["weight"] if "weight" in distinct else pd.Series(1.0, index=distinct.index)
    edges = count_edges(distinct["frequency"], weight) if edges is None else edges
    names = [class_name(low, high) for low, high in pairwise(edges)]
    group = pd.cut(distinct["frequency"], list(edges), right=False, labels=names)
    customers = weight.groupby(group, observed=False).sum()
    starts = np.asarray(edges[:-1], dtype="int64")
    expected = np.zeros(len(names))
    for age, many in _ages(distinct["T"], weight, classes).items():
        below = np.r_[0.0, np.cumsum(model.new_customer_distribution(float(age), int(starts[-1]))), 1.0]
        expected += many * np.diff(np.r_[below[starts], 1.0]).clip(min=0)
    # A count of n customers with probability p each varies by sqrt(np(1 - p)).
    reach = REACH * np.sqrt(expected * (1 - expected / weight.sum()))
    table = pd.DataFrame({"customers": customers.to_numpy(), "expected": expected}, index=pd.Index(names, name="count"))
    return table.assign(low=(expected - reach).clip(min=0), high=expected + reach)


def count_edges(frequency: pd.Series, weight: pd.Series) -> list[float]:
    """Edges of about eight classes of counts in which nearly all customers lie, the last one open.

    Examples
    --------
    >>> count_edges(pd.Series([0, 3]), pd.Series([90, 10]))
    [0.0, 1.0, 2.0, 3.0, inf]
    >>> count_edges(pd.Series([0, 95]), pd.Series([50, 50]))
    [0.0, 20.0, 40.0, 60.0, 80.0, inf]
    """
    most = weighted_quantile(frequency, weight, 0.95)
    widths = (step * scale for scale in (1, 10, 100, 1000, 10_000) for step in (1, 2, 3, 5))
    width = next(width for width in widths if 8 * width >= most)
    return [*np.arange(0.0, most + 1, width).tolist(), np.inf]


def _ages(T: pd.Series, weight: pd.Series, classes: int) -> pd.Series:
    """Customers by age, ages in at most so many classes, each named by its mean."""
    known = T > 0
    ages = weight[known].groupby(T[known]).sum()
    place = np.minimum(np.arange(len(ages)) * classes // max(len(ages), classes), classes - 1)
    mean = (ages * ages.index).groupby(place).sum() / ages.groupby(place).sum()
    return ages.groupby(place).sum().set_axis(mean)


def _began(starts: pd.DataFrame, until: date) -> pd.Series:
    """Customers who began on each day, days without any included."""
    began = pd.Series(starts["customers"].to_numpy("float64"), index=pd.DatetimeIndex(starts["day"]))
    return began.reindex(pd.date_range(began.index.min(), until, inclusive="left", name="day"), fill_value=0.0)


def _spread(model: BTYDModel, began: pd.Series) -> FloatArray:
    """Purchases expected on each day of `began`."""
    ages = np.arange(len(began) + 1, dtype=np.float64)
    step = np.diff(model.expected_purchases_of_new_customer(ages))
    # Differences of nearly equal numbers may come out under nothing.
    return np.asarray(np.convolve(began.to_numpy(), np.maximum(step, 0.0))[: len(began)])
