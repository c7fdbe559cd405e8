"""How good lists of items are, held against what was bought next."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..models.validation import FloatArray, IntArray
from .recommend_counts import Baskets


def hits(listed: IntArray, baskets: Baskets) -> FloatArray:
    """1 where a listed item was bought, shape as `listed`; a place of a list that stays empty (-1) is no hit.

    Parameters
    ----------
    listed : positions in the catalogue, shape (n, places), rows as in the baskets.
    """
    items = baskets.items.shape[1]
    wanted = baskets.items.tocoo()
    asked = np.arange(len(listed))[:, None] * items + listed
    return (np.isin(asked, wanted.row.astype("int64") * items + wanted.col) & (listed >= 0)).astype("float64")


def recall(found: FloatArray, sizes: FloatArray) -> FloatArray:
    """Share of what was bought that was on the list, shape (n,).

    Examples
    --------
    Two of three items, at the first and third place, and one of one at the second:

    >>> recall(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), np.array([3.0, 1.0])).round(3).tolist()
    [0.667, 1.0]
    """
    return np.asarray(found.sum(axis=1) / sizes)


def ndcg(found: FloatArray, sizes: FloatArray, places: int) -> FloatArray:
    """Normalised discounted cumulative gain, shape (n,): hits count less further down; the best list has 1.

    Järvelin & Kekäläinen (2002), ACM Transactions on Information Systems 20, 422-446, with discount 1 / log2(1 + place)

    Parameters
    ----------
    found : see `hits`.
    sizes : different items bought.
    places : of the list, however few items there are to fill it.

    Examples
    --------
    (1 + 1/2) / (1 + 1/log2(3) + 1/2), and 1/log2(3) / 1:

    >>> ndcg(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), np.array([3.0, 1.0]), 3).round(4).tolist()
    [0.7039, 0.6309]
    """
    discount = 1 / np.log2(np.arange(2, places + 2))
    best = np.cumsum(discount)[np.minimum(sizes, places).astype("int64") - 1]
    return np.asarray(found @ discount[: found.shape[1]] / best)


def coverage(listed: IntArray, items: int, weights: FloatArray) -> FloatArray:
    """Share of the catalogue that is on the list of someone, for several weightings of the customers.

    Parameters
    ----------
    listed : positions, shape (n, places).
    items : of the catalogue.
    weights : who is there counts above 0, shape (draws, n).

    Returns
    -------
    Shape (draws,).

    Examples
    --------
    >>> coverage(np.array([[0, 1], [0, -1]]), 4, np.array([[1.0, 1.0], [0.0, 1.0]])).tolist()
    [0.5, 0.25]
    """
    rows, places = np.nonzero(listed >= 0)
    cells = (np.ones(len(rows)), (listed[rows, places], rows))
    shown = sparse.csr_matrix(cells, shape=(items, len(listed))) @ (weights.T > 0).astype("float64")
    return np.asarray((shown > 0).mean(axis=0))


def mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Mean over customers for several weightings, shape (draws,); not a number where nobody is drawn."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weights @ values / weights.sum(axis=1))
