"""How numbers are written as text: found out from the values of a column."""

import re
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from ..numerals import CURRENCY
from .words import MONEY

ENOUGH = 0.8
"""Share of values that must be of a kind for the column to be of it: files hold dirt."""
MOST_READ = 5000
"""Different values that formats are tried on."""

_LETTERS = rf"R\$|元|\b(?:{'|'.join(MONEY)})\b"
_AROUND = rf"{_LETTERS}|[{re.escape(CURRENCY)}]"
"""What may stand around the digits of a price. `text.number` reads the signs, not the letters."""


class NumberStyle(NamedTuple):
    """Signs inside the numbers of a text file, as the dataset file calls them."""

    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = None


class NumberReading(NamedTuple):
    """The numbers of a column.

    Attributes
    ----------
    values : float64, null where a value is no number.
    style : how they are written, if as text.
    obstacle : why this package cannot read the column as it is; empty if it can.
    """

    values: pd.Series
    style: NumberStyle
    obstacle: str = ""


STYLES = (
    NumberStyle(), NumberStyle(","), NumberStyle(".", ","), NumberStyle(",", "."), NumberStyle(",", " "),
    NumberStyle(".", " "), NumberStyle(".", "'"),
)  # fmt: skip


def read_numbers(values: pd.Series) -> NumberReading | None:
    """Find out how numbers are written.

    Parameters
    ----------
    values : text or typed, null where missing.

    Returns
    -------
    None unless `ENOUGH` of the values are numbers.

    Examples
    --------
    >>> read = read_numbers(pd.Series(["1.234,50", "7,99", "-3"], dtype="string"))
    >>> read.values.tolist(), read.style
    ([1234.5, 7.99, -3.0], NumberStyle(decimal=',', thousands='.'))
    """
    if not pd.api.types.is_string_dtype(values):
        return _typed_numbers(values)
    filled = values.dropna()
    if not len(filled) or filled.head(MOST_READ).str.contains(r"^\D{0,5}\d").mean() < ENOUGH:
        return None
    bare = filled.str.replace(_AROUND, "", regex=True).str.strip()
    bare = bare.str.replace(r"^(?:\((.*)\)|(.*)-)$", lambda match: f"-{match[1] or match[2]}", regex=True)
    style = _style(bare)
    if style is None:
        return None
    plain = bare.where(bare.str.fullmatch(_pattern(style)))
    plain = plain.str.replace(_sign(style.thousands), "", regex=True) if style.thousands else plain
    numbers = pd.to_numeric(plain.str.replace(style.decimal, ".", regex=False), errors="coerce")
    lettered = filled[filled.str.contains(_LETTERS)]
    obstacle = f"its numbers carry letters ({lettered.iloc[0]}): write digits only" if len(lettered) else ""
    return NumberReading(numbers.astype("float64").reindex(values.index), style, obstacle)


def _typed_numbers(values: pd.Series) -> NumberReading | None:
    """Numbers of a typed source."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values) or not values.notna().any():
        return None
    return NumberReading(values.astype("float64").replace([np.inf, -np.inf], np.nan), NumberStyle())


def _style(bare: pd.Series) -> NumberStyle | None:
    """The style in which most of some texts are numbers; None if too few are in any."""
    known = pd.Series(bare.unique(), dtype="string")
    known = known.iloc[:: max(1, len(known) // MOST_READ)]
    shares = {style: float(known.str.fullmatch(_pattern(style)).mean()) for style in STYLES}
    best = max(shares.values())
    return _likeliest([style for style, share in shares.items() if share == best], known) if best >= ENOUGH else None


def _sign(thousands: str) -> str:
    return {" ": "[ \u00a0\u2009\u202f]", "'": "['’]"}.get(thousands, re.escape(thousands))


def _pattern(style: NumberStyle) -> str:
    decimal = re.escape(style.decimal)
    if style.thousands is None:
        return rf"[-+−]?(?:\d+(?:{decimal}\d*)?|{decimal}\d+)"
    return rf"[-+−]?(?:[1-9]\d{{0,2}}(?:{_sign(style.thousands)}\d{{3}})+|\d+)(?:{decimal}\d*)?"


def _likeliest(styles: list[NumberStyle], texts: pd.Series) -> NumberStyle:
    """Of styles that read the same values, the one that is meant: money has seldom three decimals."""
    for style in styles:
        if style.thousands in (",", ".") and texts.str.contains(style.thousands, regex=False).any():
            return style
    return styles[0]
