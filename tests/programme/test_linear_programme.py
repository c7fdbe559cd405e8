"""The linear programme: against integer programming, with its certificate, and in parts as in one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.errors import DataError
from loyalty.programme.allocation import Limits, problem_of
from loyalty.programme.knapsack import greedy
from loyalty.programme.linear_programme import solve
from offers_at_hand import at_random, values
from scipy.optimize import LinearConstraint, milp


def problem(seed, customers=120, share=0.15, contacts=None, least=None):
    frame = at_random(seed, customers)
    return problem_of(frame, Limits(share * frame["cost"].sum(), contacts or {}, least or {}))


def integer_optimum(task):
    """Second route: SciPy's branch and bound on the plain matrices."""
    groups = [(task.customer, np.ones(task.customers)), (task.channel, task.most)]
    rows, ends = [task.cost], [task.budget]
    for group, limit in groups:
        rows += [(group == number).astype(float) for number in range(len(limit))]
        ends += list(limit)
    rows += [-(task.segment == number).astype(float) for number in range(len(task.least))]
    ends += list(-task.least)
    found = milp(
        -task.value, constraints=LinearConstraint(np.array(rows), ub=np.array(ends)), integrality=1, bounds=(0, 1)
    )
    return -found.fun


def worth(task, taken):
    return float(task.value[taken[taken >= 0]].sum())


def kept(task, taken):
    money, contacts, customers = task.used(taken[taken >= 0])
    return money <= task.budget + 1e-9 and (contacts <= task.most).all() and (customers >= task.least).all()


@pytest.mark.parametrize("seed", range(6))
def test_it_comes_near_the_best_whole_choice(seed):
    """Within the worth of as many customers as there are limits; the bound is above both."""
    task = problem(seed, contacts={"mail": 12, "call": 6}, least={"A": 20})
    found, best = solve(task), integer_optimum(task)
    assert kept(task, found.taken)
    assert worth(task, found.taken) <= best + 1e-6 <= found.prices.bound(task) + 2e-6
    assert worth(task, found.taken) >= 0.97 * best
    assert found.parted <= 4  # budget, two channels, one segment


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.02, 0.1, 0.3, 1.0]))
def test_neither_way_beats_the_bound_and_the_greedy_comes_near(seed, share):
    task = problem(seed, share=share)
    found = solve(task)
    bound, other = found.prices.bound(task), worth(task, greedy(task)[0])
    assert kept(task, found.taken)
    largest = task.value.max()
    assert bound - largest <= worth(task, found.taken) <= bound + 1e-6
    assert max(bound / 2, bound - largest) - 1e-6 <= other <= bound + 1e-6


@pytest.mark.parametrize("limits", [{}, {"contacts": {"mail": 200, "call": 90}}, {"least": {"A": 500, "B": 100}}])
def test_solved_in_parts_it_is_the_same(limits):
    """A core of 150 of 2,000 customers against all at once."""
    task = problem(3, customers=2000, **limits)
    parts, whole = solve(task, core=150), solve(task)
    assert worth(task, parts.taken) == pytest.approx(worth(task, whole.taken), rel=1e-3)
    assert parts.prices.bound(task) == pytest.approx(whole.prices.bound(task), rel=1e-5)
    assert parts.prices.budget == pytest.approx(whole.prices.budget, rel=1e-2)


def test_offers_that_are_all_alike_are_solved_in_parts():
    rows = [(f"c{number:04d}", rule, *worth) for number in range(1500) for rule, worth in (
        ("call", (4.0, 3.0)), ("mail", (1.0, 0.25)),
    )]  # fmt: skip
    task = problem_of(values(rows), Limits(600.0))
    found = solve(task, core=100)
    # All get mail (375), and 225 / 2.75 = 81 of them a call instead.
    assert worth(task, found.taken) == pytest.approx(1500 + 3 * 81)


def test_the_price_of_the_budget_is_what_one_more_unit_adds():
    task = problem(8, customers=3000)
    low, high = (solve(task._replace(budget=task.budget + change)) for change in (-40.0, 40.0))
    added = (high.prices.bound(task._replace(budget=task.budget + 40)) - low.prices.bound(
        task._replace(budget=task.budget - 40)
    )) / 80  # fmt: skip
    assert solve(task).prices.budget == pytest.approx(added, rel=0.02)
    assert low.prices.budget >= high.prices.budget  # the value of money falls


def test_money_that_is_left_has_no_price():
    assert solve(problem(2, share=2.0)).prices.budget == 0.0


def test_limits_that_contradict_each_other_are_refused():
    task = problem(1, contacts={"mail": 1, "post": 1, "call": 1}, least={"A": 10})
    with pytest.raises(DataError, match="limits contradict each other"):
        solve(task)


def test_minimum_numbers_survive_rounding():
    """By every limit at once, many times: whole offers, none broken."""
    for seed in range(25):
        # Each segment has five customers at least.
        task = problem(100 + seed, customers=45, share=0.2, least={"A": 5, "B": 4}, contacts={"post": 9})
        assert kept(task, solve(task).taken)
