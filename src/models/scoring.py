"""Scores of customers, a batch at a time, wherever the batches are.

A scorer is fitted in one place and sent to where the rows are as text and bytes: parameters as JSON, trees as XGBoost's
own UBJ. The score of a customer depends on that customer's row alone: it does not matter how rows are batched.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self

import pandas as pd
import xgboost

from . import backtest
from .backtest import BOOSTED, BTYD, RULE, Origin
from .base import BTYDModel
from .baselines import DaysSinceLast
from .churn import ChurnModel, FloatArray
from .clv import customer_lifetime_value
from .contenders import REFERENCE, build, known, regularity
from .gamma_gamma import GammaGamma
from .valuation import paying_something

LIVED = ("frequency", "recency", "T", "monetary_value")
NUMBERS = ("churn_probability", "expected_orders", "expected_spend", "clv")


class Scorer(NamedTuple):
    """All that turns a row of features into a score.

    Attributes
    ----------
    winner : name of the churn model.
    columns : features that it looks at.
    churn_model : the model.
    purchases, spend : for orders, spend and CLV.
    purchases_name : of the former, in `contenders.CONTENDERS`.
    earning : horizon_days, margin, annual_discount_rate.
    """

    winner: str
    columns: tuple[str, ...]
    churn_model: ChurnModel | DaysSinceLast | BTYDModel
    purchases: BTYDModel
    spend: GammaGamma
    earning: dict[str, float]
    purchases_name: str = REFERENCE

    def needs(self) -> list[str]:
        """Columns of a row that is to be scored."""
        return list(dict.fromkeys([*LIVED, *self.columns]))

    def pack(self) -> tuple[str, bytes]:
        """The parameters, and the trees if the winner has some."""
        trees, curve, silence = b"", None, None
        if isinstance(self.churn_model, ChurnModel):
            trees = bytes(self.churn_model.booster_.save_raw("ubj"))
        elif isinstance(self.churn_model, DaysSinceLast):
            curve = self.churn_model.parameters()
        else:
            silence = self.churn_model.params_.to_dict()
        packed = {
            "winner": self.winner,
            "columns": self.columns,
            "curve": curve,
            "silence": silence,
            "purchases": [self.purchases_name, regularity(self.purchases), self.purchases.params_.to_dict()],
            "spend": self.spend.params_.to_dict(),
            "earning": self.earning,
        }
        return json.dumps(packed), trees

    @classmethod
    def unpack(cls, parameters: str, trees: bytes) -> Self:
        """What `pack` packed."""
        said: dict[str, Any] = json.loads(parameters)
        name, k, estimates = said["purchases"]
        purchases, spend = known(name, estimates, k), GammaGamma()
        spend.params_ = pd.Series(said["spend"])
        churn_model: ChurnModel | DaysSinceLast | BTYDModel
        if said["winner"] == BTYD:
            churn_model = known(REFERENCE, said["silence"])
        elif said["winner"] == BOOSTED:
            churn_model = ChurnModel()
            churn_model.booster_ = xgboost.Booster(model_file=bytearray(trees))
            churn_model.columns_ = list(said["columns"])
        else:
            churn_model = DaysSinceLast.of(*said["curve"])
        return cls(said["winner"], tuple(said["columns"]), churn_model, purchases, spend, said["earning"], name)

    def score(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Index of `rows`, and the columns `NUMBERS`.

        Parameters
        ----------
        rows : the columns `needs`, one row a customer.
        """
        lived = paying_something(rows[list(LIVED)])
        value = customer_lifetime_value(self.purchases, self.spend, lived, **self.earning)
        numbers = (self._churn_probability(rows), *(value[name] for name in value.columns))
        return pd.DataFrame(dict(zip(NUMBERS, numbers, strict=True)), index=rows.index)

    def _churn_probability(self, rows: pd.DataFrame) -> FloatArray:
        if isinstance(self.churn_model, BTYDModel):
            return self.churn_model.probability_of_no_purchase(rows, horizon_days=self.earning["horizon_days"])
        # As `features.build.frame` gives them to be learned from.
        return self.churn_model.predict(rows[list(self.columns)].astype("float64").round(9))


def fit(
    past: Sequence[Origin],
    histories: pd.DataFrame,
    paying: pd.DataFrame,
    earning: dict[str, float],
    used: tuple[str, int | None] = (REFERENCE, None),
) -> tuple[Scorer, pd.DataFrame]:
    """A scorer for the present, its churn model the one that was best at the latest past date.

    Parameters
    ----------
    past : as in `backtest.contest`.
    histories : frequency, recency, T now of all customers, and optionally weight.
    paying : frequency, monetary_value now of repeat buyers who paid something, or of a sample of them.
    earning : horizon_days, margin, annual_discount_rate.
    used : the model of purchases, its name and regularity as in `contenders.build`.

    Returns
    -------
    The scorer, and how the churn models compared.
    """
    _, comparison, winner = backtest.contest(past, int(earning["horizon_days"]))
    purchases, _ = backtest.fit_and_note(build(*used), histories)
    spend, _ = backtest.fit_and_note(GammaGamma(), paying)
    learned = backtest.learning(backtest.learned_from(past))
    churn_model: ChurnModel | DaysSinceLast | BTYDModel
    if winner == BTYD:
        churn_model, _ = backtest.fit_and_note(build(), histories)
    else:
        churn_model = (ChurnModel() if winner == BOOSTED else DaysSinceLast()).fit(*learned)
    columns = {BTYD: (), RULE: ("days_since_last",), BOOSTED: tuple(past[0].features.columns)}[winner]
    return Scorer(winner, columns, churn_model, purchases, spend, earning, used[0]), comparison


def score_batches(batches: Iterator[pd.DataFrame], parameters: str, trees: bytes, run: str) -> Iterator[pd.DataFrame]:
    """Score rows as they come; the function that is sent to the machines of a cluster.

    Parameters
    ----------
    batches : customer, segment and the columns `Scorer.needs`.
    parameters, trees : of `Scorer.pack`.
    run : told in every row.

    Yields
    ------
    customer, the columns `NUMBERS`, segment, model, run; as many rows as came, in their order.
    """
    scorer = Scorer.unpack(parameters, trees)
    for rows in batches:
        if len(rows):
            told = rows[["customer"]].join(scorer.score(rows))
            yield told.assign(segment=rows["segment"], model=scorer.winner, run=run)
