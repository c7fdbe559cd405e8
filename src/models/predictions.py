"""All that a customer-base analyst asks of a fitted buy-till-you-die model, with intervals.

Every function here works with any `BTYDModel`: it asks nothing but the model's public predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..errors import DataError, SettingsError
from .base import BTYDModel
from .likelihood import Seed
from .residual import discounted_residual_purchases as discounted_residual_purchases
from .residual import sample_residual_purchases
from .validation import FloatArray, IntArray, check_columns, group_equal

NUMBERS_HELD = 2_000_000
"""Most numbers of one quantity in memory at a time (16 MB), whatever the number of customers and draws."""

GRID = np.geomspace(0.25, 36_500, 80)
"""Days at which the wait for the next purchase is computed; in between it is interpolated to half a per cent."""

DRAWS_OF_MEANS = 30
"""Draws of the parameters where a mean over them is wanted, and each takes many horizons: few serve."""


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
    annual_discount_rate: float | None = None,
    draws: int = 200,
    seed: Seed = None,
) -> pd.DataFrame:
    """Predictions for each customer, each with an interval.

    Draws of the parameters from their sampling distribution stand for what the fit does not know. Intervals of
    ``expected_purchases``, ``next_purchase_days`` and ``residual_purchases`` hold chance, too: in a share `level` of
    cases the count, the wait and the discounted sum of a life that come lie inside. A probability is never seen to
    come, so that the intervals of the two probabilities hold the uncertainty of the parameters alone.

    Memory: one quantity at a time, for so many different histories at once that draws times histories stay under two
    million numbers; with what quantiles and the model's own sums need, under 150 MB beside the result, which has one
    row a customer.

    Parameters
    ----------
    model : fitted.
    histories : DataFrame of n rows
        As in `BTYDModel.fit`.
    horizon_days : float
        Length of the period after the as-of date, in days.
    level : float, default 0.9
        Share of cases in which an interval holds.
    annual_discount_rate : float, optional
        For ``residual_purchases``, see `discounted_residual_purchases`; left out if not given.
    draws : int, default 200
        Draws of the parameters; each has outcomes of its own.
    seed : int, SeedSequence, Generator or None
        Equal seeds give equal intervals.

    Returns
    -------
    DataFrame of n rows, indexed as `histories`
        ``probability_alive``, ``probability_of_no_purchase``, ``expected_purchases`` (purchase days) and
        ``next_purchase_days`` (see `next_purchase_days`), and ``residual_purchases`` if asked for, each with ``_low``
        and ``_high``; infinite waits as such.

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
    asked = _Asked(
        model=model,
        drawn=[model.with_parameters(row) for _, row in parameters.iterrows()],
        parameters=parameters,
        horizon_days=horizon_days,
        annual_discount_rate=annual_discount_rate,
        tails=((1 - level) / 2, (1 + level) / 2),
    )
    grouped, codes = _distinct(model, histories)
    parts = [_predict_part(asked, part, rng) for part in _parts(grouped, max(draws, GRID.size))]
    return pd.concat(parts, ignore_index=True).iloc[codes].set_axis(histories.index)


class _Asked(NamedTuple):
    """What every part of the customers is predicted with."""

    model: BTYDModel
    drawn: list[BTYDModel]
    parameters: pd.DataFrame
    horizon_days: float
    annual_discount_rate: float | None
    tails: tuple[float, float]


def _predict_part(asked: _Asked, part: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    model, horizon_days, tails = asked.model, asked.horizon_days, asked.tails
    questions: dict[str, Callable[[BTYDModel], FloatArray]] = {
        "probability_alive": lambda one: one.probability_alive(part),
        "probability_of_no_purchase": lambda one: one.probability_of_no_purchase(part, horizon_days=horizon_days),
    }
    columns = {}
    for name, ask in questions.items():
        columns[name] = ask(model), _quantiles((ask(one) for one in asked.drawn), asked.drawn, part, tails)
    counts = model.sample_purchases(
        part, horizon_days=horizon_days, draws=len(asked.drawn), seed=rng, parameters=asked.parameters
    )
    expected = model.expected_purchases(part, horizon_days=horizon_days)
    columns["expected_purchases"] = expected, _quantiles(counts, asked.drawn, part, tails)
    columns["next_purchase_days"] = next_purchase_days(model, part), _waits(asked, part)
    if asked.annual_discount_rate is not None:
        rate = asked.annual_discount_rate
        lives = sample_residual_purchases(model, part, annual_discount_rate=rate, parameters=asked.parameters, seed=rng)
        middle = discounted_residual_purchases(model, part, annual_discount_rate=rate)
        columns["residual_purchases"] = middle, _quantiles(lives, asked.drawn, part, tails)
    flat = {
        name + end: values
        for name, (middle, (low, high)) in columns.items()
        for end, values in (("", middle), ("_low", low), ("_high", high))
    }
    return pd.DataFrame(flat)


def _quantiles(
    values: Iterable[FloatArray | IntArray], drawn: list[BTYDModel], part: pd.DataFrame, tails: tuple[float, float]
) -> FloatArray:
    """Quantiles over draws that come one by one, shape (2, rows): of counts, values that were drawn."""
    held = np.empty((len(part), len(drawn)))
    for draw, value in enumerate(values):
        held[:, draw] = value
    return np.asarray(np.quantile(held, tails, axis=1, method="inverted_cdf", overwrite_input=True))


def _waits(asked: _Asked, part: pd.DataFrame) -> FloatArray:
    """Quantiles of the wait of an active customer, over parameters and chance; shape (2, rows)."""
    few, waiting = asked.drawn[:DRAWS_OF_MEANS], np.zeros((_grid(asked.model).size, len(part)))
    for one in few:
        waiting += _waiting(one, part)
    waiting /= len(few)
    return np.array([_first_reaching(waiting, _grid(asked.model), tail) for tail in asked.tails])


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
