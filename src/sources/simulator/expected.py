r"""How many purchases a customer is expected to make, given what nobody sees: exactly, and without a loop.

With Erlang-k gaps every k-th event, or phase, of a Poisson process of rate :math:`k\lambda` is a purchase. Which phases
are is told by the k-th roots of unity :math:`\omega^l`: :math:`1\{n \equiv r\} = \frac1k \sum_l \omega^{l(n-r)}`.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, softmax, xlogy

from .randomness import FloatArray, IntArray

Phases = NDArray[np.float64]


def expected_purchases(
    rate: FloatArray,
    k: IntArray,
    leaving: FloatArray,
    dropout: str,
    length: FloatArray,
    since: FloatArray | float = 0.0,
) -> FloatArray:
    """Expected purchases of active customers in the next `length`.

    Parameters
    ----------
    rate, k, leaving : see `customers.Customers`, shape (n,).
    dropout : see `settings.Simulation`.
    length : operational days ahead, shape (n,).
    since : operational days since the last purchase, shape (n,).

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> one = np.ones(1)
    >>> expected_purchases(one, np.ones(1, int), 0 * one, "none", 30 * one)
    array([30.])
    """
    result = np.zeros(rate.size)
    since = np.broadcast_to(np.asarray(since, dtype=np.float64), rate.shape)
    for each in np.unique(k):
        of = k == each
        phase = _phase(int(each), rate[of] * since[of])
        if dropout == "geometric":
            result[of] = _geometric(int(each), rate[of], leaving[of], length[of], phase)
        else:
            result[of] = _exponential(int(each), rate[of], leaving[of], length[of], phase)
    return result


def _phase(k: int, waited: FloatArray) -> Phases:
    """Distribution of the phases passed since the last purchase, given that there were fewer than k; shape (n, k)."""
    j = np.arange(k)
    logarithm = xlogy(j, k * waited[:, None]) - gammaln(j + 1)
    return np.asarray(softmax(logarithm, axis=1))


def _geometric(k: int, rate: FloatArray, p: FloatArray, length: FloatArray, phase: Phases) -> FloatArray:
    r"""Purchases up to the one that is the last: :math:`(1 - E[(1-p)^N]) / p` for N purchases if nobody left."""
    p = np.clip(p, 1e-9, 1 - 1e-6)
    z = ((1 - p) ** (1 / k))[:, None] * np.exp(2j * np.pi * np.arange(k) / k)  # (n, l)
    powers = z[:, :, None] ** np.arange(k)  # (n, l, j)
    passed = (phase[:, None, :] * powers).sum(axis=2)
    survives = (passed * np.exp((k * rate * length)[:, None] * (z - 1)) * (1 / powers).sum(axis=2)).sum(axis=1).real / k
    return np.asarray((1 - survives) / p)


def _exponential(k: int, rate: FloatArray, mu: FloatArray, length: FloatArray, phase: Phases) -> FloatArray:
    """Integral of the renewal density times the probability of still being active."""
    root = np.exp(2j * np.pi * np.arange(k) / k)
    passed = phase @ (root[None, :] ** np.arange(k)[:, None])  # (n, l)
    decay = mu[:, None] + k * rate[:, None] * (1 - root)
    still = np.abs(decay) < 1e-12
    span = np.where(still, length[:, None], -np.expm1(-decay * length[:, None]) / np.where(still, 1, decay))
    return np.asarray(rate * (root * passed * span).sum(axis=1).real)
