"""What `loyalty runs` prints: past runs of a dataset, what became of them, and what is different in two of them."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console

NAMED = 6
"""Runs that an error names."""

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


def to_json(told: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> str:
    """All that is known of runs, or of how two of them differ, for a program."""
    return json.dumps(told if isinstance(told, Mapping) else list(told), indent=2)


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


def compared(dataset: str | None, first: str, second: str) -> dict[str, Any]:
    """What is different in two runs of a dataset, see `compare.diff`.

    Parameters
    ----------
    dataset : name.
    first, second : the runs: an id or its beginning, the date of a report or the name of its folder, or `latest`.

    Raises
    ------
    SettingsError
        If no dataset is named, or one of the runs is not known, or known of two, or left no measures behind.
    """
    from ..reporting import compare
    from ..reporting.history import RECORDS_KEPT

    if dataset is None:
        raise SettingsError("--diff: expected the name of the dataset before it, as runs of one are compared")
    runs = find(dataset, RECORDS_KEPT)
    return compare.diff(_named(runs, first), _named(runs, second))


def _named(runs: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """The run that is meant, with its measures."""
    told = [run for run in runs if run.get("numbers")]
    if name == "latest" and told:
        return max(told, key=lambda run: (str(run["as_of"]), str(run["run"])))
    # Of a date the last run, as it is the one whose report is there.
    dated = [run for run in told if run["place"] == name] or [run for run in told if run["as_of"] == name]
    begun = [run for run in told if str(run["run"]).startswith(name)]
    if not dated and len(begun) == 1:
        return begun[0]
    if not dated:
        found = f"{len(begun)} runs that begin so" if begun and name else "none that left measures behind"
        known = ", ".join(str(run["place"] or run["run"]) for run in told[:NAMED]) or "none yet"
        raise SettingsError(
            f"--diff {name}: expected a run's id, its date or `latest`, found {found}; known are {known}"
        )
    return dated[0]


def show_diff(said: Mapping[str, Any], console: "Console | None" = None) -> None:
    """Print it for a person."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ..reporting import bridge, compare

    console = console or Console(highlight=False)
    before, after, currency = said["before"], said["after"], said["after"]["currency"]
    if said["not_comparable"]:
        console.print(f"Not comparable: {'; '.join(said['not_comparable'])}.", markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Measure", str(before["as_of"]), str(after["as_of"]), "Change", "Beyond chance"):
        table.add_column(name, justify="left" if name in ("Measure", "Beyond chance") else "right")
    for one in said["measures"]:
        write = compare.writer(one["unit"], currency)
        beyond = {True: "yes", False: "no", None: ""}[one["beyond"]]
        table.add_row(*map(escape, (one["label"], write(one["before"]), write(one["now"]), one["told"], beyond)))
    console.print(table)
    if said["bridge"]:
        console.print(bridge.sentences(said["bridge"], currency, after["horizon_days"]), markup=False)
    for kind, what in (("new", "New alarm"), ("gone", "Alarm that is over")):
        for text in said["alarms"][kind]:
            console.print(f"{what}: {text}", markup=False)
