"""What a contact changes for each customer: a cross-fitted doubly robust learner.

Kennedy (2023), "Towards optimal doubly robust estimation of heterogeneous causal effects", Electronic Journal of
Statistics 17 (2), 3008-3049: outcomes are predicted from other folds, each customer's score is the prediction plus
the error weighed by one over the probability of the arm (Robins, Rotnitzky & Zhao 1994), and the differences of scores
are regressed on what was known before. Scores are right on average if either the predictions or the probabilities are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import xgboost
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ..models.trees import AMOUNT, SQUARE, threads
from ..models.validation import FloatArray, IntArray
from .arms import FOLDS, Arms
from .effect_order import TREES, Design, Members, Order, Seen

OUTCOME_TREES = TREES | {"max_depth": 3, "min_child_weight": 20.0, "reg_lambda": 1.0}
OUTCOME_ROUNDS, SPREAD_ROUNDS = 60, 40
LEAST_SPREAD = 0.1
"""Share of the mean variance under which no customer's outcome is taken to be surer."""


class Uplift(NamedTuple):
    """Effects of arms on customers, fitted.

    Attributes
    ----------
    names : of the arms, without the control group.
    design : how customers are seen.
    means : mean effect of each arm.
    orders : one an arm.
    """

    names: tuple[str, ...]
    design: Design
    means: tuple[float, ...]
    orders: tuple[Order, ...]

    def predict(self, features: pd.DataFrame) -> FloatArray:
        """Effect of each arm on each customer, shape (customers, arms); columns as learned, categories may be new."""
        features = features[list(self.design.encoder.columns)]
        seen, types = Seen.by(self.design, features), self.design.encoder.types()
        each = zip(self.means, self.orders, strict=True)
        return np.column_stack([mean + order.effects(seen, types) for mean, order in each])

    def pack(self) -> tuple[dict[str, Any], list[bytes]]:
        """Parameters, for JSON, and the trees, as XGBoost's own UBJ."""
        orders = [
            {
                "apart": order.apart,
                "shift": order.members.shift,
                **{name: getattr(order.members, name).tolist() for name in ("slopes", "centre", "spread")},
            }
            for order in self.orders
        ]
        said = {"names": list(self.names), "design": self.design.to_dict(), "means": list(self.means), "orders": orders}
        return said, [bytes(order.members.booster.save_raw("ubj")) for order in self.orders]

    @classmethod
    def unpack(cls, said: dict[str, Any], trees: Sequence[bytes]) -> Self:
        """What `pack` packed."""
        orders = [
            Order(
                Members(
                    np.array(each["slopes"]),
                    each["shift"],
                    xgboost.Booster(model_file=bytearray(raw)),
                    np.array(each["centre"]),
                    np.array(each["spread"]),
                ),
                each["apart"],
            )
            for each, raw in zip(said["orders"], trees, strict=True)
        ]
        return cls(tuple(said["names"]), Design.from_dict(said["design"]), tuple(said["means"]), tuple(orders))


@dataclass(frozen=True)
class Learned:
    """What was learned of customers in arms.

    Attributes
    ----------
    model : for customers to come.
    effects : of each arm on each customer, shape (n, arms without control); each learned without the customer's fold,
        the mean effect aside, which is that of all.
    scores : outcome in each arm, noisy and right on average, shape (n, arms); see `scores_of`.
    widen : factor on the errors of what depends on the order of all customers, of each arm, from 1 to √2. Folds are
        not independent: one is told by what was learned from the others, and they by what was learned from it. Of an
        order that is all noise, every pair of folds so counts twice, and the variance with it; of one that is part
        noise, that part does.
    """

    model: Uplift
    effects: FloatArray
    scores: FloatArray
    widen: tuple[float, ...]


def learn(features: pd.DataFrame, arms: Arms) -> Learned:
    """Learn who gains how much.

    Parameters
    ----------
    features : of the customers in `arms`, in their order: `features.iloc[arms.rows]` of what was arranged.
    arms : see `arms.arrange`.
    """
    # Threads that wait for each other on a busy machine take longer than what they share.
    with threadpool_limits(threads(features.size) or None, "openmp"):
        return _learned(features, arms)


def _learned(features: pd.DataFrame, arms: Arms) -> Learned:
    design = Design.of(features)
    seen, types = Seen.by(design, features), design.encoder.types()
    expected, variance = _outcomes(seen.trees, types, arms)
    scores = scores_of(arms, expected)
    effects, orders, means, widen = np.empty((len(scores), scores.shape[1] - 1)), [], [], []
    for arm in range(1, scores.shape[1]):
        single, weight = scores[:, arm] - scores[:, 0], _precision(arms.propensity[:, [0, arm]], variance)
        means.append(float(single.mean()))
        for number in range(FOLDS):
            own, others = np.flatnonzero(arms.fold == number), np.flatnonzero(arms.fold != number)
            order = Order.fit(seen.take(others), types, single[others], weight[others])
            effects[own, arm - 1] = means[-1] + order.effects(seen.take(own), types)
        orders.append(Order.fit(seen, types, single, weight))
        widen.append(float(np.sqrt(1 + _noise(seen, types, single, weight, arms.fold))))
    return Learned(Uplift(arms.names[1:], design, tuple(means), tuple(orders)), effects, scores, tuple(widen))


