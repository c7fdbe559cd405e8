r"""The mathematics of contracts that are renewed or not, as pure functions with the symbols of the papers.

At each renewal opportunity a customer leaves with a probability :math:`\theta \sim \mathrm{Beta}(\alpha, \beta)` of the
customer's own. Renewals are geometric then and those of a cohort *shifted-beta-geometric* (sBG): P. S. Fader & B. G. S.
Hardie (2007), How to Project Customer Retention, Journal of Interactive Marketing 21 (1), 76-90. Equation numbers are
those of this paper.

If leaving becomes more or less likely with every renewal, a customer survives t opportunities with probability
:math:`(1 - \theta)^{t^c}`, and the cohort is *beta-discrete-Weibull* (BdW): P. S. Fader, B. G. S. Hardie, Y. Liu,
J. Davin & T. Steenburgh (2018), "How to Project Customer Retention" Revisited: The Role of Duration Dependence,
Journal of Interactive Marketing 43, 1-16, where alpha and beta are called gamma and delta. c = 1 is sBG: everywhere
below it is the default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import SettingsError
from .beta_ratio import log_beta_ratio, psi_step
from .fitting import Objective
from .likelihood import Seed
from .validation import FloatArray

LARGEST_LOG_AGE = 500.0
"""Logarithm at which t to the power of c is held, so that it stays finite for any c."""

REST = 1e-10
"""Largest share that a sum of discounted survival may leave out."""

BLOCK = 4096
"""Terms of such a sum that are computed together."""

SUREST = -1e-280
"""Logarithm at which the chance to renew is held: a sure renewal would make a loss impossible."""

LEAST_RATE = 1e-6
"""Smallest discount rate a period: below it sums need millions of terms."""


class Cohort(NamedTuple):
    """Renewals by opportunity: all that a likelihood sees of contracts. Arrays of shape (m,).

    Attributes
    ----------
    t : opportunities that somebody faced, 1, 2, …
    lost : customers who left at it.
    kept : customers who renewed at it.
    """

    t: FloatArray
    lost: FloatArray
    kept: FloatArray


def _age(t: ArrayLike, c: ArrayLike) -> FloatArray:
    """Return t to the power of c, 0 for t = 0, held finite."""
    t = np.asarray(t, dtype=np.float64)
    log_age = np.minimum(c * np.log(np.maximum(t, 1)), LARGEST_LOG_AGE)
    return np.where(t > 0, np.exp(log_age), 0.0)


def log_survival(
    alpha: ArrayLike, beta: ArrayLike, t: ArrayLike, c: ArrayLike = 1.0, *, renewed: ArrayLike = 0.0
) -> FloatArray:
    r"""Logarithm of the share that survives t more opportunities, of those who have renewed some times.

    .. math:: S(t) = \frac{B(\alpha, \beta + t^c)}{B(\alpha, \beta)}, \qquad S(n + t | n) = \frac{S(n + t)}{S(n)}

    For c = 1 the first is equation 6.

    Parameters
    ----------
    alpha, beta, c : float or array_like
        Parameters, positive.
    t : array_like
        Opportunities, at least 0.
    renewed : array_like
        n, renewals made before.

    Examples
    --------
    >>> np.exp(log_survival(0.704, 1.182, np.arange(4))).round(3)
    array([1.   , 0.627, 0.474, 0.388])
    """
    before = _age(renewed, c)
    return log_beta_ratio(alpha, np.add(beta, before), _age(np.add(renewed, t), c) - before)


def retention_rate(alpha: ArrayLike, beta: ArrayLike, t: ArrayLike, c: ArrayLike = 1.0) -> FloatArray:
    r"""Share of those who face opportunity t and renew: :math:`S(t) / S(t-1)`.

    For sBG it is :math:`(\beta + t - 1) / (\alpha + \beta + t - 1)` (equation 8), which only rises: those who leave
    easily go first.
    """
    return np.asarray(np.exp(log_survival(alpha, beta, 1.0, c, renewed=np.subtract(t, 1.0))))


def sbg_log_likelihood(cohort: Cohort) -> Objective:
    r"""Log-likelihood of a cohort under sBG with its gradient, as a function of (alpha, beta).

    It is equation B3 of the paper's appendix, sorted by opportunity: at the t-th a customer leaves with probability
    :math:`\alpha / (\alpha + \beta + t - 1)`.
    """
    t, lost, kept = cohort
    faced, losses = lost + kept, float(lost.sum())

    def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
        alpha, beta = parameters.tolist()
        stays, all_of_them = beta + t - 1, alpha + beta + t - 1
        value = losses * np.log(alpha) + kept @ np.log(stays) - faced @ np.log(all_of_them)
        shared = float(faced @ (1 / all_of_them))
        return float(value), np.array([losses / alpha - shared, kept @ (1 / stays) - shared])

    return objective


def bdw_log_likelihood(cohort: Cohort) -> Objective:
    """Log-likelihood of a cohort under BdW with its gradient, as a function of (alpha, beta, c)."""
    t, lost, kept = cohort
    log_before, log_after = np.log(np.maximum(t - 1, 1)), np.log(t)

    def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
        alpha, beta, c = parameters
        before, after = _age(t - 1, c), _age(t, c)
        log_kept = log_beta_ratio(alpha, beta + before, after - before)
        log_kept = np.minimum(log_kept, SUREST)
        value = kept @ log_kept + lost @ np.log(-np.expm1(log_kept))
        # A loss has the logarithm of 1 - r; its slope is that of log r times -r / (1 - r).
        slope = kept + lost * np.exp(log_kept) / np.expm1(log_kept)
        all_of_them = psi_step(alpha + beta + before, after - before)
        to_c = [
            np.where(c * log < LARGEST_LOG_AGE, age * log, 0) * -psi_step(beta + age, np.full_like(t, alpha))
            for age, log in ((before, log_before), (after, log_after))
        ]
        gradient = [
            -slope @ all_of_them,
            slope @ (psi_step(beta + before, after - before) - all_of_them),
            slope @ (to_c[1] - to_c[0]),
        ]
        return float(value), np.array(gradient)

    return objective


def checked_rate(discount_rate: float) -> float:
    """Refuse a discount rate under which an endless sum does not end.

    Raises
    ------
    SettingsError
        If it is under a millionth a period.
    """
    if not LEAST_RATE <= discount_rate < np.inf:
        raise SettingsError(
            f"discount_rate: expected at least {LEAST_RATE:g} a period, or the future has no end, got {discount_rate!r}"
        )
    return float(discount_rate)


def discounted_sum(log_surviving: Callable[[FloatArray], FloatArray], rate: float) -> float:
    r"""Sum :math:`\sum_{i=1}^\infty S(i) (1 + d)^{-i}` until what is left out is bounded.

    S does not grow, so the terms after the K-th add up to at most :math:`S(K) (1+d)^{-K} / d`, and the sum stops
    when that is under 1e-10 of what it has.

    Parameters
    ----------
    log_surviving : callable
        Opportunities of shape (m,) -> log S there.
    rate : float
        d, per period, positive.
    """
    total, last = 0.0, 0
    while True:
        i = np.arange(last + 1.0, last + BLOCK + 1.0)
        terms = np.exp(log_surviving(i) - i * np.log1p(rate))
        total, last = total + float(terms.sum()), last + BLOCK
        if terms[-1] / rate <= REST * total:
            return total


def discounted_survival(alpha: float, beta: float, renewed: FloatArray, rate: float, c: float = 1.0) -> FloatArray:
    r"""Renewals still expected of a customer who has renewed n times, the i-th from now worth :math:`(1 + d)^{-i}`.

    For sBG, with :math:`z = 1 / (1 + d)`,

    .. math:: D(n) = \sum_{i=1}^\infty \frac{S(n+i)}{S(n)} z^i
              = z \frac{\beta+n}{\alpha+\beta+n}\, {}_2F_1(1, \beta+n+1;\, \alpha+\beta+n+1;\, z).

    The sum is taken (`discounted_sum`), which serves BdW too: SciPy's function returns negative values for whole
    alpha and small beta. It is taken for the largest n only, for :math:`D(n-1) = z\, r(n) (1 + D(n))`.

    P. S. Fader & B. G. S. Hardie (2010), Customer-Base Valuation in a Contractual Setting, Marketing Science 29 (1),
    85-93, value the moment just before the renewal, one period later: their DERL is this times 1 + d.

    Parameters
    ----------
    alpha, beta, c : float
        Parameters, positive.
    renewed : ndarray of whole numbers, shape (m,)
        n.
    rate : float
        d, per period, positive.

    Returns
    -------
    ndarray of shape (m,)
    """
    least, most = int(renewed.min()), int(renewed.max())
    stays = retention_rate(alpha, beta, np.arange(least + 1, most + 1), c)
    values = np.empty(most - least + 1)
    values[-1] = discounted_sum(lambda i: log_survival(alpha, beta, i, c, renewed=most), rate)
    for k in range(most - least - 1, -1, -1):
        values[k] = stays[k] * (1 + values[k + 1]) / (1 + rate)
    return np.asarray(values[(renewed - least).astype(np.intp)])


def simulate_contracts(
    alpha: float, beta: float, periods: ArrayLike, *, c: float = 1.0, seed: Seed = None
) -> pd.DataFrame:
    r"""Simulate contracts whose truth is known.

    The last opportunity survived is the largest t with :math:`(1 - \theta)^{t^c} \ge e^{-E}`, E exponential.

    Parameters
    ----------
    alpha, beta, c : float
        Parameters, positive.
    periods : array_like of shape (n,)
        Opportunities for which each customer is watched.
    seed : int, SeedSequence, Generator or None
        Equal seeds give equal customers.

    Returns
    -------
    DataFrame of n rows
        ``periods`` (opportunities faced), ``churned`` (bool: left at the last of them), and the truth
        ``dropout``, the probability to leave at the first.

    Examples
    --------
    >>> float(simulate_contracts(1, 3, [1] * 100_000, seed=1)["churned"].mean().round(2))
    0.25
    """
    rng = np.random.default_rng(seed)
    watched = np.asarray(periods, dtype=np.float64)
    dropout = np.clip(rng.beta(alpha, beta, watched.size), 1e-300, 1 - 1e-16)
    age = rng.exponential(size=watched.size) / -np.log1p(-dropout)  # survives while t to the power of c is below it
    survived = np.floor(np.exp(np.minimum(np.log(age) / c, LARGEST_LOG_AGE)))
    churned = survived < watched
    faced = np.where(churned, survived + 1, watched).astype(np.int64)
    return pd.DataFrame({"periods": faced, "churned": churned, "dropout": dropout})
