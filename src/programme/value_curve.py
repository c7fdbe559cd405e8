"""What each budget would earn, from next to nothing to as much as all that pays costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ..errors import DataError
from .allocation import Limits, Method, allocate

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Of what all costs that pays: budgets that are looked at, beside the one that is set."""
QUICK = 50_000
"""Candidates above which the greedy choice draws the curve: it is told apart from the best one by no eye."""


def by_budget(values: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """The choice at several budgets, all other limits as they are.

    Parameters
    ----------
    values : see `targeting.valued`.
    limits : the budget of these is looked at too.

    Returns
    -------
    budget, customers, cost, value, low, high (money), in order of budget; budgets that cannot pay for the least number
    of customers in a segment are left out. Empty where nothing pays.
    """
    method: Method = "linear programme" if len(values) <= QUICK else "greedy"
    most = allocate(values, replace(limits, budget=np.inf), method).cost
    if most <= 0:
        return pd.DataFrame(columns=["budget", "customers", "cost", "value", "low", "high"], dtype="float64")
    asked = {share * most for share in SHARES} | ({limits.budget} if limits.budget < most else set())
    rows = []
    for budget in sorted(asked):
        try:
            found = allocate(values, replace(limits, budget=budget), method)
        except DataError:
            continue
        value = found.value
        rows.append((budget, len(found.chosen), found.cost, value.estimate, value.low, value.high))
    return pd.DataFrame(rows, columns=["budget", "customers", "cost", "value", "low", "high"])
