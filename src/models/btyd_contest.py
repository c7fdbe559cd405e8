"""Which buy-till-you-die model fits a base of customers: information criteria, and what happened after a past date.

All that is looked at are different histories with what came after them, weighted by the customers who share them, so
that the cost follows their number and not that of the customers.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..errors import DataError
from .base import BTYDModel
from .baselines import rate_so_far
from .contenders import CONTENDERS, REFERENCE
from .groups import mean_and_interval
from .metrics import auc
from .validation import FloatArray, IntArray

RATE, SILENCE = "Rate so far", "Days since last purchase"

NEAR = 2.0
"""AICs that differ by no more than this say the same (Burnham & Anderson 2002)."""

NOTICED = 0.01
"""A log score that is higher by less than this is no reason to take another model: it means that what happened was
given a probability higher by one per cent."""

NUMBERS_HELD = 5_000_000
"""Most probabilities in memory at a time (40 MB)."""


class BTYDContest(NamedTuple):
    """Models fitted at a past date, held against what happened after it.

    Attributes
    ----------
    table : see `compare`.
    expected : purchases by each model and by `RATE`, rows of the cells.
    models : the fitted ones, by name.
    notes : name → what its fit warned of, or why there is none; names without a note are missing.
    chosen : name of the model that describes this base best, see `choose`.
    """

    table: pd.DataFrame
    expected: pd.DataFrame
    models: dict[str, BTYDModel]
    notes: dict[str, list[str]]
    chosen: str


def contest(cells: pd.DataFrame, period_days: int) -> BTYDContest:
    """Fit all models that the histories allow, hold them against what came after, and choose one.

    Parameters
    ----------
    cells : frequency, recency, T, purchases (in the `period_days` after), weight, and optionally log_gaps, without
        which there are no models of regular buyers. See `features.holdout.held_out`.
    period_days : length of the period after.

    Raises
    ------
    DataError
        If no model can be fitted.
    """
    models, notes = fit_all(cells)
    expected = pd.DataFrame(
        {name: model.expected_purchases(cells, horizon_days=period_days) for name, model in models.items()}
        | {RATE: rate_so_far(cells, period_days)},
        index=cells.index,
    )
    scores = pd.DataFrame(
        {name: log_probability(model, cells, period_days) for name, model in models.items()}, index=cells.index
    )
    table = compare(models, cells, expected, scores)
    return BTYDContest(table, expected, models, notes, choose(table, scores, cells["weight"]))


def fit_all(cells: pd.DataFrame) -> tuple[dict[str, BTYDModel], dict[str, list[str]]]:
    """The fitted models by name, and what their fits warned of.

    Raises
    ------
    DataError
        If none can be fitted.
    """
    models: dict[str, BTYDModel] = {}
    notes: dict[str, list[str]] = {}
    for name, contender in CONTENDERS.items():
        if contender.regular and "log_gaps" not in cells:
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                models[name] = contender.model().fit(cells)
            except DataError as error:
                notes[name] = [str(error)]
        if caught:
            notes[name] = [str(warning.message) for warning in caught]
    if not models:
        raise DataError(f"no model of purchases can be fitted: {next(iter(notes.values()))[0]}")
    return models, notes


def log_probability(model: BTYDModel, cells: pd.DataFrame, period_days: int) -> FloatArray:
    """Logarithm of the probability that the model gave to the number of purchases that came, one a row.

    It scores the whole forecast: one that is right on average and wrong for each customer scores badly. Rows are taken
    in the order of their counts, so that no more probabilities than needed are computed.
    """
    counts = cells["purchases"].to_numpy(dtype="int64")
    result = np.empty(len(cells))
    for rows in _alike(counts):
        most = int(counts[rows].max())
        given = model.purchase_distribution(cells.iloc[rows], horizon_days=period_days, n=most)
        result[rows] = np.log(np.clip(given[np.arange(len(rows)), counts[rows]], 1e-300, 1.0))
    return result


def compare(
    models: dict[str, BTYDModel], cells: pd.DataFrame, expected: pd.DataFrame, scores: pd.DataFrame
) -> pd.DataFrame:
    """How each model did, and two naive rules beside them.

    Parameters
    ----------
    models : fitted, by name.
    cells : as in `contest`.
    expected : purchases by each model and by `RATE`, rows of `cells`.
    scores : see `log_probability`, a column a model.

    Returns
    -------
    Index name; parameters (how many), log_likelihood, aic, bic (missing for the rules); determined (whether the data
    determines all parameters); total and bias (of all purchases after the date; share of what happened), mae, rmse (a
    customer); auc (for who buys at all); log_score (mean a customer, the higher the better), gain (over `REFERENCE`)
    with gain_low and gain_high (90 %, over customers).
    """
    weight, actual = cells["weight"].to_numpy("float64"), cells["purchases"].to_numpy("float64")
    rows = {}
    for name in expected:
        rows[name] = _errors(actual, expected[name].to_numpy(), weight)
        if name in models:
            rows[name] |= _criteria(models[name]) | {"log_score": float(np.average(scores[name], weights=weight))}
        if name in models and REFERENCE in models:
            gain = mean_and_interval((scores[name] - scores[REFERENCE]).to_numpy(), weight)
            rows[name] |= dict(zip(("gain", "gain_low", "gain_high"), gain, strict=True))
    silence = (cells["T"] - cells["recency"]).to_numpy("float64")
    rows[SILENCE] = {"auc": _auc(actual, -silence, weight)}
    columns = ["parameters", "log_likelihood", "aic", "bic", "determined", "total", "bias", "mae", "rmse", "auc"]
    columns += ["log_score", "gain", "gain_low", "gain_high"]
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns).rename_axis("model")
    return table.astype({"determined": "boolean"})


def choose(table: pd.DataFrame, scores: pd.DataFrame, weight: pd.Series) -> str:
    """The model that describes the base best.

    The held-out period comes first: left are the model with the highest log score and all that it does not clearly
    beat, by more than the 90 % error of the difference over customers and by `NOTICED`. Of these the information
    criterion leaves those within `NEAR` of the least AIC, and of these the simplest is chosen: the one with the fewest
    parameters, and of equals the one that `CONTENDERS` names first. Models with parameters that the data does not
    determine take part only if there are no others.

    Parameters
    ----------
    table : see `compare`.
    scores, weight : as in `compare`.
    """
    left = table.loc[list(scores)]
    determined = left["determined"].astype(bool)
    if determined.any():
        left = left[determined]
    best = scores[left["log_score"].idxmax()]
    level = [name for name in left.index if not _beats((best - scores[name]).to_numpy(), weight)]
    left = left.loc[level]
    near = left[left["aic"] <= left["aic"].min() + NEAR]
    return str(near.index[near["parameters"].argmin()])


def clearly_better(table: pd.DataFrame, name: str) -> bool:
    """Whether a forecast should rest on another model than `REFERENCE`.

    It must have given what happened a higher probability, beyond the 90 % error over customers and by `NOTICED`, and
    its total must not be further off, for it is totals that a forecast promises.
    """
    if REFERENCE not in table.index:
        return True
    row = table.loc[name]
    closer = abs(row["bias"]) <= abs(table.loc[REFERENCE, "bias"])
    return bool(closer and row["gain_low"] > 0 and row["gain"] >= NOTICED)


def _beats(gain: FloatArray, weight: pd.Series) -> bool:
    mean, low, _ = mean_and_interval(gain, weight)
    return low > 0 and mean >= NOTICED


def _alike(counts: IntArray) -> Iterator[IntArray]:
    """Rows in order of their counts, so many at a time that rows times counts stay bounded."""
    order = np.argsort(counts, kind="stable")
    rising = counts[order]
    start = 0
    while start < len(order):
        # Others may need twice what the first row does, so that each count is not a batch of its own.
        most = 2 * int(rising[start]) + 16
        end = min(int(np.searchsorted(rising, most, side="right")), start + max(1, NUMBERS_HELD // (most + 1)))
        yield order[start:end]
        start = end


def _errors(actual: FloatArray, expected: FloatArray, weight: FloatArray) -> dict[str, float]:
    total, happened = float(weight @ expected), float(weight @ actual)
    return {
        "total": total,
        "bias": total / happened - 1 if happened else np.nan,
        "mae": float(np.average(np.abs(expected - actual), weights=weight)),
        "rmse": float(np.sqrt(np.average((expected - actual) ** 2, weights=weight))),
        "auc": _auc(actual, expected, weight),
    }


def _auc(actual: FloatArray, score: FloatArray, weight: FloatArray) -> float:
    return float(auc((actual > 0).astype("float64"), score, weight[None, :])[0])


def _criteria(model: BTYDModel) -> dict[str, float | bool]:
    return {
        # Some models count more than they hold in `params_`, such as the regularity.
        "parameters": round((model.aic_ + 2 * model.log_likelihood_) / 2),
        "log_likelihood": model.log_likelihood_,
        "aic": model.aic_,
        "bic": model.bic_,
        "determined": model.converged_,
    }
