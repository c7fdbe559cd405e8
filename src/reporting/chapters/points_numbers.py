"""What may be told of points: the results of the step with small cells taken out, and how they are written."""

from typing import Any

import pandas as pd

from ...study import Study
from .. import words
from ..privacy import hidden

NOTES = {"own": "", "rules": "redemptions assumed", "assumed": "simulated programme"}
BEGINNINGS = {
    "own": "",
    "rules": "Earned by the rules of the dataset file, redeemed as assumed: ",
    "assumed": "Simulated programme: ",
}
KINDS = {
    "issued": "Issued", "redeemed": "Redeemed", "expired": "Expired", "clawed_back": "Taken back on returns",
    "adjusted": "Adjusted", "outstanding": "On the accounts", "pending": "of these still pending",
}  # fmt: skip


def about(study: Study) -> dict[str, Any]:
    """Facts about the points, see `balances.points`."""
    told: dict[str, Any] = study.points()["about"]
    return told


def is_known(study: Study) -> bool:
    """Whether enough customers have points to tell of them."""
    facts, minimum = about(study), study.dataset.privacy.minimum_cell
    if not facts["known"]:
        return False
    return bool(facts["customers"] >= minimum and not 0 < facts["holders"] < minimum)


def note(study: Study) -> str:
    """What a figure says behind its title: whether it is a simulation."""
    return NOTES[about(study)["source"]]


def begun(study: Study, sentence: str) -> str:
    """A sentence that begins with what is not known but assumed."""
    beginning = BEGINNINGS[about(study)["source"]]
    return beginning + (sentence[0].lower() + sentence[1:] if beginning and not sentence[1:2].isupper() else sentence)


def interval(share: dict[str, float]) -> str:
    """A share of 1 with its interval, in words."""
    return f"{words.percent(share['estimate'])} (90 % interval {words.between(share['low'], share['high'], words.percent)})"


def worth(study: Study, points: float) -> str:
    """What points cost, in brackets behind them; empty where no cost is known."""
    cost = cost_of(study)
    return "" if cost is None else f" ({words.money(points * cost, study.dataset.currency)})"


def cost_of(study: Study) -> float | None:
    """Money that a point costs when it is redeemed; None where that is not known."""
    cost: float | None = (about(study)["rules"] or {}).get("cost_per_point")
    return cost


def spans(weeks: pd.DataFrame, end: pd.Timestamp, minimum: int) -> pd.DataFrame:
    """Weeks put together until one of them has `minimum` customers; what is left over goes with the last.

    Parameters
    ----------
    weeks : day (the first of the week), points, customers; without those in which nothing moved.
    end : first day after the last week.
    """
    if weeks.empty:
        return pd.DataFrame(columns=["start", "end", "points", "per_day"])
    days = pd.date_range(weeks["day"].min(), end, freq="7D", inclusive="left")
    filled = weeks.set_index("day")[["points", "customers"]].reindex(days, fill_value=0)
    enough = (filled["customers"] >= minimum).to_numpy()
    # A span ends with a week that has enough; the last takes what comes after it.
    number = pd.Series(enough, index=days).shift(fill_value=False).cumsum()
    number = number.clip(upper=max(int(enough.sum()) - 1, 0))
    if not enough.any():
        return spans(weeks.iloc[:0], end, minimum)
    told = filled.groupby(number.to_numpy())["points"].sum()
    start = pd.Series(days).groupby(number.to_numpy()).min()
    ends = start.shift(-1, fill_value=end)
    return pd.DataFrame({"start": start, "end": ends, "points": told, "per_day": told / (ends - start).dt.days})


def shown(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """The same without points and customers of groups of few."""
    hide = hidden(frame["customers"], study.dataset.privacy.minimum_cell)
    return frame.assign(points=frame["points"].where(~hide), customers=frame["customers"].where(~hide))


def left(study: Study) -> str:
    """What is on the accounts and what it will cost, in words that follow others."""
    told, currency = about(study)["totals"], study.dataset.currency
    there = f"{words.count(told['outstanding'])} points are on the accounts of customers"
    owed, cost = study.points()["liability"], cost_of(study)
    if cost is None:
        return there
    all_of_it = f"{words.money(told['outstanding'] * cost, currency)} if all are used"
    if owed.empty:
        return f"{there}, {all_of_it}"
    if owed["bound"].any():
        return f"{there} and will cost at least {words.money(owed['money_low'].min(), currency)}, {all_of_it}"
    ends = words.between(owed["money_low"].min(), owed["money_high"].max(), lambda end: words.money(end, currency))
    by = "90 % intervals of two methods" if len(owed) > 1 else "90 % interval"
    return f"{there} and will cost {ends} ({by}), {all_of_it}"
