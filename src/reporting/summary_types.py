"""What the executive page is made of: measures and findings, already in words."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number that a manager follows. All texts are formatted and carry their unit.

    Attributes
    ----------
    name : what is measured, such as "Customers who left".
    value : the number, such as "11.9 %".
    interval : its error, such as "10.4 to 13.5 %"; empty if there is none, as for a plain count.
    change : what follows the word "up", "down" or "unchanged": "1.2 points on the 28 days before", without
        a sign; "on the 28 days before" where nothing changed. Empty if there is no earlier period.
    goal : the goal, such as "under 12 %"; empty if none is set.
    goal_met : whether the goal is met; None if there is no goal or it cannot be said.
    direction : of the change.
    good : whether the change is for the better; None if neither.
    definition : one plain sentence on how it is counted.
    followed : whether it is measured again and again, so that there may be a change to tell.
    """

    name: str
    value: str
    interval: str = ""
    change: str = ""
    goal: str = ""
    goal_met: bool | None = None
    direction: Literal["up", "down", "flat"] = "flat"
    good: bool | None = None
    definition: str = ""
    followed: bool = True

    def __post_init__(self) -> None:
        """Turn numpy's truth values, which JSON does not know, into Python's."""
        for name in ("goal_met", "good"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else bool(value))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One sentence that could be said in a meeting, and the page that shows why.

    Attributes
    ----------
    text : the sentence, Markdown, with its number and error.
    page : name of the notebook it comes from, such as "04_churn".
    """

    text: str
    page: str
