"""Equal rows are found, whatever the columns hold, and samples stand for all."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.models.grouping import group_equal, levels, sum_by_cell, systematic_sample
from loyalty.models.validation import Histories

whole = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40)


def columns(rows, change):
    """Two columns of floats, in one of the shapes that take different ways through the code."""
    first, second = (np.array(each, dtype=float) for each in zip(*rows, strict=True))
    return {
        "small": (first, second),  # a table
        "large": (first * 1e7, second),  # one number a row, hashed
        "huge": (first * 1e300, second),  # no such number
        "fractions": (first / 7, second),
        "negative": (first - 2, second),
    }[change]


@pytest.mark.parametrize("change", ["small", "large", "huge", "fractions", "negative"])
@given(rows=whole)
@settings(max_examples=40, deadline=None)
def test_groups_are_those_of_a_dictionary_in_order_of_appearance(change, rows):
    parts = columns(rows, change)
    keys = list(zip(*(part.tolist() for part in parts), strict=True))
    order = list(dict.fromkeys(keys))
    codes, first = group_equal(*parts)
    assert codes.tolist() == [order.index(key) for key in keys]
    assert first.tolist() == [keys.index(key) for key in order]
    different, at = levels(parts[0])
    np.testing.assert_array_equal(different[at], parts[0])
    assert len(set(different.tolist())) == different.size


@pytest.mark.parametrize("unit", [1.0, 7.0])
@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 20), st.integers(0, 9), st.integers(1, 5)), min_size=1)
)
@settings(max_examples=40, deadline=None)
def test_grouped_histories_are_those_of_a_group_by(unit, rows):
    x, t_x, wait, weight = (np.array(each, dtype=float) for each in zip(*rows, strict=True))
    t_x = t_x * (x > 0)
    h = Histories(x, t_x / unit, (t_x + wait) / unit, weight)
    frame = pd.DataFrame(vars(h))
    want = frame.groupby(["x", "T", "t_x"], as_index=False)["weight"].sum()
    for grouped in (h.grouped(), h.distinct()[0]):
        got = pd.DataFrame(vars(grouped)).sort_values(["x", "T", "t_x"], ignore_index=True)
        pd.testing.assert_frame_equal(got[want.columns], want)


@pytest.mark.parametrize("column", [np.array([0.5, 1.0]), np.array([0.0, 1e9])])
def test_no_table_of_what_does_not_fit_one(column):
    assert sum_by_cell((np.ones(2), column), np.ones(2), np.ones(2)) is None
    assert sum_by_cell((np.ones(2), np.ones(2)), column, np.ones(2)) is None


@given(weight=st.lists(st.floats(0.1, 50), min_size=1, max_size=60), customers=st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_a_systematic_sample_stands_for_all(weight, customers):
    all_weights = np.array(weight)
    rows, shares = systematic_sample(all_weights, customers)
    assert shares.sum() == pytest.approx(all_weights.sum())
    assert rows.size <= min(customers, all_weights.size)
    # No row is off by more than one customer of the sample.
    given_share = np.bincount(rows, weights=shares, minlength=all_weights.size)
    assert (np.abs(given_share - all_weights) <= all_weights.sum() / customers + 1e-9).all()
