"""The step of a study that says what campaigns and the programme changed, and whether that paid."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from . import gains
from .features.offers import Offers
from .programme import held_out, randomised, registry, sequential
from .programme.cannibalisation import Cannibalisation, split
from .programme.effect import QUANTILE, Effect
from .programme.observational import Observed, effect, plan_for
from .programme.panel import Panel, Plan, by_kind, panel
from .programme.profit_and_loss import Costs, ProfitAndLoss, points_cost, profit_and_loss
from .programme.stacking import stack
from .programme.trial import Trial
from .programme.whole_programme import programme
from .store import digest

if TYPE_CHECKING:
    from .study import Study

WEEKS = Plan().window
"""Whole weeks over which every effect is read, unless another period was registered."""
DAYS = 7 * WEEKS
SINGLE = 10
"""Campaigns that are looked at one by one: the largest, or of those with a control group the latest."""
LEARNED = 200
"""Customers that the smaller arm needs before anyone asks who responds."""
EVERYTHING = "All campaigns"
TOGETHER = "All of these together"


class _Read(NamedTuple):
    """One campaign with a control group: what was drawn, what is read, and how."""

    campaign: str
    start: date
    people: pd.DataFrame
    days: int
    registration: registry.Registration | None
    effects: dict[str, Effect]

    @property
    def main(self) -> str:
        return next(iter(self.effects))

    @property
    def smaller(self) -> int:
        """Customers of the smaller arm."""
        return int(min((self.people["arm"] == arm).sum() for arm in ("treated", "control")))


def key(study: "Study") -> str:
    """The same as long as the same read-outs are registered."""
    folder = study.root / "data" / "registered" / study.name
    return digest(*((file.name, file.read_bytes()) for file in sorted(folder.glob("*.toml"))))


def effects(study: "Study") -> dict[str, Any]:
    """What was caused until `known_until`: plain values, in which effects are as `Effect.to_dict` writes them.

    Returns
    -------
    about : known (whether anyone was sent a campaign), days (over which effects are read), randomised and targeted (how
        many campaigns of each design have begun).
    randomised : of the latest campaigns with a control group: campaign, start (ISO), days, running, registered_on (ISO,
        or None), effects (by metric, the first the main one).
    observed : of all other campaigns together, by type, and of the largest: name, kind (`all`, `type` or `campaign`),
        campaigns (how many), compared (names of those that could be), observed (see `Observed.to_dict`).
    splits : see `Cannibalisation.to_dict`, of campaigns whose sales with a coupon are known.
    accounts : see `ProfitAndLoss.to_dict`; whole, the same of all together, None where there is none.
    members : effects (by outcome; None where nobody knows who joined when) and standing, see `joining.standing`.
    responders : campaign and response, see `Response.to_dict`; None where no campaign with a control group is enough.
    single : effects on single customers that actions may count with, see `gains.who_gains`.
    """
    told = {"members": gains.of_members(study)}
    offers = study.data.offers
    if offers is None or not study.campaigns()["about"]["known"]:
        nothing: dict[str, Any] = {name: [] for name in ("randomised", "observed", "splits", "accounts")}
        about = {"known": False, "days": DAYS, "randomised": 0, "targeted": 0}
        return told | nothing | {"about": about, "whole": None, "responders": None, "single": []}
    drawn = held_out.campaigns(offers, study.known_until)
    measured = study.campaigns()["campaign"]
    targeted = [name for name in measured.index.astype(str) if name not in drawn.index]
    read = [_read(study, offers, str(name), row["start"]) for name, row in drawn.tail(SINGLE).iterrows()]
    seen = _observed(study, targeted)
    accounts, whole = _accounts(study, read, seen)
    responders, single = gains.who_gains(study, [_over(study, each) for each in read if _is_enough(study, each)])
    return told | {
        "about": {"known": True, "days": DAYS, "randomised": len(drawn), "targeted": len(targeted)},
        "randomised": [_plain(study, each) for each in read],
        "observed": [{**each, "observed": each["observed"].to_dict()} for each in seen],
        "splits": [each.to_dict() for each in _splits(study, read, seen)],
        "accounts": [each.to_dict() for each in accounts],
        "whole": whole and whole.to_dict(),
        "responders": responders,
        "single": single,
    }


# Where chance decided


def _read(study: "Study", offers: Offers, campaign: str, start: date) -> _Read:
    """The effects of one campaign on those drawn for it, as registered where it is."""
    start, found = pd.Timestamp(start).date(), None
    if registry.is_registered(campaign, study.name, study.root):
        found = registry.registered(campaign, study.name, study.root)
        start = found.starts
    days, covariate = (found.days, found.covariate) if found else (DAYS, "")
    people = held_out.participants(
        study.data.tables, offers, campaign, start, as_of=study.known_until, days=days, covariate=covariate
    )
    trial = Trial.of(people, planned=found.planned if found else None)
    metrics = (found.metric,) if found else ("spend", "purchase_days")
    told = {metric: _effect(study, trial, campaign, metric, days, covariate) for metric in metrics}
    if found:
        told = {
            metric: registry.held_to(
                found, each, metric=metric, known_until=study.known_until, customers=len(people), covariate=covariate
            )
            for metric, each in told.items()
        }
    elif (reached := (study.known_until - start).days) < days:
        told = {
            metric: sequential.still_running(each, reached=max(reached, 1), planned=days)
            for metric, each in told.items()
        }
    return _Read(campaign, start, people, days, found, told)


def _effect(study: "Study", trial: Trial, campaign: str, metric: str, days: int, covariate: str) -> Effect:
    what = f"{metric.capitalize().replace('_', ' ')} in the {days} days from the start of campaign {campaign} on"
    past = ("purchase_days before", "spend before") if metric != "spend" else ("spend before", "purchase_days before")
    before = (covariate,) if covariate else past
    if metric == "repurchase":
        return randomised.shares(trial, metric, what=what, before=before)["treated"]
    currency = study.dataset.currency
    unit = f"{currency} a customer" if metric == "spend" else f"{metric.replace('_', ' ')} a customer"
    return randomised.means(trial, metric, what=what, unit=unit, before=before)["treated"]


def _plain(study: "Study", read: _Read) -> dict[str, Any]:
    return {
        "campaign": read.campaign,
        "start": read.start.isoformat(),
        "days": read.days,
        "running": (study.known_until - read.start).days < read.days,
        "registered_on": read.registration and read.registration.registered_on.isoformat(),
        "effects": {metric: each.to_dict() for metric, each in read.effects.items()},
    }


# Where customers were chosen


def _observed(study: "Study", targeted: list[str]) -> list[dict[str, Any]]:
    """All targeted campaigns, by type, and the largest one by one."""
    if not targeted:
        return []
    measured = study.campaigns()["campaign"]
    seen = panel(study.data.tables, study.known_until)
    groups: list[tuple[str, str, Sequence[str]]] = [(EVERYTHING, "all", targeted)] if len(targeted) > 1 else []
    types = measured["type"] if "type" in measured else pd.Series(dtype="object")
    kinds = {str(name): str(kind) for name, kind in types.dropna().items() if str(name) in targeted}
    groups += [(kind, "type", names) for kind, names in by_kind(seen, kinds).items() if names]
    largest = measured.loc[targeted, "reached"].sort_values(ascending=False, kind="stable").head(SINGLE)
    groups += [(f"Campaign {name}", "campaign", [str(name)]) for name in largest.index]
    return [_group(study, seen, *group) for group in groups]


def _group(study: "Study", seen: Panel, name: str, kind: str, names: Sequence[str]) -> dict[str, Any]:
    found = effect(seen, names, name=name, currency=study.dataset.currency)
    return {
        "name": name,
        "kind": kind,
        "campaigns": len(names),
        "compared": _compared(seen, names) if found.effect.treated else [],
        "observed": found,
    }


def _compared(seen: Panel, names: Sequence[str]) -> list[str]:
    """Campaigns that an effect of several is made of."""
    found = stack(seen, tuple(names), plan_for(seen, names), "spend")
    return sorted({seen.campaigns[cohort.campaign] for cohort in found.cohorts})


# What it was worth


def _sums(study: "Study", names: Iterable[str]) -> pd.Series:
    """Reached, coupon_sales, discount and contact_cost of campaigns; not a number where one of them has none."""
    measured = study.campaigns()["campaign"]
    columns = ["reached", "coupon_sales", "discount", "contact_cost"]
    return measured.loc[list(names), columns].astype("float64").sum(skipna=False)


def _splits(study: "Study", read: list[_Read], seen: list[dict[str, Any]]) -> list[Cannibalisation]:
    """Sales with a coupon, of each campaign with a control group, and of the others by type."""
    found = [_split_read(each, _sums(study, [each.campaign])) for each in read if each.main == "spend"]
    for group in _whole_groups(seen):
        sums = _sums(study, group["compared"])
        found.append(_split_observed(group["name"], group["observed"], sums) if group["compared"] else None)
    return [each for each in found if each is not None]


def _split_read(read: _Read, sums: pd.Series) -> Cannibalisation | None:
    """None where the sales with its coupons are not known."""
    if not sums["coupon_sales"] >= 0:
        return None
    what, treated = f"Campaign {read.campaign}", int(sums["reached"])
    main = read.effects["spend"]
    blank = Cannibalisation(what, "randomised", float(sums["coupon_sales"]), treated)
    if not main.identified:
        return replace(blank, refusals=main.refusals)
    table, covariance = held_out.weekly(read.people)
    return split(
        table,
        what=what,
        design="randomised",
        redeemed=float(sums["coupon_sales"]),
        treated=treated,
        weeks_during=Plan().during,
        covariance=covariance,
    )


def _split_observed(name: str, found: Observed, sums: pd.Series) -> Cannibalisation | None:
    if not sums["coupon_sales"] >= 0:
        return None
    design, treated = found.effect.design, int(sums["reached"])
    if not found.effect.identified:
        return Cannibalisation(name, design, float(sums["coupon_sales"]), treated, refusals=found.effect.refusals)
    weeks = found.weeks.assign(standard_error=(found.weeks["high"] - found.weeks["low"]) / (2 * QUANTILE))
    return split(
        weeks,
        what=name,
        design=design,
        redeemed=float(sums["coupon_sales"]),
        treated=treated,
        weeks_during=Plan().during,
    )


def _whole_groups(seen: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups that hold every targeted campaign once: the types, or all together, or the only one."""
    for kind in ("type", "all", "campaign"):
        if found := [each for each in seen if each["kind"] == kind]:
            return found
    return []


