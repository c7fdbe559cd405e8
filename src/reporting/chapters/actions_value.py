"""Chapter 7, the choice: who gets what, what it costs and is expected to bring, and what that rests on."""

from typing import Any

import pandas as pd
from great_tables import GT

from ...programme.targeting import UNMEASURED
from ...study import Study
from .. import tables, words
from ..privacy import suppress
from .actions_numbers import (
    MONEY,
    about,
    cash,
    cells,
    contacted,
    ends,
    error,
    has_chosen,
    is_planned,
    note,
    secret_rules,
    short,
    total,
)

__all__ = [
    "by_action", "by_group", "evidence", "has_chosen", "has_evidence", "read_action", "read_evidence", "read_group",
]  # fmt: skip

INTERVAL = ("low", "high")
DRAWN = "randomised"
"""The design of what was measured on customers whom chance drew."""


# Who gets what


def by_action(study: Study) -> GT:
    """What is done by rule and channel, as a table."""
    frame, secret, currency = contacted(study), secret_rules(study), study.dataset.currency
    minimum = study.dataset.privacy.minimum_cell
    told = frame.assign(
        customers=cells(frame["customers"], secret, minimum),
        contacted=frame["contacted"].round().where(~secret),
        **{name: frame[name].where(~secret) for name in MONEY},
    ).reset_index()
    return tables.table(
        told.assign(rule=told["rule"].str.capitalize()),
        title=words.titled("Who gets what", note(study)),
        columns={
            "rule": tables.text("Action"),
            "channel": tables.text("Channel"),
            "customers": tables.count("Chosen"),
            "contacted": tables.count("Contacted"),
            "spent": tables.money("Cost", currency),
            "value": tables.money(f"Expected value ({short(study)})", currency, interval=INTERVAL),
        },
        notes="Contacted: chosen less the share that is held out by chance. Value: margin that the contacts add, less their cost and that of the rewards taken.",
    )


def read_action(study: Study) -> str:
    """The largest action, and the sums by channel."""
    sums, frame = total(study), contacted(study)
    secret = secret_rules(study)
    shown = frame[~secret]
    text = (
        f"{words.whole(sums['contacted'])} contacts cost {cash(study, sums['spent'])} and are expected to bring {cash(study, sums['value'])} after that cost "
        f"({ends(study, sums['low'], sums['high'])}: {error(study)})."
    )
    if len(shown) == 0:
        return text
    name = str(shown["value"].idxmax())
    row = shown.loc[name]
    return (
        f"{text} Most is expected of *{name}*, {words.whole(row['contacted'])} contacts by {row['channel']}: {cash(study, row['value'])} "
        f"({ends(study, row['low'], row['high'])}). Errors that all customers share do not cancel: the ends of an interval are summed as they are."
    )


def by_group(study: Study, by: str) -> GT:
    """What is done by segment or by state, as a table; of all chosen, those held out too."""
    frame = suppress(study.actions()[f"by_{by}"], "customers", study.dataset.privacy.minimum_cell)
    currency = study.dataset.currency
    told = frame.assign(**{by: frame[by].str.capitalize()})
    return tables.table(
        told,
        title=words.titled(f"Actions by {by}", note(study)),
        columns={
            by: tables.text(by.capitalize()),
            "customers": tables.count("Chosen"),
            "spent": tables.money("Cost", currency),
            "value": tables.money(f"Expected value ({short(study)})", currency, interval=INTERVAL),
        },
        notes="Of all who are chosen, as if none of them were held out.",
    )


def read_group(study: Study, by: str) -> str:
    """Where most is expected, of all and a customer."""
    frame = study.actions()[f"by_{by}"]
    shown = suppress(frame, "customers", study.dataset.privacy.minimum_cell).dropna(subset="value")
    if shown.empty:
        return f"What is done by {by} is not told, since it would tell of few customers."
    row = shown.loc[shown["value"].idxmax()]
    each = cash(study, row["value"] / row["customers"])
    return (
        f"Most is expected of *{row[by]}*: {cash(study, row['value'])} ({ends(study, row['low'], row['high'])}: {error(study)}) "
        f"from {words.count(row['customers'])} customers, {each} a customer."
    )


# What it rests on


def has_evidence(study: Study) -> bool:
    """Whether any action is at hand."""
    return is_planned(study) and len(study.actions()["evidence"]) > 0


