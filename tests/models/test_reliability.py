"""Whether promises are kept, each figure by a second route."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.models.reliability import (
    amounts_by_tenth,
    brier,
    calibration_error,
    calibration_error_of_chance,
    coverage,
    deviances,
    error_of_tenths,
    explained,
    grouped,
    log_losses,
)
from sklearn.metrics import brier_score_loss, d2_tweedie_score, log_loss, mean_poisson_deviance

promises = st.lists(st.tuples(st.booleans(), st.floats(0.0, 1.0, allow_subnormal=False)), min_size=1, max_size=60)


def arrays(rows: list[tuple[bool, float]]) -> tuple[np.ndarray, np.ndarray]:
    churned, probability = zip(*rows, strict=True)
    return np.array(churned, dtype="float64"), np.array(probability)


@given(promises, st.integers(1, 12))
def test_the_parts_of_the_brier_score_add_up_whatever_the_groups(rows: list[tuple[bool, float]], groups: int) -> None:
    churned, probability = arrays(rows)
    parts = brier(churned, probability, groups)
    assert parts.score == pytest.approx(brier_score_loss(churned, probability))
    assert parts.reliability - parts.resolution + parts.uncertainty == pytest.approx(parts.score, abs=1e-12)
    assert parts.reliability >= 0
    assert parts.uncertainty == pytest.approx(churned.var())


def test_the_parts_are_murphys_where_promises_within_a_group_are_equal() -> None:
    """Murphy (1973): resolution is how far the groups' outcomes lie from the mean of all."""
    probability, churned = np.repeat([0.1, 0.4, 0.8], 10), np.zeros(30)
    churned[[0, 10, 11, 12, *range(20, 27)]] = 1
    means = churned.reshape(3, 10).mean(axis=1)
    parts = brier(churned, probability, groups=3)
    assert parts.reliability == pytest.approx(((np.array([0.1, 0.4, 0.8]) - means) ** 2).mean())
    assert parts.resolution == pytest.approx(((means - churned.mean()) ** 2).mean())


def test_log_losses_are_those_of_scikit_learn_and_bear_certainty() -> None:
    churned, probability = np.array([1.0, 0.0, 1.0]), np.array([0.2, 0.7, 0.999])
    assert log_losses(churned, probability).mean() == pytest.approx(log_loss(churned, probability))
    assert np.isfinite(log_losses(np.array([1.0, 0.0]), np.array([0.0, 1.0]))).all()


def test_calibration_error_by_hand() -> None:
    churned, probability = np.array([0.0, 1, 1, 1, 0]), np.array([0.1, 0.2, 0.3, 0.8, 0.9])
    first, second = abs(0.2 - 2 / 3), abs(0.85 - 0.5)  # three customers in the first of two groups
    assert calibration_error(churned, probability, groups=2) == pytest.approx(0.6 * first + 0.4 * second)


def test_calibration_error_of_chance_is_what_right_probabilities_show() -> None:
    random = np.random.default_rng(5)
    probability = random.beta(1, 4, 2000)
    found = [calibration_error((random.random(2000) < probability).astype("float64"), probability) for _ in range(200)]
    # The mean of 200 has a standard error of about a thirtieth of it.
    assert calibration_error_of_chance(probability) == pytest.approx(np.mean(found), rel=0.1)


def test_deviances_are_those_of_scikit_learn() -> None:
    actual, expected = np.array([0.0, 2.0, 40.0, 7.5]), np.array([1.0, 3.0, 20.0, 7.5])
    assert deviances(actual, expected).mean() == pytest.approx(mean_poisson_deviance(actual, expected))
    assert explained(actual, expected) == pytest.approx(d2_tweedie_score(actual, expected, power=1))


def test_the_true_mean_has_the_least_deviance() -> None:
    random = np.random.default_rng(8)
    mean = random.gamma(2, 20, 50_000)
    spend = mean * random.gamma(0.3, 1 / 0.3, 50_000)
    right = deviances(spend, mean).mean()
    assert all(deviances(spend, mean * off).mean() > right for off in (0.8, 0.9, 1.1, 1.25))
    assert deviances(spend, np.full(50_000, mean.mean())).mean() > right


def test_returns_and_a_forecast_of_nothing_have_a_deviance() -> None:
    found = deviances(np.array([-5.0, 10.0]), np.array([0.0, 0.0]))
    assert np.isfinite(found).all()
    assert found[1] > found[0]
    assert math.isnan(explained(np.zeros(3), np.ones(3)))


def test_amounts_by_tenth_by_hand() -> None:
    actual, predicted = np.array([4.0, 0.0, 9.0, 2.0]), np.array([5.0, 1.0, 6.0, 2.0])
    table = amounts_by_tenth(actual, predicted, groups=2)
    assert table["promised"].tolist() == [1.5, 5.5]
    assert table["realised"].tolist() == [1.0, 6.5]
    half = 1.645 * np.std([4, 9], ddof=1) / math.sqrt(2)
    assert (table["high"] - table["low"]).iloc[1] == pytest.approx(2 * half)
    assert error_of_tenths(actual, predicted, groups=2) == pytest.approx((0.5 + 1.0) / 2 / 3.75)
    assert math.isnan(error_of_tenths(np.zeros(4), predicted))


def test_coverage_counts_the_ends() -> None:
    actual, low, high = np.array([0.0, 5.0, 11.0, 3.0]), np.zeros(4), np.array([0.0, 5.0, 10.0, 9.0])
    assert coverage(actual, low, high) == (0.75, 6.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.integers(1, 12))
def test_groups_are_of_equal_size_and_in_order(values: list[float], groups: int) -> None:
    group = grouped(np.array(values), groups)
    sizes = np.bincount(group)
    assert len(sizes) == min(groups, len(values))
    assert sizes.max() - sizes.min() <= 1
    tops = [max(value for value, of in zip(values, group, strict=True) if of == number) for number in range(len(sizes))]
    assert tops == sorted(tops)
