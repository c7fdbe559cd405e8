"""The difference of two groups of customers, by formulas that know nothing of campaigns.

Sources: Welch (1947), Biometrika 34; Newcombe (1998), Statistics in Medicine 17, 873-890, method 10; Deng, Xu, Kohavi &
Walker (2013), "Improving the sensitivity of online controlled experiments by utilizing pre-experiment data", WSDM,
section 3 (CUPED); Deng, Knoblich & Lu (2018), "Applying the delta method in metric analytics", KDD, section 3; Holm
(1979), Scandinavian Journal of Statistics 6, 65-70.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from ..models import metrics
from .effect import LEVEL, Interval

FloatArray: TypeAlias = npt.NDArray[np.float64]


class Difference(NamedTuple):
    """Mean of the treated less mean of the control group.

    Attributes
    ----------
    found : estimate and interval.
    standard_error : of the estimate.
    freedom : degrees of freedom of Student's t.
    """

    found: Interval
    standard_error: float
    freedom: float

    @property
    def p_value(self) -> float:
        """Chance of a difference as large, either way, if there is none."""
        return float(2 * stats.t.sf(abs(self.found.estimate) / self.standard_error, self.freedom))


def welch(treated: FloatArray, control: FloatArray, fitted: int = 0, level: float = LEVEL) -> Difference:
    """Difference in means of two groups whose variances may differ (Welch 1947).

    Parameters
    ----------
    treated, control : one value a customer, shapes (n,) and (m,); not all of them equal.
    fitted : numbers that were estimated to adjust the values before.
    level : share of intervals that are to hold the truth.
    """
    parts = [group.var(ddof=1) / group.size for group in (treated, control)]
    error = float(np.sqrt(sum(parts)))
    degrees = sum(parts) ** 2 / sum(p**2 / (g.size - 1) for p, g in zip(parts, (treated, control), strict=True))
    freedom = max(float(degrees) - fitted, 1.0)
    estimate, half = float(treated.mean() - control.mean()), float(stats.t.ppf(0.5 + level / 2, freedom)) * error
    return Difference(Interval(estimate, estimate - half, estimate + half), error, freedom)


def newcombe(treated: tuple[int, int], control: tuple[int, int], level: float = LEVEL) -> Interval:
    """Difference of two shares: how many did it, and of how many; see `models.metrics.newcombe`."""
    ends = metrics.newcombe(treated, control, level)
    return Interval(treated[0] / treated[1] - control[0] / control[1], *ends)


def linearised(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Values whose mean is the ratio of two sums, and the variance of whose mean is that of the delta method.

    With R the ratio, R + (numerator − R denominator) / mean(denominator) (Deng, Knoblich & Lu 2018, section 3).
    """
    ratio = numerator.sum() / denominator.sum()
    return np.asarray(ratio + (numerator - ratio * denominator) / denominator.mean(), dtype=np.float64)


def cuped(
    treated: FloatArray, control: FloatArray, before_treated: FloatArray, before_control: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The values less what was to be expected from before the campaign: Y − θ'(X − mean X), one θ for both groups.

    θ = var(ΔX)⁻¹ cov(ΔX, ΔY), with Δ the difference of the groups' means: the θ of the least variance (Deng et al.
    2013, section 3). For groups of one size that is the pooled regression within them; for a small hold-out it weighs
    that more, so that the variance never rises. It becomes (1 − ρ²) of what it was.

    Parameters
    ----------
    treated, control : shapes (n,), (m,).
    before_treated, before_control : shapes (n, k), (m, k); none missing, none constant.
    """
    pairs = ((treated, before_treated), (control, before_control))
    joint = sum(np.cov(np.column_stack([before, y]), rowvar=False) / y.size for y, before in pairs)
    joint = np.atleast_2d(joint)
    scale = np.sqrt(np.diag(joint)[:-1])  # columns in money and in days are of different size
    within = joint[:-1, :-1] / np.outer(scale, scale)
    theta = np.linalg.pinv(within, rcond=1e-10, hermitian=True) @ (joint[:-1, -1] / scale) / scale
    centre = np.concatenate([before_treated, before_control]).mean(axis=0)
    return treated - (before_treated - centre) @ theta, control - (before_control - centre) @ theta


def covariates(before: FloatArray, most: int) -> FloatArray:
    """What `cuped` can take of columns with gaps: a gap becomes the mean, and a column says who has one.

    Parameters
    ----------
    before : shape (customers, columns), NaN where the customer has no past.
    most : columns to give at most; the first are kept.

    Returns
    -------
    Shape (customers, at most `most`); constant and repeated columns are left out.
    """
    kept: list[FloatArray] = []
    for column in before.T:
        gap = np.isnan(column)
        if gap.all():
            continue
        filled = np.where(gap, column[~gap].mean(), column)
        for each in (filled, gap.astype(np.float64)):
            if np.ptp(each) > 0 and not any(np.array_equal(each, other) for other in kept):
                kept.append(each)
    return np.column_stack(kept[:most]) if kept[:most] else np.empty((before.shape[0], 0))


def winsorised(values: FloatArray, share: float) -> FloatArray:
    """The values with the highest and the lowest `share` of them set to the quantile there."""
    return np.clip(values, *np.quantile(values, [share, 1 - share]))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number, so that one false finding among all is as rare as one alone (Holm 1979).

    Examples
    --------
    >>> [round(p, 2) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    adjusted, largest = dict[int, float](), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        largest = max(largest, min((len(p_values) - rank) * p_values[place], 1.0))
        adjusted[place] = largest
    return [adjusted[place] for place in range(len(p_values))]
