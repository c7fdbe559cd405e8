"""What is watched beside the scores: where the model was wrong, and whether today's customers are like those before."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from .backtest import Origin
from .drift import drift, labels
from .weak_spots import classes, weak_spots


def watched(
    now: Origin, past: Sequence[Origin], days: Sequence[date], said: dict[str, Any], fewest: int
) -> dict[str, Any]:
    """What a report tells of errors and drift.

    Parameters
    ----------
    now, past, said : what `backtest.churn` was given, and what it returned.
    days : of `past`.
    fewest : customers in a class whose error is told.

    Returns
    -------
    weak_spots : see `models.weak_spots.weak_spots`, at the test date.
    drift : see `models.drift.drift`, from the dates that models learned from to the present.
    rates : see `models.drift.labels`; with the difference of the last, and its interval, as `rate_change`.
    """
    holdout, learned = said["holdout"], past[1:] or past
    tested = past[0].features.loc[holdout.index]
    rates = labels({day: origin.churned for day, origin in zip(days, past, strict=True) if origin.churned is not None})
    return {
        "weak_spots": weak_spots(
            holdout["churned"].to_numpy("float64"),
            holdout[said["about"]["winner"]].to_numpy("float64"),
            classes(tested),
            fewest,
        ),
        "drift": drift([origin.features for origin in learned], now.features),
        "rates": rates.table.set_axis(pd.DatetimeIndex(rates.table.index)),
        "rate_change": {"difference": rates.difference, "low": rates.low, "high": rates.high},
    }
