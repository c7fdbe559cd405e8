"""Columns that count opportunities: to buy, or to renew."""

from __future__ import annotations

import pandas as pd

from .validation import FloatArray, nonnegative_column, refuse

MOST_OPPORTUNITIES = 1000
"""A longer life is taken for one that is counted in days."""


def opportunities_column(frame: pd.DataFrame, name: str) -> FloatArray:
    """Read a column of whole numbers from 0 to 1,000.

    Raises
    ------
    DataError
        If a value is missing, negative, not whole or too large to be a number of opportunities.
    """
    values = nonnegative_column(frame, name)
    count = "a whole number of opportunities, not days: divide times by the length of a period"
    refuse(values != values.round(), frame, name, count)
    refuse(values > MOST_OPPORTUNITIES, frame, name, f"at most {MOST_OPPORTUNITIES} opportunities; {count}")
    return values
