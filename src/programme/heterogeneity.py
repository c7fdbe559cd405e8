"""Whether customers differ in what they gain: tenths, a test, and who gains most and least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import stats

from ..models.validation import FloatArray, IntArray
from .effect import LEVEL, QUANTILE, Interval
from .qini import chosen, within_fold

ALPHA = (1 - LEVEL) / 2
"""Chance of seeing a difference where there is none."""


def by_part(predicted: FloatArray, gain: FloatArray, parts: int = 10, widen: float = 1.0) -> pd.DataFrame:
    """Predicted against realised effects by tenths of the prediction, the highest first.

    Customers with the same prediction stay together, so there may be fewer parts than asked for, and of unlike size.

    Parameters
    ----------
    predicted, gain, widen : see `heterogeneity`.
    parts : how many.

    Returns
    -------
    One row a part: part, customers, predicted, realised, low, high (of realised, 90 %); a part of one has no interval.
    """
    rank = stats.rankdata(-np.asarray(predicted), method="average") / len(predicted)
    part = np.minimum(np.ceil(rank * parts - 1e-9), parts)
    frame = pd.DataFrame({"part": part, "predicted": predicted, "realised": gain})
    grouped = frame.groupby("part")
    told = grouped.agg(customers=("realised", "size"), predicted=("predicted", "mean"), realised=("realised", "mean"))
    half = widen * QUANTILE * grouped["realised"].sem()
    told = told.assign(low=told["realised"] - half, high=told["realised"] + half).reset_index(drop=True)
    told.insert(0, "part", np.arange(1, len(told) + 1))
    return told


@dataclass(frozen=True)
class Heterogeneity:
    """Whether customers differ in what they gain, in the direction that was predicted.

    Attributes
    ----------
    slope : of realised on predicted effects: 1 where predictions are right, 0 where they say nothing; not a number
        where all were predicted the same (Chernozhukov, Demirer, Duflo & Fernández-Val 2018, equation 3.1).
    p_value : chance of such a slope, or a steeper one, if customers did not differ; 1 where all were predicted the same
    fifths : realised effect of the fifth with the highest predictions less that of the lowest.
    shown : whether the slope is above 0 beyond chance, one in twenty.
    reading : a sentence.
    """

    slope: Interval
    p_value: float
    fifths: Interval
    shown: bool
    reading: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote, also after a detour through JSON."""
        return cls(**{**said, "slope": Interval(**said["slope"]), "fifths": Interval(**said["fifths"])})


def heterogeneity(
    predicted: FloatArray, gain: FloatArray, fold: IntArray | None = None, widen: float = 1.0
) -> Heterogeneity:
    """Test whether customers differ as predicted.

    Parameters
    ----------
    predicted : effect, not learned from the customer's own outcome; shape (n,).
    gain : doubly robust scores in the arm less those in the control group.
    fold : within which customers are compared, for each fold has predictions of its own; all in one if not given.
    widen : factor on the errors of both intervals, see `uplift.Learned`. The p-value needs none: what makes intervals
        too narrow comes with a longer tail on the other side, and 5 % of 200 simulated samples are found.
    """
    fold = np.zeros(len(gain), dtype=np.int64) if fold is None else fold
    x, y = within_fold(np.asarray(predicted, dtype="float64"), fold), within_fold(gain, fold)
    size = float(x @ x)
    if size <= 1e-18 * max(float(np.square(predicted).sum()), 1e-300):
        nothing = Interval(np.nan, np.nan, np.nan)
        said = "Nothing shows that customers differ in what they gain: what is known of them does not tell them apart."
        return Heterogeneity(nothing, 1.0, nothing, False, said)
    slope = float(x @ y) / size
    error = float(np.sqrt(np.square(x * (y - slope * x)).sum())) / size
    p_value = float(stats.norm.sf(slope / error)) if error > 0 else float(slope <= 0)
    shown = p_value < ALPHA
    ends = _fifths(predicted, gain, widen)
    said = (
        f"Customers differ: the fifth predicted to gain most gained {ends.estimate:.3g} more than the fifth predicted "
        f"to gain least (90 % interval {ends.low:.3g} to {ends.high:.3g})."
        if shown
        else "Nothing shows that customers differ in what they gain: those predicted more gained no more beyond chance."
    )
    return Heterogeneity(Interval.around(slope, widen * error), p_value, ends, shown, said)


def _fifths(predicted: FloatArray, gain: FloatArray, widen: float) -> Interval:
    """Mean of the highest fifth less that of the lowest; those at an edge who are alike count by their share."""
    best, least = chosen(predicted, 0.2), chosen(-np.asarray(predicted), 0.2)
    each = (best / best.sum() - least / least.sum()) * len(gain)
    means = (best @ gain) / best.sum(), (least @ gain) / least.sum()
    single = each * (gain - np.where(each > 0, means[0], means[1]))
    return Interval.around(float(means[0] - means[1]), widen * float(np.sqrt(np.square(single).sum())) / len(gain))


def profile(features: pd.DataFrame, predicted: FloatArray) -> pd.DataFrame:
    """Who gains most and who least: means over the fifth with the highest and that with the lowest predictions.

    Descriptive: that a group gains more does not say that what marks the group is why (Chernozhukov, Demirer, Duflo &
    Fernández-Val 2018, section 4.3, classification analysis).

    Parameters
    ----------
    features : numbers as they are; of a category each value is a row, and its share is told.
    predicted : effect, shape (n,).

    Returns
    -------
    Columns feature, value (of a category; missing for numbers), most, least, difference, low, high (90 %), in order of
    how far beyond chance the difference is. Rows where all are alike are left out.
    """
    best, least = chosen(predicted, 0.2), chosen(-np.asarray(predicted), 0.2)
    rows = []
    for feature in features:
        for value, numbers in _numbers(features[feature]):
            told = _compared(numbers, best, least)
            if told is not None:
                rows.append((feature, value, *told))
    names = ["feature", "value", "most", "least", "difference", "low", "high"]
    table = pd.DataFrame(rows, columns=names)
    far = table["difference"].abs() / (table["high"] - table["low"])
    return table.loc[far.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def _numbers(values: pd.Series) -> list[tuple[str | None, FloatArray]]:
    """A feature as numbers, or each of its values as 0 or 1."""
    if pd.api.types.is_numeric_dtype(values):
        return [(None, values.to_numpy("float64", na_value=np.nan))]
    text = values.astype("object").map(str, na_action="ignore")
    return [(value, (text == value).to_numpy("float64")) for value in sorted(text.dropna().unique())]


def _compared(numbers: FloatArray, best: FloatArray, least: FloatArray) -> tuple[float, ...] | None:
    """Means of both groups and their difference with its interval; None if there is no difference to tell."""
    there = np.isfinite(numbers)
    means, errors = [], []
    for group in (best, least):
        weight = group * there
        if weight.sum() <= 1:
            return None
        values = np.where(there, numbers, 0.0)
        means.append(float(weight @ values / weight.sum()))
        errors.append(float(weight @ (values - means[-1]) ** 2 / weight.sum() / weight.sum()))
    half = QUANTILE * float(np.sqrt(sum(errors)))
    difference = means[0] - means[1]
    return None if half == 0 and difference == 0 else (*means, difference, difference - half, difference + half)
