"""The step of a study that measures campaigns as they were, and says what the next one needs to show its effect."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from . import designs
from .errors import RefusedError
from .features.offers import Offers, arms
from .programme.campaigns import left_out, measures, overview
from .programme.channels import contact_channels, purchase_channels
from .programme.redeeming import curves
from .programme.responses import ANYWAY_DAYS, Responses, responses, segments_before
from .programme.stop_loss import stop_loss

if TYPE_CHECKING:
    from .study import Study

EVERYTHING = "All campaigns"
"""Name of the one row, or curve, of all of them."""


def measured(study: "Study") -> dict[str, Any]:
    """What campaigns did until `known_until`; nothing of it is an effect.

    Returns
    -------
    about : known (whether anyone was sent a campaign), lacking (parts of a dataset file that would tell more), desk
        (see `designs.Desk.to_dict`; null where the log is too short). Where campaigns are known also campaigns (how
        many have begun), running, first_day (of the earliest, ISO), held_out (customers, once a campaign), both_arms
        (customers of a campaign who were both treated and held out), left_out (see `programme.campaigns.left_out`),
        anyway_days, dated (whether the contacts have days of their own), discount_told (whether redemptions say what
        they took off).
    campaign, type, channel, segment : see `programme.campaigns.measures`; those that are known.
    total : the same, one row of everything.
    curves : see `programme.redeeming.curves`, by type or, where there are none, of everything.
    channel_curves, segment_curves : the same by these, where they are known.
    issued, handed_in : contacts and redemptions, see `_by_day`.
    stop_loss : see `programme.stop_loss.judge`.
    contact_channels, purchase_channels : see `programme.channels`.
    """
    day, offers = study.known_until, study.data.offers
    seen = None if offers is None else _seen(study, offers)
    bought = purchase_channels(study.data.tables.lines, day)
    if offers is None or seen is None:
        lacking = ["contacts"] if offers is None else []
        return {"purchase_channels": bought, "about": {"known": False, "lacking": lacking, "desk": _desk(study)}}
    whole = replace(seen, customers=seen.customers.mutate(everything=ibis.literal(EVERYTHING)))
    groups, total = overview(seen), measures(whole, "everything")
    one = replace(seen, customers=seen.customers.mutate(type=ibis.literal(EVERYTHING)))
    contacts = seen.contacts.select("customer", "day")
    counted = contacts.limit(0) if seen.counted is None else seen.counted.select("customer", "day")
    beside = {f"{by}_curves": curves(seen, by) for by in ("channel", "segment") if by in groups}
    return (
        groups
        | beside
        | {
            "total": total,
            "curves": curves(seen if "type" in groups else one, "type"),
            "issued": _by_day(contacts),
            "handed_in": _by_day(counted),
            "stop_loss": stop_loss(seen, study.dataset.programme),
            "contact_channels": contact_channels(seen),
            "purchase_channels": bought,
            "about": _about(study, offers, seen, groups["campaign"])
            | {"lacking": _lacking(offers, seen, groups, total), "desk": _desk(study)},
        }
    )


def _seen(study: "Study", offers: Offers) -> Responses | None:
    """What customers did; None where nobody was sent a campaign that has begun."""
    day, tables = study.known_until, study.data.tables
    known = offers.known(day)
    reached = arms(known.drawn).filter(lambda each: each.arm == "treated").semi_join(known.campaigns, "campaign")
    if not reached.count().to_pyarrow().as_py():
        return None
    return responses(offers, tables, day, study.first_day, segments_before(tables, offers, day))


def _by_day(rows: ir.Table) -> pd.DataFrame:
    """Rows by day, in such a way that different customers can be counted over any span of days.

    Returns
    -------
    day, previous (day of the same customers' row before it, null at their first), customers, rows; in order of both
    days. The different customers from one day to another are those whose previous day lies before it.
    """
    each = rows.group_by("customer", "day").agg(rows=rows.count())
    earlier = each.day.lag().over(ibis.window(group_by="customer", order_by="day"))
    told = each.mutate(previous=earlier)
    counted = told.group_by("day", "previous").agg(customers=told.count(), rows=told.rows.sum()).to_pandas()
    counted[["day", "previous"]] = counted[["day", "previous"]].apply(pd.to_datetime)
    return counted.sort_values(["day", "previous"], ignore_index=True)


def _about(study: "Study", offers: Offers, seen: Responses, campaigns: pd.DataFrame) -> dict[str, Any]:
    drawn = arms(offers.known(seen.as_of).drawn)
    by_arm = drawn.group_by("arm").agg(rows=drawn.count()).to_pandas().set_index("arm")["rows"]
    return {
        "known": True,
        "campaigns": len(campaigns),
        "running": int(campaigns["running"].sum()),
        "first_day": campaigns["start"].min().date().isoformat(),
        "held_out": int(by_arm.get("held out", 0)),
        "both_arms": int(by_arm.get("both", 0)),
        "left_out": left_out(seen),
        "anyway_days": ANYWAY_DAYS,
        "dated": all(table.time for table in study.dataset.contacts or ()),
        "discount_told": any(table.amount for table in study.dataset.redemptions or ()),
    }


def _lacking(offers: Offers, seen: Responses, groups: dict[str, pd.DataFrame], total: pd.DataFrame) -> list[str]:
    """Parts of a dataset file that would tell more of these campaigns, as it calls them."""
    row = total.iloc[0]
    lacks = {
        "redemptions": seen.redemptions is None,
        "transactions.coupon": seen.redemptions is not None and seen.coupon_lines is None,
        "coupons": seen.redemptions is not None and offers.coupons is None,
        "opens": pd.isna(row["opened"]),
        "campaigns.contact_cost": pd.isna(row["contact_cost"]),
        "campaigns.type": "type" not in groups,
        "campaigns.channel": "channel" not in groups,
    }
    return [name for name, lacking in lacks.items() if lacking]


def _desk(study: "Study") -> dict[str, Any] | None:
    """What a campaign needs whose effect on spend is to be seen; None where the log is too short to say."""
    try:
        return designs.desk(study).to_dict()
    except RefusedError:
        return None
