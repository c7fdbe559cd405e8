"""Customer lifetime value: purchases of a buy-till-you-die model times spend times margin, discounted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import SettingsError
from .base import BTYDModel
from .gamma_gamma import GammaGamma
from .validation import FloatArray, check_columns, refuse, weight_column

QUANTITIES = ("expected_purchases", "expected_spend", "clv")

NUMBERS_HELD = 5_000_000
"""Most simulated numbers in memory at a time (40 MB)."""


@dataclass(frozen=True)
class LifetimeValueInterval:
    """Predictive intervals of customers, and of all of them together.

    Attributes
    ----------
    customers : DataFrame
        One row a customer, indexed as the histories: ``<quantity>_low`` and ``<quantity>_high`` for
        ``expected_purchases``, ``expected_spend`` and ``clv``.
    total : DataFrame
        One row for each quantity, summed over customers: ``mean``, ``low``, ``high``.
    """

    customers: pd.DataFrame
    total: pd.DataFrame


def customer_lifetime_value(
    btyd: BTYDModel,
    spend_model: GammaGamma,
    histories: pd.DataFrame,
    *,
    horizon_days: float,
    margin: float,
    annual_discount_rate: float,
    step_days: float = 7,
) -> pd.DataFrame:
    r"""Predict expected purchases, spend and discounted margin of each customer over the horizon.

    .. math:: CLV = m \cdot s \sum_j \left(E[X(t_j)] - E[X(t_{j-1})]\right) (1 + d)^{-(t_{j-1}+t_j)/2/365}

    with s the expected spend per purchase day: Fader, Hardie & Lee (2005), RFM and CLV, summed in steps.

    Parameters
    ----------
    btyd : BTYDModel
        Fitted.
    spend_model : GammaGamma
        Fitted.
    histories : DataFrame of n rows
        ``frequency``, ``recency``, ``T`` (days) and ``monetary_value`` (may be null where frequency is 0).
    horizon_days : float
        Length of the horizon, in days.
    margin : float
        Share of spend that is earned, in (0, 1].
    annual_discount_rate : float
        Per year of 365 days.
    step_days : float, default 7
        Purchases of one step count as made in its middle.

    Returns
    -------
    DataFrame of n rows
        Indexed as ``histories``: ``expected_purchases``, ``expected_spend`` (not discounted) and ``clv``
        (discounted margin), the last two in the currency of the data.

    Raises
    ------
    NotFittedError, DataError, SettingsError
        For a model that is not fitted; for rows that no customer can have; for a horizon, margin, rate or
        step out of range.
    """
    _check_margin(margin)
    purchases = btyd.expected_purchases(histories, horizon_days=horizon_days)
    discounted = btyd.discounted_expected_purchases(
        histories, horizon_days=horizon_days, annual_discount_rate=annual_discount_rate, step_days=step_days
    )
    spend = spend_model.expected_spend(histories)
    return pd.DataFrame(
        dict(zip(QUANTITIES, (purchases, purchases * spend, discounted * spend * margin), strict=True)),
        index=histories.index,
    )


def customer_lifetime_value_interval(
    btyd: BTYDModel,
    spend_model: GammaGamma,
    histories: pd.DataFrame,
    *,
    horizon_days: float,
    margin: float,
    annual_discount_rate: float,
    step_days: float = 7,
    level: float = 0.9,
    draws: int = 500,
    seed: int | None = None,
) -> LifetimeValueInterval:
    """Intervals in which purchases, spend and discounted margin of the horizon will fall.

    Each draw takes parameters from their sampling distribution and simulates purchases and spend of every
    customer, so the intervals hold parameter and outcome uncertainty. The two kinds differ: a *customer's*
    interval is wide, because chance decides what one person buys; the interval of the *total* is narrow,
    because chance averages out and mostly the parameters remain. Never add up customers' bounds to get
    the total's. A draw discounts a customer's margin by the expected timing of that customer's purchases.

    Customers are taken in chunks, which all see the same parameters in a draw; no more than five million
    simulated numbers are in memory at a time.

    Parameters
    ----------
    btyd, spend_model, histories, horizon_days, margin, annual_discount_rate, step_days
        As in `customer_lifetime_value`; one row a customer, so a weight other than 1 is refused.
    level : float, default 0.9
        Probability that an interval holds.
    draws : int, default 500
        Simulated horizons.
    seed : int or None
        Equal seeds give equal intervals.

    Returns
    -------
    LifetimeValueInterval

    Raises
    ------
    NotFittedError, DataError, SettingsError
        As `customer_lifetime_value`; for a ``level`` outside (0, 1) or fewer than one draw.
    """
    _check_margin(margin)
    _check_simulation(level, draws)
    check_columns(histories, ("frequency", "recency", "T", "monetary_value"))
    refuse(weight_column(histories) != 1, histories, "weight", "1, as an interval is that of one customer")
    streams = np.random.SeedSequence(seed).spawn(3)
    plan = _Plan(
        btyd=btyd,
        spend_model=spend_model,
        horizon_days=horizon_days,
        annual_discount_rate=annual_discount_rate,
        step_days=step_days,
        margin=margin,
        purchase_parameters=btyd.sample_parameters(draws, streams[0]),
        spend_parameters=spend_model.sample_parameters(draws, streams[1]),
    )
    tail = (1 - level) / 2
    totals, bounds = np.zeros((draws, len(QUANTITIES))), []
    size = max(1, NUMBERS_HELD // (draws * len(QUANTITIES)))
    starts = range(0, len(histories), size)
    for start, stream in zip(starts, streams[2].spawn(len(starts)), strict=True):
        simulated = _simulate(plan, histories.iloc[start : start + size], stream)
        totals += simulated.sum(axis=2)
        # Bounds are values that were drawn: half a purchase is not a bound.
        bounds.append(np.quantile(simulated, [tail, 1 - tail], axis=0, method="inverted_cdf"))
    return LifetimeValueInterval(
        _customer_table(np.concatenate(bounds, axis=2), histories.index), _total_table(totals, tail)
    )


@dataclass(frozen=True)
class _Plan:
    """What every chunk of customers is simulated with."""

    btyd: BTYDModel
    spend_model: GammaGamma
    horizon_days: float
    annual_discount_rate: float
    step_days: float
    margin: float
    purchase_parameters: pd.DataFrame
    spend_parameters: pd.DataFrame


def _simulate(plan: _Plan, chunk: pd.DataFrame, stream: np.random.SeedSequence) -> FloatArray:
    """Simulate the quantities, shape (draws, quantities, customers)."""
    earned = plan.margin * _discount_of_expected_timing(plan, chunk)
    simulated = np.empty((len(plan.spend_parameters), len(QUANTITIES), len(chunk)))
    for draw, (purchases, spend) in enumerate(_outcomes(plan, chunk, stream)):
        simulated[draw] = purchases, spend, spend * earned
    return simulated


def _outcomes(
    plan: _Plan, chunk: pd.DataFrame, stream: np.random.SeedSequence
) -> Iterator[tuple[FloatArray, FloatArray]]:
    buying, spending = (np.random.default_rng(child) for child in stream.spawn(2))
    counts = plan.btyd.sample_purchases(
        chunk,
        horizon_days=plan.horizon_days,
        draws=len(plan.purchase_parameters),
        seed=buying,
        parameters=plan.purchase_parameters,
    )
    for purchases, (_, parameters) in zip(counts, plan.spend_parameters.iterrows(), strict=True):
        spend = plan.spend_model.sample_spend(chunk, purchases, parameters=parameters, seed=spending)
        yield purchases.astype(np.float64), spend


def _discount_of_expected_timing(plan: _Plan, chunk: pd.DataFrame) -> FloatArray:
    """Present value of 1 spent in the horizon, averaged over when a customer is expected to spend it."""
    expected = plan.btyd.expected_purchases(chunk, horizon_days=plan.horizon_days)
    discounted = plan.btyd.discounted_expected_purchases(
        chunk,
        horizon_days=plan.horizon_days,
        annual_discount_rate=plan.annual_discount_rate,
        step_days=plan.step_days,
    )
    return np.divide(discounted, expected, out=np.ones_like(expected), where=expected > 0)


def _customer_table(bounds: FloatArray, index: pd.Index) -> pd.DataFrame:
    columns = {
        f"{quantity}_{side}": bounds[at, i]
        for i, quantity in enumerate(QUANTITIES)
        for at, side in enumerate(("low", "high"))
    }
    return pd.DataFrame(columns, index=index)


def _total_table(totals: FloatArray, tail: float) -> pd.DataFrame:
    low, high = np.quantile(totals, [tail, 1 - tail], axis=0)
    return pd.DataFrame({"mean": totals.mean(axis=0), "low": low, "high": high}, index=list(QUANTITIES))


def _check_margin(margin: float) -> None:
    if not 0 < margin <= 1:
        raise SettingsError(f"margin: expected a share in (0, 1], got {margin!r}")


def _check_simulation(level: float, draws: int) -> None:
    if not 0 < level < 1:
        raise SettingsError(f"level: expected a probability in (0, 1), got {level!r}")
    if draws < 1:
        raise SettingsError(f"draws: expected at least 1, got {draws!r}")
