"""Goals with a date are among the alarms: behind their path, or missed not long ago."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from loyalty.reporting import alarms

DATASET = SimpleNamespace(privacy=SimpleNamespace(minimum_cell=10), currency="EUR")


def a_study(verdict: str, deadline: str, customers: int = 50) -> Any:
    """A study with one goal, last measured at 31 % where its path is at 28 %."""
    goal = {
        "label": "Churn rate", "unit": "share", "verdict": verdict, "deadline": deadline, "target": 0.25,
        "refused": "", "start_customers": None,
    }  # fmt: skip
    row = {"measure": "churn", "value": 0.31, "target": 0.28, "low": 0.29, "high": 0.33, "customers": customers}
    progress = {"about": {"goals": {"churn": goal}, "days": 28}, "actual": pd.DataFrame([row])}
    return SimpleNamespace(known_until=date(2020, 7, 1), dataset=DATASET, goal_progress=lambda: progress)


@pytest.mark.parametrize(
    ("verdict", "deadline", "told"),
    [
        ("behind", "2020-12-31", ["goal behind its path: Churn rate 31 %, to be 28 %"]),
        ("missed", "2020-06-30", ["goal missed: Churn rate 31 %, to be 25 %"]),
        ("missed", "2020-06-02", ["goal missed: Churn rate 31 %, to be 25 %"]),
        ("missed", "2020-06-01", []),
        ("ahead", "2020-12-31", []),
        ("reached", "2020-06-30", []),
        ("not begun", "2021-12-31", []),
    ],
)
def test_goals_that_are_behind_or_were_just_missed(verdict: str, deadline: str, told: list[str]) -> None:
    assert alarms.dated(a_study(verdict, deadline)) == told


def test_a_goal_that_few_customers_are_behind_is_not_told() -> None:
    assert alarms.dated(a_study("behind", "2020-12-31", customers=9)) == []
