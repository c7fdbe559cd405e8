"""Who gets which offer: the choice that is worth most within budget, contacts and minimum per segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..errors import DataError, SettingsError
from ..models.validation import FloatArray, IntArray
from .effect import Interval
from .knapsack import Problem, greedy
from .linear_programme import solve

LARGEST = 1_000_000
"""Candidates up to which the linear programme is solved; of more, the greedy choice is taken."""

Method = Literal["linear programme", "greedy"]


@dataclass(frozen=True)
class Limits:
    """What must be kept.

    Attributes
    ----------
    budget : money, counted as contacts and the rewards that are expected to be taken; infinite if there is none.
    contacts : most contacts by channel; a channel that is not named has no limit.
    least : fewest customers by segment who get an offer, even where that costs more than it brings.
    """

    budget: float = np.inf
    contacts: Mapping[str, int] = field(default_factory=dict)
    least: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.budget >= 0:
            raise SettingsError(f"actions.budget: expected money of at least 0, found {self.budget:g}")
        for name, numbers in (("contacts", self.contacts), ("least", self.least)):
            for key, number in numbers.items():
                if number < 0 or number != int(number):
                    raise SettingsError(f"actions.{name}.{key}: expected a whole number of at least 0, found {number}")


@dataclass(frozen=True)
class Allocation:
    """Who gets which offer.

    Attributes
    ----------
    chosen : rows of the candidates that were chosen, one a customer, in order of customer.
    value : expected of all of them, money, with the sums of the ends of their intervals: errors that all share do not
        cancel, and so none are taken to.
    cost : expected, money.
    method : how it was chosen.
    budget_price : what one more unit of money adds to the value, 0 if there is money left. Costs are in the value
        already: any price above 0 says that a larger budget would pay.
    channel_prices, segment_prices : what one more contact is worth, and what the last customer who must be served
        costs; those of the greedy choice are not known and empty.
    bound : no choice is worth more than this; not a number where only the greedy choice was taken.
    notes : what else a reader must know, in sentences.
    """

    chosen: pd.DataFrame
    value: Interval
    cost: float
    method: Method
    budget_price: float
    channel_prices: dict[str, float]
    segment_prices: dict[str, float]
    bound: float
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same without its rows, for JSON; a number that is not known is None."""
        return {
            "customers": len(self.chosen),
            "value": {"estimate": self.value.estimate, "low": self.value.low, "high": self.value.high},
            "cost": self.cost,
            "method": self.method,
            "budget_price": self.budget_price,
            "channel_prices": self.channel_prices,
            "segment_prices": self.segment_prices,
            "bound": self.bound if np.isfinite(self.bound) else None,
            "notes": list(self.notes),
        }


def allocate(values: pd.DataFrame, limits: Limits | None = None, method: Method | None = None) -> Allocation:
    """Choose at most one offer a customer.

    Parameters
    ----------
    values : see `targeting.valued`.
    limits : none if not given.
    method : by how many candidates there are if not given, see `LARGEST`.

    Raises
    ------
    DataError
        If segments must have more customers than they have with an offer, or than budget and contacts allow.
    """
    limits = limits or Limits()
    rows = _useful(values, limits)
    problem = problem_of(rows, limits)
    _check_least(rows, problem, limits)
    chosen_by: Method = method or ("linear programme" if len(rows) <= LARGEST else "greedy")
    if chosen_by == "greedy":
        taken, price = greedy(problem)
        _check_kept(problem, taken)
        return _told(rows, taken, "greedy", (price, {}, {}, np.nan), ())
    found = solve(problem)
    prices = found.prices
    named = _named(prices.channels, rows["channel"]), _named(prices.segments, rows["segment"])
    return _told(rows, found.taken, chosen_by, (prices.budget, *named, prices.bound(problem)), _rounding(found.parted))


