"""Points under the rules of a dataset file: earned, pending, taken back, capped, compared; and a ledger checked."""

from datetime import date, timedelta

import ibis
import pandas as pd
import pytest
from loyalty.errors import SettingsError
from loyalty.points_rules import PointsRules
from loyalty.programme.points import earned, own, replay
from loyalty.programme.points_checks import points_findings
from loyalty.programme.points_measures import balance_by_age, expiry_calendar, moved, to_remind, use
from loyalty.programme.points_totals import compare, issued_by, totals
from pydantic import ValidationError

START = date(2020, 1, 1)


def on(day: int) -> date:
    return START + timedelta(days=day)


def days_of(rows: list[tuple[str, int, float]]) -> ibis.expr.types.Table:
    frame = pd.DataFrame([(who, on(day), spend) for who, day, spend in rows], columns=["customer", "day", "spend"])
    return ibis.memtable(frame, schema=ibis.schema({"customer": "string", "day": "date", "spend": "float64"}))


def ledger_of(rows: list[tuple[str, int, float, str]]) -> ibis.expr.types.Table:
    columns = {"customer": "string", "day": "date", "points": "float64", "kind": "string"}
    frame = pd.DataFrame([(who, on(day), *rest) for who, day, *rest in rows], columns=list(columns))
    return ibis.memtable(frame, schema=ibis.schema(columns))


def no_wishes() -> ibis.expr.types.Table:
    wishes = ibis.memtable({"customer": ["a"], "day": [START], "units": [1]})
    return wishes.filter(ibis.literal(False))


def units(table: ibis.expr.types.Table) -> list[int]:
    return table.order_by("customer", "day").units.to_pyarrow().to_pylist()


def test_whole_points_are_rounded_down_and_split_ones_keep_two_decimals() -> None:
    days = days_of([("a", 0, 0.29 * 3), ("a", 1, 19.99)])
    assert units(earned(days, PointsRules(per_unit=1.5))) == [100, 2900]
    assert units(earned(days, PointsRules(per_unit=1.5, whole=False))) == [130, 2998]


def test_a_month_brings_no_more_than_its_most() -> None:
    days = days_of([("a", 0, 60), ("a", 3, 60), ("a", 4, 60), ("a", 31, 60), ("b", 3, 60)])
    assert units(earned(days, PointsRules(most_per_month=100))) == [6000, 4000, 6000, 6000]


def test_birthdays_and_tiers_multiply() -> None:
    days = days_of([("a", 0, 10), ("a", 40, 10)]).mutate(level=ibis.literal(1))
    born = ibis.memtable({"customer": ["a"], "birthday": [date(1980, 1, 20)]})
    rules = PointsRules(birthday_multiplier=2, tier_multipliers={"Gold": 1.5})
    assert units(earned(days, rules, born, {1: "Gold"})) == [3000, 1500]
    with pytest.raises(SettingsError, match=r"tier_multipliers: Gold is no tier; expected Silver"):
        earned(days, rules, born, {1: "Silver"})
    with pytest.raises(SettingsError, match=r"birthday_multiplier: expected a birthday under \[customers\]"):
        earned(days, PointsRules(birthday_multiplier=2))


def test_a_return_takes_pending_points_first_and_the_rest_from_the_balance() -> None:
    """100 of day 0 are free on day 14, 50 of day 10 still pending on day 15, when 80 go back: 50, then 30."""
    rules = PointsRules(pending_days=14, expiry_days=365)
    account = replay(
        earned(days_of([("a", 0, 100), ("a", 10, 50), ("a", 16, 7)]), rules), no_wishes(), rules, on(20),
        days_of([("a", 15, -80)]),
    )  # fmt: skip
    assert account.parts.filter(account.parts.step.isnull()).units.sum().to_pyarrow().as_py() == 7000
    assert account.pending.units.to_pyarrow().to_pylist() == [700]


def test_points_last_to_the_same_day_months_later() -> None:
    rules = PointsRules(expiry_months=1)
    account = replay(earned(days_of([("a", 30, 5)]), rules), no_wishes(), rules, on(40))
    assert account.parts.expires.to_pyarrow().to_pylist() == [date(2020, 3, 1)]  # of 31 January: 29 February


