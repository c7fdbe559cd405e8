"""What `loyalty check` prints: what a log holds, what is wrong with it, and whether a report can be made."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

IDENTIFIERS = ("customer", "order", "customer_as_given", "number")
"""Fields of a sample that are shown by their beginning."""

IN_WORDS = ("gap_days", "level_break")
"""Findings whose detail says all that their sample holds."""

MARKS = {"refusal": "refused", "warning": "warning", "note": "note"}
NOT_FACTS = ("findings", "refusals", "quarantine", "quarantined_later")


def to_json(checked: Mapping[str, Any]) -> str:
    """All of it for a program; identifiers in the samples are masked.

    Parameters
    ----------
    checked : see `Study.check`.
    """
    findings = [finding | {"sample": [*map(masked, finding["sample"])]} for finding in checked.get("findings", ())]
    shown = {**checked, "findings": findings} if "findings" in checked else checked
    return json.dumps(shown, indent=2, ensure_ascii=False, default=str)


def show(checked: Mapping[str, Any], title: str, console: "Console | None" = None) -> None:
    """Print all of it for a person: facts, findings with a few lines of each, and the verdict.

    Parameters
    ----------
    checked : see `Study.check`.
    title : of the dataset.
    """
    from rich.console import Console
    from rich.text import Text

    console = console or Console()
    console.print(_facts(checked, title))
    findings = checked.get("findings", [])
    if findings:
        console.print()
        console.print(_findings(findings))
        for finding in findings:
            console.print()
            for line in _told(finding):
                console.print(Text(line, overflow="fold"))
    if "quarantined" in checked:
        console.print()
        console.print(Text(_balance(checked)))
        console.print(Text(_verdict(checked)))


def masked(sample: Mapping[str, Any]) -> dict[str, Any]:
    """A line of a sample with its identifiers cut short.

    Whoever may see the whole line finds it in the quarantine file or in the log, by its time and amount; a terminal is
    copied into tickets and chats.

    Examples
    --------
    >>> masked({"customer": "48151", "amount": 4.5})
    {'customer': '48…', 'amount': 4.5}
    """
    return {name: cut(str(value)) if name in IDENTIFIERS else value for name, value in sample.items()}


def cut(identifier: str) -> str:
    """The first two characters, and of a short identifier at most half.

    Examples
    --------
    >>> cut("48151"), cut("ab"), cut("7"), cut("")
    ('48…', 'a…', '…', '')
    """
    return f"{identifier[: min(2, len(identifier) // 2)]}…" if identifier else ""


def written(value: Any) -> str:
    """A fact as it is printed: numbers with separators, the rest as it prints.

    Examples
    --------
    >>> written(1234567), written(12.5), written(None), written([])
    ('1,234,567', '12.50', '–', '–')
    """
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(map(written, value)) or "–"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _facts(checked: Mapping[str, Any], title: str) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in checked.items():
        if name not in NOT_FACTS:
            table.add_row(name.replace("_", " ").capitalize(), Text(written(value)))
    return table


def _findings(findings: list[dict[str, Any]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Findings, the worst first", title_justify="left")
    for heading in ("", "Finding", "Lines", "Share", "Worth", "Done", "Rule"):
        table.add_column(
            heading,
            justify="right" if heading in ("Lines", "Share", "Worth") else "left",
            # It is to be copied into the dataset file: on a narrow terminal it is folded, never cut.
            overflow="fold" if heading == "Rule" else "ellipsis",
        )
    for finding in findings:
        share = "–" if finding["share"] is None else f"{finding['share']:.2%}"
        numbers = (written(finding["lines"]), share, written(finding["money"]))
        words = (MARKS[finding["severity"]], finding["label"], *numbers, finding["done"], finding["rule"] or "–")
        table.add_row(*map(Text, words))
    return table


def _told(finding: Mapping[str, Any]) -> list[str]:
    """One finding in full: the numbers, what it means, what to do, and a few lines."""
    lines = [f"{finding['detail']}. {finding['means']} What to do: {finding['mend']}."]
    if finding["name"] not in IN_WORDS:
        # Of what could be read, what the source said need not be shown again.
        for row in map(masked, finding["sample"]):
            told = {
                name: value for name, value in row.items() if name.removesuffix("_as_given") not in row.keys() - {name}
            }
            lines.append("  " + ", ".join(f"{name} {_shown(value)}" for name, value in told.items()))
    return lines


def _shown(value: Any) -> str:
    """A value of a sample: amounts with two decimals, or up to four where they have them."""
    if not isinstance(value, float):
        return str(value)
    whole, _, fraction = f"{value:,.4f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}"


def _balance(checked: Mapping[str, Any]) -> str:
    told = f"{checked['lines']:,} lines in = {checked['used']:,} kept + {checked['quarantined']:,} set aside"
    if not checked["quarantined"]:
        return f"{told}."
    later = checked["quarantined_later"]
    beside = f", beside {later:,} of {checked['as_of']} or later" if later else ""
    return f"{told}, which lie in {checked['quarantine']}{beside}."


def _verdict(checked: Mapping[str, Any]) -> str:
    if not checked["refusals"]:
        return "A report can be made."
    return "No report can be made:\n" + "\n".join(f"  {reason}" for reason in checked["refusals"])
