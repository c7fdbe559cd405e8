"""Two runs side by side, and which runs can be."""

from pathlib import Path
from typing import Any

import pytest
from loyalty.reporting import compare, history
from loyalty.reporting.summary_types import Number
from past_runs import leave, numbers


def test_a_change_is_what_a_reader_finds_who_subtracts(tmp_path: Path) -> None:
    before = leave(tmp_path, "2020-01-01", numbers(500.4, 0.13646))
    now = leave(tmp_path, "2020-02-01", numbers(512.6, 0.12861))
    active, left = compare.diff(before, now)["measures"]
    assert (active["told"], active["beyond"], active["good"]) == ("up 13", None, None)
    assert (left["told"], left["beyond"], left["good"]) == ("down 0.7 points", False, None)


@pytest.mark.parametrize(
    ("rate", "beyond", "good"),
    [(0.36, True, False), (0.32, False, None), (0.30, False, None), (0.24, True, True)],
)
def test_only_what_is_beyond_chance_is_judged(tmp_path: Path, rate: float, beyond: bool, good: bool | None) -> None:
    # Halves of 0.02 each: by chance two differ by up to 0.028.
    before, now = leave(tmp_path, "2020-01-01", numbers(rate=0.30)), leave(tmp_path, "2020-02-01", numbers(rate=rate))
    left = compare.diff(before, now)["measures"][1]
    assert (left["beyond"], left["good"]) == (beyond, good)


def test_what_one_run_does_not_know_is_no_change(tmp_path: Path) -> None:
    before = leave(tmp_path, "2020-01-01", numbers(auc=0.7))
    now = leave(tmp_path, "2020-02-01", [*numbers(auc=float("nan")), *numbers(new_one=0.5)[2:]])
    told = {one["name"]: one["told"] for one in compare.diff(before, now)["measures"]}
    assert told == {"active_customers": "unchanged", "churned_rate": "unchanged", "auc": ""}


def test_another_horizon_is_not_compared(tmp_path: Path) -> None:
    before = leave(tmp_path, "2020-01-01", numbers())
    said = compare.diff(before, leave(tmp_path, "2020-02-01", numbers(), horizon_days=60))
    assert said["not_comparable"] == ["another horizon (28 and 60)"]
    assert said["measures"] == []


def test_the_bridge_is_told_if_it_is_between_these_two(tmp_path: Path) -> None:
    first, second = (leave(tmp_path, day, numbers()) for day in ("2020-01-01", "2020-02-01"))
    third = leave(tmp_path, "2020-03-01", numbers(), bridge={"run": second["run"]})
    assert compare.diff(second, third)["bridge"] == {"run": second["run"]}
    assert compare.diff(first, third)["bridge"] is None


def test_an_alarm_with_another_number_is_the_same_alarm(tmp_path: Path) -> None:
    before = leave(tmp_path, "2020-01-01", numbers(), alarms=["goal missed: Left 34 %, to be 30 %", "drift: A (1)"])
    now = leave(tmp_path, "2020-02-01", numbers(), alarms=["goal missed: Left 36 %, to be 30 %", "drift: B (1)"])
    assert compare.diff(before, now)["alarms"] == {"new": ["drift: B (1)"], "gone": ["drift: A (1)"]}


def test_of_each_date_the_last_run_counts_and_other_questions_do_not(tmp_path: Path) -> None:
    leave(tmp_path, "2020-03-01", numbers(300))
    leave(tmp_path, "2020-02-01", numbers(100))
    leave(tmp_path, "2020-02-01", numbers(200))
    leave(tmp_path, "2020-01-01", [], outcome="failed", page=False)
    for other in ({"horizon_days": 60}, {"active_within_days": 90}, {"currency": "USD"}):
        leave(tmp_path, "2020-04-01", numbers(400), **other)
    like = {"horizon_days": 28, "active_within_days": 56, "currency": "EUR"}
    runs = history.comparable(history.past(tmp_path, "shop"), like)
    assert [(run["as_of"], run["numbers"][0]["value"]) for run in runs] == [("2020-02-01", 200), ("2020-03-01", 300)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_no_number_is_null(value: Any) -> None:
    number = Number(name="n", label="N", group="base", unit="share", value=value, low=value)
    assert (number.value, number.low) == (None, None)
