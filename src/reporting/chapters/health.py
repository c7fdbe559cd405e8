"""Chapter 1: what the log holds, and whether it can be trusted."""

from datetime import date

import pandas as pd
from great_tables import GT

from ...study import Study
from .. import tables, words


def answer(study: Study) -> str:
    """Three sentences: what there is, whether it is whole, how far it reaches."""
    facts, odd = study.facts()["log"], odd_weeks(study)
    lost = facts["lines"] - facts["used"]
    left_out = "Every line could be used" if lost == 0 else f"{words.count(lost)} lines could not be used"
    gaps = (
        "no gap was found"
        if odd.empty
        else f"{words.count(len(odd))} of {words.count(len(study.weekly()))} weeks lie below half of the weeks around them"
    )
    return (
        f"The log holds {words.count(facts['lines'])} lines of {words.count(facts['customers'])} customers from "
        f"{words.day(facts['first_day'])} to {words.day(facts['last_day'])}, worth {words.money(facts['spend'], study.dataset.currency)}. "
        f"{left_out}, and {gaps}. {freshness(study)}"
    )


def freshness(study: Study) -> str:
    """How far the log reaches at the as-of date."""
    silent = (study.as_of - date.fromisoformat(study.facts()["log"]["last_day"])).days
    if silent == 1:
        return "It reaches up to the day before the report's date."
    return f"Its last line is {words.days(silent)} older than the report's date, {words.day(study.as_of)}."


def closed_group(study: Study) -> str:
    """A sentence if nobody has come for long, so that the log can only shrink; else an empty one."""
    newest = date.fromisoformat(study.facts()["log"]["newest_customer"])
    if (study.as_of - newest).days <= max(90, study.horizon_days):
        return ""
    return f"No customer has come since {words.day(newest)}: this log follows a closed group, whose numbers can only shrink."


def contents(study: Study) -> GT:
    """What the log holds, as a table."""
    facts = study.facts()["log"]
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
    facts = study.facts()["log"]
    each = facts["purchase_days"] / facts["customers"]
    return (
        f"A customer has {words.number(each)} purchase days on average, and "
        f"{words.percent(facts['repeat_customers'] / facts['customers'])} of them have more than one."
    )


def oddities(study: Study) -> GT:
    """Lines that are unusual, with what was done about them; kinds that do not occur are left out."""
    facts = study.facts()["log"]
    rows = [
        ("Without a customer", facts["no_customer"], "left out"),
        ("Without a date", facts["no_time"], "left out"),
        ("Without an amount", facts["no_amount"], "left out"),
        ("With an amount of zero", facts["zero"], "kept: the customer was there"),
        (
            "Below zero (returns)",
            facts["negative"],
            "netted within the customer's day; a day below zero is no purchase",
        ),
    ]
    found = [row for row in rows if row[1]] or [("None", 0, "nothing to do")]
    frame = pd.DataFrame(found, columns=["what", "lines", "done"])
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
    facts = study.facts()["log"]
    return f"{words.percent(facts['used'] / facts['lines'])} of all lines were used; {words.percent(facts['zero'] / facts['lines'])} have an amount of zero."


def publishable_weeks(study: Study) -> pd.DataFrame:
    """The weeks, without those of a few customers; weeks of none stay, they show a gap."""
    weekly = study.weekly()
    few = weekly["customers"].between(1, study.dataset.privacy.minimum_cell - 1)
    return weekly[~few]


def odd_weeks(study: Study) -> pd.DataFrame:
    """Weeks with less than half of the usual number of customers (median of the weeks around them)."""
    weekly = study.weekly()
    usual = weekly["customers"].rolling(9, center=True, min_periods=3).median()
    return weekly[weekly["customers"] < usual / 2]


def read_weeks(study: Study) -> str:
    """The weekly chart in a sentence."""
    weekly, odd = publishable_weeks(study), odd_weeks(study)
    if weekly.empty:
        return f"The log has no whole week with {study.dataset.privacy.minimum_cell} customers or more."
    low, middle, high = weekly["customers"].quantile([0.05, 0.5, 0.95])
    told = "no week lies below half of the weeks around it"
    if len(odd):
        told = f"below half of the weeks around them: {words.listed(f'the week of {words.day(week)}' for week in odd['week'].head(3))}"
    return f"In a usual week {words.count(middle)} customers buy (nine of ten weeks: {words.count(low)} to {words.count(high)}); {told}."


def read_spend(study: Study) -> str:
    """The weekly spend in a sentence."""
    weekly, currency = publishable_weeks(study), study.dataset.currency
    if weekly.empty:
        return f"The log has no whole week with {study.dataset.privacy.minimum_cell} customers or more."
    highest = weekly.loc[weekly["spend"].idxmax()]
    return (
        f"A usual week brings {words.money(weekly['spend'].median(), currency)}; the highest, the week of {words.day(highest['week'])}, "
        f"brought {words.money(highest['spend'], currency)}."
    )


def naive_check(study: Study) -> str:
    """How well the period before foretells the last one: the size of a normal surprise."""
    changes = study.periods()["purchase_days"].pct_change().dropna().abs()
    if len(changes) < 2:
        return "The log is too short to say how much one period differs from the next."
    earlier, last = changes.iloc[:-1], changes.iloc[-1]
    span = (
        words.between(earlier.min(), earlier.max(), words.percent)
        if len(earlier) > 1
        else words.percent(earlier.iloc[0])
    )
    verdict = "more than in any period before" if last > earlier.max() else "no more than before"
    return (
        f"Taking each period of {words.days(study.horizon_days)} as the forecast for the next missed the number of purchase days by "
        f"{words.percent(last)} last time, {verdict}: {span} over {words.count(len(earlier))} earlier period{'s' if len(earlier) > 1 else ''}."
    )


def limits(study: Study) -> str:
    """Where this chapter fails."""
    closed = closed_group(study)
    return (
        f"Who bought before {words.day(study.facts()['log']['first_day'])} is unknown: a customer who appears early in the log may be older than it. "
        "Purchases without a customer's name are not in it at all, and a gap that is shorter than a week, or that only some stores have, is not seen here."
        + (f" {closed}" if closed else "")
    )


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    facts = study.facts()["log"]
    whole = (
        "We found no gap in the data"
        if facts["used"] == facts["lines"] and odd_weeks(study).empty
        else "The data is usable with care"
    )
    return f"{whole}: {words.count(facts['customers'])} customers and {words.money(facts['spend'], study.dataset.currency)}, up to {words.day(facts['last_day'])}."
