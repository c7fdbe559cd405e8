"""The forecast of one horizon ago, in money, against what was spent since and against simple rules."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from great_tables import GT

from ....models.metrics import errors
from ....study import Study
from ... import tables, words

FORECASTS = {"Model": "expected", "Rate so far": "rate", "Same as last period": "last"}


def totals_table(study: Study) -> pd.DataFrame:
    """Spend and purchases in the test period; index forecast; total, low, high, bias, mae, rmse of spend, mae_purchases."""
    holdout = study.value_holdout()
    each, totals = holdout["customers"], holdout["totals"]
    actual = each["spend"].to_numpy()
    rows = {"What happened": {"total": totals["spend"]}}
    for name, kind in FORECASTS.items():
        of_purchases = errors(each["purchases"].to_numpy(), each[f"{kind}_purchases"].to_numpy())
        rows[name] = errors(actual, each[f"{kind}_spend"].to_numpy()) | {"mae_purchases": of_purchases["mae"]}
        # Errors of customers may be of a sample, totals are not.
        promised = totals[f"{kind}_spend"]
        rows[name] |= {"total": promised, "bias": promised / totals["spend"] - 1 if totals["spend"] else np.nan}
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(
        columns=["total", "low", "high", "bias", "mae", "rmse", "mae_purchases"]
    )
    table.loc["Model", ["low", "high"]] = totals["expected_spend_low"], totals["expected_spend_high"]
    return table


def holdout(study: Study) -> GT:
    """The forecasts of the test period with their errors, as a table."""
    currency = study.dataset.currency
    return tables.table(
        totals_table(study).rename_axis("forecast").reset_index(),
        title=f"Forecast of {words.day(study.origin(1))} for the {study.horizon_days} days after it",
        columns={
            "forecast": tables.text("Forecast"),
            "total": tables.money("Total spend", currency),
            "low": tables.money("90 % from", currency),
            "high": tables.money("to", currency),
            "bias": tables.percent("Off by"),
            "mae": tables.money("Mean error per customer", currency),
            "rmse": tables.money("Root mean square", currency),
            "mae_purchases": tables.number("Mean error, purchase days"),
        },
    )


def explain_holdout(study: Study) -> str:
    """How to read the table."""
    seen, everyone = len(study.value_holdout()["customers"]), study.value_holdout()["totals"]["customers"]
    return (
        f"All {words.count(everyone)} customers who had bought by the test date, active or not. The mean error counts a miss of 10 as twice a miss of 5; "
        f"the root mean square punishes large misses harder. {words.sampled('Errors per customer', seen, everyone)}"
    ).rstrip()


def coverage(study: Study) -> float:
    """Share of customers whose spend in the test period lay inside the 90 % interval promised for them."""
    each = study.value_holdout()["customers"]
    return float(each["spend"].between(each["expected_spend_low"] - 1e-9, each["expected_spend_high"] + 1e-9).mean())


class Verdict(NamedTuple):
    """The model against the best naive rule, by squared error per customer in the test period."""

    rival: str
    gain: float
    low: float
    high: float

    @property
    def wins(self) -> bool:
        """Whether the model is better beyond the error."""
        return self.low > 0


def verdict(study: Study) -> Verdict:
    """Share of the best naive rule's mean squared error that the model saves, with its 90 % interval (over customers)."""
    each = study.value_holdout()["customers"]
    squared = {name: (each[f"{kind}_spend"] - each["spend"]) ** 2 for name, kind in FORECASTS.items()}
    rival = min((name for name in FORECASTS if name != "Model"), key=lambda name: squared[name].mean())
    saved = squared[rival] - squared["Model"]
    scale = squared[rival].mean() or 1.0
    half = 1.645 * saved.std() / np.sqrt(len(saved)) / scale
    return Verdict(rival, saved.mean() / scale, saved.mean() / scale - half, saved.mean() / scale + half)


def say_verdict(study: Study) -> str:
    """The verdict in a sentence."""
    found = verdict(study)
    rule = f"the closest simple rule (“{found.rival.lower()}”)"
    if found.wins:
        return f"Customer by customer the model beats {rule}."
    if found.high < 0:
        return f"Customer by customer {rule} beats the model: trust the rule."
    return f"Customer by customer the model cannot be told from {rule}."


def measure_verdict(study: Study) -> str:
    """The size of the verdict, for those who want to know."""
    found = verdict(study)
    return (
        f"Its squared error per customer is {words.percent(1 - found.gain)} of the rule's "
        f"(90 % interval {words.between(1 - found.high, 1 - found.low, words.percent)})."
    )


def read_holdout(study: Study) -> str:
    """Whether to believe the forecast."""
    table, currency = totals_table(study), study.dataset.currency
    model, actual = table.loc["Model"], table.loc["What happened", "total"]
    inside = "inside" if model["low"] <= actual <= model["high"] else "outside"
    return (
        f"{words.money(actual, currency)} were spent, {inside} the model's own 90 % interval of "
        f"{words.between(model['low'], model['high'], lambda v: words.money(v, currency))}, which knows no season. "
        f"{say_verdict(study)} {measure_verdict(study)} "
        f"{words.percent(coverage(study))} of the customers spent an amount inside the interval given for them; 90 % was promised."
    )
