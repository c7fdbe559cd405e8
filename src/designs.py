"""What a campaign of this retailer needs to show its effect, from how its own customers differed at past dates."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from . import sampled
from .errors import RefusedError, SettingsError
from .features import build
from .features.labels import active, labels
from .programme.design import (
    Plan,
    Variation,
    by_days,
    by_hold_out,
    customers_needed,
    days_needed,
    hold_out_needed,
    minimum_effect,
    power,
    power_curve,
    standard_error,
)

if TYPE_CHECKING:
    from .study import Study

BEFORE = {"spend": "spend_", "orders": "orders_", "repurchase": "purchase_days_"}
"""What is measured → the features that are the same in the past."""
LENGTHS = (0.5, 1, 1.5, 2, 3, 4)
"""Periods that are looked at, in horizons."""
DATES = 3
"""Past dates that each is measured at, at most."""
USUAL = 0.2
"""Hold-out where nothing says how large it should be."""


_Seen: TypeAlias = tuple[pd.Series, pd.Series, pd.DataFrame]
"""Of one date: the outcome, who bought, and the same in windows of the past."""


@dataclass(frozen=True)
class Desk:
    """What there is to say before a campaign.

    Attributes
    ----------
    metric : what is measured of each customer: spend, orders or repurchase (whether the customer bought).
    currency : of spend.
    customers : who could take part.
    dates : past dates that the variation was measured at.
    variations : one a period, the study's horizon among them.
    plan : how the campaign is to be read.
    days : the period that was asked for.
    effect : the least effect that matters, in the unit of the metric; None if none was given.
    """

    metric: str
    currency: str
    customers: int
    dates: tuple[date, ...]
    variations: tuple[Variation, ...]
    plan: Plan
    days: int
    effect: float | None

    @property
    def variation(self) -> Variation:
        """Of the period that was asked for."""
        return next(each for each in self.variations if each.days == self.days)

    def least(self, *, cuped: bool = True) -> float:
        """Least effect that shows with all customers, in the unit of the metric; NaN if none can."""
        return minimum_effect(self.variation, self._reading(cuped), self.customers)

    def chance(self, *, cuped: bool = True) -> float | None:
        """Chance that the least effect that matters shows; None if none was given."""
        return None if self.effect is None else power(self.variation, self._reading(cuped), self.customers, self.effect)

    def needed(self, *, cuped: bool = True) -> int | None:
        """Customers, of all arms, with whom the least effect that matters shows; None if none was given."""
        return None if self.effect is None else customers_needed(self.variation, self._reading(cuped), self.effect)

    def hold_out_needed(self, *, cuped: bool = True) -> float | None:
        """Least share to hold out so that it shows; None if none was given, or none is enough."""
        if self.effect is None:
            return None
        return hold_out_needed(self.variation, self._reading(cuped), self.customers, self.effect)

    def days_needed(self) -> int | None:
        """Fewest days after which an effect of the same share shows; None if none was given, or none are enough."""
        if self.effect is None or not self.variation.mean:
            return None
        return days_needed(self.variations, self.plan, self.customers, self.effect / self.variation.mean)

    def curve(self) -> pd.DataFrame:
        """See `programme.design.power_curve`, around the least effect that matters, or else the least that shows."""
        around = self.effect if self.effect is not None else self.least()
        return power_curve(self.variation, self.plan, self.customers, around)

    def hold_outs(self) -> pd.DataFrame:
        """See `programme.design.by_hold_out`."""
        return by_hold_out(self.variation, self.plan, self.customers, (self.plan.hold_out,))

    def durations(self) -> pd.DataFrame:
        """See `programme.design.by_days`."""
        return by_days(self.variations, self.plan, self.customers)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON; what is not known is None."""
        tables = {"power_curve": self.curve(), "by_hold_out": self.hold_outs(), "by_days": self.durations()}
        ways = {"plain": False, "cuped": True}
        told = {
            "metric": self.metric,
            "customers": self.customers,
            "days": self.days,
            "dates": [day.isoformat() for day in self.dates],
            "variation": self.variation.to_dict(),
            "hold_out": self.plan.hold_out,
            "power": self.plan.power,
            "level": self.plan.level,
            "one_sided": self.plan.one_sided,
            "arms": self.plan.arms,
            "minimum_effect": self.effect,
            "least_effect": {name: _plain(self.least(cuped=cuped)) for name, cuped in ways.items()},
            "standard_error": {
                name: standard_error(self.variation, self._reading(cuped), self.customers)
                for name, cuped in ways.items()
            },
            "power_of_minimum_effect": {name: self.chance(cuped=cuped) for name, cuped in ways.items()},
            "customers_needed": {name: self.needed(cuped=cuped) for name, cuped in ways.items()},
            "hold_out_needed": {name: self.hold_out_needed(cuped=cuped) for name, cuped in ways.items()},
            "days_needed": self.days_needed(),
        }
        rows = {name: table.astype(object).where(table.notna(), None) for name, table in tables.items()}
        return told | {name: table.to_dict("records") for name, table in rows.items()}

    def _reading(self, cuped: bool) -> Plan:
        return replace(self.plan, cuped=cuped)


