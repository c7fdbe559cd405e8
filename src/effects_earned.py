"""What campaigns earned: each of them, those of a type, and all of them together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from .effects_drawn import DAYS, UNFINISHED, Read
from .effects_worth import NOTHING, known, sums_of, whole_groups
from .programme.cannibalisation import AFTER
from .programme.chosen_sales import Ran, together
from .programme.effect import Effect, Interval
from .programme.observational import plan_for
from .programme.panel import Panel
from .programme.profit_and_loss import Costs, ProfitAndLoss, points_cost, profit_and_loss
from .programme.whole_programme import programme

if TYPE_CHECKING:
    from .study import Study

TOGETHER = "All of these together"
LONG = f"Sales caused are those of all weeks of each campaign and of the {AFTER} after it."


class Chosen(NamedTuple):
    """Campaigns to chosen customers.

    Attributes
    ----------
    panel : that they are compared in.
    groups : see `effects.effects`, results not yet as plain values.
    last : see `effects_worth.last_days`.
    """

    panel: Panel
    groups: Sequence[dict[str, Any]]
    last: Mapping[str, date]


class Earned(NamedTuple):
    """Accounts.

    Attributes
    ----------
    shown : of campaigns with a control group that are looked at one by one, and of the others by type.
    earlier : of the other campaigns with a control group.
    single : of campaigns to chosen customers that are looked at one by one; most are in the account of their type too.
    whole : `shown`, `earlier`, and those of `single` that no type could be compared with; None where these are not
        several.
    """

    shown: list[ProfitAndLoss]
    earlier: list[ProfitAndLoss]
    single: list[ProfitAndLoss]
    whole: ProfitAndLoss | None


def accounts(study: "Study", drawn: Sequence[Read], earlier: Sequence[Read], chosen: Chosen | None) -> Earned:
    """What campaigns earned.

    Parameters
    ----------
    drawn, earlier : campaigns with a control group: those that are looked at one by one, and the others.
    chosen : None where there are none.
    """
    shown, before = ([_of_drawn(study, each) for each in some] for some in (drawn, earlier))
    groups = whole_groups(chosen.groups) if chosen else []
    single: list[ProfitAndLoss] = []
    beside: list[ProfitAndLoss] = []
    if chosen:
        shown += [_of_group(study, chosen, each) for each in groups]
        alone = [each for each in chosen.groups if each["kind"] == "campaign" and each not in groups]
        alone = [each for each in alone if each["compared"]]
        single = [_of_group(study, chosen, each) for each in alone]
        held = {name for each in groups for name in each["compared"]}
        beside = [account for each, account in zip(alone, single, strict=True) if not held & set(each["compared"])]
    every, shared = [*before, *shown, *beside], len(groups) + len(beside) > 1
    whole = programme(every, shared_controls=shared, what=TOGETHER) if len(every) > 1 else None
    return Earned(shown, before, single, whole)


def _of_drawn(study: "Study", read: Read) -> ProfitAndLoss:
    return _account(study, f"Campaign {read.campaign}", read.earned, [read.campaign], long=read.is_long)


def _of_group(study: "Study", chosen: Chosen, group: dict[str, Any]) -> ProfitAndLoss:
    """The account of chosen customers: of those campaigns of theirs that are over."""
    effect, names = group["observed"].effect, list(group["compared"])
    over = [name for name in names if name not in chosen.last or chosen.last[name] < study.known_until]
    if names and not over:
        return _account(study, group["name"], effect.refused(UNFINISHED), names)
    long = effect.identified and any(_length(study, name, chosen.last) > DAYS for name in over)
    if not long:
        return _account(study, group["name"], effect, over)
    caused, counted = _over_their_days(study, chosen, effect, over)
    account = _account(study, group["name"], caused, counted or over, long=caused.identified)
    if not counted or len(counted) == len(over):
        return account
    left = f"{len(over) - len(counted)} of {len(over)} campaigns are left out: too few weeks after their end are known."
    return replace(account, notes=(*account.notes, left))


def _over_their_days(
    study: "Study", chosen: Chosen, effect: Effect, names: Sequence[str]
) -> tuple[Effect, tuple[str, ...]]:
    """The effect on a customer over all weeks of each campaign and those after it, and of which campaigns."""
    rows = study.campaigns()["campaign"].loc[list(names)]
    # Of a campaign without an end whose coupons nobody handed in, the usual days are looked at.
    usual = timedelta(days=DAYS - 7 * AFTER - 1)
    ran = {
        str(name): Ran(chosen.last.get(str(name), row["start"].date() + usual), int(row["reached"]))
        for name, row in rows.iterrows()
    }
    found = together(chosen.panel, ran, plan_for(chosen.panel, names), most_after=AFTER)
    if found.caused is None:
        return effect.refused(*(found.refusals or (NOTHING,))), ()
    reached = sum(ran[name].reached for name in found.campaigns)
    value = (found.caused.during + found.caused.after) / reached
    error = found.error / reached
    spent = replace(effect, found=Interval.around(value, error), standard_error=error, treated=found.measured)
    return spent, found.campaigns


def _account(study: "Study", what: str, found: Effect, names: Sequence[str], *, long: bool = False) -> ProfitAndLoss:
    """The account of some campaigns; `long` says that their sales are counted over all of their days."""
    sums = sums_of(study, names)
    reached = int(sums["reached"])
    caused = found.found.estimate * reached if found.identified else None
    rules, given = study.dataset.programme.points, study.data.tables.points is not None
    costs = Costs(known(sums["discount"]), known(sums["contact_cost"]), points_cost(caused, rules, given=given))
    account = profit_and_loss(
        found, study.dataset.study.margin, costs, customers=reached, discount_share=_discount_share(study, sums)
    )
    notes = (*account.notes, LONG) if long and account.identified else account.notes
    return replace(account, what=what, notes=notes)


def _length(study: "Study", name: str, last: Mapping[str, date]) -> int:
    """Days of a campaign; 0 where nobody knows when it ended."""
    start = study.campaigns()["campaign"].loc[name, "start"].date()
    return (last[name] - start).days + 1 if name in last else 0


def _discount_share(study: "Study", sums: pd.Series) -> float:
    """Share of the redemptions of which it is known what they took off."""
    if study.campaigns()["about"]["discount_told"] or not sums["redemptions"] > 0 or pd.isna(sums["matched"]):
        return 1.0
    return float(sums["matched"] / sums["redemptions"])
