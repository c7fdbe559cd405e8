"""How good a prediction was, each figure with its error."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import brier_score_loss, log_loss

from .churn import FloatArray

TINY = 1e-6


def wilson(successes: float, trials: float, level: float = 0.9) -> tuple[float, float]:
    """Interval of a share (Wilson 1927), (nan, nan) without trials.

    Examples
    --------
    >>> [round(edge, 3) for edge in wilson(10, 100)]
    [0.061, 0.16]
    """
    if trials == 0:
        return (np.nan, np.nan)
    interval = stats.binomtest(int(successes), int(trials)).proportion_ci(level, method="wilson")
    return (float(interval.low), float(interval.high))


def newcombe(one: tuple[float, float], other: tuple[float, float], level: float = 0.9) -> tuple[float, float]:
    """Interval of one share less another, good near 0 and 1 too.

    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.

    Parameters
    ----------
    one, other : how many did it, and of how many.

    Examples
    --------
    His first example, 56 of 70 against 48 of 80:

    >>> [round(edge, 4) for edge in newcombe((56, 70), (48, 80), level=0.95)]
    [0.0524, 0.3339]
    """
    p, q = one[0] / one[1], other[0] / other[1]
    (low, high), (below, above) = wilson(*one, level), wilson(*other, level)
    return p - q - float(np.hypot(p - low, above - q)), p - q + float(np.hypot(high - p, q - below))


def compare(
    churned: FloatArray, probabilities: Mapping[str, FloatArray], draws: int = 400, seed: int = 1
) -> pd.DataFrame:
    """Churn probabilities of several models against what happened, on the same customers.

    Parameters
    ----------
    churned : 1 where the customer left, shape (n,).
    probabilities : model name → probability of leaving, shape (n,); the first is the rule to beat.
    draws, seed : of the bootstrap over customers, the same customers for every model.

    Returns
    -------
    Index model name; auc with auc_low, auc_high (90 %); brier; log_loss; log_loss_gain, the log-loss of the first
    minus this one's, with its 90 % interval log_loss_gain_low and _high (above zero: better than the first);
    expected, the number of leavers predicted.
    """
    rule = next(iter(probabilities))
    losses = {name: _losses(churned, p) for name, p in probabilities.items()}
    random = np.random.default_rng(seed)
    weights = random.multinomial(len(churned), np.full(len(churned), 1 / len(churned)), size=draws).astype("float64")
    rows = {}
    for name, p in probabilities.items():
        gains = losses[rule] - losses[name]
        drawn_auc = auc(churned, p, weights)
        rows[name] = {
            "auc": auc(churned, p, np.ones((1, len(churned))))[0],
            "auc_low": np.nanquantile(drawn_auc, 0.05),
            "auc_high": np.nanquantile(drawn_auc, 0.95),
            "brier": brier_score_loss(churned, p),
            "log_loss": log_loss(churned, np.clip(p, TINY, 1 - TINY)),
            "log_loss_gain": gains.mean(),
            "log_loss_gain_low": np.nanquantile(weights @ gains / len(churned), 0.05),
            "log_loss_gain_high": np.nanquantile(weights @ gains / len(churned), 0.95),
            "expected": p.sum(),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def auc(churned: FloatArray, probability: FloatArray, weights: FloatArray) -> FloatArray:
    """Area under the ROC curve for several weightings of the same customers at once.

    It is the chance that a leaver was given a higher probability than a stayer, ties counted half (Mann-Whitney).

    Parameters
    ----------
    churned, probability : shape (n,).
    weights : shape (draws, n).

    Examples
    --------
    >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.4, 0.8]), np.ones((1, 4))).tolist()
    [0.875]
    """
    order = np.argsort(probability, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(probability[order]) > 0])
    leavers = np.add.reduceat(weights[:, order] * churned[order], starts, axis=1)
    stayers = np.add.reduceat(weights[:, order] * (1 - churned[order]), starts, axis=1)
    below = np.cumsum(stayers, axis=1) - stayers / 2
    with np.errstate(invalid="ignore"):
        return np.asarray((leavers * below).sum(axis=1) / (leavers.sum(axis=1) * stayers.sum(axis=1)))


def calibration(churned: FloatArray, probability: FloatArray, groups: int = 10) -> pd.DataFrame:
    """Promised against realised, by groups of equal size from the least to the most likely to leave.

    Returns
    -------
    customers, promised (mean probability), realised (share that left), low and high (90 % interval of it).
    """
    order = np.argsort(probability, kind="stable")
    rows = []
    for part in np.array_split(order, min(groups, len(order))):
        low, high = wilson(churned[part].sum(), len(part))
        rows.append((len(part), probability[part].mean(), churned[part].mean(), low, high))
    return pd.DataFrame(rows, columns=["customers", "promised", "realised", "low", "high"])


def captured(churned: FloatArray, probability: FloatArray, share: float = 0.2) -> float:
    """Share of all leavers that is found among the `share` of customers with the highest probability."""
    count = max(1, round(share * len(churned)))
    highest = np.argsort(-probability, kind="stable")[:count]
    return float(churned[highest].sum() / max(churned.sum(), 1))


def errors(actual: FloatArray, predicted: FloatArray) -> dict[str, float]:
    """Totals, bias of the total (share of the actual), MAE and RMSE per customer."""
    return {
        "total": float(predicted.sum()),
        "bias": float(predicted.sum() / actual.sum() - 1) if actual.sum() else np.nan,
        "mae": float(np.abs(predicted - actual).mean()),
        "rmse": float(np.sqrt(((predicted - actual) ** 2).mean())),
    }


def _losses(churned: FloatArray, probability: FloatArray) -> FloatArray:
    p = np.clip(probability, TINY, 1 - TINY)
    return -(churned * np.log(p) + (1 - churned) * np.log1p(-p))
