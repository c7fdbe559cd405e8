r"""How strong a cause that nobody measured would have to be.

The bias of an estimate :math:`\tau = E[(Y - g) \alpha]` whose models leave a cause out is at most
:math:`S\,\eta_Y\,\eta_D / \sqrt{1 - \eta_D^2}` with :math:`S^2 = E[(Y - g)^2]\,E[\alpha^2]`: Chernozhukov, Cinelli,
Newey, Sharma & Syrgkanis (2022), NBER Working Paper 30302, which for a regression is Cinelli & Hazlett (2020), Journal
of the Royal Statistical Society B 82 (1), 39-67. :math:`\eta_Y^2` is the share of what is left of the outcome that the
cause explains, :math:`\eta_D^2` its share of what then explains who was contacted. The robustness value is the
strength, the same for both, at which the bias is the estimate: :math:`(\sqrt{f^4 + 4 f^2} - f^2) / 2` with
:math:`f = |\tau| / S`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from .effect import Interval
from .event_study import Trial
from .panel import FloatArray


@dataclass(frozen=True)
class Sensitivity:
    """Strength of an unmeasured cause that would undo an effect; shares between 0 and 1.

    Attributes
    ----------
    to_zero : with which nothing is left of the estimate.
    to_doubt : with which its interval reaches zero; 0 if it does already.
    benchmark : what is known and serves as a measure of strength.
    of_outcome, of_choice : what that explains of the outcome and of who was contacted, beyond everything else.
    reading : the same in a sentence.
    """

    to_zero: float
    to_doubt: float
    benchmark: str
    of_outcome: float
    of_choice: float
    reading: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote."""
        return cls(**said)


def robustness(strength: float) -> float:
    """The robustness value of a partial Cohen's f.

    Examples
    --------
    Cinelli & Hazlett (2020), sec. 5: in Darfur t = 4.18 with 783 degrees of freedom has a robustness value of 13.9 %.

    >>> round(robustness(4.184 / 783**0.5), 3)
    0.139
    """
    squared = strength**2
    return float((np.sqrt(squared**2 + 4 * squared) - squared) / 2)


def spread(trials: Sequence[Trial], sums: FloatArray) -> tuple[float, float]:
    """What is left of the outcome, and the size of the weights: E[(Y - g)²] and E[α²] over all trials.

    Parameters
    ----------
    trials : of one effect.
    sums : weights of the weeks, shape (weeks,).
    """
    total = sum(trial.contacted for trial in trials)
    rows = sum(trial.customers.size for trial in trials)
    left_squared = weights_squared = 0.0
    for trial in trials:
        treated, design = trial.match.treated, trial.match.design
        outcome = np.nan_to_num(trial.outcomes) @ sums
        left = outcome - design @ np.linalg.lstsq(design[~treated], outcome[~treated], rcond=None)[0]
        left[treated] -= left[treated].mean()
        weight = trial.contacted / total * np.where(treated, 1 / trial.contacted, trial.match.weights)
        left_squared += float((left**2).sum())
        weights_squared += float((weight**2).sum())
    return left_squared / rows, rows * weights_squared


def sensitivity(
    found: Interval, whole: tuple[float, float], without: tuple[float, float], benchmark: str
) -> Sensitivity:
    """Strength of an unmeasured cause that would undo an effect.

    Parameters
    ----------
    found : the effect.
    whole : see `spread`.
    without : the same with a part of what is known left out, as the measure of strength.
    benchmark : what was left out, such as `purchases of the last four weeks`.
    """
    scale = np.sqrt(whole[0] * whole[1])
    nearest = 0.0 if found.holds(0.0) else min(abs(found.low), abs(found.high))
    to_zero, to_doubt = robustness(abs(found.estimate) / scale), robustness(nearest / scale)
    of_outcome = float(np.clip(1 - whole[0] / without[0], 0, 1))
    of_choice = float(np.clip(1 - without[1] / whole[1], 0, 1))
    reading = (
        f"A cause that nobody measured would have to explain {to_zero:.1%} both of what is left unexplained of the "
        f"outcome and of who was contacted to bring the effect to zero, and {to_doubt:.1%} to bring its interval "
        f"there; {benchmark} explain {of_outcome:.1%} and {of_choice:.1%}."
    )
    return Sensitivity(to_zero, to_doubt, benchmark, of_outcome, of_choice, reading)
