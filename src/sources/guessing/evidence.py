"""What speaks for and against a column in a role: its name, and what it holds."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...formats import NAMED
from .profile import Profile
from .vocabulary import Meaning
from .words import LANGUAGES
from .writing import ENOUGH

REQUIRED = ("customer", "time", "amount")
SINGLE = ("time", "customer", "order", "amount", "product", "category", "store", "channel", "currency")
"""Roles that one column has."""
SEVERAL = ("discount", "coupon")
"""Roles that may have several."""

SPOILT = 0.1
"""What is left of a score when a word says something else, as in `customer_city`."""
UNKNOWN_WORD = 0.85

Rules = tuple[tuple[str, float], ...]

# The first whose concepts are all in a name gives its score.
_RULES: dict[str, Rules] = {
    "customer": (
        ("customer personal", 0.35), ("customer label", 0.4), ("customer id", 1.0), ("customer", 0.85),
        ("person personal", 0.3), ("person label", 0.35), ("person id", 0.85), ("person", 0.7), ("personal", 0.32),
    ),
    "time": (
        ("date paid", 0.78), ("date purchase", 1.0), ("date order", 1.0), ("date entered", 0.9), ("date", 0.85),
        ("entered", 0.6), ("purchase", 0.5),
    ),
    "order": (("order id", 1.0), ("purchase id", 0.9), ("order", 0.8)),
    "amount": (
        ("amount paid", 1.0), ("amount net", 0.97), ("paid price", 0.95), ("amount sub", 0.7),
        ("amount", 0.85), ("paid", 0.75),
        ("net", 0.7), ("price", 0.6), ("gross", 0.5), ("unit", 0.5), ("purchase", 0.35),
    ),
    "discount": (("discount", 0.95), ("coupon amount", 0.9), ("coupon", 0.7)),
    "coupon": (("coupon", 0.95),),
    "product": (("product id", 1.0), ("product label", 0.65), ("product", 0.85), ("description", 0.55)),
    "category": (("category sub", 0.75), ("category", 0.95)),
    "store": (("store id", 1.0), ("store label", 0.8), ("store", 0.85)),
    "channel": (("channel", 0.95),),
    "currency": (("currency", 0.95),),
}  # fmt: skip

_SPOILERS: dict[str, str] = {
    "customer": "date amount paid price quantity order product category store channel staff attribute discount rate "
    "cost line other_event currency unit tax coupon",
    "time": "other_event personal staff product coupon discount rate amount",
    "order": "date amount paid price quantity line attribute customer product discount tax cost other_event staff "
    "currency channel store rate label personal",
    "amount": "cost discount coupon quantity rate id date customer attribute currency other_event",
    "discount": "rate id label date attribute description category customer other_event line",
    "coupon": "rate id label date attribute description category customer other_event line",
    "product": "category amount paid price quantity discount date cost unit tax customer staff attribute rate order "
    "store line",
    "category": "customer person personal amount paid price quantity date store staff channel attribute rate order",
    "store": "attribute amount paid price date category customer channel quantity order discount product staff "
    "personal",
    "channel": "date price customer attribute",
    "currency": "",
}


class Hint(NamedTuple):
    """A score between 0 and 1, and the reason in words."""

    score: float
    why: str = ""


def by_name(role: str, said: Meaning, language: str) -> Hint:
    """How well a name fits a role.

    Examples
    --------
    >>> from .vocabulary import meaning
    >>> by_name("customer", meaning("Kundennummer"), "de")
    Hint(score=1.0, why='name says customer (German "kunden")')
    >>> by_name("customer", meaning("customer_city"), "en").score < 0.1
    True
    """
    concepts = said.concepts
    found = next(((needs.split(), score) for needs, score in _RULES[role] if concepts.issuperset(needs.split())), None)
    if found is None:
        bare_money = role == "amount" and said.money is not None and not concepts
        return Hint(0.6, f"name is a currency, {said.money}") if bare_money else Hint(0.0)
    needs, score = found
    spoilers = concepts & set(_SPOILERS[role].split())
    if role == "amount":
        score *= (0.85 if "gross" in concepts else 1.0) * (0.4 if "unit" in concepts else 1.0)
        spoilers |= {"tax"} & concepts if not concepts & {"net", "gross"} else set()
    score *= (SPOILT if spoilers else 1.0) * max(0.6, UNKNOWN_WORD**said.unknown)
    return Hint(score, f"name says {role} ({_words(needs[:1], said, language)})")


def _words(concepts: Iterable[str], said: Meaning, language: str) -> str:
    """The words of a name that stand for some concepts, each with its language."""
    shown = []
    for concept in concepts:
        spoken = said.languages[concept]
        shown.append(f'{LANGUAGES[language if language in spoken else spoken[0]]} "{said.words[concept]}"')
    return ", ".join(shown)


def by_content(role: str, column: Profile) -> Hint:
    """What is left of a name's score once the column's values are seen: a factor."""
    if not column.filled:
        return Hint(0.0, "empty")
    return _FACTORS[role](column)


def from_content(role: str, column: Profile) -> float:
    """A score for a column whose name says nothing."""
    if role == "time":
        return 0.45 if column.dated else 0.0
    if role == "order":
        numbered = column.values.dropna().str.fullmatch(r"#\s?[\w-]*\d")
        return 0.7 if len(numbered) and numbered.mean() >= ENOUGH else 0.0
    if role == "amount":
        return 0.0 if column.numbers is None or (column.unique and column.whole) else 0.25 if column.whole else 0.42
    if role == "customer":
        repeated = 20 <= column.distinct <= 0.7 * column.values.count()
        return 0.35 if repeated and not column.dated and not _fractions(column) else 0.0
    return 0.0


def _fractions(column: Profile) -> bool:
    return column.numbers is not None and not column.whole


def _customer(column: Profile) -> Hint:
    rows = int(column.values.count())
    count = f"{column.distinct:,} different values in {rows:,} rows"
    if column.filled < 0.999:
        count += f", {1 - column.filled:.1%} of the lines without"
    if column.distinct == 1:
        return Hint(0.0, "the same on every line")
    if _fractions(column) or column.dated:
        return Hint(0.05, "holds fractions or dates")
    if column.unique and rows > 50:
        return Hint(0.2, f"{count}: no one comes twice")
    if column.distinct <= 10 and rows > 1000:
        return Hint(0.3, count)
    if column.personal:
        return Hint(0.9, f"{count}; personal data")
    return Hint(1.0, count)


def _time(column: Profile) -> Hint:
    if column.times is None:
        return Hint(0.0, "no dates")
    reading = column.times
    if reading.obstacle:
        return Hint(0.5, reading.obstacle)
    days = reading.times.dt.date
    share = "all read as dates" if reading.share == 1 else f"{reading.share:.1%} read as dates"
    if days.nunique() < 2:
        return Hint(0.3, "a single day")
    if reading.counted:
        share = f"{NAMED[str(reading.formats[0])]}, {share}"
    return Hint(1.0, f"{share}, {days.min()} to {days.max()}")


def _order(column: Profile) -> Hint:
    rows = int(column.values.count())
    if _fractions(column) or column.dated:
        return Hint(0.05, "holds fractions or dates")
    if column.distinct * 200 < rows:
        return Hint(0.2, f"only {column.distinct:,} different values in {rows:,} rows")
    if column.unique:
        return Hint(1.0, "different on every line: a line is a receipt")
    return Hint(1.0, f"{rows / column.distinct:.1f} lines each")


def _amount(column: Profile) -> Hint:
    if column.numbers is None:
        return Hint(0.0, "no numbers")
    numbers = column.numbers.dropna()
    if (numbers == 0).all():
        return Hint(0.1, "always zero")
    if column.unique and column.whole and len(numbers) > 50:
        return Hint(0.2, "whole numbers, each only once")
    negative = float((numbers < 0).mean())
    returns = f", {negative:.1%} below zero" if negative else ""
    return Hint(1.0, f"{'whole numbers' if column.whole else 'decimals'}, median {numbers.median():,.2f}{returns}")


def _money_off(column: Profile) -> Hint:
    if column.numbers is None:
        return Hint(0.0, "no numbers")
    size = column.numbers.dropna().abs()
    if (size.max() <= 1 and (size % 1 > 0).any()) or "%" in column.name:
        return Hint(0.1, "shares, not money")
    return Hint(1.0, f"above zero on {float((size > 0).mean()):.0%} of the lines")


def _things(column: Profile) -> Hint:
    if column.dated:
        return Hint(0.05, "holds dates")
    return Hint(0.3 if _fractions(column) else 1.0, _different(column))


def _different(column: Profile) -> str:
    return "the same on every line" if column.distinct == 1 else f"{column.distinct:,} different values"


def _few(most: int) -> Callable[[Profile], Hint]:
    def judge(column: Profile) -> Hint:
        few = column.distinct <= most and not column.unique
        return Hint(_things(column).score if few else 0.2, _different(column))

    return judge


def _currency(column: Profile) -> Hint:
    codes = column.values.dropna().str.fullmatch("[A-Z]{3}")
    if float(codes.mean()) < ENOUGH:
        return Hint(0.0, "no codes such as EUR")
    return Hint(1.0, ", ".join(column.examples()))


_FACTORS: dict[str, Callable[[Profile], Hint]] = {
    "customer": _customer, "time": _time, "order": _order, "amount": _amount, "discount": _money_off,
    "coupon": _money_off, "product": _things, "category": _few(1000), "store": _few(20_000), "channel": _few(40),
    "currency": _currency,
}  # fmt: skip


def one_each(of: pd.Series, to: pd.Series) -> float:
    """Share of the values of one column that come with a single value of another; 1 if there is none.

    Examples
    --------
    >>> one_each(pd.Series(["a", "a", "b"]), pd.Series([1, 2, 3]))
    0.5
    """
    pairs = pd.DataFrame({"of": of.to_numpy(), "to": to.to_numpy()}).dropna().drop_duplicates()
    counts = pairs["of"].value_counts()
    return float((counts == 1).mean()) if len(counts) else 1.0


def same_on_every_line(amount: pd.Series, order: pd.Series) -> bool:
    """Whether a number belongs to the whole order and is repeated on each of its lines."""
    frame = pd.DataFrame({"order": order.to_numpy(), "amount": amount.to_numpy()}).dropna()
    lines = frame.groupby("order")["amount"].agg(["size", "nunique"])
    several = lines[lines["size"] > 1]
    return len(several) >= 20 and float((several["nunique"] == 1).mean()) > 0.95


def once_an_order(amount: pd.Series, order: pd.Series) -> bool:
    """Whether a number stands on one line of each order, and is left blank on its others."""
    frame = pd.DataFrame({"order": order.to_numpy(), "there": amount.notna().to_numpy()}).dropna()
    lines = frame.groupby("order")["there"].agg(["size", "sum"])
    several = lines[lines["size"] > 1]
    return len(several) >= 5 and float((several["sum"] == 1).mean()) > 0.95


def is_product(total: pd.Series, price: pd.Series, quantity: pd.Series) -> bool:
    """Whether a number is price times quantity, up to rounding, on lines of more than one piece."""
    frame = pd.DataFrame({"total": total, "price": price, "quantity": quantity}, dtype="float64").dropna()
    frame = frame[(frame["quantity"] != 1) & (frame["price"] != 0)]
    if len(frame) < 5:
        return False
    near = np.isclose(frame["total"], frame["price"] * frame["quantity"], rtol=0.005, atol=0.02)
    return float(near.mean()) > 0.9
