r"""The mathematics of BG/CNBD-k and MBG/CNBD-k, as pure functions with the symbols of the papers.

T. Reutterer, M. Platzer & N. Schröder (2021), Leveraging purchase regularity for predicting customer behavior the easy
way, International Journal of Research in Marketing 38 (1), 194-215; timing regularity was brought in by M. Platzer &
T. Reutterer (2016), Ticking Away the Moments, Marketing Science 35 (5), 779-799. Equation numbers are those of BG/NBD,
as in `loyalty.models.beta_geometric`, and what a formula becomes for k = 1.

A purchase takes k phases, each as long as a gap of a Poisson process of rate :math:`\lambda \sim \Gamma(r, \alpha)`, so
that gaps are Erlang-k; k = 1 is BG/NBD. Dropout is as in BG/NBD, with ``first`` = 0 for BG and 1 for MBG. Write
c = r + kx. An active customer has gone through j < k phases since the last purchase, with weight

.. math:: w_j = \frac{\Gamma(c+j)}{\Gamma(c)\,j!} u^j, \qquad u = \frac{T-t_x}{\alpha+T}, \qquad S = \sum_{j<k} w_j ,

and given that phase the rate is :math:`\Gamma(c+j, \alpha+T)`. The papers approximate what an active customer does
next; here it is summed over the phases, exactly.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, expit, gammaln

from .beta_geometric import log_rising
from .fitting import BLOCK, Objective
from .grouping import levels
from .phase_counts import mean_purchases
from .validation import FloatArray, Histories

LARGEST_K = 24
"""Largest k that is supported: gaps whose spread is a fifth of their mean. Sums of more phases could overflow."""


def phase_sum(c: FloatArray, u: FloatArray, k: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    r"""Return S, :math:`\partial \log S / \partial c` and the mean phase :math:`\sum j w_j / S`; shape (n,) each.

    Examples
    --------
    >>> phase_sum(np.array([2.0]), np.array([0.5]), 2)  # 1 + 2 * 0.5
    (array([2.]), array([0.25]), array([0.5]))
    """
    weight, S = np.ones(c.shape), np.ones(c.shape)
    rise, slope, phases = np.zeros(c.shape), np.zeros(c.shape), np.zeros(c.shape)
    for j in range(1, k):
        factor = c + (j - 1)
        rise += 1 / factor
        weight *= factor * u / j
        S += weight
        slope += weight * rise
        phases += j * weight
    return S, slope / S, phases / S


def log_odds_of_having_left(
    r: float, alpha: float, a: float, b: float, x: FloatArray, t_x: FloatArray, T: FloatArray, k: int, first: int
) -> FloatArray:
    r"""Log of the odds of having left at the last purchase, against being active.

    .. math:: \log\frac{a}{b+s-1} + c\log\frac{\alpha+T}{\alpha+t_x} - \log S, \qquad s = x + first

    for s > 0, and minus infinity for s = 0.
    """
    chances, c = x + first, r + k * x
    S, _, _ = phase_sum(c, (T - t_x) / (alpha + T), k)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(a / (b + chances - 1)) + c * np.log1p((T - t_x) / (alpha + t_x)) - np.log(S)
    return np.where(chances > 0, odds, -np.inf)


def log_likelihood(
    r: float, alpha: float, a: float, b: float, x: FloatArray, t_x: FloatArray, T: FloatArray, k: int, first: int
) -> FloatArray:
    r"""Log-likelihood of each history, less the terms of `log_gap_terms`, which hold no parameter but k.

    .. math:: \log\frac{B(a, b+s)}{B(a, b)} + \log\frac{\Gamma(c)\,\alpha^r}{\Gamma(r)}
              + \log\left[S\,(\alpha+T)^{-c} + \delta_{s>0}\frac{a}{b+s-1}(\alpha+t_x)^{-c}\right]

    For k = 1 it is equation 6, or that of MBG/NBD.

    Parameters
    ----------
    r, alpha, a, b : float
        Parameters, positive.
    x, t_x, T : ndarray of shape (n,)
        Repeat purchases, recency and age, in the unit of ``alpha``.
    k : int
        Phases of a purchase, 1 to `LARGEST_K`.
    first : {0, 1}
        Chances to leave before a repeat purchase: 0 for BG, 1 for MBG.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> log_likelihood(.25, 4, .8, 2.5, np.array([200.0]), np.array([38.0]), np.array([40.0]), 1, 0).round(4)
    array([100.7957])
    """
    c, chances = r + k * x, x + first
    S, _, _ = phase_sum(c, (T - t_x) / (alpha + T), k)
    active = np.log(S) - k * x * np.log(alpha) - c * np.log1p(T / alpha)
    counts = log_rising(r, k * x)[0] + log_rising(b, chances)[0] - log_rising(a + b, chances)[0]
    left = log_odds_of_having_left(r, alpha, a, b, x, t_x, T, k, first)
    return np.asarray(counts + active + np.logaddexp(0, left))


def log_gap_terms(k: int, h: Histories, log_gaps: float | None) -> float:
    r"""What the lengths of the gaps add to the log-likelihood: a constant for a given k, 0 for k = 1.

    With the logarithms of all gaps, :math:`(k-1) \sum \log \mathrm{gap} - \log\Gamma(k) \sum x`. Without them the gaps
    are integrated out given their sum t_x, which leaves
    :math:`\sum_{x>0} (k-1) x \log t_x + \log\Gamma(x) - \log\Gamma(kx)`. Both make the likelihood comparable with that
    of BG/NBD: of the times of all purchases with the gaps, and of what a history holds without.

    Parameters
    ----------
    k : int
        Phases of a purchase.
    h : Histories
        Weighted; times in the unit of the likelihood.
    log_gaps : float or None
        Weighted sum over customers of the logarithms of their gaps, in that unit.
    """
    if log_gaps is not None:
        return float((k - 1) * log_gaps - gammaln(k) * (h.weight @ h.x))
    some = h.x > 0
    x, t_x = h.x[some], h.t_x[some]
    return float(h.weight[some] @ ((k - 1) * x * np.log(t_x) + gammaln(x) - gammaln(k * x)))


def weighted_log_likelihood(h: Histories, k: int, first: int, constant: float = 0.0) -> Objective:
    """Sum of `log_likelihood` over weighted histories, with its gradient, as a function of (r, alpha, a, b).

    Parameters
    ----------
    h : Histories
        Best grouped; times in the unit of ``alpha``.
    k, first : int
        As in `log_likelihood`.
    constant : float
        Added to the value, as from `log_gap_terms`.

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
    phases_T = np.bincount(at_T, weights=h.weight * k * h.x, minlength=times.size)
    phases, chances = k * x, x + first
    earlier = np.maximum(chances - 1, 0)

    def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = parameters.tolist()
        (rise_r, d_r), (rise_b, d_b), (rise_ab, d_ab) = (
            log_rising(c, n) for c, n in ((r, phases), (b, chances), (a + b, chances))
        )
        log_time, inverse = np.log1p(times / alpha), 1 / (alpha + times)
        log_odds_x = np.log(a / (b + earlier), out=np.full(x.size, -np.inf), where=chances > 0)
        shape_T = r * weight_T + phases_T
        value = constant + weight_x @ (rise_r + rise_b - rise_ab) - weight_x @ phases * np.log(alpha)
        value -= shape_T @ log_time
        by_r, by_alpha, left_x = 0.0, 0.0, np.zeros(x.size)
        for start in range(0, h.x.size, BLOCK):
            rows = slice(start, start + BLOCK)
            i, weight, c = at_x[rows], h.weight[rows], r + k * h.x[rows]
            from_, to = at_t_x[rows], at_T[rows]
            gap = log_time[to] - log_time[from_]
            S, slope, phase = phase_sum(c, (h.T[rows] - h.t_x[rows]) * inverse[to], k)
            log_S = np.log(S)
            odds = c * gap + log_odds_x[i] - log_S
            shrunk = np.exp(-np.abs(odds))
            value += weight @ (np.maximum(odds, 0) + np.log(1 + shrunk) + log_S)
            left = weight * np.where(odds > 0, 1, shrunk) / (1 + shrunk)
            active = weight - left
            by_r += left @ gap + active @ slope
            by_alpha += (left * c) @ (inverse[from_] - inverse[to]) + (active * phase) @ inverse[to]
            left_x += np.bincount(i, weights=left, minlength=x.size)
        gradient = np.array(
            [
                weight_x @ d_r - weight_T @ log_time + by_r,
                (shape_T @ (times * inverse) - weight_x @ phases) / alpha - by_alpha,
                left_x.sum() / a - weight_x @ d_ab,
                weight_x @ (d_b - d_ab) - left_x @ np.where(chances > 0, 1 / (b + earlier), 0),
            ]
        )
        return float(value), gradient

    return objective