def _noise(seen: Seen, types: list[str], single: FloatArray, weight: FloatArray, fold: IntArray) -> float:
    """Share of the variance of effects learned on four folds that is noise.

    From how alike those are that were learned on two folds and on two others (Spearman 1910; Brown 1910).
    """
    halves = [np.flatnonzero(np.isin(fold, pair)) for pair in ((0, 1), (2, 3))]
    orders = [Members.fit(seen.take(rows), types, single[rows], weight[rows]).order(seen, types) for rows in halves]
    spread = float(np.prod([order.std() for order in orders]))
    alike = float(np.mean(orders[0] * orders[1]) - np.mean(orders[0]) * np.mean(orders[1])) / spread if spread else 0.0
    alike = min(max(alike, 0.0), 1.0)
    return (1 - alike) / (1 + alike)


def scores_of(arms: Arms, expected: FloatArray | None = None) -> FloatArray:
    """Outcome of each customer in each arm, noisy and right on average.

    The prediction, plus, for the arm that the customer is in, its error over the probability of that arm. Weights of an
    arm are brought to mean 1 (Hájek 1971), so that a few improbable customers cannot move its level at will.

    Parameters
    ----------
    arms : customers.
    expected : outcome predicted in each arm without the customer, shape (n, arms). If not given, the weighted mean of
        the arm, and the mean score is the estimate of Hájek.

    Returns
    -------
    Shape (n, arms).
    """
    inside = arms.arm[:, None] == np.arange(len(arms.names))
    weight = inside / arms.propensity
    weight = weight / weight.mean(axis=0)
    if expected is None:
        expected = np.tile((weight * arms.outcome[:, None]).mean(axis=0), (len(weight), 1))
    return np.asarray(expected + weight * (arms.outcome[:, None] - expected))


def _outcomes(trees: FloatArray, types: list[str], arms: Arms) -> tuple[FloatArray, FloatArray]:
    """Outcome expected in each arm, shape (n, arms), and the variance around it, shape (n,), both from other folds.

    The arm is a column like the others, on top of its mean: an arm of few customers keeps little more than that.
    """
    count = len(arms.names)
    types = [*types, "c"]
    expected, variance = np.empty((len(trees), count)), np.empty(len(trees))
    for number in range(FOLDS):
        own, others = np.flatnonzero(arms.fold == number), np.flatnonzero(arms.fold != number)
        level = _means(arms, others)
        settings = OUTCOME_TREES | {"objective": SQUARE}
        grown = _grow(
            _with(trees[others], arms.arm[others], types, level), arms.outcome[others], settings, OUTCOME_ROUNDS
        )
        for arm in range(count):
            matrix = _with(trees[own], np.full(len(own), arm), types, level)
            expected[own, arm] = grown.predict(matrix)
    error = (arms.outcome - expected[np.arange(len(trees)), arms.arm]) ** 2
    unit = float(error.mean()) or 1.0
    for number in range(FOLDS):
        own, others = arms.fold == number, arms.fold != number
        settings = OUTCOME_TREES | {"objective": AMOUNT, "tweedie_variance_power": 1.5, "base_score": 1.0}
        grown = _grow(_plain(trees[others], types[:-1]), error[others] / unit, settings, SPREAD_ROUNDS)
        variance[own] = unit * grown.predict(_plain(trees[own], types[:-1]))
    return expected, variance


def _means(arms: Arms, rows: IntArray) -> FloatArray:
    """Weighted mean outcome of each arm among some rows."""
    weight, arm = arms.weight[rows], arms.arm[rows]
    total = np.bincount(arm, weights=weight * arms.outcome[rows], minlength=len(arms.names))
    return np.asarray(total / np.bincount(arm, weights=weight, minlength=len(arms.names)))


def _precision(propensity: FloatArray, variance: FloatArray) -> FloatArray:
    """How much the single effect of each customer says: one over its variance, with mean 1."""
    noise = np.maximum(variance, LEAST_SPREAD * variance.mean()) * (1 / propensity).sum(axis=1)
    if not noise.all():
        return np.ones(len(noise))
    return np.asarray(noise.mean() / noise / np.mean(noise.mean() / noise))


def _grow(matrix: xgboost.DMatrix, target: FloatArray, settings: dict[str, object], rounds: int) -> xgboost.Booster:
    matrix.set_label(target)
    nthread = threads(matrix.num_row() * matrix.num_col())
    return xgboost.train(settings | {"nthread": nthread}, matrix, num_boost_round=rounds)


def _with(trees: FloatArray, arm: IntArray, types: list[str], level: FloatArray) -> xgboost.DMatrix:
    """Customers with their arm, starting from its mean."""
    matrix = _plain(np.column_stack([trees, arm]), types)
    matrix.set_base_margin(level[arm])
    return matrix


def _plain(columns: FloatArray, types: list[str]) -> xgboost.DMatrix:
    return xgboost.DMatrix(columns, feature_types=types, enable_categorical=True, nthread=threads(columns.size))
