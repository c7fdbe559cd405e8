"""Goals with a date: where a measure is, where it should be, where it is going, and which customers carry it.

The target path goes straight from the start to the first stage, from stage to stage, and to the target at the end of
the deadline's day. A measure is looked at in periods of one length that follow each other and end at the as-of date;
the forecast is for the period that ends with the deadline. What is forecast are periods like those seen: seasons are
not told apart, and nothing that the retailer is about to change is known to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import pandas as pd

from ..aims import RANGES, Goal
from ..errors import DataError
from .carriers import between
from .effect import Interval
from .goal_forecast import FEWEST, MEANING, Ahead, ahead, backtest, chosen
from .goal_measures import LABELS, Groups, Measured, better, path

Verdict = Literal["reached", "missed", "not known", "not begun", "ahead", "behind"]

PERIODS = 24
"""That are looked at before the as-of date, at most."""


@dataclass(frozen=True)
class Progress:
    """How far a goal is reached.

    Attributes
    ----------
    measure, label, unit, definition : what is measured, and how, in words.
    start, target : values at `starts` and at the end of `deadline`.
    start_customers : that `start` was measured on; None where the dataset file gives it.
    starts, deadline : first and last day.
    verdict : of a goal that is over `reached`, `missed` or `not known`; of one that begins later `not begun`; else
        whether the last period is `ahead` of its path or `behind` it.
    actual : end, customers, value, standard_error, low, high, and target (of the path; NaN before the start).
    stages : by, target, value (NaN where not known), customers (0 then), verdict (`reached`, `missed`, `not known`,
        `to come`).
    forecast : end, value, low, high and target, up to the deadline; empty where there is none.
    at_deadline : what is forecast for the deadline; None where nothing is.
    probability : that the value at the deadline is at the target or better; 0 or 1 of a goal that is over, None where
        nothing is forecast.
    model : in words; empty where nothing is forecast.
    tested : error of each model on the past, see `goal_forecast.backtest`.
    carriers, carried : who carries the change, and the ends of the two periods, see `carriers.between`.
    notes : what else a reader must know, in sentences.
    """

    measure: str
    label: str
    unit: str
    definition: str
    starts: date
    deadline: date
    start: float
    start_customers: int | None
    target: float
    verdict: Verdict
    actual: pd.DataFrame
    stages: pd.DataFrame
    forecast: pd.DataFrame
    at_deadline: Interval | None
    probability: float | None
    model: str
    tested: pd.DataFrame
    carriers: pd.DataFrame
    carried: tuple[date, ...]
    notes: tuple[str, ...]


def progress(
    measure: str, goal: Goal, seen: Measured, as_of: date, first_day: date, groups: Groups | None = None
) -> Progress:
    """How far a goal is reached, and whether it will be.

    A goal whose deadline is over is judged by the period that ends with it, and nothing is forecast.

    Parameters
    ----------
    measure : see `aims.RANGES`.
    goal : of the dataset file.
    seen : where it is measured.
    as_of : first day that is not known.
    first_day : of the log; earlier periods are not known.
    groups : customers by what they were at a date, to tell who carries the change.

    Raises
    ------
    SettingsError : the measure is not known.
    DataError : the dataset lacks what it is measured on, or the start is neither given nor known.
    """
    until = min(as_of, goal.deadline + timedelta(days=1))
    ends = _ends(until, seen.days, first_day + timedelta(days=seen.needs_days(measure)))
    actual = path(measure, seen, ends).dropna(subset=["value"]).reset_index(drop=True)
    start, customers = (goal.start, None) if goal.start is not None else _start(measure, goal, seen, as_of, first_day)
    target = goal.target_from(start)
    actual = actual.assign(target=on_path(goal, start, pd.DatetimeIndex(actual["end"])))
    over = as_of > goal.deadline
    forecast, last, tested, model = _forecast(measure, goal, start, actual, until, seen.days, over)
    known = [pd.Timestamp(end).date() for end in actual["end"]]
    moved, carried = between(measure, seen, known, goal.starts, groups)
    return Progress(
        measure=measure,
        label=LABELS[measure][0],
        unit=LABELS[measure][1],
        definition=seen.definition(measure),
        starts=goal.starts,
        deadline=goal.deadline,
        start=start,
        start_customers=customers,
        target=target,
        verdict=_verdict(measure, goal, target, actual, as_of),
        actual=actual,
        stages=_stages(measure, goal, seen, as_of, first_day),
        forecast=forecast,
        at_deadline=None if last is None else _within(last.interval, measure),
        probability=_probability(measure, target, actual, last, until, over),
        model=model,
        tested=tested,
        carriers=moved,
        carried=carried,
        notes=_notes(measure, start, target, actual, over, last),
    )


def on_path(goal: Goal, start: float, ends: pd.DatetimeIndex) -> np.ndarray:
    """Target of periods that end before some days; NaN before the start, the target itself after the deadline."""
    days = [goal.starts, *(stage.by + timedelta(days=1) for stage in goal.stages), goal.deadline + timedelta(days=1)]
    values = [start, *(stage.target for stage in goal.stages), goal.target_from(start)]
    numbers = [(pd.Timestamp(day) - pd.Timestamp(goal.starts)).days for day in days]
    asked = (pd.DatetimeIndex(ends) - pd.Timestamp(goal.starts)).days.to_numpy(float)
    return np.asarray(np.interp(asked, numbers, values, left=np.nan))


def _ends(until: date, days: int, earliest: date) -> list[date]:
    """Ends of the whole periods up to a day, the earliest first."""
    ends = [until - timedelta(days=days * back) for back in range(PERIODS)]
    return sorted(end for end in ends if end >= earliest)


def _start(measure: str, goal: Goal, seen: Measured, as_of: date, first_day: date) -> tuple[float, int]:
    """Value at the start, and of how many customers."""
    value, customers = _value(measure, seen, goal.starts, as_of, first_day)
    if not np.isfinite(value):
        raise DataError(
            f"goals.{measure}: the value at the start on {goal.starts} is not known, for the log holds {first_day} to "
            f"{as_of - timedelta(days=1)} and a period has {seen.needs_days(measure)} days; write `start`"
        )
    return value, customers


def _value(measure: str, seen: Measured, end: date, as_of: date, first_day: date) -> tuple[float, int]:
    """A measure in the period that ends before a day, and of how many customers; NaN where the log does not hold it."""
    if end > as_of or end - timedelta(days=seen.needs_days(measure)) < first_day:
        return np.nan, 0
    row = path(measure, seen, [end]).iloc[0]
    return float(row["value"]), int(row["customers"])


def _reached(measure: str, value: float, target: float) -> bool:
    return better(measure) * (value - target) >= 0


def _verdict(measure: str, goal: Goal, target: float, actual: pd.DataFrame, as_of: date) -> Verdict:
    if as_of <= goal.starts:
        return "not begun"
    if actual.empty:
        return "not known"
    now = actual.iloc[-1]
    if as_of > goal.deadline:
        if pd.Timestamp(now["end"]).date() <= goal.deadline:
            return "not known"
        return "reached" if _reached(measure, now["value"], target) else "missed"
    return "ahead" if _reached(measure, now["value"], now["target"]) else "behind"


def _stages(measure: str, goal: Goal, seen: Measured, as_of: date, first_day: date) -> pd.DataFrame:
    rows = []
    for stage in goal.stages:
        end = stage.by + timedelta(days=1)
        value, customers = _value(measure, seen, end, as_of, first_day)
        if end > as_of:
            verdict = "to come"
        elif np.isnan(value):
            verdict = "not known"
        else:
            verdict = "reached" if _reached(measure, value, stage.target) else "missed"
        rows.append((stage.by, stage.target, value, customers, verdict))
    return pd.DataFrame(rows, columns=["by", "target", "value", "customers", "verdict"])


def _forecast(
    measure: str, goal: Goal, start: float, actual: pd.DataFrame, until: date, days: int, over: bool
) -> tuple[pd.DataFrame, Ahead | None, pd.DataFrame, str]:
    """Forecast up to the deadline, that for the deadline, how models did on the past, and which was taken."""
    blank = pd.DataFrame(columns=["end", "value", "low", "high", "target"])
    series = actual["value"].to_numpy(float)
    if over or len(series) < FEWEST or pd.Timestamp(actual["end"].iloc[-1]).date() != until:
        return blank, None, pd.DataFrame(columns=["error", "origins"]), ""
    left = (goal.deadline + timedelta(days=1) - until).days
    # The last period ends with the deadline: as many as come nearest to it.
    periods = max(1, round(left / days))
    tested = backtest(series, periods)
    model = chosen(tested)
    found = [ahead(series, number, model) for number in range(1, periods + 1)]
    ends = [*(until + timedelta(days=days * n) for n in range(1, periods)), goal.deadline + timedelta(days=1)]
    told = [_within(each.interval, measure) for each in found]
    frame = pd.DataFrame(
        {
            "end": pd.to_datetime(ends),
            "value": [each.estimate for each in told],
            "low": [each.low for each in told],
            "high": [each.high for each in told],
        }
    )
    return frame.assign(target=on_path(goal, start, pd.DatetimeIndex(ends))), found[-1], tested, MEANING[model]


def _within(found: Interval, measure: str) -> Interval:
    """The same within the values that the measure can have."""
    low, high = RANGES[measure]
    # More points may be handed in than were earned in the same period.
    most = None if measure == "redemption" else high
    return Interval(*(float(np.clip(each, low, most)) for each in (found.estimate, found.low, found.high)))


def _probability(
    measure: str, target: float, actual: pd.DataFrame, last: Ahead | None, until: date, over: bool
) -> float | None:
    if over and not actual.empty and pd.Timestamp(actual["end"].iloc[-1]).date() == until:
        return float(_reached(measure, actual["value"].iloc[-1], target))
    if last is None:
        return None
    below = last.at_most(target)
    return 1 - below if better(measure) > 0 else below


def _notes(
    measure: str, start: float, target: float, actual: pd.DataFrame, over: bool, last: Ahead | None
) -> tuple[str, ...]:
    notes = []
    if _reached(measure, start, target):
        notes.append("The measure was at its target when the goal began; choose another target.")
    if over:
        notes.append("The deadline is over: the goal is judged by the period that ended with it.")
    elif last is None:
        notes.append(f"Nothing is forecast: {len(actual)} periods are known up to the last, and {FEWEST} are needed.")
    else:
        notes.append("Seasons are not told apart, and what is about to be changed is not known to the forecast.")
    return tuple(notes)
