"""Chapter 6: the budget. What was planned, what was spent, and what it brought."""

from datetime import timedelta
from typing import Any

import pandas as pd
from great_tables import GT

from ...aims import KINDS
from ...programme.effect import Interval
from ...study import Study
from .. import tables, words
from .effect_numbers import cash, cash_between

WANTED = "It takes the sections `[budget.preparation]`, `[budget.launch]` and `[budget.evaluation]` in the dataset file, each with `starts`, `ends`, `plan` and, so far as known, `actual`."
SOURCES = {"file": "dataset file", "log": "counted in the log", "": words.NOTHING}
WAYS = {
    "rewards": "points handed in at `programme.points.cost_per_point`",
    "contacts": "contacts at `campaigns.contact_cost`",
}
UNTOLD = " What some coupons took off is not known, and would come off too."
SLACK = 0.02
"""Share of what is due within which spending is on plan."""


def has_budget(study: Study | None) -> bool:
    """Whether a budget is set."""
    return study is not None and bool(_about(study)["known"])


def _about(study: Study) -> dict[str, Any]:
    about: dict[str, Any] = study.budget()["about"]
    return about


def _total(study: Study) -> pd.Series:
    row: pd.Series = study.budget()["total"].iloc[0]
    return row


# The answer


def opening(study: Study) -> str:
    """What was spent of what was planned, and what came of it."""
    if not has_budget(study):
        return f"What the programme costs against its plan cannot be told: no budget is set. {WANTED}"
    return f"{_spent(study)} {read_return(study)}"


def _spent(study: Study) -> str:
    row = _total(study)
    if not row["due"] > 0 and pd.isna(row["actual"]):
        return f"Of a budget of {cash(row['plan'], study)} nothing is due yet."
    if pd.isna(row["actual"]):
        return f"Of a budget of {cash(row['plan'], study)}, {cash(row['due'], study)} are due by now; what was spent is not known."
    part = f" (as far as it is known: {_unknown(study)} not)" if row["unknown"] else ""
    return f"Of a budget of {cash(row['plan'], study)}, {cash(row['actual'], study)} were spent until {words.day(study.known_until - timedelta(days=1))}{part}, {_against(study, row)}."


def _against(study: Study, row: pd.Series) -> str:
    """Spending against what was due of the lines that are known."""
    spread, due = row["spread"], row["actual"] - row["spread"]
    if abs(spread) <= SLACK * due:
        return "as much as was due"
    return f"{cash(abs(spread), study)} {'more' if spread > 0 else 'less'} than was due by then"


def _unknown(study: Study) -> str:
    """Lines of which nobody knows what was spent though they have begun."""
    lines = study.budget()["lines"]
    lost = lines[lines["actual"].isna() & (lines["due"] > 0)]
    return words.listed(f"{row.kind} of the {row.phase}" for row in lost.itertuples())


# Plan against actual


def lines(study: Study) -> GT:
    """Plan and actual by phase and kind, and their sums, as a table."""
    frame = study.budget()["lines"].assign(source=lambda each: each["source"].map(SOURCES))
    sums = study.budget()["by_phase"].reset_index().assign(kind="all", source="")
    whole = study.budget()["total"].assign(phase="All", kind="all", source="")
    each = [
        pd.concat([frame[frame["phase"] == row.phase], sums[sums["phase"] == row.phase]]) for row in sums.itertuples()
    ]
    rows = pd.concat([*each, whole], ignore_index=True)
    currency = study.dataset.currency
    return tables.table(
        rows.assign(phase=rows["phase"].str.capitalize()),
        title="Budget: plan against actual",
        columns={
            "phase": "Phase",
            "kind": "For",
            "plan": tables.money("Planned", currency),
            "due": tables.money("Due by now", currency),
            "actual": tables.money("Spent", currency),
            "spread": tables.money("Spent less due", currency),
            "left": tables.money("Left", currency),
            "source": "Known from",
        },
        notes=[
            "A plan is due evenly over the days of its phase. What is not known is left out of the sums, on both sides.",
            *_counted(study),
        ],
    )


