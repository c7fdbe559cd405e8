"""The step of a study that says who the most valuable customers are, what they are worth, and how many may leave."""

from functools import reduce
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from .features.columns import Tables
from .features.labels import active
from .features.sample import last_mark, tables_up_to, up_to
from .programme.assumed_tiers import round_near, spend_below
from .programme.high_value import YEAR, at_risk, by_clv, by_share_of_margin, by_spend, mix, portrait

if TYPE_CHECKING:
    from .study import Study

SHARE = 0.5
"""Of the margin, or of the CLV, that the fewest customers hold together."""
BELOW = 0.9
"""Share of the year's buyers who spent less than the threshold, where no tier names one."""
GIVEN = "programme.high_value_spend"
"""Where the dataset file says the threshold itself."""
SHOWN = 10
"""Categories, channels or stores of each kind that are kept, those that matter most to the group."""
KINDS = ("category", "channel", "store")
DEFINITIONS = ("spend", "margin", "clv")


def high_value(study: "Study") -> dict[str, Any]:
    """Who matters most at `known_until` by three definitions: spend of a year, share of its margin, predicted CLV.

    Where there are more active customers than may be brought here, everything but `groups` by spend and by margin is of
    a fixed sample of the customers, see `sampled`.

    Returns
    -------
    about : known (whether anyone spent anything in the year), and where it is: threshold (spend of a year, money), tier
        (whose threshold that is; `GIVEN` where the file says it, "" where nothing names one), below (share of the
        buyers who spent less, roughly, where no tier does), share (of margin and CLV that the groups hold), cut (churn
        probability from which a customer is at risk: the mean of all active ones), horizon_days (of the CLV and the
        churn), active (customers), scored (of them, with a score here), worth (CLV of the scored, money).
    groups : definition and the columns of `programme.high_value.portrait`, high_value among them.
    mix : definition, kind, name and the columns of `programme.high_value.mix`; the `SHOWN` first of each.
    risk : definition and the numbers of `programme.high_value.at_risk`, intervals as three columns.
    overlap : spend, margin, clv (whether they are in the group), customers; those in none left out.
    """
    tables, day = study.data.tables, study.known_until
    threshold, tier = _threshold(study)
    if threshold is None:
        return {"about": {"known": False}}
    scores = study.churn()["scores"][["churn_probability", "clv"]].rename_axis("customer").reset_index()
    there = active(tables.days, day, study.active_within_days)
    mark = last_mark(there, study.dataset.engine_settings.training_customers)
    whole = {"spend": by_spend(tables, day, threshold), "margin": by_share_of_margin(tables, day, SHARE)}
    groups = {name: up_to(group, mark) for name, group in whole.items()} | {"clv": by_clv(scores, SHARE)}
    seen = tables_up_to(tables, mark)
    cut = float(np.clip(scores["churn_probability"].mean().round(3), 0.001, 0.999))
    parts = [portrait(tables, group, day).assign(definition=name) for name, group in whole.items()]
    parts.append(portrait(seen, groups["clv"], day).assign(definition="clv"))
    return {
        "about": {
            "known": True,
            "threshold": threshold,
            "tier": tier,
            "below": BELOW,
            "share": SHARE,
            "cut": cut,
            "horizon_days": study.horizon_days,
            "active": int(there.count().to_pyarrow().as_py()),
            "scored": len(scores),
            "worth": float(scores["clv"].sum()),
        },
        "groups": pd.concat(parts).reset_index(),
        "mix": _mixes(study, seen, groups),
        "risk": pd.DataFrame([{"definition": name} | _risk(group, scores, cut) for name, group in groups.items()]),
        "overlap": overlap(groups),
    }


def _threshold(study: "Study") -> tuple[float | None, str]:
    """Spend of a year from which a customer is of high value, and the tier it is the threshold of."""
    programme = study.dataset.programme
    if programme.high_value_spend:
        return float(programme.high_value_spend), GIVEN
    yearly = programme.qualifying_period == "year" or (
        programme.qualifying_period == "rolling" and programme.qualifying_days in (YEAR, YEAR + 1)
    )
    if programme.tiers and yearly and (spend := programme.tiers[-1].spend):
        return float(spend), programme.tiers[-1].name
    found = spend_below(study.data.tables, study.known_until, YEAR, (BELOW,))
    return (round_near(found[0]) if found else None), ""


def _mixes(study: "Study", tables: Tables, groups: dict[str, ir.Table]) -> pd.DataFrame:
    found = []
    for kind in KINDS:
        for name, group in groups.items():
            if (shares := mix(tables, group, study.known_until, kind)) is not None:
                first = shares.head(SHOWN).rename_axis("name").reset_index()
                found.append(first.astype({"name": "str"}).assign(definition=name, kind=kind))
    columns = ["definition", "kind", "name", "high_value", "others", "index", "customers", "other_customers"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def _risk(group: ir.Table, scores: pd.DataFrame, cut: float) -> dict[str, float]:
    told: dict[str, float] = {}
    for name, value in at_risk(group, scores, cut).items():
        if isinstance(value, int | float):
            told[name] = value
        else:
            told |= {name: value.estimate, f"{name}_low": value.low, f"{name}_high": value.high}
    return told


def overlap(groups: dict[str, ir.Table]) -> pd.DataFrame:
    """Customers by the groups that they are in: a column of true and false for each group, customers."""
    rows = [group.select("customer", name=ibis.literal(name)) for name, group in groups.items()]
    every = reduce(lambda one, other: one.union(other), rows)
    each = every.group_by("customer").agg(**{name: (every.name == name).any() for name in groups})
    counted = each.group_by(*groups).agg(customers=each.count())
    return counted.to_pandas().sort_values(list(groups), ascending=False, ignore_index=True)
