"""Intervals that hold for those of whom little is expected and for heavy spenders."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.models.conformal import Bands


def spend(random: np.random.Generator, size: int, nothing: float) -> tuple[np.ndarray, np.ndarray]:
    expected = random.gamma(1, 50, size)
    shape = 1 + expected / 50  # heavy spenders are steadier
    actual = random.gamma(shape) / shape * expected
    return expected * (1 - nothing), np.where(random.random(size) < nothing, 0.0, actual)


@pytest.mark.parametrize("nothing", [0.0, 0.03, 0.3, 0.8])
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_coverage_holds_on_others_in_every_tenth(nothing: float, level: float) -> None:
    random = np.random.default_rng(2)
    bands = Bands.learn(*spend(random, 8000, nothing), level)
    expected, actual = spend(random, 20_000, nothing)
    low, high = bands.interval(expected)
    inside = (low <= actual) & (actual <= high)
    assert inside.mean() == pytest.approx(level, abs=0.02)
    for tenth in np.array_split(np.argsort(expected), 10):
        assert inside[tenth].mean() == pytest.approx(level, abs=0.06)


def test_coverage_by_chance_over_many_small_samples() -> None:
    random = np.random.default_rng(3)
    held = []
    for _ in range(300):
        bands = Bands.learn(*spend(random, 150, 0.0))
        expected, actual = spend(random, 50, 0.0)
        low, high = bands.interval(expected)
        held.append(((low <= actual) & (actual <= high)).mean())
    assert 0.89 < np.mean(held) < 0.93


def test_median_is_half_way() -> None:
    random = np.random.default_rng(4)
    bands = Bands.learn(*spend(random, 8000, 0.2))
    expected, actual = spend(random, 8000, 0.2)
    assert (actual <= bands.median(expected)).mean() == pytest.approx(0.5, abs=0.02)
    mostly_nothing = Bands.learn(*spend(random, 8000, 0.7))
    assert (mostly_nothing.median(expected) == 0).all()


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300), st.integers(0, 9))
def test_forecast_lies_inside_whatever_was_learned(forecast: list[float], seed: int) -> None:
    random = np.random.default_rng(seed)
    bands = Bands.learn(np.array(forecast), random.gamma(0.3, 100, len(forecast)) - 1)
    low, high = bands.interval(np.array(forecast))
    assert (low >= 0).all()
    assert (low <= np.array(forecast)).all()
    assert (high >= np.array(forecast)).all()
    assert Bands.from_dict(json.loads(json.dumps(bands.to_dict()))) == bands
