"""Who responds, from one row a customer to the answer."""

import json

import numpy as np
import pandas as pd
import pytest
from loyalty.programme import effect_order, uplift
from loyalty.programme.arms import arrange
from loyalty.programme.heterogeneity import Heterogeneity, by_part, heterogeneity, profile
from loyalty.programme.qini import chosen, curve_of_scores, rank_within_fold
from loyalty.programme.responders import Response, who_responds
from loyalty.programme.uplift import learn
from responding_customers import customers


@pytest.fixture(scope="module")
def answer():
    features, arm, outcome, _ = customers(3000, 24)
    return who_responds(features, arm, outcome, cost=2.0)


def test_the_answer_finds_that_customers_differ(answer):
    found = answer.response.arms[0]
    assert found.differ.shown
    assert found.differ.slope.holds(1.0)
    assert found.scores.better_than_random
    assert found.qini.better_than_random
    assert found.mean.holds(2.0)
    about = found.profile.head(2).set_index("feature")["difference"]
    assert about["x0"] > 0 > about["x1"]
    assert found.differ.reading.startswith("Customers differ: the fifth predicted to gain most gained")


def test_treating_some_is_worth_more_than_all_or_a_draw(answer):
    pays = answer.response.policy
    assert pays.found.low > 0
    assert pays.against["random"].low > 0
    assert pays.against["all mail"].low > 0
    assert 0.3 <= pays.best_share <= 0.7
    assert pays.reading.endswith("more than as many at random.")


def test_the_answer_survives_json(answer):
    said = json.loads(json.dumps(answer.response.to_dict()))
    assert Response.from_dict(said).to_dict() == answer.response.to_dict()


def test_effects_keep_the_customers_names():
    features, arm, outcome, _ = customers(300, 22)
    features.index = [f"c{number:03d}" for number in range(300)]
    arm[:20] = "call"
    found = who_responds(features, arm, outcome)
    assert found.effects.index.tolist() == [f"c{number:03d}" for number in range(20, 300)]
    assert list(found.effects) == ["mail"]
    assert found.response.notes == ("Arm call is left out: it has 20 customers, under 30.",)


def test_one_effect_for_all_is_said_in_words():
    found = who_responds(pd.DataFrame({"x": np.ones(80)}), ["mail", "control"] * 40, np.tile([1.0, 2.0, 3.0, 4.0], 20))
    only = found.response.arms[0]
    assert only.differ.reading.startswith("Nothing shows that customers differ")
    assert not only.differ.shown
    assert only.scores.points.share == (0.0, 1.0)
    assert found.response.policy.reading.startswith("Nothing shows that treating anyone pays")


def test_tenths_by_hand():
    gain = np.arange(20.0)
    found = by_part(gain, gain + 1, parts=5)
    assert found["part"].tolist() == [1, 2, 3, 4, 5]
    assert found["customers"].tolist() == [4] * 5
    assert found["predicted"].tolist() == [17.5, 13.5, 9.5, 5.5, 1.5]
    half = 1.6448536 * np.std([16, 17, 18, 19], ddof=1) / 2
    assert found.loc[0, ["realised", "low", "high"]].tolist() == pytest.approx([18.5, 18.5 - half, 18.5 + half])


def test_tenths_keep_those_together_who_are_alike():
    found = by_part(np.array([1.0] * 8 + [2.0] * 2), np.arange(10.0))
    assert found["customers"].tolist() == [2, 8]


def test_the_slope_is_that_of_least_squares_within_folds():
    """Second route: a regression with a column for each fold, and White's errors."""
    random = np.random.default_rng(23)
    predicted, fold = random.normal(size=200), np.arange(200) % 5
    gain = 0.5 * predicted + fold + random.normal(size=200) * (1 + predicted**2)
    columns = np.column_stack([predicted, *(fold == number for number in range(5))]).astype(float)
    bread = np.linalg.inv(columns.T @ columns)
    slope = bread @ columns.T @ gain
    left = gain - columns @ slope
    error = np.sqrt((bread @ (columns.T * left**2) @ columns @ bread)[0, 0])
    found = heterogeneity(predicted, gain, fold)
    assert found.slope.estimate == pytest.approx(slope[0])
    assert found.slope.high - found.slope.estimate == pytest.approx(1.6448536 * error)
    assert Heterogeneity.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_profile_by_hand():
    frame = pd.DataFrame({"x": np.arange(10.0), "same": np.ones(10), "kind": ["a"] * 5 + ["b"] * 5})
    found = profile(frame, np.arange(10.0)).set_index(["feature", "value"])
    assert found.loc[("x", None), ["most", "least", "difference"]].tolist() == [8.5, 0.5, 8.0]
    assert "same" not in found.index.get_level_values(0)


@pytest.mark.slow
def test_no_difference_is_found_where_there_is_none():
    """5 ± 2 % of 200 samples of customers with one effect for all."""
    shown = []
    for seed in range(200):
        features, arm, outcome, _ = customers(400, 1000 + seed, effect="none")
        features = features[["x0", "x1", "x2"]]
        arms = arrange(features, arm, outcome)
        found = learn(features, arms)
        shown.append(heterogeneity(found.effects[:, 0], found.scores[:, 1] - found.scores[:, 0], arms.fold).shown)
    assert np.mean(shown) == pytest.approx(0.05, abs=0.02)


@pytest.fixture
def few_trees(monkeypatch):
    monkeypatch.setattr(uplift, "OUTCOME_ROUNDS", 15)
    monkeypatch.setattr(uplift, "SPREAD_ROUNDS", 10)
    monkeypatch.setattr(effect_order, "ROUNDS", 15)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [10.0, 20.0])
def test_intervals_of_a_learned_order_hold_the_truth(noise, few_trees):
    """90 ± 4 % of 200 samples, each in the order learned from it, of which much is noise."""
    held = []
    for seed in range(200):
        features, arm, outcome, truth = customers(800, seed, noise=noise)
        found = who_responds(features, arm, outcome)
        told, predicted = found.response.arms[0], found.effects["mail"].to_numpy()
        order = rank_within_fold(predicted, arrange(features, arm, outcome).fold)
        area = curve_of_scores(order, truth, (0, 0), draws=0).coefficient.estimate
        curves = {each.kind: each.coefficient.holds(area) for each in (told.qini, told.uplift, told.scores)}
        high, low = (chosen(each, 0.2) @ truth / 160 for each in (predicted, -predicted))
        held.append(curves | {"fifths": told.differ.fifths.holds(high - low)})
    for name, share in pd.DataFrame(held).mean().items():
        assert share == pytest.approx(0.9, abs=0.04), name
