"""The customers who matter most, by hand and against pandas."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.errors import DataError, SettingsError
from loyalty.features.columns import Tables
from loyalty.features.histories import purchase_days, return_days
from loyalty.programme.effect import Interval
from loyalty.programme.high_value import at_risk, by_clv, by_share_of_margin, by_spend, mix, portrait

AS_OF = date(2024, 7, 1)


def tables_of_lines(rows: list[tuple[str, int, float, str, float]]) -> Tables:
    """Customer, days before the date, amount, category, discount."""
    frame = pd.DataFrame(rows, columns=["customer", "ago", "amount", "category", "discount"])
    frame["day"] = [AS_OF - timedelta(days=ago) for ago in frame.pop("ago")]
    log = ibis.memtable(frame.assign(order="o"))
    return Tables(purchase_days(log), return_days(log), log)


TABLES = tables_of_lines(
    [
        ("a", 10, 60.0, "wine", 0.0), ("a", 20, 40.0, "bread", 0.0), ("b", 30, 50.0, "wine", 50.0),
        ("c", 40, 60.0, "bread", 20.0), ("c", 39, -10.0, "bread", 0.0), ("d", 366, 500.0, "wine", 0.0),
        ("e", 1, 0.5, "bread", 0.0), ("f", 0, 900.0, "wine", 0.0),
    ]
)  # fmt: skip


def customers(group: ibis.Table) -> list[str]:
    return sorted(group.to_pandas()["customer"])


def test_the_year_before_the_date_counts_net_of_returns() -> None:
    found = by_spend(TABLES, AS_OF, 50.0).to_pandas().set_index("customer")["value"]
    assert found.to_dict() == {"a": 100.0, "b": 50.0, "c": 50.0}
    assert customers(by_spend(TABLES, AS_OF, 50.01)) == ["a"]
    assert customers(by_spend(TABLES, AS_OF, 10_000.0)) == []


def test_a_share_of_the_margin_takes_the_fewest_and_those_equal_to_the_last() -> None:
    # 200.5 in all: a holds 49.9 %, then b and c are equal.
    assert customers(by_share_of_margin(TABLES, AS_OF, 0.4)) == ["a"]
    assert customers(by_share_of_margin(TABLES, AS_OF, 0.5)) == ["a", "b", "c"]
    assert customers(by_share_of_margin(TABLES, AS_OF, 1.0)) == ["a", "b", "c", "e"]


@settings(max_examples=15)
@given(st.lists(st.integers(-4, 30), min_size=1, max_size=30), st.sampled_from([0.1, 0.25, 0.5, 0.8, 1.0]))
def test_the_group_is_that_of_a_loop_over_the_sorted_values(values: list[int], share: float) -> None:
    scores = pd.DataFrame({"customer": [f"c{n}" for n in range(len(values))], "clv": np.array(values, dtype=float)})
    total, held, expected = sum(value for value in values if value > 0), 0.0, set()
    for value in sorted({value for value in values if value > 0}, reverse=True):
        if held >= share * total - 1e-9:
            break
        held += value * values.count(value)
        expected |= {f"c{n}" for n, other in enumerate(values) if other == value}
    assert set(customers(by_clv(scores, share))) == expected


def test_a_portrait_sets_them_beside_the_others() -> None:
    group = by_share_of_margin(TABLES, AS_OF, 0.4)
    table = portrait(TABLES, group, AS_OF)
    assert table.loc[True].to_dict() == pytest.approx(
        {
            "customers": 1, "share_of_customers": 0.25, "spend": 100.0, "share_of_spend": 100 / 200.5,
            "spend_each": 100.0, "purchase_days_each": 2.0, "discount_share": 0.0,
        }
    )  # fmt: skip
    # Others paid 110.5 on purchase days, after discounts of 70; what c gave back is no purchase.
    assert table.loc[False, "discount_share"] == pytest.approx(70 / 180.5)
    assert table.loc[False, "spend"] == pytest.approx(100.5)
    wine = mix(TABLES, group, AS_OF, "category")
    assert wine is not None
    assert wine.loc["wine"].to_dict() == pytest.approx(
        {"high_value": 0.6, "others": 50 / 110.5, "index": 0.6 * 110.5 / 50, "customers": 1, "other_customers": 1}
    )
    assert mix(TABLES, group, AS_OF, "channel") is None


def test_a_group_without_customers_is_told_as_such() -> None:
    nobody = by_spend(TABLES, AS_OF, 10_000.0)
    table = portrait(TABLES, nobody, AS_OF)
    assert table.loc[True, ["customers", "spend", "share_of_spend"]].tolist() == [0, 0, 0]
    assert np.isnan(table.loc[True, "spend_each"])
    categories = mix(TABLES, nobody, AS_OF, "category")
    assert categories is not None
    assert categories["high_value"].isna().all()


def test_who_is_at_risk_and_what_they_are_worth() -> None:
    scores = pd.DataFrame(
        {"customer": [*"abcz"], "churn_probability": [0.5, 0.2, 0.9, 0.9], "clv": [10.0, 20.0, 30.0, 99.0]}
    )
    group = ibis.memtable(pd.DataFrame({"customer": [*"abcd"]}))
    found = at_risk(group, scores, 0.5)
    share, leavers = found["share"], found["leavers"]
    assert isinstance(share, Interval)
    assert isinstance(leavers, Interval)
    counts = {name: found[name] for name in ("customers", "scored", "at_risk", "worth", "worth_at_risk")}
    assert counts == {"customers": 4, "scored": 3, "at_risk": 2, "worth": 60.0, "worth_at_risk": 40.0}
    assert share.estimate == pytest.approx(2 / 3)
    assert share.low < share.estimate < share.high
    half = 1.6448536 * np.sqrt(0.5 * 0.5 + 0.2 * 0.8 + 0.9 * 0.1)
    assert (leavers.low, leavers.estimate, leavers.high) == pytest.approx((1.6 - half, 1.6, 1.6 + half))


def test_a_group_without_scores_has_nobody_at_risk() -> None:
    scores = pd.DataFrame({"customer": ["z"], "churn_probability": [0.9], "clv": [1.0]})
    found = at_risk(ibis.memtable(pd.DataFrame({"customer": ["a"]})), scores, 0.5)
    assert (found["scored"], found["at_risk"], found["worth"]) == (0, 0, 0.0)
    assert isinstance(found["share"], Interval)
    assert np.isnan(found["share"].estimate)


@pytest.mark.parametrize("threshold", [0.0, -5.0, float("nan")])
def test_a_threshold_of_nothing_is_refused(threshold: float) -> None:
    with pytest.raises(SettingsError, match="at_least: expected a spend above 0"):
        by_spend(TABLES, AS_OF, threshold)


def test_a_share_or_a_cut_out_of_range_and_a_lacking_column_are_refused() -> None:
    scores = pd.DataFrame({"customer": ["a"], "clv": [1.0]})
    with pytest.raises(SettingsError, match=r"share: expected a number above 0 and at most 1, found 1\.5"):
        by_share_of_margin(TABLES, AS_OF, 1.5)
    with pytest.raises(SettingsError, match=r"cut: expected a probability above 0 and below 1, found 1\.0"):
        at_risk(by_clv(scores, 0.5), scores, 1.0)
    with pytest.raises(DataError, match=r"scores: expected .*churn_probability is missing"):
        at_risk(by_clv(scores, 0.5), scores, 0.5)
