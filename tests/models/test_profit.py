"""What a list is worth in money: published values, and a second route by brute force."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from loyalty.models.profit import Offer, best_cut_off, hull, maximum_profit, profit_at, profit_curve
from scipy import integrate, stats

# The example of the R package EMP, also in the tests of proflogit.
CHURNED = np.array([1, 1, 0, 0, 0, 1, 1, 1, 1, 0], dtype="float64")
SCORE = np.array(
    [0.6125478, 0.3642710, 0.4321361, 0.1402911, 0.3848959, 0.2444155, 0.9706413, 0.8901728, 0.7817814, 0.8687518]
)
scored = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.3, 0.31, 0.9, 1.0])), min_size=2, max_size=25)


@pytest.mark.parametrize(
    ("churned", "score", "published", "tolerance"),
    [
        (CHURNED, SCORE, 30.3003222629848, 5e-13),
        (np.array([0.0, 1.0]), np.array([0.0, 1.0]), 28.0, 5e-5),
        (np.array([0.0, 1.0]), np.array([1.0, 0.0]), 22.5007912, 1.5e-7),  # 22.50079112, told with a digit too many
    ],
)
def test_expected_maximum_profit_is_the_published_one(
    churned: np.ndarray, score: np.ndarray, published: float, tolerance: float
) -> None:
    assert maximum_profit(churned, score).profit == pytest.approx(published, abs=tolerance)


@given(scored)
def test_expected_maximum_profit_is_the_best_list_for_each_share_who_accept(rows: list[tuple[bool, float]]) -> None:
    """By the definition: integrate the profit of the best of all lists over the distribution of γ."""
    churned, score = (np.array(column, dtype="float64") for column in zip(*rows, strict=True))
    assume(0 < churned.mean() < 1)
    offer = Offer()
    lists = [score >= edge for edge in np.unique(score)]
    found = np.array([(0.0, 0.0)] + [(churned[on].sum(), (1 - churned[on]).sum()) for on in lists]) / len(churned)

    def best(gamma: float) -> float:
        gain = gamma * (offer.value - offer.incentive) - offer.contact
        chance = float(stats.beta.pdf(gamma, offer.alpha, offer.beta))
        return float((found[:, 0] * gain - found[:, 1] * offer.wasted).max() * chance)

    grid = np.linspace(0, 1, 4001)
    expected = integrate.simpson([best(gamma) for gamma in grid], x=grid)
    # Simpson's rule errs at the kinks, where another list becomes the best.
    assert maximum_profit(churned, score).profit == pytest.approx(expected, abs=2e-4)


@given(scored)
def test_the_hull_lies_on_or_above_every_corner_of_the_roc_curve_and_is_concave(rows: list[tuple[bool, float]]) -> None:
    churned, score = (np.array(column, dtype="float64") for column in zip(*rows, strict=True))
    assume(0 < churned.mean() < 1)
    leavers, stayers = hull(churned, score)
    assert (leavers[0], stayers[0], leavers[-1], stayers[-1]) == (0, 0, pytest.approx(1), pytest.approx(1))
    for edge in np.unique(score):
        on = score >= edge
        x, y = (1 - churned[on]).sum() / (1 - churned).sum(), churned[on].sum() / churned.sum()
        above = [height for height, at in zip(leavers, stayers, strict=True) if at <= x + 1e-12]
        assert max(*above, np.interp(x, stayers, leavers)) >= y - 1e-9


def test_the_curve_is_the_profit_of_each_list() -> None:
    offer, curve = Offer(), profit_curve(CHURNED, SCORE)
    assert (curve["share"].iloc[0], curve["profit"].iloc[0]) == (0, 0)
    for _, row in curve.iloc[1:].iterrows():
        on = row["cut_off"] <= SCORE
        by_hand = (CHURNED[on].sum() * offer.kept - (1 - CHURNED[on]).sum() * offer.wasted) / 10
        assert row["share"] == pytest.approx(on.mean())
        assert row["profit"] == pytest.approx(by_hand)
        assert profit_at(CHURNED, SCORE, row["cut_off"]) == pytest.approx(by_hand)
    best = best_cut_off(curve)
    assert profit_at(CHURNED, SCORE, best) == curve["profit"].max()


def test_customers_with_the_same_probability_are_contacted_together() -> None:
    curve = profit_curve(np.array([1.0, 0, 0]), np.array([0.4, 0.4, 0.1]))
    assert curve["share"].tolist() == pytest.approx([0, 2 / 3, 1])


def test_nobody_is_contacted_where_it_does_not_pay() -> None:
    curve = profit_curve(np.array([0.0, 0.0]), np.array([0.9, 0.1]))
    assert best_cut_off(curve) == np.inf
    assert profit_at(np.zeros(2), np.array([0.9, 0.1]), best_cut_off(curve)) == 0


def test_contacting_pays_from_the_break_even_on() -> None:
    """A calibrated probability above it brings more than it costs: Σ p kept - (1 - p) wasted changes its sign there."""
    offer = Offer(value=300, incentive=20, contact=2)
    p = offer.break_even
    assert p * offer.kept - (1 - p) * offer.wasted == pytest.approx(0)
    assert offer.kept == pytest.approx(0.3 * 280 - 2)
