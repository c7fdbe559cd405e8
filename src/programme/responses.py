"""What each customer did with each campaign: the rows that all measures of campaigns are counted from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from ..features.columns import Tables
from ..features.offers import Offers, arms, judged
from ..features.rfm import segments
from ..features.windows import before, days_until, in_days_before

ANYWAY_DAYS = 90
"""Before the contact, in which whoever bought a coupon's product is taken to have bought it anyway."""


@dataclass(frozen=True)
class Responses:
    """What is known of campaigns at a date.

    Attributes
    ----------
    as_of : first day that is not known.
    first_day : of the log: what campaigns that began before it had done by then is not known.
    campaigns : begun before `as_of`, one row each, see `sources.log`.
    contacts : that were made: campaign, customer, day. Customers in both arms are left out.
    redemptions : see `features.offers.judged`, those that count for no campaign too; None without a table of them.
    coupon_lines : see `coupon_lines`; None without redemptions or without a coupon column in the log.
    customers : one row a campaign and customer, see `responses`.
    """

    as_of: date
    first_day: date
    campaigns: ir.Table
    contacts: ir.Table
    redemptions: ir.Table | None
    coupon_lines: ir.Table | None
    customers: ir.Table

    @property
    def counted(self) -> ir.Table | None:
        """The redemptions that count."""
        return None if self.redemptions is None else self.redemptions.filter(self.redemptions.reason.isnull())


def responses(
    offers: Offers,
    tables: Tables,
    as_of: date,
    first_day: date,
    segmented: ir.Table | None = None,
    anyway_days: int = ANYWAY_DAYS,
) -> Responses:
    """What customers did with campaigns, from rows strictly before a date.

    Parameters
    ----------
    offers : see `Prepared.offers`.
    tables : their lines; days where segments are wanted.
    as_of : first day that is not known.
    first_day : of the log.
    segmented : see `segments_before`; segments are null without it.
    anyway_days : length of the period of `bought_before`.

    Returns
    -------
    Responses, whose `customers` has one row for each campaign and customer who was sent it:
    campaign, customer, type, channel (of the contacts, else of the campaign; `several` where they differ), segment
    start, end : of the campaign.
    whole : whether it began in the log, so that all redemptions of it are known.
    contacts : made.
    first_contact : day.
    opened : null where nothing tells.
    redemptions : that count; null without a table of them.
    redeemed : whether there is one.
    first_redemption : day; null without one.
    matched : redemptions whose lines the log has, see `coupon_lines`.
    baskets, basket_sales : receipts with such a line, and all sales on them, money.
    coupon_sales : of the lines alone, money.
    discount : what coupons took off, money; as the redemptions say it, else as the log's coupon columns do.
    judged_before : redemptions of which it is known which products the coupon is for, of campaigns before whose contact
        the log is `anyway_days` long.
    bought_before : those of them whose customer had bought one of these products in that time.
    contact_cost : money; null where it is not known.
    """
    known = offers.known(as_of)
    drawn = arms(known.drawn)
    treated = drawn.filter(drawn.arm == "treated").drop("arm")
    made = known.drawn.filter(~known.drawn.held_out).semi_join(treated, ["campaign", "customer"])
    rows = judged(known)
    redeemed = None if rows is None else rows.cache()
    lines = None if tables.lines is None else before(tables.lines, as_of)
    counted = None if redeemed is None else redeemed.filter(redeemed.reason.isnull())
    found = None
    if counted is not None and lines is not None and "coupon" in lines.columns:
        found = coupon_lines(counted, known.coupons, lines).cache()
    each = _described(treated, known, first_day)
    each = _opened(each, known.opens)
    each = _placed(each, segmented)
    each = _redeemed(each, counted, found, lines)
    each = _bought_before(each, counted, known.coupons, lines, first_day, anyway_days)
    return Responses(
        as_of, first_day, known.campaigns, made.select("campaign", "customer", "day"), redeemed, found, each.cache()
    )


