"""Two runs side by side: what each measure was, what it is, and whether that is more than chance."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from . import words
from .history import SAME

WORDS = {"up": "up", "down": "down", "flat": "unchanged"}
DIFFERS = {"horizon_days": "horizon", "active_within_days": "activity window", "currency": "currency"}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One measure in two runs.

    Attributes
    ----------
    name, label, group, unit : see `summary_types.Number`.
    before, now : values; None where one is not known, or of few customers.
    direction : of the change, as the values are written; None where one of them is missing.
    size : of the change, in words without a sign.
    beyond : whether it is larger than the 90 % intervals of both make of chance; None where there are none.
    good : whether it is for the better; None if neither, or not known to be beyond chance.
    """

    name: str
    label: str
    group: str
    unit: str
    before: float | None
    now: float | None
    direction: Literal["up", "down", "flat"] | None
    size: str
    beyond: bool | None
    good: bool | None

    def told(self) -> str:
        """The change in words, such as "up 1.2 points".

        Examples
        --------
        >>> measure = {"name": "n", "label": "N", "group": "base", "unit": "share", "before": 0.1, "now": 0.2}
        >>> Change(**measure, direction="up", size="10.0 points", beyond=None, good=None).told()
        'up 10.0 points'
        """
        if self.direction is None:
            return ""
        return WORDS[self.direction] if self.direction == "flat" else f"{WORDS[self.direction]} {self.size}"


Writer = Callable[[float | None], str]
"""Writes a value, or that there is none."""


def writer(unit: str, currency: str | None) -> Writer:
    """How values of a unit are written; a dash where there is none."""
    writers: dict[str, Callable[[float], str]] = {
        "share": words.percent,
        "money": lambda value: words.money(value, currency or ""),
        "days": words.days,
    }
    write = writers.get(unit, words.count)
    return lambda value: words.NOTHING if value is None else write(value)


def changes(before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]], currency: str) -> list[Change]:
    """Each measure that both runs tell, in the order of the later.

    Parameters
    ----------
    before, now : `numbers` of two runs.
    currency : of both.
    """
    earlier = {one["name"]: one for one in before}
    return [_change(earlier[one["name"]], one, currency) for one in now if one["name"] in earlier]


def _change(before: Mapping[str, Any], now: Mapping[str, Any], currency: str) -> Change:
    same = {name: now[name] for name in ("name", "label", "group", "unit")}
    first, last = before["value"], now["value"]
    if first is None or last is None:
        return Change(**same, before=first, now=last, direction=None, size="", beyond=None, good=None)
    write = words.points if now["unit"] == "share" else writer(now["unit"], currency)
    size = _size(now["unit"], first, last)
    flat = write(abs(size)) == write(0.0)
    direction: Literal["up", "down", "flat"] = "flat" if flat else "up" if size > 0 else "down"
    beyond = _beyond(before, now)
    better = now["more_is_better"]
    judged = better is not None and not flat and beyond is True
    return Change(
        **same, before=first, now=last, direction=direction, size=write(abs(size)), beyond=beyond,
        good=(direction == "up") == better if judged else None,
    )  # fmt: skip


def _size(unit: str, before: float, now: float) -> float:
    """Difference of two values as they are printed, so that a reader who subtracts finds the same."""
    if unit == "share":
        return words.step(now, before)
    return now - before if unit == "money" else round(now) - round(before)


def _beyond(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool | None:
    """Whether two values differ by more than their intervals make of chance, as if the two were independent."""
    halves = [(one["high"] - one["low"]) / 2 for one in (before, now) if None not in (one["low"], one["high"])]
    if len(halves) < 2:
        return None
    return bool(abs(now["value"] - before["value"]) > np.hypot(*halves))


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What keeps two runs from being comparable, in words; empty if nothing does."""
    return [
        f"another {DIFFERS[name]} ({one.get(name)} and {other.get(name)})"
        for name in SAME
        if one.get(name) != other.get(name)
    ]


def diff(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What is different in two runs of a dataset, as plain values.

    Parameters
    ----------
    before, now : runs, as from `history.past`.

    Returns
    -------
    before, after : run, as_of, place, outcome and SAME of each.
    not_comparable : why measures are not compared; empty if they are.
    measures : see `Change`, with `told`; empty if not comparable.
    bridge : how the value of customers changed, if the later run told it against the earlier; else null.
    alarms : `new` and `gone`, sentences.
    """
    apart = differing(before, now)
    told = [] if apart else changes(before.get("numbers") or (), now.get("numbers") or (), str(now.get("currency")))
    bridge = now.get("bridge")
    was, are = ({_kind(text): text for text in run.get("alarms") or ()} for run in (before, now))
    return {
        "before": _head(before),
        "after": _head(now),
        "not_comparable": apart,
        "measures": [vars(one) | {"told": one.told()} for one in told],
        "bridge": bridge if bridge and bridge.get("run") == before.get("run") else None,
        "alarms": {
            "new": [text for kind, text in are.items() if kind not in was],
            "gone": [text for kind, text in was.items() if kind not in are],
        },
    }


def _kind(alarm: str) -> str:
    """What an alarm is about, without its numbers.

    Examples
    --------
    >>> _kind("goal missed: Active customers who left 35.2 %, to be at most 30 %")
    'goal missed: Active customers who left '
    """
    return re.split(r"[\d(−]", alarm, maxsplit=1)[0]


def _head(run: Mapping[str, Any]) -> dict[str, Any]:
    return {name: run.get(name) for name in ("run", "as_of", "place", "outcome", *SAME)}
