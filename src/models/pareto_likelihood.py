r"""The likelihood of the Pareto/NBD model and P(alive), as pure functions with the symbols of the papers.

D. C. Schmittlein, D. G. Morrison & R. Colombo (1987), Counting Your Customers: Who Are They and What Will They Do
Next?, Management Science 33 (1), 1-24. Equation numbers are those of P. S. Fader & B. G. S. Hardie (2005), A Note on
Deriving the Pareto/NBD Model and Related Expressions.

While active, a customer buys at a Poisson rate :math:`\lambda \sim \Gamma(r, \alpha)`, and leaves after an exponential
time with rate :math:`\mu \sim \Gamma(s, \beta)`. The papers write the likelihood (equation 18) as a term for a customer
active at T and the difference of two hypergeometric functions for one who left in (t_x, T]. That difference cancels
where T is close to t_x and overflows for many purchases. Here the same sum is arranged by what comes after the last
purchase that was seen: the next one, after T, or leaving. With H of `loyalty.models.pareto_race`,

.. math:: L = \frac{\Gamma(r+x)}{\Gamma(r)\,\alpha^x}\left[S(t_x)\,H_{t_x} + S(T)\,(1 - H_T)\right], \qquad
          S(t) = \left(\frac{\alpha}{\alpha+t}\right)^{r+x}\left(\frac{\beta}{\beta+t}\right)^s, \qquad
          H_t = H\!\left(r+x,\, s,\, \frac{\beta+t}{\alpha+t}\right) .

Both terms are positive, whatever alpha and beta, and H depends on pairs (x, t), which whole days make few.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from .beta_geometric import Parameter, log_rising
from .fitting import BLOCK, Objective
from .grouping import group_equal, levels
from .pareto_race import leaves_first
from .validation import FloatArray, Histories

TINY = 1e-300
"""Floor of 1 - H before its logarithm is taken."""


def log_likelihood(
    r: Parameter, alpha: Parameter, s: Parameter, beta: Parameter, x: FloatArray, t_x: FloatArray, T: FloatArray
) -> FloatArray:
    """Log-likelihood of each history (equation 18).

    Parameters
    ----------
    r, alpha, s, beta : float or ndarray of shape (n,)
        Parameters, positive; an array has one value a row.
    x, t_x, T : ndarray of shape (n,)
        Repeat purchases, recency and age, in the unit of ``alpha`` and ``beta``.

    Returns
    -------
    ndarray of shape (n,)
        Finite for frequencies to at least 10,000 and recencies up to T.

    Examples
    --------
    >>> log_likelihood(.55, 10.6, .61, 11.7, np.array([0.0, 200]), np.array([0.0, 40]), np.array([40.0, 40])).round(3)
    array([-0.521, 73.811])
    """
    log_left, log_buys = (
        part + _log_survival(r, alpha, s, beta, x, t)
        for part, t in zip(_log_next(r, alpha, s, beta, x, t_x, T), (t_x, T), strict=True)
    )
    return np.asarray(log_rising(r, x)[0] - x * np.log(alpha) + np.logaddexp(log_left, log_buys))


def log_likelihood_and_gradient(
    r: Parameter, alpha: Parameter, s: Parameter, beta: Parameter, x: FloatArray, t_x: FloatArray, T: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return `log_likelihood` and its derivatives in r, alpha, s and beta, row by row.

    Arguments are those of `log_likelihood`. What moves a row's own parameters, as covariates do, follows by the
    chain rule.

    Returns
    -------
    value : ndarray of shape (n,)
    gradient : ndarray of shape (4, n)
    """
    log_left, _, d_left, _ = _terms(r, alpha, s, beta, x, t_x)
    _, log_buys, _, d_buys = _terms(r, alpha, s, beta, x, T)
    rise, d_rise = log_rising(r, x)
    value = rise - x * np.log(alpha) + np.logaddexp(log_left, log_buys)
    left = expit(log_left - log_buys)
    gradient = left * d_left + (1 - left) * d_buys
    gradient[0] += d_rise
    gradient[1] -= x / alpha
    return np.asarray(value), np.asarray(gradient)


