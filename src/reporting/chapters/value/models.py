"""Which model of purchases fits this base, and what it says of customers whom nobody can look into."""

import numpy as np
import pandas as pd
from great_tables import GT

from ....models.contenders import CONTENDERS, REFERENCE
from ....study import Study
from ... import tables, words


def parameters(study: Study) -> GT:
    """Fitted parameters with their errors."""
    value = study.value()
    both = {f"{in_use(study)} (purchases)": value["parameters"], "Gamma-Gamma (spend)": value["spend_parameters"]}
    # Each estimate has a scale of its own: three digits of each, not as many places as the largest needs.
    frame = pd.concat(both, names=["model", "parameter"]).map(words.number).reset_index()
    return tables.table(
        frame[["model", "parameter", "estimate", "standard_error", "low_90", "high_90"]],
        title="For the analyst: fitted parameters, time in days",
        columns={
            "model": tables.text("Model"),
            "parameter": tables.text("Parameter"),
            "estimate": tables.number("Estimate"),
            "standard_error": tables.number("Standard error"),
            "low_90": tables.number("90 % from"),
            "high_90": tables.number("to"),
        },
    )


def read_parameters(study: Study) -> str:
    """What the parameters mean."""
    value = study.value()
    text = f"In words: {words.told(value['sentence'])}"
    if value["notes"]:
        text += " But this log does not tell how many leave for good: read the page Churn for that."
    text += f" Heavier spenders are {'' if abs(value['correlation']) > 0.1 else 'hardly '}"
    more = "more" if value["correlation"] >= 0 else "less"
    return (
        text
        + f"{more} frequent buyers (correlation of spend per purchase and frequency {words.number(value['correlation'])}; the model assumes none)."
    )


def in_use(study: Study) -> str:
    """Name of the model of purchases that forecasts rest on, not a sentence."""
    used: str = study.purchase_models()["about"]["used"]
    return used


def different(study: Study) -> list[str]:
    """Models that say something of their own: one of regular buyers that finds none is the same as another."""
    scores = study.purchase_models()["table"]["log_score"].dropna()
    used = in_use(study)
    first = [used, *scores.index.drop(used)]
    return list(scores[first].round(6).drop_duplicates().index)


def new_customer(study: Study) -> pd.DataFrame:
    """Purchases expected of a new customer by each of the `different` models, low and high; index days."""
    curve: pd.DataFrame = study.purchase_models()["new_customer"][[*different(study), "low", "high"]]
    return curve


def comparison(study: Study) -> GT:
    """All models at the oldest past date, and two simple rules beside them."""
    found = study.purchase_models()
    table = found["table"].assign(worse_aic=lambda t: t["aic"] - t["aic"].min())
    return tables.table(
        table.reset_index(),
        title=f"Fitted on {words.day(found['about']['calibrated'])}, held against the {found['about']['period_days']} days after it",
        columns={
            "model": tables.text("Model"),
            "parameters": tables.count("Parameters"),
            "worse_aic": tables.number("AIC above the best", decimals=0),
            "log_score": tables.number("Log score", decimals=3),
            "bias": tables.percent("Total off by"),
            "mae": tables.number("Mean error, purchase days"),
            "rmse": tables.number("Root mean square"),
            "auc": tables.number("AUC, who buys", decimals=3),
        },
        notes=(
            "AIC: fit to the past, less is better, a difference of ten is decisive. Log score: logarithm of the probability given to each "
            "customer's count after the date, on average; closer to zero is better. AUC: chance that of two customers the one who bought "
            "was expected to buy more."
        ),
    )


def read_comparison(study: Study) -> str:
    """Which model describes this base, which one forecasts, and why."""
    found = study.purchase_models()
    table, about = found["table"], found["about"]
    chosen, used = about["chosen"], about["used"]
    fitted = table[table["aic"].notna()]
    text = f"**{chosen}** describes this base best: customers buy {CONTENDERS[chosen].says}. {_why(fitted, chosen)}"
    text += f" {_dissent(fitted, chosen)}{_forecasts(table, chosen, used)}"
    closest = str(fitted["bias"].abs().idxmin())
    if abs(fitted.loc[used, "bias"]) - abs(fitted.loc[closest, "bias"]) > 0.005 and closest != chosen:
        text += f" Closest in total was {closest}, off by {words.percent(abs(fitted.loc[closest, 'bias']))}."
    if about["notes"]:
        text += f" The data does not determine all parameters of {words.listed(about['notes'])}."
    return text


