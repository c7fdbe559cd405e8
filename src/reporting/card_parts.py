"""What the cards of all models have in common: figures, data, features, and how they were made."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost

from ..features.build import dictionary
from ..models.line_up import NAIVE
from . import words
from .reasons import group_of

if TYPE_CHECKING:
    from ..study import Study

LIBRARIES = ("loyalty", "numpy", "pandas", "scikit-learn")
OTHERS = (
    "Another retailer, another definition, or another horizon than those named here.",
    "Anyone who may not see personal data of these customers: a score is one.",
)
"""What no score is for, whatever it says."""


def metric(
    name: str, value: float, low: float | None, high: float | None, kind: str, reading: str, currency: str = ""
) -> dict[str, Any]:
    """A figure with its 90 % interval (null where there is none); kind is percent, count, number or money."""
    ends = {
        end: None if edge is None or np.isnan(edge) else float(edge) for end, edge in (("low", low), ("high", high))
    }
    unit = {"currency": currency} if currency else {}
    return {"name": name, "value": float(value)} | ends | {"kind": kind, "reading": reading} | unit


def data(study: "Study") -> dict[str, str]:
    """What was learned from, and what it was tested on."""
    from .chapters import churn

    facts = study.facts()["log"]
    tested, *learned = study.origins()
    return {
        "Data set": study.dataset.title,
        "Notice": study.dataset.notice or "none",
        "Log": f"{words.day(facts['first_day'])} to {words.day(facts['last_day'])}",
        "Active customers": words.count(churn.active_customers(study)),
        "Dates learned from": words.listed(words.day(day) for day in learned) if learned else words.day(tested),
        "Test date": f"{words.day(tested)}, and the {words.days(study.horizon_days)} from it on",
        "Outcomes learned from": words.count(study.churn()["about"]["learned_from"]),
    }


def looked_at(study: "Study", model: str) -> dict[str, str]:
    """What a model looks at: group → labels of its features; of a rule, its name says it."""
    if model in NAIVE:
        return {"The rule alone": model[:1].lower() + model[1:]}
    return features([str(name) for name in study.churn()["attributes"].columns])


def features(columns: Sequence[str]) -> dict[str, str]:
    """Group → labels of its features.

    Examples
    --------
    >>> features(["T", "discount_share", "coupon_share"])["Time since the first purchase"]
    'days since first purchase'
    """
    known, groups = dictionary(), dict[str, list[str]]()
    for column in columns:
        group = group_of(column)
        if column in known:
            label = known[column].label
            groups.setdefault(group.label if group else "Others", []).append(label[:1].lower() + label[1:])
        elif group is not None:
            groups.setdefault(group.label, [])
    return {name: "; ".join(dict.fromkeys(labels)) or name.lower() for name, labels in groups.items()}


def making(trees: str, run: str) -> dict[str, str]:
    """Hash of the trees that were fitted, whether or not they were chosen; run and versions."""
    versions = {name: version(name) for name in LIBRARIES}
    return (
        {"Hash of the trees": trees or "none", "Run": run}
        | {"python": platform.python_version(), "xgboost": xgboost.__version__}
        | versions
    )
