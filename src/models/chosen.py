"""What scores are made by: the blend, or a rule where no model beats it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from scipy.special import expit

from . import saved
from .backtest import Origin
from .forecaster import COLUMNS, Forecaster
from .line_up import BLEND, RATE, SAME_AGAIN
from .players import Curve, RateSoFar, SameAgain
from .trees import SETTINGS
from .validation import FloatArray

CHURN = COLUMNS[:3]
SPENDING = COLUMNS[3:]


class Slope(NamedTuple):
    """A rule of who leaves: log-odds that follow the logarithm of one column.

    Attributes
    ----------
    name : of the rule.
    column : of the features.
    intercept, slope : log-odds, and log-odds for each unit of log(1 + column).
    """

    name: str
    column: str
    intercept: float
    slope: float

    @classmethod
    def of(cls, curve: Curve) -> Self:
        """What a fitted curve of one column says."""
        column, intercept, slope = curve.line()
        return cls(curve.name, column, intercept, slope)

    def probability(self, features: pd.DataFrame) -> FloatArray:
        """Probability of leaving, one a row."""
        seen = np.log1p(features[self.column].to_numpy("float64"))
        return np.asarray(expit(self.intercept + self.slope * seen))


class Chosen(NamedTuple):
    """All that turns a row of features into a score.

    Attributes
    ----------
    forecaster : the blend.
    churn : the rule that says who leaves, or None: the blend does.
    spending : name of the rule that says what is bought and spent, of `line_up`; or None.
    """

    forecaster: Forecaster
    churn: Slope | None = None
    spending: str | None = None

    @property
    def model(self) -> str:
        """Who says who leaves, and, if that is another, what is spent."""
        leaving, spent = self.churn.name if self.churn else BLEND, self.spending or BLEND
        return leaving if leaving == spent else f"{leaving}; spend: {spent}"

    def forecast(self, features: pd.DataFrame) -> pd.DataFrame:
        """As `Forecaster.forecast`; a rule has no intervals, which are missing then, and its median is its mean."""
        told = self.forecaster.forecast(features)
        if self.churn is not None:
            told = told.assign(**dict.fromkeys(CHURN, np.nan)).assign(
                churn_probability=self.churn.probability(features)
            )
        if self.spending is not None:
            told = told.assign(**dict.fromkeys(SPENDING, np.nan)).assign(**self._by_rule(features))
        return told

    def _by_rule(self, features: pd.DataFrame) -> pd.DataFrame:
        days = self.forecaster.horizon_days
        rules: dict[str | None, SameAgain | RateSoFar] = {SAME_AGAIN: SameAgain(days), RATE: RateSoFar(days)}
        said = rules[self.spending].predict(Origin(features, pd.DataFrame()))
        return said.assign(median_spend=said["expected_spend"])

    def pack(self) -> tuple[str, bytes]:
        """Parameters as JSON, and the trees as XGBoost's own UBJ one after the other."""
        parameters, trees = self.forecaster.pack()
        return json.dumps({"forecaster": parameters, "churn": self.churn, "spending": self.spending}), trees

    @classmethod
    def unpack(cls, parameters: str, trees: bytes) -> Self:
        """What `pack` packed."""
        said = json.loads(parameters)
        churn = Slope(*said["churn"]) if said["churn"] else None
        return cls(Forecaster.unpack(said["forecaster"], trees), churn, said["spending"])

    def save(
        self,
        folder: Path,
        features: pd.DataFrame,
        *,
        question: Mapping[str, Any],
        settings: Mapping[str, object],
        origin: date,
        data: str,
    ) -> dict[str, Any]:
        """Write trees as UBJ and all else as JSON, see `saved.save`.

        Parameters
        ----------
        folder : made if it is not there.
        features : rows that can be forecast; their columns, types and categories are kept.
        question : what it answers, see `saved.save`.
        settings : of the trees, instead of some of `trees.SETTINGS`.
        origin : latest date whose outcome was learned from.
        data : fingerprint of the data.
        """
        parameters, _ = self.pack()
        learners = self.forecaster.learners
        grown = {name: each.booster for name, each in learners.grown.items()} if learners else {}
        return saved.save(
            folder, grown, features[list(self.forecaster.columns)], question=question,
            settings=SETTINGS | dict(settings), origin=origin, data=data,
            parameters=json.loads(parameters) | {"order": list(grown)},
        )  # fmt: skip

    @classmethod
    def load(cls, folder: Path, features: pd.DataFrame | None = None, *, expected_hash: str | None = None) -> Self:
        """What `save` wrote.

        Parameters
        ----------
        folder : see `save`.
        features : rows that are to be forecast, if they are to be held against those that were learned.
        expected_hash : of the manifest, where it is known which model is wanted.

        Raises
        ------
        DataError
            As `saved.load`; and if a column of `features` is missing, too many, in another place or of another type.
        """
        found = saved.load(folder, expected_hash=expected_hash)
        if features is not None:
            found.fitting(features)
        parameters = found.manifest["parameters"]
        trees = [bytes(found.trees[name].save_raw("ubj")) for name in parameters["order"]]
        forecaster = json.loads(parameters["forecaster"]) | {"lengths": [len(each) for each in trees]}
        return cls.unpack(json.dumps(parameters | {"forecaster": json.dumps(forecaster)}), b"".join(trees))
