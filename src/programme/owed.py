r"""What a ledger's points will still bring, with errors that hold there, and both methods tested on its own past.

Points of one customer go together, across cohorts and for months. So errors come from groups of customers, each
customer in the same one for good. What is learned: a jackknife that deletes one group at a time, applied to all that is
there (Wolter 2007, Introduction to Variance Estimation, chapter 4). What will happen: residuals of past cells, each
weighted by what it does to the end (what is redeemed now is not redeemed later; what chain-ladder sees now it carries
on), added up by group and period, for the same customers redeem points of several cohorts at once. Their variance at
each age, over what was at risk there, times what is at risk ahead.

Groups do not see what moves all customers at once. The errors of `liability` do, for they come from cohorts and
periods; the larger of the two counts.
"""

from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import stats

from ..errors import DataError, RefusedError
from ..models.validation import FloatArray
from ..points_rules import PointsRules
from . import liability
from .effect import LEVEL
from .ledger import STEPS, UNITS
from .liability import Triangle, Ultimate
from .points import Account

PERIOD_DAYS = 30
FEWEST_COHORTS = 4
GROUPS = 32
"""Of customers, drawn by their names."""
MONTH_DAYS = 30.4375
METHODS = ("chain-ladder", "survival")


@dataclass(frozen=True)
class Counted:
    """Points by groups of customers and by the periods in which they could first be spent and in which they went.

    Attributes
    ----------
    cells : group (0 to `GROUPS` - 1), later (0 for points of a customer's first period, 1 for all others, which are
        used otherwise: many customers never come again), cohort, gone (periods before the last known one; gone is null
        where they are there), step, points.
    ages : periods in which a point can be redeemed by the rules; None where it does not expire.
    """

    cells: pd.DataFrame
    ages: int | None

    @property
    def cohorts(self) -> int:
        """Periods since the first points."""
        return int(self.cells["cohort"].max()) + 1

    @property
    def whole(self) -> bool:
        """Whether some points have been seen until their end."""
        return self.ages is not None and self.ages <= self.cohorts

    def earlier(self, periods: int) -> "Counted":
        """What was known so many periods ago."""
        cells = self.cells[self.cells["cohort"] >= periods]
        went = cells["gone"] >= periods
        return Counted(
            cells.assign(
                cohort=cells["cohort"] - periods,
                gone=(cells["gone"] - periods).where(went),
                step=cells["step"].where(went),
            ),
            self.ages,
        )

    def redeemed_since(self, periods: int) -> float:
        """Points that were there so many periods ago and have been redeemed since."""
        cells = self.cells[(self.cells["cohort"] >= periods) & (self.cells["gone"] < periods)]
        return float(cells.loc[cells["step"] == STEPS.index("redeem"), "points"].sum())


def counted(account: Account, period_days: int = PERIOD_DAYS) -> Counted:
    """Points by group, cohort and period, counted by the engine.

    Raises
    ------
    RefusedError
        If there are under four cohorts.
    """
    parts, as_of = account.parts, ibis.literal(account.as_of)

    def period(day: ir.DateValue) -> ir.IntegerValue:
        # 0 is the last known period.
        return ((as_of.delta(day, unit="day") - 1) / period_days).floor().cast("int64")

    # Once a customer, not once a part.
    people = parts.group_by(member=parts.customer).agg(since=parts.day.min())
    mark = people.member.hexdigest("md5")
    people = people.mutate(group=mark.substr(0, 1), half=(mark.substr(1, 1) < "8").ifelse(0, 1))
    joined = parts.join(people, parts.customer == people.member)
    placed = joined.mutate(
        later=(joined.day.delta(joined.since, unit="day") >= period_days).ifelse(1, 0),
        cohort=period(joined.day),
        gone=period(joined.gone_day),
    )
    keys = ["group", "half", "later", "cohort", "gone", "step"]
    told = placed.group_by(keys).agg(units=placed.units.sum().cast("int64")).to_pandas()
    if told["cohort"].nunique() < FEWEST_COHORTS:
        raise RefusedError(
            f"points: {told['cohort'].nunique()} periods of {period_days} days brought points, and {FEWEST_COHORTS} "
            "are needed to say how many will be redeemed; wait, or choose shorter periods"
        )
    group = told["group"].map(lambda digit: int(digit, 16)) * 2 + told.pop("half")
    cells = told.assign(group=group, points=told.pop("units") / UNITS)
    return Counted(cells, _lasting(account.rules, period_days))


