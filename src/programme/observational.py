"""What campaigns changed that were sent to chosen customers: `effect`, the one entry to the modules beside it.

A number is given only where the method finds nothing in weeks in which nothing can be, and in campaigns that never
were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from ..errors import RefusedError
from . import placebos
from .doubly_robust import cross_fitted
from .effect import Effect, Interval, Overlap
from .event_study import Estimates, Trial, by_week, pooled
from .matching import balance, match
from .observed_notes import notes
from .panel import FloatArray, Panel, Plan
from .sensitivity import Sensitivity, sensitivity, spread
from .stacking import Outcome, Stack, stack

NOTHING = Interval(np.nan, np.nan, np.nan)
DRAWS = 100
"""Campaigns that never were."""
RECENT = "the purchases of the last four weeks"
_OF_RECENT = ("last 1 weeks", "last 2 weeks", "last 4 weeks", "weeks 1 to 1", "weeks 2 to 2", "weeks 3 to 4")

ASSUMPTIONS = (
    "Customers who did the same in the weeks before, received as many campaigns and handed in as many coupons would "
    "have gone on alike without the campaign.",
    "Being contacted did not change what customers did before the campaign began.",
    "A campaign does not change what those do who did not receive it.",
)


@dataclass(frozen=True)
class Observed:
    """What campaigns changed, and all that supports it.

    Attributes
    ----------
    effect : in all weeks from the campaign's first day on, lift and dip together.
    check : the same by boosted trees, cross-fitted; None where the effect is refused.
    lift, dip : in the weeks during and after, in the unit of the effect; not numbers where it is refused.
    weeks : the event study, see `event_study.by_week`; empty where nothing could be compared. Where the effect is
        refused it holds only the weeks before, as the reason for it.
    balance : feature, before, after: what the compared differed in, in standard deviations.
    sensitivity : how strong an unmeasured cause would have to be; None where the effect is refused.
    """

    effect: Effect
    check: Effect | None = None
    lift: Interval = NOTHING
    dip: Interval = NOTHING
    weeks: pd.DataFrame = field(default_factory=pd.DataFrame)
    balance: pd.DataFrame = field(default_factory=pd.DataFrame)
    sensitivity: Sensitivity | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "effect": self.effect.to_dict(),
            "check": self.check and self.check.to_dict(),
            "lift": vars(self.lift),
            "dip": vars(self.dip),
            "weeks": self.weeks.to_dict("list"),
            "balance": self.balance.to_dict("list"),
            "sensitivity": self.sensitivity and self.sensitivity.to_dict(),
        }

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote, also after a detour through JSON."""
        return cls(
            effect=Effect.from_dict(said["effect"]),
            check=Effect.from_dict(said["check"]) if said["check"] else None,
            lift=Interval(**said["lift"]),
            dip=Interval(**said["dip"]),
            weeks=pd.DataFrame(said["weeks"]),
            balance=pd.DataFrame(said["balance"]),
            sensitivity=Sensitivity.from_dict(said["sensitivity"]) if said["sensitivity"] else None,
        )


def effect(
    panel: Panel,
    campaigns: str | Sequence[str],
    *,
    outcome: Outcome = "spend",
    plan: Plan | None = None,
    name: str = "",
    currency: str = "",
    draws: int = DRAWS,
    seed: int = 1,
) -> Observed:
    """What one campaign changed, or several on average.

    The estimand is the effect on the contacted customers who have others like them, of being contacted in that week
    against not having been contacted yet, with all later campaigns as they came; the mean over contacted customers.

    Parameters
    ----------
    panel : see `panel.panel`.
    campaigns : one, or several to be pooled.
    outcome : `spend`, or `purchases` (days with one).
    plan : which weeks serve what; see `plan_for` if not given.
    name : of the campaigns, as a sentence has it; `campaign 13` and the like if not given.
    currency : of the spend.
    draws : campaigns that never were; 0 for no such test, with which no effect is refused for it.
    seed : of everything drawn.

    Returns
    -------
    Observed
        Its effect is refused, in words, where nothing could be compared, or the comparison fails its tests.
    """
    asked = (campaigns,) if isinstance(campaigns, str) else tuple(campaigns)
    plan, unit = plan or plan_for(panel, asked), _unit(outcome, currency)
    what = f"{outcome.capitalize()} in the {plan.window} weeks from {name or _named(asked)} on"
    found = stack(panel, asked, plan, outcome)
    if not found.trials:
        return Observed(_refused(what, unit, found.refusals or ("no campaign was asked for",)))
    estimates, tested = _tested(pooled(found.trials, panel.customers), plan)
    width = len(estimates.values)
    net = _weeks(width, width - plan.window, width)
    whole = estimates.times(net)
    tests = [placebos.before(estimates, tested, unit, seed)]
    if draws:
        never = placebos.draws(panel, found, plan, outcome, draws, seed)
        tests.append(placebos.at_random_dates(never, draws, unit))
    result = Effect(
        what=what,
        design="difference-in-differences",
        estimand=_estimand(plan),
        unit=unit,
        found=whole.interval(),
        standard_error=float(whole.errors[0]),
        treated=sum(trial.contacted for trial in found.trials),
        control=sum(int((~trial.match.treated).sum()) for trial in found.trials),
        assumptions=ASSUMPTIONS,
        placebos=tuple(tests),
        overlap=_overlap(found),
        raw=_raw(panel, found, plan, outcome),
        notes=notes(panel, found, plan),
    )
    failed = [f"not identified: {test.name}. {test.reading}" for test in tests if not test.passed]
    shown = by_week(estimates, plan, tested, seed)
    balanced = balance(found.trials[0].match, found.cohorts[0].names) if len(found.trials) == 1 else _balance(found)
    if failed:
        earlier = shown[shown["week"] < 0].reset_index(drop=True)
        return Observed(result.refused(*failed), weeks=earlier, balance=balanced)
    return Observed(
        effect=result,
        check=_check(panel, found, plan, result, seed),
        lift=estimates.times(_weeks(width, width - plan.window, width - plan.after)).interval(),
        dip=estimates.times(_weeks(width, width - plan.after, width)).interval(),
        weeks=shown,
        balance=balanced,
        sensitivity=_sensitivity(found, result.found, plan),
    )


