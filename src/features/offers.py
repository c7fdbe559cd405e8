"""Campaigns, who was drawn for them and what was handed in: which of these rows can be used, and which are odd.

A customer who is told to be treated and held out in the same campaign is in neither arm. A redemption counts if the
customer had received the campaign, while it ran, with a coupon that belongs to it.
"""

from datetime import date
from typing import NamedTuple, Self

import ibis
import ibis.expr.types as ir

from .windows import before, is_before

SEVERAL = "several"
"""Channel of a customer who was sent a campaign by more than one."""


class Offers(NamedTuple):
    """The tables about campaigns, see `sources.log`; one that the dataset lacks is None.

    Attributes
    ----------
    campaigns : one row each; start is null where no day is known.
    drawn : the contacts, those held out too.
    """

    campaigns: ir.Table
    drawn: ir.Table
    opens: ir.Table | None = None
    redemptions: ir.Table | None = None
    coupons: ir.Table | None = None

    @classmethod
    def of(
        cls,
        drawn: ir.Table,
        campaigns: ir.Table | None = None,
        opens: ir.Table | None = None,
        redemptions: ir.Table | None = None,
        coupons: ir.Table | None = None,
    ) -> Self:
        """The tables of a dataset; a campaign that only the contacts name begins with the first of them."""
        first = drawn.filter(drawn.campaign.notnull()).group_by("campaign").agg(first=drawn.day.min())
        if campaigns is None:
            return cls(_undescribed(first), drawn, opens, redemptions, coupons)
        told = campaigns.filter(campaigns.campaign.notnull()).left_join(first, "campaign").drop("campaign_right")
        told = told.mutate(start=told.start.coalesce(told["first"])).drop("first")
        more = _undescribed(first.anti_join(told, "campaign"))
        return cls(told.union(more.select(*told.columns)), drawn, opens, redemptions, coupons)

    def known(self, as_of: date) -> Self:
        """What is known of them at a date: campaigns that have begun, and rows of the days before it."""
        drawn = before(self.drawn, as_of)
        later = ~is_before(drawn.opened_day, as_of)
        drawn = drawn.mutate(opened=later.ifelse(False, drawn.opened).coalesce(drawn.opened))
        return self._replace(
            campaigns=self.campaigns.filter(is_before(self.campaigns.start, as_of)),
            drawn=drawn,
            **{
                name: before(table, as_of)
                for name in ("opens", "redemptions")
                if (table := getattr(self, name)) is not None
            },
        )


def sent(drawn: ir.Table) -> ir.Table:
    """Contacts that were made: customer, day, campaign; each once.

    One is left out where the customer had been held out of the same campaign by then: which is true is not known.
    """
    held = drawn.filter(drawn.held_out).group_by("campaign", "customer").agg(since=drawn.day.min())
    joined = drawn.filter(~drawn.held_out).left_join(held, ["campaign", "customer"])
    clear = joined.filter((joined.since > joined.day).coalesce(True))
    return clear.select("customer", "day", "campaign").distinct()


def arms(drawn: ir.Table) -> ir.Table:
    """Who was drawn for which campaign, one row each.

    Returns
    -------
    campaign, customer
    arm : `treated`, `held out`, or `both`, which is nobody's.
    contacts : made; 0 for those held out.
    first_contact : day of the first row.
    sent_by : by which channel; `several`, or null where none is told.
    opened : whether one of the messages was; null where the contacts do not tell.
    """
    named = drawn.filter(drawn.campaign.notnull() & drawn.customer.notnull() & drawn.day.notnull())
    treated = ~named.held_out
    each = named.group_by("campaign", "customer").agg(
        contacts=treated.sum(),
        held=named.held_out.any(),
        first_contact=named.day.min(),
        one=named.sent_by.min(),
        other=named.sent_by.max(),
        opened=named.opened.any(where=treated),
    )
    arm = ibis.cases((each.held & (each.contacts > 0), "both"), (each.contacts > 0, "treated"), else_="held out")
    sent_by = (each.one < each.other).ifelse(SEVERAL, each.one)
    return each.mutate(arm=arm, sent_by=sent_by).drop("held", "one", "other")


