r"""What the points that customers hold will cost: how many of them will still be redeemed.

Two independent ways. Chain-ladder: cohorts of points by the period in which they could first be spent, redemptions so
far by age, developed with the factors of older cohorts; standard errors of Mack (1993, ASTIN Bulletin 23). Survival:
the hazard of redemption by age, among the points that are still there, and its error with the dispersion that cohorts
show. All functions take several triangles at once, along leading axes. Both errors take cohorts for independent, which
those of a ledger are not, for they belong to the same customers: see `owed` for what holds there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..models.validation import FloatArray
from .effect import QUANTILE

RECENT = 12
"""Periods from which hazards are learned, the last ones: a year, so that each season counts once and old habits not."""


@dataclass(frozen=True)
class Triangle:
    """Points by cohort (rows, the oldest first) and age (columns), in whole periods that end at the as-of date.

    Attributes
    ----------
    issued : shape (…, cohorts).
    redeemed : in each period of age, shape (…, cohorts, ages); 0 where that is not known yet.
    left : there at the beginning of it, shape (…, cohorts, ages).
    """

    issued: FloatArray
    redeemed: FloatArray
    left: FloatArray


@dataclass(frozen=True)
class Ultimate:
    """What will still be redeemed of the points that are there.

    Attributes
    ----------
    future : points of each cohort still to be redeemed, shape (…, cohorts).
    cohort_errors : their standard errors; NaN where only that of the total is known.
    total, standard_error : of all cohorts together, shape (…).
    low, high : the 90 % interval of the total.
    bound : whether points last longer than any has been seen, so that all of this is the least that can be expected.
    """

    future: FloatArray
    cohort_errors: FloatArray
    total: FloatArray
    standard_error: FloatArray
    low: FloatArray
    high: FloatArray
    bound: bool = False


def ahead(cohorts: int, ages: int) -> np.ndarray:
    """Periods from the last known one to that of each cell, shape (cohorts, ages); 0 for the latest cohort's first."""
    return np.asarray(np.arange(cohorts)[:, None] + np.arange(ages) - cohorts + 1)


def known(cohorts: int, ages: int) -> np.ndarray:
    """Which cells are known: the latest cohort has one."""
    return np.asarray(ahead(cohorts, ages) <= 0)


