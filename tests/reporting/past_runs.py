"""Runs that were made up: records on disk as reports leave them, for tests of what is told of the past."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from loyalty.reporting.history import Run
from loyalty.reporting.summary_types import Number

DATASET: Any = SimpleNamespace(
    title="Corner <script>alert(1)</script> shop",
    notice="Made up.",
    currency="EUR",
    number_format="1,234.5",
    privacy=SimpleNamespace(minimum_cell=10),
    study=SimpleNamespace(horizon_days=28, active_within_days=56),
)


def numbers(active: float = 500, rate: float = 0.30, goal: float | None = 0.25, **more: float) -> list[Number]:
    """Two measures of the base, and others by name that are of models."""
    return [
        Number(
            name="active_customers", label="Active customers", group="base", unit="customers", value=active,
            more_is_better=True,
        ),
        Number(
            name="churned_rate", label="Customers who left", group="base", unit="share", value=rate, low=rate - 0.02,
            high=rate + 0.02, goal=goal, more_is_better=False,
        ),
        *(
            Number(name=name, label=name.replace("_", " "), group="models", unit="share", value=value)
            for name, value in more.items()
        ),
    ]  # fmt: skip


def leave(
    root: Path, as_of: str, told: list[Number], *, outcome: str = "done", page: bool = True, **said: Any
) -> Mapping[str, Any]:
    """Leave the record of a run behind, and the page that it made; returns what it said."""
    run = Run(root, "shop")
    run.outcome = outcome
    kept = {
        "as_of": as_of, "place": as_of, "horizon_days": 28, "active_within_days": 56, "currency": "EUR",
        "numbers": [asdict(one) for one in told], "alarms": [], "measures": [], "value": None, "bridge": None,
    } | said  # fmt: skip
    run.write(**kept)
    if page:
        folder = root / "reports" / "shop" / kept["place"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text("a report", "utf-8")
    return {"run": run.id} | kept
