"""Chapter 4, continued: why the model thinks so, and how steady that is."""

import numpy as np
import pandas as pd
from great_tables import GT

from ...features.build import dictionary
from ...models import explain, influence
from ...models.btyd_features import LABELS
from ...study import Study
from .. import tables, words
from ..explain_figures import Panel
from ..reasons import groups
from . import churn

AT_RISK = 0.2
"""Share of the active customers, those most likely to leave, whose reasons are counted."""

PANELS, SHOWN = 4, 6


def by_group(study: Study) -> pd.DataFrame:
    """Contributions of groups of features, in words."""
    contributions = study.churn()["contributions"]
    return explain.grouped(contributions, groups(str(name) for name in contributions.columns))


def importance(study: Study) -> pd.DataFrame:
    """What moves the predictions, with its error; see `models.explain.importance`."""
    return explain.importance(by_group(study))


def read_importance(study: Study) -> str:
    """The strongest groups in a sentence, with their error."""
    table = importance(study)
    if table["importance"].max() <= 0:
        return "The blend found nothing that tells leavers from stayers."
    first = table.iloc[0]
    others = [
        f"{str(name).lower()} for {words.percent(row['share'])}"
        for name, row in table.iloc[1:3].iterrows()
        if row["share"] > 0
    ]
    more = f", {words.listed(others)}" if others else ""
    whole = first["importance"] / first["share"]
    ends = words.between(first["low"] / whole, first["high"] / whole, words.percent)
    return (
        f"{first.name} makes up {words.percent(first['share'])} of all that the blend says (90 % interval {ends}){more}. "
        f"These are patterns, not causes: to change one of them need not keep a customer.{_for_information(study)}"
    )


def _for_information(study: Study) -> str:
    best = study.churn()["about"]["winner"]
    return f" They are shown for information; who leaves is told by {best.lower()}." if churn.by_rule(study) else ""


def cloud(study: Study) -> influence.Cloud | None:
    """Groups of customers for the strongest feature of each group; see `models.influence.cloud`."""
    contributions, features = study.churn()["contributions"], study.churn()["features"]
    shown = contributions[[*_strongest(study), explain.BASE]]
    return influence.cloud(shown, features, fewest=study.dataset.privacy.minimum_cell)


def labels(study: Study) -> dict[str, str]:
    """Column → words."""
    known = dictionary()
    columns = [str(name) for name in study.churn()["contributions"].columns]
    return {name: known[name].label if name in known else LABELS.get(name) or _spelt(name) for name in columns}


def _spelt(name: str) -> str:
    told = groups([name]).get(name)
    return told or "Something else"


def read_cloud(study: Study) -> str:
    """In which direction the strongest features push."""
    contributions, features = study.churn()["contributions"], study.churn()["features"]
    said = []
    for name in _strongest(study)[:3]:
        rank = features[name].rank().corr(contributions[name].rank()) if features[name].nunique() > 1 else np.nan
        if pd.notna(rank) and abs(rank) > 0.1:
            said.append(
                f"{labels(study)[name].lower()} ({'higher' if rank > 0 else 'lower'} means more likely to leave)"
            )
    if not said:
        return "No feature pushes clearly in one direction."
    return f"Right of the line a feature raises the risk, left of it it lowers it; the colour is the value of the feature. The clearest: {words.listed(said)}."


def _strongest(study: Study) -> list[str]:
    """The strongest feature of each group, the strongest group first."""
    table = explain.importance(study.churn()["contributions"], draws=1)
    told, seen = groups(str(name) for name in table.index), dict[str, str]()
    for name in table.index[table["importance"] > 0]:
        if name in told and name in study.churn()["features"]:
            seen.setdefault(told[name], str(name))
    return list(seen.values())


def dependence(study: Study) -> list[Panel]:
    """What the four strongest features add, by their value; one of a group."""
    contributions, features = study.churn()["contributions"], study.churn()["features"]
    cell, said = study.dataset.privacy.minimum_cell, labels(study)
    numbers = [name for name in _strongest(study) if pd.api.types.is_numeric_dtype(features[name])]
    return [
        Panel(said[name], influence.dependence(contributions[name], features[name], fewest=cell))
        for name in numbers[:PANELS]
    ]


