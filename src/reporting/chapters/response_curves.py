"""Whom to give it to: curves and budgets, alike for an experiment and for a campaign of a log."""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from ...programme.effect import Interval
from ...programme.policy import Policy
from ...programme.qini import Curve
from ...programme.responders import Responders
from .. import words

BEST = 0.3
"""Share of the customers of which the sentence below a curve speaks."""


class Spoken(NamedTuple):
    """How a page speaks of what is given.

    Attributes
    ----------
    giving : the deed, as a sentence begins with it.
    change, ends : write a difference of the outcome with its unit, and an interval of it.
    """

    giving: str
    change: Callable[[float], str]
    ends: Callable[[Interval], str]


def tenths(found: Responders, minimum: int) -> pd.DataFrame:
    """Predicted and realised effects by tenths of the prediction, those of enough customers."""
    return found.parts[found.parts["customers"] >= minimum]


def curves(arms: Iterable[Responders], kind: Literal["qini", "uplift"], minimum: int) -> dict[str, pd.DataFrame]:
    """Curves by arm: share, gain, low, high, random."""
    found: dict[str, tuple[Curve, int]] = {each.arm: (getattr(each, kind), sum(each.customers)) for each in arms}
    return {arm: apart(curve.points.to_frame(), size, minimum) for arm, (curve, size) in found.items()}


def budget(found: Policy, customers: int, minimum: int) -> pd.DataFrame:
    """Value of giving it to the best so many: share, gain, low, high, random."""
    return apart(found.to_frame(), customers, minimum)


def apart(line: pd.DataFrame, customers: int, minimum: int) -> pd.DataFrame:
    """The first and the last point, and between them those that lie at least `minimum` customers from each other.

    Examples
    --------
    >>> apart(pd.DataFrame({"share": [0.0, 0.1, 0.2, 0.25, 0.5, 0.95, 1.0]}), 100, 20)["share"].tolist()
    [0.0, 0.2, 0.5, 1.0]
    """
    shares, last = line["share"].to_numpy("float64"), len(line) - 1
    kept = [0]
    for row in range(1, last):
        if min(shares[row] - shares[kept[-1]], 1 - shares[row]) * customers >= minimum - 1e-9:
            kept.append(row)
    return line.iloc[sorted({*kept, last})].reset_index(drop=True)


def read_qini(found: Responders, spoken: Spoken) -> str:
    """The Qini curve in words."""
    best, everyone = _at(found.qini, BEST), found.qini.everyone.estimate
    between, change = found.qini.coefficient, spoken.change
    return (
        f"{spoken.giving} to the best {words.percent(BEST)} adds {change(best.estimate)} (90 % interval {spoken.ends(best)}), counted over all customers; to as many drawn at random it adds "
        f"{change(BEST * everyone)}, and to everyone {change(everyone)}. The area between the curve and the dashed line is {change(between.estimate)} (90 % interval {spoken.ends(between)})."
    )


def read_uplift(found: Responders, spoken: Spoken) -> str:
    """The uplift curve in words: as means among the best."""
    among = _at(found.uplift, BEST).times(1 / BEST)
    return (
        f"Among the best {words.percent(BEST)} the means of those who were given it and of those who were not differ by {spoken.change(among.estimate)} (90 % interval {spoken.ends(among)}); among "
        f"all, by {spoken.change(found.uplift.everyone.estimate)}. The curve is that difference times the share."
    )


def read_budget(found: Policy, currency: str) -> str:
    """Whom to give it to, and what that is worth."""
    several = [
        f"{words.percent(share)} {arm}" for arm, share in found.given.items() if share > 0 and len(found.given) > 1
    ]
    given = f" ({words.listed(several)})" if several else ""
    worth = words.money(found.found.estimate, currency)
    span = words.between(found.found.low, found.found.high, lambda value: words.money(value, currency))
    return (
        f"Of these customers the best share is {words.percent(found.best_share)}{given}. Counted on customers from whom it was not learned, choosing so earns {worth} a customer of all "
        f"(90 % interval {span}). {_against(found)}"
    )


def _at(curve: Curve, share: float) -> Interval:
    """The curve at a share."""
    points = curve.points
    return Interval(*(float(np.interp(share, points.share, line)) for line in (points.gain, points.low, points.high)))


def _against(found: Policy) -> str:
    """Whether choosing is better than the rules that need no model."""
    called = {"nobody": "nobody", "random": "as many at random"}
    called |= {f"all {arm}": f"everyone ({arm})" if len(found.names) > 1 else "everyone" for arm in found.names}
    clear = [called[rule] for rule, more in found.against.items() if more.low > 0]
    unclear = [called[rule] for rule, more in found.against.items() if more.low <= 0]
    if not unclear:
        return f"That is more than giving it to {words.listed(clear)}, beyond chance."
    if not clear:
        return f"That is no more, beyond chance, than giving it to {words.listed(unclear)}."
    return (
        f"That is more than giving it to {words.listed(clear)}, beyond chance, but not than to {words.listed(unclear)}."
    )