def plan_for(panel: Panel, campaigns: Sequence[str]) -> Plan:
    """The plan that the campaign with the most weeks before it allows; those with fewer than it needs are left out.

    It follows from the length of the log alone, never from what is found.
    """
    known = [panel.start_of(panel.campaigns.index(name)) for name in campaigns if name in panel.campaigns]
    over = [day for day in known if day is not None and day + 7 * Plan().window <= panel.days]
    return Plan().fitting(max(over, default=0) // 7)


def _tested(estimates: Estimates, plan: Plan) -> tuple[Estimates, int]:
    """Without the weeks before the log, and how many are left to be tested."""
    there = np.isfinite(estimates.values)
    lost = int((~there).sum())
    return Estimates(estimates.values[there], estimates.influence[:, there]), plan.tested - lost


def _weeks(width: int, start: int, stop: int) -> FloatArray:
    column = np.zeros((width, 1))
    column[start:stop] = 1
    return column


def _check(panel: Panel, found: Stack, plan: Plan, first: Effect, seed: int) -> Effect:
    """The same effect by another method, on the same customers."""
    total, value = sum(trial.contacted for trial in found.trials), 0.0
    influence = np.zeros((panel.customers, 1))
    for trial in found.trials:
        known = trial.outcomes[:, plan.tested : -plan.window]
        features = np.column_stack([trial.match.design[:, 1:], known])
        after = trial.outcomes[:, -plan.window :].sum(axis=1)
        each = cross_fitted(features, trial.match.treated, after, seed=seed)
        value += trial.contacted / total * float(each.values[0])
        influence[trial.customers] += trial.contacted / total * each.influence
    error = float(np.sqrt((influence**2).sum()))
    return Effect(
        what=first.what,
        design="doubly robust",
        estimand=first.estimand,
        unit=first.unit,
        found=Interval.around(value, error),
        standard_error=error,
        treated=first.treated,
        control=first.control,
        assumptions=ASSUMPTIONS,
        overlap=first.overlap,
        raw=first.raw,
    )


def _sensitivity(found: Stack, estimate: Interval, plan: Plan) -> Sensitivity | None:
    """Strength of an unmeasured cause, measured by what the last four weeks explain; None where that cannot be told."""
    after = np.zeros(found.trials[0].outcomes.shape[1])
    after[-plan.window :] = 1
    short = []
    for trial, cohort in zip(found.trials, found.cohorts, strict=True):
        rest = [at for at, name in enumerate(cohort.names) if not any(part in name for part in _OF_RECENT)]
        try:
            less = match(cohort.features[trial.match.rows][:, rest], trial.match.treated, most=1.0)
        except RefusedError:
            return None
        short.append(Trial(trial.customers, less, trial.outcomes))
    return sensitivity(estimate, spread(found.trials, after), spread(short, after), RECENT)


def _raw(panel: Panel, found: Stack, plan: Plan, outcome: Outcome) -> Interval:
    """Contacted customers less all others who had bought before, as they are."""
    events = panel.spend if outcome == "spend" else panel.purchases
    value = variance = total = 0.0
    for cohort in found.cohorts:
        n = int(cohort.treated.sum())
        arms = panel.weekly(events, cohort.anchor, 0, plan.window).sum(axis=1)[cohort.customers]
        high, low = arms[cohort.treated], arms[~cohort.treated]
        value += n * (high.mean() - low.mean())
        variance += n**2 * (high.var(ddof=1) / high.size + low.var(ddof=1) / low.size)
        total += n
    return Interval.around(value / total, float(np.sqrt(variance)) / total)


def _overlap(found: Stack) -> Overlap:
    each = [trial.match.overlap for trial in found.trials]
    return Overlap(
        kept=sum(one.kept for one in each),
        trimmed=sum(one.trimmed for one in each),
        lowest=min(one.lowest for one in each),
        highest=max(one.highest for one in each),
    )


def _balance(found: Stack) -> pd.DataFrame:
    """Mean over campaigns, by their contacted customers."""
    parts = [balance(one.match, cohort.names) for one, cohort in zip(found.trials, found.cohorts, strict=True)]
    weight = np.array([trial.contacted for trial in found.trials], dtype=np.float64)
    stacked = pd.concat(part.set_index("feature").mul(w / weight.sum()) for part, w in zip(parts, weight, strict=True))
    return stacked.groupby(level=0, sort=False).sum().reset_index()


def _refused(what: str, unit: str, reasons: tuple[str, ...]) -> Effect:
    bare = Effect(what, "difference-in-differences", "", unit, NOTHING, np.nan, 0, 0)
    return bare.refused(*reasons)


def _estimand(plan: Plan) -> str:
    return (
        f"Mean effect, over {plan.window} weeks, of being contacted in a campaign's first week against not having been "
        "contacted yet, on those contacted customers who have others like them; later campaigns come as they came."
    )


def _unit(outcome: Outcome, currency: str) -> str:
    return f"{currency or 'money'} a customer" if outcome == "spend" else "purchase days a customer"


def _named(asked: tuple[str, ...]) -> str:
    return f"campaign {asked[0]}" if len(asked) == 1 else f"{len(asked)} campaigns"
