"""What a dataset file says of actions: `[actions]`, and one `[[actions.rules]]` for each thing that may be done."""

import hashlib
from collections import Counter
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from .aims import Money, Number, Share
from .programme.rule_checks import ConditionError
from .programme.rule_columns import KINDS
from .programme.rule_language import parse
from .programme.rule_tree import Tree, columns
from .roles import Section

__all__ = ["ActionRule", "Actions", "AssumedEffect", "OnOffer"]

Kind = Literal["service", "recognition", "information", "product", "points", "discount"]
"""What an offer is, from what costs no margin to what does."""
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
"""Text on one line."""


class OnOffer(Section):
    """A category that is on offer from one day to another, both included."""

    category: str = Field(min_length=1)
    starts: date
    ends: date

    @field_validator("ends")
    @classmethod
    def _comes_after(cls, value: date, info: ValidationInfo) -> date:
        starts = info.data.get("starts")
        if starts is not None and value < starts:
            raise ValueError(f"a last day not before {starts}")
        return value


class AssumedEffect(Section):
    """What an action is taken to change where nothing has been measured; every page prints it as assumed.

    Attributes
    ----------
    low, high : ends of the range.
    of : extra spend of a customer in the horizon, money, or extra probability of buying in it.
    """

    of: Literal["spend", "purchase"] = "purchase"
    low: Number
    high: Number

    @field_validator("low", "high")
    @classmethod
    def _is_possible(cls, value: float, info: ValidationInfo) -> float:
        if info.data.get("of") == "purchase" and not -1 <= value <= 1:
            raise ValueError("a difference of probabilities, from -1 to 1")
        if info.field_name == "high" and value < info.data.get("low", value):
            raise ValueError(f"at least low, {info.data['low']:g}")
        return value


class ActionRule(Section):
    """Who may be offered what.

    Attributes
    ----------
    name : of the rule, and of its campaign in the table of contacts.
    when : condition on a customer, see `programme.rule_language` and docs/rules.md.
    channel : how the customer is reached.
    offer : what is said, in words.
    kind : what is offered.
    cost : of one contact, money.
    reward : what the offer costs when it is used, money.
    reward_share : the same as a share of the spend; one of the two.
    cool_down_days : after which the rule may reach the same customer again.
    priority : of two actions that are worth the same the one with the higher number is chosen.
    months : in which the rule applies, 1 to 12; all if none is given.
    assumed : effect, for as long as none is measured.
    evidence : campaigns, or types of campaigns, that did the same: what they changed is what this action is expected to
        change, beside campaigns with the rule's own name.
    """

    name: Annotated[Line, Field(max_length=60)]
    when: str
    channel: Line
    offer: Line
    kind: Kind
    cost: Money = 0.0
    reward: Money = 0.0
    reward_share: Share = 0.0
    cool_down_days: Annotated[int, Field(ge=0, le=3650, strict=True)] = 30
    priority: Annotated[int, Field(ge=0, le=1000, strict=True)] = 100
    months: tuple[Annotated[int, Field(ge=1, le=12, strict=True)], ...] = ()
    assumed: AssumedEffect | None = None
    evidence: tuple[Line, ...] = ()

    @field_validator("when")
    @classmethod
    def _can_be_read(cls, value: str, info: ValidationInfo) -> str:
        try:
            parse(value, KINDS)
        except ConditionError as error:
            rule = f"in rule {info.data['name']!r}, " if "name" in info.data else ""
            details = [
                _detail(f"{mistake.expected} ({rule}{_place(value, mistake.at)})", mistake.found)
                for mistake in error.mistakes
            ]
            raise ValidationError.from_exception_data("when", details) from None
        return value

    @field_validator("reward_share")
    @classmethod
    def _is_one_reward(cls, value: float, info: ValidationInfo) -> float:
        if value and info.data.get("reward"):
            raise ValueError("0 where there is a reward in money")
        return value

    @property
    def condition(self) -> Tree:
        """The condition, read."""
        return parse(self.when, KINDS)

    @property
    def needs(self) -> list[str]:
        """Columns that the condition looks at."""
        return columns(self.condition)

    @property
    def version(self) -> str:
        """A short hash that changes whenever the rule does."""
        return hashlib.blake2b(self.model_dump_json().encode(), digest_size=6).hexdigest()


