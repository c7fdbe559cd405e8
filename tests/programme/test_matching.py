"""Weighted controls look like the contacted, and too little to compare is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.errors import RefusedError
from loyalty.programme.matching import FEWEST, balance, match, same_share
from scipy.special import expit


def chosen(seed: int, strength: float = 1.0, n: int = 800) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = np.column_stack([rng.standard_normal((n, 3)), rng.gamma(1, 10, n)])
    return features, rng.random(n) < expit(strength * features[:, 0] + features[:, 3] / 30 - 1)


@given(st.integers(0, 10_000), st.floats(0.0, 1.5))
def test_weighted_means_agree(seed: int, strength: float) -> None:
    features, treated = chosen(seed, strength)
    found = match(features, treated)
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights[~found.treated] > 0).all()
    assert not found.weights[found.treated].any()
    kept = features[found.rows]
    left = (kept[found.treated].mean(axis=0) - found.weights @ kept) / features.std(axis=0)
    assert np.abs(left).max() < 0.01
    np.testing.assert_allclose(left, found.after, atol=1e-9)


def test_those_whom_nobody_resembles_are_left_out_and_told() -> None:
    features, treated = chosen(1)
    features[:20, 0], treated[:20] = 9.0, True
    found = match(features, treated)
    assert set(range(20)).isdisjoint(found.rows)
    assert found.overlap.trimmed == len(treated) - found.rows.size >= 20
    assert found.overlap.highest <= 0.9


def test_a_feature_that_is_the_same_for_all_or_a_sum_of_others_changes_nothing() -> None:
    features, treated = chosen(2)
    more = np.column_stack([features, np.full(len(features), 7.0), features[:, 0] + features[:, 1]])
    np.testing.assert_allclose(match(features, treated).weights, match(more, treated).weights, atol=2e-4)


def test_units_do_not_matter() -> None:
    features, treated = chosen(3)
    np.testing.assert_allclose(match(features, treated).weights, match(features * 100 - 5, treated).weights, atol=1e-8)


@pytest.mark.parametrize(("contacted", "said"), [(FEWEST - 1, "29 contacted customers: at least 30"),
                                                 (800 - FEWEST + 1, "29 customers who were not contacted: at least 30"),
                                                 (800, "0 customers who were not contacted")])  # fmt: skip
def test_a_small_arm_is_refused(contacted: int, said: str) -> None:
    features, _ = chosen(4)
    with pytest.raises(RefusedError, match=said):
        match(features, np.arange(800) < contacted)


def test_arms_that_do_not_meet_are_refused() -> None:
    features, _ = chosen(5)
    with pytest.raises(RefusedError, match=r"nobody resembles|hardly anyone"):
        match(features, features[:, 0] > 0)


def test_the_largest_difference_comes_first() -> None:
    features, treated = chosen(6)
    table = balance(match(features, treated), ("a", "b", "c", "d"))
    assert table["feature"].iloc[0] == "a"
    assert table["before"].abs().is_monotonic_decreasing
    assert table["after"].abs().max() < 0.01


@given(st.floats(0.02, 0.98))
def test_the_same_rule_reaches_the_same_share_elsewhere(share: float) -> None:
    features, treated = chosen(7)
    chance = same_share(match(features, treated).rule, features * 1.5 + 2, share)
    assert chance.mean() == pytest.approx(share, abs=1e-6)
