"""Chapter 5, continued: who responds to campaigns, and members beside others."""

from dataclasses import replace
from typing import Literal

import pandas as pd
from great_tables import GT

from ...programme.effect import Effect
from ...programme.responders import Responders, Response
from ...study import Study
from .. import tables, words
from . import response_curves
from .effect_numbers import accounts, amount, because, cash, cash_between, cell, sized, tellable
from .response_curves import Spoken

OUTCOMES = {
    "repurchased": "Bought on two days or more",
    "churned": "Bought nothing",
    "spend": "Spend",
    "value": "Margin (value)",
}


# Who responds?


def _response(study: Study) -> Response | None:
    said = study.effects()["responders"]
    return None if said is None else Response.from_dict(said["response"])


def _responders(study: Study) -> Responders:
    response = _response(study)
    assert response is not None  # noqa: S101
    return response.arms[0]


def knows_responders(study: Study | None) -> bool:
    """Whether effects of single customers were looked for, among enough of them."""
    if study is None or (found := _response(study)) is None:
        return False
    return sum(found.arms[0].customers) / 10 >= study.dataset.privacy.minimum_cell


def tenths(study: Study) -> pd.DataFrame:
    """Predicted and realised effects by tenths of the prediction."""
    return response_curves.tenths(_responders(study), study.dataset.privacy.minimum_cell)


def label(study: Study) -> str:
    """What is measured there, as an axis names it."""
    return f"spend, {study.dataset.currency} a customer"


def read_responders(study: Study) -> str:
    """Whether customers differ in what they gain."""
    if not knows_responders(study):
        return "Who responds cannot be told: that takes a campaign that is over, with at least 200 customers held out by chance."
    found, campaign = _responders(study), study.effects()["responders"]["campaign"]
    if not found.differ.shown:
        return (
            f"Nothing shows that customers differ in what campaign {campaign} changed for them: those for whom more was predicted gained no more beyond chance "
            f"(p = {words.chance(found.differ.p_value)}). Whom to send it to may as well be drawn."
        )
    fifths = found.differ.fifths
    return (
        f"Customers differ in what campaign {campaign} changed for them (p = {words.chance(found.differ.p_value, 1)}): the fifth predicted to gain most gained {cash(fifths.estimate, study)} more than the fifth "
        f"predicted to gain least (90 % interval {cash_between(fifths, study)})."
    )


def curves(study: Study, kind: Literal["qini", "uplift"]) -> dict[str, pd.DataFrame]:
    """What sending it to the best adds: share, gain, low, high, random."""
    found = replace(_responders(study), arm=f"campaign {study.effects()['responders']['campaign']}")
    return response_curves.curves([found], kind, study.dataset.privacy.minimum_cell)


def read_qini(study: Study) -> str:
    """The Qini curve in words."""
    return response_curves.read_qini(_responders(study), _spoken(study))


def read_uplift(study: Study) -> str:
    """The uplift curve in words."""
    return response_curves.read_uplift(_responders(study), _spoken(study))


def _spoken(study: Study) -> Spoken:
    return Spoken(
        "Sending it", lambda value: f"{cash(value, study)} a customer", lambda found: cash_between(found, study)
    )


def budget(study: Study) -> pd.DataFrame:
    """What sending it to the best so many earns: share, gain, low, high, random."""
    response = _response(study)
    assert response is not None  # noqa: S101
    return response_curves.budget(response.policy, response.overlap.kept, study.dataset.privacy.minimum_cell)


def profit_label(study: Study) -> str:
    """What a budget is counted in, as an axis names it."""
    return f"profit, {study.dataset.currency} a customer of all"


def read_budget(study: Study) -> str:
    """Whom to send it to, and what that is worth."""
    response = _response(study)
    assert response is not None  # noqa: S101
    told = response_curves.read_budget(response.policy, study.dataset.currency)
    campaign = f"Campaign {study.effects()['responders']['campaign']}"
    known = any(each.what == campaign and each.costs.contact is not None for each in accounts(study))
    return told if known else f"{told} What a contact costs is not known, and counts as nothing."


# Members and others


def _members(study: Study) -> dict[str, Effect] | None:
    said = study.effects()["members"]["effects"]
    return None if said is None else {name: Effect.from_dict(each) for name, each in said.items()}


def has_members(study: Study | None) -> bool:
    """Whether it is known who joined when, of enough customers."""
    if study is None or not (found := _members(study)):
        return False
    return any(tellable(study, effect) for effect in found.values())


def members(study: Study) -> GT:
    """What joining changed, beside how those who joined and others differ as they are."""
    currency, rows = study.dataset.currency, []
    for name, effect in (_members(study) or {}).items():
        shown = tellable(study, effect)
        rows.append(
            {
                "outcome": OUTCOMES[name],
                "found": cell(effect, effect.found, currency) if shown else "not identified",
                "raw": amount(effect, effect.raw.estimate, currency) if shown and effect.raw else words.NOTHING,
            }
        )
    return tables.table(
        pd.DataFrame(rows),
        title=f"What joining the programme changed in {words.days(study.horizon_days)}",
        columns={
            "outcome": tables.text("Measured"),
            "found": tables.text("Effect of joining (90 %)"),
            "raw": tables.text("No effect: raw difference"),
        },
        notes=["Those who joined against customers who bought alike before and had not joined; observational."],
    )


def read_members(study: Study) -> str:
    """What joining changed, in words, or what is missing to say so."""
    found = _members(study)
    if found is None:
        return "What membership changes cannot be told: that takes the day on which each customer joined (`customers.joined`)."
    spend = found["spend"]
    stand = _standing(study)
    if not tellable(study, spend):
        return f"What joining changed in spend is not identified, because {because(spend.refusals)}. {stand}".strip()
    currency = study.dataset.currency
    verdict = "" if spend.clear else ", no more than chance makes"
    raw = (
        f" As they are the two differ by {amount(spend, spend.raw.estimate, currency)} (no effect: better customers join)."
        if spend.raw
        else ""
    )
    return f"Joining changed spend by {sized(spend, currency)}{verdict}.{raw} {_placebo(spend)}{stand}".strip()


def _placebo(effect: Effect) -> str:
    return "".join(f"{words.told(test.reading)} " for test in effect.placebos)


def _standing(study: Study) -> str:
    """How members and others stand, which is no effect."""
    rows = {bool(row["member"]): row for row in study.effects()["members"]["standing"]}
    minimum = study.dataset.privacy.minimum_cell
    if len(rows) < 2 or min(row["customers"] for row in rows.values()) < minimum:
        return ""
    return (
        f"No effect, but how they stand: {words.percent(rows[True]['churned'])} of {words.count(rows[True]['customers'])} members and {words.percent(rows[False]['churned'])} of "
        f"{words.count(rows[False]['customers'])} others bought nothing in the last {words.days(study.horizon_days)}."
    )
