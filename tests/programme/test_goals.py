"""Goals with a date: what a dataset file may say, the paths, who carries the change, and the verdict."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.aims import Goal, Stage
from loyalty.errors import DataError, SettingsError
from loyalty.features.columns import Tables
from loyalty.points_rules import PointsRules
from loyalty.programme.carriers import carriers, counted
from loyalty.programme.goal_measures import Measured, by_group, by_segment, path
from loyalty.programme.goals import on_path, progress
from loyalty.settings import load_dataset

DAYS, ACTIVE = 30, 60
FIRST = date(2019, 1, 1)
AS_OF = FIRST + timedelta(days=400)


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """300 customers over 400 days, who buy less and less often."""
    random = np.random.default_rng(7)
    rows = []
    for customer in range(300):
        day = random.uniform(0, 60)
        while day < 400:
            rows.append((f"c{customer}", FIRST + timedelta(days=int(day)), round(random.gamma(4, 5), 2)))
            day += random.exponential(12 + 8 * day / 400)
    frame = pd.DataFrame(rows, columns=["customer", "day", "amount"])
    return frame.assign(order=np.arange(len(frame)).astype(str))


@pytest.fixture(scope="module")
def seen(log: pd.DataFrame, tables_of: Callable[..., Tables]) -> Measured:
    """The same with points and members."""
    points = log.iloc[::2].assign(points=10.0, kind="earn")
    spent = log.iloc[::4].assign(points=-5.0, kind="redeem")
    gone = log.iloc[::8].assign(points=-4.0, kind="expire")
    people = log.groupby("customer", as_index=False).agg(joined=("day", "min"))
    moved = pd.concat([points, spent, gone])[["customer", "day", "points", "kind"]]
    tables = tables_of(log, points=moved, customers=people)
    survey = log.iloc[::5].assign(score=lambda each: np.arange(len(each)) % 11.0)[["customer", "day", "score"]]
    return Measured(tables, DAYS, ACTIVE, ibis.memtable(survey))


def window(log: pd.DataFrame, end: date, days: int = DAYS) -> pd.DataFrame:
    return log[(log["day"] >= end - timedelta(days=days)) & (log["day"] < end)]


def test_measures_are_what_their_definitions_say(log: pd.DataFrame, seen: Measured) -> None:
    """Each by hand in pandas."""
    end = FIRST + timedelta(days=300)
    now, past = window(log, end), window(log, end - timedelta(days=DAYS), ACTIVE)
    by_customer = now.groupby("customer")["day"].nunique()
    expected = {
        "repurchase": (by_customer >= 2).mean(),
        "churn": 1 - past["customer"].drop_duplicates().isin(now["customer"]).mean(),
        "order_value": now["amount"].sum() / now["order"].nunique(),
        "redemption": window(log.iloc[::4], end)["day"].count() * 5 / (window(log.iloc[::2], end)["day"].count() * 10),
        "members": (log.groupby("customer")["day"].min() < end).sum(),
    }
    for measure, value in expected.items():
        assert path(measure, seen, [end])["value"].iloc[0] == pytest.approx(value), measure


def test_points_are_redeemed_by_the_words_of_the_retailer(seen: Measured) -> None:
    """10 earned as a bonus, 4 taken as a reward, 3 lapsed; in other words than ours nothing was redeemed at all."""
    day = FIRST + timedelta(days=299)
    frame = pd.DataFrame(
        {"customer": "a", "day": day, "points": [10.0, -4.0, -3.0], "kind": ["Bonus", "reward", "void"]}
    )
    points = ibis.memtable(frame, schema={"customer": "string", "day": "date", "points": "float64", "kind": "string"})
    rules = PointsRules(kinds={"bonus": "earn", "reward": "redeem", "void": "expire"})
    told = replace(seen, tables=seen.tables._replace(points=points), points_rules=rules)
    assert path("redemption", told, [FIRST + timedelta(days=300)])["value"].iloc[0] == pytest.approx(0.4)


def test_the_error_of_a_rate_is_that_of_a_share(seen: Measured) -> None:
    row = path("repurchase", seen, [AS_OF]).iloc[0]
    n, share = row["customers"], row["value"]
    assert row["standard_error"] == pytest.approx(np.sqrt(share * (1 - share) / (n - 1)))
    assert row["low"] < share < row["high"]


@given(st.lists(st.tuples(*[st.integers(0, 50)] * 4), min_size=2, max_size=6))
def test_the_groups_add_up_to_the_change(rows: list[tuple[int, int, int, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["y0", "m0", "y1", "m1"], index=[f"g{n}" for n in range(len(rows))]).astype(
        float
    )
    frame.loc["all", ["m0", "m1"]] = [1.0, 1.0]
    frame = frame.fillna(0.0)
    # Nobody counts above who does not count below.
    frame["y0"], frame["y1"] = frame["y0"].where(frame["m0"] > 0, 0), frame["y1"].where(frame["m1"] > 0, 0)
    old = frame[["y0", "m0"]].set_axis(["numerator", "denominator"], axis=1)
    new = frame[["y1", "m1"]].set_axis(["numerator", "denominator"], axis=1)
    change = frame["y1"].sum() / frame["m1"].sum() - frame["y0"].sum() / frame["m0"].sum()
    found = carriers(old, new)
    assert found["effect"].sum() == pytest.approx(change, abs=1e-12)
    assert (found["effect"] - found["rate_effect"] - found["mix_effect"]).abs().max() < 1e-12


def test_a_change_of_weights_alone_is_no_change_of_rates() -> None:
    """Half, then three quarters of the customers are of the better group: 0.2 and 0.6 make 0.4 and 0.5."""
    old = pd.DataFrame({"numerator": [10.0, 30.0], "denominator": [50.0, 50.0]}, index=["low", "high"])
    new = pd.DataFrame({"numerator": [5.0, 45.0], "denominator": [25.0, 75.0]}, index=["low", "high"])
    found = carriers(old, new)
    assert found["rate_effect"].tolist() == [0.0, 0.0]
    assert found["mix_effect"].sum() == pytest.approx(0.1)


def test_segments_hold_every_customer_of_a_period(seen: Measured) -> None:
    groups = by_segment(seen.tables)
    for measure in ("churn", "members"):
        told, whole = by_group(measure, seen, AS_OF, groups), path(measure, seen, [AS_OF]).iloc[0]
        assert told["customers"].sum() == whole["customers"]
    assert counted(told, told)["effect"].sum() == 0


GOAL = Goal(
    starts=date(2019, 7, 1),
    deadline=date(2020, 6, 30),
    start=0.4,
    target=0.6,
    stages=(Stage(by=date(2019, 12, 31), target=0.45),),
)


def test_the_target_goes_straight_from_stage_to_stage() -> None:
    days = pd.DatetimeIndex(["2019-06-30", "2019-07-01", "2019-10-01", "2020-01-01", "2020-04-01", "2020-07-01"])
    found = on_path(GOAL, 0.4, days)
    assert np.isnan(found[0])
    assert found[1:].tolist() == pytest.approx([0.4, 0.425, 0.45, 0.525, 0.6])


def test_a_goal_that_runs_is_forecast(seen: Measured) -> None:
    found = progress("repurchase", GOAL, seen, AS_OF, FIRST, by_segment(seen.tables))
    assert found.verdict in ("ahead", "behind")
    assert found.probability is not None
    assert 0 <= found.probability <= 1
    assert found.at_deadline is not None
    assert found.at_deadline.low < found.at_deadline.estimate < found.at_deadline.high
    assert pd.Timestamp(found.forecast["end"].iloc[-1]) == pd.Timestamp("2020-07-01")
    assert found.stages["verdict"].tolist() in (["reached"], ["missed"])
    assert "30 days who bought on two days or more" in found.definition
    change = found.carriers["effect"].sum()
    before = found.actual[found.actual["end"] <= pd.Timestamp(GOAL.starts)]["value"].iloc[-1]
    assert change == pytest.approx(found.actual["value"].iloc[-1] - before)


def test_a_higher_target_is_less_likely(seen: Measured) -> None:
    def chance(target: float) -> float:
        goal = GOAL.model_copy(update={"target": target, "stages": ()})
        found = progress("repurchase", goal, seen, AS_OF, FIRST).probability
        assert found is not None
        return found

    assert chance(0.5) > chance(0.8) > chance(0.99)


def test_less_churn_is_better(seen: Measured) -> None:
    goal = Goal(starts=date(2019, 6, 1), deadline=date(2020, 6, 30), start=0.9, target=0.8)
    found = progress("churn", goal, seen, AS_OF, FIRST)
    assert found.verdict == "ahead"
    assert found.probability is not None
    assert found.probability > 0.5


def test_a_goal_whose_deadline_is_over_is_judged_and_not_forecast(seen: Measured) -> None:
    goal = Goal(starts=date(2019, 6, 1), deadline=date(2019, 12, 31), start=0.1, target=0.2)
    found = progress("repurchase", goal, seen, AS_OF, FIRST)
    assert (found.verdict, found.probability, found.forecast.empty) == ("reached", 1.0, True)
    assert found.actual["end"].iloc[-1] == pd.Timestamp("2020-01-01")
    missed = goal.model_copy(update={"target": 0.99})
    assert progress("repurchase", missed, seen, AS_OF, FIRST).verdict == "missed"


def test_with_few_periods_nothing_is_forecast(seen: Measured) -> None:
    found = progress("repurchase", GOAL, seen, AS_OF, AS_OF - timedelta(days=5 * DAYS))
    assert found.probability is None
    assert "5 periods are known" in found.notes[-1]


def test_a_start_that_is_not_given_is_measured(seen: Measured) -> None:
    goal = Goal(starts=date(2019, 7, 1), deadline=date(2020, 6, 30), change=0.1)
    found = progress("members", goal, seen, AS_OF, FIRST)
    assert found.start == path("members", seen, [goal.starts])["value"].iloc[0]
    assert found.target == pytest.approx(found.start * 1.1)
    early = goal.model_copy(update={"starts": FIRST})
    with pytest.raises(DataError, match=r"goals.members: the value at the start on 2019-01-01 is not known.*`start`"):
        progress("members", early, seen, AS_OF, FIRST)


def test_a_target_that_the_start_has_reached_is_told(seen: Measured) -> None:
    goal = Goal(starts=date(2019, 7, 1), deadline=date(2020, 6, 30), target=0.01)
    assert "at its target when the goal began" in progress("repurchase", goal, seen, AS_OF, FIRST).notes[0]


def test_what_is_not_there_cannot_be_measured(seen: Measured) -> None:
    with pytest.raises(SettingsError, match=r"goals.profit: expected a measure among repurchase, churn"):
        path("profit", seen, [AS_OF])
    bare = Measured(Tables(seen.tables.days), DAYS, ACTIVE)
    for measure, told in (("redemption", "points"), ("members", "joined"), ("nps", "survey")):
        with pytest.raises(DataError, match=told):
            path(measure, bare, [AS_OF])


def read(make_shop: Callable[..., Any], shop_toml: str, more: str) -> Any:
    root = make_shop("customer,time,amount\na,2020-01-01,1\n", shop_toml + more)
    return load_dataset("shop", root)


def test_goals_in_a_dataset_file(make_shop: Callable[..., Any], shop_toml: str) -> None:
    more = """
