"""What the allocation is worth beside simpler rules, and who is left alone and why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..models.validation import FloatArray
from .allocation import Allocation, Limits, problem_of, total
from .knapsack import NONE, fill

SURE = 0.9
"""Probability of buying anyway from which a customer is a sure buyer."""

WORSE = "contact makes worse"
SURE_BUYER = "buys anyway"
TOO_DEAR = "costs more than it brings"
BEYOND = "beyond the limits"
REASONS = (WORSE, SURE_BUYER, TOO_DEAR, BEYOND)
"""Why a customer gets nothing, the first that applies:

contact makes worse : the intervals of all offers' effects lie below 0.
buys anyway : probability of buying without a contact from `SURE` on, and no offer pays.
costs more than it brings : no offer is worth more than it costs.
beyond the limits : an offer would pay, but budget or contacts go to others. This one is not left alone on purpose.
"""

EVERYONE, AS_FAR, AT_RANDOM, BY_RISK, NOBODY = (
    "everyone, whatever it costs", "everyone, as far as the limits reach", "at random", "highest churn risk first",
    "nobody",
)  # fmt: skip


def regret(
    values: pd.DataFrame, allocation: Allocation, limits: Limits, risk: pd.Series | None = None, seed: int = 0
) -> pd.DataFrame:
    """What other rules would be expected to be worth, under the same limits and counted with the same effects.

    A customer whose turn it is gets the best offer that fits, also where that costs more than it brings, for these
    rules do not ask. They are flattered by it, for they would not know the best offer either. Segments' least numbers
    do not bind them.

    Parameters
    ----------
    values : all candidates, see `targeting.valued`.
    allocation, limits : the choice, and what it kept to.
    risk : probability of leaving, index customer; without it nobody is chosen by risk.
    seed : of the random order.

    Returns
    -------
    One row a rule, the allocation first: rule, customers, cost, value, low, high, regret (value that is lost by it).
    """
    rows = values.sort_values(["customer", "rule"], ignore_index=True)
    customers = rows["customer"].unique()
    ranks = np.arange(len(customers), dtype="float64")
    best = rows.loc[rows.groupby("customer", sort=False)["value"].idxmax()]
    others = {
        EVERYONE: best,
        AS_FAR: in_order(rows, limits, pd.Series(-ranks, customers)),
        AT_RANDOM: in_order(rows, limits, pd.Series(np.random.default_rng(seed).permutation(ranks), customers)),
    }
    if risk is not None:
        others[BY_RISK] = in_order(rows, limits, risk.reindex(customers).fillna(-np.inf))
    told = [_row("this allocation", allocation.chosen), *(_row(name, each) for name, each in others.items())]
    frame = pd.DataFrame([*told, _row(NOBODY, rows.iloc[:0])])
    return frame.assign(regret=allocation.value.estimate - frame["value"])


def in_order(values: pd.DataFrame, limits: Limits, score: pd.Series) -> pd.DataFrame:
    """Candidates that customers get who are served in the order of a score, highest first, until limits are reached.

    Parameters
    ----------
    values : in order of customer.
    score : of each customer; equal ones are served in order of customer.

    Returns
    -------
    Rows of `values`, in order of customer.
    """
    rows = values.reset_index(drop=True)
    problem = problem_of(rows, Limits(limits.budget, limits.contacts))
    of: FloatArray = rows["customer"].map(score).to_numpy("float64")
    taken = np.full(problem.customers, NONE, dtype=np.int64)
    fill(problem, taken, np.lexsort((-problem.value, problem.customer, -of)), better=False)
    return rows.iloc[taken[taken >= 0]]


def left_alone(values: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Customers who get nothing, and why.

    Parameters
    ----------
    values : all candidates, see `targeting.valued`; with buys_anyway, if known.
    chosen : see `Allocation.chosen`.

    Returns
    -------
    One row a customer, in order: customer, segment, reason (see `REASONS`), value (of the best offer, money).
    """
    rest = values[~values["customer"].isin(chosen["customer"])]
    rest = rest.assign(sure=rest["buys_anyway"].ge(SURE) if "buys_anyway" in rest else False)
    each = rest.groupby("customer", as_index=False).agg(
        segment=("segment", "first"), value=("value", "max"), highest=("high", "max"), sure=("sure", "max")
    )
    pays = each["value"] > 0
    reason = np.select([pays, each["highest"] < 0, each["sure"]], [BEYOND, WORSE, SURE_BUYER], TOO_DEAR)
    return each.assign(reason=reason)[["customer", "segment", "reason", "value"]]


def by_reason(alone: pd.DataFrame) -> pd.DataFrame:
    """How many are left alone by reason, in the order of `REASONS`: reason, customers, value (of the best offers)."""
    grouped = alone.groupby("reason").agg(customers=("customer", "size"), value=("value", "sum"))
    return (
        grouped.reindex(list(REASONS)).fillna({"customers": 0, "value": 0.0}).astype({"customers": int}).reset_index()
    )


def _row(name: str, rows: pd.DataFrame) -> dict[str, object]:
    worth = total(rows)
    return {
        "rule": name, "customers": len(rows), "cost": float(rows["cost"].sum()), "value": worth.estimate,
        "low": worth.low, "high": worth.high,
    }  # fmt: skip
