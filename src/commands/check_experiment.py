"""What `loyalty check` prints of an experiment: its arms, what is odd about the table, and what can be told."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from ..experiments import Experiment


def facts(experiment: "Experiment") -> dict[str, Any]:
    """What is in the table: customers, arms (with their customers and planned share), columns by role, findings."""
    planned, table = experiment.planned, experiment.table
    arms = [
        {"arm": arm, "customers": int(count), "control": arm == experiment.control, "planned": planned.get(str(arm))}
        for arm, count in experiment.sizes.items()
    ]
    return {
        "customers": int(experiment.sizes.sum()),
        "arms": arms,
        "outcomes": {name: experiment.kind(name) for name in table.outcomes},
        "history": list(table.history),
        "attributes": list(table.attributes),
        "findings": experiment.findings,
    }


def to_json(experiment: "Experiment") -> str:
    """All of it for a program."""
    return json.dumps(facts(experiment), indent=2, ensure_ascii=False)


def show(experiment: "Experiment", console: "Console | None" = None, *, alone: bool = True) -> None:
    """Print all of it for a person; where it is not alone, whether a report can be made is said of the log."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, said = console or Console(), facts(experiment)
    table = Table(title=Text(experiment.dataset.title), title_justify="left")
    for heading in ("Arm", "Customers", "Share", "Planned"):
        table.add_column(heading, justify="left" if heading == "Arm" else "right")
    for arm in said["arms"]:
        name = f"{arm['arm']} (control)" if arm["control"] else arm["arm"]
        planned = "–" if arm["planned"] is None else f"{arm['planned']:.1%}"
        share = f"{arm['customers'] / said['customers']:.1%}"
        table.add_row(*map(Text, (name, f"{arm['customers']:,}", share, planned)))
    console.print(table)
    console.print(Text(f"Outcomes: {', '.join(f'{name} ({kind})' for name, kind in said['outcomes'].items())}"))
    console.print(Text(f"History:  {', '.join(said['history']) or 'none, so that intervals are as wide as can be'}"))
    for finding in said["findings"]:
        console.print(Text(f"{finding['severity'].capitalize()}: {finding['detail']}: {finding['count']:,}."))
    if alone:
        console.print(Text(f"A report can be made: loyalty report {experiment.name}"))
