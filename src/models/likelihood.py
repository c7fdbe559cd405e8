"""What every fitted model shows: estimates, their errors, and draws of them."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..errors import ConvergenceWarning, SettingsError
from .fitting import Objective, Optimum, maximise
from .validation import FloatArray

Seed = int | np.random.SeedSequence | np.random.Generator | None
"""What starts a random stream; None takes fresh entropy, a generator goes on where it stands."""


class LikelihoodModel(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A model with positive parameters, fitted by maximum likelihood.

    Attributes
    ----------
    params_, standard_errors_ : Series
        By parameter name. A standard error is NaN where the data leaves the parameter undetermined.
    covariance_ : DataFrame
        Inverse of the observed information in the parameters themselves.
    parameter_correlation_ : DataFrame
        ``covariance_`` in units of the standard errors; NaN in rows and columns of undetermined parameters.
    log_likelihood_, aic_, bic_ : float
        Of the data in the unit fitted.
    n_customers_ : float
        Sum of weights.
    converged_ : bool
        The gradient vanishes and every parameter is determined.
    undetermined_ : tuple of str
        Parameters that the data leaves open.
    """

    _names: ClassVar[tuple[str, ...]]

    _in_days: bool = True
    """Times are in days as given; False where the caller alone knows their unit, as in `loyalty.from_lifetimes`."""

    @property
    def parameter_correlation_(self) -> pd.DataFrame:
        """Correlation of the estimates."""
        check_is_fitted(self, "covariance_")
        return self.covariance_.div(self.standard_errors_, axis=0).div(self.standard_errors_, axis=1)

    def _maximise(
        self,
        objective: Objective,
        start: FloatArray,
        customers: float,
        sample: Objective | None = None,
        further_starts: Sequence[FloatArray] = (),
    ) -> None:
        optimum = self._in_units_of_data(maximise(objective, start, customers, sample, further_starts))
        names = list(self._names)
        self.params_ = pd.Series(optimum.parameters, index=names, name="estimate")
        self.covariance_ = pd.DataFrame(optimum.covariance, index=names, columns=names)
        self.standard_errors_ = pd.Series(np.sqrt(np.diag(optimum.covariance)), index=names, name="standard_error")
        self.log_likelihood_ = optimum.log_likelihood
        self.aic_ = 2 * len(names) - 2 * optimum.log_likelihood
        self.bic_ = len(names) * float(np.log(customers)) - 2 * optimum.log_likelihood
        self.n_customers_ = customers
        self.converged_ = optimum.converged
        self.undetermined_ = tuple(names[i] for i in optimum.undetermined)
        self._warn_if_unsettled(optimum)

    def _in_units_of_data(self, optimum: Optimum) -> Optimum:
        """Return what the search found in the units in which it is told; they differ where a model scales its data."""
        return optimum

    def _warn_if_unsettled(self, optimum: Optimum) -> None:
        name = type(self).__name__
        if self.undetermined_:
            values = ", ".join(f"{key} = {self.params_[key]:.3g}" for key in self.undetermined_)
            warnings.warn(
                f"{name}: the data does not determine {values}: the likelihood is flat there, so the "
                "value is a point on a ridge and has no standard error; use a simpler model or more data",
                ConvergenceWarning,
                stacklevel=4,
            )
        elif not optimum.converged:
            warnings.warn(
                f"{name}: the search stopped before the gradient vanished; compare with other models "
                "before using this fit",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _vector(self) -> FloatArray:
        check_is_fitted(self, "params_")
        return np.asarray(self.params_, dtype=np.float64)

    def with_parameters(self, parameters: Mapping[str, float] | pd.Series) -> Self:
        """Return a model that predicts with other parameters, such as published or drawn ones.

        Parameters
        ----------
        parameters : mapping of str to float
            One value for each parameter, by name; times in the unit of this model.

        Returns
        -------
        A copy. What a fit found besides parameters is left as it was, or missing if this model is not fitted.

        Raises
        ------
        SettingsError
            If a parameter is missing, unknown, or not a positive number.
        """
        given = pd.Series(dict(parameters), name="estimate", dtype="float64")
        if set(given.index) != set(self._names):
            raise SettingsError(
                f"parameters: expected {', '.join(self._names)}, got {', '.join(map(str, given.index)) or 'none'}"
            )
        wrong = given[~(np.isfinite(given) & (given > 0))]
        if len(wrong):
            raise SettingsError(f"parameters: expected positive numbers, got {wrong.index[0]} = {wrong.iloc[0]:g}")
        other = copy.copy(self)
        other.params_ = given[list(self._names)]
        return other

    def summary(self) -> pd.DataFrame:
        """Tabulate the estimates.

        Returns
        -------
        DataFrame
            One row a parameter: ``estimate``, ``standard_error``, and the 90 % interval ``low_90``,
            ``high_90``, symmetric on the log scale. NaN where the parameter is undetermined.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        values = self._vector()
        reach = norm.ppf(0.95) * self.standard_errors_ / values
        return pd.DataFrame(
            {
                "estimate": self.params_,
                "standard_error": self.standard_errors_,
                "low_90": values * np.exp(-reach),
                "high_90": values * np.exp(reach),
            }
        )

    def sample_parameters(self, n: int, seed: Seed = None) -> pd.DataFrame:
        """Draw parameters from the normal approximation to their log-scale sampling distribution.

        An undetermined parameter stays at its estimate.

        Parameters
        ----------
        n : int
            Number of draws.
        seed : int, SeedSequence or None
            Equal seeds give equal draws.

        Returns
        -------
        DataFrame of shape (n, parameters)
            All positive, columns named as ``params_``.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        values = self._vector()
        spread = np.nan_to_num(self.covariance_.to_numpy() / np.outer(values, values))
        draws = np.random.default_rng(seed).multivariate_normal(np.log(values), spread, size=n, method="eigh")
        return pd.DataFrame(np.exp(draws), columns=list(self._names))
