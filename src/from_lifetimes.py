"""The names and signatures of the package ``lifetimes`` over this package's models: moving is a change of import.

Write ``from loyalty.from_lifetimes import BetaGeoFitter`` where ``from lifetimes import BetaGeoFitter`` stood. Times
are in whatever unit they are given. After `fit` the model behind is at ``model_``, with standard errors and intervals.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .errors import SettingsError
from .models.base import BTYDModel
from .models.bgbb import BGBB
from .models.bgnbd import BGNBD
from .models.gamma_gamma import GammaGamma
from .models.likelihood import LikelihoodModel
from .models.mbgnbd import MBGNBD
from .models.pareto_nbd import ParetoNBD
from .models.validation import FloatArray

__all__ = ["BetaGeoBetaBinomFitter", "BetaGeoFitter", "GammaGammaFitter", "ModifiedBetaGeoFitter", "ParetoNBDFitter"]

PERIODS_IN_MONTH = {"W": 4.345, "M": 1.0, "D": 30.0, "H": 720.0}
"""How many units of time `GammaGammaFitter.customer_lifetime_value` takes for a month, as lifetimes does."""


class _Fitter(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What all fitters share.

    Parameters
    ----------
    penalizer_coef : float, default 0
        Only 0: a penalty pulls the parameters to zero (.001 halves a and b), and no fit here needs one.

    Attributes
    ----------
    model_ : the fitted model.
    params_ : Series of its parameters.

    Raises
    ------
    SettingsError
        For any other penalty.
    """

    _model: ClassVar[type[LikelihoodModel]]

    def __init__(self, penalizer_coef: float = 0.0) -> None:
        if penalizer_coef:
            raise SettingsError(
                f"penalizer_coef: expected 0, got {penalizer_coef!r}: a penalty pulls the estimates to zero, and the "
                "fit needs none; leave it out"
            )
        self.penalizer_coef = penalizer_coef

    def _fit(self, histories: pd.DataFrame, weights: ArrayLike | None) -> Self:
        if weights is not None:
            histories = histories.assign(weight=np.asarray(weights, dtype="float64"))
        self.model_: Any = self._model().fit(histories)
        self.params_ = self.model_.params_
        return self

    @property
    def summary(self) -> pd.DataFrame:
        """Estimates with standard errors and 95 % bounds, named as in lifetimes."""
        check_is_fitted(self, "model_")
        error = self.model_.standard_errors_
        bounds = {"lower 95% bound": self.params_ - 1.96 * error, "upper 95% bound": self.params_ + 1.96 * error}
        return pd.DataFrame({"coef": self.params_, "se(coef)": error} | bounds)


class _PurchaseFitter(_Fitter):
    """A fitter of how often customers buy, in continuous time."""

    _model: ClassVar[type[BTYDModel]]

    def fit(
        self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None, **ignored: Any
    ) -> Self:
        """Fit by maximum likelihood; what else lifetimes accepts (``initial_params``, ``tol`` …) is not needed."""
        return self._fit(_histories(frequency, recency, T), weights)

    def conditional_expected_number_of_purchases_up_to_time(
        self, t: float, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike
    ) -> FloatArray:
        """Expected purchases in the t after T, shape (n,)."""
        check_is_fitted(self, "model_")
        expected: FloatArray = self.model_.expected_purchases(_histories(frequency, recency, T), horizon_days=float(t))
        return expected

    predict = conditional_expected_number_of_purchases_up_to_time

    def conditional_probability_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> FloatArray:
        """P(alive) at T, shape (n,)."""
        check_is_fitted(self, "model_")
        alive: FloatArray = self.model_.probability_alive(_histories(frequency, recency, T))
        return alive

    def expected_number_of_purchases_up_to_time(self, t: ArrayLike) -> FloatArray:
        """Repeat purchases of a new customer in the first t, one value for each t."""
        check_is_fitted(self, "model_")
        expected: FloatArray = self.model_.expected_purchases_of_new_customer(t)
        return expected

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