def compared(values: pd.DataFrame, limits: Limits | None = None) -> dict[str, float]:
    """Both ways on the same candidates: value of each, the bound of the linear programme, and the greedy's share of it.

    Returns
    -------
    linear_programme, greedy, bound (money), share (of the greedy choice in the linear programme's value; 1 where that
    is 0)
    """
    first, second = (allocate(values, limits, method) for method in ("linear programme", "greedy"))
    best, other = first.value.estimate, second.value.estimate
    share = other / best if best else 1.0
    return {"linear_programme": best, "greedy": other, "bound": first.bound, "share": share}


def total(chosen: pd.DataFrame) -> Interval:
    """Expected value of some candidates, with the sums of the ends of their intervals."""
    return Interval(*(float(chosen[name].sum()) for name in ("value", "value_low", "value_high")))


def _useful(values: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """Candidates that may be chosen: those that pay, and those that a segment may need, in order of customer."""
    needed = [name for name, number in limits.least.items() if number]
    kept = values[(values["value"] > 0) | values["segment"].isin(needed)]
    return kept.sort_values(["customer", "rule"], ignore_index=True)


def problem_of(rows: pd.DataFrame, limits: Limits) -> Problem:
    """Candidates in order of customer as arrays, channels and segments in order of their names."""
    customer = pd.factorize(rows["customer"])[0]
    channel, channels = pd.factorize(rows["channel"], sort=True)
    segment, segments = pd.factorize(rows["segment"], sort=True)
    return Problem(
        customer=customer.astype(np.int64),
        channel=channel.astype(np.int64),
        segment=segment.astype(np.int64),
        value=rows["value"].to_numpy("float64"),
        cost=rows["cost"].to_numpy("float64"),
        budget=float(limits.budget),
        most=np.array([float(limits.contacts.get(name, np.inf)) for name in channels]),
        least=np.array([float(limits.least.get(name, 0)) for name in segments]),
    )


def _check_least(rows: pd.DataFrame, problem: Problem, limits: Limits) -> None:
    """Whether each segment has the customers that it must have, and the budget pays for them."""
    there = rows.groupby("segment")["customer"].nunique()
    for name, number in limits.least.items():
        if number > there.get(name, 0):
            raise DataError(
                f"minimum per segment: {name!r} is to have {number} customer{'' if number == 1 else 's'}, and "
                f"{there.get(name, 0)} of it {'has' if there.get(name, 0) == 1 else 'have'} an offer; lower the "
                "minimum, or add a rule that they meet"
            )
    cheapest = rows.groupby("customer").agg(segment=("segment", "first"), cost=("cost", "min"))
    needed = sum(
        float(cheapest.loc[cheapest["segment"] == name, "cost"].nsmallest(int(number)).sum())
        for name, number in limits.least.items()
    )
    if needed > limits.budget:
        raise DataError(
            f"budget: {limits.budget:,.2f} is less than the {needed:,.2f} that the minimum per segment costs at least; "
            "raise the budget, or lower the minimum"
        )


def _check_kept(problem: Problem, taken: IntArray) -> None:
    if (problem.used(taken[taken >= 0])[2] < problem.least).any():
        raise DataError(
            "allocation: taken by value for money, budget and contacts do not reach the minimum per segment; raise "
            "these, or lower the minimum"
        )


def _told(
    rows: pd.DataFrame,
    taken: IntArray,
    method: Method,
    known: tuple[float, dict[str, float], dict[str, float], float],
    notes: tuple[str, ...],
) -> Allocation:
    chosen = rows.iloc[np.sort(taken[taken >= 0])].reset_index(drop=True)
    price, channels, segments, bound = known
    return Allocation(
        chosen, total(chosen), float(chosen["cost"].sum()), method, price, channels, segments, bound, notes
    )


def _named(prices: FloatArray, names: pd.Series) -> dict[str, float]:
    """Prices of the limits that are felt."""
    return {name: float(price) for name, price in zip(sorted(names.unique()), prices, strict=True) if price > 0}


def _rounding(parted: int) -> tuple[str, ...]:
    if not parted:
        return ()
    who = "One customer was" if parted == 1 else f"{parted} customers were"
    return (f"{who} given parts of offers by the linear programme, and then what fitted whole, or nothing.",)
