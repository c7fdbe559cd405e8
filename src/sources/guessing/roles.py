"""Which column of a purchase log is what: guessed from names and contents, with the evidence in words."""

import re
from collections import Counter
from dataclasses import replace

import pandas as pd

from ...errors import DataError
from .evidence import (
    REQUIRED,
    SEVERAL,
    SINGLE,
    Hint,
    by_content,
    by_name,
    from_content,
    is_product,
    once_an_order,
    one_each,
    same_on_every_line,
)
from .guesses import Candidate, Guess, Guesses
from .profile import Profile, profile
from .vocabulary import Meaning, meaning

MARGIN = 0.1
"""Scores nearer than this decide nothing."""
LEAST = dict.fromkeys(REQUIRED, 0.24)
"""Score below which a column is no candidate for a role that a log must have."""
LEAST_OPTIONAL = 0.5
_A_DATE = r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}"


def guess_roles(sample: pd.DataFrame, where: str) -> Guesses:
    """Guess the roles of a purchase log's columns.

    Parameters
    ----------
    sample : first rows, text or typed, columns named as in the source.
    where : how to name the source in an error.

    Raises
    ------
    DataError
        If there are no rows, no heading, or no column that could be the customer, the time or the amount.
    """
    _check_table(sample, where)
    profiles = {name: profile(name, sample[name]) for name in sample.columns}
    meanings = {name: meaning(name) for name in sample.columns}
    known = Guesses(profiles, meanings, language_of(meanings))
    candidates = {role: _candidates(role, known) for role in (*SINGLE, *SEVERAL)}
    candidates["amount"] = _compared(candidates["amount"], candidates, known)
    candidates["customer"] = _who_come_again(candidates["customer"], candidates, known)
    candidates["order"] = _of_one_customer(candidates["order"], candidates, known)
    taken = _assigned(candidates)
    roles = {role: _settled(role, candidates[role], taken, known) for role in SINGLE}
    roles |= {role: _several(role, candidates[role], taken, known) for role in SEVERAL}
    missing = [role for role in REQUIRED if not roles[role].candidates]
    if missing:
        raise DataError(
            f"{where}: no column looks like the {' or the '.join(missing)} of a purchase; expected a purchase log with "
            f"a customer, a time and an amount on every line, found {_listed(list(sample.columns))}"
        )
    if (customer := roles["customer"]).chosen:
        roles["customer"] = _with_days(customer, taken, known)
    return replace(known, roles={role: guess for role, guess in roles.items() if guess.candidates})


