"""What the customers are worth: how unequally, for how long, and under which assumptions."""

import numpy as np
import pandas as pd

from ....models import worth
from ....study import Study
from ... import words
from .forecast import level_error, total
from .tenths import by_tenth


def read_by_tenth(study: Study) -> str:
    """The figure in a sentence."""
    table, worth, currency = by_tenth(study), total(study, "clv"), study.dataset.currency
    text = (
        f"All together are worth {words.money(worth.mean, currency)} (90 % interval {worth.interval(lambda v: words.money(v, currency))}) "
        f"of margin over {words.days(study.horizon_days)}, at an assumed margin of {words.percent(study.dataset.study.margin)}."
    )
    if table.empty:
        return f"There are too few customers to divide them into tenths. {text}"
    top = table.iloc[0]
    return (
        f"A customer of the first tenth is worth {words.money(top['clv'], currency)} on average, but a single one may bring between "
        f"{words.money(top['low'], currency)} and {words.money(top['high'], currency)}. {text}"
    )


def concentration(study: Study) -> pd.DataFrame:
    """Share of the expected margin by share of the customers, see `models.worth.concentration`."""
    return worth.concentration(study.value()["customers"]["clv"], study.dataset.privacy.minimum_cell)


def read_concentration(study: Study) -> str:
    """The concentration in a sentence."""
    curve = concentration(study)
    if curve.empty:
        return "There are too few customers to show how their value is spread."
    half = float(np.interp(0.5, curve["value"], curve["customers"]))
    return (
        f"Half of the expected margin comes from {words.percent(half)} of the customers (Gini coefficient {words.number(worth.gini(curve))}; 0 if all were worth the same). "
        "These are expectations, and expectations differ less than what customers will really spend."
    )


def discount_rates(study: Study) -> tuple[float, ...]:
    """The rates that are drawn: none, the one assumed, and twice as much."""
    assumed = study.dataset.study.annual_discount_rate or 0.1
    return (0.0, assumed, 2 * assumed)


def ahead(study: Study) -> pd.DataFrame:
    """Margin on today's customers by how far one looks ahead, for each discount rate; see `models.worth.values_ahead`."""
    return worth.values_ahead(_curve(study), study.dataset.study.margin, discount_rates(study))


def read_ahead(study: Study) -> str:
    """Value further ahead in a sentence."""
    currency, settings = study.dataset.currency, study.dataset.study
    year, five = (
        worth.value_of(_curve(study), days, settings.margin, settings.annual_discount_rate) for days in (365, 5 * 365)
    )
    return (
        f"At {words.percent(settings.annual_discount_rate)} a year today's customers are worth {words.money(year, currency)} over one year and {words.money(five, currency)} over five. "
        f"Only the first {words.days(study.horizon_days)} could be held against what happened, and were off by {words.percent(level_error(study))} as a rule; the dashed part is the model's word alone, "
        "and knows no new customer."
    )


def sensitivity(study: Study) -> pd.DataFrame:
    """What each assumption does to the value; index assumption in words, low, high (money), label (its ends in words)."""
    settings = study.dataset.study
    table = worth.sensitivity(_curve(study), study.horizon_days, settings.margin, settings.annual_discount_rate)
    write = {"horizon": words.days, "margin": words.percent, "discount rate": words.percent}
    labels = [
        f"{write[str(name)](row['low_at'])} to {write[str(name)](row['high_at'])}" for name, row in table.iterrows()
    ]
    error = level_error(study)
    base = value_as_assumed(study)
    own = pd.DataFrame(
        {"low": [max(base * (1 - error), 0.0)], "high": [base * (1 + error)], "label": ["its error at the past dates"]},
        index=["the forecast"],
    )
    table = pd.concat([table.assign(label=labels)[["low", "high", "label"]], own])
    return table.loc[(table["high"] - table["low"]).sort_values(ascending=False, kind="stable").index]


def value_as_assumed(study: Study) -> float:
    """The value of all customers under the assumptions of the dataset file, money."""
    settings = study.dataset.study
    return worth.value_of(_curve(study), study.horizon_days, settings.margin, settings.annual_discount_rate)


def read_sensitivity(study: Study) -> str:
    """The assumptions in a sentence."""
    table, currency = sensitivity(study), study.dataset.currency
    first = table.iloc[0]
    least = table.index[-1]
    return (
        f"Most depends on {_named(str(table.index[0]))}: {words.money(first['low'], currency)} to {words.money(first['high'], currency)} ({first['label']}); as "
        f"assumed it is {words.money(value_as_assumed(study), currency)}. Least depends on {_named(str(least))}."
    )


def _named(assumption: str) -> str:
    return assumption if assumption.startswith("the ") else f"the {assumption}"


def _curve(study: Study) -> pd.Series:
    ahead: pd.Series = study.value()["ahead"]["spend"]
    return ahead
