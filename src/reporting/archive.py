"""The archive of a dataset: all runs, every measure over time, and each run beside the one before."""

import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from .. import notation
from . import bridge, change, compare, history, sparkline, words

if TYPE_CHECKING:
    from ..schema import Dataset

NAME = "archive.html"
MOST_RUNS = 400
"""Runs that are drawn and listed, the latest; a year of nights and more."""
MOST_COMPARED = 60
"""Runs that are held against the one before, the latest."""
MOST_ALARMS = 5
"""Told of a run in the archive; its own page has them all."""
SIZE = {"width": 300, "height": 84}

GROUPS = {
    "base": "What happened",
    "ahead": "What was expected",
    "models": "Promised and realised",
    "programme": "The programme",
    "health": "Health of the data",
}
LISTED = ("active_customers", "churned_rate", "expected_spend", "clv")
"""Measures that stand in the list of runs."""
MADE_NOTHING = {
    "failed": "failed", "bug": "failed", "wrong": "had wrong input", "refused": "were refused",
    "busy": "met another run", "stopped": "were stopped", "broken off": "broke off",
    "unchanged": "found nothing changed",
}  # fmt: skip
"""What becomes of runs that publish nothing new, in words."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """One measure over all runs.

    Attributes
    ----------
    label, value : its name, and what it is in the last run that knows it.
    svg : the drawing; None where fewer than two runs know it.
    note : of the drawing.
    """

    label: str
    value: str
    svg: Markup | None
    note: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One report in the list.

    Attributes
    ----------
    day, made : its as-of date, and when it was made, in words.
    link : to its page; empty where it is not kept any more.
    cells : the measures of `LISTED`.
    alarms : how many.
    """

    day: str
    made: str
    link: str
    cells: Sequence[str]
    alarms: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """A report held against the one before.

    Attributes
    ----------
    title : both dates.
    sentences : what changed and why, Markdown.
    moves : label, before, now and change of each measure that is another.
    """

    title: str
    sentences: Sequence[str]
    moves: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """All runs that can be compared with each other."""

    title: str
    anchor: str
    courses: Mapping[str, Sequence[Course]]
    heads: Sequence[str]
    rows: Sequence[Row]
    steps: Sequence[Step]
    left_out: int


def rebuild(root: Path, name: str, dataset: "Dataset") -> Path | None:
    """Write `reports/<dataset>/archive.html` anew from all that is known of past runs.

    Parameters
    ----------
    root : the project's folder.
    name : of the dataset.
    dataset : what its file says.

    Returns
    -------
    Path or None
        The page; None where no run has left measures behind, as for an experiment.

    Raises
    ------
    OSError
        If it cannot be written; the page that was there stays.
    """
    from .render import Heading, render_template

    runs = history.past(root, name)
    parts = [_part(root, name, like, runs) for like in _questions(runs, dataset)]
    if not parts:
        return None
    heading = Heading(
        dataset=dataset.title,
        as_of=max(date.fromisoformat(run["as_of"]) for run in runs if run["numbers"]),
        horizon_days=None,
        notice=dataset.notice,
        created=datetime.now(UTC).replace(microsecond=0),
        minimum_cell=dataset.privacy.minimum_cell,
    )
    content = {"parts": parts, "groups": GROUPS, "told": told(runs), "home": _home(root / "reports" / name, parts)}
    html = render_template("archive.html.j2", "archive", content, pages=[], heading=heading)
    page = root / "reports" / name / NAME
    _replace(page, html)
    return page


def _home(reports: Path, parts: Sequence[Part]) -> str:
    """The page that readers come from; where all reports have a horizon of their own, none is called `latest`."""
    links = ["latest/index.html", *(row.link for part in parts for row in part.rows if row.link)]
    return next((link for link in links if (reports / link).is_file()), links[0])


def refresh(root: Path, name: str, dataset: "Dataset", tell: Callable[[str], None]) -> None:
    """`rebuild`; where that fails it is told: the reports are out already, and are not worse for it."""
    try:
        with notation.of(dataset.number_format):
            rebuild(root, name, dataset)
    except OSError as error:
        tell(f"the archive could not be written: {error.strerror or error}")


def is_current(report: Path) -> bool:
    """Whether the archive beside a report's folder was written after it: a run may have been killed in between."""
    try:
        return (report.parent / NAME).stat().st_mtime >= (report / "manifest.json").stat().st_mtime
    except OSError:
        return False


def told(runs: Sequence[Mapping[str, Any]]) -> str:
    """How many runs there were and what became of them; never what an error said, which may be personal.

    Examples
    --------
    >>> told([{"outcome": "done"}, {"outcome": "done"}, {"outcome": "refused"}])
    '3 runs are known: 2 made a report, 1 was refused.'
    """
    counts: dict[str, int] = {}
    for run in runs:
        kind = MADE_NOTHING.get(str(run["outcome"]), "made a report")
        counts[kind] = counts.get(kind, 0) + 1
    parts = sorted(counts.items(), key=lambda item: (item[0] != "made a report", -item[1]))
    listed = ", ".join(
        f"{words.count(number)} {kind.replace('were', 'was') if number == 1 else kind}" for kind, number in parts
    )
    return f"{words.count(len(runs))} run{'s are' if len(runs) > 1 else ' is'} known: {listed}."