def read_dependence(study: Study) -> str:
    """Where the strongest feature turns from lowering to raising the risk."""
    panels = dependence(study)
    if not panels or len(panels[0].found.table) < 2:
        return "There are too few different values to draw."
    label, table = panels[0].label, panels[0].found.table
    lowest, highest = table.loc[table["contribution"].idxmin()], table.loc[table["contribution"].idxmax()]
    return (
        f"{label}: the push is strongest towards leaving at about {words.number(highest['value'])} and strongest towards staying at about "
        f"{words.number(lowest['value'])}. A dot is {study.dataset.privacy.minimum_cell} customers or more; the band holds about nine of ten of them, "
        "and is wide where other features decide how much this one counts."
    )


def typical(study: Study) -> influence.Typical | None:
    """The customers most at risk as one, see `models.influence.typical`; None if there are too few to be told of."""
    churn, count = study.churn(), max(study.dataset.privacy.minimum_cell, influence.FEWEST)
    odds = churn["contributions"].sum(axis=1)
    if len(odds) < count:
        return None
    return influence.typical(by_group(study), churn["features"], odds, count)


def read_typical(study: Study) -> str:
    """What makes up the probability of those most at risk."""
    one = typical(study)
    if one is None:
        return "There are too few active customers to show any as one."
    parts = one.contributions.drop(explain.BASE)
    most = parts[parts > 0].sort_values(ascending=False).index[:2]
    if not len(most):
        return "Nothing raises their risk above that of everyone."
    return (
        f"What raises their risk most is {words.listed(str(name).lower() for name in most)}. The bars add up exactly to the blend's probability; no single "
        "customer is shown."
    )


def stability(study: Study) -> explain.Stability:
    """What stays the same when the trees are grown again with other seeds; see `models.explain.stability`."""
    again = {name: part for name, part in study.in_use().items() if name.startswith("seed_")}
    parts = {
        number: explain.grouped(part, groups(str(name) for name in part.columns))
        for number, part in enumerate(again.values())
    }
    return explain.stability(parts)


def read_stability(study: Study) -> str:
    """How far reasons depend on the seed, in two sentences."""
    steady = stability(study)
    if steady.table["importance"].max() <= 0:
        return "Grown again with other seeds, the trees found nothing either."
    return (
        f"Grown again with {len([name for name in study.in_use() if name.startswith('seed_')])} other seeds, the trees give {words.percent(steady.same_reason)} of the customers the same "
        f"strongest reason, and {words.percent(steady.top_shared)} of the five strongest groups are the same. "
        f"{steady.table.index[0]} ranks {_ranks(steady.table.iloc[0])}."
    )


def _ranks(row: pd.Series) -> str:
    best, worst = int(row["best_rank"]), int(row["worst_rank"])
    return f"number {best} by every seed" if best == worst else f"between number {best} and number {worst}"


def in_words(study: Study) -> str:
    """Where the reasons of each customer stand, in a sentence with the commonest of them."""
    shares = raising(study)
    most = f" Of those most at risk the commonest is {str(shares.index[0]).lower()}." if len(shares) else ""
    return (
        "The file of scores tells each customer's three strongest reasons in words that can be read out on the telephone, such as “usually buys every 9 "
        f"days, silent for 41”.{most}"
    )


def raising(study: Study) -> pd.Series:
    """What raises the risk of the fifth of the active customers most at risk: share of each group, largest first."""
    contributions = by_group(study)
    count = max(round(AT_RISK * len(contributions)), study.dataset.privacy.minimum_cell)
    most = contributions.sum(axis=1).sort_values(ascending=False, kind="stable").index[:count]
    sums = contributions.loc[most].drop(columns=explain.BASE).clip(lower=0).sum().sort_values(ascending=False)
    return sums[sums > 0] / sums.sum()


def reasons_at_risk(study: Study) -> GT:
    """What raises the risk of those most at risk, as a table."""
    shares = raising(study).iloc[:SHOWN]
    return tables.table(
        pd.DataFrame({"reason": shares.index, "share": shares.to_numpy()}),
        title="What raises the risk of the fifth of the active customers most at risk",
        columns={"reason": tables.text("Reason"), "share": tables.percent("Of all that raises it")},
    )


def read_reasons_at_risk(study: Study) -> str:
    """What raises their risk most."""
    shares = raising(study)
    if shares.empty:
        return "Nothing raises their risk above that of everyone."
    return f"{words.percent(shares.iloc[0])} of what raises their risk is {str(shares.index[0]).lower()}."
