r"""The BG/CNBD-k and MBG/CNBD-k models: BG/NBD and MBG/NBD for customers who buy at regular intervals.

Gaps between purchases are Erlang-k instead of exponential; dropout is unchanged. T. Reutterer, M. Platzer & N. Schröder
(2021), Leveraging purchase regularity for predicting customer behavior the easy way, International Journal of Research
in Marketing 38 (1), 194-215. Expectations are exact here, where the paper and the R package BTYDplus approximate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from ..errors import DataError, SettingsError
from .base import SAMPLE, SAMPLED_FROM, BTYDModel
from .beta_geometric_k import (
    LARGEST_K,
    expected_purchases_while_alive,
    log_gap_terms,
    probability_alive,
    purchase_distribution_while_alive,
    weighted_log_likelihood,
)
from .bgnbd import polarised
from .erlang_draws import draw_purchases_while_alive
from .fitting import Objective, Optimum, maximise
from .horizon import LONGEST_HALF_LIFE
from .validation import FloatArray, Histories, IntArray, new_customers, number_column, read_histories, refuse

__all__ = ["BGCNBD", "MBGCNBD", "BGCNBDk", "MBGCNBDk"]

FALLS = 3
"""The search for k ends when the likelihood has fallen so many times in a row: it has one peak in practice."""


class BetaGeometricErlangModel(BTYDModel):
    """What BG/CNBD-k and MBG/CNBD-k share: all but the number of chances to leave before a repeat purchase."""

    _names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    _forgetful = False
    _first: ClassVar[int]

    def __init__(self, *, time_unit: str = "days", k: int | None = None, largest_k: int = 12) -> None:
        super().__init__(time_unit=time_unit)
        self.k = k
        self.largest_k = largest_k

    def fit(self, histories: pd.DataFrame) -> Self:
        r"""Fit by maximum likelihood, choosing k by it too unless k was given.

        Parameters
        ----------
        histories : DataFrame
            ``frequency`` (repeat purchase days), ``recency`` and ``T`` (days), optionally ``weight`` (customers that
            share the row), and ``log_gaps``: sum of the natural logarithms of the days between successive purchase
            days, 0 where frequency is 0; the mean of it where customers share a row, because it enters linearly.
            Only the choice of k needs ``log_gaps``. No nulls.

        Returns
        -------
        self

        Raises
        ------
        DataError
            For rows that no customer can have, if no customer bought twice, or if k is to be chosen without
            ``log_gaps``.
        SettingsError
            For an unknown ``time_unit``, or a k that is no whole number from 1 to 24.

        Warns
        -----
        ConvergenceWarning
            If the data leaves a parameter undetermined or the search stopped early.
        """
        candidates = self._candidates()
        h = self._read_for_fit(histories)
        log_gaps = self._total_log_gaps(histories)
        customers = float(h.weight.sum())
        sample = h.thinned(SAMPLE) if h.x.size >= SAMPLED_FROM else None

        def likelihood(k: int) -> Objective:
            return weighted_log_likelihood(h, k, self._first, log_gap_terms(k, h, log_gaps))

        found: dict[int, Optimum] = {}
        for k in candidates:
            of_sample = None if sample is None else weighted_log_likelihood(sample, k, self._first)
            start = self._start_with(h, k)
            found[k] = maximise(likelihood(k), start, customers, of_sample, polarised(h, start))
            if _falls([tried.log_likelihood for tried in found.values()]):
                break
        values = pd.Series({k: tried.log_likelihood for k, tried in found.items()}, name="log_likelihood")
        self.log_likelihood_by_k_ = values.rename_axis("k")
        self.k_ = int(values.idxmax())
        self._maximise(likelihood(self.k_), found[self.k_].parameters, customers)
        if self.k is None:
            self.aic_ += 2
            self.bic_ += float(np.log(customers))
        return self

    def describe(self) -> str:
        """Say in a few sentences what the estimates mean.

        Returns
        -------
        str
            Mean time between purchases, its regularity, chance that a purchase is the last, and when half have left.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        r, alpha, a, b = self._vector()
        gap = self.k_ * alpha / r * self._unit()
        half = self._half_life()
        leaving = f", and half have left after {half:.0f} days" if half < LONGEST_HALF_LIFE else ""
        last, kind = a / (a + b), "purchase" if self._first else "repeat purchase"
        chance = f"{last:.0%}".replace("%", " %") if last >= 0.005 else "under 1 %"
        spread = f"{self.k_**-0.5:.0%}".replace("%", " %")
        regular = f"their gaps vary by {spread} of their mean (k = {self.k_})" if self.k_ > 1 else "at random (k = 1)"
        return (
            f"While active, customers buy once every {gap:.0f} days on average, {regular}; each {kind} is the "
            f"last with probability {chance}{leaving}."
        )

    def _candidates(self) -> Sequence[int]:
        _check_k("largest_k", self.largest_k)
        if self.k is not None:
            _check_k("k", self.k)
        return range(1, self.largest_k + 1) if self.k is None else [int(self.k)]

    def _total_log_gaps(self, histories: pd.DataFrame) -> float | None:
        """Weighted sum of the column ``log_gaps`` in the unit fitted; None where there is no need and no column."""
        if "log_gaps" not in histories.columns:
            if self.k is None:
                raise DataError(
                    "histories: missing column 'log_gaps', which choosing k needs: the sum of the logarithms of the "
                    f"days between successive purchase days; add it, or give k as in {type(self).__name__}(k=2)"
                )
            return None
        h = read_histories(histories)
        log_gaps = number_column(histories, "log_gaps")
        refuse(~np.isfinite(log_gaps), histories, "log_gaps", "a finite number, got a missing or infinite one")
        # Of x gaps with a given sum the equal ones have the largest sum of logarithms; a single gap is the sum.
        most = h.x * np.log(np.divide(h.t_x, h.x, out=np.ones(h.x.size), where=h.x > 0))
        slack = 1e-6 * (1 + np.abs(most))
        known = h.x <= 1
        refuse(
            known & (np.abs(log_gaps - most) > slack), histories, "log_gaps", "0 without and log(recency) with 1 gap"
        )
        refuse(log_gaps > most + slack, histories, "log_gaps", "frequency * log(recency / frequency) at most")
        return float(h.weight @ (log_gaps - h.x * np.log(self._unit())))

    def _start_with(self, h: Histories, k: int) -> FloatArray:
        mean_x, mean_T = np.average(h.x, weights=h.weight), np.average(h.T, weights=h.weight)
        variance = np.average((h.x - mean_x) ** 2, weights=h.weight)
        r = float(np.clip(mean_x**2 / max(variance - mean_x / k, 1e-9), 0.1, 5))
        return np.array([r, r * mean_T / (k * mean_x), 1.0, 1.0 + mean_x])

    def _start(self, h: Histories) -> FloatArray:
        return self._start_with(h, self.k_)

    def _objective(self, h: Histories) -> Objective:
        return weighted_log_likelihood(h, self.k_, self._first)

    def _half_life(self) -> float:
        """Return days until half of new customers have left; infinite beyond `LONGEST_HALF_LIFE`.

        Each purchase is the last with probability p, so the share that leaves is a mean of p times purchases: their
        expectation with p weighted into its beta distribution, a + 1 for a.
        """
        r, alpha, a, b = self._vector()
        b += self._first
        staying = (b - 1) / (a + b - 1) if self._first else 1.0

        def excess(days: float) -> float:
            bought = expected_purchases_while_alive(r, alpha, a + 1, b, new_customers(1), days / self._unit(), self.k_)
            return float(staying * (1 - a / (a + b) * bought[0]) - 0.5)

        if excess(0.0) <= 0:
            return 0.0
        return float(brentq(excess, 0, LONGEST_HALF_LIFE)) if excess(LONGEST_HALF_LIFE) < 0 else np.inf

    def _probability_alive(self, p: FloatArray, h: Histories) -> FloatArray:
        r, alpha, a, b = p
        return probability_alive(r, alpha, a, b, h.x, h.t_x, h.T, self.k_, self._first)

    def _expected_if_alive(self, p: FloatArray, h: Histories, t: float | FloatArray) -> FloatArray:
        r, alpha, a, b = p
        return expected_purchases_while_alive(r, alpha, a, b + self._first, h, t, self.k_)

    def _distribution_if_alive(self, p: FloatArray, h: Histories, t: float, n: int) -> FloatArray:
        r, alpha, a, b = p
        return purchase_distribution_while_alive(r, alpha, a, b + self._first, h, t, n, self.k_)

    def _draw_if_alive(self, p: FloatArray, h: Histories, ends: FloatArray, rng: np.random.Generator) -> IntArray:
        r, alpha, a, b = p
        return draw_purchases_while_alive(r, alpha, a, b + self._first, h, ends, self.k_, rng)


