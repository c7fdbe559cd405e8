"""The names and signatures of the package ``lifetimes`` over this package's models: moving is a change of import.

Write ``from loyalty.from_lifetimes import BetaGeoFitter`` where ``from lifetimes import BetaGeoFitter`` stood. Times
are in whatever unit they are given. After `fit` the model behind is at ``model_``. As in lifetimes, an answer is a
series where series were asked with, a number where numbers were, and else an array; P(alive) of BG/NBD and MBG/NBD is
always an array.

What `lifetimes.plotting` draws is drawn here from data, so that what is shown can be had as numbers, too:

================================================  ==================================  ================================
lifetimes                                         figure, of ``reporting``            its data, of ``models``
================================================  ==================================  ================================
plot_period_transactions                          btyd_figures.customers_by_count     tracking.by_count
plot_calibration_purchases_vs_holdout_purchases   btyd_figures.expected_by_group      groups.conditional
plot_frequency_recency_matrix                     portrait_figures.history_matrix     portrait.history_grid
plot_probability_alive_matrix                     portrait_figures.history_matrix     portrait.history_grid
plot_expected_repeat_purchases                    btyd_figures.new_customer           base.BTYDModel
plot_history_alive                                portrait_figures.alive_history      portrait.alive_history
plot_cumulative_transactions                      btyd_figures.total_purchases        tracking.track
plot_incremental_transactions                     btyd_figures.weekly_purchases       tracking.track
plot_transaction_rate_heterogeneity               portrait_figures.spread             portrait.rates
plot_dropout_rate_heterogeneity                   portrait_figures.spread             portrait.leaving
================================================  ==================================  ================================
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from .errors import SettingsError
from .models.base import BTYDModel
from .models.bgbb import BGBB
from .models.bgnbd import BGNBD
from .models.gamma_gamma import GammaGamma
from .models.lifetimes_calls import IGNORED, ahead, answer, frame_of
from .models.lifetimes_fitter import Fitter
from .models.mbgnbd import MBGNBD
from .models.pareto_nbd import ParetoNBD
from .models.validation import FloatArray, Histories

__all__ = ["BetaGeoBetaBinomFitter", "BetaGeoFitter", "GammaGammaFitter", "ModifiedBetaGeoFitter", "ParetoNBDFitter"]

PERIODS_IN_MONTH = {"W": 4.345, "M": 1.0, "D": 30.0, "H": 720.0}
"""How many units of time `GammaGammaFitter.customer_lifetime_value` takes for a month, as lifetimes does."""


class _PurchaseFitter(Fitter):
    """A fitter of how often customers buy, in continuous time."""

    _model: ClassVar[type[BTYDModel]]
    _alive_with_index: ClassVar[bool] = False

    def fit(
        self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None, **options: Any
    ) -> Self:
        """Fit by maximum likelihood.

        Parameters
        ----------
        frequency, recency, T : array_like of shape (n,)
            Histories, in any unit of time.
        weights : array_like of shape (n,), optional
            Customers that share a row.
        options
            ``index`` of ``data``. ``initial_params``, ``verbose``, ``tol``, ``maxiter`` and for Pareto/NBD
            ``iterative_fitting`` are taken and not needed.

        Raises
        ------
        DataError, SettingsError
            For rows that no customer can have; for any other option.
        """
        return self._fit(frame_of(frequency=frequency, recency=recency, T=T), weights, options)

    def conditional_expected_number_of_purchases_up_to_time(
        self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike
    ) -> Any:
        """Expected purchases in the t after T, shape (n,); t is one for all or one for each."""
        check_is_fitted(self, "model_")
        given = {"t": t, "frequency": frequency, "recency": recency, "T": T}
        expected = ahead(frame_of(**given), lambda at, t: self.model_.expected_purchases(at, horizon_days=t), 0)
        return answer(expected, **given)

    predict = conditional_expected_number_of_purchases_up_to_time

    def conditional_probability_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Any:
        """P(alive) at T, shape (n,)."""
        check_is_fitted(self, "model_")
        given = {"frequency": frequency, "recency": recency, "T": T}
        alive = self.model_.probability_alive(frame_of(**given))
        return answer(alive, **given) if self._alive_with_index else alive

    def conditional_probability_alive_matrix(
        self, max_frequency: int | None = None, max_recency: int | None = None
    ) -> FloatArray:
        """P(alive) of customers whose T is ``max_recency``, shape (max_recency + 1, max_frequency + 1).

        Row is recency, column is frequency. What is left out is the largest frequency and T of the fit.
        """
        frequencies = max_frequency or self._seen("max_frequency", "frequency")
        times = max_recency or self._seen("max_recency", "T")
        check_is_fitted(self, "model_")
        t_x, x = np.mgrid[: times + 1.0, : frequencies + 1.0]
        alive = self.model_._alive(Histories(x.ravel(), t_x.ravel(), np.full(x.size, float(times)), np.ones(x.size)))
        return np.asarray(alive.reshape(x.shape))

    def expected_number_of_purchases_up_to_time(self, t: ArrayLike) -> Any:
        """Repeat purchases of a new customer in the first t, one value for each t."""
        check_is_fitted(self, "model_")
        return answer(self.model_.expected_purchases_of_new_customer(t), t=t)

    def probability_of_n_purchases_up_to_time(self, t: float, n: int) -> float:
        """P(a new customer makes n repeat purchases in the first t)."""
        check_is_fitted(self, "model_")
        return float(self.model_.new_customer_distribution(float(t), int(n))[int(n)])


class BetaGeoFitter(_PurchaseFitter):
    """BG/NBD, see `loyalty.models.bgnbd.BGNBD`.

    Examples
    --------
    >>> from loyalty.models.beta_geometric import simulate_histories
    >>> log = simulate_histories(0.8, 60, 1, 3, [300.0] * 4000, seed=1)
    >>> fitter = BetaGeoFitter().fit(log["frequency"], log["recency"], log["T"])
    >>> fitter.predict(30, [2], [30], [90]).shape
    (1,)
    """

    _model = BGNBD


class ModifiedBetaGeoFitter(_PurchaseFitter):
    """MBG/NBD, see `loyalty.models.mbgnbd.MBGNBD`."""

    _model = MBGNBD


class ParetoNBDFitter(_PurchaseFitter):
    """Pareto/NBD, see `loyalty.models.pareto_nbd.ParetoNBD`."""

    _model = ParetoNBD
    _alive_with_index = True
    _ignored = (*IGNORED, "iterative_fitting")

    def conditional_probability_of_n_purchases_up_to_time(
        self, n: int, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike
    ) -> Any:
        """P(n purchases in the t after T), shape (n,); at t = 0 it is 1 for n = 0, where lifetimes says 0."""
        check_is_fitted(self, "model_")
        given = {"t": t, "frequency": frequency, "recency": recency, "T": T}

        def ask(at: pd.DataFrame, t: float) -> FloatArray:
            return np.asarray(self.model_.purchase_distribution(at, horizon_days=t, n=int(n))[:, int(n)])

        return answer(ahead(frame_of(**given), ask, n == 0), **given)


class BetaGeoBetaBinomFitter(Fitter):
    """BG/BB, see `loyalty.models.bgbb.BGBB`; ``n_periods`` are opportunities to buy."""

    _model = BGBB

    def fit(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        n_periods: ArrayLike,
        weights: ArrayLike | None = None,
        **options: Any,
    ) -> Self:
        """Fit by maximum likelihood; options as in `BetaGeoFitter.fit`."""
        return self._fit(frame_of(frequency=frequency, recency=recency, n_periods=n_periods), weights, options)

    def conditional_expected_number_of_purchases_up_to_time(
        self, m_periods_in_future: ArrayLike, frequency: ArrayLike, recency: ArrayLike, n_periods: ArrayLike
    ) -> Any:
        """Expected purchases at the next m opportunities, shape (n,)."""
        check_is_fitted(self, "model_")
        given = {"t": m_periods_in_future, "frequency": frequency, "recency": recency, "n_periods": n_periods}
        expected = ahead(frame_of(**given), lambda at, m: self.model_.expected_purchases(at, horizon_days=m), 0)
        return answer(expected, **given)

    predict = conditional_expected_number_of_purchases_up_to_time

    def conditional_probability_alive(
        self, m_periods_in_future: float, frequency: ArrayLike, recency: ArrayLike, n_periods: ArrayLike
    ) -> Any:
        """P(alive) m opportunities ahead, shape (n,)."""
        check_is_fitted(self, "model_")
        given = {"frequency": frequency, "recency": recency, "n_periods": n_periods}
        alive = self.model_.probability_alive(frame_of(**given), horizon_days=float(m_periods_in_future))
        return answer(alive, **given)

    def expected_number_of_transactions_in_first_n_periods(self, n: int) -> pd.DataFrame:
        """Customers by their number of purchases at the first n opportunities.

        Returns
        -------
        DataFrame
            ``model``, index frequency: those of the data of the fit. lifetimes takes all customers as seen n times.
        """
        highest = self._seen("data", "frequency")
        frequencies = np.sort(self.data["frequency"].unique())
        shares = self.model_.new_customer_distribution(float(n), highest)[frequencies.astype(int)]
        index = pd.Index(frequencies, name="frequency")
        return pd.DataFrame({"model": shares * self.data["weights"].sum()}, index=index)


class GammaGammaFitter(Fitter):
    """Gamma-Gamma, see `loyalty.models.gamma_gamma.GammaGamma`."""

    _model = GammaGamma
    _ignored = (*IGNORED, "q_constraint")

    def fit(
        self, frequency: ArrayLike, monetary_value: ArrayLike, weights: ArrayLike | None = None, **options: Any
    ) -> Self:
        """Fit by maximum likelihood to repeat buyers; options as in `BetaGeoFitter.fit`, and ``q_constraint=False``."""
        return self._fit(frame_of(frequency=frequency, monetary_value=monetary_value), weights, options)

    def conditional_expected_average_profit(
        self, frequency: ArrayLike | None = None, monetary_value: ArrayLike | None = None
    ) -> Any:
        """Expected spend per purchase of each customer, shape (n,); of those of the fit if none are given."""
        check_is_fitted(self, "model_")
        if frequency is None or monetary_value is None:
            self._seen("frequency, monetary_value", "frequency")
        given = {
            "frequency": self.data["frequency"] if frequency is None else frequency,
            "monetary_value": self.data["monetary_value"] if monetary_value is None else monetary_value,
        }
        return answer(self.model_.expected_spend(frame_of(**given)), **given)

    def customer_lifetime_value(
        self,
        transaction_prediction_model: Any,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        monetary_value: ArrayLike,
        time: int = 12,
        discount_rate: float = 0.01,
        freq: str = "D",
    ) -> pd.Series:
        """Spend of the next ``time`` months, discounted at the end of each by a rate per month.

        Raises
        ------
        SettingsError
            For a ``freq`` other than W, M, D or H.
        """
        if freq not in PERIODS_IN_MONTH:
            raise SettingsError(f"freq: expected one of {', '.join(PERIODS_IN_MONTH)}, got {freq!r}")
        spend = np.atleast_1d(self.conditional_expected_average_profit(frequency, monetary_value))
        total, before = np.zeros(spend.size), np.zeros(spend.size)
        for month in range(1, time + 1):
            until = month * PERIODS_IN_MONTH[freq]
            after = np.atleast_1d(transaction_prediction_model.predict(until, frequency, recency, T))
            total += spend * (after - before) / (1 + discount_rate) ** month
            before = after
        return pd.Series(total, index=getattr(frequency, "index", None), name="clv")
