"""Cohorts and the base over time, against plain pandas."""

from datetime import date, timedelta
from typing import Any

import ibis
import pandas as pd
import pytest
from loyalty.features import cohorts
from loyalty.features.columns import Tables


@pytest.fixture(scope="module")
def days(tables: Tables) -> ibis.Table:
    return tables.days


@pytest.fixture(scope="module")
def money(lines: pd.DataFrame) -> pd.DataFrame:
    """What each customer spent on each day, less what went back."""
    summed = lines.groupby(["customer", "day"], as_index=False)["amount"].sum().rename(columns={"amount": "spend"})
    return summed.assign(day=pd.to_datetime(summed["day"]))


@pytest.fixture(scope="module")
def frame(days: ibis.Table) -> pd.DataFrame:
    return days.to_pandas().assign(day=lambda d: pd.to_datetime(d["day"])).sort_values(["customer", "day"])


def log(*rows: tuple[str, str]) -> ibis.Table:
    days = [(who, date.fromisoformat(day), 1.0, 1) for who, day in rows]
    return ibis.memtable(pd.DataFrame(days, columns=["customer", "day", "spend", "orders"]))


def rows(table: ibis.Table) -> list[dict[str, Any]]:
    return table.to_pyarrow().to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("as_of", [date(2020, 9, 16), date(2020, 9, 1), date(2020, 3, 1), date(2021, 1, 1)])
def test_retention_is_a_cross_table_of_periods(days: ibis.Table, frame: pd.DataFrame, as_of: date) -> None:
    month = frame["day"].dt.to_period("M")
    known = frame.assign(month=month)[month < pd.Period(as_of, "M")]
    start = known.groupby("customer")["month"].transform("min")
    later = [
        (now.year - then.year) * 12 + now.month - then.month for now, then in zip(known["month"], start, strict=True)
    ]
    counts = known.assign(cohort=start, later=later).groupby(["cohort", "later"])["customer"].nunique()
    sizes = known.groupby(start)["customer"].nunique()
    expected = {(c.start_time.date(), k): (n, sizes[c]) for (c, k), n in counts.items()}
    got = rows(cohorts.retention(days, as_of))
    assert {(row["cohort"], row["months_later"]): (row["customers"], row["size"]) for row in got} == expected


def test_months_are_those_of_the_calendar() -> None:
    table = log(("a", "2020-01-31"), ("a", "2020-02-29"), ("a", "2020-03-01"), ("b", "2019-12-31"), ("b", "2020-01-01"))
    got = [tuple(row.values()) for row in rows(cohorts.retention(table, date(2020, 4, 1)))]
    assert got == [
        (date(2019, 12, 1), 0, 1, 1),
        (date(2019, 12, 1), 1, 1, 1),
        (date(2020, 1, 1), 0, 1, 1),
        (date(2020, 1, 1), 1, 1, 1),
        (date(2020, 1, 1), 2, 1, 1),
    ]


@pytest.mark.parametrize(("as_of", "months"), [(date(2020, 3, 31), 2), (date(2020, 4, 1), 3)])
def test_a_month_that_is_not_over_is_not_shown(as_of: date, months: int) -> None:
    table = log(("a", "2020-01-31"), ("a", "2020-02-29"), ("a", "2020-03-01"))
    assert len(rows(cohorts.retention(table, as_of))) == months


@pytest.mark.parametrize("as_of", [date(2020, 9, 16), date(2020, 12, 31)])
def test_second_purchase_counts_every_customer_once(days: ibis.Table, frame: pd.DataFrame, as_of: date) -> None:
    known = frame[frame["day"] < pd.Timestamp(as_of)]
    expected: dict[tuple[int, bool], int] = {}
    for _, of_customer in known.groupby("customer"):
        at = list(of_customer["day"])
        returned = len(at) > 1
        key = (((at[1] if returned else pd.Timestamp(as_of)) - at[0]).days, returned)
        expected[key] = expected.get(key, 0) + 1
    got = rows(cohorts.second_purchase(days, as_of))
    assert {(row["elapsed"], row["returned"]): row["customers"] for row in got} == expected
    assert len({returned for _, returned in expected}) == 2


