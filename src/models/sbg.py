"""The shifted-beta-geometric model of contract renewal (Fader & Hardie 2007)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from .fitting import Objective
from .renewal import RenewalModel
from .retention import Cohort, sbg_log_likelihood
from .validation import FloatArray


class ShiftedBetaGeometric(RenewalModel):
    r"""Renewal of customers who each leave with a constant probability of their own.

    Retention of a cohort rises with time, because those who leave easily leave first; nobody becomes more loyal.

    Attributes
    ----------
    params_ : Series
        ``alpha``, ``beta``: beta distribution of the probability to leave at an opportunity. All others as in
        `loyalty.models.likelihood.LikelihoodModel`.

    Examples
    --------
    >>> from loyalty.models.contracts import contracts_from_survival
    >>> regular = contracts_from_survival([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1], customers=1000)
    >>> model = ShiftedBetaGeometric().fit(regular)
    >>> model.params_.round(3).to_dict()
    {'alpha': 0.704, 'beta': 1.182}
    >>> model.describe()
    'At the first opportunity 37 % leave, at the fifth 12 % of those who face it, and half have left after 2.'
    """

    _names: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def _shape_of(self, p: FloatArray) -> tuple[float, float, float]:
        return float(p[0]), float(p[1]), 1.0

    def _start(self, cohort: Cohort) -> FloatArray:
        leaves = cohort.lost.sum() / (cohort.lost + cohort.kept).sum()
        return np.array([2 * leaves, 2 * (1 - leaves)])

    def _objective(self, cohort: Cohort) -> Objective:
        return sbg_log_likelihood(cohort)


SBG = ShiftedBetaGeometric
"""The model by its short name."""
