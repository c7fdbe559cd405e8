"""Chapter 7, the budget: what each would bring, what the last unit of it does, and what simpler ways would lose."""

import pandas as pd
from great_tables import GT

from ...programme.regret import AS_FAR, AT_RANDOM, BY_RISK, EVERYONE, NOBODY
from ...study import Study
from .. import tables, words
from .actions_numbers import about, cash, cells, ends, error, is_planned, note, short

INTERVAL = ("low", "high")
CALLED = {
    "this allocation": "This choice",
    EVERYONE: "Everyone, whatever it costs",
    AS_FAR: "Everyone, within limits",
    AT_RANDOM: "At random",
    BY_RISK: "Highest risk first",
    NOBODY: "Nobody",
}


# How much money is enough?


def has_curve(study: Study) -> bool:
    """Whether a budget can be asked about: something pays, for enough customers."""
    return is_planned(study) and len(curve(study)) > 1


def curve(study: Study) -> pd.DataFrame:
    """Value over budget, see `programme.value_curve.by_budget`; budgets that reach few customers are left out."""
    frame = study.actions()["curve"]
    if frame.empty:
        return frame
    return frame[frame["customers"] >= study.dataset.privacy.minimum_cell].reset_index(drop=True)


def read_curve(study: Study) -> str:
    """What the last unit of budget brings, and how soon the curve bends."""
    frame, facts = curve(study), about(study)
    budget, price, currency = facts["limits"]["budget"], facts["allocation"]["budget_price"], study.dataset.currency
    last = frame.iloc[-1]
    unit = f"{words.symbol(currency)}1"
    if budget is None:
        first = f"The dataset file sets no budget (`actions.budget`), so that all that pays is done, for {cash(study, last['cost'])}: {unit} more would bring nothing."
    elif price > 0:
        first = f"With a budget of {cash(study, budget)} the last {unit} brings {cash(study, price)} beyond itself: more money would pay, up to {cash(study, last['cost'])}."
    else:
        first = f"The budget of {cash(study, budget)} is not used up: {cash(study, last['cost'])} is all that pays, and {unit} more would bring nothing."
    return f"{first}{_channels(study)} {_bend(study, frame)} Counted with {error(study)}; of all chosen, before anyone is held out."


def _channels(study: Study) -> str:
    """What one more contact would bring by channels that can make only so many."""
    told = about(study)["allocation"]["channel_prices"]
    return "".join(f" One contact more by {name} would bring {cash(study, price)}." for name, price in told.items())


def _bend(study: Study, frame: pd.DataFrame) -> str:
    """What half the money would bring."""
    last = frame.iloc[-1]
    half = frame.iloc[(frame["budget"] - last["budget"] / 2).abs().idxmin()]
    return (
        f"With {cash(study, half['budget'])}, {words.percent(half['budget'] / last['budget'])} of that, {words.count(half['customers'])} customers would bring "
        f"{cash(study, half['value'])} ({ends(study, half['low'], half['high'])}), {words.percent(half['value'] / last['value'])} of all."
    )


# Beside simpler ways


def rivals(study: Study) -> pd.DataFrame:
    """What the choice and simpler ones would bring: index name; value, low, high."""
    frame = study.actions()["regret"]
    return frame.set_index(frame["rule"].map(CALLED))[["value", "low", "high"]].drop(CALLED[NOBODY], errors="ignore")


def regret(study: Study) -> GT:
    """The choice beside simpler ones, as a table."""
    frame, currency = study.actions()["regret"], study.dataset.currency
    minimum, ours = study.dataset.privacy.minimum_cell, frame["customers"].iloc[0]
    few = frame["customers"].between(1, minimum - 1) | (frame["customers"] - ours).abs().between(1, minimum - 1)
    told = frame.assign(
        rule=frame["rule"].map(CALLED),
        customers=cells(frame["customers"], few, minimum),
        lost=frame["regret"].where(frame["rule"] != "this allocation"),
    )
    # What so few cost tells how many they are.
    told[["cost", "low", "high"]] = told[["cost", "low", "high"]].mask(few)
    told[["value", "lost"]] = told[["value", "lost"]].mask(frame["customers"].between(1, minimum - 1))
    return tables.table(
        told,
        title=words.titled("This choice beside simpler ones", note(study)),
        columns={
            "rule": tables.text("Who gets an action"),
            "customers": tables.count("Customers"),
            "cost": tables.money("Cost", currency),
            "value": tables.money(f"Expected value ({short(study)})", currency, interval=INTERVAL),
            "lost": tables.money("Lost against this choice", currency),
        },
        notes="Everyone: all with an action at hand. Risk: of leaving, page 4. All ways are counted with the same effects and get the best action that fits; the last three keep to the limits. Of all chosen, before anyone is held out.",
    )


def read_regret(study: Study) -> str:
    """What is lost by contacting everyone, and by going by the risk of leaving alone."""
    frame = study.actions()["regret"].set_index("rule")["regret"]
    others = [(EVERYONE, "contacting everyone"), (BY_RISK, "going by the risk of leaving")]
    parts = [f"{cash(study, frame[rule])} more than {what}" for rule, what in others if rule in frame]
    same = frame.drop(["this allocation", NOBODY], errors="ignore").abs().max() < 0.005
    text = (
        "All ways come to the same here: what pays is cheap enough for all of them."
        if same
        else f"This choice is expected to bring {words.listed(parts)}."
    )
    missing = (
        ""
        if BY_RISK in frame
        else " Of nobody with an action at hand is the risk of leaving known, so that going by it cannot be compared."
    )
    doubt = (
        " The differences rest on the assumed effects as all else does: with no effect at all, whoever contacts fewest loses least."
        if about(study)["assumed"]
        else " The differences have the errors of the effects that they are counted with."
    )
    return f"{text}{missing}{_halved(study)}{doubt}"


def _halved(study: Study) -> str:
    """What the same ways would bring with half the money, where no budget makes a choice necessary."""
    frame = study.actions()["halved"]
    if frame.empty or frame["customers"].iloc[0] < study.dataset.privacy.minimum_cell:
        return ""
    worth = frame.set_index("rule")
    others = [(BY_RISK, "going by the risk of leaving"), (AT_RANDOM, "drawing at random")]
    told = words.listed(
        f"{what} {cash(study, worth.at[rule, 'value'])}" for rule, what in others if rule in worth.index
    )
    row = worth.loc["this allocation"]
    return (
        f" No budget makes a choice necessary; with half the money, {cash(study, row['cost'])}, this choice would bring {cash(study, row['value'])} "
        f"({ends(study, row['low'], row['high'])}), {told}."
    )
