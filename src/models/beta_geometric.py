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
from scipy.special import betainc, betaln, expit, gammaln, psi

from .beta_geometric_draws import geometric_allowance, simulate_histories
from .fitting import BLOCK, Objective
from .grouping import Parameter, levels
from .validation import FloatArray, Histories

__all__ = [
    "Parameter",
    "geometric_allowance",
    "log_likelihood",
    "log_likelihood_and_gradient",
    "log_odds_of_having_left",
    "log_rising",
    "probability_alive",
    "purchase_distribution_while_alive",
    "simulate_histories",
    "weighted_log_likelihood",
]

TABLE_LIMIT = 1_000_000
"""Largest frequency for which sums of logarithms are tabulated; beyond it the log-gamma function serves."""


def log_rising(c: Parameter, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    r"""Logarithm of the rising factorial :math:`\Gamma(c + x) / \Gamma(c)`, and its derivative in c.

    Summing logarithms keeps all digits where c is large and the two log-gammas would cancel.

    Parameters
    ----------
    c : float or ndarray of shape (n,)
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
    if np.ndim(c) > 0 or most > TABLE_LIMIT:
        some = np.maximum(x, 1)  # log B(c, x) keeps the digits, but is infinite at x = 0
        value = np.where(x > 0, gammaln(some) - betaln(c, some), 0.0)
        return value, np.asarray(psi(c + x) - psi(c))
    factors = c + np.arange(most)
    at = x.astype(np.intp)
    value = np.concatenate([[0.0], np.cumsum(np.log(factors))])
    derivative = np.concatenate([[0.0], np.cumsum(1 / factors)])
    return value[at], derivative[at]


def log_odds_of_having_left(
    r: Parameter,
    alpha: Parameter,
    a: Parameter,
    b: Parameter,
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    first: int = 0,
) -> FloatArray:
    r"""Log of the ratio of the two terms of equation 6: left at the last purchase, against still active.

    .. math:: \log\frac{a}{b+s-1} + (r+x)\log\frac{\alpha+T}{\alpha+t_x}, \qquad s = x + first

    for s > 0, and minus infinity for s = 0: nobody can have left who had no chance to.
    """
    chances = x + first
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(a / (b + chances - 1)) + (r + x) * np.log1p((T - t_x) / (alpha + t_x))
    return np.where(chances > 0, odds, -np.inf)


def log_likelihood(
    r: Parameter,
    alpha: Parameter,
    a: Parameter,
    b: Parameter,
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    first: int = 0,
) -> FloatArray:
    r"""Log-likelihood of each history (equation 6), with s = x + first chances to leave.

    .. math:: \log\frac{B(a, b+s)}{B(a, b)} + \log\frac{\Gamma(r+x)\,\alpha^r}{\Gamma(r)}
              + \log\left[(\alpha+T)^{-(r+x)} + \delta_{s>0}\frac{a}{b+s-1}(\alpha+t_x)^{-(r+x)}\right]

    Parameters
    ----------
    r, alpha, a, b : float or ndarray of shape (n,)
        Parameters, positive; an array has one value a row.
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


def log_likelihood_and_gradient(
    r: Parameter,
    alpha: Parameter,
    a: Parameter,
    b: Parameter,
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    first: int = 0,
) -> tuple[FloatArray, FloatArray]:
    """Return `log_likelihood` and its derivatives in r, alpha, a and b, row by row.

    Arguments are those of `log_likelihood`. What moves a row's own parameters, as covariates do, follows by the
    chain rule.

    Returns
    -------
    value : ndarray of shape (n,)
    gradient : ndarray of shape (4, n)
    """
    chances = x + first
    (rise_r, by_r), (rise_b, by_b), (rise_ab, by_ab) = (
        log_rising(c, n) for c, n in ((r, x), (b, chances), (a + b, chances))
    )
    log_odds = log_odds_of_having_left(r, alpha, a, b, x, t_x, T, first)
    log_time, left = np.log1p(T / alpha), expit(log_odds)
    value = rise_r + rise_b - rise_ab - x * np.log(alpha) - (r + x) * log_time + np.logaddexp(0, log_odds)
    # Divided by one where left is 0 for want of a chance, so that nothing is infinite.
    last = np.where(chances > 0, b + chances - 1, 1.0)
    gradient = np.array(
        [
            by_r - log_time + left * np.log1p((T - t_x) / (alpha + t_x)),
            (r + x) * (T / (alpha + T) - left * (T - t_x) / (alpha + T) * alpha / (alpha + t_x)) / alpha - x / alpha,
            left / a - by_ab,
            by_b - by_ab - left / last,
        ]
    )
    return value, gradient


def weighted_log_likelihood(h: Histories, first: int = 0) -> Objective:
    """Sum of `log_likelihood` over weighted histories, with its gradient, as a function of (r, alpha, a, b).

    Gamma terms are computed on the different x and logarithms of time on the different times, which whole days
    make few; only the odds of having left are a row's own.

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
    x, at_x = levels(h.x)
    times, at_time = levels(np.concatenate([h.t_x, h.T]))
    at_t_x, at_T = at_time[: h.x.size], at_time[h.x.size :]
    weight_x = np.bincount(at_x, weights=h.weight)
    weight_T = np.bincount(at_T, weights=h.weight, minlength=times.size)
    repeats_T = np.bincount(at_T, weights=h.weight * h.x, minlength=times.size)
    repeats, chances = float(weight_x @ x), x + first
    earlier = np.maximum(chances - 1, 0)

    def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = parameters.tolist()
        (rise_r, d_r), (rise_b, d_b), (rise_ab, d_ab) = (
            log_rising(c, n) for c, n in ((r, x), (b, chances), (a + b, chances))
        )
        log_time, inverse = np.log1p(times / alpha), 1 / (alpha + times)
        log_odds_x = np.log(a / (b + earlier), out=np.full(x.size, -np.inf), where=chances > 0)
        shape_T = r * weight_T + repeats_T
        value = weight_x @ (rise_r + rise_b - rise_ab) - repeats * np.log(alpha) - shape_T @ log_time
        by_r, by_alpha, left_x = 0.0, 0.0, np.zeros(x.size)
        for start in range(0, h.x.size, BLOCK):
            rows = slice(start, start + BLOCK)
            i, weight, shape = at_x[rows], h.weight[rows], r + h.x[rows]
            from_, to = at_t_x[rows], at_T[rows]
            gap = log_time[to] - log_time[from_]
            odds = shape * gap + log_odds_x[i]
            shrunk = np.exp(-np.abs(odds))
            value += weight @ (np.maximum(odds, 0) + np.log(1 + shrunk))
            left = weight * np.where(odds > 0, 1, shrunk) / (1 + shrunk)
            by_r += left @ gap
            by_alpha += (left * shape) @ (inverse[from_] - inverse[to])
            left_x += np.bincount(i, weights=left, minlength=x.size)
        gradient = np.array(
            [
                weight_x @ d_r - weight_T @ log_time + by_r,
                -repeats / alpha + shape_T @ (times * inverse) / alpha - by_alpha,
                left_x.sum() / a - weight_x @ d_ab,
                weight_x @ (d_b - d_ab) - left_x @ np.where(chances > 0, 1 / (b + earlier), 0),
            ]
        )
        return float(value), gradient

    return objective


def probability_alive(
    r: Parameter,
    alpha: Parameter,
    a: Parameter,
    b: Parameter,
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    first: int = 0,
) -> FloatArray:
    """P(active at T | x, t_x, T): one over one plus the odds of having left; 1 where nobody could leave yet.

    Arguments are those of `log_likelihood`; the formula is the denominator of equation 10.
    """
    return np.asarray(expit(-log_odds_of_having_left(r, alpha, a, b, x, t_x, T, first)))


def purchase_distribution_while_alive(
    r: Parameter, alpha: Parameter, a: Parameter, b: Parameter, x: FloatArray, T: FloatArray, t: float, n: int
) -> FloatArray:
    r"""P(X(T, T + t) = 0, …, n) of a customer who is active at T.

    Given active, rate and dropout are independent: Gamma(r + x, alpha + T) and Beta(a, b + x); for MBG/NBD give
    b + 1 as b. Purchases are the smaller of the Poisson count N and the number G of purchases that dropout
    allows, so that

    .. math:: P(X = j) = P(N = j) P(G > j) + P(N \ge j) P(G = j),

    N being negative binomial, with upper tail :math:`I_z(j, r+x)`, :math:`z = t/(\alpha+T+t)`, and
    :math:`P(G > j) = B(a, b+x+j) / B(a, b+x)`. At x = T = 0 this is equation 8.

    Parameters
    ----------
    r, alpha, a, b : float or ndarray of shape (m,)
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
