"""What is odd about campaigns and coupons, told by `loyalty check`; it concerns the tables as a whole."""

import ibis.expr.types as ir

from .companions import NOTEWORTHY, count, first_rows
from .findings import Found
from .offers import Offers, arms, judged

KINDS = {
    "unknown_coupon": "of a coupon that belongs to no such campaign",
    "both_arms": "by customers who were both treated and held out",
    "held_out": "by customers who were held out",
    "no_contact": "by customers who were not sent the campaign",
    "outside_window": "before the contact or outside the campaign's days",
}
"""What is told of redemptions, by the reason of `offers.judged`."""


def offer_findings(offers: Offers) -> list[Found]:
    """Redemptions that count for no campaign, customers in both arms, and campaigns with nobody or with no plan."""
    rows = judged(offers)
    return [
        *_both_arms(offers), *_empty(offers), *_unplanned(offers), *([] if rows is None else _redemptions(rows))
    ]  # fmt: skip


def _redemptions(rows: ir.Table) -> list[Found]:
    counted = rows.group_by("reason").agg(rows=rows.count(), customers=rows.customer.nunique()).to_pyarrow()
    by_reason = {row["reason"]: row for row in counted.to_pylist()}
    total = sum(row["rows"] for row in by_reason.values())
    found = []
    for reason in filter(by_reason.__contains__, KINDS):
        row = by_reason[reason]
        sample = rows.filter(rows.reason == reason).select("customer", "day", "campaign", "coupon")
        found.append(
            Found(
                name=f"redemption_{reason}",
                severity="warning" if row["rows"] > NOTEWORTHY * total else "note",
                done="counted",
                detail=f"redemptions: {row['rows']:,} of {total:,} are {KINDS[reason]}, and count for no campaign",
                customers=row["customers"],
                sample=first_rows(sample),
            )
        )
    return found


def _both_arms(offers: Offers) -> list[Found]:
    drawn = arms(offers.drawn)
    both = drawn.filter(drawn.arm == "both")
    if not (number := count(both)):
        return []
    total = count(drawn)
    return [
        Found(
            name="both_arms",
            severity="warning" if number > NOTEWORTHY * total else "note",
            done="counted",
            detail=f"contacts: {number:,} of {total:,} customers of a campaign were both treated and held out, and are "
            "left out of both",
            customers=both.customer.nunique().to_pyarrow().as_py(),
            sample=first_rows(both.select("customer", "campaign", "first_contact")),
        )
    ]


def _empty(offers: Offers) -> list[Found]:
    drawn = arms(offers.drawn)
    empty = offers.campaigns.anti_join(drawn.filter(drawn.arm == "treated"), "campaign")
    if not (number := count(empty)):
        return []
    return [
        Found(
            name="empty_campaign",
            severity="note",
            done="counted",
            detail=f"campaigns: nobody received {number:,} of {count(offers.campaigns):,}: {_named(empty, number)}",
        )
    ]


def _unplanned(offers: Offers) -> list[Found]:
    share = offers.campaigns.hold_out
    wrong = offers.campaigns.filter((share <= 0) | (share >= 1))
    if not (number := count(wrong)):
        return []
    return [
        Found(
            name="hold_out_no_share",
            severity="warning",
            done="counted",
            detail=f"campaigns: hold_out is no share between 0 and 1 in {number:,}: {_named(wrong, number)}",
        )
    ]


def _named(campaigns: ir.Table, number: int) -> str:
    """The first of so many campaigns."""
    names = [row["campaign"] for row in first_rows(campaigns.select("campaign"))]
    return f"{', '.join(names)}{', …' if number > len(names) else ''}"
