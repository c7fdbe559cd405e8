"""Chapter 7, the next purchase: which way to tell what a customer buys next is best on past dates."""

from typing import Any

import pandas as pd
from great_tables import GT

from ... import notation
from ...actions import CONTEST_CUSTOMERS
from ...programme.recommend_tournament import PLACES, RULE
from ...study import Study
from .. import tables, words
from .actions_numbers import about, is_planned

METHODS = {
    "global top": "What everybody buys most",
    "personal top": "What the customer bought on most days",
    "personal decay": "The same, with what is long ago counting less",
    "item to item": "What is bought together with it (item to item)",
    "factorisation": "What customers alike buy (matrix factorisation)",
}
KINDS = {"next": "the next purchase", "novel": "what the customer had not bought before"}


def item(study: Study) -> dict[str, Any]:
    """Level, winner, novel_winner and notes, see `recommend.Contest`."""
    told: dict[str, Any] = about(study)["item"]
    return told


def is_judged(study: Study, kind: str = "next") -> bool:
    """Whether methods could be held against what was bought, by enough customers at a date."""
    if not is_planned(study) or not item(study)["winner"]:
        return False
    dates, column = study.actions()["contest_dates"], "customers" if kind == "next" else "novel_customers"
    scored = study.actions()["contest"]
    return bool((scored["kind"] == kind).any() and dates[column].max() >= study.dataset.privacy.minimum_cell)


def why_not(study: Study) -> str:
    """Why nothing is recommended."""
    if not is_planned(study):
        return ""
    return f"What customers buy next is not told. {' '.join(item(study)['notes'])}"


def contest(study: Study, kind: str = "next") -> GT:
    """All methods on past dates, as a table."""
    frame = _scores(study, kind)
    level = item(study)["level"]
    return tables.table(
        frame.assign(name=[METHODS.get(str(name), str(name)) for name in frame.index]),
        title=f"Lists of {PLACES} {_plural(level)} against {KINDS[kind]}",
        columns={
            "name": tables.text("Method"),
            "recall": tables.percent(f"Recall@{PLACES}"),
            "recall_gain": _difference("recall"),
            "ndcg": tables.percent(f"nDCG@{PLACES}"),
            "ndcg_gain": _difference("nDCG"),
            "coverage": tables.percent("Coverage"),
        },
        notes=[
            f"Means over {words.count(len(study.actions()['contest_dates']))} past dates. Recall: share of what was bought that was on the list; nDCG: the same, with the top of the list counting more; "
            f"coverage: share of all {_plural(level)} that are on anyone's list. Differences: from the personal top list, on the same customers.",
            _judged_by(study),
        ],
    )


def _judged_by(study: Study) -> str:
    """On whose purchases, and how much there was to choose from."""
    dates = study.actions()["contest_dates"]
    most, sampled = words.count(dates["customers"].max()), about(study)["customers"] > CONTEST_CUSTOMERS
    basket = float((dates["basket"] * dates["customers"]).sum() / dates["customers"].sum())
    return (
        f"Judged on the purchases of up to {most} customers at a date{', a sample of all' if sampled else ''}: on their next purchase day they "
        f"bought {words.number(round(basket, 1))} of {words.count(dates['sold'].max())} {_plural(item(study)['level'])} on average."
    )


def _difference(measure: str) -> tables.Column:
    ends = (f"{measure.lower()}_low", f"{measure.lower()}_high")
    return tables.Column(label=f"Difference in {measure}, 90 %", kind="percent", unit="points", interval=ends)


def _scores(study: Study, kind: str) -> pd.DataFrame:
    """One row a method: its measures, and how far it is from the personal top list."""
    frame = study.actions()["contest"]
    frame = frame[frame["kind"] == kind]
    wide = frame.pivot(index="contender", columns="measure", values=["value", "gain", "low", "high"])
    wide.columns = [measure if part == "value" else f"{measure}_{part}" for part, measure in wide.columns]
    told = wide.reindex([name for name in METHODS if name in wide.index])
    told.loc[RULE, [name for name in told if name.rsplit("_")[-1] in ("gain", "low", "high")]] = float("nan")
    return told


def _plural(level: str) -> str:
    return {"category": "categories", "product": "products"}[level]


def read_contest(study: Study, kind: str = "next") -> str:
    """Who won, and how sure that is."""
    told, frame = item(study), _scores(study, kind)
    winner = told["winner" if kind == "next" else "novel_winner"]
    row = frame.loc[winner]
    said = (
        f"*{METHODS[winner]}* is used for {KINDS[kind]}: on average {words.percent(row['recall'])} of it was on a list of {PLACES}"
        f" (nDCG {words.percent(row['ndcg'])}), {_beside(frame, str(winner))}"
    )
    simple = " It is the simplest method that no other clearly beats." if frame["recall"].idxmax() != winner else ""
    return f"{said}.{simple}{_novel(study) if kind == 'next' else ''}"


def _beside(frame: pd.DataFrame, winner: str) -> str:
    """How far the winner is from the personal top list, or that list from the best of the others."""
    rival = str(frame.drop(index=RULE)["recall"].idxmax()) if winner == RULE else winner
    row = frame.loc[rival]
    if row["recall_low"] == row["recall_high"] == 0:
        return "and the personal top list says the same"
    gap = f"{_points(row['recall_gain'])} points of recall, 90 % interval {words.between(row['recall_low'], row['recall_high'], _points)}"
    if winner == RULE:
        return f"and no method clearly beats it (the best other: {gap})"
    return f"against the personal top list {gap}"


def _points(difference: float) -> str:
    """A difference of shares in points, with its sign."""
    rounded = round(100 * difference, 1)
    return notation.write(f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0")


def _novel(study: Study) -> str:
    """How much of what is bought is new to the customer."""
    dates = study.actions()["contest_dates"]
    share = float((dates["novel"] * dates["customers"]).sum() / dates["customers"].sum())
    return (
        f" Only {words.percent(share)} of what is bought next is new to the customer, so that a list of old favourites scores well and sells little that would not be bought anyway: "
        "new purchases are judged apart."
    )


def limits(study: Study) -> str:
    """Where the lists fail."""
    return " A list that foretells the next purchase does not cause one." if is_judged(study) else ""
