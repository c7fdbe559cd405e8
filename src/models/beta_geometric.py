r"""The mathematics of the beta-geometric family, as pure functions with the symbols of the papers.

Equation numbers are those of P. S. Fader, B. G. S. Hardie & K. L. Lee (2005), "Counting Your Customers"
the Easy Way: An Alternative to the Pareto/NBD Model, Marketing Science 24 (2), 275-284.

The modified model of E. P. Batislam, M. Denizel & A. Filiztekin (2007), Empirical validation and comparison of
models for customer base analysis, International Journal of Research in Marketing 24 (3), 201-209, lets a customer
leave after the first purchase, too. That is one more chance to leave, ``first`` = 1 instead of 0: everywhere below
x + first chances were survived where BG/NBD counts x.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import betainc, expit, gammaln, psi

from .fitting import Objective
from .likelihood import Seed
from .validation import FloatArray, Histories, IntArray

TABLE_LIMIT = 1_000_000
"""Largest frequency for which sums of logarithms are tabulated; beyond it the log-gamma function serves."""


def log_rising(c: float, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    r"""Logarithm of the rising factorial :math:`\Gamma(c + x) / \Gamma(c)`, and its derivative in c.

    Summing logarithms keeps all digits where c is large and the two log-gammas would cancel.

    Parameters
    ----------
    c : float
        Positive.
    x : ndarray of whole numbers, shape (n,)
        At least 0.

    Returns
    -------
    value, derivative : ndarray of shape (n,)

    Examples
    --------
    >>> log_rising(2.0, np.array([0.0, 2.0]))[0].round(4)  # log 1, log(2 * 3)
    array([0.    , 1.7918])
    """
    most = int(x.max(initial=0))
    if most > TABLE_LIMIT:
        return gammaln(c + x) - gammaln(c), psi(c + x) - psi(c)
    factors = c + np.arange(most)
    at = x.astype(np.intp)
    value = np.concatenate([[0.0], np.cumsum(np.log(factors))])
    derivative = np.concatenate([[0.0], np.cumsum(1 / factors)])
    return value[at], derivative[at]


def log_odds_of_having_left(
    r: float, alpha: float, a: float, b: float, x: FloatArray, t_x: FloatArray, T: FloatArray, first: int = 0
) -> FloatArray:
    r"""Log of the ratio of the two terms of equation 6: left at the last purchase, against still active.

    .. math:: \log\frac{a}{b+s-1} + (r+x)\log\frac{\alpha+T}{\alpha+t_x}, \qquad s = x + first

    for s > 0, and minus infinity for s = 0: nobody can have left who had no chance to.
    """
    chances = x + first
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(a / (b + chances - 1)) + (r + x) * (np.log1p(T / alpha) - np.log1p(t_x / alpha))
    return np.where(chances > 0, odds, -np.inf)


def log_likelihood(
    r: float, alpha: float, a: float, b: float, x: FloatArray, t_x: FloatArray, T: FloatArray, first: int = 0
) -> FloatArray:
    r"""Log-likelihood of each history (equation 6), with s = x + first chances to leave.

    .. math:: \log\frac{B(a, b+s)}{B(a, b)} + \log\frac{\Gamma(r+x)\,\alpha^r}{\Gamma(r)}
              + \log\left[(\alpha+T)^{-(r+x)} + \delta_{s>0}\frac{a}{b+s-1}(\alpha+t_x)^{-(r+x)}\right]

    Parameters
    ----------
    r, alpha, a, b : float
        Parameters, positive.
    x, t_x, T : ndarray of shape (n,)
        Repeat purchases, recency and age, in the unit of ``alpha``.
    first : {0, 1}
        Chances to leave before a repeat purchase: 0 for BG/NBD, 1 for MBG/NBD.

    Returns
    -------
    ndarray of shape (n,)
        Finite for frequencies to at least 10,000.

    Examples
    --------
    >>> log_likelihood(.25, 4, .8, 2.5, np.array([200.0]), np.array([38.0]), np.array([40.0])).round(4)
    array([100.7957])
    """
    active = -x * np.log(alpha) - (r + x) * np.log1p(T / alpha)
    counts = log_rising(r, x)[0] + log_rising(b, x + first)[0] - log_rising(a + b, x + first)[0]
    left = log_odds_of_having_left(r, alpha, a, b, x, t_x, T, first)
    return np.asarray(counts + active + np.logaddexp(0, left))


def weighted_log_likelihood(h: Histories, first: int = 0) -> Objective:
    """Sum of `log_likelihood` over weighted histories, with its gradient, as a function of (r, alpha, a, b).

    Gamma terms are computed on the different x, logarithms of time on the different times.

    Parameters
    ----------
    h : Histories
        Best grouped; times in the unit of ``alpha``.
    first : {0, 1}
        As in `log_likelihood`.

    Returns
    -------
    callable
        Parameters of shape (4,) -> (value, gradient of shape (4,)).
    """
    x, at_x = np.unique(h.x, return_inverse=True)
    times, at_time = np.unique(np.concatenate([h.t_x, h.T]), return_inverse=True)
    at_t_x, at_T = at_time[: h.x.size], at_time[h.x.size :]
    weight_x = np.bincount(at_x, weights=h.weight)
    repeats, chances = float(weight_x @ x), x + first
    earlier = np.maximum(chances - 1, 0)

    def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = parameters.tolist()
        (rise_r, d_r), (rise_b, d_b), (rise_ab, d_ab) = (
            log_rising(c, n) for c, n in ((r, x), (b, chances), (a + b, chances))
        )
        log_time, d_time = np.log1p(times / alpha), times / (alpha * (alpha + times))
        log_odds_x = np.log(a / (b + earlier), out=np.full(x.size, -np.inf), where=chances > 0)
        log_T, gap, shape = log_time[at_T], log_time[at_T] - log_time[at_t_x], r + h.x
        odds = log_odds_x[at_x] + shape * gap
        shrunk = np.exp(-np.abs(odds))
        soft = np.maximum(odds, 0) + np.log1p(shrunk)
        left = h.weight * np.where(odds > 0, 1, shrunk) / (1 + shrunk)
        value = weight_x @ (rise_r + rise_b - rise_ab) - repeats * np.log(alpha) + h.weight @ (soft - shape * log_T)
        left_x = np.bincount(at_x, weights=left, minlength=x.size)
        slope_T = d_time[at_T]
        gradient = np.array(
            [
                weight_x @ d_r - h.weight @ log_T + left @ gap,
                -repeats / alpha + (h.weight * shape) @ slope_T - (left * shape) @ (slope_T - d_time[at_t_x]),
                left.sum() / a - weight_x @ d_ab,
                weight_x @ (d_b - d_ab) - left_x @ np.where(chances > 0, 1 / (b + earlier), 0),
            ]
        )
        return float(value), gradient

    return objective


def probability_alive(
    r: float, alpha: float, a: float, b: float, x: FloatArray, t_x: FloatArray, T: FloatArray, first: int = 0
) -> FloatArray:
    """P(active at T | x, t_x, T): one over one plus the odds of having left; 1 where nobody could leave yet.

    Arguments are those of `log_likelihood`; the formula is the denominator of equation 10.
    """
    return np.asarray(expit(-log_odds_of_having_left(r, alpha, a, b, x, t_x, T, first)))


def purchase_distribution_while_alive(
    r: float, alpha: float, a: float, b: float, x: FloatArray, T: FloatArray, t: float, n: int
) -> FloatArray:
    r"""P(X(T, T + t) = 0, …, n) of a customer who is active at T.

    Given active, rate and dropout are independent: Gamma(r + x, alpha + T) and Beta(a, b + x); for MBG/NBD give
    b + 1 as b. Purchases
    are the smaller of the Poisson count N and the number G of purchases that dropout allows, so that

    .. math:: P(X = j) = P(N = j) P(G > j) + P(N \ge j) P(G = j),

    N being negative binomial, with upper tail :math:`I_z(j, r+x)`, :math:`z = t/(\alpha+T+t)`, and
    :math:`P(G > j) = B(a, b+x+j) / B(a, b+x)`. At x = T = 0 this is equation 8.

    Parameters
    ----------
    r, alpha, a, b : float
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
    c, z = r + x, t / (alpha + T + t)
    stays = np.ones(x.size)
    result = np.empty((x.size, n + 1))
    for j in range(n + 1):
        log_count = gammaln(c + j) - gammaln(c) - gammaln(j + 1.0) + c * np.log1p(-z) + j * np.log(z)
        leaves = np.zeros(x.size)
        if j > 0:
            leaves = stays * a / (a + b + x + j - 1)
            stays = stays - leaves
        result[:, j] = np.exp(log_count) * stays + (betainc(j, c, z) * leaves if j > 0 else 0)
    return result


