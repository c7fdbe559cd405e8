"""All scores of all contenders of a tournament, date by date and over all."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import brier_score_loss

from . import profit, ranking, reliability
from .line_up import scored_by
from .metrics import auc, errors
from .profit import Offer
from .standings import CHURN, VALUE, Game, Standings, middle
from .tournament import Played
from .validation import FloatArray

ALL, EARLIER = "all", "earlier"
"""Names, beside the ISO dates, of all dates together, and of all but the last that was tested."""

POOLED = (
    "leavers", "spent", "expected", "bias", "orders_bias", "tenths", "calibration_error", "calibration_error_of_chance",
    "reliability", "resolution", "uncertainty",
)  # fmt: skip
"""Scores that are computed over the rows of all dates at once."""


class League(NamedTuple):
    """What a tournament says of one question.

    Attributes
    ----------
    scores : contender, date (ISO, or `ALL`), and every score, see `churn_scores` and `value_scores`.
    gains : date (ISO, `EARLIER` or `ALL`), and the columns of `Standings.gains`, against the first contender, the rule.
    duels : the same against the winner, and against who makes the scores if that is another: against, and as above.
    winner : the simplest contender that none clearly beats, chosen on the earlier dates where there are some.
    beaten : contenders that are clearly beaten on the dates of the choice, each by whom.
    """

    scores: pd.DataFrame
    gains: pd.DataFrame
    duels: pd.DataFrame
    winner: str
    beaten: dict[str, list[str]]


def churn_league(played: Played, offer: Offer) -> League:
    """Who says best who will leave."""
    return _league(CHURN, played, lambda outcomes, said: churn_scores(outcomes, said, offer))


def value_league(played: Played) -> League:
    """Who says best what customers will spend."""
    return _league(VALUE, played, value_scores)


def churn_scores(outcomes: pd.DataFrame, said: pd.DataFrame, offer: Offer) -> dict[str, float]:
    """Scores of churn probabilities at one date.

    Returns
    -------
    auc, average_precision, log_loss, brier with reliability, resolution and uncertainty, calibration_error with
    calibration_error_of_chance, lift (in the tenth at most risk), leavers and expected (counts), bias (of that count,
    share of what happened), maximum_profit (money a customer) and list (share of the customers it is reached with).
    """
    churned, p = outcomes["churned"].to_numpy("float64"), said["churn_probability"].to_numpy("float64")
    parts, best = reliability.brier(churned, p), profit.maximum_profit(churned, p, offer)
    return {
        "auc": float(auc(churned, p, np.ones((1, len(p))))[0]),
        "average_precision": ranking.average_precision(churned, p),
        "log_loss": float(reliability.log_losses(churned, p).mean()),
        "brier": float(brier_score_loss(churned, p)),
        "reliability": parts.reliability,
        "resolution": parts.resolution,
        "uncertainty": parts.uncertainty,
        "calibration_error": reliability.calibration_error(churned, p),
        "calibration_error_of_chance": reliability.calibration_error_of_chance(p),
        "lift": ranking.lift(churned, p),
        "leavers": float(churned.sum()),
        "expected": float(p.sum()),
        "bias": float(p.sum() / churned.sum() - 1),
        "maximum_profit": best.profit,
        "list": best.share,
    }


def value_scores(outcomes: pd.DataFrame, said: pd.DataFrame) -> dict[str, float]:
    """Scores of expected and median spend, and of expected orders where they are told, at one date.

    Returns
    -------
    gini (normalised), spearman, explained (share of the deviance), rmse, spent and expected (money, all customers),
    bias (of that sum), tenths (mean error of tenths, share of the mean); mae (money, of the median where it is told);
    orders_mae, orders_bias, orders_gini; coverage and width (money) of the interval of spend. NaN where not told.
    """
    spend, expected = outcomes["spend"].to_numpy("float64"), said["expected_spend"].to_numpy("float64")
    found = errors(spend, expected)
    scores = {
        "gini": float(ranking.normalised_gini(spend, expected)[0]),
        "spearman": ranking.spearman(spend, expected),
        "explained": reliability.explained(spend, expected),
        "rmse": found["rmse"],
        "spent": float(spend.sum()),
        "expected": found["total"],
        "bias": found["bias"],
        "tenths": reliability.error_of_tenths(spend, expected),
        "mae": errors(spend, middle(said))["mae"],
    }
    return scores | _orders(outcomes, said) | _interval(spend, said)


def _orders(outcomes: pd.DataFrame, said: pd.DataFrame) -> dict[str, float]:
    if "expected_orders" not in said:
        return dict.fromkeys(("orders_mae", "orders_bias", "orders_gini"), np.nan)
    actual, expected = outcomes["purchases"].to_numpy("float64"), said["expected_orders"].to_numpy("float64")
    found = errors(actual, expected)
    gini = float(ranking.normalised_gini(actual, expected)[0])
    return {"orders_mae": found["mae"], "orders_bias": found["bias"], "orders_gini": gini}


def _interval(spend: FloatArray, said: pd.DataFrame) -> dict[str, float]:
    if "expected_spend_low" not in said:
        return {"coverage": np.nan, "width": np.nan}
    low, high = (said[f"expected_spend_{end}"].to_numpy("float64") for end in ("low", "high"))
    return dict(zip(("coverage", "width"), reliability.coverage(spend, low, high), strict=True))


def _league(game: Game, played: Played, score: Callable[[pd.DataFrame, pd.DataFrame], dict[str, float]]) -> League:
    standings = Standings.of(game, played)
    names, days = standings.names, [day.isoformat() for day in played.days]
    earlier = [*range(1, len(days))] or [0]
    choosing = standings.at(earlier)
    winner = choosing.winner(game.counts)
    scopes = {day: [at] for at, day in enumerate(days)} | {EARLIER: earlier, ALL: [*range(len(days))]}
    within = {scope: standings.at(dates) for scope, dates in scopes.items()}
    rivals = [name for name in dict.fromkeys([winner, scored_by(winner)]) if name in names]
    beaten = {name: [other for other in names if choosing.beats(other, name, game.counts)] for name in names}
    rows = [
        {"contender": name, "date": day} | score(played.outcomes[at], played.forecasts[name][at])
        for name in names
        for at, day in enumerate(days)
    ]
    everyone = pd.concat(played.outcomes)
    pooled = {name: score(everyone, pd.concat(played.forecasts[name])) for name in names}
    return League(
        _with_all(pd.DataFrame(rows), pd.Series(standings.sizes, days), pooled),
        _gains(within, names[0]),
        pd.concat([_gains(within, rival).assign(against=rival) for rival in rivals], ignore_index=True),
        winner,
        {name: others for name, others in beaten.items() if others},
    )


def _gains(within: dict[str, Standings], rival: str) -> pd.DataFrame:
    """Every contender against one, in each scope."""
    return pd.concat([each.gains(rival).assign(date=scope) for scope, each in within.items()], ignore_index=True)


def _with_all(scores: pd.DataFrame, sizes: pd.Series, pooled: dict[str, dict[str, float]]) -> pd.DataFrame:
    """The scores with rows for all dates together.

    What judges an order is the mean over dates, each counted by its customers, for nobody ranks customers of one date
    among those of another; sums, and whether promises are kept, are of all rows at once.
    """
    rows = []
    for name, each in scores.groupby("contender", sort=False):
        numbers = each.drop(columns=["contender", "date"])
        mean = numbers.mul(each["date"].map(sizes), axis=0).sum(skipna=False) / sizes.sum()
        kept = {score: pooled[str(name)][score] for score in POOLED if score in numbers}
        rows.append({"contender": name, "date": ALL} | mean.to_dict() | kept)
    return pd.concat([scores, pd.DataFrame(rows)], ignore_index=True)
