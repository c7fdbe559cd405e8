r"""The NBD model of Ehrenberg (1959): customers who differ in their rate of purchase and never leave.

The yardstick of the models with dropout: what they gain over it is what leaving explains.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from .base import BTYDModel
from .fitting import Objective
from .negative_binomial import draw_purchases, purchase_distribution, weighted_log_likelihood
from .validation import FloatArray, Histories, IntArray

__all__ = ["NBD"]


FEW = 0.001
"""Shape r of a further start for data of hardly any repeat buyer."""


class NBD(BTYDModel):
    """Purchase rate of customers of whom nobody ever leaves: P(alive) is 1 for everyone.

    Where customers do leave, its expectations are far too high for those long unseen.

    Parameters
    ----------
    time_unit : {"days", "weeks"}, default "days"
        Unit in which times enter the likelihood; frames and horizons are in days always.

    Attributes
    ----------
    params_ : Series
        ``r``, ``alpha`` (gamma shape and scale of the rates, the scale in ``time_unit``). All others as in
        `loyalty.models.likelihood.LikelihoodModel`; ``log_likelihood_`` is of the times of purchases, as in the
        models with dropout, and comparable with theirs.

    Examples
    --------
    >>> from loyalty.models.negative_binomial import simulate_histories
    >>> customers = simulate_histories(.8, 60, [300.0] * 4000, seed=1)
    >>> model = NBD().fit(customers)
    >>> model.converged_
    True
    >>> model.expected_purchases(customers, horizon_days=90).shape
    (4000,)
    """

    _names: ClassVar[tuple[str, ...]] = ("r", "alpha")
    _elementary: ClassVar[bool] = True

    def describe(self) -> str:
        """Say in a sentence what the estimates mean.

        Returns
        -------
        str
            Mean time between purchases, and that nobody leaves.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        r, alpha = self._vector()
        return f"Customers buy once every {alpha / r * self._unit():.0f} days on average, and nobody ever leaves."

    def _start(self, h: Histories) -> FloatArray:
        mean_x, mean_T = np.average(h.x, weights=h.weight), np.average(h.T, weights=h.weight)
        variance = np.average((h.x - mean_x) ** 2, weights=h.weight)
        r = float(np.clip(mean_x**2 / max(variance - mean_x, 1e-9), 0.1, 5))
        return np.array([r, r * mean_T / mean_x])

    def _further_starts(self, h: Histories, start: FloatArray) -> list[FloatArray]:
        # With few repeat buyers the moments put alpha so far above all ages that the likelihood is a plain.
        return [start * FEW / start[0]]

    def _objective(self, h: Histories) -> Objective:
        return weighted_log_likelihood(h)

    def _probability_alive(self, p: FloatArray, h: Histories) -> FloatArray:
        return np.ones(h.x.size)

    def _expected_if_alive(self, p: FloatArray, h: Histories, t: float | FloatArray) -> FloatArray:
        r, alpha = p
        return np.asarray((r + h.x) / (alpha + h.T) * t)

    def _distribution_if_alive(self, p: FloatArray, h: Histories, t: float, n: int) -> FloatArray:
        r, alpha = p
        return purchase_distribution(r, alpha, h.x, h.T, t, n)

    def _draw_if_alive(self, p: FloatArray, h: Histories, ends: FloatArray, rng: np.random.Generator) -> IntArray:
        r, alpha = p
        return draw_purchases(r, alpha, h.x, h.T, ends, rng)
