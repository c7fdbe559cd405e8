"""What may be told of goals: the results of the step without what rests on few customers, and values in words."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from ... import notation
from ...study import Study
from .. import words
from .effect_numbers import mark


def note(study: Study) -> str:
    """What figures say of the data; empty where there is nothing to say."""
    return mark(study).removeprefix(", ")


def told(study: Study) -> dict[str, dict[str, Any]]:
    """Goals by measure, without those of which nothing is known or that rest on few customers; see `progress.goals`."""
    minimum = study.dataset.privacy.minimum_cell
    found: dict[str, dict[str, Any]] = study.goal_progress()["about"]["goals"]
    return {
        measure: goal
        for measure, goal in found.items()
        if not goal["refused"]
        and (goal["start_customers"] is None or goal["start_customers"] >= minimum)
        and (rows_of(study, "actual", measure).tail(1).get("customers", pd.Series([minimum])) >= minimum).all()
    }


def rows_of(study: Study, name: str, measure: str) -> pd.DataFrame:
    """The rows of one goal."""
    frame: pd.DataFrame = study.goal_progress()[name]
    return frame[frame["measure"] == measure].reset_index(drop=True)


def measured(study: Study, measure: str) -> pd.DataFrame:
    """What was measured, without periods of few customers; see `programme.goal_measures.path`."""
    rows = rows_of(study, "actual", measure)
    return rows[rows["customers"] >= study.dataset.privacy.minimum_cell] if len(rows) else rows


def writer(study: Study, goal: dict[str, Any]) -> Callable[[float], str]:
    """How values of a goal are written."""
    if goal["unit"] == "share":
        return words.percent
    if goal["unit"] == "money":
        return lambda value: words.money(value, study.dataset.currency)
    if goal["unit"] == "count":
        return words.count
    return lambda value: words.count(value).replace("-", "−")


def _to_a_tenth(value: float) -> str:
    return notation.write(f"{value:.1f}")


def change_writer(study: Study, goal: dict[str, Any]) -> Callable[[float], str]:
    """How a difference of two values is written, with its sign."""
    write = words.points if goal["unit"] == "share" else writer(study, goal)
    if goal["unit"] == "points":
        write = _to_a_tenth

    def told(value: float) -> str:
        size = write(abs(value))
        sign = "−" if value < 0 else "+"
        return f"{sign}{size}" if any(digit in size for digit in "123456789") else size

    return told


def now(study: Study, measure: str, goal: dict[str, Any]) -> str:
    """The last value with its interval; a number of members is counted."""
    row, write = measured(study, measure).iloc[-1], writer(study, goal)
    span = f" (90 % interval {words.between(row['low'], row['high'], write)})" if row["low"] < row["high"] else ""
    return f"{write(row['value'])}{span}"


def chance(probability: float) -> str:
    """A probability in words that do not claim more than can be known.

    Examples
    --------
    >>> chance(0.004), chance(0.66), chance(0.999)
    ('under 1 %', '66 %', 'over 99 %')
    """
    if probability < 0.01:
        return "under 1 %"
    return "over 99 %" if probability > 0.99 else f"{round(100 * probability)} %"


def last_day(end: str | pd.Timestamp) -> str:
    """The day before a period's end, in words."""
    return words.day(pd.Timestamp(end) - pd.Timedelta(days=1))


def period_days(study: Study) -> int:
    """Length of a period."""
    days: int = study.goal_progress()["about"]["days"]
    return days
