"""The tables of a dataset with the columns that the rest of the package knows.

===========  ==========================================================================================
lines        customer, day (local date), time (local), zoned (whether the source told the instant, in UTC or with
             its zone), order, amount, and where the dataset has them discount, coupon (money, below zero on a
             return), currency, channel, product, category, store
contacts     customer, day, campaign
redemptions  customer, day
points       customer, day, points, and kind
consent      customer, day, purpose, granted
customers    customer, joined, birthday (dates), profile_<attribute> (text), as they are known today; may hold
             several rows of one customer
events       day, until, name
===========  ==========================================================================================

Where a role has several tables they are stacked; a column that one of them lacks is null there. Rows without a
customer or a day are still in all of them: `features.companions` counts them, `Prepared.tables` leaves them out.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from ..errors import DataError
from ..schema import Channeled, Contacts, Customers, Dataset, Points, Table, Timed, Transactions
from .clock import read_time, to_local
from .engines import engine_errors
from .files import columns_named, fingerprint_of, open_table, require_columns
from .identity import with_one_key
from .landing import Landed, land
from .lines import is_instant, line_columns, with_totals_once
from .values import finite, identifier, truth

ROLES = (
    "transactions", "products", "customers", "campaigns", "contacts", "redemptions", "points", "consent", "identity",
)  # fmt: skip


class Sources:
    """The opened tables of one dataset.

    Parameters
    ----------
    dataset : settings of the dataset.
    root : the project's folder.
    shown : the dataset file as it is named in errors, such as `data/cdnow.toml`.
    folder : where tables are kept that had to be converted.
    connection : gives the engine, when a table is first read.
    parquet_only : whether every table must be brought to Parquet first.

    Raises
    ------
    DataError
        If a file that the dataset file names is not there or cannot be read.
    """

    def __init__(
        self,
        dataset: Dataset,
        root: Path,
        shown: str,
        folder: Path,
        connection: Callable[[], ibis.BaseBackend],
        *,
        parquet_only: bool = False,
    ) -> None:
        self.dataset = dataset
        self.shown = shown
        self._connection = connection
        self._tables: dict[str, tuple[Table, ...]] = {role: getattr(dataset, role) or () for role in ROLES}
        self._tables["events"] = tuple(filter(None, [dataset.events.table]))
        self._landed: dict[str, list[Landed]] = {
            role: [
                land(table, root, folder, self._where(role, at), parquet_only=parquet_only)
                for at, table in enumerate(tables)
            ]
            for role, tables in self._tables.items()
        }

    def fingerprint(self) -> str:
        """Hash of the contents of all tables."""
        return fingerprint_of(landed.fingerprint for role in sorted(self._landed) for landed in self._landed[role])

    # Lines

    def raw_lines(self) -> ir.Table:
        """All lines of the log, the unusable ones too, with our column names and types, and the columns `GIVEN`."""
        return self._with_category(self._stacked("transactions", self._lines_of))

    def _lines_of(self, raw: ir.Table, roles: Transactions, where: str) -> dict[str, ir.Value]:
        # Tables count their orders for themselves: the same number in another one is another order.
        several = len(self._tables["transactions"]) > 1
        counted_by = where.rpartition(".")[2] if several else None
        return line_columns(raw, roles, self._local_time(raw, roles, where), counted_by)

    def _with_category(self, lines: ir.Table) -> ir.Table:
        """Lines with the category of their product; what the log says itself comes first."""
        if not self.dataset.products or "product" not in lines.columns:
            return lines
        products = self._stacked(
            "products",
            lambda raw, roles, _: {
                "product": identifier(raw[roles.product]), "listed": identifier(raw[roles.category])
            },
        )  # fmt: skip
        one_each = products.group_by("product").agg(listed=products.listed.min())
        joined = lines.left_join(one_each, "product").drop("product_right")
        own = joined.category if "category" in lines.columns else ibis.null("string")
        return joined.mutate(category=ibis.coalesce(own, joined.listed)).drop("listed")

    # The other tables; None where the dataset has none

    def contacts(self) -> ir.Table | None:
        """Who was sent which campaign, dated by the contact, or else by the campaign's first day."""
        if not self.dataset.contacts:
            return None
        sent = self._stacked("contacts", self._contacts_of)
        sent = sent.filter(~sent.held_out).drop("held_out")
        if self.dataset.campaigns:
            told = self._stacked(
                "campaigns",
                lambda raw, roles, _: {
                    "campaign": identifier(raw[roles.campaign]),
                    "start": read_time(raw[roles.start], roles.time_format).date(),
                },
            )
            starts = told.group_by("campaign").agg(start=told.start.min())
            joined = sent.left_join(starts, "campaign").drop("campaign_right")
            sent = joined.mutate(day=joined.day.coalesce(joined.start)).drop("start")
        return sent.distinct()

    def _contacts_of(self, raw: ir.Table, roles: Contacts, where: str) -> dict[str, ir.Value]:
        if roles.time is None and not self.dataset.campaigns:
            raise DataError(
                f"{where}: neither `time` nor a [campaigns] table says when a contact was; name one of them"
            )
        day = ibis.null("date") if roles.time is None else self._local_time(raw, roles, where).date()
        group = ibis.null("string") if roles.group is None else identifier(raw[roles.group]).lower()
        held_out = group.isin([name.lower() for name in roles.held_out]).coalesce(False)
        campaign = identifier(raw[roles.campaign])
        return {"customer": identifier(raw[roles.customer]), "day": day, "campaign": campaign, "held_out": held_out}

    def redemptions(self) -> ir.Table | None:
        """Coupons handed in, one row each."""
        return self._dated("redemptions", lambda raw, roles: {})

    def points(self) -> ir.Table | None:
        """Movements of points, one row each."""

        def more(raw: ir.Table, roles: Points) -> dict[str, ir.Value]:
            kind = {} if roles.kind is None else {"kind": identifier(raw[roles.kind]).lower()}
            return {"points": finite(raw[roles.points], roles).coalesce(0.0)} | kind

        return self._dated("points", more)

    def consent(self) -> ir.Table | None:
        """What customers agreed to, one row for each time that they said so."""

        def more(raw: ir.Table, roles: Any) -> dict[str, ir.Value]:
            purpose = {} if roles.purpose is None else {"purpose": identifier(raw[roles.purpose]).lower()}
            return {"granted": truth(raw[roles.granted])} | purpose

        return self._dated("consent", more)

    def customers(self) -> ir.Table | None:
        """What is known of customers."""
        return self._stacked("customers", self._customer_of).distinct() if self.dataset.customers else None

    @staticmethod
    def _customer_of(raw: ir.Table, roles: Customers, where: str) -> dict[str, ir.Value]:
        columns: dict[str, ir.Value] = {"customer": identifier(raw[roles.customer])}
        for role in ("joined", "birthday"):
            if (column := getattr(roles, role)) is not None:
                columns[role] = read_time(raw[column], roles.time_format).date()
        return columns | {f"profile_{name}": identifier(raw[name]) for name in roles.attributes}

    def events(self) -> pd.DataFrame:
        """Happenings to mark in charts: day, until (its last day) and name, the earliest first."""
        marked = [(event.day, event.until or event.day, event.name) for event in self.dataset.events.marked]
        if (told := self.event_rows()) is not None:
            rows = told.filter(told.day.notnull() & told.name.notnull()).to_pyarrow().to_pylist()
            marked += [(row["day"], row["until"] or row["day"], row["name"]) for row in rows]
        frame = pd.DataFrame(sorted(marked), columns=["day", "until", "name"])
        return frame.astype({"day": "datetime64[us]", "until": "datetime64[us]"})

    def event_rows(self) -> ir.Table | None:
        """Rows of the table of happenings, those that cannot be read too: day, until, name, and both days as given."""
        if (roles := self.dataset.events.table) is None:
            return None
        raw = self._open("events", 0)
        given = {"day": raw[roles.day], "until": raw[roles.until] if roles.until else ibis.null("string")}
        return raw.select(
            **{name: read_time(day, roles.time_format).date() for name, day in given.items()},
            **{f"{name}_as_given": identifier(day) for name, day in given.items()},
            name=identifier(raw[roles.name]),
        )

    # How tables are opened

    def _open(self, role: str, at: int) -> ir.Table:
        """One table with the source's own columns, its roles checked."""
        table, where = self._tables[role][at], self._where(role, at)
        opened = open_table(self._connection(), table, self._landed[role][at], where)
        require_columns(opened, columns_named(table), where)
        return opened

    def _stacked(self, role: str, columns_of: Callable[[ir.Table, Any, str], dict[str, ir.Value]]) -> ir.Table:
        """All tables of a role as one, each customer under the one key."""
        parts = []
        for at, table in enumerate(self._tables[role]):
            raw = self._open(role, at)
            if isinstance(table, Transactions) and table.total_on_first_line:
                raw = with_totals_once(raw, table)
            columns = columns_of(raw, table, self._where(role, at))
            if isinstance(table, Channeled):
                columns |= _channel(raw, table)
            part = raw.select(**columns)
            parts.append(self._identified(part) if isinstance(table, Channeled) else part)
        types = {name: part[name].type() for part in parts for name in part.columns}

        def whole(part: ir.Table) -> ir.Table:
            return part.select(
                **{name: part[name] if name in part.columns else ibis.null(kind) for name, kind in types.items()}
            )

        alike = list(map(whole, parts))
        table = ibis.union(*alike) if len(alike) > 1 else alike[0]
        return table if role in ("transactions", "identity") else table.drop(*{"channel"} & set(table.columns))

    def _identified(self, part: ir.Table) -> ir.Table:
        """A table under the customers' one key, where the dataset has an identity table."""
        if not self.dataset.identity:
            return part
        own_numbers = any(table.channel is not None for table in self.dataset.identity)
        return with_one_key(part, self.identities, own_numbers=own_numbers)

    @functools.cached_property
    def identities(self) -> ir.Table:
        """Numbers of channels with the customer that each is: id, key, channel (null where it is any)."""

        def columns_of(raw: ir.Table, roles: Any, where: str) -> dict[str, ir.Value]:
            channel = ibis.null("string") if roles.channel is None else identifier(raw[roles.channel])
            return {"id": identifier(raw[roles.id]), "key": identifier(raw[roles.customer]), "channel": channel}

        return self._stacked("identity", columns_of)

    def _dated(self, role: str, more: Callable[[ir.Table, Any], dict[str, ir.Value]]) -> ir.Table | None:
        """A table of things that happened to a customer on a day."""
        if not self._tables[role]:
            return None

        def columns_of(raw: ir.Table, roles: Any, where: str) -> dict[str, ir.Value]:
            day = self._local_time(raw, roles, where).date()
            return {"customer": identifier(raw[roles.customer]), "day": day} | more(raw, roles)

        return self._stacked(role, columns_of)

    def _local_time(self, raw: ir.Table, roles: Timed | Contacts, where: str) -> ir.TimestampColumn:
        """A time column in the clock of the store."""
        time, utc = read_time(raw[roles.time], roles.time_format), is_instant(raw, roles)
        try:
            span = raw.agg(first=time.min(where=utc), last=time.max(where=utc)).to_pyarrow().to_pylist()[0]
        except engine_errors() as error:
            raise unreadable(error, where) from None
        if span["first"] is None:
            return time
        return utc.ifelse(to_local(time, self.dataset.timezone, span["first"], span["last"]), time)

    def _where(self, role: str, at: int) -> str:
        return f"{self.shown}: {role}" + (f".{at + 1}" if len(self._tables[role]) > 1 else "")


def _channel(raw: ir.Table, roles: Channeled) -> dict[str, ir.Value]:
    """Where a row came in, if the dataset says so."""
    if roles.channel is not None:
        return {"channel": identifier(raw[roles.channel])}
    return {} if roles.channel_is is None else {"channel": ibis.literal(roles.channel_is)}


def unreadable(error: Exception, where: str) -> DataError:
    """The engine's complaint about a value, as an error that names the table."""
    reason = " ".join(str(error).split())[:200]
    return DataError(
        f"{where}: a value cannot be read as the dataset file says ({reason}); check time_format and the columns"
    )