class Actions(Section):
    """What may be done, and how much of it.

    Attributes
    ----------
    rules : from which actions are chosen; `programme.default_rules` if none is given.
    budget : of one run, contacts and rewards together, money.
    most_contacts : that one customer may have in `period_days`.
    period_days : days before the as-of date in which contacts are counted.
    most_by_channel : contacts that a channel can make in one run, by its name; others have no limit.
    minimum_per_segment : customers of a segment that are to be reached at least, by its name.
    hold_out : share of those chosen for an action who are left without it, to be compared with.
    purpose : for which customers must have given their consent.
    suppress : path of a CSV with a column `customer`, below the project's folder: who is to be left in peace.
    offers : categories on offer.
    """

    rules: tuple[ActionRule, ...] = ()
    budget: Money | None = None
    most_contacts: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    period_days: Annotated[int, Field(ge=1, le=3650, strict=True)] = 14
    most_by_channel: dict[str, Annotated[int, Field(ge=0, strict=True)]] = Field(default_factory=dict)
    minimum_per_segment: dict[str, Annotated[int, Field(ge=0, strict=True)]] = Field(default_factory=dict)
    hold_out: Annotated[float, Field(ge=0, lt=1, strict=True)] = 0.1
    purpose: Annotated[str, Field(min_length=1)] = "contact"
    suppress: Annotated[str, Field(min_length=1)] | None = None
    offers: tuple[OnOffer, ...] = ()

    @field_validator("rules", mode="wrap")
    @classmethod
    def _have_names_of_their_own(cls, value: Any, read: ValidatorFunctionWrapHandler) -> tuple[ActionRule, ...]:
        """Beside what is wrong with each rule, names that come twice: all of it is told at once."""
        found: list[InitErrorDetails] = []
        rules: tuple[ActionRule, ...] = ()
        try:
            rules = read(value)
        except ValidationError as error:
            found = [_again(detail) for detail in error.errors()]
        found += [_detail("a name that no other rule has", name, (at, "name")) for at, name in _repeated(value)]
        if found:
            raise ValidationError.from_exception_data("rules", found)
        return rules

    @field_validator("purpose")
    @classmethod
    def _is_lower_case(cls, value: str) -> str:
        return value.lower()  # as the table of consent is read


def _repeated(rules: Any) -> list[tuple[int, str]]:
    """Places and names of rules whose name an earlier one has."""
    given = rules if isinstance(rules, list | tuple) else ()
    names = [rule.get("name") if isinstance(rule, dict) else getattr(rule, "name", None) for rule in given]
    seen: Counter[str] = Counter()
    repeated = []
    for at, name in enumerate(names):
        if isinstance(name, str):
            seen[name] += 1
            if seen[name] > 1:
                repeated.append((at, name))
    return repeated


def _place(text: str, at: int) -> str:
    """A character of a text, in words; with its line where there are several."""
    lines = text[: at - 1].split("\n")
    return f"line {len(lines)}, character {len(lines[-1]) + 1}" if "\n" in text.strip() else f"character {at}"


def _detail(expected: str, found: Any, location: tuple[int | str, ...] = ()) -> InitErrorDetails:
    """A mistake, for pydantic's list."""
    kind = PydanticCustomError("value_error", "{told}", {"told": expected})
    return InitErrorDetails(type=kind, loc=location, input=found)


def _again(detail: Any) -> InitErrorDetails:
    """A mistake of pydantic's list, for another such list."""
    kind = PydanticCustomError(detail["type"], "{told}", {"told": detail["msg"]})
    return InitErrorDetails(type=kind, loc=detail["loc"], input=detail["input"])
