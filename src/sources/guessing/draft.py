"""A dataset file, written from what was guessed, with the reasons as comments."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ...formats import NAMED
from ...schema import Contract, StudySettings, Table
from .evidence import REQUIRED, SEVERAL
from .guesses import Candidate, Guesses
from .profile import Profile
from .rhythm import TYPICAL, Rhythm
from .template import TEMPLATE
from .vocabulary import money_in
from .words import LANGUAGES

ORDER = (
    "customer", "time", "order", "amount", "currency", "discount", "coupon", "product", "category", "store", "channel",
)  # fmt: skip
"""Roles as they stand in the file."""
MOST_CANDIDATES = 8
MOST_UNUSED = 40

_CURRENCIES = {"en": "USD", "zh": "CNY", "de": "EUR", "fr": "EUR", "es": "EUR", "pt": "BRL"}
_ZONES = {
    "USD": "America/New_York", "CNY": "Asia/Shanghai", "BRL": "America/Sao_Paulo", "GBP": "Europe/London",
    "CHF": "Europe/Zurich", "MXN": "America/Mexico_City", "JPY": "Asia/Tokyo", "CAD": "America/Toronto",
}  # fmt: skip
_EURO_ZONES = {
    "en": "Europe/Dublin", "de": "Europe/Berlin", "fr": "Europe/Paris", "es": "Europe/Madrid", "pt": "Europe/Lisbon",
}  # fmt: skip


class Place(NamedTuple):
    """Currency and time zone, each with how they were found."""

    currency: str
    currency_from: str
    timezone: str
    timezone_from: str


class Draft(NamedTuple):
    """All that goes into a dataset file.

    Attributes
    ----------
    title : of the reports.
    path : what the person called the source.
    table : where the rows are and how they are written.
    guesses : of the columns.
    time_formats : two where day and month could change places; none where the reader needs none.
    measured : what the log holds.
    study : settings.
    """

    title: str
    path: str
    table: Table
    guesses: Guesses
    time_formats: tuple[str, ...]
    measured: Rhythm
    study: StudySettings

    @property
    def once(self) -> bool:
        """Whether the amount that is taken stands on one line of each order only."""
        amount = self.guesses.roles["amount"]
        return any(told.once for told in amount.candidates if told.column in amount.chosen)

    @property
    def undecided(self) -> list[str]:
        """Keys of `[transactions]` that a person has to decide before the file can be used."""
        roles = self.guesses.roles
        required = [role for role in REQUIRED if roles[role].undecided]
        if self.once and "order" in roles and roles["order"].undecided:
            required.append("order")
        return required + (["time_format"] if len(self.time_formats) > 1 else [])


def written(draft: Draft) -> str:
    """The text of the dataset file."""
    place = place_of(draft.guesses)
    lines = [
        f"# Written by `loyalty init`; {plain(draft.path)} holds {draft.measured.lines:,} rows.",
        "# Behind each column: how sure the guess is, and what speaks for it. Lines with `check` are worth a look.",
        f"title = {toml(draft.title)}",
        f"currency = {toml(place.currency)}  # {place.currency_from}",
        f"timezone = {toml(place.timezone)}  # {place.timezone_from}",
        "",
        "[transactions]",
        *source_lines(draft.table),
        *(line for role in ORDER for line in _role(role, draft)),
        *_unused(draft.guesses),
        "",
        "[study]",
        *_study(draft.study, draft.measured),
        "",
        TEMPLATE,
    ]
    return "\n".join(lines)


def toml(value: object) -> str:
    r"""A value as TOML writes it.

    Examples
    --------
    >>> print(toml('a "b"'), toml(["x", "y"]), toml(3))
    "a \"b\"" ["x", "y"] 3
    """
    if isinstance(value, str):
        # The strings of JSON are those of TOML, but for the sign that deletes.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return str(value)


def plain(text: str) -> str:
    r"""Text as it may stand in a comment or on a terminal: without line ends and control signs.

    Examples
    --------
    >>> print(plain('two\nlines and a "quote"'))
    two\nlines and a "quote"
    """
    return toml(text)[1:-1].replace('\\"', '"')


def place_of(guesses: Guesses) -> Place:
    """Currency and time zone of a log, as far as they can be told."""
    currency, currency_from = _currency(guesses)
    zones = _EURO_ZONES if currency == "EUR" else {}
    zone = zones.get(guesses.language) or _ZONES.get(currency, "Europe/Berlin")
    return Place(currency, currency_from, zone, "of the store; guessed from language and currency: check")


def _currency(guesses: Guesses) -> tuple[str, str]:
    role = guesses.roles.get("currency")
    if role is not None and role.chosen:
        counts = Counter(guesses.profiles[role.chosen[0]].values.dropna())
        others = f", of {len(counts)} in it: lines in the others are set aside" if len(counts) > 1 else ""
        return counts.most_common(1)[0][0], f"the most common in {plain(role.chosen[0])}{others}"
    amount = guesses.column("amount")
    for column in filter(None, (amount, *guesses.meanings)):
        if money := guesses.meanings[column].money:
            return money, f"named in {plain(column)}: check"
    if amount is not None and (money := money_in(" ".join(guesses.profiles[amount].examples(5)))):
        return money, f"the sign in {plain(amount)}: check"
    language = guesses.language
    return _CURRENCIES[language], f"guessed from {LANGUAGES[language]} names: check"


def source_lines(table: Table) -> Iterable[str]:
    """Where the rows are, and what was found out about them."""
    said = table.model_dump(include=set(Table.model_fields), exclude_defaults=True)
    return [f"{key} = {toml(value)}" for key, value in said.items()]


def _role(role: str, draft: Draft) -> Iterable[str]:
    """The lines of one role: taken, or its candidates as comments."""
    guess = draft.guesses.roles.get(role)
    if guess is None:
        return
    told = {candidate.column: candidate for candidate in guess.candidates}
    if guess.chosen:
        several = role in SEVERAL
        column = toml(guess.chosen if several else guess.chosen[0])
        yield f"{role} = {column}  # {'; '.join(reasons(told[name]) for name in guess.chosen)}"
    else:
        why = "which one is it? Take away one `# `:" if role in REQUIRED else "left out, unclear:"
        yield f"# {role}: {why}"
        for candidate in guess.candidates[:MOST_CANDIDATES]:
            yield f"# {role} = {toml(candidate.column)}  # {reasons(candidate)}"
    if role == "time":
        yield from _time_format(draft)
    if role == "amount" and guess.chosen and (pieces := told[guess.chosen[0]].times):
        yield f"quantity = {toml(pieces)}  # {plain(guess.chosen[0])} is multiplied by it"
    if role == "amount" and draft.once:
        yield "total_on_first_line = true  # the other lines of an order leave it blank: they are worth 0"


def _time_format(draft: Draft) -> Iterable[str]:
    if len(draft.time_formats) == 1:
        counts = NAMED.get(draft.time_formats[0])
        yield f"time_format = {toml(draft.time_formats[0])}" + (f"  # {counts}" if counts else "")
    elif draft.time_formats:
        yield "# time_format: every day is below 13, so day and month could change places. Take away one `# `:"
        yield from (f"# time_format = {toml(way)}" for way in draft.time_formats)


def reasons(candidate: Candidate) -> str:
    """How sure a guess is, and what speaks for and against it, as a comment."""
    doubt = f"; but {candidate.doubt}" if candidate.doubt else ""
    check = ": check" if candidate.confidence == "low" else ""
    return plain(f"{candidate.confidence}{check}: {'; '.join(candidate.evidence)}{doubt}")


def _unused(guesses: Guesses) -> Iterable[str]:
    """The columns that no role has."""
    used = {column for guess in guesses.roles.values() for column in guess.chosen}
    used |= {
        told.times
        for guess in guesses.roles.values()
        for told in guess.candidates
        if told.column in used and told.times
    }
    free = [column for column in guesses.profiles if column not in used]
    if free:
        more = f" and {len(free) - MOST_UNUSED} more" if len(free) > MOST_UNUSED else ""
        yield f"# not used: {plain(', '.join(free[:MOST_UNUSED]))}{more}"


def _study(study: StudySettings, measured: Rhythm) -> Iterable[str]:
    span = f"{measured.first} to {measured.last}, {measured.days:,} days"
    gap = (
        f"{TYPICAL:.0%} of customers' next purchases come within {measured.gap_days:.0f} days"
        if measured.gap_days is not None
        else "no one comes twice"
    )
    few = f"; {too_few(measured)}" if too_few(measured) else ""
    return (
        f"# {measured.customers:,} customers{few}; {span}; {gap}",
        f"horizon_days = {study.horizon_days}  # length of the period that is predicted",
        f"active_within_days = {study.active_within_days}  # a customer is active who bought within these days",
        f'churn = {toml(study.churn)}  # what leaving means; or "partial defection", or "contract end"',
        f"origins = {study.origins}  # past dates, one horizon apart, that the churn model learns from",
        f"margin = {study.margin}  # assumed: share of spend left after the cost of goods; check",
        f"annual_discount_rate = {study.annual_discount_rate}",
    )


def too_few(measured: Rhythm) -> str:
    """Why no score will be given; empty if one will."""
    needed = Contract().minimum_customers
    return f"a score needs {needed:,} customers, found {measured.customers:,}" if measured.customers < needed else ""


def masked(examples: Iterable[str]) -> list[str]:
    """Examples as shapes, so that no customer is shown: letters become x, digits become 9.

    Examples
    --------
    >>> masked(["K-00817", "anna@shop.eu"])
    ['x-99999', 'xxxx@xxxx.xx']
    """
    shapes = ("".join("9" if sign.isdigit() else "x" if sign.isalpha() else sign for sign in text) for text in examples)
    return list(dict.fromkeys(shapes))


def shown_examples(role: str, column: Profile) -> list[str]:
    """A few values of a column, masked where they are customers."""
    examples = [plain(value) for value in column.examples()]
    return masked(examples) if role == "customer" or column.personal else examples
