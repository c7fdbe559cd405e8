"""Right if either model is, with intervals that hold the truth as often as they say."""

import numpy as np
import pytest
from loyalty.programme.doubly_robust import boosted, cross_fitted, linear
from scipy.special import expit
from sklearn.dummy import DummyClassifier, DummyRegressor

EFFECT = 1.5


def chosen(seed: int, n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, 4))
    treated = rng.random(n) < expit(features[:, 0] - 0.5 * features[:, 1] - 0.5)
    outcome = 2 * features[:, 0] + features[:, 1] + rng.standard_normal(n) + EFFECT * treated
    return features, treated, outcome


@pytest.mark.parametrize("wrong", ["neither", "the choice", "the outcome"])
def test_one_right_model_is_enough(wrong: str) -> None:
    choice, response = linear()
    learners = (
        DummyClassifier if wrong == "the choice" else choice,
        DummyRegressor if wrong == "the outcome" else response,
    )
    found = [cross_fitted(*chosen(seed), learners=learners).values[0] for seed in range(25)]
    assert np.mean(found) == pytest.approx(EFFECT, abs=0.08)


def test_both_wrong_is_wrong() -> None:
    found = [cross_fitted(*chosen(s), learners=(DummyClassifier, DummyRegressor)).values[0] for s in range(5)]
    assert np.mean(found) > EFFECT + 1


def test_it_is_the_same_in_every_run_and_unit() -> None:
    features, treated, outcome = chosen(1)
    once, again = (cross_fitted(features, treated, outcome, learners=boosted()) for _ in range(2))
    assert once.values[0] == again.values[0]
    straight = cross_fitted(features, treated, outcome, learners=linear())
    scaled = cross_fitted(features, treated, 100 * outcome, learners=linear())
    assert scaled.values[0] == pytest.approx(100 * straight.values[0])
    assert scaled.errors[0] == pytest.approx(100 * straight.errors[0])


@pytest.mark.slow
@pytest.mark.parametrize("learners", [linear, boosted])
def test_ninety_per_cent_intervals_hold_ninety_per_cent(learners: object) -> None:
    assert callable(learners)
    found = [cross_fitted(*chosen(seed), learners=learners()) for seed in range(200)]
    held = np.mean([each.interval().holds(EFFECT) for each in found])
    assert 0.86 <= held <= 0.94
