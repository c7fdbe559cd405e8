"""Who plays in the tournament of a study, the simplest first."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .backtest import RULE as SILENCE
from .champion import Champion
from .contenders import CONTENDERS
from .entrants import INCUMBENTS, SPENDING, Frames, Incumbent, SpendTrees
from .players import (
    FEWEST_EVENTS,
    BuyTillYouDie,
    Curve,
    RateSoFar,
    SameAgain,
    Trees,
    nearest_window,
    recency_frequency_money,
    silence,
)
from .tournament import Contender

OF_LATE, SAME_AGAIN, RATE = "Orders of late", SameAgain.name, RateSoFar.name
NAIVE = (SILENCE, SAME_AGAIN, OF_LATE, RATE)
"""The contenders that are rules, not models."""

BLEND = "Blend"


def scored_by(winner: str) -> str:
    """Who makes the scores where a contender has won: a rule itself, else the blend, which holds the models.

    Examples
    --------
    >>> scored_by(RATE), scored_by("BG/NBD")
    ('Rate so far', 'Blend')
    """
    return winner if winner in NAIVE else BLEND


def line_up(
    earning: dict[str, Any],
    device: str = "cpu",
    settings: Mapping[str, object] | None = None,
    by_silence: bool = True,
) -> list[Contender]:
    """The contenders, the rules to beat first: of who leaves, and of what is spent.

    Parameters
    ----------
    earning : horizon_days, margin, annual_discount_rate.
    device : where trees are grown, as XGBoost calls it.
    settings : of the blend's trees, instead of some of `trees.SETTINGS`.
    by_silence : whether to leave is to buy nothing; if not, models of purchases play for spend alone.
    """
    days = int(earning["horizon_days"])
    frames: Frames = {}

    def of_late(features: pd.DataFrame) -> pd.DataFrame:
        return np.log1p(features[[f"orders_{nearest_window(features, 3 * days)}"]])

    return [
        Curve(SILENCE, silence),
        SameAgain(days),
        Curve(OF_LATE, of_late),
        RateSoFar(days),
        Curve("RFM regression", recency_frequency_money, spend=True, fewest=FEWEST_EVENTS),
        *(BuyTillYouDie(name, earning, by_silence=by_silence) for name in CONTENDERS),
        *(Incumbent(name, days, by_silence=by_silence) for name in INCUMBENTS),
        Trees("XGBoost on RFM", recency_frequency_money),
        *(SpendTrees(name, days, device, frames) for name in SPENDING),
        Trees("XGBoost", _numbers),
        Blend(days, device, settings, by_silence),
    ]


class Blend(Champion):
    """The champion, as a contender."""

    name = BLEND

    def __init__(
        self,
        horizon_days: int,
        device: str = "cpu",
        settings: Mapping[str, object] | None = None,
        by_silence: bool = True,
    ) -> None:
        super().__init__(horizon_days=horizon_days, device=device, settings=settings, by_silence=by_silence)


def _numbers(features: pd.DataFrame) -> pd.DataFrame:
    """All features but categories."""
    return features.select_dtypes("number")
