"""Who will not buy in the horizon: a boosted classifier on feature frames of several past dates."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..errors import DataError
from ..features.labels import NO_PURCHASE
from . import external

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def stack(frames: Sequence[pd.DataFrame], churned: Sequence[pd.Series]) -> tuple[pd.DataFrame, FloatArray]:
    """Feature frames of several origins on top of each other, in a total order.

    Trees change with the order of their rows, so rows are ordered by origin and customer.

    Raises
    ------
    DataError
        If all labels are of one class: nothing can be learned from them.
    """
    features = pd.concat([frame.sort_index() for frame in frames])
    labels = np.concatenate(
        [label.reindex(frame.sort_index().index) for frame, label in zip(frames, churned, strict=True)]
    )
    check_two_classes(labels)
    return features, labels.astype("float64")


def check_two_classes(
    churned: Sequence[bool] | FloatArray,
    where: str = "the past dates that a model would learn from",
    churn: str = NO_PURCHASE,
) -> None:
    """Raise DataError unless some customers left and some stayed, by what leaving means."""
    share = float(np.mean(churned)) if len(churned) else 0.0
    if share in (0.0, 1.0):
        what = (
            "no active customer"
            if not len(churned)
            else "every active customer left"
            if share
            else "no active customer left"
        )
        remedy = "lengthen horizon_days" if share or not len(churned) else "shorten horizon_days"
        other = "active_within_days" if churn == NO_PURCHASE else f"study.churn, which is {churn!r}"
        raise DataError(
            f"churn cannot be predicted: at {where}, {what} within the horizon; expected some who left and some "
            f"who stayed; {remedy}, or change {other}"
        )


class ChurnModel(BaseEstimator):  # type: ignore[misc]
    """Gradient-boosted trees for the probability of no purchase in the horizon.

    Parameters
    ----------
    rounds : number of trees.
    learning_rate, max_depth, min_child_weight, subsample, colsample : as in XGBoost.
    seed : of the row and column samples.

    Attributes
    ----------
    columns_ : feature columns, in the order the trees know.
    booster_ : the trees.
    """

    def __init__(
        self,
        *,
        rounds: int = 200,
        learning_rate: float = 0.03,
        max_depth: int = 3,
        min_child_weight: float = 20.0,
        subsample: float = 0.7,
        colsample: float = 0.5,
        seed: int = 20171203,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.min_child_weight = min_child_weight
        self.subsample = subsample
        self.colsample = colsample
        self.seed = seed

    def fit(self, frames: Sequence[pd.DataFrame], churned: Sequence[pd.Series]) -> Self:
        """Learn from one feature frame and one label series per origin.

        Parameters
        ----------
        frames : index customer, columns features (float, missing allowed), one frame an origin.
        churned : index customer, boolean.

        Raises
        ------
        DataError
            If all labels are of one class.
        """
        features, labels = stack(frames, churned)
        self.columns_ = list(features.columns)
        settings = self._settings() | {"nthread": _threads(features)}
        data = xgboost.DMatrix(features.to_numpy(), label=labels, feature_names=self.columns_)
        self.booster_ = xgboost.train(settings, data, num_boost_round=self.rounds)
        return self

    def fit_parquet(self, files: Sequence[Path], label: str, folder: Path | None = None) -> Self:
        """Learn from Parquet files that together may be larger than memory, see `external.train`.

        Trees change with the order of their rows, as in `fit`.

        Parameters
        ----------
        files : features (numbers, null where missing) and the label, the same columns in each; what is not a number
            or a boolean, such as the customer, is left out.
        label : column, 1 or true for who left.
        folder : for scratch.
        """
        schema = pq.read_schema(files[0])
        self.columns_ = [field.name for field in schema if field.name != label and _is_number(field.type)]
        self.booster_ = external.train(self._settings(), self.rounds, files, self.columns_, label, folder)
        return self

    def _settings(self) -> dict[str, object]:
        return {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "eta": self.learning_rate,
            "max_depth": self.max_depth,
            "min_child_weight": self.min_child_weight,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample,
            "seed": self.seed,
        }

    def predict(self, frame: pd.DataFrame) -> FloatArray:
        """Probability of no purchase in the horizon, one a row of `frame`."""
        matrix = self._matrix(frame)
        return self.booster_.predict(matrix).astype("float64")

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """SHAP values: what each feature adds to the log-odds of leaving.

        Returns
        -------
        Index and columns of `frame`, and `base`, the log-odds before any feature is known. A row's sum is the
        log-odds of its prediction (Lundberg, Erion & Lee 2018, "Consistent Individualized Feature Attribution
        for Tree Ensembles"; exact for trees).
        """
        matrix = self._matrix(frame)
        values = self.booster_.predict(matrix, pred_contribs=True)
        return pd.DataFrame(values.astype("float64"), index=frame.index, columns=[*self.columns_, "base"])

    def digest(self) -> str:
        """Hash of the trees: two models with the same digest predict the same."""
        check_is_fitted(self, "booster_")
        return hashlib.blake2b(bytes(self.booster_.save_raw("ubj")), digest_size=16).hexdigest()

    def _matrix(self, frame: pd.DataFrame) -> xgboost.DMatrix:
        check_is_fitted(self, "booster_")
        if list(frame.columns) != self.columns_:
            differing = sorted(set(frame.columns) ^ set(self.columns_)) or "the same columns in another order"
            raise DataError(f"the features differ from those that the model learned: {differing}")
        self.booster_.set_param({"nthread": _threads(frame)})
        return xgboost.DMatrix(frame.to_numpy(), feature_names=self.columns_)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _threads(features: pd.DataFrame) -> int:
    """One thread for small data: on a busy machine threads that wait for each other take minutes, not seconds."""
    return 1 if features.size < 5_000_000 else 0
