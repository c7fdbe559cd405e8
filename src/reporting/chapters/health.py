"""Chapter 1: what the log holds, and whether it can be trusted."""

from datetime import date

import pandas as pd
from great_tables import GT

from ...study import Study
from .. import tables, words


def answer(study: Study) -> str:
    """Three sentences: what there is, whether it is whole, whether it is fresh."""
    facts = study.data.facts
    lost = facts["lines"] - facts["used"]
    left_out = "every line could be used" if lost == 0 else f"{words.count(lost)} lines could not be used"
    odd = odd_weeks(study)
    whole = (
        "no week stands out as broken"
        if odd.empty
        else f"{words.count(len(odd))} of {words.count(len(study.weekly()))} weeks lie far below the usual level"
    )
    return (
        f"The log holds {words.count(facts['lines'])} lines of {words.count(facts['customers'])} customers from "
        f"{words.day(facts['first_day'])} to {words.day(facts['last_day'])}, worth {words.money(facts['spend'], study.dataset.currency)}. "
        f"Of these, {left_out}, and {whole}. "
        f"{freshness(study)}"
    )


def freshness(study: Study) -> str:
    """How old the newest line is at the as-of date."""
    silent = (study.as_of - date.fromisoformat(study.data.facts["last_day"])).days
    if silent <= 0:
        return f"The report looks back from {words.day(study.as_of)}; what the log knows of later days is left aside."
    if silent == 1:
        return f"The last line is of the day before the report's date, {words.day(study.as_of)}: the log is fresh."
    return f"The last line is {words.days(silent)} older than the report's date, {words.day(study.as_of)}."


def contents(study: Study) -> GT:
    """What the log holds, as a table."""
    facts = study.data.facts
    rows = [
        ("Lines in the log", facts["lines"]),
        ("Lines used", facts["used"]),
        ("Customers", facts["customers"]),
        ("Customers with more than one purchase day", facts["repeat_customers"]),
        ("Orders", facts["orders"]),
        ("Purchase days (one customer, one date)", facts["purchase_days"]),
    ]
    return tables.table(
        pd.DataFrame(rows, columns=["what", "number"]),
        title="What the log holds",
        columns={"what": tables.text("What"), "number": tables.count("Number")},
    )


def read_contents(study: Study) -> str:
    """The table of contents in a sentence."""
    facts = study.data.facts
    each = facts["purchase_days"] / facts["customers"]
    return (
        f"A customer has {words.number(each)} purchase days on average, and "
        f"{words.percent(facts['repeat_customers'] / facts['customers'])} of them have more than one."
    )


def oddities(study: Study) -> GT:
    """Lines that are unusual, with what was done about them."""
    facts = study.data.facts
    rows = [
        ("Without a customer", facts["no_customer"], "left out"),
        ("Without a date", facts["no_time"], "left out"),
        ("Without an amount", facts["no_amount"], "left out"),
        ("Worth nothing", facts["zero"], "kept: the customer was there"),
        ("Below zero (returns)", facts["negative"], "netted against the purchases of the same day"),
    ]
    frame = pd.DataFrame(rows, columns=["what", "lines", "done"])
    frame["share"] = frame["lines"] / facts["lines"]
    return tables.table(
        frame[["what", "lines", "share", "done"]],
        title="Unusual lines",
        columns={
            "what": tables.text("Lines"),
            "lines": tables.count("Number"),
            "share": tables.percent("Share of all"),
            "done": tables.text("What was done"),
        },
    )


def read_oddities(study: Study) -> str:
    """The table of oddities in a sentence."""
    facts = study.data.facts
    kept = facts["used"] / facts["lines"]
    return f"Of all lines {words.percent(kept)} were used; {words.percent(facts['zero'] / facts['lines'])} are worth nothing."


def odd_weeks(study: Study) -> pd.DataFrame:
    """Weeks with less than half of the usual number of customers (median of the weeks around them)."""
    weekly = study.weekly()
    usual = weekly["customers"].rolling(9, center=True, min_periods=3).median()
    return weekly[weekly["customers"] < usual / 2]


def read_weeks(study: Study) -> str:
    """The weekly chart in a sentence."""
    weekly, odd = study.weekly(), odd_weeks(study)
    if weekly.empty:
        return "The log has no whole week yet."
    low, middle, high = weekly["customers"].quantile([0.05, 0.5, 0.95])
    told = "none falls under half of the weeks around it"
    if len(odd):
        told = f"under half of the weeks around them: {words.listed(f'week of {words.day(week)}' for week in odd['week'].head(3))}"
    return f"In a usual week {words.count(middle)} customers buy (nine of ten weeks: {words.count(low)} to {words.count(high)}); {told}."


def read_spend(study: Study) -> str:
    """The weekly spend in a sentence."""
    weekly, currency = study.weekly(), study.dataset.currency
    if weekly.empty:
        return "The log has no whole week yet."
    highest = weekly.loc[weekly["spend"].idxmax()]
    return (
        f"A usual week brings {words.money(weekly['spend'].median(), currency)}; the highest, the week of {words.day(highest['week'])}, "
        f"brought {words.money(highest['spend'], currency)}."
    )


def naive_check(study: Study) -> str:
    """How well the period before foretells the last one: the size of a normal surprise."""
    periods = study.periods()
    if len(periods) < 3:
        return "The log is too short to say how much one period differs from the next."
    changes = periods["purchase_days"].pct_change().dropna()
    usual, last = changes.iloc[:-1].abs().median(), changes.iloc[-1]
    verdict = (
        "within the usual"
        if abs(last) <= 2 * changes.iloc[:-1].abs().max()
        else "far outside the usual: look for a change in the data"
    )
    return (
        f"Taking the {words.days(study.horizon_days)} before as the forecast for the last {words.days(study.horizon_days)} misses the number of "
        f"purchase days by {words.percent(abs(last))}; over the earlier periods the same rule missed by {words.percent(usual)} (median). That is {verdict}."
    )


def limits(study: Study) -> str:
    """Where this chapter fails."""
    first = study.weekly()["week"].min()
    return (
        f"Who bought before {words.day(study.data.facts['first_day'])} is unknown: a customer whose first line is early in the log "
        f"(its first whole week begins on {words.day(first)}) may have been one for years. Purchases without a customer's name are not in the log at all."
    )


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    facts = study.data.facts
    return (
        f"The data is {'whole' if facts['used'] == facts['lines'] and odd_weeks(study).empty else 'usable with care'}: "
        f"{words.count(facts['customers'])} customers, {words.money(facts['spend'], study.dataset.currency)}, up to {words.day(facts['last_day'])}."
    )
