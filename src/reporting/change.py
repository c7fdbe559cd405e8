"""What became of the measures since earlier runs, as the executive page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from markupsafe import Markup

from ..study import Study
from . import bridge, compare, history, page, sparkline, words
from .summary_types import Changed, Number, Trend

MOST = 60
"""Runs that a small drawing shows, the latest; the archive has them all."""

PROMISED, REALISED = "_promised", "_realised"
"""Ends of the names of two measures that belong together."""

FIRST = (
    "This is the first report of its kind: there is no earlier run to compare with. "
    "From the next one on, this is where it says what changed and why."
)


def earlier_runs(study: Study) -> list[Mapping[str, Any]]:
    """Runs of the same question at earlier dates, in order of date; see `history.comparable`."""
    like = {
        "horizon_days": study.horizon_days,
        "active_within_days": study.active_within_days,
        "currency": study.dataset.currency,
    }
    runs = history.comparable(history.past(study.root, study.name), like)
    return [run for run in runs if str(run["as_of"]) < study.as_of.isoformat()]


def bridged(study: Study, earlier: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The bridge from the last of them, see `bridge.packed`; None where there is none, or it left nothing behind."""
    if not earlier or not earlier[-1].get("value"):
        return None
    return bridge.packed(study, earlier[-1])


def changed(
    study: Study,
    numbers: Sequence[Number],
    earlier: Sequence[Mapping[str, Any]],
    crossed: Mapping[str, Any] | None,
) -> Changed:
    """What is told of earlier runs on the executive page.

    Parameters
    ----------
    numbers : of this run.
    earlier : see `earlier_runs`.
    crossed : see `bridged`.
    """
    now = [asdict(number) for number in numbers]
    if not earlier:
        return Changed(since="", sentences=[FIRST], trends={}, picture=None)
    last, currency = earlier[-1], study.dataset.currency
    moves = {one.name: one for one in compare.changes(last["numbers"], now, currency)}
    this = {"as_of": study.as_of.isoformat(), "numbers": now}
    trends = {
        name: Trend(svg=drawn, change=moves[name].told() if name in moves else "", good=_good(moves.get(name)))
        for name, drawn in drawings([*earlier, this][-MOST:], currency).items()
    }
    sentences = [moved(list(moves.values()), words.day(last["as_of"]))]
    picture = None
    if crossed is not None:
        sentences.append(bridge.sentences(crossed, currency, study.horizon_days))
    if crossed is not None and crossed["steps"]:
        picture = page.picture(bridge.waterfall(crossed, currency), reading(crossed, currency))
    return Changed(since=words.day(last["as_of"]), sentences=sentences, trends=trends, picture=picture)


def moved(moves: Sequence[compare.Change], since: str) -> str:
    """Which measures moved beyond chance since an earlier run, in a sentence."""
    beyond = [f"{one.label[0].lower()}{one.label[1:]} {one.told()}" for one in moves if one.beyond]
    if beyond:
        return f"Since the report of {since}, beyond chance: {words.listed(beyond)}."
    return f"Since the report of {since} no measure with an error has moved by more than its error."


def reading(crossed: Mapping[str, Any], currency: str) -> str:
    """The figure of the bridge in a sentence or two."""
    steps = sorted(crossed["steps"], key=lambda one: -abs(one["cents"]))
    told = [f"{one['label'].lower()} {bridge.sized(one['cents'], currency)}" for one in steps if one["cents"]]
    whole = bridge.sized(crossed["now"] - crossed["before"], currency)
    return (
        f"Together {whole} than on {words.day(crossed['as_of'])}: {words.listed(told)}. The steps add up to the cent; "
        "taken in another order their sizes would differ a little."
    )


def drawings(runs: Sequence[Mapping[str, Any]], currency: str, **size: int) -> dict[str, Markup]:
    """A small drawing of each measure that is not the same in all runs, by name; promised lies with what happened.

    Parameters
    ----------
    runs : in order of date.
    size : width and height, see `sparkline.line`.
    """
    found, known = {}, series(runs)
    for name, points in known.items():
        still = len({one.value for one in points}) == 1
        if len(points) < 2 or still or (name.endswith(PROMISED) and _realised(name) in known):
            continue
        latest = _latest(runs, name)
        promised = known.get(name.replace(REALISED, PROMISED), []) if name.endswith(REALISED) else []
        write = compare.writer(latest["unit"], currency)
        found[name] = sparkline.line(points, latest["label"], write, goal=latest["goal"], promised=promised, **size)
    return found


def _realised(name: str) -> str:
    return name.removesuffix(PROMISED) + REALISED


def series(runs: Sequence[Mapping[str, Any]]) -> dict[str, list[sparkline.Point]]:
    """What is known of each measure, run by run."""
    found: dict[str, list[sparkline.Point]] = {}
    for run in runs:
        for one in run["numbers"]:
            if one["value"] is not None:
                day = date.fromisoformat(run["as_of"])
                point = sparkline.Point(day=day, value=one["value"], low=one["low"], high=one["high"])
                found.setdefault(one["name"], []).append(point)
    return found


def _latest(runs: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """A measure as the last run that has it tells it."""
    return next(one for run in reversed(runs) for one in run["numbers"] if one["name"] == name)


def _good(move: compare.Change | None) -> bool | None:
    return None if move is None else move.good
