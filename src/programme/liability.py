r"""What the points that customers hold will cost: how many of them will still be redeemed.

Two independent ways. Chain-ladder: cohorts of points by the period in which they could first be spent, redemptions so
far by age, developed with the factors of older cohorts; standard errors of Mack (1993, ASTIN Bulletin 23). Survival:
the hazard of redemption by age, among the points that are still there, and its error with the dispersion that cohorts
show. All functions take several triangles at once, along leading axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import stats

from ..errors import DataError, RefusedError
from ..models.validation import FloatArray
from .effect import LEVEL, Interval
from .ledger import STEPS, UNITS
from .points import Account

PERIOD_DAYS = 30
FEWEST_COHORTS = 4


@dataclass(frozen=True)
class Triangle:
    """Points by cohort (rows, the oldest first) and age (columns), in whole periods that end at the as-of date.

    Attributes
    ----------
    issued : shape (cohorts,).
    redeemed : in each period of age, shape (cohorts, ages); 0 where that is not known yet.
    left : there at the beginning of it, shape (cohorts, ages).
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
    cohort_errors : their standard errors.
    total, standard_error : of all cohorts together, shape (…).
    low, high : the 90 % interval of the total.
    """

    future: FloatArray
    cohort_errors: FloatArray
    total: FloatArray
    standard_error: FloatArray
    low: FloatArray
    high: FloatArray


def triangle(account: Account, period_days: int = PERIOD_DAYS) -> Triangle:
    """Points by cohort and age, counted by the engine.

    Raises
    ------
    RefusedError
        If there are under four cohorts.
    """
    parts, as_of = account.parts, ibis.literal(account.as_of)

    def period(day: ir.DateValue) -> ir.IntegerValue:
        # 0 is the last known period.
        return ((as_of.delta(day, unit="day") - 1) / period_days).floor().cast("int64")

    placed = parts.mutate(cohort=period(parts.day), age=period(parts.day) - period(parts.gone_day))
    told = placed.group_by("cohort", "age", "step").agg(units=placed.units.sum().cast("int64")).to_pandas()
    if told["cohort"].nunique() < FEWEST_COHORTS:
        raise RefusedError(
            f"points: {told['cohort'].nunique()} periods of {period_days} days brought points, and {FEWEST_COHORTS} "
            "are needed to say how many will be redeemed; wait, or choose shorter periods"
        )
    number = int(told["cohort"].max()) + 1
    return _triangle(told.assign(row=number - 1 - told["cohort"]), number)


def _triangle(told: pd.DataFrame, number: int) -> Triangle:
    ages = int(told["age"].max() if told["age"].notna().any() else 0) + 1
    redeemed, gone, issued = np.zeros((number, ages)), np.zeros((number, ages)), np.zeros(number)
    points = told["units"].to_numpy("float64") / UNITS
    np.add.at(issued, told["row"].to_numpy(), points)
    left = told["age"].notna().to_numpy()
    place = told.loc[left, "row"].to_numpy(), told.loc[left, "age"].to_numpy("int64")
    np.add.at(gone, place, points[left])
    np.add.at(redeemed, place, points[left] * (told.loc[left, "step"] == STEPS.index("redeem")).to_numpy())
    there = issued[:, None] - np.cumsum(gone, axis=1) + gone
    return Triangle(issued, redeemed, there)


def known(cohorts: int, ages: int) -> np.ndarray:
    """Which cells are known: the latest cohort has one."""
    return np.asarray(np.arange(cohorts)[:, None] + np.arange(ages) < cohorts)


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
    for age in range(1, ages):
        unknown = ~known(cohorts, ages)[:, age]
        grown = filled[..., age - 1] * factors[..., age - 1, None]
        filled[..., age] = np.where(unknown, grown, filled[..., age])
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
    return _lognormal(ultimate - latest, errors, np.sqrt(total))


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


def _lognormal(future: FloatArray, errors: FloatArray, error: FloatArray) -> Ultimate:
    """The total with an interval that does not go below zero."""
    total = future.sum(axis=-1)
    positive = np.maximum(total, 1e-300)
    spread = np.sqrt(np.log1p((error / positive) ** 2))
    half = stats.norm.ppf(0.5 + LEVEL / 2) * spread
    middle = positive / np.sqrt(1 + (error / positive) ** 2)
    return Ultimate(future, errors, total, error, middle * np.exp(-half), middle * np.exp(half))


def survival(seen: Triangle) -> Ultimate:
    r"""What is redeemed of the points that are there, by the hazard of redemption at each age.

    :math:`\hat h_k = \sum_i x_{ik} / \sum_i n_{ik}`, n there at the beginning of the age and x redeemed in it, and
    :math:`\hat S_i` the product of :math:`1 - \hat h_k` over the ages that are to come. Points of one customer go
    together: binomial variances are multiplied by Pearson's dispersion :math:`\phi` over the known cells, see
    McCullagh and Nelder (1989), section 4.5. The future varies by :math:`\phi U_i \hat S_i (1 - \hat S_i)`, with U the
    points there; the hazards by :math:`\phi \hat h_k (1 - \hat h_k) / n_k`, alike for all cohorts.

    Parameters
    ----------
    seen : issued (…, cohorts), redeemed and left (…, cohorts, ages).
    """
    cohorts, ages = seen.redeemed.shape[-2:]
    cells = known(cohorts, ages)
    there, spent = np.where(cells, np.maximum(seen.left, 0), 0.0), np.where(cells, seen.redeemed, 0.0)
    exposed = there.sum(axis=-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.nan_to_num(spent.sum(axis=-2) / exposed)
        expected = there * hazard[..., None, :]
        pearson = np.nan_to_num((spent - expected) ** 2 / (expected * (1 - hazard[..., None, :])), posinf=0.0)
        parameter = np.nan_to_num(hazard / ((1 - hazard) * exposed), posinf=0.0)
    freedom = max(int(cells.sum()) - ages, 1)
    phi = np.maximum(pearson.sum(axis=(-2, -1)) / freedom, 1.0)
    logs = np.where(cells, 0.0, np.log1p(-np.minimum(hazard, 1 - 1e-12))[..., None, :])
    staying = np.exp(logs.sum(axis=-1))
    open_ = _open(seen, cohorts, ages)
    process = phi[..., None] * open_ * staying * (1 - staying)
    moved = np.where(cells, 0.0, (open_ * staying)[..., None])
    both = phi * (parameter * moved.sum(axis=-2) ** 2).sum(axis=-1)
    alone = phi[..., None] * (parameter[..., None, :] * moved**2).sum(axis=-1)
    return _lognormal(open_ * (1 - staying), np.sqrt(process + alone), np.sqrt(process.sum(axis=-1) + both))


def _open(seen: Triangle, cohorts: int, ages: int) -> FloatArray:
    """Points of each cohort that are there at the as-of date; none of cohorts whose ages are all over."""
    young = np.arange(cohorts) > cohorts - ages
    column = np.clip(cohorts - np.arange(cohorts), 0, ages - 1)
    there = np.take_along_axis(seen.left, np.broadcast_to(column[:, None], (*seen.left.shape[:-1], 1)), axis=-1)[..., 0]
    return np.where(young, np.maximum(there, 0), 0.0)


def ultimate_rate(seen: Triangle, found: Ultimate) -> Interval:
    """Share of all points issued that is redeemed in the end; one minus breakage."""
    issued, so_far = seen.issued.sum(), seen.redeemed.sum()
    ends = [(so_far + each) / issued for each in (found.total, found.low, found.high)]
    return Interval(*(float(min(each, 1.0)) for each in ends))


def liability(found: Ultimate, cost_per_point: float) -> Interval:
    """Money that the points customers hold will cost."""
    return Interval(float(found.total), float(found.low), float(found.high)).times(cost_per_point)


def stress(found: Ultimate, outstanding: float, cost_per_point: float) -> pd.DataFrame:
    """What they cost if it comes otherwise.

    Returns
    -------
    case, points (redeemed in the end, of those there), share (of those there), money, change (of money, against what
        is expected).
    """
    expected = float(found.total)
    cases: Mapping[str, float] = {
        "expected": expected,
        "low end": float(found.low),
        "high end": float(found.high),
        "a quarter less is redeemed": 0.75 * expected,
        "a quarter more is redeemed": 1.25 * expected,
        "half of what would lapse is redeemed": (expected + outstanding) / 2,
        "everything is redeemed": outstanding,
    }
    rows = [(case, min(points, outstanding)) for case, points in cases.items()]
    table = pd.DataFrame(rows, columns=["case", "points"])
    table["share"] = table["points"] / outstanding if outstanding else np.nan
    table["money"] = table["points"] * cost_per_point
    return table.assign(change=table["money"] - table["money"].iloc[0])
