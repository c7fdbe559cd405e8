"""What campaigns changed whose customers were drawn by chance: what is read of each, and how."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import pandas as pd

from .features.offers import Offers
from .programme import held_out, randomised, registry, sequential
from .programme.cannibalisation import AFTER, weeks_of
from .programme.effect import Effect
from .programme.panel import Plan
from .programme.trial import Trial

if TYPE_CHECKING:
    from .study import Study

DAYS = 7 * Plan().window
"""Over which every effect is read, unless another period was registered."""
PAST = {
    "spend": ("spend before", "purchase_days before"),
    "order_value": ("spend before", "orders before"),
    "purchase_days": ("purchase_days before", "spend before"),
    "orders": ("purchase_days before", "spend before"),
    "repurchase": ("purchase_days before", "spend before"),
}
"""What each is narrowed with, the first also what its placebo is made of, unless something else was registered."""
UNFINISHED = "The campaign is not over: what it sells and costs from here on is not known."
TOO_SOON = (
    f"The {AFTER} weeks after its end are not over when the log ends, so sales that were pulled forward are not seen."
)
METRICS = ("spend", "purchase_days", "order_value")
"""What is read of each campaign, the main one first, unless another metric was registered."""


class Read(NamedTuple):
    """One campaign with a control group: what was drawn, what is read, and how.

    Attributes
    ----------
    start, days : first day, and over how many days its effects are read.
    last : day on which its coupons end, see `effects_worth.last_days`; None where none was handed in.
    people : see `held_out.participants`.
    known_until : first day that is not known.
    planned : share of those drawn who were to be held out; None where that is not known.
    effects : by metric, the main one first.
    long : what it changed in spend while it ran and in the weeks after, where it ran for more than `days`; else None.
    """

    campaign: str
    start: date
    days: int
    last: date | None
    people: pd.DataFrame
    known_until: date
    registration: registry.Registration | None
    planned: float | None
    effects: Mapping[str, Effect]
    long: Effect | None

    @property
    def main(self) -> str:
        """The metric that it is read by."""
        return next(iter(self.effects))

    @property
    def smaller(self) -> int:
        """Customers of the smaller arm."""
        return int(min((self.people["arm"] == arm).sum() for arm in ("treated", "control")))

    @property
    def running(self) -> bool:
        """Whether the days over which it is read are not over."""
        return (self.known_until - self.start).days < self.days

    @property
    def weeks(self) -> int | None:
        """In which its coupons were handed in; None where none was."""
        return _weeks(self.start, self.last)

    @property
    def spend(self) -> Effect:
        """What it changed in spend once it is over, refused while it is not or where something else was registered."""
        main = self.effects[self.main]
        if self.main != "spend":
            return main.refused(
                f"The campaign is registered to be read by {self.main.replace('_', ' ')}, not by spend."
            )
        if self.running or (self.last is not None and self.last >= self.known_until):
            return main.refused(UNFINISHED)
        return main

    @property
    def is_long(self) -> bool:
        """Whether it ran for more days than those over which it is read."""
        return self.long is not None

    @property
    def earned(self) -> Effect:
        """What it changed in spend, in all days in which its coupons were taken; refused as `spend` is."""
        return self.spend if self.long is None or not self.spend.identified else self.long

    def without_people(self) -> Self:
        """The same without its customers, of whom a retailer of many campaigns has more than memory holds."""
        return self._replace(people=self.people.iloc[:0])


def _weeks(start: date, last: date | None) -> int | None:
    return None if last is None or last < start else weeks_of((last - start).days + 1)


def read(study: "Study", offers: Offers, campaign: str, drawn: pd.Series, last: date | None) -> Read:
    """The effects of one campaign on those drawn for it, as registered where it is.

    Parameters
    ----------
    drawn : its row of `held_out.campaigns`.
    last : see `Read`.
    """
    found, start = None, pd.Timestamp(drawn["start"]).date()
    planned = None if pd.isna(drawn["planned"]) else float(drawn["planned"])
    if registry.is_registered(campaign, study.name, study.root):
        found = registry.registered(campaign, study.name, study.root)
        start, planned = found.starts, found.hold_out
    days, covariate = (found.days, found.covariate) if found else (DAYS, "")
    ran = _weeks(start, last) or 0
    people = held_out.participants(
        study.data.tables,
        offers,
        campaign,
        start,
        as_of=study.known_until,
        days=days,
        weeks=ran + max(AFTER, ran),
        covariate=covariate,
    )
    shares = None if planned is None else {"treated": 1 - planned, "control": planned}
    trial = Trial.of(people, planned=shares)
    metrics = (found.metric,) if found else METRICS
    told = {metric: _effect(study, trial, campaign, metric, days, covariate) for metric in metrics}
    told = {metric: _as_known(study, each, metric, found, start, days, len(people)) for metric, each in told.items()}
    long = _long(study, trial, campaign, 7 * (ran + AFTER)) if last and (last - start).days + 1 > days else None
    return Read(campaign, start, days, last, people, study.known_until, found, planned, told, long)


def _long(study: "Study", trial: Trial, campaign: str, days: int) -> Effect:
    """What a campaign changed in spend over more days than it is read; refused where these are not over."""
    weeks = [f"week_{week}" for week in range(days // 7)]
    seen = [week for week in weeks if week in trial.frame]
    people = trial.frame.assign(spend=trial.frame[seen].sum(axis=1))
    effect = _effect(study, replace(trial, frame=people), campaign, "spend", days, "")
    return effect if seen == weeks else effect.refused(TOO_SOON)


def _as_known(
    study: "Study",
    effect: Effect,
    metric: str,
    found: registry.Registration | None,
    start: date,
    days: int,
    customers: int,
) -> Effect:
    """The effect with an interval that allows for how early it is looked at."""
    if found:
        known = study.known_until
        return registry.held_to(
            found, effect, metric=metric, known_until=known, customers=customers, covariate=found.covariate
        )
    if (reached := (study.known_until - start).days) < days:
        return sequential.still_running(effect, reached=max(reached, 1), planned=days)
    return effect


def _effect(study: "Study", trial: Trial, campaign: str, metric: str, days: int, covariate: str) -> Effect:
    what = f"{metric.capitalize().replace('_', ' ')} in the {days} days from the start of campaign {campaign} on"
    before = (covariate,) if covariate else PAST[metric]
    currency = study.dataset.currency
    if metric == "repurchase":
        return randomised.shares(trial, metric, what=what, before=before)["treated"]
    if metric == "order_value":
        unit = f"{currency} an order"
        return randomised.ratios(trial, "spend", "orders", what=what, unit=unit, before=before)["treated"]
    unit = f"{currency} a customer" if metric == "spend" else f"{metric.replace('_', ' ')} a customer"
    return randomised.means(trial, metric, what=what, unit=unit, before=before)["treated"]


def plain(read: Read) -> dict[str, Any]:
    """Of `effects.effects`, one of `randomised`."""
    found = read.registration
    return {
        "campaign": read.campaign,
        "start": read.start.isoformat(),
        "days": read.days,
        "running": read.running,
        "planned": read.planned,
        "registered_on": found and found.registered_on.isoformat(),
        "minimum_effect": found and found.minimum_effect,
        "succeeded": None if found is None or read.running else registry.succeeded(found, read.effects[read.main]),
        "effects": {metric: each.to_dict() for metric, each in read.effects.items()},
    }
