r"""The mathematics of BG/BB, as pure functions with the symbols of the paper.

Equation numbers are those of P. S. Fader, B. G. S. Hardie & J. Shang (2010), Customer-Base Analysis in a Discrete-Time
Noncontractual Setting, Marketing Science 29 (6), 1086-1108.

A customer leaves at the beginning of an opportunity with probability :math:`\theta \sim \mathrm{Beta}(\gamma, \delta)`,
and, still there, buys at it with probability :math:`p \sim \mathrm{Beta}(\alpha, \beta)`. Staying is what a contract
of sBG does (`loyalty.models.retention`), and shares its functions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .beta_geometric import geometric_allowance, log_rising
from .likelihood import Seed
from .retention import discounted_survival, log_survival
from .validation import FloatArray, Histories, IntArray


class Lattice:
    r"""The likelihood of many histories at once.

    .. math:: L = \frac{B(\alpha+x, \beta+n-x)}{B(\alpha, \beta)} S(n)
              + \sum_{t=t_x}^{n-1} \frac{B(\alpha+x, \beta+t-x)}{B(\alpha, \beta)} \left(S(t) - S(t+1)\right)

    with S(t) the probability to stay for t opportunities. A term depends on x and t alone, and falls with t. So terms
    are computed once for each x and t, and sums for all t_x and n come from one pass over t, relative to
    their largest term: nothing underflows, and the time hardly depends on the number of histories.

    Parameters
    ----------
    h : Histories
        ``T`` is n; all in opportunities.
    """

    def __init__(self, h: Histories) -> None:
        self.x, self.row = np.unique(h.x, return_inverse=True)
        self.first, self.last = h.t_x.astype(np.intp), h.T.astype(np.intp)
        self.weight = h.weight
        self.t = np.arange(self.last.max() + 1.0)
        self.silent = np.maximum(self.t - self.x[:, None], 0).astype(np.intp)
        self.could_leave = self.first < self.last

    def __call__(self, p: FloatArray) -> tuple[float, FloatArray]:
        """Weighted log-likelihood, and its gradient in (alpha, beta, gamma, delta)."""
        log_term, log_stay, falls = self._terms(p)
        each = self._each(log_term, log_stay, falls)
        left = self._mass_of_leaving(log_term, falls, each)
        stayed = np.zeros_like(left)
        share = np.exp(log_term[self.row, self.last] + log_stay[self.last] - each)
        np.add.at(stayed, (self.row, self.last), self.weight * share)
        return float(self.weight @ each), self._gradient(p, left, stayed)

    def rows(self, p: FloatArray) -> FloatArray:
        """Log-likelihood of each history."""
        return self._each(*self._terms(p))

    def _terms(self, p: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Logarithms of the term by x and t, and of staying over leaving by t; how the term falls from t to t + 1."""
        alpha, beta, gamma, delta = p.tolist()
        bought = log_rising(alpha, self.x)[0][:, None] + log_rising(beta, self.t)[0][self.silent]
        survives = log_rising(delta, self.t)[0] - log_rising(gamma + delta, self.t)[0]
        log_stay = -np.log(gamma / (gamma + delta + self.t))
        log_term = bought - log_rising(alpha + beta, self.t)[0] + survives - log_stay
        return log_term, log_stay, np.exp(np.diff(log_term, axis=1))

    def _each(self, log_term: FloatArray, log_stay: FloatArray, falls: FloatArray) -> FloatArray:
        # Sum of the terms from t on, up to the last t of all, over the term at t.
        sums = np.ones_like(log_term)
        for t in range(self.t.size - 2, -1, -1):
            sums[:, t] += falls[:, t] * sums[:, t + 1]
        at_first, at_last = (self.row, self.first), (self.row, self.last)
        later = np.exp(log_term[at_last] - log_term[at_first]) * sums[at_last]
        left = np.where(self.could_leave, sums[at_first] - later, 0.0)
        with np.errstate(divide="ignore"):
            log_left = log_term[at_first] + np.log(left)
        return np.asarray(np.logaddexp(log_term[at_last] + log_stay[self.last], log_left))

    def _mass_of_leaving(self, log_term: FloatArray, falls: FloatArray, each: FloatArray) -> FloatArray:
        """Return expected customers who left after t, by x and t: each history's terms over their sum."""
        mass = np.zeros_like(log_term)
        for sign, end in ((1, self.first), (-1, self.last)):
            share = np.exp(np.where(self.could_leave, log_term[self.row, end] - each, -np.inf))
            np.add.at(mass, (self.row, end), sign * self.weight * share)
        for t in range(1, self.t.size):
            mass[:, t] += falls[:, t - 1] * mass[:, t - 1]
        return mass

    def _gradient(self, p: FloatArray, left: FloatArray, stayed: FloatArray) -> FloatArray:
        alpha, beta, gamma, delta = p.tolist()
        ended, left_t = left + stayed, left.sum(axis=0)
        ended_t = ended.sum(axis=0)
        by_both, by_stay = (log_rising(c, self.t)[1] for c in (alpha + beta, gamma + delta))
        by_silent = np.bincount(self.silent.ravel(), weights=ended.ravel(), minlength=self.t.size)
        leaving = left_t @ (1 / (gamma + delta + self.t))
        return np.array(
            [
                np.bincount(self.row, weights=self.weight) @ log_rising(alpha, self.x)[1] - ended_t @ by_both,
                by_silent @ log_rising(beta, self.t)[1] - ended_t @ by_both,
                left_t.sum() / gamma - ended_t @ by_stay - leaving,
                ended_t @ (log_rising(delta, self.t)[1] - by_stay) - leaving,
            ]
        )


