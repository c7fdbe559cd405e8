"""Ways to say what a customer buys next, the simplest first, and the lists that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import TruncatedSVD

from ..models.validation import FloatArray, IntArray
from .recommend_counts import Tastes

MOST_FACTORS, ITEMS_PER_FACTOR = 16, 8
"""With as many factors as items a factorisation only says what the customer has bought already."""

SEED = 1

DIGITS = 9
"""Scores that agree so far are ties: sums in another order differ in the last digits."""

NUMBERS_HELD = 4_000_000
"""Most scores in memory at a time (32 MB)."""


class Learned(NamedTuple):
    """What methods learn from.

    Attributes
    ----------
    popularity : purchase days of each item of the catalogue, falling; shape (items,).
    tastes : brings, when asked, those of the customers who are learned from.
    together : counts them when asked, see `recommend_counts.together`.
    """

    popularity: FloatArray
    tastes: Callable[[], Tastes]
    together: Callable[[], FloatArray]


Scorer = Callable[[Tastes], FloatArray]
"""Customers → a score for each item, shape (n, items), the higher the likelier; 0 where nothing is known of either."""


def global_top(learned: Learned) -> Scorer:
    """What everyone buys: an item's share of all purchase days of items, the same for every customer."""
    share = learned.popularity / learned.popularity.sum()
    return lambda tastes: np.tile(share, (len(tastes.customers), 1))


def personal_top(learned: Learned) -> Scorer:
    """What the customer bought on most days."""
    return lambda tastes: np.asarray(tastes.days.toarray())


def personal_decay(learned: Learned) -> Scorer:
    """What the customer bought on most days, recent ones counting more."""
    return lambda tastes: np.asarray(tastes.recent.toarray())


def item_to_item(learned: Learned) -> Scorer:
    """What is bought along with what the customer buys: cosine of items over baskets.

    Deshpande & Karypis (2004), ACM Transactions on Information Systems 22, 143-177, section 4.1. What the customer buys
    itself counts, too, with a likeness of 1: shoppers come back for the same.
    """
    counts = learned.together()
    often = np.diag(counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        likeness = np.nan_to_num(counts / np.sqrt(np.outer(often, often)))
    return lambda tastes: np.asarray(tastes.recent @ likeness)


def factorisation(learned: Learned) -> Scorer:
    """What customers of like taste buy: few factors of log(1 + recent purchase days), by a truncated SVD.

    Cremonesi, Koren & Turrin (2010), RecSys, 39-46: PureSVD.
    """
    known = learned.tastes().recent.log1p()
    factors = min(MOST_FACTORS, known.shape[1] // ITEMS_PER_FACTOR, *(size - 1 for size in known.shape))
    if factors < 1:
        return personal_decay(learned)
    axes = TruncatedSVD(factors, random_state=SEED).fit(known).components_
    return lambda tastes: np.asarray((tastes.recent.log1p() @ axes.T) @ axes)


METHODS: Mapping[str, Callable[[Learned], Scorer]] = {
    "global top": global_top,
    "personal top": personal_top,
    "personal decay": personal_decay,
    "item to item": item_to_item,
    "factorisation": factorisation,
}
"""The simplest first."""


def top(scores: FloatArray, count: int, barred: FloatArray | None = None) -> IntArray:
    """Positions of the highest scores, the highest first; ties in the order of the catalogue.

    Parameters
    ----------
    scores : shape (n, items).
    count : how many.
    barred : above 0 where an item is not to be recommended, shape (n, items).

    Returns
    -------
    Shape (n, min(count, items)); -1 where too few items are left.

    Examples
    --------
    >>> top(np.array([[0.2, 0.9, 0.9], [0.0, 0.0, 0.0]]), 2, np.array([[0, 0, 1], [1, 1, 0]])).tolist()
    [[1, 0], [2, -1]]
    """
    said = np.round(scores, DIGITS)
    if barred is not None:
        said = np.where(barred > 0, -np.inf, said)
    best = np.argsort(-said, axis=1, kind="stable")[:, :count]
    return np.where(np.isfinite(np.take_along_axis(said, best, axis=1)), best, -1)


def blocks(tastes: Tastes) -> Iterator[Tastes]:
    """Customers, so many at a time that their scores fit in memory; one block without any, if there are none."""
    step = max(1, NUMBERS_HELD // tastes.days.shape[1])
    for start in range(0, max(1, len(tastes.customers)), step):
        yield tastes.rows(slice(start, start + step))
