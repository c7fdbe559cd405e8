"""Boosted trees on one set of binned features, one model a target, each with the rounds that did best later.

Features are put into bins once for all targets of the same rows, which is most of the work for few trees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
import xgboost
from scipy.optimize import brentq
from scipy.special import expit, logit

from .validation import FloatArray

CHURN, AMOUNT, POSITIVE, COUNT, MEDIAN, SQUARE = (
    "binary:logistic",
    "reg:tweedie",
    "reg:gamma",
    "count:poisson",
    "reg:absoluteerror",
    "reg:squarederror",
)
LOG_LINK = (AMOUNT, POSITIVE, COUNT)
POWER = 1.5
"""Of Tweedie's variance: between counts (1) and amounts (2)."""

ROUNDS = (10, 25, 50, 100)
"""Numbers of trees that are tried."""

SETTINGS: dict[str, object] = {
    "tree_method": "hist",
    "max_bin": 64,
    "eta": 0.07,
    "max_depth": 3,
    "min_child_weight": 20.0,
    "subsample": 0.7,
    "colsample_bytree": 0.5,
    "seed": 20171203,
}
SMALL = 5_000_000
"""Cells up to which one thread is faster: on a busy machine threads that wait for each other take minutes."""


class Encoder(NamedTuple):
    """Which columns trees see, in which order, and the categories that they have learned.

    Attributes
    ----------
    columns : names.
    categories : column → its categories; others are missing to the trees.
    """

    columns: tuple[str, ...]
    categories: dict[str, list[str]]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Self:
        """All columns of a frame: numbers and booleans as they are, everything else as categories."""
        text = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
        return cls(
            tuple(frame.columns), {name: sorted(frame[name].dropna().astype("str").unique().tolist()) for name in text}
        )

    def numbers(self, frame: pd.DataFrame) -> FloatArray:
        """The columns as numbers, shape (rows, columns): categories as codes, NaN for what is missing or infinite."""
        result = np.empty((len(frame), len(self.columns)))
        for place, name in enumerate(self.columns):
            if name in self.categories:
                text = frame[name].astype("object").map(str, na_action="ignore")
                codes = pd.Index(self.categories[name], dtype="object").get_indexer(text)
                result[:, place] = np.where(codes < 0, np.nan, codes)
            else:
                result[:, place] = frame[name].to_numpy(dtype="float64", na_value=np.nan)
        result[np.isinf(result)] = np.nan
        return result

    def types(self) -> list[str]:
        """What XGBoost calls each column: c for categories, q for quantities."""
        return ["c" if name in self.categories else "q" for name in self.columns]


class Grown(NamedTuple):
    """Trees and what they start from.

    Attributes
    ----------
    booster : the trees.
    objective : what they minimise.
    start : where rows without a margin of their own start from, in the unit of the trees' sums.
    """

    booster: xgboost.Booster
    objective: str
    start: float


class Bins:
    """Rows of features in bins, for trees of several targets.

    Parameters
    ----------
    frame : features, in a total order: trees change with the order of their rows.
    encoder : see `Encoder`.
    device : as XGBoost calls it.
    settings : instead of some of `SETTINGS`.
    """

    def __init__(
        self, frame: pd.DataFrame, encoder: Encoder, device: str = "cpu", settings: Mapping[str, object] | None = None
    ) -> None:
        self._settings = SETTINGS | dict(settings or {}) | {"device": device, "nthread": threads(frame.size)}
        self._rows = len(frame)
        self._matrix = xgboost.QuantileDMatrix(
            encoder.numbers(frame),
            feature_names=list(encoder.columns),
            feature_types=encoder.types(),
            enable_categorical=True,
            max_bin=SETTINGS["max_bin"],
            nthread=threads(frame.size),
        )

    def grow(
        self,
        objective: str,
        target: FloatArray,
        rounds: int,
        *,
        margin: FloatArray | None = None,
        weight: FloatArray | None = None,
    ) -> Grown:
        """Grow trees for one target.

        Parameters
        ----------
        objective : such as `CHURN`.
        target : shape (rows,).
        rounds : number of trees.
        margin : where each row starts from; the same for all if not given.
        weight : of rows; 0 leaves a row out.
        """
        weight = np.ones(self._rows) if weight is None else weight
        start = start_of(objective, target, weight)
        self._matrix.set_label(target)
        self._matrix.set_weight(weight)
        self._matrix.set_base_margin(np.full(self._rows, start) if margin is None else margin)
        settings = self._settings | {"objective": objective}
        if objective == AMOUNT:
            settings["tweedie_variance_power"] = POWER
        return Grown(xgboost.train(settings, self._matrix, num_boost_round=rounds), objective, start)