def log_likelihood(p: FloatArray, x: FloatArray, t_x: FloatArray, n: FloatArray) -> FloatArray:
    """Log-likelihood of each history, see `Lattice`.

    Parameters
    ----------
    p : ndarray of shape (4,)
        alpha, beta, gamma, delta, positive.
    x, t_x, n : ndarray of whole numbers, shape (m,)
        Purchases, opportunity of the last one (0 without one), and opportunities.

    Examples
    --------
    >>> log_likelihood(np.array([1.2, 0.75, 0.66, 2.78]), *np.full((3, 1), 6.0)).round(4)
    array([-2.1884])
    """
    return Lattice(Histories(x, t_x, n, np.ones(x.size))).rows(p)


def probability_alive(
    p: FloatArray,
    x: FloatArray,
    t_x: FloatArray,
    n: FloatArray,
    later: float = 0.0,
) -> FloatArray:
    r"""P(still there at opportunity n + later): the paper's at later = 1; 1 where t_x = n and later = 0.

    .. math:: \frac{B(\alpha+x, \beta+n-x)}{B(\alpha, \beta)} \frac{B(\gamma, \delta+n+later)}{B(\gamma, \delta)} / L
    """
    alpha, beta, gamma, delta = p.tolist()
    log_buys = log_rising(alpha, x)[0] + log_rising(beta, n - x)[0] - log_rising(alpha + beta, n)[0]
    log_stays = log_survival(gamma, delta, n + later)
    return np.minimum(np.exp(log_buys + log_stays - log_likelihood(p, x, t_x, n)), 1.0)


def expected_purchases_while_alive(
    p: FloatArray,
    x: FloatArray,
    n: FloatArray,
    t: ArrayLike,
    worth: ArrayLike = 1.0,
) -> FloatArray:
    r"""Return expected purchases at the opportunities n + 1, …, n + t of a customer who is there at n.

    .. math:: \frac{\alpha+x}{\alpha+\beta+n} \sum_{i=1}^{t} w_i \frac{S(n+i)}{S(n)}

    Equation 13 is this times P(alive at n), with the sum in closed form, which is 0/0 at gamma = 1.
    x = n = 0 give a new customer.

    Parameters
    ----------
    p : ndarray of shape (4,)
        alpha, beta, gamma, delta, positive.
    x, n : ndarray of shape (m,)
        Purchases and opportunities so far.
    t : int or array_like of shape (m,)
        Opportunities ahead.
    worth : array_like of shape (largest t,)
        w, what a purchase at each of them is worth.
    """
    alpha, beta, gamma, delta = p.tolist()
    t = np.broadcast_to(np.asarray(t, dtype=np.intp), x.shape)
    different, row = np.unique(n, return_inverse=True)
    ahead = np.arange(1.0, t.max(initial=0) + 1)
    stays = np.exp(log_survival(gamma, delta, ahead, renewed=different[:, None])) * worth
    sums = np.concatenate([np.zeros((different.size, 1)), np.cumsum(stays, axis=1)], axis=1)
    return np.asarray((alpha + x) / (alpha + beta + n) * sums[row, t])