@pytest.mark.parametrize("groups", [3, 10])
def test_concentration_cuts_the_ranked_customers_in_equal_parts(
    tables: Tables, frame: pd.DataFrame, money: pd.DataFrame, groups: int
) -> None:
    as_of = date(2021, 2, 15)
    begin = pd.Timestamp(as_of - timedelta(days=365))
    recent, moved = frame[frame["day"] >= begin], money[money["day"] >= begin]
    spend = moved[moved["customer"].isin(recent["customer"])].groupby("customer")["spend"].sum()
    spend = spend.sort_index().sort_values(ascending=False, kind="stable")
    small, larger = divmod(len(spend), groups)
    sizes = [small + (group < larger) for group in range(groups)]
    starts = [sum(sizes[:group]) for group in range(groups)]
    expected = [
        (group + 1, size, spend.iloc[start : start + size].sum())
        for group, (start, size) in enumerate(zip(starts, sizes, strict=True))
    ]
    assert [tuple(row.values()) for row in rows(cohorts.concentration(tables, as_of, groups=groups))] == expected
    assert len(recent) < len(frame)
    assert spend.sum() < recent["spend"].sum()  # something was given back


def test_weeks_are_whole_and_begin_on_monday(tables: Tables, frame: pd.DataFrame, money: pd.DataFrame) -> None:
    as_of = date(2020, 9, 16)  # a Wednesday
    known = frame[frame["day"] < pd.Timestamp(as_of)]
    week = known["day"] - pd.to_timedelta(known["day"].dt.day_of_week, unit="D")
    by_week = known.assign(week=week).groupby("week")
    spend = money.groupby(money["day"] - pd.to_timedelta(money["day"].dt.day_of_week, unit="D"))["spend"].sum()
    expected = pd.DataFrame({"customers": by_week["customer"].nunique(), "purchase_days": by_week.size()})
    expected["spend"] = spend
    whole = (expected.index >= known["day"].min()) & (expected.index < pd.Timestamp("2020-09-14"))
    got = cohorts.weekly(tables, as_of).set_index("week")
    bought_in = got[got["customers"] > 0]  # a week without any purchase has a row of its own
    pd.testing.assert_frame_equal(
        bought_in, expected[whole], check_dtype=False, check_freq=False, check_index_type=False
    )
    assert not expected["spend"].equals(by_week["spend"].sum())


@pytest.mark.parametrize(
    ("first", "as_of", "weeks"),
    [
        ("2020-01-06", date(2020, 1, 20), ["2020-01-06", "2020-01-13"]),  # Monday to Sunday
        ("2020-01-07", date(2020, 1, 20), ["2020-01-13"]),  # the first week lacks its Monday
        ("2020-01-06", date(2020, 1, 19), ["2020-01-06"]),  # the second its Sunday
        ("2020-01-07", date(2020, 1, 14), []),
    ],
)
def test_a_week_at_the_edge_counts_only_if_it_is_whole(first: str, as_of: date, weeks: list[str]) -> None:
    begin = date.fromisoformat(first)
    table = log(*[("a", (begin + timedelta(days=shift)).isoformat()) for shift in range(30)])
    got = cohorts.weekly(Tables(table), as_of)
    assert list(got["week"].dt.strftime("%Y-%m-%d")) == weeks
    assert list(got) == ["week", "customers", "purchase_days", "spend"]


def test_a_week_without_any_purchase_is_a_week() -> None:
    """A hole in the data is what a reader of the weekly figure looks for: it must not be bridged."""
    present = [date(2020, 1, 6) + timedelta(days=shift) for shift in range(70) if not 21 <= shift < 35]
    got = cohorts.weekly(Tables(log(*[("a", day.isoformat()) for day in present])), date(2020, 3, 16))
    assert list(got["customers"]) == [1, 1, 1, 0, 0, 1, 1, 1, 1, 1]
    assert list(got["spend"]) == [7.0, 7.0, 7.0, 0.0, 0.0, 7.0, 7.0, 7.0, 7.0, 7.0]


def test_a_log_without_a_purchase_has_no_weeks() -> None:
    table = log(("a", "2020-01-06"))
    assert cohorts.weekly(Tables(table), date(2019, 6, 1)).empty
    back = table.filter(table.spend > 1).mutate(returned=ibis.literal(0.0))
    assert cohorts.weekly(Tables(table.filter(table.spend > 1), back), date(2020, 6, 1)).empty


def test_a_week_of_returns_alone_is_one_of_negative_spend() -> None:
    days = log(*[("a", f"2020-01-{day:02d}") for day in (6, 20)])
    back = ibis.memtable(
        pd.DataFrame({"customer": ["b", "a"], "day": [date(2020, 1, 14), date(2019, 12, 30)], "spend": -3.0})
    )
    got = cohorts.weekly(Tables(days, back), date(2020, 1, 27))
    assert got[["customers", "purchase_days", "spend"]].to_numpy().tolist() == [[1, 1, 1.0], [0, 0, -3.0], [1, 1, 1.0]]
