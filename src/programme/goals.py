"""Goals with a date: where a measure is, where it should be, where it is going, and which customers carry it.

The target path goes straight from the start to the first stage, from stage to stage, and to the target at the end of
the deadline's day. A measure is looked at in periods of one length that follow each other and end at the as-of date;
the forecast is for the period that ends with the deadline. What is forecast are periods like those seen: seasons are
not told apart, and nothing that the retailer is about to change is known to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import pandas as pd

from ..aims import RANGES, Goal
from ..errors import DataError
from .effect import Interval
from .goal_forecast import FEWEST, MEANING, Ahead, ahead, backtest, chosen
from .goal_measures import LABELS, Groups, Measured, better, by_group, path

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
    starts, deadline : first and last day.
    verdict : of a goal that is over `reached`, `missed` or `not known`; of one that begins later `not begun`; else
        whether the last period is `ahead` of its path or `behind` it.
    actual : end, customers, value, standard_error, low, high, and target (of the path; NaN before the start).
    stages : by, target, value (NaN where not known), verdict (`reached`, `missed`, `not known`, `to come`).
    forecast : end, value, low, high and target, up to the deadline; empty where there is none.
    at_deadline : what is forecast for the deadline; None where nothing is.
    probability : that the value at the deadline is at the target or better; 0 or 1 of a goal that is over, None where
        nothing is forecast.
    model : in words; empty where nothing is forecast.
    tested : error of each model on the past, see `goal_forecast.backtest`.
    carriers : see `carriers`; empty without groups or without a change.
    notes : what else a reader must know, in sentences.
    """

    measure: str
    label: str
    unit: str
    definition: str
    starts: date
    deadline: date
    start: float
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
    start = _start(measure, goal, seen, as_of, first_day) if goal.start is None else goal.start
    target = goal.target_from(start)
    actual = actual.assign(target=on_path(goal, start, pd.DatetimeIndex(actual["end"])))
    over = as_of > goal.deadline
    forecast, last, tested, model = _forecast(measure, goal, start, actual, until, seen.days, over)
    return Progress(
        measure=measure,
        label=LABELS[measure][0],
        unit=LABELS[measure][1],
        definition=seen.definition(measure),
        starts=goal.starts,
        deadline=goal.deadline,
        start=start,
        target=target,
        verdict=_verdict(measure, goal, target, actual, as_of),
        actual=actual,
        stages=_stages(measure, goal, seen, as_of, first_day),
        forecast=forecast,
        at_deadline=None if last is None else _within(last.interval, measure),
        probability=_probability(measure, target, actual, last, until, over),
        model=model,
        tested=tested,
        carriers=_carriers(measure, seen, ends, goal.starts, groups),
        notes=_notes(measure, start, target, actual, over, last),
    )


def on_path(goal: Goal, start: float, ends: pd.DatetimeIndex) -> np.ndarray:
    """Target of periods that end before some days; NaN before the start, the target itself after the deadline."""
    days = [goal.starts, *(stage.by + timedelta(days=1) for stage in goal.stages), goal.deadline + timedelta(days=1)]
    values = [start, *(stage.target for stage in goal.stages), goal.target_from(start)]
    numbers = [(pd.Timestamp(day) - pd.Timestamp(goal.starts)).days for day in days]
    asked = (pd.DatetimeIndex(ends) - pd.Timestamp(goal.starts)).days.to_numpy(float)
    return np.asarray(np.interp(asked, numbers, values, left=np.nan))


