"""Offers to customers of whom it is known what a contact changes, and what a choice among them truly earns."""

import numpy as np
from loyalty.programme.allocation import Limits, allocate
from loyalty.programme.regret import AS_FAR, AT_RANDOM, BY_RISK, in_order
from loyalty.programme.responders import who_responds
from loyalty.programme.targeting import calibrated, valued
from offers_at_hand import candidates


def of_customers(effects, **money):
    names = [f"c{number:06d}" for number in range(len(effects))]
    rows = candidates(zip(names, ["mail"] * len(names), effects["effect"], strict=True), **money)
    return rows.assign(low=effects["low"], high=effects["high"])


def learned(train, new):
    """Effects on new customers, calibrated, as part E learns them."""
    features, arm, outcome, _ = train
    found = who_responds(features, arm, outcome)
    told = found.response.arms[0]
    predicted = found.model.predict(new)[:, 0]
    return calibrated(predicted, float(found.effects["mail"].mean()), told.mean, told.differ.slope)


def shares_of_the_oracle(rows, truth, share, risk):
    """True value of the allocation and its rivals, in that of the best choice with the same money."""
    told, true = valued(rows), dict(zip(rows["customer"], truth, strict=True))
    limits = Limits(share * told["cost"].sum())
    oracle = allocate(told.assign(value=told["customer"].map(true)), limits)
    assert oracle.cost <= limits.budget
    found = allocate(told, limits)
    index = told["customer"].unique()
    random = np.random.default_rng(1).permutation(len(index)).astype(float)
    orders = {AS_FAR: -np.arange(len(index)), AT_RANDOM: random, BY_RISK: risk}
    chosen = {"allocation": found.chosen} | {
        name: in_order(told, limits, told.set_index("customer")["value"] * 0 + order) for name, order in orders.items()
    }
    return {name: float(each["customer"].map(true).sum()) / oracle.value.estimate for name, each in chosen.items()}
