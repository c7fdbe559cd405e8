"""Numbers in sentences: at most three significant digits, with their unit and their error, in the dataset's format.

Counts are whole: they are not estimates, and two pages that round one count differently look wrong.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date

import numpy as np
import pandas as pd

from .. import notation
from ..notation import write as noted

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "¥", "CHF": "CHF ", "BRL": "R$"}
NOTHING = "–"
NUMBER = re.compile(r"`[^`]*`|(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?!\w|[.,]\d)")
"""A number as code writes it, or a piece of code, in which nothing is one."""


def count(value: float) -> str:
    """A whole number.

    Examples
    --------
    >>> count(23570)
    '23,570'
    """
    return NOTHING if pd.isna(value) else noted(f"{round(value):,}")


def number(value: float) -> str:
    """Three significant digits.

    Examples
    --------
    >>> number(1234.5), number(0.12345), number(12.0)
    ('1,230', '0.123', '12')
    """
    if pd.isna(value):
        return NOTHING
    if value == 0:
        return "0"
    decimals = 2 - int(np.floor(np.log10(abs(value))))
    rounded = round(float(value), decimals)
    text = f"{rounded:,.{max(decimals, 0)}f}"
    return noted(text.rstrip("0").rstrip(".") if "." in text else text)


def exactly(value: float) -> str:
    """A number that somebody set, such as a threshold: it is a rule and no estimate.

    Examples
    --------
    >>> exactly(1234.5), exactly(500.0)
    ('1,234.5', '500')
    """
    return noted(f"{value:,.10g}")


def chance(p: float | None, digits: int = 2) -> str:
    """A p-value, which may be tiny.

    Examples
    --------
    >>> chance(0.0456), chance(0.0000123, 1)
    ('0.046', '1e-05')
    """
    return NOTHING if p is None else noted(f"{p:.{digits}g}")


def whole(value: float) -> str:
    """An estimated count: whole, and three significant digits.

    Examples
    --------
    >>> whole(46.4), whole(3186.2)
    ('46', '3,190')
    """
    return NOTHING if pd.isna(value) else number(round(value))


def percent(share: float) -> str:
    """A share of 1 as per cent.

    Examples
    --------
    >>> percent(0.13646), percent(0.0004), percent(-1.0)
    ('13.6 %', '0.04 %', '−100 %')
    """
    if pd.isna(share):
        return NOTHING
    value = 100 * share
    value = 0.0 if abs(value) < 0.005 else value
    decimals = 1 if abs(value) >= 1 or value == 0 else 2
    return noted(f"{value:.{decimals}f}".removesuffix(".0").replace("-", "−")) + " %"


def points(difference: float) -> str:
    """A difference of two shares in percentage points, without its sign.

    Examples
    --------
    >>> points(-0.0123)
    '1.2 points'
    """
    return noted(f"{abs(100 * difference):.1f}") + " points"


def step(now: float, before: float) -> float:
    """Difference of two shares as they are printed, so that a reader who subtracts finds the same.

    Examples
    --------
    >>> points(step(0.13646, 0.12861)), points(0.13646 - 0.12861)
    ('0.7 points', '0.8 points')
    """
    return round(now, 3) - round(before, 3)


def symbol(currency: str) -> str:
    """What stands before an amount.

    Examples
    --------
    >>> symbol("EUR"), symbol("PLN")
    ('€', 'PLN ')
    """
    return SYMBOLS.get(currency, currency + " ")


def money(value: float, currency: str) -> str:
    """An amount that is not to be paid.

    Examples
    --------
    >>> money(4596039.58, "USD"), money(360851, "EUR"), money(22.104, "GBP"), money(-5, "SEK")
    ('$4.6 million', '€361,000', '£22.10', '−SEK 5.00')
    """
    if pd.isna(value):
        return NOTHING
    sign = "−" if value < 0 else ""
    scale, unit = (
        (1e9, " billion") if abs(value) >= 999.5e6 else (1e6, " million") if abs(value) >= 999.5e3 else (1.0, "")
    )
    amount = noted(f"{abs(value):.2f}") if abs(value) < 100 else number(abs(value) / scale)
    return f"{sign}{symbol(currency)}{amount}{unit}"


def told(sentence: str) -> str:
    """The numbers in a sentence that was made with a result, and kept with it.

    Examples
    --------
    >>> with notation.of("1.234,5"):
    ...     told("1,234 lines, 5 of v1.2 and 3.0.2, are set aside (p = 0.05), see `top 1.5`.")
    '1.234 lines, 5 of v1.2 and 3.0.2, are set aside (p = 0,05), see `top 1.5`.'
    """
    return NUMBER.sub(lambda found: found[0] if found[0].startswith("`") else notation.write(found[0]), sentence)


def days(value: float) -> str:
    """A time span.

    Examples
    --------
    >>> days(1), days(28.4)
    ('1 day', '28 days')
    """
    if pd.isna(value):
        return NOTHING
    whole = round(value)
    return f"{count(value)} day{'' if whole == 1 else 's'}"


def between(low: float, high: float, write: Callable[[float], str]) -> str:
    """An interval, the unit written once where it follows the number.

    Examples
    --------
    >>> between(0.1, 0.2, percent)
    '10 to 20 %'
    """
    first, second = write(low), write(high)
    if first.endswith(" %") and second.endswith(" %"):
        first = first.removesuffix(" %")
    return f"{first} to {second}"


def day(value: date | str | pd.Timestamp) -> str:
    """A date as a person reads it.

    Examples
    --------
    >>> day("2018-01-01")
    '1 January 2018'
    """
    stamp = pd.Timestamp(value)
    return f"{stamp.day} {stamp:%B %Y}"


def one_line(text: str) -> str:
    r"""Text without line breaks and double blanks; the narrow space within a number stays.

    Examples
    --------
    >>> one_line(" a\n  b ")
    'a b'
    """
    return " ".join(part for part in re.split(r"[ \t\r\n]+", text) if part)


def listed(items: Iterable[str]) -> str:
    """A list in words.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *rest, last = list(items) or [NOTHING]
    return f"{', '.join(rest)} and {last}" if rest else last


def sampled(what: str, seen: int, everyone: int, whom: str = "customers") -> str:
    """What was computed on a sample, in a sentence; empty where everyone was looked at.

    Examples
    --------
    >>> sampled("Risks", 200_000, 3_214_000)
    'Risks are computed on a fixed random sample of 200,000 of 3,214,000 customers.'
    >>> sampled("Risks", 500, 500)
    ''
    """
    if seen >= everyone:
        return ""
    return f"{what} are computed on a fixed random sample of {count(seen)} of {count(everyone)} {whom}."


def moved(
    now: float, before: float, *, up: str = "up", down: str = "down", flat: str = "unchanged", least: float = 0.0
) -> str:
    """The word for a change, `flat` where it is no larger than `least`.

    Examples
    --------
    >>> moved(2, 1), moved(1, 2), moved(1, 1)
    ('up', 'down', 'unchanged')
    """
    return flat if abs(now - before) <= least else up if now > before else down


def titled(title: str, note: str) -> str:
    """A title with what must be known of the data, such as that they are simulated, in brackets behind it.

    Examples
    --------
    >>> titled("Points", "simulated programme"), titled("Points", "")
    ('Points (simulated programme)', 'Points')
    """
    return f"{title} ({note})" if note else title
