"""Columns of a frame as covariates: numbers about their mean, categories as yes or no to each level but one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ..errors import DataError, SettingsError
from .grouping import FloatArray
from .validation import SHOWN_ROWS, check_columns, number_column, refuse, weight_column

MISSING = "(missing)"
"""Level of customers whose category is not known."""

MOST_LEVELS = 50
"""A category with more levels is an id or free text: no data determines an effect of each."""

DEPENDENT = 1e-9
"""Share of a standardised covariate's variance that the others must leave unexplained, at least."""


@dataclass(frozen=True)
class Number:
    """A numeric covariate, counted from its weighted mean."""

    name: str
    mean: float
    deviation: float

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of its one column."""
        return (self.name,)

    @property
    def scales(self) -> tuple[float, ...]:
        """Its standard deviation."""
        return (self.deviation,)

    @property
    def reference(self) -> float:
        """Value at which it has no effect."""
        return self.mean

    def encode(self, frame: pd.DataFrame) -> FloatArray:
        """Return its column, shape (n, 1)."""
        return np.asarray(_complete_numbers(frame, self.name) - self.mean)[:, None]


@dataclass(frozen=True)
class Category:
    """A categorical covariate, each of ``others`` against ``reference``."""

    name: str
    reference: str
    others: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its columns."""
        return tuple(f"{self.name}={level}" for level in self.others)

    @property
    def scales(self) -> tuple[float, ...]:
        """Ones: yes and no are a good scale for the search, and the level's share would blow up rare ones."""
        return (1.0,) * len(self.others)

    def encode(self, frame: pd.DataFrame) -> FloatArray:
        """Return a column of 0 and 1 for each other level, shape (n, len(others))."""
        codes, levels = _levels(frame[self.name])
        known = {level: i for i, level in enumerate((self.reference, *self.others))}
        at = np.array([known.get(level, -1) for level in levels], dtype=np.int64)[codes]
        if (at < 0).any():
            raise DataError(self._unseen(frame, at < 0, sorted({levels[code] for code in np.unique(codes[at < 0])})))
        return np.asarray(at[:, None] == np.arange(1, len(known)), dtype=np.float64)

    def _unseen(self, frame: pd.DataFrame, rows: np.ndarray[tuple[int], np.dtype[np.bool_]], levels: list[str]) -> str:
        first = ", ".join(repr(label) for label in frame.index[rows][:SHOWN_ROWS].tolist())
        return (
            f"column '{self.name}': {', '.join(map(repr, levels[:SHOWN_ROWS]))} in {np.count_nonzero(rows)} rows "
            f"(first: {first}) did not occur when the model was fitted; expected one of "
            f"{', '.join((self.reference, *self.others))}; replace it by one of these or fit again"
        )


