r"""What covariates do to the parameters of a model, and the likelihood with them.

P. S. Fader & B. G. S. Hardie (2007), Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models,
http://www.brucehardie.com/notes/019/. A customer with covariates z buys at a rate that is :math:`e^{\gamma'z}` times
what it would be, and leaves at one that is :math:`e^{\delta'z}` times. A gamma distribution times a factor is one with
another scale, so that

.. math:: \alpha_i = \alpha e^{-\gamma'z_i}, \qquad \beta_i = \beta e^{-\delta'z_i} \quad \text{(Pareto/NBD)}, \qquad
          a_i = a e^{\delta'z_i} \quad \text{(BG/NBD, MBG/NBD)}.

The note moves a and b of the beta distribution by a vector each. Two vectors say no more about the mean than their
difference: they also move how much customers differ, which histories hardly tell, and with both no coefficient says
whether a covariate makes customers leave sooner. Here only a moves: the odds of the mean probability to leave,
a / b, are multiplied, as a rate is. What is estimated are the factors themselves, :math:`e^{\gamma_j}` and
:math:`e^{\delta_j}`, which are positive like all other parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np

from ..errors import SettingsError
from . import beta_geometric, pareto_likelihood
from .base import BTYDModel
from .bgnbd import BetaGeometricModel
from .fitting import BLOCK, Objective
from .grouping import FloatArray, IntArray, Parameter, group_equal, systematic_sample
from .pareto_nbd import ParetoNBD
from .validation import Histories

FARTHEST = 50.0
"""Largest logarithm of a factor: beyond it lies no customer, but a step of the search may try."""

PURCHASE = 1
"""Position of alpha, in all models."""


@dataclass(frozen=True)
class ProfiledHistories(Histories):
    """Histories of customers with covariates.

    Attributes
    ----------
    profile : ndarray of shape (n,)
        Row of ``profiles`` that a customer's covariates are.
    profiles : ndarray of shape (m, k)
        The different covariates; zeros are the reference.
    """

    profile: IntArray
    profiles: FloatArray

    @classmethod
    def of(cls, h: Histories, covariates: FloatArray) -> Self:
        """Put covariates, shape (n, k), beside histories."""
        if covariates.shape[1]:
            profile, first = group_equal(*covariates.T)
        else:
            profile, first = np.zeros(h.x.size, dtype=np.int64), np.zeros(1, dtype=np.int64)
        return cls(h.x, h.t_x, h.T, h.weight, profile, covariates[first])

    def rescaled(self, unit: float) -> Self:
        """Return the same histories with times counted in units of ``unit``."""
        return replace(self, t_x=self.t_x / unit, T=self.T / unit)

    def take(self, rows: IntArray) -> Self:
        """Return the histories at some positions."""
        columns = {name: getattr(self, name)[rows] for name in ("x", "t_x", "T", "weight", "profile")}
        return replace(self, **columns)

    def grouped(self) -> Self:
        """Group equal histories with equal covariates and add up their weights."""
        return self.distinct()[0]

    def thinned(self, customers: int) -> Self:
        """Return a systematic sample of about so many customers, weighted to stand for all."""
        rows, weight = systematic_sample(self.weight, customers)
        return replace(self.take(rows), weight=weight)

    def distinct(self) -> tuple[Self, IntArray]:
        """Group equal histories with equal covariates and add up their weights."""
        codes, first = group_equal(self.x, self.t_x, self.T, self.profile.astype(np.float64))
        weight = np.bincount(codes, weights=self.weight, minlength=first.size).astype(np.float64, copy=False)
        return replace(self.take(first), weight=weight), codes


class Link(NamedTuple):
    """How covariates enter a model.

    Attributes
    ----------
    log_likelihood : callable
        Value, shape (n,), and gradient, shape (4, n), from the four parameters and x, t_x and T of each row.
    dropout : int
        Position of the parameter that dropout covariates move.
    dropout_sign : float
        Direction in which it moves when customers leave sooner.
    leaving : str
        What dropout covariates multiply.
    """

    log_likelihood: Callable[..., tuple[FloatArray, FloatArray]]
    dropout: int
    dropout_sign: float
    leaving: str


def link_of(model: object) -> Link:
    """Return how covariates enter a model.

    Raises
    ------
    SettingsError
        For a model into which they do not.
    """
    if isinstance(model, BetaGeometricModel):
        likelihood = partial(beta_geometric.log_likelihood_and_gradient, first=model._first)
        return Link(likelihood, 2, 1.0, "odds of leaving after a purchase")
    if isinstance(model, ParetoNBD):
        return Link(pareto_likelihood.log_likelihood_and_gradient, 3, -1.0, "rate of leaving")
    name = type(model).__name__ if isinstance(model, BTYDModel) else repr(model)
    raise SettingsError(f"model: covariates need BGNBD(), MBGNBD() or ParetoNBD(), got {name}")


@dataclass(frozen=True)
class Effects:
    """Which parameter each coefficient moves.

    Attributes
    ----------
    columns : list of int, length c
        Column of the covariates that a coefficient belongs to.
    moves : list of int, length c
        Position of the parameter that it moves.
    signs : ndarray of shape (c,)
        Direction in which.
    """

    columns: list[int]
    moves: list[int]
    signs: FloatArray

    @classmethod
    def of(cls, link: Link, purchase: list[int], dropout: list[int]) -> Self:
        """Let some columns move the rate of purchase and some the rate, or the odds, of leaving."""
        moves = [PURCHASE] * len(purchase) + [link.dropout] * len(dropout)
        signs = np.array([-1.0] * len(purchase) + [link.dropout_sign] * len(dropout))
        return cls(purchase + dropout, moves, signs)

    def moved(self, p: FloatArray, covariates: FloatArray) -> list[Parameter]:
        """Return the model's own parameters for each row of covariates: numbers, arrays where they are moved.

        Parameters
        ----------
        p : ndarray of shape (4 + c,)
            The model's own parameters for the reference, then the factors of the coefficients.
        covariates : ndarray of shape (m, c)
            A column for each coefficient.
        """
        size = p.size - len(self.moves)
        own: list[Any] = p[:size].tolist()
        logs = self.signs * np.log(p[size:])
        for position in set(self.moves):
            at = self.coefficients_of(position)
            own[position] *= np.exp(np.clip(covariates[:, at] @ logs[at], -FARTHEST, FARTHEST))
        return own

    def coefficients_of(self, position: int) -> list[int]:
        """Which coefficients move a parameter."""
        return [i for i, moved in enumerate(self.moves) if moved == position]


def weighted_log_likelihood(h: ProfiledHistories, link: Link, effects: Effects, scales: FloatArray) -> Objective:
    """Sum of the log-likelihood over weighted histories, with its gradient.

    Parameters
    ----------
    h : ProfiledHistories
        Best grouped; times in the unit fitted.
    link, effects
        Of the model.
    scales : ndarray of shape (c,)
        Unit of the covariate of each coefficient: a factor is that of one such unit.

    Returns
    -------
    callable
        The model's parameters and the factors, shape (4 + c,) -> (value, gradient of the same shape).
    """
    covariates = h.profiles[:, effects.columns] / scales
    starts = range(0, h.x.size, BLOCK)

    def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
        own = effects.moved(parameters, covariates)
        value, by_row = 0.0, np.empty((len(own), h.x.size))
        for rows in (slice(start, start + BLOCK) for start in starts):
            p = [each[h.profile[rows]] if isinstance(each, np.ndarray) else each for each in own]
            of_rows, by_row[:, rows] = link.log_likelihood(*p, h.x[rows], h.t_x[rows], h.T[rows])
            value += float(h.weight[rows] @ of_rows)
        by_row *= h.weight
        gradient = np.empty(parameters.size)
        gradient[: len(own)] = by_row.sum(axis=1)
        for position in set(effects.moves):
            at = np.array(effects.coefficients_of(position))
            # Of the logarithm of the parameter, which all that moves it shifts by so much.
            by_log = np.bincount(h.profile, weights=by_row[position], minlength=len(covariates)) * own[position]
            gradient[position] = by_log.sum() / parameters[position]
            factors = len(own) + at
            gradient[factors] = effects.signs[at] * (by_log @ covariates[:, at]) / parameters[factors]
        return value, gradient

    return objective
