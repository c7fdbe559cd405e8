"""Campaigns as experiments that were not drawn: who was contacted, and who of the others may be compared.

Campaigns overlap, so what each of them changed is asked as follows. Treated are those whom the campaign reached in one
week, controls those whom it had not reached by the end of that week, contacted later or never; campaigns before it are
part of the path on which both are matched, and campaigns after it come to both as they come. Controls whom another
campaign reached on the same days are left out. Nobody is chosen by what happened later: to drop controls who were
contacted afterwards would leave those who bought little, where retailers choose recent buyers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import RefusedError
from .event_study import Trial
from .matching import FEWEST, match, path
from .panel import BoolArray, FloatArray, IntArray, Panel, Plan, day_of

Outcome = Literal["spend", "purchases"]


@dataclass(frozen=True)
class Cohort:
    """Customers whom a campaign reached in one week, and those to compare.

    Attributes
    ----------
    campaign : its number.
    anchor : the week's first day.
    customers : rows of the panel, shape (n,).
    treated : shape (n,).
    features : shape (n, p), see `matching.path`.
    names : of the features.
    """

    campaign: int
    anchor: int
    customers: IntArray
    treated: BoolArray
    features: FloatArray
    names: tuple[str, ...]


@dataclass(frozen=True)
class Stack:
    """Campaigns that can be compared, and why others cannot."""

    cohorts: tuple[Cohort, ...]
    trials: tuple[Trial, ...]
    refusals: tuple[str, ...]


def cohorts(panel: Panel, campaign: str, plan: Plan) -> list[Cohort]:
    """A campaign's weeks of contact with at least `FEWEST` contacted customers each.

    Raises
    ------
    RefusedError
        If nobody received it, the log does not hold enough before or after it, or an arm has too few customers.
    """
    number = panel.campaigns.index(campaign) if campaign in panel.campaigns else -1
    start = panel.start_of(number)
    if start is None:
        raise RefusedError(f"campaign {campaign}: nobody received it")
    _check_span(panel, campaign, start, plan)
    own = panel.contacts.campaign == number
    found = []
    for week in np.unique((panel.contacts.day[own] - start) // 7):
        anchor = start + 7 * int(week)
        days = panel.contacts.day[own & (panel.contacts.day >= anchor) & (panel.contacts.day < anchor + 7)]
        each = cohort(panel, number, anchor, int(days.max()) + 1, plan)
        if each.treated.sum() >= FEWEST and anchor + 7 * plan.window <= panel.days:
            found.append(each)
    if not found:
        most = int(np.bincount((panel.contacts.day[own] - start) // 7).max())
        raise RefusedError(
            f"campaign {campaign}: {most} customers contacted in a week, fewer of whom had bought before and whose "
            f"{plan.window} weeks are over; at least {FEWEST} are needed"
        )
    if all((~each.treated).sum() < FEWEST for each in found):
        raise RefusedError(
            f"campaign {campaign}: everyone who could be compared was contacted too, but for "
            f"{max(int((~each.treated).sum()) for each in found)} customers; at least {FEWEST} are needed"
        )
    return [each for each in found if (~each.treated).sum() >= FEWEST]


def cohort(panel: Panel, campaign: int, anchor: int, stop: int, plan: Plan) -> Cohort:
    """Customers reached in [anchor, stop), and those to compare."""
    treated = panel.contacted(anchor, stop, campaign) > 0
    reached_before = panel.contacted(-(10**6), anchor, campaign) > 0
    others = ~reached_before & (panel.contacted(anchor, stop) == 0)
    customers = eligible(panel, anchor, treated) & (treated | others)
    features, names = path(panel, anchor, plan)
    rows = np.flatnonzero(customers)
    return Cohort(campaign, anchor, rows, treated[rows], features[rows], names)


def eligible(panel: Panel, anchor: int, treated: BoolArray) -> BoolArray:
    """Customers who had bought before, and belonged to the programme if all those contacted did, shape (n,)."""
    known = panel.since < anchor
    if panel.joined is None:
        return known
    member = panel.joined <= anchor
    return known & member if member[known & treated].all() else known


def outcomes(panel: Panel, cohort: Cohort, plan: Plan, outcome: Outcome) -> FloatArray:
    """What the customers did by week, shape (n, weeks); not a number in weeks that begin before the log."""
    back = plan.tested + plan.matched
    events = panel.spend if outcome == "spend" else panel.purchases
    weeks = panel.weekly(events, cohort.anchor, back, plan.window)[cohort.customers]
    weeks[:, : max(0, back - cohort.anchor // 7)] = np.nan
    return weeks


def stack(panel: Panel, campaigns: tuple[str, ...], plan: Plan, outcome: Outcome) -> Stack:
    """All cohorts of several campaigns, matched."""
    kept, trials, refusals = [], [], []
    for campaign in campaigns:
        try:
            found = cohorts(panel, campaign, plan)
        except RefusedError as error:
            refusals.append(str(error))
            continue
        for each in found:
            try:
                matched = match(each.features, each.treated)
            except RefusedError as error:
                refusals.append(f"campaign {campaign}: {error}")
                continue
            happened = outcomes(panel, each, plan, outcome)[matched.rows]
            trials.append(Trial(each.customers[matched.rows], matched, happened))
            kept.append(each)
    return Stack(tuple(kept), tuple(trials), tuple(refusals))


def _check_span(panel: Panel, campaign: str, start: int, plan: Plan) -> None:
    needed = 7 * (plan.matched + plan.least_tested)
    if start < needed:
        raise RefusedError(
            f"campaign {campaign}: no pre-period: it began on {day_of(panel, start)}, {max(start, 0)} days into the "
            f"log; {needed} are needed to compare customers by what they did before"
        )
    if start + 7 * plan.window > panel.days:
        raise RefusedError(
            f"campaign {campaign}: the {plan.window} weeks from {day_of(panel, start)} on are not over when the log "
            "ends"
        )
