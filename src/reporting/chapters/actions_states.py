"""Chapter 7, the states: where customers stand in their life with the retailer, who moved, and what to try there."""

import pandas as pd
from great_tables import GT

from ...models.metrics import wilson
from ...programme.moments import NOT_YET
from ...programme.states import STATES
from ...study import Study
from .. import tables, words
from .actions_numbers import about, capital, is_planned, move_counts, moves, states
from .effect_numbers import mark

__all__ = ["behaviours", "has_moves", "has_states", "meanings", "moves", "note", "read_moves", "read_states", "since"]

GOOD = ("new", "growing", "steady", "won back")
"""States of customers who are on time."""
WAY_DOWN = ("slipping", "lapsed", "lost")


def has_states(study: Study) -> bool:
    """Whether there are enough customers to tell where they stand."""
    return is_planned(study) and about(study)["customers"] >= study.dataset.privacy.minimum_cell


def meanings(study: Study) -> GT:
    """How many customers are in each state, and who that is, as a table."""
    frame = states(study).reset_index()
    frame["who"] = [capital(STATES[name].meaning) for name in frame["state"]]
    return tables.table(
        frame.assign(state=frame["state"].str.capitalize()),
        title=f"Where customers stand on {words.day(about(study)['known_until'])}",
        columns={
            "state": tables.text("State"),
            "customers": tables.count("Customers"),
            "share": tables.percent("Share"),
            "who": tables.text("Who"),
        },
        notes="Everyone who has bought. The usual gap is the customer's own, drawn towards that of the base while few purchases are seen. Counted, so without an interval.",
    )


def read_states(study: Study) -> str:
    """How many are on time, and how many on the way out."""
    frame, everyone = study.actions()["states"].set_index("state")["customers"], about(study)["customers"]
    caution = "States are told from purchases alone: why someone is silent they do not know."
    if states(study)["share"].isna().any():  # sums would give away what is hidden
        return f"{words.count(everyone)} customers have bought. {caution}"
    groups = {
        "are on time (new, growing, steady or won back)": frame[list(GOOD)].sum(),
        "are slipping, lapsed or lost": frame[list(WAY_DOWN)].sum(),
        "await their second purchase": frame["awaiting second purchase"],
    }
    told = [
        f"{words.count(number)} ({words.percent(number / everyone)}) {what}"
        for what, number in groups.items()
        if number
    ]
    return f"Of {words.count(everyone)} customers who have bought, {words.listed(told)}. {caution}"


def behaviours(study: Study) -> GT:
    """For each state the behaviour to change and what to try, a discount never first, as a table."""
    rows = [
        {"state": name.capitalize(), "change": capital(said.change), "first": capital(said.actions[0]), "then": capital("; ".join(said.actions[1:]))}
        for name, said in STATES.items()
    ]  # fmt: skip
    return tables.table(
        pd.DataFrame(rows),
        title="What to change in each state, and how",
        columns={
            "state": tables.text("State"),
            "change": tables.text("Behaviour to change"),
            "first": tables.text("Try first"),
            "then": tables.text("Then"),
        },
        notes="A craft's usual order, not a finding from these data: what each step changes, only a group held out by chance tells.",
    )


# Who moved


def note(study: Study) -> str:
    """What a figure of the states says of the data; empty where there is nothing to say."""
    return mark(study).removeprefix(", ")


def since(study: Study) -> str:
    """The earlier of the two dates, in words."""
    return words.day(about(study)["moved_from"])


def has_moves(study: Study) -> bool:
    """Whether enough customers were known at the earlier date."""
    if not has_states(study):
        return False
    counts = move_counts(study)
    return bool(counts.drop(index=NOT_YET, errors="ignore").to_numpy().sum() >= study.dataset.privacy.minimum_cell)


def read_moves(study: Study) -> str:
    """How many of those on time stayed so, how many of those away came back, and who is new."""
    counts, minimum = move_counts(study), study.dataset.privacy.minimum_cell
    known = counts.drop(index=NOT_YET, errors="ignore")
    on_time, away = known.loc[list(GOOD)], known.loc[list(WAY_DOWN)]
    asked = [
        (on_time[list(WAY_DOWN)], on_time, "of those who were on time are slipping, lapsed or lost now"),
        (away[list(GOOD)], away, "of those who were slipping, lapsed or lost are on time again"),
    ]
    told = [
        f"{_share(int(hit.to_numpy().sum()), int(of.to_numpy().sum()))} {what}"
        for hit, of, what in asked
        if minimum <= hit.to_numpy().sum() <= of.to_numpy().sum() - minimum
    ]
    text = f"From {since(study)} to {words.day(about(study)['known_until'])}: {words.listed(told)}." if told else (
        f"Too few customers moved between {since(study)} and {words.day(about(study)['known_until'])} to tell of."
    )  # fmt: skip
    return f"{text} Whoever is silent slips without doing anything; a move is no effect of an action."


def _share(hits: int, of: int) -> str:
    low, high = wilson(hits, of)
    return f"{words.percent(hits / of)} (90 % interval {words.between(low, high, words.percent)})"
