"""Satisfaction where there is a survey: the net promoter score, by group, and what later became of who answered.

With p the share of promoters (9 or 10) and d that of detractors (0 to 6) of n answers,

    NPS = 100 (p - d).

Promoters, passives and detractors are one multinomial draw, so that p and d are the two ends of a difference of
dependent shares. Its interval is that of Agresti & Min (2005, Statistics in Medicine 24 (5), 729-740): half an answer
is added to promoters and to detractors, one to passives, and the interval is Wald's of what results, so that it does
not vanish where all say the same. The estimate is that of the answers as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from ..errors import DataError
from ..features.columns import Tables
from ..features.labels import labels
from ..features.rfm import segments
from ..features.survey_findings import HIGHEST, LOWEST, MOST_UNUSABLE, is_usable
from ..features.windows import before, last_days
from .differences import newcombe
from .effect import QUANTILE, Interval
from .rates import wilson_ends
from .tier_rules import TierRules
from .tiers import membership, tier_at

PROMOTERS, DETRACTORS = 9, 6
"""Lowest score of the one, highest of the other."""
NO_SEGMENT = "No purchase in the year before"
LOYALTIES = ("promoters", "passives", "detractors")

ENOUGH = 30
"""Answers that cannot all lie in the lower half by chance."""


@dataclass(frozen=True)
class Answers:
    """What a survey table holds before a date.

    Attributes
    ----------
    rows : answers with a customer and a day.
    usable : those with a whole score from 0 to 10.
    customers : who gave those.
    note : what was set aside, a sentence; empty if nothing was.
    """

    rows: int
    usable: int
    customers: int
    note: str


@dataclass(frozen=True)
class Later:
    """Churn of those who answered, by what they had said before.

    Attributes
    ----------
    by_loyalty : customers, churned, share, low, high (90 %, Wilson); index promoters, passives, detractors.
    difference : share of detractors who left less that of promoters; None where one of them is empty.
    """

    by_loyalty: pd.DataFrame
    difference: Interval | None


def loyalty_of(score: ir.NumericValue) -> ir.NumericValue:
    """1 for a promoter, -1 for a detractor, 0 for a passive."""
    return (score >= PROMOTERS).cast("int64") - (score <= DETRACTORS).cast("int64")


def check(survey: ir.Table, as_of: date) -> Answers:
    """Whether a survey can be read as scores from 0 to 10.

    Scores outside, with a fraction or missing are set aside and counted.

    Parameters
    ----------
    survey : customer, day, score.
    as_of : first day that is not known.

    Raises
    ------
    DataError : more than a fifth are set aside, or of many answers none is above the middle: the scale is another.
    """
    known = before(survey, as_of)
    good = is_usable(known.score)
    (told,) = (
        known.agg(
            rows=known.count(),
            usable=good.sum().coalesce(0),
            customers=known.customer.nunique(where=good),
            highest=known.score.max(where=good),
        )
        .to_pyarrow()
        .to_pylist()
    )
    rows, usable = told["rows"], told["usable"]
    aside = rows - usable
    expected = f"survey.score: expected whole numbers from {LOWEST} to {HIGHEST}"
    if aside > MOST_UNUSABLE * rows:
        raise DataError(f"{expected}, found {aside:,} of {rows:,} answers outside; name the column of the right scale")
    if usable >= ENOUGH and told["highest"] <= (LOWEST + HIGHEST) / 2:
        raise DataError(
            f"{expected}, found none above {told['highest']:g} in {usable:,} answers, which looks like another scale; "
            "an NPS cannot be read from it"
        )
    note = f"{aside:,} of {rows:,} answers are no whole number from 0 to 10 and set aside." if aside else ""
    return Answers(rows, usable, told["customers"], note)


def latest(survey: ir.Table, as_of: date, within_days: int) -> ir.Table:
    """The last usable answer of each customer in the days before `as_of`; of several on one day the lowest.

    Returns
    -------
    customer, day, score
    """
    recent = last_days(survey, as_of, within_days)
    recent = recent.filter(is_usable(recent.score))
    days = recent.group_by("customer", "day").agg(score=recent.score.min())
    return days.group_by("customer").agg(score=days.score.argmax(days.day), day=days.day.max())


def nps(promoters: float, passives: float, detractors: float) -> Interval:
    """The net promoter score of so many answers, with its 90 % interval, -100 to 100; NaN without answers.

    Examples
    --------
    >>> score = nps(promoters=50, passives=30, detractors=20)
    >>> round(score.estimate), round(float(score.low), 1), round(float(score.high), 1)
    (30, 16.7, 42.1)
    """
    n = promoters + passives + detractors
    if n <= 0:
        return Interval(np.nan, np.nan, np.nan)
    estimate = (promoters - detractors) / n
    up, down = (promoters + 0.5) / (n + 2), (detractors + 0.5) / (n + 2)
    half = QUANTILE * np.sqrt((up + down - (up - down) ** 2) / (n + 2))
    low, high = max(-1.0, up - down - half), min(1.0, up - down + half)
    return Interval(100 * estimate, 100 * min(low, estimate), 100 * max(high, estimate))


def scores(survey: ir.Table, as_of: date, within_days: int, groups: ir.Table | None = None) -> pd.DataFrame:
    """The net promoter score of the customers' last answers.

    Parameters
    ----------
    survey : customer, day, score.
    as_of, within_days : answers of the days before are read.
    groups : customer and group, such as tier or segment; customers without a row are left out. All together if None.

    Returns
    -------
    answers, promoters, passives, detractors (customers), nps, low, high : index group (`all` without groups), in
        order of its name; no row where nobody answered.
    """
    answers = latest(survey, as_of, within_days)
    if groups is None:
        placed = answers.mutate(group=ibis.literal("all"))
    else:
        placed = answers.join(groups.select("customer", "group"), "customer")
    loyalty = loyalty_of(placed.score)
    counted = placed.group_by("group").agg(
        answers=placed.count(),
        promoters=(loyalty > 0).sum(),
        passives=(loyalty == 0).sum(),
        detractors=(loyalty < 0).sum(),
    )
    frame = counted.order_by("group").to_pandas().set_index("group")
    found = [nps(*row) for row in frame[list(LOYALTIES)].itertuples(index=False)]
    return frame.assign(
        nps=[each.estimate for each in found], low=[each.low for each in found], high=[each.high for each in found]
    )


def by_tier(survey: ir.Table, tables: Tables, rules: TierRules, as_of: date) -> ir.Table:
    """Everyone who answered, with the tier held at a date: customer, and group (1 for the lowest, 0 for none)."""
    held = tier_at(membership(tables, rules, as_of), as_of)
    placed = survey.select("customer").distinct().left_join(held, "customer")
    return placed.select("customer", group=placed.tier.coalesce(0))


def by_segment(survey: ir.Table, tables: Tables, as_of: date) -> ir.Table:
    """Everyone who answered, with the segment at a date: customer, group."""
    drawn = segments(tables, as_of).select("customer", "segment")
    placed = survey.select("customer").distinct().left_join(drawn, "customer")
    return placed.select("customer", group=placed.segment.coalesce(NO_SEGMENT))


def later_churn(
    survey: ir.Table, tables: Tables, origin: date, *, horizon_days: int, active_within_days: int, within_days: int
) -> Later:
    """Whether those who were not content left more often.

    Answers before `origin` are held against the horizon from it on, among customers who were active at it.

    Parameters
    ----------
    survey : customer, day, score.
    tables : with purchase days.
    origin : first day of the horizon, which must be over.
    horizon_days, active_within_days : days.
    within_days : before the origin, in which an answer counts.
    """
    said = latest(survey, origin, within_days)
    outcome = labels(tables, origin, horizon_days, active_within_days).select("customer", "churned")
    pairs = said.join(outcome, "customer")
    counted = pairs.group_by(loyalty=loyalty_of(pairs.score)).agg(
        customers=pairs.count(), churned=pairs.churned.cast("int64").sum()
    )
    frame = counted.to_pandas().set_index("loyalty").reindex([1, 0, -1], fill_value=0).set_axis(list(LOYALTIES))
    share = frame["churned"] / frame["customers"].where(frame["customers"] > 0)
    low, high = wilson_ends(share.to_numpy(float), frame["customers"].where(frame["customers"] > 0).to_numpy(float))
    frame = frame.assign(share=share, low=low, high=high).rename_axis("loyalty")
    return Later(frame, _difference(frame.loc["detractors"], frame.loc["promoters"]))


def _difference(one: pd.Series, other: pd.Series) -> Interval | None:
    """Share that left of one group less that of another."""
    if not (one["customers"] and other["customers"]):
        return None
    this, that = ((int(group["churned"]), int(group["customers"])) for group in (one, other))
    return newcombe(this, that)
