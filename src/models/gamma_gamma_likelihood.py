r"""The mathematics of the Gamma-Gamma model, as pure functions with the symbols of the paper.

Spend on a purchase day is :math:`\Gamma(p, \nu)` with a :math:`\nu \sim \Gamma(q, v)` of each customer's own.

Equation numbers are those of P. S. Fader & B. G. S. Hardie (2013), The Gamma-Gamma Model of Monetary
Value, http://www.brucehardie.com/notes/025/.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, psi

from .fitting import BLOCK, Objective
from .grouping import levels
from .validation import FloatArray


def log_likelihood(p: float, q: float, v: float, x: FloatArray, z: FloatArray) -> FloatArray:
    r"""Log-likelihood of each mean spend (equation 1a).

    .. math:: \log\frac{\Gamma(px+q)}{\Gamma(px)\,\Gamma(q)} - px\log(1 + v/m) - q\log(1 + m/v) - \log z,
              \qquad m = xz

    Parameters
    ----------
    p, q, v : float
        Parameters, positive.
    x : ndarray of shape (n,)
        Repeat purchase days, at least 1.
    z : ndarray of shape (n,)
        Mean spend per repeat purchase day, positive, in the unit of ``v``.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> log_likelihood(6.25, 3.74, 15.44, np.array([2.0]), np.array([22.35])).round(4)
    array([-3.5513])
    """
    total = x * z
    counts = gammaln(p * x + q) - gammaln(p * x) - gammaln(q)
    return np.asarray(counts - p * x * np.log1p(v / total) - q * np.log1p(total / v) - np.log(z))


def weighted_log_likelihood(x: FloatArray, z: FloatArray, weight: FloatArray) -> Objective:
    """Sum of `log_likelihood` over weighted customers with its gradient, as a function of (p, q, v).

    Gamma terms are computed on the different x; the rest is one logarithm and one quotient a customer.

    Parameters
    ----------
    x, z, weight : ndarray of shape (n,)
        Repeat purchase days, mean spend on them, customers that share the row.

    Returns
    -------
    callable
        Parameters of shape (3,) -> (value, gradient of shape (3,)).
    """
    total = x * z
    counts, codes = levels(x)
    weight_of_count = np.bincount(codes, weights=weight)
    customers, weighted_x = float(weight.sum()), weight * x
    log_total, log_z = float(weighted_x @ np.log(total)), float(weight @ np.log(z))

    def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
        p, q, v = parameters.tolist()
        weighted_logs, spread, by_v = log_total, customers * np.log(v), customers * q / v
        for start in range(0, total.size, BLOCK):
            rows = slice(start, start + BLOCK)
            shifted = v + total[rows]
            log_sum, of_x, of_one = np.log(shifted), weighted_x[rows], weight[rows]
            weighted_logs -= of_x @ log_sum
            spread -= of_one @ log_sum
            by_v -= (p * of_x + q * of_one) @ (1 / shifted)
        shape = p * counts
        gammas = weight_of_count @ (gammaln(shape + q) - gammaln(shape)) - customers * gammaln(q)
        slope = psi(shape + q)
        gradient = np.array(
            [
                (weight_of_count * counts) @ (slope - psi(shape)) + weighted_logs,
                weight_of_count @ slope - customers * psi(q) + spread,
                by_v,
            ]
        )
        return float(gammas + p * weighted_logs + q * spread - log_z), gradient

    return objective


def expected_mean_spend(p: float, q: float, v: float, x: FloatArray, z: FloatArray) -> FloatArray:
    r"""Return :math:`p(v + xz)/(px + q - 1)`, expected spend per purchase day given the past (equation 5).

    x = 0 gives the mean of the population, :math:`pv/(q-1)`; infinite or negative where px + q <= 1.
    """
    return np.asarray(p * (v + x * z) / (p * x + q - 1))


def draw_spend(
    parameters: FloatArray, x: FloatArray, z: FloatArray, counts: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw total spends on ``counts`` future purchase days, each from the customer's own posterior.

    Arrays have shape (n,); ``parameters`` is (p, q, v). See `loyalty.models.gamma_gamma.GammaGamma.sample_spend`.
    """
    p, q, v = parameters
    result = np.zeros(x.size)
    some = np.flatnonzero(counts > 0)
    rate = rng.gamma(p * x[some] + q) / (v + x[some] * z[some])
    # A rate that underflows stands for a spend beyond any number; the largest finite one is bad enough.
    result[some] = rng.gamma(p * counts[some]) / np.maximum(rate, 1e-300)
    return result
