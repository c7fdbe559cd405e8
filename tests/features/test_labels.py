"""Labels: who is active, and what they did in the horizon, against loops."""

from datetime import date, timedelta
from typing import Any, get_args

import ibis
import pandas as pd
import pytest
from loyalty.features.columns import Tables
from loyalty.features.labels import CONTRACT_END, NO_PURCHASE, PARTIAL_DEFECTION, active, at_risk, labels, spending
from loyalty.schema import StudySettings

AS_OF, HORIZON, ACTIVE = date(2020, 8, 17), 30, 60


def day(shift: int) -> date:
    return AS_OF + timedelta(days=shift)


def days_of(*rows: tuple[str, int, float]) -> Tables:
    """Purchase days, or days of return where the money is below zero: customer, days from the date on, money."""
    types = {"customer": "string", "day": "date", "spend": "float64", "orders": "int64"}
    moved = ibis.memtable([(who, day(at), spend, 1) for who, at, spend in rows], schema=types)
    return Tables(moved.filter(moved.spend >= 0), moved.filter(moved.spend < 0).drop("orders"))


def outcome(*rows: tuple[str, int, float], known_until: date | None = None) -> dict[str, Any]:
    """Label of customer a."""
    table = labels(days_of(*rows), AS_OF, HORIZON, ACTIVE, known_until)
    (row,) = [row for row in table.to_pyarrow().to_pylist() if row["customer"] == "a"]
    return row


def test_labels_are_those_of_a_loop(lines: pd.DataFrame, tables: Tables) -> None:
    expected = {}
    for customer, of in lines.groupby("customer"):
        sums = of.groupby("day")["amount"].sum()
        orders = of[of["amount"] > 0].groupby("day")["order"].nunique()
        bought = sums[sums > 0]
        if any(day(-ACTIVE) <= at < AS_OF for at in bought.index):
            later = [at for at in bought.index if AS_OF <= at < day(HORIZON)]
            spend = sum(money for at, money in sums.items() if AS_OF <= at < day(HORIZON))
            before = sum(money for at, money in sums.items() if day(-HORIZON) <= at < AS_OF)
            expected[customer] = {
                "purchases": len(later),
                "orders": sum(orders[at] for at in later),
                "spend": spend,
                "churned": not later,
                "partial_defection": spend < before / 2 if before > 0 else None,
            }
    got = {row.pop("customer"): row for row in labels(tables, AS_OF, HORIZON, ACTIVE).to_pyarrow().to_pylist()}
    assert got == expected
    assert {row["churned"] for row in expected.values()} == {True, False}
    assert {row["partial_defection"] for row in expected.values()} == {True, False, None}


@pytest.mark.parametrize(
    ("last", "is_active"), [(-1, True), (-ACTIVE, True), (-ACTIVE - 1, False), (0, False), (5, False)]
)
def test_active_is_who_bought_in_the_days_before(last: int, is_active: bool) -> None:
    assert (active(days_of(("a", last, 1.0)).days, AS_OF, ACTIVE).count().execute() == 1) is is_active


@pytest.mark.parametrize(("bought", "churned"), [(0, False), (HORIZON - 1, False), (HORIZON, True), (-2, True)])
def test_the_horizon_begins_with_the_date_and_ends_before_its_end(bought: int, churned: bool) -> None:
    assert outcome(("a", -1, 1.0), ("a", bought, 2.5)) == {
        "customer": "a",
        "purchases": 0 if churned else 1,
        "orders": 0 if churned else 1,
        "spend": 0.0 if churned else 2.5,
        "churned": churned,
        "partial_defection": churned,
    }


def test_a_purchase_worth_nothing_is_not_leaving() -> None:
    row = outcome(("a", -1, 1.0), ("a", 3, 0.0))
    assert (row["purchases"], row["spend"], row["churned"]) == (1, 0.0, False)