class BetaGeoBetaBinomFitter(_Fitter):
    """BG/BB, see `loyalty.models.bgbb.BGBB`; ``n_periods`` are opportunities to buy."""

    _model = BGBB

    def fit(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        n_periods: ArrayLike,
        weights: ArrayLike | None = None,
        **ignored: Any,
    ) -> Self:
        """Fit by maximum likelihood."""
        return self._fit(_opportunities(frequency, recency, n_periods), weights)

    def conditional_expected_number_of_purchases_up_to_time(
        self, m_periods_in_future: float, frequency: ArrayLike, recency: ArrayLike, n_periods: ArrayLike
    ) -> FloatArray:
        """Expected purchases at the next m opportunities, shape (n,)."""
        check_is_fitted(self, "model_")
        histories = _opportunities(frequency, recency, n_periods)
        expected: FloatArray = self.model_.expected_purchases(histories, horizon_days=float(m_periods_in_future))
        return expected

    predict = conditional_expected_number_of_purchases_up_to_time

    def conditional_probability_alive(
        self, m_periods_in_future: float, frequency: ArrayLike, recency: ArrayLike, n_periods: ArrayLike
    ) -> FloatArray:
        """P(alive) m opportunities ahead, shape (n,)."""
        check_is_fitted(self, "model_")
        histories = _opportunities(frequency, recency, n_periods)
        alive: FloatArray = self.model_.probability_alive(histories, horizon_days=float(m_periods_in_future))
        return alive

    def expected_number_of_transactions_in_first_n_periods(self, n: ArrayLike) -> FloatArray:
        """Purchases of a new customer at the first n opportunities, one value for each n."""
        check_is_fitted(self, "model_")
        expected: FloatArray = self.model_.expected_purchases_of_new_customer(n)
        return expected


class GammaGammaFitter(_Fitter):
    """Gamma-Gamma, see `loyalty.models.gamma_gamma.GammaGamma`."""

    _model = GammaGamma

    def fit(
        self, frequency: ArrayLike, monetary_value: ArrayLike, weights: ArrayLike | None = None, **ignored: Any
    ) -> Self:
        """Fit by maximum likelihood to repeat buyers."""
        return self._fit(_spend(frequency, monetary_value), weights)

    def conditional_expected_average_profit(self, frequency: ArrayLike, monetary_value: ArrayLike) -> FloatArray:
        """Expected spend per purchase of each customer, shape (n,)."""
        check_is_fitted(self, "model_")
        spend: FloatArray = self.model_.expected_spend(_spend(frequency, monetary_value))
        return spend

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
        spend = self.conditional_expected_average_profit(frequency, monetary_value)
        total, before = np.zeros(spend.size), np.zeros(spend.size)
        for month in range(1, time + 1):
            until = month * PERIODS_IN_MONTH[freq]
            after = np.asarray(transaction_prediction_model.predict(until, frequency, recency, T), dtype="float64")
            total += spend * (after - before) / (1 + discount_rate) ** month
            before = after
        return pd.Series(total, index=getattr(frequency, "index", None), name="clv")


def _histories(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> pd.DataFrame:
    return _frame(frequency=frequency, recency=recency, T=T)


def _opportunities(frequency: ArrayLike, recency: ArrayLike, n_periods: ArrayLike) -> pd.DataFrame:
    return _frame(frequency=frequency, recency=recency, n_periods=n_periods)


def _spend(frequency: ArrayLike, monetary_value: ArrayLike) -> pd.DataFrame:
    return _frame(frequency=frequency, monetary_value=monetary_value)


def _frame(**columns: ArrayLike) -> pd.DataFrame:
    """One row a customer, numbers and series alike, in the order given."""
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(values)) for values in columns.values()))
    return pd.DataFrame(dict(zip(columns, arrays, strict=True)))