def simulate_histories(
    r: float, alpha: float, a: float, b: float, T: ArrayLike, *, seed: Seed = None, horizon: float = 0.0, first: int = 0
) -> pd.DataFrame:
    """Simulate customers whose truth is known.

    Exact and without a loop: of N Poisson events on [0, T] a customer lives to see the first
    G ~ Geometric(p), less ``first``, and the k-th of N uniform times is T * Beta(k, N - k + 1).

    Parameters
    ----------
    r, alpha, a, b : float
        Parameters, positive.
    T : array_like of shape (n,)
        Ages, in the unit of ``alpha``.
    seed : int, SeedSequence, Generator or None
        Equal seeds give equal customers.
    horizon : float, default 0
        Length of the period after T in which ``future`` is counted.
    first : {0, 1}
        As in `log_likelihood`.

    Returns
    -------
    DataFrame of n rows
        ``frequency``, ``recency``, ``T``, and the truth: ``rate``, ``dropout``, ``alive`` (bool), ``future``.

    Examples
    --------
    >>> simulate_histories(.5, 10, 1, 3, [30.0] * 1000, seed=1)["frequency"].gt(0).mean().round(2)
    np.float64(0.51)
    """
    rng = np.random.default_rng(seed)
    age = np.asarray(T, dtype=np.float64)
    rate, dropout = rng.gamma(r, 1 / alpha, age.size), rng.beta(a, b, age.size)
    events, allowed = rng.poisson(rate * age), geometric_allowance(dropout, rng) - first
    x, alive = np.minimum(events, allowed), events < allowed
    bought = x > 0
    recency = np.zeros(age.size)
    recency[bought] = age[bought] * rng.beta(x[bought], events[bought] - x[bought] + 1)
    future = np.where(alive, np.minimum(rng.poisson(rate * horizon), allowed - x), 0)
    return pd.DataFrame(
        {
            "frequency": x,
            "recency": recency,
            "T": age,
            "rate": rate,
            "dropout": dropout,
            "alive": alive,
            "future": future,
        }
    )


def geometric_allowance(p: FloatArray, rng: np.random.Generator) -> IntArray:
    """Purchases up to and with the last one, 1, 2, …; a dropout of 0 counts as the smallest possible."""
    return rng.geometric(np.clip(p, 1e-15, 1.0))
