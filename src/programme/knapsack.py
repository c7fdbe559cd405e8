"""One offer a customer under a budget: the problem as arrays, what no choice can beat, and the greedy choice.

It is the multiple-choice knapsack problem (Sinha & Zoltners 1979, Operations Research 27, 503-515), with a limit of
contacts by channel and a least number of customers by segment beside the budget.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..models.compiled import compiled
from ..models.validation import FloatArray, IntArray

BoolArray = NDArray[np.bool_]
NONE = -1
"""Place of the offer of a customer who gets none."""


class Problem(NamedTuple):
    """Candidates in order of customer, and limits.

    Attributes
    ----------
    customer : number of the customer, from 0 on without a gap; shape (candidates,).
    channel, segment : numbers, shape (candidates,).
    value, cost : money, shape (candidates,).
    budget : money, may be infinite.
    most : contacts of each channel, may be infinite; shape (channels,).
    least : customers of each segment, shape (segments,).
    """

    customer: IntArray
    channel: IntArray
    segment: IntArray
    value: FloatArray
    cost: FloatArray
    budget: float
    most: FloatArray
    least: FloatArray

    @property
    def customers(self) -> int:
        """How many there are."""
        return int(self.customer[-1]) + 1 if len(self.customer) else 0

    @property
    def firsts(self) -> IntArray:
        """Place of the first candidate of each customer."""
        return np.flatnonzero(np.diff(self.customer, prepend=-1))

    def used(self, taken: IntArray) -> tuple[float, FloatArray, FloatArray]:
        """Money, contacts by channel and customers by segment of the candidates at these places."""
        return (
            float(self.cost[taken].sum()),
            np.bincount(self.channel[taken], minlength=len(self.most)).astype("float64"),
            np.bincount(self.segment[taken], minlength=len(self.least)).astype("float64"),
        )


class Prices(NamedTuple):
    """What one more unit of each limit is worth, money.

    Attributes
    ----------
    budget : of one more unit of money.
    channels : of one more contact.
    segments : what the last customer that a segment must have costs.
    """

    budget: float
    channels: FloatArray
    segments: FloatArray

    def left(self, problem: Problem) -> FloatArray:
        """Value of each candidate less what it takes from others at these prices."""
        spent = self.budget * problem.cost + self.channels[problem.channel]
        return np.asarray(problem.value - spent + self.segments[problem.segment])

    def bound(self, problem: Problem) -> float:
        """No choice within the limits is worth more, whatever these prices are (weak duality)."""
        best = np.maximum.reduceat(self.left(problem), problem.firsts) if len(problem.value) else np.zeros(0)
        # A limit that is not there has no price.
        limits = (self.budget and self.budget * problem.budget) + float(
            (self.channels * np.where(self.channels > 0, problem.most, 0.0)).sum()
        )
        return float(np.maximum(best, 0.0).sum() + limits - (self.segments * problem.least).sum())


def greedy(problem: Problem) -> tuple[IntArray, float]:
    """Offers by value for money, the best step first.

    First every segment gets its least number, by value for money or, where that is too dear, the cheapest. Then the
    steps from each offer of a customer to the next dearer, on the concave hull of value over cost, are taken in order
    of value for money as far as they fit. What a full channel leaves out is tried once more with all other offers.
    Without limits by channel or segment the best there is is worth more by less than one single offer.

    Returns
    -------
    Place of the offer of each customer, -1 for none, shape (customers,); and the value for money of the first step that
    did not fit, which is about what one more unit of the budget is worth: 0 if all fitted.
    """
    worth = _worth(problem.value, problem.cost)
    taken = _least(problem, np.where(problem.value > 0, worth, problem.value))
    if (problem.used(taken[taken >= 0])[2] < problem.least).any():
        taken = _least(problem, -problem.cost)
    rows, steps = _hull(problem)
    order = np.lexsort((rows, -steps))
    refused = fill(problem, taken, rows[order])
    good = np.flatnonzero(problem.value > 0)
    fill(problem, taken, good[np.lexsort((good, -worth[good]))])
    return taken, float(steps[order][refused]) if refused >= 0 else 0.0


def fill(problem: Problem, taken: IntArray, order: IntArray, enough: int = -1, better: bool = True) -> int:
    """Take candidates in an order as far as they fit, into `taken`.

    Parameters
    ----------
    taken : place of the offer of each customer, changed in place.
    order : places of candidates.
    enough : how many customers more at most; -1 for all.
    better : whether to take what is worth more than what the customer has; else only those who have nothing get any.

    Returns
    -------
    First place in the order that the budget refused, or -1.
    """
    money, contacts, _ = problem.used(taken[taken >= 0])
    budget, most = np.array([problem.budget - money]), problem.most - contacts
    columns = problem.customer, problem.channel, problem.cost, problem.value
    return int(_take(np.asarray(order, dtype=np.int64), *columns, taken, budget, most, enough, better))


def _least(problem: Problem, by: FloatArray) -> IntArray:
    """As many of each segment as it must have, if they fit, those first who are highest in `by`."""
    taken = np.full(problem.customers, NONE, dtype=np.int64)
    for segment in np.flatnonzero(problem.least):
        rows = np.flatnonzero(problem.segment == segment)
        fill(problem, taken, rows[np.lexsort((rows, -by[rows]))], int(problem.least[segment]), better=False)
    return taken


def _worth(value: FloatArray, cost: FloatArray) -> FloatArray:
    """Value for money; without a cost, without end."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(cost > 0, value / cost, np.where(value > 0, np.inf, -np.inf))