def _check_table(sample: pd.DataFrame, where: str) -> None:
    """Refuse what is no table with a heading and rows."""
    names = [str(name) for name in sample.columns]
    if not len(sample):
        raise DataError(f"{where}: there are no rows below the heading; expected a purchase log")
    if len(names) < len(REQUIRED):
        raise DataError(
            f"{where}: {len(names)} column ({_listed(names)}); expected at least a customer, a time and an amount; "
            "is it a text file with an unusual delimiter?"
        )
    dates = [name for name in names if re.match(_A_DATE, name)]
    numbers = [name for name in names if re.fullmatch(r"[-+]?[\d.,]+", name)]
    if dates or len(numbers) * 2 > len(names):
        raise DataError(
            f"{where}: the first row looks like data ({_listed(names)}); expected a heading with the columns' names: "
            "put one above it"
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(repr(name) for name in names[:8]) + more


def language_of(meanings: dict[str, Meaning]) -> str:
    """The language that knows most of the names; English where none knows more."""
    counts = Counter(
        language for said in meanings.values() for spoken in said.languages.values() for language in spoken
    )
    return max(("en", "zh", "de", "fr", "es", "pt"), key=lambda language: counts[language])


def _candidates(role: str, known: Guesses) -> list[Candidate]:
    """Columns that may have a role, the best first."""
    found = []
    for column in known.profiles:
        named = by_name(role, known.meanings[column], known.language)
        # Of a column that is called "Name" its values may still say that they are numbers of orders.
        if known.meanings[column].concepts <= ({"label", "id"} if role == "order" else set()):
            named = max(named, Hint(from_content(role, known.profiles[column]), "by its contents only"))
        if named.score < LEAST.get(role, LEAST_OPTIONAL):
            continue
        seen = by_content(role, known.profiles[column])
        if (score := named.score * seen.score) >= LEAST.get(role, LEAST_OPTIONAL):
            doubt = _obstacle(role, known.profiles[column])
            found.append(Candidate(column, round(score, 3), (named.why, seen.why), doubt))
    return sorted(found, key=lambda candidate: -candidate.score)


def _obstacle(role: str, column: Profile) -> str:
    """Why a column cannot be read as it is."""
    reading = {"time": column.times, "amount": column.reading}.get(role)
    return "" if reading is None else reading.obstacle


def _best(candidates: list[Candidate]) -> str | None:
    return candidates[0].column if candidates else None


def _compared(amounts: list[Candidate], others: dict[str, list[Candidate]], known: Guesses) -> list[Candidate]:
    """Amounts, once compared with the orders, the pieces and each other."""
    order = _best(others["order"])
    pieces = _quantity(known)
    judged = []
    for candidate in amounts:
        numbers = known.profiles[candidate.column].numbers
        said = known.meanings[candidate.column].concepts
        assert numbers is not None  # noqa: S101
        if order is not None and once_an_order(numbers, known.profiles[order].values):
            told = f"on one line of each {order}, blank on its others"
            candidate = replace(candidate, evidence=(*candidate.evidence, told), once=True)
        elif order is not None and same_on_every_line(numbers, known.profiles[order].values):
            doubt = f"it is the same on every line of an {order}: adding it up would count it several times"
            candidate = replace(candidate, doubt=doubt)
        elif pieces is not None and said & {"price", "unit"} and not said & {"amount", "paid"}:
            said_of_it = f"the price of one piece, and {pieces} says how many"
            more = (*candidate.evidence, said_of_it)
            # A total that the log holds itself comes first.
            candidate = replace(candidate, score=candidate.score - MARGIN, evidence=more, times=pieces)
        elif pieces is not None and (price := _price_of(candidate.column, pieces, known)):
            more = (*candidate.evidence, f"is {price} × {pieces}")
            candidate = replace(candidate, score=min(1.0, candidate.score + MARGIN), evidence=more)
        judged.append(candidate)
    return sorted(judged, key=lambda candidate: (bool(candidate.doubt), -candidate.score))


def _quantity(known: Guesses) -> str | None:
    """The column that says how many pieces a line has, if not always one."""
    for column, said in known.meanings.items():
        numbers = known.profiles[column].numbers
        if "quantity" in said.concepts and numbers is not None and (numbers.dropna() != 1).any():
            return column
    return None


def _price_of(total: str, pieces: str, known: Guesses) -> str | None:
    """The column that gives a total when multiplied by the pieces."""
    numbers, quantity = known.profiles[total].numbers, known.profiles[pieces].numbers
    for column, said in known.meanings.items():
        price = known.profiles[column].numbers
        if price is None or numbers is None or quantity is None or column == total:
            continue
        if said.concepts & {"price", "unit"} and is_product(numbers, price, quantity):
            return column
    return None


def _who_come_again(customers: list[Candidate], others: dict[str, list[Candidate]], known: Guesses) -> list[Candidate]:
    """Customers, those last who are new with every order: some shops number them so."""
    order = _best(others["order"])
    if order is None or len(customers) < 2:
        return customers
    orders = known.profiles[order].values
    judged = []
    for candidate in customers:
        if one_each(known.profiles[candidate.column].values, orders) > 0.99:
            told = (*candidate.evidence, f"each with one {order} only")
            candidate = replace(candidate, score=candidate.score * 0.3, evidence=told)
        judged.append(candidate)
    return sorted(judged, key=lambda candidate: -candidate.score)


def _of_one_customer(orders: list[Candidate], others: dict[str, list[Candidate]], known: Guesses) -> list[Candidate]:
    """Orders, once it is known whether each is of one customer."""
    customer = _best(others["customer"])
    if customer is None:
        return orders
    judged = []
    for candidate in orders:
        share = one_each(known.profiles[candidate.column].values, known.profiles[customer].values)
        if share < 0.9:
            continue
        told = "each of one customer" if share == 1 else f"{share:.1%} of them of one customer"
        judged.append(replace(candidate, evidence=(*candidate.evidence, told)))
    return judged


def _assigned(candidates: dict[str, list[Candidate]]) -> dict[str, Candidate]:
    """Each role's best column, no column twice: the clearest cases first."""
    taken: dict[str, Candidate] = {}
    ranked = [(candidate, role) for role in SINGLE for candidate in candidates[role]]
    for candidate, role in sorted(ranked, key=lambda pair: (bool(pair[0].doubt), -pair[0].score)):
        if role not in taken and candidate.column not in {other.column for other in taken.values()}:
            taken[role] = candidate
    return taken


def _settled(role: str, candidates: list[Candidate], taken: dict[str, Candidate], known: Guesses) -> Guess:
    """The role with the columns that no other role has, and the best of them if it is clear."""
    best = taken.get(role)
    if best is None:
        return Guess(role, (), ())
    elsewhere = {other.column for at, other in taken.items() if at != role}
    free = [candidate for candidate in candidates if candidate.column not in elsewhere and candidate != best]
    rivals = [
        other
        for other in free
        if other.score > best.score + (MARGIN if other.doubt else -MARGIN) and not _the_same(role, best, other, known)
    ]
    ordered = (best, *free)
    return Guess(role, ordered, () if rivals or best.doubt else (best.column,))


def _the_same(role: str, best: Candidate, other: Candidate, known: Guesses) -> bool:
    """Whether it makes no difference which of two columns is taken."""
    one, two = known.profiles[best.column], known.profiles[other.column]
    if role == "time":
        return bool((one.days() == two.days()).mean() > 0.995)
    if role == "amount":
        return one.numbers is not None and two.numbers is not None and bool((one.numbers == two.numbers).all())
    return one.filled >= two.filled and min(one_each(one.values, two.values), one_each(two.values, one.values)) > 0.995


def _several(role: str, candidates: list[Candidate], taken: dict[str, Candidate], known: Guesses) -> Guess:
    """All columns of a role that may have several, without the one that is the sum of the others."""
    used = {candidate.column for candidate in taken.values()}
    free = [candidate for candidate in candidates if candidate.column not in used]
    money = {candidate.column: known.profiles[candidate.column].numbers for candidate in free}
    sizes = {column: numbers.abs().fillna(0) for column, numbers in money.items() if numbers is not None}
    for column, total in sizes.items():
        rest = [other for name, other in sizes.items() if name != column]
        if rest and _adds_up(total, sum(rest[1:], rest[0])):
            free = [candidate for candidate in free if candidate.column != column]
            break
    return Guess(role, tuple(free), tuple(candidate.column for candidate in free))


def _adds_up(total: pd.Series, parts: pd.Series) -> bool:
    """Whether money off is the sum of other money off, on lines that have any."""
    off = (total > 0) | (parts > 0)
    return int(off.sum()) >= 5 and bool(((total - parts)[off].abs() < 0.01).mean() > 0.99)


def _with_days(customer: Guess, taken: dict[str, Candidate], known: Guesses) -> Guess:
    """The customer, with how often one comes."""
    best, *others = customer.candidates
    days = known.profiles[taken["time"].column].days()
    pairs = pd.DataFrame({"customer": known.profiles[best.column].values, "day": days}).dropna().drop_duplicates()
    seen = len(pairs) / max(1, pairs["customer"].nunique())
    told = replace(best, evidence=(*best.evidence, f"each seen on {seen:.1f} days on average"))
    return customer._replace(candidates=(told, *others))
