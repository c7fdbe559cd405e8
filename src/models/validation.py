"""What a model accepts: one place that reads customer histories and says what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from .grouping import FloatArray as FloatArray
from .grouping import IntArray as IntArray
from .grouping import group_equal as group_equal
from .grouping import sum_by_cell, systematic_sample

SHOWN_ROWS = 3
"""How many offending rows an error names."""

MOST_CROWDED = 0.5
"""Share of repeat buyers with more repeat purchase days than days, above which times are taken for weeks or months."""

CUSTOMER = ("customer", "customer_id")
"""Names by which a column or an index is known to hold customers, each of whom has one row."""


@dataclass(frozen=True)
class Histories:
    """Purchase histories as arrays of equal length, in one unit of time.

    Attributes
    ----------
    x : ndarray of shape (n,)
        Number of repeat purchase days.
    t_x : ndarray of shape (n,)
        Time from first to last purchase; 0 where ``x`` is 0.
    T : ndarray of shape (n,)
        Time from first purchase to the as-of date.
    weight : ndarray of shape (n,)
        How many customers share the history.
    """

    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    weight: FloatArray

    def rescaled(self, unit: float) -> Self:
        """Return the same histories with times counted in units of ``unit``."""
        return type(self)(self.x, self.t_x / unit, self.T / unit, self.weight)

    def take(self, rows: IntArray) -> Self:
        """Return the histories at some positions."""
        return type(self)(self.x[rows], self.t_x[rows], self.T[rows], self.weight[rows])

    def grouped(self) -> Self:
        """Group equal histories and add up their weights, as `distinct` does but in no particular order."""
        summed = sum_by_cell((self.x, self.T), self.t_x, self.weight)
        if summed is None:
            return self.distinct()[0]
        x, T, t_x, weight = summed
        return type(self)(x, t_x, T, weight)

    def thinned(self, customers: int) -> Self:
        """Return a systematic sample of about so many customers, weighted to stand for all."""
        rows, weight = systematic_sample(self.weight, customers)
        return type(self)(self.x[rows], self.t_x[rows], self.T[rows], weight)

    def distinct(self) -> tuple[Self, IntArray]:
        """Group equal histories and add up their weights.

        Returns
        -------
        grouped : Histories
            One row for each different (x, t_x, T).
        codes : ndarray of shape (n,)
            Row of ``grouped`` that each history went to.
        """
        codes, first = group_equal(self.x, self.t_x, self.T)
        weight = np.bincount(codes, weights=self.weight, minlength=first.size).astype(np.float64, copy=False)
        return type(self)(self.x[first], self.t_x[first], self.T[first], weight), codes


def new_customers(n: int) -> Histories:
    """Histories of n customers on the day of their first purchase."""
    nothing = np.zeros(n)
    return Histories(nothing, nothing, nothing, np.ones(n))


def refuse(bad: NDArray[np.bool_], frame: pd.DataFrame, column: str, expected: str) -> None:
    """Raise DataError if any row is bad, naming the column, the count and the first such rows.

    Raises
    ------
    DataError
        If ``bad`` holds anywhere.
    """
    count = int(np.count_nonzero(bad))
    if count:
        labels = ", ".join(repr(label) for label in frame.index[bad][:SHOWN_ROWS].tolist())
        rows = "row" if count == 1 else "rows"
        raise DataError(f"column '{column}': {count} {rows} refused (first: {labels}); expected {expected}")


def check_columns(frame: Any, required: Sequence[str], what: str = "histories") -> pd.DataFrame:
    """Refuse what is not a filled DataFrame with the required columns.

    Raises
    ------
    DataError
        If it is no DataFrame, has no row, or lacks a column.
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{what}: expected a pandas DataFrame, got {type(frame).__name__}")
    missing = [name for name in required if name not in frame.columns]
    if missing:
        raise DataError(
            f"{what}: missing column {', '.join(repr(name) for name in missing)}; "
            f"expected {', '.join(required)}, got {', '.join(map(str, frame.columns))}"
        )
    if frame.empty:
        raise DataError(f"{what}: no rows; expected at least one customer")
    return frame


def refuse_duplicates(frame: pd.DataFrame) -> None:
    """Refuse a customer in two rows: in a column or an index named ``customer`` or ``customer_id``.

    Raises
    ------
    DataError
        Naming the customers and the rows.
    """
    for name in CUSTOMER:
        if name in frame.columns:
            refuse(frame[name].duplicated().to_numpy(), frame, name, "one row a customer, got customers again")
        if frame.index.name == name and not frame.index.is_unique:
            again = frame.index[frame.index.duplicated()]
            shown = ", ".join(map(repr, again.unique()[:SHOWN_ROWS].tolist()))
            rows = "row" if len(again) == 1 else "rows"
            raise DataError(
                f"index '{name}': {len(again)} {rows} refused (first: {shown}); expected one row a customer, got "
                "customers again"
            )


