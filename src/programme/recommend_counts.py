"""What is counted of customers and the items that they buy: by the engine, and brought here as sparse matrices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from math import log
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import sparse

from ..features.columns import Tables
from ..features.windows import before, days_until, horizon
from ..models.validation import FloatArray, IntArray

MOST_ITEMS = 1000
"""Items that can be recommended, those bought most often; two tables of all pairs of them take 16 MB."""

HALF_LIFE = 90
"""Days after which a purchase day counts half for what a customer likes now."""

UNIT = 1_000_000
"""Parts of a purchase day in which decay is summed: sums of whole numbers are the same in every order."""


class Catalogue(NamedTuple):
    """The items that can be recommended, those bought most often first, among equals in order of their names.

    Attributes
    ----------
    names : as the dataset has them.
    days : purchase days of customers on which each was bought, shape (items,).
    of : items that were bought at all.
    """

    names: list[str]
    days: FloatArray
    of: int


class Tastes(NamedTuple):
    """What customers bought, one row a customer, one column an item of the catalogue.

    Attributes
    ----------
    customers : in order, shape (n,).
    days : purchase days with the item.
    recent : the same, each day worth half as much for every `HALF_LIFE` days that it lies back.
    """

    customers: pd.Index
    days: sparse.csr_matrix
    recent: sparse.csr_matrix

    def rows(self, which: IntArray | slice) -> Tastes:
        """Some of the customers."""
        return Tastes(self.customers[which], self.days[which], self.recent[which])


class Baskets(NamedTuple):
    """What customers bought on one day, one row a customer.

    Attributes
    ----------
    customers : in order, shape (n,).
    items : 1 where the item of the catalogue was bought, shape (n, items).
    sizes : different items bought, those outside the catalogue too, shape (n,).
    """

    customers: pd.Index
    items: sparse.csr_matrix
    sizes: FloatArray


def bought(lines: ir.Table, level: str) -> ir.Table:
    """Which customer bought which item on which day: customer, day, item, each once.

    What was brought back later was bought all the same; lines worth nothing, or whose item is not known, are left out.

    Parameters
    ----------
    lines : see `sources.log`.
    level : their column that names the items.
    """
    kept = lines.filter((lines.amount > 0) & lines[level].notnull())
    return kept.select("customer", "day", item=kept[level].cast("string")).distinct()


def catalogue(items: ir.Table, as_of: date, most: int = MOST_ITEMS) -> Catalogue:
    """The items bought most often before a date.

    Parameters
    ----------
    items : see `bought`.
    """
    known = before(items, as_of)
    counted = known.group_by("item").agg(days=known.count())
    counted = counted.mutate(of=counted.count().over())
    first = counted.order_by([counted.days.desc(), counted.item]).limit(most).to_pandas()
    first = first.sort_values(["days", "item"], ascending=[False, True])
    return Catalogue(
        first["item"].tolist(), first["days"].to_numpy("float64"), int(first["of"].max()) if len(first) else 0
    )


def tastes(items: ir.Table, sold: Catalogue, as_of: date, customers: ir.Table) -> Tastes:
    """What customers had bought before a date; nothing, for a customer who had bought no item of the catalogue.

    Parameters
    ----------
    items : see `bought`.
    sold : the catalogue.
    as_of : first day that is not known.
    customers : customer, one row each.
    """
    known = _numbered(before(items, as_of), sold)
    known = known.filter(known.position.notnull()).semi_join(customers, "customer")
    worth = (days_until(as_of, known.day).cast("float64") * (-log(2) / HALF_LIFE)).exp()
    each = known.group_by("customer", "position").agg(
        days=known.count(), recent=(worth * UNIT).round().cast("int64").sum().cast("float64") / UNIT
    )
    found = each.to_pandas()
    who = pd.Index(customers.select("customer").to_pandas()["customer"]).sort_values()
    days, recent = (_matrix(found, who, sold, name) for name in ("days", "recent"))
    return Tastes(who, days, recent)


def together(items: ir.Table, sold: Catalogue, as_of: date, customers: ir.Table) -> FloatArray:
    """How often items of the catalogue were bought on the same day by the same customer, before a date.

    Returns
    -------
    Symmetric, shape (items, items); on the diagonal the purchase days of each item.
    """
    known = _numbered(before(items, as_of), sold)
    known = known.filter(known.position.notnull()).semi_join(customers, "customer")
    one, other = known.select("customer", "day", "position"), known.select("customer", "day", beside="position").view()
    pairs = one.join(other, ["customer", "day", one.position <= other.beside])
    counted = pairs.group_by("position", "beside").agg(days=pairs.count()).to_pandas()
    size = len(sold.names)
    counts = np.zeros((size, size))
    counts[counted["position"].to_numpy("int64"), counted["beside"].to_numpy("int64")] = counted["days"]
    return np.maximum(counts, counts.T)


def next_baskets(
    items: ir.Table, sold: Catalogue, as_of: date, horizon_days: int, customers: ir.Table
) -> tuple[Baskets, Baskets]:
    """What customers bought on their first purchase day within a horizon; who bought nothing is left out.

    Parameters
    ----------
    items : see `bought`.
    sold : the catalogue as it was known at the date.
    as_of, horizon_days : the days [as_of, as_of + horizon_days).
    customers : customer, one row each.

    Returns
    -------
    The baskets, and what is novel in them: items that the customer had not bought before the date. Who bought nothing
    novel is left out of these.
    """
    later = horizon(items, as_of, horizon_days).semi_join(customers, "customer")
    first = later.group_by("customer").agg(day=later.day.min())
    basket = _numbered(later.semi_join(first, ["customer", "day"]), sold)
    seen = before(items, as_of).select("customer", "item").distinct().mutate(seen=True)
    told = basket.left_join(seen, ["customer", "item"]).select("customer", "position", "seen").to_pandas()
    return _baskets(told, sold), _baskets(told[told["seen"].isna()], sold)


def _baskets(told: pd.DataFrame, sold: Catalogue) -> Baskets:
    """Rows of customer and position, null outside the catalogue, as baskets."""
    sizes = told.groupby("customer", sort=True).size()
    known = told[told["position"].notna()].assign(there=1.0)
    return Baskets(sizes.index, _matrix(known, sizes.index, sold, "there"), sizes.to_numpy("float64"))


def buyers(tables: Tables, as_of: date) -> ir.Table:
    """Everyone with a purchase before a date, whatever it was: customer, one row each."""
    return before(tables.days, as_of).select("customer").distinct()


def parts(customers: ir.Table, size: int) -> Iterator[ir.Table]:
    """Customers, about so many at a time: the same in every run and by every engine.

    Parameters
    ----------
    customers : customer, one row each.
    """
    number = max(1, -(-int(customers.count().execute()) // size))
    # The first seven digits of a hash that has nothing to do with what is bought, cut into equal stretches.
    edges = [f"{16**7 * at // number:07x}" for at in range(number)] + ["g"]
    mark = customers.customer.hexdigest("md5").substr(0, 7)
    for low, high in pairwise(edges):
        yield customers.filter((mark >= low) & (mark < high))


def _numbered(items: ir.Table, sold: Catalogue) -> ir.Table:
    """Items with their position in the catalogue; null outside it."""
    places = pd.DataFrame({"item": pd.Series(sold.names, dtype="str"), "position": np.arange(len(sold.names))})
    return items.left_join(ibis.memtable(places), "item").drop("item_right")


def _matrix(found: pd.DataFrame, rows: pd.Index, sold: Catalogue, value: str) -> sparse.csr_matrix:
    """Rows of customer, position and a value as a matrix."""
    at = rows.get_indexer(found["customer"])
    cells = (found[value].to_numpy("float64"), (at, found["position"].to_numpy("int64")))
    return sparse.csr_matrix(cells, shape=(len(rows), len(sold.names)))
