"""Seasons as a change of time: in a busy week more of the customers' own time passes.

A purchase process of rate 1 in operational time has the rate `factor(day)` on the calendar, whatever the process:
Poisson, Erlang, with or without dropout. So rates and expectations stay known exactly.
"""

import numpy as np
from numpy.typing import NDArray

from .randomness import FloatArray
from .settings import Simulation

WEEK = np.array([0.92, 0.88, 0.92, 0.98, 1.2, 1.4, 0.7])  # from Monday; mean 1
CHRISTMAS = 0.5
"""More from 27 November to 24 December."""
MONDAY = np.datetime64("2024-01-01")
PLAIN_YEAR = np.datetime64("2023-01-01") + np.arange(365)


class Season:
    """Operational time of a simulated log.

    Attributes
    ----------
    factor : of each day, from the first of the log to the last of the horizon after it, ndarray.

    Examples
    --------
    >>> season = Season(Simulation(season=0))
    >>> float(season.clock(10.5)), float(season.day(10.5))
    (10.5, 10.5)
    """

    def __init__(self, settings: Simulation) -> None:
        length = settings.days + settings.horizon
        dates = np.datetime64(settings.start) + np.arange(length)
        self.factor = 1 + settings.season * (_profile(dates) - 1)
        self._edges = np.arange(length + 1, dtype=np.float64)
        self._clock = np.concatenate([[0.0], np.cumsum(self.factor)])

    def clock(self, day: FloatArray | float) -> FloatArray:
        """Operational time at a moment, both in days since the log's first midnight."""
        return np.asarray(np.interp(day, self._edges, self._clock))

    def day(self, clock: FloatArray | float) -> FloatArray:
        """The moment of an operational time."""
        return np.asarray(np.interp(clock, self._clock, self._edges))


def _profile(dates: NDArray[np.datetime64]) -> FloatArray:
    """Week times year; the mean of both is 1."""
    weekday = (dates - MONDAY).astype(int) % 7
    return np.asarray(WEEK[weekday] * _year(dates) / _year(PLAIN_YEAR).mean())


def _year(dates: NDArray[np.datetime64]) -> FloatArray:
    """A mild wave with its low in August, and Christmas."""
    start = dates.astype("datetime64[Y]")
    passed = (dates - start.astype("datetime64[D]")).astype(int)
    left = ((start + 1).astype("datetime64[D]") - dates).astype(int)
    wave = 0.1 * np.cos(2 * np.pi * (passed - 45) / 365.25)
    return np.asarray(1 + wave + CHRISTMAS * ((left >= 8) & (left <= 35)))