def segments_before(tables: Tables, offers: Offers, as_of: date) -> ir.Table:
    """Segments of customers before each campaign: campaign, customer, segment.

    They are those of the first day of the month in which it began, so that a campaign does not choose its own segments,
    and each month is computed once.
    """
    known = offers.known(as_of).campaigns
    begun = known.mutate(month=known.start.truncate("M").cast("date"))
    months: Iterable[date] = begun.select("month").distinct().order_by("month").to_pyarrow()["month"].to_pylist()
    each = [segments(tables, month).select("customer", "segment").mutate(month=ibis.literal(month)) for month in months]
    placed = ibis.union(*each) if len(each) > 1 else each[0]
    return placed.join(begun.select("campaign", "month"), "month").select("campaign", "customer", "segment").cache()


def coupon_lines(counted: ir.Table, coupons: ir.Table | None, lines: ir.Table) -> ir.Table:
    """Lines of the log on which coupons of campaigns were used.

    A line belongs to a redemption if it is of the same customer and day, or of the receipt that the redemption names,
    if a coupon took something off, and if the coupon is good for its product, where that is known. A line that several
    campaigns may claim is shared among them in equal parts.

    Returns
    -------
    campaign, customer, coupon, redeemed (day of the redemption), order, product, day : of a line and a redemption.
    share : of the line that is this redemption's.
    sales, discount : money, of the whole line.
    """
    product = lines.product if "product" in lines.columns else ibis.null("string")
    used = lines.filter(lines.coupon > 0)
    used = used.mutate(item=ibis.coalesce(product, ibis.literal("")))
    of_item = used.group_by("customer", "day", "order", "item").agg(sales=used.amount.sum(), discount=used.coupon.sum())
    keys = counted.select("campaign", "customer", "coupon", redeemed="day", receipt="order").distinct()
    named = keys.filter(keys.receipt.notnull())
    unnamed = keys.filter(keys.receipt.isnull())
    by_receipt = named.join(of_item, [named.customer == of_item.customer, named.receipt == of_item.order])
    by_day = unnamed.join(of_item, [unnamed.customer == of_item.customer, unnamed.redeemed == of_item.day])
    columns = ("campaign", "customer", "coupon", "redeemed", "order", "item", "day", "sales", "discount")
    found = by_receipt.select(*columns).union(by_day.select(*columns))
    if coupons is not None:
        found = _of_its_products(found, coupons.filter(coupons.product.notnull()))
    line = ["customer", "day", "order", "item"]
    claims = found.group_by(*line, "campaign").agg(rows=found.count())
    shared = claims.group_by(*line).agg(claims=claims.count())
    joined = found.join(shared, line).join(claims, [*line, "campaign"])
    return joined.mutate(share=1 / (joined.claims * joined.rows)).drop("claims", "rows").rename(product="item")


def _of_its_products(found: ir.Table, coupons: ir.Table) -> ir.Table:
    """Candidate lines whose product the coupon is good for, or of whose coupon no product is known."""
    listed = coupons.select("coupon", "campaign").distinct()
    good = found.semi_join(
        coupons, [found.coupon == coupons.coupon, found.campaign == coupons.campaign, found["item"] == coupons.product]
    )
    return good.union(found.anti_join(listed, ["coupon", "campaign"]))


def _described(treated: ir.Table, known: Offers, first_day: date) -> ir.Table:
    joined = treated.join(known.campaigns, "campaign")
    return joined.mutate(
        channel=joined.sent_by.coalesce(joined.channel),
        whole=days_until(first_day, joined.start) <= 0,
        contact_cost=joined.contact_cost * joined.contacts,
    ).drop("sent_by", "budget", "hold_out")


def _opened(each: ir.Table, opens: ir.Table | None) -> ir.Table:
    """With what a table of opened messages says beside the contacts themselves."""
    if opens is None:
        return each
    seen = opens.select("campaign", "customer").distinct().mutate(seen=True)
    joined = each.left_join(seen, ["campaign", "customer"]).drop("campaign_right", "customer_right")
    return joined.mutate(opened=joined.seen.coalesce(False) | joined.opened.coalesce(False)).drop("seen")


def _placed(each: ir.Table, segmented: ir.Table | None) -> ir.Table:
    if segmented is None:
        return each.mutate(segment=ibis.null("string"))
    joined = each.left_join(segmented, ["campaign", "customer"])
    return joined.drop("campaign_right", "customer_right")