def test_giving_back_is_no_purchase_and_lowers_the_spend() -> None:
    row = outcome(("a", -1, 10.0), ("a", 3, -4.0))
    assert (row["purchases"], row["spend"], row["churned"]) == (0, -4.0, True)
    row = outcome(("a", -1, 10.0), ("a", 3, 9.0), ("a", 4, -4.0))
    assert (row["purchases"], row["spend"], row["churned"], row["partial_defection"]) == (1, 5.0, False, False)
    assert outcome(("a", -1, 10.0), ("a", 3, 9.0), ("a", 4, -4.25))["partial_defection"] is True


@pytest.mark.parametrize(("spend", "defected"), [(4.99, True), (5.0, False), (20.0, False)])
def test_partial_defection_is_under_half_of_before(spend: float, defected: bool) -> None:
    rows = [("a", -HORIZON - 1, 50.0), ("a", -HORIZON, 4.0), ("a", -1, 6.0), ("a", HORIZON - 1, spend)]
    assert outcome(*rows)["partial_defection"] is defected


def test_exactly_half_in_cents_is_not_under_half() -> None:
    assert outcome(("a", -3, 0.1), ("a", -2, 0.2), ("a", 1, 0.15))["partial_defection"] is False


def test_who_spent_nothing_before_cannot_halve_it() -> None:
    assert outcome(("a", -HORIZON - 1, 5.0))["partial_defection"] is None
    assert outcome(("a", -3, 5.0), ("a", -2, -5.0))["partial_defection"] is None


def test_who_is_active_is_one_row_however_often_they_bought() -> None:
    days = days_of(("a", -1, 1.0), ("a", -2, 1.0), ("a", 1, 1.0), ("a", 2, 1.0), ("b", -1, 1.0))
    got = labels(days, AS_OF, HORIZON, ACTIVE).order_by("customer").to_pandas()
    assert list(got["customer"]) == ["a", "b"]
    assert list(got["purchases"]) == [2, 0]


@pytest.mark.parametrize("covered", [HORIZON, HORIZON + 100])
def test_a_horizon_that_is_over_is_known(covered: int) -> None:
    assert outcome(("a", -1, 1.0), known_until=day(covered)) == outcome(("a", -1, 1.0))


@pytest.mark.parametrize("covered", [HORIZON - 1, 5, 0, -3])
def test_a_horizon_that_is_not_over_is_unknown_and_not_zero(covered: int) -> None:
    row = outcome(("a", -5, 1.0), known_until=day(covered))
    assert row == {"customer": "a"} | dict.fromkeys(("purchases", "orders", "spend", "churned", "partial_defection"))


@pytest.mark.parametrize(("bought", "churned"), [(4, False), (5, None), (20, None)])
def test_who_has_bought_already_has_not_churned(bought: int, churned: bool | None) -> None:
    row = outcome(("a", -5, 1.0), ("a", bought, 3.0), known_until=day(5))
    assert row == outcome(("a", -5, 1.0), known_until=day(5)) | {"churned": churned}


def test_spending_knows_newcomers_and_who_only_gave_back() -> None:
    rows = [("new", 2, 4.0), ("new", 3, 0.5), ("late", HORIZON, 1.0), ("old", -1, 9.0), ("sorry", 6, -9.0)]
    got = spending(days_of(*rows), AS_OF, HORIZON).order_by("customer").to_pyarrow().to_pylist()
    assert got == [
        {"customer": "new", "purchases": 2, "orders": 2, "spend": 4.5},
        {"customer": "sorry", "purchases": 0, "orders": 0, "spend": -9.0},
    ]


def test_with_no_one_active_there_are_no_labels() -> None:
    assert labels(days_of(("a", 1, 1.0)), AS_OF, HORIZON, ACTIVE).count().execute() == 0


def by_contract(*rows: tuple[str, int, float], contracts: list[tuple[str, int | None, int | None]]) -> Tables:
    """Purchase days, and contracts: customer, days from the date to the first and to the last day of each."""
    types = {"customer": "string", "joined": "date", "contract_end": "date"}
    told = [(who, *(at if at is None else day(at) for at in days)) for who, *days in contracts]
    return days_of(*rows)._replace(customers=ibis.memtable(told, schema=types))


