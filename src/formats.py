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
