"""The data dictionary: `python -m loyalty.features.dictionary > data/README.md`."""

import sys
from collections.abc import Iterable

from . import profile
from .build import BLOCKS, WHOLE
from .columns import Column

INTRODUCTION = """\
# Data

One `.toml` file a dataset says where its tables are, what their columns mean, and what the retailer wants to reach.
The rest, but for `registered/`, stays out of git, since it may hold rows of single customers:

| folder | holds |
|---|---|
| `raw/` | files as they came, where a dataset is not read from a package, a database or another place |
| `interim/` | what was computed from them, kept by content; it can be deleted at any time |
| `processed/` | scores by the retailer's own customer numbers; `expected_orders` counts purchase days |
| `registered/` | what will be read of a campaign, when and of how many, written by `loyalty design` before it begins |

## Features

What models know of a customer at the as-of date, from rows strictly before it; one row for each customer who is
active then. Days are whole days, counted to the as-of date; money is in the currency of the dataset, and what was given
back is taken off from its own day on. A purchase day is a day on which a customer's lines add up to more than zero. A
column is left out where the dataset lacks what it needs, and a window (7, 14, 30, 60, 90, 180 or 365 days) where the
log is shorter at the earliest date that is looked at; `_90` columns outside the block `rfm` have the longest window of
a quarter or less.

This page is generated: change the descriptions in `src/features/`, then run
`python -m loyalty.features.dictionary > data/README.md`.
"""
HEADINGS = ("column", "label", "unit", "meaning", "null means", "needs")


def text() -> str:
    """What `data/README.md` holds."""
    parts = [INTRODUCTION]
    for block in BLOCKS:
        described = list(block.columns(WHOLE).items())
        if block is profile.BLOCK:
            described.append((f"{profile.ATTRIBUTE}<attribute>", profile.attribute("the attribute's name")))
        parts.append(f"### {block.name}\n\n{_table(described)}")
    return "\n".join(parts)


def _table(described: Iterable[tuple[str, Column]]) -> str:
    """Columns as a table in Markdown."""
    rows = [HEADINGS, ("---",) * len(HEADINGS)]
    for name, column in described:
        rows.append((f"`{name}`", column.label, column.unit, column.meaning, column.null, column.needs))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    sys.stdout.write(text())
