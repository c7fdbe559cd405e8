"""What somebody should be woken for: goals that are missed, and customers who have changed."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..experiments import Experiment
    from ..study import Study
    from .summary_types import Measure

SAID = {"missed": "goal missed", "behind": "goal behind its path"}
"""Verdicts on a goal with a date that are alarming."""

UNUSUAL = 2.0
"""A feature has moved unusually far if further than so many times what it moved between earlier dates."""


def alarms(study: "Study | Experiment", measures: "Sequence[Measure]") -> list[str]:
    """Return what is alarming about a report, a sentence each; of groups of customers, never of one.

    Parameters
    ----------
    study : what is reported.
    measures : of its first page.
    """
    return [*missed(measures), *dated(study), *moved(study)]


def missed(measures: "Sequence[Measure]") -> list[str]:
    """Goals that are missed."""
    return [f"goal missed: {one.name} {one.value}, to be {one.goal}" for one in measures if one.goal_met is False]


def dated(study: "Study | Experiment") -> list[str]:
    """Goals with a date that are behind their path, or were missed within the last period; see `programme.goals`."""
    from ..experiments import Experiment
    from .chapters import goal_numbers

    if isinstance(study, Experiment):
        return []
    told = []
    for measure, goal in goal_numbers.told(study).items():
        over = (study.known_until - date.fromisoformat(goal["deadline"])).days - 1
        rows = goal_numbers.measured(study, measure)
        if goal["verdict"] not in SAID or over > goal_numbers.period_days(study) or rows.empty:
            continue
        write, last = goal_numbers.writer(study, goal), rows.iloc[-1]
        aim = goal["target"] if goal["verdict"] == "missed" else last["target"]
        told.append(f"{SAID[goal['verdict']]}: {goal['label']} {write(last['value'])}, to be {write(aim)}")
    return told


def moved(study: "Study | Experiment") -> list[str]:
    """Features that have moved much since the dates learned from, and unusually far; see `models.drift.drift`."""
    from ..experiments import Experiment
    from .chapters.watch import told_drift

    if isinstance(study, Experiment):
        return []
    table = told_drift(study)
    far = table[(table["moved"] == "much") & (table["psi"] > UNUSUAL * table["usual"].fillna(0.0))]
    told = zip(far["feature"], far["psi"], strict=True)
    return [f"drift: {name} has moved much (population stability index {psi:.2f})" for name, psi in told]
