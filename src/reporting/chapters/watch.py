"""Chapter 4, continued: where the model was wrong, whether customers have changed, and whether earlier promises were kept."""

from typing import Any

import pandas as pd
from great_tables import GT

from ...features.build import dictionary
from ...models.drift import MUCH, SOME
from ...study import Study
from .. import tables, words
from ..privacy import hidden
from ..reasons import groups

SHOWN = 8


def told_spots(study: Study) -> pd.DataFrame:
    """Classes of customers that may be told of, the clearest error first; see `models.weak_spots.weak_spots`."""
    table, cell = study.churn()["weak_spots"], study.dataset.privacy.minimum_cell
    kept = [part[~hidden(part["customers"], cell)] for _, part in table.groupby("by", sort=False)]
    if not kept:
        return table
    return pd.concat(kept).sort_index()


def weak_spots(study: Study) -> GT:
    """The classes in which the probabilities were furthest off, as a table."""
    table = told_spots(study).iloc[:SHOWN].copy()
    table["clear"] = table["clear"].map({True: "yes", False: "no"})
    table["of"] = table["by"] + ": " + table["of"]
    return tables.table(
        table.drop(columns=["by", "auc", "auc_low", "auc_high"]),
        title=f"Where the probabilities were furthest off, {study.horizon_days} days from {words.day(study.origins()[0])}",
        columns={
            "of": tables.text("Class"),
            "customers": tables.count("Customers"),
            "promised": tables.percent("Promised"),
            "realised": tables.percent("Left"),
            "gap": tables.percent("Too many (90 %)", interval=("low", "high")),
            "clear": tables.text("Beyond chance"),
        },
        notes=[
            "Promised: share of the class that was expected to leave. Beyond chance: also where one asks of every class at once (Holm, 10 %)."
        ],
    )


def read_weak_spots(study: Study) -> str:
    """Where the model is wrong beyond chance, in words."""
    table = told_spots(study)
    clear = table[table["clear"]]
    if clear.empty:
        return f"In none of {len(table)} classes of customers is the model off by more than chance makes of a model that is right."
    first = clear.iloc[0]
    way = "too many" if first["gap"] > 0 else "too few"
    return (
        f"In {len(clear)} of {len(table)} classes the model is off by more than chance. Furthest off is it for {_class(first)}: {words.percent(first['promised'])} "
        f"were promised to leave and {words.percent(first['realised'])} did, {way} by {words.points(first['gap'])}. Take care with scores of these customers."
    )


def _class(row: Any) -> str:
    return f"“{str(row['by']).lower()}: {row['of']}”"


def told_drift(study: Study) -> pd.DataFrame:
    """What has moved most, in words; see `models.drift.drift`."""
    table = study.churn()["drift"]
    known, told = dictionary(), groups(str(name) for name in table.index)
    named = {
        name: known[name].label if name in known else told.get(str(name), "Something else") for name in table.index
    }
    return table.rename(index=named).rename_axis("feature").reset_index()


def drift(study: Study) -> GT:
    """Features that have moved most between the dates learned from and the present, as a table."""
    return tables.table(
        told_drift(study).iloc[:SHOWN],
        title="What has changed most since the dates that the models learned from",
        columns={
            "feature": tables.text("Feature"),
            "psi": tables.Column(label="PSI (90 %)", kind="number", interval=("low", "high")),
            "limit": tables.number("Chance makes up to"),
            "usual": tables.number("Usual between those dates"),
            "moved": tables.text("Moved"),
        },
        notes=[
            f"PSI: population stability index; from {words.number(SOME)} on beyond chance we say that a feature has moved (some), from {words.number(MUCH)} on that it has moved much."
        ],
    )


