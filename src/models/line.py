"""A line through standardised columns, for who leaves."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from .validation import FloatArray


class Line(NamedTuple):
    """Logistic regression on standardised columns."""

    columns: tuple[str, ...]
    mean: FloatArray
    scale: FloatArray
    slopes: FloatArray
    intercept: float

    @classmethod
    def fit(cls, frame: pd.DataFrame, churned: FloatArray) -> Self:
        """Fit, with slopes slightly shrunk."""
        scaler = StandardScaler().fit(frame)
        curve = LogisticRegression(C=0.3).fit(scaler.transform(frame), churned)
        return cls(tuple(frame), scaler.mean_, scaler.scale_, curve.coef_[0], float(curve.intercept_[0]))

    def log_odds(self, frame: pd.DataFrame) -> FloatArray:
        """Log-odds of leaving, one a row."""
        scaled = (frame[list(self.columns)].to_numpy("float64") - self.mean) / self.scale
        return np.asarray(scaled @ self.slopes + self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        numbers = {name: getattr(self, name).tolist() for name in ("mean", "scale", "slopes")}
        return {"columns": list(self.columns), "intercept": self.intercept} | numbers

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Self:
        """What `to_dict` wrote."""
        mean, scale, slopes = (np.array(said[name]) for name in ("mean", "scale", "slopes"))
        return cls(tuple(said["columns"]), mean, scale, slopes, said["intercept"])