def evidence(study: Study) -> GT:
    """What each value rests on, as a table: measured, or assumed."""
    frame = study.actions()["evidence"]
    frame = frame.assign(
        known=[_known(study, row) for row in frame.itertuples()],
        effect=[_effect(study, row) for row in frame.itertuples()],
        rule=frame["rule"].str.capitalize(),
    )
    return tables.table(
        frame,
        title="What the values rest on",
        columns={
            "rule": tables.text("Action"),
            "known": tables.text("Evidence"),
            "effect": tables.text("What a contact changes"),
        },
        notes="An assumed range counts with its middle, and for nobody with more than is left: who would buy anyway cannot be made to. "
        "The first hold-out puts a measured effect in its place.",
    )


def _known(study: Study, row: Any) -> str:
    if row.design == "assumed":
        return "assumed, not measured"
    if row.design != DRAWN:
        return f"estimated on chosen customers ({row.design})"
    own = ", for each customer" if row.rule in about(study)["single"] else ""
    return f"measured ({row.design}{own})"


def _effect(study: Study, row: Any) -> str:
    """An effect with its interval, in words: of an assumption what was said, of evidence the mean of the customers."""
    if row.design == "assumed":
        low, high = _assumed(study).loc[row.rule, ["low", "high"]]
        return _in_words(study, row.measure, f"{_scaled(row.measure, low)} to {_scaled(row.measure, high)}")
    if row.customers < study.dataset.privacy.minimum_cell:
        return "of too few customers to tell"
    middle, low, high = (_scaled(row.measure, value) for value in (row.effect, row.low, row.high))
    return _in_words(study, row.measure, f"{middle} (90 % interval {low} to {high})")


def _scaled(measure: str, value: float) -> str:
    return words.number(100 * value if measure == "buying" else value).replace("-", "−")


def _in_words(study: Study, measure: str, numbers: str) -> str:
    return (
        f"{numbers} {study.dataset.currency} a customer"
        if measure == "spend"
        else f"{numbers} more buyers in a hundred"
    )


def _unproved(study: Study) -> str:
    """Rules that name campaigns as evidence, of which none tells an effect."""
    names = about(study)["unproved"]
    if not names:
        return ""
    return f" The campaigns that {words.listed(f'*{name}*' for name in names)} {'names' if len(names) == 1 else 'name'} as evidence tell no effect: see page 5."


def _assumed(study: Study) -> pd.DataFrame:
    """The ranges that are assumed for rules that count with one: index rule; measure, low, high."""
    frame = study.actions()["evidence"]
    frame = frame[frame["design"] == "assumed"].set_index("rule")[["measure"]]
    said = study.actions()["rules"].set_index("rule")
    low, high = (said[f"assumed_{end}"].reindex(frame.index) for end in ("low", "high"))
    return frame.assign(low=low.fillna(UNMEASURED.low), high=high.fillna(UNMEASURED.high))


def read_evidence(study: Study) -> str:
    """How much of what is counted with was measured."""
    return f"{_how_known(study)}{_unproved(study)}"


def _how_known(study: Study) -> str:
    frame = study.actions()["evidence"]
    assumed = list(frame.loc[frame["design"] == "assumed", "rule"].unique())
    chosen = list(frame.loc[~frame["design"].isin(["assumed", DRAWN]), "rule"].unique())
    measured = list(frame.loc[frame["design"] != "assumed", "rule"].unique())
    if not assumed and not chosen:
        return "Every effect was measured in earlier campaigns with a control group."
    if chosen:
        rest = " Of all others it is assumed." if assumed else ""
        return f"Of {words.listed(f'*{name}*' for name in chosen)} the effect was estimated on customers who were chosen, not drawn: it rests on the assumptions of page 5.{rest}"
    which = (
        "no effect has been measured" if not measured else f"measured: {words.listed(f'*{name}*' for name in measured)}"
    )
    spans = _assumed(study)[lambda table: table["measure"] == "buying"]
    told = (
        f" The assumed ranges reach from {words.number(100 * spans['low'].min())} to {words.number(100 * spans['high'].max())} customers in a hundred who buy and would not have."
        if len(spans)
        else ""
    )
    if not measured:
        return f"Of none of these actions has the effect been measured: all values are assumptions with a price on them.{told} Whoever does not believe the range should not believe the value; a range of your own goes into the dataset file (`assumed`)."
    return f"The effect was {which}; of all others it is assumed.{told}"
