"""How well predictions put customers in order, each figure by a second route."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from loyalty.models.metrics import auc
from loyalty.models.ranking import average_precision, lift, normalised_gini, spearman

outcomes = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.3, 0.3001, 0.9, 1.0]), st.integers(0, 3)),
    min_size=2,
    max_size=30,
)
amounts = st.lists(
    st.tuples(st.floats(0, 50), st.sampled_from([0.0, 1.0, 2.5, 2.6, 40.0]), st.integers(0, 3)), min_size=3, max_size=25
)


@given(outcomes)
def test_average_precision_is_the_mean_precision_at_each_leaver_where_no_two_tie(
    rows: list[tuple[bool, float, int]],
) -> None:
    churned = np.array([left for left, *_ in rows], dtype="float64")
    assume(churned.any())
    score = np.linspace(1, 0, len(rows))
    precisions = [churned[: at + 1].mean() for at in range(len(rows)) if churned[at]]
    assert average_precision(churned, score) == pytest.approx(np.mean(precisions))


def test_average_precision_without_a_leaver_is_unknown() -> None:
    assert math.isnan(average_precision(np.zeros(3), np.arange(3.0)))


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.5, 0.9])), min_size=2, max_size=6), st.floats(0.1, 1))
def test_lift_is_the_mean_over_all_orders_of_equal_customers(rows: list[tuple[bool, float]], share: float) -> None:
    churned, score = (np.array(column, dtype="float64") for column in zip(*rows, strict=True))
    assume(churned.any())
    size = max(1, round(share * len(rows)))
    orders = [order for order in permutations(range(len(rows))) if (np.diff(score[list(order)]) <= 0).all()]
    found = np.mean([churned[list(order)[:size]].mean() for order in orders])
    assert lift(churned, score, share) == pytest.approx(found / churned.mean())


@given(outcomes)
def test_gini_of_who_left_is_twice_the_auc_less_one(rows: list[tuple[bool, float, int]]) -> None:
    churned, score, weight = (np.array(column, dtype="float64") for column in zip(*rows, strict=True))
    assume({0.0, 1.0} == set(churned[weight > 0]))
    weights = np.vstack([np.ones(len(rows)), weight])
    np.testing.assert_allclose(
        normalised_gini(churned, score, weights), 2 * auc(churned, score, weights) - 1, atol=1e-12
    )


@given(amounts)
def test_a_weight_of_two_is_a_customer_who_is_there_twice(rows: list[tuple[float, float, int]]) -> None:
    actual, predicted, weight = (np.array(column, dtype="float64") for column in zip(*rows, strict=True))
    times = weight.astype(int)
    assume(np.ptp(np.repeat(actual, times)) > 0.1 if times.any() else False)
    weighted = normalised_gini(actual, predicted, weight[None, :])
    np.testing.assert_allclose(
        weighted, normalised_gini(np.repeat(actual, times), np.repeat(predicted, times)), atol=1e-9
    )


def test_gini_by_the_sums_of_the_textbook() -> None:
    """G = 2 Σ i y_i / (n Σ y) - (n + 1) / n over customers in rising order of the prediction."""
    random = np.random.default_rng(3)
    actual = random.gamma(0.5, 20, 200)
    predicted = actual + random.normal(0, 10, 200)

    def gini(order_by: np.ndarray) -> float:
        ordered, n = actual[np.argsort(order_by)], len(actual)
        return float(2 * (np.arange(1, n + 1) * ordered).sum() / (n * ordered.sum()) - (n + 1) / n)

    assert normalised_gini(actual, predicted)[0] == pytest.approx(gini(predicted) / gini(actual))
    assert normalised_gini(actual, np.ones(200))[0] == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(normalised_gini(np.full(200, 3.0), predicted)[0])


def test_spearman_is_the_correlation_of_ranks() -> None:
    actual, predicted = np.array([0.0, 0.0, 3.0, 9.0]), np.array([1.0, 2.0, 2.0, 5.0])
    ranks = np.array([1.5, 1.5, 3, 4]), np.array([1, 2.5, 2.5, 4])
    assert spearman(actual, predicted) == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert math.isnan(spearman(actual, np.ones(4)))
