"""Further contenders: what the package `lifetimes` fits, and several ways to learn spend with boosted trees.

Each has a name, learns from past origins (`fit`), and forecasts a date (`predict`), see `tournament.Contender`.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Self

import numpy as np
import pandas as pd
from scipy.special import expit

from ..errors import DataError
from . import contenders
from .backtest import Origin
from .base import BTYDModel
from .btyd_features import PLAIN, Outlook, expected_spend, relative
from .champion import in_order, outcomes_of
from .players import check_enough
from .regressors import Hurdle, LogSquare, Regressor, Tweedie, ZeroInflatedLognormal

INCUMBENTS = {
    "lifetimes BG/NBD": ("BetaGeoFitter", "BG/NBD"),
    "lifetimes Pareto/NBD": ("ParetoNBDFitter", "Pareto/NBD"),
}
"""Name → fitter of the package `lifetimes`, and the same model here."""

SPENDING: dict[str, type[Regressor]] = {
    "Tweedie trees": Tweedie,
    "Hurdle of trees": Hurdle,
    "Zero-inflated lognormal trees": ZeroInflatedLognormal,
    "Trees on the logarithm": LogSquare,
}
"""Name → how it learns spend."""

ROUNDS = 60
SEED = 20171203
MOST = 1_000
"""Customers that `lifetimes` is fitted to: its Pareto/NBD takes minutes on more, where nobody leaves."""

ROWS = 40_000
"""Rows that trees of spend alone learn from: they are here to be compared, not to be used."""

Frames = dict[tuple[int, int], tuple[Origin, pd.DataFrame]]
"""What trees see of dates, by the identity of features and histories; each with its date, so that it stays itself."""


class Incumbent:
    """What the package `lifetimes` fits, at the date itself, with Gamma-Gamma for the spend.

    It finds the parameters; forecasts are computed here, because the package's own are not a number for some frequent
    customers, and it has no probability of no purchase for all of its models.
    """

    def __init__(self, name: str, horizon_days: int, *, by_silence: bool = True) -> None:
        self.name, self.horizon_days, self.by_silence = name, horizon_days, by_silence

    def fit(self, past: Sequence[Origin]) -> Self:
        """Learn nothing: the model knows the present better than the past."""
        return self

    def predict(self, at: Origin) -> pd.DataFrame:
        """churn_probability (where to leave is to buy nothing), expected_orders, expected_spend.

        Raises
        ------
        DataError
            If the package finds no parameters.
        """
        outlook = Outlook.fit_spend(at.features)._replace(purchases={PLAIN: self._fitted(at.histories)})
        said = outlook.forecast(at.features, self.horizon_days)
        told = pd.DataFrame(
            {
                "churn_probability": expit(said[f"{PLAIN}_silence"]),
                "expected_orders": said[f"{PLAIN}_orders"],
                "expected_spend": expected_spend(said, PLAIN),
            }
        )
        return told if self.by_silence else told.drop(columns="churn_probability")

    def _fitted(self, histories: pd.DataFrame) -> BTYDModel:
        fitter_name, name = INCUMBENTS[self.name]
        people = drawn(histories)
        lived = [people[column] for column in ("frequency", "recency", "T")]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import lifetimes  # heavy, and warns on import

            fitter = getattr(lifetimes, fitter_name)()
            state = np.random.get_state()
            np.random.seed(SEED)
            try:
                with redirect_stdout(io.StringIO()):  # it prints what its search says
                    fitter.fit(*lived)
            except (lifetimes.utils.ConvergenceError, ValueError, ArithmeticError) as error:
                raise DataError(f"{self.name} finds no parameters: {' '.join(str(error).split())}") from error
            finally:
                np.random.set_state(state)
        return contenders.known(name, {key: float(value) for key, value in fitter.params_.items()})


def drawn(histories: pd.DataFrame) -> pd.DataFrame:
    """At most `MOST` customers, the same in every run: one row each, whatever the weights of the histories are.

    Examples
    --------
    >>> people = pd.DataFrame({"frequency": [0, 2], "recency": [0, 9], "T": [5, 9], "weight": [3, 1]})
    >>> sorted(drawn(people)["frequency"].tolist())
    [0, 0, 0, 2]
    """
    weight = histories["weight"].to_numpy("int64") if "weight" in histories else np.ones(len(histories), "int64")
    everyone = np.repeat(np.arange(len(histories)), weight)
    if len(everyone) > MOST:
        everyone = np.sort(np.random.default_rng(SEED).choice(everyone, MOST, replace=False))
    return histories.iloc[everyone]


class SpendTrees:
    """Spend by one of `SPENDING`, from all features and what buy-till-you-die models expect.

    Parameters
    ----------
    name : of `SPENDING`.
    horizon_days : length of the period that is forecast.
    device : where trees are grown, as XGBoost calls it.
    frames : is filled with what trees see of each date, for several of these to share.
    """

    def __init__(self, name: str, horizon_days: int, device: str = "cpu", frames: Frames | None = None) -> None:
        self.name, self.horizon_days, self.device = name, horizon_days, device
        self._frames = {} if frames is None else frames

    def fit(self, past: Sequence[Origin]) -> Self:
        """Grow the trees.

        Raises
        ------
        DataError
            If nobody was active, or spent anything, or fewer than `players.FEWEST_EVENTS` left, or stayed.
        """
        kept = [in_order(origin) for origin in past[::-1] if len(origin.features)]
        if not kept:
            raise DataError(f"{self.name}: no past date has an active customer; shorten horizon_days")
        outcomes = pd.concat([outcomes_of(origin) for origin in kept])
        check_enough(outcomes["churned"])
        spend = outcomes["spend"]
        frame = pd.concat([self._frame(origin) for origin in kept])
        if len(frame) > ROWS:
            rows = np.sort(np.random.default_rng(SEED).choice(len(frame), ROWS, replace=False))
            frame, spend = frame.iloc[rows], spend.iloc[rows]
        self._regressor = SPENDING[self.name](rounds=ROUNDS, device=self.device).fit(frame, spend.to_numpy("float64"))
        return self

    def predict(self, at: Origin) -> pd.DataFrame:
        """expected_spend."""
        spend = self._regressor.predict(self._frame(at))
        return pd.DataFrame({"expected_spend": spend}, index=at.features.index)

    def _frame(self, at: Origin) -> pd.DataFrame:
        key = (id(at.features), id(at.histories))
        if key not in self._frames:
            outlook = Outlook.fit(at.histories, at.features)
            said = outlook.forecast(at.features, self.horizon_days)
            self._frames[key] = (at, relative(at.features, said, self.horizon_days))
        return self._frames[key][1]