def chain_ladder(cumulative: FloatArray) -> Ultimate:
    r"""Ultimate by development factors, with Mack's standard errors.

    :math:`\hat f_k = \sum_i C_{i,k+1} / \sum_i C_{ik}`, and errors of Mack (1993), theorem 3 for a cohort and its
    corollary for the total; the last :math:`\sigma^2` is :math:`\min(\sigma_{n-2}^4 / \sigma_{n-3}^2, \sigma_{n-3}^2,
    \sigma_{n-2}^2)`. The interval is lognormal. After the last age nothing more is expected: bring as many ages as
    points last. A cohort of which nothing has been redeemed yet stays at nothing.

    Parameters
    ----------
    cumulative : redeemed up to each age, shape (…, cohorts, ages), cohorts at least ages; cells that are not known yet
        are not looked at.

    Raises
    ------
    DataError
        If there are fewer cohorts than ages, or under three ages.
    """
    cohorts, ages = cumulative.shape[-2:]
    if cohorts < ages or ages < 3:
        raise DataError(f"triangle: expected at least three ages and as many cohorts, found {ages} and {cohorts}")
    filled = np.where(known(cohorts, ages), cumulative, 0.0)
    factors, variances, exposures = _development(filled, cohorts, ages)
    filled = developed(filled, factors)
    latest = np.take_along_axis(filled, _reached(cohorts, ages, filled.shape), axis=-1)[..., 0]
    ultimate = filled[..., -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nan_to_num(variances / factors**2, posinf=0.0)
        drawn = np.where(~known(cohorts, ages)[:, 1:], ratio[..., None, :] / filled[..., :-1], 0.0)
    common = np.where(~known(cohorts, ages)[:, 1:], (ratio / np.maximum(exposures, 1e-300))[..., None, :], 0.0)
    process, shared = np.nan_to_num(drawn, posinf=0.0).sum(axis=-1), common.sum(axis=-1)
    errors = ultimate * np.sqrt(process + shared)
    # Younger cohorts share the factors of all later ages with older ones.
    younger = np.flip(np.cumsum(np.flip(ultimate, -1), axis=-1), -1) - ultimate
    total = (errors**2 + 2 * ultimate * younger * shared).sum(axis=-1)
    return lognormal(ultimate - latest, errors, np.sqrt(total))


def developed(cumulative: FloatArray, factors: FloatArray) -> FloatArray:
    """Triangles completed: cells that are not known are the one before times its factor."""
    cells = known(*cumulative.shape[-2:])
    shape = np.broadcast_shapes(cumulative.shape[:-2], factors.shape[:-1])
    filled = np.array(np.broadcast_to(np.where(cells, cumulative, 0.0), (*shape, *cells.shape)))
    for age in range(1, cells.shape[1]):
        grown = filled[..., age - 1] * factors[..., age - 1, None]
        filled[..., age] = np.where(cells[:, age], filled[..., age], grown)
    return filled


def development(cumulative: FloatArray) -> FloatArray:
    """The factors alone, shape (…, ages - 1)."""
    cohorts, ages = cumulative.shape[-2:]
    return _development(np.where(known(cohorts, ages), cumulative, 0.0), cohorts, ages)[0]


def _development(filled: FloatArray, cohorts: int, ages: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Factors, variances and what they were learned from, by age."""
    shape = (*filled.shape[:-2], ages - 1)
    factors, variances, exposures = np.ones(shape), np.zeros(shape), np.zeros(shape)
    for age in range(ages - 1):
        rows = slice(0, cohorts - age - 1)
        before, after = filled[..., rows, age], filled[..., rows, age + 1]
        exposures[..., age] = before.sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.nan_to_num(after.sum(axis=-1) / exposures[..., age], nan=1.0, posinf=1.0)
            misses = np.nan_to_num((after - factor[..., None] * before) ** 2 / before, posinf=0.0).sum(axis=-1)
        factors[..., age] = factor
        if cohorts - age - 2 > 0:
            variances[..., age] = misses / (cohorts - age - 2)
        else:
            last, prior = variances[..., age - 1], variances[..., age - 2]
            with np.errstate(divide="ignore", invalid="ignore"):
                variances[..., age] = np.minimum(np.nan_to_num(last**2 / prior), np.minimum(last, prior))
    return factors, variances, exposures


def _reached(cohorts: int, ages: int, shape: tuple[int, ...]) -> np.ndarray:
    """The last known age of each cohort, to take along the last axis."""
    reached = np.minimum(cohorts - 1 - np.arange(cohorts), ages - 1)
    return np.broadcast_to(reached[:, None], (*shape[:-1], 1))


def lognormal(future: FloatArray, errors: FloatArray, error: FloatArray, quantile: float = QUANTILE) -> Ultimate:
    """The total with an interval that does not go below zero, `quantile` standard errors to each side."""
    total = future.sum(axis=-1)
    positive = np.maximum(total, 1e-300)
    # What is nothing has no error relative to it.
    relative = np.where(total > 0, error / positive, 0.0)
    half, middle = quantile * np.sqrt(np.log1p(relative**2)), positive / np.sqrt(1 + relative**2)
    return Ultimate(future, errors, total, error, middle * np.exp(-half), middle * np.exp(half))


def survival(seen: Triangle) -> Ultimate:
    r"""What is redeemed of the points that are there, by the hazard of redemption at each age.

    :math:`\hat h_k = \sum_i x_{ik} / \sum_i n_{ik}` over the cells of the last `RECENT` periods, n there at the
    beginning of the age and x redeemed in it, and :math:`\hat S_i` the product of :math:`1 - \hat h_k` over the ages
    that are to come. Points of one customer go together: binomial variances are multiplied by Pearson's dispersion
    :math:`\phi` over the same cells, see McCullagh and Nelder (1989), section 4.5. The future varies by
    :math:`\phi U_i \hat S_i (1 - \hat S_i)`, with U the points there; the hazards by
    :math:`\phi \hat h_k (1 - \hat h_k) / n_k`, alike for all cohorts.

    Parameters
    ----------
    seen : issued (…, cohorts), redeemed and left (…, cohorts, ages).
    """
    cohorts, ages = seen.redeemed.shape[-2:]
    cells, learned = known(cohorts, ages), recent(cohorts, ages)
    there, spent = np.where(learned, np.maximum(seen.left, 0), 0.0), np.where(learned, seen.redeemed, 0.0)
    exposed, hazard = there.sum(axis=-2), hazards(seen)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = there * hazard[..., None, :]
        pearson = np.nan_to_num((spent - expected) ** 2 / (expected * (1 - hazard[..., None, :])), posinf=0.0)
        parameter = np.nan_to_num(hazard / ((1 - hazard) * exposed), posinf=0.0)
    freedom = max(int(learned.sum()) - ages, 1)
    phi = np.maximum(pearson.sum(axis=(-2, -1)) / freedom, 1.0)
    logs = np.where(cells, 0.0, np.log1p(-np.minimum(hazard, 1 - 1e-12))[..., None, :])
    staying = np.exp(logs.sum(axis=-1))
    open_ = there_now(seen)
    process = phi[..., None] * open_ * staying * (1 - staying)
    moved = np.where(cells, 0.0, (open_ * staying)[..., None])
    both = phi * (parameter * moved.sum(axis=-2) ** 2).sum(axis=-1)
    alone = phi[..., None] * (parameter[..., None, :] * moved**2).sum(axis=-1)
    return lognormal(open_ * (1 - staying), np.sqrt(process + alone), np.sqrt(process.sum(axis=-1) + both))


def recent(cohorts: int, ages: int) -> np.ndarray:
    """Which cells hazards are learned from: known ones of the last `RECENT` periods."""
    return known(cohorts, ages) & (ahead(cohorts, ages) > -RECENT)


def hazards(seen: Triangle) -> FloatArray:
    """Share of the points there at the beginning of an age that is redeemed in it, shape (…, ages)."""
    cells = recent(*seen.redeemed.shape[-2:])
    exposed = np.where(cells, np.maximum(seen.left, 0), 0.0).sum(axis=-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nan_to_num(np.where(cells, seen.redeemed, 0.0).sum(axis=-2) / exposed, posinf=0.0))


def there_now(seen: Triangle) -> FloatArray:
    """Points of each cohort at the as-of date, shape (…, cohorts); none of cohorts whose ages are all over."""
    cohorts, ages = seen.left.shape[-2:]
    young = np.arange(cohorts) > cohorts - ages
    column = np.clip(cohorts - np.arange(cohorts), 0, ages - 1)
    there = np.take_along_axis(seen.left, np.broadcast_to(column[:, None], (*seen.left.shape[:-1], 1)), axis=-1)[..., 0]
    return np.where(young, np.maximum(there, 0), 0.0)


def redeemed_ahead(there: FloatArray, hazard: FloatArray) -> FloatArray:
    """Points expected to be redeemed in each cell that is not known yet, shape (…, cohorts, ages).

    Parameters
    ----------
    there : points of each cohort at the as-of date, shape (…, cohorts).
    hazard : shape (…, ages).
    """
    cohorts, ages = there.shape[-1], hazard.shape[-1]
    shape = np.broadcast_shapes(there.shape[:-1], hazard.shape[:-1])
    future, left = np.zeros((*shape, cohorts, ages)), np.broadcast_to(there, (*shape, cohorts))
    for age in range(ages):
        future[..., age] = np.where(known(cohorts, ages)[:, age], 0.0, left * hazard[..., age, None])
        left = left - future[..., age]
    return future
