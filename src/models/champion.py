"""The champion: who leaves, and what the others buy and spend, by a blend whose parts and level are chosen by backtest.

Rank and level are taken apart. Customers are told apart by a weighted mean of what a line, trees and buy-till-you-die
models say, the weights learned on a later date than the forecasts were. How much all do together is a level of its own,
see `level`. Intervals are as wide as they had to be on that later date.

Buy-till-you-die models say how likely it is that nothing is bought. Where to leave means something else, they are
features of the line and the trees, and have no say of their own in who leaves and how many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Self

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..errors import DataError
from . import calibration, stacking
from .backtest import Origin
from .btyd_features import Outlook, linear, log_odds, relative
from .calibration import Curve
from .conformal import Bands
from .forecaster import Forecaster, blended, bounded, without_silence
from .learners import CHURN_PRIOR, ORDERS_PRIOR, SPEND_PRIOR, Known, Learners, Said, evidence, joined, of_models
from .levels import Levels, Seasons, Seen, over_by, seasons_of
from .trees import shift_of_log_odds
from .validation import FloatArray

FEWEST_EVENTS = 50
"""Leavers, and stayers, from which on something is learned; with fewer, buy-till-you-die models are left alone."""


class Champion(BaseEstimator):  # type: ignore[misc]
    """Forecasts of churn, orders and spend.

    Parameters
    ----------
    horizon_days : length of the period that is forecast.
    device : where trees are grown, as XGBoost calls it: cpu or cuda.
    coverage : share of customers whose outcome the intervals are to hold.
    settings : of the trees, instead of some of `trees.SETTINGS`.
    by_silence : whether to leave is to buy nothing.

    Attributes
    ----------
    learners_ : line and trees; None where there was too little to learn from.
    weights_ : churn, spend and orders → weights of the forecasts.
    rounds_ : how many trees each target has.
    curve_ : calibration of the churn probability.
    bands_ : orders and spend → intervals.
    levels_ : what forecasts of the level were worth, see `levels.Levels`.
    notes_ : what was left out, and why.
    """

    def __init__(
        self,
        *,
        horizon_days: int,
        device: str = "cpu",
        coverage: float = 0.9,
        settings: Mapping[str, object] | None = None,
        by_silence: bool = True,
    ) -> None:
        self.horizon_days = horizon_days
        self.device = device
        self.coverage = coverage
        self.settings = settings
        self.by_silence = by_silence

    def fit(self, past: Sequence[Origin]) -> Self:
        """Learn from past dates.

        Parameters
        ----------
        past : origins with `churned` and `amounts`, the latest first; they may be less than a horizon apart.

        Raises
        ------
        DataError
            If there is no customer to learn from, or no model can be fitted.
        """
        self.notes_: list[str] = []
        kept = [in_order(origin) for origin in past if len(origin.features)]
        if not kept:
            raise DataError("nothing can be learned: no past date has an active customer; shorten horizon_days")
        if len(kept) < len(past):
            self.notes_.append(f"left out: {len(past) - len(kept)} past dates without active customers")
        self._note_infinite(kept)
        self.columns_ = list(kept[0].features)
        dates = [self._seen(origin) for origin in kept]
        parts = [seen.known for seen in dates]
        shown, said = self._evidence(parts, self._over_before_first(kept))
        self._weigh(said, shown.outcomes)
        odds, orders, spend = blended(said, self.weights_)
        learned = {"churned": expit(odds), "purchases": orders, "spend": spend}
        self.levels_ = Levels.judge(dates, learned, shown.outcomes)
        if not self.by_silence:
            self.levels_ = self.levels_.by_past_rates(dates, self.horizon_days)
        self.curve_ = self._calibrate(said, shown.outcomes)
        self.bands_ = self._learn_bands(said, shown.outcomes)
        self._learned = joined(parts[::-1])
        self.learners_ = self._learn(self.settings) if self.rounds_ else None
        return self

    def _learn(self, settings: Mapping[str, object] | None) -> Learners:
        return Learners.fit(self._learned, self.rounds_, self.device, settings)

    def again(self, seed: int) -> Self:
        """The same with trees that are grown from another seed; weights and level stay."""
        check_is_fitted(self, "weights_")
        other = copy(self)
        if self.rounds_:
            other.learners_ = self._learn(dict(self.settings or {}) | {"seed": seed})
        return other

    def predict(self, at: Origin) -> pd.DataFrame:
        """What the customers of a date will do; see `Forecaster.forecast` for the columns."""
        return self.at(at).forecast(at.features)

    def at(self, origin: Origin) -> Forecaster:
        """The champion at a date: its level set, ready to forecast customers of that date one by one.

        Parameters
        ----------
        origin : the date; its outcomes are not looked at. The level is that of its `features`, everyone or a sample.
        """
        check_is_fitted(self, "weights_")
        seen = self._seen(origin)
        said = self.learners_.say(seen.known) if self.learners_ else of_models(seen.known.outlook)
        odds, orders, spend = blended(said, self.weights_)
        calibrated = self.curve_(expit(odds))
        churn, doubt = self._level("churned", calibrated, seen)
        shift = shift_of_log_odds(log_odds(calibrated), churn)
        share = float(np.clip(churn, 0.01, 0.99))
        factors = {}
        for kind, amount in (("purchases", orders), ("spend", spend)):
            mean = float(amount.mean())
            factors[kind] = self._level(kind, amount, seen)[0] / mean if mean > 0 else 1.0
        return Forecaster(
            horizon_days=self.horizon_days,
            columns=tuple(self.columns_),
            outlook=seen.outlook,
            learners=self.learners_,
            weights=self.weights_,
            curve=self.curve_,
            shift=shift,
            doubt=doubt / (1 - share),
            factors=factors,
            bands=self.bands_,
        )

    def _level(self, kind: str, forecast: FloatArray, seen: Seen) -> tuple[float, float]:
        return self.levels_.of(kind, seen, float(forecast.mean()) if self.learners_ else None)

    def _seen(self, origin: Origin) -> Seen:
        """What is known of a date; computed once for each that is asked about."""
        memory: dict[tuple[int, ...], tuple[Origin, Seen]] = self.__dict__.setdefault("_memory", {})
        key = (id(origin.features), id(origin.histories), id(origin.churned), id(origin.year_before))
        if key not in memory:
            # The origin is kept too, so that no other can have its identity.
            memory[key] = (origin, self._look(origin))
        return memory[key][1]

    def _look(self, origin: Origin) -> Seen:
        outlook = Outlook.fit(origin.histories, origin.features)
        said = outlook.forecast(origin.features, self.horizon_days)
        known = Known(
            relative(origin.features, said, self.horizon_days),
            origin.features,
            linear(origin.features, said, self.horizon_days),
            said,
            outcomes_of(origin),
        )
        before = origin.year_before
        year_ago = None if before is None or before.features.empty else float(outcomes_of(before)["churned"].mean())
        return Seen(known, outlook, self._seasons(before), origin.day, year_ago)

    def _seasons(self, before: Origin | None) -> Seasons:
        if before is None or before.features.empty:
            return {}
        outlook = Outlook.fit(before.histories, before.features)
        return seasons_of(of_models(outlook.forecast(before.features, self.horizon_days)), outcomes_of(before))

    def _over_before_first(self, past: Sequence[Origin]) -> list[bool]:
        """Which dates' horizons were over by the latest date."""
        return [over_by(each.day, past[0].day, self.horizon_days) for each in past[1:]]

    def _evidence(self, parts: list[Known], over: list[bool]) -> tuple[Known, Said]:
        """Forecasts of customers that were not learned from; also says whether there is enough to learn from."""
        earlier = [part for part, before in zip(parts[1:], over, strict=True) if before]
        later = _events(earlier) >= FEWEST_EVENTS
        if (events := _events(parts)) < FEWEST_EVENTS:
            self.rounds_: dict[str, int] = {}
            self.notes_.append(
                f"nothing was learned from past dates: {events} customers left or stayed, fewer than {FEWEST_EVENTS}; "
                + ("buy-till-you-die models forecast alone" if self.by_silence else "all are as likely to leave")
            )
            return parts[0], of_models(parts[0].outlook)
        shown, said, self.rounds_ = evidence(
            [parts[0], *earlier] if later else parts, later, self.device, self.settings
        )
        return shown, said

    def _weigh(self, said: Said, outcomes: pd.DataFrame) -> None:
        """Weights of the forecasts; priors where only one outcome was seen."""
        everyone, said = said, said if self.by_silence else without_silence(said)
        churned, spend, orders = (outcomes[kind].to_numpy("float64") for kind in ("churned", "spend", "purchases"))
        churn_prior, spend_prior, orders_prior = (
            prior_of(table, prior)
            for table, prior in ((said.churn, CHURN_PRIOR), (said.spend, SPEND_PRIOR), (said.orders, ORDERS_PRIOR))
        )
        if 0 < churned.mean() < 1:
            churn_prior = stacking.log_odds_weights(bounded(said.churn), churned, churn_prior)
        spend_prior = stacking.amount_weights(said.spend.to_numpy("float64"), spend, spend_prior)
        orders_prior = stacking.amount_weights(said.orders.to_numpy("float64"), orders, orders_prior)
        self.weights_ = {
            kind: dict.fromkeys(there, 0.0) | dict(zip(table, weights.tolist(), strict=True))
            for kind, there, table, weights in (
                ("churn", everyone.churn, said.churn, churn_prior),
                ("spend", everyone.spend, said.spend, spend_prior),
                ("orders", everyone.orders, said.orders, orders_prior),
            )
        }

    def _calibrate(self, said: Said, outcomes: pd.DataFrame) -> Curve:
        churned = outcomes["churned"].to_numpy("float64")
        if not 0 < churned.mean() < 1:
            return Curve()
        odds = blended(said, self.weights_)[0]
        return calibration.choose(expit(odds + shift_of_log_odds(odds, float(churned.mean()))), churned)

    def _learn_bands(self, said: Said, outcomes: pd.DataFrame) -> dict[str, Bands]:
        """Intervals of forecasts that were first brought to the level of what came."""
        _, orders, spend = blended(said, self.weights_)
        bands = {}
        for kind, forecast in (("purchases", orders), ("spend", spend)):
            actual = outcomes[kind].to_numpy("float64")
            scale = actual.mean() / forecast.mean() if forecast.mean() > 0 and actual.mean() > 0 else 1.0
            bands[kind] = Bands.learn(forecast * scale, actual, self.coverage)
        return bands

    def _note_infinite(self, past: Sequence[Origin]) -> None:
        names = sorted(
            {
                str(name)
                for origin in past
                for name in origin.features.select_dtypes("number")
                if np.isinf(origin.features[name].to_numpy("float64")).any()
            }
        )
        if names:
            self.notes_.append(f"infinite values count as missing in {', '.join(names)}")


def outcomes_of(origin: Origin) -> pd.DataFrame:
    """churned, purchases and spend as numbers, in the order of the features; no columns if not known."""
    if origin.churned is None or origin.amounts is None:
        return pd.DataFrame(index=origin.features.index)
    both = origin.amounts[["purchases", "spend"]].loc[origin.features.index].astype("float64")
    return both.assign(churned=origin.churned.loc[origin.features.index].astype("float64"))


def in_order(origin: Origin) -> Origin:
    """The origin with its customers in order: trees change with the order of their rows."""
    ordered = origin.features.index.is_monotonic_increasing
    return origin if ordered else origin._replace(features=origin.features.sort_index())


def prior_of(table: pd.DataFrame, prior: dict[str, float]) -> FloatArray:
    """Prior weights of the forecasts that there are, adding up to 1."""
    weights = np.array([prior[name] for name in table])
    return np.asarray(weights / weights.sum())


def _events(parts: Sequence[Known]) -> int:
    """Customers with the rarer outcome."""
    if not parts:
        return 0
    churned = np.concatenate([part.outcomes["churned"].to_numpy("float64") for part in parts])
    return int(min(churned.sum(), (1 - churned).sum()))
