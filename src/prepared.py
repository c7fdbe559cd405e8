"""A dataset's tables in our own columns, kept as Parquet in `data/interim/`."""

import functools
import os
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pandas as pd

from .features.columns import Tables
from .features.companions import COMPANIONS, usable
from .features.contract import examine, facts
from .features.findings import Found
from .features.histories import purchase_days, return_days
from .features.offers import Offers, sent
from .features.quarantine import judged, kept, quarantined
from .programme.points_checks import points_findings
from .schema import Dataset
from .settings import dataset_path
from .sources import engines
from .sources.log import ROLES, Sources, unreadable
from .store import Store, code_version, digest


class Prepared:
    """The tables of one dataset, whatever the as-of date.

    Parameters
    ----------
    name : of the dataset.
    dataset : what its file says.
    root : the project's folder.
    today : the last day that a line may be of.

    Attributes
    ----------
    key : the same for the same contents of the sources, the same meaning of their columns and the same code.
    folder : where everything that is computed from this dataset is kept.
    """

    def __init__(self, name: str, dataset: Dataset, root: Path, today: date | None = None) -> None:
        self.shown = f"data/{dataset_path(name, root).name}"
        self.dataset = dataset
        self.folder = root / "data" / "interim" / name
        self.today = today or datetime.now(ZoneInfo(dataset.timezone)).date()
        self._sources = Sources(
            dataset,
            root,
            self.shown,
            self.folder / "landed",
            lambda: self.connection,
            parquet_only=dataset.engine == "spark",
        )
        meaning = dataset.model_dump_json(include={*ROLES, "timezone", "currency", "contract", "events"})
        self.key = digest(self._sources.fingerprint(), meaning, code_version())
        self._store = self._at(self.key)
        # A line of tomorrow is set aside today, and is a line like any other the day after.
        arrived = [day for day in self._future_days if day <= self.today.isoformat()]
        if arrived:
            self.key = digest(self.key, arrived)
            self._store = self._at(self.key)
            self.__dict__.pop("judged", None)
            self.__dict__.pop("days", None)

    def _at(self, key: str) -> Store:
        return Store(self.folder / f"tables-{key}")

    @functools.cached_property
    def connection(self) -> ibis.BaseBackend:
        """The engine, connected when it is first needed."""
        return engines.connect(self.dataset.engine, self.dataset.engine_settings, self.folder)

    @functools.cached_property
    def raw_lines(self) -> ir.Table:
        """All lines of the log with our column names, the unusable ones too."""
        if self.dataset.engine == "duckdb":
            return self._sources.raw_lines()
        # Judging looks at the lines several times, and Spark would read the sources anew at each.
        return self._keep("raw", self._sources.raw_lines)

    @functools.cached_property
    def judged(self) -> ir.Table:
        """All lines with the reason for which one is set aside, see `features.quarantine`.

        It is what is kept of the log: the lines are read from it ten times more cheaply than judged again.
        """
        return self._keep("judged", lambda: judged(self.raw_lines, self.dataset, self.today))

    @functools.cached_property
    def lines(self) -> ir.Table:
        """The lines that are kept, see `sources.log`."""
        return kept(self.judged)

    @functools.cached_property
    def quarantine(self) -> ir.Table:
        """The lines that are set aside, with the reason and what the source said."""
        return self._keep("quarantine", lambda: quarantined(self.judged))

    @functools.cached_property
    def days(self) -> ir.Table:
        """Purchase days, see `features.histories`."""
        zero_counts = self.dataset.contract.zero_amount == "purchase"
        return self._keep("days", lambda: purchase_days(self.lines, zero_counts).order_by("customer", "day"))

    @functools.cached_property
    def tables(self) -> Tables:
        """All that feature blocks are computed from."""
        programme = self.dataset.programme
        beside = {role: usable(table) for role in COMPANIONS if (table := self._companion(role)) is not None}
        if "contacts" in beside:
            beside["contacts"] = sent(beside["contacts"])
        return Tables(
            self.days,
            returns=self._keep("returns", lambda: return_days(self.lines)),
            lines=self.lines,
            **beside,
            tiers=programme.rolling_spend,
            qualifying_days=programme.qualifying_days,
        )

    def _companion(self, role: str) -> ir.Table | None:
        """A table beside the log, the rows that cannot be used too; None where the dataset lacks it."""
        return self._keep_if(getattr(self.dataset, role), role, getattr(self._sources, role))

    @functools.cached_property
    def offers(self) -> Offers | None:
        """Campaigns, contacts, those held out too, and coupons; None without contacts."""
        if (drawn := self._companion("contacts")) is None:
            return None
        opens, redemptions = (self._companion(role) for role in ("opens", "redemptions"))
        return Offers.of(
            usable(drawn),
            self._companion("campaigns"),
            None if opens is None else usable(opens),
            None if redemptions is None else usable(redemptions),
            self._companion("coupons"),
        )

    @functools.cached_property
    def survey(self) -> ir.Table | None:
        """Answers to a survey, see `sources.log`; None without one."""
        said = self._companion("survey")
        return None if said is None else usable(said)

    @functools.cached_property
    def consent(self) -> ir.Table | None:
        """What customers agreed to, see `sources.log`; of what has no readable day only withdrawals, which count."""
        said = self._companion("consent")
        if said is None:
            return None
        withdrawn = said.day.isnull() & ~said.granted.fill_null(False)
        return said.filter(said.customer.notnull() & (said.day.notnull() | withdrawn))

    @functools.cached_property
    def events(self) -> pd.DataFrame:
        """Happenings that charts mark: day, until, name."""
        return self._store.get("events", self._sources.events)

    @functools.cached_property
    def facts(self) -> dict[str, Any]:
        """What the whole log holds, see `features.contract.facts`."""
        return self._store.get("facts", lambda: {"log": facts(self.judged, self.days)})["log"]  # type: ignore[no-any-return]

    @property
    def _future_days(self) -> list[str]:
        """Days of lines that were of the future when the log was first judged."""

        def compute() -> dict[str, Any]:
            later = self.judged.filter(self.judged.reason == "future_date")
            days = later.select("day").distinct().order_by("day").to_pyarrow()["day"].to_pylist()
            return {"days": [day.isoformat() for day in days]}

        return self._store.get("future", compute)["days"]  # type: ignore[no-any-return]

    def health(self, as_of: date, horizon_days: int) -> dict[str, Any]:
        """What is known of the log at a date, and what is wrong with it, see `features.contract.examine`."""

        def compute() -> dict[str, Any]:
            return examine(
                self.judged, self.days, self.dataset, as_of, horizon_days, self._beside(), self.offers,
                self._of_points(as_of),
            )  # fmt: skip

        # The rules of points do not change a table, but what is odd about one.
        rules = digest(self.dataset.programme.points)
        return self._store.get(f"health-{as_of}-{horizon_days}-{rules}", compute)

    def _of_points(self, as_of: date) -> list[Found]:
        """What is odd about the points, see `programme.points_checks`."""
        ledger = self._companion("points")
        return [] if ledger is None else points_findings(ledger, self.days, self.dataset.programme.points, as_of)

    def _beside(self) -> dict[str, ir.Table]:
        """The tables beside the log by role, the rows that cannot be used too."""
        found = {role: self._companion(role) for role in (*COMPANIONS, "opens", "survey")}
        found["events"] = self._sources.event_rows()
        found["identity"] = self._sources.identities if self.dataset.identity else None
        return {role: table for role, table in found.items() if table is not None}

    def publish_quarantine(self) -> Path:
        """Put the lines that are set aside where a person looks for them: `quarantine.parquet` in `folder`."""
        self.quarantine  # noqa: B018
        place = self.folder / "quarantine.parquet"
        scratch = place.with_suffix(f".{os.getpid()}")
        engines.write_file(self._store.folder / "quarantine.parquet", scratch)
        os.replace(scratch, place)
        return place

    def _keep_if(self, section: object, name: str, expression: Callable[[], ir.Table | None]) -> ir.Table | None:
        return None if section is None else self._keep(name, expression)

    def _keep(self, name: str, expression: Callable[[], ir.Table | None]) -> ir.Table:
        """A table that is written once and read from then on."""
        try:
            place = self._store.file(f"{name}.parquet", lambda path: engines.write(self.connection, expression(), path))
        except engines.engine_errors() as error:
            role = "transactions" if name in ("raw", "judged", "quarantine", "days", "returns") else name
            raise unreadable(error, f"{self.shown}: {role}") from None
        return engines.read(self.connection, place)
