"""The least of a study that a report can be made of, for tests of how reports are run and published."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

DATASET = SimpleNamespace(
    title="Tiny panel",
    notice="Made up.",
    currency="EUR",
    number_format="1,234.5",
    timezone="UTC",
    experiment=None,
    privacy=SimpleNamespace(minimum_cell=10),
    study=SimpleNamespace(horizon_days=28, active_within_days=56),
)


@dataclass
class TinyStudy:
    """What a report needs of a study; `prepared` counts how often it was."""

    root: Path
    as_of: date = date(2020, 1, 1)
    key: str = "k1"
    name: str = "tiny"
    horizon_days: int = 28
    active_within_days: int = 56
    dataset: Any = field(default_factory=lambda: DATASET)
    data: Any = field(default_factory=lambda: SimpleNamespace(key="d1", today=date(2020, 1, 1)))
    prepared: int = 0

    def prepare(self, progress: Callable[[str], None]) -> None:
        self.prepared += 1
        progress("preparing")