def _lasting(rules: PointsRules, period_days: int) -> int | None:
    """Periods in which a point can be redeemed, the one in which it came among them."""
    if not rules.expire:
        return None
    days = rules.expiry_days if rules.expiry_months is None else int(np.ceil(MONTH_DAYS * rules.expiry_months))
    # It can come on the last day of a period, and be redeemed on its own last day.
    usable = (days or 0) - rules.pending_days
    return (period_days - 1 + usable) // period_days + 1


def triangle(seen: Counted) -> Triangle:
    """Points by cohort and age, with two axes before: first and later points, and groups of customers.

    There are as many ages as a point can have by the rules, or as have been seen where that is fewer.
    """
    told, number = seen.cells, seen.cohorts
    left = told["gone"].notna().to_numpy()
    row, later, group = (told[name].to_numpy("int64") for name in ("cohort", "later", "group"))
    age = (told["cohort"] - told["gone"]).fillna(0).to_numpy("int64")
    spent = (told["step"] == STEPS.index("redeem")).to_numpy()
    ages = min(number, max(seen.ages or number, int(age[spent].max(initial=0)) + 1))
    points, place = told["points"].to_numpy("float64"), (later, group, number - 1 - row)
    issued = np.zeros((2, GROUPS, number))
    redeemed, gone = np.zeros((*issued.shape, ages)), np.zeros((*issued.shape, ages))
    np.add.at(issued, place, points)
    where = tuple(part[left] for part in (*place, np.minimum(age, ages - 1)))
    np.add.at(gone, where, points[left])
    np.add.at(redeemed, where, points[left] * spent[left])
    return Triangle(issued, redeemed, issued[..., None] - np.cumsum(gone, axis=-1) + gone)


# What will still be redeemed


def expected(seen: Counted, method: str, within: int | None = None) -> Ultimate:
    """Points that will still be redeemed, with the interval that holds on ledgers.

    Parameters
    ----------
    seen : see `counted`.
    method : of `METHODS`.
    within : periods ahead; to the end of all points if not given.

    Raises
    ------
    DataError
        If chain-ladder is asked of points that last longer than the ledger is.
    """
    if method == "survival":
        return replace(_by_survival(triangle(seen), within), bound=not seen.whole)
    if not seen.whole:
        lasts = "have no end" if seen.ages is None else f"last {seen.ages} periods"
        raise DataError(
            f"points: they {lasts}, and {seen.cohorts} periods are known: chain-ladder has not seen their ends"
        )
    return _by_chain_ladder(triangle(seen).redeemed.sum(axis=0), within)


def _by_survival(seen: Triangle, within: int | None) -> Ultimate:
    whole = _summed(seen)
    hazard, there = liability.hazards(whole), liability.there_now(seen)
    others = Triangle(*(np.expand_dims(all_, 1) - one for all_, one in zip(_parts(whole), _parts(seen), strict=True)))
    cells, jackknifed = (
        liability.redeemed_ahead(there.sum(axis=1), hazard),
        liability.redeemed_ahead(there.sum(axis=1)[:, None], liability.hazards(others)).sum(axis=0),
    )
    # A point that is redeemed now cannot be redeemed later.
    staying = np.cumprod((1 - hazard)[:, ::-1], axis=-1)[:, ::-1]
    weight = np.concatenate([staying[:, 1:], np.ones((2, 1))], axis=1)[:, None, :]
    misses = (seen.redeemed - seen.left * hazard[:, None, None, :]) * weight[:, None]
    risks = [(each * weight**2).sum(axis=0) for each in (whole.left * hazard[:, None, :], cells)]
    by_cohorts = liability.survival(whole)
    error = np.sqrt((by_cohorts.standard_error**2).sum())
    return _told(cells.sum(axis=0), jackknifed, _process(misses.sum(axis=0), *risks), error, within)


