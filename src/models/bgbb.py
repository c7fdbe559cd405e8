r"""The BG/BB model of Fader, Hardie & Shang (2010): customers who can buy at certain occasions only.

Once a year, at every mailing or every concert of a season there is one opportunity to buy, taken or not. Formulae are
those of `loyalty.models.beta_binomial`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..errors import SettingsError
from . import beta_binomial as formulae
from .base import BTYDModel
from .beta_binomial import simulate_histories
from .fitting import Objective
from .horizon import checked_horizon, discount_factors
from .lifetimes_calls import hand_over
from .opportunities import opportunities_column
from .retention import checked_rate
from .validation import FloatArray, Histories, IntArray, check_columns, refuse, refuse_duplicates, weight_column

__all__ = ["BGBB", "simulate_histories"]

OPPORTUNITIES = ("n_periods", "periods", "T")
"""Names of the column that counts opportunities: that of lifetimes, that of its data, and that of the other models."""


FEW = 0.01
"""Sum of alpha and beta at a further start for data of hardly any repeat buyer."""


class BGBB(BTYDModel):
    """Purchases at discrete opportunities, by customers who leave unseen.

    Histories have one row a customer: ``frequency`` (opportunities at which the customer bought, the first purchase
    not counted), ``recency`` (the number of the last of them, 0 without one), ``n_periods`` (opportunities so far;
    ``T`` and ``periods`` are understood, too), and optionally ``weight`` (or ``weights``). All are counts of
    opportunities, not days.

    Parameters
    ----------
    period_days : float, default 1
        Days from one opportunity to the next. Horizons are given in days, as to every model of this family, and
        must hold a whole number of opportunities; left at 1, ``horizon_days`` counts opportunities.

    Attributes
    ----------
    params_ : Series
        ``alpha``, ``beta`` (beta distribution of the probability to buy at an opportunity), ``gamma``, ``delta`` (of
        the probability to leave before one). All others as in `loyalty.models.likelihood.LikelihoodModel`.

    Examples
    --------
    >>> donors = simulate_histories(1.2, 0.75, 0.66, 2.78, [6] * 5000, seed=1)
    >>> model = BGBB(period_days=365).fit(donors)
    >>> model.converged_
    True
    >>> model.expected_purchases(donors, horizon_days=5 * 365).shape
    (5000,)
    """

    _names: ClassVar[tuple[str, ...]] = ("alpha", "beta", "gamma", "delta")
    history_columns: ClassVar[tuple[str, ...]] = ("frequency", "recency", *OPPORTUNITIES)

    def __init__(self, *, period_days: float = 1.0) -> None:
        self.period_days = period_days

    def probability_alive(self, histories: pd.DataFrame, *, horizon_days: float = 0.0) -> FloatArray:
        """Probability that each customer is still there, now or at an opportunity to come.

        Who bought at the last opportunity was there for certain. The paper's figures are those of the next one:
        ``horizon_days`` = ``period_days``.

        Parameters
        ----------
        histories : DataFrame of n rows
            As in `fit`.
        horizon_days : float, default 0
            How far ahead, a whole number of opportunities in days.

        Returns
        -------
        ndarray of shape (n,)
            In [0, 1].

        Raises
        ------
        NotFittedError, DataError, SettingsError
            Before `fit`; for impossible rows; for a horizon that is not a whole number of opportunities.
        """
        p, later = self._vector(), self._in_unit(horizon_days) if horizon_days else 0.0
        return self._by_history(histories, lambda h: formulae.probability_alive(p, h.x, h.t_x, h.T, later))

    def discounted_expected_purchases(
        self, histories: pd.DataFrame, *, horizon_days: float, annual_discount_rate: float, step_days: float = 7
    ) -> FloatArray:
        """Predict expected purchases in the horizon, each worth less the later it comes.

        A purchase i opportunities ahead is discounted over i times ``period_days``; ``step_days``, which
        other models need, is not used.

        Parameters
        ----------
        histories : DataFrame of n rows
            As in `fit`.
        horizon_days, step_days : float
            Length of the horizon in days, a whole number of opportunities; not used.
        annual_discount_rate : float
            Per year of 365 days; 0 gives `expected_purchases`.

        Returns
        -------
        ndarray of shape (n,)
            At least 0.

        Raises
        ------
        NotFittedError, DataError, SettingsError
            As `expected_purchases`; for a rate of -1 or less.
        """
        p, t = self._vector(), self._in_unit(horizon_days)
        middles_at_opportunities = self.period_days * (np.arange(t + 1) + 0.5)
        worth = discount_factors(middles_at_opportunities, annual_discount_rate)

        def discounted(at: Histories) -> FloatArray:
            return formulae.expected_purchases_while_alive(p, at.x, at.T, int(t), worth)

        return self._by_history(histories, lambda h: self._alive(h) * self._by_state(h, discounted))

    def discounted_expected_residual_transactions(self, histories: pd.DataFrame, *, discount_rate: float) -> FloatArray:
        """Predict DERT, all purchases still to come, each worth less the later it comes (equation 14).

        Parameters
        ----------
        histories : DataFrame of n rows
            As in `fit`.
        discount_rate : float
            From one opportunity to the next, positive.

        Returns
        -------
        ndarray of shape (n,)
            At least 0; what is left out of the endless sum is under 1e-10 of it.

        Raises
        ------
        NotFittedError, DataError, SettingsError
            Before `fit`; for impossible rows; for a rate under a millionth.
        """
        p, rate = self._vector(), checked_rate(discount_rate)

        def discounted(at: Histories) -> FloatArray:
            return formulae.discounted_purchases_while_alive(p, at.x, at.T, rate)

        return self._by_history(histories, lambda h: self._alive(h) * self._by_state(h, discounted))

    def describe(self) -> str:
        """Say in one sentence what the estimates mean.

        Returns
        -------
        str

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        alpha, beta, gamma, delta = self._vector()
        buys, leaves = (
            f"{share:.0%}".replace("%", " %") for share in (alpha / (alpha + beta), gamma / (gamma + delta))
        )
        return f"While there, customers buy at {buys} of their opportunities; before the first, {leaves} leave."

    def to_lifetimes(self) -> Any:
        """Hand the fit to the package ``lifetimes``.

        Returns
        -------
        lifetimes.BetaGeoBetaBinomFitter
            Holding these parameters and their errors, so that predictions and ``summary`` work; its times are
            opportunities.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        self._vector()
        from lifetimes import BetaGeoBetaBinomFitter  # heavy, and warns on import

        return hand_over(self, BetaGeoBetaBinomFitter())

    def _unit(self) -> float:
        if not 0 < self.period_days < np.inf:
            raise SettingsError(f"period_days: expected a positive number of days, got {self.period_days!r}")
        return float(self.period_days)

    def _in_unit(self, horizon_days: float) -> float:
        self._vector()
        period = self._unit()
        opportunities = checked_horizon(horizon_days) / period
        if abs(opportunities - round(opportunities)) > 1e-9 * opportunities:
            raise SettingsError(
                f"horizon_days: expected a multiple of period_days = {period:g}, so that it holds a whole number of "
                f"opportunities, got {horizon_days!r}"
            )
        return float(round(opportunities))

    def _read(self, histories: pd.DataFrame) -> Histories:
        return read_opportunities(histories)

    def _read_grouped(self, histories: pd.DataFrame) -> Histories:
        return read_opportunities(histories).grouped()

    def _start(self, h: Histories) -> FloatArray:
        # Among those who bought, purchases up to the last; half of a life so far as the scale of leaving.
        buys = float(np.clip((h.weight @ h.x) / (h.weight @ h.t_x), 0.05, 0.95))
        return np.array([buys, 1 - buys, 0.5, max(float(np.average(h.T, weights=h.weight)) / 2, 1.0)])

    def _further_starts(self, h: Histories, start: FloatArray) -> list[FloatArray]:
        # Some leave at once and the others never; or hardly anybody leaves, and few ever buy.
        buys = float((h.weight @ h.x) / (h.weight @ h.T))
        return [
            np.array([*start[:2], 0.1, 0.1]),
            np.array([FEW * buys, max(FEW * (1 - buys), 1e-6), 1.0, 100.0]),
        ]

    def _objective(self, h: Histories) -> Objective:
        return formulae.Lattice(h)

    def _probability_alive(self, p: FloatArray, h: Histories) -> FloatArray:
        return formulae.probability_alive(p, h.x, h.t_x, h.T)

    def _expected_if_alive(self, p: FloatArray, h: Histories, t: float | FloatArray) -> FloatArray:
        # Between two opportunities those count that are over; a hair above, for t is a quotient.
        return formulae.expected_purchases_while_alive(p, h.x, h.T, np.floor(np.asarray(t) * (1 + 1e-9)))

    def _distribution_if_alive(self, p: FloatArray, h: Histories, t: float, n: int) -> FloatArray:
        return formulae.purchase_distribution_while_alive(p, h.x, h.T, int(t), n)

    def _draw_if_alive(self, p: FloatArray, h: Histories, ends: FloatArray, rng: np.random.Generator) -> IntArray:
        return formulae.draw_purchases_while_alive(p, h.x, h.T, ends.astype(np.int64), rng)


def read_opportunities(histories: pd.DataFrame) -> Histories:
    """Check a frame of histories that count opportunities, see `BGBB`, and return its arrays.

    Raises
    ------
    DataError
        For a missing column, an empty frame, rows that no customer can have, or times in days.
    """
    frame = check_columns(histories, ("frequency", "recency"))
    name = next((column for column in OPPORTUNITIES if column in frame.columns), OPPORTUNITIES[0])
    check_columns(frame, ("frequency", "recency", name))
    refuse_duplicates(frame)
    if "weight" not in frame.columns:
        frame = frame.rename(columns={"weights": "weight"})
    x, t_x, n = (opportunities_column(frame, column) for column in ("frequency", "recency", name))
    refuse(t_x > n, frame, name, f"{name} of at least recency (both count opportunities)")
    refuse(x > t_x, frame, "frequency", "at most recency, since there is one purchase an opportunity at most")
    refuse((x == 0) & (t_x > 0), frame, "recency", "0 where frequency is 0")
    return Histories(x, t_x, n, weight_column(frame))
