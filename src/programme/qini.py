"""How well effects are told apart: curves of what treating the best is worth.

Qini and uplift curves as in Radcliffe (2007), "Using control groups to target on predicted lift", Direct Marketing
Analytics Journal, and scikit-uplift. The curve of scores is the same gain with the errors of a doubly robust learner:
Yadlowsky et al. (2025), "Evaluating treatment prioritization rules via rank-weighted average treatment effects",
Journal of the American Statistical Association 120. Customers with the same prediction stand in any order: between
the first and the last of them a curve is straight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from ..errors import DataError
from ..models.validation import FloatArray, IntArray
from .arms import SEED
from .effect import LEVEL, Interval

CELLS = 200
"""Points of a curve at most."""

DRAWS = 300
TAIL = 50 * (1 - LEVEL)

Kind = Literal["qini", "uplift", "scores"]


@dataclass(frozen=True)
class Points:
    """A line with its band.

    Attributes
    ----------
    share : of customers, the best first, rising.
    gain, low, high : what treating that share adds, a customer of all; 90 % interval at each share for itself.
    """

    share: tuple[float, ...]
    gain: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, *lines: FloatArray | Sequence[float]) -> Self:
        """Of four lines."""
        return cls(*(tuple(np.asarray(line, dtype="float64").tolist()) for line in lines))

    def to_frame(self) -> pd.DataFrame:
        """Columns share, gain, low, high, and random, which is the gain of treating as many drawn at random."""
        frame = pd.DataFrame(asdict(self))
        return frame.assign(random=frame["share"] * self.gain[-1] / self.share[-1])

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """Of plain values."""
        return cls.of(said["share"], said["gain"], said["low"], said["high"])


@dataclass(frozen=True)
class Curve:
    """What treating the best is worth, in the unit of the outcome, a customer of all.

    Attributes
    ----------
    kind : `qini`: outcome of the treated so far less what the control group so far would have as so many, over all
        treated (Radcliffe); `uplift`: difference of the means so far, times the share; `scores`: the same, of scores.
    points : from share 0 to 1.
    coefficient : area between curve and the straight line to its end, which is treating at random.
    area : area under the curve.
    everyone : the end of the curve: gain of treating all.
    customers : treated and control.
    """

    kind: Kind
    points: Points
    coefficient: Interval
    area: Interval
    everyone: Interval
    customers: tuple[int, int]

    @property
    def better_than_random(self) -> bool:
        """Whether the interval of the coefficient lies above 0."""
        return self.coefficient.low > 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote, also after a detour through JSON."""
        coefficient, area, everyone = (Interval(**said[name]) for name in ("coefficient", "area", "everyone"))
        treated, control = said["customers"]
        return cls(said["kind"], Points.from_dict(said["points"]), coefficient, area, everyone, (treated, control))


def curve(
    predicted: FloatArray,
    treated: FloatArray,
    outcome: FloatArray,
    *,
    kind: Literal["qini", "uplift"] = "qini",
    weight: FloatArray | None = None,
    draws: int = DRAWS,
    widen: float = 1.0,
) -> Curve:
    """Curve of raw outcomes, of one arm and the control group alone.

    Where the best so far hold nobody treated, or nobody of the control group, there is no point: the line runs straight
    from 0 to the first share that has both.

    Parameters
    ----------
    predicted : effect by which customers are put in order, not learned from their own outcome; shape (n,).
    treated : 1 for the arm, 0 for the control group.
    outcome : shape (n,).
    weight : one over the probability of the arm that the customer is in; all 1 if not given.
    draws : of customers, for the intervals: what is drawn is the outcome, the order is kept.
    widen : factor on the errors of what depends on the order, see `uplift.Learned`; 1 where it was learned from other
        customers.

    Raises
    ------
    DataError
        If nobody was treated, or everyone.

    Examples
    --------
    >>> found = curve(np.array([3.0, 3, 1, 1]), np.array([1, 0, 1, 0]), np.array([5.0, 1, 2, 2]))
    >>> found.points.share, found.points.gain, found.coefficient.estimate
    ((0.0, 0.5, 1.0), (0.0, 2.0, 2.0), 0.5)
    """
    weight = np.ones(len(predicted)) if weight is None else weight
    inside = np.asarray(treated) > 0
    if inside.all() or not inside.any():
        raise DataError(
            "treated: expected customers who were and who were not, found only one of the two; a curve needs both"
        )
    yes, no = weight * inside, weight * ~inside
    columns = np.column_stack([np.ones(len(weight)), yes, no, yes * outcome, no * outcome])
    return _curve(kind, predicted, columns, (int(inside.sum()), int((~inside).sum())), draws, widen)