def discounted_purchases_while_alive(p: FloatArray, x: FloatArray, n: FloatArray, rate: float) -> FloatArray:
    """Return the same without an end, a purchase i opportunities ahead worth (1 + rate) to the power of -i.

    Times P(alive at n) it is DERT, equation 14, whose 2F1 is the one of `discounted_survival`.
    """
    alpha, beta, gamma, delta = p.tolist()
    different, row = np.unique(n, return_inverse=True)
    return np.asarray((alpha + x) / (alpha + beta + n) * discounted_survival(gamma, delta, different, rate)[row])


def purchase_distribution_while_alive(p: FloatArray, x: FloatArray, n: FloatArray, t: int, most: int) -> FloatArray:
    """P(X(n, n + t) = 0, …, most) of a customer who is there at n.

    Step by step: who is still there buys with the probability that Pólya's urn gives after the purchases so far.
    Everything is added and nothing subtracted; x = n = 0 give equation 7.

    Returns
    -------
    ndarray of shape (rows, most + 1)
    """
    alpha, beta, gamma, delta = p.tolist()
    j = np.arange(most + 1)
    there, gone = np.zeros((x.size, most + 1)), np.zeros((x.size, most + 1))
    there[:, 0] = 1.0
    yes, no, drawn = alpha + x[:, None] + j, beta + (n - x)[:, None] - j, (alpha + beta + n)[:, None]
    for i in range(t):
        leaves = (gamma / (gamma + delta + n + i))[:, None]
        gone += leaves * there
        there *= 1 - leaves
        buys = there * yes / (drawn + i)
        there = np.where(j <= i, there * (no + i) / (drawn + i), 0.0)
        there[:, 1:] += buys[:, :-1]
    return np.asarray(gone + there)


def draw_purchases_while_alive(
    p: FloatArray, x: FloatArray, n: FloatArray, ends: IntArray, rng: np.random.Generator
) -> IntArray:
    """Draw purchases at the opportunities n + 1, …, n + end of customers who are there at n; shape (ends, rows)."""
    alpha, beta, gamma, delta = p.tolist()
    stays = geometric_allowance(rng.beta(gamma, delta + n), rng) - 1
    there, buying = np.diff(np.minimum(stays, ends[:, None]), axis=0, prepend=0), rng.beta(alpha + x, beta + n - x)
    return np.cumsum([rng.binomial(times, buying) for times in there], axis=0)


def simulate_histories(
    alpha: float, beta: float, gamma: float, delta: float, n: ArrayLike, *, seed: Seed = None, horizon: int = 0
) -> pd.DataFrame:
    """Simulate customers whose truth is known.

    Exact and without a loop: the last purchase of a customer who stays for k opportunities is a geometric number of
    opportunities before k, and the others are binomial.

    Parameters
    ----------
    alpha, beta, gamma, delta : float
        Parameters, positive.
    n : array_like of whole numbers, shape (m,)
        Opportunities so far.
    seed : int, SeedSequence, Generator or None
        Equal seeds give equal customers.
    horizon : int, default 0
        Opportunities after n at which ``future`` is counted.

    Returns
    -------
    DataFrame of m rows
        ``frequency``, ``recency``, ``n_periods``, and the truth: ``buying``, ``dropout``, ``alive`` (bool), ``future``.

    Examples
    --------
    >>> simulate_histories(1.2, 0.75, 0.66, 2.78, [6] * 10_000, seed=1)["frequency"].mean().round(1)
    np.float64(2.2)
    """
    rng = np.random.default_rng(seed)
    seen = np.asarray(n, dtype=np.int64)
    buying, dropout = rng.beta(alpha, beta, seen.size), rng.beta(gamma, delta, seen.size)
    stays = geometric_allowance(dropout, rng) - 1
    there = np.minimum(stays, seen)
    last = np.maximum(there - geometric_allowance(buying, rng) + 1, 0)
    frequency = np.where(last > 0, 1 + rng.binomial(np.maximum(last - 1, 0), buying), 0)
    future = rng.binomial(np.clip(stays - seen, 0, horizon), buying)
    history = {"frequency": frequency, "recency": last, "n_periods": seen}
    return pd.DataFrame(history | {"buying": buying, "dropout": dropout, "alive": stays >= seen, "future": future})
