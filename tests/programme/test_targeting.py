"""What offers are expected to be worth: by hand, and which way of counting uncertain effects earns most."""

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.programme.effect import QUANTILE, Effect, Interval
from loyalty.programme.responders import who_responds
from loyalty.programme.targeting import UNMEASURED, Assumed, calibrated, evidence, valued, with_effects
from offers_at_hand import candidates
from responding_customers import customers


def measured(estimate, low, high, design="randomised"):
    return Effect("spend", design, "mean", "EUR", Interval(estimate, low, high), 1.0, 100, 100)


def test_the_reward_is_counted_for_all_who_take_it():
    """10 more spend at a margin of 0.4, less a coupon of 5 that 30 % take and 0.5 for the letter."""
    told = valued(
        candidates([("a", "mail", 10.0)], low=2.0, high=18.0, worth=0.4, redemption=0.3, reward=5.0, contact=0.5)
    ).iloc[0]
    assert told["cost"] == pytest.approx(2.0)
    assert told[["value", "value_low", "value_high"]].tolist() == pytest.approx([2.0, -1.2, 5.2])


def test_nobody_can_be_made_to_buy_who_buys_anyway():
    rows = candidates([("a", "call", 0.3), ("b", "call", 0.3), ("c", "call", 0.3)], measure="buying", worth=10.0)
    told = valued(rows.assign(buys_anyway=[0.9, 0.2, np.nan], high=0.5))
    assert told["effect"].tolist() == pytest.approx([0.1, 0.3, 0.3])
    assert told["high"].tolist() == pytest.approx([0.1, 0.5, 0.5])
    # Spend has no such end.
    assert valued(rows.assign(buys_anyway=0.9, measure="spend"))["effect"].tolist() == [0.3] * 3


def test_the_best_evidence_counts_first():
    """One customer is known singly, the rule on average, another rule is assumed, and of the last nothing is said."""
    bare = candidates([("a", "mail", 0.0), ("b", "mail", 0.0), ("a", "call", 0.0), ("a", "card", 0.0)])
    bare = bare.drop(columns=["measure", "design", "effect", "low", "high"])
    single = pd.DataFrame(
        {"customer": ["b"], "rule": "mail", "measure": "spend", "design": "doubly robust", "effect": 7.0, "low": 5.0,
         "high": 9.0}
    )  # fmt: skip
    refused = measured(9.0, 8.0, 10.0).refused("too few")
    told = with_effects(
        bare, single=single, averages={"mail": measured(3.0, 1.0, 5.0), "call": refused},
        assumed={"call": Assumed("buying", 0.01, 0.05)},
    )  # fmt: skip
    assert told["design"].tolist() == ["randomised", "doubly robust", "assumed", "assumed"]
    assert told["effect"].tolist() == pytest.approx([3.0, 7.0, 0.03, 0.01])
    assert told[["low", "high"]].iloc[3].tolist() == [UNMEASURED.low, UNMEASURED.high]
    assert told["measure"].tolist() == ["spend", "spend", "buying", "buying"]
    said = evidence(valued(told))
    assert said[["rule", "design", "customers"]].to_numpy().tolist() == [
        ["call", "assumed", 1], ["card", "assumed", 1], ["mail", "doubly robust", 1], ["mail", "randomised", 1],
    ]  # fmt: skip


def test_effects_that_were_all_predicted_the_same_are_the_mean():
    nothing = Interval(np.nan, np.nan, np.nan)
    told = calibrated(np.array([2.0, 2.0]), 2.0, Interval(1.0, 0.5, 1.5), nothing)
    assert told.to_numpy().tolist() == [[1.0, 0.5, 1.5]] * 2


def test_what_is_told_twice_as_steep_as_it_is_is_halved_and_never_stretched():
    mean = Interval(1.0, 0.0, 2.0)
    assert calibrated(np.array([5.0]), 1.0, mean, Interval(0.5, 0.5, 0.5))["effect"].tolist() == [3.0]
    assert calibrated(np.array([5.0]), 1.0, mean, Interval(1.6, 1.5, 1.7))["effect"].tolist() == [5.0]
    assert calibrated(np.array([5.0]), 1.0, mean, Interval(-0.3, -1.0, 0.4))["effect"].tolist() == [1.0]


