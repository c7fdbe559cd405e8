"""Customers of the beta-geometric family, simulated; symbols are those of `loyalty.models.beta_geometric`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .grouping import Parameter
from .likelihood import Seed
from .validation import FloatArray, IntArray


def simulate_histories(
    r: Parameter,
    alpha: Parameter,
    a: Parameter,
    b: Parameter,
    T: ArrayLike,
    *,
    seed: Seed = None,
    horizon: float = 0.0,
    first: int = 0,
) -> pd.DataFrame:
    """Simulate customers whose truth is known.

    Exact and without a loop: of N Poisson events on [0, T] a customer lives to see the first
    G ~ Geometric(p), less ``first``, and the k-th of N uniform times is T * Beta(k, N - k + 1).

    Parameters
    ----------
    r, alpha, a, b : float or ndarray of shape (n,)
        Parameters, positive.
    T : array_like of shape (n,)
        Ages, in the unit of ``alpha``.
    seed : int, SeedSequence, Generator or None
        Equal seeds give equal customers.
    horizon : float, default 0
        Length of the period after T in which ``future`` is counted.
    first : {0, 1}
        As in `loyalty.models.beta_geometric.log_likelihood`.

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
    rate, dropout = rng.gamma(r, 1 / np.asarray(alpha), age.size), rng.beta(a, b, age.size)
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