def test_other_rules_by_hand() -> None:
    days = days_of([("a", 0, 100), ("a", 20, 10)])
    wishes = ibis.memtable({"customer": ["a"], "day": [on(15)], "units": [4000]})
    rules = {"short": PointsRules(expiry_days=9), "long": PointsRules(per_unit=1.5, expiry_days=30, cost_per_point=0.1)}
    found = compare(days, wishes, rules, on(25))
    columns = ["issued", "redeemed", "expired", "clawed_back", "outstanding", "unmet"]
    assert found[columns].loc["short"].to_list() == [110, 0, 100, 0, 10, 40]
    assert found[columns].loc["long"].to_list() == [165, 40, 0, 0, 125, 0]
    assert found["cost"]["long"] == pytest.approx(4)


def test_other_rules_keep_their_multipliers() -> None:
    days = days_of([("a", 0, 100), ("a", 20, 10)]).mutate(level=ibis._.spend.cast("int64") % 3)
    rules = {"Gold": PointsRules(tier_multipliers={"Gold": 2.0})}
    found = compare(days, no_wishes(), rules, on(25), levels={0: "none", 1: "Gold"})
    assert found["issued"].to_dict() == {"Gold": 220}


def test_points_moved_by_periods_that_end_at_the_as_of_date() -> None:
    rows = [("a", 2, 5.0, "earn"), ("b", 2, 6.0, "earn"), ("b", 3, -1.0, "redeem"), ("a", 3, 7.0, "earn")]
    told = moved(own(ledger_of(rows), PointsRules(), on(10)), 7)
    assert told[["day", "kind", "points", "customers"]].to_numpy().tolist() == [
        [pd.Timestamp(on(-4)), "issued", 11, 2], [pd.Timestamp(on(3)), "issued", 7, 1],
        [pd.Timestamp(on(3)), "redeemed", 1, 1],
    ]  # fmt: skip


def test_an_own_ledger_in_numbers() -> None:
    rows = [("a", 0, 100.0, "earn"), ("b", 0, 100.0, "bonus"), ("a", 30, -60.0, "redeem"), ("b", 300, 20.0, "earn")]
    rules = PointsRules(expiry_days=99, kinds={"Bonus": "earn"})
    account = own(ledger_of(rows), rules, on(310))
    told = moved(account).groupby("kind")["points"].sum()
    assert told.to_dict() == {"issued": 220, "redeemed": 60, "expired": 140}
    used = use(account)
    assert used is not None
    assert used.matured is not None
    assert (used.share.estimate, used.matured.estimate, used.alarm) == (pytest.approx(60 / 220), 0.3, True)
    assert balance_by_age(account)[["from_days", "points"]].to_numpy().tolist() == [[0, 20]]
    assert expiry_calendar(account)["points"].to_list() == [20]
    assert to_remind(account, 30).count().to_pyarrow().as_py() == 0
    assert to_remind(account, 91).units.to_pyarrow().to_pylist() == [2000]


def test_what_is_wrong_with_a_ledger_is_told() -> None:
    rows = [
        ("a", 0, 10.0, "earn"), ("a", 1, -30.0, "redeem"), ("b", 0, 5.5, "earn"), ("b", 1, 2.0, "gift"),
        ("b", 2, -1.0, "earn"), ("b", 9, -1.0, "expire"), ("stranger", 0, 5.0, "earn"),
    ]  # fmt: skip
    rules = PointsRules(expiry_days=99)
    told = {found.name: found.detail for found in points_findings(
        ledger_of(rows), days_of([("a", 0, 1), ("b", 0, 1)]), rules, on(20))}  # fmt: skip
    assert told == {
        "points_unknown_kind": "points: 1 of 7 movements have a kind that is not known, and are taken by their sign",
        "points_wrong_sign": "points: 1 of 7 movements have a sign that does not fit their kind, and are taken by it; "
        "earned below zero as a return",
        "points_unknown_customer": "points: 1 of 7 movements are of customers without a purchase, and count",
        "points_split": "points: 1 of 7 movements are not whole, and count as they are",
        "points_negative_balance": "points: 1 days of a customer take more than the balance at the end of their day, "
        "and count as far as it goes",
        "points_expiry_differs": "points: 1 days of a customer have other expiries than the rules say",
    }