def _by_chain_ladder(redeemed: FloatArray, within: int | None) -> Ultimate:
    """From redeemed points, shape (groups, cohorts, ages)."""
    known = liability.known(*redeemed.shape[-2:])
    so_far = np.cumsum(np.where(known, redeemed, 0.0), axis=-1)
    whole = so_far.sum(axis=0)
    factors = liability.development(whole)
    filled, others = (liability.developed(whole, each) for each in (factors, liability.development(whole - so_far)))
    cells, jackknifed = (np.where(known, 0.0, np.diff(each, axis=-1, prepend=0.0)) for each in (filled, others))
    # What is redeemed now is carried on by all later factors.
    weight = np.concatenate([np.cumprod(factors[::-1])[::-1], [1.0]])
    misses, risk = np.zeros(redeemed.shape), np.zeros(whole.shape)
    misses[..., 1:] = (redeemed[..., 1:] - so_far[..., :-1] * (factors - 1)) * weight[1:]
    risk[:, 1:] = filled[:, :-1]
    risks = np.where(known, risk, 0.0), np.where(known, 0.0, risk)
    error = float(liability.chain_ladder(whole).standard_error)
    return _told(cells, jackknifed, _process(misses, *risks), error, within)


def _process(misses: FloatArray, past: FloatArray, future: FloatArray) -> float:
    """Variance of what will happen, from weighted residuals by group (groups, cohorts, ages) and what is at risk."""
    cohorts, ages = past.shape
    learned = liability.recent(cohorts, ages)
    periods = min(liability.RECENT, cohorts)
    by_period = np.zeros((len(misses), ages, periods))
    for age in range(min(ages, cohorts)):
        # The last known cells of an age, one a period; older cohorts have none where the age began later.
        column = misses[:, : cohorts - age, age][:, -periods:]
        by_period[:, age, periods - column.shape[1] :] = column
    # A group that always redeems more than others has been seen to, and moves no total.
    apart = by_period - by_period.mean(axis=-1, keepdims=True)
    each, together = (apart**2).sum(axis=(0, 2)), (apart.sum(axis=1) ** 2).sum()
    if not each.sum() > 0:
        return 0.0
    risk = np.where(learned, past, 0.0).sum(axis=0)
    ratio = np.where(risk > 0, each / np.maximum(risk, 1e-300), each.sum() / max(risk.sum(), 1e-300))
    return float(together / each.sum() * periods / (periods - 1) * (ratio * future.sum(axis=0)).sum())


def _told(cells: FloatArray, jackknifed: FloatArray, process: float, error: float, within: int | None) -> Ultimate:
    """The total of the cells within so many periods; errors of a part are as large in proportion as those of all."""
    counts = liability.ahead(*cells.shape[-2:]) <= (np.inf if within is None else within)
    everything, totals = cells.sum(), np.where(counts, jackknifed, 0.0).sum(axis=(-2, -1))
    share = np.where(counts, cells, 0.0).sum() / everything if everything > 0 else 1.0
    learned = (len(totals) - 1) / len(totals) * ((totals - totals.mean()) ** 2).sum()
    by_groups = learned + process * share
    standard_error = np.sqrt(max(by_groups, (error * share) ** 2))
    future = np.where(counts, cells, 0.0).sum(axis=-1)
    quantile = float(stats.t.ppf(0.5 + LEVEL / 2, GROUPS - 1))
    return liability.lognormal(future, np.full(len(future), np.nan), np.asarray(standard_error), quantile)


def _summed(seen: Triangle) -> Triangle:
    return Triangle(*(part.sum(axis=1) for part in _parts(seen)))


def _parts(seen: Triangle) -> tuple[FloatArray, FloatArray, FloatArray]:
    return seen.issued, seen.redeemed, seen.left
