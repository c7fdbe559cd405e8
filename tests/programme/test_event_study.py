"""Estimates agree with slower routes, errors add up over a customer's campaigns, and bands hold what they promise."""

import numpy as np
import pytest
from loyalty.programme.event_study import Estimates, Trial, by_week, estimate, joint_test, largest_of, pooled
from loyalty.programme.matching import Match, match
from loyalty.programme.panel import Plan
from scipy.special import expit
from scipy.stats import norm

PLAN = Plan(matched=2, tested=2, least_tested=1, during=1, after=1)


def one(seed: int, n: int = 600, effect: float = 2.0) -> tuple[Match, np.ndarray]:
    """Customers chosen by what they did before; two weeks before are known, three after are noise and an effect."""
    rng = np.random.default_rng(seed)
    level = rng.gamma(2, 2, n)
    before = level[:, None] + rng.standard_normal((n, 2))
    treated = rng.random(n) < expit(0.5 * before.mean(axis=1) - 2)
    after = level[:, None] + rng.standard_normal((n, 3)) + effect * treated[:, None]
    found = match(before, treated)
    return found, np.column_stack([before, after])[found.rows]


def test_matched_weeks_are_zero_and_levels_and_changes_give_the_same() -> None:
    found, weeks = one(1)
    levels = estimate(found, weeks)
    changes = estimate(found, weeks - weeks[:, :2].mean(axis=1, keepdims=True))
    np.testing.assert_allclose(levels.values[:2], 0, atol=1e-6)
    np.testing.assert_allclose(levels.values, changes.values, atol=1e-6)
    np.testing.assert_allclose(levels.errors, changes.errors, atol=1e-6)


def test_it_is_the_weighted_difference_once_weights_balance() -> None:
    found, weeks = one(2)
    by_hand = weeks[found.treated].mean(axis=0) - found.weights @ weeks
    np.testing.assert_allclose(estimate(found, weeks).values, by_hand, atol=0.01)


def test_without_features_the_error_is_welchs() -> None:
    rng = np.random.default_rng(3)
    y, treated = rng.standard_normal((500, 1)), np.arange(500) < 200
    bare = match(np.zeros((500, 1)), treated)
    error = np.sqrt(y[:200].var(ddof=1) / 200 + y[200:].var(ddof=1) / 300)
    assert estimate(bare, y).errors[0] == pytest.approx(error, rel=1e-6)
    assert estimate(bare, y).values[0] == pytest.approx(y[:200].mean() - y[200:].mean(), abs=1e-9)


def test_campaigns_are_averaged_by_contacted_customers() -> None:
    trials = [Trial(np.arange(600)[found.rows], found, weeks) for found, weeks in (one(4), one(5))]
    each = [estimate(trial.match, trial.outcomes).values for trial in trials]
    expected = np.average(each, axis=0, weights=[trial.contacted for trial in trials])
    np.testing.assert_allclose(pooled(trials, 600).values, expected)


def test_the_same_campaign_twice_is_no_more_certain_than_once() -> None:
    found, weeks = one(6)
    trial = Trial(found.rows, found, weeks)
    np.testing.assert_allclose(pooled([trial, trial], 600).errors, pooled([trial], 600).errors)
    other = Trial(found.rows + 600, found, weeks)
    np.testing.assert_allclose(pooled([trial, other], 1200).errors, pooled([trial], 600).errors / np.sqrt(2))


def test_a_week_before_the_log_counts_for_the_campaigns_that_have_it() -> None:
    found, weeks = one(7)
    short = weeks.copy()
    short[:, 0] = np.nan
    both = [Trial(found.rows, found, weeks), Trial(found.rows, found, short)]
    np.testing.assert_allclose(pooled(both, 600).values, pooled(both[:1], 600).values, atol=1e-9)
    assert np.isnan(pooled(both[1:], 600).values[0])


def test_sums_of_weeks_have_the_error_of_their_covariance() -> None:
    found, weeks = one(8)
    whole = estimate(found, weeks)
    total = whole.times(np.ones((5, 1)))
    assert total.values[0] == pytest.approx(whole.values.sum())
    assert total.errors[0] == pytest.approx(np.sqrt(whole.covariance.sum()))


def test_one_of_one_is_the_normal_and_more_are_wider() -> None:
    assert largest_of(np.eye(1), 0.9, 1) == pytest.approx(norm.ppf(0.95), abs=0.06)
    independent = norm.ppf((1 + 0.9 ** (1 / 8)) / 2)
    assert largest_of(np.eye(8), 0.9, 1) == pytest.approx(independent, abs=0.06)
    assert largest_of(np.ones((8, 8)), 0.9, 1) == pytest.approx(norm.ppf(0.95), abs=0.06)


def test_the_joint_test_of_one_is_the_usual_one() -> None:
    single = Estimates(np.array([1.2]), np.array([[0.6], [0.8]]))
    assert single.errors[0] == pytest.approx(1)
    assert joint_test(single, 1) == pytest.approx(2 * norm.sf(1.2), abs=0.03)


def test_the_table_names_the_weeks_and_its_band_is_wider() -> None:
    rng = np.random.default_rng(9)
    table = by_week(Estimates(np.arange(6.0), rng.standard_normal((50, 6))), PLAN, 2, 1)
    assert table["week"].tolist() == [-4, -3, -2, -1, 0, 1]
    assert table["phase"].tolist() == ["tested", "tested", "matched", "matched", "during", "after"]
    assert (table["band_high"] > table["high"]).all()
    assert (table["band_low"] < table["low"]).all()
    assert (table["high"] + table["low"]).to_numpy() / 2 == pytest.approx(table["estimate"].to_numpy())


@pytest.mark.slow
def test_ninety_per_cent_intervals_hold_ninety_per_cent() -> None:
    held = [estimate(*one(seed, n=400)).interval(3).holds(2.0) for seed in range(400)]
    assert 0.86 <= np.mean(held) <= 0.94
