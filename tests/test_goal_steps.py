"""The steps about goals, the budget and satisfaction: what they hold, by hand where a number is at risk."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty import progress
from loyalty.errors import SettingsError
from loyalty.programme.profit_and_loss import Costs, ProfitAndLoss
from loyalty.store import Store
from loyalty.study import Study

TOML = """
[survey]
source = "data/raw/survey.csv"
customer = "customer"
time = "day"
score = "score"

[programme]
tiers = [{ name = "Gold", spend = 100 }]

[programme.points]
cost_per_point = 0.01

[campaigns]
source = "data/raw/campaigns.csv"
campaign = "campaign"
start = "start"
contact_cost = 0.5

[contacts]
source = "data/raw/contacts.csv"
customer = "customer"
campaign = "campaign"
time = "day"

[points]
source = "data/raw/points.csv"
customer = "customer"
time = "day"
points = "points"
kind = "kind"

[goals.repurchase]
starts = 2020-10-01
target = 0.9
deadline = 2021-06-30
stages = [{ by = 2020-12-31, target = 0.8 }]

[goals.churn]
starts = 2020-06-01
change = -0.5
deadline = 2020-11-30

[goals.order_value]
starts = 2020-01-05
change = 0.05
deadline = 2021-06-30

[budget.preparation]
starts = 2020-08-01
ends = 2020-08-31
plan = { contacts = 100, people = 1000 }
actual = { contacts = 7 }

[budget.launch]
starts = 2020-09-01
ends = 2020-12-31
plan = { contacts = 100, rewards = 50 }