def read_drift(study: Study) -> str:
    """Whether today's customers are like those that models learned from."""
    table = told_drift(study)
    moved = table[table["moved"] != "no"]
    if moved.empty:
        return f"The active customers of today are like those that the models learned from: none of {len(table)} features has moved beyond chance by enough to matter."
    names = [str(name).lower() for name in moved["feature"].iloc[:3]]
    unusual = moved[moved["psi"] > 2 * moved["usual"].fillna(0)]
    weight = (
        "That is more than they moved between those dates."
        if len(unusual)
        else "They moved about as much between those dates already."
    )
    return f"{len(moved)} of {len(table)} features have moved beyond chance by enough to matter, first of all {words.listed(names)}. {weight}"


def read_rates(study: Study) -> str:
    """Whether as many leave as before."""
    rates, change = study.churn()["rates"], study.churn()["rate_change"]
    last = rates.iloc[-1]
    now = f"Of the customers active on {words.day(rates.index[-1])}, {words.percent(last['rate'])} left (90 % interval {words.between(last['low'], last['high'], words.percent)})"
    if len(rates) < 2:
        return f"{now}. There is no earlier date to compare with."
    if change["low"] <= 0 <= change["high"]:
        return f"{now}, no more and no fewer than at the dates before beyond chance."
    return f"{now}, {words.points(change['difference'])} {'more' if change['difference'] > 0 else 'fewer'} than at the dates before, which is beyond chance."


def told_runs(study: Study) -> pd.DataFrame:
    """Earlier runs that may be told of, the latest first."""
    runs = study.promises()["runs"]
    return runs[runs["customers"] >= study.dataset.privacy.minimum_cell]


def is_judged(study: Study) -> bool:
    """Whether there are scores that can be held against what happened."""
    return not told_runs(study).empty


def promises_curve(study: Study) -> dict[str, pd.DataFrame]:
    """Promised against realised, of the latest run, in groups that may be told of."""
    cell, curve = study.dataset.privacy.minimum_cell, study.promises()["calibration"]
    return {str(told_runs(study)["model"].iloc[0]): curve[curve["customers"] >= cell]}


def read_promises_curve(study: Study) -> str:
    """Whether the probabilities of the latest run kept their promise."""
    (curve,) = promises_curve(study).values()
    kept = curve["promised"].between(curve["low"], curve["high"]).sum()
    day = words.day(told_runs(study)["day"].iloc[0])
    return f"Of the scores of {day}, the promise lies inside the 90 % interval of what happened in {kept} of {len(curve)} groups (nine in ten are to be expected)."


def read_promises(study: Study) -> str:
    """What earlier scores promised, and what happened."""
    unreadable = study.promises()["about"]["unreadable"]
    broken = f" The scores of {words.listed(unreadable)} cannot be read." if unreadable else ""
    cell, runs = study.dataset.privacy.minimum_cell, told_runs(study)
    if not is_judged(study):
        return f"There are no scores yet whose horizon is over, so that no promise can be held against what happened.{broken}"
    last = runs.iloc[0]
    verdict = "inside" if last["low"] <= last["happened"] <= last["high"] else "outside"
    lost = f" Of {words.count(last['lost'])} who had a score nothing is known any more." if last["lost"] >= cell else ""
    return (
        f"On {words.day(last['day'])} we said that {words.count(last['said'])} of {words.count(last['customers'])} would leave; {words.count(last['happened'])} did, "
        f"{verdict} of what chance makes of a promise that is right ({words.between(last['low'], last['high'], words.count)}).{lost}{broken}"
    )


def promises(study: Study) -> GT:
    """Promises of earlier runs, as a table; empty where there is none."""
    table = told_runs(study).assign(day=lambda runs: [words.day(day) for day in runs["day"]])
    return tables.table(
        table,
        title="What scores said, and what happened",
        columns={
            "day": tables.text("Scores of"),
            "model": tables.text("Model"),
            "customers": tables.count("Customers"),
            "said": tables.count("Said to leave"),
            "low": tables.count("90 % from"),
            "high": tables.count("to"),
            "happened": tables.count("Left"),
        },
    )