def number_column(frame: pd.DataFrame, name: str) -> FloatArray:
    """Read a column as floats, NaN where it is null.

    Raises
    ------
    DataError
        If the column holds something that is not a number; dates and durations are none.
    """
    dtype = frame[name].dtype
    if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        raise DataError(f"column '{name}': expected days as numbers, got {dtype}; divide by pandas.Timedelta(days=1)")
    try:
        return np.asarray(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise DataError(f"column '{name}': expected numbers, got {dtype}") from error


def nonnegative_column(frame: pd.DataFrame, name: str) -> FloatArray:
    """Read a column of finite numbers of at least 0.

    Raises
    ------
    DataError
        If a value is not a number, missing, infinite or negative.
    """
    values = number_column(frame, name)
    refuse(~np.isfinite(values), frame, name, "a finite number, got a missing or infinite one")
    refuse(values < 0, frame, name, "a number of at least 0, got a negative one")
    return values


def frequency_column(frame: pd.DataFrame) -> FloatArray:
    """Read ``frequency``: whole numbers of at least 0.

    Raises
    ------
    DataError
        If a value is missing, negative or not whole.
    """
    frequency = nonnegative_column(frame, "frequency")
    refuse(frequency != np.floor(frequency), frame, "frequency", "a whole number of repeat purchase days")
    return frequency


def weight_column(frame: pd.DataFrame) -> FloatArray:
    """Read ``weight``, or ones where the frame has no such column.

    Raises
    ------
    DataError
        If a weight is missing, infinite, zero or negative.
    """
    if "weight" not in frame.columns:
        return np.ones(len(frame))
    weight = number_column(frame, "weight")
    refuse(~(np.isfinite(weight) & (weight > 0)), frame, "weight", "a positive number of customers")
    return weight


def read_histories(histories: pd.DataFrame, *, count_days: bool = False) -> Histories:
    """Check a frame of histories and return its arrays, in days.

    Times in another unit than days are noticed by their type, where recency exceeds T, and in a fit where most repeat
    buyers would have bought on more days than there were. Otherwise weeks are histories as good as any: no check can
    tell.

    Parameters
    ----------
    histories : DataFrame
        Columns ``frequency``, ``recency``, ``T`` (days) and optionally ``weight``; no nulls. A column or an index
        named ``customer`` or ``customer_id`` has no customer twice.
    count_days : bool, default False
        Refuse whole times in which most repeat buyers have more repeat purchase days than days.

    Raises
    ------
    DataError
        For a missing column, an empty frame, a customer twice, or rows that no customer can have; the message names
        the column, the number of rows, the first row labels and what was expected.
    """
    frame = check_columns(histories, ("frequency", "recency", "T"))
    refuse_duplicates(frame)
    x = frequency_column(frame)
    t_x, T = nonnegative_column(frame, "recency"), nonnegative_column(frame, "T")
    refuse(t_x > T, frame, "T", "T of at least recency (both counted in days from the first purchase)")
    refuse((x == 0) & (t_x > 0), frame, "recency", "0 where frequency is 0")
    refuse((x > 0) & (t_x == 0), frame, "recency", "more than 0 where frequency is more than 0")
    h = Histories(x, t_x, T, weight_column(frame))
    if count_days:
        _refuse_crowded(h, frame)
    return h


def _refuse_crowded(h: Histories, frame: pd.DataFrame) -> None:
    """Refuse times too short for days where they are whole: parts of a day come of simulation.

    Single customers whose purchases were counted instead of their purchase days are no unit, so it takes most of them.
    """
    crowded = h.x > h.t_x
    if not crowded.any() or not all(np.array_equal(times, np.floor(times)) for times in (h.t_x, h.T)):
        return
    share = h.weight[crowded].sum() / h.weight[h.x > 0].sum()
    if share > MOST_CROWDED:
        expected = (
            f"at most recency ({share:.0%} of repeat buyers have more repeat purchase days than days): count purchases "
            "of one day once, and give recency and T in days"
        )
        refuse(crowded, frame, "frequency", expected)


def distinct_histories(histories: pd.DataFrame) -> pd.DataFrame:
    """Group customers with equal histories and count them.

    A buy-till-you-die likelihood sees a customer only through these three numbers, so a model fitted
    to the result equals one fitted to the customers.

    Parameters
    ----------
    histories : DataFrame
        Columns ``frequency``, ``recency``, ``T`` (days) and optionally ``weight``; no nulls.

    Returns
    -------
    DataFrame
        ``frequency``, ``recency``, ``T``, ``weight``; one row for each different history, in order of
        first appearance, weights summed. Other columns are dropped.

    Raises
    ------
    DataError
        As `read_histories`.

    Examples
    --------
    >>> log = pd.DataFrame({"frequency": [0, 2, 0], "recency": [0, 9, 0], "T": [30, 30, 30]})
    >>> distinct_histories(log)["weight"].tolist()
    [2.0, 1.0]
    """
    grouped, _ = read_histories(histories).distinct()
    return pd.DataFrame({"frequency": grouped.x, "recency": grouped.t_x, "T": grouped.T, "weight": grouped.weight})
