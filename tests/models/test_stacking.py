"""Weights of forecasts: towards the better, never negative, near the prior where little is known."""

import numpy as np
import pytest
from loyalty.models.stacking import amount_weights, at_level, log_odds_weights, share_weights
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

RANDOM = np.random.default_rng(5)
TRUTH = RANDOM.normal(0, 1.5, 4000)
CHURNED = (RANDOM.random(4000) < expit(TRUTH)).astype("float64")
SPEND = RANDOM.gamma(1.0, np.exp(TRUTH))


def test_true_log_odds_get_the_weight_and_noise_gets_none() -> None:
    weights = log_odds_weights(np.column_stack([TRUTH, RANDOM.normal(size=4000)]), CHURNED, np.array([0.5, 0.5]))
    assert weights[0] == pytest.approx(1, abs=0.1)
    assert weights[1] < 0.1


def test_without_pull_weights_are_those_of_a_logistic_regression() -> None:
    both = TRUTH[:, None] + RANDOM.normal(0, 1, (4000, 2))
    plain = LogisticRegression(C=1e9, tol=1e-10).fit(both, CHURNED).coef_[0]
    assert (plain > 0).all()
    np.testing.assert_allclose(log_odds_weights(both, CHURNED, np.array([0.5, 0.5]), pull=0.0), plain, atol=2e-3)


def test_level_of_log_odds_does_not_matter() -> None:
    both = np.column_stack([TRUTH, RANDOM.normal(size=4000)])
    here, there = (log_odds_weights(both + shift, CHURNED, np.array([0.5, 0.5])) for shift in (0.0, -3.0))
    np.testing.assert_allclose(here, there, atol=1e-3)


def test_few_customers_leave_the_prior() -> None:
    prior = np.array([0.3, 0.7])
    weights = log_odds_weights(np.column_stack([TRUTH[:5], TRUTH[:5]]), CHURNED[:5], prior)
    np.testing.assert_allclose(weights, prior, atol=0.15)


def test_shares_follow_the_better_forecast_whatever_its_level() -> None:
    good, bad = np.exp(TRUTH) * 40, RANDOM.gamma(1, 1, 4000)
    weights = share_weights(np.column_stack([good, bad]), SPEND, np.array([0.5, 0.5]))
    assert weights.sum() == pytest.approx(1)
    assert weights[0] > 0.9


def test_amount_weights_blend_shares() -> None:
    amounts = np.column_stack([np.exp(TRUTH) * 40, np.exp(TRUTH)])
    blend = amounts @ amount_weights(amounts, SPEND, np.array([0.5, 0.5]))
    np.testing.assert_allclose(blend / blend.mean(), at_level(amounts)[:, 0])


def test_nothing_spent_leaves_the_prior() -> None:
    amounts = np.column_stack([np.ones(3), np.zeros(3)])
    np.testing.assert_allclose(amounts @ amount_weights(amounts, np.zeros(3), np.array([0.5, 0.5])), 0.25)
