"""Ratios of beta functions that keep their digits where parameters are huge, as they are on a flat ridge."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, psi

from .validation import FloatArray

LARGE = 15.0
"""From here on, Stirling's series gives differences of log-gammas to all digits."""


def log_gamma_step(c: FloatArray, s: FloatArray) -> FloatArray:
    r"""Return :math:`\log \Gamma(c + s) - \log \Gamma(c)` for real s of at least 0, without cancellation for large c.

    For whole s and one c, `loyalty.models.beta_geometric.log_rising` is faster.

    Examples
    --------
    >>> log_gamma_step(np.array([2.0, 1e12]), np.array([2.0, 1.0])).round(4)  # log(2 * 3), log(1e12)
    array([ 1.7918, 27.631 ])
    """
    large = np.maximum(c, LARGE)
    series = (large + s - 0.5) * np.log1p(s / large) + s * (np.log(large) - 1)
    series += _stirling_rest(large + s) - _stirling_rest(large)
    small = np.minimum(c, LARGE)
    return np.where(c >= LARGE, series, gammaln(small + s) - gammaln(small))


def _stirling_rest(z: FloatArray) -> FloatArray:
    """Return what Stirling's formula leaves of log-gamma, for z of at least 15."""
    w = (1 / z) ** 2
    return (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w * (1 / 1188 - w * 691 / 360360))))) / z


def psi_step(c: FloatArray, s: FloatArray) -> FloatArray:
    r"""Return :math:`\psi(c + s) - \psi(c)`, the derivative of `log_gamma_step` in c."""
    large, small = np.maximum(c, LARGE), np.minimum(c, LARGE)
    series = np.log1p(s / large) + s / (large + s) / (2 * large) + _psi_rest(large) - _psi_rest(large + s)
    return np.where(c >= LARGE, series, psi(small + s) - psi(small))


def _psi_rest(z: FloatArray) -> FloatArray:
    w = (1 / z) ** 2
    return w * (1 / 12 - w * (1 / 120 - w * (1 / 252 - w * (1 / 240 - w * (1 / 132 - w * 691 / 32760)))))


def log_beta_ratio(a: ArrayLike, b: ArrayLike, s: ArrayLike) -> FloatArray:
    r"""Logarithm of :math:`B(a, b + s) / B(a, b)`: the chance to survive s opportunities of a Beta(a, b) kind.

    It is symmetric in a and s, and computed as the difference of two rising factorials of the smaller one: the rounding
    error is that of min(a, s) logarithms, however large the other two are.

    Examples
    --------
    >>> np.exp(log_beta_ratio(1.0, 1.0, np.array([0.0, 1.0, 2.0]))).round(4)
    array([1.    , 0.5   , 0.3333])
    """
    a, b, s = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (a, b, s)))
    less, more = np.minimum(a, s), np.maximum(a, s)
    return np.asarray(log_gamma_step(b, less) - log_gamma_step(b + more, less))
