"""The strength that undoes an effect agrees with the regression that it generalises, and with a hidden cause."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.programme.effect import Interval
from loyalty.programme.event_study import Trial, estimate
from loyalty.programme.matching import match
from loyalty.programme.sensitivity import Sensitivity, robustness, sensitivity, spread
from scipy.special import expit

SUM = np.ones(1)


def trial(features: np.ndarray, treated: np.ndarray, outcome: np.ndarray) -> Trial:
    return Trial(np.arange(treated.size), match(features, treated, most=1.0), outcome[:, None])


@given(st.floats(1e-3, 50))
def test_a_cause_of_that_strength_is_just_enough(strength: float) -> None:
    value = robustness(strength)
    assert 0 < value < 1
    assert value / np.sqrt(1 - value) == pytest.approx(strength, rel=1e-6)


def test_without_features_it_is_that_of_the_t_statistic() -> None:
    rng = np.random.default_rng(1)
    treated = np.arange(1000) < 500
    outcome = rng.standard_normal(1000) + 0.3 * treated
    scale = np.sqrt(np.prod(spread([trial(np.zeros((1000, 1)), treated, outcome)], SUM)))
    high, low = outcome[treated], outcome[~treated]
    t = (high.mean() - low.mean()) / np.sqrt((high.var(ddof=1) + low.var(ddof=1)) / 500)
    assert (high.mean() - low.mean()) / scale == pytest.approx(t / np.sqrt(998), rel=0.01)


def test_leaving_a_cause_out_costs_no_more_than_its_strength_allows() -> None:
    rng = np.random.default_rng(2)
    known, hidden = rng.standard_normal((2, 20_000))
    treated = rng.random(20_000) < expit(0.5 * known + 0.8 * hidden - 0.5)
    outcome = known + hidden + rng.standard_normal(20_000)
    short = trial(known[:, None], treated, outcome)
    whole = trial(np.column_stack([known, hidden]), treated, outcome)
    bias = float(estimate(short.match, short.outcomes).values[0])
    (left, size), (left_whole, size_whole) = spread([short], SUM), spread([whole], SUM)
    most = np.sqrt(left * size) * np.sqrt(1 - left_whole / left) * np.sqrt((size_whole - size) / size)
    assert 0.3 < bias <= most
    said = sensitivity(Interval(bias, bias - 0.1, bias + 0.1), (left_whole, size_whole), (left, size), "the hidden")
    assert said.of_outcome == pytest.approx(0.5, abs=0.05)
    assert said.of_choice > 0.1


def test_an_interval_around_zero_needs_no_cause() -> None:
    said = sensitivity(Interval(1.0, -1.0, 3.0), (4.0, 9.0), (5.0, 8.0), "the rest")
    assert said.to_doubt == 0
    assert said.to_zero == pytest.approx(robustness(1 / 6))
    assert "the rest explain 20.0% and 11.1%" in said.reading
    assert Sensitivity.from_dict(json.loads(json.dumps(said.to_dict()))) == said
