"""What a fitted buy-till-you-die model says of customers: how they differ, and what each history means.

Nothing here looks at a customer: it is all computed from the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from .base import BTYDModel
from .contenders import regularity
from .horizon import DAYS_IN_YEAR
from .likelihood import Seed
from .validation import FloatArray

DRAWS = 200
"""Of the parameters, for the interval of a share."""

RARE = 0.05
"""Share of the customers who buy most often, put together in the last class."""


def rates(model: BTYDModel, classes: int = 21, *, seed: Seed = None) -> pd.DataFrame:
    """How customers differ in how often they buy while they are active.

    Parameters
    ----------
    model : fitted; its rates follow a gamma distribution.
    classes : of purchases a year, equally wide, the last one open.
    seed : equal seeds give equal intervals.

    Returns
    -------
    left, right (purchase days a year; the last right is infinite), share (of new customers), low and high (its 90 %
    interval from the uncertainty of the parameters).
    """
    scale = _yearly(model)
    top = float(stats.gamma.ppf(1 - RARE, model.params_["r"], scale=scale / model.params_["alpha"]))
    edges = np.append(np.linspace(0, _rounded(top), classes), np.inf)
    return _shares(edges, lambda p: stats.gamma.cdf(edges, p["r"], scale=scale / p["alpha"]), model, seed)


def leaving(model: BTYDModel, classes: int = 20, *, seed: Seed = None) -> pd.DataFrame | None:
    """How customers differ in how readily they leave, from 0 (never) to 1 (at once); None where nobody leaves.

    Parameters
    ----------
    model : fitted. Where customers leave after a purchase it is the probability that one is the last (beta); where
        they leave at any time it is the probability to leave within a year (from a gamma distribution of the rate).
    classes : equally wide.
    seed : equal seeds give equal intervals.

    Returns
    -------
    left, right (probabilities), share, low, high, as in `rates`.
    """
    edges = np.linspace(0, 1, classes + 1)
    if {"a", "b"} <= set(model.params_.index):
        return _shares(edges, lambda p: stats.beta.cdf(edges, p["a"], p["b"]), model, seed)
    if {"s", "beta"} <= set(model.params_.index):
        with np.errstate(divide="ignore"):
            rate = -np.log1p(-edges) / _yearly(model)
        return _shares(edges, lambda p: stats.gamma.cdf(rate, p["s"], scale=1 / p["beta"]), model, seed)
    return None


def leaves_by_purchase(model: BTYDModel) -> bool:
    """Whether customers leave after a purchase, rather than at any time; see `leaving`."""
    return "a" in model.params_


def history_grid(
    model: BTYDModel, age_days: int, most_purchases: int, horizon_days: float, steps: int = 40
) -> pd.DataFrame:
    """P(alive) and expected purchases of customers of one age, by how often and how lately they have bought.

    Parameters
    ----------
    model : fitted.
    age_days : days since the first purchase, at least 1.
    most_purchases : largest number of repeat purchases.
    horizon_days : for which purchases are expected.
    steps : of recency and of frequency, at most.

    Returns
    -------
    frequency (1 to `most_purchases`), recency (days from the first purchase to the last), probability_alive,
    expected_purchases. Histories that nobody can have, with more purchases than days, are missing.
    """
    recency = np.unique(np.linspace(1, age_days, min(steps, age_days)).round())
    frequency = np.unique(np.linspace(1, most_purchases, min(steps, most_purchases)).round())
    grid = pd.MultiIndex.from_product([frequency, recency], names=["frequency", "recency"]).to_frame(index=False)
    grid = grid[grid["recency"] >= grid["frequency"]].assign(T=float(age_days)).reset_index(drop=True)
    return grid.drop(columns="T").assign(
        probability_alive=model.probability_alive(grid),
        expected_purchases=model.expected_purchases(grid, horizon_days=horizon_days),
    )


def alive_history(model: BTYDModel, purchases: Sequence[int], until: int) -> pd.DataFrame:
    """P(alive) of one customer, day by day.

    Parameters
    ----------
    model : fitted.
    purchases : days of the repeat purchases, in order, counted from the first purchase.
    until : last day.

    Returns
    -------
    day (1 to `until`), probability_alive at its end, given what had happened by then.
    """
    days, bought = np.arange(1, until + 1), np.asarray(purchases, dtype="int64")
    frequency = np.searchsorted(bought, days, side="right")
    recency = np.where(frequency > 0, bought[np.maximum(frequency - 1, 0)], 0)
    # A day counts as lived when it is over, as T counts the days up to the as-of date.
    seen = pd.DataFrame({"frequency": frequency, "recency": recency, "T": days + 1.0})
    return pd.DataFrame({"day": days, "probability_alive": model.probability_alive(seen)})


def invented_customer(gap_days: float) -> tuple[list[int], int]:
    """A customer who never was: buys at a usual gap, pauses, comes back, and falls silent.

    Parameters
    ----------
    gap_days : usual days between purchases.

    Returns
    -------
    Days of the repeat purchases, and the last day of the story.

    Examples
    --------
    >>> invented_customer(10)
    ([10, 20, 30, 40, 50, 90, 100, 110], 190)
    """
    gap = max(1, round(gap_days))
    return [gap * at for at in (1, 2, 3, 4, 5, 9, 10, 11)], 19 * gap


def _yearly(model: BTYDModel) -> float:
    """Purchases a year of a customer whose rate is 1 in the unit of the model."""
    return DAYS_IN_YEAR / model._unit() / (regularity(model) or 1)


def _shares(edges: FloatArray, below: Callable[[pd.Series], FloatArray], model: BTYDModel, seed: Seed) -> pd.DataFrame:
    """Share of customers between edges, with the interval over draws of the parameters."""
    drawn = [np.diff(below(row)) for _, row in model.sample_parameters(DRAWS, seed).iterrows()]
    low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    return pd.DataFrame(
        {"left": edges[:-1], "right": edges[1:], "share": np.diff(below(model.params_)), "low": low, "high": high}
    )


def _rounded(value: float) -> float:
    """The next round number that is no less.

    Examples
    --------
    >>> _rounded(15), _rounded(7.0), _rounded(180.0)
    (20.0, 8.0, 200.0)
    """
    scale = 10.0 ** np.floor(np.log10(value))
    return float(next(step * scale for step in (1, 2, 3, 4, 6, 8, 10) if step * scale >= value))
