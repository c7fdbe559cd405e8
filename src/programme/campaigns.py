"""What campaigns did, as it was: whom they reached, what came back, what it cost. Nothing here is an effect.

Shares come with 90 % intervals in which a customer who received several campaigns counts as one observation. All
tables bring the number of customers behind each row, so that a page can leave out small ones.
"""

import ibis
import ibis.expr.types as ir
import pandas as pd

from .rates import clustered_share
from .responses import Responses

BY = ("campaign", "type", "channel", "segment")

SUMS = (
    "contacts", "opened", "redeemed", "redemptions", "matched", "baskets", "basket_sales", "coupon_sales", "discount",
    "contact_cost", "judged_before", "bought_before",
)  # fmt: skip

SHARES = {
    "open_rate": ("opened", "reached"),
    "redemption_rate": ("redeemed", "reached"),
    "bought_before_share": ("bought_before", "judged_before"),
}
"""Shares by name: what is counted, of what."""


def measures(seen: Responses, by: str) -> pd.DataFrame:
    """What campaigns did, by campaign, type, channel or segment.

    A customer who received several campaigns is reached once by each. Baskets, too, count once for each campaign whose
    coupons were used in them; sales with a coupon and discounts are shared out, so that they add up.

    Parameters
    ----------
    seen : see `responses.responses`.
    by : of `BY`. Segments are those before the campaign.

    Returns
    -------
    One row a group, index its name (null where it is not known), the most reached first, or for campaigns in order of
    their first day:

    customers : different ones who were reached.
    reached : customers, once for each campaign.
    contacts : made.
    opened, open_rate : of the reached; null where nothing tells who opened.
    redeemed, redeemers : of the reached, and different customers, who handed in a coupon.
    redemptions : coupons handed in.
    redemption_rate : redeemed over reached.
    matched : redemptions whose lines the log has.
    baskets, basket_sales : receipts with such a line, and all sales on them, money.
    coupon_sales, discount : of the lines, and what coupons took off, money.
    contact_cost : money; null where it is not known of all contacts.
    judged_before, bought_before, bought_before_share : redemptions of which it is known whether the customer had bought
        a product of the coupon in the time before the contact, and those who had: who bought it anyway.
    Each share has `_low` and `_high`. By campaign also type, channel, start, end, budget, left_out (redemptions that
    count for no campaign), whole (whether it began in the log), running (whether it has not ended).
    """
    rows = seen.customers.mutate(reached=1)
    whole = {name: rows[name].cast("float64").sum() for name in ("reached", *SUMS)}
    # Unknown costs of one contact make the sum unknown, not smaller.
    complete = rows.contact_cost.count() == rows.count()
    each = rows.group_by(by, "customer").agg(**whole, costed=complete)
    counted = each.group_by(by).agg(
        customers=each.count(),
        **{name: each[name].sum() for name in ("reached", *SUMS)},
        costed=each.costed.all(),
        redeemers=(each.redeemed > 0).sum(),
        **{name: value for share in SHARES for name, value in _moments(each, share).items()},
    )
    frame = counted.to_pandas().set_index(by)
    frame["contact_cost"] = frame["contact_cost"].where(frame.pop("costed").astype(bool))
    frame = _with_shares(frame)
    if by == "campaign":
        return _with_descriptions(frame, seen)
    return frame.sort_index().sort_values("reached", ascending=False, kind="stable")


def overview(seen: Responses) -> dict[str, pd.DataFrame]:
    """`measures` by everything of which at least one row is known."""
    known = seen.customers.agg(**{name: seen.customers[name].count() for name in BY}).to_pyarrow().to_pylist()[0]
    return {name: measures(seen, name) for name in BY if known[name] or name == "campaign"}


