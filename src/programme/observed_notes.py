"""What must be known to read an effect on chosen customers: who is not in it, and what came afterwards."""

from __future__ import annotations

from .panel import Panel, Plan
from .stacking import Stack


def notes(panel: Panel, found: Stack, plan: Plan) -> tuple[str, ...]:
    """Campaigns and customers that are not in the effect, what came later, and whether it is of a sample."""
    told = [f"Left out: {reason}." for reason in found.refusals]
    chosen = sum(int(cohort.treated.sum()) for cohort in found.cohorts)
    kept = sum(trial.contacted for trial in found.trials)
    if kept < chosen:
        told.append(f"{chosen - kept} of {chosen} contacted customers have nobody like them and are left out.")
    more, fewer = _later(panel, found, plan)
    told.append(
        f"In these weeks contacted customers received {more:.2f} further campaigns each, those compared {fewer:.2f}; "
        "their effect is in the estimate."
    )
    if panel.sampled:
        told.append(f"From a fixed sample of {panel.customers:,} customers.")
    return tuple(told)


def _later(panel: Panel, found: Stack, plan: Plan) -> tuple[float, float]:
    """Campaigns that came afterwards, to a contacted customer and, weighted, to those compared."""
    total = sum(trial.contacted for trial in found.trials)
    more = fewer = 0.0
    for trial, cohort in zip(found.trials, found.cohorts, strict=True):
        later = panel.contacted(cohort.anchor + 1, cohort.anchor + 7 * plan.window)[trial.customers]
        own = panel.contacted(cohort.anchor + 1, cohort.anchor + 7, cohort.campaign)[trial.customers]
        other = later - own * trial.match.treated
        more += trial.contacted / total * float(other[trial.match.treated].mean())
        fewer += trial.contacted / total * float(trial.match.weights @ other)
    return more, fewer
