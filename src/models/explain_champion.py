"""What each feature adds to the champion's log-odds of leaving, before they are calibrated and levelled.

Calibration and level move all customers along one rising curve: who is told apart from whom, and why, stays as it is.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from .explain import BASE, BATCH, blended, check_additive, of_line, of_trees
from .forecaster import Forecaster
from .learners import COUNTS, MODELS, Known, Learners, of_models
from .line import Line
from .trees import Encoder

Told = Callable[[int, int], None]


def of_champion(
    forecaster: Forecaster,
    features: pd.DataFrame,
    *,
    batch: int = BATCH,
    progress: Told = lambda done, of: None,
) -> pd.DataFrame:
    """Contributions of each part of the blend, weighted as the parts are, and checked to add up.

    Parameters
    ----------
    forecaster : the champion at a date.
    features : of customers of that date.
    batch, progress : see `explain.of_trees`; the customers are gone through once for each kind of trees.

    Returns
    -------
    Index of `features`; the columns that trees and line see, names of one meaning once, and `base`. What models of
    purchases expect are columns too, `btyd_silence` and `steady_silence`.

    Raises
    ------
    LoyaltyError
        If a row does not add up.
    """
    known, weights, learners = forecaster.known(features), forecaster.weights["churn"], forecaster.learners
    parts = _of_models(known, learners.line if learners else None)
    said = of_models(known.outlook).churn
    if learners is not None:
        parts |= _of_learners(learners, known, batch, progress)
        said = learners.say(known).churn
    names = [name for name in weights if name in parts]
    contributions = blended([parts[name] for name in names], [weights[name] for name in names])
    check_additive(contributions, sum(weights[name] * said[name].to_numpy("float64") for name in names))
    return contributions


def _of_learners(learners: Learners, known: Known, batch: int, progress: Told) -> dict[str, pd.DataFrame]:
    line = learners.line
    slopes = pd.Series(line.slopes / line.scale, index=line.columns)
    means = pd.Series(line.mean, index=line.columns)
    of_the_line = of_line(slopes, line.intercept - float(slopes @ means), known.line, means)
    margin = line.log_odds(known.line)

    def grown(name: str, frame: pd.DataFrame, encoder: Encoder, turn: int) -> pd.DataFrame:
        trees = learners.grown[name]
        return of_trees(
            trees.booster,
            pd.DataFrame(encoder.numbers(frame), index=frame.index, columns=list(encoder.columns)),
            margin=margin if name == "churn_on_line" else np.full(len(frame), trees.start),
            types=encoder.types(),
            batch=batch,
            progress=lambda done, of: progress(turn * of + done, 3 * of),
        )

    free = grown("churn", known.frame, learners.encoder, 0)
    held = grown("churn_on_line", known.frame, learners.encoder, 1)
    # Trees that start from the line say what the line says, and what they correct of it.
    corrected = held.assign(**{BASE: held[BASE] - margin})
    return {
        "line": of_the_line,
        "trees": free,
        "trees_on_line": blended([corrected, of_the_line], [1.0, 1.0]),
        "trees_on_counts": grown(COUNTS, known.counts, learners.counter, 2),
    }


def _of_models(known: Known, line: Line | None) -> dict[str, pd.DataFrame]:
    """Log-odds of the models, by their distance from what was usual where the line learned."""
    usual = dict(zip(line.columns, line.mean, strict=True)) if line is not None else {}
    parts = {}
    for name in MODELS:
        column = f"{name}_silence"
        said = known.outlook[column]
        middle = float(usual.get(column, said.mean() if len(said) else 0.0))
        parts[name] = pd.DataFrame({column: said - middle, BASE: middle})
    return parts


def explained_by(known: Known) -> pd.DataFrame:
    """What the trees see of customers, each column once: beside tenure and models, if there is such a one."""
    return known.frame.join(known.counts[[name for name in known.counts if name not in known.frame]])