def daily(seen: Responses) -> pd.DataFrame:
    """Issue and redemption by day and campaign.

    Returns
    -------
    campaign, day
    contacts : made.
    reached : customers contacted for the first time by this campaign.
    redemptions : that count.
    redeemed : customers who handed in their first coupon of this campaign.
    customers : different ones who were contacted or handed in something; for leaving out small cells.
    discount, coupon_sales : money, on the day of the line.
    cost : of the contacts, money; null where it is not known.

    Only days on which something happened, in order of campaign and day.
    """
    keys = ["campaign", "day"]
    each = seen.customers
    made = seen.contacts.join(seen.campaigns.select("campaign", "contact_cost"), "campaign")
    parts = [
        _part(made, contacts=1, cost=made.contact_cost),
        _part(each.select("campaign", "customer", day="first_contact"), reached=1),
    ]
    if (counted := seen.counted) is not None:
        first = each.filter(each.redeemed).select("campaign", "customer", day="first_redemption")
        parts += [_part(counted, redemptions=1), _part(first, redeemed=1)]
    if (lines := seen.coupon_lines) is not None:
        parts.append(_part(lines, discount=lines.discount * lines.share, coupon_sales=lines.sales * lines.share))
    rows = ibis.union(*parts)
    sums = [name for name in rows.columns if name not in (*keys, "customer")]
    counted_days = rows.group_by(keys).agg(
        **{name: rows[name].sum() for name in sums}, customers=rows.customer.nunique()
    )
    frame = counted_days.to_pandas().sort_values(keys, ignore_index=True)
    counts = ["contacts", "reached", "redemptions", "redeemed"]
    frame[counts] = frame[counts].fillna(0).astype("int64")
    frame[["discount", "coupon_sales"]] = frame[["discount", "coupon_sales"]].fillna(0.0)
    costed = frame["cost"].notna() | (frame["contacts"] == 0)
    return frame.assign(day=pd.to_datetime(frame["day"]), cost=frame["cost"].fillna(0.0).where(costed))


def left_out(seen: Responses) -> dict[str, int]:
    """Redemptions that count for no campaign, by reason, see `features.offers.judged`; empty if all count."""
    if seen.redemptions is None:
        return {}
    rows = seen.redemptions.filter(seen.redemptions.reason.notnull())
    counted = rows.group_by("reason").agg(rows=rows.count()).order_by("reason").to_pyarrow().to_pylist()
    return {row["reason"]: row["rows"] for row in counted}


def _part(rows: ir.Table, **values: int | ir.Value) -> ir.Table:
    """Rows of one kind with the columns of all kinds."""
    names = ("contacts", "cost", "reached", "redemptions", "redeemed", "discount", "coupon_sales")
    columns = {name: ibis.literal(value) if isinstance(value, int) else value for name, value in values.items()} | {
        name: ibis.null("float64") for name in names if name not in values
    }
    return rows.select("campaign", "day", "customer", **{name: columns[name].cast("float64") for name in names})


def _moments(each: ir.Table, share: str) -> dict[str, ir.Value]:
    """Sums over customers that the interval of a share is made of, named `<share>:<sum>`."""
    hits, rows = (each[name].coalesce(0.0) for name in SHARES[share])
    sums = {
        "customers": (rows > 0).sum(),
        "rows": rows.sum(),
        "hits": hits.sum(),
        "rows_squared": (rows * rows).sum(),
        "hits_squared": (hits * hits).sum(),
        "product": (rows * hits).sum(),
    }
    return {f"{share}:{name}": value for name, value in sums.items()}


def _with_shares(frame: pd.DataFrame) -> pd.DataFrame:
    for share, (hits, _) in SHARES.items():
        sums = frame[[name for name in frame.columns if name.startswith(f"{share}:")]]
        found = clustered_share(sums.rename(columns=lambda name: name.partition(":")[2]))
        told = found.where(frame[hits].notna())
        frame = frame.drop(columns=list(sums)).assign(
            **{share: told["share"], f"{share}_low": told["low"], f"{share}_high": told["high"]}
        )
    return frame


def _with_descriptions(frame: pd.DataFrame, seen: Responses) -> pd.DataFrame:
    """Measures by campaign, those that nobody received too, with what is known of each."""
    about = seen.campaigns.drop("contact_cost", "hold_out").to_pandas().set_index("campaign")
    about[["start", "end"]] = about[["start", "end"]].apply(pd.to_datetime)
    if seen.redemptions is not None:
        rows = seen.redemptions.filter(seen.redemptions.reason.notnull() & seen.redemptions.campaign.notnull())
        lost = rows.group_by("campaign").agg(left_out=rows.count()).to_pandas().set_index("campaign")["left_out"]
        about["left_out"] = lost.reindex(about.index).fillna(0).astype("int64")
    about["whole"] = about["start"] >= pd.Timestamp(seen.first_day)
    about["running"] = ~(about["end"] < pd.Timestamp(seen.as_of))
    joined = about.join(frame)
    counts = ["customers", "reached", "contacts"]
    joined[counts] = joined[counts].fillna(0)
    return joined.sort_index().sort_values("start", kind="stable")
