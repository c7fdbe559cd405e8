"""Numbers of experiments in words: levels, differences and intervals, each in the unit of its outcome."""

from collections.abc import Callable

import pandas as pd

from ... import notation
from ...experiments import Experiment
from ...programme.effect import Interval
from .. import words


def best_arm(trial: Experiment) -> str:
    """The arm with the largest effect on the main outcome."""
    told = {arm: trial.effects()[trial.main_outcome, arm] for arm in trial.arms}
    return max(told, key=lambda arm: told[arm].found.estimate if told[arm].identified else float("-inf"))


def level(trial: Experiment, outcome: str, value: float) -> str:
    """The mean of an outcome."""
    kind = trial.kind(outcome)
    if kind == "money":
        return words.money(value, trial.dataset.currency)
    return words.percent(value) if kind == "share" else words.number(value)


def change(trial: Experiment, outcome: str, value: float) -> str:
    """A difference with its sign: points of per cent, money a customer, or a number."""
    if pd.isna(value):
        return words.NOTHING
    sign = "+" if value > 0 else "−" if value < 0 else ""
    kind = trial.kind(outcome)
    if kind == "share":
        return f"{sign}{_points(value)} points"
    if kind == "money":
        return f"{sign}{words.money(abs(value), trial.dataset.currency)} a customer"
    return f"{sign}{words.number(abs(value))}"


def ends(trial: Experiment, outcome: str, found: Interval) -> str:
    """An interval, without the unit that stands before it."""
    kind = trial.kind(outcome)
    if kind == "share":
        return f"{signed(_points, found.low)} to {signed(_points, found.high)} points"
    if kind == "money":
        return words.between(found.low, found.high, lambda value: words.money(value, trial.dataset.currency))
    return f"{signed(words.number, found.low)} to {signed(words.number, found.high)}"


def _points(value: float) -> str:
    return notation.write(f"{abs(100 * value):.{1 if abs(value) >= 0.01 else 2}f}")


def signed(write: Callable[[float], str], value: float) -> str:
    """A number with its sign, where only the size of one can be written."""
    return f"{'−' if value < 0 else ''}{write(abs(value))}"


def unit(trial: Experiment) -> str:
    """The main outcome with its unit, as an axis names it."""
    kinds = {"money": f"{trial.dataset.currency} a customer", "share": "share of the customers"}
    return f"{trial.main_outcome}, {kinds.get(trial.kind(trial.main_outcome), 'a customer')}"


def profit_unit(trial: Experiment) -> str:
    """What a budget is counted in, as an axis names it."""
    return f"profit, {trial.dataset.currency} a customer of all"
