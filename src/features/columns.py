"""What feature blocks are made of: the tables they see, the past they see, and what their columns mean."""

from collections.abc import Callable
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
    meaning : how it is computed.
    null : what a missing value means.
    needs : the key of a dataset file without which the column is left out.
    """

    label: str
    unit: str
    meaning: str
    null: str = "never null"
    needs: str = "transactions"


class Tables(NamedTuple):
    """What feature blocks are computed from; a table that the dataset lacks is None.

    Attributes
    ----------
    days : purchase days, see `histories.purchase_days`.
    returns : days on which more was given back than bought, see `histories.return_days`.
    lines : the usable lines, see `sources.log`.
    contacts : customer, day, campaign, see `offers.sent`.
    redemptions : customer, day; those that count for no campaign, too.
    points : customer, day, points, and kind where the dataset has it.
    customers : customer, joined, birthday and contract_end (dates, null where unknown), and one text column for each
        attribute, named `profile_<attribute>`.
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
    """Which past a block sees.

    Attributes
    ----------
    as_of : first day that is not known.
    lengths : windows before it, in days, that the data can fill at every date that is looked at.
    horizon_days : length of the period that is predicted.
    known_days : days of the log before the earliest date that is looked at; the longest window if None.
    """

    as_of: date
    lengths: tuple[int, ...]
    horizon_days: int = 30
    known_days: int | None = None

    @property
    def recent(self) -> int:
        """The longest window of a quarter or less."""
        return max((length for length in self.lengths if length <= 90), default=min(self.lengths))

    def reaches(self, days: int) -> bool:
        """Whether the log reaches back so far at every date that is looked at."""
        return days <= (max(self.lengths) if self.known_days is None else self.known_days)


@dataclass(frozen=True)
class DayBlock:
    """Columns that follow from sums over a customer's known days: all such blocks share one pass over the days.

    Attributes
    ----------
    name : of the block.
    columns : what they mean.
    sums : of the days that `build.known_days` gives, by customer.
    values : the columns, from the sums of `histories.sums` and its own.
    """

    name: str
    columns: Callable[[Window], dict[str, Column]]
    sums: Callable[[ir.Table, Window], dict[str, ir.Value]]
    values: Callable[[ir.Table, Window], dict[str, ir.Value]]


@dataclass(frozen=True)
class TableBlock:
    """Columns from another table than the purchase days; a customer without a row there has null or, of counts, none.

    Attributes
    ----------
    name : of the block.
    columns : what they mean.
    table : customer and the columns; None where the dataset has nothing to compute them from.
    """

    name: str
    columns: Callable[[Window], dict[str, Column]]
    table: Callable[[Tables, Window], ir.Table | None]


Block = DayBlock | TableBlock
