"""Why a model says what it says: what each feature adds to a prediction, checked, summed up, and how steady it is.

Contributions are SHAP values in log-odds: one row a customer, one column a feature, and `base`, the log-odds before any
feature is known. A row adds up to the log-odds of its prediction (Lundberg & Lee 2017, "A Unified Approach to
Interpreting Model Predictions"); trees give them exactly (Lundberg, Erion & Lee 2018).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
import xgboost

from ..errors import LoyaltyError
from .validation import FloatArray

BASE = "base"
TOLERANCE = 1e-4
MOST = 50_000
"""Customers that reasons are computed for unless more are asked for: deep trees take milliseconds each."""

BATCH = 5_000
SMALL = 5_000_000
"""Cells up to which one thread is faster: on a busy machine threads that wait for each other take minutes."""


def chosen(risk: pd.Series, value: pd.Series, most: int = MOST) -> pd.Index:
    """The customers most at risk and the most valuable, about as many of each.

    Parameters
    ----------
    risk, value : index customer, the larger the earlier; missing is last.
    most : customers to choose.

    Returns
    -------
    At most `most` customers, in the order of the better of their two ranks; ties go to risk, and then to who stands
    first in `risk`.

    Examples
    --------
    >>> risk, value = pd.Series([0.9, 0.8, 0.1, 0.2], list("abcd")), pd.Series([5.0, 1.0, 9.0, None], list("abcd"))
    >>> chosen(risk, value, 3).tolist()
    ['a', 'c', 'b']
    """
    by_risk = _ranks(risk)
    by_value = _ranks(value.reindex(risk.index))
    order = np.lexsort((by_risk, np.minimum(by_risk, by_value)))
    return risk.index[order[:most]]


def _ranks(values: pd.Series) -> FloatArray:
    ranked = values.rank(ascending=False, method="first", na_option="bottom")
    return np.asarray(ranked.to_numpy("float64"))


def of_trees(
    booster: xgboost.Booster,
    features: pd.DataFrame,
    *,
    margin: FloatArray | None = None,
    types: Sequence[str] | None = None,
    batch: int = BATCH,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> pd.DataFrame:
    """Contributions of boosted trees, checked to add up to the log-odds.

    Parameters
    ----------
    booster : trees for log-odds.
    features : columns as the trees learned them, numbers or categories.
    margin : log-odds that the trees started from, shape (n,), if they learned from such (`base_margin`). They are
        part of `base`; `told_apart` makes a feature of them.
    types : what XGBoost calls each column, where categories are given as numbers.
    batch : customers at a time; what was computed of them is all that is held beside the result.
    progress : told how many customers are done, and of how many.

    Raises
    ------
    LoyaltyError
        If a row does not add up.
    """
    booster.set_param({"nthread": 1 if features.size < SMALL else 0})
    values = np.empty((len(features), features.shape[1] + 1))
    for start in range(0, len(features), batch):
        rows = slice(start, start + batch)
        data = xgboost.DMatrix(
            features.iloc[rows] if types is None else features.iloc[rows].to_numpy(),
            base_margin=None if margin is None else margin[rows],
            feature_names=[str(name) for name in features],
            feature_types=types,
            enable_categorical=True,
        )
        values[rows] = booster.predict(data, pred_contribs=True)
        check_additive(values[rows], booster.predict(data, output_margin=True))
        progress(min(start + batch, len(features)), len(features))
    return pd.DataFrame(values, index=features.index, columns=[*features.columns, BASE])


def of_line(coefficients: pd.Series, intercept: float, features: pd.DataFrame, means: pd.Series) -> pd.DataFrame:
    """Contributions of a linear model of log-odds: coefficient times distance from the mean (Lundberg & Lee 2017).

    Parameters
    ----------
    coefficients, means : index feature; the mean of what the model learned from.
    intercept : log-odds where every feature is 0.
    features : columns of at least `coefficients`, without gaps.

    Examples
    --------
    >>> slope, mean, seen = pd.Series({"x": 2.0}), pd.Series({"x": 1.0}), pd.DataFrame({"x": [4.0]})
    >>> of_line(slope, -1.0, seen, mean).to_dict("records")
    [{'x': 6.0, 'base': 1.0}]
    """
    names = list(coefficients.index)
    parts = (features[names] - means[names]) * coefficients
    return parts.assign(**{BASE: intercept + float(means[names] @ coefficients)})


def told_apart(contributions: pd.DataFrame, margin: FloatArray, name: str) -> pd.DataFrame:
    """Contributions with what trees started from as a feature, by its distance from the mean.

    Parameters
    ----------
    contributions : of `of_trees` with that margin.
    margin : log-odds, shape (n,).
    name : of the feature; added to the column if there is one.

    Examples
    --------
    >>> two = pd.DataFrame({"x": [0.5, 0.5], "base": [1.0, 3.0]})
    >>> told_apart(two, np.array([0.0, 2.0]), "start").to_dict("records")
    [{'x': 0.5, 'base': 2.0, 'start': -1.0}, {'x': 0.5, 'base': 2.0, 'start': 1.0}]
    """
    apart = margin - margin.mean()
    return contributions.assign(**{BASE: contributions[BASE] - apart, name: contributions.get(name, 0.0) + apart})


def blended(parts: Sequence[pd.DataFrame], weights: Sequence[float] | None = None) -> pd.DataFrame:
    """Contributions of a weighted sum of log-odds; of their mean if no weights are given.

    Parameters
    ----------
    parts : contributions of each model, the same customers; a feature that a model does not know adds nothing there.
    weights : one a model.

    Examples
    --------
    >>> trees, line = pd.DataFrame({"x": [1.0], "base": [0.0]}), pd.DataFrame({"y": [2.0], "base": [1.0]})
    >>> blended([trees, line]).to_dict("records")
    [{'x': 0.5, 'y': 1.0, 'base': 0.5}]
    """
    shares = [1 / len(parts)] * len(parts) if weights is None else list(weights)
    names = [*dict.fromkeys(name for part in parts for name in part if name != BASE), BASE]
    values = sum(share * part.reindex(columns=names, fill_value=0.0) for share, part in zip(shares, parts, strict=True))
    return pd.DataFrame(values)


def check_additive(
    contributions: pd.DataFrame | FloatArray, log_odds: FloatArray, tolerance: float = TOLERANCE
) -> None:
    """Raise LoyaltyError unless every row, its base included, adds up to the log-odds of its prediction.

    Examples
    --------
    >>> check_additive(np.array([[0.5, 1.0]]), np.array([1.5]))
    """
    difference = np.abs(np.asarray(contributions, dtype="float64").sum(axis=1) - log_odds)
    wrong = ~(difference <= tolerance)
    if wrong.any():
        raise LoyaltyError(
            f"the contributions do not add up to the prediction for {wrong.sum():,} of {len(wrong):,} customers: they "
            f"differ by up to {np.nanmax(difference, initial=0):.2g}, where at most {tolerance:g} was expected; "
            "no reasons are given: fit the model anew, or report this as a fault"
        )


def grouped(contributions: pd.DataFrame, groups: Mapping[str, str]) -> pd.DataFrame:
    """Contributions of groups of features: those of one customer add up as before.

    Parameters
    ----------
    contributions : with `base`.
    groups : feature → group; a feature that is not in it is a group of its own.

    Examples
    --------
    >>> each = pd.DataFrame({"spend_7": [1.0], "spend_14": [-0.5], "T": [2.0], "base": [0.0]})
    >>> grouped(each, {"spend_7": "spend", "spend_14": "spend"}).to_dict("records")
    [{'spend': 0.5, 'T': 2.0, 'base': 0.0}]
    """
    names = [groups.get(str(name), str(name)) for name in contributions.columns]
    columns = list(dict.fromkeys(names))
    belongs = np.array([[name == column for column in columns] for name in names], dtype="float64")
    return pd.DataFrame(contributions.to_numpy("float64") @ belongs, index=contributions.index, columns=columns)


def importance(contributions: pd.DataFrame, draws: int = 400, seed: int = 1) -> pd.DataFrame:
    """How much each feature moves the predictions: the mean size of its contributions.

    Parameters
    ----------
    contributions : of features or of groups, see `grouped`.
    draws, seed : of the bootstrap over customers.

    Returns
    -------
    Index feature, the strongest first; importance (log-odds), low and high (90 %), share of all importance.
    """
    sizes = contributions.drop(columns=BASE).abs()
    values, random, count = sizes.to_numpy("float64"), np.random.default_rng(seed), len(sizes)
    ones = np.full(count, 1 / count)
    drawn = [np.bincount(random.integers(count, size=count), ones, minlength=count) @ values for _ in range(draws)]
    low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    means = values.mean(axis=0)
    table = pd.DataFrame(
        {"importance": means, "low": low, "high": high, "share": means / (means.sum() or 1.0)}, index=sizes.columns
    )
    return table.rename_axis("feature").sort_values("importance", ascending=False, kind="stable")


class Stability(NamedTuple):
    """What stays the same when a model is fitted again with other seeds.

    Attributes
    ----------
    table : index feature, the strongest first; importance (mean over seeds), low and high (least and most of any seed),
        best_rank and worst_rank.
    rank_correlation : of the importances of two seeds (Spearman), the mean over all pairs.
    top_shared : share of the strongest features of one seed that are among those of another, the mean over all pairs.
    same_reason : share of customers whose strongest feature is the same by two seeds, the mean over all pairs.
    """

    table: pd.DataFrame
    rank_correlation: float
    top_shared: float
    same_reason: float


def stability(contributions: Mapping[int, pd.DataFrame], top: int = 5) -> Stability:
    """Compare the contributions that models fitted with different seeds give the same customers.

    Parameters
    ----------
    contributions : seed → contributions, at least two; of features or of groups, the same columns.
    top : how many features count as the strongest.
    """
    parts = {seed: part.drop(columns=BASE).abs() for seed, part in contributions.items()}
    sizes = pd.DataFrame({seed: part.mean() for seed, part in parts.items()})
    ranks = sizes.rank(ascending=False, method="first")
    table = pd.DataFrame(
        {
            "importance": sizes.mean(axis=1),
            "low": sizes.min(axis=1),
            "high": sizes.max(axis=1),
            "best_rank": ranks.min(axis=1).astype("int64"),
            "worst_rank": ranks.max(axis=1).astype("int64"),
        }
    ).rename_axis("feature")
    first = {seed: part.to_numpy().argmax(axis=1) for seed, part in parts.items()}
    pairs = list(combinations(parts, 2))
    shown = min(top, len(sizes))
    return Stability(
        table.sort_values("importance", ascending=False, kind="stable"),
        float(np.mean([sizes[one].rank().corr(sizes[other].rank()) for one, other in pairs])),
        float(np.mean([((ranks[one] <= shown) & (ranks[other] <= shown)).sum() / shown for one, other in pairs])),
        float(np.mean([(first[one] == first[other]).mean() for one, other in pairs])),
    )
