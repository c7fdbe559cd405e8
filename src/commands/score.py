"""What `loyalty score` prints."""

import json
import os
from collections.abc import Mapping
from typing import Any


def to_json(made: Mapping[str, Any]) -> str:
    """What `scores.write_scores` gave, for a program."""
    return json.dumps(made, indent=2)


def show(made: Mapping[str, Any]) -> str:
    """The same for a person."""
    path = os.path.relpath(made["scores"])
    return (
        f"Scores: {made['scores'] if path.startswith('..') else path}\n"
        f"        {made['customers']:,} customers active at {made['known_until']}; who will leave, by {made['model']}"
        + (
            f"\n        The log is late: all is counted up to {made['known_until']}"
            if made["known_until"] < made["as_of"]
            else ""
        )
    )
