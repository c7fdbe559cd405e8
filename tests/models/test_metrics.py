"""Figures of merit, each by a second route."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from loyalty.models.metrics import auc, calibration, captured, compare, errors, wilson
from scipy import stats
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

pairs = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.3, 0.3001, 0.9, 1.0]), st.integers(0, 3)),
    min_size=2,
    max_size=40,
)


@given(pairs)
def test_auc_is_the_area_that_scikit_learn_finds_with_weights_and_ties(rows: list[tuple[bool, float, int]]) -> None:
    churned, score, weight = (np.array(column, dtype="float64") for column in zip(*rows, strict=True))
    assume({0.0, 1.0} == set(churned[weight > 0]))
    weights = np.vstack([np.ones(len(rows)), weight])
    ours = auc(churned, score, weights)
    theirs = [roc_auc_score(churned, score, sample_weight=row) for row in weights]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_auc_counts_pairs_told_apart() -> None:
    churned, score = np.array([0, 0, 1, 1, 1]), np.array([0.2, 0.6, 0.6, 0.1, 0.9])
    told = [
        1.0 if leaver > stayer else 0.5 if leaver == stayer else 0.0 for leaver in score[2:] for stayer in score[:2]
    ]
    assert auc(churned, score, np.ones((1, 5)))[0] == pytest.approx(sum(told) / 6)


def test_auc_without_one_of_the_classes_is_unknown() -> None:
    weights = np.array([[1.0, 0.0], [1.0, 1.0]])
    unknown, known = auc(np.array([0.0, 1.0]), np.array([0.1, 0.9]), weights)
    assert math.isnan(unknown)
    assert known == 1.0


@pytest.mark.parametrize(("successes", "trials"), [(0, 7), (7, 7), (1, 3), (50, 100), (3, 2469)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_is_the_textbook_formula(successes: int, trials: int, level: float) -> None:
    z = stats.norm.ppf((1 + level) / 2)
    share = successes / trials
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    low, high = wilson(successes, trials, level)
    assert (low, high) == pytest.approx((middle - half, middle + half), abs=1e-12)
    assert 0 <= low <= share <= high <= 1


def test_wilson_without_trials_is_unknown() -> None:
    assert all(math.isnan(edge) for edge in wilson(0, 0))


def test_wilson_holds_what_it_promises() -> None:
    size = 100
    outcomes = np.arange(size + 1)
    low, high = np.array([wilson(k, size) for k in outcomes]).T
    shares = np.linspace(0.05, 0.95, 181)
    chances = stats.binom.pmf(outcomes, size, shares[:, None])
    covered = (chances * ((low <= shares[:, None]) & (shares[:, None] <= high))).sum(axis=1)
    assert covered.mean() == pytest.approx(0.9, abs=0.01)  # single shares swing about it: counts are whole
    assert covered.min() > 0.83


def test_calibration_by_hand() -> None:
    probability = np.array([0.9, 0.1, 0.8, 0.2, 0.3])
    churned = np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    curve = calibration(churned, probability, groups=2)
    assert list(curve["customers"]) == [3, 2]
    assert curve["promised"].tolist() == pytest.approx([0.2, 0.85])
    assert curve["realised"].tolist() == pytest.approx([1 / 3, 0.5])
    assert curve[["low", "high"]].to_numpy().tolist() == [list(wilson(1, 3)), list(wilson(1, 2))]


def test_calibration_of_few_customers_has_as_many_groups_as_customers() -> None:
    curve = calibration(np.array([1.0, 0.0, 1.0]), np.array([0.5, 0.4, 0.6]))
    assert list(curve["customers"]) == [1, 1, 1]
    assert list(curve["realised"]) == [0.0, 1.0, 1.0]


def test_captured_by_hand() -> None:
    churned, probability = np.array([1.0, 0, 1, 0, 1, 0, 0, 0, 0, 0]), np.linspace(1, 0.1, 10)
    assert captured(churned, probability, 0.1) == pytest.approx(1 / 3)
    assert captured(churned, probability, 0.3) == pytest.approx(2 / 3)
    assert captured(churned, probability, 1.0) == 1.0
    assert captured(churned, probability, 0.001) == pytest.approx(1 / 3)  # never an empty list
    assert captured(np.zeros(10), probability) == 0.0


def test_errors_by_hand() -> None:
    found = errors(np.array([0.0, 2.0, 8.0]), np.array([1.0, 2.0, 5.0]))
    assert found == pytest.approx({"total": 8.0, "bias": -0.2, "mae": 4 / 3, "rmse": math.sqrt(10 / 3)})
    assert math.isnan(errors(np.zeros(2), np.ones(2))["bias"])


def population(random: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who left, a score that lies higher for leavers by one standard deviation, and the true probability."""
    churned = (random.random(size) < 0.3).astype("float64")
    score = random.normal(churned)
    odds = 0.3 / 0.7 * np.exp(score - 0.5)
    return churned, score, odds / (1 + odds)


def test_compare_agrees_with_scikit_learn_on_each_model() -> None:
    churned, _, truth = population(np.random.default_rng(1), 500)
    flat = np.full(500, 0.3)
    table = compare(churned, {"rule": flat, "model": truth})
    assert list(table.index) == ["rule", "model"]
    assert table.loc["rule", "auc"] == 0.5
    assert table.loc["model", "auc"] == pytest.approx(roc_auc_score(churned, truth))
    assert table.loc["model", "brier"] == pytest.approx(brier_score_loss(churned, truth))
    assert table.loc["model", "expected"] == pytest.approx(truth.sum())
    assert table.loc["model", "log_loss_gain"] == pytest.approx(log_loss(churned, flat) - log_loss(churned, truth))
    assert table.loc["rule", ["log_loss_gain", "log_loss_gain_low", "log_loss_gain_high"]].tolist() == [0, 0, 0]


def test_compare_says_the_same_twice_and_is_not_upset_by_certainty() -> None:
    churned, _, truth = population(np.random.default_rng(2), 200)
    sure = {"rule": np.clip(np.round(truth), 0, 1), "model": truth}
    table = compare(churned, sure)
    pd.testing.assert_frame_equal(table, compare(churned, sure))
    assert np.isfinite(table.to_numpy()).all()


def test_the_intervals_of_a_comparison_hold_the_truth_nine_times_in_ten() -> None:
    """Truth by integration: the area is Φ(1/√2); the expected gain is the distance of the flat rule from the truth."""
    random = np.random.default_rng(20260101)
    churned, _, truth = population(random, 400_000)
    true_gain = log_loss(churned, np.full(len(churned), 0.3)) - log_loss(churned, truth)
    true_auc = stats.norm.cdf(1 / np.sqrt(2))
    rounds, held = 200, np.zeros(2)
    for _ in range(rounds):
        churned, _, truth = population(random, 300)
        row = compare(churned, {"rule": np.full(300, 0.3), "model": truth}, draws=200).loc["model"]
        held += [
            row["auc_low"] <= true_auc <= row["auc_high"],
            row["log_loss_gain_low"] <= true_gain <= row["log_loss_gain_high"],
        ]
    # 0.9 give or take three standard errors of 200 rounds, and two points for the bootstrap's own shortfall.
    assert (held / rounds > 0.82).all()
    assert (held / rounds < 0.965).all()
