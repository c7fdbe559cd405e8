"""Ways to learn what customers spend, on boosted trees: Tweedie, hurdle, zero-inflated lognormal, logarithm.

Each is fitted to features and money and gives the mean, so that they can be held against each other.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import xgboost
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..errors import DataError
from .trees import AMOUNT, CHURN, COUNT, POSITIVE, SETTINGS, SQUARE, Bins, Encoder, Grown, Rows, threads
from .validation import FloatArray

LOWEST_SPREAD, HIGHEST_SPREAD = 0.05, 3.0
"""Of the logarithm of spend: beyond, its mean is no number that anyone would believe."""


class Regressor(BaseEstimator):  # type: ignore[misc]
    """Mean of an amount that is often nothing.

    Parameters
    ----------
    rounds : number of trees.
    device : as XGBoost calls it.

    Attributes
    ----------
    encoder_ : columns and categories.
    unit_ : mean of the amounts learned, in which trees count.
    """

    _says: ClassVar[str]

    def __init__(self, *, rounds: int = 50, device: str = "cpu") -> None:
        self.rounds = rounds
        self.device = device

    def fit(self, features: pd.DataFrame, amount: FloatArray) -> Self:
        """Learn.

        Parameters
        ----------
        features : in a total order; numbers and categories, missing allowed.
        amount : shape (rows,); below nothing counts as nothing.

        Raises
        ------
        DataError
            If no amount is above nothing.
        """
        positive = np.maximum(np.asarray(amount, dtype="float64"), 0.0)
        if not positive.any():
            raise DataError(f"{self._says} cannot be learned: nobody spent anything; lengthen horizon_days")
        self.encoder_ = Encoder.of(features)
        self.unit_ = float(positive.mean())
        self._grow(Bins(features, self.encoder_, self.device), features, positive / self.unit_)
        return self

    def predict(self, features: pd.DataFrame) -> FloatArray:
        """Expected amount, one a row, none below 0."""
        check_is_fitted(self, "encoder_")
        return np.maximum(self._mean(Rows(features, self.encoder_), features), 0.0) * self.unit_

    @abstractmethod
    def _grow(self, bins: Bins, features: pd.DataFrame, amount: FloatArray) -> None:
        """Grow trees for amounts whose mean is 1."""

    @abstractmethod
    def _mean(self, rows: Rows, features: pd.DataFrame) -> FloatArray:
        """Means, in units."""


class Tweedie(Regressor):
    """Compound Poisson: many a small amount, many a nothing."""

    _says = "a Tweedie model"

    def _grow(self, bins: Bins, features: pd.DataFrame, amount: FloatArray) -> None:
        self.grown_ = bins.grow(AMOUNT, amount, self.rounds)

    def _mean(self, rows: Rows, features: pd.DataFrame) -> FloatArray:
        return np.exp(rows.sums(self.grown_))


class Counts(Regressor):
    """Poisson: purchase days."""

    _says = "a model of counts"

    def _grow(self, bins: Bins, features: pd.DataFrame, amount: FloatArray) -> None:
        self.grown_ = bins.grow(COUNT, amount, self.rounds)

    def _mean(self, rows: Rows, features: pd.DataFrame) -> FloatArray:
        return np.exp(rows.sums(self.grown_))


class Hurdle(Regressor):
    """Probability of any spend, times what is spent if any (Cragg 1971)."""

    _says = "a hurdle model"

    def _grow(self, bins: Bins, features: pd.DataFrame, amount: FloatArray) -> None:
        some = (amount > 0).astype("float64")
        self.any_ = bins.grow(CHURN, some, self.rounds)
        self.if_any_ = bins.grow(POSITIVE, np.where(some > 0, amount, 1.0), self.rounds, weight=some)

    def _mean(self, rows: Rows, features: pd.DataFrame) -> FloatArray:
        return expit(rows.sums(self.any_)) * np.exp(rows.sums(self.if_any_))


class LogSquare(Regressor):
    """Squared error on the logarithm, its mean brought back by the ratio that held where it learned (Duan 1983)."""

    _says = "a model of the logarithm"

    def _grow(self, bins: Bins, features: pd.DataFrame, amount: FloatArray) -> None:
        self.grown_ = bins.grow(SQUARE, np.log1p(amount), self.rounds)
        back = np.expm1(Rows(features, self.encoder_).sums(self.grown_))
        self.smear_ = float(amount.mean() / max(float(np.maximum(back, 0.0).mean()), 1e-9))

    def _mean(self, rows: Rows, features: pd.DataFrame) -> FloatArray:
        return np.expm1(rows.sums(self.grown_)) * self.smear_


class ZeroInflatedLognormal(Regressor):
    """Nothing, or a lognormal amount, with trees for the chance, the mean and the spread of the logarithm together.

    Wang, Liu & Miao (2019), "A Deep Probabilistic Model for Customer Lifetime Value Prediction".
    """

    _says = "a zero-inflated lognormal model"

    def _grow(self, bins: Bins, features: pd.DataFrame, amount: FloatArray) -> None:
        matrix = xgboost.QuantileDMatrix(
            self.encoder_.numbers(features),
            label=amount,
            feature_names=list(self.encoder_.columns),
            feature_types=self.encoder_.types(),
            enable_categorical=True,
            max_bin=SETTINGS["max_bin"],
        )
        self.start_ = ziln_start(amount)
        matrix.set_base_margin(np.tile(self.start_, (len(amount), 1)))
        settings = SETTINGS | {
            "num_class": 3,
            "objective": "multi:softprob",
            "disable_default_eval_metric": True,
            "device": self.device,
            "nthread": threads(features.size),
            "min_child_weight": 1.0,
        }

        def objective(sums: FloatArray, data: xgboost.DMatrix) -> tuple[FloatArray, FloatArray]:
            return ziln_gradient(np.asarray(sums, dtype="float64").reshape(-1, 3), data.get_label().astype("float64"))

        booster = xgboost.train(settings, matrix, num_boost_round=self.rounds, obj=objective)
        self.grown_ = Grown(booster, "multi:softprob", 0.0)

    def _mean(self, rows: Rows, features: pd.DataFrame) -> FloatArray:
        return ziln_mean(rows.sums(self.grown_, np.tile(self.start_, (len(features), 1))).reshape(-1, 3))


def ziln_loss(logits: FloatArray, amount: FloatArray) -> FloatArray:
    """Loss of the chance, the mean and the raw spread of the logarithm of each amount.

    Parameters
    ----------
    logits : shape (n, 3): log-odds of any amount, mean of its logarithm, spread before softplus.
    amount : shape (n,), not below 0.

    Examples
    --------
    >>> ziln_loss(np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]), np.array([0.0, 1.5])).round(7).tolist()
    [0.7443967, 1.8783726]
    """
    some = amount > 0
    chance = np.logaddexp(0, logits[:, 0]) - some * logits[:, 0]
    spread = np.logaddexp(0, logits[:, 2])
    logs = np.log(np.where(some, amount, 1.0))
    normal = logs + np.log(spread) + 0.5 * np.log(2 * np.pi) + (logs - logits[:, 1]) ** 2 / (2 * spread**2)
    return np.asarray(chance + some * normal)


def ziln_mean(logits: FloatArray) -> FloatArray:
    """Mean of the amounts; columns as in `ziln_loss`.

    Examples
    --------
    >>> ziln_mean(np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])).round(7).tolist()
    [0.9236379, 1.6907553]
    """
    spread = np.clip(np.logaddexp(0, logits[:, 2]), LOWEST_SPREAD, HIGHEST_SPREAD)
    return np.asarray(expit(logits[:, 0]) * np.exp(logits[:, 1] + spread**2 / 2))


def ziln_gradient(logits: FloatArray, amount: FloatArray) -> tuple[FloatArray, FloatArray]:
    """First derivative of `ziln_loss` in its logits, and a positive stand-in for the second; shape (n, 3) each."""
    some = (amount > 0).astype("float64")
    chance, spread = expit(logits[:, 0]), np.maximum(np.logaddexp(0, logits[:, 2]), LOWEST_SPREAD)
    slope = expit(logits[:, 2])
    away = np.log(np.where(amount > 0, amount, 1.0)) - logits[:, 1]
    by_spread = 1 / spread - away**2 / spread**3
    gradient = np.column_stack([chance - some, -some * away / spread**2, some * by_spread * slope])
    # Fisher information, which is never negative.
    curvature = np.column_stack([chance * (1 - chance), some / spread**2, some * 2 * slope**2 / spread**2])
    return gradient, np.maximum(curvature, 1e-3)


def ziln_start(amount: FloatArray) -> FloatArray:
    """Logits that fit all amounts as one."""
    logs = np.log(amount[amount > 0])
    share = float(np.clip(np.mean(amount > 0), 1e-3, 1 - 1e-3))
    spread = float(np.clip(logs.std(), 0.1, HIGHEST_SPREAD))
    return np.array([np.log(share / (1 - share)), logs.mean(), np.log(np.expm1(spread))])