def desk(
    study: "Study",
    metric: str = "spend",
    *,
    effect: str | None = None,
    hold_out: float | None = None,
    customers: int | None = None,
    power: float = 0.8,
    one_sided: bool = False,
    arms: int = 1,
) -> Desk:
    """What a campaign over the study's horizon needs.

    Parameters
    ----------
    study : its horizon is the period over which the metric is measured.
    metric : spend, orders or repurchase.
    effect : the least that matters for a customer, in the unit of the metric (`2.5`; a share of customers such as
        `0.02` for repurchase), or of its mean (`5%`).
    hold_out : share; the least that shows the effect if not given, and a fifth where there is none.
    customers : who take part; all who are active if not given.
    power, one_sided, arms : see `programme.design.Plan`.

    Raises
    ------
    SettingsError
        If an argument is none of these.
    RefusedError
        If the log is too short for a past date, or nobody differs.
    """
    _check(metric, hold_out, customers, power, arms)
    dates, found = _variations(study, metric)
    main = next(each for each in found if each.days == study.horizon_days)
    if not main.standard_deviation > 0:
        raise RefusedError(
            f"{study.name}: {metric} is the same for all customers over {main.days} days; nothing to plan"
        )
    amount = _amount(effect, main)
    everyone = int(active(study.data.tables.days, study.known_until, study.active_within_days).count().execute())
    taking_part = customers if customers is not None else everyone
    plan = Plan(hold_out=USUAL if hold_out is None else hold_out, power=power, one_sided=one_sided, arms=arms)
    if hold_out is None and amount is not None and (least := hold_out_needed(main, plan, taking_part, amount)):
        plan = replace(plan, hold_out=float(np.ceil(100 * least) / 100))
    return Desk(metric, study.dataset.currency, taking_part, dates, found, plan, study.horizon_days, amount)


def _check(metric: str, hold_out: float | None, customers: int | None, power: float, arms: int) -> None:
    if metric not in BEFORE:
        raise SettingsError(f"--metric: expected {', '.join(BEFORE)}, found {metric!r}")
    if hold_out is not None and not 0 < hold_out < 1:
        raise SettingsError(f"--hold-out: expected a share between 0 and 1, such as 0.2, found {hold_out:g}")
    if customers is not None and customers < 60:
        raise SettingsError(f"--customers: expected at least 60, 30 for each arm, found {customers}")
    if not 0.5 <= power < 1:
        raise SettingsError(f"--power: expected a share from 0.5 to below 1, such as 0.8, found {power:g}")
    if arms < 1:
        raise SettingsError(f"--arms: expected 1 or more, found {arms}")


def _amount(effect: str | None, variation: Variation) -> float | None:
    """The least effect that matters in the unit of the metric."""
    if effect is None:
        return None
    text = effect.strip()
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = np.nan
    amount = value / 100 * variation.mean if text.endswith("%") else value
    if not 0 < amount < np.inf:
        raise SettingsError(
            f"--minimum-effect: expected a number above 0, such as 2.5, or a share of the mean, such as 5%, "
            f"found {effect!r}"
        )
    if variation.share and variation.mean + amount > 1:
        raise SettingsError(
            f"--minimum-effect: {100 * variation.mean:.1f} % of the customers buy anyway; {100 * amount:.1f} points "
            f"more are over 100 %, found {effect!r}; 0.02 means two points"
        )
    return amount


def _variations(study: "Study", metric: str) -> tuple[tuple[date, ...], tuple[Variation, ...]]:
    """How customers differed at past dates, over periods of several lengths; the dates of the study's own."""
    days = study.origins()[:DATES]
    if not days:
        raise RefusedError(
            f"{study.name}: the log is too short for a period of {study.horizon_days} days after another; "
            "shorten it with --days"
        )
    seen: dict[int, list[_Seen]] = {}
    for day in study.origins():
        tables = sampled.active_tables(study, day)
        past = build.frame(tables, study.window(day), study.active_within_days)
        past = past[[name for name in past if name.removeprefix(BEFORE[metric]).isdigit()]]
        for length in sorted({max(round(times * study.horizon_days), 1) for times in LENGTHS}):
            over = day + timedelta(days=length) > study.known_until
            if over or len(seen.setdefault(length, [])) == DATES:
                continue
            table = labels(tables, day, length, study.active_within_days).to_pandas()
            came = table.set_index("customer").loc[past.index]
            seen[length].append((_measured(came, metric), came["purchases"] > 0, past))
    covariate = _telling(seen[study.horizon_days])
    return tuple(days), tuple(
        _variation(metric, length, each, covariate) for length, each in sorted(seen.items()) if each
    )


def _measured(came: pd.DataFrame, metric: str) -> pd.Series:
    values = came["purchases"] > 0 if metric == "repurchase" else came[metric]
    return values.astype("float64")


def _telling(seen: list[_Seen]) -> str:
    """The window of the past that tells most of what comes, over all dates; empty if none tells anything."""
    known = {name: np.mean([_correlation(outcome, past[name]) for outcome, _, past in seen]) for name in seen[0][2]}
    best = max(known, key=lambda name: known[name], default="")
    return best if best and known[best] > 0 else ""


def _variation(metric: str, days: int, seen: list[_Seen], covariate: str) -> Variation:
    """Means over the dates: a campaign compares customers of one date, so that dates add nothing to the variance."""
    mean = float(np.mean([outcome.mean() for outcome, _, _ in seen]))
    share = metric == "repurchase"
    spread = mean * (1 - mean) if share else float(np.mean([outcome.var() for outcome, _, _ in seen]))
    told = float(np.mean([_correlation(outcome, past[covariate]) for outcome, _, past in seen])) if covariate else 0.0
    return Variation(
        metric=metric,
        days=days,
        mean=mean,
        standard_deviation=float(np.sqrt(spread)),
        buyers=float(np.mean([bought.mean() for _, bought, _ in seen])),
        covariate=covariate,
        correlation=max(told, 0.0),
        share=share,
    )


def _correlation(outcome: pd.Series, past: pd.Series) -> float:
    """Zero where one of them is the same for everyone."""
    x, y = past.fillna(past.mean()).to_numpy("float64"), outcome.to_numpy("float64")
    return float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) > 0 and np.ptp(y) > 0 else 0.0


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value
