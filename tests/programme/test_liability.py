"""How many points will be redeemed: by hand, against a published triangle, and where the truth is known."""

import numpy as np
import pytest
from loyalty.errors import DataError
from loyalty.programme.effect import Interval
from loyalty.programme.liability import (
    Triangle,
    chain_ladder,
    hazards,
    known,
    redeemed_ahead,
    survival,
    there_now,
)
from loyalty.programme.owed_tested import ultimate_rate

# Taylor and Ashe (1983), as printed in Mack (1993), table 1; cumulative claims.
TAYLOR_ASHE = [
    [357848, 1124788, 1735330, 2218270, 2745596, 3319994, 3466336, 3606286, 3833515, 3901463],
    [352118, 1236139, 2170033, 3353322, 3799067, 4120063, 4647867, 4914039, 5339085],
    [290507, 1292306, 2218525, 3235179, 3985995, 4132918, 4628910, 4909315],
    [310608, 1418858, 2195047, 3757447, 4029929, 4381982, 4588268],
    [443160, 1136350, 2128333, 2897821, 3402672, 3873311],
    [396132, 1333217, 2180715, 2985752, 3691712],
    [440832, 1288463, 2419861, 3483130],
    [359480, 1421128, 2864498],
    [376686, 1363294],
    [344014],
]


def test_the_published_reserves_and_standard_errors() -> None:
    cells = np.array([row + [0] * (10 - len(row)) for row in TAYLOR_ASHE], dtype=float)
    found = chain_ladder(cells)
    assert found.total == pytest.approx(18_680_856, abs=1)
    assert found.standard_error == pytest.approx(2_447_095, rel=1e-5)
    reserves = [0, 94634, 469511, 709638, 984889, 1419459, 2177641, 3920301, 4278972, 4625811]
    assert found.future == pytest.approx(reserves, abs=1)
    assert found.cohort_errors[[1, 9]] == pytest.approx([75535, 1363155], rel=1e-4)


def test_a_triangle_by_hand() -> None:
    """Factors (150 + 180) / (100 + 120) = 1.5 and 165 / 150 = 1.1."""
    found = chain_ladder(np.array([[100.0, 150, 165], [120, 180, 0], [80, 0, 0]]))
    assert found.future == pytest.approx([0, 18, 80 * 0.65])


def test_hazards_by_hand() -> None:
    """Of 100 and 100 points 20 and 40 go at once; of the 80, 8 in the next period. 60 remain."""
    seen = Triangle(np.array([100.0, 100]), np.array([[20.0, 8], [40, 0]]), np.array([[100.0, 80], [100, 60]]))
    found = survival(seen)
    assert found.future == pytest.approx([0, 6])
    assert ultimate_rate(200, 68, Interval(6, 5, 7)).estimate == pytest.approx((68 + 6) / 200)
    assert redeemed_ahead(there_now(seen), hazards(seen)).sum(axis=-1) == pytest.approx(found.future)


def worlds(runs: int, cohorts: int, ages: int) -> tuple[Triangle, np.ndarray]:
    """Customers with 20 points each who redeem all at once, at random; cohorts of 300 to 600 of them."""
    random = np.random.default_rng(7)
    hazard = np.linspace(0.12, 0.04, ages)
    there = random.integers(300, 600, (runs, cohorts)).astype(float)
    left, spent = np.empty((runs, cohorts, ages)), np.empty((runs, cohorts, ages))
    issued = 20 * there
    for age in range(ages):
        went = random.binomial(there.astype(int), hazard[age])
        left[..., age], spent[..., age] = 20 * there, 20 * went
        there = there - went
    cells = known(cohorts, ages)
    future = np.where(cells, 0, spent).sum(axis=(-2, -1))
    # At the end of what is known, points are there whose next age is not known yet.
    first = np.arange(cohorts)[:, None] + np.arange(ages) <= cohorts
    return Triangle(issued, np.where(cells, spent, 0), np.where(first, left, 0)), future


@pytest.mark.parametrize("way", ["chain-ladder", "survival"])
def test_intervals_hold_the_truth_nine_times_in_ten(way: str) -> None:
    seen, future = worlds(1500, 18, 12)
    found = survival(seen) if way == "survival" else chain_ladder(np.cumsum(seen.redeemed, axis=-1))
    assert abs(((found.low <= future) & (future <= found.high)).mean() - 0.9) <= 0.04
    assert np.mean(found.total / future) == pytest.approx(1, abs=0.02)


def test_fewer_cohorts_than_ages_say_nothing() -> None:
    with pytest.raises(DataError, match="expected at least three ages and as many cohorts, found 3 and 2"):
        chain_ladder(np.ones((2, 3)))