def _why(fitted: pd.DataFrame, chosen: str) -> str:
    """What spoke for the choice."""
    best = fitted["log_score"].idxmax()
    lowest = fitted["aic"].idxmin()
    first = (
        "No other gave a higher probability to what came after the date"
        if best == chosen
        else f"What came after the date was as likely to it as to {best}, but for a difference too small to matter"
    )
    if lowest == chosen:
        return f"{first}, and it fits the past best."
    return (
        f"{first}. Of the models that did as well its AIC is the lowest, or within two of it with no more parameters."
    )


def _dissent(fitted: pd.DataFrame, chosen: str) -> str:
    """Where the information criterion would have chosen otherwise, in a sentence; empty where it agrees."""
    lowest = fitted["aic"].idxmin()
    ahead = fitted.loc[chosen, "aic"] - fitted.loc[lowest, "aic"]
    behind = fitted.loc[chosen, "log_score"] - fitted.loc[lowest, "log_score"]
    if ahead <= 10 or behind < 0.01:
        return ""
    return (
        f"By the past alone it would have been {lowest}, whose AIC is lower by {words.number(ahead)}; but after the date it was too sure of "
        f"itself (its log score is lower by {words.number(behind)}). A good fit to the past is no forecast. "
    )


def _forecasts(table: pd.DataFrame, chosen: str, used: str) -> str:
    """Which model the forecasts of this page rest on."""
    if used == chosen:
        told = "The forecasts of this page rest on it."
        return (
            told
            if used == REFERENCE
            else f"{told[:-1]}: it clearly beats {REFERENCE}, and its total is no further off."
        )
    bias, usual = table.loc[chosen, "bias"], table.loc[used, "bias"]
    further = abs(bias) > abs(usual)
    reason = (
        f"the total of {chosen} was further off ({words.percent(abs(bias))} against {words.percent(abs(usual))})"
        if further
        else "the difference is too small to matter"
    )
    return f"The forecasts of this page rest on {used} all the same, because {reason}."


def read_rates(study: Study) -> str:
    """How customers differ in how often they buy, in a sentence."""
    table = study.value()["rates"]
    rare = table.iloc[0]
    often = table[table["share"].iloc[::-1].cumsum().iloc[::-1] >= 0.1].iloc[-1]
    return (
        f"While they are active, {words.percent(rare['share'])} of the customers buy less than {_times(rare['right'])} a year "
        f"(90 % interval {words.between(rare['low'], rare['high'], words.percent)}), and one in ten {_times(often['left'])} or more. "
        "One average would describe few of them."
    )


def leaving(study: Study) -> pd.DataFrame:
    """How customers differ in how readily they leave, see `models.portrait.leaving`; empty where nobody does."""
    value = study.value()
    return value["leaving"] if "leaving" in value else pd.DataFrame()


def leaving_label(study: Study) -> str:
    """What the probability of leaving is of, a label and not a sentence."""
    every = "that a purchase is the last" if study.value()["pictured"]["by_purchase"] else "to leave within a year"
    return f"probability {every}, %"


def read_leaving(study: Study) -> str:
    """How customers differ in how readily they leave, in a sentence."""
    value = study.value()
    if "leaving" not in value:
        return f"{in_use(study)} knows nobody who leaves."
    table = value["leaving"]
    low, high = (float(table.loc[side, "share"].sum()) for side in (table["right"] <= 0.1, table["left"] >= 0.5))
    every = "after any one purchase" if value["pictured"]["by_purchase"] else "within a year"
    doubt = (
        "The log hardly tells, as the fit warns."
        if value["notes"]
        else "Nobody sees it; the model infers how it is spread."
    )
    return f"{words.percent(low)} of the customers leave with a probability of at most 10 % {every}, and {words.percent(high)} with one of 50 % or more. {doubt}"


def _times(number: float) -> str:
    """How often in words.

    Examples
    --------
    >>> _times(1.0), _times(2.5)
    ('once', '2.5 times')
    """
    return "once" if number == 1 else f"{words.number(number)} times"


def read_new_customer(study: Study) -> str:
    """What a new customer is expected to buy, in a sentence."""
    curve, used = new_customer(study), in_use(study)
    year = min(365.0, float(curve.index[-1]))
    expected, low, high = (float(np.interp(year, curve.index, curve[name])) for name in (used, "low", "high"))
    others = [name for name in curve if name not in ("low", "high")]
    last = curve.iloc[-1][others]
    return (
        f"In the first {words.days(year)} a new customer is expected to come back {words.number(expected)} times "
        f"(90 % interval {words.between(low, high, words.number)}). The models part where they have seen nobody yet: after "
        f"{words.days(float(curve.index[-1]))} they expect {words.number(last.min())} to {words.number(last.max())}."
    )
