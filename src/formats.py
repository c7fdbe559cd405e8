"""How a dataset file may write the shape of a time."""

import re

MONTHS = (
    "january jan januar jänner jän januari janvier janv enero ene janeiro",
    "february feb februar feber février fevrier févr fevr fév fev febrero fevereiro",
    "march mar märz maerz mär mrz mars marzo março marco",
    "april apr avril avr abril abr",
    "may mai mayo maio",
    "june jun juni juin junio junho",
    "july jul juli juillet juil julio julho",
    "august aug août aout agosto ago",
    "september sep sept septembre septiembre setiembre setembro set",
    "october oct oktober okt octobre octubre outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre decembre déc diciembre dic dezembro",
)
"""Names of each month, in small letters: English, German, French, Spanish, Portuguese. None stands for two months."""

_DIGITS = r"\d{1,2}"
_WORD = r"\p{L}+"
DIRECTIVES = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "m": _DIGITS,
    "b": _WORD,
    "B": _WORD,
    "d": _DIGITS,
    "a": _WORD,
    "A": _WORD,
    "H": _DIGITS,
    "I": _DIGITS,
    "M": _DIGITS,
    "S": _DIGITS,
    "p": r"[AaPp]\.? ?[Mm]",
}
"""Parts of a `time_format` that are understood, with what each matches.

`%b` and `%B` both are a name of `MONTHS`, short or in full; `%a` and `%A` a weekday, which is not looked at; `%p` is AM
or PM. A full stop after a word belongs to it.
"""
WORDS = frozenset("bBaAp")
"""Those that are written in letters."""

NAMED = {
    "unix": "seconds since 1970 in UTC",
    "unix_ms": "milliseconds since 1970 in UTC",
    "excel": "days since 1899-12-30 in the store's own clock, as Excel counts them",
}
"""What a `time_format` may say instead, where a time is a number."""


def unknown_directives(time_format: str) -> list[str]:
    """Parts of a time format that cannot be read.

    Examples
    --------
    >>> unknown_directives("%d. %B %Y %Z")
    ['%Z']
    """
    return [f"%{name}" for name in re.findall("%(.)", time_format) if name not in {*DIRECTIVES, "%"}]


def missing_directives(time_format: str) -> list[str]:
    """Parts without which a time format names no day, or no hour of a clock of twelve.

    Examples
    --------
    >>> missing_directives("dd.MM.yyyy"), missing_directives("%d %b %y"), missing_directives("%d.%m.%y %I:%M")
    (['%Y', '%m', '%d'], [], ['%p'])
    """
    there = set(re.findall("%(.)", time_format))
    needed = [("Y", {"Y", "y"}), ("m", {"m", "b", "B"}), ("d", {"d"})]
    needed += [("p", {"p"})] if "I" in there else []
    needed += [("I", {"I"})] if "p" in there else []
    return [f"%{name}" for name, ways in needed if not ways & there]
