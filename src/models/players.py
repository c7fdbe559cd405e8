"""The contenders that a champion has to beat: rules, lines, buy-till-you-die models and plain boosted trees.

Each has a name, learns from past dates with `fit` and forecasts another with `predict`, see `tournament.Contender`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, TweedieRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ..errors import DataError
from . import valuation
from .backtest import Origin
from .baselines import rate_so_far
from .churn import check_two_classes
from .clv import customer_lifetime_value
from .contenders import CONTENDERS
from .gamma_gamma import GammaGamma
from .trees import AMOUNT, CHURN, COUNT, MEDIAN, Bins, Encoder, Grown, Rows

LIVED = ["frequency", "recency", "T", "monetary_value"]
FEWEST_EVENTS = 50
"""Leavers, and stayers, from which on more is learned than a rule."""

ROUNDS = 80
Columns = Callable[[pd.DataFrame], pd.DataFrame]
"""Features → what a contender looks at."""


def nearest_window(features: pd.DataFrame, days: float) -> int:
    """Length of the window among the features that is nearest to a number of days.

    Examples
    --------
    >>> nearest_window(pd.DataFrame(columns=["spend_7", "spend_30", "spend_per_day"]), 28)
    30
    """
    lengths = [int(name.removeprefix("spend_")) for name in features if name.removeprefix("spend_").isdigit()]
    return min(lengths, key=lambda length: abs(length - days))


def silence(features: pd.DataFrame) -> pd.DataFrame:
    """Days since the last purchase, as a logarithm."""
    return np.log1p(features[["days_since_last"]])


def recency_frequency_money(features: pd.DataFrame) -> pd.DataFrame:
    """Silence, purchases a day, tenure and spend a purchase, as logarithms."""
    tenure = features["T"].clip(lower=1.0)
    return pd.DataFrame(
        {
            "silence": np.log1p(features["days_since_last"]),
            "rate": np.log((features["frequency"] + 0.5) / tenure),
            "tenure": np.log(tenure),
            "spend": np.log1p(features["monetary_value"].fillna(0.0).clip(lower=0.0)),
        },
        index=features.index,
    )


class Curve:
    """A logistic regression of who leaves on a few columns; optionally a Tweedie regression of spend beside it.

    Parameters
    ----------
    name : as readers know it.
    columns : what it looks at.
    spend : whether it forecasts spend too.
    fewest : leavers, and stayers, that it needs.
    """

    def __init__(self, name: str, columns: Columns, *, spend: bool = False, fewest: int = 1) -> None:
        self.name, self._columns, self._spend, self._fewest = name, columns, spend, fewest

    def fit(self, past: Sequence[Origin]) -> Self:
        """Fit to all past dates at once.

        Raises
        ------
        DataError
            If everyone left, or nobody, or too few did.
        """
        seen = pd.concat([self._columns(origin.features) for origin in past])
        outcomes = outcomes_of(past)
        check_two_classes(outcomes["churned"].to_numpy())
        check_enough(outcomes["churned"], self._fewest)
        self._churn = _scaled(LogisticRegression(C=10.0)).fit(seen, outcomes["churned"])
        spend = outcomes["spend"].clip(lower=0.0)
        if self._spend and spend.sum() > 0:
            self._unit = float(spend.mean())
            line = TweedieRegressor(power=1.5, link="log", alpha=1e-3, max_iter=1000)
            self._amount: Pipeline | None = _scaled(line).fit(seen, spend / self._unit)
        else:
            self._amount = None
        return self

    def predict(self, at: Origin) -> pd.DataFrame:
        """churn_probability, and expected_spend if it was learned."""
        seen = self._columns(at.features)
        told = pd.DataFrame({"churn_probability": self._churn.predict_proba(seen)[:, 1]}, index=seen.index)
        return told if self._amount is None else told.assign(expected_spend=self._unit * self._amount.predict(seen))

    def line(self) -> tuple[str, float, float]:
        """Of a fitted curve of one column: its name, the intercept, and the log-odds for each unit of it."""
        scaler, curve = self._churn[0], self._churn[1]
        slope = float(curve.coef_[0, 0] / scaler.scale_[0])
        (name,) = scaler.feature_names_in_
        return str(name), float(curve.intercept_[0] - slope * scaler.mean_[0]), slope


class SameAgain:
    """Orders and spend as in the last days, by the window whose length is nearest to the horizon."""

    name = "Same as last period"

    def __init__(self, horizon_days: int) -> None:
        self.horizon_days = horizon_days

    def fit(self, past: Sequence[Origin]) -> Self:
        """Learn nothing."""
        return self

    def predict(self, at: Origin) -> pd.DataFrame:
        """expected_orders, expected_spend; spend is never below nothing."""
        nearest = nearest_window(at.features, self.horizon_days)
        columns = at.features[[f"purchase_days_{nearest}", f"spend_{nearest}"]].clip(lower=0.0)
        return (columns * self.horizon_days / nearest).set_axis(["expected_orders", "expected_spend"], axis=1)


class RateSoFar:
    """Orders and spend at the rate so far."""

    name = "Rate so far"

    def __init__(self, horizon_days: int) -> None:
        self.horizon_days = horizon_days

    def fit(self, past: Sequence[Origin]) -> Self:
        """Learn nothing."""
        return self

    def predict(self, at: Origin) -> pd.DataFrame:
        """expected_orders, expected_spend."""
        orders = rate_so_far(at.features, self.horizon_days)
        spend = orders * at.features["monetary_value"].fillna(0.0).clip(lower=0.0)
        return pd.DataFrame({"expected_orders": orders, "expected_spend": spend}, index=at.features.index)


class BuyTillYouDie:
    """A model of purchases with Gamma-Gamma for spend, fitted at the date itself to what was known then.

    Parameters
    ----------
    name : of `contenders.CONTENDERS`.
    earning : horizon_days, margin, annual_discount_rate.
    by_silence : whether to leave is to buy nothing; if not, the model has nothing to say of who leaves.
    """

    def __init__(self, name: str, earning: dict[str, Any], *, by_silence: bool = True) -> None:
        self.name, self.earning, self.by_silence = name, earning, by_silence

    def fit(self, past: Sequence[Origin]) -> Self:
        """Learn nothing: the model is told the present, which holds the past."""
        return self

    def predict(self, at: Origin) -> pd.DataFrame:
        """churn_probability (by silence), expected_orders, and expected_spend if a repeat buyer has paid."""
        contender = CONTENDERS[self.name]
        if contender.regular and "log_gaps" not in at.histories:
            raise DataError("the histories do not tell how regularly customers buy")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is told is the forecast; the model's own page tells of its fit
            model = contender.model().fit(at.histories)
            paying = valuation.paying(at.features)
            spend = GammaGamma().fit(paying) if len(paying) else None
        lived, days = valuation.paying_something(at.features[LIVED]), self.earning["horizon_days"]
        told = {"expected_orders": model.expected_purchases(lived, horizon_days=days)}
        if self.by_silence:
            told = {"churn_probability": model.probability_of_no_purchase(lived, horizon_days=days)} | told
        if spend is not None:
            told["expected_spend"] = customer_lifetime_value(model, spend, lived, **self.earning)["expected_spend"]
        return pd.DataFrame(told, index=at.features.index)


class Trees:
    """Boosted trees, one set for each forecast, on all or some of the features.

    Parameters
    ----------
    name : as readers know it.
    columns : what they look at.
    """

    def __init__(self, name: str, columns: Columns) -> None:
        self.name, self._columns = name, columns

    def fit(self, past: Sequence[Origin]) -> Self:
        """Grow them; rows in a total order.

        Raises
        ------
        DataError
            If fewer than `FEWEST_EVENTS` customers left, or stayed.
        """
        outcomes = outcomes_of(past)
        churned = outcomes["churned"].to_numpy("float64")
        check_enough(outcomes["churned"])
        seen = pd.concat([self._columns(origin.features) for origin in past])
        spend = outcomes["spend"].clip(lower=0.0).to_numpy("float64")
        self._unit = float(spend.mean()) or 1.0
        targets = {
            "churn_probability": (CHURN, churned),
            "expected_orders": (COUNT, outcomes["purchases"].to_numpy("float64")),
            "expected_spend": (AMOUNT, spend / self._unit),
            "median_spend": (MEDIAN, spend / self._unit),
        }
        self._encoder = Encoder.of(seen)
        bins = Bins(seen, self._encoder)
        self._grown: dict[str, Grown] = {
            name: bins.grow(objective, target, ROUNDS) for name, (objective, target) in targets.items()
        }
        return self

    def predict(self, at: Origin) -> pd.DataFrame:
        """All forecasts."""
        rows = Rows(self._columns(at.features), self._encoder)
        sums = {name: rows.sums(grown) for name, grown in self._grown.items()}
        return pd.DataFrame(
            {
                "churn_probability": 1 / (1 + np.exp(-sums["churn_probability"])),
                "expected_orders": np.exp(sums["expected_orders"]),
                "expected_spend": self._unit * np.exp(sums["expected_spend"]),
                "median_spend": self._unit * np.clip(sums["median_spend"], 0.0, None),
            },
            index=at.features.index,
        )


def outcomes_of(past: Sequence[Origin]) -> pd.DataFrame:
    """What the customers of past dates did next: churned (0 or 1), purchases, spend; dates on top of each other."""
    parts = []
    for origin in past:
        if origin.churned is None or origin.amounts is None:
            raise ValueError("the horizon of this origin is not over")
        amounts = origin.amounts[["purchases", "spend"]].loc[origin.features.index].astype("float64")
        parts.append(amounts.assign(churned=origin.churned.loc[origin.features.index].astype("float64")))
    return pd.concat(parts)


def check_enough(churned: pd.Series, fewest: int = FEWEST_EVENTS) -> None:
    """Raise DataError unless enough customers left, and enough stayed."""
    if (events := min(churned.sum(), (1 - churned).sum())) < fewest:
        raise DataError(f"too little to learn from: {events:.0f} customers left, or stayed; {fewest} needed")


def _scaled(model: Any) -> Pipeline:
    return make_pipeline(StandardScaler(), model)
