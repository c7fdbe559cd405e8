"""The forecasts that a champion blends: a line and trees, learned from past dates, beside buy-till-you-die models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import xgboost
from scipy.special import expit

from . import btyd_features
from .btyd_features import PLAIN, STEADY
from .line import Line
from .trees import AMOUNT, CHURN, COUNT, MEDIAN, POSITIVE, ROUNDS, Bins, Encoder, Grown, Rows, best_rounds
from .validation import FloatArray, IntArray

CHURN_PRIOR = {"line": 0.25, "trees": 0.2, "trees_on_line": 0.2, "trees_on_counts": 0.2, PLAIN: 0.075, STEADY: 0.075}
"""Forecasts of who leaves, and their weights before anything is known."""

SPEND_PRIOR = {"trees": 0.3, "trees_on_btyd": 0.2, "hurdle": 0.3, PLAIN: 0.1, STEADY: 0.1}
ORDERS_PRIOR = {"trees_on_btyd": 0.5, PLAIN: 0.2, STEADY: 0.3}
MODELS = (PLAIN, STEADY)
COUNTS = "churn_on_counts"
"""The trees of who leaves that look at the features as they are."""

GROWN = ("churn", "churn_on_line", COUNTS, "spend", "spend_on_btyd", "spend_if_any", "orders", "median")
SPREAD = 10.0
"""Spend is taken as log(1 + SPREAD · spend / mean) for the median: a rising curve, which moves no median."""


class Known(NamedTuple):
    """What learners see of the customers of one date, and what they learn.

    Attributes
    ----------
    frame : see `btyd_features.relative`.
    counts : the features as they are, which `frame` puts beside tenure and models.
    line : see `btyd_features.linear`.
    outlook : see `btyd_features.Outlook.forecast`.
    outcomes : churned, purchases, spend, as numbers; no columns where the horizon is not over.
    """

    frame: pd.DataFrame
    counts: pd.DataFrame
    line: pd.DataFrame
    outlook: pd.DataFrame
    outcomes: pd.DataFrame

    def take(self, rows: IntArray) -> Self:
        """Some of the customers."""
        return type(self)(*(part.iloc[rows] for part in self))


class Said(NamedTuple):
    """What each forecast says, one row a customer.

    Attributes
    ----------
    churn : log-odds, columns of `CHURN_PRIOR`.
    spend : money, columns of `SPEND_PRIOR`.
    orders : purchase days, columns of `ORDERS_PRIOR`.
    median : of spend, money, one column; no column if nothing was learned.
    """

    churn: pd.DataFrame
    spend: pd.DataFrame
    orders: pd.DataFrame
    median: pd.DataFrame


def joined(parts: Sequence[Known]) -> Known:
    """Several dates on top of each other; columns that some lack are missing there."""
    return Known(*(pd.concat(tables) for tables in zip(*parts, strict=True)))


def of_models(outlook: pd.DataFrame) -> Said:
    """What buy-till-you-die models alone say."""
    return Said(
        pd.DataFrame({name: outlook[f"{name}_silence"] for name in MODELS}),
        pd.DataFrame({name: btyd_features.expected_spend(outlook, name) for name in MODELS}, index=outlook.index),
        pd.DataFrame({name: outlook[f"{name}_orders"] for name in MODELS}),
        pd.DataFrame(index=outlook.index),
    )


class Learners(NamedTuple):
    """A line and trees.

    Attributes
    ----------
    line : of who leaves.
    encoder : what trees see.
    counter : what those trees see that look at the features as they are.
    grown : name of `GROWN` → trees.
    unit : mean spend, in which trees count money.
    """

    line: Line
    encoder: Encoder
    counter: Encoder
    grown: dict[str, Grown]
    unit: float

    @classmethod
    def fit(
        cls,
        known: Known,
        rounds: Mapping[str, int] | None = None,
        device: str = "cpu",
        settings: Mapping[str, object] | None = None,
    ) -> Self:
        """Learn from customers of past dates, in a total order.

        Parameters
        ----------
        known : with outcomes of both kinds.
        rounds : number of trees for each of `GROWN`; the most if not given.
        device : as XGBoost calls it.
        settings : instead of some of `trees.SETTINGS`.
        """
        churned, orders, unit, spend = _targets(known.outcomes)
        line = Line.fit(known.line, churned)
        encoder, counter = Encoder.of(known.frame), Encoder.of(known.counts)
        bins = Bins(known.frame, encoder, device, settings)
        margins = _margins(known, line, unit)
        some = spend > 0
        plan: dict[str, tuple[str, FloatArray, FloatArray | None]] = {
            "churn": (CHURN, churned, None),
            "churn_on_line": (CHURN, churned, None),
            "spend": (AMOUNT, spend, None),
            "spend_on_btyd": (AMOUNT, spend, None),
            "spend_if_any": (POSITIVE, np.where(some, spend, 1.0), some.astype("float64")),
            "orders": (COUNT, orders, None),
            "median": (MEDIAN, np.log1p(SPREAD * spend), None),
        }
        grown = {
            name: bins.grow(
                objective, target, (rounds or {}).get(name, ROUNDS[-1]), margin=margins.get(name), weight=weight
            )
            for name, (objective, target, weight) in plan.items()
            if weight is None or weight.any()
        }
        counted = Bins(known.counts, counter, device, settings)
        grown[COUNTS] = counted.grow(CHURN, churned, (rounds or {}).get(COUNTS, ROUNDS[-1]))
        return cls(line, encoder, counter, grown, unit)

    def rounds(self, known: Known) -> dict[str, int]:
        """How many of the trees told customers best that they were not grown from."""
        churned, orders, _, _ = _targets(known.outcomes)
        spend = np.maximum(known.outcomes["spend"].to_numpy("float64"), 0.0) / self.unit
        rows, margins = self._rows(known), _margins(known, self.line, self.unit)
        some = (spend > 0).astype("float64")
        targets = {
            "churn": churned,
            "churn_on_line": churned,
            COUNTS: churned,
            "orders": orders,
            "median": np.log1p(SPREAD * spend),
        }
        targets |= {"spend_if_any": np.where(some > 0, spend, 1.0)}
        best = {}
        for name, grown in self.grown.items():
            weight = some if name == "spend_if_any" and some.any() else None
            target = targets.get(name, spend)
            best[name] = best_rounds(grown, rows[name == COUNTS], target, margin=margins.get(name), weight=weight)
        return best

    def say(self, known: Known, rounds: Mapping[str, int] | None = None) -> Said:
        """What the line, the trees and the models say of customers.

        Parameters
        ----------
        known : customers; their outcomes are not looked at.
        rounds : how many of the trees are asked, by name; all if not given.
        """
        rows, margins = self._rows(known), _margins(known, self.line, self.unit)
        sums = {
            name: rows[name == COUNTS].sums(grown, margins.get(name), (rounds or {}).get(name, 0))
            for name, grown in self.grown.items()
        }
        models = of_models(known.outlook)
        churn = {
            "line": self.line.log_odds(known.line),
            "trees": sums["churn"],
            "trees_on_line": sums["churn_on_line"],
            "trees_on_counts": sums[COUNTS],
        }
        buying = 1 - expit((churn["trees"] + churn["trees_on_line"]) / 2)
        if_any = np.exp(sums["spend_if_any"]) if "spend_if_any" in sums else np.exp(sums["spend"])
        spend = {
            "trees": np.exp(sums["spend"]),
            "trees_on_btyd": np.exp(sums["spend_on_btyd"]),
            "hurdle": if_any * buying,
        }
        median = self.unit * np.expm1(np.maximum(sums["median"], 0.0)) / SPREAD
        money = {name: amount * self.unit for name, amount in spend.items()}
        return Said(
            models.churn.assign(**churn)[list(CHURN_PRIOR)],
            models.spend.assign(**money)[list(SPEND_PRIOR)],
            models.orders.assign(trees_on_btyd=np.exp(sums["orders"]))[list(ORDERS_PRIOR)],
            models.median.assign(median=median),
        )

    def _rows(self, known: Known) -> tuple[Rows, Rows]:
        """Rows as most trees see them, and as those that look at the features as they are."""
        return Rows(known.frame, self.encoder), Rows(known.counts, self.counter)

    def pack(self) -> tuple[dict[str, Any], list[bytes]]:
        """Parameters, for JSON, and the trees, as XGBoost's own UBJ."""
        said = {
            "line": self.line.to_dict(),
            "encoder": self.encoder._asdict(),
            "counter": self.counter._asdict(),
            "unit": self.unit,
            "grown": [[name, grown.objective, grown.start] for name, grown in self.grown.items()],
        }
        return said, [bytes(grown.booster.save_raw("ubj")) for grown in self.grown.values()]

    @classmethod
    def unpack(cls, said: dict[str, Any], trees: Sequence[bytes]) -> Self:
        """What `pack` packed."""
        grown = {
            name: Grown(xgboost.Booster(model_file=bytearray(raw)), objective, start)
            for (name, objective, start), raw in zip(said["grown"], trees, strict=True)
        }
        encoder, counter = (
            Encoder(tuple(each["columns"]), each["categories"]) for each in (said["encoder"], said["counter"])
        )
        return cls(Line.from_dict(said["line"]), encoder, counter, grown, said["unit"])


