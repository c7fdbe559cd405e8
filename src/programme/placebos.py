"""The same method where nothing can be found: weeks before, and campaigns that never were.

Weeks before the matched ones were not used to choose who is compared. If those compared differ there, they differ in
something that matching did not see (Imbens & Rubin 2015, Causal Inference, ch. 21, call it a pseudo-outcome).

Campaigns at random dates choose customers by the rule that the real ones seem to follow, on a day on which they were
not sent. Their true effect is zero, whatever the real ones did, as the draw has no other cause. They show whether
matching undoes this retailer's way of choosing, and whether the errors are as large as this retailer's customers are
irregular.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from ..errors import RefusedError
from .effect import Interval, Placebo
from .event_study import Estimates, estimate, joint_test
from .matching import match, path, same_share
from .panel import BoolArray, FloatArray, Panel, Plan
from .stacking import Outcome, Stack, eligible

LEVEL = 0.05
"""Share of tests that reject where nothing is there."""
DATES = 24
"""Random dates that are looked at."""
RARE = 0.01
"""Chance below which more rejections than expected are no chance."""
ENOUGH = 0.4
"""Share of the campaigns that never were that must be comparable for a verdict."""


def before(estimates: Estimates, tested: int, unit: str, seed: int) -> Placebo:
    """Whether those compared already differed in weeks that they were not matched on.

    Parameters
    ----------
    estimates : of at least `tested` weeks, those to be tested first.
    tested : at least 1.
    unit : such as `USD a customer`.
    seed : of the quantile.
    """
    weeks = np.eye(len(estimates.values))[:, :tested]
    mean = Estimates.times(estimates, weeks.mean(axis=1, keepdims=True))
    # Single weeks are too irregular for normal errors: over all of them the test rejects 7.5 % instead of 5 %.
    slope = weeks @ (np.arange(tested) - (tested - 1) / 2)
    tests = np.column_stack([weeks.mean(axis=1), slope]) if tested > 1 else weeks
    chance = joint_test(estimates.times(tests), seed)
    seen = 2.0 * float(mean.errors[0])
    reading = (
        f"In the {tested} weeks before those they were matched on, contacted customers differed from the others by "
        f"{mean.values[0]:+.3g} {unit} a week (p {_chance(chance)}, level and trend together); a lasting "
        f"difference of {seen:.2g} would have been seen more often than not."
    )
    return Placebo("weeks before", mean.interval(), chance >= LEVEL, reading)


def draws(panel: Panel, stack: Stack, plan: Plan, outcome: Outcome, count: int, seed: int) -> FloatArray:
    """Estimates and standard errors of campaigns that never were, shape (count or fewer, 2).

    Each takes the rule and the share of a real one, a date among `DATES` random ones, and draws who is contacted.
    """
    rng = np.random.default_rng(seed)
    first, last = 7 * plan.matched, panel.days - 7 * plan.window
    anchors = np.sort(rng.choice(np.arange(first, last + 1), min(DATES, last + 1 - first), replace=False))
    events = panel.spend if outcome == "spend" else panel.purchases
    found = []
    for anchor, share in zip(anchors, np.diff(np.linspace(0, count, anchors.size + 1).astype(int)), strict=True):
        features, _ = path(panel, int(anchor), plan)
        after = panel.weekly(events, int(anchor), 0, plan.window).sum(axis=1)
        for _ in range(share):
            like = int(rng.integers(len(stack.trials)))
            able = _able(panel, stack, like, int(anchor))
            real = stack.cohorts[like]
            chance = same_share(stack.trials[like].match.rule, features[able], float(real.treated.mean()))
            drawn = rng.random(chance.size) < chance
            try:
                matched = match(features[able], drawn)
            except RefusedError:
                continue
            each = estimate(matched, after[able][matched.rows, None])
            found.append((each.values[0], each.errors[0]))
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def at_random_dates(found: FloatArray, asked: int, unit: str) -> Placebo:
    """What campaigns that never were come out at.

    Parameters
    ----------
    found : see `draws`.
    asked : how many were to be drawn, at least 1; of too few that could be compared nothing is concluded.
    unit : such as `USD a customer`.
    """
    name, count = "campaigns at random dates", len(found)
    if count < ENOUGH * asked:
        reading = (
            f"Only {count} of {asked} campaigns that never were could be compared, too few to show whether the method "
            "finds what is not there."
        )
        return Placebo(name, Interval(np.nan, np.nan, np.nan), False, reading)
    t = np.abs(found[:, 0] / found[:, 1])
    rejected = int((t > 1.959964).sum())
    passed = bool(binom.sf(rejected - 1, count, LEVEL) >= RARE)
    low, high = np.quantile(found[:, 0], [0.05, 0.95])
    reading = (
        f"Of {count} campaigns that never were, at random dates and to customers chosen in the same way, "
        f"{rejected / count:.0%} seem to have an effect, where chance allows {LEVEL:.0%}; nine of ten come out between "
        f"{low:+.3g} and {high:+.3g} {unit}."
    )
    return Placebo(name, Interval(float(found[:, 0].mean()), float(low), float(high)), passed, reading)


def _chance(value: float) -> str:
    return f"= {value:.2g}" if value >= 0.001 else "< 0.001"


def _able(panel: Panel, stack: Stack, like: int, anchor: int) -> BoolArray:
    """Customers whom the campaign could have reached on another day."""
    real = stack.cohorts[like]
    treated = np.zeros(panel.customers, dtype=bool)
    treated[real.customers[real.treated]] = True
    known = panel.since < anchor
    members_only = panel.joined is not None and bool((panel.joined <= real.anchor)[treated].all())
    return eligible(panel, anchor, ~known) if members_only else known
