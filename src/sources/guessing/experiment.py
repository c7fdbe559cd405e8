"""Whether a table is a randomised experiment, and which column is what; guessed from names, contents and order.

Nothing is guessed from which columns differ between arms: an outcome that was chosen because it differs would differ by
chance.
"""

from typing import NamedTuple

import pandas as pd

from ..values import FALSE, TRUE
from .evidence import by_name, one_each
from .experiment_words import NOTHING, is_untreated, said_of
from .guesses import SURE, Candidate, Guess, Guesses
from .profile import Profile, profile
from .roles import MARGIN, language_of
from .vocabulary import meaning

ROLES = ("customer", "arm", "outcomes", "history", "attributes")
"""Roles as they stand in the file."""
MOST_ARMS = 20
MOST_CLASSES = 50
"""Different values that a category may have."""
LEAST = 0.6
"""Score below which a column is no arm."""
ONCE = 0.99
"""Share of the rows that a customer may have alone, for one row to be one customer."""


class ExperimentGuess(NamedTuple):
    """What is known of an experiment.

    Attributes
    ----------
    guesses : of the columns, by the keys of `[experiment]`.
    control : values of the arm that mean a customer who was given nothing; none where that is unclear.
    money : outcomes that are money.
    unclear : columns that may be from before or from after.
    """

    guesses: Guesses
    control: tuple[str, ...]
    money: tuple[str, ...]
    unclear: tuple[str, ...]


def guess_experiment(sample: pd.DataFrame) -> ExperimentGuess | None:
    """What a table says of an experiment; None if it is none.

    It is one if it has a column of few values, one of them like a control group, every customer once, and something
    that came after.

    Parameters
    ----------
    sample : first rows, text or typed, columns named as in the source.
    """
    profiles = {str(name): profile(str(name), sample[name]) for name in sample.columns}
    meanings = {name: meaning(name) for name in profiles}
    known = Guesses(profiles, meanings, language_of(meanings))
    customer = _customer(known)
    arm = _arm(sample, known)
    if arm is None or customer is None:
        return None
    column = arm.candidates[0].column
    used = {column, *customer.chosen}
    judged = {name: _judged(name, column, known) for name in profiles if name not in used}
    roles = {"customer": customer, "arm": arm}
    for role in ("outcomes", "history", "attributes"):
        found = tuple(candidate for at, candidate in judged.values() if at == role)
        roles[role] = Guess(role, found, tuple(candidate.column for candidate in found))
    unclear = tuple(candidate for at, candidate in judged.values() if at == "unclear")
    if not roles["outcomes"].candidates:
        roles["outcomes"] = Guess("outcomes", unclear, ())
    if not roles["outcomes"].candidates:
        return None
    whole = Guesses(
        profiles, meanings, known.language, {role: guess for role, guess in roles.items() if guess.candidates}
    )
    money = tuple(name for name in roles["outcomes"].chosen if _is_money(profiles[name]))
    return ExperimentGuess(
        whole, _control(sample[column], column), money, tuple(candidate.column for candidate in unclear)
    )


def _customer(known: Guesses) -> Guess | None:
    """The customer's column, if there is one; None if customers come again, as in a purchase log."""
    found = []
    for name, column in known.profiles.items():
        named = by_name("customer", known.meanings[name], known.language)
        an_id = known.meanings[name].concepts == {"id"} or name.casefold() in ("id", "index")
        rows = int(column.values.count())
        if named.score < 0.7 and not (an_id and column.unique):
            continue
        if column.distinct < ONCE * rows:
            if named.score >= SURE and column.distinct > MOST_CLASSES:
                return None
            continue
        score, why = (named.score, named.why) if named.score >= 0.7 else (0.7, "name says number")
        found.append(Candidate(name, score, (why, f"{column.distinct:,} different values in {rows:,} rows")))
    found.sort(key=lambda candidate: -candidate.score)
    return Guess("customer", tuple(found), tuple(candidate.column for candidate in found[:1]))


def _arm(sample: pd.DataFrame, known: Guesses) -> Guess | None:
    """The column that says who was given what; not chosen where two columns say different things of it."""
    found = [candidate for name in known.profiles if (candidate := _as_arm(name, sample[name])) is not None]
    found.sort(key=lambda candidate: -candidate.score)
    if not found:
        return None
    best = found[0]
    rivals = [
        other
        for other in found[1:]
        if other.score > best.score - MARGIN and not _same_draw(sample[best.column], sample[other.column])
    ]
    return Guess("arm", tuple(found), () if rivals else (found[0].column,))


def _same_draw(one: pd.Series, two: pd.Series) -> bool:
    """Whether two columns say the same of who was given what, in other words."""
    first, second = _values(one), _values(two)
    held = [values.isin(_control(column, str(column.name))) for values, column in ((first, one), (second, two))]
    return bool((held[0] == held[1]).all()) and min(one_each(first, second), one_each(second, first)) == 1


