r"""What an active Pareto/NBD customer will do, as pure functions with the symbols of the papers.

Equation numbers are those of P. S. Fader & B. G. S. Hardie (2005), A Note on Deriving the Pareto/NBD Model and Related
Expressions. Given active at T, the rates of purchase and of leaving are independent, :math:`\Gamma(r+x, \alpha+T)` and
:math:`\Gamma(s, \beta+T)`: x = T = 0 makes every formula here that of a new customer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import exprel

from .beta_geometric import Parameter
from .likelihood import Seed
from .negative_binomial import MOST_EVENTS
from .pareto_race import leaves_first
from .validation import FloatArray, IntArray

LOG_NEGLIGIBLE = 45.0
"""An integrand is followed until it is exp(-45) of what it was."""


def expected_purchases_while_alive(
    r: Parameter,
    alpha: Parameter,
    s: Parameter,
    beta: Parameter,
    x: FloatArray,
    T: FloatArray,
    t: float | FloatArray,
) -> FloatArray:
    r"""Return expected purchases in (T, T + t] of a customer who is active at T.

    Equation 41 without P(alive); at x = T = 0 it is equation 27. With :math:`\ell = \log\frac{\beta+T+t}{\beta+T}`,

    .. math:: \frac{(r+x)(\beta+T)}{\alpha+T} \cdot \frac{1 - e^{-(s-1)\ell}}{s-1} ,

    where the second factor is :math:`\ell` at s = 1.

    Parameters
    ----------
    r, alpha, s, beta : float or ndarray of shape (n,)
        Parameters, positive.
    x, T : ndarray of shape (n,)
        Repeat purchases and time since the first purchase.
    t : float or ndarray of shape (n,)
        Length of the period, in the unit of ``alpha``, ``beta`` and ``T``; at least 0.

    Returns
    -------
    ndarray of shape (n,)
        Finite and not negative.

    Examples
    --------
    >>> expected_purchases_while_alive(.55328, 10.5777, .60624, 11.6687, np.zeros(1), np.zeros(1), 52).round(4)
    array([1.4734])
    """
    length = np.log1p(t / (beta + T))
    return np.asarray((r + x) * (beta + T) / (alpha + T) * length * exprel((1 - s) * length))


def discounted_residual_purchases_while_alive(
    r: Parameter, alpha: Parameter, s: Parameter, beta: Parameter, x: FloatArray, T: FloatArray, delta: float
) -> FloatArray:
    r"""Discounted expected purchases of the rest of an active customer's life.

    P. S. Fader, B. G. S. Hardie & K. L. Lee (2005), RFM and CLV, Journal of Marketing Research 42 (4), 415-430,
    equation 5 without P(alive), with Tricomi's function U:

    .. math:: \frac{(r+x)(\beta+T)}{\alpha+T}\, k^{s-1}\, U(s, s, k)
              = \frac{(r+x)(\beta+T)}{\alpha+T} \int_0^\infty e^{-kv} (1+v)^{-s}\, dv , \qquad k = \delta(\beta+T) .

    The integral is summed, in log time: U of SciPy loses its digits where s is near a whole number.

    Parameters
    ----------
    r, alpha, s, beta, x, T
        As in `expected_purchases_while_alive`.
    delta : float
        Rate of continuous discounting in the unit of time, positive.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> now = np.zeros(1)
    >>> discounted_residual_purchases_while_alive(.55, 10.6, .61, 11.7, now, now, .0027).round(2)
    array([3.9])
    """
    k = delta * (beta + T)
    reach = np.minimum(np.log1p(2 * LOG_NEGLIGIBLE / k), LOG_NEGLIGIBLE / np.maximum(s - 1, 1e-9))
    total = np.zeros(x.size)
    for node, weight in zip(*_unit_rule(64), strict=True):
        total += weight * np.exp(-k * np.expm1(node * reach) + (1 - s) * node * reach)
    return np.asarray((r + x) * (beta + T) / (alpha + T) * reach * total)


def purchase_distribution_while_alive(
    r: Parameter, alpha: Parameter, s: Parameter, beta: Parameter, x: FloatArray, T: FloatArray, t: float, n: int
) -> FloatArray:
    r"""P(X(T, T + t) = 0, …, n) of a customer who is active at T.

    Purchases are negative binomial up to the end of the period or, if earlier, to the time of leaving:

    .. math:: P(X = j) = NB_j(t) \left(\frac{\beta'}{\beta'+t}\right)^{s}
              + \int_0^t \frac{s}{\beta'+\tau} \left(\frac{\beta'}{\beta'+\tau}\right)^{s} NB_j(\tau)\, d\tau ,
              \quad \beta' = \beta + T .

    P(X = 0) is closed, with H of `loyalty.models.pareto_race`: leaving comes before the next purchase, or that comes
    after the period. For the others :math:`\tau = (\alpha+T)\sinh^2\theta` makes the peak of every NB_j about as wide
    in theta, and a Gauss-Legendre rule does.

    Parameters
    ----------
    r, alpha, s, beta : float or ndarray of shape (m,)
        Parameters, positive.
    x, T : ndarray of shape (m,)
        Repeat purchases and age.
    t : float
        Length of the period, in the unit of ``alpha``.
    n : int
        Largest count.

    Returns
    -------
    ndarray of shape (m, n + 1)
    """
    c, a, b = r + x, alpha + T, beta + T
    stays = np.exp(-s * np.log1p(t / b))
    result = np.empty((x.size, n + 1))
    earlier, later = (leaves_first(c, s, (b + u) / (a + u))[0] for u in (0.0, t))
    result[:, 0] = earlier + stays * np.exp(-c * np.log1p(t / a)) * (1 - later)
    if n > 0:
        log_choices = _log_choices(c, n)
        result[:, 1:] = np.exp(_log_counts(c, np.sqrt(t / a), log_choices)) * stays[:, None]
        result[:, 1:] += _counts_of_leavers(c, s, a, b, t, log_choices)
    return result


def draw_while_alive(
    r: Parameter,
    alpha: Parameter,
    s: Parameter,
    beta: Parameter,
    x: FloatArray,
    T: FloatArray,
    ends: FloatArray,
    rng: np.random.Generator,
) -> IntArray:
    """Draw purchases in (T, T + end] of customers who are active at T: both rates, the time of leaving, the counts.

    Shape (ends, rows); the ends rise.
    """
    rate, dropout = rng.gamma(r + x) / (alpha + T), rng.gamma(s, size=x.size) / (beta + T)
    stays = _exponential(dropout, float(ends[-1]), rng)
    active = np.diff(np.minimum(stays, ends[:, None]), axis=0, prepend=0.0)
    return np.cumsum([rng.poisson(np.minimum(rate * time, MOST_EVENTS)) for time in active], axis=0)


def simulate_histories(
    r: Parameter,
    alpha: Parameter,
    s: Parameter,
    beta: Parameter,
    T: ArrayLike,
    *,
    seed: Seed = None,
    horizon: float = 0.0,
) -> pd.DataFrame:
    """Simulate customers whose truth is known; the last of x uniform times on [0, u] is u * Beta(x, 1).

    Parameters
    ----------
    r, alpha, s, beta : float or ndarray of shape (n,)
        Parameters, positive.
    T : array_like of shape (n,)
        Ages, in the unit of ``alpha``.
    seed : int, SeedSequence, Generator or None
        Equal seeds give equal customers.
    horizon : float, default 0
        Length of the period after T in which ``future`` is counted.

    Returns
    -------
    DataFrame of n rows
        ``frequency``, ``recency``, ``T``, and the truth: ``rate``, ``dropout`` (rate of leaving), ``alive`` (bool),
        ``future``.

    Examples
    --------
    >>> simulate_histories(.5, 10, .6, 12, [30.0] * 1000, seed=1)["alive"].mean().round(2)  # (12 / 42) ** .6
    np.float64(0.47)
    """
    rng = np.random.default_rng(seed)
    age = np.asarray(T, dtype=np.float64)
    rate = rng.gamma(r, 1 / np.asarray(alpha), age.size)
    dropout = rng.gamma(s, 1 / np.asarray(beta), age.size)
    end = age + horizon
    leaves = _exponential(dropout, np.inf, rng)
    seen = np.minimum(leaves, age)
    x = rng.poisson(rate * seen)
    recency = np.where(x > 0, seen * rng.beta(np.maximum(x, 1), 1), 0.0)
    future = rng.poisson(rate * np.maximum(np.minimum(leaves, end) - age, 0))
    return pd.DataFrame(
        {
            "frequency": x,
            "recency": recency,
            "T": age,
            "rate": rate,
            "dropout": dropout,
            "alive": leaves > age,
            "future": future,
        }
    )


def _exponential(rate: FloatArray, longest: float, rng: np.random.Generator) -> FloatArray:
    """Draw exponential times, none above ``longest``; a rate that underflowed to 0 waits for ever."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.minimum(rng.exponential(size=rate.size) / rate, longest))


def _counts_of_leavers(
    c: FloatArray, s: Parameter, a: FloatArray, b: FloatArray, t: float, log_choices: FloatArray
) -> FloatArray:
    """Integrate over the time of leaving: P(leaves in the period, after j purchases), j = 1, …, n."""
    n = log_choices.shape[1]
    # Where the last count, or staying, has become negligible; in theta a peak is about 1 / sqrt(c) wide.
    counted = np.arcsinh(np.sqrt(n / c)) + np.sqrt(LOG_NEGLIGIBLE / c) + LOG_NEGLIGIBLE / (2 * c)
    longest = np.minimum(t, b * np.expm1(np.minimum(LOG_NEGLIGIBLE / np.asarray(s), 600.0)))
    reach = np.minimum(counted, np.arcsinh(np.sqrt(longest / a)))
    total = np.zeros_like(log_choices)
    for node, weight in zip(*_unit_rule(64 + 4 * int(np.sqrt(n))), strict=True):
        root = np.sinh(node * reach)
        after = a * root**2
        steps = weight * reach * 2 * a * root * np.cosh(node * reach)
        leaving = np.log(steps * s / (b + after)) - s * np.log1p(after / b)
        total += np.exp(_log_counts(c, root, log_choices) + leaving[:, None])
    return total


def _log_choices(c: FloatArray, n: int) -> FloatArray:
    r"""Return :math:`\log\frac{\Gamma(c+j)}{\Gamma(c)\,j!}` for j = 1, …, n; shape (m, n)."""
    j = np.arange(1.0, n + 1)
    return np.cumsum(np.log1p((c[:, None] - 1) / j), axis=1)


def _log_counts(c: FloatArray, root: FloatArray, log_choices: FloatArray) -> FloatArray:
    """Return the log-probability of j = 1, …, n purchases by the time (alpha + T) * root²; shape (m, n)."""
    log_none, j = np.log1p(root**2), np.arange(1, log_choices.shape[1] + 1)
    return np.asarray(log_choices - (c * log_none)[:, None] + j * (2 * np.log(root) - log_none)[:, None])


def _unit_rule(n: int) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on (0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights / 2
