r"""The effect on the contacted by a second method: lines with boosted trees for who was contacted and what was bought.

Augmented inverse-probability weighting for the effect on the treated, with cross-fitting (Chernozhukov et al. 2018,
Econometrics Journal 21 (1), C1-C68, sec. 5.2):

.. math:: \tau = \frac1{n_T} \sum_i D_i (Y_i - \hat m(X_i)) - \sum_i \frac{(1 - D_i)\,o_i}{\sum_j (1 - D_j)\,o_j}
    (Y_i - \hat m(X_i)), \qquad o_i = \frac{\hat p(X_i)}{1 - \hat p(X_i)},

where no customer's own outcome is in the models that judge it. It is right if either model is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import xgboost
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ..models.trees import threads
from .event_study import Estimates
from .panel import BoolArray, FloatArray, IntArray

FOLDS = 5
CLIP = 0.01
"""Propensities are kept between this and 1 - 5 times this."""

Learners = tuple[Callable[[], Any], Callable[[], Any]]
"""Makers of a classifier for who was contacted, and of a regressor for what the others did."""

_TREES: dict[str, Any] = {
    "n_estimators": 40,
    "max_depth": 3,
    "learning_rate": 0.08,
    "min_child_weight": 10,
    "subsample": 0.8,
    "tree_method": "hist",
    "random_state": 1,
    "n_jobs": 1,
}


class _Classifier:
    """A logistic regression, and shallow trees for what it misses: trees alone are flat at the edges."""

    def fit(self, features: FloatArray, treated: BoolArray) -> Self:
        self._line = linear()[0]().fit(features, treated)
        margin = self._line.decision_function(features)
        self._trees = xgboost.XGBClassifier(**_TREES).fit(features, treated, base_margin=margin)
        return self

    def predict_proba(self, features: FloatArray) -> FloatArray:
        margin = self._line.decision_function(features)
        return np.asarray(self._trees.predict_proba(features, base_margin=margin), dtype=np.float64)


class _Regressor:
    """A ridge regression, and shallow trees for what it misses."""

    def fit(self, features: FloatArray, outcome: FloatArray) -> Self:
        self._line = linear()[1]().fit(features, outcome)
        self._trees = xgboost.XGBRegressor(**_TREES).fit(features, outcome - self._line.predict(features))
        return self

    def predict(self, features: FloatArray) -> FloatArray:
        return np.asarray(self._line.predict(features) + self._trees.predict(features), dtype=np.float64)


def boosted() -> Learners:
    """Lines, with shallow trees for what they miss."""
    return _Classifier, _Regressor


def linear() -> Learners:
    """A logistic regression and a ridge regression."""
    return (
        lambda: make_pipeline(StandardScaler(), LogisticRegression(C=1.0, solver="newton-cholesky")),
        lambda: make_pipeline(StandardScaler(), RidgeCV(np.geomspace(0.1, 1000, 9))),
    )


def cross_fitted(
    features: FloatArray, treated: BoolArray, outcome: FloatArray, *, learners: Learners | None = None, seed: int = 1
) -> Estimates:
    """The effect on the contacted of one campaign.

    Parameters
    ----------
    features : known before the campaign, shape (n, p).
    treated : who was contacted, shape (n,).
    outcome : shape (n,).
    learners : see `boosted`, which they are if not given, and `linear`.
    seed : of the folds.

    Returns
    -------
    One value, and influences of shape (n, 1).
    """
    # Threads that wait for each other on a busy machine take longer than what they share.
    with threadpool_limits(threads(features.size) or None):
        chance, expected = _nuisances(features, treated, outcome, learners or boosted(), _folds(treated, seed))
    chance = np.clip(chance, CLIP, 1 - 5 * CLIP)
    odds = np.where(treated, 0.0, chance / (1 - chance))
    left = outcome - expected
    return _weighted(left, treated, odds / odds.sum())


def _nuisances(
    features: FloatArray, treated: BoolArray, outcome: FloatArray, learners: Learners, fold: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Chance of being contacted, and outcome of who was not, of each fold by models of the others."""
    chance, expected = np.empty(treated.size), np.empty(treated.size)
    classifier, regressor = learners
    for each in range(FOLDS):
        inside, outside = fold != each, fold == each
        chance[outside] = classifier().fit(features[inside], treated[inside]).predict_proba(features[outside])[:, 1]
        others = inside & ~treated
        expected[outside] = regressor().fit(features[others], outcome[others]).predict(features[outside])
    return chance, expected


def _weighted(left: FloatArray, treated: BoolArray, weights: FloatArray) -> Estimates:
    n = int(treated.sum())
    high, low = left[treated].mean(), weights @ left
    influence = np.where(treated, (left - high) / np.sqrt(n * (n - 1)), -weights * (left - low))
    return Estimates(np.array([high - low]), influence[:, None])


def _folds(treated: BoolArray, seed: int) -> IntArray:
    """Folds with as many of both arms in each."""
    rng, fold = np.random.default_rng(seed), np.empty(treated.size, dtype=np.int64)
    for arm in (True, False):
        rows = rng.permutation(np.flatnonzero(treated == arm))
        fold[rows] = np.arange(rows.size) % FOLDS
    return fold