def weighted_log_likelihood(h: Histories) -> Objective:
    """Sum of `log_likelihood` over weighted histories, with its gradient, as a function of (r, alpha, s, beta).

    Gamma terms are computed on the different x, H and all logarithms of time on the different (x, t_x) and (x, T);
    only the sum of the two terms is a row's own.

    Parameters
    ----------
    h : Histories
        Best grouped; times in the unit of ``alpha``.

    Returns
    -------
    callable
        Parameters of shape (4,) -> (value, gradient of shape (4,)).
    """
    x, at_x = levels(h.x)
    weight_x = np.bincount(at_x, weights=h.weight)
    repeats, n = float(weight_x @ x), h.x.size
    counts, times = np.tile(h.x, 2), np.concatenate([h.t_x, h.T])
    codes, first = group_equal(counts, times)
    counts, times, at_last, at_T = counts[first], times[first], codes[:n], codes[n:]

    def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, s, beta = parameters.tolist()
        rise, d_rise = log_rising(r, x)
        log_left, log_buys, d_left, d_buys = _terms(r, alpha, s, beta, counts, times)
        value = weight_x @ rise - repeats * np.log(alpha)
        share = np.empty(n)
        for start in range(0, n, BLOCK):
            rows = slice(start, start + BLOCK)
            weight, one, other = h.weight[rows], log_left[at_last[rows]], log_buys[at_T[rows]]
            shrunk = np.exp(-np.abs(one - other))
            value += weight @ (np.maximum(one, other) + np.log1p(shrunk))
            smaller = weight * shrunk / (1 + shrunk)
            share[rows] = np.where(one > other, weight - smaller, smaller)
        left = np.bincount(at_last, weights=share, minlength=times.size)
        buys = np.bincount(at_T, weights=h.weight - share, minlength=times.size)
        gradient = d_left @ left + d_buys @ buys
        gradient[0] += weight_x @ d_rise
        gradient[1] -= repeats / alpha
        return float(value), gradient

    return objective


def probability_alive(
    r: Parameter, alpha: Parameter, s: Parameter, beta: Parameter, x: FloatArray, t_x: FloatArray, T: FloatArray
) -> FloatArray:
    r"""P(active at T | x, t_x, T) (equation 36), as :math:`1 / [1 - H_T + H_{t_x}\,S(t_x)/S(T)]`.

    Arguments are those of `log_likelihood`.

    Returns
    -------
    ndarray of shape (n,)
        In [0, 1]; 1 where t_x is T.
    """
    log_left, log_buys = _log_next(r, alpha, s, beta, x, t_x, T)
    since = (r + x) * np.log1p((T - t_x) / (alpha + t_x)) + s * np.log1p((T - t_x) / (beta + t_x))
    return np.asarray(np.exp(-np.maximum(np.logaddexp(log_left + since, log_buys), 0.0)))


def _log_next(
    r: Parameter, alpha: Parameter, s: Parameter, beta: Parameter, x: FloatArray, t_x: FloatArray, T: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Logarithms of H at the last purchase and of 1 - H at T, computed once for each different (x, t)."""
    n = x.size
    counts, times = np.tile(x, 2), np.concatenate([t_x, T])
    if max(map(np.ndim, (r, alpha, s, beta))) > 0:
        r, alpha, s, beta = (np.tile(np.broadcast_to(value, n), 2) for value in (r, alpha, s, beta))
        h = leaves_first(r + counts, s, (beta + times) / (alpha + times))[0]
    else:
        codes, first = group_equal(counts, times)
        times = times[first]
        h = leaves_first(r + counts[first], s, (beta + times) / (alpha + times))[0][codes]
    return np.log(h[:n]), np.log(np.maximum(1 - h[n:], TINY))


def _log_survival(
    r: Parameter, alpha: Parameter, s: Parameter, beta: Parameter, x: FloatArray, t: FloatArray
) -> FloatArray:
    """Return log S(t)."""
    return np.asarray(-(r + x) * np.log1p(t / alpha) - s * np.log1p(t / beta))


def _terms(
    r: Parameter, alpha: Parameter, s: Parameter, beta: Parameter, x: FloatArray, t: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return log S(t) H, log S(t) (1 - H), and the derivatives of both in r, alpha, s and beta, shape (4, n)."""
    h, by_c, by_s, by_log = leaves_first(r + x, s, (beta + t) / (alpha + t))
    rest = np.maximum(1 - h, TINY)
    survival = _log_survival(r, alpha, s, beta, x, t)
    d_survival = np.array(
        [-np.log1p(t / alpha), (r + x) * t / (alpha * (alpha + t)), -np.log1p(t / beta), s * t / (beta * (beta + t))]
    )
    d_h = np.array([by_c, -by_log / (alpha + t), by_s, by_log / (beta + t)])
    return np.log(h) + survival, np.log(rest) + survival, d_h / h + d_survival, -d_h / rest + d_survival
