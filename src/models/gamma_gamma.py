r"""The Gamma-Gamma model of spend per purchase day.

Spend on a purchase day is :math:`\Gamma(p, \nu)` with a :math:`\nu \sim \Gamma(q, v)` of each customer's own,
and has nothing to do with how often the customer buys.

Equation numbers are those of P. S. Fader & B. G. S. Hardie (2013), The Gamma-Gamma Model of Monetary
Value, http://www.brucehardie.com/notes/025/. The model comes from P. S. Fader, B. G. S. Hardie & K. L. Lee
(2005), RFM and CLV, Journal of Marketing Research 42 (4), 415-430.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import DataError
from .base import SAMPLE, SAMPLED_FROM, AssumptionWarning, LikelihoodModel, Seed
from .fitting import Optimum
from .gamma_gamma_likelihood import draw_spend, expected_mean_spend, log_likelihood, weighted_log_likelihood
from .grouping import systematic_sample
from .lifetimes_calls import hand_over
from .validation import (
    FloatArray,
    check_columns,
    frequency_column,
    number_column,
    refuse,
    refuse_duplicates,
    weight_column,
)

__all__ = [
    "GammaGamma",
    "draw_spend",
    "expected_mean_spend",
    "log_likelihood",
    "weighted_log_likelihood",
]

LARGE_CORRELATION = 0.3
"""Above this, spend and frequency are not independent enough for the model."""


class GammaGamma(LikelihoodModel):
    """Spend per purchase day, shrunk towards the population the more, the fewer purchases were seen.

    Attributes
    ----------
    params_ : Series
        ``p`` (shape of one day's spend), ``q``, ``v`` (shape and scale of the customers' rates; ``v`` in the
        currency of the data). All others as in `loyalty.models.likelihood.LikelihoodModel`.
    correlation_ : float
        Weighted correlation of frequency and monetary value among repeat buyers; NaN if either is constant.

    Notes
    -----
    ``n_customers_`` counts repeat buyers only: others do not enter the likelihood.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.integers(1, 9, 3000)
    >>> z = rng.gamma(6 * x, 1 / (rng.gamma(4, 1 / 15, 3000) * x))
    >>> model = GammaGamma().fit(pd.DataFrame({"frequency": x, "monetary_value": z}))
    >>> model.converged_
    True
    """

    _names: ClassVar[tuple[str, ...]] = ("p", "q", "v")

    def fit(self, histories: pd.DataFrame) -> Self:
        """Fit by maximum likelihood to the customers with a repeat purchase.

        Parameters
        ----------
        histories : DataFrame
            ``frequency`` (repeat purchase days), ``monetary_value`` (mean spend per repeat purchase day;
            not used, and may be null but not negative, where frequency is 0), and optionally ``weight``.

        Returns
        -------
        self

        Raises
        ------
        DataError
            For rows that no customer can have, a spend that is not positive among repeat buyers, or if
            no customer bought twice.

        Warns
        -----
        ConvergenceWarning
            If the data leaves a parameter undetermined or the search stopped early.
        AssumptionWarning
            If spend and frequency correlate by more than .3, or the mean spend does not exist (q <= 1).
        """
        x, z, weight = _read_spend(histories)
        repeat = x > 0
        if not repeat.any():
            raise DataError(
                f"column 'frequency': all {x.size} rows are 0, which identifies nothing; "
                "expected at least one customer with a repeat purchase"
            )
        x, z, weight = x[repeat], z[repeat], weight[repeat]
        # In units of the mean spend the range of the search suits any currency.
        self.n_customers_, self._level = float(weight.sum()), float(np.average(z, weights=weight))
        relative = z / self._level
        # Moments would need spend of single days; these shapes are usual, and v makes the mean 1.
        start = np.array([5.0, 4.0, 3.0 / 5.0])
        sample = None
        if x.size >= SAMPLED_FROM:
            rows, shares = systematic_sample(weight, SAMPLE)
            sample = weighted_log_likelihood(x[rows], relative[rows], shares)
        self._maximise(weighted_log_likelihood(x, relative, weight), start, self.n_customers_, sample)
        self.correlation_ = _correlation(x, relative, weight)
        self._warn_of_assumptions()
        return self

    def expected_spend(self, histories: pd.DataFrame) -> FloatArray:
        """Predict expected spend per future purchase day.

        Parameters
        ----------
        histories : DataFrame of n rows
            As in `fit`; weights are ignored.

        Returns
        -------
        ndarray of shape (n,)
            In the currency of the data; the population mean where frequency is 0.

        Raises
        ------
        NotFittedError, DataError
            Before `fit`; for impossible rows; for rows whose mean does not exist, because q <= 1 leaves
            the population of spends without a mean.
        """
        p, q, v = self._vector()
        x, z, _ = _read_spend(histories)
        expected = f"p * frequency + q > 1, or the mean does not exist (fitted q = {q:.3g}); use more data"
        refuse(p * x + q <= 1, histories, "frequency", expected)
        return expected_mean_spend(p, q, v, x, z)

    def sample_spend(
        self,
        histories: pd.DataFrame,
        purchases: ArrayLike,
        *,
        parameters: pd.Series | None = None,
        seed: Seed = None,
    ) -> FloatArray:
        r"""Simulate what customers spend on given numbers of future purchase days.

        A customer's :math:`\nu` is drawn from its posterior :math:`\Gamma(q + px, v + xz)`, and the total of
        n purchase days is :math:`\Gamma(pn, \nu)`.

        Parameters
        ----------
        histories : DataFrame of n rows
            As in `fit`; weights are ignored.
        purchases : array_like of shape (n,)
            Purchase days of each row, as one draw of ``sample_purchases`` gives them.
        parameters : Series, optional
            p, q and v of this draw, as a row of `sample_parameters`; the estimates if left out.
        seed : int, SeedSequence, Generator or None
            Equal seeds give equal draws; pass one Generator through a loop over draws.

        Returns
        -------
        ndarray of shape (n,)
            Total spend in the currency of the data; 0 where ``purchases`` is 0.

        Raises
        ------
        NotFittedError, DataError
            Before `fit`; for impossible rows or purchases of another length.

        Examples
        --------
        >>> history = pd.DataFrame({"frequency": [4, 9], "monetary_value": [20.0, 31.0]})
        >>> model = GammaGamma()
        >>> model.params_ = pd.Series({"p": 6.25, "q": 3.74, "v": 15.44})
        >>> model.sample_spend(history, [0, 3], seed=1).round(0)
        array([ 0., 94.])
        """
        fitted = self._vector()
        vector = fitted if parameters is None else parameters[list(self._names)].to_numpy(dtype=np.float64)
        x, z, _ = _read_spend(histories)
        counts = np.asarray(purchases, dtype=np.float64)
        if counts.shape != x.shape:
            raise DataError(f"purchases: expected one count for each of {x.size} rows, got {counts.shape}")
        return draw_spend(vector, x, z, counts, np.random.default_rng(seed))

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
        p, q, v = self._vector()
        if q <= 1:
            return "Spend per purchase day varies so much between customers that it has no mean."
        trust = p / (p + q - 1)
        return (
            f"A customer spends {p * v / (q - 1):.2f} per purchase day on average; after one repeat purchase "
            f"a customer's own mean counts for {trust:.0%} of the forecast."
        )

    def to_lifetimes(self) -> Any:
        """Hand the fit to the package ``lifetimes``.

        Returns
        -------
        lifetimes.GammaGammaFitter
            Holding these parameters and their errors, so that predictions and ``summary`` work.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        self._vector()
        from lifetimes import GammaGammaFitter  # heavy, and warns on import

        return hand_over(self, GammaGammaFitter())

    def _in_units_of_data(self, optimum: Optimum) -> Optimum:
        """Turn v from units of the mean spend into currency; a density of spend is one per unit of it."""
        factors = np.array([1.0, 1.0, self._level])
        return replace(
            optimum,
            parameters=optimum.parameters * factors,
            covariance=optimum.covariance * np.outer(factors, factors),
            log_likelihood=optimum.log_likelihood - self.n_customers_ * float(np.log(self._level)),
        )

    def _warn_of_assumptions(self) -> None:
        if abs(self.correlation_) > LARGE_CORRELATION:
            warnings.warn(
                f"GammaGamma: spend and frequency correlate by {self.correlation_:.2f}; the model takes them "
                "as independent, so that forecasts of frequent buyers are biased",
                AssumptionWarning,
                stacklevel=3,
            )
        if self.params_["q"] <= 1:
            warnings.warn(
                f"GammaGamma: q = {self.params_['q']:.3g} is not above 1, so that mean spend does not exist; "
                "spend of customers without a repeat purchase cannot be predicted",
                AssumptionWarning,
                stacklevel=3,
            )


def _read_spend(histories: pd.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Frequency, mean spend (0 where there is no repeat purchase) and weight of a checked frame."""
    frame = check_columns(histories, ("frequency", "monetary_value"))
    refuse_duplicates(frame)
    x, z = frequency_column(frame), number_column(frame, "monetary_value")
    refuse(z < 0, frame, "monetary_value", "a mean spend that is not negative, or null where frequency is 0")
    repeat = x > 0
    refuse(repeat & ~np.isfinite(z), frame, "monetary_value", "a finite number where frequency is above 0")
    refuse(repeat & (z <= 0), frame, "monetary_value", "a positive mean spend where frequency is above 0")
    return x, np.where(repeat, z, 0.0), weight_column(frame)


def _correlation(x: FloatArray, z: FloatArray, weight: FloatArray) -> float:
    share = weight / weight.sum()
    dx, dz = x - share @ x, z - share @ z
    spread = float(np.sqrt((share @ dx**2) * (share @ dz**2)))
    return float(share @ (dx * dz)) / spread if spread > 0 else float("nan")
