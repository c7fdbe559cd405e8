"""Who won a tournament: scores, differences with their errors, and the simplest contender that nobody clearly beats."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from ..errors import DataError
from .metrics import auc
from .ranking import normalised_gini
from .reliability import deviances, log_losses
from .tournament import Played, dominates, resamples
from .validation import FloatArray

DRAWS, SEED = 400, 1
LEVEL = (0.05, 0.95)
"""Ends of a 90 % interval."""

NUMBERS_HELD = 20_000_000
"""Most weights in memory at a time (160 MB)."""

Measure = Callable[[pd.DataFrame, pd.DataFrame, FloatArray], FloatArray]
"""Outcomes, forecasts and weights (draws, n) → one figure a draw, the higher the better."""


class Gain(NamedTuple):
    """How much better one contender is than another, with the 90 % interval; above zero is better."""

    gain: float
    low: float
    high: float


def _auc(outcomes: pd.DataFrame, said: pd.DataFrame, weights: FloatArray) -> FloatArray:
    return auc(outcomes["churned"].to_numpy("float64"), said["churn_probability"].to_numpy(), weights)


def _log_loss(outcomes: pd.DataFrame, said: pd.DataFrame, weights: FloatArray) -> FloatArray:
    losses = log_losses(outcomes["churned"].to_numpy("float64"), said["churn_probability"].to_numpy())
    return -_mean(losses, weights)


def _brier(outcomes: pd.DataFrame, said: pd.DataFrame, weights: FloatArray) -> FloatArray:
    apart = said["churn_probability"].to_numpy() - outcomes["churned"].to_numpy("float64")
    return -_mean(apart**2, weights)


def _mae(outcomes: pd.DataFrame, said: pd.DataFrame, weights: FloatArray) -> FloatArray:
    apart = middle(said) - outcomes["spend"].to_numpy("float64")
    return -_mean(np.abs(apart), weights)


def _gini(outcomes: pd.DataFrame, said: pd.DataFrame, weights: FloatArray) -> FloatArray:
    return normalised_gini(outcomes["spend"].to_numpy("float64"), said["expected_spend"].to_numpy(), weights)


def _explained(outcomes: pd.DataFrame, said: pd.DataFrame, weights: FloatArray) -> FloatArray:
    spend = outcomes["spend"].to_numpy("float64")
    flat = np.full(len(spend), np.clip(spend, 0.0, None).mean())
    own, least = (_mean(deviances(spend, each), weights) for each in (said["expected_spend"].to_numpy(), flat))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(least > 1e-12, 1 - own / least, np.nan))


def _bias(outcomes: pd.DataFrame, said: pd.DataFrame, weights: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        total = (weights @ said["expected_spend"].to_numpy()) / (weights @ outcomes["spend"].to_numpy("float64"))
    return np.asarray(-np.abs(total - 1))


def _mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    return np.asarray(weights @ values / weights.sum(axis=1))


def middle(said: pd.DataFrame) -> FloatArray:
    """The amount by which a forecast is judged customer by customer: its median, its mean if it tells no other."""
    return np.asarray(said["median_spend" if "median_spend" in said else "expected_spend"], dtype="float64")


class Game(NamedTuple):
    """One of the questions that a tournament answers.

    Attributes
    ----------
    needs : the forecast without which a contender does not take part.
    measures : name → figure, the higher the better.
    counts : those by which one contender clearly beats another.
    """

    needs: str
    measures: Mapping[str, Measure]
    counts: tuple[str, ...]


CHURN = Game("churn_probability", {"log_loss": _log_loss, "auc": _auc, "brier": _brier}, ("log_loss", "auc"))
VALUE = Game(
    "expected_spend",
    {"mae": _mae, "gini": _gini, "explained": _explained, "bias": _bias},
    ("mae", "gini", "explained"),
)


def judged(game: Game, played: Played, names: Sequence[str], weights: Sequence[FloatArray]) -> dict[str, FloatArray]:
    """Figures of contenders under several weightings of the customers.

    Parameters
    ----------
    weights : one array a date, shape (draws, customers).

    Returns
    -------
    Measure → shape (contenders, dates, draws).
    """
    return {
        measure: np.array(
            [
                [figure(*at) for at in zip(played.outcomes, played.forecasts[name], weights, strict=True)]
                for name in names
            ]
        )
        for measure, figure in game.measures.items()
    }


class Standings(NamedTuple):
    """Figures of all contenders, and what they might have been with other customers.

    Attributes
    ----------
    names : contenders, the simplest first.
    point : measure → figures, shape (contenders, dates).
    drawn : measure → the same for each draw of customers, shape (contenders, dates, draws).
    sizes, drawn_sizes : customers at each date, shape (dates,) and (dates, draws).
    """

    names: list[str]
    point: dict[str, FloatArray]
    drawn: dict[str, FloatArray]
    sizes: FloatArray
    drawn_sizes: FloatArray

    @classmethod
    def of(cls, game: Game, played: Played, draws: int = DRAWS, seed: int = SEED) -> Self:
        """Judge all contenders that take part in a game.

        Parameters
        ----------
        game : what is asked.
        played : the forecasts.
        draws, seed : of the bootstrap over customers, in which all dates of a customer are drawn together.

        Raises
        ------
        DataError
            If nobody takes part.
        """
        names = [name for name, said in played.forecasts.items() if all(game.needs in each for each in said)]
        if not names:
            raise DataError(f"no contender that could play tells {game.needs}: {played.notes}")
        index = [each.index for each in played.outcomes]
        once = [np.ones((1, len(each))) for each in index]
        point = judged(game, played, names, once)
        random, most = np.random.default_rng(seed), max(1, NUMBERS_HELD // sum(map(len, index)))
        parts, sizes = [], []
        for start in range(0, draws, most):
            weights = resamples(index, min(most, draws - start), random)
            parts.append(judged(game, played, names, weights))
            sizes.append(np.array([each.sum(axis=1) for each in weights]))
        return cls(
            names,
            {measure: figures[:, :, 0] for measure, figures in point.items()},
            {measure: np.concatenate([part[measure] for part in parts], axis=2) for measure in game.measures},
            np.array([float(len(each)) for each in index]),
            np.concatenate(sizes, axis=1),
        )

    def at(self, dates: Sequence[int]) -> Self:
        """The same of some dates only."""
        rows = list(dates)
        return self._replace(
            point={name: values[:, rows] for name, values in self.point.items()},
            drawn={name: values[:, rows] for name, values in self.drawn.items()},
            sizes=self.sizes[rows],
            drawn_sizes=self.drawn_sizes[rows],
        )

    def overall(self, measure: str) -> dict[str, float]:
        """Contender → figure over all dates, each date counted by its customers."""
        figures = self.point[measure] @ self.sizes / self.sizes.sum()
        return dict(zip(self.names, map(float, figures), strict=True))

    def gain(self, name: str, other: str, measure: str) -> Gain:
        """How much better one contender is than another over all dates."""
        one, two = self.names.index(name), self.names.index(other)
        figures = self.overall(measure)
        apart = self.drawn[measure][one] - self.drawn[measure][two]
        drawn = (apart * self.drawn_sizes).sum(axis=0) / self.drawn_sizes.sum(axis=0)
        # A draw without leavers, or without spend, has no such figure.
        known = drawn[np.isfinite(drawn)]
        low, high = np.quantile(known, LEVEL) if len(known) else (np.nan, np.nan)
        return Gain(figures[name] - figures[other], float(low), float(high))

    def beats(self, name: str, other: str, counts: Sequence[str]) -> bool:
        """Whether one contender clearly beats another, see `tournament.dominates`."""
        return dominates({measure: self.gain(name, other, measure) for measure in counts})

    def winner(self, counts: Sequence[str]) -> str:
        """The simplest contender that no other clearly beats; if all are beaten, the best by what counts first."""
        for name in self.names:
            if not any(self.beats(other, name, counts) for other in self.names if other != name):
                return name
        figures = self.overall(counts[0])
        return max(self.names, key=lambda name: figures[name])

    def gains(self, rule: str) -> pd.DataFrame:
        """Every contender against one, by every measure.

        Returns
        -------
        contender, measure, gain, low, high.
        """
        rows = [
            {"contender": name, "measure": measure} | self.gain(name, rule, measure)._asdict()
            for name in self.names
            if name != rule
            for measure in self.point
        ]
        return pd.DataFrame(rows, columns=["contender", "measure", *Gain._fields])
