"""The models of the package `lifetimes` as contenders of a tournament: what a new one has to be better than.

They take minutes where there are many customers, so that they are fitted to a sample. They tell no probability of no
purchase: that of none at the expected rate, exp(-expected purchases), stands for it, and has their order.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

MOST = 2_500
"""Customers that they are fitted to."""

WEEK = 7
MODELS = {"lifetimes BG/NBD": "BetaGeoFitter", "lifetimes Pareto/NBD": "ParetoNBDFitter"}


class Incumbent:
    """One model of `lifetimes`, with its Gamma-Gamma for spend.

    Parameters
    ----------
    name : of `MODELS`.
    horizon_days : days that are forecast.
    """

    def __init__(self, name: str, horizon_days: int) -> None:
        self.name, self.horizon_days = name, horizon_days

    def fit(self, past: Sequence[Any]) -> None:
        """Learn nothing: the model is fitted at the date itself."""

    def predict(self, at: Any) -> pd.DataFrame:
        """churn_probability, expected_orders, expected_spend."""
        import lifetimes

        lived, paying = at.features, at.features[(at.features["frequency"] > 0) & (at.features["monetary_value"] > 0)]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            sample = drawn(at.histories)
            model = getattr(lifetimes, MODELS[self.name])()
            model.fit(sample["frequency"], sample["recency"] / WEEK, sample["T"] / WEEK)
            orders = model.conditional_expected_number_of_purchases_up_to_time(
                self.horizon_days / WEEK, lived["frequency"], lived["recency"] / WEEK, lived["T"] / WEEK
            )
            spend = lifetimes.GammaGammaFitter().fit(paying["frequency"], paying["monetary_value"])
            each = spend.conditional_expected_average_profit(
                lived["frequency"], lived["monetary_value"].fillna(0.0).clip(lower=0.0)
            )
        return forecasts(
            np.asarray(orders, dtype="float64"), np.asarray(each, dtype="float64"), lived, self.horizon_days
        )


def drawn(histories: pd.DataFrame) -> pd.DataFrame:
    """At most `MOST` customers, the same in every run: one row each, whatever the weights of the histories are.

    Examples
    --------
    >>> people = pd.DataFrame({"frequency": [0, 2], "recency": [0, 9], "T": [5, 9], "weight": [3, 1]})
    >>> sorted(drawn(people)["frequency"].tolist())
    [0, 0, 0, 2]
    """
    weight = histories["weight"].to_numpy("int64") if "weight" in histories else np.ones(len(histories), "int64")
    everyone = np.repeat(np.arange(len(histories)), weight)
    if len(everyone) > MOST:
        everyone = np.sort(np.random.default_rng(1).choice(everyone, MOST, replace=False))
    return histories.iloc[everyone]


def forecasts(orders: np.ndarray, each: np.ndarray, lived: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """What is told of each customer; where the model knows no number, as with many purchases, the rate so far.

    Examples
    --------
    >>> lived = pd.DataFrame({"frequency": [4.0, 9.0], "T": [100.0, 90.0]})
    >>> forecasts(np.array([1.0, np.nan]), np.array([5.0, 2.0]), lived, 10).round(2).to_numpy().tolist()
    [[0.37, 1.0, 5.0], [0.37, 1.0, 2.0]]
    """
    orders = np.where(np.isfinite(orders), orders, lived["frequency"] * horizon_days / lived["T"].clip(lower=1.0))
    orders = np.clip(orders, 0.0, None)
    told = {
        "churn_probability": np.exp(-orders),
        "expected_orders": orders,
        "expected_spend": orders * np.nan_to_num(np.clip(each, 0.0, None)),
    }
    return pd.DataFrame(told, index=lived.index)
