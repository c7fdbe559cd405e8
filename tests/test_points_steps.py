"""The step of points: an own ledger, a replay by rules, an assumed programme; and what is wrong with a ledger."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty import balances
from loyalty.errors import SettingsError
from loyalty.programme.accounts import ASSUMED, PAID_SHARE, WORTH
from loyalty.programme.liability import Triangle, hazards, redeemed_ahead, there_now
from loyalty.programme.owed import METHODS, counted, expected, triangle
from loyalty.programme.owed_tested import back_test, trusted
from loyalty.programme.points import assumed_wishes, earned, replay
from loyalty.reporting.chapters import points as chapter
from loyalty.store import Store
from loyalty.study import Study

LEDGER = """
[points]
source = "data/raw/points.csv"
customer = "customer"
time = "time"
points = "points"
kind = "kind"
"""
RULES = """
[programme.points]
per_unit = 1
expiry_days = 60
cost_per_point = 0.01
"""
PARTS = ("redeemed", "expired", "clawed_back", "adjusted", "outstanding")
Shop = Callable[..., Study]


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str) -> Shop:
    """Return a function that opens a shop with a ledger (rows of customer, time, points, kind) and more of its file."""

    def opened(rows: list[tuple[str, str, float, str]] | None, more: str = "") -> Study:
        root = make_shop(simulated_log, shop_toml + (LEDGER if rows is not None else "") + more)
        if rows is not None:
            frame = pd.DataFrame(rows, columns=["customer", "time", "points", "kind"])
            frame.to_csv(root / "data" / "raw" / "points.csv", index=False)
        return Study.open("shop", root=root)

    return opened


@pytest.fixture(scope="module")
def ledger() -> list[tuple[str, str, float, str]]:
    """Twenty customers who earn 100 points a month from January to August; each second one redeems 50 each time."""
    rows = []
    for number in range(20):
        for month in range(1, 9):
            rows.append((f"c{number:03d}", f"2020-{month:02d}-01", 100.0, "earn"))
            if number % 2:
                rows.append((f"c{number:03d}", f"2020-{month:02d}-20", -50.0, "redeem"))
    return rows


@pytest.fixture(scope="module")
def assumed(simulated: Study) -> dict[str, Any]:
    return balances.points(simulated)


def test_a_log_without_a_programme_gets_an_assumed_one_that_says_so(assumed: dict[str, Any]) -> None:
    about = assumed["about"]
    assert (about["known"], about["source"], about["assumed"]) == (True, "assumed", True)
    assert about["lacking"] == ["points", "programme.points"]
    assert about["rules"]["expiry_months"] == 12
    assert about["paid_share"] == 0.02


def test_points_of_the_assumed_programme_are_those_of_the_log_by_hand(
    assumed: dict[str, Any], simulated_log: pd.DataFrame
) -> None:
    """A point for each whole unit of a day; what is issued is somewhere afterwards."""
    log = simulated_log.assign(day=pd.to_datetime(simulated_log["time"]).dt.normalize())
    spent = log.groupby(["customer", "day"])["amount"].sum()
    told = assumed["about"]["totals"]
    assert told["issued"] == np.floor(spent.round(2) + 1e-6).sum()
    assert told["issued"] == pytest.approx(sum(told[part] for part in PARTS))
    pending = spent[spent.index.get_level_values("day") >= pd.Timestamp("2021-02-04") - pd.Timedelta(days=14)]
    assert told["pending"] <= np.floor(pending + 1e-6).sum()
    by_kind = assumed["kinds"].set_index("kind")["points"]
    assert by_kind["redeemed"] == told["redeemed"] == assumed["daily"].query("kind == 'redeemed'")["points"].sum()
    assert assumed["weekly"].groupby("kind")["points"].sum().to_dict() == pytest.approx(by_kind.to_dict())


def test_what_is_left_is_the_same_in_every_table(assumed: dict[str, Any]) -> None:
    told = assumed["about"]["totals"]
    there = told["outstanding"] - told["pending"]
    assert assumed["ages"]["points"].sum() == there
    assert assumed["calendar"]["points"].sum() == there
    assert assumed["stress"].set_index("case")["points"]["everything is redeemed"] == pytest.approx(there)
    assert assumed["reminders"]["points"].is_monotonic_increasing
    assert (assumed["liability"][["points", "points_low", "points_high"]] <= there).all(axis=None)


def test_other_rules_start_from_those_in_use(assumed: dict[str, Any]) -> None:
    table = assumed["changes"].set_index("change")
    assert table.index.to_list() == ["none", "more points", "expiry"]
    assert table["redeemed"]["none"] == assumed["about"]["totals"]["redeemed"]
    assert table["issued"]["more points"] > 1.4 * table["issued"]["none"]
    assert table["expired"]["expiry"] <= table["expired"]["none"]
    assert table["expiry_months"].to_list() == [12, 12, 24]


def test_the_result_is_kept_as_it_is(assumed: dict[str, Any], tmp_path: Path) -> None:
    kept = Store(tmp_path / "kept").get("points", lambda: assumed)
    assert set(kept) == set(assumed)
    assert kept["about"] == assumed["about"]
    assert not {"customer", "id"} & {column for part in kept.values() if part is not kept["about"] for column in part}


@pytest.mark.slow
def test_rules_of_the_file_are_replayed_and_redemptions_assumed(shop: Shop) -> None:
    step = balances.points(shop(None, RULES))
    about = step["about"]
    assert (about["source"], about["assumed"], about["paid_share"]) == ("rules", False, 0.02)
    assert about["totals"]["expired"] > 0
    assert about["use"]["matured"]["low"] < about["use"]["matured"]["estimate"] < about["use"]["matured"]["high"]


def test_an_own_ledger_with_rules(shop: Shop, ledger: list[tuple[str, str, float, str]]) -> None:
    """After the last of August points live 60 days: all are gone by the end of the log in February."""
    step = balances.points(shop(ledger, RULES))
    about = step["about"]
    assert (about["source"], about["says_expiry"], about["customers"]) == ("own", False, 20)
    assert about["findings"] == []
    told = about["totals"]
    assert (told["issued"], told["redeemed"], told["expired"], told["outstanding"]) == (16_000, 4_000, 12_000, 0)
    assert about["use"]["matured"]["estimate"] == pytest.approx(0.25)
    assert about["use"]["alarm"] is True
    table = step["changes"]
    assert table[["change", "wishes"]].to_numpy().tolist() == [
        ["none", "same"], ["more points", "same"], ["more points", "more"], ["expiry", "same"]
    ]  # fmt: skip


def test_an_own_ledger_without_rules_is_no_money_and_has_no_other_rules(
    shop: Shop, ledger: list[tuple[str, str, float, str]]
) -> None:
    step = balances.points(shop(ledger))
    assert step["about"]["rules"] is None
    assert step["about"]["lacking"] == ["programme.points"]
    assert step["changes"].empty
    assert step["calendar"].empty
    assert step["liability"]["money"].isna().all()
    assert step["about"]["totals"]["outstanding"] == 12_000
    assert step["about"]["use"]["matured"] is None


def test_a_ledger_of_tomorrow_tells_nothing_yet(shop: Shop) -> None:
    about = balances.points(shop([("c001", "2021-12-01", 5.0, "earn")]))["about"]
    assert (about["known"], about["source"]) == (False, "own")


def test_a_ledger_too_short_says_why_nothing_is_said_of_its_future(shop: Shop) -> None:
    step = balances.points(shop([(f"c{n:03d}", "2021-01-10", 5.0, "earn") for n in range(15)]))
    assert step["liability"].empty
    assert step["stress"].empty
    assert "1 periods of 30 days brought points, and 4 are needed" in step["about"]["refused"]


@pytest.mark.parametrize(
    ("more", "lacking"),
    [
        ("birthday_multiplier = 2.0\n", "customers.birthday"),
        ("tier_multipliers = { Gold = 2.0 }\n", "programme.tiers"),
        ('tier_multipliers = { Gold = 2.0 }\n[programme]\ntiers = [{ name = "Gold", points = 100.0 }]\n', "points"),
    ],
)
def test_rules_that_need_what_the_file_lacks_say_so(shop: Shop, more: str, lacking: str) -> None:
    about = balances.points(shop(None, RULES + more))["about"]
    assert about == {"known": False, "source": "rules", "assumed": False, "lacking": [lacking]}


@pytest.mark.slow
def test_a_tier_multiplies_from_the_day_after_it_is_reached(shop: Shop, simulated_log: pd.DataFrame) -> None:
    """By a loop over the purchase days of each customer, whose spend of the 400 days before decides."""
    more = "tier_multipliers = { Gold = 2.0 }\n[programme]\nqualifying_days = 400\n"
    more += 'tiers = [{ name = "Gold", spend = 60.0 }]\n'
    told = balances.points(shop(None, RULES + more))["about"]["totals"]
    log = simulated_log.assign(day=pd.to_datetime(simulated_log["time"]).dt.normalize())
    issued = 0.0
    for _, spent in log.groupby(["customer", "day"])["amount"].sum().round(2).groupby(level=0):
        so_far = 0.0
        for amount in spent:
            issued += np.floor(amount * (2 if round(so_far, 2) >= 60 else 1) + 1e-6)
            so_far += amount
    assert told["issued"] == issued


@pytest.mark.slow
def test_what_was_promised_of_the_points_of_a_real_shop_came(cdnow: Study) -> None:
    """CDNOW under the assumed rules with points of four months, so that the truth lies in its log, at nine dates."""
    rules, end = ASSUMED.model_copy(update={"expiry_months": None, "expiry_days": 120}), cdnow.known_until
    days = cdnow.data.tables.days
    account = replay(earned(days, rules), assumed_wishes(days, share=PAID_SHARE, worth=WORTH), rules, end)
    seen = counted(account)
    assert (seen.cohorts, seen.ages) == (18, 5)
    ratios: dict[str, list[float]] = {"pooled": []} | {method: [] for method in METHODS}
    held: dict[str, list[bool]] = {method: [] for method in METHODS}
    for periods in range(5, 14):
        then, came = seen.earlier(periods), seen.redeemed_since(periods)
        for method in METHODS:
            found = expected(then, method)
            ratios[method].append(float(found.total) / came)
            held[method].append(bool(found.low <= came <= found.high))
        pooled = Triangle(*(part.sum(axis=(0, 1)) for part in vars(triangle(then)).values()))
        ratios["pooled"].append(redeemed_ahead(there_now(pooled), hazards(pooled)).sum() / came)
    # Those who came once in 1997 decide over all others where first and later points are not apart.
    assert max(ratios["pooled"]) < 0.75
    assert all(0.85 < ratio < 1.15 for ratio in ratios["survival"])
    assert sum(held["survival"]) >= 8
    # Chain-ladder is right on average, and seldom.
    assert np.mean(ratios["chain-ladder"]) == pytest.approx(1, abs=0.1)
    misses = {method: np.abs(np.array(ratios[method]) - 1).mean() for method in METHODS}
    assert misses["survival"] < misses["chain-ladder"]
    assert trusted(back_test(seen, end)) == "survival"


def test_the_stress_table_is_made_of_the_method_that_was_nearer(assumed: dict[str, Any]) -> None:
    tested, owed = assumed["liability_tested"], assumed["liability"].set_index("method")
    by = assumed["about"]["trusted"]
    assert by == trusted(tested)
    case = assumed["stress"].set_index("case")["points"]
    assert case["expected"] == pytest.approx(owed["points"][by])
    assert not owed["bound"].any()


def test_points_that_last_longer_than_the_log_are_only_known_to_bring_at_least(shop: Shop) -> None:
    """24 months against the 13 of the log: chain-ladder is refused, and survival is called the least."""
    rows = [(f"c{n:03d}", f"2020-{month:02d}-01", 100.0, "earn") for n in range(20) for month in range(1, 12)]
    rows += [(f"c{n:03d}", f"2020-{month:02d}-25", -60.0, "redeem") for n in range(0, 20, 2) for month in range(2, 12)]
    step = balances.points(shop(rows, RULES.replace("expiry_days = 60", "expiry_months = 24")))
    owed, told = step["liability"], step["about"]["totals"]
    assert owed[["method", "bound"]].to_numpy().tolist() == [["survival", True]]
    assert owed["points_high"].item() == told["outstanding"]
    assert 0 < owed["points_low"].item() < owed["points"].item() < told["outstanding"]
    assert step["stress"]["case"].iloc[0] == "at ages seen so far"
    assert step["liability_tested"].empty
    assert step["about"]["trusted"] == "survival"


# What is wrong with points


def names(study: Study) -> dict[str, str]:
    return {each["name"]: each["detail"] for each in study.check()["findings"] if each["name"].startswith("points_")}


def test_check_tells_what_is_wrong_with_a_ledger(shop: Shop, ledger: list[tuple[str, str, float, str]]) -> None:
    wrong = [
        ("c001", "2020-09-05", -5000.0, "redeem"),
        ("c002", "2020-09-05", 7.5, "earn"),
        ("nobody", "2020-09-05", 10.0, "earn"),
        ("c003", "2020-09-05", 3.0, "gift"),
    ]
    study = shop([*ledger, *wrong], RULES)
    found = names(study)
    one = f"points: 1 of {len(ledger) + len(wrong)} movements"
    assert found == {
        "points_unknown_kind": f"{one} have a kind that is not known, and are taken by their sign",
        "points_unknown_customer": f"{one} are of customers without a purchase, and count",
        "points_split": f"{one} are not whole, and count as they are",
        "points_negative_balance": "points: 1 days of a customer take more than the balance at the end of their day, "
        "and count as far as it goes",
    }
    samples = {each["name"]: each["sample"] for each in study.check()["findings"]}
    assert samples["points_negative_balance"] == [{"customer": "c001", "day": "2020-09-05", "points": -4600.0}]
    about = balances.points(study)["about"]
    assert [each["label"] for each in about["findings"]]
    # What was not there was not redeemed, and what a customer without a purchase earned is somebody's.
    assert about["totals"]["unmet"] > 4000
    assert about["totals"]["issued"] == 16_000 + 7.5 + 10 + 3


def test_redemptions_after_the_expiry_are_told(shop: Shop, ledger: list[tuple[str, str, float, str]]) -> None:
    """Points of 1 January and later live 60 days; c000 never spent any of its 800, and takes 100 in December."""
    late = [(f"c{number:03d}", "2020-12-05", -100.0, "redeem") for number in range(0, 20, 2)]
    study = shop([*ledger, *late], RULES)
    assert names(study) == {
        "points_redeemed_late": "points: 10 days of a customer redeem points that had expired by the rules, and count "
        "as far as others were there"
    }
    about = balances.points(study)["about"]
    assert (about["totals"]["unmet"], about["unmet_customers"]) == (1000, 10)
    assert (
        "Beside these, 1,000 points (€10.00) of 10 customers were handed in that were not there" in
        chapter.read_account(study)
    )  # fmt: skip


def test_split_points_are_odd_only_where_whole_ones_are_declared(shop: Shop) -> None:
    rows = [("c002", "2020-09-05", 7.5, "earn")]
    assert "points_split" in names(shop(rows, RULES))
    assert "points_split" not in names(shop(rows))
    assert "points_split" not in names(shop(rows, RULES + "whole = false\n"))


def test_an_expiry_of_nothing_is_refused(shop: Shop) -> None:
    with pytest.raises(SettingsError, match=r"programme\.points\.expiry_days.*greater than or equal to 1"):
        shop(None, "[programme.points]\nexpiry_days = 0\n")


def test_other_rules_are_checked_anew(shop: Shop) -> None:
    """The rules are no part of the key of the tables, and yet of what is found in them."""
    study = shop([("c002", "2020-09-05", 7.5, "earn")], RULES)
    assert "points_split" in names(study)
    file = study.root / "data" / "shop.toml"
    file.write_text(file.read_text("utf-8") + "whole = false\n", "utf-8")
    assert "points_split" not in names(Study.open("shop", root=study.root))
