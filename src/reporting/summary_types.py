"""What the executive page is made of: measures and findings, already in words."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .page import Picture


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
    number : name of the `Number` behind it, whose past is drawn; empty if there is none.
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
    number: str = ""

    def __post_init__(self) -> None:
        """Turn numpy's truth values, which JSON does not know, into Python's."""
        for name in ("goal_met", "good"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else bool(value))


@dataclass(frozen=True, kw_only=True)
class Number:
    """One measure as a number, as a run leaves it behind for those that come after.

    Attributes
    ----------
    name : of the measure, the same in all runs, such as "repurchase_rate".
    label : what a reader sees, with what is counted, such as "Buyers who bought again".
    group : what it is about.
    unit : of the value; a share is of 1, money in the dataset's currency.
    value : None where it is not known, or of fewer customers than may be told of.
    low, high : 90 % interval; None where there is none.
    goal : of the dataset file; None without one.
    more_is_better : None where neither is.
    """

    name: str
    label: str
    group: Literal["base", "ahead", "models", "programme", "health"]
    unit: Literal["customers", "share", "money", "lines", "days", "count"]
    value: float | None
    low: float | None = None
    high: float | None = None
    goal: float | None = None
    more_is_better: bool | None = None

    def __post_init__(self) -> None:
        """Turn numpy's numbers into Python's, and what is no number into None: JSON knows neither."""
        for name in ("value", "low", "high", "goal"):
            given = getattr(self, name)
            plain = None if given is None or not math.isfinite(given) else float(given)
            object.__setattr__(self, name, plain)


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


@dataclass(frozen=True, kw_only=True)
class Trend:
    """What became of one measure in past runs.

    Attributes
    ----------
    svg : the drawing, see `sparkline.line`.
    change : since the last run that can be compared, such as "up 1.2 points"; empty if it is not known.
    good : whether that is for the better; None if neither, or within chance.
    """

    svg: Markup
    change: str
    good: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What the executive page tells of earlier runs.

    Attributes
    ----------
    since : date of the last run that can be compared, in words; empty in the first run.
    sentences : what changed and why, Markdown, a paragraph each.
    trends : by name of the `Number`.
    picture : of the bridge; None where there is none.
    """

    since: str
    sentences: "Sequence[str]"
    trends: "Mapping[str, Trend]"
    picture: "Picture | None"


@dataclass(frozen=True, kw_only=True)
class Past:
    """What a run says for those that come after, and what those before say to it.

    Attributes
    ----------
    numbers : the measures as numbers.
    value : what a later run needs for the bridge, see `bridge.told` of the package; None where there is none.
    bridge : from the last run that can be compared, see `bridge.packed`; None where there is none.
    changed : what the executive page tells of earlier runs; None where runs are not compared.
    """

    numbers: "Sequence[Number]" = ()
    value: "Mapping[str, Any] | None" = None
    bridge: "Mapping[str, Any] | None" = None
    changed: "Changed | None" = None
