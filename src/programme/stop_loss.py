"""Which campaigns are under the line at which they are to be stopped, since when, and what stopping saves."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from ..schema import Programme
from .campaigns import daily, measures
from .rates import wilson_ends
from .redeeming import timings
from .responses import Responses

PACE_DAYS = 14
"""At the end of what is known, whose pace is taken for the days to come."""

COLUMNS = (
    "type", "line", "verdict", "since", "reached", "redeemed", "rate", "low", "high", "days_left", "contact_cost_since",
    "discount_since", "contact_cost_to_come", "discount_to_come", "saves",
)  # fmt: skip


def stop_loss(seen: Responses, programme: Programme) -> pd.DataFrame:
    """Campaigns against their lines, see `judge`; empty without a line or without redemptions."""
    if seen.redemptions is None or not (programme.stop_redemption_of or programme.stop_redemption_below is not None):
        return pd.DataFrame(columns=list(COLUMNS), index=pd.Index([], name="campaign"))
    return judge(measures(seen, "campaign"), timings(seen), daily(seen), programme, seen.as_of)


def judge(
    campaigns: pd.DataFrame, times: pd.DataFrame, days: pd.DataFrame, programme: Programme, as_of: date
) -> pd.DataFrame:
    """Hold each campaign against its line.

    On each day from `stop_after_days` on, those are looked at who were contacted so many days before, and the share of
    them who have handed in a coupon by then; once the campaign is over, everyone. A campaign is under its line only if
    the upper end of the 90 % interval (Wilson 1927) is, so that on one day at most one sound campaign in twenty is
    called so by chance. Since when is the first of the days without a break up to the last on which it was under.

    Parameters
    ----------
    campaigns : see `campaigns.measures` by campaign.
    times : see `redeeming.timings`.
    days : see `campaigns.daily`.
    programme : its lines: of the campaign's name, else of its type, else of all.
    as_of : first day that is not known.

    Returns
    -------
    One row a campaign that has a line, index campaign, those under it first:

    type, line
    verdict : `under`; `not under`; `not clear`, where the interval holds the line; `too early`, where too few days are
        known; `nobody reached`; `began before the log`, so that early redemptions are not known.
    since : day; null unless under.
    reached, redeemed, rate, low, high : of those looked at on the last day; null where nobody is.
    days_left : of a campaign that runs; null where it has no last day, 0 where it is over.
    contact_cost_since, discount_since : spent after the day `since`, which stopping then would have saved, money.
    contact_cost_to_come, discount_to_come : until the last day at the pace of the last two weeks, contacts at most for
        what is left of the budget, money; null where the last day, or a cost, is not known.
    saves : both to come, money, for a campaign that is under. What the campaign would still sell is not set against it.
    """
    rows = {
        str(name): _judged(
            campaign, times[times["campaign"] == name], days[days["campaign"] == name], line, programme, as_of
        )
        for name, campaign in campaigns.iterrows()
        if (line := line_of(str(name), campaign["type"], programme)) is not None
    }
    found = pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS)).rename_axis("campaign")
    found["since"] = pd.to_datetime(found["since"])
    return found.assign(first=found["verdict"] != "under").sort_values("first", kind="stable").drop(columns="first")


def line_of(campaign: str, kind: Any, programme: Programme) -> float | None:
    """The line of a campaign: its own, else that of its type, else that of all; None without one.

    Examples
    --------
    >>> lines = Programme(stop_redemption_below=0.3, stop_redemption_of={"spring": 0.1, "letter": 0.2})
    >>> line_of("spring", "letter", lines), line_of("summer", "letter", lines), line_of("autumn", None, lines)
    (0.1, 0.2, 0.3)
    """
    own = programme.stop_redemption_of
    return own.get(campaign, own.get(str(kind), programme.stop_redemption_below))


def _judged(
    campaign: pd.Series, times: pd.DataFrame, days: pd.DataFrame, line: float, programme: Programme, as_of: date
) -> dict[str, Any]:
    yesterday = pd.Timestamp(as_of) - pd.Timedelta(days=1)
    last = campaign["end"] if campaign["end"] < yesterday else yesterday
    track = _track(times, campaign["start"], last, not campaign["running"], programme.stop_after_days)
    row: dict[str, Any] = dict.fromkeys(COLUMNS, np.nan) | {"type": campaign["type"], "line": line, "since": pd.NaT}
    row["days_left"] = _days_left(campaign, as_of)
    if not campaign["reached"]:
        return row | {"verdict": "nobody reached"}
    if not campaign["whole"]:
        return row | {"verdict": "began before the log"}
    if track.empty:
        return row | {"verdict": "too early"}
    now = track.iloc[-1]
    row |= now.to_dict() | {"verdict": "not clear" if now["low"] < line else "not under"}
    if now["high"] >= line:
        return row
    run = (track["high"] < line)[::-1].cummin()
    since = run[run].index.min()
    later = days[days["day"] > since]
    spent = {"contact_cost_since": later["cost"].sum(skipna=False), "discount_since": later["discount"].sum()}
    return row | spent | {"verdict": "under", "since": since} | _to_come(campaign, days, row["days_left"], as_of)


def _track(times: pd.DataFrame, start: pd.Timestamp, last: pd.Timestamp, over: bool, after_days: int) -> pd.DataFrame:
    """By day: reached, redeemed, rate, low, high of those contacted long enough before; of all, once it is over."""
    first = start + pd.Timedelta(days=after_days - 1)
    on = pd.date_range(min(first, last) if over else first, last)
    if over and len(on):
        on = on[(on >= first) | (on == last)]
    contact, redeemed, weight = times["first_contact"], times["first_redemption"], times["customers"].to_numpy()
    # Once it is over nobody needs more time: on its last day everyone counts.
    cut = pd.DatetimeIndex([day if over and day == last else day - timedelta(days=after_days - 1) for day in on])
    known = contact.to_numpy()[None, :] <= cut.to_numpy()[:, None]
    back = known & (redeemed.to_numpy()[None, :] <= on.to_numpy()[:, None])
    track = pd.DataFrame({"reached": known @ weight, "redeemed": back @ weight}, index=on)
    track = track[track["reached"] > 0].astype(float)
    rate = track["redeemed"] / track["reached"]
    low, high = wilson_ends(rate.to_numpy(), track["reached"].to_numpy())
    return track.assign(rate=rate, low=low, high=high)


def _days_left(campaign: pd.Series, as_of: date) -> float:
    """Days on which the campaign still runs; NaN where it has no last day."""
    return max(0.0, float((campaign["end"] - pd.Timestamp(as_of)).days + 1)) if pd.notna(campaign["end"]) else np.nan


def _to_come(campaign: pd.Series, days: pd.DataFrame, days_left: float, as_of: date) -> dict[str, float]:
    """What the rest of a campaign costs at its pace."""
    known = max(1, min(PACE_DAYS, (pd.Timestamp(as_of) - campaign["start"]).days))
    lately = days[days["day"] >= pd.Timestamp(as_of) - pd.Timedelta(days=known)]
    contacts = lately["cost"].sum(skipna=False) / known * days_left
    if pd.notna(campaign["budget"]):
        contacts = min(contacts, max(0.0, campaign["budget"] - days["cost"].sum(skipna=False)))
    discount = lately["discount"].sum() / known * days_left
    return {"contact_cost_to_come": contacts, "discount_to_come": discount, "saves": contacts + discount}
