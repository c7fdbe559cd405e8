"""Customers in arms, and how probable each arm was for each: what effects of single customers are learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from ..errors import DataError, RefusedError
from ..models.validation import FloatArray, IntArray
from .effect import Overlap
from .effect_order import Design

FEWEST = 30
"""Customers that an arm needs."""

FOLDS = 5
LOWEST = 0.02
"""Estimated probability of an arm under which a customer has nobody like them in it."""

BENDS, FREEDOM = (-0.5, 0.0, 0.5), 10.0
"""Ranks at which the log-odds of an arm may bend, and how freely they move (C of scikit-learn)."""

SEED = 20180117

Propensity: TypeAlias = Mapping[str, float] | pd.DataFrame | Literal["estimated"] | None


@dataclass(frozen=True)
class Arms:
    """Customers who are compared, one row each.

    Attributes
    ----------
    names : of the arms, the control group first.
    arm : place in `names`, shape (n,).
    outcome : shape (n,).
    propensity : probability of each arm, shape (n, arms); rows add up to 1.
    fold : 0 to 4, each with its share of every arm: what is said of a customer was learned from other folds.
    rows : places of these customers in what was given, rising.
    randomised : whether the probabilities are those of a draw, not an estimate.
    overlap : kept and trimmed.
    notes : who was left out and why, in sentences.
    """

    names: tuple[str, ...]
    arm: IntArray
    outcome: FloatArray
    propensity: FloatArray
    fold: IntArray
    rows: IntArray
    randomised: bool
    overlap: Overlap
    notes: tuple[str, ...] = ()

    @property
    def sizes(self) -> IntArray:
        """Customers in each arm."""
        return np.bincount(self.arm, minlength=len(self.names))

    @property
    def weight(self) -> FloatArray:
        """One over the probability of the arm that the customer is in."""
        return np.asarray(1 / self.propensity[np.arange(len(self.arm)), self.arm])

    def against_control(self, arm: int) -> IntArray:
        """Rows of an arm and of the control group: nobody of another arm stands in for the control group."""
        return np.flatnonzero((self.arm == arm) | (self.arm == 0))


def arrange(
    features: pd.DataFrame,
    arm: Sequence[Any] | pd.Series,
    outcome: Sequence[float] | FloatArray | pd.Series,
    *,
    control: str = "control",
    propensity: Propensity = None,
) -> Arms:
    """Check the arms, and find how probable they were.

    Arms of under 30 customers are left out, and said to be. Where probabilities are estimated, customers for whom some
    arm has a probability under 2 % are left out too: nobody there is like them.

    Parameters
    ----------
    features : what was known before, one row a customer, in a total order.
    arm, outcome : of the same customers, in the same order; none missing.
    control : name of the arm that nothing was done to.
    propensity : shares of a draw, by arm; or a frame with a column an arm and a row a customer; or `estimated`, from
        the features, cross-fitted. If not given the draw was the same for everyone, and its shares are those seen.

    Raises
    ------
    DataError
        If lengths differ, the outcome is not a number everywhere, nobody is in the control group, or the probability of
        the arm of a customer is not above 0.
    RefusedError
        If everyone is in one arm, or the control group or all others have under 30 customers.
    """
    label, value = pd.Series(np.asarray(arm, dtype="object")), np.asarray(outcome, dtype="float64")
    _check(features, label, value)
    counts = label.astype(str).value_counts().sort_index()
    names, notes = _compared(counts, control)
    rows = np.flatnonzero(label.astype(str).isin(names))
    code = pd.Index(names).get_indexer(label.astype(str).iloc[rows])
    fold = _folds(code)
    chances = _probabilities(features.iloc[rows], code, fold, names, rows, propensity)
    kept = np.arange(len(rows))
    if isinstance(propensity, str):
        kept = np.flatnonzero(chances.min(axis=1) >= LOWEST)
        _check_kept(names, code[kept])
        if len(kept) < len(rows):
            notes += (f"{len(rows) - len(kept)} customers are left out, for nobody in some arm is like them.",)
    extremes = chances[kept].min(), chances[kept].max()
    overlap = Overlap(len(kept), len(rows) - len(kept), float(extremes[0]), float(extremes[1]))
    return Arms(
        names=names,
        arm=code[kept],
        outcome=value[rows][kept],
        propensity=chances[kept],
        fold=fold[kept],
        rows=rows[kept],
        randomised=not isinstance(propensity, str),
        overlap=overlap,
        notes=notes,
    )


def _check(features: pd.DataFrame, arm: pd.Series, outcome: FloatArray) -> None:
    if not len(features) == len(arm) == len(outcome):
        raise DataError(
            f"features, arm and outcome: expected one row a customer in each, found {len(features)}, {len(arm)} and "
            f"{len(outcome)}"
        )
    for name, missing in (("arm", arm.isna().to_numpy()), ("outcome", ~np.isfinite(outcome))):
        if missing.any():
            raise DataError(
                f"{name}: expected a value for every customer, found none for {int(missing.sum())} of {len(arm)}; "
                "leave these customers out, or count nothing bought as 0"
            )


def _compared(counts: pd.Series, control: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the arms that have enough customers, control first, and notes on the others."""
    if control not in counts.index:
        raise DataError(f"arm: expected a control group {control!r}, found {', '.join(counts.index) or 'no customer'}")
    if len(counts) == 1:
        raise RefusedError(f"everyone is in the arm {control!r}: there is nobody to compare with")
    if counts[control] < FEWEST:
        raise RefusedError(f"arm {control!r}: {counts[control]} customers, and {FEWEST} are needed to compare with")
    others = counts.drop(control)
    small = others[others < FEWEST]
    if len(small) == len(others):
        said = ", ".join(f"{name!r} {size}" for name, size in small.items())
        raise RefusedError(f"arms of under {FEWEST} customers say nothing: {said}; wait for more, or join arms")
    notes = tuple(f"Arm {name} is left out: it has {size} customers, under {FEWEST}." for name, size in small.items())
    return (control, *others.index.difference(small.index)), notes


