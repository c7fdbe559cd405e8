"""Chapter 3: what the customers are worth over the horizon, and whether the forecast can be believed."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from great_tables import GT
from scipy.stats import t

from ...models.metrics import errors
from ...study import Study
from .. import tables, words
from ..privacy import hidden

FORECASTS = {"Model": "expected", "Rate so far": "rate", "Same as last period": "last"}
FREQUENCIES = (0, 1, 2, 3, 5, 10, 20, np.inf)


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


def parameters(study: Study) -> GT:
    """Fitted parameters with their errors."""
    value = study.value()
    both = {"BG/NBD (purchases)": value["parameters"], "Gamma-Gamma (spend)": value["spend_parameters"]}
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
    text = f"In words: {value['sentence']}"
    if value["notes"]:
        text += " But this log does not tell how many leave for good: read the page Churn for that."
    text += f" Heavier spenders are {'' if abs(value['correlation']) > 0.1 else 'hardly '}"
    more = "more" if value["correlation"] >= 0 else "less"
    return (
        text
        + f"{more} frequent buyers (correlation of spend per purchase and frequency {words.number(value['correlation'])}; the model assumes none)."
    )


def by_frequency(study: Study) -> pd.DataFrame:
    """Mean purchases in the test period by purchases before it; index group; actual, low, high, model, naive, customers."""
    each = study.value_holdout()["customers"]
    names = [_class_name(low, high) for low, high in pairwise(FREQUENCIES)]
    group = pd.cut(each["frequency"], FREQUENCIES, right=False, labels=names)
    table = each.groupby(group, observed=True).agg(
        actual=("purchases", "mean"),
        sd=("purchases", "std"),
        customers=("purchases", "size"),
        model=("expected_purchases", "mean"),
        naive=("rate_purchases", "mean"),
    )
    table = table[~hidden(table["customers"], study.dataset.privacy.minimum_cell)]
    half = 1.645 * table["sd"] / np.sqrt(table["customers"])
    return table.assign(low=(table["actual"] - half).clip(lower=0), high=table["actual"] + half)


def _class_name(low: float, high: float) -> str:
    """Name of a class of whole numbers, such as 3–4."""
    if np.isinf(high):
        return f"{low:.0f}+"
    return f"{low:.0f}" if high == low + 1 else f"{low:.0f}–{high - 1:.0f}"


def read_by_frequency(study: Study) -> str:
    """The figure in a sentence."""
    table = by_frequency(study)
    if table.empty:
        return f"No group has {study.dataset.privacy.minimum_cell} customers or more."
    miss = (table["model"] - table["actual"]).abs() * table["customers"]
    naive = (table["naive"] - table["actual"]).abs() * table["customers"]
    closer = "closer than" if miss.sum() < naive.sum() else "no closer than"
    worst = (table["model"] - table["actual"]).abs().idxmax()
    return (
        f"Over the groups the model misses by {words.number(miss.sum() / table['customers'].sum())} purchase days a customer, {closer} the rate so far "
        f"({words.number(naive.sum() / table['customers'].sum())}). It is furthest off for customers with {worst} repeats: it expected "
        f"{words.number(table.loc[worst, 'model'])} and {words.number(table.loc[worst, 'actual'])} happened."
    )


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


def alive(study: Study) -> pd.DataFrame:
    """Mean probability of still being a customer by silence and past purchases, groups below the smallest cell left out."""
    each = study.value()["customers"]
    each = each.assign(days_since_last=each["T"] - each["recency"])
    width = max(7, round(each["days_since_last"].quantile(0.95) / 10 / 7) * 7)
    names = {(1, 2): "1–2", (3, 9): "3–9", (10, np.inf): "10 or more"}
    parts = []
    for (low, high), name in names.items():
        group = each[each["frequency"].between(low, high)]
        middle = (group["days_since_last"] // width) * width + width / 2
        table = group.groupby(middle)["probability_alive"].agg(["mean", "size"])
        table = table[table["size"] >= study.dataset.privacy.minimum_cell].rename_axis("days_since_last").reset_index()
        parts.append(table.rename(columns={"mean": "probability_alive", "size": "customers"}).assign(frequency=name))
    return pd.concat(parts, ignore_index=True)


def read_alive(study: Study) -> str:
    """The figure in a sentence."""
    totals = study.value()["totals"]
    return (
        f"About {words.number(totals['repeat_buyers_alive'])} of the {words.count(totals['repeat_buyers'])} customers with a repeat purchase are customers still, by this model. "
        "Those with a single purchase are not drawn: this model sees no sign of leaving before a second one."
    )


def by_tenth(study: Study) -> pd.DataFrame:
    """CLV by tenth of the customers, the most valuable first.

    Returns
    -------
    tenth, customers, clv, low, high (means, money), total (money), share (of 1); empty if a tenth would be too small
    to be shown.
    """
    each = study.value()["customers"].sort_values("clv", ascending=False, kind="stable")
    tenth = np.arange(len(each)) * 10 // max(len(each), 1) + 1
    table = each.groupby(tenth).agg(
        customers=("clv", "size"),
        clv=("clv", "mean"),
        low=("clv_low", "mean"),
        high=("clv_high", "mean"),
        total=("clv", "sum"),
    )
    table = table.rename_axis("tenth").reset_index().assign(share=lambda t: t["total"] / t["total"].sum())
    return table.head(0) if table["customers"].min() < study.dataset.privacy.minimum_cell else table


def share_of_the_top(study: Study) -> str:
    """What the most valuable tenth carries, in a sentence; empty if there are too few customers for tenths."""
    tenths = by_tenth(study)
    return (
        ""
        if tenths.empty
        else f"The most valuable tenth of them carries {words.percent(tenths['share'].iloc[0])} of the margin this leaves. "
    )


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


def limits(study: Study) -> str:
    """Where this chapter fails."""
    notes = study.value()["notes"]
    sample = words.sampled(
        "Intervals, tenths and other figures of single customers",
        len(study.value()["customers"]),
        study.value()["totals"]["customers"],
    )
    return (
        "The model knows only how often, how lately and how long a customer has bought: no season, no campaign, no customer who is yet to come, and no further ahead than the horizon. "
        "It has no way to see a single-purchase customer leave, and its margin is an assumption of the dataset file."
        + (f" {sample}" if sample else "")
        + (f" For the analyst, the fit warns: {' '.join(notes)}." if notes else "")
    )


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    spend, currency, tenths = total(study, "expected_spend"), study.dataset.currency, by_tenth(study)
    text = (
        f"We expect our customers to spend about {words.money(spend.mean, currency)} in the next {words.days(study.horizon_days)} "
        f"({spend.interval(lambda v: words.money(v, currency))})"
    )
    return (
        f"{text}."
        if tenths.empty
        else f"{text}; a tenth of them brings {words.percent(tenths['share'].iloc[0])} of the margin."
    )