[budget.evaluation]
starts = 2021-01-01
ends = 2021-12-31
plan = { rewards = 500 }
"""


@pytest.fixture(scope="module")
def said(simulated_log: pd.DataFrame) -> pd.DataFrame:
    """Answers of everyone in December: who then bought for the last time is not content. Two cannot be used."""
    last = simulated_log.groupby("customer")["time"].max()
    score = np.where(last < pd.Timestamp("2021-01-15"), 3, 9)
    rows = pd.DataFrame({"customer": last.index, "day": "2020-12-15", "score": score})
    odd = pd.DataFrame({"customer": [None, "c001"], "day": ["2020-12-16", "2020-12-17"], "score": [5, 11]})
    return pd.concat([rows, odd], ignore_index=True)


@pytest.fixture(scope="module")
def shop(
    make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str, said: pd.DataFrame
) -> Callable[..., Path]:
    """Return a function that makes a shop with goals, a budget and a survey, and returns its root."""

    def make(toml: str = TOML) -> Path:
        root = make_shop(simulated_log, shop_toml + toml)
        raw = root / "data" / "raw"
        people = [f"c{number:03d}" for number in range(40)]
        said.to_csv(raw / "survey.csv", index=False)
        pd.DataFrame({"campaign": ["a", "b", "c"], "start": ["2020-08-03", "2020-09-10", "2020-05-01"]}).to_csv(
            raw / "campaigns.csv", index=False
        )
        sent = [("a", person, "2020-08-03") for person in people] + [
            ("b", person, "2020-09-10") for person in people[:30]
        ]
        sent += [("b", person, "2021-03-01") for person in people]
        pd.DataFrame(sent, columns=["campaign", "customer", "day"]).to_csv(raw / "contacts.csv", index=False)
        moved = [(person, "2020-10-05", -50, "redeem") for person in people]
        moved += [(person, "2020-10-05", 900, "earn") for person in people]
        moved += [(person, "2021-01-05", -50, "redeem") for person in people[:3]]
        pd.DataFrame(moved, columns=["customer", "day", "points", "kind"]).to_csv(raw / "points.csv", index=False)
        return root

    return make


@pytest.fixture(scope="module")
def study(shop: Callable[..., Path]) -> Study:
    return Study.open("shop", root=shop())


@pytest.fixture(scope="module")
def goals(study: Study) -> dict[str, Any]:
    return progress.goals(study)


def test_goals_are_flat_and_outlive_the_disk(goals: dict[str, Any], tmp_path: Path) -> None:
    kept = Store(tmp_path).get("goals", lambda: goals)
    assert isinstance(kept, dict)
    assert kept["about"] == goals["about"]
    for name in progress.FRAMES:
        assert set(kept[name]["measure"]) <= {"repurchase", "churn", "order_value"}
    assert kept["actual"]["end"].dtype.kind == "M"
    assert {"name", "effect", "customers_before", "customers_after"} <= set(kept["carriers"])


def test_the_last_value_is_that_by_hand(goals: dict[str, Any], simulated_log: pd.DataFrame, study: Study) -> None:
    start = pd.Timestamp(study.known_until) - pd.Timedelta(days=20)
    days = simulated_log[simulated_log["time"] >= start].assign(day=lambda each: each["time"].dt.date)
    by_hand = (days.groupby("customer")["day"].nunique() >= 2).mean()
    rows = goals["actual"].query("measure == 'repurchase'")
    assert rows["value"].iloc[-1] == pytest.approx(by_hand)
    assert rows["end"].iloc[-1].date() == study.known_until


def test_carriers_add_up_to_the_change(goals: dict[str, Any]) -> None:
    told, rows = goals["about"]["goals"]["repurchase"], goals["actual"].query("measure == 'repurchase'")
    first, last = (rows.set_index("end").loc[day, "value"] for day in told["carried"])
    parts = goals["carriers"].query("measure == 'repurchase'")
    assert parts["effect"].sum() == pytest.approx(last - first)
    assert told["carried"][0] <= "2020-10-01" < told["carried"][1]


def test_a_goal_whose_deadline_is_past_is_judged(goals: dict[str, Any]) -> None:
    told = goals["about"]["goals"]["churn"]
    assert told["verdict"] == "missed"
    assert told["probability"] == 0.0
    assert told["at_deadline"] is None
    assert goals["forecast"].query("measure == 'churn'").empty
    assert goals["actual"].query("measure == 'churn'")["end"].max() == pd.Timestamp("2020-12-01")


def test_a_start_that_the_log_does_not_hold_is_refused_alone(goals: dict[str, Any]) -> None:
    told = goals["about"]["goals"]
    assert "the value at the start on 2020-01-05 is not known" in told["order_value"]["refused"]
    assert told["order_value"]["refused"].endswith("write `start`")
    assert told["repurchase"]["refused"] == ""
    assert "order_value" not in set(goals["actual"]["measure"])


def test_stages_are_judged_by_the_period_that_ends_with_them(goals: dict[str, Any]) -> None:
    (stage,) = goals["stages"].to_dict("records")
    assert (stage["by"], stage["target"]) == (pd.Timestamp("2020-12-31"), 0.8)
    assert stage["verdict"] == "missed"
    assert stage["customers"] > 100


@pytest.mark.slow
def test_goals_keep_the_days_of_their_file(shop: Callable[..., Path], study: Study) -> None:
    other = Study.open("shop", root=study.root, horizon_days=10)
    told = progress.goals(other)
    assert told["about"]["days"] == 20
    assert "20 days" in told["about"]["goals"]["repurchase"]["definition"]


def test_an_unknown_measure_is_told(shop: Callable[..., Path]) -> None:
    root = shop(TOML + "\n[goals.happiness]\nstarts = 2020-01-01\ntarget = 1\ndeadline = 2021-01-01\n")
    with pytest.raises(SettingsError, match=r"data/shop.toml: goals.happiness is not a known key"):
        Study.open("shop", root=root)


def test_where_nothing_is_asked_nothing_is_told(simulated: Study) -> None:
    told = progress.goals(simulated)
    assert told["about"]["goals"] == {}
    assert all(told[name].empty for name in progress.FRAMES)
    assert progress.budget(simulated) == {"about": {"known": False, "phases": {}, "returned": None}}
    about = progress.satisfaction(simulated)["about"]
    assert (about["known"], about["refused"]) == (False, "")


# The budget


def account(what: str, sales: float | None) -> dict[str, Any]:
    error = None if sales is None else 10.0
    return ProfitAndLoss(what, sales, error, True, 40, 0.3, Costs(discount=20.0)).to_dict()


@pytest.fixture
def spent(study: Study, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The step, where effects are given: 500 of campaign a, 900 of campaign c, which began before, none of b."""
    starts = {"a": "2020-08-03", "b": "2020-09-10", "c": "2020-05-01"}
    step = {"about": {"known": True}, "campaign": pd.DataFrame({"start": pd.to_datetime(pd.Series(starts))})}
    accounts = [account("Campaign a", 500.0), account("Campaign b", None), account("Campaign c", 900.0)]
    monkeypatch.setattr(Study, "campaigns", lambda _: step)
    told = {"observed": [], "accounts": accounts, "earlier_accounts": [], "single_accounts": []}
    monkeypatch.setattr(Study, "effects", lambda _: told)
    return progress.budget(study)


def test_spending_is_counted_in_the_log(spent: dict[str, Any]) -> None:
    lines = spent["lines"].set_index(["phase", "kind"])
    # 30 contacts at 0.50 and 40 redemptions of 50 points at 0.01; contacts of March are of tomorrow.
    assert lines.loc[("launch", "contacts"), ["actual", "source"]].tolist() == [15.0, "log"]
    assert lines.loc[("launch", "rewards"), ["actual", "source"]].tolist() == [20.0, "log"]
    # What the file says comes first.
    assert lines.loc[("preparation", "contacts"), ["actual", "source"]].tolist() == [7.0, "file"]
    assert lines.loc[("preparation", "people"), "source"] == ""


