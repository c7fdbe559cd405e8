r"""The mathematics of the NBD model, as pure functions.

Every customer buys at a Poisson rate :math:`\lambda \sim \Gamma(r, \alpha)` for ever: A. S. C. Ehrenberg (1959), The
Pattern of Consumer Purchases, Applied Statistics 8 (1), 26-41. Rates given a history are
:math:`\Gamma(r + x, \alpha + T)`. It is the Pareto/NBD model of D. C. Schmittlein, D. G. Morrison & R. Colombo (1987),
Counting Your Customers: Who Are They and What Will They Do Next?, Management Science 33 (1), 1-24, without dropout.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import gammaln

from .beta_geometric import log_rising
from .fitting import Objective
from .grouping import Parameter, levels
from .likelihood import Seed
from .validation import FloatArray, Histories, IntArray

MOST_EVENTS = 1e15
"""Largest Poisson mean drawn from: beyond it NumPy refuses, and counts are no longer exact floats."""


def log_likelihood(r: float, alpha: float, x: FloatArray, T: FloatArray) -> FloatArray:
    r"""Log-likelihood of the times of x purchases in (0, T].

    .. math:: \log\frac{\Gamma(r+x)\,\alpha^r}{\Gamma(r)\,(\alpha+T)^{r+x}}

    It is of the times, as in BG/NBD, so that the two can be compared. The likelihood of the count alone adds
    :math:`\log(T^x / x!)`, which holds no parameter.

    Parameters
    ----------
    r, alpha : float
        Parameters, positive.
    x, T : ndarray of shape (n,)
        Repeat purchases and age, in the unit of ``alpha``.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> log_likelihood(1.0, 10.0, np.array([0.0]), np.array([10.0])).round(4)  # log 1/2
    array([-0.6931])
    """
    return np.asarray(log_rising(r, x)[0] - x * np.log(alpha) - (r + x) * np.log1p(T / alpha))


def weighted_log_likelihood(h: Histories) -> Objective:
    """Sum of `log_likelihood` over weighted histories, with its gradient, as a function of (r, alpha).

    Gamma terms are computed on the different x, logarithms on the different T.

    Parameters
    ----------
    h : Histories
        Best grouped; times in the unit of ``alpha``.

    Returns
    -------
    callable
        Parameters of shape (2,) -> (value, gradient of shape (2,)).
    """
    x, at_x = levels(h.x)
    T, at_T = levels(h.T)
    weight_x, weight_T = np.bincount(at_x, weights=h.weight), np.bincount(at_T, weights=h.weight)
    repeats_T = np.bincount(at_T, weights=h.weight * h.x)
    repeats = float(repeats_T.sum())

    def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
        r, alpha = parameters.tolist()
        rise, d_rise = log_rising(r, x)
        log_time, shape = np.log1p(T / alpha), r * weight_T + repeats_T
        value = weight_x @ rise - repeats * np.log(alpha) - shape @ log_time
        d_alpha = shape @ (T / (alpha * (alpha + T))) - repeats / alpha
        return float(value), np.array([weight_x @ d_rise - weight_T @ log_time, d_alpha])

    return objective


def purchase_distribution(r: float, alpha: float, x: FloatArray, T: FloatArray, t: float, n: int) -> FloatArray:
    r"""P(X(T, T + t) = 0, …, n): negative binomial with shape r + x and :math:`z = t/(\alpha+T+t)`.

    Parameters
    ----------
    r, alpha : float
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
    j, shape = np.arange(n + 1.0), (r + x)[:, None]
    nothing, something = -np.log1p(t / (alpha + T))[:, None], -np.log1p((alpha + T) / t)[:, None]
    log_choices = gammaln(shape + j) - gammaln(shape) - gammaln(j + 1)
    return np.asarray(np.exp(log_choices + shape * nothing + j * something))


def draw_purchases(
    r: Parameter, alpha: Parameter, x: FloatArray, T: FloatArray, ends: FloatArray, rng: np.random.Generator
) -> IntArray:
    """Draw a rate for each customer, then purchases in (T, T + end] for each end; shape (ends, n)."""
    return draw_events(rng.gamma(r + x) / (alpha + T), ends, rng)


def draw_events(rate: FloatArray, ends: FloatArray, rng: np.random.Generator) -> IntArray:
    """Draw Poisson events of n customers up to rising times; shape (ends, n)."""
    lengths = np.diff(ends, prepend=0.0)
    return np.cumsum([rng.poisson(np.minimum(rate * length, MOST_EVENTS)) for length in lengths], axis=0)


def simulate_histories(
    r: float, alpha: float, T: ArrayLike, *, seed: Seed = None, horizon: float = 0.0
) -> pd.DataFrame:
    """Simulate customers whose truth is known; the last of x uniform times on [0, T] is T * Beta(x, 1).

    Parameters
    ----------
    r, alpha : float
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
        ``frequency``, ``recency``, ``T``, and the truth: ``rate``, ``alive`` (always true), ``future``.

    Examples
    --------
    >>> simulate_histories(.5, 10, [30.0] * 10_000, seed=1)["frequency"].eq(0).mean().round(2)  # (10 / 40) ** .5
    np.float64(0.5)
    """
    rng = np.random.default_rng(seed)
    age = np.asarray(T, dtype=np.float64)
    rate = rng.gamma(r, 1 / alpha, age.size)
    x = rng.poisson(rate * age)
    recency = np.where(x > 0, age * rng.beta(np.maximum(x, 1), 1), 0.0)
    future = rng.poisson(rate * horizon)
    return pd.DataFrame({"frequency": x, "recency": recency, "T": age, "rate": rate, "alive": True, "future": future})
