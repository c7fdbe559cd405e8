"""What a feature column means, in words for the data dictionary and for the pages."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir


@dataclass(frozen=True)
class Column:
    """Meaning of one feature column.

    Attributes
    ----------
    label : what a reader sees, without jargon.
    unit : such as days, money, share or count.
    null : what a missing value means.
    """

    label: str
    unit: str
    null: str = "never null"


class Tables(NamedTuple):
    """What feature blocks are computed from; see `sources.log` and `histories.purchase_days`."""

    days: ir.Table
    contacts: ir.Table | None = None
    redemptions: ir.Table | None = None


class Window(NamedTuple):
    """Which past a block sees: before `as_of`, and the windows in days that the data can fill."""

    as_of: date
    lengths: tuple[int, ...]