def curve_of_scores(
    predicted: FloatArray,
    gain: FloatArray,
    customers: tuple[int, int],
    *,
    draws: int = DRAWS,
    widen: float = 1.0,
) -> Curve:
    """Curve of doubly robust scores: narrower than that of raw outcomes, for it knows what customers spend anyway.

    Parameters
    ----------
    predicted : see `curve`.
    gain : score in the arm less that in the control group, or the true effect where it is known; shape (n,).
    customers : treated and control, to be told.
    draws, widen : see `curve`.
    """
    return _curve("scores", predicted, np.column_stack([np.ones(len(gain)), gain]), customers, draws, widen)


def share_of_oracle(predicted: FloatArray, truth: FloatArray) -> float:
    """Qini coefficient of a prediction over that of the true effects, both counted in true effects; NaN if all same.

    Examples
    --------
    >>> share_of_oracle(np.array([3.0, 2, 1]), np.array([9.0, 5, 4])), share_of_oracle(np.zeros(2), np.array([1.0, 2]))
    (1.0, 0.0)
    """
    own, best = (curve_of_scores(order, truth, (0, 0), draws=0).coefficient.estimate for order in (predicted, truth))
    return own / best if best > 1e-12 * max(float(np.abs(truth).max(initial=0.0)), 1e-300) else np.nan


def chosen(predicted: FloatArray, share: float) -> FloatArray:
    """Probability of each customer to be among the best `share`: between 0 and 1 for those who are alike at the edge.

    Examples
    --------
    >>> chosen(np.array([3.0, 1, 2, 2]), 0.5).tolist()
    [1.0, 0.0, 0.5, 0.5]
    """
    size = share * len(predicted)
    values, place, counts = np.unique(-np.asarray(predicted), return_inverse=True, return_counts=True)
    before = np.cumsum(counts) - counts
    return np.asarray(np.clip((size - before) / counts, 0, 1)[place] if len(values) else np.empty(0))


def within_fold(values: FloatArray, fold: IntArray) -> FloatArray:
    """Values less the mean of their fold."""
    counts = np.maximum(np.bincount(fold), 1)
    return np.asarray(values - (np.bincount(fold, weights=values) / counts)[fold])


def rank_within_fold(values: FloatArray, fold: IntArray) -> FloatArray:
    """Place of each among its fold, from 0 to 1; equal values share one.

    In one row with other folds, whose models learned from them, customers would stand the lower the better they do.

    Examples
    --------
    >>> rank_within_fold(np.array([5.0, 9.0, 1.0, 1.0]), np.array([0, 0, 1, 1])).tolist()
    [0.25, 0.75, 0.5, 0.5]
    """
    grouped = pd.Series(values).groupby(np.asarray(fold))
    return np.asarray((grouped.rank() - 0.5) / grouped.transform("size"))


