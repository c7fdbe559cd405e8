"""Chapter 6, points: what was issued, used and lost, what is left and how old it is, and who should be reminded."""

from typing import Any

import pandas as pd
from great_tables import GT

from ...study import Study
from .. import marks, tables, words
from ..privacy import suppress
from .points_numbers import KINDS, about, begun, cost_of, interval, is_known, left, note, shown, spans, worth
from .points_rules import nothing

DRAWN = ("issued", "redeemed", "expired")
FEW = "few"
NO_END = "No point that is left has a day on which it expires (`programme.points.expiry_months`)."

# The answer


def opening(study: Study) -> str:
    """The answer of the page on points, in a sentence."""
    if not is_known(study):
        return nothing(study)
    facts = about(study)
    used = facts["use"]
    share, of = (used["matured"], "points whose time is over") if used["matured"] else (used["share"], "all issued")
    against = f", under the alarm line of {words.percent(used['least'])}" if used["alarm"] else ""
    first = f"Of {of}, {interval(share)} were redeemed{against}"
    return begun(study, f"{first}; {left(study)}.")


# What became of them


def account(study: Study) -> GT:
    """What became of all points, as a table."""
    frame = suppress(_account(study), "customers", study.dataset.privacy.minimum_cell)
    shown: dict[str, tables.Column | str] = {
        "what": tables.text("Points"),
        "points": tables.count("Number"),
        "share": tables.percent("Share of all issued"),
        "customers": tables.count("Customers"),
    }
    return tables.table(frame, title="What became of the points", columns=shown, notes=note(study).capitalize())


def _account(study: Study) -> pd.DataFrame:
    step = study.points()
    facts = step["about"]
    told, by_kind = facts["totals"], step["kinds"].set_index("kind")["customers"]
    customers = dict.fromkeys(DRAWN, 0) | by_kind.to_dict()
    customers |= {"outstanding": facts["holders"], "pending": facts["pending_customers"]}
    rows = [(label, told[kind], customers.get(kind)) for kind, label in KINDS.items() if told[kind] or kind in DRAWN]
    frame = pd.DataFrame(rows, columns=["what", "points", "customers"])
    return frame.assign(share=frame["points"] / told["issued"])


def read_account(study: Study) -> str:
    """How much is used, against the line, and what the last year gave back."""
    facts = about(study)
    year, cost = facts["year"], cost_of(study)
    told = {kind: _counted(study, year[kind], year[f"{kind}_customers"]) for kind in DRAWN}
    given = worth(study, year["redeemed"]) if told["redeemed"] != FEW else ""
    text = (
        f"In the last {words.days(year['days'])} {told['issued']} points were issued, {told['redeemed']} redeemed"
        f"{given} and {told['expired']} expired."
    )
    if cost and given and year["spend"] > 0:
        share = words.percent(year["redeemed"] * cost / year["spend"])
        text += f" What was redeemed is {share} of what customers spent."
    return begun(study, f"{text} {_line(facts)}{_unmet(study)}")


def _unmet(study: Study) -> str:
    """What the retailer's own ledger hands in and has not."""
    facts, minimum = about(study), study.dataset.privacy.minimum_cell
    lacking = facts["totals"]["unmet"]
    if facts["source"] != "own" or not lacking or facts["unmet_customers"] < minimum:
        return ""
    return (
        f" Beside these, {words.count(lacking)} points{worth(study, lacking)} of {words.count(facts['unmet_customers'])} customers were handed in that were not there, "
        "expired by the rules or never earned as far as the ledger tells: somebody paid for them, and they are in no number here."
    )


def _counted(study: Study, points: float, customers: int) -> str:
    """Points in words; those of few customers are not told."""
    return FEW if 0 < customers < study.dataset.privacy.minimum_cell else words.count(points)


def _line(facts: dict[str, Any]) -> str:
    """The share used against its alarm line."""
    used = facts["use"]
    least, share = words.percent(used["least"]), used["matured"] or used["share"]
    chance = ", which may be chance" if share["low"] < used["least"] < share["high"] else ""
    side = "under" if share["estimate"] < used["least"] else "over"
    if not used["matured"]:
        said = facts["rules"] and (facts["rules"]["expiry_months"] or facts["rules"]["expiry_days"])
        why = "The time of no point is over yet" if said else "Until when points can be used is not known"
        return f"{why}: of all issued, {interval(share)} are redeemed so far, {side} the line of {least}{chance}; the youngest may still be used."
    alarm = " Fewer are used than the programme wants: an alarm." if used["alarm"] and not chance else ""
    return f"Of points whose time is over, {interval(share)} were redeemed, {side} the line of {least}{chance}.{alarm}"


