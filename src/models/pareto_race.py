r"""Which comes first, the next purchase or leaving: the one special function that the Pareto/NBD model needs.

An active customer's rates of purchase and of leaving are :math:`\Gamma(c, \alpha')` and :math:`\Gamma(s, \beta')`.
With :math:`\rho = \beta' / \alpha'` leaving comes before the next purchase with probability

.. math:: H(c, s, \rho) = s \int_0^\infty (1 + z)^{-s-1} (1 + \rho z)^{-c}\, dz
          = \frac{s}{s+c}\; {}_2F_1(1, c;\, s+c+1;\, 1-\rho) ,

the integral being over the time of leaving, z in units of :math:`\beta'`. It lies between s / (s + c) and
s / (s + c rho). Both routes used here add positive terms only, so that nothing overflows or cancels. How many
terms count differs from row to row: a loop, not a vector, hence compiled.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .compiled import compiled
from .validation import FloatArray

LARGEST_RATIO = 16.0
"""Between this and its inverse the continued fraction needs at most about 60 terms; beyond, an integral leads there."""

NOTHING_LEFT = 60.0
"""What is left of an integral after a factor of exp(-60) does not count."""

PANEL = 1.5
"""Width, in log time, of a piece of the integral."""

NODES, WEIGHTS = (np.polynomial.legendre.leggauss(12)[i] * PANEL / 2 for i in (0, 1))
"""Gauss-Legendre rule on a panel; with 12 nodes the integral is right to 1e-14."""


def leaves_first(c: ArrayLike, s: ArrayLike, ratio: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    r"""Probability that leaving comes before the next purchase, and its derivatives.

    Parameters
    ----------
    c, s : array_like
        Shapes of the rates of purchase and of leaving, positive, broadcast against each other and `ratio`.
    ratio : array_like
        :math:`\rho`, the scale of the rate of leaving over that of the rate of purchase.

    Returns
    -------
    value, by_c, by_s, by_log_ratio : ndarray
        H and its derivatives in c, s and :math:`\log\rho`; relative error under 1e-12.

    Examples
    --------
    >>> value, *_ = leaves_first(1.5, 0.5, [0.1, 1, 10])
    >>> value.round(4)  # in the middle s / (s + c)
    array([0.5772, 0.25  , 0.0577])
    """
    shape = np.broadcast_shapes(np.shape(c), np.shape(s), np.shape(ratio))
    # Copies, because a view that must not be written to would be compiled for anew.
    shapes, others, ratios = (np.array(np.broadcast_to(v, shape), dtype=np.float64).ravel() for v in (c, s, ratio))
    rows = np.empty((4, shapes.size))
    _leaves_first_rows(shapes, others, ratios, rows)
    value, by_c, by_s, by_log_ratio = rows.reshape(4, *shape)
    return value, by_c, by_s, by_log_ratio


@compiled
def _leaves_first_rows(c: FloatArray, s: FloatArray, ratio: FloatArray, rows: FloatArray) -> None:
    for i in range(c.size):
        rows[0, i], rows[1, i], rows[2, i], rows[3, i] = _leaves_first(c[i], s[i], ratio[i])


@compiled
def _leaves_first(c: float, s: float, ratio: float) -> tuple[float, float, float, float]:
    """Integrate until the ratio of the scales is moderate, and leave the rest to the continued fraction.

    Scales z on, the race starts again with a ratio nearer to 1: H is the integral to z, plus what lies beyond, which
    is the probability that neither came before z times H of the ratio there. The integral is over theta with
    z = (exp(theta) - 1) / fastest, which gives the fast beginning and the slow end their share of the nodes.
    """
    fastest = 1 + s + (1 + c) * ratio
    theta, z, log_stay, log_wait, here = 0.0, 0.0, 0.0, 0.0, ratio
    total, by_c, by_s, by_log = 0.0, 0.0, 0.0, 0.0
    while max(here, 1 / here) > LARGEST_RATIO and s * log_stay + c * log_wait < NOTHING_LEFT:
        for i in range(NODES.size):
            grown = math.exp(theta + PANEL / 2 + NODES[i])
            z = (grown - 1) / fastest
            log_stay, log_wait = math.log1p(z), math.log1p(ratio * z)
            term = WEIGHTS[i] * grown / fastest * math.exp(-(s + 1) * log_stay - c * log_wait)
            total += term
            by_c -= term * log_wait
            by_s -= term * log_stay
            by_log -= term * c * ratio * z / (1 + ratio * z)
        theta += PANEL
        z = math.expm1(theta) / fastest
        log_stay, log_wait = math.log1p(z), math.log1p(ratio * z)
        here = ratio * (1 + z) / (1 + ratio * z)
    if s * log_stay + c * log_wait >= NOTHING_LEFT:
        return s * total, s * by_c, total + s * by_s, s * by_log
    h, h_c, h_s, h_log = _leaves_first_soon(c, s, here)
    neither, share = math.exp(-s * log_stay - c * log_wait), 1 / (1 + ratio * z)
    return (
        s * total + neither * h,
        s * by_c + neither * (h_c - h * log_wait),
        total + s * by_s + neither * (h_s - h * log_stay),
        s * by_log + neither * share * (h_log - c * h * ratio * z),
    )


@compiled
def _leaves_first_soon(c: float, s: float, ratio: float) -> tuple[float, float, float, float]:
    """H by that form of the hypergeometric function whose argument is negative, where all terms are positive."""
    mean = s / (s + c)
    if ratio > 1:
        f, f_b, f_e, f_m = _gauss_fraction(c, s + 1, s + c, ratio - 1)
        by_c, by_s, by_log = mean * f_b, mean * f_e, mean * f_m * ratio
    else:
        f, f_b, f_e, f_m = _gauss_fraction(s + 1, c, s + c, (1 - ratio) / ratio)
        mean /= ratio
        by_c, by_s, by_log = mean * f_e, mean * f_b, -mean * (f + f_m / ratio)
    h = mean * f
    return h, by_c - h / (s + c), by_s + h * c / (s * (s + c)), by_log


@compiled
def _gauss_fraction(b: float, e: float, w: float, m: float) -> tuple[float, float, float, float]:
    r"""Gauss's continued fraction for :math:`{}_2F_1(1, b; b+e; -m)`, m >= 0; derivatives in b, e and m.

    1 / (1 + k_1 m / (1 + k_2 m / (1 + ...))), from its last term to its first. w is b + e - 1, given apart because
    the difference would lose the digits of small shapes.
    """
    t, by_b, by_e, by_m = 0.0, 0.0, 0.0, 0.0
    for n in range(_terms(b, e, w, m), 0, -1):
        k, k_b, k_e = _coefficient(n, b, e, w)
        inverse = 1 / (1 + t)
        t = k * m * inverse
        by_b = inverse * (k_b * m - t * by_b)
        by_e = inverse * (k_e * m - t * by_e)
        by_m = inverse * (k - t * by_m)
    f = 1 / (1 + t)
    return f, -f * f * by_b, -f * f * by_e, -f * f * by_m


@compiled
def _terms(b: float, e: float, w: float, m: float) -> int:
    """Count the terms until convergents agree: the value lies between any two in succession."""
    n, inverse, gap = 0, 1.0, 1.0
    smallest = 1 / (1 + b / (w + 1) * m)
    # Six at least: near m = 0 the derivatives settle later than the value.
    while n < 6 or gap > 1e-17 * smallest:
        n += 1
        a = _coefficient(n, b, e, w)[0] * m
        gap *= a * inverse
        inverse = 1 / (1 + a * inverse)
        gap *= inverse
    return n


@compiled
def _coefficient(n: int, b: float, e: float, w: float) -> tuple[float, float, float]:
    """Return k_n of the fraction and its derivatives in b and e."""
    j, inverse = n // 2, 1 / ((w + (n - 1)) * (w + n))
    slope = (2 * w + (2 * n - 1)) * inverse
    if n % 2:
        k = (b + j) * (w + j) * inverse
        common = (b + j) * inverse - k * slope
        return k, common + (w + j) * inverse, common
    k = j * (e + (j - 1)) * inverse
    return k, -k * slope, j * inverse - k * slope