def judged(offers: Offers) -> ir.Table | None:
    """Redemptions with the campaign that they belong to, and the reason for which one does not count; None without any.

    Where a redemption names no campaign, it is the latest that the customer had received, that still ran, and, where it
    is known which coupons belong to which campaign, that has this coupon.

    Returns
    -------
    customer, day, campaign, coupon, order, amount
    reason : null where it counts, else the first that applies:
        unknown_coupon, which belongs to no campaign, or not to this one;
        both_arms or held_out, see `arms`;
        no_contact : the customer was not sent the campaign;
        outside_window : before the first contact or the campaign's first day, or after its last.
    """
    if offers.redemptions is None:
        return None
    named = arms(offers.drawn).select("campaign", "customer", "arm", "first_contact")
    dates = offers.campaigns.select("campaign", "start", "end")
    rows = _attributed(offers.redemptions, named, dates, offers.coupons)
    rows = rows.left_join(named, ["campaign", "customer"]).drop("campaign_right", "customer_right")
    rows = rows.left_join(dates, "campaign").drop("campaign_right")
    rows = _with_known_coupon(rows, offers.coupons)
    outside = ibis.or_(
        *(
            (test).coalesce(False)
            for test in (rows.day < rows.first_contact, rows.day < rows.start, rows.day > rows.end)
        )
    )
    reason = ibis.cases(
        (~rows.known_coupon, "unknown_coupon"),
        (rows.arm == "both", "both_arms"),
        (rows.arm == "held out", "held_out"),
        (rows.arm.isnull(), "no_contact"),
        (outside, "outside_window"),
        else_=ibis.null("string"),
    )
    return rows.mutate(reason=reason).drop("arm", "first_contact", "start", "end", "known_coupon")


def _undescribed(first: ir.Table) -> ir.Table:
    """Campaigns of which no more is known than their first contact."""
    text, money = ibis.null("string"), ibis.null("float64")
    return first.select(
        "campaign", start=first["first"], end=ibis.null("date"), type=text, channel=text, contact_cost=money,
        budget=money, hold_out=money,
    )  # fmt: skip


def _attributed(rows: ir.Table, named: ir.Table, dates: ir.Table, coupons: ir.Table | None) -> ir.Table:
    """Redemptions with the campaign where they name none, null where none fits."""
    open_ = rows.filter(rows.campaign.isnull()).select("customer", "day", coupon=rows.coupon.fill_null("")).distinct()
    received = named.filter(named.arm == "treated").join(dates, "campaign")
    fitting = open_.join(received, "customer")
    running = (fitting.first_contact <= fitting.day) & (fitting.end >= fitting.day).coalesce(True)
    fitting = fitting.filter(running).select("customer", "day", "coupon", "campaign", "first_contact")
    if coupons is not None:
        fitting = fitting.semi_join(coupons, ["campaign", "coupon"]).union(fitting.filter(fitting.coupon == ""))
    keys = ["customer", "day", "coupon"]
    latest = fitting.group_by(keys).agg(first_contact=fitting.first_contact.max())
    found = (
        fitting.semi_join(latest, [*keys, "first_contact"]).group_by(keys).agg(found=lambda each: each.campaign.min())
    )
    keyed = rows.mutate(key=rows.coupon.fill_null(""))
    joined = keyed.left_join(
        found, [keyed.customer == found.customer, keyed.day == found.day, keyed.key == found.coupon]
    )
    told = joined.mutate(campaign=joined.campaign.coalesce(joined.found))
    return told.select("customer", "day", "campaign", "coupon", "order", "amount")


def _with_known_coupon(rows: ir.Table, coupons: ir.Table | None) -> ir.Table:
    """Redemptions with `known_coupon`, true also where nothing can be said: no coupon is named, or none is listed."""
    if coupons is None:
        return rows.mutate(known_coupon=ibis.literal(True))
    of_any = coupons.select("coupon").distinct().mutate(anywhere=True)
    of_each = coupons.select("coupon", "campaign").distinct().mutate(here=True)
    found = rows.left_join(of_any, "coupon").drop("coupon_right")
    found = found.left_join(of_each, ["coupon", "campaign"]).drop("coupon_right", "campaign_right")
    listed = found.campaign.isnull().ifelse(found.anywhere, found.here).coalesce(False)
    return found.mutate(known_coupon=found.coupon.isnull() | listed).drop("anywhere", "here")
