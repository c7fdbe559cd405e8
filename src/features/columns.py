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
    """What feature blocks are computed from; a table that the dataset lacks is None.

    Attributes
    ----------
    days : purchase days, see `histories.purchase_days`.
    returns : customer, day, spend (money, below zero): days on which more was given back than bought.
    lines : the usable lines, see `sources.log`.
    contacts : customer, day, campaign.
    redemptions : customer, day.
    points : customer, day, points, and kind where the dataset has it.
    customers : customer, joined and birthday (dates, null where unknown), and one text column for each attribute,
        named `profile_<attribute>`.
    tiers : thresholds of spend from the lowest tier to the highest, money.
    qualifying_days : length of the period whose spend decides the tier.
    """

    days: ir.Table
    returns: ir.Table | None = None
    lines: ir.Table | None = None
    contacts: ir.Table | None = None
    redemptions: ir.Table | None = None
    points: ir.Table | None = None
    customers: ir.Table | None = None
    tiers: tuple[float, ...] = ()
    qualifying_days: int = 365


class Window(NamedTuple):
    """Which past a block sees: before `as_of`, and the windows in days that the data can fill."""

    as_of: date
    lengths: tuple[int, ...]
