"""How long customers take to hand in a coupon, and how many never do."""

from datetime import date
from typing import Any

import pandas as pd

from ..models.survival import kaplan_meier
from .rates import clustered_share
from .responses import Responses


def timings(seen: Responses) -> pd.DataFrame:
    """When customers were first contacted, and when they first handed in a coupon, counted by the engine.

    Returns
    -------
    campaign, type, channel, segment, first_contact, first_redemption (null where there is none yet), customers, end,
    whole; in this order, of campaigns whose redemptions are known at all.
    """
    each = seen.customers.filter(seen.customers.redeemed.notnull())
    keys = ["campaign", "type", "channel", "segment", "first_contact", "first_redemption", "end", "whole"]
    frame = each.group_by(keys).agg(customers=each.count()).to_pandas()
    days = ["first_contact", "first_redemption", "end"]
    frame[days] = frame[days].apply(pd.to_datetime)
    return frame.sort_values(keys, ignore_index=True)


def curves(seen: Responses, by: str = "campaign") -> pd.DataFrame:
    """Share of the reached who have handed in a coupon, by days since their first contact (Kaplan and Meier 1958).

    A customer is watched until the campaign's last day, or the last known one: then it is not said that there is no
    redemption, but that none is known. Campaigns that began before the log are left out. The 90 % interval is
    pointwise, Greenwood's on the log(-log) scale; where customers received several campaigns of a group, his variance
    is multiplied by that of the redemption rate with customers as clusters over the one of independent rows, see
    `rates.clustered_share`.

    Parameters
    ----------
    seen : see `responses.responses`.
    by : campaign, type, channel or segment.

    Returns
    -------
    One row a group and day on which someone handed in the first coupon: the column named `by`, day (whole days since
    the contact), share, low, high, at_risk (customers, once a campaign, still watched and without one), customers
    (different ones, of the whole group). Empty without redemptions.
    """
    times = timings(seen)
    times = times[times["whole"] & times[by].notna()]
    if times.empty:
        return pd.DataFrame(columns=[by, "day", "share", "low", "high", "at_risk", "customers"])
    watched = watch(times, seen.as_of)
    clusters = _clusters(seen, by)
    effect = (watched.groupby(by)["customers"].sum() / clusters["effective"]).clip(lower=1.0)
    return pd.concat(
        [
            _curve(part, effect[name], clusters["customers"][name]).assign(**{by: name})
            for name, part in watched.groupby(by)
        ],
        ignore_index=True,
    )[[by, "day", "share", "low", "high", "at_risk", "customers"]]


def watch(times: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """`timings` with elapsed (days from contact to redemption, or to the end of the watch) and happened."""
    yesterday = pd.Timestamp(as_of) - pd.Timedelta(days=1)
    last = times["end"].where(times["end"] < yesterday, yesterday)
    happened = times["first_redemption"].notna()
    until = times["first_redemption"].where(happened, last)
    elapsed = (until - times["first_contact"]).dt.days
    # Of someone who was contacted after the end nothing can come.
    return times.assign(elapsed=elapsed, happened=happened)[elapsed >= 0]


def _curve(part: pd.DataFrame, effect: float, customers: int) -> pd.DataFrame:
    curve = kaplan_meier(part["elapsed"], part["happened"], part["customers"] / effect)
    leaving = part.groupby("elapsed")["customers"].sum()
    at_risk = leaving[::-1].cumsum()[::-1]
    return curve.assign(at_risk=at_risk.reindex(curve.index), customers=customers).reset_index()


def _clusters(seen: Responses, by: str) -> pd.DataFrame:
    """Different customers of each group, and the independent rows that its redemption rate is as sure as."""
    rows = seen.customers.filter(seen.customers.whole)
    hit = rows.redeemed.cast("float64")
    each = rows.group_by(by, "customer").agg(m=rows.count().cast("float64"), y=hit.sum())
    sums: dict[str, Any] = {"rows": each.m, "hits": each.y, "rows_squared": each.m * each.m}
    sums |= {"hits_squared": each.y * each.y, "product": each.m * each.y}
    counted = each.group_by(by).agg(customers=each.count(), **{name: value.sum() for name, value in sums.items()})
    frame = counted.to_pandas().set_index(by)
    return frame.join(clustered_share(frame)["effective"])
