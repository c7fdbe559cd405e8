"""The shared skeleton of the buy-till-you-die models.

A new model subclasses `BTYDModel` and writes its parameter names, a start, its log-likelihood with
gradient, and what an active customer is expected to do; reading, grouping, fitting, standard errors,
intervals and all public predictions are here, drawn futures in `futures`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import DataError, SettingsError
from .fitting import Objective
from .futures import FutureModel
from .horizon import checked_horizon, discount_factors, step_edges
from .likelihood import LikelihoodModel, Seed
from .validation import FloatArray, Histories, distinct_histories, group_equal, new_customers, read_histories

__all__ = ["AssumptionWarning", "BTYDModel", "LikelihoodModel", "Seed", "distinct_histories"]

DAYS_IN_UNIT = {"days": 1.0, "weeks": 7.0}

SAMPLE = 20_000
"""Customers whose likelihood is climbed first."""

SAMPLED_FROM = 50_000
"""Distinct histories from which on that pays."""


class AssumptionWarning(UserWarning):
    """An assumption that the model rests on does not hold in this data."""


class BTYDModel(FutureModel):
    """Base of the buy-till-you-die models: histories in, predictions for each row of a frame out.

    Parameters
    ----------
    time_unit : {"days", "weeks"}, default "days"
        Unit in which times enter the likelihood; frames and horizons are in days always.

    Notes
    -----
    Predictions ignore weights, are computed once for each different history or state wherever that saves time,
    and come back in the order of the frame's rows. A subclass defines ``_names``, the four methods at the end of this
    class, and `_probability_alive` and `_draw_if_alive` of `FutureModel`. There ``p`` holds the parameters in the order
    of ``_names``, each a number or an array with one value a row of the histories ``h``; the times of ``h`` and ``t``
    are in the unit fitted.
    """

    history_columns: ClassVar[tuple[str, ...]] = ("frequency", "recency", "T")
    """All that the model sees of a customer."""

    _forgetful: ClassVar[bool] = True
    """What an active customer does next depends on x and T alone, not on the time since the last purchase."""

    _elementary: ClassVar[bool] = False
    """P(alive) takes less time than to find equal histories."""

    def __init__(self, *, time_unit: str = "days") -> None:
        self.time_unit = time_unit

    def fit(self, histories: pd.DataFrame) -> Self:
        """Fit by maximum likelihood.

        Parameters
        ----------
        histories : DataFrame
            ``frequency`` (repeat purchase days), ``recency`` and ``T`` (days), and optionally ``weight``
            (customers that share the row). No nulls.

        Returns
        -------
        self

        Raises
        ------
        DataError
            For rows that no customer can have, or if no customer bought twice.
        SettingsError
            For an unknown ``time_unit``.

        Warns
        -----
        ConvergenceWarning
            If the data leaves a parameter undetermined or the search stopped early.
        """
        grouped = self._read_for_fit(histories)
        sample = self._objective(grouped.thinned(SAMPLE)) if grouped.x.size >= SAMPLED_FROM else None
        start, customers = self._start(grouped), float(grouped.weight.sum())
        self._maximise(self._objective(grouped), start, customers, sample, self._further_starts(grouped, start))
        return self

    def probability_alive(self, histories: pd.DataFrame) -> FloatArray:
        """Probability that each customer is still active at the as-of date.

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
        return self._by_history(histories, self._alive)

    def expected_purchases(self, histories: pd.DataFrame, *, horizon_days: float) -> FloatArray:
        """Predict the expected number of purchase days in the horizon.

        Parameters
        ----------
        histories : DataFrame of n rows
            As in `fit`.
        horizon_days : float
            Length of the period after the as-of date, in days.

        Returns
        -------
        ndarray of shape (n,)
            Finite, at least 0.

        Raises
        ------
        NotFittedError, DataError, SettingsError
            Before `fit`; for impossible rows; for a horizon that is not positive.
        """
        p, t = self._vector(), self._in_unit(horizon_days)
        return self._by_history(
            histories,
            lambda h: self._alive(h) * self._by_state(h, lambda at: self._expected_if_alive(p, at, t)),
        )

    def probability_of_no_purchase(self, histories: pd.DataFrame, *, horizon_days: float) -> FloatArray:
        """Probability that a customer buys nothing in the horizon: the churn score of the model.

        A customer buys nothing who has left, or is active and happens not to buy:
        1 - P(alive) + P(alive) * P(no purchase | alive).

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
            As `expected_purchases`.
        """
        return self.purchase_distribution(histories, horizon_days=horizon_days, n=0)[:, 0]

    def probability_of_no_purchase_if_active(self, histories: pd.DataFrame, *, horizon_days: float) -> FloatArray:
        """Probability that a customer who is still active at the as-of date buys nothing in the horizon.

        Parameters, result and errors are those of `probability_of_no_purchase`.
        """
        p, t = self._vector(), self._in_unit(horizon_days)
        return self._by_history(
            histories, lambda h: self._by_state(h, lambda at: self._distribution_if_alive(p, at, t, 0)[:, 0])
        )

    def purchase_distribution(self, histories: pd.DataFrame, *, horizon_days: float, n: int) -> FloatArray:
        """Probabilities of 0, 1, …, n purchase days in the horizon.

        Parameters
        ----------
        histories : DataFrame of m rows
            As in `fit`.
        horizon_days : float
            Length of the period after the as-of date, in days.
        n : int
            Largest count asked for, at least 0.

        Returns
        -------
        ndarray of shape (m, n + 1)
            Column j is P(X = j). A row adds up to 1 less the probability of more than n.

        Raises
        ------
        NotFittedError, DataError, SettingsError
            As `expected_purchases`; for a negative ``n``.
        """
        p, t = self._vector(), self._in_unit(horizon_days)
        if n < 0:
            raise SettingsError(f"n: expected a count of at least 0, got {n}")

        def mixed(h: Histories) -> FloatArray:
            alive = self._alive(h)[:, None]
            active = self._by_state(h, lambda at: self._distribution_if_alive(p, at, t, n))
            return np.asarray(alive * active + (1 - alive) * (np.arange(n + 1) == 0))

        return self._by_history(histories, mixed)

    def discounted_expected_purchases(
        self,
        histories: pd.DataFrame,
        *,
        horizon_days: float,
        annual_discount_rate: float,
        step_days: float = 7,
    ) -> FloatArray:
        r"""Predict expected purchase days in the horizon, each worth less the later it comes.

        .. math:: \sum_j \left(E[X(t_j)] - E[X(t_{j-1})]\right) (1 + d)^{-(t_{j-1} + t_j) / 2 / 365}

        Parameters
        ----------
        histories : DataFrame of n rows
            As in `fit`.
        horizon_days, step_days : float
            Length of the horizon and of a step, in days; the last step may be shorter.
        annual_discount_rate : float
            d, per year of 365 days; 0 gives `expected_purchases`.

        Returns
        -------
        ndarray of shape (n,)
            At least 0, at most `expected_purchases` for d of at least 0.

        Raises
        ------
        NotFittedError, DataError, SettingsError
            As `expected_purchases`; for a step that is not positive or a rate of -1 or less.
        """
        p, edges = self._vector(), step_edges(checked_horizon(horizon_days), step_days)
        factors = discount_factors(edges, annual_discount_rate)
        unit = self._unit()

        def discounted(at: Histories) -> FloatArray:
            total, before = np.zeros(at.x.size), np.zeros(at.x.size)
            for edge, factor in zip(edges[1:], factors, strict=True):
                after = self._expected_if_alive(p, at, float(edge) / unit)
                total += factor * (after - before)
                before = after
            return total

        return self._by_history(histories, lambda h: self._alive(h) * self._by_state(h, discounted))

    def expected_purchases_of_new_customer(self, t_days: ArrayLike) -> FloatArray:
        """Predict a new customer's expected repeat purchase days in the first ``t_days``.

        Parameters
        ----------
        t_days : float or array_like of shape (m,)
            Ages in days, at least 0.

        Returns
        -------
        ndarray of shape (m,)
            One value for each age; shape (1,) for a single one.

        Raises
        ------
        NotFittedError, SettingsError
            Before `fit`; for an age that is negative or not finite.
        """
        p, t = self._vector(), np.atleast_1d(np.asarray(t_days, dtype=np.float64)) / self._unit()
        if not (np.isfinite(t) & (t >= 0)).all():
            raise SettingsError("t_days: expected finite ages of at least 0 days")
        new = new_customers(t.size)
        return self._probability_alive(p, new) * self._expected_if_alive(p, new, t)

    def new_customer_distribution(self, t_days: float, n: int) -> FloatArray:
        """Probabilities of 0, 1, …, n repeat purchase days in a customer's first ``t_days``.

        Parameters
        ----------
        t_days : float
            Age in days, positive.
        n : int
            Largest count asked for, at least 0.

        Returns
        -------
        ndarray of shape (n + 1,)

        Raises
        ------
        NotFittedError, SettingsError
            Before `fit`; for an age that is not positive or a negative ``n``.
        """
        new = pd.DataFrame({"frequency": [0.0], "recency": [0.0], "T": [0.0]})
        return np.asarray(self.purchase_distribution(new, horizon_days=t_days, n=n)[0])

    def _unit(self) -> float:
        if self.time_unit not in DAYS_IN_UNIT:
            raise SettingsError(f"time_unit: expected one of {', '.join(DAYS_IN_UNIT)}, got {self.time_unit!r}")
        return DAYS_IN_UNIT[self.time_unit]

    def _in_unit(self, horizon_days: float) -> float:
        self._vector()
        return checked_horizon(horizon_days) / self._unit()

    def _read(self, histories: pd.DataFrame) -> Histories:
        return read_histories(histories).rescaled(self._unit())

    def _read_grouped(self, histories: pd.DataFrame) -> Histories:
        # Grouped in days, which are whole, and not in weeks.
        return read_histories(histories, count_days=self._in_days).grouped().rescaled(self._unit())

    def _read_for_fit(self, histories: pd.DataFrame) -> Histories:
        """Return the distinct histories, refusing those that identify nothing."""
        grouped = self._read_grouped(histories)
        if not grouped.x.any():
            raise DataError(
                f"column 'frequency': all {len(histories)} rows are 0, which identifies nothing; "
                "expected at least one customer with a repeat purchase"
            )
        return grouped

    def _alive(self, h: Histories) -> FloatArray:
        return self._probability_alive(self._vector(), h)

    def _by_history(self, histories: pd.DataFrame, predict: Callable[[Histories], FloatArray]) -> FloatArray:
        """Predict once for each different history, where that is worth while, and give every row its own."""
        self._vector()
        h = self._read(histories)
        if self._elementary:
            return predict(h)
        grouped, codes = h.distinct()
        return predict(grouped)[codes]

    def _by_state(self, h: Histories, predict: Callable[[Histories], FloatArray]) -> FloatArray:
        """Predict once for each different state of a customer known to be active."""
        if not self._forgetful:
            return predict(h)
        codes, first = group_equal(h.x, h.T)
        return predict(h.take(first))[codes]

    @abstractmethod
    def _start(self, h: Histories) -> FloatArray:
        """Return starting values for the search."""

    def _further_starts(self, h: Histories, start: FloatArray) -> Sequence[FloatArray]:
        """Where to search again if the first start leads to a ridge: there may be others, and plains before them."""
        return ()

    @abstractmethod
    def _objective(self, h: Histories) -> Objective:
        """Weighted log-likelihood of distinct histories with its gradient in the parameters."""

    @abstractmethod
    def _expected_if_alive(self, p: FloatArray, h: Histories, t: float | FloatArray) -> FloatArray:
        """Return expected purchases in (T, T + t] given alive at T, one value a row."""

    @abstractmethod
    def _distribution_if_alive(self, p: FloatArray, h: Histories, t: float, n: int) -> FloatArray:
        """Probabilities of 0, …, n purchases in (T, T + t] given alive at T; shape (rows, n + 1)."""
