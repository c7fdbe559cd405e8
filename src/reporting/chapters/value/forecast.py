"""What all customers together will buy and spend, and how far such totals were off before."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from great_tables import GT
from scipy.stats import t

from ....study import Study
from ... import tables, words
from .tenths import share_of_the_top


class Total(NamedTuple):
    """A sum over all customers with its 90 % interval."""

    mean: float
    low: float
    high: float

    def interval(self, write: Callable[[float], str]) -> str:
        """The interval in words."""
        return words.between(self.low, self.high, write)


def total(study: Study, name: str) -> Total:
    """A total of the horizon ahead: `expected_purchases`, `expected_spend` or `clv`.

    The model's own interval knows nothing of seasons and fashions. It is widened by the error of the total at the
    past dates (`level_error`), taken as one standard deviation that was estimated from as many errors: the fewer
    there are, the wider.
    """
    totals = study.value()["totals"]
    mean, own = totals[name], (totals[f"{name}_high"] - totals[f"{name}_low"]) / 2
    half = float(np.hypot(own, quantile_of_errors(study) * level_error(study) * mean))
    return Total(mean, max(mean - half, 0.0), mean + half)


def level_error(study: Study) -> float:
    """Root mean square of how far the model's total spend was off at the past dates, share of what happened."""
    return float(total_errors(study)["Model"])


def quantile_of_errors(study: Study) -> float:
    """Half the width of a 90 % interval, in standard deviations that were estimated from the errors at the past dates."""
    return float(t.ppf(0.95, df=len(study.value_backtest())))


def answer(study: Study) -> str:
    """Three sentences: what to expect, who carries it, how far off it may be."""
    currency = study.dataset.currency
    spend, purchases = total(study, "expected_spend"), total(study, "expected_purchases")
    return (
        f"In the next {words.days(study.horizon_days)} we expect about {words.number(purchases.mean)} purchase days and "
        f"{words.money(spend.mean, currency)} of spend (90 % interval {spend.interval(lambda v: words.money(v, currency))}) "
        f"from all {words.count(study.value()['totals']['customers'])} customers known so far{of_the_active(study)}. "
        f"{share_of_the_top(study)}{say_totals(study)}"
    )


def of_the_active(study: Study) -> str:
    """How much of the expected spend comes from active customers, as a clause."""
    return (
        f", {words.money(study.value()['totals']['active_spend'], study.dataset.currency)} of it from the active ones"
    )


def total_errors(study: Study) -> pd.Series:
    """Root mean square of how far each forecast of total spend was off at the past dates, share of what happened; index forecast."""
    table = study.value_backtest()
    table = table[table["actual"] > 0]
    columns = {"Model": "model", "Rate so far": "rate", "Same as last period": "last"}
    return pd.Series(
        {name: np.sqrt(((table[column] / table["actual"] - 1) ** 2).mean()) for name, column in columns.items()}
    )


def say_totals(study: Study) -> str:
    """The forecast of the total against the simple rules, in a sentence."""
    wrong = total_errors(study)
    rival = str(wrong.drop("Model").idxmin())
    verdict = "the model was closer than" if wrong["Model"] < wrong[rival] else "the model was no better than"
    dates = len(study.value_backtest())
    return (
        f"In total {verdict} the best simple rule (“{rival.lower()}”): {f'over {dates} past dates' if dates > 1 else 'at the one past date'} it was off by "
        f"{words.percent(wrong['Model'])}, the rule by {words.percent(wrong[rival])}."
    )


def off(bias: float) -> str:
    """How far a total was from what happened.

    Examples
    --------
    >>> off(0.12), off(-0.034)
    ('12 % too high', '3.4 % too low')
    """
    return f"{words.percent(abs(bias))} too {'high' if bias > 0 else 'low'}"


def past_forecasts(study: Study) -> GT:
    """The forecast of total spend at each past date, as a table."""
    table = study.value_backtest().assign(off=lambda t: t["model"] / t["actual"] - 1)
    currency = study.dataset.currency
    return tables.table(
        table[["day", "actual", "model", "off", "rate", "last"]],
        title="The same forecast at all past dates",
        columns={
            "day": tables.Column(label="Forecast of", kind="date"),
            "actual": tables.money("Spent", currency),
            "model": tables.money("Model", currency),
            "off": tables.percent("Model off by"),
            "rate": tables.money("Rate so far", currency),
            "last": tables.money("Same as last period", currency),
        },
    )


def read_past_forecasts(study: Study) -> str:
    """How far the total is off as a rule."""
    return f"{say_totals(study)} The interval of the forecast at the top of this page is widened by that error; the one in the test above is the model's own."
