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
    said, limits = [], made["limits"]
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
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"Money in {made['currency']}; value expected, with a 90 % interval or the assumed range")
    table.title_justify = "left"
    for number, heading in enumerate(("Rule", "Channel", "Customers", "Held out", "Cost", "Value", "from", "to", "")):
        table.add_column(heading, justify="right" if 2 <= number <= 7 else "left")
    for rule in made["rules"]:
        money = [f"{rule[name]:,.2f}" for name in ("cost", "value", "value_low", "value_high")]
        cells = [rule["rule"], rule["channel"], f"{rule['customers']:,}", f"{rule['held_out']:,}", *money]
        table.add_row(*map(Text, [*cells, _evidence(rule["evidence"])]))
    return table


def _evidence(designs: str | None) -> str:
    if designs is None:
        return ""
    return "assumed" if designs == "assumed" else f"measured ({designs})"


def _near(place: str) -> str:
    path = os.path.relpath(place)
    return place if path.startswith("..") else path