def _counted(study: Study) -> list[str]:
    frame = study.budget()["lines"]
    kinds = [kind for kind in KINDS if (frame.loc[frame["kind"] == kind, "source"] == "log").any()]
    return [f"Counted in the log: {words.listed(WAYS[kind] for kind in kinds)}."] if kinds else []


def read_lines(study: Study) -> str:
    """The phase furthest from what was due."""
    frame = study.budget()["by_phase"]
    known = frame[frame["spread"].notna() & (frame["due"] > 0)]
    if known.empty:
        return f"{_spent(study)} No phase can be held against its plan yet."
    furthest = known.loc[known["spread"].abs().idxmax()]
    return f"{_spent(study)} Furthest from it is the {furthest.name}: {_against(study, furthest)}."


def phases(study: Study) -> pd.DataFrame:
    """Sums by phase, see `goal_figures.budget`."""
    frame: pd.DataFrame = study.budget()["by_phase"]
    return frame


def read_phases(study: Study) -> str:
    """Every phase in one sentence."""
    told = []
    for name, row in phases(study).iterrows():
        days = _about(study)["phases"][str(name)]
        spent = "not known" if pd.isna(row["actual"]) else cash(row["actual"], study)
        told.append(
            f"{str(name).capitalize()} ({words.day(days['starts'])} to {words.day(days['ends'])}): {cash(row['plan'], study)} planned, {cash(row['due'], study)} due by now, spent {spent}"
        )
    return f"{'; '.join(told)}. Money spent is as booked or counted, without an error."


# What it brought


def read_return(study: Study) -> str:
    """What the campaigns of the budget's days brought for the money, with its interval, or what is missing to say so."""
    found = _about(study)["returned"]
    if not found["campaigns"]:
        return "What it brought cannot be told: no campaign began within the budget's days."
    if found["margin"] is None:
        return f"What it brought cannot be told: of the {_campaigns(found['campaigns'])} that began within the budget's days, no effect on sales and its discounts are both known."
    margin = Interval(**found["margin"])
    rest = found["campaigns"] - found["counted"]
    part = f"; of {words.count(rest)} more that began in that time no effect is known" if rest else ""
    most = "at most " if found["at_most"] else ""
    first = (
        f"The {_campaigns(found['counted'])} whose effect is known earned a margin of {most}{cash(margin.estimate, study)} after their discounts "
        f"(90 % interval {cash_between(margin, study)}){part}.{UNTOLD if most else ''}"
    )
    if found["profit"] is None:
        return f"{first} The account stops there: what was spent on {_unknown(study)} is not known."
    profit = Interval(**found["profit"])
    return f"{first} After the {cash(found['spent'], study)} spent, {most}{cash(profit.estimate, study)} is left (90 % interval {cash_between(profit, study)}): {_verdict(profit, found['at_most'])}{_each(study)}."


def _verdict(profit: Interval, at_most: bool) -> str:
    """Whether the money came back; an upper bound can only show that it did not."""
    if profit.high < 0:
        return "the money has not come back"
    return "it has paid" if profit.low > 0 and not at_most else "whether it has paid is not clear"


def _each(study: Study) -> str:
    """What came back for each unit of money."""
    found = _about(study)["returned"]["on_spend"]
    if found is None:
        return ""
    each = Interval(**found)
    most = "at most " if _about(study)["returned"]["at_most"] else ""
    return f", {most}{cash(each.estimate, study)} for each {cash(1.0, study)} spent ({cash_between(each, study)})"


def _campaigns(number: int) -> str:
    return f"{words.count(number)} campaign{'' if number == 1 else 's'}"


# The end


def limits(study: Study) -> str:
    """Where this fails."""
    if not has_budget(study):
        return "Without a budget nobody can see whether the programme costs what it was to cost."
    return (
        "The return counts the sales that campaigns caused in the weeks over which effects are read. What membership, tiers and points change beside them is not in it, "
        "so that money spent on those looks as if it brought nothing."
    )


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    return (
        _spent(study)
        if has_budget(study)
        else "Our programme has no budget in the dataset file: let us write the plan down, and what was spent."
    )