def test_points_earned_below_zero_and_returned_ones_are_no_redemptions() -> None:
    """100 earned; 40 booked back as earned below zero, 10 as a return by the retailer's word, 5 adjusted down; 3 up."""
    rows = [
        ("a", 0, 100.0, "earn"), ("a", 5, -40.0, "earn"), ("a", 6, -10.0, "refund"), ("a", 7, -5.0, "adjust"),
        ("a", 8, 3.0, "adjust"), ("b", 0, 20.0, "earn"), ("b", 9, -20.0, "gift"),
    ]  # fmt: skip
    rules = PointsRules(expiry_days=99, kinds={"Refund": "return"})
    told = totals(own(ledger_of(rows), rules, on(50)))
    names = ["issued", "redeemed", "expired", "clawed_back", "adjusted", "outstanding"]
    assert [told[name] for name in names] == [123, 20, 0, 50, 5, 48]
    findings = {
        each.name: each.detail for each in points_findings(ledger_of(rows), days_of([("a", 0, 1)]), rules, on(50))
    }
    assert "earned below zero as a return" in findings["points_wrong_sign"]


def test_what_a_return_takes_is_counted_and_not_the_rest() -> None:
    """100 of day 0 are free on day 14, 50 of day 10 pending on day 15, when 80 go back: 50 of these and 30 of those."""
    rules = PointsRules(pending_days=14, expiry_days=365)
    earnings = earned(days_of([("a", 0, 100), ("a", 10, 50), ("a", 16, 7)]), rules)
    account = replay(earnings, no_wishes(), rules, on(20), days_of([("a", 15, -80)]))
    told = totals(account, issued_by(earnings, on(20)))
    assert (told["issued"], told["clawed_back"], told["outstanding"], told["pending"]) == (157, 80, 77, 7)


def test_redemptions_of_points_that_had_expired_are_told() -> None:
    """100 of day 0 are gone on day 366 by the rules; 100 are redeemed on day 400, and 5 more than ever were by b."""
    rows = [("a", 0, 100.0, "earn"), ("a", 400, -100.0, "redeem"), ("b", 390, 5.0, "earn"), ("b", 400, -10.0, "redeem")]
    rules, days = PointsRules(expiry_days=365), days_of([("a", 0, 1), ("b", 390, 1)])
    found = {each.name: each for each in points_findings(ledger_of(rows), days, rules, on(500))}
    assert found["points_redeemed_late"].detail == (
        "points: 1 days of a customer redeem points that had expired by the rules, and count as far as others were "
        "there"
    )
    assert found["points_redeemed_late"].sample == [{"customer": "a", "day": "2021-02-04", "points": -100.0}]
    assert totals(own(ledger_of(rows), rules, on(500)))["unmet"] == 105
    # A table that tells what expired is believed.
    says = [*rows, ("b", 450, -1.0, "expire")]
    assert "points_redeemed_late" not in {each.name for each in points_findings(ledger_of(says), days, rules, on(500))}
    assert "points_redeemed_late" not in {
        each.name for each in points_findings(ledger_of(rows), days, PointsRules(), on(500))
    }


def test_rules_that_cannot_be_are_refused() -> None:
    for wrong in ({"expiry_days": 0}, {"expiry_months": 0}, {"per_unit": 0}):
        with pytest.raises(ValidationError, match="greater than"):
            PointsRules.model_validate(wrong)
    infinite = float("inf")
    for wrong in (
        {"per_unit": infinite}, {"birthday_multiplier": infinite}, {"tier_multipliers": {"Gold": infinite}},
        {"most_per_month": infinite}, {"cost_per_point": infinite},
    ):  # fmt: skip
        with pytest.raises(ValidationError, match="finite number"):
            PointsRules.model_validate(wrong)
    with pytest.raises(ValidationError, match="no expiry_days where there are expiry_months"):
        PointsRules(expiry_months=12, expiry_days=365)
    with pytest.raises(ValidationError, match="less than the 30 days that points last at least"):
        PointsRules(expiry_days=30, pending_days=30)
