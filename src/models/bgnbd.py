r"""The BG/NBD model of Fader, Hardie & Lee (2005).

While active, a customer buys at a Poisson rate :math:`\lambda \sim \Gamma(r, \alpha)`; after each repeat
purchase the customer leaves with probability :math:`p \sim \mathrm{Beta}(a, b)`.

Equation numbers are those of P. S. Fader, B. G. S. Hardie & K. L. Lee (2005), "Counting Your Customers"
the Easy Way: An Alternative to the Pareto/NBD Model, Marketing Science 24 (2), 275-284.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import hyp2f1

from .base import BTYDModel
from .beta_geometric import (
    geometric_allowance,
    log_likelihood,
    log_odds_of_having_left,
    probability_alive,
    purchase_distribution_while_alive,
    simulate_histories,
    weighted_log_likelihood,
)
from .fitting import Objective
from .horizon import LONGEST_HALF_LIFE
from .hypergeometric import expected_purchases_while_alive
from .lifetimes_calls import hand_over
from .negative_binomial import draw_purchases
from .validation import FloatArray, Histories, IntArray

__all__ = [
    "BGNBD",
    "expected_purchases_while_alive",
    "log_likelihood",
    "log_odds_of_having_left",
    "probability_alive",
    "purchase_distribution_while_alive",
    "simulate_histories",
    "weighted_log_likelihood",
]


MOST_AGES = 10.0
"""Largest alpha of a further start, in mean ages."""

FEW = 0.01
"""Shape r of a further start for data of hardly any repeat buyer."""


class BetaGeometricModel(BTYDModel):
    """What BG/NBD and MBG/NBD share: all but the number of chances to leave before a repeat purchase."""

    _names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    _elementary: ClassVar[bool] = True
    _first: ClassVar[int]

    def describe(self) -> str:
        """Say in one or two sentences what the estimates mean.

        Returns
        -------
        str
            Mean time between purchases, chance that a purchase is the last, and when half have left.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        r, alpha, a, b = self._vector()
        gap = alpha / r * self._unit()
        half = _half_life(r, alpha * self._unit(), a, b, self._first)
        leaving = f", and half have left after {half:.0f} days" if half < LONGEST_HALF_LIFE else ""
        last, kind = a / (a + b), "purchase" if self._first else "repeat purchase"
        chance = f"{last:.0%}".replace("%", " %") if last >= 0.005 else "under 1 %"
        return (
            f"While active, customers buy once every {gap:.0f} days on average; each {kind} is the "
            f"last with probability {chance}{leaving}."
        )

    def _start(self, h: Histories) -> FloatArray:
        mean_x, mean_T = np.average(h.x, weights=h.weight), np.average(h.T, weights=h.weight)
        variance = np.average((h.x - mean_x) ** 2, weights=h.weight)
        # Moments of a negative binomial; dropout makes counts look more alike than rates are.
        r = float(np.clip(mean_x**2 / max(variance - mean_x, 1e-9), 0.1, 5))
        return np.array([r, r * mean_T / mean_x, 1.0, 1.0 + mean_x])

    def _further_starts(self, h: Histories, start: FloatArray) -> list[FloatArray]:
        return polarised(h, start)

    def _objective(self, h: Histories) -> Objective:
        return weighted_log_likelihood(h, self._first)

    def _probability_alive(self, p: FloatArray, h: Histories) -> FloatArray:
        r, alpha, a, b = p
        return probability_alive(r, alpha, a, b, h.x, h.t_x, h.T, self._first)

    def _expected_if_alive(self, p: FloatArray, h: Histories, t: float | FloatArray) -> FloatArray:
        r, alpha, a, b = p
        return expected_purchases_while_alive(r, alpha, a, b + self._first, h.x, h.T, t)

    def _distribution_if_alive(self, p: FloatArray, h: Histories, t: float, n: int) -> FloatArray:
        r, alpha, a, b = p
        return purchase_distribution_while_alive(r, alpha, a, b + self._first, h.x, h.T, t, n)

    def _draw_if_alive(self, p: FloatArray, h: Histories, ends: FloatArray, rng: np.random.Generator) -> IntArray:
        r, alpha, a, b = p
        wanted = draw_purchases(r, alpha, h.x, h.T, ends, rng)
        return np.asarray(np.minimum(wanted, geometric_allowance(rng.beta(a, b + self._first + h.x), rng)))


