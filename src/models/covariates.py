"""Buy-till-you-die models whose customers differ in what is known of them: age, channel, region.

The mathematics is in `loyalty.models.covariate_likelihood`, the reading of columns in
`loyalty.models.covariate_columns`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from ..errors import DataError, SettingsError
from .base import BTYDModel
from .covariate_columns import MISSING, check_independent, checked_names, join_covariates, learn
from .covariate_likelihood import Effects, ProfiledHistories, link_of, weighted_log_likelihood
from .fitting import Objective, Optimum
from .likelihood import Seed
from .validation import FloatArray, Histories, IntArray, group_equal, read_histories

__all__ = ["MISSING", "WithCovariates", "join_covariates"]

OWN = 4
"""Parameters of each of the models that take covariates."""

LARGEST_LOG = 300.0
"""Largest logarithm of a factor whose variance is still a number."""


class WithCovariates(BTYDModel):
    """A model whose customers buy and leave at rates that depend on covariates, which do not change in time.

    Parameters
    ----------
    model : BGNBD, MBGNBD or ParetoNBD
        The model, not fitted; it is left as it is.
    purchase, dropout : sequence of str
        Columns of the histories that move the rate of purchase, and the rate of leaving (Pareto/NBD) or the odds of
        leaving after a purchase (BG/NBD, MBG/NBD). A column may stand in both.

    Attributes
    ----------
    params_ : Series
        The parameters of the model as they are for the reference, then ``purchase:<covariate>`` and
        ``dropout:<covariate>``: factors by which a rate, or the odds, are multiplied for each unit of the covariate,
        or for a level against the reference (``purchase:channel=web``). 1 is no effect; above 1 in ``dropout`` is
        leaving sooner. Intervals of `summary` are symmetric on the log scale.
    reference_ : Series
        The customer whom the model's own parameters describe: each numeric covariate at its mean by weight, each
        category at its most frequent level. The ``alpha`` of the papers, of a customer whose covariates are 0, is
        alpha * factor ** mean.
    coding_ : Coding
        How columns become numbers.

    All others as in `loyalty.models.likelihood.LikelihoodModel`.

    Notes
    -----
    Frames need the covariates in every fit and prediction. Columns of numbers enter as they are, in their own unit, and
    have no missing values; all other columns, also of True and False, are categories, in which a missing value is a
    level of its own, "(missing)". Take what was settled when customers came: what purchases made is in the history.
    Where covariates have many values, a fit costs by the number of customers, not of different histories.

    Two fits to the same customers compare by twice the difference of ``log_likelihood_``, chi-square with as many
    degrees of freedom as one has factors more.

    Examples
    --------
    >>> from loyalty.models.bgnbd import BGNBD
    >>> from loyalty.models.beta_geometric import simulate_histories
    >>> from loyalty.models.covariates import WithCovariates
    >>> web = np.arange(4000) % 2 == 0
    >>> customers = simulate_histories(.8, np.where(web, 30, 60), 1, 3, [300.0] * 4000, seed=1)
    >>> customers["channel"] = np.where(web, "web", "till")
    >>> model = WithCovariates(BGNBD(), purchase=["channel"]).fit(customers)
    >>> model.reference_["channel"]
    'till'
    >>> model.params_["purchase:channel=web"].round()
    np.float64(2.0)
    """

    def __init__(self, model: BTYDModel, *, purchase: Sequence[str] = (), dropout: Sequence[str] = ()) -> None:
        self.model = model
        self.purchase = purchase
        self.dropout = dropout

    @property
    def history_columns(self) -> tuple[str, ...]:  # type: ignore[override]  # here it depends on the covariates
        """All that the model sees of a customer."""
        return (*self.model.history_columns, *self._covariates())

    @property
    def _names(self) -> tuple[str, ...]:  # type: ignore[override]  # here it depends on the levels that were seen
        check_is_fitted(self, "coding_")
        labels = self.coding_.labels
        return (
            *self.model._names,
            *(f"purchase:{labels[i]}" for i in self.coding_.columns(self.purchase)),
            *(f"dropout:{labels[i]}" for i in self.coding_.columns(self.dropout)),
        )

    def at(self, covariates: Mapping[str, object] | None = None) -> BTYDModel:
        """Return the model without covariates that holds for customers who share them.

        It has the parameters alone: standard errors belong to the whole.

        Parameters
        ----------
        covariates : mapping of str to value, optional
            Values of covariates; those that are not named are as in ``reference_``.

        Returns
        -------
        BGNBD, MBGNBD or ParetoNBD

        Raises
        ------
        NotFittedError, DataError, SettingsError
            Before `fit`; for a level that the fit did not see; for a covariate that the model does not have.
        """
        p, given = self._vector(), dict(covariates or {})
        if unknown := [name for name in given if name not in self._covariates()]:
            raise SettingsError(
                f"covariates: {unknown[0]!r} is none of this model; expected {', '.join(self._covariates()) or 'none'}"
            )
        customer = pd.DataFrame(
            {name: [value] for name, value in (self.reference_.to_dict() | given).items()}, index=[0]
        )
        effects = self._effects()
        own = effects.moved(p, self.coding_.encode(customer)[:, effects.columns])
        return self.model.with_parameters(
            {name: float(np.ravel(value)[0]) for name, value in zip(self.model._names, own, strict=True)}
        )

    def expected_purchases_of_new_customer(
        self, t_days: ArrayLike, covariates: Mapping[str, object] | None = None
    ) -> FloatArray:
        """Predict a new customer's expected repeat purchase days in the first ``t_days``.

        Parameters
        ----------
        t_days : float or array_like of shape (m,)
            Ages in days, at least 0.
        covariates : mapping of str to value, optional
            Of the customer, as in `at`. Without them it is the reference; the mean over many customers differs.

        Returns
        -------
        ndarray of shape (m,)

        Raises
        ------
        NotFittedError, DataError, SettingsError
            As `at`; for an age that is negative or not finite.
        """
        return self.at(covariates).expected_purchases_of_new_customer(t_days)

    def new_customer_distribution(
        self, t_days: float, n: int, covariates: Mapping[str, object] | None = None
    ) -> FloatArray:
        """Probabilities of 0, 1, …, n repeat purchase days in a customer's first ``t_days``.

        Parameters
        ----------
        t_days : float
            Age in days, positive.
        n : int
            Largest count asked for, at least 0.
        covariates : mapping of str to value, optional
            As in `expected_purchases_of_new_customer`.

        Returns
        -------
        ndarray of shape (n + 1,)

        Raises
        ------
        NotFittedError, DataError, SettingsError
            As `at`; for an age that is not positive or a negative ``n``.
        """
        return self.at(covariates).new_customer_distribution(t_days, n)

    def describe(self) -> str:
        """Say in a few sentences what the estimates mean.

        Returns
        -------
        str
            What the model says of the reference, who that is, and each factor with its 90 % interval.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        self._vector()
        who = ", ".join(f"{name} = {_short(value)}" for name, value in self.reference_.items())
        sentences = [self.at().describe()]
        if who:
            sentences.append(f"That is of customers with {who}.")
        leaving = link_of(self.model).leaving
        for name, row in self.summary().iloc[OWN:].iterrows():
            process, label = str(name).split(":", 1)
            what = label.replace("=", " = ", 1) if "=" in label else f"Each unit of {label}"
            multiplied = "rate of purchase" if process == "purchase" else leaving
            sure = f"{row['low_90']:.3g} to {row['high_90']:.3g}" if row["low_90"] > 0 else "not determined"
            sentences.append(f"{what} multiplies the {multiplied} by {row['estimate']:.3g} ({sure}).")
        return " ".join(sentences)

    def sample_parameters(self, n: int, seed: Seed = None) -> pd.DataFrame:
        """Draw parameters from the normal approximation to their log-scale sampling distribution.

        Parameters, result and errors are those of `LikelihoodModel.sample_parameters`; an undetermined parameter
        stays at its estimate.
        """
        # In units of the search: beside them the variance of a factor for one cent would be lost to rounding.
        values, scales = self._vector(), self._scales()
        spread = np.nan_to_num(self.covariance_.to_numpy() / np.outer(values, values) * np.outer(scales, scales))
        rng = np.random.default_rng(seed)
        draws = rng.multivariate_normal(np.zeros(values.size), spread, size=n, method="eigh")
        return pd.DataFrame(values * np.exp(draws / scales), columns=list(self._names))

    def _covariates(self) -> tuple[str, ...]:
        """Names of all covariates, each once."""
        taken = (*self.model.history_columns, "weight")
        purchase, dropout = (
            checked_names(process, names, taken)
            for process, names in (("purchase", self.purchase), ("dropout", self.dropout))
        )
        return tuple(dict.fromkeys((*purchase, *dropout)))

    def _effects(self) -> Effects:
        return Effects.of(link_of(self.model), self.coding_.columns(self.purchase), self.coding_.columns(self.dropout))

    def _scales(self) -> FloatArray:
        """Units of the search in those of the data: 1 for the model's own parameters."""
        return np.concatenate([np.ones(OWN), self.coding_.scales[self._effects().columns]])

    def _unit(self) -> float:
        return self.model._unit()

    def _read(self, histories: pd.DataFrame) -> ProfiledHistories:
        return ProfiledHistories.of(super()._read(histories), self.coding_.encode(histories))

    def _read_grouped(self, histories: pd.DataFrame) -> ProfiledHistories:
        checked = read_histories(histories, count_days=self._in_days)
        read = ProfiledHistories.of(checked, self.coding_.encode(histories))
        return read.grouped().rescaled(self._unit())

    def _read_for_fit(self, histories: pd.DataFrame) -> Histories:
        link_of(self.model)
        read_histories(histories)
        coding = learn(histories, self._covariates())
        for process, names in (("purchase", self.purchase), ("dropout", self.dropout)):
            check_independent(coding, histories, names, process)
        # Should the fit fail now, earlier estimates would be read as those of other columns.
        self.__dict__.pop("params_", None)
        self.coding_ = coding
        reference = {covariate.name: covariate.reference for covariate in coding.covariates}
        self.reference_ = pd.Series(reference, name="reference", dtype=object)
        return super()._read_for_fit(histories)

    def _in_units_of_data(self, optimum: Optimum) -> Optimum:
        """Turn factors of a standard deviation into factors of a unit: on the log scale both are proportional."""
        scales = self._scales()
        logs = np.log(optimum.parameters) / scales
        if (too_large := np.flatnonzero(np.abs(logs) > LARGEST_LOG)).size:
            raise DataError(
                f"{self._names[too_large[0]]}: a unit is {1 / scales[too_large[0]]:.3g} standard deviations of the "
                "covariate, and its factor beyond all numbers; give the covariate in a smaller unit"
            )
        parameters = np.exp(logs)
        per_unit = parameters / (optimum.parameters * scales)
        return replace(optimum, parameters=parameters, covariance=optimum.covariance * np.outer(per_unit, per_unit))

    def _start(self, h: Histories) -> FloatArray:
        return np.concatenate([self.model._start(h), np.ones(len(self._names) - OWN)])

    def _further_starts(self, h: Histories, start: FloatArray) -> list[FloatArray]:
        own = self.model._further_starts(h, start[:OWN])
        return [np.concatenate([further, start[OWN:]]) for further in own]

    def _objective(self, h: Histories) -> Objective:
        profiled = cast(ProfiledHistories, h)
        return weighted_log_likelihood(profiled, link_of(self.model), self._effects(), self._scales()[OWN:])

    def _by_state(self, h: Histories, predict: Callable[[Histories], FloatArray]) -> FloatArray:
        """Predict once for each different state of a customer known to be active, covariates included."""
        codes, first = group_equal(h.x, h.T, cast(ProfiledHistories, h).profile.astype(np.float64))
        return predict(h.take(first))[codes]

    def _of_rows(self, p: FloatArray, h: Histories) -> FloatArray:
        """Parameters of the model for each row, shape (4, n)."""
        profiled, effects = cast(ProfiledHistories, h), self._effects()
        own = effects.moved(p, profiled.profiles[:, effects.columns])
        size = len(profiled.profiles)
        return np.array([np.broadcast_to(each, size) for each in own])[:, profiled.profile]

    def _probability_alive(self, p: FloatArray, h: Histories) -> FloatArray:
        return self.model._probability_alive(self._of_rows(p, h), h)

    def _expected_if_alive(self, p: FloatArray, h: Histories, t: float | FloatArray) -> FloatArray:
        return self.model._expected_if_alive(self._of_rows(p, h), h, t)

    def _distribution_if_alive(self, p: FloatArray, h: Histories, t: float, n: int) -> FloatArray:
        return self.model._distribution_if_alive(self._of_rows(p, h), h, t, n)

    def _draw_if_alive(self, p: FloatArray, h: Histories, ends: FloatArray, rng: np.random.Generator) -> IntArray:
        return self.model._draw_if_alive(self._of_rows(p, h), h, ends, rng)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
