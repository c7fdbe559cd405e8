"""The steps on tiers and on high-value customers: what they hold, where tiers are assumed, and by hand in pandas."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from loyalty import memberships
from loyalty.errors import SettingsError
from loyalty.features.columns import Tables
from loyalty.high_value_customers import high_value, overlap
from loyalty.programme.assumed_tiers import assumed_rules
from loyalty.programme.tier_counts import holders, over_time
from loyalty.programme.tier_rules import TierRules
from loyalty.programme.tiers import membership, tier_at
from loyalty.reporting.chapters import high_value as chapter
from loyalty.reporting.chapters import tier_changes
from loyalty.settings import load_dataset
from loyalty.store import Store
from loyalty.study import Study

TIERS = """
[programme]
qualifying_days = 90
tiers = [{ name = "Silver", spend = 60 }, { name = "Gold", spend = 200 }]
"""


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str) -> Callable[..., Study]:
    """Return a function that opens the simulated shop with more in its dataset file."""

    def opened(more: str, log: pd.DataFrame = simulated_log, **asked: Any) -> Study:
        return Study.open("shop", root=make_shop(log, shop_toml + more), **asked)

    return opened


@pytest.fixture(scope="module")
def assumed(simulated: Study, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The step of a shop without tiers, as it is kept."""
    kept = Store(tmp_path_factory.mktemp("kept")).get("tiers", lambda: memberships.tiers(simulated))
    assert isinstance(kept, dict)
    return kept


def spent_by_hand(study: Study, days: int) -> pd.Series:
    table = study.data.tables.days.to_pandas()
    inside = pd.to_datetime(table["day"]) >= pd.Timestamp(study.known_until - timedelta(days=days))
    return table[inside].groupby("customer")["spend"].sum()


def test_without_tiers_they_are_assumed_and_every_part_says_so(simulated: Study, assumed: dict[str, Any]) -> None:
    about = assumed["about"]
    assert (about["known"], about["assumed"], about["benefits_assumed"]) == (True, True, True)
    assert about["rules"]["names"] == ["Bronze", "Silver", "Gold"]
    spent = spent_by_hand(simulated, about["rules"]["days"])
    above = [(spent >= threshold).mean() for threshold in about["rules"]["thresholds"]]
    assert np.abs(np.array(above) - [0.5, 0.2, 0.05]).max() < 0.12
    assert about["share_of_spend"] == [0.01, 0.02, 0.03]


def test_holders_are_those_of_a_sum_by_hand(simulated: Study, assumed: dict[str, Any]) -> None:
    about, table = assumed["about"], assumed["holders"]
    spent = spent_by_hand(simulated, about["reach_days"])
    level = np.searchsorted(about["rules"]["thresholds"], spent.to_numpy() + 1e-9, side="right")
    now = table[table["when"] == "now"]
    assert now["customers"].tolist() == np.bincount(level, minlength=4).tolist()
    np.testing.assert_allclose(now["spend"], [spent[level == at].sum() for at in range(4)])
    last = assumed["over_time"][assumed["over_time"]["end"] == pd.Timestamp(about["now"])]
    assert last["customers"].tolist() == now["customers"].tolist()


def test_replays_make_nobody_lose_by_what_is_only_given(assumed: dict[str, Any]) -> None:
    replays = assumed["replays"].set_index("scenario")
    assert replays["losers"][["lower", "richer"]].tolist() == [0, 0]
    assert replays.at["higher", "gainers"] == 0
    costs = replays["other_cost"] - replays["present_cost"]
    np.testing.assert_allclose(replays["extra_cost"], costs, atol=1e-6)
    assert costs["lower"] > 0 > costs["higher"]
    assert (replays["lift_low"] <= replays["lift"])[["lower", "richer"]].all()


def test_every_threshold_is_tested_or_refused(assumed: dict[str, Any]) -> None:
    table, windows = assumed["bunching"], assumed["windows"]
    assert table["tier"].tolist() == assumed["about"]["rules"]["names"]
    assert set(windows["tier"]) == set(table.loc[table["refusal"] == "", "tier"])
    assert table.loc[table["refusal"] != "", "above"].isna().all()


def test_tiers_of_the_file_are_taken_and_their_benefits_from_its_points(shop: Callable[..., Study]) -> None:
    points = "[programme.points]\nper_unit = 2.0\ncost_per_point = 0.005\ntier_multipliers = { Gold = 3.0 }\n"
    study = shop(TIERS + points, as_of="2020-12-01")
    ruled = memberships.rules_in_use(study)
    assert isinstance(ruled, memberships.Ruled)
    assert (ruled.assumed, ruled.benefits_assumed) == (False, False)
    assert ruled.offer.benefits.share_of_spend == pytest.approx((0.0, 0.02))  # two more points for a unit, each 0.005
    step = memberships.tiers(study)
    assert step["about"]["before"] == "2020-06-02"
    moved = step["migration"].groupby("before")["customers"].sum()
    earlier = step["holders"][step["holders"]["when"] == "before"].set_index("tier")["customers"]
    assert moved[["Silver", "Gold"]].to_dict() == earlier[["Silver", "Gold"]].to_dict()
    assert step["near"]["next_tier"].tolist() == ["Silver", "Gold"]
    assert step["worth"]["tier"].tolist() == ["none", "Silver", "Gold"]


