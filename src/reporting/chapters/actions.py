"""Chapter 7 in short: the answer at its top, what is assumed, where it fails, and what to say in the meeting."""

import pandas as pd

from ...study import Study
from .. import words
from . import actions_left, actions_next, health
from .actions_numbers import (
    about,
    cash,
    chosen,
    contacted,
    ends,
    error,
    few,
    has_chosen,
    is_planned,
    secret_rules,
    total,
)
from .actions_rules import limits_said

__all__ = ["is_assumed", "is_planned", "limits", "meeting", "opening", "warning"]

FIRST = "tenure|first_purchase"
"""Columns of conditions that look at the first purchase."""
CROWD = 0.1
"""Share of the customers whom no rule about the first purchase catches unless it takes the log's beginning for it."""


def is_assumed(study: Study) -> bool:
    """Whether anything that the page counts with is assumed, or missing, so that a warning is due."""
    if not is_planned(study):
        return False
    facts = about(study)
    return bool(facts["assumed"] or facts["default_rules"] or not facts["consent"])


def opening(study: Study) -> str:
    """The answer of the page: whom, for how much, for what, and who is left alone."""
    if not is_planned(study):
        return f"Nothing is done: the limits of the dataset file cannot be kept. {words.told(about(study)['refused'].capitalize())}."
    everyone = words.count(about(study)["customers"])
    if not has_chosen(study):
        how = "No action pays for" if chosen(study) == 0 else "Actions pay for too few to tell of"
        return f"{how} any of the {everyone} customers who have bought: all of them are left alone. {_alone(study)}".strip()
    sums = total(study)
    held = (
        f", and about {words.whole(sums['held_out'])} who would have been are held out by chance, so that the effect can be told"
        if sums["held_out"]
        else ""
    )
    return (
        f"{_so_many(study, 'are contacted', 'would be contacted')}{held}. "
        f"That costs {cash(study, sums['spent'])} and is expected to bring {cash(study, sums['value'])} after its cost ({ends(study, sums['low'], sums['high'])}: {error(study)}). "
        f"{_alone(study)}"
    ).strip()


def _so_many(study: Study, do: str, would: str) -> str:
    """How many customers are contacted; would be, where nobody has written a rule."""
    facts, day = about(study), words.day(study.as_of)
    who = f"about {words.whole(total(study)['contacted'])} of {words.count(facts['customers'])} customers"
    return f"With the default rules {who} {would} on {day}" if facts["default_rules"] else f"On {day} {who} {do}"


def _alone(study: Study) -> str:
    """How many are left alone, and mostly why."""
    left = about(study)["customers"] - chosen(study)
    minimum = study.dataset.privacy.minimum_cell
    if left == 0:
        return "Nobody is left alone."
    if left < minimum or 0 < chosen(study) < minimum:
        return ""
    why = actions_left.said(study)
    return f"{words.count(left)} are left alone{f': {why}' if why else ''}."


def warning(study: Study) -> str:
    """What is assumed on this page, and what is missing."""
    facts, parts = about(study), []
    if facts["default_rules"]:
        parts.append(
            f"{study.dataset.title} names no rules: these are default ones, with assumed costs. Nobody has decided to do this, and nothing was sent."
        )
    if facts["assumed"]:
        parts.append(
            "**What these actions change has not been measured.** Their value is an assumed range with a price on it: it says what would have to be true, not what will happen."
        )
    if crowded := _crowded(study):
        parts.append(
            f"**Do not do {words.listed(f'*{name}*' for name in crowded)} as it stands**: the log begins on {words.day(study.first_day)}, and who bought before it seems to have begun then."
        )
    if not facts["consent"]:
        parts.append("**Consent is not recorded**: it must be checked before anyone is contacted.")
    return " ".join(parts)


def limits(study: Study) -> str:
    """Where this chapter fails."""
    if not is_planned(study):
        return "Without limits that can be kept there is no choice to doubt."
    facts = about(study)
    text = (
        "The choice is as good as the effects that it counts with. "
        + (
            "The assumed ones are the same for all customers, so that it mostly goes by who spends much and may not buy anyway. "
            if facts["assumed"]
            else ""
        )
        + "It looks one horizon ahead: what a contact does to the one after next, and how tired customers get of being written to, it does not know. "
        "It counts the margin on the usual purchase alone."
    )
    text += (
        f" Scores are known of {few(study, facts['scored'])} of those with an action at hand; of the others the mean is taken."
        if facts["scored"]
        else " Nobody with an action at hand is scored: who would buy anyway is not known."
    )
    if len(_looking_back(study)):
        text += (
            f" The log begins on {words.day(study.first_day)}: for customers who bought before it the first purchase that it knows is not their first, "
            "so that their time since the first purchase is not to be believed."
        )
    closed = health.closed_group(study)
    return f"{text}{actions_next.limits(study)} {limits_said(study)} {closed}".strip()


def _looking_back(study: Study) -> pd.DataFrame:
    """Rules that are applied and look at the first purchase."""
    rules: pd.DataFrame = study.actions()["rules"]
    return rules[(rules["customers"] > 0) & rules["when"].str.contains(FIRST)]


def _crowded(study: Study) -> list[str]:
    """Those of them that catch so many that the log's beginning must have been taken for the first purchase."""
    rules = _looking_back(study)
    return list(rules.loc[rules["met"] > CROWD * about(study)["customers"], "rule"])


def meeting(study: Study) -> str:
    """What to say in the meeting."""
    if not is_planned(study):
        return "Our limits contradict each other, so that nothing is chosen: raise the budget, or lower what each segment must have."
    if not has_chosen(study):
        return "There is nothing to do for our customers today that is expected to pay: leave them in peace."
    sums, facts = total(study), about(study)
    text = f"{_so_many(study, 'are contacted', 'would be contacted')} for {cash(study, sums['spent'])}"
    if facts["assumed"]:
        text += (
            f", in the hope of {cash(study, sums['value'])} after that cost; anything between {cash(study, sums['low'])} and {cash(study, sums['high'])} fits what is assumed, "
            "for nobody has measured the effect, and those held out are there to do so."
        )
    else:
        text += f", and {cash(study, sums['value'])} is expected after that cost ({error(study)} {ends(study, sums['low'], sums['high'])})."
    return f"{text} {_channels(study)}".strip()


def _channels(study: Study) -> str:
    """How many by each channel, where that tells of no small group."""
    by_channel = contacted(study).groupby("channel")["contacted"].sum()
    if len(by_channel) < 2 or secret_rules(study).any():
        return ""
    return f"That is {words.listed(f'{words.whole(number)} by {name}' for name, number in by_channel.items())}."
