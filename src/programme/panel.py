"""Customers by week around a campaign: what they did before and after, and who was contacted.

Everything is counted from the campaign's first day: week 0 holds its first seven days, week -1 the seven days before.
Of many customers a fixed sample is brought here, see `features.sample`; all else happens on its arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..features.columns import Tables
from ..features.histories import net_spend
from ..features.sample import last_mark, tables_up_to, up_to
from ..features.windows import before, days_until

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max // 2
"""A day that does not come."""
LEAST_MATCHED = 13
"""Weeks that are matched at least: a quarter, by which retailers choose."""


@dataclass(frozen=True)
class Plan:
    """Which weeks serve what.

    Attributes
    ----------
    tested : the most weeks before the matched ones, on which the method must find nothing.
    least_tested : the fewest of them that allow a verdict.
    matched : weeks before the campaign in which customers who are compared did the same. The more the better: whoever
        did the same for a month by chance goes back to what is usual for him afterwards.
    during, after : weeks from the campaign's first day on in which a lift, and then a dip, is looked for.
    """

    tested: int = 8
    least_tested: int = 4
    matched: int = 26
    during: int = 4
    after: int = 4

    @property
    def window(self) -> int:
        """Weeks whose sum is the effect."""
        return self.during + self.after

    def fitting(self, weeks: int) -> Plan:
        """The same with as many matched weeks, from `LEAST_MATCHED` to `matched`, as so many before it allow."""
        tested = min(self.tested, max(self.least_tested, weeks - LEAST_MATCHED))
        return replace(self, matched=max(min(LEAST_MATCHED, self.matched), min(self.matched, weeks - tested)))


@dataclass(frozen=True)
class Events:
    """What happened to customers, one entry each: row of the panel, day (days since its first), value."""

    row: IntArray
    day: IntArray
    value: FloatArray


@dataclass(frozen=True)
class Contacts:
    """First contact of each customer by each campaign: row of the panel, day, number of the campaign."""

    row: IntArray
    day: IntArray
    campaign: IntArray


@dataclass(frozen=True)
class Panel:
    """Customers who had bought by the end of the log, or a fixed sample of them.

    Attributes
    ----------
    customers : how many, n; they are rows 0 to n - 1, in order of their ids.
    first_day : of the log; days are counted from it.
    days : length of the log.
    spend : money that moved, net of returns.
    purchases : days with a purchase, value 1.
    since : day of the first purchase, shape (n,).
    contacts : held-out customers are in none.
    campaigns : names, by their number.
    redemptions : coupons handed in, value 1; None where the log has none.
    joined : day of joining the programme, `NEVER` for others, shape (n,); None where it is not known.
    sampled : whether these are not all.
    """

    customers: int
    first_day: date
    days: int
    spend: Events
    purchases: Events
    since: IntArray
    contacts: Contacts
    campaigns: tuple[str, ...]
    redemptions: Events | None = None
    joined: IntArray | None = None
    sampled: bool = False

    def weekly(self, events: Events, anchor: int, weeks_before: int, weeks_after: int) -> FloatArray:
        """Sums by week around a day, shape (n, weeks_before + weeks_after), the earliest week first."""
        width = weeks_before + weeks_after
        week = (events.day - anchor) // 7 + weeks_before
        here = (week >= 0) & (week < width)
        cell = events.row[here] * width + week[here]
        counted = np.bincount(cell, weights=events.value[here], minlength=self.customers * width)
        return counted.reshape(self.customers, width).astype(np.float64)

    def contacted(self, start: int, stop: int, campaign: int | None = None) -> IntArray:
        """Contacts of each customer in [start, stop), by one campaign or by all, shape (n,)."""
        here = (self.contacts.day >= start) & (self.contacts.day < stop)
        if campaign is not None:
            here &= self.contacts.campaign == campaign
        return np.bincount(self.contacts.row[here], minlength=self.customers).astype(np.int64)

    def start_of(self, campaign: int) -> int | None:
        """Day of a campaign's first contact; None if nobody received it."""
        days = self.contacts.day[self.contacts.campaign == campaign]
        return int(days.min()) if days.size else None


