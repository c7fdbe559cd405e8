"""What buy-till-you-die models expect of customers, and features that mean the same at every date.

Models that are fitted at a date on that date's past know its level better than anything that is learned from earlier
dates; as features they tell trees what a history is worth. A count since the first purchase grows with the log, so that
trees would learn from it which date a row comes from: counts become rates, and days become shares of the tenure.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from scipy.special import logit

from ..errors import DataError
from . import contenders
from .base import BTYDModel
from .gamma_gamma import GammaGamma
from .validation import FloatArray

PLAIN, STEADY = "btyd", "steady"
"""A model of random purchases, and one of customers who may buy regularly."""

MODELS = {PLAIN: "BG/NBD", STEADY: "MBG/CNBD-k"}
WITHOUT_GAPS = "MBG/NBD"
"""Instead of the model of regular buyers, where it is not known how regularly they buy."""

GROWING = ("categories", "stores", "channels", "contacts", "redemptions", "return_days")
"""Counts since the first purchase: they become counts a day."""

_EXPECTED = {
    "silence": "Log-odds of no purchase",
    "orders": "Purchase days expected",
    "alive": "Probability of being active",
}

ONLY_AGE = ("T", "frequency", "recency", "days_since_joined")
"""Columns that tell little but how long the log knows the customer; `relative` has rates instead."""

LABELS = {
    "rate": "Purchase days a day",
    "silence_share": "Silence, as a share of the time since the first purchase",
    "silence_in_gaps": "Silence, in usual gaps between purchases",
    "spend_a_day": "Spend expected on a purchase day",
    "btyd_spend": "Spend expected of the rhythm so far",
    **{f"{PLAIN}_{what}": f"{said} by the rhythm so far" for what, said in _EXPECTED.items()},
    **{f"{STEADY}_{what}": f"{said} by how regular the rhythm is" for what, said in _EXPECTED.items()},
}
"""What the columns that `relative` adds are, in words."""

SMALLEST = 1e-5


class Outlook(NamedTuple):
    """Models fitted to everyone's histories at one date.

    Attributes
    ----------
    purchases : `PLAIN` and `STEADY` → model.
    spend : Gamma-Gamma; None where no repeat buyer has paid.
    usual : mean spend on a purchase day, where Gamma-Gamma has no answer, money.
    notes : what could not be fitted, and why.
    """

    purchases: dict[str, BTYDModel]
    spend: GammaGamma | None
    usual: float
    notes: tuple[str, ...] = ()

    @classmethod
    def fit(cls, histories: pd.DataFrame, active: pd.DataFrame) -> Self:
        """Fit to what is known at a date.

        Parameters
        ----------
        histories : frequency, recency, T of everyone, and optionally weight and log_gaps.
        active : frequency and monetary_value, of the customers whose spend is forecast.

        Raises
        ------
        DataError
            If no customer bought twice.
        """
        kinds = MODELS if "log_gaps" in histories else MODELS | {STEADY: WITHOUT_GAPS}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            purchases = {name: contenders.build(kind).fit(histories) for name, kind in kinds.items()}
        return cls.fit_spend(active)._replace(purchases=purchases)

    @classmethod
    def fit_spend(cls, active: pd.DataFrame) -> Self:
        """Fit the model of spend alone; `active` as in `fit`."""
        notes: list[str] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spend = _fitted_spend(active, notes)
        usual = float(np.nan_to_num(active["monetary_value"].clip(lower=0.0).mean()))
        return cls({}, spend, usual, tuple(notes))

    def forecast(self, lived: pd.DataFrame, horizon_days: float) -> pd.DataFrame:
        """What the models expect of each row.

        Parameters
        ----------
        lived : frequency, recency, T, monetary_value.
        horizon_days : days.

        Returns
        -------
        Index of `lived`; for each model `<name>_silence` (log-odds of no purchase), `<name>_orders` (purchase days)
        and `<name>_alive` (probability); spend_a_day (money).
        """
        said: dict[str, FloatArray] = {}
        for name, model in self.purchases.items():
            silent = model.probability_of_no_purchase(lived, horizon_days=horizon_days)
            said[f"{name}_silence"] = log_odds(silent)
            said[f"{name}_orders"] = model.expected_purchases(lived, horizon_days=horizon_days)
            said[f"{name}_alive"] = model.probability_alive(lived)
        said["spend_a_day"] = self._spend_a_day(lived)
        return pd.DataFrame(said, index=lived.index)

    def _spend_a_day(self, lived: pd.DataFrame) -> FloatArray:
        if self.spend is None:
            return np.asarray(lived["monetary_value"].fillna(self.usual).clip(lower=0.0), dtype="float64")
        exists = self.spend.params_["p"] * lived["frequency"] + self.spend.params_["q"] > 1
        result = np.full(len(lived), self.usual)
        paid = lived.assign(monetary_value=lived["monetary_value"].clip(lower=0.01))[exists]
        if len(paid):
            result[exists.to_numpy()] = self.spend.expected_spend(paid)
        return result

    def to_dict(self) -> dict[str, Any]:
        """Parameters, for JSON."""
        models = {
            name: {
                "kind": type(model).__name__,
                "parameters": model.params_.to_dict(),
                "k": contenders.regularity(model),
            }
            for name, model in self.purchases.items()
        }
        spend = None if self.spend is None else self.spend.params_.to_dict()
        return {"purchases": models, "spend": spend, "usual": self.usual}

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Self:
        """What `to_dict` wrote."""
        kinds = {contender.model.__name__: name for name, contender in contenders.CONTENDERS.items()}
        purchases = {
            name: contenders.known(kinds[each["kind"]], each["parameters"], each["k"])
            for name, each in said["purchases"].items()
        }
        spend = None
        if said["spend"] is not None:
            spend = GammaGamma()
            spend.params_ = pd.Series(said["spend"])
        return cls(purchases, spend, said["usual"])


def _fitted_spend(active: pd.DataFrame, notes: list[str]) -> GammaGamma | None:
    paying = active[(active["frequency"] > 0) & (active["monetary_value"] > 0)]
    try:
        return GammaGamma().fit(paying)
    except DataError as error:
        notes.append(f"no model of spend: {error}")
        return None


def log_odds(probability: FloatArray) -> FloatArray:
    """Log-odds, of a probability that is neither 0 nor 1."""
    return np.asarray(logit(np.clip(probability, SMALLEST, 1 - SMALLEST)))


def expected_spend(outlook: pd.DataFrame, name: str) -> FloatArray:
    """Spend that a model of purchases and Gamma-Gamma expect together, money."""
    return np.asarray(outlook[f"{name}_orders"] * outlook["spend_a_day"], dtype="float64")


def relative(features: pd.DataFrame, outlook: pd.DataFrame, horizon_days: float) -> pd.DataFrame:
    """Features as trees take them: rates instead of counts, and what models expect.

    Parameters
    ----------
    features : of `features.build.frame`.
    outlook : of `Outlook.forecast`.
    horizon_days : days.

    Returns
    -------
    Index of `features`; its columns but `ONLY_AGE`, `GROWING` a day; rate (purchase days a day, pulled towards one in
    a horizon), silence_share (of the tenure), silence_in_gaps (silence times the rate); columns of `outlook`,
    btyd_spend.
    """
    tenure = features["T"].clip(lower=1.0)
    silence = features["days_since_last"]
    frame = features.drop(columns=[name for name in ONLY_AGE if name in features])
    growing = {name: frame[name] / tenure for name in GROWING if name in frame}
    pace = rate(features, horizon_days)
    new = {"rate": pace, "silence_share": silence / tenure, "silence_in_gaps": silence * pace}
    return frame.assign(**growing, **new).join(outlook).assign(btyd_spend=expected_spend(outlook, PLAIN))


def rate(features: pd.DataFrame, horizon_days: float) -> pd.Series:
    """Purchase days a day, pulled towards one in a horizon where the tenure is short."""
    return (features["frequency"] + 0.5) / (features["T"] + horizon_days / 2)


def linear(features: pd.DataFrame, outlook: pd.DataFrame | None, horizon_days: float) -> pd.DataFrame:
    """Features as a line takes them: logarithms of recency, frequency and spend, and of what models expect.

    Parameters
    ----------
    features, outlook, horizon_days : as in `relative`; without `outlook` recency, frequency and spend alone.

    Returns
    -------
    Index of `features`, nothing missing.
    """
    pace, silence = rate(features, horizon_days), features["days_since_last"]
    columns = {
        "days_since_last": np.log1p(silence),
        "silence_in_gaps": np.log1p(silence * pace),
        "rate": np.log(pace),
        "monetary_value": np.log1p(features["monetary_value"].fillna(0.0).clip(lower=0.0)),
    }
    for name in features:
        if name.startswith("purchase_days_") and name.removeprefix("purchase_days_").isdigit():
            columns[name] = np.log1p(features[name])
    if outlook is not None:
        for name in (PLAIN, STEADY):
            columns[f"{name}_silence"] = outlook[f"{name}_silence"]
            columns[f"{name}_orders"] = np.log1p(outlook[f"{name}_orders"])
    return pd.DataFrame(columns, index=features.index).astype("float64").fillna(0.0)
