"""How the tables of a dataset are opened: roles checked, stacked, each customer under the one key."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from ..errors import DataError
from ..schema import Channeled, Contacts, Dataset, Table, Timed, Transactions
from .clock import read_time, to_local
from .engines import engine_errors
from .files import columns_named, fingerprint_of, open_table, require_columns
from .identity import with_one_key
from .landing import Landed, land
from .lines import is_instant, with_totals_once
from .values import identifier

ROLES = (
    "transactions", "products", "customers", "campaigns", "contacts", "opens", "redemptions", "coupons", "points",
    "survey", "consent", "identity",
)  # fmt: skip


class Opened:
    """The tables of one dataset, by role; see `log.Sources`."""

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
        told_apart = role != "transactions" and any(isinstance(each, Channeled) for each in self._tables[role])
        return table.drop(*{"channel"} & set(table.columns)) if told_apart else table

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
