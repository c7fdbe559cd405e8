"""Regressors of spend, and the zero-inflated lognormal loss against its authors' figures and finite differences."""

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.models.regressors import (
    Counts,
    Hurdle,
    LogSquare,
    Regressor,
    Tweedie,
    ZeroInflatedLognormal,
    ziln_gradient,
    ziln_loss,
    ziln_mean,
    ziln_start,
)

ALL = [Tweedie, Counts, Hurdle, LogSquare, ZeroInflatedLognormal]
LOGITS = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])


def customers(size: int = 4000, seed: int = 6) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x, town = random.normal(size=size), random.choice(["north", "south"], size)
    buying = 1 / (1 + np.exp(-x))
    mean = 40 * np.exp(0.5 * x + 0.5 * (town == "north"))
    spend = np.where(random.random(size) < buying, mean * np.exp(random.normal(-0.125, 0.5, size)), 0.0)
    features = pd.DataFrame({"x": np.where(random.random(size) < 0.05, np.nan, x), "town": pd.Categorical(town)})
    return features, spend, buying * mean


def test_loss_and_mean_are_the_authors() -> None:
    # REFERENCE: inputs of the test of Wang, Liu & Miao's own code, values by R.
    np.testing.assert_allclose(ziln_loss(LOGITS, np.array([0.0, 1.5])), [0.7443967, 1.8783726], atol=5e-8)
    np.testing.assert_allclose(ziln_mean(LOGITS), [0.9236379, 1.6907553], atol=5e-8)


@pytest.mark.parametrize("amount", [0.0, 0.2, 1.5, 30.0])
def test_gradient_is_the_slope_of_the_loss(amount: float) -> None:
    logits, amounts = np.tile([0.4, -0.5, 0.6], (3, 1)), np.full(3, amount)
    slopes = (ziln_loss(logits + 1e-6 * np.eye(3), amounts) - ziln_loss(logits - 1e-6 * np.eye(3), amounts)) / 2e-6
    gradient, curvature = ziln_gradient(logits[:1], amounts[:1])
    np.testing.assert_allclose(gradient[0], slopes, rtol=1e-5, atol=1e-7)
    assert (curvature > 0).all()


def test_start_is_the_best_constant() -> None:
    _, spend, _ = customers()
    start = ziln_start(spend)
    gradient, _ = ziln_gradient(np.tile(start, (len(spend), 1)), spend)
    np.testing.assert_allclose(gradient.mean(axis=0), 0, atol=1e-6)


@pytest.mark.parametrize("kind", ALL)
def test_means_are_near_the_truth_on_others(kind: type[Regressor]) -> None:
    features, spend, _ = customers()
    others, _, truth = customers(seed=7)
    expected = kind(rounds=60).fit(features, spend).predict(others)
    assert (expected >= 0).all()
    assert expected.sum() == pytest.approx(truth.sum(), rel=0.08)
    assert np.corrcoef(expected, truth)[0, 1] > 0.9


@pytest.mark.parametrize("kind", ALL)
def test_money_in_another_currency_is_the_same_money(kind: type[Regressor]) -> None:
    features, spend, _ = customers(500)
    here, there = (kind(rounds=10).fit(features, spend * rate).predict(features) for rate in (1.0, 128.0))
    np.testing.assert_allclose(there, here * 128, rtol=1e-4)


@pytest.mark.parametrize("kind", ALL)
def test_nothing_to_learn_is_said(kind: type[Regressor]) -> None:
    features, spend, _ = customers(100)
    with pytest.raises(DataError, match="nobody spent anything"):
        kind().fit(features, np.minimum(spend, 0.0) - 1)