def _questions(runs: Sequence[Mapping[str, Any]], dataset: "Dataset") -> list[dict[str, Any]]:
    """The different questions that runs answered, that of the dataset file first."""
    found = {tuple(run[name] for name in history.SAME) for run in runs if run["numbers"]}
    own = (dataset.study.horizon_days, dataset.study.active_within_days, dataset.currency)
    ordered = sorted(found, key=lambda one: (one != own, one))
    return [dict(zip(history.SAME, one, strict=True)) for one in ordered]


def _part(root: Path, name: str, like: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> Part:
    everything = history.comparable(runs, like)
    shown = everything[-MOST_RUNS:]
    currency = str(like["currency"])
    labels = {one["name"]: one["label"] for run in shown for one in run["numbers"]}
    heads = [measure for measure in LISTED if measure in labels]
    pairs = list(pairwise(shown))[-MOST_COMPARED:]
    ahead, active = (words.days(like[name]) for name in ("horizon_days", "active_within_days"))
    return Part(
        title=f"Looking {ahead} ahead, active within {active}",
        anchor=f"h{like['horizon_days']}-a{like['active_within_days']}",
        courses=_courses(shown, currency),
        heads=[labels[measure] for measure in heads],
        rows=[_row(root / "reports" / name, run, heads, currency) for run in reversed(shown)],
        steps=[_step(before, now, currency) for before, now in reversed(pairs)],
        left_out=len(everything) - len(shown),
    )


def _courses(runs: Sequence[Mapping[str, Any]], currency: str) -> dict[str, list[Course]]:
    """Every measure by what it is about."""
    drawn, known = change.drawings(runs, currency, **SIZE), change.series(runs)
    latest = {one["name"]: one for run in runs for one in run["numbers"]}
    found: dict[str, list[Course]] = {}
    for measure, one in latest.items():
        pair = measure.replace(change.REALISED, change.PROMISED)
        realised = measure.replace(change.PROMISED, change.REALISED)
        if measure not in known or (realised != measure and realised in drawn):
            continue
        write = compare.writer(one["unit"], currency)
        promised = known.get(pair, ()) if pair != measure else ()
        note = _note(known[measure], promised, one["goal"], write)
        course = Course(label=one["label"], value=write(known[measure][-1].value), svg=drawn.get(measure), note=note)
        found.setdefault(one["group"], []).append(course)
    return found


def _note(
    points: Sequence[sparkline.Point], promised: Sequence[sparkline.Point], goal: float | None, write: compare.Writer
) -> str:
    """Where the drawing of a measure begins, and what its broken line is; or that there is none to draw."""
    if len(points) < 2:
        return ""
    if len({one.value for one in points}) == 1:
        return f"the same in {words.count(len(points))} reports"
    told = [f"from {write(points[0].value)} on {words.day(points[0].day)}"]
    if goal is not None:
        told.append(f"broken line: goal, {write(goal)}")
    elif len(promised) > 1:
        told.append(f"broken line: promised, last {write(promised[-1].value)}")
    return "; ".join(told)


def _row(reports: Path, run: Mapping[str, Any], heads: Sequence[str], currency: str) -> Row:
    values = {one["name"]: one for one in run["numbers"]}
    cells = [
        compare.writer(values[name]["unit"], currency)(values[name]["value"]) if name in values else words.NOTHING
        for name in heads
    ]
    place = str(run["place"] or "")
    there = bool(place) and (reports / place / "index.html").is_file()
    return Row(
        day=words.day(run["as_of"]),
        made=words.day(str(run["started"])[:10]) if run["started"] else words.NOTHING,
        link=f"{place}/index.html" if there else "",
        cells=cells,
        alarms=len(run["alarms"] or ()),
    )


def _step(before: Mapping[str, Any], now: Mapping[str, Any], currency: str) -> Step:
    said = compare.diff(before, now)
    moves = compare.changes(before["numbers"], now["numbers"], currency)
    sentences = [change.moved(moves, words.day(before["as_of"]))]
    if said["bridge"]:
        sentences.append(bridge.sentences(said["bridge"], currency, int(now["horizon_days"])))
    for kind, what in (("new", "New alarms"), ("gone", "Alarms that are over")):
        if texts := said["alarms"][kind]:
            more = f"; and {len(texts) - MOST_ALARMS} more" if len(texts) > MOST_ALARMS else ""
            sentences.append(f"{what}: {'; '.join(texts[:MOST_ALARMS])}{more}.")
    rows = []
    for one in moves:
        write = compare.writer(one.unit, currency)
        if one.direction not in (None, "flat"):
            rows.append((one.label, write(one.before), write(one.now), one.told()))
    title = f"{words.day(now['as_of'])} against {words.day(before['as_of'])}"
    return Step(title=title, sentences=sentences, moves=rows)


def _replace(page: Path, html: str) -> None:
    """Write the page beside its place, and put it there in one step."""
    page.parent.mkdir(parents=True, exist_ok=True)
    fresh = page.with_name(f".archive-{uuid.uuid4().hex}")
    try:
        fresh.write_text(html, encoding="utf-8", newline="\n")
        os.replace(fresh, page)
    finally:
        fresh.unlink(missing_ok=True)