[goals]
repurchase_rate = 0.5
[goals.repurchase]
starts = 2026-01-01
start = 0.40
target = 0.50
deadline = 2026-12-31
stages = [{ by = 2026-06-30, target = 0.45 }]
[goals.churn]
starts = 2026-01-01
change = -0.05
deadline = 2026-12-31
"""
    goals = read(make_shop, shop_toml, more).goals
    assert goals.repurchase_rate == 0.5
    assert list(goals.dated) == ["repurchase", "churn"]
    assert goals.dated["churn"].target_from(0.2) == pytest.approx(0.19)


RUNS = "starts = 2026-01-01\ndeadline = 2026-12-31\n"


@pytest.mark.parametrize(
    ("section", "keys", "told"),
    [
        ("repurchase", "starts = 2026-01-01\ndeadline = 2025-12-31\ntarget = 0.5", "a deadline after the start"),
        ("profit", RUNS + "target = 1", "goals.profit is not a known key"),
        ("repurchse", RUNS + "target = 0.5", "did you mean 'repurchase'"),
        ("repurchase", RUNS + "start = 0.5\ntarget = 0.4", "to be higher than the one before, found 0.5, 0.4"),
        ("churn", RUNS + "start = 0.2\ntarget = 0.3", "to be lower than the one before, found 0.2, 0.3"),
        ("churn", RUNS + "change = 0.05", "a change to lower, found change 0.05"),
        ("nps", RUNS + "change = 0.05", "target instead of change"),
        ("repurchase", RUNS + "target = 50", "values from 0 to 1, found 50"),
        ("order_value", RUNS + "target = -1", "values of at least 0, found -1"),
        ("repurchase", RUNS, "either target or change .* found neither"),
        (
            "repurchase",
            RUNS + "target = 0.5\nstages = [{ by = 2026-09-01, target = 0.4 }, { by = 2026-03-01, target = 0.45 }]",
            "stages in order of time .* found 2026-09-01, 2026-03-01",
        ),
        (
            "repurchase",
            RUNS + "target = 0.5\nstages = [{ by = 2026-03-01, target = 0.55 }]",
            "to be higher than the one before, found 0.55, 0.5",
        ),
        ("nps", RUNS + "target = 40", r"a \[survey\] table, which goals.nps is measured on"),
        ("members", RUNS + "change = 0.1", r"joined under \[customers\], which goals.members is measured on"),
    ],
)
def test_a_goal_that_cannot_be_is_told(
    make_shop: Callable[..., Any], shop_toml: str, section: str, keys: str, told: str
) -> None:
    with pytest.raises(SettingsError, match=rf"data/shop.toml: (?=goals).*{told}"):
        read(make_shop, shop_toml, f"\n[goals.{section}]\n{keys}\n")
