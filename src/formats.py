"""How a dataset file may write the shape of a time."""

import re

DIRECTIVES = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "m": r"\d{1,2}",
    "d": r"\d{1,2}",
    "H": r"\d{1,2}",
    "M": r"\d{1,2}",
    "S": r"\d{1,2}",
}
"""Parts of a `time_format` that are understood, with what each matches."""


def unknown_directives(time_format: str) -> list[str]:
    """Parts of a time format that cannot be read.

    Examples
    --------
    >>> unknown_directives("%d. %B %Y")
    ['%B']
    """
    return [f"%{name}" for name in re.findall("%(.)", time_format) if name not in {*DIRECTIVES, "%"}]


def missing_directives(time_format: str) -> list[str]:
    """Parts without which a time format names no day.

    Examples
    --------
    >>> missing_directives("dd.MM.yyyy"), missing_directives("%d.%m.%y")
    (['%Y', '%m', '%d'], [])
    """
    there = re.findall("%(.)", time_format)
    year = [] if "y" in there else ["Y"]
    return [f"%{name}" for name in [*year, "m", "d"] if name not in there]
