"""The model card: what the churn model is, how good it was, what it is for, and what not.

After Mitchell et al. (2019), "Model Cards for Model Reporting". It is a plain dict, published as a page and as JSON.
"""

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xgboost

from ..features.build import dictionary
from ..models.metrics import wilson
from ..models.reliability import calibration_error, log_losses
from . import words
from .reasons import group_of
from .render import Heading, Page, render_template

if TYPE_CHECKING:
    from ..study import Study

NAME = "model-card"
SECTIONS = (
    "title", "model", "summary", "intended_use", "not_for", "definition", "data", "metrics", "limits", "features",
    "making",
)  # fmt: skip
"""What a card must have, in the order of the page."""

INTENDED_USE = (
    "Ranking active customers for retention work: whom to call, write to, or look at first.",
    "Planning how many customers and how much spend are at risk over the horizon.",
)
NOT_FOR = (
    "Decisions about a single person that matter to that person, such as credit, prices, service or access: no one may "
    "be worse off for a score.",
    "Measuring what a campaign changed: the model says who is likely to leave, not who can be kept.",
    "Another retailer, another definition of leaving, or another horizon than those named here.",
    "Anyone who may not see personal data of these customers: a score is one.",
)
LIBRARIES = ("loyalty", "numpy", "pandas", "scikit-learn")


def files(card: Mapping[str, Any], *, pages: Sequence[Page], heading: Heading) -> dict[str, str]:
    """The card as files of a report: name → text.

    Parameters
    ----------
    card : every section of `SECTIONS`; see `describe`.
    pages : of the report.
    heading : what every page says about its study.

    Raises
    ------
    ValueError
        If a section is missing.
    """
    if missing := [name for name in SECTIONS if not card.get(name)]:
        raise ValueError(f"a model card without {', '.join(missing)}")
    shown = dict(card) | {"metrics": [_as_text(metric) for metric in card["metrics"]]}
    page = render_template("card.html.j2", NAME, {"card": shown}, pages=pages, heading=heading)
    return {
        f"{NAME}.html": page,
        f"{NAME}.json": json.dumps(dict(card), indent=2, ensure_ascii=False, default=_plain) + "\n",
    }


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a model card holds a {type(value).__name__}, which JSON does not know")


def _as_text(metric: Mapping[str, Any]) -> dict[str, str]:
    """A metric as a row of the page."""
    write = {"percent": words.percent, "count": words.whole, "number": words.number}[metric["kind"]]
    known = metric.get("low") is not None and metric.get("high") is not None
    return {
        "name": metric["name"],
        "value": write(metric["value"]),
        "interval": words.between(metric["low"], metric["high"], write) if known else "",
        "reading": metric["reading"],
    }


def metrics(churned: pd.Series, probability: pd.Series, comparison: pd.Series) -> list[dict[str, Any]]:
    """How good probabilities were on the test date.

    Parameters
    ----------
    churned, probability : of the same customers.
    comparison : of the model, see `models.metrics.compare`: auc, auc_low and auc_high.

    Returns
    -------
    name, value, low and high (90 %, null where there is no interval), kind (percent, count or number), reading.
    """
    left, p = churned.to_numpy("float64"), probability.to_numpy("float64")
    losses, squares, count = log_losses(left, p), (left - p) ** 2, len(left)
    low, high = wilson(left.sum(), count)
    usual = log_losses(left, np.full(count, left.mean())).mean()
    return [
        _metric("Pairs told apart (AUC)", comparison["auc"], comparison["auc_low"], comparison["auc_high"], "percent",
                "of one who left and one who stayed, how often the former had the higher probability"),
        _metric("Log-loss", losses.mean(), *_about(losses), "number",
                f"smaller is better; {words.number(usual)} is who gives everyone the mean"),
        _metric("Brier score", squares.mean(), *_about(squares), "number", "mean squared error; smaller is better"),
        _metric("Expected calibration error", calibration_error(left, p), None, None, "percent",
                "mean distance of promise and outcome over tenths"),
        _metric("Leavers promised", p.sum(), None, None, "count",
                f"{words.count(left.sum())} of {words.count(count)} left"),
        _metric("Share that left", left.mean(), low, high, "percent", "of those tested"),
    ]  # fmt: skip


def _metric(name: str, value: float, low: float | None, high: float | None, kind: str, reading: str) -> dict[str, Any]:
    ends = {
        end: None if edge is None or np.isnan(edge) else float(edge) for end, edge in (("low", low), ("high", high))
    }
    return {"name": name, "value": float(value)} | ends | {"kind": kind, "reading": reading}


def _about(values: np.ndarray) -> tuple[float, float]:
    """90 % interval of a mean."""
    half = 1.645 * float(values.std(ddof=1)) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(values.mean() - half), float(values.mean() + half)


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


def describe(study: "Study") -> dict[str, Any]:
    """The card of the churn model of a study."""
    from .chapters import churn

    about, table, holdout = study.churn()["about"], study.churn()["comparison"], study.churn()["holdout"]
    model, facts = str(about["winner"]), study.facts()["log"]
    tested, *learned = study.origins()
    playing = len(study.tournament()["about"]["churn"]["playing"])
    return {
        "title": "Model card: who will leave",
        "model": model,
        "summary": f"{model}, chosen among {playing} ways to predict who leaves. {churn.read_calibration(study)}",
        "intended_use": list(INTENDED_USE),
        "not_for": list(NOT_FOR),
        "definition": churn.definition(study),
        "data": {
            "Data set": study.dataset.title,
            "Notice": study.dataset.notice or "none",
            "Log": f"{words.day(facts['first_day'])} to {words.day(facts['last_day'])}",
            "Active customers": words.count(churn.active_customers(study)),
            "Dates learned from": words.listed(words.day(day) for day in learned) if learned else words.day(tested),
            "Test date": f"{words.day(tested)}, and the {words.days(study.horizon_days)} from it on",
            "Outcomes learned from": words.count(about["learned_from"]),
        },
        "metrics": metrics(holdout["churned"], holdout[model], table.loc[model]),
        "limits": [churn.limits(study)],
        "features": features([str(name) for name in study.churn()["attributes"].columns]),
        "making": making(str(about.get("trees", "")), study.key),
    }


def making(trees: str, run: str) -> dict[str, str]:
    """Hash of the trees that were fitted, whether or not they were chosen; run and versions."""
    versions = {name: version(name) for name in LIBRARIES}
    return (
        {"Hash of the trees": trees or "none", "Run": run}
        | {"python": platform.python_version(), "xgboost": xgboost.__version__}
        | versions
    )
