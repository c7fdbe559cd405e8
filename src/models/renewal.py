"""The shared skeleton of models of contracts that are renewed or end for all to see."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Self

import numpy as np
import pandas as pd

from ..errors import SettingsError
from .contracts import read_active, read_cohort
from .fitting import Objective
from .likelihood import LikelihoodModel, Seed
from .opportunities import MOST_OPPORTUNITIES
from .retention import Cohort, checked_rate, discounted_survival, log_survival, retention_rate, simulate_contracts
from .validation import FloatArray, IntArray, weight_column


class RenewalModel(LikelihoodModel):
    """Base of the contractual models: contracts in, retention and what remains of each contract out.

    Time is counted in renewal opportunities, of which each period between two payments ends with one. Predictions
    are for customers who are still there: a frame with ``periods``, the renewals made so far. A subclass
    defines ``_names`` and the three methods at the end.
    """

    def fit(self, contracts: pd.DataFrame) -> Self:
        """Fit by maximum likelihood.

        Parameters
        ----------
        contracts : DataFrame
            ``periods`` (renewal opportunities faced), ``churned`` (true: left at the last of them; false: still
            there), and optionally ``weight`` (customers that share the row). No nulls.

        Returns
        -------
        self

        Raises
        ------
        DataError
            For rows that no customer can have; if nobody has left, or everybody at the first opportunity.

        Warns
        -----
        ConvergenceWarning
            If the data leaves a parameter undetermined, as one period alone does, or the search stopped early.
        """
        cohort = read_cohort(contracts)
        customers = float(weight_column(contracts).sum())
        self._maximise(self._objective(cohort), self._start(cohort), customers)
        return self

    def retention_rate(self, periods: int) -> FloatArray:
        """Share that renews, of those who face the 1st, 2nd, … opportunity; shape (periods,)."""
        return retention_rate(
            *self._shape()[:2], np.arange(1, _checked_count("periods", periods) + 1), self._shape()[2]
        )

    def survival(self, periods: int) -> FloatArray:
        """Share of new customers that is there after 0, 1, … opportunities; shape (periods + 1,)."""
        alpha, beta, c = self._shape()
        return np.asarray(np.exp(log_survival(alpha, beta, np.arange(_checked_count("periods", periods) + 1), c)))

    def conditional_survival(self, contracts: pd.DataFrame, *, horizon: int) -> FloatArray:
        """Probability to make the next 1, 2, …, ``horizon`` renewals.

        Parameters
        ----------
        contracts : DataFrame of n rows
            ``periods``, renewals made so far, of customers who are still there.
        horizon : int
            Opportunities ahead.

        Returns
        -------
        ndarray of shape (n, horizon)

        Raises
        ------
        NotFittedError, DataError, SettingsError
            Before `fit`; for impossible rows and customers who have left; for a horizon that is no positive count.
        """
        ahead, shape = np.arange(1.0, _checked_count("horizon", horizon) + 1), self._shape()
        return _by_age(contracts, lambda n: _survival_ahead(shape, n, ahead))

    def probability_of_churn(self, contracts: pd.DataFrame, *, horizon: int = 1) -> FloatArray:
        """Probability to leave at one of the next opportunities: the churn score; shape (n,).

        Parameters and errors are those of `conditional_survival`.
        """
        last, shape = np.array([float(_checked_count("horizon", horizon))]), self._shape()
        return _by_age(contracts, lambda n: 1 - _survival_ahead(shape, n, last)[:, 0])

    def probability_of_churn_interval(
        self, contracts: pd.DataFrame, *, horizon: int = 1, level: float = 0.9, draws: int = 1000, seed: Seed = None
    ) -> pd.DataFrame:
        """Interval of each customer's `probability_of_churn`, by draws of the parameters.

        It holds what the parameters may be, and not whether this customer leaves, which is yes or no. Memory: draws
        times different ages.

        Returns
        -------
        DataFrame of n rows
            ``low``, ``high``, indexed as ``contracts``.
        """
        last, tails = np.array([float(_checked_count("horizon", horizon))]), _checked_tails(level, draws)
        shapes = [self._shape_of(p) for p in self.sample_parameters(draws, seed).to_numpy()]

        def edges(n: FloatArray) -> FloatArray:
            drawn = [1 - _survival_ahead(shape, n, last)[:, 0] for shape in shapes]
            return np.quantile(drawn, tails, axis=0).T

        return pd.DataFrame(_by_age(contracts, edges), columns=["low", "high"], index=contracts.index)

    def churners(
        self, contracts: pd.DataFrame, *, horizon: int = 1, level: float = 0.9, draws: int = 1000, seed: Seed = None
    ) -> pd.Series:
        """How many customers will leave at the next opportunities.

        Each draw takes parameters from their sampling distribution and lets chance decide who leaves, so that the
        interval holds both. ``weight`` counts customers, as in `fit`, and its sum by age is taken as whole.

        Returns
        -------
        Series
            ``expected``, ``low``, ``high``.
        """
        chance, tails = self.probability_of_churn(contracts, horizon=horizon), _checked_tails(level, draws)
        weight, rng = weight_column(contracts), np.random.default_rng(seed)
        ages, row = np.unique(read_active(contracts), return_inverse=True)
        customers = np.rint(np.bincount(row, weights=weight)).astype(np.int64)
        totals = []
        for p in self.sample_parameters(draws, rng).to_numpy():
            stays = _survival_ahead(self._shape_of(p), ages, np.array([float(horizon)]))[:, 0]
            totals.append(rng.binomial(customers, 1 - stays).sum())
        low, high = np.quantile(totals, tails)
        return pd.Series({"expected": float(weight @ chance), "low": float(low), "high": float(high)})

    def sample_renewals(
        self, contracts: pd.DataFrame, *, horizon: int, draws: int, seed: Seed = None
    ) -> Iterator[IntArray]:
        """Simulate how many of the next ``horizon`` renewals each customer makes before leaving.

        Every draw has its own parameters and its own outcomes. Memory: a few vectors of n numbers at a time.

        Yields
        ------
        ndarray of int64, shape (n,)
            0 to ``horizon``; under ``horizon`` who has left.
        """
        ahead = np.arange(1.0, _checked_count("horizon", horizon) + 1)
        rng = np.random.default_rng(seed)
        parameters = self.sample_parameters(draws, rng).to_numpy()
        ages, row = np.unique(read_active(contracts), return_inverse=True)

        def generate() -> Iterator[IntArray]:
            for p in parameters:
                stays, luck = _survival_ahead(self._shape_of(p), ages, ahead), rng.random(row.size)
                made = np.zeros(row.size, dtype=np.int64)
                for column in stays.T:
                    made += luck < column[row]
                yield made

        return generate()

    def expected_renewals(self, contracts: pd.DataFrame, *, horizon: int) -> FloatArray:
        """Return expected renewals at the next opportunities: the residual lifetime within them; shape (n,).

        Parameters and errors are those of `conditional_survival`.
        """
        ahead, shape = np.arange(1.0, _checked_count("horizon", horizon) + 1), self._shape()
        return _by_age(contracts, lambda n: _survival_ahead(shape, n, ahead).sum(axis=1))

    def discounted_expected_renewals(
        self, contracts: pd.DataFrame, *, discount_rate: float, until_next: float = 1.0
    ) -> FloatArray:
        r"""Discounted expected residual lifetime: all renewals to come, each worth less the later it comes.

        .. math:: \sum_{i=1}^\infty \frac{S(n+i)}{S(n)} (1 + d)^{-(i - 1 + u)}

        Parameters
        ----------
        contracts : DataFrame of n rows
            As in `conditional_survival`.
        discount_rate : float
            d, per period, at least a millionth. For 10 % a year and monthly contracts it is 1.1 ** (1 / 12) - 1.
        until_next : float, default 1
            u, the part of a period that remains until the next opportunity: 1 just after a renewal, 0 just before
            the next, which is where Fader & Hardie (2010) stand.

        Returns
        -------
        ndarray of shape (n,)
            What is left out of the endless sum is under 1e-10 of it.

        Raises
        ------
        NotFittedError, DataError, SettingsError
            As `conditional_survival`; for a rate under a millionth or ``until_next`` outside [0, 1].
        """
        if not 0 <= until_next <= 1:
            raise SettingsError(f"until_next: expected a part of a period, from 0 to 1, got {until_next!r}")
        (alpha, beta, c), rate = self._shape(), checked_rate(discount_rate)
        sooner = (1 + rate) ** (1 - until_next)
        return _by_age(contracts, lambda n: sooner * discounted_survival(alpha, beta, n, rate, c))

    def customer_lifetime_value(
        self, contracts: pd.DataFrame, *, payment: float, discount_rate: float, until_next: float = 1.0
    ) -> FloatArray:
        """Present value of the payments that come with each renewal still to be made; shape (n,).

        What has been paid for the period under way is not in it: add ``payment`` for a customer yet to be won.

        Parameters
        ----------
        contracts, discount_rate, until_next
            As in `discounted_expected_renewals`.
        payment : float
            What is earned with each renewal, in the currency of your choice.
        """
        if not np.isfinite(payment):
            raise SettingsError(f"payment: expected a finite amount, got {payment!r}")
        lifetime = self.discounted_expected_renewals(contracts, discount_rate=discount_rate, until_next=until_next)
        return payment * lifetime

    def simulate(self, customers: int, periods: int, *, seed: Seed = None) -> pd.DataFrame:
        """Simulate new customers by the estimates, see `simulate_contracts`."""
        alpha, beta, c = self._shape()
        watched = np.full(_checked_count("customers", customers), _checked_count("periods", periods))
        return simulate_contracts(alpha, beta, watched, c=c, seed=seed)

    def describe(self) -> str:
        """Say in one or two sentences what the estimates mean.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        first, fifth = (f"{1 - share:.0%}".replace("%", " %") for share in self.retention_rate(5)[[0, 4]])
        gone = np.flatnonzero(self.survival(MOST_OPPORTUNITIES) <= 0.5)
        half = f", and half have left after {gone[0]}" if gone.size else ""
        return f"At the first opportunity {first} leave, at the fifth {fifth} of those who face it{half}."

    def _shape(self) -> tuple[float, float, float]:
        return self._shape_of(self._vector())

    @abstractmethod
    def _shape_of(self, p: FloatArray) -> tuple[float, float, float]:
        """Return alpha, beta and c of parameters in the order of ``_names``."""

    @abstractmethod
    def _start(self, cohort: Cohort) -> FloatArray:
        """Return starting values for the search."""

    @abstractmethod
    def _objective(self, cohort: Cohort) -> Objective:
        """Log-likelihood of a cohort with its gradient in the parameters."""


def _survival_ahead(shape: tuple[float, float, float], n: FloatArray, ahead: FloatArray) -> FloatArray:
    alpha, beta, c = shape
    return np.asarray(np.exp(log_survival(alpha, beta, ahead, c, renewed=n[:, None])))


def _by_age(contracts: pd.DataFrame, predict: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Predict once for each number of renewals made, and give every row its own."""
    ages, row = np.unique(read_active(contracts), return_inverse=True)
    return predict(ages)[row]


def _checked_count(name: str, count: int) -> int:
    if not (count == int(count) and count > 0):
        raise SettingsError(f"{name}: expected a positive whole number, got {count!r}")
    return int(count)


def _checked_tails(level: float, draws: int) -> list[float]:
    if not 0 < level < 1:
        raise SettingsError(f"level: expected a probability between 0 and 1, got {level!r}")
    _checked_count("draws", draws)
    return [0.5 - level / 2, 0.5 + level / 2]
