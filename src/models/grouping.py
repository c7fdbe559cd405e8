"""Equal rows found fast: whole numbers, which days are, by tables instead of hashing or sorting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Parameter = float | FloatArray
"""A parameter of a model: one value for all rows, or one for each."""

LARGEST_KEY = 2.0**62
"""Whole numbers under this are multiplied and added without overflow."""

LARGEST_INDEX = 2**31 - 1
"""Positions in a sparse table are 32-bit numbers."""


def group_equal(*columns: FloatArray) -> tuple[IntArray, IntArray]:
    """Give equal rows of some columns the same number.

    Parameters
    ----------
    *columns : ndarray of shape (n,)
        Columns of equal length; missing values equal one another.

    Returns
    -------
    codes : ndarray of shape (n,)
        Number of each row's group, 0, 1, … in order of first appearance.
    first : ndarray of shape (groups,)
        Position of the first row of each group.

    Examples
    --------
    >>> codes, first = group_equal(np.array([2.0, 1.0, 2.0]), np.array([5.0, 5.0, 5.0]))
    >>> codes.tolist(), first.tolist()
    ([0, 1, 0], [0, 1])
    """
    found = _whole_key(columns)
    if found is None:
        return _group_by_hash(_hashed_key(columns))
    key, size = found
    return _group_by_table(key, size) if size <= _longest_table(key.size) else _group_by_hash(key)


def levels(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Different values of a column in order of first appearance, and which of them each row holds.

    Parameters
    ----------
    values : ndarray of shape (n,)
        No NaN.

    Returns
    -------
    different : ndarray of shape (k,)
    codes : ndarray of shape (n,)
        ``different[codes]`` is ``values``.

    Examples
    --------
    >>> different, codes = levels(np.array([7.0, 0.5, 7.0]))
    >>> different.tolist(), codes.tolist()
    ([7.0, 0.5], [0, 1, 0])
    """
    codes, first = group_equal(values)
    return values[first], codes


def sum_by_cell(
    row: tuple[FloatArray, FloatArray], column: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray] | None:
    """Add up weights of equal triples of whole numbers, in ascending order of the triple.

    A sparse table with a row for each pair and a column for each third number sorts and adds in a third of
    the time of `group_equal` on all three. It does not tell which group a row went to.

    Parameters
    ----------
    row : pair of ndarray of shape (n,)
    column, weight : ndarray of shape (n,)

    Returns
    -------
    tuple of four ndarray of shape (groups,), or None
        The triples and their weights; None if the numbers are not whole, or so large that a table of them is.

    Examples
    --------
    >>> one, two = np.ones(3), np.array([5.0, 4.0, 5.0])
    >>> [part.tolist() for part in sum_by_cell((one, two), one, one)]
    [[1.0, 1.0], [4.0, 5.0], [1.0, 1.0], [1.0, 2.0]]
    """
    pairs, third = _whole_key(row), _whole_key((column,))
    if pairs is None or third is None:
        return None
    (key, size), (at, width) = pairs, third
    if max(size, width) > min(_longest_table(key.size), LARGEST_INDEX):
        return None
    cells = (key.astype(np.int32), at.astype(np.int32))
    table = coo_array((weight, cells), shape=(size, width)).tocsr()
    counts, seconds = np.diff(table.indptr), int(row[1].max()) + 1
    first, second = (np.repeat(part.astype(np.float64), counts) for part in divmod(np.arange(size), seconds))
    return first, second, table.indices.astype(np.float64), table.data


def systematic_sample(weight: FloatArray, customers: int) -> tuple[IntArray, FloatArray]:
    """Take every (n / customers)-th customer of weighted rows.

    Parameters
    ----------
    weight : ndarray of shape (rows,)
        Customers that share each row.
    customers : int
        Size of the sample.

    Returns
    -------
    rows : ndarray
        Positions of the rows that were met.
    weight : ndarray
        Of those rows in the sample; the sum is that of all rows.

    Examples
    --------
    >>> systematic_sample(np.array([1.0, 4.0, 1.0]), 3)
    (array([0, 1]), array([2., 4.]))
    """
    share = weight.sum() / customers
    met = np.diff(np.floor(np.cumsum(weight) / share + 0.5), prepend=0.0)
    rows = np.flatnonzero(met)
    return rows, met[rows] * share


def _whole_key(columns: Sequence[FloatArray]) -> tuple[IntArray, int] | None:
    """One whole number a row that tells different rows apart, and a bound above all of them.

    None unless the columns hold whole numbers of at least 0, not so large that the key overflows.
    """
    size, key = 1, np.zeros(columns[0].size, dtype=np.int64)
    for column in columns:
        if column.dtype.kind not in "iuf":
            return None
        largest = float(column.max())
        if not (column.min() >= 0 and size * (largest + 1) < LARGEST_KEY):
            return None
        whole = column.astype(np.int64)
        if (whole != column).any():
            return None
        key = key * (int(largest) + 1) + whole
        size *= int(largest) + 1
    return key, size


def _hashed_key(columns: Sequence[FloatArray]) -> IntArray:
    """One whole number a row that tells different rows apart, whatever the columns hold."""
    key: IntArray = np.zeros(columns[0].size, dtype=np.int64)
    for column in columns:
        # Numbering the groups anew after each column keeps the key under rows squared: no overflow.
        level, values = pd.factorize(column, use_na_sentinel=False)
        key, _ = pd.factorize(key * len(values) + level)
    return key.astype(np.int64, copy=False)


def _longest_table(rows: int) -> int:
    """Length up to which a table costs no more than what it saves."""
    return 8 * rows + 1024


def _group_by_hash(key: IntArray) -> tuple[IntArray, IntArray]:
    codes, _ = pd.factorize(key)
    codes = codes.astype(np.int64, copy=False)
    first = np.empty(int(codes.max()) + 1, dtype=np.int64)
    first[codes[::-1]] = np.arange(codes.size)[::-1]
    return codes, first


def _group_by_table(key: IntArray, size: int) -> tuple[IntArray, IntArray]:
    first_of = np.full(size, -1, dtype=np.int64)
    first_of[key[::-1]] = np.arange(key.size)[::-1]
    present = np.flatnonzero(first_of >= 0)
    present = present[np.argsort(first_of[present])]
    number = np.empty(size, dtype=np.int64)
    number[present] = np.arange(present.size)
    return number[key], first_of[present]
