"""The level of churn, purchases and spend at a date, from what its forecasts were worth at past dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from scipy.special import expit

from . import level
from .btyd_features import MODELS, Outlook
from .learners import Known, Said, of_models
from .validation import FloatArray

KINDS = ("churned", "purchases", "spend")
LEARNED = "learned"
"""Name of the level of what was learned, beside those of the models."""

Seasons = dict[str, dict[str, level.Season]]
"""Kind of outcome → model → what came a year before over what was expected then."""


class Seen(NamedTuple):
    """One date as the champion sees it.

    Attributes
    ----------
    known : of its customers.
    outlook : models fitted at the date.
    seasons : see `Seasons`; empty where the log does not reach back a year.
    """

    known: Known
    outlook: Outlook
    seasons: Seasons


class Levels(NamedTuple):
    """What forecasts of the level were worth.

    Attributes
    ----------
    errors : kind of outcome → forecast → logarithms of expected over what came, at past dates.
    usual : kind of outcome → model → mean logarithm of what came over expected, at the dates learned from.
    """

    errors: dict[str, dict[str, list[float]]]
    usual: dict[str, dict[str, float]]

    @classmethod
    def judge(cls, dates: Sequence[Seen], learned: dict[str, FloatArray], outcomes: pd.DataFrame) -> Self:
        """How far off forecasts were.

        Parameters
        ----------
        dates : past dates; models were fitted at each on what was known then.
        learned : kind of outcome → what was learned of customers that were not learned from.
        outcomes : of those customers.
        """
        errors: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}
        usual: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}
        for seen in dates:
            for kind in KINDS:
                actual = float(seen.known.outcomes[kind].mean())
                for name, expected in expected_of(of_models(seen.known.outlook), kind).mean().items():
                    if (off := level.log_error(float(expected), actual)) is not None:
                        usual[kind].setdefault(name, []).append(-off)
                        factor = level.correction(seen.seasons.get(kind, {}).get(name))
                        errors[kind].setdefault(name, []).append(off + float(np.log(factor)))
        for kind in KINDS:
            off = level.log_error(float(learned[kind].mean()), float(outcomes[kind].mean()))
            errors[kind][LEARNED] = [] if off is None else [off]
        return cls(
            errors, {kind: {name: float(np.mean(e)) for name, e in each.items()} for kind, each in usual.items()}
        )

    def of(self, kind: str, seen: Seen, learned: float | None) -> tuple[float, float]:
        """Mean of an outcome over the customers of a date.

        Parameters
        ----------
        kind : of `KINDS`.
        seen : the date.
        learned : the mean by what was learned; None if nothing was.

        Returns
        -------
        The mean, and its error in logarithms.
        """
        seasons, usual = seen.seasons.get(kind, {}), self.usual[kind]
        means = expected_of(of_models(seen.known.outlook), kind).mean()
        forecasts = {name: float(means[name]) * level.correction(seasons.get(name)) for name in MODELS}
        if learned is not None:
            # What was learned holds the usual error of the models already, so only what is unusual corrects it.
            beside = [seasons[name].beside(usual[name]) for name in MODELS if name in seasons and name in usual]
            forecasts[LEARNED] = learned * level.correction(level.mean_season(beside))
        forecasts = {name: forecast for name, forecast in forecasts.items() if forecast > 0}
        if not forecasts:
            return 0.0, level.DOUBT
        mean, error = level.combined(forecasts, self.errors[kind])
        return (float(np.clip(mean, 1e-4, 1 - 1e-4)) if kind == "churned" else mean), error


def seasons_of(said: Said, outcomes: pd.DataFrame) -> Seasons:
    """What came over what models expected, of customers of a year ago."""
    found: Seasons = {}
    for kind in KINDS:
        for name, expected in expected_of(said, kind).items():
            season = level.season(outcomes[kind].to_numpy("float64"), expected.to_numpy("float64"))
            if season is not None:
                found.setdefault(kind, {})[str(name)] = season
    return found


def expected_of(said: Said, kind: str) -> pd.DataFrame:
    """What models expect of each customer, of one kind of outcome: a column a model."""
    if kind == "churned":
        return pd.DataFrame(expit(said.churn[list(MODELS)]))
    return (said.orders if kind == "purchases" else said.spend)[list(MODELS)]
