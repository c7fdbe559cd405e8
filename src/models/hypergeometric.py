"""Expected purchases of an active BG/NBD customer: the 2F1 of the paper, made safe everywhere."""

from __future__ import annotations

import numpy as np
from scipy.special import betainccinv, betaincinv, hyp2f1

from .grouping import FloatArray, Parameter, group_equal

SAFE_SHAPE = 50.0
"""Above this, terms of the closed form overflow or cancel, although their combination is moderate."""

SMALLEST_THIRD = 1e-6
"""Third argument of the 2F1, down to which the closed form keeps its digits: its value grows like 1 / third."""


def expected_purchases_while_alive(
    r: Parameter, alpha: Parameter, a: Parameter, b: Parameter, x: FloatArray, T: FloatArray, t: Parameter
) -> FloatArray:
    r"""Return expected purchases in (T, T + t] of a customer who is active at T.

    Equation 10 of Fader, Hardie & Lee (2005) without its denominator. After Euler's transformation,
    with :math:`z = t / (\alpha + T + t)`,

    .. math:: \frac{a+b+x-1}{a-1}\left[1 - (1-z)^{a-1}\,
              {}_2F_1(a+b-1-r,\; a-1;\; a+b+x-1;\; z)\right].

    This is 0/0 at a = 1 and, for x = 0, at a + b = 1; there, and for large parameters, the integral that
    it stands for is used (`posterior_mean_purchases`). Where a and b + x are both under 1, the closed form can
    cancel and the integral has a step; there the dropout density is split into two that have neither fault,

    .. math:: E_{a,b} = \frac{a}{a+b} E_{a+1,b} + \frac{b}{a+b} E_{a,b+1}.

    x = 0 and T = 0 give a new customer (equation 9).

    Parameters
    ----------
    r, alpha, a, b : float or ndarray of shape (n,)
        Parameters, positive; an array has one value a row.
    x, T : ndarray of shape (n,)
        Repeat purchases and time since the first purchase.
    t : float or ndarray of shape (n,)
        Length of the period, in the unit of ``alpha`` and ``T``; at least 0.

    Returns
    -------
    ndarray of shape (n,)
        Finite and not negative.

    Examples
    --------
    >>> expected_purchases_while_alive(.24, 4.4, .79, 2.4, np.zeros(1), np.zeros(1), 52).round(2)
    array([1.43])
    """
    t = np.broadcast_to(np.asarray(t, dtype=np.float64), x.shape)
    third = a + b + x - 1
    largest = np.maximum(np.maximum(r, a), b)
    use_closed = (np.abs(a - 1) > 1e-4) & (third > SMALLEST_THIRD) & (largest < SAFE_SHAPE) & (t > 0)
    z = t / (alpha + T + t)
    with np.errstate(all="ignore"):
        series = hyp2f1(a + b - 1 - r, a - 1, third, z)
        result = third / (a - 1) * -np.expm1((a - 1) * np.log1p(-z) + np.log(series))
    most = (r + x) * t / (alpha + T)
    doubtful = ~(use_closed & (result >= 0) & (result <= most * (1 + 1e-9)))
    if doubtful.any():
        rows = np.flatnonzero(doubtful)
        own = [np.broadcast_to(each, x.shape)[rows] for each in (r, alpha, a, b, x, T, t)]
        result[rows] = _without_closed_form(*own)
    return result


def _without_closed_form(
    r: FloatArray, alpha: FloatArray, a: FloatArray, b: FloatArray, x: FloatArray, T: FloatArray, t: FloatArray
) -> FloatArray:
    """Take the integral, after a split of the dropout density where it has a peak at either end."""
    split = (a < 1) & (b + x < 1)
    above = posterior_mean_purchases(r, alpha, a + split, b, x, T, t)
    if split.any():
        r, alpha, a, b, x, T, t = (each[split] for each in (r, alpha, a, b, x, T, t))
        below = expected_purchases_while_alive(r, alpha, a, b + 1, x, T, t)
        above[split] = (a * above[split] + b * below) / (a + b)
    return above


def posterior_mean_purchases(
    r: Parameter, alpha: Parameter, a: Parameter, b: Parameter, x: FloatArray, T: FloatArray, t: Parameter
) -> FloatArray:
    r"""Return the same expectation as an average over the posterior of the dropout probability.

    Given p and the purchase rate, an active customer makes :math:`(1 - e^{-\lambda p t}) / p` purchases
    (equation 2 of the paper). With :math:`\lambda \sim \Gamma(r+x, \alpha+T)` this averages to

    .. math:: g(p) = \left[1 - (1 + p t / (\alpha+T))^{-(r+x)}\right] / p ,

    bounded and monotone, and its mean over :math:`p \sim \mathrm{Beta}(a, b+x)` is taken by
    double-exponential quadrature of the quantile function, which copes with any Beta density but one with a peak at
    either end: where a and b + x are both small, the quantile function is a step inside (0, 1).

    Parameters and result are those of `expected_purchases_while_alive`.
    """
    a, shape = (np.broadcast_to(np.asarray(each, dtype=np.float64), x.shape) for each in (a, b + x))
    codes, first = group_equal(a, shape)
    a, shape, scaled = a[first], shape[first], t / (alpha + T)
    total = np.zeros(x.size)
    for lower, upper, weight in zip(*_double_exponential(), strict=True):
        p = betaincinv(a, shape, lower) if lower < 0.5 else betainccinv(a, shape, upper)
        # The inverse fails (NaN) at a few far nodes for shapes just above 1; each weighs less than 1e-15.
        p = np.where(np.isnan(p), 0.0 if lower < 0.5 else 1.0, p)
        at = np.maximum(p, np.finfo(float).tiny)[codes]
        total += weight * -np.expm1(-(r + x) * np.log1p(at * scaled)) / at
    return total


def _double_exponential() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Nodes of (0, 1) from both ends, and their weights (tanh-sinh rule)."""
    u = np.linspace(-3.6, 3.6, 181)
    exponent = np.pi * np.sinh(u)
    lower, upper = 1 / (1 + np.exp(-exponent)), 1 / (1 + np.exp(exponent))
    weights = np.pi * np.cosh(u) * lower * upper
    return lower, upper, weights / weights.sum()