class Rows:
    """Rows of features that trees are asked about."""

    def __init__(self, frame: pd.DataFrame, encoder: Encoder) -> None:
        self._rows, self._threads = len(frame), threads(frame.size)
        self._matrix = xgboost.DMatrix(
            encoder.numbers(frame),
            feature_names=list(encoder.columns),
            feature_types=encoder.types(),
            enable_categorical=True,
            nthread=self._threads,
        )

    def sums(self, grown: Grown, margin: FloatArray | None = None, rounds: int = 0) -> FloatArray:
        """Sums of the trees, before the link: one a row.

        Parameters
        ----------
        grown : trees.
        margin : where each row starts from, if the trees were grown so.
        rounds : how many trees are asked; all if 0.
        """
        self._matrix.set_base_margin(np.full(self._rows, grown.start) if margin is None else margin)
        grown.booster.set_param({"nthread": self._threads})
        asked = grown.booster.predict(self._matrix, output_margin=True, iteration_range=(0, rounds))
        return np.asarray(asked, dtype="float64")


def threads(cells: int) -> int:
    """One thread for small data, all for large."""
    return 1 if cells < SMALL else 0


def start_of(objective: str, target: FloatArray, weight: FloatArray) -> float:
    """Where trees start from if rows have no margin of their own."""
    mean = float(np.average(target, weights=weight))
    if objective == CHURN:
        return float(logit(np.clip(mean, 1e-4, 1 - 1e-4)))
    if objective in LOG_LINK:
        return float(np.log(max(mean, 1e-9)))
    return float(np.median(target)) if objective == MEDIAN else mean


def best_rounds(
    grown: Grown, rows: Rows, target: FloatArray, *, margin: FloatArray | None = None, weight: FloatArray | None = None
) -> int:
    """The number of trees after which later rows were told best, their level aside.

    Years and seasons move the level of all customers alike, and say nothing about how deep to look.

    Parameters
    ----------
    grown : the most trees that are thought of.
    rows, target, margin, weight : rows that the trees were not grown from.
    """
    tried = [rounds for rounds in ROUNDS if rounds <= grown.booster.num_boosted_rounds()]
    losses = [loss(grown.objective, target, rows.sums(grown, margin, rounds), weight) for rounds in tried]
    return tried[int(np.argmin(losses))]


def loss(objective: str, target: FloatArray, sums: FloatArray, weight: FloatArray | None = None) -> float:
    """Mean loss of sums that are first shifted to the level of the target."""
    weight = np.ones(len(target)) if weight is None else weight
    if objective == CHURN:
        shifted = sums + shift_of_log_odds(sums, float(np.average(target, weights=weight)))
        each = np.logaddexp(0, shifted) - target * shifted
    elif objective in LOG_LINK:
        scaled = np.exp(sums) * (weight @ target) / max(float(weight @ np.exp(sums)), 1e-300)
        each = deviance(objective, target, np.maximum(scaled, 1e-9))
    else:
        each = np.abs(target - sums) if objective == MEDIAN else (target - sums) ** 2
    return float(np.average(each, weights=weight))


def deviance(objective: str, target: FloatArray, mean: FloatArray) -> FloatArray:
    """Loss of a positive mean, but for what the target alone adds."""
    if objective == COUNT:
        return np.asarray(mean - target * np.log(mean))
    if objective == POSITIVE:
        return np.asarray(np.log(mean) + target / mean)
    return np.asarray(mean ** (2 - POWER) / (2 - POWER) + target * mean ** (1 - POWER) / (POWER - 1))


def shift_of_log_odds(sums: FloatArray, share: float) -> float:
    """What to add to log-odds so that the mean probability is `share`.

    Examples
    --------
    >>> round(shift_of_log_odds(np.zeros(3), 0.75), 4)
    1.0986
    """
    share = float(np.clip(share, 1e-4, 1 - 1e-4))
    reach = float(np.abs(sums).max(initial=0.0)) + 12.0
    return float(brentq(lambda shift: expit(sums + shift).mean() - share, -reach, reach))
