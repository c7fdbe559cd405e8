"""Sales that campaigns to chosen customers caused while they ran and afterwards, each over its own length.

A campaign's coupons are good for as long as it runs, so what it caused is summed over all those weeks, and then over as
many after it as the log holds, whatever the period of the effect that is told of it. Campaigns are summed, not
averaged, for each has its own length. The errors are those of what the treated would have bought without the campaign:
of one who was treated in several, and of those held against several, they are added before they are squared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np

from .cannibalisation import AFTER, Caused, weeks_of
from .event_study import Trial, estimate, residuals
from .panel import FloatArray, Panel, Plan
from .stacking import stack


class Ran(NamedTuple):
    """A campaign that is over: its last day, and the customers whom it reached."""

    last: date
    reached: int


class Together(NamedTuple):
    """What campaigns caused together.

    Attributes
    ----------
    caused : None where no campaign could be compared.
    campaigns : names of those that are in it.
    measured : customers on whom it was measured.
    refusals : why others are not.
    error : standard error of all that was caused, during and after, as it would vary with other customers drawn.
    """

    caused: Caused | None
    campaigns: tuple[str, ...]
    measured: int
    refusals: tuple[str, ...]
    error: float = 0.0


def together(panel: Panel, campaigns: Mapping[str, Ran], plan: Plan, *, most_after: int | None = None) -> Together:
    """Sales caused by campaigns among all whom they reached.

    Parameters
    ----------
    panel : see `panel.panel`.
    campaigns : by name.
    plan : of the weeks before them. Those during and after follow from each campaign's length.
    most_after : weeks after a campaign, at most; as many as it had if not given.
    """
    sums, named, measured, refusals, seen = np.zeros(2), [], 0, [], []
    influence, own = np.zeros((panel.customers, 2)), np.zeros((2, 2))
    for name, ran in campaigns.items():
        weeks = _weeks(panel, name, ran, most_after)
        if weeks.after < AFTER:
            refusals.append(f"campaign {name}: the {AFTER} weeks after its end are not over when the log ends")
            continue
        found = stack(panel, (name,), replace(plan, during=weeks.during, after=weeks.after), "spend")
        refusals += found.refusals
        contacted = sum(trial.contacted for trial in found.trials)
        for trial, cohort in zip(found.trials, found.cohorts, strict=True):
            scale = ran.reached * trial.contacted / contacted
            outcomes = trial.outcomes[:, -weeks.during - weeks.after :] @ _columns(weeks, cohort.anchor)
            each = estimate(trial.match, outcomes)
            sums += scale * each.values
            influence[trial.customers] += scale * each.influence
            own += scale**2 * _own(trial, outcomes, each.influence)
        if found.trials:
            named.append(name)
            seen.append(weeks.after)
        measured += contacted
    if not named:
        return Together(None, (), 0, tuple(refusals))
    caused = Caused(float(sums[0]), float(sums[1]), influence.T @ influence + own, min(seen))
    error = float(np.linalg.norm(influence.sum(axis=1)))
    return Together(caused, tuple(named), measured, tuple(refusals), error)


class _Weeks(NamedTuple):
    """First and last day of a campaign, and the weeks that are looked at while it runs and after."""

    first: int
    last: int
    during: int
    after: int


def _weeks(panel: Panel, name: str, ran: Ran, most_after: int | None) -> _Weeks:
    """After a campaign as many weeks as it had, at least `AFTER`, or as are asked for, as far as the log holds them."""
    start = panel.start_of(panel.campaigns.index(name)) if name in panel.campaigns else None
    last = (ran.last - panel.first_day).days
    first = last if start is None else start
    during = max(1, weeks_of(last + 1 - first))
    wanted = max(AFTER, during) if most_after is None else most_after
    return _Weeks(first, last, during, min(wanted, (panel.days - first) // 7 - during))


def _columns(weeks: _Weeks, anchor: int) -> FloatArray:
    """What is summed, during and after; who was contacted later has fewer weeks of the campaign left."""
    during = np.arange(weeks.during + weeks.after) < max(1, weeks_of(weeks.last + 1 - anchor))
    return np.stack([during, ~during], axis=1).astype(np.float64)


def _own(trial: Trial, outcomes: FloatArray, influence: FloatArray) -> FloatArray:
    """What is to be added to the squares of the influences, shape (2, 2).

    What the treated would have bought varies as what those did who are weighted to be like them. What they did buy
    varies more, by what the campaign changed, which is no error of their own sales. Residuals corrected for leverage,
    as in `event_study.estimate`.
    """
    left, leverage = residuals(trial.match, outcomes)
    left = left / np.sqrt(1 - np.minimum(leverage, 0.9))[:, None]
    treated = influence[trial.match.treated]
    like = (left * trial.match.weights[:, None]).T @ left / trial.contacted
    return np.asarray(like - treated.T @ treated)
