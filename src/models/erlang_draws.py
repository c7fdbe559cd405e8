"""Random customers of BG/CNBD-k and MBG/CNBD-k: what active ones do next, and whole histories with their truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .beta_geometric import geometric_allowance
from .beta_geometric_k import phase_sum
from .likelihood import Seed
from .negative_binomial import draw_events
from .validation import FloatArray, Histories, IntArray


def draw_phase(r: float, alpha: float, h: Histories, k: int, rng: np.random.Generator) -> IntArray:
    """Draw the phase j that each active customer is in, with probability w_j / S; shape (n,)."""
    c, u = r + k * h.x, (h.T - h.t_x) / (alpha + h.T)
    aim = rng.random(h.x.size) * phase_sum(c, u, k)[0]
    weight, reached, phase = np.ones(h.x.size), np.ones(h.x.size), np.zeros(h.x.size, dtype=np.int64)
    for j in range(1, k):
        phase += aim > reached
        weight *= (c + (j - 1)) * u / j
        reached += weight
    return phase


def draw_purchases_while_alive(
    r: float, alpha: float, a: float, b: float, h: Histories, ends: FloatArray, k: int, rng: np.random.Generator
) -> IntArray:
    """Draw phase, rate, dropout, and purchases in (T, T + end] for each end; shape (ends, n).

    Other arguments as in `expected_purchases_while_alive`.
    """
    phase = draw_phase(r, alpha, h, k, rng)
    rate = rng.gamma(r + k * h.x + phase) / (alpha + h.T)
    passed = draw_events(rate, ends, rng)
    return np.asarray(np.minimum((phase + passed) // k, geometric_allowance(rng.beta(a, b + h.x), rng)))


def simulate_histories(
    r: float,
    alpha: float,
    a: float,
    b: float,
    T: ArrayLike,
    *,
    k: int,
    seed: Seed = None,
    horizon: float = 0.0,
    first: int = 0,
) -> pd.DataFrame:
    """Simulate customers whose truth is known.

    Exact and without a loop: of N Poisson events on [0, T] every k-th is a purchase, of which a customer lives to see
    the first G ~ Geometric(p), less ``first``. The N + 1 gaps between the events have the proportions of exponential
    variables, so those between purchases have the proportions of gamma variables with shape k.

    Parameters
    ----------
    r, alpha, a, b : float
        Parameters, positive.
    T : array_like of shape (n,)
        Ages, in the unit of ``alpha``.
    k : int
        Phases of a purchase.
    seed : int, SeedSequence, Generator or None
        Equal seeds give equal customers.
    horizon : float, default 0
        Length of the period after T in which ``future`` is counted.
    first : {0, 1}
        As in `log_likelihood`.

    Returns
    -------
    DataFrame of n rows
        ``frequency``, ``recency``, ``T``, ``log_gaps`` (sum of the logarithms of the gaps between purchases), and the
        truth: ``rate`` (of phases), ``dropout``, ``alive`` (bool), ``future``.

    Examples
    --------
    >>> people = simulate_histories(2, 20, 1, 3, [300.0] * 1000, k=3, seed=1)
    >>> bool((people["log_gaps"] <= people["frequency"] * np.log(people["recency"].clip(lower=1))).all())
    True
    """
    rng = np.random.default_rng(seed)
    age = np.asarray(T, dtype=np.float64)
    rate, dropout = rng.gamma(r, 1 / alpha, age.size), rng.beta(a, b, age.size)
    events, allowed = rng.poisson(rate * age), geometric_allowance(dropout, rng) - first
    x, alive = np.minimum(events // k, allowed), events // k < allowed
    customer = np.repeat(np.arange(age.size), x)
    gaps = rng.gamma(k, size=customer.size)
    bought = np.bincount(customer, weights=gaps, minlength=age.size)
    unit = age / (bought + rng.gamma(events - k * x + 1.0))
    future = (events % k + rng.poisson(rate * horizon)) // k
    return pd.DataFrame(
        {
            "frequency": x,
            "recency": bought * unit,
            "T": age,
            "log_gaps": np.bincount(customer, weights=np.log(gaps * unit[customer]), minlength=age.size),
            "rate": rate,
            "dropout": dropout,
            "alive": alive,
            "future": np.where(alive, np.minimum(future, allowed - x), 0),
        }
    )
