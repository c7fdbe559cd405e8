"""What customers buy in the rest of their lives, each purchase worth less the later it comes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..errors import SettingsError
from .base import BTYDModel
from .bgbb import BGBB
from .horizon import DAYS_IN_YEAR
from .likelihood import Seed
from .pareto_nbd import ParetoNBD
from .validation import FloatArray

STEPS = 25
"""Purchases are drawn in as many steps, in each of which their worth falls by 4 %, and counted at its mean."""

NEGLIGIBLE = 16.0
"""Logarithm of the discount beyond which nothing is drawn: what comes later is worth a ten-millionth."""


def discounted_residual_purchases(
    model: BTYDModel, histories: pd.DataFrame, *, annual_discount_rate: float
) -> FloatArray:
    r"""Expected purchase days of the rest of a customer's life, each worth less the later it comes (DERT).

    With :math:`\delta = \log(1 + d)` per year and partial integration,

    .. math:: \int_0^\infty e^{-\delta t}\, dE[X(t)] = \int_0^\infty E[X(s / \delta)]\, e^{-s}\, ds ,

    which is summed in 96 steps of a double-exponential rule up to s = 60. E[X(t)] grows at most like t, so that what
    lies beyond is under :math:`61\,e^{-60} < 10^{-24}` of the purchases of a year at the present rate. Pareto/NBD
    has a closed form, and BG/BB a sum over its opportunities, which are used.

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
    days_in_unit = 1 / _daily(annual_discount_rate)
    if isinstance(model, ParetoNBD):
        return model.discounted_residual_purchases(histories, annual_discount_rate=annual_discount_rate)
    if isinstance(model, BGBB):
        rate = float(np.expm1(model.period_days / days_in_unit))
        return model.discounted_expected_residual_transactions(histories, discount_rate=rate)
    # exp(u - exp(-u)) falls off doubly exponentially to the left, exp(-s) to the right.
    u = np.linspace(-3.6, np.log(60), 96)
    s = np.exp(u - np.exp(-u))
    weights = np.exp(-s) * s * (1 + np.exp(-u)) * (u[1] - u[0])
    expected = (model.expected_purchases(histories, horizon_days=float(node * days_in_unit)) for node in s)
    total = np.zeros(len(histories))
    for weight, purchases in zip(weights, expected, strict=True):
        total += weight * purchases
    return total


def sample_residual_purchases(
    model: BTYDModel,
    histories: pd.DataFrame,
    *,
    annual_discount_rate: float,
    parameters: pd.DataFrame,
    seed: Seed = None,
) -> Iterator[FloatArray]:
    """Simulate what `discounted_residual_purchases` is the mean of: purchases of a whole life at their worth today.

    Memory: one array of 25 times as many counts as there are rows, and a few of that size to make it.

    Parameters
    ----------
    model, histories, annual_discount_rate
        As in `discounted_residual_purchases`.
    parameters : DataFrame of shape (draws, parameters)
        Parameters of each draw, as from `sample_parameters`.
    seed : int, SeedSequence, Generator or None
        Equal seeds give equal draws.

    Yields
    ------
    ndarray of shape (n,)
        Discounted purchase days of each customer in one simulated future.

    Raises
    ------
    NotFittedError, DataError, SettingsError
        As `discounted_residual_purchases`.
    """
    delta = _daily(annual_discount_rate)
    ends = np.append(-np.log1p(-np.arange(1, STEPS) / STEPS), NEGLIGIBLE) / delta
    period = model.period_days if isinstance(model, BGBB) else None
    if period is not None:
        ends = np.unique(np.ceil(ends / period)) * period
    paths = model.sample_paths(histories, ends_days=ends, draws=len(parameters), seed=seed, parameters=parameters)
    worth = _worth(ends, delta, period)
    return (worth @ np.diff(counts, axis=0, prepend=0) for counts in paths)


def _daily(annual_discount_rate: float) -> float:
    """Rate at which worth falls, per day."""
    if not 0 < annual_discount_rate < np.inf:
        raise SettingsError(f"annual_discount_rate: expected a number above 0, got {annual_discount_rate!r}")
    return float(np.log1p(annual_discount_rate)) / DAYS_IN_YEAR


def _worth(ends: FloatArray, delta: float, period: float | None) -> FloatArray:
    """Mean worth today of a purchase in each step: at any time of it, or at one of the opportunities that it holds."""
    lengths = np.diff(ends, prepend=0.0)
    first, gap = (ends - lengths, delta) if period is None else (ends - lengths + period, -np.expm1(-delta * period))
    purchases = lengths if period is None else lengths / period
    return np.asarray(np.exp(-delta * first) * -np.expm1(-delta * lengths) / (gap * purchases))
