"""Models held against what happened after the date they were fitted at."""

import warnings
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from .base import BTYDModel
from .baselines import DaysSinceLast
from .bgnbd import BGNBD
from .churn import ChurnModel, check_two_classes
from .gamma_gamma import GammaGamma
from .metrics import compare, winner

M = TypeVar("M", BTYDModel, GammaGamma)

RULE, BTYD, BOOSTED = "Days since last purchase", "BG/NBD", "XGBoost"
FOLDS = 5


class Origin(NamedTuple):
    """One past date, with what was known then and what came after.

    Attributes
    ----------
    features : index customer, the customers active at that date, or a sample of them; frequency, recency, T among them.
    histories : frequency, recency, T of all customers who had bought by then, and optionally weight.
    churned : index customer, of the same customers as `features`; None where the horizon is not over.
    amounts : purchases and spend in the horizon, of the same customers; None where it is not over.
    day : the date.
    year_before : the same a year (52 weeks) before, features frequency, recency, T and monetary_value alone; None where
        the log does not reach back so far.
    """

    features: pd.DataFrame
    histories: pd.DataFrame
    churned: pd.Series | None = None
    amounts: pd.DataFrame | None = None
    day: date | None = None
    year_before: "Origin | None" = None


class Contest(NamedTuple):
    """Three ways to predict churn, held against what happened after the latest past origin.

    Attributes
    ----------
    tested : index customer; the probability by each model.
    comparison : see `metrics.compare`.
    winner : name of the best.
    """

    tested: pd.DataFrame
    comparison: pd.DataFrame
    winner: str


def contest(past: Sequence[Origin], horizon_days: int) -> Contest:
    """Compare three ways to predict churn on the latest past origin.

    Where there is one past origin only, models are tested on customers that they did not learn from instead of on a
    later time.

    Raises
    ------
    DataError
        If at the test or over all learning origins only one outcome is seen.
    """
    test, earlier = past[0], past[1:]
    actual = _outcome(test)
    check_two_classes(actual.to_numpy(), "the test date")
    tested = _probabilities(test, earlier, horizon_days)[0] if earlier else _across_customers(test, horizon_days)
    comparison = compare(actual.to_numpy(dtype="float64"), {name: p.to_numpy() for name, p in tested.items()})
    return Contest(tested, comparison, winner(comparison))


def learned_from(past: Sequence[Origin]) -> Sequence[Origin]:
    """Origins from which models learn again for the present: as many as for the test, which is now one of them."""
    return past[: max(len(past) - 1, 1)]


def churn(now: Origin, past: Sequence[Origin], horizon_days: int) -> dict[str, Any]:
    """Compare three ways to predict churn, see `contest`, and score the present with the winner.

    Parameters
    ----------
    now : the as-of date.
    past : origins whose horizon is over by then, the latest first; the first is the test, the others are learned from.
    horizon_days : as at every origin.

    Returns
    -------
    holdout : customer → churned and the probability by each model, at the test origin.
    comparison : see `metrics.compare`.
    scores : customer → churn_probability now, by the winner, and by each model.
    contributions : SHAP values of the boosted trees now, log-odds, see `ChurnModel.contributions`.
    features : feature frame now.
    about : winner, the number of outcomes learned from, and whether the test was `later` than what was learned from.

    Raises
    ------
    DataError
        If at the test or over all learning origins only one outcome is seen.
    """
    tested, comparison, best = contest(past, horizon_days)
    scores, boosted = _probabilities(now, learned_from(past), horizon_days)
    return {
        "holdout": tested.assign(churned=_outcome(past[0])),
        "comparison": comparison,
        "scores": scores.assign(churn_probability=scores[best]),
        "contributions": boosted.contributions(now.features),
        "features": now.features,
        "about": {
            "winner": best,
            "learned_from": sum(len(origin.features) for origin in past[1:] or past),
            "later": len(past) > 1,
            "trees": boosted.digest(),
        },
    }


def _probabilities(at: Origin, past: Sequence[Origin], horizon_days: int) -> tuple[pd.DataFrame, ChurnModel]:
    """Probability of no purchase by each model, and the boosted one."""
    rule, boosted = DaysSinceLast().fit(*learning(past)), ChurnModel().fit(*learning(past))
    lived = at.features[["frequency", "recency", "T"]]
    purchases, _ = fit_and_note(BGNBD(), at.histories)
    silent = purchases.probability_of_no_purchase(lived, horizon_days=horizon_days)
    columns = {RULE: rule.predict(at.features), BTYD: silent, BOOSTED: boosted.predict(at.features)}
    return pd.DataFrame(columns, index=at.features.index), boosted


def _across_customers(at: Origin, horizon_days: int) -> pd.DataFrame:
    """Probability of no purchase by each model, each customer's by models that learned from the others."""
    order = np.random.default_rng(7).permutation(len(at.features))
    parts = []
    for fold in range(FOLDS):
        held_out = np.sort(order[fold::FOLDS])
        rest = at._replace(features=at.features.drop(at.features.index[held_out]))
        parts.append(_probabilities(at._replace(features=at.features.iloc[held_out]), [rest], horizon_days)[0])
    return pd.concat(parts).loc[at.features.index]


def learning(past: Sequence[Origin]) -> tuple[list[pd.DataFrame], list[pd.Series]]:
    """What models learn from: the features and the outcomes of each origin."""
    return [origin.features for origin in past], [_outcome(origin) for origin in past]


def _outcome(origin: Origin) -> pd.Series:
    if origin.churned is None:
        raise ValueError("the horizon of this origin is not over")
    return origin.churned.loc[origin.features.index]


def fit_and_note(model: M, histories: pd.DataFrame) -> tuple[M, list[str]]:
    """The fitted model, and what it warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(histories)
    return model, [str(warning.message) for warning in caught]