def _values(column: pd.Series) -> pd.Series:
    """Values as text; `none` is one, which `Profile` takes for a gap."""
    text = column.astype("string").str.strip()
    return text.mask(text == "").str.replace(r"\.0+$", "", regex=True)


def _as_arm(name: str, column: pd.Series) -> Candidate | None:
    """A column as the one that says who was given what; None if it is not."""
    values = _values(column)
    counts = values.value_counts()
    if not 2 <= len(counts) <= MOST_ARMS or values.notna().mean() < 0.9:
        return None
    said = said_of(name)
    untreated = [value for value in counts.index if is_untreated(value)]
    decided = bool(said & {"assigned", "untreated"}) or (
        "group" in said and set(counts.index.str.casefold()) <= {*"abcd"}
    )
    score = (0.7 if untreated else 0.0) + (0.3 if decided else 0.2 if "group" in said else 0.0)
    if not untreated and decided:
        score = 0.75 if _control(column, name) else LEAST
    if score < LEAST or (not untreated and len(counts) > 2 and not decided):
        return None
    why = (
        "name says that it was decided" if decided else "name says group" if "group" in said else "by its contents only"
    )
    shown = ", ".join(f"{value} ({count:,})" for value, count in counts.head(4).items())
    return Candidate(name, round(score, 3), (why, f"{len(counts)} different values: {shown}"))


def _control(column: pd.Series, name: str) -> tuple[str, ...]:
    """What an arm's column says of customers who were given nothing; nothing if that is unclear."""
    values = sorted(map(str, _values(column).dropna().unique()))
    if untreated := [value for value in values if is_untreated(value)]:
        return tuple(untreated)
    # A column called `control` says 1 of those who were given nothing.
    turned = "untreated" in said_of(name) and "assigned" not in said_of(name)
    nothing = TRUE if turned else NOTHING
    return tuple(value for value in values if value.casefold() in nothing) if len(values) == 2 or not turned else ()


def _judged(name: str, arm: str, known: Guesses) -> tuple[str, Candidate]:
    """The role of a column beside arm and customer, `unclear` or `unused`, and the reasons."""
    column, said = known.profiles[name], said_of(name)
    if reason := _useless(column, known.profiles[arm]):
        return "unused", Candidate(name, 0.0, (reason,))
    yes_or_no = column.values.dropna().str.lower().isin((*TRUE, *FALSE)).all()
    if column.numbers is None and not yes_or_no:
        few = f"{column.distinct} different values"
        return ("unused" if "after" in said else "attributes"), Candidate(name, 0.7, (few,))
    order = list(known.profiles)
    # Where the arm stands among the first columns, its place says nothing.
    told = order.index(arm) >= 2
    later = order.index(name) > order.index(arm)
    role, score, why = _when(said, told, later)
    content = (
        f"{column.distinct:,} different values" if column.distinct > 2 else " and ".join(sorted(column.examples()))
    )
    return role, Candidate(name, score, (why, content))


def _when(said: frozenset[str], told: bool, later: bool) -> tuple[str, float, str]:
    """Whether a column is from before or from after, how sure that is, and why.

    Parameters
    ----------
    said : what its name says.
    told : whether the order of the columns says something.
    later : whether it stands behind the arm.
    """
    if "before" in said:
        return "history", 0.9, "name says before"
    if "after" in said:
        return "outcomes", 0.95, "name says after"
    if said & {"bought", "money"}:
        if told and not later:
            return "unclear", 0.4, "name says what customers do, but it stands before the arm"
        return "outcomes", 0.9 if told else 0.7, "name says what customers do"
    if not told:
        return "unclear", 0.3, "neither name nor place says whether it is from before or after"
    place = "behind" if later else "before"
    return "outcomes" if later else "history", 0.45 if later else 0.6, f"stands {place} the arm"


def _useless(column: Profile, arm: Profile) -> str:
    """Why a column says nothing; empty if it does."""
    if column.distinct < 2:
        return "the same in every row"
    if column.dated:
        return "dates"
    if column.personal:
        return "personal data"
    if column.unique and column.whole:
        return "different in every row"
    if column.numbers is None and column.distinct > MOST_CLASSES:
        return f"text with {column.distinct:,} different values"
    if (
        column.distinct == arm.distinct
        and min(one_each(column.values, arm.values), one_each(arm.values, column.values)) == 1
    ):
        return "says the same as the arm"
    return ""


def _is_money(column: Profile) -> bool:
    """Whether an outcome is money: it has many values, and its name or its fractions say so."""
    return column.distinct > 2 and ("money" in said_of(column.name) or not column.whole)
