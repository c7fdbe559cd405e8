"""Curves from said to realised probability, chosen on customers that they were not fitted to."""

import json

import numpy as np
import pytest
from loyalty.models.calibration import BETA, ISOTONIC, NONE, Curve, choose, losses
from scipy.special import expit

RANDOM = np.random.default_rng(8)
TRUTH = RANDOM.normal(-1, 1.5, 5000)
CHURNED = (RANDOM.random(5000) < expit(TRUTH)).astype("float64")


def test_honest_probabilities_are_left_alone() -> None:
    assert choose(expit(TRUTH), CHURNED) == Curve()
    assert Curve().kind == NONE
    np.testing.assert_array_equal(Curve()(expit(TRUTH)), expit(TRUTH))


def test_too_bold_probabilities_are_tamed() -> None:
    bold = expit(3 * TRUTH + 1)
    curve = choose(bold, CHURNED)
    assert curve.kind == BETA
    np.testing.assert_allclose(curve(bold), expit(TRUTH), atol=0.05)


def test_steps_are_found_where_no_curve_fits() -> None:
    bent = np.where(TRUTH > -1, 0.5 + expit(TRUTH) / 3, expit(TRUTH) / 40)
    curve = choose(bent, CHURNED)
    assert curve.kind == ISOTONIC
    assert losses(curve(bent), CHURNED).mean() < losses(bent, CHURNED).mean() - 0.05


@pytest.mark.parametrize("kind", [NONE, BETA, ISOTONIC])
def test_curves_rise_and_stay_probabilities(kind: str) -> None:
    curve = Curve.fit(kind, expit(2 * TRUTH), CHURNED)
    said = curve(np.linspace(0, 1, 500))
    assert (np.diff(said) >= 0).all()
    assert 0 <= said.min() <= said.max() <= 1
    assert Curve.from_dict(json.loads(json.dumps(curve.to_dict()))) == curve


def test_beta_curve_matches_a_known_one() -> None:
    p = RANDOM.random(200_000)
    truth = expit(1.3 * np.log(p) - 0.6 * np.log1p(-p) + 0.2)
    curve = Curve.fit(BETA, p, (RANDOM.random(200_000) < truth).astype("float64"))
    np.testing.assert_allclose(curve.values, (1.3, 0.6, 0.2), atol=0.04)


def test_few_customers_or_one_outcome_give_no_curve() -> None:
    assert choose(expit(3 * TRUTH[:50]), CHURNED[:50]) == Curve()
    assert choose(expit(TRUTH), np.zeros(5000)) == Curve()
