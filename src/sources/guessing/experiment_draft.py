"""The dataset file of a randomised experiment, written from what was guessed, with the reasons as comments."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from ...schema import ExperimentTable, Table
from .draft import MOST_CANDIDATES, MOST_UNUSED, place_of, plain, reasons, source_lines, toml
from .experiment import ROLES, ExperimentGuess
from .guesses import Guess, Guesses
from .rhythm import ASSUMED_MARGIN

REQUIRED = ("arm", "outcomes")
SEVERAL = ("outcomes", "history", "attributes")


class ExperimentDraft(NamedTuple):
    """All that goes into the dataset file of an experiment.

    Attributes
    ----------
    title : of the reports.
    path : what the person called the source.
    table : where the rows are and how they are written.
    guess : of the columns.
    sizes : rows by arm, the largest first; of the likeliest arm where that is undecided.
    """

    title: str
    path: str
    table: Table
    guess: ExperimentGuess
    sizes: pd.Series

    @property
    def guesses(self) -> Guesses:
        """What is known of the columns."""
        return self.guess.guesses

    @property
    def undecided(self) -> list[str]:
        """Keys of `[experiment]` that a person has to decide before the file can be used."""
        keys = [role for role in REQUIRED if self.guesses.roles[role].undecided]
        return keys + ([] if self.guess.control else ["control"])


def table_of(table: Table, guess: ExperimentGuess) -> ExperimentTable:
    """The section of the dataset file; where something is undecided, its best candidate."""
    roles = guess.guesses.roles
    arm, outcomes = roles["arm"].candidates[0].column, roles["outcomes"]
    known = {role: roles[role].chosen for role in ("history", "attributes") if role in roles}
    came_after = outcomes.chosen or (outcomes.candidates[0].column,)
    return ExperimentTable.model_validate(
        {**table.model_dump(), **known, "arm": arm, "outcomes": came_after, "money": guess.money}
    )


def written(draft: ExperimentDraft) -> str:
    """The text of the dataset file."""
    place = place_of(draft.guesses)
    lines = [
        f"# Written by `loyalty init`; {plain(draft.path)} holds {draft.sizes.sum():,} rows: a randomised experiment.",
        "# Behind each column: how sure the guess is, and what speaks for it. Lines with `check` are worth a look.",
        "# A column from after the experiment that stands under `history` or `attributes` spoils the result.",
        f"title = {toml(draft.title)}",
        f"currency = {toml(place.currency)}  # {place.currency_from}",
        f"timezone = {toml(place.timezone)}  # {place.timezone_from}",
        "",
        "[experiment]",
        *source_lines(draft.table),
        *(line for role in ROLES for line in _role(role, draft)),
        *_unused(draft),
        *_template(draft),
        "",
        "[study]",
        f"margin = {ASSUMED_MARGIN}  # assumed: share of spend left after the cost of goods; check",
        "",
    ]
    return "\n".join(lines)


def _role(role: str, draft: ExperimentDraft) -> Iterable[str]:
    """The lines of one role: taken, or its candidates as comments."""
    guess = draft.guesses.roles.get(role)
    if guess is None:
        return
    if not guess.chosen:
        yield from _open_question(role, guess)
    elif role in SEVERAL:
        told = {candidate.column: candidate for candidate in guess.candidates}
        yield f"{role} = ["
        yield from (f"    {toml(name)},  # {reasons(told[name])}" for name in guess.chosen)
        yield "]"
    else:
        yield f"{role} = {toml(guess.chosen[0])}  # {reasons(guess.candidates[0])}"
    if role == "arm":
        yield from _control(draft)
    if role == "outcomes" and draft.guess.money:
        yield f"money = {toml(draft.guess.money)}  # outcomes in the currency"


def _open_question(role: str, guess: Guess) -> Iterable[str]:
    listed = role in SEVERAL
    yield f"# {role}: {'which are from after the experiment?' if listed else 'which one is it?'} Take away one `# `:"
    for candidate in guess.candidates[:MOST_CANDIDATES]:
        column = toml([candidate.column] if listed else candidate.column)
        yield f"# {role} = {column}  # {reasons(candidate)}"


def _control(draft: ExperimentDraft) -> Iterable[str]:
    arms = plain(", ".join(f"{arm} ({rows:,})" for arm, rows in draft.sizes.items()))
    if draft.guess.control:
        yield f"control = {toml(draft.guess.control)}  # who was given nothing; found {arms}"
        return
    yield f"# control: who was given nothing? Found {arms}. Take away one `# `:"
    yield from (f"# control = {toml([str(arm)])}" for arm in draft.sizes.index[:MOST_CANDIDATES])


def _unused(draft: ExperimentDraft) -> Iterable[str]:
    """The columns that no role has."""
    roles = draft.guesses.roles
    if draft.guess.unclear and roles["outcomes"].chosen:
        yield f"# left out, from before or from after? {plain(', '.join(draft.guess.unclear[:MOST_UNUSED]))}"
    shown = {name for guess in roles.values() for name in guess.chosen} | set(draft.guess.unclear)
    shown |= {candidate.column for candidate in roles["arm"].candidates}
    free = [name for name in draft.guesses.profiles if name not in shown]
    if free:
        more = f" and {len(free) - MOST_UNUSED} more" if len(free) > MOST_UNUSED else ""
        yield f"# not used: {plain(', '.join(free[:MOST_UNUSED]))}{more}"


def _template(draft: ExperimentDraft) -> Iterable[str]:
    """What the data cannot say."""
    arms = [str(arm) for arm in draft.sizes.index]
    shares = ", ".join(f"{toml(arm)} = {1 / len(arms):.3f}" for arm in arms)
    costs = ", ".join(f"{toml(arm)} = 0.10" for arm in arms if arm not in draft.guess.control)
    yield f"# planned = {{ {shares} }}  # shares as they were to be drawn: the report checks that they were"
    yield f"# cost = {{ {costs} }}  # of one contact; without it a report stops at the margin"
