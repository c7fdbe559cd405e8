"""A dataset's tables in our own columns, kept as Parquet in `data/interim/`."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir

from .features.columns import Tables
from .features.contract import facts
from .features.histories import purchase_days
from .schema import Dataset
from .settings import dataset_path
from .sources.files import connect
from .sources.log import ROLES, Sources, unreadable, usable
from .store import Store, code_version, digest


class Prepared:
    """The tables of one dataset, whatever the as-of date.

    Parameters
    ----------
    name : of the dataset.
    dataset : what its file says.
    root : the project's folder.

    Attributes
    ----------
    key : the same for the same contents of the files, the same meaning of their columns and the same code.
    folder : where everything that is computed from this dataset is kept.
    """

    def __init__(self, name: str, dataset: Dataset, root: Path) -> None:
        self.shown = f"data/{dataset_path(name, root).name}"
        self.dataset = dataset
        self._sources = Sources(dataset, root, self.shown)
        meaning = dataset.model_dump_json(include={*ROLES, "timezone"})
        self.key = digest(self._sources.fingerprint(), meaning, code_version())
        self.folder = root / "data" / "interim" / name
        self._store = Store(self.folder / f"tables-{self.key}")

    @functools.cached_property
    def _connection(self) -> ibis.BaseBackend:
        return connect()

    @functools.cached_property
    def raw_lines(self) -> ir.Table:
        """All lines of the log with our column names, the unusable ones too."""
        return self._sources.raw_lines(self._connection)

    @functools.cached_property
    def lines(self) -> ir.Table:
        """The usable lines of the log, see `sources.log`."""
        return self._keep("lines", lambda: self.raw_lines.filter(usable(self.raw_lines)).order_by("customer", "time"))

    @functools.cached_property
    def tables(self) -> Tables:
        """Purchase days, and contacts and redemptions where the dataset has them."""
        days = self._keep("days", lambda: purchase_days(self.lines).order_by("customer", "day"))
        contacts = redemptions = None
        if self.dataset.contacts is not None and self.dataset.campaigns is not None:
            contacts = self._keep("contacts", lambda: self._sources.contacts(self._connection))
        if self.dataset.redemptions is not None:
            redemptions = self._keep("redemptions", lambda: self._sources.redemptions(self._connection))
        return Tables(days, contacts, redemptions)

    @functools.cached_property
    def facts(self) -> dict[str, Any]:
        """What the whole log holds, see `features.contract.facts`."""
        return self._store.get("facts", lambda: {"log": facts(self.raw_lines, self.tables.days)})["log"]  # type: ignore[no-any-return]

    def _keep(self, name: str, expression: Callable[[], ir.Table | None]) -> ir.Table:
        """A table that is written once and read from then on."""
        try:
            file = self._store.file(f"{name}.parquet", lambda path: self._connection.to_parquet(expression(), path))
        except duckdb.Error as error:
            role = "transactions" if name in ("lines", "days") else name
            raise unreadable(error, f"{self.shown}: {role}") from None
        return self._connection.read_parquet(file)
