"""The greedy choice: by hand, and against every choice there is."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.programme.allocation import Limits, problem_of
from loyalty.programme.knapsack import Prices, greedy
from offers_at_hand import values

AMOUNT = st.integers(0, 30).map(float)


def problem(rows, budget=np.inf, **limits):
    frame = values(rows).sort_values(["customer", "rule"], ignore_index=True)
    return problem_of(frame, Limits(budget, **limits))


@st.composite
def small(draw):
    """At most five customers with three offers each, and a budget."""
    rows = [
        (f"c{number}", f"r{place}", draw(AMOUNT) - 8, draw(AMOUNT))
        for number in range(draw(st.integers(1, 5)))
        for place in range(draw(st.integers(1, 3)))
    ]
    return problem(rows, draw(AMOUNT))


def best_of_all(task):
    """The most that any choice is worth, by trying each."""
    of_each = [[-1, *np.flatnonzero(task.customer == number)] for number in range(task.customers)]
    worth = [
        sum(task.value[row] for row in choice if row >= 0)
        for choice in itertools.product(*of_each)
        if sum(task.cost[row] for row in choice if row >= 0) <= task.budget
    ]
    return max(worth)


def test_steps_are_taken_by_value_for_money():
    """a: mail 6 for 2, call 9 for 8, the step 3 for 6. b: mail 4 for 2. With 10 all but 2 are spent on the three."""
    rows = [("a", "mail", 6.0, 2.0), ("a", "call", 9.0, 8.0), ("b", "mail", 4.0, 2.0)]
    taken, price = greedy(problem(rows, 10.0))
    assert taken.tolist() == [0, 2]  # sorted: a call, a mail, b mail
    assert price == 0.0
    taken, price = greedy(problem(rows, 9.0))
    assert taken.tolist() == [1, 2]
    assert price == 0.5


def test_an_offer_under_the_line_between_its_neighbours_is_passed_over():
    """Mail 1 for 4 is no step on the way to call, 10 for 8: 10 / 8 beats 1 / 4."""
    taken, _ = greedy(problem([("a", "mail", 1.0, 4.0), ("a", "call", 10.0, 8.0), ("b", "mail", 4.0, 4.0)], 8.0))
    assert taken.tolist() == [0, -1]


def test_what_a_full_channel_leaves_out_is_tried_by_another():
    rows = [("a", "mail", 5.0, 1.0), ("a", "post", 3.0, 1.0), ("b", "mail", 6.0, 1.0)]
    taken, _ = greedy(problem(rows, contacts={"mail": 1}))
    assert taken.tolist() == [1, 2]


def test_a_segment_gets_its_least_number_even_at_a_loss():
    taken, _ = greedy(problem([("a", "mail", -3.0, 1.0), ("b", "mail", -1.0, 1.0)], least={"all": 1}))
    assert taken.tolist() == [-1, 1]


@settings(max_examples=50)
@given(small())
def test_the_greedy_choice_lacks_less_than_one_offer(task):
    """Of the best there is; and it keeps the budget."""
    taken, _ = greedy(task)
    chosen = taken[taken >= 0]
    assert (task.customer[chosen] == np.flatnonzero(taken >= 0)).all()
    assert task.cost[chosen].sum() <= task.budget + 1e-9
    # What costs more than there is, no choice has.
    within = task.value[task.cost <= task.budget].max(initial=0.0)
    assert task.value[chosen].sum() >= best_of_all(task) - max(task.value.max(), within) - 1e-9


@settings(max_examples=50)
@given(small(), st.floats(0, 5))
def test_no_choice_beats_the_bound_of_any_price(task, price):
    prices = Prices(price, np.zeros(len(task.most)), np.zeros(len(task.least)))
    assert prices.bound(task) >= best_of_all(task) - 1e-9


def test_a_price_without_a_limit_has_no_bound():
    task = problem([("a", "mail", 1.0, 1.0)])
    assert Prices(0.0, np.zeros(1), np.zeros(1)).bound(task) == pytest.approx(1.0)
