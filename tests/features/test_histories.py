"""Purchase days and histories, against loops over the same lines."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import ibis
import pandas as pd
import pytest
from loyalty.features.columns import Tables
from loyalty.features.histories import distinct, histories, net_spend, purchase_days, return_days

Days = dict[str, dict[date, list[dict[str, Any]]]]


def by_customer_and_day(lines: pd.DataFrame) -> Days:
    """Lines of each customer by day, only of the days on which more was bought than went back."""
    found: Days = defaultdict(dict)
    for line in lines.to_dict("records"):
        found[line["customer"]].setdefault(line["day"], []).append(line)
    return {
        customer: {day: of_day for day, of_day in sorted(days.items()) if sum(line["amount"] for line in of_day) > 0}
        for customer, days in found.items()
    }


def any_time(of_day: list[dict[str, Any]]) -> bool:
    """Whether the first line of a day says when it was, which one at midnight does not."""
    return min(line["time"] for line in of_day).time() != datetime.min.time()


def log(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer", "day", "amount"])
    return frame.assign(day=pd.to_datetime(frame["day"]).dt.date, order=frame["customer"] + frame["day"])


def of(lines: pd.DataFrame, as_of: date) -> pd.DataFrame:
    log = ibis.memtable(lines)
    return histories(Tables(purchase_days(log), return_days(log)), as_of).to_pandas().set_index("customer")


def test_purchase_days_are_those_of_a_loop(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> None:
    expected = {}
    for customer, days in by_customer_and_day(lines).items():
        for day, of_day in days.items():
            expected[customer, day] = {
                "spend": sum(line["amount"] for line in of_day),
                "lines": len(of_day),
                "orders": len({line["order"] for line in of_day if line["amount"] > 0}),
                "discount": sum(line["discount"] for line in of_day),
                "coupon": sum(line["coupon"] for line in of_day),
                "returned": -sum(min(line["amount"], 0) for line in of_day),
                "hour": min(line["time"] for line in of_day).hour if any_time(of_day) else None,
            }
    got = {(row.pop("customer"), row.pop("day")): row for row in tables_of(lines).days.to_pyarrow().to_pylist()}
    assert got == expected
    all_days = len(lines.drop_duplicates(["customer", "day"]))
    assert 0 < all_days - len(expected) < all_days  # some days were returns


def test_the_receipt_of_a_return_is_no_order() -> None:
    rows = [("bought", 5.0), ("bought", -1.0), ("back", -2.0), ("gift", 0.0), ("exchange", 3.0), ("exchange", -4.0)]
    day = pd.DataFrame(rows, columns=["order", "amount"]).assign(customer="a", day=date(2020, 5, 4))
    assert purchase_days(ibis.memtable(day)).orders.to_pyarrow().to_pylist() == [2]
    without = pd.DataFrame({"customer": ["a"], "day": [date(2020, 5, 4)], "amount": [0.0], "order": ["gift"]})
    assert purchase_days(ibis.memtable(without), zero_counts=True).orders.to_pyarrow().to_pylist() == [1]


@pytest.mark.parametrize("as_of", [date(2020, 9, 16), date(2020, 3, 1), date(2021, 1, 1)])
def test_histories_are_those_of_a_loop(lines: pd.DataFrame, as_of: date) -> None:
    expected = {}
    back = [
        (row["customer"], row["day"], row["spend"])
        for row in return_days(ibis.memtable(lines)).to_pyarrow().to_pylist()
    ]
    for customer, days in by_customer_and_day(lines).items():
        known = [(day, sum(line["amount"] for line in of_day)) for day, of_day in days.items() if day < as_of]
        if known:
            first, last = known[0][0], known[-1][0]
            repeats = [spend for _, spend in known[1:]]
            late = [spend for who, day, spend in back if who == customer and repeats and known[1][0] < day < as_of]
            expected[customer] = {
                "frequency": len(repeats),
                "recency": (last - first).days,
                "T": (as_of - first).days,
                "monetary_value": max(sum(repeats) + sum(late), 0) / len(repeats) if repeats else float("nan"),
            }
    wanted = pd.DataFrame.from_dict(expected, orient="index").rename_axis("customer")
    pd.testing.assert_frame_equal(of(lines, as_of).sort_index(), wanted.sort_index(), check_dtype=False, rtol=1e-12)


def test_one_purchase_has_no_spend_per_repeat() -> None:
    history = of(log(("a", "2020-02-28", 5.0)), date(2020, 3, 1)).loc["a"]
    assert (history["frequency"], history["recency"], history["T"]) == (0, 0, 2)
    assert pd.isna(history["monetary_value"])


def test_purchases_of_one_day_are_one() -> None:
    lines = log(("a", "2020-01-01", 5.0), ("a", "2020-01-01", 3.0), ("a", "2020-01-05", 2.0), ("a", "2020-01-05", 4.0))
    history = of(lines, date(2020, 2, 1)).loc["a"]
    assert (history["frequency"], history["recency"], history["monetary_value"]) == (1, 4, 6.0)


def test_a_day_of_returns_is_no_purchase_and_no_first_one() -> None:
    lines = log(
        ("a", "2020-01-01", -5.0), ("a", "2020-01-10", 8.0), ("a", "2020-01-20", 9.0), ("a", "2020-01-20", -9.5)
    )
    history = of(lines, date(2020, 2, 1)).loc["a"]
    assert (history["frequency"], history["recency"], history["T"]) == (0, 0, 22)


@pytest.mark.parametrize(("zero_counts", "frequency", "monetary_value"), [(False, 1, 9.0), (True, 2, 4.5)])
def test_a_day_worth_nothing_is_a_purchase_only_where_it_is_to_count(
    zero_counts: bool, frequency: int, monetary_value: float
) -> None:
    lines = ibis.memtable(log(("a", "2020-01-01", 5.0), ("a", "2020-01-10", 0.0), ("a", "2020-01-20", 9.0)))
    (history,) = histories(Tables(purchase_days(lines, zero_counts)), date(2020, 2, 1)).to_pyarrow().to_pylist()
    assert (history["frequency"], history["monetary_value"]) == (frequency, monetary_value)
    assert return_days(lines).count().execute() == 0


@pytest.mark.parametrize("amounts", [(0.3, -0.1, -0.2), (-0.3, 0.1, 0.2)])
def test_cents_that_cancel_out_are_worth_nothing(amounts: tuple[float, ...]) -> None:
    assert 0 < abs(sum(amounts)) < 1e-15  # in binary floats
    lines = ibis.memtable(log(*[("a", "2020-01-10", amount) for amount in amounts]))
    assert purchase_days(lines).count().execute() == 0
    assert purchase_days(lines, zero_counts=True).count().execute() == 1
    assert return_days(lines).count().execute() == 0


def test_days_of_return_are_those_of_a_loop(lines: pd.DataFrame) -> None:
    sums: dict[tuple[str, date], list[float]] = defaultdict(list)
    for line in lines.to_dict("records"):
        sums[line["customer"], line["day"]].append(line["amount"])
    expected = {
        key: (sum(amounts), -sum(min(amount, 0) for amount in amounts))
        for key, amounts in sums.items()
        if sum(amounts) < 0
    }
    got = return_days(ibis.memtable(lines)).to_pyarrow().to_pylist()
    assert {(row["customer"], row["day"]): (row["spend"], row["returned"]) for row in got} == expected
    assert expected


def test_all_money_is_in_the_purchase_days_and_the_days_of_return(
    lines: pd.DataFrame, tables_of: Callable[..., Tables]
) -> None:
    table = net_spend(tables_of(lines))
    assert table.spend.sum().execute() == lines["amount"].sum()
    assert table.filter(table.purchase).spend.sum().execute() > lines["amount"].sum()
    assert table.orders.sum(where=~table.purchase).execute() == 0


def test_an_empty_table_of_returns_changes_nothing(lines: pd.DataFrame) -> None:
    paid = lines[lines["amount"] > 0]
    log = ibis.memtable(paid.assign(amount=paid["amount"] / 3))
    tables = Tables(purchase_days(log), return_days(log))
    one, other = (
        histories(of, date(2020, 9, 16)).order_by("customer").to_pandas() for of in (tables, Tables(tables.days))
    )
    # An engine adds up in the order in which its threads come.
    pd.testing.assert_frame_equal(one, other, rtol=1e-12)


def test_who_has_only_returned_is_no_customer() -> None:
    assert list(of(log(("a", "2020-01-01", 5.0), ("b", "2020-01-01", -5.0)), date(2020, 2, 1)).index) == ["a"]


def test_the_day_itself_is_not_known_yet() -> None:
    lines = log(("a", "2020-01-01", 5.0), ("a", "2020-02-01", 5.0), ("b", "2020-02-01", 5.0))
    assert of(lines, date(2020, 2, 1))["frequency"].to_dict() == {"a": 0}
    assert of(lines, date(2020, 2, 2))["frequency"].to_dict() == {"a": 1, "b": 0}


def test_distinct_histories_count_the_customers_that_share_them(lines: pd.DataFrame) -> None:
    copies = pd.concat([lines.assign(customer=lines["customer"] + suffix) for suffix in "123"])
    table = histories(Tables(purchase_days(ibis.memtable(copies))), date(2020, 9, 16))
    each, grouped = table.to_pandas(), distinct(table).to_pandas()
    keys = ["frequency", "recency", "T"]
    expected = each.groupby(keys).size().rename("weight").reset_index()
    pd.testing.assert_frame_equal(grouped, expected, check_dtype=False)
    assert set(grouped["weight"]) >= {3}
    assert grouped["weight"].sum() == len(each)
