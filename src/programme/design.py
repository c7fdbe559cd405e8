"""How large a campaign must be to show its effect: hold-out, customers, days, power, and the least effect that shows.

All of it is normal approximation for two groups (Chow, Shao, Wang & Lokhnygina 2017, Sample Size Calculations in
Clinical Research, 3rd ed., sections 3.2 and 4.2). The effect shows if its interval leaves out zero on the right side.
With z the quantiles of level and power, a difference d of means shows with that power if

    d >= (z_level + z_power) sqrt(s₁² / n₁ + s₀² / n₀),

and facts from before the campaign multiply the variances with 1 − ρ² (CUPED, see `differences.cuped`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

from ..errors import DataError
from .effect import LEVEL

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Hold-outs that are looked at."""
STEPS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Effects of a power curve, in units of the one that matters."""
LEAST = 30
"""Customers that a hold-out needs; see `randomised`."""


@dataclass(frozen=True)
class Variation:
    """How customers differ in what is measured, without a campaign.

    Attributes
    ----------
    metric : such as spend.
    days : over which it is measured.
    mean, standard_deviation : of customers.
    buyers : share of the customers who bought.
    covariate : what is known before that tells most of it; empty if nothing does.
    correlation : with the covariate.
    share : whether the outcome is 0 or 1, so that the standard deviation follows from the mean.
    """

    metric: str
    days: int
    mean: float
    standard_deviation: float
    buyers: float
    covariate: str = ""
    correlation: float = 0.0
    share: bool = False

    def variances(self, effect: float, cuped: bool) -> tuple[float, float]:
        """Of a customer who is treated, and of one who is not."""
        left = 1 - self.correlation**2 if cuped else 1.0
        control = self.standard_deviation**2
        raised = self.mean + effect
        return left * (raised * (1 - raised) if self.share else control), left * control

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """How a campaign is to be read.

    Attributes
    ----------
    hold_out : share of the customers who are held out.
    power : chance that the effect shows, if it is there.
    one_sided : whether only a rise counts.
    arms : that are compared with the one control group, each with as many customers as the others. The level is shared
        among them (Bonferroni); Holm's correction, by which they are read, never asks for more.
    level : share of intervals that hold the truth.
    cuped : whether facts from before the campaign are used.
    """

    hold_out: float = 0.2
    power: float = 0.8
    one_sided: bool = False
    arms: int = 1
    level: float = LEVEL
    cuped: bool = True

    def __post_init__(self) -> None:
        for name, value in (("hold_out", self.hold_out), ("power", self.power), ("level", self.level)):
            if not 0 < value < 1:
                raise DataError(f"{name}: expected a share between 0 and 1, found {value:g}")
        if self.arms < 1:
            raise DataError(f"arms: expected 1 or more, found {self.arms}")

    @property
    def threshold(self) -> float:
        """Standard errors that an effect must be away from zero to show."""
        return float(stats.norm.ppf(1 - (1 - self.level) / self.arms / (1 if self.one_sided else 2)))

    @property
    def distance(self) -> float:
        """Standard errors that a true effect must be away from zero to show with the power."""
        return self.threshold + float(stats.norm.ppf(self.power))


def standard_error(variation: Variation, plan: Plan, customers: float, effect: float = 0.0) -> float:
    """Of the difference between an arm and the control group, with so many customers in all."""
    treated, control = variation.variances(effect, plan.cuped)
    return float(np.sqrt(_spread(treated, control, plan.hold_out, plan.arms) / customers))


def power(variation: Variation, plan: Plan, customers: float, effect: float) -> float:
    """Chance that an effect (in the unit of the metric) shows as a rise."""
    error = standard_error(variation, plan, customers, effect)
    return float(stats.norm.cdf(effect / error - plan.threshold)) if error > 0 else float(effect > 0)


def minimum_effect(variation: Variation, plan: Plan, customers: float) -> float:
    """Least effect that shows with the plan's power, in the unit of the metric; NaN if a share cannot rise so far."""

    def short(effect: float) -> float:
        return plan.distance * standard_error(variation, plan, customers, effect) - effect

    if not variation.share:
        return short(0.0)
    highest = 1 - variation.mean
    return float(optimize.brentq(short, 0.0, highest)) if short(highest) <= 0 < short(0.0) else float("nan")


def customers_needed(variation: Variation, plan: Plan, effect: float) -> int:
    """Customers, of all arms together, with whom an effect shows with the plan's power.

    Examples
    --------
    Chow et al., section 3.2: a difference of 5 where the standard deviation is 10, 63 in each arm:

    >>> textbook = Plan(hold_out=0.5, level=0.95, cuped=False)
    >>> customers_needed(Variation("spend", 28, 50.0, 10.0, 1.0), textbook, 5.0)
    126
    """
    _check_effect(variation, effect)
    spread = _spread(*variation.variances(effect, plan.cuped), plan.hold_out, plan.arms)
    needed = spread * (plan.distance / effect) ** 2
    smallest = min(plan.hold_out, (1 - plan.hold_out) / plan.arms)
    return int(np.ceil(max(needed, LEAST / smallest) - 1e-9))


