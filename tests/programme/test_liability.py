"""How many points will be redeemed: by hand, against a published triangle, and where the truth is known."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError, RefusedError
from loyalty.points_rules import PointsRules
from loyalty.programme.liability import (
    Triangle,
    chain_ladder,
    known,
    liability,
    stress,
    survival,
    triangle,
    ultimate_rate,
)
from loyalty.programme.points import Account, own

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
    rate = ultimate_rate(seen, found)
    assert rate.estimate == pytest.approx((68 + 6) / 200)
    assert liability(found, 0.01).estimate == pytest.approx(0.06)


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


def account(rows: list[tuple[str, int, float]], until: int) -> Account:
    start = date(2020, 1, 1)
    frame = pd.DataFrame(
        [(who, start + timedelta(days=day), points, "earn" if points > 0 else "redeem") for who, day, points in rows],
        columns=["customer", "day", "points", "kind"],
    )
    schema = ibis.schema({"customer": "string", "day": "date", "points": "float64", "kind": "string"})
    rules = PointsRules(expiry_days=59, cost_per_point=0.01)
    return own(ibis.memtable(frame, schema=schema), rules, start + timedelta(days=until))


def test_cohorts_and_ages_of_a_ledger() -> None:
    """Periods of 10 days; 100 points in each of the first four, 30 of the first are spent in the third."""
    seen = triangle(account([("a", 10 * n, 100.0) for n in range(4)] + [("a", 25, -30.0)], 40), 10)
    assert seen.issued.tolist() == [100, 100, 100, 100]
    assert seen.redeemed.tolist() == [[0, 0, 30], [0, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_too_few_cohorts_are_refused() -> None:
    with pytest.raises(RefusedError, match="points: 2 periods of 30 days brought points, and 4 are needed"):
        triangle(account([("a", 0, 100.0), ("a", 31, 5.0)], 60))


def test_fewer_cohorts_than_ages_say_nothing() -> None:
    with pytest.raises(DataError, match="expected at least three ages and as many cohorts, found 3 and 2"):
        chain_ladder(np.ones((2, 3)))


def test_stress_goes_up_to_everything() -> None:
    found = survival(
        Triangle(np.array([100.0, 100]), np.array([[20.0, 8], [40, 0]]), np.array([[100.0, 80], [100, 60]]))
    )
    table = stress(found, 60, 0.5).set_index("case")
    assert table["points"]["half of what would lapse is redeemed"] == pytest.approx(33)
    assert table["money"]["everything is redeemed"] == 30
    assert table["change"]["expected"] == 0