def ended(*contracts: tuple[str, int | None, int | None], known_until: date | None = None) -> dict[str, Any]:
    """Customer → churned by contract end; everyone bought long ago."""
    tables = by_contract(("a", -300, 1.0), ("b", -300, 1.0), contracts=list(contracts))
    table = labels(tables, AS_OF, HORIZON, ACTIVE, known_until, CONTRACT_END)
    return {row["customer"]: row["churned"] for row in table.to_pyarrow().to_pylist()}


def test_the_meanings_are_those_that_a_dataset_file_may_name() -> None:
    assert get_args(StudySettings.model_fields["churn"].annotation) == (NO_PURCHASE, PARTIAL_DEFECTION, CONTRACT_END)


def test_partial_defection_asks_those_who_have_something_to_halve(lines: pd.DataFrame, tables: Tables) -> None:
    usual = labels(tables, AS_OF, HORIZON, ACTIVE).to_pandas().set_index("customer").sort_index()
    partial = labels(tables, AS_OF, HORIZON, ACTIVE, churn=PARTIAL_DEFECTION).to_pandas().set_index("customer")
    before = lines[(lines["day"] >= day(-HORIZON)) & (lines["day"] < AS_OF)].groupby("customer")["amount"].sum()
    asked = usual.index.intersection(before[before > 0].index)
    assert 0 < len(asked) < len(usual)
    partial = partial.sort_index()
    assert list(partial.index) == list(asked)
    assert (partial["churned"] == usual.loc[asked, "partial_defection"]).all()
    for name in ("purchases", "orders", "spend"):
        assert list(partial[name]) == list(usual.loc[asked, name])
    risk = at_risk(tables, AS_OF, HORIZON, ACTIVE, PARTIAL_DEFECTION)
    assert sorted(risk.to_pandas()["customer"]) == list(asked)


@pytest.mark.parametrize(
    ("last", "churned"), [(-1, None), (0, True), (HORIZON - 1, True), (HORIZON, False), (5000, False)]
)
def test_a_contract_that_ends_in_the_horizon_is_lost(last: int, churned: bool | None) -> None:
    assert ended(("a", None, last)) == ({} if churned is None else {"a": churned})


def test_a_contract_that_was_renewed_by_the_end_of_the_horizon_is_not_lost() -> None:
    assert ended(("a", -400, 10), ("a", 11, 400), ("b", -400, 10), ("b", HORIZON, 400)) == {"a": False, "b": True}
    assert ended(("a", -400, -20), ("a", 3, 400)) == {}  # had none at the date
    assert ended(("a", -400, 10), ("a", None, None)) == {"a": True}  # a day that cannot be read says nothing


def test_only_who_has_bought_is_asked_about_a_contract_however_long_ago() -> None:
    tables = by_contract(("a", -300, 1.0), ("b", 3, 1.0), contracts=[("a", None, 90), ("b", None, 90), ("c", None, 90)])
    assert at_risk(tables, AS_OF, HORIZON, ACTIVE, CONTRACT_END).to_pandas()["customer"].tolist() == ["a"]
    (row,) = labels(tables, AS_OF, HORIZON, ACTIVE, None, CONTRACT_END).to_pyarrow().to_pylist()
    assert (row["purchases"], row["spend"], row["churned"]) == (0, 0.0, False)


@pytest.mark.parametrize("churn", [PARTIAL_DEFECTION, CONTRACT_END])
def test_by_other_meanings_nothing_is_known_of_a_horizon_that_is_not_over(churn: str) -> None:
    tables = by_contract(("a", -5, 1.0), ("a", 2, 9.0), contracts=[("a", None, 3)])
    (row,) = labels(tables, AS_OF, HORIZON, ACTIVE, day(HORIZON - 1), churn).to_pyarrow().to_pylist()
    assert row == {"customer": "a"} | dict.fromkeys(("purchases", "orders", "spend", "churned", "partial_defection"))


def test_contracts_need_a_table_of_customers() -> None:
    with pytest.raises(ValueError, match="no table tells of contracts"):
        labels(days_of(("a", -1, 1.0)), AS_OF, HORIZON, ACTIVE, None, CONTRACT_END)
