"""Curves of what treating the best is worth, against published definitions and by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.errors import DataError
from loyalty.programme.qini import Curve, chosen, curve, curve_of_scores, share_of_oracle

PREDICTED = np.array([0.9, 0.9, 0.8, 0.7, 0.7, 0.7, 0.5, 0.4, 0.3, 0.3, 0.2, 0.1])
TREATED = np.array([1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1])
OUTCOME = np.array([1.0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0])
SHARES = np.array([0, 2, 3, 6, 7, 8, 10, 11, 12]) / 12

# scikit-uplift 0.5.1, qini_curve and uplift_curve of this table; causalml 0.18 has the same at the ends of ties.
QINI = np.array([0, 1, 2, 2, 5 / 3, 7 / 3, 1, 1.6, 1.2])
UPLIFT = np.array([0, 2, 3, 4, 2.91666667, 3.73333333, 1.66666667, 2.93333333, 2.05714286])


@pytest.mark.parametrize(("kind", "published", "over"), [("qini", QINI, 7), ("uplift", UPLIFT, 12)])
def test_curves_are_those_of_scikit_uplift(kind, published, over):
    """There in customers; here over the treated, or over all."""
    found = curve(PREDICTED, TREATED, OUTCOME, kind=kind, draws=0)
    assert found.points.share == pytest.approx(SHARES)
    assert np.array(found.points.gain) * over == pytest.approx(published, abs=1e-7)
    area = np.trapezoid(published / over, SHARES)
    assert found.area.estimate == pytest.approx(area, abs=1e-8)
    assert found.coefficient.estimate == pytest.approx(area - published[-1] / over / 2, abs=1e-8)


def test_the_end_of_every_curve_is_the_effect_on_all():
    naive = OUTCOME[TREATED == 1].mean() - OUTCOME[TREATED == 0].mean()
    for kind in ("qini", "uplift"):
        assert curve(PREDICTED, TREATED, OUTCOME, kind=kind, draws=0).everyone.estimate == pytest.approx(naive)


def test_weights_count_as_that_many_customers():
    """A customer of weight 2 is two customers."""
    weight = np.where(np.arange(12) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(12), weight.astype(int))
    one = curve(PREDICTED, TREATED, OUTCOME, weight=weight, draws=0)
    other = curve(PREDICTED[twice], TREATED[twice], OUTCOME[twice], draws=0)
    assert one.points.gain == pytest.approx(other.points.gain)


def test_customers_predicted_alike_are_a_straight_line():
    found = curve(np.ones(12), TREATED, OUTCOME)
    assert found.points.share == (0.0, 1.0)
    assert (found.coefficient.estimate, found.coefficient.low, found.coefficient.high) == (0.0, 0.0, 0.0)
    assert not found.better_than_random


def test_the_order_of_customers_predicted_alike_does_not_matter():
    other = np.random.default_rng(3).permutation(12)
    one = curve(PREDICTED, TREATED, OUTCOME, draws=0)
    assert curve(PREDICTED[other], TREATED[other], OUTCOME[other], draws=0).points.gain == pytest.approx(
        one.points.gain
    )


def test_where_one_group_is_missing_the_line_runs_straight_from_nothing():
    """The best two are treated, and nobody can tell what they would have bought."""
    found = curve(np.array([4.0, 3, 2, 1]), np.array([1, 1, 0, 0]), np.array([9.0, 3, 1, 3]), draws=0)
    third = (9 + 3) / 2 - 1
    assert found.points.gain == pytest.approx((0.0, third / 3, 2 * third / 3, third, 6 - 2))


@pytest.mark.parametrize("treated", [np.ones(4), np.zeros(4)])
def test_a_curve_needs_both_groups(treated):
    with pytest.raises(DataError, match="found only one of the two"):
        curve(np.arange(4.0), treated, np.arange(4.0))


def test_a_long_curve_is_that_of_its_cells():
    """200 points lose next to nothing of 5,000 customers."""
    random = np.random.default_rng(8)
    predicted, treated = random.normal(size=5000), random.random(5000) < 0.5
    outcome = predicted * treated + random.normal(size=5000)
    found = curve(predicted, treated.astype(float), outcome, draws=0)
    order = np.argsort(-predicted)
    yes, no = treated[order], ~treated[order]
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = (np.cumsum(outcome[order] * yes) - np.cumsum(outcome[order] * no) * np.cumsum(yes) / np.cumsum(no)) / (
            yes.sum()
        )
    area = np.trapezoid(np.nan_to_num(gain), np.arange(1, 5001) / 5000)
    assert len(found.points.share) == 201
    assert found.area.estimate == pytest.approx(area, rel=0.01)


def test_shares_of_the_oracle():
    truth = np.array([3.0, 1, 0, -2])
    assert share_of_oracle(truth, truth) == pytest.approx(1)
    assert share_of_oracle(-truth, truth) == pytest.approx(-1)
    assert share_of_oracle(np.zeros(4), truth) == pytest.approx(0)
    assert np.isnan(share_of_oracle(truth, np.ones(4)))


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30), st.floats(0, 1))
def test_as_many_are_chosen_as_are_asked_for(predicted, share):
    found = chosen(np.array(predicted, dtype=float), share)
    assert found.sum() == pytest.approx(share * len(predicted))
    assert ((found >= 0) & (found <= 1)).all()
    assert min(found[np.array(predicted) == max(predicted)]) == found.max()


def test_a_curve_survives_json():
    found = curve(PREDICTED, TREATED, OUTCOME, draws=20)
    assert Curve.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert list(found.points.to_frame()) == ["share", "gain", "low", "high", "random"]


def test_intervals_are_the_same_every_time():
    assert curve(PREDICTED, TREATED, OUTCOME, draws=20) == curve(PREDICTED, TREATED, OUTCOME, draws=20)


@pytest.mark.slow
@pytest.mark.parametrize("raw", [True, False])
def test_intervals_of_the_coefficient_hold_the_truth(raw):
    """90 ± 4 % of 200 samples, for an order that was known before: truth of the population, drawn at random."""
    held = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        x, treated = random.normal(size=800), random.random(800) < 0.3
        noise = random.gamma(0.5, 6.0, 800)
        outcome = noise + treated * (1 + x)
        gain = 1 + x + (treated - 0.3) / 0.21 * (noise - 3)
        found = curve(x, treated, outcome, draws=100) if raw else curve_of_scores(x, gain, (0, 0), draws=100)
        # E of the mean of the best share s is 1 + phi(z) / s: the area above the line is 1 / (2 sqrt(pi)).
        held.append(found.coefficient.holds(1 / (2 * np.sqrt(np.pi))))
    assert np.mean(held) == pytest.approx(0.9, abs=0.04)
