"""Past dates, and models fitted to what was known at them."""

import warnings
from datetime import date
from typing import NamedTuple, TypeVar

import pandas as pd

from .base import BTYDModel
from .gamma_gamma import GammaGamma

M = TypeVar("M", BTYDModel, GammaGamma)

RULE, BTYD = "Days since last purchase", "BG/NBD"
"""The rule and the model that others are shown beside."""


class Origin(NamedTuple):
    """One past date, with what was known then and what came after.

    Attributes
    ----------
    features : index customer, the customers active at that date, or a sample of them; frequency, recency, T among them.
    histories : frequency, recency, T of all customers who had bought by then, and optionally weight.
    churned : index customer, of the same customers as `features`; None where the horizon is not over.
    amounts : purchases and spend in the horizon, of the same customers; None where it is not over.
    day : the date.
    year_before : the same a year (52 weeks) before, features frequency, recency, T and monetary_value alone; None where
        the log does not reach back so far.
    """

    features: pd.DataFrame
    histories: pd.DataFrame
    churned: pd.Series | None = None
    amounts: pd.DataFrame | None = None
    day: date | None = None
    year_before: "Origin | None" = None


def fit_and_note(model: M, histories: pd.DataFrame) -> tuple[M, list[str]]:
    """The fitted model, and what it warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(histories)
    return model, [str(warning.message) for warning in caught]
