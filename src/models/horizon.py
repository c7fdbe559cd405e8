"""The horizon that predictions look at: its check, its steps, and what money in it is worth today."""

from __future__ import annotations

import numpy as np

from ..errors import SettingsError
from .validation import FloatArray

DAYS_IN_YEAR = 365.0

LONGEST_HALF_LIFE = 3650.0
"""A half-life of more days than this is not worth telling: it lies outside all experience with a customer."""


def checked_horizon(horizon_days: float) -> float:
    """Refuse a horizon that is no positive finite number of days.

    Raises
    ------
    SettingsError
        If it is not.
    """
    if not 0 < horizon_days < np.inf:
        raise SettingsError(f"horizon_days: expected a positive number of days, got {horizon_days!r}")
    return float(horizon_days)


def discount_factors(edges: FloatArray, annual_discount_rate: float) -> FloatArray:
    """Present value of 1 that comes in the middle of each step.

    Parameters
    ----------
    edges : ndarray of shape (steps + 1,)
        Ends of the steps, in days from the as-of date.
    annual_discount_rate : float
        Per year of 365 days, more than -1.

    Returns
    -------
    ndarray of shape (steps,)

    Raises
    ------
    SettingsError
        For a rate that is not a number above -1.

    Examples
    --------
    >>> discount_factors(np.array([0.0, 730.0]), 0.10).round(4)
    array([0.9091])
    """
    if not -1 < annual_discount_rate < np.inf:
        raise SettingsError(f"annual_discount_rate: expected a number above -1, got {annual_discount_rate!r}")
    years = (edges[:-1] + edges[1:]) / 2 / DAYS_IN_YEAR
    return np.asarray((1.0 + annual_discount_rate) ** -years)


def step_edges(horizon_days: float, step_days: float) -> FloatArray:
    """Return the ends of the steps that a horizon is cut into, in days; the last step may be shorter.

    Raises
    ------
    SettingsError
        For a step that is not positive.

    Examples
    --------
    >>> step_edges(10.0, 7)
    array([ 0.,  7., 10.])
    """
    if not 0 < step_days < np.inf:
        raise SettingsError(f"step_days: expected a positive number of days, got {step_days!r}")
    return np.append(np.arange(0.0, horizon_days, step_days), horizon_days)
