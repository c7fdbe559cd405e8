"""Channels compared on the same customers, so that who uses a channel does not decide how it looks.

It is no effect of a channel: what was sent by which, and when, was not left to chance.
"""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd
from scipy import stats

from ..features.offers import SEVERAL
from ..features.windows import before
from .effect import LEVEL
from .responses import Responses

CONTACT_MEASURES = ("open_rate", "redemption_rate", "coupon_sales", "contact_cost")
PURCHASE_MEASURES = ("order_value", "coupon_share", "discount_share")
COLUMNS = ("channel", "other", "measure", "customers", "mean", "other_mean", "difference", "low", "high")


def contact_channels(seen: Responses) -> pd.DataFrame:
    """Customers who were sent campaigns by two channels: what came back by one and by the other.

    Campaigns that reached a customer by several channels at once are left out: nobody knows which of them it was.

    Parameters
    ----------
    seen : see `responses.responses`.

    Returns
    -------
    One row a pair of channels and measure, empty where no customer knows two: channel and other (in order of their
    names), measure, customers (who received both), mean and other_mean (over the customers), difference (mean of mean
    less other_mean, paired), low, high (90 %, Student's t). The measures, for each campaign that a customer received:

    open_rate, redemption_rate : share opened, and share with a coupon handed in.
    coupon_sales, contact_cost : money. What is not known of both channels is left out.
    """
    rows = seen.customers.filter(seen.customers.channel.notnull() & (seen.customers.channel != SEVERAL))
    each = rows.group_by("customer", "channel").agg(
        open_rate=rows.opened.cast("float64").mean(),
        redemption_rate=rows.redeemed.cast("float64").mean(),
        coupon_sales=rows.coupon_sales.mean(),
        contact_cost=rows.contact_cost.mean(),
    )
    return paired(each, CONTACT_MEASURES)


def purchase_channels(lines: ir.Table, as_of: date) -> pd.DataFrame:
    """Customers who bought in two channels: how they bought in one and in the other, before a date.

    Parameters
    ----------
    lines : see `sources.log`.
    as_of : first day that is not known.

    Returns
    -------
    As `contact_channels`, with the measures, for each receipt of a customer:
    order_value : money paid.
    coupon_share : share of the receipts with a coupon.
    discount_share : what was taken off, over what would have been paid without it.
    """
    if "channel" not in lines.columns:
        return pd.DataFrame(columns=list(COLUMNS))
    known = before(lines, as_of)
    known = known.filter(known.channel.notnull())
    off = {
        name: known[name].sum() if name in known.columns else ibis.null("float64") for name in ("coupon", "discount")
    }
    receipts = known.group_by("customer", "channel", "order", "day").agg(paid=known.amount.sum(), **off)
    receipts = receipts.filter(receipts.paid > 0)
    whole = receipts.paid.sum() + receipts.discount.sum()
    each = receipts.group_by("customer", "channel").agg(
        order_value=receipts.paid.mean(),
        coupon_share=(receipts.coupon > 0).cast("float64").mean(),
        discount_share=receipts.discount.sum() / whole.nullif(0.0),
    )
    return paired(each, PURCHASE_MEASURES)


def paired(each: ir.Table, measures: tuple[str, ...]) -> pd.DataFrame:
    """Differences between channels within customers.

    Parameters
    ----------
    each : one row a customer and channel, with the measures, null where one is not known.

    Returns
    -------
    See `contact_channels`. Where all customers differ by the same, or only one is known, there is no interval.
    """
    other = each.view()
    pairs = each.join(other, ["customer", each.channel < other.channel], rname="{name}_of_other")
    sums: dict[str, ir.Value] = {}
    for name in measures:
        here, there = pairs[name], pairs[f"{name}_of_other"]
        both, difference = here.notnull() & there.notnull(), here - there
        sums |= {
            f"{name}:customers": both.sum(),
            f"{name}:mean": here.mean(where=both),
            f"{name}:other_mean": there.mean(where=both),
            f"{name}:difference": difference.mean(),
            f"{name}:spread": difference.std(how="sample"),
        }
    wide = pairs.group_by("channel", other="channel_of_other").agg(**sums).to_pandas()
    parts = [
        wide[["channel", "other"]].assign(
            measure=name, **{column.partition(":")[2]: wide[column] for column in sums if column.startswith(f"{name}:")}
        )
        for name in measures
    ]
    long = pd.concat(parts, ignore_index=True)
    long = long[long["customers"] > 0]
    customers = long["customers"].astype(float)
    half = stats.t.ppf(0.5 + LEVEL / 2, customers - 1) * long["spread"] / customers**0.5
    long = long.assign(low=long["difference"] - half, high=long["difference"] + half)
    return long.sort_values(["channel", "other", "measure"], ignore_index=True)[list(COLUMNS)]
