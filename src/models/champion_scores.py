"""Scores of customers, a batch at a time, wherever the batches are.

What makes them is made in one place and sent to where the rows are as text and bytes. The score of a customer depends
on that customer's row alone: it does not matter how rows are batched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from .chosen import Chosen
from .forecaster import COLUMNS
from .horizon import discount_factors, step_edges

WORTH = ("clv", "clv_low", "clv_high")
NUMBERS = (*COLUMNS, *WORTH)
STEP_DAYS = 7.0


def score(chosen: Chosen, rows: pd.DataFrame, earning: Mapping[str, float]) -> pd.DataFrame:
    """Forecasts and what they are worth.

    Parameters
    ----------
    chosen : of the date.
    rows : its columns, as the engine gives them: numbers that may differ from the learned ones in their last digits.
    earning : horizon_days, margin, annual_discount_rate.

    Returns
    -------
    Index of `rows`; `NUMBERS`, see `Forecaster.forecast`; clv is the margin on the expected spend, discounted.
    """
    told = chosen.forecast(prepared(rows[list(chosen.forecaster.columns)]))
    worth = earning["margin"] * discount(earning)
    return told.assign(**{name: told[name.replace("clv", "expected_spend")] * worth for name in WORTH})


def prepared(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as `features.build.frame` gives them to be learned from."""
    numbers = [name for name in rows if not name.startswith("profile_")]
    return rows.assign(**rows[numbers].astype("float64").round(9))


def discount(earning: Mapping[str, float]) -> float:
    """Present value of 1 that is spent evenly over the horizon.

    Examples
    --------
    >>> round(discount({"horizon_days": 365, "annual_discount_rate": 0.1}), 3)
    0.954
    """
    edges = step_edges(earning["horizon_days"], STEP_DAYS)
    factors = discount_factors(edges, earning["annual_discount_rate"])
    return float(np.average(factors, weights=np.diff(edges)))


def score_batches(
    batches: Iterator[pd.DataFrame],
    parameters: str,
    trees: bytes,
    earning: Mapping[str, float],
    run: str,
) -> Iterator[pd.DataFrame]:
    """Score rows as they come; the function that is sent to the machines of a cluster.

    Parameters
    ----------
    batches : customer, segment and the forecaster's columns.
    parameters, trees : of `Chosen.pack`.
    earning : as in `score`.
    run : told in every row.

    Yields
    ------
    customer, the columns `NUMBERS`, segment, model, run; as many rows as came, in their order.
    """
    chosen = Chosen.unpack(parameters, trees)
    for rows in batches:
        if len(rows):
            told = rows[["customer"]].join(score(chosen, rows, earning))
            yield told.assign(segment=rows["segment"], model=chosen.model, run=run)
