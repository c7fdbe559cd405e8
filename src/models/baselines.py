"""The rules that a model has to beat."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from .churn import FloatArray, stack


class DaysSinceLast(BaseEstimator):  # type: ignore[misc]
    """Churn from the days since the last purchase alone.

    The rule that every retailer has: the longer the silence, the likelier the end. A logistic curve over the
    logarithm of the days turns it into a probability, so that it can be held against the models'.
    """

    def fit(self, frames: Sequence[pd.DataFrame], churned: Sequence[pd.Series]) -> Self:
        """Learn the curve; arguments as in `ChurnModel.fit`, of which only `days_since_last` is looked at."""
        features, labels = stack(frames, churned)
        self.curve_ = LogisticRegression(C=1e6).fit(self._logarithm(features), labels)
        return self

    @classmethod
    def of(cls, intercept: float, slope: float) -> Self:
        """The curve of two `parameters`."""
        model = cls()
        model.curve_ = LogisticRegression()
        model.curve_.classes_ = np.array([0.0, 1.0])
        model.curve_.intercept_, model.curve_.coef_ = np.array([intercept]), np.array([[slope]])
        return model

    def parameters(self) -> tuple[float, float]:
        """Intercept and slope of the curve, in log-odds and per logarithm of days."""
        check_is_fitted(self, "curve_")
        return float(self.curve_.intercept_[0]), float(self.curve_.coef_[0, 0])

    def predict(self, frame: pd.DataFrame) -> FloatArray:
        """Probability of no purchase in the horizon, one a row of `frame`."""
        check_is_fitted(self, "curve_")
        return np.asarray(self.curve_.predict_proba(self._logarithm(frame))[:, 1], dtype="float64")

    @staticmethod
    def _logarithm(frame: pd.DataFrame) -> FloatArray:
        return np.asarray(np.log(frame[["days_since_last"]].to_numpy()), dtype="float64")


def rate_so_far(histories: pd.DataFrame, horizon_days: int) -> FloatArray:
    """Repeat purchases expected in the horizon if everyone goes on at the rate so far, x · h / T."""
    return np.asarray(histories["frequency"] * horizon_days / histories["T"], dtype="float64")
