"""What `loyalty actions` does and prints: who gets what, at what cost, and where the files are."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ..study import Study

Tell = Callable[[str], None]

RULE_WIDTH = 14
"""Characters that names of rules have at least, however narrow the terminal is."""


def make(study: Study, *, dry_run: bool, tell: Tell = lambda _: None) -> dict[str, Any]:
    """Choose actions and write their files.

    Parameters
    ----------
    dry_run : write no file, and make no key.
    tell : told what else the user must know.

    Returns
    -------
    The manifest, see docs/rules.md, and folder: where the files are, None where none was written.
    """
    from .. import exports, keys

    plan, told = study.plan, study.actions()
    known = keys.found() if dry_run else keys.key(tell)
    if known is None:
        tell("there is no key yet: who is held out is drawn anew when files are written")
    export = exports.exported(study, plan, told, known or secrets.token_bytes(32))
    if dry_run:
        return export.manifest | {"folder": None}
    folder = exports.place(study)
    return exports.write(folder, export) | {"folder": str(folder)}


def to_json(made: dict[str, Any]) -> str:
    """The manifest, for a program."""
    return json.dumps(made, indent=2, ensure_ascii=False, allow_nan=False)


def show(study: Study, made: dict[str, Any], console: Console | None = None) -> None:
    """The same for a person."""
    from rich.console import Console
    from rich.text import Text

    console = console or Console()
    console.print(Text(f"{study.dataset.title}: actions of {made['as_of']}"))
    console.print()
    console.print(_table(made))
    console.print()
    for sentence in sentences(made):
        console.print(Text(sentence))


def sentences(made: dict[str, Any]) -> list[str]:
    """What the table does not say."""
    said, limits = ["Value: expected, with its 90 % interval, or the range that is assumed."], made["limits"]
    if made["default_rules"]:
        said.append("The dataset file has no rules: these are the default ones, whose costs and effects are assumed.")
    if any(rule["customers"] and rule["evidence"] == "assumed" for rule in made["rules"]):
        said.append("Assumed: nobody has measured the effect; the held out are there to measure it.")
    if limits["budget"] is None:
        said.append("Budget: none is given (actions.budget), so that every action that pays is taken.")
    else:
        spent = sum(rule["cost"] for rule in made["rules"])
        said.append(f"Budget: {spent:,.2f} of {limits['budget']:,.2f} {made['currency']}.")
    said += [f"Left out: {each['rule']}, for {each['reason']}." for each in made["left_out"]]
    removed = [f"{number:,} by {name}" for name, number in made["removed"].items() if number]
    said.append(f"Customers with a rule who are not reached: {', '.join(removed) or 'none'}.")
    if made["consent"] != "recorded":
        said.append(f"Consent: {made['consent']}.")
    folder = made["folder"]
    said.append(f"Files: {_near(folder)}{os.sep}" if folder else "Nothing was written (--dry-run).")
    return said


def _table(made: dict[str, Any]) -> Table:
    """The rules, in lines that are broken between words, so that a narrow terminal cuts no number."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"Money in {made['currency']}", title_justify="left", box=None, padding=(0, 2, 1, 0))
    table.add_column("Rule", overflow="fold", min_width=RULE_WIDTH)
    rows = [_cells(rule) for rule in made["rules"]]
    longest = max((len(word) for row in rows for word in row[-1].split()), default=0)
    table.add_column("Customers\n(held out)", justify="right", no_wrap=True)
    table.add_column("Cost", justify="right", no_wrap=True)
    table.add_column("Value expected\n(from, to)", justify="right", min_width=longest)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _cells(rule: dict[str, Any]) -> tuple[str, str, str, str]:
    """What a row says; what stands below each other is of one column."""
    value = _money(rule["value"])
    if rule["customers"]:
        value += f"\n({_money(rule['value_low'])} to {_money(rule['value_high'])})"
    name = f"{rule['rule']}\n{_how(rule)}"
    return name, f"{rule['customers']:,}\n({rule['held_out']:,})", f"{rule['cost']:,.2f}", value


def _how(rule: dict[str, Any]) -> str:
    """The channel, and whether the value was measured."""
    return f"{rule['channel']}, {_evidence(rule['evidence'])}" if rule["evidence"] else str(rule["channel"])


def _evidence(designs: str) -> str:
    """How the effect is known.

    Examples
    --------
    >>> _evidence("assumed"), _evidence("assumed, randomised")
    ('assumed', 'measured (randomised), else assumed')
    """
    measured = [design for design in designs.split(", ") if design != "assumed"]
    if not measured:
        return "assumed"
    return f"measured ({', '.join(measured)})" + (", else assumed" if "assumed" in designs.split(", ") else "")


def _money(value: float) -> str:
    """Expected money: whole where that is enough.

    Examples
    --------
    >>> _money(1234.56), _money(12.345), _money(-0.001)
    ('1,235', '12.35', '0.00')
    """
    rounded = round(value, 0 if abs(value) >= 1000 else 2) + 0.0
    return f"{rounded:,.0f}" if abs(value) >= 1000 else f"{rounded:,.2f}"


def _near(place: str) -> str:
    path = os.path.relpath(place)
    return place if path.startswith("..") else path
