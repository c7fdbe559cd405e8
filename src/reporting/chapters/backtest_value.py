"""Chapter 8, in money: which forecast of what customers spend is to be believed."""

import pandas as pd
from great_tables import GT

from ...study import Study
from .. import tables, words
from .backtest import (
    about,
    by_date,
    by_how_much,
    days,
    gains,
    read_dates,
    read_gains,
    read_rivals,
    scope,
    scores,
    standing,
)

MEASURE = "mae"
"""The measure whose differences are drawn."""


def read_differences(study: Study) -> str:
    """The differences in a sentence."""
    table, rule = gains(study, "value", MEASURE), about(study, "value")["rule"]
    return read_gains(table, rule, "the mean error per customer")


def order_by_date(study: Study) -> pd.DataFrame:
    """Normalised Gini at each date, the earliest first; one column a contender."""
    return by_date(study, "value", "gini")


def read_dates_of_order(study: Study) -> str:
    """Whether the winner wins everywhere."""
    return read_dates(study, "value", order_by_date(study))


def league(study: Study) -> GT:
    """The contenders on what customers spend, over all dates, as a table."""
    best, currency = about(study, "value")["winner"], study.dataset.currency
    table = scores(study, "value").reset_index()
    table["contender"] = table["contender"].map(lambda name: f"{name} (chosen)" if name == best else name)
    columns = {
        "contender": tables.text("Forecast, simplest first"),
        "gini": tables.percent("Normalised Gini"),
        "spearman": tables.percent("Rank correlation"),
        "mae": tables.money("Mean error per customer", currency),
        "rmse": tables.money("Root mean square", currency),
        "explained": tables.percent("Deviance explained"),
        "bias": tables.percent("Total off by"),
        "tenths": tables.percent("Tenths off by"),
        "orders_mae": tables.number("Mean error, purchase days"),
        "coverage": tables.percent("Inside the 90 % interval"),
        "width": tables.money("Its mean width", currency),
    }
    told = {name: column for name, column in columns.items() if table[name].notna().any()}
    return tables.table(
        table, title="Who foretells best what is spent, over all dates", columns=told, notes=[explain_league(study)]
    )


def explain_league(study: Study) -> str:
    """How to read the table."""
    return (
        "The Gini and the rank correlation judge the order of the customers, 100 % is perfect; the mean error is that of the median where a forecast tells one. "
        "The deviance judges order and level at once. Tenths are customers in ten groups by what was promised."
    )


def read_league(study: Study) -> str:
    """Who is chosen on value, and why."""
    found, table = about(study, "value"), scores(study, "value")
    best, rule = found["winner"], found["rule"]
    if best == rule:
        return f"“{rule}” stays: no contender is better beyond the error in mean error, Gini or deviance without being worse in another."
    gain = gains(study, "value", MEASURE, scope(study)).loc[best]
    how_much = by_how_much(gain, lambda amount: words.money(amount, study.dataset.currency))
    return (
        f"{best} is chosen as {standing(study, 'value')}, beyond the 90 % error, in mean error, Gini and deviance: on the dates of the choice its mean error is "
        f"{how_much} than that of “{rule.lower()}”. {read_rivals(study, 'value', table['mae'].idxmin(), 'mean error')}"
    )


def tenths(study: Study) -> pd.DataFrame:
    """Spend promised by the winner and realised on the last date, by groups of equal size."""
    table = study.tournament()["tenths"]
    return table[table["contender"] == about(study, "value")["winner"]]


def read_tenths(study: Study) -> str:
    """Whether the promised amounts come."""
    table, currency, name = tenths(study), study.dataset.currency, about(study, "value")["winner"]
    kept = int(table["promised"].between(table["low"], table["high"]).sum())
    top = table.iloc[-1]
    return (
        f"The promise of {name} lies inside the 90 % interval of what was spent in {kept} of {len(table)} groups; the group with the most promised was promised "
        f"{words.money(top['promised'], currency)} a customer and spent {words.money(top['realised'], currency)}. {read_coverage(study)}"
    ).rstrip()


def read_coverage(study: Study) -> str:
    """Whether the intervals hold what they promise, in a sentence; empty if there are none."""
    row = scores(study, "value", days(study)[0]).loc[about(study, "value")["winner"]]
    if pd.isna(row["coverage"]):
        return ""
    return f"{words.percent(row['coverage'])} of the customers spent an amount inside the 90 % interval given for them."