def panel(tables: Tables, until: date, most: int = 100_000, listed: tuple[str, ...] = ()) -> Panel:
    """The panel of a log.

    Parameters
    ----------
    tables : of a dataset, with contacts.
    until : first day that is not known.
    most : customers; of more, a sample that is the same in every run.
    listed : campaigns that must be in it, whether anyone received them or not.

    Raises
    ------
    DataError
        If the dataset has no contacts, or its log nothing before that day.
    """
    if tables.contacts is None:
        raise DataError("contacts: the dataset has none, so no campaign can be looked at; name them under [contacts]")
    mark = last_mark(before(tables.days, until).select("customer").distinct(), most)
    cut = tables_up_to(tables, mark)
    first = before(cut.days, until).day.min().to_pyarrow().as_py()
    if first is None:
        raise DataError(f"transactions: no purchase before {until}; choose a later date")
    moved = _numbered(before(net_spend(cut), until), first, "spend", "purchase")
    bought = moved[moved["purchase"]]
    ids = pd.Index(np.sort(bought["customer"].unique()))
    since = bought.groupby("customer")["number"].min().reindex(ids)
    contacts, names = _contacts(up_to(tables.contacts, mark), first, until, ids, listed)
    return Panel(
        customers=len(ids),
        first_day=first,
        days=(until - first).days,
        spend=_events(moved, ids, moved["spend"]),
        purchases=_events(bought, ids, pd.Series(1.0, bought.index)),
        since=since.to_numpy(np.int64),
        contacts=contacts,
        campaigns=names,
        redemptions=_redemptions(cut.redemptions, first, until, ids),
        joined=_joined(cut.customers, first, ids),
        sampled=mark is not None,
    )


def day_of(panel: Panel, day: int) -> date:
    """Date of a day of the panel."""
    return panel.first_day + timedelta(days=day)


def _numbered(table: ir.Table, first: date, *columns: str) -> pd.DataFrame:
    """Rows with `number`, the days since `first`, in an order that is the same on every engine."""
    numbered = table.select("customer", *columns, number=-days_until(first, table.day))
    return numbered.to_pandas().sort_values(["customer", "number", *columns], ignore_index=True)


def _events(frame: pd.DataFrame, ids: pd.Index, value: pd.Series) -> Events:
    """Entries of the customers of the panel; a day before its first counts as the first."""
    row = ids.get_indexer(frame["customer"])
    known = row >= 0
    day = frame["number"].to_numpy(np.int64)[known]
    return Events(row[known].astype(np.int64), np.maximum(day, 0), value.to_numpy(np.float64)[known])


def _contacts(
    table: ir.Table, first: date, until: date, ids: pd.Index, listed: tuple[str, ...]
) -> tuple[Contacts, tuple[str, ...]]:
    sent = before(table, until)
    sent = sent.filter(sent.campaign.notnull())
    each = sent.group_by("customer", "campaign").agg(number=-days_until(first, sent.day.min())).to_pandas()
    each = each.sort_values(["customer", "campaign"], ignore_index=True)
    names = tuple(sorted({*each["campaign"].astype(str), *listed}))
    row = ids.get_indexer(each["customer"])
    known = row >= 0
    campaign = pd.Index(names).get_indexer(each["campaign"].astype(str))
    day = each["number"].to_numpy(np.int64)
    return Contacts(row[known].astype(np.int64), day[known], campaign[known].astype(np.int64)), names


def _redemptions(table: ir.Table | None, first: date, until: date, ids: pd.Index) -> Events | None:
    if table is None:
        return None
    frame = _numbered(before(table, until), first)
    return _events(frame, ids, pd.Series(1.0, frame.index))


def _joined(table: ir.Table | None, first: date, ids: pd.Index) -> IntArray | None:
    if table is None or "joined" not in table.columns:
        return None
    told = table.group_by("customer").agg(joined=table.joined.min())
    told = told.filter(told.joined.notnull())
    frame = told.select("customer", number=-days_until(first, told.joined)).to_pandas()
    days = frame.set_index("customer")["number"].reindex(ids, fill_value=NEVER)
    return np.asarray(days.to_numpy(np.int64))


def by_kind(panel: Panel, kinds: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Campaigns of each kind, such as a channel or a type; those without a kind are in none."""
    return {
        kind: tuple(name for name in panel.campaigns if kinds.get(name) == kind) for kind in sorted(set(kinds.values()))
    }
