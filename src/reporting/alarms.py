"""What somebody should be woken for: goals that are missed, and customers who have changed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..experiments import Experiment
    from ..study import Study
    from .summary_types import Measure

UNUSUAL = 2.0
"""A feature has moved unusually far if further than so many times what it moved between earlier dates."""


def alarms(study: "Study | Experiment", measures: "Sequence[Measure]") -> list[str]:
    """Return what is alarming about a report, a sentence each; of groups of customers, never of one.

    Parameters
    ----------
    study : what is reported.
    measures : of its first page.
    """
    return [*missed(measures), *moved(study)]


def missed(measures: "Sequence[Measure]") -> list[str]:
    """Goals that are missed."""
    return [f"goal missed: {one.name} {one.value}, to be {one.goal}" for one in measures if one.goal_met is False]


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