def _curve(
    kind: Kind, predicted: FloatArray, columns: FloatArray, customers: tuple[int, int], draws: int, widen: float
) -> Curve:
    cell = _cells(np.asarray(predicted, dtype="float64"))
    sums = _sums(cell, columns, np.ones((1, len(cell))))
    share, gain = _gains(kind, sums)
    area, coefficient, end = (float(each[0]) for each in _areas(share, gain))
    if not draws:
        one, two, three = (Interval(each, each, each) for each in (coefficient, area, end))
        return Curve(kind, Points.of(share[0], gain[0], gain[0], gain[0]), one, two, three, customers)
    lines, coefficients, ends = _resampled(kind, cell, columns, share[0], draws)
    # What lies above the straight line depends on the order; the end of that line does not.
    above = gain[0] - share[0] * end
    lines = share[0] * ends[:, None] + above + widen * (lines - share[0] * ends[:, None] - above)
    coefficients = coefficient + widen * (coefficients - coefficient)
    points = Points.of(share[0], gain[0], *np.percentile(lines, [TAIL, 100 - TAIL], axis=0))
    told = _around(coefficient, coefficients), _around(area, coefficients + ends / 2), _around(end, ends)
    return Curve(kind, points, *told, customers)


def _around(estimate: float, drawn: FloatArray) -> Interval:
    """The middle 90 % of what was drawn."""
    return Interval(estimate, *np.percentile(drawn, [TAIL, 100 - TAIL]).tolist())


def _resampled(
    kind: Kind, cell: IntArray, columns: FloatArray, grid: FloatArray, draws: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Curves on the same shares, areas above their straight lines, and ends, customers drawn anew (Poisson)."""
    random = np.random.default_rng(SEED)
    sums = [_sums(cell, columns, random.poisson(1.0, (1, len(cell))).astype("float64")) for _ in range(draws)]
    share, gain = _gains(kind, np.concatenate(sums))
    lines = [np.interp(grid, *line) for line in zip(share, gain, strict=True)]
    _, coefficient, end = _areas(share, gain)
    return np.array(lines), coefficient, end


def _cells(predicted: FloatArray) -> IntArray:
    """Number of the cell of each customer, the best in 0: equal predictions together, 200 cells at most."""
    _, place = np.unique(-predicted, return_inverse=True)
    counts = np.bincount(place)
    middle = (np.cumsum(counts) - counts / 2) / len(predicted)
    if len(counts) <= CELLS:
        return np.asarray(place, dtype=np.int64)
    return np.asarray(np.unique(np.floor(middle * CELLS), return_inverse=True)[1][place], dtype=np.int64)


def _sums(cell: IntArray, columns: FloatArray, times: FloatArray) -> FloatArray:
    """Sums of each column over the cells so far, shape (draws, cells, columns)."""
    cells = int(cell.max()) + 1
    each = [
        [np.bincount(cell, weights=row * column, minlength=cells) for column in columns.T] for row in times
    ]  # fmt: skip
    return np.cumsum(np.array(each), axis=2).transpose(0, 2, 1)


def _gains(kind: Kind, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shares and gains, from 0 on, shape (draws, cells + 1)."""
    share = sums[..., 0] / np.maximum(sums[:, -1:, 0], 1e-300)
    with np.errstate(invalid="ignore", divide="ignore"):
        if kind == "scores":
            gain = sums[..., 1] / sums[:, -1:, 0]
        else:
            treated = sums[..., 1] / sums[:, -1:, 1] if kind == "qini" else share
            gain = treated * (sums[..., 3] / sums[..., 1] - sums[..., 4] / sums[..., 2])
    share, gain = (np.pad(each, ((0, 0), (1, 0))) for each in (share, gain))
    for row, line in zip(share, gain, strict=True):
        known = np.isfinite(line)
        line[~known] = np.interp(row[~known], row[known], line[known])
    return share, gain


def _areas(share: FloatArray, gain: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Area, area above the straight line, and end, of each draw."""
    area = np.asarray(((gain[:, 1:] + gain[:, :-1]) / 2 * np.diff(share, axis=1)).sum(axis=1))
    end = np.asarray(gain[:, -1])
    return area, area - end / 2, end
