"""Who moved between tiers, who nearly did, and what became of each tier, by hand."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from loyalty.errors import SettingsError
from loyalty.features.columns import Tables
from loyalty.programme.tier_moves import migration, near, near_misses
from loyalty.programme.tier_rules import TierRules
from loyalty.programme.tier_value import by_tier

AS_OF = date(2024, 7, 1)
RULES = TierRules(("Silver", "Gold"), (100.0, 200.0), days=60)


def bought(rows: list[tuple[str, int, float]]) -> Tables:
    """Customer, days before the date, spend."""
    frame = pd.DataFrame(rows, columns=["customer", "ago", "spend"])
    frame["day"] = [AS_OF - timedelta(days=ago) for ago in frame.pop("ago")]
    return Tables(ibis.memtable(frame.assign(orders=1)))


def test_every_customer_is_counted_once_in_the_pair_of_tiers_that_it_took() -> None:
    tables = bought(
        [
            ("up", 80, 50.0), ("up", 40, 120.0), ("down", 130, 250.0), ("stays", 120, 110.0), ("stays", 10, 150.0),
            ("never", 100, 5.0), ("new", 20, 300.0), ("later", 0, 300.0),
        ]
    )  # fmt: skip
    moves = migration(tables, RULES, AS_OF - timedelta(days=75), AS_OF)
    some = moves[moves["customers"] > 0].set_index(["before", "after"])["customers"].to_dict()
    expected = {("none", "Silver"): 1, ("Gold", "none"): 1, ("Silver", "Silver"): 1, ("none", "none"): 1}
    assert some == expected | {("new", "Gold"): 1}
    assert len(moves) == 4 * 3
    of_none = moves[moves["before"] == "none"]
    assert of_none["share"].sum() == pytest.approx(1)
    assert ((of_none["low"] <= of_none["share"]) & (of_none["share"] <= of_none["high"])).all()


def test_a_tier_that_nobody_had_has_pairs_without_a_share() -> None:
    moves = migration(bought([("a", 40, 5.0)]), RULES, AS_OF - timedelta(days=20), AS_OF).set_index("before")
    assert moves.loc["Gold", "customers"].tolist() == [0, 0, 0]
    assert moves.loc["Gold", ["share", "low", "high"]].isna().all(axis=None)


def test_dates_that_are_swapped_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"second date after 2024-07-01.*swap"):
        migration(bought([("a", 40, 5.0)]), RULES, AS_OF, AS_OF)


def test_a_near_miss_lacks_no_more_than_its_usual_purchase() -> None:
    tables = bought(
        [
            ("near", 90, 30.0), ("near", 9, 40.0), ("near", 8, 40.0), ("far", 9, 30.0), ("far", 8, 30.0),
            ("exact", 9, 50.0), ("silver", 3, 150.0), ("gold", 2, 250.0), ("gone", 70, 99.0),
        ]
    )  # fmt: skip
    each = near(tables, RULES, AS_OF).to_pandas().set_index("customer")
    assert each.sort_index().to_dict("index") == {
        "exact": {"tier": 0, "worth": 50.0, "missing": 50.0, "usual": 50.0, "near": True},
        "far": {"tier": 0, "worth": 60.0, "missing": 40.0, "usual": 30.0, "near": False},
        "near": {"tier": 0, "worth": 80.0, "missing": 20.0, "usual": 40.0, "near": True},
        "silver": {"tier": 1, "worth": 150.0, "missing": 50.0, "usual": 150.0, "near": True},
    }
    table = near_misses(tables, RULES, AS_OF)
    assert table[["customers", "near", "missing"]].to_dict("index") == {
        "Silver": {"customers": 3, "near": 2, "missing": 35.0}, "Gold": {"customers": 1, "near": 1, "missing": 50.0},
    }  # fmt: skip
    assert table.loc["Silver", "low"] < 2 / 3 < table.loc["Silver", "high"]


def test_who_keeps_a_tier_by_grace_is_on_the_way_to_the_next_one() -> None:
    graced = TierRules(("Silver", "Gold"), (100.0, 200.0), days=60, grace_days=30)
    each = near(bought([("a", 70, 100.0), ("a", 5, 60.0)]), graced, AS_OF).to_pandas()
    assert each.to_dict("records") == [
        {"customer": "a", "tier": 1, "worth": 60.0, "missing": 140.0, "usual": 80.0, "near": False}
    ]


def test_a_tier_without_customers_below_it_has_no_near_misses() -> None:
    table = near_misses(bought([("a", 5, 60.0)]), RULES, AS_OF)
    assert table.loc["Gold", ["customers", "near"]].tolist() == [0, 0]
    assert table.loc["Gold", ["share", "low", "high", "missing"]].isna().all()


def test_value_and_churn_are_those_of_the_tier_at_the_beginning_of_the_horizon() -> None:
    rows = [(f"s{n}", 40, 120.0) for n in range(4)] + [(f"n{n}", 40, 20.0) for n in range(5)]
    rows += [("s0", 10, 30.0), ("s1", 10, 50.0), ("s2", 5, 40.0), ("n0", 20, 400.0), ("left", 200, 500.0)]
    table = by_tier(bought(rows), RULES, AS_OF, horizon_days=30, active_within_days=60, margin=0.25)
    assert table["customers"].to_dict() == {"none": 5, "Silver": 4, "Gold": 0}
    assert table.loc["Silver", "churned"] == 0.25
    assert table.loc["none", "churned"] == 0.8
    assert table.loc["Silver", "spend"] == 30.0
    assert table.loc["none", "worth"] == 20.0
    error = np.std([30, 50, 40, 0], ddof=1) / 2
    assert table.loc["Silver", "spend_low"] == pytest.approx(30 - 1.6448536 * error)
    assert table.loc["Silver", "worth_high"] == pytest.approx(0.25 * (30 + 1.6448536 * error))
    # Wilson's interval of 1 in 4 at 90 %, by his formula: (p + z²/2n ± z √(p q/n + z²/4n²)) / (1 + z²/n)
    assert table.loc["Silver", ["churned_low", "churned_high"]].tolist() == pytest.approx([0.0579, 0.6438], abs=1e-4)
    assert table.loc["Gold"].drop("customers").isna().all()