def probability_alive(
    r: float, alpha: float, a: float, b: float, x: FloatArray, t_x: FloatArray, T: FloatArray, k: int, first: int
) -> FloatArray:
    """P(active at T | x, t_x, T) as in equation 10; 1 where nobody could leave yet. Arguments: see `log_likelihood`."""
    return np.asarray(expit(-log_odds_of_having_left(r, alpha, a, b, x, t_x, T, k, first)))


def expected_purchases_while_alive(
    r: float, alpha: float, a: float, b: float, h: Histories, t: float | FloatArray, k: int
) -> FloatArray:
    r"""Return expected purchases in (T, T + t] of a customer who is active at T and has not bought since t_x.

    Equation 10 without its denominator: from phase j the number N of phases is negative binomial with shape c + j, and

    .. math:: E[X] = \frac{1}{S} \sum_{j<k} w_j \sum_{m \ge 1} P(N \ge mk - j)\, \frac{B(a, b+x+m-1)}{B(a, b+x)} .

    Parameters
    ----------
    r, alpha, a, b : float
        Parameters, positive; for MBG give b + 1 as b.
    h : Histories of n rows
        Times in the unit of ``alpha``. x = 0 and T = 0 give a new customer.
    t : float or ndarray of shape (n,)
        Length of the period, at least 0.
    k : int
        Phases of a purchase.

    Returns
    -------
    ndarray of shape (n,)
        Finite, at least 0, exact to 1e-12 of itself.

    Examples
    --------
    >>> new = Histories(*np.zeros((3, 1)), weight=np.ones(1))
    >>> expected_purchases_while_alive(.24, 4.4, .79, 2.4, new, 52, 1).round(2)
    array([1.43])
    """
    age = alpha + h.T
    return np.asarray(mean_purchases(k, a, b + h.x, r + k * h.x, (h.T - h.t_x) / age, t / age))


