"""Contracts that were renewed or not: reading a frame of them, and making one of a survival table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, SettingsError
from .opportunities import opportunities_column
from .retention import Cohort
from .validation import FloatArray, check_columns, number_column, refuse, refuse_duplicates, weight_column


def read_cohort(contracts: pd.DataFrame) -> Cohort:
    """Check a frame of contracts and count who left and who renewed at each opportunity.

    Parameters
    ----------
    contracts : DataFrame
        ``periods`` (renewal opportunities faced), ``churned`` (whether the customer left at the last of them), and
        optionally ``weight``; no nulls.

    Raises
    ------
    DataError
        For a missing column, an empty frame, a customer twice, rows that no customer can have, or outcomes that
        identify nothing.

    Examples
    --------
    >>> read_cohort(pd.DataFrame({"periods": [1, 2, 2], "churned": [True, True, False]}))
    Cohort(t=array([1., 2.]), lost=array([1., 1.]), kept=array([2., 1.]))
    """
    frame = check_columns(contracts, ("periods", "churned"), "contracts")
    refuse_duplicates(frame)
    periods, churned = opportunities_column(frame, "periods"), _churned_column(frame)
    refuse(
        churned & (periods == 0), frame, "periods", "at least 1 where churned is true: nobody leaves before the first"
    )
    weight, faced = weight_column(frame), periods.astype(np.intp)
    length = int(faced.max()) + 1
    lost, there = (
        np.bincount(faced, weights=weight * who, minlength=length).astype(np.float64) for who in (churned, ~churned)
    )
    # Those who faced t and renewed: who left later, and who is there with t renewals or more.
    kept = there[::-1].cumsum()[::-1] + np.append(lost[:0:-1].cumsum()[::-1], 0.0)
    if not lost.any():
        raise DataError(
            f"column 'churned': none of {len(frame)} rows is true: nobody has left, which identifies nothing"
        )
    if not kept[1:].any():
        raise DataError(
            f"column 'periods': nobody in {len(frame)} rows has renewed, which identifies nothing; expected at least "
            "one renewal"
        )
    return Cohort(np.arange(1.0, length), lost[1:], kept[1:])


def read_active(contracts: pd.DataFrame) -> FloatArray:
    """Renewals made so far by customers who are still there.

    Parameters
    ----------
    contracts : DataFrame
        ``periods``; ``churned`` may be left out.

    Raises
    ------
    DataError
        As `read_cohort`, and for customers who have left.
    """
    frame = check_columns(contracts, ("periods",), "contracts")
    refuse_duplicates(frame)
    periods = opportunities_column(frame, "periods")
    if "churned" in frame.columns:
        refuse(_churned_column(frame), frame, "churned", "only customers who are still there; leave out the others")
    return periods


def contracts_from_survival(surviving: ArrayLike, *, customers: float | None = None) -> pd.DataFrame:
    """Make contracts of a table of how many survive.

    Parameters
    ----------
    surviving : array_like of shape (m + 1,)
        Customers still there after 0, 1, …, m renewal opportunities: counts, shares or per cent.
    customers : float, optional
        How many there were at the start; needed for shares and per cent, where the first value stands for them all.
        Left out, the values are counts.

    Returns
    -------
    DataFrame
        ``periods``, ``churned``, ``weight``: what `fit` accepts.

    Raises
    ------
    DataError, SettingsError
        For a table that is too short, not finite, negative or growing; for a number of customers that is not positive.

    Examples
    --------
    >>> contracts_from_survival([100, 60, 45], customers=1000)
       periods  churned  weight
    0        1     True   400.0
    1        2     True   150.0
    2        2    False   450.0
    """
    table = np.asarray(surviving, dtype=np.float64)
    if customers is not None and not 0 < customers < np.inf:
        raise SettingsError(f"customers: expected a positive number, got {customers!r}")
    if table.ndim != 1 or table.size < 2:
        raise DataError(f"surviving: expected values after 0, 1, … opportunities, got shape {table.shape}")
    if not (np.isfinite(table).all() and (table >= 0).all() and table[0] > 0):
        raise DataError("surviving: expected finite numbers of at least 0, the first of them positive")
    growing = np.flatnonzero(np.diff(table) > 0)
    if growing.size:
        raise DataError(f"surviving: expected no growth, got more at opportunity {growing[0] + 1} than before")
    counts = table if customers is None else table / table[0] * customers
    left = pd.DataFrame({"periods": np.arange(1, table.size), "churned": True, "weight": -np.diff(counts)})
    there = pd.DataFrame({"periods": [table.size - 1], "churned": [False], "weight": [counts[-1]]})
    contracts = pd.concat([left, there], ignore_index=True)
    return contracts[contracts["weight"] > 0].reset_index(drop=True)


def _churned_column(frame: pd.DataFrame) -> NDArray[np.bool_]:
    values = number_column(frame, "churned")
    refuse(~np.isin(values, (0, 1)), frame, "churned", "true or false")
    return np.asarray(values == 1)
