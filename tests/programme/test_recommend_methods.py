"""Counts, methods and measures, each against a log that is worked out by hand."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.features.columns import Tables
from loyalty.programme.recommend_counts import (
    Baskets,
    Catalogue,
    Tastes,
    bought,
    buyers,
    catalogue,
    next_baskets,
    parts,
    tastes,
    together,
)
from loyalty.programme.recommend_measures import coverage, hits, mean, ndcg, recall
from loyalty.programme.recommend_methods import METHODS, Learned, blocks, top
from loyalty.programme.recommend_tournament import played
from scipy import sparse
from sklearn.metrics import ndcg_score

AS_OF = date(2020, 4, 1)
HALF, QUARTER = "2020-01-02", "2019-10-04"
"""90 and 180 days before."""

LOG = [
    ("ann", QUARTER, "bread", 2.0), ("ann", QUARTER, "milk", 1.0),
    ("ann", HALF, "bread", 2.0), ("ann", HALF, "milk", 1.0), ("ann", HALF, "milk", 1.0), ("ann", HALF, "tea", 3.0),
    ("bob", HALF, "bread", 2.0), ("bob", HALF, "milk", -1.0), ("bob", HALF, "tea", 0.0),
    ("cat", HALF, None, 5.0),
    ("dan", HALF, "bread", 2.0), ("dan", HALF, "tea", 3.0),
    ("ann", "2020-04-05", "bread", 2.0), ("ann", "2020-04-05", "wine", 9.0), ("ann", "2020-04-09", "tea", 3.0),
    ("bob", "2020-04-28", "tea", 3.0),
    ("dan", "2020-04-29", "bread", 2.0),
    ("eve", "2020-04-02", "bread", 2.0),
]  # fmt: skip


def tables_from(log: pd.DataFrame) -> Tables:
    """Days and lines; every line above zero makes a purchase day."""
    log = log.assign(day=pd.to_datetime(log["day"]).dt.date)
    days = log.loc[log["amount"] > 0, ["customer", "day"]].drop_duplicates()
    return Tables(ibis.memtable(days), None, ibis.memtable(log))


@pytest.fixture(scope="module")
def tables() -> Tables:
    return tables_from(pd.DataFrame(LOG, columns=["customer", "day", "category", "amount"]))


@pytest.fixture(scope="module")
def items(tables: Tables) -> ibis.Table:
    return bought(tables.lines, "category")


@pytest.fixture(scope="module")
def sold(items: ibis.Table) -> Catalogue:
    return catalogue(items, AS_OF)


@pytest.fixture(scope="module")
def known(tables: Tables, items: ibis.Table, sold: Catalogue) -> Tastes:
    return tastes(items, sold, AS_OF, buyers(tables, AS_OF))


@pytest.fixture(scope="module")
def learned(tables: Tables, items: ibis.Table, sold: Catalogue, known: Tastes) -> Learned:
    return Learned(sold.days, lambda: known, lambda: together(items, sold, AS_OF, buyers(tables, AS_OF)))


def test_the_catalogue_is_in_order_of_purchase_days_and_then_of_names(items: ibis.Table, sold: Catalogue) -> None:
    assert sold.names == ["bread", "milk", "tea"]
    assert sold.days.tolist() == [4, 2, 2]
    assert catalogue(items, AS_OF, most=2) == (["bread", "milk"], pytest.approx([4, 2]), 3)


def test_a_day_counts_once_and_half_as_much_every_ninety_days(known: Tastes) -> None:
    assert known.customers.tolist() == ["ann", "bob", "cat", "dan"]
    assert known.days.toarray().tolist() == [[2, 2, 1], [1, 0, 0], [0, 0, 0], [1, 0, 1]]
    assert known.recent.toarray().tolist() == [[0.75, 0.75, 0.5], [0.5, 0, 0], [0, 0, 0], [0.5, 0, 0.5]]


def test_items_are_counted_together_by_customer_and_day(learned: Learned) -> None:
    assert learned.together().tolist() == [[4, 2, 2], [2, 2, 1], [2, 1, 2]]


def test_the_next_basket_is_the_first_day_of_the_horizon(tables: Tables, items: ibis.Table, sold: Catalogue) -> None:
    whole, novel = next_baskets(items, sold, AS_OF, 28, buyers(tables, AS_OF))
    assert whole.customers.tolist() == ["ann", "bob"]
    assert whole.items.toarray().tolist() == [[1, 0, 0], [0, 0, 1]]
    assert whole.sizes.tolist() == [2, 1]
    assert novel.customers.tolist() == ["ann", "bob"]
    assert novel.items.toarray().tolist() == [[0, 0, 0], [0, 0, 1]]
    assert novel.sizes.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("global top", [[0.5, 0.25, 0.25]] * 4),
        ("personal top", [[2, 2, 1], [1, 0, 0], [0, 0, 0], [1, 0, 1]]),
        ("personal decay", [[0.75, 0.75, 0.5], [0.5, 0, 0], [0, 0, 0], [0.5, 0, 0.5]]),
        # Likeness of bread and milk, bread and tea: 2 / √(4 · 2); of milk and tea: 1 / √(2 · 2).
        (
            "item to item",
            [
                [0.75 + 1.25 / 2**0.5, 0.75 / 2**0.5 + 1.0, 0.75 / 2**0.5 + 0.875],
                [0.5, 0.5 / 2**0.5, 0.5 / 2**0.5],
                [0, 0, 0],
                [0.5 + 0.5 / 2**0.5, 0.5 / 2**0.5 + 0.25, 0.5 / 2**0.5 + 0.5],
            ],
        ),
        # Of three items no factor is left.
        ("factorisation", [[0.75, 0.75, 0.5], [0.5, 0, 0], [0, 0, 0], [0.5, 0, 0.5]]),
    ],
)
def test_scores_are_those_worked_out_by_hand(
    learned: Learned, known: Tastes, method: str, expected: list[list[float]]
) -> None:
    np.testing.assert_allclose(METHODS[method](learned)(known), expected, atol=1e-12)


def test_the_factorisation_keeps_the_largest_singular_values(learned: Learned) -> None:
    random = np.random.default_rng(3)
    likes = random.poisson(np.kron(np.eye(4), np.full((10, 8), 3.0)) + 0.05).astype("float64")
    matrix = sparse.csr_matrix(likes)
    some = Tastes(pd.Index([f"c{n:02d}" for n in range(40)]), matrix, matrix)
    found = METHODS["factorisation"](Learned(likes.sum(axis=0), lambda: some, learned.together))(some)
    left, size, right = np.linalg.svd(np.log1p(likes))
    np.testing.assert_allclose(found, left[:, :4] * size[:4] @ right[:4], atol=1e-6)


def test_a_customer_of_whom_nothing_is_known_has_the_list_of_all(learned: Learned, known: Tastes) -> None:
    nobody = known.rows(known.customers.get_indexer(["cat"]))
    assert all(top(method(learned)(nobody), 3).tolist() == [[0, 1, 2]] for method in METHODS.values())


def test_rounding_does_not_break_a_tie() -> None:
    assert top(np.array([[0.3, 0.1 + 0.2]]), 2).tolist() == [[0, 1]]


def test_lists_of_a_past_date_score_as_worked_out_by_hand(items: ibis.Table, tables: Tables) -> None:
    game = played(items, AS_OF, 28, buyers(tables, AS_OF))
    assert game is not None
    assert game.sold.names == ["bread", "milk", "tea"]
    listed = game.whole.lists["global top"]
    assert listed.tolist() == [[0, 1, 2], [0, 1, 2]]
    found = hits(listed, game.whole.baskets)
    assert recall(found, game.whole.baskets.sizes).tolist() == [0.5, 1.0]
    # Ann: first place of two items; Bob: third place of one.
    np.testing.assert_allclose(ndcg(found, game.whole.baskets.sizes, 5), [1 / (1 + 1 / np.log2(3)), 0.5])
    fresh = game.novel.lists["item to item"]
    assert fresh.tolist() == [[-1, -1, -1], [1, 2, -1]]
    found = hits(fresh, game.novel.baskets)
    np.testing.assert_allclose(ndcg(found, game.novel.baskets.sizes, 5), [0, 1 / np.log2(3)])
    assert coverage(fresh, 3, np.ones((1, 2))).tolist() == pytest.approx([2 / 3])


@given(st.integers(0, 10_000))
def test_ndcg_is_that_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = (random.random((6, 9)) < 0.3).astype("float64")
    truth[:, 0] = 1
    scores = random.random((6, 9))
    baskets = Baskets(pd.RangeIndex(6), sparse.csr_matrix(truth), truth.sum(axis=1))
    found = hits(top(scores, 5), baskets)
    ours = ndcg(found, baskets.sizes, 5)
    assert ours.mean() == pytest.approx(ndcg_score(truth, scores, k=5))
    ranked = [sorted(range(9), key=lambda at, row=row: -scores[row, at])[:5] for row in range(6)]
    by_hand = [truth[row, best].sum() / truth[row].sum() for row, best in enumerate(ranked)]
    assert recall(found, baskets.sizes).tolist() == pytest.approx(by_hand)


def test_a_draw_without_customers_has_no_mean() -> None:
    means = mean(np.array([1.0, 0.0]), np.array([[2.0, 0.0], [0.0, 0.0]]))
    assert means[0] == 1
    assert np.isnan(means[1])


def test_parts_are_all_customers_each_once() -> None:
    everyone = ibis.memtable(pd.DataFrame({"customer": [f"c{n}" for n in range(100)]}))
    found = [part.to_pandas()["customer"].tolist() for part in parts(everyone, 30)]
    assert len(found) == 4
    assert sorted(customer for part in found for customer in part) == sorted(f"c{n}" for n in range(100))


def test_blocks_hold_no_more_scores_than_fit(known: Tastes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyalty.programme.recommend_methods.NUMBERS_HELD", 6)
    assert [block.customers.tolist() for block in blocks(known)] == [["ann", "bob"], ["cat", "dan"]]