def purchase_distribution_while_alive(
    r: float, alpha: float, a: float, b: float, h: Histories, t: float, n: int, k: int
) -> FloatArray:
    r"""P(X(T, T + t) = 0, …, n), as in equation 8, of a customer active at T who has not bought since t_x.

    Purchases are the smaller of the count Z that k phases a purchase make and the number G that dropout allows:

    .. math:: P(X = i) = P(Z = i) P(G > i) + P(Z \ge i) P(G = i), \qquad P(G > i) = B(a, b+x+i) / B(a, b+x) .

    Parameters
    ----------
    r, alpha, a, b, h, t, k
        As in `expected_purchases_while_alive`; ``t`` a number.
    n : int
        Largest count.

    Returns
    -------
    ndarray of shape (rows, n + 1)
    """
    age, c = alpha + h.T, r + k * h.x
    share = phase_shares(c, (h.T - h.t_x) / age, k)
    stays = np.ones(h.x.size)
    result = np.empty((h.x.size, n + 1))
    for i in range(n + 1):
        leaves = stays * a / (a + b + h.x + i - 1) if i > 0 else np.zeros(h.x.size)
        stays = stays - leaves
        result[:, i] = _count_probability(c, t / age, share, i) * stays + _count_tail(c, t / age, share, i) * leaves
    return result


def phase_shares(c: FloatArray, u: FloatArray, k: int) -> FloatArray:
    """Probability of each phase, w_j / S; shape (n, k)."""
    weight = np.ones((c.size, k))
    for j in range(1, k):
        weight[:, j] = weight[:, j - 1] * (c + (j - 1)) * u / j
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _count_probability(c: FloatArray, odds: FloatArray, share: FloatArray, i: int) -> FloatArray:
    """P(Z = i): the sum of the k counts of phases that make i purchases, over the phases to begin with."""
    k, total = share.shape[1], np.zeros(c.size)
    log_nothing, log_something = -np.log1p(odds), -np.log1p(1 / odds)
    for j in range(k):
        if i == 0:
            total += share[:, j] * betainc(c + j, k - j, 1 / (1 + odds))
            continue
        shape = c + j
        for count in range(i * k - j, i * k - j + k):
            log_choices = gammaln(shape + count) - gammaln(shape) - gammaln(count + 1.0)
            total += share[:, j] * np.exp(log_choices + shape * log_nothing + count * log_something)
    return total


def _count_tail(c: FloatArray, odds: FloatArray, share: FloatArray, i: int) -> FloatArray:
    """P(Z >= i)."""
    k = share.shape[1]
    if i == 0:
        return np.ones(c.size)
    tails = (share[:, j] * betainc(i * k - j, c + j, odds / (1 + odds)) for j in range(k))
    return np.asarray(sum(tails))
