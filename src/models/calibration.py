"""Probabilities that come true as often as they say: beta or isotonic calibration where it helps unseen customers."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from .btyd_features import log_odds
from .groups import REACH
from .validation import FloatArray, IntArray

FOLDS = 5
NONE, BETA, ISOTONIC = "none", "beta", "isotonic"
FEWEST = 200
"""Customers from which on a curve is thought of; isotonic steps need `FEWEST_STEPS`."""

FEWEST_STEPS = 1000


class Curve(NamedTuple):
    """A curve from probability to probability.

    Attributes
    ----------
    kind : `NONE`, `BETA` (Kull, Silva Filho & Flach 2017: a ln p - b ln(1 - p) + c) or `ISOTONIC`.
    at, values : a, b, c in `values` if beta; the corners of the steps if isotonic.
    """

    kind: str = NONE
    at: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    @classmethod
    def fit(cls, kind: str, probability: FloatArray, churned: FloatArray) -> Self:
        """Fit a curve of one kind; arrays of shape (customers,)."""
        if kind == BETA:
            return cls(BETA, (), tuple(_beta(probability, churned).tolist()))
        if kind == ISOTONIC:
            steps = IsotonicRegression(out_of_bounds="clip").fit(probability, churned)
            return cls(ISOTONIC, tuple(steps.X_thresholds_.tolist()), tuple(steps.y_thresholds_.tolist()))
        return cls()

    def __call__(self, probability: FloatArray) -> FloatArray:
        """Calibrated probability, same shape."""
        if self.kind == BETA:
            a, b, c = self.values
            p = np.clip(probability, 1e-9, 1 - 1e-9)
            return np.asarray(expit(a * np.log(p) - b * np.log1p(-p) + c))
        if self.kind == ISOTONIC:
            # The least bit of slope keeps the order within a step.
            steps = np.interp(probability, self.at, self.values)
            return np.asarray(np.clip(steps + 1e-6 * (probability - 0.5), 1e-4, 1 - 1e-4))
        return probability

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return self._asdict()

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Self:
        """What `to_dict` wrote."""
        return cls(said["kind"], tuple(said["at"]), tuple(said["values"]))


def choose(probability: FloatArray, churned: FloatArray, seed: int = 7) -> Curve:
    """The curve with the least log loss on customers that it was not fitted to; none unless one is clearly better.

    Parameters
    ----------
    probability : of customers and dates that the model did not learn from, shape (customers,).
    churned : 1 for who left.
    seed : of the folds.

    Returns
    -------
    Fitted to all.
    """
    kinds = [kind for kind, least in ((BETA, FEWEST), (ISOTONIC, FEWEST_STEPS)) if len(churned) >= least]
    if not kinds or churned.min() == churned.max():
        return Curve()
    folds = np.random.default_rng(seed).permutation(len(churned)) % FOLDS
    plain = losses(probability, churned)
    best, gained = NONE, 0.0
    for kind in kinds:
        gains = np.subtract(plain, losses(_held_out(kind, probability, churned, folds), churned))
        # Better beyond the 90 % error over customers.
        if (gain := float(gains.mean() - REACH * gains.std() / np.sqrt(len(gains)))) > gained:
            best, gained = kind, gain
    return Curve.fit(best, probability, churned)


def losses(probability: FloatArray, churned: FloatArray) -> FloatArray:
    """Log loss of each customer."""
    odds = log_odds(probability)
    return np.asarray(np.logaddexp(0, odds) - churned * odds)


def _held_out(kind: str, probability: FloatArray, churned: FloatArray, folds: IntArray) -> FloatArray:
    result = np.empty(len(churned))
    for fold in range(FOLDS):
        inside = folds == fold
        result[inside] = Curve.fit(kind, probability[~inside], churned[~inside])(probability[inside])
    return result


def _beta(probability: FloatArray, churned: FloatArray) -> FloatArray:
    p = np.clip(probability, 1e-9, 1 - 1e-9)
    design = np.column_stack([np.log(p), -np.log1p(-p), np.ones(len(p))])

    def objective(z: FloatArray) -> tuple[float, FloatArray]:
        odds = design @ z
        return float(np.sum(np.logaddexp(0, odds) - churned * odds)), design.T @ (expit(odds) - churned)

    bounds = [(0, None), (0, None), (None, None)]
    return np.asarray(minimize(objective, [1.0, 1.0, 0.0], jac=True, method="L-BFGS-B", bounds=bounds).x)
