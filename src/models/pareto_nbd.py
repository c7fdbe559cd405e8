r"""The Pareto/NBD model of Schmittlein, Morrison & Colombo (1987).

While active, a customer buys at a Poisson rate :math:`\lambda \sim \Gamma(r, \alpha)`; the customer leaves, unseen, at
any moment, after an exponential time with rate :math:`\mu \sim \Gamma(s, \beta)`. Who has not bought for long becomes
doubtful, one-time buyers included: P(alive) of this model orders customers as one would expect.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..errors import SettingsError
from .base import BTYDModel
from .fitting import Objective
from .horizon import DAYS_IN_YEAR, LONGEST_HALF_LIFE
from .lifetimes_calls import hand_over
from .pareto_forecasts import (
    discounted_residual_purchases_while_alive,
    draw_while_alive,
    expected_purchases_while_alive,
    purchase_distribution_while_alive,
    simulate_histories,
)
from .pareto_likelihood import probability_alive, weighted_log_likelihood
from .validation import FloatArray, Histories, IntArray

__all__ = ["ParetoNBD", "simulate_histories"]


class ParetoNBD(BTYDModel):
    """Purchase rate and lifetime of customers who leave, unseen, at any time.

    Parameters
    ----------
    time_unit : {"days", "weeks"}, default "days"
        Unit in which times enter the likelihood; frames and horizons are in days always.

    Attributes
    ----------
    params_ : Series
        ``r``, ``alpha`` (gamma shape and scale of the rates of purchase), ``s``, ``beta`` (of the rates of leaving);
        both scales in ``time_unit``. All others as in `loyalty.models.likelihood.LikelihoodModel`.

    Examples
    --------
    >>> customers = simulate_histories(.8, 60, .7, 90, [300.0] * 4000, seed=1)
    >>> model = ParetoNBD().fit(customers)
    >>> model.converged_
    True
    >>> bool((model.probability_alive(customers) < 1).all())
    True
    """

    _names: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")

    def discounted_residual_purchases(self, histories: pd.DataFrame, *, annual_discount_rate: float) -> FloatArray:
        """Expected purchase days of the rest of a customer's life, each worth less the later it comes (DERT).

        In closed form, discounted at each moment; see
        `loyalty.models.pareto_forecasts.discounted_residual_purchases_while_alive`.

        Parameters
        ----------
        histories : DataFrame of n rows
            As in `fit`.
        annual_discount_rate : float
            d, per year of 365 days; more than 0, as without discount the sum need not end.

        Returns
        -------
        ndarray of shape (n,)

        Raises
        ------
        NotFittedError, DataError, SettingsError
            Before `fit`; for impossible rows; for a rate that is not positive.
        """
        r, alpha, s, beta = self._vector()
        if not 0 < annual_discount_rate < np.inf:
            raise SettingsError(f"annual_discount_rate: expected a number above 0, got {annual_discount_rate!r}")
        delta = float(np.log1p(annual_discount_rate)) / DAYS_IN_YEAR * self._unit()

        def if_alive(h: Histories) -> FloatArray:
            return discounted_residual_purchases_while_alive(r, alpha, s, beta, h.x, h.T, delta)

        return self._by_history(histories, lambda h: self._alive(h) * self._by_state(h, if_alive))

    def describe(self) -> str:
        """Say in a sentence what the estimates mean.

        Returns
        -------
        str
            Mean time between purchases, and when half of new customers have left.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        r, alpha, s, beta = self._vector()
        gap = alpha / r * self._unit()
        # The exponent is cut where the half-life is not told anyway.
        half = beta * self._unit() * np.expm1(min(np.log(2) / s, 100.0))
        leaving = f", and half have left after {half:.0f} days" if half < LONGEST_HALF_LIFE else ""
        return f"While active, customers buy once every {gap:.0f} days on average{leaving}."

    def to_lifetimes(self) -> Any:
        """Hand the fit to the package ``lifetimes``.

        Returns
        -------
        lifetimes.ParetoNBDFitter
            Holding these parameters and their errors, so that predictions and ``summary`` work; its times are
            in ``time_unit``.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        self._vector()
        from lifetimes import ParetoNBDFitter  # heavy, and warns on import

        return hand_over(self, ParetoNBDFitter())

    def _start(self, h: Histories) -> FloatArray:
        mean_x, mean_T = np.average(h.x, weights=h.weight), np.average(h.T, weights=h.weight)
        variance = np.average((h.x - mean_x) ** 2, weights=h.weight)
        # Moments of a negative binomial; half of the customers leave while they are seen.
        r = float(np.clip(mean_x**2 / max(variance - mean_x, 1e-9), 0.1, 5))
        return np.array([r, r * mean_T / mean_x, 1.0, mean_T])

    def _further_starts(self, h: Histories, start: FloatArray) -> list[FloatArray]:
        # Everybody alike: all rates of leaving about the same, none near 0.
        return [start * [1, 1, 10, 1]]

    def _objective(self, h: Histories) -> Objective:
        return weighted_log_likelihood(h)

    def _probability_alive(self, p: FloatArray, h: Histories) -> FloatArray:
        r, alpha, s, beta = p
        return probability_alive(r, alpha, s, beta, h.x, h.t_x, h.T)

    def _expected_if_alive(self, p: FloatArray, h: Histories, t: float | FloatArray) -> FloatArray:
        r, alpha, s, beta = p
        return expected_purchases_while_alive(r, alpha, s, beta, h.x, h.T, t)

    def _distribution_if_alive(self, p: FloatArray, h: Histories, t: float, n: int) -> FloatArray:
        r, alpha, s, beta = p
        return purchase_distribution_while_alive(r, alpha, s, beta, h.x, h.T, t, n)

    def _draw_if_alive(self, p: FloatArray, h: Histories, ends: FloatArray, rng: np.random.Generator) -> IntArray:
        r, alpha, s, beta = p
        return draw_while_alive(r, alpha, s, beta, h.x, h.T, ends, rng)
