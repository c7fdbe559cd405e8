"""Labels: who is active, and what they did in the horizon, against loops."""

from collections.abc import Callable
from datetime import date, timedelta

import ibis
import pandas as pd
import pytest
from loyalty.features.columns import Tables
from loyalty.features.labels import active, labels, spending

AS_OF, HORIZON, ACTIVE = date(2020, 8, 17), 30, 60


def day(shift: int) -> date:
    return AS_OF + timedelta(days=shift)


def days_of(*rows: tuple[str, int, float]) -> ibis.Table:
    return ibis.memtable(
        pd.DataFrame([(who, day(at), spend) for who, at, spend in rows], columns=["customer", "day", "spend"])
    )


def test_labels_are_those_of_a_loop(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> None:
    days = tables_of(lines).days
    frame = days.to_pandas()
    frame["day"] = pd.to_datetime(frame["day"]).dt.date
    expected = {}
    for customer, of_customer in frame.groupby("customer"):
        if any(day(-ACTIVE) <= at < AS_OF for at in of_customer["day"]):
            later = [
                spend
                for at, spend in zip(of_customer["day"], of_customer["spend"], strict=True)
                if AS_OF <= at < day(HORIZON)
            ]
            expected[customer] = (len(later), sum(later), not later)
    got = {
        row["customer"]: (row["purchases"], row["spend"], row["churned"])
        for row in labels(days, AS_OF, HORIZON, ACTIVE).to_pyarrow().to_pylist()
    }
    assert got == expected
    assert {outcome[2] for outcome in expected.values()} == {True, False}


@pytest.mark.parametrize(
    ("last", "is_active"), [(-1, True), (-ACTIVE, True), (-ACTIVE - 1, False), (0, False), (5, False)]
)
def test_active_is_who_bought_in_the_days_before(last: int, is_active: bool) -> None:
    assert (active(days_of(("a", last, 1.0)), AS_OF, ACTIVE).count().execute() == 1) is is_active


@pytest.mark.parametrize(("bought", "churned"), [(0, False), (HORIZON - 1, False), (HORIZON, True), (-2, True)])
def test_the_horizon_begins_with_the_date_and_ends_before_its_end(bought: int, churned: bool) -> None:
    row = labels(days_of(("a", -1, 1.0), ("a", bought, 2.5)), AS_OF, HORIZON, ACTIVE).to_pyarrow().to_pylist()[0]
    assert row == {
        "customer": "a",
        "purchases": 0 if churned else 1,
        "spend": 0.0 if churned else 2.5,
        "churned": churned,
    }


def test_a_purchase_worth_nothing_is_not_leaving() -> None:
    row = labels(days_of(("a", -1, 1.0), ("a", 3, 0.0)), AS_OF, HORIZON, ACTIVE).to_pyarrow().to_pylist()[0]
    assert (row["purchases"], row["spend"], row["churned"]) == (1, 0.0, False)


def test_who_is_active_is_one_row_however_often_they_bought() -> None:
    days = days_of(("a", -1, 1.0), ("a", -2, 1.0), ("a", 1, 1.0), ("a", 2, 1.0), ("b", -1, 1.0))
    got = labels(days, AS_OF, HORIZON, ACTIVE).order_by("customer").to_pandas()
    assert list(got["customer"]) == ["a", "b"]
    assert list(got["purchases"]) == [2, 0]


def test_spending_knows_newcomers_too() -> None:
    got = spending(days_of(("new", 2, 4.0), ("new", 3, 0.5), ("late", HORIZON, 1.0), ("old", -1, 9.0)), AS_OF, HORIZON)
    assert got.to_pyarrow().to_pylist() == [{"customer": "new", "purchases": 2, "spend": 4.5}]


def test_with_no_one_active_there_are_no_labels() -> None:
    assert labels(days_of(("a", 1, 1.0)), AS_OF, HORIZON, ACTIVE).count().execute() == 0