def test_thresholds_that_the_file_asks_for_are_replayed_too(shop: Callable[..., Study]) -> None:
    study = shop(TIERS + "other_thresholds = { easier = [40, 150], harder = [90, 300] }\n", as_of="2020-12-01")
    step = memberships.tiers(study)
    assert step["replays"]["scenario"].tolist() == ["lower", "higher", "richer", "easier", "harder"]
    found = step["replays"].set_index("scenario")
    assert found["gainers"]["easier"] > 0 == found["losers"]["easier"]
    assert found["losers"]["harder"] > 0 == found["gainers"]["harder"]
    # Lower still than a fifth lower: more customers gain.
    assert found["gainers"]["easier"] >= found["gainers"]["lower"]
    assert re.search(r"easier, thresholds €40(\.00)? and €150", tier_changes.simulator(study).as_raw_html())
    assert "With easier" in tier_changes.read_simulator(study)


@pytest.mark.slow
def test_the_file_says_from_which_spend_a_customer_is_of_high_value(shop: Callable[..., Study]) -> None:
    study = shop("[programme]\nhigh_value_spend = 123\n")
    about = high_value(study)["about"]
    assert (about["threshold"], about["tier"]) == (123, "programme.high_value_spend")
    groups = high_value(study)["groups"].set_index("definition")
    assert (spent_by_hand(study, 365) >= 123).sum() == groups.loc["spend"].query("high_value")["customers"].sum()
    assert "(`programme.high_value_spend`)" in chapter.rules(study)


def test_a_log_shorter_than_a_qualifying_period_has_tiers_of_today_alone(shop: Callable[..., Study]) -> None:
    step = memberships.tiers(shop(TIERS.replace("90", "600"), as_of="2020-12-01"))
    assert step["about"]["before"] is None
    assert step["about"]["replayed_days"] == 0
    assert set(step) == {"about", "holders", "near", "bunching", "windows"}
    assert set(step["holders"]["when"]) == {"now"}


def test_tiers_by_points_without_points_say_what_is_lacking(shop: Callable[..., Study]) -> None:
    by_points = TIERS.replace("spend = 60", "points = 60").replace("spend = 200", "points = 200")
    assert memberships.tiers(shop(by_points)) == {"about": {"known": False, "lacking": "points"}}


def test_of_those_who_pay_nothing_no_tiers_are_assumed(tables_of: Callable[..., Tables], lines: pd.DataFrame) -> None:
    free = tables_of(lines.assign(amount=0.0))
    first, last = lines["day"].min(), lines["day"].max() + timedelta(days=1)
    assert assumed_rules(free, last, first, 30) is None
    alike = assumed_rules(tables_of(lines.drop_duplicates("customer").assign(amount=40.0)), last, first, 30)
    assert alike is not None
    assert (alike.names, alike.thresholds) == (("Bronze",), (40.0,))


@pytest.mark.parametrize(
    "rules",
    [
        TierRules(("S", "G"), (20.0, 60.0), days=60, grace_days=15, downgrade="step"),
        TierRules(("S", "G"), (20.0, 60.0), period="quarter", grace_periods=1),
    ],
)
def test_counts_at_many_dates_are_those_of_each_date(
    rules: TierRules, tables_of: Callable[..., Tables], lines: pd.DataFrame
) -> None:
    tables = tables_of(lines)
    ends = [day.date() for day in pd.date_range("2020-05-01", "2021-02-01", freq="3MS")]
    many = over_time(tables, rules, ends, 60).set_index("end")
    for end in ends:
        one = holders(tables, rules, end, 60)
        assert many.loc[pd.Timestamp(end), "customers"].tolist() == one["customers"].tolist()
        held = tier_at(membership(tables, rules, end), end).to_pandas()["tier"].value_counts()
        assert one["customers"].tolist()[1:] == [held.get(1, 0), held.get(2, 0)]
    assert many["customers"].sum() > 0


def test_month_ends_are_the_latest_and_none_where_the_log_is_too_short() -> None:
    day = pd.Timestamp("2020-05-03").date()
    assert memberships.month_ends(day, day - timedelta(days=1)) == []
    assert memberships.month_ends(day, day) == [day]
    assert len(memberships.month_ends(day - timedelta(days=4000), day)) == memberships.MONTHS_SHOWN


