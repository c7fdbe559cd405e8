r"""How often an active customer buys when a purchase takes k phases: a sum over the number of phases, compiled.

A customer in phase j goes through N more phases in the period, N negative binomial, and makes
:math:`\lfloor (j + N) / k \rfloor` purchases unless the last allowed one, G, comes before. The mean of that is a
sum over N of positive terms. How many terms count differs from customer to customer, and each follows from the one
before: a loop, not a vector. Compiled it takes .1 s for 100,000 histories and 90 days, an eighth of the same sum
through incomplete beta functions in NumPy; 52 weekly steps of a discounted year take some 7 s.
"""

from __future__ import annotations

import numpy as np

from .compiled import compiled
from .validation import FloatArray

NEGLIGIBLE = 1e-13
"""What a sum leaves out at its upper end is at most this part of it; at its lower end, a part of 1e-16."""

MOST_ODDS = 1e5
"""Largest t / (alpha + T) told apart, so that the number of terms is bounded: no retailer comes near it."""


@compiled
def _lower_end(shape: float, odds: float) -> tuple[int, float]:
    """Return the first count worth summing, and its probability relative to the mode's.

    Below the mode probabilities rise, so that all counts under n together weigh at most n times that of n.
    """
    n, p, z = int(max((shape - 1) * odds, 0.0)), 1.0, odds / (1 + odds)
    while n > 0 and p * n > 1e-16:
        p *= n / ((shape + n - 1) * z)
        n -= 1
    return n, p


@compiled
def _mean_from_phase(k: int, j: int, a: float, b: float, shape: float, odds: float) -> float:
    r"""Return E min(floor((j + N) / k), G), N negative binomial, :math:`P(G \ge m) = B(a, b+m-1) / B(a, b)`.

    With A(m) = E min(m, G), which grows by at most 1 from m to m + 1, and ratios of successive probabilities bounded by
    ``top``, all that comes from n on adds at most p_n ((A + 1) / (1 - top) + top / (k (1 - top)^2)).
    """
    n, p = _lower_end(shape, odds)
    z, phase, mass, mean = odds / (1 + odds), (j + n) % k, 0.0, 0.0
    capped, survives = 0.0, 1.0
    for m in range((j + n) // k):
        capped += survives
        survives *= (b + m) / (a + b + m)
    m = (j + n) // k
    while True:
        mass += p
        mean += p * capped
        ratio = (shape + n) * z / (n + 1)
        p *= ratio
        n += 1
        phase += 1
        if phase < k:
            continue
        phase = 0
        capped += survives
        survives *= (b + m) / (a + b + m)
        m += 1
        top = max(ratio, z)
        if top >= 1:
            continue
        rest = p * ((capped + 1) / (1 - top) + top / (k * (1 - top) ** 2))
        if rest > NEGLIGIBLE * mean or p > NEGLIGIBLE * (1 - top) * mass:
            continue
        return mean / mass


@compiled
def mean_purchases(k: int, a: float, b: FloatArray, c: FloatArray, u: FloatArray, odds: FloatArray) -> FloatArray:
    r"""Return the expected purchases of each active customer, averaged over the phase that the customer is in.

    Parameters
    ----------
    k : int
        Phases of a purchase.
    a : float
        First parameter of the beta distribution of dropout.
    b : ndarray of shape (n,)
        Second parameter, chances survived included.
    c : ndarray of shape (n,)
        Shape of the distribution of rates at the last purchase.
    u : ndarray of shape (n,)
        :math:`(T - t_x) / (\alpha + T)`: the phase is j with weight :math:`\Gamma(c+j) u^j / (\Gamma(c) j!)`, j < k.
    odds : ndarray of shape (n,)
        :math:`t / (\alpha + T)`: the negative binomial has ratio odds / (1 + odds).

    Returns
    -------
    ndarray of shape (n,)
        Exact but for a part of at most 2e-13, and rounding.
    """
    result = np.empty(len(c))
    for i in range(len(c)):
        weight, total, mean = 1.0, 0.0, 0.0
        for j in range(k):
            if j > 0:
                weight *= (c[i] + j - 1) * u[i] / j
            if weight == 0:
                break
            total += weight
            mean += weight * _mean_from_phase(k, j, a, b[i], c[i] + j, min(odds[i], MOST_ODDS))
        result[i] = mean / total
    return result
