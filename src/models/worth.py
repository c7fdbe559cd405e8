"""What customers are worth further ahead and under other assumptions, and how unequally it is spread."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .base import BTYDModel
from .gamma_gamma import GammaGamma
from .horizon import DAYS_IN_YEAR, checked_horizon, discount_factors
from .validation import FloatArray

YEARS = 5
"""How far ahead values are computed; nothing so far ahead can be tested."""


def future_spend(purchases: BTYDModel, spend: GammaGamma, distinct: pd.DataFrame, horizon_days: float) -> pd.Series:
    """Expected spend of everyone known, from now to each of some days, not discounted.

    Everything of `value_of` follows from this one curve, whatever margin, rate and horizon are asked for.

    Parameters
    ----------
    purchases, spend : fitted.
    distinct : different histories: frequency, recency, T, monetary_value, and optionally weight.
    horizon_days : the horizon that is used elsewhere; it, its half and its double are among the days.

    Returns
    -------
    Index days (0 to the end of five years, or to twice the horizon); money spent until then.
    """
    weight = distinct["weight"].to_numpy("float64") if "weight" in distinct else np.ones(len(distinct))
    worth = weight * spend.expected_spend(distinct)
    days = _days(checked_horizon(horizon_days))
    until = [float(worth @ purchases.expected_purchases(distinct, horizon_days=day)) for day in days[1:]]
    return pd.Series([0.0, *until], index=pd.Index(days, name="days"), name="spend")


def value_of(curve: pd.Series, horizon_days: float, margin: float, annual_discount_rate: float) -> float:
    """Margin on what is spent in a horizon, discounted to today.

    Parameters
    ----------
    curve : see `future_spend`.
    horizon_days : one of its days, or between them.
    margin : share of spend that is earned.
    annual_discount_rate : per year of 365 days; what is spent between two days of the curve counts as in the middle.
    """
    days = curve.index.to_numpy("float64")
    edges = np.append(days[days < horizon_days], horizon_days)
    spent = np.diff(np.interp(edges, days, curve.to_numpy()))
    return float(margin * (spent @ discount_factors(edges, annual_discount_rate)))


def values_ahead(curve: pd.Series, margin: float, discount_rates: tuple[float, ...]) -> pd.DataFrame:
    """Value by how far one looks ahead, for several discount rates.

    Returns
    -------
    Index days; one column a rate.
    """
    days = [float(day) for day in curve.index]
    return pd.DataFrame(
        {rate: [value_of(curve, day, margin, rate) if day else 0.0 for day in days] for rate in discount_rates},
        index=pd.Index(days, name="days"),
    )


def sensitivity(curve: pd.Series, horizon_days: float, margin: float, annual_discount_rate: float) -> pd.DataFrame:
    """What the value becomes if one assumption is another.

    Parameters
    ----------
    curve : see `future_spend`.
    horizon_days, margin, annual_discount_rate : what is assumed.

    Returns
    -------
    Index assumption (`horizon`, `margin`, `discount rate`); low and high (money), low_at and high_at (what the
    assumption is there: half or double the horizon in days, five points less or more of margin, no discount or twice
    the rate, .1 for twice none). In order of how much they move the value.
    """

    def value(horizon: float = horizon_days, share: float = margin, rate: float = annual_discount_rate) -> float:
        return value_of(curve, horizon, share, rate)

    rows = {
        "horizon": [(value(horizon=days), days) for days in (horizon_days / 2, horizon_days * 2)],
        "margin": [(value(share=share), share) for share in (max(margin - 0.05, 0.0), min(margin + 0.05, 1.0))],
        "discount rate": [(value(rate=rate), rate) for rate in (2 * annual_discount_rate or 0.1, 0.0)],
    }
    ends = {name: [*low, *high] for name, (low, high) in rows.items()}
    table = pd.DataFrame.from_dict(ends, orient="index", columns=["low", "low_at", "high", "high_at"])
    moved = (table["high"] - table["low"]).sort_values(ascending=False, kind="stable")
    return table.loc[moved.index].rename_axis("assumption")


def concentration(values: FloatArray | pd.Series, minimum: int = 10) -> pd.DataFrame:
    """Share of the total that the most valuable customers hold (a Lorenz curve, read from the top).

    Parameters
    ----------
    values : one a customer, at least 0.
    minimum : least number of customers between two points, so that no point tells of fewer.

    Returns
    -------
    customers and value (shares of 1, each from 0 to 1); empty where there are fewer than `minimum` customers or the
    total is nothing.
    """
    falling = np.sort(np.asarray(values, dtype=np.float64))[::-1]
    points = min(100, len(falling) // max(minimum, 1))
    if points == 0 or falling.sum() <= 0:
        return pd.DataFrame({"customers": [], "value": []}, dtype="float64")
    counts = np.linspace(0, len(falling), points + 1).round().astype(int)
    running = np.r_[0.0, np.cumsum(falling)]
    return pd.DataFrame({"customers": counts / len(falling), "value": running[counts] / running[-1]})


def gini(curve: pd.DataFrame) -> float:
    """Gini coefficient of a `concentration`: 0 if all are worth the same, near 1 if one holds all."""
    return float(2 * np.trapezoid(curve["value"], curve["customers"]) - 1)


def _days(horizon_days: float) -> FloatArray:
    last = max(YEARS * DAYS_IN_YEAR, 2 * horizon_days)
    near = np.linspace(0, 2 * horizon_days, 9)
    far = np.append(np.arange(0, min(last, DAYS_IN_YEAR), 28), np.arange(DAYS_IN_YEAR, last, 91.25))
    return np.unique(np.concatenate([near, far[far > 2 * horizon_days], [last]]))