def _targets(outcomes: pd.DataFrame) -> tuple[FloatArray, FloatArray, float, FloatArray]:
    """Churned, orders, the mean spend, and spend in units of it; what was only given back counts as nothing."""
    spend = np.maximum(outcomes["spend"].to_numpy("float64"), 0.0)
    unit = float(spend.mean()) or 1.0
    return outcomes["churned"].to_numpy("float64"), outcomes["purchases"].to_numpy("float64"), unit, spend / unit


def _margins(known: Known, line: Line, unit: float) -> dict[str, FloatArray]:
    """Where trees that correct another forecast start from."""
    models = of_models(known.outlook)
    spend = models.spend.mean(axis=1).to_numpy("float64") / unit
    orders = models.orders.mean(axis=1).to_numpy("float64")
    return {
        "churn_on_line": line.log_odds(known.line),
        "spend_on_btyd": np.log(np.maximum(spend, 0.01)),
        "orders": np.log(np.maximum(orders, 0.01)),
    }


def evidence(
    parts: Sequence[Known], later: bool, device: str, settings: Mapping[str, object] | None = None
) -> tuple[Known, Said, dict[str, int]]:
    """What learners say of customers that they did not learn from, and how many trees did best there.

    Parameters
    ----------
    parts : past dates, the latest first.
    later : whether the first date may be forecast from the others, whose horizon was over by then; else each half of
        the customers of all dates is forecast from the other half.
    device : as XGBoost calls it.
    settings : instead of some of `trees.SETTINGS`.
    """
    if later:
        learners = Learners.fit(joined(parts[1:]), device=device, settings=settings)
        rounds = learners.rounds(parts[0])
        return parts[0], learners.say(parts[0], rounds), rounds
    everyone = joined(parts)
    half = _halves(everyone.frame.index)
    said, kept, counts = [], [], []
    for side in (0, 1):
        others, own = everyone.take(np.flatnonzero(half != side)), everyone.take(np.flatnonzero(half == side))
        learners = Learners.fit(others, device=device, settings=settings)
        counts.append(learners.rounds(own))
        said.append(learners.say(own, counts[-1]))
        kept.append(own)
    rounds = {name: min(count.get(name, ROUNDS[-1]) for count in counts) for name in counts[0]}
    return joined(kept), Said(*(pd.concat(tables) for tables in zip(*said, strict=True))), rounds


def _halves(customers: pd.Index) -> IntArray:
    """0 or 1 for each row, the same at every date of a customer."""
    codes, different = pd.factorize(customers, sort=True)
    return np.asarray((np.random.default_rng(7).permutation(len(different)) % 2)[codes])
