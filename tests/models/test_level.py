"""Levels of all customers together: seasons that are more than chance, and forecasts weighed by their past."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.models.level import Season, combined, correction, log_error, mean_season, mean_square, season


def test_season_is_what_came_over_what_was_expected() -> None:
    expected = np.full(4000, 2.0)
    seen = season(expected * 1.3, expected)
    assert seen.log_ratio == pytest.approx(np.log(1.3))
    assert correction(seen) == pytest.approx(1.3, rel=0.01)


def test_season_of_few_customers_is_doubted() -> None:
    random = np.random.default_rng(1)
    few, many = (random.gamma(0.2, 10, size) for size in (30, 30_000))
    assert season(few, np.full(30, 2.0)).variance > 100 * season(many, np.full(30_000, 2.0)).variance - 0.1
    assert correction(season(few, np.full(30, few.mean() / 1.05))) == 1.0


def test_no_season_where_nothing_came() -> None:
    assert season(np.zeros(3), np.ones(3)) is None
    assert season(np.ones(3), np.zeros(3)) is None
    assert correction(None) == 1.0
    assert correction(Season(0.0, 0.1)) == 1.0
    assert mean_season([]) is None


@given(st.floats(-3, 3), st.floats(0, 1))
def test_correction_lies_between_nothing_and_all(log_ratio: float, variance: float) -> None:
    factor = correction(Season(log_ratio, variance))
    low, high = sorted((1.0, float(np.exp(log_ratio))))
    assert low * (1 - 1e-12) <= factor <= high * (1 + 1e-12)


def test_season_beside_the_usual_is_what_is_unusual() -> None:
    assert Season(0.3, 0.01).beside(0.2).log_ratio == pytest.approx(0.1)
    assert mean_season([Season(0.3, 0.01), Season(0.1, 0.03)]) == pytest.approx((0.2, 0.02))


def test_forecast_that_was_wrong_counts_less() -> None:
    even, _ = combined({"a": 100.0, "b": 200.0}, {})
    better, error = combined({"a": 100.0, "b": 200.0}, {"a": [0.01] * 5, "b": [0.5] * 5})
    assert even == pytest.approx(np.sqrt(100 * 200))
    assert 100 < better < 105
    assert 0.03 < error < 0.15
    assert mean_square([]) == pytest.approx(0.01)


def test_no_error_where_nothing_came() -> None:
    assert log_error(2.0, 1.0) == pytest.approx(np.log(2))
    assert log_error(0.0, 1.0) is None
    assert log_error(1.0, 0.0) is None
