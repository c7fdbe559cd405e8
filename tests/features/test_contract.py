"""What a log holds, and the dates that it can carry."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import ibis
import pandas as pd
import pytest
from loyalty.errors import DataError, RefusedError
from loyalty.features.columns import Tables
from loyalty.features.contract import (
    check_span,
    dominant_findings,
    facts,
    refusals,
    refuse,
    share_findings,
)
from loyalty.features.span import span_findings
from loyalty.schema import Contract


def test_facts_are_those_of_pandas(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> None:
    raw = pd.concat([lines, lines.head(9).assign(customer=None), lines.head(7).assign(amount=None)], ignore_index=True)
    raw.loc[len(raw) - 1, "time"] = pd.NaT
    reasons = [None] * len(lines) + ["no_customer"] * 9 + ["no_amount"] * 6 + ["no_time"]
    got = facts(ibis.memtable(raw.assign(reason=pd.Series(reasons, dtype="str"))), tables_of(lines).days)
    net = lines.groupby(["customer", "day"])["amount"].sum()
    bought = tables_of(lines).days.select("customer", "day").to_pandas()
    of_bought = lines.assign(day=pd.to_datetime(lines["day"])).merge(bought.assign(day=pd.to_datetime(bought["day"])))
    trading = pd.to_datetime(bought["day"]).drop_duplicates().sort_values()
    assert len(bought) <= (net >= 0).sum()
    assert got == {
        "lines": len(lines) + 16,
        "used": len(lines),
        "quarantined": 16,
        "no_customer": 9,
        "no_time": 1,
        "impossible_date": 0,
        "future_date": 0,
        "no_amount": 6,
        "other_currency": 0,
        "zero": int((lines["amount"] == 0).sum()),
        "negative": int((lines["amount"] < 0).sum()),
        "first_day": lines["day"].min().isoformat(),
        "last_day": lines["day"].max().isoformat(),
        "spend": lines["amount"].sum(),
        "customers": bought["customer"].nunique(),
        "repeat_customers": int((bought["customer"].value_counts() > 1).sum()),
        "orders": int(of_bought[of_bought["amount"] > 0].groupby(["customer", "day"])["order"].nunique().sum()),
        "purchase_days": len(bought),
        "newest_customer": pd.to_datetime(bought.groupby("customer")["day"].min()).max().date().isoformat(),
        "longest_pause": int(trading.diff().dt.days.max()),
    }


def test_an_empty_log_has_facts_too() -> None:
    types = {
        "customer": "string", "time": "timestamp", "day": "date", "amount": "float64", "order": "string",
        "reason": "string",
    }  # fmt: skip
    row = {"customer": ["a"], "time": [pd.NaT], "day": [pd.NaT], "amount": [1.0], "order": ["1"], "reason": ["no_time"]}
    table = ibis.memtable(pd.DataFrame(row), schema=types)
    days = table.filter(False).select("customer", "day", spend="amount", lines=1, orders=1)
    got = facts(table, days)
    assert (got["first_day"], got["last_day"], got["customers"], got["no_time"]) == (None, None, 0, 1)
    with pytest.raises(
        DataError,
        match=r"no usable purchase: of 1 lines 1 without a date that can be read; check transactions.time and",
    ):
        check_span(got, None, "data/shop.toml")


FIRST, LAST, HORIZON = date(2020, 1, 1), date(2020, 6, 30), 28
LOG = {
    "first_day": FIRST.isoformat(),
    "last_day": LAST.isoformat(),
    "customers": 600,
    "repeat_customers": 20,
    "purchase_days": 2000,
    "longest_pause": 3,
    "lines": 400,
    "quarantined": 0,
    "no_customer": 0,
    "no_time": 0,
    "impossible_date": 0,
    "future_date": 0,
    "no_amount": 0,
    "other_currency": 0,
}


# The date


def test_without_a_date_it_is_the_day_after_the_last_line() -> None:
    assert check_span(LOG, None, "data/shop.toml") == date(2020, 7, 1)


@pytest.mark.parametrize("as_of", [FIRST + timedelta(days=1), date(2020, 5, 1), LAST, date(2031, 1, 1)])
def test_a_date_after_the_first_line_stands(as_of: date) -> None:
    assert check_span(LOG, as_of, "data/shop.toml") == as_of


@pytest.mark.parametrize("as_of", [FIRST, date(1990, 1, 1)])
def test_a_date_before_the_log_is_wrong_input(as_of: date) -> None:
    with pytest.raises(
        DataError, match=rf"as-of date {as_of} .* from {FIRST} to {LAST}: nothing is known.*2020-07-01$"
    ):
        check_span(LOG, as_of, "data/shop.toml")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"customers": 1}, "one customer; expected many; check which column `customer` names"),
        ({"repeat_customers": 0}, "no customer bought on two different days"),
        ({"purchase_days": 0}, "holds no usable purchase"),
    ],
)
def test_a_log_that_says_nothing_is_wrong_input(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=r"^data/shop\.toml: .*" + told):
        check_span(LOG | changed, None, "data/shop.toml")


# Lines set aside


def test_too_many_lines_set_aside_are_a_column_misread() -> None:
    assert share_findings(LOG | {"quarantined": 80, "no_time": 80}, Contract()) == []
    (told,) = share_findings(LOG | {"quarantined": 81, "no_time": 70, "no_customer": 11}, Contract())
    assert (told.severity, told.lines, told.rule) == ("refusal", 81, "contract.most_quarantined = 0.2")
    assert told.detail.startswith(
        "81 of 400 lines are set aside, most of them (70 without a date that can be read: check"
    )
    assert "transactions.time_format" in told.detail
    (told,) = share_findings(LOG | {"quarantined": 90, "no_customer": 90}, Contract())
    assert "if so many buy without a card, raise contract.most_quarantined" in told.detail
    (told,) = share_findings(LOG | {"quarantined": 90, "no_customer": 9}, Contract())
    assert "81 by rules of [contract] that set aside" in told.detail
    assert share_findings(LOG | {"quarantined": 390, "no_time": 390}, Contract(most_quarantined=1.0)) == []


# Refusing


def test_all_refusals_are_told_at_once_with_their_rules() -> None:
    end = date(2020, 7, 1)
    found = [
        one.told() for one in span_findings(LOG | {"customers": 3}, date(2031, 1, 1), HORIZON, Contract(), end=end)
    ]
    assert len(refusals(found)) == 2
    with pytest.raises(
        RefusedError, match=r"^data/shop\.toml: no score is given: 3 customers.*; the last line is of"
    ) as told:
        refuse(found, "data/shop.toml")
    assert told.value.exit_code == 3
    refuse([one.told() for one in span_findings(LOG, LAST, HORIZON, Contract(), end=end)], "data/shop.toml")


@pytest.mark.parametrize(("lines", "told"), [(60, True), (20, False)])
def test_one_customer_with_the_lines_of_many_is_warned_of(lines: int, told: bool) -> None:
    """GUEST, 0 or a till's own card: a number that stands for everyone without one."""
    days = pd.DataFrame({"customer": [f"c{n}" for n in range(500)] + ["GUEST"], "lines": [1] * 500 + [lines]})
    found = dominant_findings(ibis.memtable(days))
    assert [one.name for one in found] == (["one_customer"] if told else [])
    if told:
        assert found[0].detail == "One customer of 501 holds 11% of all lines"
        assert "GUEST" not in str(found[0].told())


def test_among_a_few_customers_one_may_be_large() -> None:
    assert dominant_findings(ibis.memtable({"customer": ["a", "b"], "lines": [99, 1]})) == []
    assert (
        dominant_findings(ibis.memtable({"customer": [], "lines": []}, schema={"customer": "string", "lines": "int64"}))
        == []
    )
