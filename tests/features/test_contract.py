"""What a log holds, and the dates that it can carry."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import ibis
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.features.columns import Tables
from loyalty.features.contract import check_span, facts


def test_facts_are_those_of_pandas(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> None:
    raw = pd.concat([lines, lines.head(9).assign(customer=None), lines.head(7).assign(amount=None)], ignore_index=True)
    raw.loc[len(raw) - 1, "time"] = pd.NaT
    got = facts(ibis.memtable(raw), tables_of(lines).days)
    net = lines.groupby(["customer", "day"])["amount"].sum()
    bought = net[net >= 0].reset_index()
    of_bought = lines.merge(bought[["customer", "day"]])
    trading = pd.to_datetime(bought["day"]).drop_duplicates().sort_values()
    assert got == {
        "lines": len(lines) + 16,
        "no_customer": 9,
        "no_time": 1,
        "no_amount": 6,
        "used": len(lines),
        "zero": int((lines["amount"] == 0).sum()),
        "negative": int((lines["amount"] < 0).sum()),
        "first_day": lines["day"].min().isoformat(),
        "last_day": lines["day"].max().isoformat(),
        "spend": lines["amount"].sum(),
        "customers": bought["customer"].nunique(),
        "repeat_customers": int((bought["customer"].value_counts() > 1).sum()),
        "orders": int(of_bought.groupby(["customer", "day"])["order"].nunique().sum()),
        "purchase_days": len(bought),
        "newest_customer": bought.groupby("customer")["day"].min().max().isoformat(),
        "longest_pause": int(trading.diff().dt.days.max()),
    }


def test_an_empty_log_has_facts_too() -> None:
    lines = pd.DataFrame({"customer": ["a"], "time": [pd.NaT], "day": [pd.NaT], "amount": [1.0], "order": ["1"]})
    table = ibis.memtable(
        lines, schema={"customer": "string", "time": "timestamp", "day": "date", "amount": "float64", "order": "string"}
    )
    days = table.filter(False).select("customer", "day", spend="amount", lines=1, orders=1)
    got = facts(table, days)
    assert (got["first_day"], got["last_day"], got["customers"], got["no_time"]) == (None, None, 0, 1)
    with pytest.raises(DataError, match="no usable purchase"):
        check_span(got, None, 28, "data/shop.toml")


FIRST, LAST, HORIZON = date(2020, 1, 1), date(2020, 6, 30), 28
LOG = {
    "first_day": FIRST.isoformat(),
    "last_day": LAST.isoformat(),
    "customers": 50,
    "repeat_customers": 20,
    "purchase_days": 200,
    "longest_pause": 3,
    "lines": 400,
    "no_customer": 0,
    "no_time": 0,
    "no_amount": 4,
}


def span(as_of: date | None = None, horizon: int = HORIZON, **changed: Any) -> date:
    return check_span(LOG | changed, as_of, horizon, "data/shop.toml")


def test_without_a_date_it_is_the_day_after_the_last_line() -> None:
    assert span() == date(2020, 7, 1)


EARLIEST, LATEST = FIRST + timedelta(days=3 * HORIZON), LAST + timedelta(days=3)


@pytest.mark.parametrize("as_of", [EARLIEST, date(2020, 5, 1), LAST, LATEST])
def test_a_date_inside_the_log_stands(as_of: date) -> None:
    assert span(as_of) == as_of


@pytest.mark.parametrize(
    ("as_of", "why"),
    [
        (EARLIEST - timedelta(days=1), "no holdout fits between the first line and it"),
        (date(1990, 1, 1), "no holdout fits"),
        (LATEST + timedelta(days=1), "the log is silent in the days before it"),
        (date(2030, 1, 1), "the log is silent"),
    ],
)
def test_a_date_outside_is_refused_with_those_that_are_not(as_of: date, why: str) -> None:
    with pytest.raises(DataError, match=f"{why}.*choose a date from {EARLIEST} to {LATEST}$") as told:
        span(as_of)
    assert str(as_of) in str(told.value)


@pytest.mark.parametrize("pause", [0, 1])
def test_a_shop_that_never_closes_is_late_after_a_day(pause: int) -> None:
    assert span(date(2020, 7, 1), longest_pause=pause) == date(2020, 7, 1)
    with pytest.raises(DataError, match=r"to 2020-07-01$"):
        span(date(2020, 7, 2), longest_pause=pause)


def test_the_longest_horizon_offered_is_one_that_fits() -> None:
    with pytest.raises(DataError, match=r"horizon_days = 90 is too long.*choose at most (\d+)$") as told:
        span(horizon=90)
    longest = int(str(told.value).rsplit(" ", 1)[1])
    assert span(horizon=longest) == LAST + timedelta(days=1)
    assert span(LATEST, horizon=longest) == LATEST
    with pytest.raises(DataError, match="is too long"):
        span(horizon=longest + 1)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"customers": 1}, "one customer; expected many; check which column `customer` names"),
        ({"repeat_customers": 0}, "no customer bought on two different days"),
        ({"purchase_days": 0}, "holds no usable purchase"),
    ],
)
def test_a_log_that_is_too_small_is_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=r"^data/shop\.toml: .*" + told):
        span(**changed)


def test_one_long_closure_does_not_let_a_dead_log_pass() -> None:
    assert span(LAST + timedelta(days=7), longest_pause=90) == LAST + timedelta(days=7)  # a quarter of the horizon
    with pytest.raises(DataError, match="the log is silent"):
        span(LAST + timedelta(days=8), longest_pause=90)


def test_a_column_of_amounts_that_mostly_cannot_be_read_is_refused() -> None:
    with pytest.raises(DataError, match=r"^data/shop\.toml: 5 of 400 lines have no amount that reads as a number"):
        span(no_amount=5)


def test_the_date_taken_when_none_is_given_fits_the_log() -> None:
    """The longest horizon offered must work for who takes it and gives no date."""
    with pytest.raises(DataError, match="choose at most") as told:
        span(horizon=200)
    assert span(horizon=int(str(told.value).rsplit(" ", 1)[1])) == LAST + timedelta(days=1)
