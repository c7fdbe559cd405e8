"""The beta-discrete-Weibull model of contract renewal (Fader, Hardie, Liu, Davin & Steenburgh 2018)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from .fitting import Objective
from .renewal import RenewalModel
from .retention import Cohort, bdw_log_likelihood
from .sbg import ShiftedBetaGeometric
from .validation import FloatArray


class BetaDiscreteWeibull(RenewalModel):
    """Renewal of customers whose own probability to leave changes with every renewal.

    With c above 1 a customer becomes more likely to leave, with c under 1 less; at c = 1 this is
    `loyalty.models.sbg.ShiftedBetaGeometric`.

    Attributes
    ----------
    params_ : Series
        ``alpha``, ``beta`` (beta distribution of the probability to leave at the first opportunity; the paper calls
        them gamma and delta) and ``c``. All others as in `loyalty.models.likelihood.LikelihoodModel`.

    Examples
    --------
    >>> from loyalty.models.contracts import contracts_from_survival
    >>> high_end = contracts_from_survival([100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1], customers=1000)
    >>> round(float(BetaDiscreteWeibull().fit(high_end).params_["c"]), 1)
    1.7
    """

    _names: ClassVar[tuple[str, ...]] = ("alpha", "beta", "c")

    def describe(self) -> str:
        """Say what the estimates mean, and which way a customer's own probability to leave goes.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        c = self._shape()[2]
        way = "more" if c > 1 else "less"
        return f"{super().describe()} With every renewal a customer becomes {way} likely to leave (c = {c:.2f})."

    def _shape_of(self, p: FloatArray) -> tuple[float, float, float]:
        return float(p[0]), float(p[1]), float(p[2])

    def _start(self, cohort: Cohort) -> FloatArray:
        return np.append(ShiftedBetaGeometric()._start(cohort), 1.0)

    def _objective(self, cohort: Cohort) -> Objective:
        return bdw_log_likelihood(cohort)


BDW = BetaDiscreteWeibull
"""The model by its short name."""
