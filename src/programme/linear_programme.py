"""The best allocation by a linear programme, of any size that fits into memory.

    maximise Σ value x   subject to   Σ cost x ≤ budget, Σ x ≤ most (by channel), Σ x ≥ least (by segment),
                                      Σ x ≤ 1 (by customer), 0 ≤ x ≤ 1.

A vertex has at most as many customers with parts of offers as there are limits beside those of the customers (Sinha &
Zoltners 1979). They get nothing at first, and then what still fits.

HiGHS takes time that grows faster than the customers do. But the limits meet customers only through their prices, and
at near prices most customers' best offer is clear. So the programme is solved for a sample, then for those whose choice
hangs on the exact prices, the others having what is clear, more of them each time, until the prices found prove that
nothing is better (weak duality).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from ..errors import DataError
from ..models.validation import FloatArray, IntArray
from .knapsack import NONE, Prices, Problem, fill

CORE = 5_000
"""Customers in a programme that is solved at once."""
PART = 8
"""One of so many customers is in the sample that gives the first prices; of a sample too large a sample is taken."""
PROVED = 1e-6
"""Share of the value that a better choice may be worth more."""
SMALL = 2_000
"""Candidates up to which the simplex method is the faster one; both end at a vertex."""
WHOLE = 1e-6
"""How near to 0 or 1 is whole."""
NUDGE = 1e-5
"""Of the mean value: how much equal offers are told apart by, so that not all of them hang on the exact prices."""
ROUNDS = 30


class Solved(NamedTuple):
    """What the programme says.

    Attributes
    ----------
    taken : place of the offer of each customer, -1 for none, shape (customers,).
    prices : of the limits.
    parted : customers who had parts of offers.
    """

    taken: IntArray
    prices: Prices
    parted: int


class _Optimum(NamedTuple):
    share: FloatArray
    prices: Prices


def solve(problem: Problem, core: int = CORE) -> Solved:
    """The best allocation, whole offers alone.

    Raises
    ------
    DataError
        If not all limits can be kept.
    """
    if not len(problem.value):
        return Solved(np.zeros(0, dtype=np.int64), _free(problem), 0)
    share, prices = _sifted(problem if problem.customers <= core else _nudged(problem), core)
    whole = share > 1 - WHOLE
    parts = np.unique(problem.customer[(share > WHOLE) & ~whole])
    taken = np.full(problem.customers, NONE, dtype=np.int64)
    taken[problem.customer[whole]] = np.flatnonzero(whole)
    left = prices.left(problem)
    order = np.argsort(-left, kind="stable")
    _mend(problem, taken, left, order)
    fill(problem, taken, order[problem.value[order] > 0])
    return Solved(taken, prices, len(parts))


def _sifted(problem: Problem, core: int) -> _Optimum:
    """The optimum, found by solving for those alone whose choice is not clear."""
    prices = _of_sample(problem, core) if core < problem.customers else _free(problem)
    while core < problem.customers:
        found = _settled(problem, prices, core)
        core *= 2
        if found is None:
            continue
        bound = found.prices.bound(problem)
        if bound - float(problem.value @ found.share) <= PROVED * abs(bound):
            return found
        # Prices of too small a core may be far off: those that prove more are kept.
        prices = min(prices, found.prices, key=lambda each: each.bound(problem))
    return _optimum(problem)


def _nudged(problem: Problem) -> Problem:
    """The same with offers that are alike told apart."""
    unit = float(np.abs(problem.value).mean()) * NUDGE
    return problem._replace(value=problem.value + unit * np.random.default_rng(0).random(len(problem.value)))


def _of_sample(problem: Problem, core: int) -> Prices:
    """Prices of a part of the customers with as large a part of the limits."""
    rows = np.flatnonzero(np.random.default_rng(1).permutation(problem.customers)[problem.customer] % PART == 0)
    least = np.minimum(np.floor(problem.least / PART), _customers_by_segment(problem, rows))
    sample = _rows(problem, rows)._replace(budget=problem.budget / PART, most=problem.most / PART, least=least)
    try:
        return _sifted(sample, core).prices
    except DataError:
        return _free(problem)


def _settled(problem: Problem, prices: Prices, core: int) -> _Optimum | None:
    """The optimum for the `core` customers nearest to another choice, the others having what is best at the prices.

    None if the others alone break a limit.
    """
    best, gap = _choices(problem, prices)
    near = np.zeros(problem.customers, dtype=bool)
    near[np.argpartition(gap, core)[:core]] = True
    fixed = best[~near]
    fixed = fixed[fixed >= 0]
    money, contacts, customers = problem.used(fixed)
    rows = np.flatnonzero(near[problem.customer])
    rest = _rows(problem, rows)._replace(
        budget=problem.budget - money,
        most=problem.most - contacts,
        least=np.maximum(problem.least - customers, 0.0),
    )
    if rest.budget < 0 or (rest.most < 0).any():
        return None
    try:
        found = _optimum(rest)
    except DataError:
        return None
    share = np.zeros(len(problem.value))
    share[fixed], share[rows] = 1.0, found.share
    return _Optimum(share, found.prices)


def _choices(problem: Problem, prices: Prices) -> tuple[IntArray, FloatArray]:
    """Place of the best offer of each customer at the prices, -1 for none, and by how much it is better than others."""
    left, firsts = prices.left(problem), problem.firsts
    highest = np.maximum.reduceat(left, firsts)
    order = np.lexsort((-left, problem.customer))
    best = order[firsts]
    others = left.copy()
    others[best] = -np.inf
    second = np.maximum.reduceat(others, firsts)
    gap = np.where(highest > 0, highest - np.maximum(second, 0.0), -highest)
    return np.where(highest > 0, best, NONE), gap


def _optimum(problem: Problem) -> _Optimum:
    """What HiGHS says: share of each candidate at a vertex, and prices."""
    several = np.flatnonzero(np.bincount(problem.customer) > 1)
    rows = [
        sparse.csr_array(problem.cost[None, :]),
        _indicator(problem.channel, len(problem.most)),
        -_indicator(problem.segment, len(problem.least)),
        _indicator(problem.customer, problem.customers)[several],
    ]
    ends = np.concatenate([[problem.budget], problem.most, -problem.least, np.ones(len(several))])
    bound = np.isfinite(ends)
    unit = float(np.abs(problem.value).max(initial=0.0)) or 1.0
    found = linprog(
        -problem.value / unit,
        A_ub=sparse.csr_array(sparse.vstack(rows, format="csr"))[bound],
        b_ub=ends[bound],
        bounds=(0, 1),
        method="highs-ds" if len(problem.value) < SMALL else "highs-ipm",
    )
    if found.status != 0:
        raise DataError(
            "allocation: the limits contradict each other: the customers that segments must have are more than budget "
            "and contacts allow; raise these or lower the minimum per segment"
        )
    price = np.zeros(len(ends))
    price[bound] = -found.ineqlin.marginals * unit
    channels, segments = len(problem.most), len(problem.least)
    ends_of = np.split(np.maximum(price, 0.0), [1, 1 + channels, 1 + channels + segments])
    return _Optimum(np.asarray(found.x), Prices(float(ends_of[0][0]), ends_of[1], ends_of[2]))


def _mend(problem: Problem, taken: IntArray, left: FloatArray, order: IntArray) -> None:
    """Give segments the customers that rounding took from them; where the money is out, others lose theirs.

    Those lose who are worth least at the prices, in segments that have more than they must.
    """
    for segment in np.flatnonzero(problem.least):
        own = order[problem.segment[order] == segment]
        for _ in range(ROUNDS):
            has = problem.used(taken[taken >= 0])[2]
            short = int(problem.least[segment] - has[segment])
            if short <= 0:
                break
            fill(problem, taken, own, short, better=False)
            if problem.used(taken[taken >= 0])[2][segment] >= problem.least[segment]:
                break
            spare = taken[taken >= 0]
            spare = spare[(has > problem.least)[problem.segment[spare]]]
            if not len(spare):
                break
            taken[problem.customer[spare[np.argmin(left[spare])]]] = NONE
        if problem.used(taken[taken >= 0])[2][segment] < problem.least[segment]:
            raise DataError(
                "allocation: budget and contacts are too small for the customers that segments must have, counted in "
                "whole offers; raise these or lower the minimum per segment"
            )


def _rows(problem: Problem, rows: IntArray) -> Problem:
    """The problem of some customers alone, all of whose candidates are among the rows."""
    numbers = np.unique(problem.customer[rows], return_inverse=True)[1]
    return problem._replace(
        customer=numbers.astype(np.int64),
        **{name: getattr(problem, name)[rows] for name in ("channel", "segment", "value", "cost")},
    )


def _customers_by_segment(problem: Problem, rows: IntArray) -> FloatArray:
    firsts = rows[np.diff(problem.customer[rows], prepend=-1) != 0]
    return np.bincount(problem.segment[firsts], minlength=len(problem.least)).astype("float64")


def _indicator(group: IntArray, groups: int) -> sparse.csr_array:
    """A row a group, with 1 for each candidate in it."""
    columns = np.arange(len(group))
    return sparse.csr_array((np.ones(len(group)), (group, columns)), shape=(groups, len(group)))


def _free(problem: Problem) -> Prices:
    """No limit is felt."""
    return Prices(0.0, np.zeros(len(problem.most)), np.zeros(len(problem.least)))