def noisy(seed, n=4000):
    """Effects, normal around 1 with deviation 2, estimated with errors of each customer's own, and true values."""
    random = np.random.default_rng(seed)
    truth, error = random.normal(1, 2, n), random.uniform(0.2, 6, n)
    half = QUANTILE * error
    rows = candidates([(f"c{number:04d}", "mail", 0.0) for number in range(n)], contact=2.0)
    found = truth + random.normal(size=n) * error
    return rows.assign(effect=found, low=found - half, high=found + half), truth - 2.0


def earned(rows, true, how, budget):
    """True value of the best by a way of counting, as far as the budget reaches, as a share of the best there is."""
    told = valued(rows, how)
    best = np.argsort(-told["value"].to_numpy(), kind="stable")[:budget]
    best = best[told["value"].to_numpy()[best] > 0]
    return float(true[best].sum()) / float(np.sort(np.maximum(true, 0))[::-1][:budget].sum())


@pytest.mark.parametrize("budget", [400, 1200, 2400])
def test_where_errors_differ_shrunk_effects_earn_most(budget):
    """Mean over ten samples: what looks best is mostly what was measured worst."""
    sample = [noisy(seed) for seed in range(10)]
    by = {how: np.mean([earned(*each, how, budget) for each in sample]) for how in ("shrunk", "estimate", "lower")}
    assert by["shrunk"] > by["estimate"] + 0.02
    assert by["shrunk"] > by["lower"] + 0.005


def test_shrinking_is_that_of_bayes_and_its_intervals_hold_the_truth():
    rows, true = noisy(3)
    truth = true + 2.0
    told, error = valued(rows, "shrunk"), ((rows["high"] - rows["low"]) / 2 / QUANTILE).to_numpy()
    kept = 4 / (4 + error**2)
    assert told["effect"].to_numpy() == pytest.approx(1 + kept * (rows["effect"].to_numpy() - 1), abs=0.5)
    assert np.mean((told["low"] <= truth) & (truth <= told["high"])) == pytest.approx(0.9, abs=0.02)


def test_learned_effects_were_held_back_already_and_earn_most_as_they_are():
    """Customers who differ in a corner, few of them measured: errors of one line are not errors of customers' own."""
    features, arm, outcome, _ = customers(1000, 1, effect="corner")
    found = who_responds(features, arm, outcome)
    new, _, _, truth = customers(2000, 2, effect="corner")
    told = found.response.arms[0]
    line = calibrated(found.model.predict(new)[:, 0], float(found.effects["mail"].mean()), told.mean, told.differ.slope)
    rows = candidates([(f"c{number:04d}", "mail", 0.0) for number in range(2000)], contact=1.0, worth=0.5)
    rows = rows.assign(**line)
    by = {how: earned(rows, 0.5 * truth - 1.0, how, 600) for how in ("estimate", "shrunk", "lower")}
    assert by["estimate"] > 0.7
    assert by["estimate"] >= max(by.values())


def test_assumed_ranges_are_not_shrunk():
    told = valued(candidates([("a", "x", 1.0), ("b", "x", 3.0)], design="assumed", low=0.0, high=4.0), "shrunk")
    assert told["effect"].tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"effect": np.nan}, "effect: expected a number, found nan"),
        ({"contact": -1.0}, "contact: expected a number of at least 0, found -1"),
        ({"redemption": 1.5}, "redemption: expected a probability, found 1.5"),
        ({"segment": None}, "segment is missing in 2 rows"),
        ({"rule": "mail"}, "one row a customer and rule, found 1 more"),
        ({"segment": ["x", "y"]}, "one segment a customer, found more for 1 customers"),
    ],
)
def test_wrong_candidates_are_refused(wrong, said):
    with pytest.raises(DataError, match=said):
        valued(candidates([("a", "mail", 1.0), ("a", "call", 1.0)]).assign(**wrong))


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="missing are worth, reward"):
        valued(candidates([("a", "mail", 1.0)]).drop(columns=["worth", "reward"]))
