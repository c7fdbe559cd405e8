"""Random futures of customers: what a fitted model lets each of them buy, draw by draw."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import SettingsError
from .likelihood import LikelihoodModel, Seed
from .validation import FloatArray, Histories, IntArray


class FutureModel(LikelihoodModel):
    """A model that can draw what customers do next; how, its subclasses say."""

    def sample_purchases(
        self,
        histories: pd.DataFrame,
        *,
        horizon_days: float,
        draws: int,
        seed: Seed = None,
        parameters: pd.DataFrame | None = None,
    ) -> Iterator[IntArray]:
        """Simulate the purchase days of each customer in the horizon.

        Every draw has its own parameters and its own outcomes, so that quantiles over draws are
        predictive intervals holding both kinds of uncertainty. Memory: one vector of as many counts as
        there are rows at a time, and a few of that size to make it; never rows times draws.

        Parameters
        ----------
        histories : DataFrame of n rows
            As in `fit`.
        horizon_days : float
            Length of the period after the as-of date, in days.
        draws : int
            Number of vectors.
        seed : int, SeedSequence, Generator or None
            Equal seeds give equal draws.
        parameters : DataFrame of shape (draws, parameters), optional
            Parameters of each draw, as from `sample_parameters`, to be shared between frames.

        Yields
        ------
        ndarray of int64, shape (n,)
            Purchase days of each customer in one simulated horizon.

        Raises
        ------
        NotFittedError, DataError, SettingsError
            As `expected_purchases`.
        """
        futures = self._futures(histories, np.array([self._in_unit(horizon_days)]), draws, seed, parameters)
        return (counts[0] for counts in futures)

    def sample_paths(
        self,
        histories: pd.DataFrame,
        *,
        ends_days: ArrayLike,
        draws: int,
        seed: Seed = None,
        parameters: pd.DataFrame | None = None,
    ) -> Iterator[IntArray]:
        """Simulate how the purchase days of each customer add up.

        As `sample_purchases`, but counted at several times of the same future, so that it is known when purchases
        come. Memory: one array of times by rows at a time.

        Parameters
        ----------
        histories, draws, seed, parameters
            As in `sample_purchases`.
        ends_days : array_like of shape (times,)
            Days after the as-of date, positive and rising.

        Yields
        ------
        ndarray of int64, shape (times, n)
            Purchase days from the as-of date to each of the times, in one simulated future.

        Raises
        ------
        NotFittedError, DataError, SettingsError
            As `expected_purchases`; for times that do not rise.
        """
        self._vector()
        ends = np.array([self._in_unit(float(days)) for days in np.atleast_1d(np.asarray(ends_days))])
        if ends.size == 0 or (np.diff(ends) <= 0).any():
            raise SettingsError("ends_days: expected times that rise, at least one")
        return self._futures(histories, ends, draws, seed, parameters)

    def _futures(
        self, histories: pd.DataFrame, ends: FloatArray, draws: int, seed: Seed, parameters: pd.DataFrame | None
    ) -> Iterator[IntArray]:
        rng = np.random.default_rng(seed)
        if parameters is None:
            parameters = self.sample_parameters(draws, rng)
        h = self._read(histories)
        grouped, codes = h.distinct()
        vectors = parameters[list(self._names)].to_numpy(dtype=np.float64)[:draws]

        def generate() -> Iterator[IntArray]:
            for p in vectors:
                alive = self._probability_alive(p, grouped)[codes]
                active = np.flatnonzero(rng.random(alive.size) < alive)
                counts = np.zeros((ends.size, alive.size), dtype=np.int64)
                counts[:, active] = self._draw_if_alive(p, h.take(active), ends, rng)
                yield counts

        return generate()

    @abstractmethod
    def _in_unit(self, horizon_days: float) -> float:
        """Length of a horizon in the unit fitted, checked."""

    @abstractmethod
    def _read(self, histories: pd.DataFrame) -> Histories:
        """Check a frame and return its histories in the unit fitted."""

    @abstractmethod
    def _probability_alive(self, p: FloatArray, h: Histories) -> FloatArray:
        """P(alive at T), one value a row."""

    @abstractmethod
    def _draw_if_alive(self, p: FloatArray, h: Histories, ends: FloatArray, rng: np.random.Generator) -> IntArray:
        """Draw purchases in (T, T + end] given alive at T, for each end of the same future; shape (ends, rows)."""
