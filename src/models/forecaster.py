"""A champion at a date: a customer's forecast follows from that customer's row alone, wherever the row is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit

from ..errors import DataError
from .btyd_features import Outlook, linear, log_odds, relative
from .calibration import Curve
from .conformal import Bands
from .groups import REACH
from .learners import MODELS, Known, Learners, Said, of_models
from .validation import FloatArray

BOUND = 10.0
"""Log-odds that no single forecast can drive beyond."""

COLUMNS = (
    "churn_probability",
    "churn_probability_low",
    "churn_probability_high",
    "expected_orders",
    "expected_orders_low",
    "expected_orders_high",
    "expected_spend",
    "expected_spend_low",
    "expected_spend_high",
    "median_spend",
)


@dataclass(frozen=True)
class Forecaster:
    """All that turns a row of features into a forecast.

    Attributes
    ----------
    horizon_days : days that are forecast.
    columns : features that a row must have.
    outlook : buy-till-you-die models of the date.
    learners : line and trees, or None.
    weights : churn, spend, orders → forecast → weight.
    curve : calibration of churn.
    shift, factors : that bring churn, and purchases and spend, to their level.
    doubt : standard error of the level of churn, log-odds.
    bands : purchases and spend → intervals.
    """

    horizon_days: int
    columns: tuple[str, ...]
    outlook: Outlook
    learners: Learners | None
    weights: dict[str, dict[str, float]]
    curve: Curve
    shift: float
    doubt: float
    factors: dict[str, float]
    bands: dict[str, Bands]

    def forecast(self, features: pd.DataFrame) -> pd.DataFrame:
        """Forecasts of customers.

        Parameters
        ----------
        features : as the champion learned from; frequency, recency, T, monetary_value and days_since_last among them.

        Returns
        -------
        Index of `features`, and `COLUMNS`: churn_probability (with the ends of a 90 % interval of the probability
        itself), expected_orders (purchase days) and expected_spend (money) in the horizon (with the ends of an interval
        that holds what nine of ten customers do), median_spend (money).
        """
        if features.empty:
            return pd.DataFrame(columns=list(COLUMNS), index=features.index, dtype="float64")
        known = self.known(features)
        said = self.learners.say(known) if self.learners else of_models(known.outlook)
        odds, orders, spend = blended(said, self.weights)
        orders, spend = orders * self.factors["purchases"], spend * self.factors["spend"]
        table = self._churn(odds, said)
        for name, kind, amount in (("expected_orders", "purchases", orders), ("expected_spend", "spend", spend)):
            low, high = self.bands[kind].interval(amount)
            table |= {name: amount, f"{name}_low": low, f"{name}_high": high}
        table["median_spend"] = self._median(spend, said)
        return pd.DataFrame(table, index=features.index)[list(COLUMNS)]

    def _median(self, spend: FloatArray, said: Said) -> FloatArray:
        """Median of spend: of customers of whom as much was expected, and as trees learned it, at the present level."""
        of_alike = self.bands["spend"].median(spend)
        if said.median.empty:
            return of_alike
        learned = said.median["median"].to_numpy("float64") * self.factors["spend"]
        return np.asarray((of_alike + learned) / 2)

    def known(self, features: pd.DataFrame) -> Known:
        """What learners see of customers."""
        if lacking := [name for name in self.columns if name not in features]:
            raise DataError(f"the features differ from those that were learned: {', '.join(lacking)} missing")
        features = features[list(self.columns)]
        said = self.outlook.forecast(features, self.horizon_days)
        frame = relative(features, said, self.horizon_days)
        line = linear(features, said, self.horizon_days)
        return Known(frame, features, line, said, pd.DataFrame(index=features.index))

    def _churn(self, odds: FloatArray, said: Said) -> dict[str, FloatArray]:
        """Probability, and an interval from how much the parts disagree and how sure the level is."""
        middle = log_odds(self.curve(expit(odds))) + self.shift
        weights = np.array(list(self.weights["churn"].values()))
        parts = bounded(said.churn)
        spread = np.sqrt(((parts - parts @ weights[:, None] / max(weights.sum(), 1e-9)) ** 2) @ weights)
        half = REACH * np.sqrt(spread**2 + self.doubt**2)
        return {
            "churn_probability": expit(middle),
            "churn_probability_low": expit(middle - half),
            "churn_probability_high": expit(middle + half),
        }

    def pack(self) -> tuple[str, bytes]:
        """Parameters as JSON, and the trees as XGBoost's own UBJ one after the other."""
        learners, trees = self.learners.pack() if self.learners else (None, [])
        said = {
            "horizon_days": self.horizon_days,
            "columns": list(self.columns),
            "outlook": self.outlook.to_dict(),
            "learners": learners,
            "weights": self.weights,
            "curve": self.curve.to_dict(),
            "shift": self.shift,
            "doubt": self.doubt,
            "factors": self.factors,
            "bands": {kind: bands.to_dict() for kind, bands in self.bands.items()},
            "lengths": [len(raw) for raw in trees],
        }
        return json.dumps(said), b"".join(trees)

    @classmethod
    def unpack(cls, parameters: str, trees: bytes) -> Self:
        """What `pack` packed."""
        said: dict[str, Any] = json.loads(parameters)
        ends = np.cumsum([0, *said["lengths"]]).tolist()
        parts = [trees[start:end] for start, end in pairwise(ends)]
        return cls(
            horizon_days=said["horizon_days"],
            columns=tuple(said["columns"]),
            outlook=Outlook.from_dict(said["outlook"]),
            learners=Learners.unpack(said["learners"], parts) if said["learners"] else None,
            weights=said["weights"],
            curve=Curve.from_dict(said["curve"]),
            shift=said["shift"],
            doubt=said["doubt"],
            factors=said["factors"],
            bands={kind: Bands.from_dict(bands) for kind, bands in said["bands"].items()},
        )


def blended(said: Said, weights: Mapping[str, Mapping[str, float]]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-odds of leaving, orders and spend: weighted means of what each forecast says.

    Parameters
    ----------
    said : forecasts.
    weights : churn, orders, spend → forecast → weight.
    """
    odds = bounded(said.churn) @ np.array([weights["churn"][name] for name in said.churn])
    orders, spend = (
        table.to_numpy("float64") @ np.array([weights[kind][name] for name in table])
        for kind, table in (("orders", said.orders), ("spend", said.spend))
    )
    return odds, orders, spend


def bounded(log_odds_of: pd.DataFrame) -> FloatArray:
    """Log-odds within `BOUND`, shape (customers, forecasts)."""
    return np.asarray(np.clip(log_odds_of.to_numpy("float64"), -BOUND, BOUND))


def without_silence(said: Said) -> Said:
    """What is said without the forecasts that hold only where to leave is to buy nothing.

    They are those of who leaves by models of purchases, and of spend by who does not leave (the hurdle).
    """
    return said._replace(
        churn=said.churn.drop(columns=list(MODELS)), spend=said.spend.drop(columns="hurdle", errors="ignore")
    )