def _accounts(
    study: "Study", read: list[_Read], seen: list[dict[str, Any]]
) -> tuple[list[ProfitAndLoss], ProfitAndLoss | None]:
    """What each campaign with a control group, and each type of the others, earned; and all of them together."""
    told = [
        _account(study, f"Campaign {each.campaign}", each.effects["spend"], [each.campaign])
        for each in read
        if each.main == "spend"
    ]
    groups = _whole_groups(seen)
    told += [_account(study, each["name"], each["observed"].effect, each["compared"]) for each in groups]
    if len(told) < 2:
        return told, None
    return told, programme(told, shared_controls=len(groups) > 1, what=TOGETHER)


def _account(study: "Study", what: str, found: Effect, names: Sequence[str]) -> ProfitAndLoss:
    sums = _sums(study, names)
    reached = int(sums["reached"])
    caused = found.found.estimate * reached if found.identified else None
    rules, given = study.dataset.programme.points, study.data.tables.points is not None
    costs = Costs(_known(sums["discount"]), _known(sums["contact_cost"]), points_cost(caused, rules, given=given))
    account = profit_and_loss(found, study.dataset.study.margin, costs, customers=reached)
    return replace(account, what=what)


def _known(cost: float) -> float | None:
    return None if pd.isna(cost) else float(cost)


def _is_enough(study: "Study", read: _Read) -> bool:
    """Whether a campaign is over and had enough customers to ask who gains from it."""
    over = (study.known_until - read.start).days >= read.days
    return over and read.smaller >= LEARNED and read.effects[read.main].identified


def _over(study: "Study", read: _Read) -> gains.Over:
    sums = _sums(study, [read.campaign])
    cost = _known(sums["contact_cost"] / sums["reached"])
    return gains.Over(read.campaign, read.start, read.days, read.people, read.smaller, cost or 0.0)
