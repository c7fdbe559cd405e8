"""What a dataset file aims at: goals, with or without a date, and a budget."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from .roles import Section

Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]

RANGES: dict[str, tuple[float, float | None]] = {
    "repurchase": (0.0, 1.0),
    "churn": (0.0, 1.0),
    "order_value": (0.0, None),
    "redemption": (0.0, 1.0),
    "members": (0.0, None),
    "nps": (-100.0, 100.0),
}
"""Measures that a goal with a date may have, and between which values they lie."""

FALLS = ("churn",)
"""Measures of which less is better."""

KINDS = ("rewards", "contacts", "people")
"""What a budget is spent on."""

PHASES = ("preparation", "launch", "evaluation")
"""Parts of a budget, in their order."""


class Stage(Section):
    """A value to be reached on the way to a goal, by the end of the day `by`."""

    by: date
    target: Number


class Goal(Section):
    """A value of a measure to be reached by a date; the section's name says which measure, see `RANGES`.

    Attributes
    ----------
    starts : first day.
    deadline : last day.
    start : value at the start; as measured if not given.
    target : value at the deadline.
    change : instead of a target, the change as a share of the start: -0.05 is 5 % less.
    stages : values on the way, the earliest first.
    """

    starts: date
    deadline: date
    start: Number | None = None
    target: Number | None = None
    change: Number | None = None
    stages: tuple[Stage, ...] = ()

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.deadline <= self.starts:
            raise ValueError(f"a deadline after the start on {self.starts}, found {self.deadline}")
        if (self.target is None) == (self.change is None):
            found = "neither" if self.target is None else "both"
            raise ValueError(f"either target or change (a share of the start, such as -0.05), found {found}")
        days = [self.starts, *(stage.by for stage in self.stages), self.deadline]
        if any(later <= earlier for earlier, later in pairwise(days)):
            told = ", ".join(str(stage.by) for stage in self.stages)
            raise ValueError(f"stages in order of time between {self.starts} and {self.deadline}, found {told}")
        return self

    @property
    def values(self) -> Iterator[float]:
        """Values that are given, in order of time."""
        target = self.target if self.start is None else self.target_from(self.start)
        given = (self.start, *(stage.target for stage in self.stages), target)
        return (value for value in given if value is not None)

    def target_from(self, start: float) -> float:
        """The target, where the measure starts so."""
        return start * (1 + (self.change or 0.0)) if self.target is None else self.target


class Goals(Section):
    """What the retailer wants to reach; a report shows the actual value against it.

    Attributes
    ----------
    repurchase_rate, churn_rate : wanted in every horizon, whatever the date.
    repurchase, churn, order_value, redemption, members, nps : goals with a date, see `programme.goal_measures`.
    """

    repurchase_rate: Share | None = None
    churn_rate: Share | None = None
    repurchase: Goal | None = None
    churn: Goal | None = None
    order_value: Goal | None = None
    redemption: Goal | None = None
    members: Goal | None = None
    nps: Goal | None = None

    @property
    def dated(self) -> dict[str, Goal]:
        """Goals with a date by measure."""
        return {name: goal for name in RANGES if (goal := getattr(self, name)) is not None}

    @field_validator(*RANGES)
    @classmethod
    def _is_right_way(cls, value: Goal | None, info: ValidationInfo) -> Goal | None:
        if value is None:
            return value
        name = str(info.field_name)
        low, high = RANGES[name]
        if outside := [each for each in value.values if each < low or (high is not None and each > high)]:
            ends = f"of at least {low:g}" if high is None else f"from {low:g} to {high:g}"
            raise ValueError(f"values {ends}, found {outside[0]:g}")
        sign, better = (-1, "lower") if name in FALLS else (1, "higher")
        if value.change is not None and (name == "nps" or sign * value.change <= 0):
            expected = "target instead of change, as an NPS may be 0" if name == "nps" else f"a change to {better}"
            raise ValueError(f"{expected}, found change {value.change:g}")
        if any(sign * (later - earlier) <= 0 for earlier, later in pairwise(value.values)):
            told = ", ".join(f"{each:g}" for each in value.values)
            raise ValueError(f"each of start, stages and target to be {better} than the one before, found {told}")
        return value


class Spending(Section):
    """Money by what it is spent on; what is not given is not known, or not planned."""

    rewards: Money | None = None
    contacts: Money | None = None
    people: Money | None = None


class Phase(Section):
    """A part of a budget.

    Attributes
    ----------
    starts, ends : first and last day.
    plan : money for the whole phase.
    actual : money spent so far.
    """

    starts: date
    ends: date
    plan: Spending
    actual: Spending = Spending()

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.ends < self.starts:
            raise ValueError(f"a last day not before {self.starts}, found {self.ends}")
        return self


class Budget(Section):
    """What the programme may cost, and has cost, in the dataset's currency."""

    preparation: Phase | None = None
    launch: Phase | None = None
    evaluation: Phase | None = None

    @property
    def phases(self) -> dict[str, Phase]:
        """The phases that are planned, by name, in their order."""
        return {name: phase for name in PHASES if (phase := getattr(self, name)) is not None}

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        for (name, phase), (later_name, later) in pairwise(self.phases.items()):
            if later.starts <= phase.ends:
                raise ValueError(f"{later_name} to start after {name} ends on {phase.ends}, found {later.starts}")
        return self
