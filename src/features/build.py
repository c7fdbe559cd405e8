"""One row a customer: all feature blocks side by side."""

from datetime import date

import ibis.expr.types as ir
import pandas as pd

from . import basket, cadence, programme, rfm, trend
from .columns import Column, Tables, Window
from .labels import active

LENGTHS = (7, 14, 30, 60, 90, 180, 365)


def windows_that_fit(first_day: date, earliest_as_of: date) -> tuple[int, ...]:
    """Window lengths that even the earliest as-of date can fill.

    A longer window would mean less at an early origin than at a late one, and a model would learn the
    difference as if it were behaviour.

    Examples
    --------
    >>> windows_that_fit(date(2017, 1, 1), date(2017, 5, 1))
    (7, 14, 30, 60, 90)
    """
    known_days = (earliest_as_of - first_day).days
    return tuple(length for length in LENGTHS if length <= known_days) or LENGTHS[:1]


def features(tables: Tables, window: Window, active_within_days: int) -> ir.Table:
    """Features of each customer active at `window.as_of`.

    Parameters
    ----------
    tables : purchase days, and contacts and redemptions where the dataset has them.
    window : as-of date and window lengths.
    active_within_days : who counts as active.

    Returns
    -------
    customer and the columns of `dictionary`, those whose source the dataset lacks left out.
    """
    frame = active(tables.days, window.as_of, active_within_days)
    for block in (rfm.rfm, cadence.cadence, trend.trend, basket.basket):
        frame = frame.left_join(block(tables, window), "customer").drop("customer_right")
    for block in (programme.contacts, programme.redemptions):
        if (happenings := block(tables, window)) is not None:
            frame = frame.left_join(happenings, "customer").drop("customer_right")
    counts = {name: frame[name].coalesce(0) for name in programme.counts(window.lengths) if name in frame.columns}
    return frame.mutate(**counts) if counts else frame


def frame(tables: Tables, window: Window, active_within_days: int) -> pd.DataFrame:
    """`features` in memory: index customer, in order of customer, numbers as float64."""
    table = features(tables, window, active_within_days).to_pandas().set_index("customer").sort_index()
    # Sums in another order differ in the last digits, and a tree may split between them.
    return table.astype("float64").round(9)[[name for name in dictionary(window.lengths) if name in table.columns]]


def dictionary(lengths: tuple[int, ...] = LENGTHS) -> dict[str, Column]:
    """Every feature column with its meaning."""
    return rfm.columns(lengths) | cadence.COLUMNS | trend.columns(lengths) | basket.COLUMNS | programme.columns(lengths)
