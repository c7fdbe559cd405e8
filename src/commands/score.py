"""What `loyalty score` prints."""

import json
import os
from collections.abc import Mapping
from typing import Any

from ..errors import SettingsError
from ..models.explain import MOST


def explained(asked: str | None) -> int | None:
    """How many customers' reasons are told; None for everyone.

    Raises
    ------
    SettingsError
        If it is neither a number nor `all`.

    Examples
    --------
    >>> explained("all"), explained("250"), explained(None)
    (None, 250, 50000)
    """
    if asked is None:
        return MOST
    if asked == "all":
        return None
    if not asked.isdecimal():
        raise SettingsError(f"--reasons: expected a number of customers or all, found {asked!r}")
    return int(asked)


def to_json(made: Mapping[str, Any]) -> str:
    """What `scores.write_scores` gave, for a program."""
    return json.dumps(made, indent=2)


def show(made: Mapping[str, Any]) -> str:
    """The same for a person."""
    csv = f"\n        {_near(made['csv'])}" if made["csv"] else ""
    late = made["known_until"] < made["as_of"]
    return (
        f"Scores: {_near(made['scores'])}{csv}\n"
        f"        {made['customers']:,} customers active at {made['known_until']}, {made['explained']:,} of them with "
        f"reasons; who will leave, by {made['model']}"
        + (f"\n        The log is late: all is counted up to {made['known_until']}" if late else "")
    )


def _near(place: str) -> str:
    path = os.path.relpath(place)
    return place if path.startswith("..") else path