@dataclass(frozen=True)
class Coding:
    """How the covariates of a model become numbers, learned from the customers that it was fitted to.

    Attributes
    ----------
    covariates : tuple of Number or Category
        In the order in which the model names them.
    """

    covariates: tuple[Number | Category, ...]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Name of each column."""
        return tuple(label for covariate in self.covariates for label in covariate.labels)

    @cached_property
    def scales(self) -> FloatArray:
        """Unit of the search in each column, shape (k,)."""
        return np.array([scale for covariate in self.covariates for scale in covariate.scales])

    def columns(self, names: Sequence[str]) -> list[int]:
        """Positions of the columns of some covariates."""
        wanted = {label for covariate in self.covariates if covariate.name in names for label in covariate.labels}
        return [i for i, label in enumerate(self.labels) if label in wanted]

    def encode(self, frame: pd.DataFrame) -> FloatArray:
        """Return the covariates of each row, shape (n, k), 0 where they are as in the reference.

        Raises
        ------
        DataError
            For a missing column, a number that is missing, or a level that was not seen when this was learned.
        """
        if self.covariates:
            check_columns(frame, [covariate.name for covariate in self.covariates])
        return np.hstack([np.empty((len(frame), 0)), *(covariate.encode(frame) for covariate in self.covariates)])


def learn(frame: pd.DataFrame, names: Sequence[str]) -> Coding:
    """Learn how to code some columns.

    A column of numbers is counted from its mean by weight. Any other, also of True and False, is a category: its
    level with the largest weight is the reference, and a missing value is a level of its own.

    Parameters
    ----------
    frame : DataFrame
        The customers, with the covariates and optionally ``weight``.
    names : sequence of str
        Columns, each once.

    Raises
    ------
    DataError
        For a missing column, a number that is missing, more than 50 levels, or a column that is the same everywhere.

    Examples
    --------
    >>> people = pd.DataFrame({"age": [30, 50, 40], "channel": ["till", "web", "till"]})
    >>> coding = learn(people, ["age", "channel"])
    >>> coding.labels
    ('age', 'channel=web')
    >>> coding.encode(people).tolist()
    [[-10.0, 0.0], [10.0, 1.0], [0.0, 0.0]]
    """
    check_columns(frame, names)
    weight = weight_column(frame)
    return Coding(tuple(_learn_one(frame, name, weight) for name in names))


def check_independent(coding: Coding, frame: pd.DataFrame, names: Sequence[str], process: str) -> None:
    """Refuse covariates of one process that can be computed from one another.

    Raises
    ------
    DataError
        Naming the covariates concerned.
    """
    columns = coding.columns(names)
    if len(columns) < 2:
        return
    values, vectors = np.linalg.eigh(np.corrcoef(coding.encode(frame)[:, columns], rowvar=False))
    concerned = (np.abs(vectors[:, values < DEPENDENT]) > 1e-4).any(axis=1)
    if concerned.any():
        labels = {coding.labels[column] for column, one in zip(columns, concerned, strict=True) if one}
        found = [covariate.name for covariate in coding.covariates if labels & set(covariate.labels)]
        raise DataError(
            f"{process}: {', '.join(map(repr, found))} can be computed from one another, so that their effects cannot "
            "be told apart; leave one of them out"
        )


def join_covariates(histories: pd.DataFrame, features: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Put columns of a feature frame beside the histories of the same customers.

    Take what was settled when the customer came, such as the channel of the first purchase, an age or a region.
    What purchases made, such as orders of the last month, is in the history already: as a covariate it would explain
    the past by itself. Features cover active customers only unless they are asked for all, and a model that is fitted
    to active customers alone takes dropout for rarer than it is.

    Parameters
    ----------
    histories : DataFrame
        Index customer, as from `Study.histories`.
    features : DataFrame
        Index customer, as from `loyalty.features.build.frame`; customers without a history are left out.
    columns : sequence of str
        Columns of ``features``.

    Returns
    -------
    DataFrame
        ``histories`` with the columns, in the same order.

    Raises
    ------
    DataError
        For a column that is missing or that the histories have already, a customer twice, or one without features.

    Examples
    --------
    >>> known = pd.DataFrame({"frequency": [2], "recency": [9], "T": [30]}, index=["ann"])
    >>> join_covariates(known, pd.DataFrame({"age": [41.0, 29.0]}, index=["bob", "ann"]), ["age"])
         frequency  recency   T   age
    ann          2        9  30  29.0
    """
    check_columns(features, columns, "features")
    if taken := [name for name in columns if name in check_columns(histories, ())]:
        raise DataError(f"covariates: the histories have a column {taken[0]!r} already; rename it or leave it out")
    twice = features.index[features.index.duplicated()]
    if len(twice):
        raise DataError(f"features: customer {twice[0]!r} has more than one row; expected one row a customer")
    without = ~histories.index.isin(features.index)
    if without.any():
        raise DataError(
            f"features: {np.count_nonzero(without)} of {len(histories)} customers have no row "
            f"(first: {histories.index[without][0]!r}); build the features with active_within_days as long as the "
            "log, so that they cover everybody"
        )
    return histories.join(features[list(columns)])


def checked_names(process: str, names: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """Refuse what is no list of covariates.

    Raises
    ------
    SettingsError
        For a text instead of a list, a name twice, or a column that histories are made of.
    """
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise SettingsError(f"{process}: expected a list of column names, got {names!r}")
    for i, name in enumerate(names):
        if name in taken:
            raise SettingsError(f"{process}: {name!r} is part of the history and can be no covariate; leave it out")
        if name in names[:i]:
            raise SettingsError(f"{process}: {name!r} is named twice; name each covariate once")
    return tuple(names)


def _learn_one(frame: pd.DataFrame, name: str, weight: FloatArray) -> Number | Category:
    column = frame[name]
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = _complete_numbers(frame, name)
        if np.ptp(values) == 0:
            raise _constant(name, f"{values[0]:g}")
        mean = float(np.average(values, weights=weight))
        return Number(name, mean, float(np.sqrt(np.average((values - mean) ** 2, weights=weight))))
    codes, levels = _levels(column)
    total = np.bincount(codes % len(levels), weights=weight, minlength=len(levels))
    ranked = sorted(((level, share) for level, share in zip(levels, total, strict=True) if share), key=_heaviest)
    if len(ranked) == 1:
        raise _constant(name, repr(ranked[0][0]))
    if len(ranked) > MOST_LEVELS:
        raise DataError(
            f"column '{name}': {len(ranked)} levels; expected at most {MOST_LEVELS}: group them, or leave it out "
            "if it is an id; if it holds numbers, give them as numbers"
        )
    (reference, _), *others = ranked
    return Category(name, reference, tuple(sorted(level for level, _ in others)))


def _heaviest(ranked: tuple[str, float]) -> tuple[float, str]:
    level, share = ranked
    return -share, level


def _levels(column: pd.Series) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], list[str]]:
    """Position of each row's level, and the levels as text; a missing one is -1, which the last level stands for."""
    codes, levels = pd.factorize(column)
    return codes, [*map(str, levels), MISSING]


def _complete_numbers(frame: pd.DataFrame, name: str) -> FloatArray:
    values = number_column(frame, name)
    wanted = "a finite number in every row: fill the gaps, cut it into categories, or leave the covariate out"
    refuse(~np.isfinite(values), frame, name, wanted)
    return values


def _constant(name: str, value: str) -> DataError:
    return DataError(
        f"column '{name}': every row holds {value}, so that it tells no customers apart; leave the covariate out"
    )
