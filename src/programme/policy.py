"""Whom to treat with how much money: what treating the best is worth, counted on customers not learned from.

The value of a rule is the mean of doubly robust scores under it (Dudík, Langford & Li 2011; Athey & Wager 2021), which
with means for predictions is inverse-probability weighting after Hájek. Treating nobody is worth 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from ..errors import DataError
from ..models.validation import FloatArray, IntArray
from .effect import Interval
from .qini import Points, chosen, within_fold

SHARES = tuple(round(0.05 * step, 2) for step in range(21))
"""Budgets that are tried, as shares of the customers."""


@dataclass(frozen=True)
class Policy:
    """What treating the best is worth, in money a customer of all, less the cost of contacts.

    Attributes
    ----------
    names : of the arms, without the control group.
    points : value of treating each share of customers, the best first and each with the arm that is best for them.
    everyone : value of treating all, each with the arm that is best for them.
    best_share : with the highest value of these customers. As that is the highest partly by chance, `found` tells.
    found : value of choosing arms, order and share, counted on customers of other folds than the share was chosen on.
    against : the same less the value of other rules: `nobody`, `random` (as many at random), `all ARM` for each arm.
    given : share of those chosen at `best_share` by arm.
    reading : a sentence.
    """

    names: tuple[str, ...]
    points: Points
    everyone: Interval
    best_share: float
    found: Interval
    against: dict[str, Interval]
    given: dict[str, float]
    reading: str

    def to_frame(self) -> pd.DataFrame:
        """Columns share, gain, low, high, and random: treating as many drawn at random."""
        frame = self.points.to_frame()
        return frame.assign(random=frame["share"] * self.everyone.estimate)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote, also after a detour through JSON."""
        return cls(
            names=tuple(said["names"]),
            points=Points.from_dict(said["points"]),
            everyone=Interval(**said["everyone"]),
            best_share=said["best_share"],
            found=Interval(**said["found"]),
            against={name: Interval(**each) for name, each in said["against"].items()},
            given=dict(said["given"]),
            reading=said["reading"],
        )


def policy(
    effects: FloatArray,
    scores: FloatArray,
    fold: IntArray,
    *,
    names: Sequence[str],
    margin: float = 1.0,
    cost: float | Sequence[float] = 0.0,
    shares: Sequence[float] = SHARES,
    widen: float = 1.0,
) -> Policy:
    """Value of treating the best, at each budget.

    Parameters
    ----------
    effects : predicted, of each arm, not learned from the customer's own outcome; shape (n, arms without control).
    scores : outcome in each arm, the control group first; see `uplift.scores_of`.
    fold : the share is chosen on four, and its value is counted on the fifth.
    names : of the arms, without the control group.
    margin : what a unit of the outcome is worth: 1 if it is money earned.
    cost : of one contact, the same for all arms or one an arm.
    shares : budgets, rising.
    widen : factor on the errors of what depends on the order, see `uplift.Learned`; 1 where the effects were learned
        from other customers.

    Raises
    ------
    DataError
        If margin or cost is no number above or at 0, or a share is not between 0 and 1.
    """
    costs = _checked(effects.shape[1], margin, cost, shares)
    expected = margin * effects - costs
    best = np.argmax(expected, axis=1)
    order = expected[np.arange(len(best)), best]
    arms = margin * (scores[:, 1:] - scores[:, :1]) - costs
    gain = arms[np.arange(len(best)), best]
    lines = [_of_share(chosen(order, share), gain, widen) for share in shares]
    values, low, high = ([getattr(line, end) for line in lines] for end in ("estimate", "low", "high"))
    top = float(shares[int(np.argmax(values))])
    rule, taken = _held_out(order, gain, fold, shares), chosen(order, top)
    rates = np.bincount(best, weights=taken, minlength=len(names)) / max(taken.sum(), 1e-300)
    against = {
        "nobody": interval_of(rule * gain, widen),
        "random": interval_of(within_fold(rule, fold) * gain, widen),
        **{f"all {name}": interval_of(rule * gain - arms[:, place], widen) for place, name in enumerate(names)},
    }
    return Policy(
        names=tuple(names),
        points=Points.of(shares, values, low, high),
        everyone=interval_of(gain),
        best_share=top,
        found=against["nobody"],
        against=against,
        given=dict(zip(names, rates.tolist(), strict=True)),
        reading=_reading(top, against),
    )


def interval_of(single: FloatArray, widen: float = 1.0) -> Interval:
    """Mean of what single customers say, with its normal interval; `widen` is a factor on its error."""
    return Interval.around(float(single.mean()), widen * float(single.std(ddof=1)) / np.sqrt(len(single)))


def _of_share(taken: FloatArray, gain: FloatArray, widen: float) -> Interval:
    """Value of treating some. That of as many at random is widened by nothing: no order is in it."""
    value = interval_of(taken * gain).estimate
    error = interval_of((taken.mean() + widen * (taken - taken.mean())) * gain)
    return Interval(value, value + error.low - error.estimate, value + error.high - error.estimate)


def _checked(arms: int, margin: float, cost: float | Sequence[float], shares: Sequence[float]) -> FloatArray:
    costs = np.broadcast_to(np.asarray(cost, dtype="float64"), (arms,)) if np.ndim(cost) == 0 else np.asarray(cost)
    if len(costs) != arms:
        raise DataError(f"cost: expected one number, or one for each of {arms} arms, found {len(costs)}")
    for name, value in (("margin", margin), *(("cost", each) for each in costs)):
        if not (np.isfinite(value) and value >= 0):
            raise DataError(f"{name}: expected a number of at least 0, found {value}")
    if not len(shares) or min(shares) < 0 or max(shares) > 1:
        raise DataError(f"shares: expected numbers from 0 to 1, found {list(shares)}")
    return np.asarray(costs, dtype="float64")


def _held_out(order: FloatArray, gain: FloatArray, fold: IntArray, shares: Sequence[float]) -> FloatArray:
    """Probability of each customer to be treated, at the share that was worth most among the other folds."""
    rule = np.empty(len(order))
    for number in np.unique(fold):
        own, others = fold == number, fold != number
        values = [float((chosen(order[others], share) * gain[others]).mean()) for share in shares]
        rule[own] = chosen(order[own], shares[int(np.argmax(values))])
    return rule


def _reading(share: float, against: Mapping[str, Interval]) -> str:
    value, at_random = against["nobody"], against["random"]
    told = f"{value.estimate:.3g} a customer (90 % interval {value.low:.3g} to {value.high:.3g})"
    if value.low <= 0:
        return f"Nothing shows that treating anyone pays: the best rule is worth {told}, where it was not chosen."
    chance = "more than" if at_random.low > 0 else "no more, beyond chance, than"
    return f"Treating the best {share:.0%} pays: {told}, where it was not chosen; {chance} as many at random."
