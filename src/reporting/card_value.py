"""The card of the model that says what customers will spend."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..models.line_up import NAIVE
from ..models.metrics import wilson
from . import words
from .card_parts import OTHERS, data, looked_at, making, metric

if TYPE_CHECKING:
    from ..study import Study

INTENDED_USE = (
    "Ranking active customers by what they will spend: where service, samples and attention are worth their cost.",
    "Planning what the customers who are active now will spend and buy over the horizon.",
    "Weighing what it may cost to keep a customer against the margin that is expected of that customer.",
)
NOT_FOR = (
    "Decisions about a single person that matter to that person, such as credit, prices, service that others get or "
    "access: no one may be worse off for a score.",
    "A promise of what one customer will spend: most spend less than their mean, and the interval is wide.",
    "The retailer's whole revenue: who comes for the first time, or comes back after a long silence, is not in it.",
    "Measuring what a campaign adds: the model says what is spent if all goes on as before.",
    *OTHERS,
)


def describe(study: "Study") -> dict[str, Any]:
    """Every section of `card.SECTIONS`."""
    about = study.in_use()["about"]
    model = str(about["value"])
    return {
        "title": "Model card: what customers will spend",
        "model": model,
        "summary": _summary(study, model),
        "intended_use": list(INTENDED_USE),
        "not_for": list(NOT_FOR),
        "definition": _definition(study, model),
        "data": data(study),
        "metrics": _metrics(study, model),
        "limits": _limits(study, model),
        "features": looked_at(study, model),
        "making": making(str(about["trees"]), study.key),
    }


def _summary(study: "Study", model: str) -> str:
    from .chapters import backtest

    found, row, currency = backtest.about(study, "value"), _tested(study, model), study.dataset.currency
    return (
        f"{model}, chosen among {len(found['playing'])} ways to predict what is spent.{_simpler(found, model)} On the "
        f"test date it missed a customer's spend by {words.money(row['mae'], currency)} on average and the total by "
        f"{words.percent(abs(row['bias']))}."
    )


def _simpler(found: dict[str, Any], model: str) -> str:
    """Who won the tournament where that is another, in a sentence."""
    winner = found["winner"]
    if winner == model:
        return ""
    how = (
        "alone was clearly better"
        if winner in found["beaten"].get(model, [])
        else "alone did about as well, and is simpler"
    )
    return f" On the dates before, {winner} {how}; {model} is used because it alone gives intervals for every forecast."


def _definition(study: "Study", model: str) -> str:
    from .chapters import meaning

    span, share = words.days(study.horizon_days), words.percent(study.dataset.study.margin)
    intervals = "" if model in NAIVE else " Intervals hold what nine of ten such customers do."
    return (
        f"Asked of {meaning.who(study)}. **Expected spend** is the mean of what such a customer spends in the {span} "
        "after the date, returns taken off; its sum over customers is the forecast of the total. **Median spend** is "
        "the better guess for a single one, **expected orders** the mean number of days with a purchase. **Value** "
        f"(clv) is a margin of {share} on the expected spend, discounted to the date.{intervals}"
    )


def _tested(study: "Study", model: str) -> pd.Series:
    """Scores of a model on the test date."""
    from .chapters import backtest

    return backtest.scores(study, "value", backtest.days(study)[0]).loc[model]


def _metrics(study: "Study", model: str) -> list[dict[str, Any]]:
    """How good the forecasts were on the test date, without what the model does not tell."""
    row, currency = _tested(study, model), study.dataset.currency
    customers = int(study.tournament()["about"]["customers"][0])
    held = wilson(round(row["coverage"] * customers), customers) if pd.notna(row["coverage"]) else (np.nan, np.nan)
    told = [
        metric("Order of the customers (Gini)", row["gini"], None, None, "percent",
               "100 % is the order that came, 0 % a lottery"),
        metric("Rank correlation", row["spearman"], None, None, "percent", "of forecast and spend; 100 % is perfect"),
        metric("Mean error per customer", row["mae"], None, None, "money",
               "of the median, where the model tells one; smaller is better", currency),
        *_gains(study, model, currency),
        metric("Root mean square error", row["rmse"], None, None, "money", "of the expected spend", currency),
        metric("Total off by", row["bias"], None, None, "percent",
               f"{words.money(row['expected'], currency)} promised, {words.money(row['spent'], currency)} spent"),
        metric("Inside the 90 % interval", row["coverage"], *held, "percent", "of the customers; 90 % is right"),
        metric("Width of the interval", row["width"], None, None, "money", "mean over customers", currency),
        metric("Mean error, purchase days", row["orders_mae"], None, None, "number", "of the expected orders"),
    ]  # fmt: skip
    return [each for each in told if np.isfinite(each["value"])]


def _gains(study: "Study", model: str, currency: str) -> list[dict[str, Any]]:
    """How much better than the simple rule the model was; nothing where it is that rule."""
    from .chapters import backtest

    rule, day = backtest.about(study, "value")["rule"], backtest.days(study)[0]
    table = backtest.gains(study, "value", "mae", day)
    if model not in table.index:
        return []
    name, reading = "Mean error less than the rule's", f"“{rule.lower()}” is the rule; above zero is better"
    gain, low, high = table.loc[model, ["gain", "low", "high"]]
    return [metric(name, gain, low, high, "money", reading, currency)]


def _limits(study: "Study", model: str) -> list[str]:
    from .chapters import backtest, churn

    off = [backtest.scores(study, "value", day).loc[model, "bias"] for day in backtest.days(study)]
    missed = words.between(min(off), max(off), words.percent) if len(off) > 1 else words.percent(off[0])
    return [
        f"At {backtest.past_dates(study)} the total was off by {missed} (above zero: more was promised than came). A "
        "season, a price change or a new shop next door that the log has not seen makes the next period different.",
        "Much of what a customer spends is chance: the order of customers is surer than any one amount.",
        f"It says nothing of what a campaign would change. {churn.unknown(study)}".rstrip(),
    ]