def test_what_three_customers_handed_in_is_not_told(spent: dict[str, Any]) -> None:
    lines = spent["lines"].set_index(["phase", "kind"])
    assert np.isnan(lines.loc[("evaluation", "rewards"), "actual"])


def test_the_return_counts_campaigns_of_the_budget_alone(spent: dict[str, Any]) -> None:
    """0.3 (500 + 20) - 20: campaign a alone, for b is not identified and c began before."""
    found = spent["about"]["returned"]
    assert (found["campaigns"], found["counted"]) == (2, 1)
    assert found["margin"]["estimate"] == pytest.approx(136.0)
    assert found["profit"] is None
    assert set(found["missing"]) == {"preparation.people", "evaluation.rewards"}


@pytest.mark.parametrize(
    ("of_type", "margin"),
    [
        (["a", "c"], 136.0),  # c began before the budget: of the type a alone counts, 0.3 (500 + 20) - 20
        (["a"], 406.0),  # the whole type, 0.3 (1,400 + 20) - 20, and a not again
    ],
)
def test_a_campaign_of_a_type_is_counted_once_and_earlier_ones_too(
    study: Study, monkeypatch: pytest.MonkeyPatch, of_type: list[str], margin: float
) -> None:
    starts = {"a": "2020-08-03", "b": "2020-09-10", "c": "2020-05-01"}
    step = {"about": {"known": True}, "campaign": pd.DataFrame({"start": pd.to_datetime(pd.Series(starts))})}
    told = {
        "observed": [{"name": "Type A", "compared": of_type}, {"name": "Campaign a", "compared": ["a"]}],
        "accounts": [account("Type A", 1400.0)],
        "earlier_accounts": [account("Campaign b", 100.0)],
        "single_accounts": [account("Campaign a", 500.0)],
    }
    monkeypatch.setattr(Study, "campaigns", lambda _: step)
    monkeypatch.setattr(Study, "effects", lambda _: told)
    found = progress.budget(study)["about"]["returned"]
    assert (found["campaigns"], found["counted"]) == (2, 2)
    # Campaign b: 0.3 (100 + 20) - 20.
    assert found["margin"]["estimate"] == pytest.approx(margin + 16.0)
    assert found["at_most"] is False


# Satisfaction


@pytest.fixture(scope="module")
def asked(study: Study) -> dict[str, Any]:
    return progress.satisfaction(study)


def test_scores_are_those_by_hand(asked: dict[str, Any], said: pd.DataFrame, simulated_log: pd.DataFrame) -> None:
    good = said.dropna().query("score <= 10").set_index("customer")["score"]
    scores = asked["scores"].set_index(["by", "group"])
    share = np.mean(good == 9) - np.mean(good == 3)
    assert scores.loc[("all", "all"), "answers"] == len(good)
    assert scores.loc[("all", "all"), "nps"] == pytest.approx(100 * share)
    spend = simulated_log[simulated_log["time"] >= pd.Timestamp("2021-02-04") - pd.Timedelta(days=365)]
    spend = spend.groupby("customer")["amount"].sum().reindex(good.index, fill_value=0.0)
    gold = good[spend >= 100]
    assert scores.loc[("tier", "Gold"), "answers"] == len(gold)
    assert scores.loc[("tier", "Gold"), "nps"] == pytest.approx(100 * (np.mean(gold == 9) - np.mean(gold == 3)))
    for by in ("tier", "segment"):
        assert scores.loc[by, "answers"].sum() == len(good)


def test_those_who_were_not_content_left(asked: dict[str, Any], study: Study) -> None:
    found = asked["later"]
    assert found["share"]["detractors"] == 1.0
    assert found["share"]["promoters"] == 0.0
    assert asked["about"]["difference"]["low"] > 0
    assert date.fromisoformat(asked["about"]["until"]) - date.fromisoformat(asked["about"]["origin"]) == timedelta(20)


@pytest.mark.slow
def test_a_survey_on_another_scale_is_refused_in_words(shop: Callable[..., Path]) -> None:
    root = shop()
    survey = root / "data" / "raw" / "survey.csv"
    pd.read_csv(survey).assign(score=lambda each: each["score"] * 10).to_csv(survey, index=False)
    about = progress.satisfaction(Study.open("shop", root=root))["about"]
    assert about["known"] is False
    assert "survey.score: expected whole numbers from 0 to 10" in about["refused"]


def test_check_tells_of_answers_that_cannot_be_used(study: Study) -> None:
    told = [one["detail"] for one in study.findings() if one["detail"].startswith("survey")]
    assert "survey: 1 of 802 rows lack a customer or a day that can be read, and are left out" in told
    assert any("1 of 801 answers are no whole number from 0 to 10" in detail for detail in told)