class BGNBD(BetaGeometricModel):
    """Purchase rate and dropout of customers who leave, unseen, right after a purchase.

    Parameters
    ----------
    time_unit : {"days", "weeks"}, default "days"
        Unit in which times enter the likelihood; frames and horizons are in days always.

    Attributes
    ----------
    params_ : Series
        ``r``, ``alpha`` (gamma shape and scale of the rates, the scale in ``time_unit``), ``a``, ``b`` (beta
        of the dropout probabilities). All others as in `loyalty.models.likelihood.LikelihoodModel`.

    Examples
    --------
    >>> customers = simulate_histories(.8, 60, 1, 3, [300.0] * 4000, seed=1)
    >>> model = BGNBD().fit(customers)
    >>> model.converged_
    True
    >>> model.expected_purchases(customers, horizon_days=90).shape
    (4000,)
    """

    _first = 0

    def probability_alive(self, histories: pd.DataFrame) -> FloatArray:
        """Probability that each customer is still active at the as-of date.

        Without a repeat purchase it is exactly 1, because this model lets nobody leave before one. Never
        rank churn by it; use `probability_of_no_purchase`.

        Parameters
        ----------
        histories : DataFrame of n rows
            As in `fit`.

        Returns
        -------
        ndarray of shape (n,)
            In [0, 1].

        Raises
        ------
        NotFittedError, DataError
            Before `fit`; for rows that no customer can have.
        """
        return super().probability_alive(histories)

    def probability_of_no_purchase(self, histories: pd.DataFrame, *, horizon_days: float) -> FloatArray:
        r"""Probability that a customer buys nothing in the horizon: the churn score of this model.

        Given active at T and a rate, nothing is bought in t with probability :math:`e^{-\lambda t}`, whatever
        the dropout, which needs a purchase to happen. Averaged over
        :math:`\lambda \sim \Gamma(r+x, \alpha+T)` that is :math:`((\alpha+T)/(\alpha+T+t))^{r+x}`; who has
        left buys nothing for certain. So

        .. math:: 1 - P(alive) + P(alive) \left(\frac{\alpha+T}{\alpha+T+t}\right)^{r+x}.

        Parameters
        ----------
        histories : DataFrame of n rows
            As in `fit`.
        horizon_days : float
            Length of the period after the as-of date, in days.

        Returns
        -------
        ndarray of shape (n,)
            In [0, 1].

        Raises
        ------
        NotFittedError, DataError, SettingsError
            Before `fit`; for impossible rows; for a horizon that is not positive.
        """
        return super().probability_of_no_purchase(histories, horizon_days=horizon_days)

    def to_lifetimes(self) -> Any:
        """Hand the fit to the package ``lifetimes``.

        Returns
        -------
        lifetimes.BetaGeoFitter
            Holding these parameters and their errors, so that predictions and ``summary`` work; its times are
            in ``time_unit``.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        self._vector()
        from lifetimes import BetaGeoFitter  # heavy, and warns on import

        return hand_over(self, BetaGeoFitter())


def polarised(h: Histories, start: FloatArray) -> list[FloatArray]:
    """Return further starts at the ends of what dropout can be.

    The likelihood can have several ridges: nobody leaves, a = 0; some leave at once and the others never, a = b = 0;
    all leave soon, b = 0. With few repeat buyers there is another for r = 0, and moments put alpha so far above all
    ages that the likelihood is a plain.
    """
    r, alpha = start[:2] * min(1.0, MOST_AGES * float(np.average(h.T, weights=h.weight)) / start[1])
    return [
        np.array([r, alpha, 0.1, 0.1]),
        np.array([r, alpha, 0.001, 0.001]),
        np.array([FEW, FEW / r * alpha, 5.0, 0.01]),
    ]


def _half_life(r: float, alpha: float, a: float, b: float, first: int) -> float:
    r"""Return the time at which half of new customers have left: :math:`E[(1-p)^{first} e^{-\lambda p t}] = 1/2`.

    The expectation is :math:`{}_2F_1(r, a; a+b+first; -t/\alpha)`, times the share that stays at first. Infinite
    where it is not reached within `LONGEST_HALF_LIFE`, or where the parameters are too large for the function.
    """
    staying = b / (a + b) if first else 1.0

    def excess(t: float) -> float:
        return staying * float(hyp2f1(r, a, a + b + first, -t / alpha)) - 0.5

    if excess(0.0) <= 0:
        return 0.0
    return float(brentq(excess, 0, LONGEST_HALF_LIFE)) if excess(LONGEST_HALF_LIFE) < 0 else np.inf