def _check_k(name: str, k: object) -> None:
    if not (isinstance(k, int | np.integer) and not isinstance(k, bool) and 1 <= k <= LARGEST_K):
        raise SettingsError(f"{name}: expected a whole number from 1 to {LARGEST_K}, got {k!r}")


def _falls(values: Sequence[float]) -> bool:
    """Whether the last values of a sequence have each been under the one before."""
    return len(values) > FALLS and all(np.diff(values[-FALLS - 1 :]) < 0)


class BGCNBDk(BetaGeometricErlangModel):
    """Regular purchases, and dropout right after a repeat purchase; BG/NBD where k is 1.

    A customer without a repeat purchase has P(alive) = 1, because this model lets nobody leave before one: never rank
    churn by it; use `probability_of_no_purchase`.

    Where purchases on one day count as one, frequent buyers look more regular than they are: random purchases with a
    mean gap under about five days can be given k = 2. No gap is shorter than a day.

    Parameters
    ----------
    time_unit : {"days", "weeks"}, default "days"
        Unit in which times enter the likelihood; frames and horizons are in days always.
    k : int, optional
        Regularity, 1 to 24: gaps vary by 1 / sqrt(k) of their mean. None lets the likelihood choose.
    largest_k : int, default 12
        Largest k tried; fewer are, if the likelihood falls three times in a row.

    Attributes
    ----------
    params_ : Series
        ``r``, ``alpha`` (gamma shape and scale of the rates of phases, k of which make a purchase; the scale in
        ``time_unit``), ``a``, ``b`` (beta of the dropout probabilities).
    k_ : int
        Regularity chosen or given. Standard errors and draws of parameters take it as known.
    log_likelihood_by_k_ : Series
        Largest log-likelihood for each k tried.
    log_likelihood_ : float
        Of the times of all purchases, comparable with that of BG/NBD and MBG/NBD on the same customers. Fitted
        without ``log_gaps`` it is of frequency, recency and T alone: comparable with theirs too, but not between a
        fit with the column and one without.
    aic_, bic_ : float
        They count k as a fifth parameter where it was chosen. All other attributes as in
        `loyalty.models.likelihood.LikelihoodModel`.

    Examples
    --------
    >>> from loyalty.models.erlang_draws import simulate_histories
    >>> customers = simulate_histories(2, 20, 1, 3, [300.0] * 4000, k=3, seed=1)
    >>> model = BGCNBDk(largest_k=5).fit(customers)
    >>> model.k_
    3
    >>> model.expected_purchases(customers, horizon_days=90).shape
    (4000,)
    """

    _first = 0


class MBGCNBDk(BetaGeometricErlangModel):
    """Regular purchases, and dropout right after any purchase, the first included; MBG/NBD where k is 1.

    Parameters and attributes are those of `BGCNBDk`.

    Examples
    --------
    >>> from loyalty.models.erlang_draws import simulate_histories
    >>> customers = simulate_histories(2, 20, 1, 3, [300.0] * 4000, k=2, seed=1, first=1)
    >>> model = MBGCNBDk(k=2).fit(customers)
    >>> bool((model.probability_alive(customers) < 1).all())
    True
    """

    _first = 1


# The names without the letter, by which other code may know them.
BGCNBD = BGCNBDk
MBGCNBD = MBGCNBDk
