"""Intervals that held on customers and dates that the forecast did not learn from (Vovk, Gammerman & Shafer 2005).

Customers are split by how much is forecast of them (Mondrian conformal prediction), so that intervals hold for those
who spend much as for those who spend little. In each group the interval is a multiple of the forecast.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np

from .validation import FloatArray

MOST_GROUPS = 10
SMALLEST_GROUP = 100
TINY = 1e-9


class Bands(NamedTuple):
    """Multiples of a forecast between which what comes lies, by size of the forecast.

    Attributes
    ----------
    edges : forecasts that separate groups, rising.
    low, middle, high : multiples, one a group; `middle` is the median.
    """

    edges: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def learn(cls, forecast: FloatArray, actual: FloatArray, level: float = 0.9) -> Self:
        """Learn from forecasts whose outcome is known.

        Where nothing at all comes from more customers than may lie below the interval, it begins at nothing, and
        all that may lie outside lies above.

        Parameters
        ----------
        forecast, actual : shape (customers,).
        level : share of customers whose outcome is to lie inside.
        """
        order = np.argsort(forecast, kind="stable")
        groups = np.array_split(order, int(np.clip(len(order) // SMALLEST_GROUP, 1, MOST_GROUPS)))
        edges = [float((forecast[one[-1]] + forecast[two[0]]) / 2) for one, two in pairwise(groups)]
        found = [_multiples(forecast[group], actual[group], level) for group in groups]
        low, middle, high = (tuple(part) for part in zip(*found, strict=True))
        return cls(tuple(edges), low, middle, high)

    def interval(self, forecast: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Ends of the interval of each forecast, which lies inside; shape of `forecast`."""
        group = np.searchsorted(self.edges, forecast)
        low, high = np.asarray(self.low)[group] * forecast, np.asarray(self.high)[group] * forecast
        return np.minimum(low, forecast), np.maximum(high, forecast)

    def median(self, forecast: FloatArray) -> FloatArray:
        """Median of what comes of each forecast."""
        return np.asarray(np.asarray(self.middle)[np.searchsorted(self.edges, forecast)] * forecast)

    def scaled(self, factor: float) -> Self:
        """For forecasts that are all larger by a factor, by which their order does not change."""
        return self._replace(edges=tuple(edge * factor for edge in self.edges))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return self._asdict()

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Self:
        """What `to_dict` wrote."""
        return cls(*(tuple(said[name]) for name in cls._fields))


def _multiples(forecast: FloatArray, actual: FloatArray, level: float) -> tuple[float, float, float]:
    multiple = np.sort(actual / np.maximum(forecast, TINY))
    tail, count = (1 - level) / 2, len(multiple)
    nothing = float(np.mean(multiple <= 0))
    middle = max(float(np.median(multiple)), 0.0)
    if nothing > tail:
        below = float(np.mean(multiple < 0))
        return 0.0, middle, max(_ranked(multiple, level + below, count), 0.0)
    return max(_ranked(multiple, tail, count), 0.0), middle, _ranked(multiple, 1 - tail, count)


def _ranked(rising: FloatArray, share: float, count: int) -> float:
    """The quantile that a new value stays below with at least this chance, or for a small share above."""
    place = np.ceil((count + 1) * share) if share > 0.5 else np.floor((count + 1) * share)
    return float(rising[int(np.clip(place, 1, count)) - 1])
