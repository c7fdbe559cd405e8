"""Spend just above thresholds: found where it was put, and not found where spend is smooth."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from loyalty.features.columns import Tables
from loyalty.programme.tier_bunching import around_threshold, at_threshold, bunching
from loyalty.programme.tier_rules import TierRules

ONE = TierRules(("Gold",), (500.0,))
THREE = TierRules(("Silver", "Gold", "Platinum"), (250.0, 500.0, 700.0))


def counted(spend: np.ndarray, threshold: float = 500.0) -> pd.DataFrame:
    bins = np.floor(spend / threshold * 100).astype(int) - 100
    found, customers = np.unique(bins[bins < 100], return_counts=True)
    return pd.DataFrame({"bin": found, "customers": customers})


def smooth_spend(random: np.random.Generator, customers: int) -> np.ndarray:
    return np.round(np.exp(random.normal(6.0, 0.8, customers)), 2)


def test_the_interval_holds_nothing_as_often_as_it_says_where_spend_is_smooth() -> None:
    random = np.random.default_rng(11)
    tests = [at_threshold(counted(smooth_spend(random, 6000)), ONE, 1) for _ in range(300)]
    covered = np.mean([test.above.holds(0.0) for test in tests])
    passed = np.mean([all(placebo.passed for placebo in test.placebos) for test in tests])
    # Two standard errors of 300 draws are 3.5 points. Dispersion below one is taken for one: the safe side.
    assert 0.87 <= covered <= 0.97
    assert 0.85 <= passed <= 0.98
    assert np.mean([test.clear for test in tests]) <= 0.08


def test_customers_who_were_pushed_over_the_threshold_are_counted() -> None:
    random = np.random.default_rng(3)
    spend = smooth_spend(random, 40_000)
    below = (spend >= 460) & (spend < 500) & (random.random(len(spend)) < 0.3)
    pushed = spend.copy()
    pushed[below] = random.uniform(500, 540, below.sum())
    test = at_threshold(counted(pushed), ONE, 1)
    stayed, there = (spend >= 500) & (spend < 540), below.sum()
    assert test.clear
    assert test.customers.holds(there)
    assert test.above.holds(there / stayed.sum())
    assert test.below.holds(-0.3)
    assert test.windows["smooth"].sum() == pytest.approx(((spend >= 260) & (spend < 740)).sum(), rel=0.03)
    assert not at_threshold(counted(spend), ONE, 1).clear


def test_a_bump_where_there_is_no_threshold_makes_the_finding_unclear() -> None:
    random = np.random.default_rng(3)
    spend = smooth_spend(random, 40_000)
    lumps = np.concatenate([spend, random.uniform(500, 540, 900), random.uniform(600, 640, 900)])
    test = at_threshold(counted(lumps), ONE, 1)
    assert test.above.low > 0
    assert [placebo.passed for placebo in test.placebos if placebo.name.startswith("a threshold at 120%")] == [False]
    assert not test.clear


def test_no_other_threshold_lies_in_the_range() -> None:
    counts = counted(smooth_spend(np.random.default_rng(5), 20_000))
    test = at_threshold(counts, THREE, 2)
    assert not test.refusals
    assert test.windows["from"].min() >= 0.5 + 0.08
    assert test.windows["until"].max() <= 1.4 - 0.08 + 1e-9


@pytest.mark.parametrize(
    ("rules", "number", "customers", "told"),
    [
        (TierRules(("Silver", "Gold"), (480.0, 500.0)), 2, 20_000, "next threshold is too close"),
        (ONE, 1, 40, "the test needs 100"),
        (ONE, 1, 215, "Too few customers"),
        (ONE, 1, 0, "Only 0 customers"),
    ],
)
def test_too_little_to_say_anything_is_said(rules: TierRules, number: int, customers: int, told: str) -> None:
    test = at_threshold(counted(smooth_spend(np.random.default_rng(5), customers)), rules, number)
    assert told in test.refusals[0]
    assert np.isnan(test.above.estimate)
    assert test.windows.empty
    assert not test.clear


def test_the_bin_of_a_threshold_begins_with_the_threshold_and_each_customer_counts_once() -> None:
    as_of = date(2024, 7, 1)
    rows = [("just", 3, 499.99), ("at", 3, 250.0), ("at", 90, 250.0), ("over", 1, 504.99), ("next", 1, 505.0)]
    rows += [("old", 400, 500.0), ("much", 1, 1000.0)]
    frame = pd.DataFrame(rows, columns=["customer", "ago", "spend"])
    frame["day"] = [as_of - timedelta(days=ago) for ago in frame.pop("ago")]
    tables = Tables(ibis.memtable(frame.assign(orders=1)))
    counts = around_threshold(tables, ONE, 1, as_of)
    assert dict(zip(counts["bin"], counts["customers"], strict=True)) == {-1: 1, 0: 2, 1: 1}
    # Of calendar periods it is the last that is over: of June, in which one of the two purchases of 250 lies.
    month = TierRules(("Gold",), (500.0,), period="month")
    assert around_threshold(tables, month, 1, date(2024, 7, 20))["customers"].sum() == 4
    assert bunching(tables, ONE, as_of)[0].refusals