# Over time


def moved(study: Study) -> dict[str, pd.DataFrame]:
    """Points a day by kind: start, end, points, per_day; weeks put together until enough customers are in one of them."""
    weekly, minimum = study.points()["weekly"], study.dataset.privacy.minimum_cell
    end = pd.Timestamp(about(study)["as_of"])
    parts = {KINDS[kind]: spans(weekly[weekly["kind"] == kind], end, minimum) for kind in DRAWN}
    return {name: part for name, part in parts.items() if len(part)}


def read_moved(study: Study) -> str:
    """When most were redeemed."""
    parts = moved(study)
    used = parts.get(KINDS["redeemed"])
    if used is None:
        return begun(study, "Too few customers redeemed points to show it over time.")
    peak = used.loc[used["per_day"].idxmax()]
    last = peak["end"] - pd.Timedelta(days=1)
    first_day, end = min(part["start"].min() for part in parts.values()), used["end"].max()
    return begun(
        study,
        f"Most were redeemed from {words.day(peak['start'])} to {words.day(last)}, {words.count(peak['per_day'])} a day. "
        f"Points count as issued on the day from which they can be spent.{marks.read(study.events(), first_day, end)}",
    )


# What is left


def ages(study: Study) -> pd.DataFrame:
    """Points that are there by age: label, points, share, customers; those of few customers are missing."""
    frame = shown(study, study.points()["ages"])
    told = [
        f"{row.from_days}–{row.to_days} days" if pd.notna(row.to_days) else f"over {row.from_days} days"
        for row in frame.itertuples()
    ]
    return frame.assign(label=told, share=frame["points"] / study.points()["ages"]["points"].sum())


def read_ages(study: Study) -> str:
    """How much of the balance is old."""
    frame = ages(study)
    if frame["points"].notna().sum() == 0:
        return begun(study, "No points are left that may be told of.")
    most = frame.loc[frame["points"].idxmax()]
    text = f"Most of what can be spent, {words.percent(most['share'])}, has been there for {most['label'].replace('–', ' to ')}."
    old = frame[frame["from_days"] >= 180]["share"].sum()
    return begun(study, f"{text} {words.percent(old)} are older than 180 days." if old else text)


def has_calendar(study: Study) -> bool:
    """Whether it is known when points expire."""
    return is_known(study) and bool(study.points()["calendar"]["points"].sum())


def calendar(study: Study) -> pd.DataFrame:
    """Points that expire if nobody spends any, by 30 days: day, points, customers; those of few customers are missing."""
    return shown(study, study.points()["calendar"])


def read_calendar(study: Study) -> str:
    """When most expire."""
    frame = calendar(study)
    if not has_calendar(study):
        return begun(study, NO_END)
    if frame["points"].notna().sum() == 0:
        return begun(study, "Too few customers hold points that expire to show when.")
    most = frame.loc[frame["points"].idxmax()]
    last = most["day"] + pd.Timedelta(days=29)
    marked = marks.read(study.events(), frame["day"].min(), frame["day"].max() + pd.Timedelta(days=29))
    return begun(
        study,
        f"If nobody spends any, most expire from {words.day(most['day'])} to {words.day(last)}: {words.count(most['points'])} points"
        f"{worth(study, most['points'])} of {words.count(most['customers'])} customers.{marked}",
    )


def reminders(study: Study) -> pd.DataFrame:
    """Customers whose points expire soon: within_days, customers, points; rows that tell of few more are left out."""
    minimum, rows, before = study.dataset.privacy.minimum_cell, [], 0
    for row in study.points()["reminders"].itertuples(index=False):
        if row.customers - before >= minimum:
            rows.append(row)
            before = row.customers
    return pd.DataFrame(rows, columns=["within_days", "customers", "points"])


def read_reminders(study: Study) -> str:
    """Who should be reminded, counted."""
    frame = reminders(study)
    if frame.empty:
        return begun(study, "Too few customers hold points that soon expire." if has_calendar(study) else NO_END)
    told = words.listed(
        f"{words.count(row.points)} points{worth(study, row.points)} of {words.count(row.customers)} customers within {words.days(row.within_days)}"
        for row in frame.itertuples()
    )
    return begun(
        study,
        f"Points that expire next: {told}. Remind those of the first {words.days(frame['within_days'].iloc[0])} now; what a reminder changes, only a group that gets none can tell.",
    )
