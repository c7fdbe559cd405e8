r"""The effect by week: before, during and after a campaign, and over several campaigns at once.

Every campaign is an experiment of its own, with its own controls at its own dates (stacked difference-in-differences,
Cengiz, Dube, Lindner & Zipperer 2019, Quarterly Journal of Economics 134 (3), 1405-1454), so that nobody who was
contacted earlier serves as a control for the same campaign. In each, the effect on the contacted is the doubly robust
difference-in-differences of Sant'Anna & Zhao (2020), Journal of Econometrics 219 (1), 101-122, eq. 3.1, with calibrated
weights:

.. math:: \tau_k = \bar e_{k,T} - \sum_i w_i e_{ik}, \qquad e_{ik} = Y_{ik} - x_i' \beta_k,

:math:`\beta_k` fitted to the controls by weighted least squares. As the path before the campaign is in :math:`x`,
levels and differences from the mean of that path give the same. Campaigns are averaged by the number of their
contacted customers, which makes the weights of treated and controls agree (Wing, Freedman & Hollingsworth 2024, NBER
Working Paper 32054). Errors are clustered by customer: influences of one customer in several campaigns are added before
they are squared, the controls' residuals corrected for leverage (HC2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .effect import QUANTILE, Interval
from .matching import Match
from .panel import FloatArray, IntArray, Plan

DRAWS = 4000
"""Draws for a quantile of the largest of several errors."""


@dataclass(frozen=True)
class Trial:
    """One campaign, matched, with what happened.

    Attributes
    ----------
    customers : rows of the panel, shape (n,).
    match : shape (n,) too.
    outcomes : by week, shape (n, weeks); not a number in weeks before the log.
    """

    customers: IntArray
    match: Match
    outcomes: FloatArray

    @property
    def contacted(self) -> int:
        """Customers of whom it is an effect."""
        return int(self.match.treated.sum())


@dataclass(frozen=True)
class Estimates:
    """Estimates of several quantities, with the influence of each customer on them.

    Attributes
    ----------
    values : shape (k,).
    influence : shape (customers, k); a sum of squares over customers is a variance.
    """

    values: FloatArray
    influence: FloatArray

    @property
    def covariance(self) -> FloatArray:
        """Of the estimates, clustered by customer, shape (k, k)."""
        return np.asarray(self.influence.T @ self.influence)

    @property
    def errors(self) -> FloatArray:
        """Standard errors, shape (k,)."""
        return np.sqrt(np.diag(self.covariance))

    def times(self, matrix: FloatArray) -> Estimates:
        """Sums of them: one column of weights, shape (k, m), for each."""
        return Estimates(self.values @ matrix, self.influence @ matrix)

    def interval(self, at: int = 0) -> Interval:
        """One of them with its 90 % interval."""
        return Interval.around(float(self.values[at]), float(self.errors[at]))


def residuals(match: Match, outcomes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What the controls' weighted regression on the path leaves, shape (n, k), and its leverages, shape (n,)."""
    weighted = match.design * match.weights[:, None]
    gram = weighted.T @ match.design
    # Features may be sums of one another.
    inverse = np.linalg.pinv(gram + 1e-10 * np.eye(len(gram)), hermitian=True)
    left = outcomes - match.design @ (inverse @ (weighted.T @ outcomes))
    return left, np.einsum("ij,jk,ik->i", weighted, inverse, match.design)


def estimate(match: Match, outcomes: FloatArray) -> Estimates:
    """Effects on the contacted of one campaign; influences in the order of `match`.

    Parameters
    ----------
    match : n customers.
    outcomes : shape (n, k).
    """
    left, leverage = residuals(match, outcomes)
    treated, n = match.treated, int(match.treated.sum())
    values = left[treated].mean(axis=0) - match.weights @ left
    influence = -match.weights[:, None] * left / np.sqrt(1 - np.minimum(leverage, 0.9))[:, None]
    influence[treated] = (left[treated] - left[treated].mean(axis=0)) / np.sqrt(n * (n - 1))
    return Estimates(values, influence)


def pooled(trials: Sequence[Trial], customers: int) -> Estimates:
    """Effects by week, averaged over campaigns by their contacted customers, influences by row of the panel."""
    width = trials[0].outcomes.shape[1]
    values, influence, weight = np.zeros(width), np.zeros((customers, width)), np.zeros(width)
    for trial in trials:
        there = np.isfinite(trial.outcomes).all(axis=0)
        each = estimate(trial.match, trial.outcomes[:, there])
        values[there] += trial.contacted * each.values
        weight[there] += trial.contacted
        influence[np.ix_(trial.customers, np.flatnonzero(there))] += trial.contacted * each.influence
    with np.errstate(invalid="ignore"):
        return Estimates(values / weight, influence / weight)


def phases(plan: Plan, tested: int) -> list[str]:
    """What each week of a trial serves, the earliest first."""
    named = (("tested", tested), ("matched", plan.matched), ("during", plan.during), ("after", plan.after))
    return [phase for phase, weeks in named for _ in range(weeks)]


def by_week(estimates: Estimates, plan: Plan, tested: int, seed: int) -> pd.DataFrame:
    """The event study as a table.

    Returns
    -------
    week (0 begins with the campaign), phase (tested, matched, during or after), estimate, low, high (90 %), band_low,
    band_high (90 % for all weeks together that were not matched). Matched weeks are near zero because they are matched.
    """
    phase = np.array(phases(plan, tested))
    free = phase != "matched"
    largest = largest_of(estimates.covariance[np.ix_(free, free)], 0.9, seed)
    frame = pd.DataFrame({"week": np.arange(phase.size) - tested - plan.matched, "phase": phase})
    for name, width in (("", QUANTILE), ("band_", largest)):
        frame[f"{name}low"] = estimates.values - width * estimates.errors
        frame[f"{name}high"] = estimates.values + width * estimates.errors
    frame.insert(2, "estimate", estimates.values)
    return frame


def largest_of(covariance: FloatArray, share: float, seed: int) -> float:
    """Quantile of the largest of |t| over several estimates: a multiplier bootstrap with normal multipliers.

    Given the data, sums of influences times independent normals are normal with their covariance.
    """
    return float(np.quantile(_largest(covariance, seed), share))


def joint_test(estimates: Estimates, seed: int) -> float:
    """Probability of a |t| as large as the largest here if nothing is there."""
    found = np.abs(estimates.values / estimates.errors).max()
    return float((_largest(estimates.covariance, seed) >= found).mean())


def _largest(covariance: FloatArray, seed: int) -> FloatArray:
    scale = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    root = vectors * np.sqrt(np.maximum(values, 0))
    normals = np.random.default_rng(seed).standard_normal((DRAWS, scale.size))
    return np.asarray(np.abs(normals @ root.T).max(axis=1))
