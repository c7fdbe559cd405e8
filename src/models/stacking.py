"""How much of each forecast goes into the blend: weights learned on dates that the forecasts did not learn from.

Weights are never negative, and are pulled towards a prior guess: forecasts of the same thing are so alike that a
sample determines their weights badly, and a mean of good forecasts is hard to beat (Breiman 1996, "Stacked
Regressions"; Claeskens et al. 2016, "The forecast combination puzzle").
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from . import trees
from .validation import FloatArray

PULL = 10.0
"""Log-likelihood that it costs to move one weight by 1 from its prior."""


def log_odds_weights(log_odds: FloatArray, churned: FloatArray, prior: FloatArray, pull: float = PULL) -> FloatArray:
    """Weights of log-odds with the least log loss, the level of all left free.

    Parameters
    ----------
    log_odds : of each forecast, shape (customers, forecasts).
    churned : 1 for who left, shape (customers,).
    prior : weights before anything is known, shape (forecasts,).
    pull : see `PULL`.

    Returns
    -------
    Weights, shape (forecasts,), none below 0. Their sum need not be 1: log-odds that are too bold are shrunk.
    """
    count = log_odds.shape[1]

    def objective(z: FloatArray) -> tuple[float, FloatArray]:
        away = z[:count] - prior
        total = log_odds @ z[:count] + z[count]
        residual = expit(total) - churned
        value = np.sum(np.logaddexp(0, total) - churned * total) + pull * away @ away
        return float(value), np.append(log_odds.T @ residual + 2 * pull * away, residual.sum())

    found = minimize(
        objective, np.append(prior, 0.0), jac=True, method="L-BFGS-B", bounds=[(0, None)] * count + [(None, None)]
    )
    return np.asarray(found.x[:count])


def share_weights(amounts: FloatArray, actual: FloatArray, prior: FloatArray, pull: float = PULL) -> FloatArray:
    """Weights of amounts with the least Tweedie deviance, each forecast first brought to the level of what came.

    Parameters
    ----------
    amounts : of each forecast, shape (customers, forecasts), none below 0.
    actual : what came, shape (customers,).
    prior, pull : as in `log_odds_weights`.

    Returns
    -------
    Weights, shape (forecasts,), none below 0, that add up to 1.
    """
    level = max(float(actual.mean()), 1e-300)
    shares = np.maximum(at_level(amounts), 1e-4)
    target = np.maximum(actual, 0.0) / level

    def objective(z: FloatArray) -> tuple[float, FloatArray]:
        weights = np.exp(z - z.max())
        weights /= weights.sum()
        mean = shares @ weights
        away = weights - prior
        value = np.sum(trees.deviance(trees.AMOUNT, target, mean)) + pull * away @ away
        power = trees.POWER
        slope = shares.T @ (mean ** (1 - power) - target * mean**-power) + 2 * pull * away
        return float(value), weights * (slope - weights @ slope)

    found = minimize(
        objective, np.log(np.maximum(prior, 1e-3)), jac=True, method="L-BFGS-B", bounds=[(-12, 3)] * len(prior)
    )
    weights = np.exp(found.x - found.x.max())
    return np.asarray(weights / weights.sum())


def amount_weights(amounts: FloatArray, actual: FloatArray, prior: FloatArray) -> FloatArray:
    """Weights of amounts that blend their shares as `share_weights` says, whatever the level of each; same shapes."""
    means = amounts.mean(axis=0)
    weights = share_weights(amounts, actual, prior) if actual.sum() > 0 else prior
    return np.where(means > 0, weights * means.mean() / np.where(means > 0, means, 1.0), 0.0)


def at_level(amounts: FloatArray) -> FloatArray:
    """Each column divided by its mean; a column of zeros says that all are alike."""
    means = amounts.mean(axis=0)
    return np.where(means > 0, amounts / np.where(means > 0, means, 1.0), 1.0)
