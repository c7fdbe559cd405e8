"""Runs and what became of them: every run leaves a record, also one that failed, and one that was killed."""

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..whole import write_whole
from . import manifest
from .locks import Owner

RECORD_VERSION = 1
RECORDS_KEPT = 2000
"""Records of a dataset that are kept, five years of nights."""

FIELDS = (
    "run", "dataset", "as_of", "place", "started", "seconds", "outcome", "exit_code", "message", "horizon_days",
    "active_within_days", "currency", "known_until", "measures", "numbers", "alarms", "value", "bridge", "published",
)  # fmt: skip
"""What is told of a run; None where it is not known."""

OF_REPORT = (
    "as_of", "horizon_days", "active_within_days", "currency", "known_until", "measures", "numbers", "alarms", "value",
    "bridge",
)  # fmt: skip
"""What a run's record keeps of its report, also when that is deleted."""

SAME = ("horizon_days", "active_within_days", "currency")
"""What has to be the same in two runs for their measures to be comparable."""


class Run:
    """One run of a report, as it goes, and the record that it leaves in `data/interim/<dataset>/runs/`.

    A record may hold what an error says, and so what the data says: its place is in `data/`, not in `reports/`.

    Parameters
    ----------
    root : the project's folder.
    dataset : name of the dataset.
    asked : what the run was asked for, by option.
    recorded : false for a run that leaves no record.

    Attributes
    ----------
    id : of the run; ids sort by time.
    started : when it began.
    phases : seconds that each part of it took.
    outcome : `running`, then `done`, `unchanged`, `failed`, `bug`, `wrong`, `refused`, `busy` or `stopped`.
    """

    def __init__(self, root: Path, dataset: str, asked: Mapping[str, Any] | None = None, recorded: bool = True) -> None:
        self.started = datetime.now(UTC)
        self.id = f"{self.started:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:6]}"
        self.root, self.dataset, self.asked, self.recorded = root, dataset, dict(asked or {}), recorded
        self.phases: dict[str, float] = {}
        self.outcome = "running"
        self._clock = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it runs already."""
        return round(time.monotonic() - self._clock, 2)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the seconds of what is inside as a part of the run."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.phases[name] = round(self.phases.get(name, 0.0) + time.monotonic() - began, 2)

    def write(self, **said: Any) -> None:
        """Write the record, with what is known now.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        if not self.recorded:
            return
        record = {
            "record_version": RECORD_VERSION,
            "run": self.id,
            "dataset": self.dataset,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": self.seconds,
            "outcome": self.outcome,
            "asked": self.asked,
            "phases": self.phases,
            "process": asdict(Owner.this()),
            **said,
        }
        folder = records(self.root, self.dataset)
        folder.mkdir(parents=True, exist_ok=True)
        # ASCII: an error may hold what is no Unicode.
        write_whole(folder / f"{self.id}.json", json.dumps(record, indent=1).encode())

    def forget_old(self) -> None:
        """Delete the oldest records, where there are very many."""
        for path in sorted(records(self.root, self.dataset).glob("*.json"))[:-RECORDS_KEPT]:
            with suppress(OSError):
                path.unlink()


def records(root: Path, dataset: str) -> Path:
    """Folder of the records of a dataset's runs."""
    return root / "data" / "interim" / dataset / "runs"


def past(root: Path, dataset: str) -> list[dict[str, Any]]:
    """Return the runs of a dataset, the latest first, each with `FIELDS`.

    A run whose record was deleted is known from its report, as long as that is there; `published` says whether it is.
    One that says that it runs, and whose process does not, has broken off, unless its report is there.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in (root / "reports" / dataset).glob("*/manifest.json"):
        said = manifest.read(path.parent)
        if said is not None and not path.parent.is_symlink():
            found[said["run"]] = said | {"place": path.parent.name, "exit_code": 0, "published": True}
    for path in sorted(records(root, dataset).glob("*.json")):
        record = _read(path)
        if record is not None:
            report = found.get(record["run"], {})
            over = {"outcome": "done"} if report and record["outcome"] in ("running", "broken off") else {}
            told = {name: value for name, value in record.items() if value is not None or name not in report}
            found[record["run"]] = report | told | over
    runs = [{name: said.get(name) for name in FIELDS} for said in found.values()]
    return sorted(runs, key=lambda run: str(run["run"]), reverse=True)


def comparable(runs: Iterable[Mapping[str, Any]], like: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The runs whose measures can be compared with those of another: one for each as-of date, in order of date.

    Parameters
    ----------
    runs : as from `past`.
    like : with the keys of `SAME`.

    Returns
    -------
    list
        Of runs at the same date the latest that made a report.
    """
    told = [run for run in runs if run.get("numbers") and all(run.get(name) == like.get(name) for name in SAME)]
    latest = {str(run["as_of"]): run for run in sorted(told, key=lambda run: str(run["run"]))}
    return [latest[day] for day in sorted(latest)]


def expected(root: Path, dataset: str) -> dict[str, float]:
    """Return the seconds that notebooks took when they were run last, by name."""
    reports = root / "reports" / dataset
    told = [said for path in reports.glob("*/manifest.json") if (said := manifest.read(path.parent)) is not None]
    seconds: dict[str, float] = {}
    for said in sorted(told, key=lambda one: str(one["run"])):
        seconds |= {name: float(one["seconds"]) for name, one in said["notebooks"].items()}
    return seconds


def _read(path: Path) -> dict[str, Any] | None:
    """A record; None if it is none that this code can read."""
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or record.get("record_version") != RECORD_VERSION or "run" not in record:
        return None
    owner = Owner.read(record.get("process"))
    if record.get("outcome") == "running" and (owner is None or not owner.alive()):
        record |= {"outcome": "broken off", "message": "its process ended without a word"}
    return record
