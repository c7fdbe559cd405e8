"""Which list of five comes closest to the next basket, on past dates whose horizon is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from ..models.standings import DRAWS, NUMBERS_HELD, SEED, Standings
from ..models.tournament import resamples
from ..models.validation import FloatArray, IntArray
from .recommend_counts import Baskets, Catalogue, Tastes, catalogue, next_baskets, tastes, together
from .recommend_measures import coverage, hits, mean, ndcg, recall
from .recommend_methods import METHODS, Learned, Scorer, blocks, top

PLACES = 5
"""Of the lists that are compared."""

RULE = "personal top"
"""Whom all are compared with."""

COUNTS = ("recall", "ndcg")
"""By which one contender clearly beats another; coverage is told beside them."""

Lists = dict[str, IntArray]
"""Contender → positions in the catalogue, one row a basket, see `recommend_methods.top`."""


class Game(NamedTuple):
    """Lists of one past date beside what was bought.

    Attributes
    ----------
    baskets : of the customers who are asked about.
    lists : what each contender said of them.
    """

    baskets: Baskets
    lists: Lists


class Round(NamedTuple):
    """One past date.

    Attributes
    ----------
    day : first day that was not known.
    sold : the items that could be recommended.
    whole : what was bought next.
    novel : what was novel in it, against lists of what the customer had not bought before.
    """

    day: date
    sold: Catalogue
    whole: Game
    novel: Game


def played(items: ir.Table, day: date, horizon_days: int, customers: ir.Table) -> Round | None:
    """Let all methods make their lists of a past date, from the days before it, and see what was bought next.

    Parameters
    ----------
    items : see `recommend_counts.bought`.
    day, horizon_days : the basket is that of the first purchase day in [day, day + horizon_days).
    customers : who had bought by then: customer, one row each.

    Returns
    -------
    None where no item had been sold by then, or none of these customers bought one in the horizon.
    """
    sold = catalogue(items, day)
    if not sold.names:
        return None
    whole, novel = next_baskets(items, sold, day, horizon_days, customers)
    if not len(whole.customers):
        return None
    known = tastes(items, sold, day, customers)
    learned = Learned(sold.days, lambda: known, lambda: together(items, sold, day, customers))
    there = known.rows(known.customers.get_indexer(whole.customers))
    lists, fresh = _lists({name: method(learned) for name, method in METHODS.items()}, there)
    rows = whole.customers.get_indexer(novel.customers)
    return Round(day, sold, Game(whole, lists), Game(novel, {name: each[rows] for name, each in fresh.items()}))


def _lists(scorers: dict[str, Scorer], there: Tastes) -> tuple[Lists, Lists]:
    """Lists of all that is sold, and of what each customer has not bought before."""
    lists: dict[str, list[IntArray]] = {name: [] for name in scorers}
    fresh: dict[str, list[IntArray]] = {name: [] for name in scorers}
    for block in blocks(there):
        had = block.days.toarray()
        for name, scorer in scorers.items():
            scores = scorer(block)
            lists[name].append(top(scores, PLACES))
            fresh[name].append(top(scores, PLACES, had))
    return _joined(lists), _joined(fresh)


def _joined(blocks_of: dict[str, list[IntArray]]) -> Lists:
    return {name: np.concatenate(each) for name, each in blocks_of.items()}


def standings(games: Sequence[Game], draws: int = DRAWS, seed: int = SEED) -> Standings:
    """Recall, nDCG and coverage of all contenders, and what they might have been with other customers.

    Parameters
    ----------
    games : one a date, at least one, each with customers.
    draws, seed : of the bootstrap over customers, in which all dates of a customer are drawn together.
    """
    index = [game.baskets.customers for game in games]
    point = _judged(games, [np.ones((1, len(each))) for each in index])
    random, most = np.random.default_rng(seed), max(1, NUMBERS_HELD // sum(map(len, index)))
    parts, sizes = [], []
    for start in range(0, draws, most):
        weights = resamples(index, min(most, draws - start), random)
        parts.append(_judged(games, weights))
        sizes.append(np.array([each.sum(axis=1) for each in weights]))
    drawn = {measure: np.concatenate([part[measure] for part in parts], axis=2) for measure in point}
    # Some customers are drawn twice and others not, so that a draw covers less: its spread is right, its level is not.
    drawn["coverage"] += point["coverage"] - drawn["coverage"].mean(axis=2, keepdims=True)
    return Standings(
        list(METHODS),
        {measure: figures[:, :, 0] for measure, figures in point.items()},
        drawn,
        np.array([float(len(each)) for each in index]),
        np.concatenate(sizes, axis=1),
    )


def _judged(games: Sequence[Game], weights: Sequence[FloatArray]) -> dict[str, FloatArray]:
    """Measure → shape (contenders, dates, draws)."""
    figures = [
        [_figures(game, game.lists[name], drawn) for game, drawn in zip(games, weights, strict=True)]
        for name in METHODS
    ]
    return {measure: np.array([[at[measure] for at in each] for each in figures]) for measure in (*COUNTS, "coverage")}


def _figures(game: Game, listed: IntArray, weights: FloatArray) -> dict[str, FloatArray]:
    found, sizes = hits(listed, game.baskets), game.baskets.sizes
    return {
        "recall": mean(recall(found, sizes), weights),
        "ndcg": mean(ndcg(found, sizes, PLACES), weights),
        "coverage": coverage(listed, game.baskets.items.shape[1], weights),
    }


def scores(stood: Standings) -> pd.DataFrame:
    """Figures of all contenders over all dates, and how much better they are than the personal top list.

    Returns
    -------
    contender, measure, value, gain (value less the rule's; above 0 is better), low, high (90 %, paired).
    """
    rows = [
        {"contender": name, "measure": measure, "value": value} | stood.gain(name, RULE, measure)._asdict()
        for measure in stood.point
        for name, value in stood.overall(measure).items()
    ]
    return pd.DataFrame(rows)
