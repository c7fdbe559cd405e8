"""Who gains more, who less: a line and shallow trees on noisy single effects, drawn towards one effect for all.

What a contact changes is small beside what customers spend anyway. So both are held back strongly, customers whose
outcome says little weigh little, the two have an equal say in the order, and how far effects lie apart is what
customers not learned from confirm: perhaps nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import xgboost

from ..models.trees import Encoder, threads
from ..models.validation import FloatArray, IntArray

KNOTS = 33
RARE = 0.01
"""Share of customers under which a category has no slope of its own."""

PENALTIES = np.logspace(-2, 1.5, 10)
"""Of a slope of standardised ranks, as a share of the customers."""

TREES: dict[str, object] = {
    "tree_method": "hist",
    "objective": "reg:squarederror",
    "max_bin": 64,
    "eta": 0.07,
    "max_depth": 2,
    "min_child_weight": 50.0,
    "reg_lambda": 50.0,
    "subsample": 0.7,
    "colsample_bytree": 0.5,
    "seed": 20180117,
}
ROUNDS = 50
PARTS = 3
"""In which it is found how far effects lie apart."""


class Design(NamedTuple):
    """How a line sees customers: numbers as ranks from -1 to 1, categories one by one, what is missing for itself.

    Attributes
    ----------
    encoder : columns and categories.
    knots : quantiles of each number; for a category the codes that have a slope.
    missing : whether a column lacks values.
    """

    encoder: Encoder
    knots: tuple[FloatArray, ...]
    missing: tuple[bool, ...]

    @classmethod
    def of(cls, features: pd.DataFrame) -> Self:
        """The design of these customers."""
        encoder = Encoder.of(features)
        knots, missing = [], []
        for name, values in zip(encoder.columns, encoder.numbers(features).T, strict=True):
            there = values[np.isfinite(values)]
            if name in encoder.categories:
                counts = np.bincount(there.astype(int), minlength=1)
                knots.append(np.flatnonzero(counts >= max(RARE * len(values), 1.0))[1:].astype("float64"))
            else:
                knots.append(np.unique(np.quantile(there, np.linspace(0, 1, KNOTS))) if len(there) else np.empty(0))
            missing.append(len(there) < len(values))
        return cls(encoder, tuple(knots), tuple(missing))

    def matrix(self, features: pd.DataFrame) -> FloatArray:
        """Shape (customers, slopes)."""
        columns = []
        numbers = self.encoder.numbers(features).T
        for name, values, knots, missing in zip(self.encoder.columns, numbers, self.knots, self.missing, strict=True):
            gone = ~np.isfinite(values)
            if name in self.encoder.categories:
                columns += [(values == code).astype("float64") for code in knots]
            elif len(knots) > 1:
                ranks = np.interp(values, knots, np.linspace(-1, 1, len(knots)))
                columns.append(np.where(gone, 0.0, ranks))
            if missing:
                columns.append(gone.astype("float64"))
        return np.column_stack(columns) if columns else np.zeros((len(features), 1))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "columns": list(self.encoder.columns),
            "categories": self.encoder.categories,
            "knots": [each.tolist() for each in self.knots],
            "missing": list(self.missing),
        }

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Self:
        """What `to_dict` wrote."""
        encoder = Encoder(tuple(said["columns"]), said["categories"])
        return cls(encoder, tuple(np.array(each, dtype="float64") for each in said["knots"]), tuple(said["missing"]))


class Seen(NamedTuple):
    """Customers as the line and as the trees see them."""

    line: FloatArray
    trees: FloatArray

    @classmethod
    def by(cls, design: Design, features: pd.DataFrame) -> Self:
        """Customers through a design."""
        return cls(design.matrix(features), design.encoder.numbers(features))

    def take(self, rows: IntArray) -> Self:
        """Some of them."""
        return type(self)(self.line[rows], self.trees[rows])


class Members(NamedTuple):
    """A line and trees, each brought to mean 0 and spread 1 where it learned.

    Attributes
    ----------
    slopes, shift : of the line.
    booster : the trees.
    centre, spread : of both, shape (2,); a spread of 0 says that one of them found everyone alike.
    """

    slopes: FloatArray
    shift: float
    booster: xgboost.Booster
    centre: FloatArray
    spread: FloatArray

    @classmethod
    def fit(cls, seen: Seen, types: list[str], effect: FloatArray, weight: FloatArray) -> Self:
        """Learn from noisy effects."""
        slopes, shift = ridge(seen.line, effect, weight)
        nthread = threads(seen.trees.size)
        matrix = xgboost.QuantileDMatrix(
            seen.trees, label=effect, weight=weight, feature_types=types, enable_categorical=True,
            max_bin=TREES["max_bin"], nthread=nthread,
        )  # fmt: skip
        settings = TREES | {"base_score": float(np.average(effect, weights=weight)), "nthread": nthread}
        booster = xgboost.train(settings, matrix, num_boost_round=ROUNDS)
        raw = _raw(slopes, shift, booster, seen, types)
        spread = raw.std(axis=0)
        spread[spread < 1e-6 * max(float(effect.std()), 1e-300)] = 0.0
        return cls(slopes, shift, booster, raw.mean(axis=0), spread)

    def order(self, seen: Seen, types: list[str]) -> FloatArray:
        """A number for each customer, the higher the more they gain; all 0 where everyone is alike."""
        raw = _raw(self.slopes, self.shift, self.booster, seen, types) - self.centre
        scaled = np.divide(raw, self.spread, out=np.zeros_like(raw), where=self.spread > 0)
        return np.asarray(scaled.mean(axis=1))


class Order(NamedTuple):
    """Effects of single customers, less the mean effect.

    Attributes
    ----------
    members : who is above and who below.
    apart : what one unit of their order is in the unit of the effect; 0 where held-out customers do not confirm it.
    """

    members: Members
    apart: float

    @classmethod
    def fit(cls, seen: Seen, types: list[str], effect: FloatArray, weight: FloatArray) -> Self:
        """Learn from noisy effects.

        Parameters
        ----------
        seen : the customers.
        types : of the columns, as XGBoost calls them.
        effect : noisy, right on average, shape (n,).
        weight : how much each says, with mean 1.
        """
        order, part = np.zeros(len(effect)), np.arange(len(effect)) % PARTS
        for number in range(PARTS):
            own, others = np.flatnonzero(part == number), np.flatnonzero(part != number)
            members = Members.fit(seen.take(others), types, effect[others], weight[others])
            order[own] = members.order(seen.take(own), types)
        # Those who spend most say least and often gain most: full weights would find effects too close together.
        weight_apart = np.sqrt(weight)
        above = effect - np.average(effect, weights=weight_apart)
        size = float(weight_apart @ order**2)
        apart = max(float(weight_apart @ (order * above)) / size, 0.0) if size > 0 else 0.0
        return cls(Members.fit(seen, types, effect, weight), apart)

    def effects(self, seen: Seen, types: list[str]) -> FloatArray:
        """Effect less the mean effect, one a customer."""
        return self.apart * self.members.order(seen, types)


def ridge(line: FloatArray, effect: FloatArray, weight: FloatArray) -> tuple[FloatArray, float]:
    """Slopes and intercept of a weighted ridge.

    The penalty is found by generalised cross-validation (Golub, Heath & Wahba 1979). Slopes are held back alike after
    columns are standardised; the intercept is free.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 50)[:, None]
    >>> slopes, shift = ridge(x, 3 + 2 * x[:, 0], np.ones(50))
    >>> slopes.round(1).tolist(), round(shift, 6)
    ([2.0], 3.0)
    """
    share = weight / weight.sum()
    mean, level = share @ line, float(share @ effect)
    scale = np.sqrt(share @ (line - mean) ** 2)
    scale[scale < 1e-12] = np.inf
    z, y = (line - mean) / scale, effect - level
    value, vectors = np.linalg.eigh(z.T @ (z * share[:, None]))
    value = np.maximum(value, 0.0)
    along = vectors.T @ (z.T @ (share * y))
    total, n = float(share @ y**2), len(effect)
    kept = [along / (value + penalty) for penalty in PENALTIES]
    errors = [
        (total - 2 * along @ b + value @ b**2) / (1 - (value / (value + penalty)).sum() / n) ** 2
        for b, penalty in zip(kept, PENALTIES, strict=True)
    ]
    slopes = (vectors @ kept[int(np.argmin(errors))]) / scale
    return slopes, float(level - mean @ slopes)


def _raw(slopes: FloatArray, shift: float, booster: xgboost.Booster, seen: Seen, types: list[str]) -> FloatArray:
    matrix = xgboost.DMatrix(
        seen.trees, feature_types=types, enable_categorical=True, nthread=threads(seen.trees.size)
    )  # fmt: skip
    return np.column_stack([seen.line @ slopes + shift, booster.predict(matrix).astype("float64")])
