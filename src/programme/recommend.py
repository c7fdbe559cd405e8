"""What each customer is likely to buy next: by the method that did best on past dates, also if it is the plainest.

An item is a category where the dataset knows categories, the narrower kind where it names one, else a product. What
counts is on how many days a customer bought it, not how many pieces or for how much. Novel is what the customer has not
bought before: most of a basket is bought again, so what fills the list best says little about what is new to the
customer, and is judged apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from ..errors import DataError
from ..features.columns import Tables
from ..features.sample import last_mark, tables_up_to
from .recommend_counts import MOST_ITEMS, Catalogue, Tastes, bought, buyers, catalogue, parts, tastes, together
from .recommend_methods import METHODS, Learned, Scorer, blocks, top
from .recommend_tournament import COUNTS, Round, played, scores, standings

LEVELS = {"recommended": "category", "category": "category", "product": "product"}
"""Columns of the lines that may name items, of which the first that there is does, and what an item is then called."""

MOST_CUSTOMERS = 20_000
"""Customers whom methods learn from and are judged on; a sample of them where there are more."""

PART = 100_000
"""Customers whose counts are brought to this process at a time."""

COLUMNS = ("customer", "rank", "item", "score", "novel")


@dataclass(frozen=True)
class Contest:
    """Which method comes closest to the next basket.

    Attributes
    ----------
    level : what an item is, `category` or `product`; empty where the dataset knows neither.
    winner : the simplest method that no other clearly beats; empty where nothing could be tested.
    novel_winner : the same for items that the customer had not bought before.
    scores : kind (`next`, `novel`), contender, measure (recall, ndcg, coverage), value, gain (against the personal
        top list), low, high (90 %, paired by customer).
    origins : day, customers (with a next basket), basket (different items in it, mean), items (that could be
        recommended), sold (items that were sold at all), within (share of the baskets' items that could be
        recommended), novel_customers (with a novel item in it), novel (share of the baskets' items).
    notes : what a reader should know; why there is no winner, where there is none.
    """

    level: str
    winner: str
    novel_winner: str
    scores: pd.DataFrame
    origins: pd.DataFrame
    notes: tuple[str, ...]


def level_of(tables: Tables) -> str:
    """Column of the lines that names items; empty where there is none."""
    columns = [] if tables.lines is None else tables.lines.columns
    return next((level for level in LEVELS if level in columns), "")


def contest(
    tables: Tables, origins: Sequence[date], horizon_days: int, *, most_customers: int = MOST_CUSTOMERS
) -> Contest:
    """Let all methods say what customers buy next, at past dates, each from what was known by then.

    Parameters
    ----------
    tables : purchase days and lines.
    origins : past dates whose horizon is over.
    horizon_days : days within which the next basket is looked for.
    most_customers : whom methods learn from and are judged on, a sample if more had bought by the last date.

    Returns
    -------
    Without a winner, and with a note that says why, where the dataset names no items or nothing was bought again.
    """
    column = level_of(tables)
    if not column:
        return _none("", "The log names neither categories nor products: give transactions.product or .category.")
    level = LEVELS[column]
    if not origins:
        return _none(level, "The log knows no past date whose horizon is over.")
    days = sorted(origins, reverse=True)
    some = tables_up_to(tables, last_mark(buyers(tables, days[0]), most_customers))
    items = bought(some.lines, column).cache()
    found = [played(items, day, horizon_days, buyers(some, day)) for day in days]
    rounds = [each for each in found if each is not None]
    if not rounds:
        return _none(level, f"No customer bought a {level} that is known again after a past date.")
    return _judged(level, rounds)


def _judged(level: str, rounds: list[Round]) -> Contest:
    whole = standings([each.whole for each in rounds])
    fresh = [each.novel for each in rounds if len(each.novel.baskets.customers)]
    told = [scores(whole).assign(kind="next")]
    novel_winner, notes = "", _notes(level, rounds)
    if fresh:
        novel = standings(fresh)
        novel_winner = novel.winner(COUNTS)
        told.append(scores(novel).assign(kind="novel"))
    else:
        notes.append(f"Nobody bought a {level} for the first time: novel purchases cannot be judged.")
    frame = pd.concat(told, ignore_index=True)
    frame = frame[["kind", *frame.columns.drop("kind")]]
    return Contest(level, whole.winner(COUNTS), novel_winner, frame, _origins(rounds), tuple(notes))


def _notes(level: str, rounds: list[Round]) -> list[str]:
    notes = []
    sold = max(each.sold.of for each in rounds)
    if sold > MOST_ITEMS:
        notes.append(f"Of {sold:,} items the {MOST_ITEMS:,} bought most often can be recommended.")
    if sold == 1:
        notes.append(f"Only one {level} is sold: there is nothing to choose.")
    if len(rounds) == 1:
        notes.append("There is a single past date: whether the order of the methods is steady is not known.")
    return notes


def _origins(rounds: list[Round]) -> pd.DataFrame:
    rows = []
    for each in rounds:
        whole, novel = each.whole.baskets, each.novel.baskets
        total = whole.sizes.sum()
        row = {"day": pd.Timestamp(each.day), "customers": len(whole.customers), "basket": whole.sizes.mean()}
        row |= {"items": len(each.sold.names), "sold": each.sold.of, "within": whole.items.sum() / total}
        rows.append(row | {"novel_customers": len(novel.customers), "novel": novel.sizes.sum() / total})
    return pd.DataFrame(rows)


def _none(level: str, why: str) -> Contest:
    return Contest(level, "", "", pd.DataFrame(), pd.DataFrame(), (why,))


def recommendations(
    tables: Tables,
    as_of: date,
    winner: str,
    count: int = 3,
    *,
    novel_only: bool = False,
    customers: ir.Table | None = None,
    most_customers: int = MOST_CUSTOMERS,
) -> pd.DataFrame:
    """What customers are likely to buy next.

    Parameters
    ----------
    tables : purchase days and lines.
    as_of : first day that is not known.
    winner : one of `METHODS`; of `Contest.novel_winner` where only what is novel is asked for.
    count : items a customer.
    novel_only : whether to leave out what the customer has bought before.
    customers : customer, one row each; everyone who has bought, if not given. Of whom nothing is known get what
        everyone buys.
    most_customers : whom the method learns from.

    Returns
    -------
    customer, rank (from 1), item (as the dataset names it), score (comes with the method: only its order means
    something), novel (whether the customer has not bought it before); in order of customer and rank. Fewer rows where
    there are fewer items.

    Raises
    ------
    DataError
        If the log names no items before the date.
    """
    if not (column := level_of(tables)):
        raise DataError("the log names neither categories nor products: give transactions.product or .category")
    items = bought(tables.lines, column)
    sold = catalogue(items, as_of)
    if not sold.names:
        raise DataError(f"no purchase before {as_of} has a {LEVELS[column]} that is known")
    scorer = _learned(tables, column, sold, as_of, winner, most_customers)
    told = [
        _told(block, sold, scorer, count, novel_only)
        for part in parts(buyers(tables, as_of) if customers is None else customers, PART)
        for block in blocks(tastes(items, sold, as_of, part))
    ]
    return pd.concat(told, ignore_index=True).sort_values(["customer", "rank"], ignore_index=True)


def _learned(tables: Tables, column: str, sold: Catalogue, as_of: date, winner: str, most: int) -> Scorer:
    """The method, having learned from a sample of the customers."""
    who = tables_up_to(tables, last_mark(buyers(tables, as_of), most))
    items, there = bought(who.lines, column), buyers(who, as_of)
    return METHODS[winner](
        Learned(sold.days, lambda: tastes(items, sold, as_of, there), lambda: together(items, sold, as_of, there))
    )


def _told(block: Tastes, sold: Catalogue, scorer: Scorer, count: int, novel_only: bool) -> pd.DataFrame:
    said, had = scorer(block), block.days.toarray()
    best = top(said, count, had if novel_only else None)
    row, place = np.nonzero(best >= 0)
    at = best[row, place]
    names = pd.Index(sold.names, dtype="str")
    columns = (block.customers[row], place + 1, names[at], said[row, at], had[row, at] == 0)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