def hold_out_needed(variation: Variation, plan: Plan, customers: float, effect: float) -> float | None:
    """Least share to hold out so that an effect shows with the plan's power; None if no share does.

    At most the share with the smallest error is held out: √k to k for each of k arms (Dunnett 1955, Journal of the
    American Statistical Association 50, 1096-1121), half of the customers where there is one.
    """
    _check_effect(variation, effect)
    treated, control = variation.variances(effect, plan.cuped)
    allowed = customers * (effect / plan.distance) ** 2
    best = float(1 / (1 + np.sqrt(plan.arms * treated / control))) if control > 0 and treated > 0 else 0.5
    if _spread(treated, control, best, plan.arms) > allowed or customers * min(best, 1 - best) < LEAST:
        return None

    def excess(share: float) -> float:
        return _spread(treated, control, share, plan.arms) - allowed

    tiny = 1e-9
    least = float(optimize.brentq(excess, tiny, best)) if excess(best) < 0 < excess(tiny) else best
    return max(least, LEAST / customers)


def power_curve(variation: Variation, plan: Plan, customers: float, around: float) -> pd.DataFrame:
    """How surely effects from a quarter to twice `around` show.

    Returns
    -------
    effect (unit of the metric), relative (to the mean), plain, cuped (power without and with facts from before)
    """
    rows = [
        {
            "effect": effect,
            "relative": effect / variation.mean if variation.mean else np.nan,
            **{name: power(variation, each, customers, effect) for name, each in _both(plan)},
        }
        for effect in (step * around for step in STEPS)
        if not variation.share or variation.mean + effect <= 1
    ]
    return pd.DataFrame(rows, columns=["effect", "relative", "plain", "cuped"])


def by_hold_out(variation: Variation, plan: Plan, customers: int, also: Iterable[float] = ()) -> pd.DataFrame:
    """Least effects by the share that is held out.

    Returns
    -------
    hold_out (share), held_out (customers), plain, cuped (least effect without and with facts from before, unit of the
    metric), plain_relative, cuped_relative (to the mean)
    """
    shares = sorted({round(share, 6) for share in (*SHARES, *also)})
    return pd.DataFrame(
        [
            {"hold_out": share, "held_out": round(share * customers), **_least(variation, plan, customers, share)}
            for share in shares
            if share * customers >= LEAST
        ],
        columns=["hold_out", "held_out", "plain", "plain_relative", "cuped", "cuped_relative"],
    )


def by_days(variations: Sequence[Variation], plan: Plan, customers: int) -> pd.DataFrame:
    """Least effects by how long customers are watched; see `by_hold_out` for the columns, and days and mean."""
    return pd.DataFrame(
        [
            {"days": each.days, "mean": each.mean, **_least(each, plan, customers, plan.hold_out)}
            for each in sorted(variations, key=lambda each: each.days)
        ],
        columns=["days", "mean", "plain", "plain_relative", "cuped", "cuped_relative"],
    )


def days_needed(variations: Sequence[Variation], plan: Plan, customers: int, relative: float) -> int | None:
    """Fewest days of those measured after which an effect shows that lasts as long; None if none of them is enough.

    Parameters
    ----------
    variations : of several lengths.
    plan, customers : see `power`.
    relative : the effect as a share of the mean of each length.
    """
    enough = (
        each.days for each in variations if minimum_effect(each, plan, customers) <= relative * each.mean * (1 + 1e-9)
    )
    return min(enough, default=None)


def _spread(treated: float, control: float, hold_out: float, arms: int) -> float:
    """Variance of the difference, times the customers of all arms."""
    return arms * treated / (1 - hold_out) + control / hold_out


def _both(plan: Plan) -> list[tuple[str, Plan]]:
    """The plan without and with facts from before."""
    return [(name, replace(plan, cuped=cuped)) for name, cuped in (("plain", False), ("cuped", True))]


def _least(variation: Variation, plan: Plan, customers: int, hold_out: float) -> dict[str, float]:
    found = {}
    for name, each in _both(plan):
        found[name] = minimum_effect(variation, replace(each, hold_out=hold_out), customers)
        found[f"{name}_relative"] = found[name] / variation.mean if variation.mean else np.nan
    return found


def _check_effect(variation: Variation, effect: float) -> None:
    if not effect > 0:
        raise DataError(f"minimum effect: expected a number above 0, found {effect:g}")
    if variation.share and variation.mean + effect > 1:
        raise DataError(
            f"minimum effect: {100 * variation.mean:.1f} % of the customers do so already; "
            f"{100 * effect:.1f} points more are over 100 %"
        )
