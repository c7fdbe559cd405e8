"""The level of churn, purchases and spend at a date, from what its forecasts were worth at past dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
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

OF_LATE, YEAR_AGO = "of late", "a year ago"
"""Names of the levels of churn that past dates had, where leaving is not what the models forecast."""

Seasons = dict[str, dict[str, level.Season]]
"""Kind of outcome → model → what came a year before over what was expected then."""


class Seen(NamedTuple):
    """One date as the champion sees it.

    Attributes
    ----------
    known : of its customers.
    outlook : models fitted at the date.
    seasons : see `Seasons`; empty where the log does not reach back a year.
    day : the date.
    year_ago : share that left a year before; None where the log does not reach back so far.
    """

    known: Known
    outlook: Outlook
    seasons: Seasons
    day: date | None = None
    year_ago: float | None = None

    @property
    def left(self) -> float:
        """Share that left, of a date whose horizon is over."""
        return float(self.known.outcomes["churned"].mean())


class Levels(NamedTuple):
    """What forecasts of the level were worth.

    Attributes
    ----------
    errors : kind of outcome → forecast → logarithms of expected over what came, at past dates.
    usual : kind of outcome → model → mean logarithm of what came over expected, at the dates learned from.
    left : share that left of late; None where it is the models that say how many leave.
    """

    errors: dict[str, dict[str, list[float]]]
    usual: dict[str, dict[str, float]]
    left: float | None = None

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

    def by_past_rates(self, dates: Sequence[Seen], horizon_days: int) -> Self:
        """The same with a level of churn from what past dates had and from what was learned, not from the models.

        Parameters
        ----------
        dates : past dates, the latest first.
        horizon_days : days; a date tells later ones its share once its horizon is over.
        """
        off: dict[str, list[float | None]] = {OF_LATE: [], YEAR_AGO: []}
        for at, seen in enumerate(dates):
            known = [each.left for each in dates[at + 1 :] if over_by(each.day, seen.day, horizon_days)]
            if known:
                off[OF_LATE].append(level.log_error(float(np.mean(known)), seen.left))
            if seen.year_ago is not None:
                off[YEAR_AGO].append(level.log_error(seen.year_ago, seen.left))
        errors = {name: [error for error in each if error is not None] for name, each in off.items()}
        return self._replace(
            errors=self.errors | {"churned": errors | {LEARNED: self.errors["churned"][LEARNED]}},
            left=float(np.mean([seen.left for seen in dates])),
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
        by_rates = kind == "churned" and self.left is not None
        forecasts = self._rates(seen, learned) if by_rates else self._of_models(kind, seen, learned)
        forecasts = {name: forecast for name, forecast in forecasts.items() if forecast > 0}
        mean, error = level.combined(forecasts, self.errors[kind]) if forecasts else (0.0, level.DOUBT)
        return (float(np.clip(mean, 1e-4, 1 - 1e-4)) if kind == "churned" else mean), error

    def _rates(self, seen: Seen, learned: float | None) -> dict[str, float]:
        """Forecasts of churn by what past dates had, and by what was learned."""
        forecasts = {OF_LATE: self.left, YEAR_AGO: seen.year_ago, LEARNED: learned}
        return {name: forecast for name, forecast in forecasts.items() if forecast is not None}

    def _of_models(self, kind: str, seen: Seen, learned: float | None) -> dict[str, float]:
        """Forecasts by the models, and by what was learned, each with the season of a year ago."""
        seasons, usual = seen.seasons.get(kind, {}), self.usual[kind]
        means = expected_of(of_models(seen.known.outlook), kind).mean()
        forecasts = {name: float(means[name]) * level.correction(seasons.get(name)) for name in MODELS}
        if learned is not None:
            # What was learned holds the usual error of the models already, so only what is unusual corrects it.
            beside = [seasons[name].beside(usual[name]) for name in MODELS if name in seasons and name in usual]
            forecasts[LEARNED] = learned * level.correction(level.mean_season(beside))
        return forecasts


def over_by(day: date | None, other: date | None, horizon_days: int) -> bool:
    """Whether the horizon of a date was over by another; dates that are not told are far enough apart."""
    return day is None or other is None or day + timedelta(days=horizon_days) <= other


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
