"""Drift: seen where there is some, seldom where there is none, and measured with its error."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.models.drift import drift, labels, psi
from scipy import stats


def frame(size: int, seed: int, shift: float = 0.0, columns: int = 4) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    index = pd.Index([f"{seed}-{number}" for number in range(size)], name="customer")
    table = pd.DataFrame(random.normal(size=(size, columns)), index, [f"x{n}" for n in range(columns)])
    table["x0"] += shift
    table.loc[random.random(size) < 0.1, "x1"] = np.nan
    return table


@given(st.lists(st.integers(1, 500), min_size=2, max_size=12), st.integers(0, 99))
def test_psi_is_no_distance_to_itself_symmetric_and_never_below_zero(counts: list[int], seed: int) -> None:
    one = np.array(counts, dtype="float64")
    other = np.random.default_rng(seed).permutation(one)
    assert psi(one, one) == 0
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, other) >= 0


def test_without_drift_psi_has_the_mean_and_the_spread_of_its_chi_square() -> None:
    # The law that limits and intervals rest on, by simulation: n = 800 and m = 300, 10 cells.
    random = np.random.default_rng(1)
    drawn = [psi(random.multinomial(800, [0.1] * 10), random.multinomial(300, [0.1] * 10)) for _ in range(2000)]
    scale = 1 / 800 + 1 / 300
    assert np.mean(drawn) == pytest.approx(9 * scale, rel=0.05)
    assert np.quantile(drawn, 0.95) == pytest.approx(stats.chi2.ppf(0.95, 9) * scale, rel=0.07)


def test_populations_that_are_alike_are_seldom_said_to_have_moved() -> None:
    moved = [(drift([frame(150, seed)], frame(150, seed + 500))["moved"] != "no").any() for seed in range(40)]
    assert sum(moved) <= 6  # 5 % of 40 expected at most; 7 or more has a chance under 1 %


@pytest.mark.parametrize("shift", [0.0, 0.25, 0.6])
def test_the_interval_covers_the_psi_of_the_populations(shift: float) -> None:
    # Ten cells of a normal distribution at its deciles, and what a shifted one puts into them.
    edges = np.r_[-np.inf, stats.norm.ppf(np.arange(1, 10) / 10), np.inf]
    q = np.diff(stats.norm.cdf(edges - shift))
    true = float(((q - 0.1) * np.log(q / 0.1)).sum())
    covered = 0
    for seed in range(60):
        row = drift([frame(1500, seed, columns=1).assign(x1=1.0)], frame(700, seed + 500, shift, 1).assign(x1=1.0)).loc[
            "x0"
        ]
        covered += row["low"] <= true + 1e-9 and row["high"] >= true
    assert 47 <= covered <= 60  # 54 expected; fewer has a chance under 1 %


def test_what_moved_comes_first_and_says_how_far() -> None:
    table = drift([frame(2000, 1), frame(2000, 2)], frame(2000, 3, shift=1.0))
    assert table.index[0] == "x0"
    assert table.loc["x0", "moved"] == "much"
    assert (table["moved"].iloc[1:] == "no").all()
    assert table.loc["x0", "usual"] < 0.05 < table.loc["x0", "psi"]
    assert (table["low"] <= table["psi"]).all()
    assert (table["psi"] <= table["high"]).all()


def test_a_gap_that_opens_is_a_move() -> None:
    now = frame(800, 2)
    now["x2"] = now["x2"].where(np.random.default_rng(1).random(800) < 0.6)
    assert drift([frame(800, 1)], now).loc["x2", "moved"] == "much"


def test_a_category_never_seen_before_is_a_move() -> None:
    before = frame(500, 1, columns=2).assign(kind=pd.Categorical(["a", "b"] * 250))
    now = frame(500, 2, columns=2).assign(kind=pd.Categorical(["a", "b", "c", "c", "c"] * 100))
    table = drift([before], now)
    assert table.loc["kind", "moved"] == "much"
    assert drift([before], before).loc["kind", "psi"] == 0


@pytest.mark.parametrize("value", [np.nan, 3.0])
def test_what_is_the_same_for_everyone_cannot_move(value: float) -> None:
    table = drift([frame(50, 1).assign(same=value)], frame(60, 2).assign(same=value))
    assert table.loc["same", ["psi", "low", "high", "limit"]].tolist() == [0, 0, 0, 0]
    assert table.loc["same", "moved"] == "no"


def test_the_same_customers_at_two_dates_count_once() -> None:
    one, now = frame(300, 1), frame(300, 2)
    assert drift([one, one], now).loc["x0", "chance"] == drift([one], now).loc["x0", "chance"]


def test_small_samples_are_given_the_room_that_chance_takes() -> None:
    wide, narrow = (drift([frame(size, 1)], frame(size, 2))["limit"].sort_index() for size in (60, 6000))
    assert (wide / narrow).to_numpy() == pytest.approx(100, rel=0.1)


def outcomes(left: int, count: int) -> pd.Series:
    return pd.Series([True] * left + [False] * (count - left))


def test_labels_are_compared_with_those_before() -> None:
    # By hand: Wilson's 90 % intervals are .7109 to .8668 for 56 of 70 and .5081 to .6854 for 48 of 80.
    found = labels({date(2024, 1, 1): outcomes(48, 80), date(2024, 2, 1): outcomes(56, 70)})
    assert found.difference == pytest.approx(0.2)
    assert found.low == pytest.approx(0.2 - np.hypot(0.8 - 0.7109, 0.6854 - 0.6), abs=1e-4)
    assert found.high == pytest.approx(0.2 + np.hypot(0.8668 - 0.8, 0.6 - 0.5081), abs=1e-4)
    assert found.table["rate"].tolist() == [0.6, 0.8]


def test_one_date_has_no_difference() -> None:
    found = labels({date(2024, 1, 1): outcomes(3, 10)})
    assert np.isnan(found.difference)
    assert found.table.loc[date(2024, 1, 1), "left"] == 3