def carriers(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    r"""Which groups carry the change of a ratio: by their own change, and by their weight.

    With w the share of the denominator and r the ratio of a group, R of all (Kitagawa 1955, Journal of the American
    Statistical Association 50 (272), 1168-1194),

    .. math:: R_1 - R_0 = \sum_g \frac{w_{g0} + w_{g1}}{2} (r_{g1} - r_{g0})
              + \sum_g (w_{g1} - w_{g0}) \Bigl(\frac{r_{g0} + r_{g1}}{2} - \frac{R_0 + R_1}{2}\Bigr).

    A group that is missing on one side has the ratio of the other there, so that its change is one of weight.

    Parameters
    ----------
    before, after : numerator and denominator by group.

    Returns
    -------
    weight_before, weight_after (shares), rate_before, rate_after, rate_effect, mix_effect, effect (their sum) : index
        group, the largest effect first. The effects of all groups add up to the change.
    """
    groups = before.index.union(after.index)
    old, new = (frame.reindex(groups, fill_value=0.0) for frame in (before, after))
    weights = [frame["denominator"] / frame["denominator"].sum() for frame in (old, new)]
    totals = [frame["numerator"].sum() / frame["denominator"].sum() for frame in (old, new)]
    rates = [frame["numerator"] / frame["denominator"].where(frame["denominator"] != 0) for frame in (old, new)]
    first, second = rates[0].fillna(rates[1]).fillna(0.0), rates[1].fillna(rates[0]).fillna(0.0)
    rate = (weights[0] + weights[1]) / 2 * (second - first)
    mix = (weights[1] - weights[0]) * ((first + second) / 2 - sum(totals) / 2)
    frame = pd.DataFrame(
        {
            "weight_before": weights[0], "weight_after": weights[1], "rate_before": rates[0], "rate_after": rates[1],
            "rate_effect": rate, "mix_effect": mix, "effect": rate + mix,
        }
    )  # fmt: skip
    return frame.loc[frame["effect"].abs().sort_values(ascending=False, kind="stable").index]


def counted(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The same of a number of customers: each group's change is its effect; there is no rate."""
    both = pd.DataFrame({"before": before["numerator"], "after": after["numerator"]}).fillna(0.0)
    frame = both.assign(effect=both["after"] - both["before"])
    return frame.loc[frame["effect"].abs().sort_values(ascending=False, kind="stable").index]


def _ends(until: date, days: int, earliest: date) -> list[date]:
    """Ends of the whole periods up to a day, the earliest first."""
    ends = [until - timedelta(days=days * back) for back in range(PERIODS)]
    return sorted(end for end in ends if end >= earliest)


def _start(measure: str, goal: Goal, seen: Measured, as_of: date, first_day: date) -> float:
    value = _value(measure, seen, goal.starts, as_of, first_day)
    if not np.isfinite(value):
        raise DataError(
            f"goals.{measure}: the value at the start on {goal.starts} is not known, for the log holds {first_day} to "
            f"{as_of - timedelta(days=1)} and a period has {seen.needs_days(measure)} days; write `start`"
        )
    return value


def _value(measure: str, seen: Measured, end: date, as_of: date, first_day: date) -> float:
    """A measure in the period that ends before a day; NaN where the log does not hold it."""
    if end > as_of or end - timedelta(days=seen.needs_days(measure)) < first_day:
        return np.nan
    return float(path(measure, seen, [end])["value"].iloc[0])


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
        value = _value(measure, seen, end, as_of, first_day)
        if end > as_of:
            verdict = "to come"
        elif np.isnan(value):
            verdict = "not known"
        else:
            verdict = "reached" if _reached(measure, value, stage.target) else "missed"
        rows.append({"by": stage.by, "target": stage.target, "value": value, "verdict": verdict})
    return pd.DataFrame(rows, columns=["by", "target", "value", "verdict"])


def _forecast(
    measure: str, goal: Goal, start: float, actual: pd.DataFrame, until: date, days: int, over: bool
) -> tuple[pd.DataFrame, Ahead | None, pd.DataFrame, str]:
    """Forecast up to the deadline, that for the deadline, how models did on the past, and which was taken."""
    blank = pd.DataFrame(columns=["end", "value", "low", "high", "target"])
    series = actual["value"].to_numpy(float)
    if over or len(series) < FEWEST or pd.Timestamp(actual["end"].iloc[-1]).date() != until:
        return blank, None, pd.DataFrame(columns=["error", "origins"]), ""
    left = (goal.deadline + timedelta(days=1) - until).days
    # The last period ends with the deadline: what is left of one counts as a whole, which is on the safe side.
    periods = max(1, -(-left // days))
    tested = backtest(series, periods)
    model = chosen(tested)
    found = [ahead(series, number, model) for number in range(1, periods + 1)]
    ends = [min(until + timedelta(days=days * n), goal.deadline + timedelta(days=1)) for n in range(1, periods + 1)]
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
    return Interval(*(float(np.clip(each, *RANGES[measure])) for each in (found.estimate, found.low, found.high)))


def _probability(
    measure: str, target: float, actual: pd.DataFrame, last: Ahead | None, until: date, over: bool
) -> float | None:
    if over and not actual.empty and pd.Timestamp(actual["end"].iloc[-1]).date() == until:
        return float(_reached(measure, actual["value"].iloc[-1], target))
    if last is None:
        return None
    below = last.at_most(target)
    return 1 - below if better(measure) > 0 else below


def _carriers(measure: str, seen: Measured, ends: Sequence[date], starts: date, groups: Groups | None) -> pd.DataFrame:
    """Who carries the change from the last period before the start, else the first after it, to the last."""
    before = [end for end in ends if end <= starts]
    first = before[-1] if before else ends[0] if ends else None
    if groups is None or first is None or first == ends[-1]:
        return pd.DataFrame()
    old, new = (by_group(measure, seen, end, groups) for end in (first, ends[-1]))
    return (counted if measure == "members" else carriers)(old, new)


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
