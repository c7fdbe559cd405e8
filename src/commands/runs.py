"""What `loyalty runs` prints: past runs of a dataset, and what became of them."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 3
"""Measures that are shown of a run."""


def find(dataset: str | None, last: int) -> list[dict[str, Any]]:
    """Past runs, the latest first.

    Parameters
    ----------
    dataset : name; all datasets if not given.
    last : most that are found, of each dataset.
    """
    from ..reporting import history
    from ..settings import dataset_names, dataset_path, project_root

    root = project_root()
    if dataset is not None:
        dataset_path(dataset, root)
        return history.past(root, dataset.replace("_", "-"))[:last]
    if not (names := dataset_names(root)):
        raise SettingsError("data/ describes no dataset; `loyalty init FILE --name NAME` writes the first")
    runs = [run for name in names for run in history.past(root, name)[:last]]
    return sorted(runs, key=lambda run: str(run["run"]), reverse=True)


def to_json(runs: Sequence[Mapping[str, Any]]) -> str:
    """All that is known of them, for a program."""
    return json.dumps(list(runs), indent=2)


def show(runs: Sequence[Mapping[str, Any]], console: "Console | None" = None) -> None:
    """Print them for a person."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = console or Console(highlight=False)
    if not runs:
        console.print("No run is known yet: `loyalty report DATASET` makes the first.", markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Started", "Dataset", "As of", "Outcome", "Seconds", "What it says"):
        table.add_column(name, justify="right" if name == "Seconds" else "left")
    for run in runs:
        started = str(run["started"] or "–")[:16].replace("T", " ")
        seconds = "–" if run["seconds"] is None else f"{run['seconds']:,.0f}"
        day = str(run["place"] or run["as_of"] or "–")
        cells = (started, str(run["dataset"]), day, str(run["outcome"]), seconds, said(run))
        table.add_row(*map(escape, cells))
    console.print(table)


def said(run: Mapping[str, Any]) -> str:
    """The key figures of a run, or why it has none.

    Examples
    --------
    >>> said({"measures": [{"name": "Active customers", "value": "2,147"}], "alarms": ["goal missed"]})
    'Active customers 2,147; 1 alarm'
    >>> said({"message": "04_churn, cell 3: ValueError: no"})
    '04_churn, cell 3: ValueError: no'
    """
    if not run.get("measures"):
        return str(run.get("message") or "")
    told = [f"{measure['name']} {measure['value']}" for measure in run["measures"][:SHOWN]]
    alarms = len(run.get("alarms") or ())
    return "; ".join([*told, *([f"{alarms} alarm{'s' if alarms > 1 else ''}"] if alarms else [])])
