"""All that a customer-base analyst asks of a fitted buy-till-you-die model, with intervals.

Every function here works with any `BTYDModel`: it asks nothing but the model's public predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from ..errors import DataError, SettingsError
from .base import BTYDModel
from .horizon import DAYS_IN_YEAR
from .likelihood import Seed
from .validation import FloatArray, IntArray, check_columns, group_equal

NUMBERS_HELD = 5_000_000
"""Most numbers of one quantity in memory at a time (40 MB), whatever the number of customers and draws."""

GRID = np.geomspace(0.25, 36_500, 80)
"""Days at which the wait for the next purchase is computed; in between it is interpolated to half a per cent."""

DRAWS_OF_WAITING = 40
"""Draws of the parameters over which the distribution of the wait is averaged: a mean, which few serve."""


def discounted_residual_purchases(
    model: BTYDModel, histories: pd.DataFrame, *, annual_discount_rate: float
) -> FloatArray:
    r"""Expected purchase days of the rest of a customer's life, each worth less the later it comes (DERT).

    With :math:`\delta = \log(1 + d)` per year and partial integration,

    .. math:: \int_0^\infty e^{-\delta t}\, dE[X(t)] = \int_0^\infty E[X(s / \delta)]\, e^{-s}\, ds ,

    which is summed in 96 steps of a double-exponential rule up to s = 60. E[X(t)] grows at most like t, so that what
    lies beyond is under :math:`61\,e^{-60} < 10^{-24}` of the purchases of a year at the present rate.

    Parameters
    ----------
    model : fitted.
    histories : DataFrame of n rows
        As in `BTYDModel.fit`.
    annual_discount_rate : float
        d, per year of 365 days; more than 0, as without discount the sum need not end.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    NotFittedError, DataError, SettingsError
        For a model that is not fitted; for impossible rows; for a rate that is not positive.
    """
    if not 0 < annual_discount_rate < np.inf:
        raise SettingsError(f"annual_discount_rate: expected a number above 0, got {annual_discount_rate!r}")
    days_in_unit = DAYS_IN_YEAR / np.log1p(annual_discount_rate)
    # exp(u - exp(-u)) falls off doubly exponentially to the left, exp(-s) to the right.
    u = np.linspace(-3.6, np.log(60), 96)
    s = np.exp(u - np.exp(-u))
    weights = np.exp(-s) * s * (1 + np.exp(-u)) * (u[1] - u[0])
    expected = (model.expected_purchases(histories, horizon_days=float(node * days_in_unit)) for node in s)
    total = np.zeros(len(histories))
    for weight, purchases in zip(weights, expected, strict=True):
        total += weight * purchases
    return total


def next_purchase_days(model: BTYDModel, histories: pd.DataFrame, *, probability: float = 0.5) -> FloatArray:
    """Days within which an active customer buys again with a probability, the half as a rule.

    A mean does not exist for every model, and somebody who has left never buys; so this is the median of the wait of
    those who are still active. Count with `BTYDModel.probability_alive` that they are.

    Parameters
    ----------
    model : fitted.
    histories : DataFrame of n rows
        As in `BTYDModel.fit`.
    probability : float, default 0.5
        In (0, 1).

    Returns
    -------
    ndarray of shape (n,)
        Days after the as-of date; infinite where an active customer does not reach the probability in a century.

    Raises
    ------
    NotFittedError, DataError, SettingsError
        For a model that is not fitted; for impossible rows; for a probability outside (0, 1).
    """
    if not 0 < probability < 1:
        raise SettingsError(f"probability: expected a number in (0, 1), got {probability!r}")
    grouped, codes = _distinct(model, histories)
    days = [_first_reaching(_waiting(model, part), _grid(model), probability) for part in _parts(grouped, GRID.size)]
    return np.concatenate(days)[codes]


def predict(
    model: BTYDModel,
    histories: pd.DataFrame,
    *,
    horizon_days: float,
    level: float = 0.9,
    draws: int = 200,
    seed: Seed = None,
) -> pd.DataFrame:
    """Predictions for each customer, each with an interval.

    Draws of the parameters from their sampling distribution stand for what the fit does not know. Intervals of
    `purchases` and `next_purchase_days` hold chance, too: in a share `level` of cases the count and the wait that come
    lie inside. A probability is never seen to come, so that the intervals of the two probabilities hold the
    uncertainty of the parameters alone.

    Memory: each quantity is drawn for so many different histories at a time that draws times histories stay under
    five million numbers (40 MB); the result has one row a customer and twelve columns.

    Parameters
    ----------
    model : fitted.
    histories : DataFrame of n rows
        As in `BTYDModel.fit`.
    horizon_days : float
        Length of the period after the as-of date, in days.
    level : float, default 0.9
        Share of cases in which an interval holds.
    draws : int, default 200
        Draws of the parameters; each has outcomes of its own.
    seed : int, SeedSequence, Generator or None
        Equal seeds give equal intervals.

    Returns
    -------
    DataFrame of n rows, indexed as `histories`
        ``probability_alive``, ``probability_of_no_purchase``, ``expected_purchases`` (purchase days) and
        ``next_purchase_days`` (see `next_purchase_days`), each with ``_low`` and ``_high``; infinite waits as such.

    Raises
    ------
    NotFittedError, DataError, SettingsError
        For a model that is not fitted; for impossible rows; for a level, number of draws or horizon out of range.
    """
    if not 0 < level < 1:
        raise SettingsError(f"level: expected a probability in (0, 1), got {level!r}")
    if draws < 1:
        raise SettingsError(f"draws: expected at least 1, got {draws!r}")
    rng = np.random.default_rng(seed)
    parameters = model.sample_parameters(draws, rng)
    drawn = [model.with_parameters(row) for _, row in parameters.iterrows()]
    grouped, codes = _distinct(model, histories)
    tails = ((1 - level) / 2, (1 + level) / 2)
    parts = [
        _predict_part(model, drawn, parameters, part, horizon_days, tails, rng)
        for part in _parts(grouped, max(draws, GRID.size))
    ]
    return pd.concat(parts, ignore_index=True).iloc[codes].set_axis(histories.index)


def _predict_part(
    model: BTYDModel,
    drawn: list[BTYDModel],
    parameters: pd.DataFrame,
    part: pd.DataFrame,
    horizon_days: float,
    tails: tuple[float, float],
    rng: np.random.Generator,
) -> pd.DataFrame:
    def over_draws(ask: Callable[[BTYDModel], FloatArray]) -> FloatArray:
        return np.asarray(np.quantile([ask(one) for one in drawn], tails, axis=0))

    waiting = np.mean([_waiting(one, part) for one in drawn[:DRAWS_OF_WAITING]], axis=0)
    counts = model.sample_purchases(part, horizon_days=horizon_days, draws=len(drawn), seed=rng, parameters=parameters)
    columns = {
        "probability_alive": (
            model.probability_alive(part),
            over_draws(lambda one: one.probability_alive(part)),
        ),
        "probability_of_no_purchase": (
            model.probability_of_no_purchase(part, horizon_days=horizon_days),
            over_draws(lambda one: one.probability_of_no_purchase(part, horizon_days=horizon_days)),
        ),
        "expected_purchases": (
            model.expected_purchases(part, horizon_days=horizon_days),
            np.quantile(list(counts), tails, axis=0, method="inverted_cdf"),
        ),
        "next_purchase_days": (
            next_purchase_days(model, part),
            np.array([_first_reaching(waiting, _grid(model), tail) for tail in tails]),
        ),
    }
    flat = {
        name + end: values
        for name, (mean, (low, high)) in columns.items()
        for end, values in (("", mean), ("_low", low), ("_high", high))
    }
    return pd.DataFrame(flat)


def _distinct(model: BTYDModel, histories: pd.DataFrame) -> tuple[pd.DataFrame, IntArray]:
    """Rows that differ in what the model sees, and which of them each customer has."""
    seen = [name for name in model.history_columns if name in check_columns(histories, ())]
    known = histories[seen]
    if not seen:
        raise DataError(f"histories: expected the columns {', '.join(model.history_columns)}")
    codes, first = group_equal(*(known[name].to_numpy() for name in known))
    return known.iloc[first], codes


def _parts(grouped: pd.DataFrame, numbers_a_row: int) -> Iterator[pd.DataFrame]:
    size = max(1, NUMBERS_HELD // numbers_a_row)
    return (grouped.iloc[start : start + size] for start in range(0, len(grouped), size))


def _waiting(model: BTYDModel, part: pd.DataFrame) -> FloatArray:
    """Probability that an active customer still waits after each time of `GRID`, shape (times, rows)."""
    return np.array(
        [model.probability_of_no_purchase_if_active(part, horizon_days=float(days)) for days in _grid(model)]
    )


def _grid(model: BTYDModel) -> FloatArray:
    """`GRID`, or for a model of opportunities the whole periods next to it."""
    period = getattr(model, "period_days", None)
    return GRID if period is None else np.unique(np.ceil(GRID / period)) * period


def _first_reaching(waiting: FloatArray, grid: FloatArray, probability: float) -> FloatArray:
    """When the probability to have bought is reached; between times of the grid the hazard is even."""
    left = 1 - probability
    after = (waiting <= left).argmax(axis=0)
    reached = (waiting <= left).any(axis=0)
    rows = np.arange(waiting.shape[1])
    before = np.maximum(after - 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        high = np.where(after > 0, -np.log(waiting[before, rows]), 0.0)
        low = -np.log(waiting[after, rows])
        share = np.clip((-np.log(left) - high) / (low - high), 0.0, 1.0)
    start = np.where(after > 0, grid[before], 0.0)
    days = start + np.nan_to_num(share) * (grid[after] - start)
    return np.where(reached, days, np.inf)
