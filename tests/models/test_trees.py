"""Trees on shared bins: categories, what is missing, level-free losses, and the number of rounds."""

import numpy as np
import pandas as pd
import pytest
from loyalty.models import trees
from loyalty.models.trees import (
    AMOUNT,
    CHURN,
    COUNT,
    MEDIAN,
    POSITIVE,
    ROUNDS,
    SQUARE,
    Bins,
    Encoder,
    Rows,
    best_rounds,
    loss,
    shift_of_log_odds,
)
from scipy.special import expit

RANDOM = np.random.default_rng(1)
FRAME = pd.DataFrame(
    {"x": RANDOM.normal(size=3000), "noise": RANDOM.normal(size=3000), "town": RANDOM.choice(["a", "b", "c"], 3000)}
)
TRUTH = FRAME["x"].to_numpy() + 2 * (FRAME["town"] == "b").to_numpy()
ENCODER = Encoder.of(FRAME)


def test_categories_are_codes_and_unknown_ones_are_missing() -> None:
    frame = pd.DataFrame({"x": [1.0, np.inf, None], "noise": True, "town": pd.Categorical(["b", "z", None])})
    numbers = ENCODER.numbers(frame)
    np.testing.assert_array_equal(numbers, [[1, 1, 1], [np.nan, 1, np.nan], [np.nan, 1, np.nan]])
    assert ENCODER.types() == ["q", "q", "c"]


def test_trees_use_categories() -> None:
    churned = (RANDOM.random(3000) < expit(TRUTH)).astype("float64")
    grown = Bins(FRAME, ENCODER).grow(CHURN, churned, 50)
    said = Rows(pd.DataFrame({"x": 0.0, "noise": 0.0, "town": ["a", "b"]}), ENCODER).sums(grown)
    assert said[1] > said[0] + 1


@pytest.mark.parametrize("objective", [CHURN, AMOUNT, MEDIAN])
def test_trees_are_the_same_bytes_for_any_number_of_threads(monkeypatch: pytest.MonkeyPatch, objective: str) -> None:
    some = np.random.default_rng(3).random(3000) < expit(TRUTH)
    target = some * (1.0 if objective == CHURN else np.exp(TRUTH))
    grown = []
    for count in (1, 2, 5):
        monkeypatch.setattr(trees, "threads", lambda cells, count=count: count)
        grown.append(bytes(Bins(FRAME, ENCODER).grow(objective, target, 10).booster.save_raw("ubj")))
    assert grown[0] == grown[1] == grown[2]


@pytest.mark.parametrize("objective", [CHURN, AMOUNT, POSITIVE, COUNT, MEDIAN, SQUARE])
def test_second_target_on_the_same_bins_is_as_if_alone(objective: str) -> None:
    target = (TRUTH > 0).astype("float64") if objective == CHURN else np.exp(TRUTH)
    shared = Bins(FRAME, ENCODER)
    shared.grow(SQUARE, TRUTH, 3, margin=TRUTH, weight=np.abs(TRUTH))
    rows = Rows(FRAME, ENCODER)
    again, alone = (bins.grow(objective, target, 20) for bins in (shared, Bins(FRAME, ENCODER)))
    np.testing.assert_array_equal(rows.sums(again), rows.sums(alone))
    assert loss(objective, target, rows.sums(alone)) < loss(objective, target, np.full(3000, alone.start))


@pytest.mark.parametrize("objective", [CHURN, AMOUNT, COUNT])
def test_loss_does_not_see_the_level(objective: str) -> None:
    if objective == CHURN:
        target = (RANDOM.random(3000) < expit(TRUTH)).astype("float64")
    else:
        target = RANDOM.poisson(np.exp(TRUTH)).astype("float64")
    assert loss(objective, target, TRUTH) == pytest.approx(loss(objective, target, TRUTH + 2))
    assert loss(objective, target, TRUTH) < loss(objective, target, 0 * TRUTH)


def test_margin_that_says_all_needs_few_trees_and_noise_fewer_still() -> None:
    churned = (RANDOM.random(3000) < expit(TRUTH)).astype("float64")
    rows, half = Rows(FRAME[1500:], ENCODER), Bins(FRAME[:1500], Encoder.of(FRAME))
    with_margin = half.grow(CHURN, churned[:1500], ROUNDS[-1], margin=TRUTH[:1500])
    alone = half.grow(CHURN, churned[:1500], ROUNDS[-1])
    assert best_rounds(with_margin, rows, churned[1500:], margin=TRUTH[1500:]) == ROUNDS[0]
    assert best_rounds(alone, rows, churned[1500:]) > ROUNDS[0]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999, 1.0])
def test_shift_reaches_any_level(share: float) -> None:
    reached = expit(TRUTH + shift_of_log_odds(TRUTH, share)).mean()
    assert reached == pytest.approx(np.clip(share, 1e-4, 1 - 1e-4), rel=1e-6)
