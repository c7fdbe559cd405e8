"""What coupons of campaigns sold, and of that what would have been bought anyway."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from . import gains
from .effects_drawn import TOO_SOON, Read
from .features.offers import Offers, judged
from .programme import held_out
from .programme.cannibalisation import AFTER, Cannibalisation, divided, split
from .programme.chosen_sales import Ran, together
from .programme.observational import plan_for
from .programme.panel import Panel

if TYPE_CHECKING:
    from .study import Study

NOTHING = "Nothing was redeemed, so there is nothing to split."


def sums_of(study: "Study", names: Iterable[str]) -> pd.Series:
    """Of campaigns reached, redemptions, matched (redemptions), coupon_sales, discount and contact_cost.

    Not a number where one of them has none.
    """
    measured = study.campaigns()["campaign"]
    columns = ["reached", "redemptions", "matched", "coupon_sales", "discount", "contact_cost"]
    return measured.loc[list(names), columns].astype("float64").sum(skipna=False)


def last_days(study: "Study", offers: Offers) -> dict[str, date]:
    """Last day of each campaign: its end or, where the dataset names none, the day of its last coupon."""
    rows = judged(offers.known(study.known_until))
    last: dict[str, date] = {}
    if rows is not None:
        counted = rows.filter(rows.reason.isnull())
        told = counted.group_by("campaign").agg(last=counted.day.max()).to_pandas()
        last = {str(name): pd.Timestamp(day).date() for name, day in zip(told["campaign"], told["last"], strict=True)}
    ends = study.campaigns()["campaign"]["end"].dropna()
    return last | {str(name): end.date() for name, end in ends.items()}


def over(study: "Study", read: Read) -> gains.Over:
    """A campaign that is over, for asking who gained from it."""
    sums = sums_of(study, [read.campaign])
    cost = known(sums["contact_cost"] / sums["reached"])
    return gains.Over(read.campaign, read.start, read.days, read.people, read.smaller, cost or 0.0)


# Sales with a coupon


def splits(
    study: "Study",
    drawn: Sequence[Read],
    seen: Panel | None,
    observed: Sequence[dict[str, Any]],
    last: Mapping[str, date],
) -> list[Cannibalisation]:
    """Sales with a coupon, of each campaign with a control group, and of the others by type.

    Parameters
    ----------
    drawn : campaigns with a control group.
    seen : the panel that the others are compared in.
    observed : see `effects.effects`, results not yet as plain values.
    last : see `last_days`.
    """
    found = [_of_drawn(each, sums_of(study, [each.campaign])) for each in drawn]
    if seen is not None:
        found += [_of_chosen(study, seen, each, last) for each in whole_groups(observed) if each["compared"]]
    return [each for each in found if each is not None]


def _with_lines(made: Cannibalisation, sums: pd.Series) -> Cannibalisation:
    """The split with what must be known where the log does not show the lines of all coupons."""
    if not made.identified or not sums["matched"] < sums["redemptions"]:
        return made
    note = (
        f"Of {100 * sums['matched'] / sums['redemptions']:.0f} % of the coupons handed in the lines are known: sales "
        "with a coupon are at least these, and so are those that would have come anyway."
    )
    return replace(made, notes=(*made.notes, note))


def _of_drawn(read: Read, sums: pd.Series) -> Cannibalisation | None:
    """None where the sales with its coupons are not known."""
    if not sums["coupon_sales"] >= 0:
        return None
    what, treated, redeemed = f"Campaign {read.campaign}", int(sums["reached"]), float(sums["coupon_sales"])
    blank, effect, weeks = Cannibalisation(what, "randomised", redeemed, treated), read.spend, read.weeks
    if not effect.identified:
        return replace(blank, refusals=effect.refusals)
    if weeks is None:
        return replace(blank, refusals=(NOTHING,))
    if sum(str(name).startswith("week_") for name in read.people) < weeks + AFTER:
        return replace(blank, refusals=(TOO_SOON,))
    table, covariance = held_out.weekly(read.people)
    made = split(
        table,
        covariance,
        what=what,
        design="randomised",
        redeemed=redeemed,
        treated=treated,
        weeks_during=weeks,
        measured=effect.treated,
    )
    return _with_lines(made, sums)


def _of_chosen(study: "Study", seen: Panel, group: dict[str, Any], last: Mapping[str, date]) -> Cannibalisation | None:
    """The campaigns of a group that are over, each over its own length; None where coupon sales are not known."""
    names, effect = group["compared"], group["observed"].effect
    sums = sums_of(study, names)
    if not sums["coupon_sales"] >= 0:
        return None
    blank = Cannibalisation(group["name"], effect.design, float(sums["coupon_sales"]), int(sums["reached"]))
    if not effect.identified:
        return replace(blank, refusals=effect.refusals)
    reached = study.campaigns()["campaign"]["reached"]
    ran = {name: Ran(last[name], int(reached[name])) for name in names if name in last}
    found = together(seen, ran, plan_for(seen, names))
    if found.caused is None:
        return replace(blank, refusals=found.refusals or (NOTHING,))
    sums = sums_of(study, found.campaigns)
    made = divided(
        found.caused,
        what=group["name"],
        design=effect.design,
        redeemed=float(sums["coupon_sales"]),
        treated=int(sums["reached"]),
        measured=found.measured,
    )
    made = _with_lines(made, sums)
    left = len(ran) - len(found.campaigns)
    note = f"{left} of {len(ran)} campaigns are left out: too few weeks after their end are known."
    return replace(made, notes=(*made.notes, note)) if left else made


def whole_groups(observed: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups that hold every targeted campaign once: the types, or all together, or the only one."""
    for kind in ("type", "all", "campaign"):
        if found := [each for each in observed if each["kind"] == kind]:
            return found
    return []


def known(cost: float) -> float | None:
    """A sum of costs; None where one of them is not known."""
    return None if pd.isna(cost) else float(cost)