def _check_kept(names: tuple[str, ...], arm: IntArray) -> None:
    for name, size in zip(names, np.bincount(arm, minlength=len(names)), strict=True):
        if size < FEWEST:
            raise RefusedError(
                f"arm {name!r}: only {size} customers have others like them in every arm, and {FEWEST} are needed: "
                "who was treated was decided by what is known of them, so nothing can be compared"
            )


def _folds(arm: IntArray) -> IntArray:
    """A fold for each customer, every arm spread evenly."""
    order = np.random.default_rng(SEED).permutation(len(arm))
    order = order[np.argsort(arm[order], kind="stable")]
    fold = np.empty(len(arm), dtype=np.int64)
    fold[order] = np.arange(len(arm)) % FOLDS
    return fold


def _probabilities(
    features: pd.DataFrame, arm: IntArray, fold: IntArray, names: tuple[str, ...], rows: IntArray, given: Propensity
) -> FloatArray:
    if isinstance(given, str):
        return _estimated(features, arm, fold, len(names))
    if given is None:
        return np.tile(np.bincount(arm) / len(arm), (len(arm), 1))
    missing = [name for name in names if name not in given]
    if missing:
        raise DataError(f"propensity: expected a probability of each arm, found none of {', '.join(missing)}")
    if isinstance(given, pd.DataFrame):
        chances = given[list(names)].to_numpy("float64")[rows]
    else:
        chances = np.tile([float(given[name]) for name in names], (len(arm), 1))
    wrong = ~(np.isfinite(chances) & (chances > 0) & (chances <= 1)).all(axis=1)
    if wrong.any():
        raise DataError(
            f"propensity: expected above 0 and up to 1 in each arm, found something else for {int(wrong.sum())} "
            "customers; leave out those who could not get into some arm"
        )
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def _estimated(features: pd.DataFrame, arm: IntArray, fold: IntArray, arms: int) -> FloatArray:
    """Multinomial logistic regression on ranks with bends, each fold told by the others."""
    ranks = Design.of(features).matrix(features)
    bent = np.column_stack([ranks, *(np.maximum(ranks - bend, 0) for bend in BENDS)])
    chances = np.empty((len(arm), arms))
    for number in range(FOLDS):
        own = fold == number
        curve = LogisticRegression(C=FREEDOM, max_iter=1000).fit(bent[~own], arm[~own])
        chances[own] = curve.predict_proba(bent[own])
    return chances