def _hull(problem: Problem) -> tuple[IntArray, FloatArray]:
    """Candidates on the concave hull of value over cost of their customer, and the value for money of the step to each.

    Each turn leaves out those that a line between their neighbours passes over, until none is left to leave out.
    """
    rows = np.flatnonzero(problem.value > 0)
    rows = rows[np.lexsort((-problem.value[rows], problem.cost[rows], problem.customer[rows]))]
    while True:
        customer, value, cost = problem.customer[rows], problem.value[rows], problem.cost[rows]
        first = np.diff(customer, prepend=-1) != 0
        before = np.where(first, 0.0, np.roll(value, 1)), np.where(first, 0.0, np.roll(cost, 1))
        steps = _worth(value - before[0], cost - before[1])
        last = np.roll(first, -1) if len(first) else first
        after = np.where(last, -np.inf, np.roll(steps, -1))
        # A dearer offer that is worth no more has no step; a cheaper one before a steeper step is passed over.
        drop = (~first & (value <= before[0])) | ((after > steps) & ~last)
        if not drop.any():
            return rows, steps
        rows = rows[~drop]


@compiled
def _take(
    order: IntArray,
    customer: IntArray,
    channel: IntArray,
    cost: FloatArray,
    value: FloatArray,
    taken: IntArray,
    budget: FloatArray,
    most: FloatArray,
    enough: int,
    better: bool,
) -> int:
    """Take what fits; the first place in `order` that the budget refused, or -1. Changes taken, budget and most."""
    refused, count = -1, 0
    for place in range(len(order)):
        if count == enough:
            break
        row = order[place]
        old = taken[customer[row]]
        if old >= 0 and (not better or value[row] <= value[old]):
            continue
        freed = cost[old] if old >= 0 else 0.0
        same = old >= 0 and channel[old] == channel[row]
        if most[channel[row]] < 1 and not same:
            continue
        if cost[row] - freed > budget[0] + 1e-9:
            if refused < 0:
                refused = place
            continue
        budget[0] -= cost[row] - freed
        if old >= 0:
            most[channel[old]] += 1
        most[channel[row]] -= 1
        taken[customer[row]] = row
        count += 1
    return refused
