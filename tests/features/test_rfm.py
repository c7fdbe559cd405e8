"""Segments and measures of the base, against plain pandas."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.features import rfm
from loyalty.features.columns import Tables

AS_OF = date(2020, 9, 16)


def segment_by_hand(r: int, f: int, purchases_ever: int) -> str:
    if f >= 4:
        return "Champions" if r >= 4 else "Loyal" if r == 3 else "Slipping"
    if r >= 4:
        return "New" if purchases_ever == 1 else "Occasional"
    return "Cooling" if r >= 2 else "Dormant"


def score_by_hand(values: pd.Series) -> pd.Series:
    """Fifth in which the middle of a value's ranks lies."""
    below, above = values.rank(method="min") - 1, len(values) - values.rank(method="max")
    middle = (1 + (below - above) / max(len(values) - 1, 1)) / 2
    return np.floor(np.minimum(middle * 5, 4.999)).astype(int) + 1


def test_segments_follow_from_ranks_within_the_year(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> None:
    many = pd.concat(
        [
            lines.assign(customer=lines["customer"] + str(copy), day=lines["day"] - timedelta(days=9 * copy))
            for copy in range(6)
        ]
    )
    tables = tables_of(many)
    got = rfm.segments(tables, AS_OF).to_pandas().set_index("customer").sort_index()
    money = many.assign(day=pd.to_datetime(many["day"])).groupby(["customer", "day"], as_index=False)["amount"].sum()
    days = money[money["amount"] > 0]
    first, last = pd.Timestamp(AS_OF) - pd.Timedelta(days=365), pd.Timestamp(AS_OF) - pd.Timedelta(days=1)
    recent, moved = days[days["day"].between(first, last)], money[money["day"].between(first, last)]
    each = recent.groupby("customer").agg(last=("day", "max"), purchase_days=("day", "size"))
    each["spend"] = moved.groupby("customer")["amount"].sum()
    assert (each["spend"] != recent.groupby("customer")["amount"].sum()).any()  # something was given back
    each["days_since_last"] = (pd.Timestamp(AS_OF) - each["last"]).dt.days
    r, f, m = (
        score_by_hand(-each["days_since_last"]),
        score_by_hand(each["purchase_days"]),
        score_by_hand(each["spend"]),
    )
    expected = each[["days_since_last", "purchase_days", "spend"]].assign(r=r, f=f, m=m)
    ever = days[days["day"] < pd.Timestamp(AS_OF)]["customer"].value_counts().loc[each.index]
    expected["segment"] = [segment_by_hand(*row) for row in zip(r, f, ever, strict=True)]
    pd.testing.assert_frame_equal(got[list(expected)], expected, check_dtype=False)
    assert set(got["segment"]) >= {"Champions", "Occasional", "Cooling", "Dormant"}


def test_equal_customers_are_in_equal_segments(tables_of: Callable[..., Tables]) -> None:
    rows = [(f"c{n}", AS_OF - timedelta(days=age), 5.0) for n in range(11) for age in (3, 40)]
    lines = pd.DataFrame(rows, columns=["customer", "day", "amount"]).assign(order=range(22))
    got = rfm.segments(tables_of(lines), AS_OF).to_pandas()
    assert len(got[["r", "f", "m", "segment"]].drop_duplicates()) == 1
    assert got[["r", "f", "m"]].iloc[0].tolist() == [3, 3, 3]


def test_scores_spread_over_fifths_and_go_the_right_way(tables_of: Callable[..., Tables]) -> None:
    rows = [(f"c{n:02d}", AS_OF - timedelta(days=n + 1 + gap), float(n + 1)) for n in range(25) for gap in range(n + 1)]
    lines = pd.DataFrame(rows, columns=["customer", "day", "amount"]).assign(order=range(len(rows)))
    got = rfm.segments(tables_of(lines), AS_OF).to_pandas().set_index("customer").sort_index()
    assert got["f"].value_counts().to_dict() == dict.fromkeys(range(1, 6), 5)
    assert (got["f"].diff().dropna() >= 0).all()
    assert (got["r"].diff().dropna() <= 0).all()
    assert got["segment"].iloc[-1] == "Slipping"  # buys most often, and is silent for longest


def test_who_comes_again_after_a_long_time_is_not_new(tables_of: Callable[..., Tables]) -> None:
    rows = [("back", 1, 1.0), ("back", 500, 1.0), ("new", 1, 1.0)]
    rows += [(f"c{n}", age, 1.0) for n in range(6) for age in (60, 70, 80)]
    frame = pd.DataFrame(rows, columns=["customer", "age", "amount"])
    lines = frame.assign(day=[AS_OF - timedelta(days=age) for age in frame["age"]], order=range(len(frame)))
    got = rfm.segments(tables_of(lines), AS_OF).to_pandas().set_index("customer")
    assert got.loc[["new", "back"], "segment"].tolist() == ["New", "Occasional"]
    assert got.loc["back", "purchase_days"] == 1  # of the last year


def test_a_single_customer_is_in_the_middle(tables_of: Callable[..., Tables]) -> None:
    lines = pd.DataFrame({"customer": "a", "day": [AS_OF - timedelta(days=1)], "amount": 1.0, "order": "1"})
    (row,) = rfm.segments(tables_of(lines), AS_OF).to_pyarrow().to_pylist()
    assert (row["r"], row["f"], row["m"], row["segment"]) == (3, 3, 3, "Cooling")


@pytest.mark.parametrize(("horizon", "active"), [(30, 60), (90, 30), (1, 1)])
def test_measures_are_sums_over_the_period(
    horizon: int, active: int, tables: Tables, moved: dict[str, list[dict[str, Any]]]
) -> None:
    recent = {who: [day["spend"] for day in of if (AS_OF - day["day"]).days <= horizon] for who, of in moved.items()}
    buyers = {who: spends for who, spends in recent.items() if any(spend > 0 for spend in spends)}
    counts = [sum(spend > 0 for spend in spends) for spends in buyers.values()]
    last = [max(day["day"] for day in of if day["spend"] > 0) for of in moved.values()]
    (got,) = rfm.measures(tables, AS_OF, horizon, active).to_pyarrow().to_pylist()
    assert got == {
        "active": sum((AS_OF - day).days <= active for day in last),
        "buyers": len(buyers),
        "repeat_buyers": sum(count > 1 for count in counts),
        "spend": sum(map(sum, buyers.values())),
        "spend_squared": sum(sum(spends) ** 2 for spends in buyers.values()),
        "purchase_days": sum(counts),
    }


def test_a_period_without_purchases_measures_nothing(tables: Tables) -> None:
    (got,) = rfm.measures(tables, date(2019, 1, 1), 30, 60).to_pyarrow().to_pylist()
    assert set(got.values()) == {0}


def test_what_was_given_back_lowers_spend_and_counts_no_purchase(tables_of: Callable[..., Tables]) -> None:
    rows = [("a", 20, 10.0), ("a", 5, -4.0), ("b", 300, 9.0), ("b", 3, -9.0)]
    lines = pd.DataFrame([(who, AS_OF - timedelta(days=age), money) for who, age, money in rows])
    lines = lines.set_axis(["customer", "day", "amount"], axis=1).assign(order="1")
    (got,) = rfm.measures(tables_of(lines), AS_OF, 30, 60).to_pyarrow().to_pylist()
    assert (got["buyers"], got["spend"], got["purchase_days"]) == (1, 6.0, 1)
    segments = rfm.segments(tables_of(lines), AS_OF).to_pandas().set_index("customer")
    assert segments["spend"].to_dict() == {"a": 6.0, "b": 0.0}
    assert segments["days_since_last"].to_dict() == {"a": 20, "b": 300}
    assert list(rfm.segments(tables_of(lines), AS_OF, within_days=30).to_pandas()["customer"]) == ["a"]
