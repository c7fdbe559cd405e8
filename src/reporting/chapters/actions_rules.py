"""Chapter 7, the rules: what may be done, how many each rule catches, and what stops it."""

from typing import Any

from great_tables import GT

from ...actions import NO_RULE
from ...study import Study
from .. import tables, words
from .actions_numbers import FATES, about, cash, chosen, fates, few_between, is_planned, secret_reasons

__all__ = ["caught", "has_rules", "limits_said", "read_caught", "read_rules", "rules"]


def has_rules(study: Study) -> bool:
    """Whether any rule can be applied."""
    return is_planned(study) and len(study.actions()["rules"]) > 0


def rules(study: Study) -> GT:
    """What each rule says, the highest priority first, as a table."""
    frame, currency = study.actions()["rules"], study.dataset.currency
    columns: dict[str, tables.Column | str] = {
        "rule": tables.text("Rule"),
        "when": tables.text("For whom"),
        "channel": tables.text("Channel"),
        "offer": tables.text("Offer"),
        "cost": tables.money("A contact costs", currency),
    }
    if frame[["reward", "reward_share"]].any(axis=None):
        columns["used"] = tables.text("When used it costs")
    return tables.table(
        frame.assign(used=[_reward(study, row) for row in frame.itertuples()], rule=frame["rule"].str.capitalize()),
        title="The rules, the highest priority first",
        columns=columns,
        notes="docs/rules.md says what the columns in a condition mean, and how rules are written.",
    )


def _reward(study: Study, row: Any) -> str:
    """What the offer costs when it is used."""
    if row.reward:
        return cash(study, row.reward)
    return f"{words.percent(row.reward_share)} of the purchase" if row.reward_share else words.NOTHING


def read_rules(study: Study) -> str:
    """Whose rules they are, and which are left out and why."""
    facts, left = about(study), study.actions()["left_out"]
    text = (
        f"{study.dataset.title} names no rules (`[[actions.rules]]` in the dataset file): these are default ones, whose costs and effects are assumed."
        if facts["default_rules"]
        else "These are the rules of the dataset file."
    )
    text += " No rule gives money away." if not (study.actions()["rules"]["kind"] == "discount").any() else ""
    told = "\n".join(f"- Left out: *{row.rule}*, because {words.told(row.reason)}." for row in left.itertuples())
    return f"{text}\n\n{told}" if told else text


# What they catch, and what stops them


def caught(study: Study) -> GT:
    """Customers whom each rule catches, and what becomes of them, as a table."""
    frame = fates(study)
    kept = [name for name in FATES if name == "customers" or any(value != 0 for value in frame[name])]
    columns: dict[str, tables.Column | str] = {"rule": tables.text("Rule"), "met": tables.count("Caught")}
    columns |= {name: tables.count(FATES[name]) for name in kept}
    notes = [
        "Each customer caught is in one column behind. *Another action*: worth more there, or of equal worth and higher priority. "
        "*Not worth it*: no action brings that customer more than it costs, or the limits keep it for others.",
        _never(study, kept),
    ]
    told = frame.rename_axis("rule").reset_index()
    return tables.table(
        told.assign(rule=told["rule"].str.capitalize()),
        title="What each rule catches, and what becomes of those customers",
        columns=columns,
        notes=notes,
    )


def _never(study: Study, kept: list[str]) -> str:
    """Which reasons stopped nobody."""
    absent = [FATES[name].lower() for name in FATES if name not in kept]
    return f"Nobody was stopped by: {', '.join(absent)}." if absent else ""


def read_caught(study: Study) -> str:
    """How many customers a rule catches at all, and how many of them can be reached."""
    facts, left = about(study), study.actions()["passed"].set_index("stage")["customers"]
    minimum, everyone = study.dataset.privacy.minimum_cell, facts["customers"]
    caught_by, reached = int(left["rules"]), int(left["consent"])
    if caught_by < minimum:
        first = f"Fewer than {minimum} of {words.count(everyone)} customers meet the condition of a rule."
    elif secret_reasons(study).get(NO_RULE, False) or any(
        few_between(study, *pair) for pair in ((everyone, caught_by), (caught_by, chosen(study)))
    ):
        first = f"Of {words.count(everyone)} customers some meet the condition of a rule."
    else:
        first = (
            f"{words.count(caught_by)} of {words.count(everyone)} customers meet the condition of at least one rule."
        )
    if caught_by == reached:
        second = "Cool-downs, contacts of late and consent stop none of them."
    elif caught_by - reached < minimum or few_between(study, reached, chosen(study)):
        second = "Cool-downs, contacts of late and consent stop some of them."
    else:
        second = f"Cool-downs, contacts of late and consent stop {words.count(caught_by - reached)} of them."
    return f"{first} {second} {limits_said(study)}"


def limits_said(study: Study) -> str:
    """What is known of consent and contacts, and what is taken where it is not."""
    facts = about(study)
    limits = facts["limits"]
    contacts = (
        f"Who had {limits['most_contacts']} contact{'s' if limits['most_contacts'] > 1 else ''} in the last {words.days(limits['period_days'])} is left in peace."
        if facts["contacts"]
        else "Who was contacted lately is not recorded (`[contacts]`), so that no cool-down could stop anyone."
    )
    consent = (
        f"Consent is asked for *{limits['purpose']}*."
        if facts["consent"]
        else "**Consent is not recorded** (`[consent]`): nobody is left out for want of it, so that it must be checked before anything is sent."
    )
    return f"{contacts} {consent}"
