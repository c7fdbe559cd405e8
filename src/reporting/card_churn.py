"""The card of the model that says who will leave."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..models.metrics import wilson
from ..models.reliability import calibration_error, log_losses
from . import words
from .card_parts import OTHERS, data, looked_at, making, metric

if TYPE_CHECKING:
    from ..study import Study

INTENDED_USE = (
    "Ranking active customers for retention work: whom to call, write to, or look at first.",
    "Planning how many customers and how much spend are at risk over the horizon.",
)
NOT_FOR = (
    "Decisions about a single person that matter to that person, such as credit, prices, service or access: no one may "
    "be worse off for a score.",
    "Measuring what a campaign changed: the model says who is likely to leave, not who can be kept.",
    *OTHERS,
)


def describe(study: "Study") -> dict[str, Any]:
    """Every section of `card.SECTIONS`."""
    from .chapters import churn

    about, table, holdout = study.churn()["about"], study.churn()["comparison"], study.churn()["holdout"]
    model = str(about["winner"])
    playing = len(study.tournament()["about"]["churn"]["playing"])
    return {
        "title": "Model card: who will leave",
        "model": model,
        "summary": f"{model}, chosen among {playing} ways to predict who leaves. {churn.read_calibration(study)}",
        "intended_use": list(INTENDED_USE),
        "not_for": list(NOT_FOR),
        "definition": churn.definition(study),
        "data": data(study),
        "metrics": metrics(holdout["churned"], holdout[model], table.loc[model]),
        "limits": [churn.limits(study)],
        "features": looked_at(study, model),
        "making": making(str(about.get("trees", "")), study.key),
    }


def metrics(churned: pd.Series, probability: pd.Series, comparison: pd.Series) -> list[dict[str, Any]]:
    """How good probabilities were on the test date.

    Parameters
    ----------
    churned, probability : of the same customers.
    comparison : of the model, see `models.metrics.compare`: auc, auc_low and auc_high.

    Returns
    -------
    See `card_parts.metric`.
    """
    left, p = churned.to_numpy("float64"), probability.to_numpy("float64")
    losses, squares, count = log_losses(left, p), (left - p) ** 2, len(left)
    low, high = wilson(left.sum(), count)
    usual = log_losses(left, np.full(count, left.mean())).mean()
    return [
        metric("Pairs told apart (AUC)", comparison["auc"], comparison["auc_low"], comparison["auc_high"], "percent",
               "of one who left and one who stayed, how often the former had the higher probability"),
        metric("Log-loss", losses.mean(), *_about(losses), "number",
               f"smaller is better; {words.number(usual)} is who gives everyone the mean"),
        metric("Brier score", squares.mean(), *_about(squares), "number", "mean squared error; smaller is better"),
        metric("Expected calibration error", calibration_error(left, p), None, None, "percent",
               "mean distance of promise and outcome over tenths"),
        metric("Leavers promised", p.sum(), None, None, "count",
               f"{words.count(left.sum())} of {words.count(count)} left"),
        metric("Share that left", left.mean(), low, high, "percent", "of those tested"),
    ]  # fmt: skip


def _about(values: np.ndarray) -> tuple[float, float]:
    """90 % interval of a mean."""
    half = 1.645 * float(values.std(ddof=1)) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(values.mean() - half), float(values.mean() + half)