# High value


@pytest.fixture
def scored(simulated: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    """The simulated shop, the scores of whose active customers are made up."""
    known = simulated.histories()
    known = known[known["T"] - known["recency"] <= simulated.active_within_days]
    away = known["T"] - known["recency"]
    p = (away / (away + 30)).clip(0.02, 0.98)
    scores = pd.DataFrame({"churn_probability": p, "clv": 10 * (1 - p) * known["frequency"]})
    monkeypatch.setattr(Study, "churn", lambda study: {"scores": scores})
    return simulated


def test_three_definitions_are_told_beside_the_others(scored: Study) -> None:
    step = high_value(scored)
    about, groups = step["about"], step["groups"].set_index(["definition", "high_value"])
    spent = spent_by_hand(scored, 365)
    assert about["tier"] == ""
    assert groups.at[("spend", True), "customers"] == (spent >= about["threshold"] - 1e-6).sum()
    assert 0.03 < groups.at[("spend", True), "share_of_customers"] < 0.2
    assert groups.at[("margin", True), "share_of_spend"] >= 0.5
    fewest = int((spent.sort_values(ascending=False).cumsum() < 0.5 * spent.sum()).sum()) + 1
    assert groups.at[("margin", True), "customers"] == fewest
    risk = step["risk"].set_index("definition")
    assert about["worth"] / 2 <= risk.at["clv", "worth"] < about["worth"] * 0.55
    assert about["cut"] == pytest.approx(scored.churn()["scores"]["churn_probability"].mean(), abs=0.001)
    assert (risk["at_risk"] <= risk["scored"]).all()
    assert (risk["leavers_low"] <= risk["leavers"]).all()
    assert step["overlap"].groupby("spend")["customers"].sum()[True] == groups.at[("spend", True), "customers"]


def test_the_highest_tier_of_a_year_is_the_threshold(shop: Callable[..., Study], monkeypatch: Any) -> None:
    scores = pd.DataFrame({"churn_probability": [0.5], "clv": [1.0]}, index=["c001"])
    monkeypatch.setattr(Study, "churn", lambda study: {"scores": scores})
    about = high_value(shop(TIERS.replace("90", "365")))["about"]
    assert (about["threshold"], about["tier"]) == (200.0, "Gold")
    assert high_value(shop(TIERS))["about"]["tier"] == ""  # 90 days are no year


def test_customers_are_counted_once_by_the_groups_that_they_are_in() -> None:
    groups = {
        name: ibis.memtable(pd.DataFrame({"customer": list(members)}))
        for name, members in {"spend": "ab", "margin": "abc", "clv": "cd"}.items()
    }
    assert overlap(groups).to_numpy().tolist() == [
        [True, True, False, 2], [False, True, True, 1], [False, False, True, 1],
    ]  # fmt: skip


# Bad input


@pytest.mark.parametrize(
    ("tiers", "told"),
    [
        ('[{ name = "A", spend = 0 }]', r"programme\.tiers\.spend: expected greater than 0, found 0"),
        ('[{ name = "A", spend = -5 }]', r"programme\.tiers\.spend: .*found -5"),
        ('[{ name = "A", spend = nan }]', r"programme\.tiers\.spend: expected .*found nan"),
        (
            '[{ name = "A", spend = 9 }, { name = "B", spend = 9 }]',
            "each with more spend or points than the one before",
        ),
        ('[{ name = "A", spend = 9 }, { name = "B", spend = 5 }]', "tiers in order"),
        ('[{ name = "A", spend = 9 }, { name = "A", spend = 10 }]', "tiers with different names"),
        ('[{ name = "A", spend = 9 }, { name = "B", points = 10 }]', "all reached by spend, or all by points"),
        ('[{ name = "A", spend = 9, points = 10 }]', "a name and either spend or points"),
        ('[{ name = "A" }]', "a name and either spend or points"),
        ('[{ name = "none", spend = 9 }]', r"shop\.toml.*no tier called 'none'"),
        (
            '[{ name = "A", spend = 9 }]\npoints = { tier_multipliers = { Platin = 2.0 } }',
            r"tier_multipliers of tiers among A, found Platin; add the tier or correct its name",
        ),
        ("[]\npoints = { per_unit = inf }", r"programme\.points\.per_unit: expected .*finite.*inf"),
    ],
)
def test_tiers_that_make_no_sense_are_one_line(
    make_shop: Callable[..., Path], shop_toml: str, tiers: str, told: str
) -> None:
    root = make_shop("customer,time,amount\n", f"{shop_toml}\n[programme]\ntiers = {tiers}\n")
    with pytest.raises(SettingsError, match=told) as caught:
        load_dataset("shop", root)
    assert str(caught.value).startswith("data/shop.toml")
    assert "\n" not in str(caught.value)
