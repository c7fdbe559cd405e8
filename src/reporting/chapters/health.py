"""Chapter 1: what the log holds, and whether it can be trusted."""

from datetime import date
from typing import Any

import pandas as pd
from great_tables import GT

from ...study import Study
from .. import marks, privacy, tables, words


def answer(study: Study) -> str:
    """Three sentences: what there is, whether it is whole, how far it reaches."""
    facts, odd = study.facts()["log"], odd_weeks(study)
    lost = facts["quarantined"]
    left_out = "Every line was used" if lost == 0 else f"{words.count(lost)} lines were set aside"
    breaks = _sample(study, "level_break")
    if len(odd):
        gaps = f"{words.count(len(odd))} of {words.count(len(study.weekly()))} weeks lie below half of the weeks around them"
    elif breaks:
        places = list(dict.fromkeys(row["place"] for row in breaks))
        more = f" and {len(places) - 2} more" if len(places) > 2 else ""
        gaps = f"the number of customers changed abruptly in {words.listed(places[:2])}{more}, see below"
    else:
        gaps = "no week is far below its neighbours"
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
        ("Lines set aside", facts["quarantined"]),
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


DONE = {
    "kept": "kept",
    "netted": "set against the same customer's purchases",
    "quarantined": "set aside",
    "counted": "only told, see below",
}


def findings(study: Study) -> pd.DataFrame:
    """What was found, the worst first: label, lines, share, money, done.

    What concerns few customers is hidden, and with a single such reason for setting lines aside the next smallest: all
    lines that were set aside are known together.
    """
    found = pd.DataFrame(study.findings(), columns=["label", "lines", "share", "money", "customers", "done"])
    minimum = study.dataset.privacy.minimum_cell
    customers = found["customers"].fillna(0)
    aside = found["done"] == "quarantined"
    few = (customers.between(1, minimum - 1) & ~aside) | privacy.hidden(customers[aside], minimum).reindex(
        found.index, fill_value=False
    )
    shown = found.assign(done=found["done"].map(DONE), lines=found["lines"].astype(object).mask(few, "hidden"))
    shown[["share", "money"]] = shown[["share", "money"]].astype(float).mask(few)
    return shown.drop(columns="customers")


def oddities(study: Study) -> GT:
    """What was found in the log, with what was done about it."""
    frame, minimum = findings(study), study.dataset.privacy.minimum_cell
    if frame.empty:
        frame.loc[0] = ["Nothing unusual", 0, 0.0, 0.0, "nothing to do"]
    notes = f"hidden: concerns fewer than {minimum} customers, or would tell how many those are"
    return tables.table(
        frame,
        title="What is unusual",
        columns={
            "label": tables.text("Lines"),
            "lines": tables.count("Number"),
            "share": tables.percent("Share of all"),
            "money": tables.money("Worth", study.dataset.currency),
            "done": tables.text("What was done"),
        },
        notes=notes if (frame["lines"] == "hidden").any() else "",
    )


def read_oddities(study: Study) -> str:
    """The table of oddities in a sentence, and where the lines lie that were set aside."""
    facts = study.facts()["log"]
    used = (
        f"{words.percent(facts['used'] / facts['lines'])} of all lines were used; "
        f"{words.percent(facts['zero'] / facts['lines'])} have an amount of zero."
    )
    if not facts["quarantined"]:
        return used
    later = study.quarantined_later()
    beside = f", beside {words.count(later)} of {words.day(study.as_of)} or later" if later else ""
    return (
        f"{used} The {words.count(facts['quarantined'])} that were set aside lie, each with its reason, in "
        f"`data/interim/{study.name}/quarantine.parquet`{beside}; what is set aside is for `[contract]` in the dataset file to say."
    )


def caution(study: Study) -> str:
    """What to take care of before anything else on this page is believed; empty if there is nothing."""
    found = {finding["name"]: finding for finding in study.findings()}
    told = []
    if "thin_history" in found:
        known = (study.as_of - study.first_day).days
        told.append(
            f"Only {words.days(known)} are known, less than three periods of {words.days(study.horizon_days)}: "
            "models are tested on one past date, and the intervals of all forecast totals are wider for it."
        )
    if "late" in found:
        told.append(
            "The log ends earlier than it usually does. Every silent day is read as a day on which nobody bought, so customers "
            "look further away than they may be."
        )
    if "night_hours" in found:
        told.append("Most purchases are dated between midnight and five: the clock may be that of another time zone.")
    if "skipped_hour" in found:
        told.append(f"Some lines have times that do not exist in {study.dataset.timezone}: the time zone may be wrong.")
    return " ".join(told)


def continuity(study: Study) -> str:
    """Days without a line, and weeks, stores or channels far below what was usual."""
    told = []
    if holes := _sample(study, "gap_days"):
        longest = [
            words.day(gap["first"]) if gap["days"] == 1 else f"{words.day(gap['first'])} to {words.day(gap['last'])}"
            for gap in holes[:3]
        ]
        told.append(f"No line came, where there usually are some, on {words.listed(longest)}.")
    breaks = _sample(study, "level_break")
    told += [_told_break(row, study.dataset.privacy.minimum_cell) for row in breaks[:3]]
    if len(breaks) > 3:
        told.append("There are more; `loyalty check` lists them.")
    return (
        " ".join(told) or "No day is missing beyond the usual rhythm, and no week, store or channel fell far below it."
    )


def _sample(study: Study, name: str) -> list[dict[str, Any]]:
    """What a finding about days or weeks lists; empty if it was not found."""
    return next((finding["sample"] for finding in study.findings() if finding["name"] == name), [])


def _told_break(row: dict[str, Any], minimum: int) -> str:
    lasts = "and stayed there" if row["stays"] else f"for {row['weeks']} week{'s' if row['weeks'] > 1 else ''}"
    place = f"{row['place'][0].upper()}{row['place'][1:]}"
    usual, level = (_customers(row[name], minimum) for name in ("usual", "level"))
    return f"{place} went from {usual} to {level} customers a week from {words.day(row['start'])}, {lasts}."


def _customers(number: float, minimum: int) -> str:
    """How many customers, if they are enough to be told of."""
    if number == 0:
        return "no"
    return f"fewer than {minimum}" if number < minimum else words.whole(number)


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
    return (
        f"In a usual week {words.count(middle)} customers buy (nine of ten weeks: {words.count(low)} to {words.count(high)}); {told}."
        + marks.read(study.events(), weekly["week"].min(), weekly["week"].max())
    )


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
        "Purchases without a customer's name are not counted, and a store with fewer than about twenty customers a week can fall silent unseen."
        + (f" {closed}" if closed else "")
    )


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    facts = study.facts()["log"]
    whole = (
        "We found no fault in the data"
        if facts["used"] == facts["lines"]
        and odd_weeks(study).empty
        and not any(finding["severity"] == "warning" for finding in study.findings())
        else "The data is usable with care"
    )
    return f"{whole}: {words.count(facts['customers'])} customers and {words.money(facts['spend'], study.dataset.currency)}, up to {words.day(facts['last_day'])}."