def _redeemed(each: ir.Table, counted: ir.Table | None, found: ir.Table | None, lines: ir.Table | None) -> ir.Table:
    """With what was handed in, and what was sold and given off with it."""
    nothing = {"baskets": ibis.null("int64")} | {
        name: ibis.null("float64") for name in ("coupon_sales", "basket_sales", "discount")
    }
    if counted is None:
        whole = {"redemptions": ibis.null("int64"), "redeemed": ibis.null("boolean"), "matched": ibis.null("int64")}
        return each.mutate(**whole, first_redemption=ibis.null("date"), **nothing)
    keys = ["campaign", "customer"]
    sums = counted.group_by(keys).agg(
        redemptions=counted.count(), first_redemption=counted.day.min(), told=counted.amount.sum()
    )
    each = each.left_join(sums, keys).drop("campaign_right", "customer_right")
    each = each.mutate(redemptions=each.redemptions.coalesce(0), redeemed=each.redemptions.notnull())
    if found is None or lines is None:
        discount = each.redeemed.ifelse(each.told, 0.0)
        return each.mutate(matched=ibis.null("int64"), **nothing | {"discount": discount}).drop("told")
    of_lines = found.group_by(keys).agg(
        coupon_sales=(found.sales * found.share).sum(), discount=(found.discount * found.share).sum()
    )
    baskets = _baskets(found, lines)
    # A redemption is matched if a line of its day, or of its receipt, is of its coupon.
    has_line = found.select("campaign", "customer", "redeemed", key=found.coupon.fill_null("")).distinct()
    keyed = counted.mutate(key=counted.coupon.fill_null(""))
    matched = keyed.semi_join(has_line, ["campaign", "customer", "key", (keyed.day, has_line.redeemed)])
    matched = matched.group_by(keys).agg(matched=matched.count())
    for part in (of_lines, baskets, matched):
        each = each.left_join(part, keys).drop("campaign_right", "customer_right")
    return each.mutate(
        **{name: each[name].coalesce(0) for name in ("matched", "baskets")},
        **{name: each[name].coalesce(0.0) for name in ("coupon_sales", "basket_sales")},
        discount=each.told.coalesce(each.discount).coalesce(0.0),
    ).drop("told")


def _baskets(found: ir.Table, lines: ir.Table) -> ir.Table:
    """Receipts with a line of a campaign's coupon, and all that was bought on them."""
    receipts = found.select("campaign", "customer", "day", "order").distinct()
    whole = lines.semi_join(receipts, ["customer", "day", "order"])
    totals = whole.group_by("customer", "day", "order").agg(sales=whole.amount.sum())
    joined = receipts.join(totals, ["customer", "day", "order"])
    return joined.group_by("campaign", "customer").agg(baskets=joined.count(), basket_sales=joined.sales.sum())


def _bought_before(
    each: ir.Table,
    counted: ir.Table | None,
    coupons: ir.Table | None,
    lines: ir.Table | None,
    first_day: date,
    anyway_days: int,
) -> ir.Table:
    """With how many redemptions were of a product that the customer had bought before the contact."""
    if counted is None or coupons is None or lines is None or "product" not in lines.columns:
        return each.mutate(judged_before=ibis.null("int64"), bought_before=ibis.null("int64"))
    good = coupons.filter(coupons.product.notnull())
    keys = ["campaign", "customer"]
    long_enough = each.filter(days_until(first_day, each.first_contact) <= -anyway_days)
    rows = counted.semi_join(good, ["coupon", "campaign"]).join(long_enough.select(*keys, "first_contact"), keys)
    asked = rows.select(*keys, "coupon", "first_contact").distinct()
    people = asked.select("customer").distinct()
    bought = (
        lines.filter(lines.amount > 0).semi_join(people, "customer").select("customer", "product", "day").distinct()
    )
    pairs = asked.join(bought, "customer")
    pairs = pairs.filter(in_days_before(pairs.day, pairs.first_contact, anyway_days))
    had = pairs.semi_join(good, ["coupon", "campaign", "product"]).select(*keys, "coupon").distinct().mutate(had=True)
    told = rows.left_join(had, [*keys, "coupon"]).drop("campaign_right", "customer_right", "coupon_right")
    sums = told.group_by(keys).agg(judged_before=told.count(), bought_before=told.had.coalesce(False).sum())
    each = each.left_join(sums, keys).drop("campaign_right", "customer_right")
    return each.mutate(**{name: each[name].coalesce(0) for name in ("judged_before", "bought_before")})
