"""Time to the first coupon, for those of whom it is not known yet, too."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from campaign_world import FIRST, offers_of, seen_at
from loyalty.programme.redeeming import curves

START = date(2020, 3, 1)


def later(days: int) -> date:
    return START + timedelta(days=days)


def test_whoever_is_not_watched_any_longer_is_not_said_to_stay_away() -> None:
    """By hand: 4 watched for 10 days, 2 contacted 5 days later; at day 7 only the first four are still at risk."""
    campaign = {"campaign": "c", "start": START, "end": None}
    contacts = [{"customer": name, "campaign": "c", "day": START} for name in "abcd"]
    contacts += [{"customer": name, "campaign": "c", "day": later(5)} for name in "ef"]
    redeemed = [("a", 2), ("a", 4), ("e", 7), ("b", 7)]
    rows = [{"customer": name, "campaign": "c", "day": later(days)} for name, days in redeemed]
    curve = curves(seen_at(later(11), offers_of([campaign], contacts, rows))).set_index("day")
    assert curve["share"].to_dict() == pytest.approx({2: 1 - 4 / 6, 7: 1 - 4 / 6 * 2 / 3})
    assert curve["at_risk"].to_dict() == {2: 6, 7: 3}
    assert curve["customers"].to_list() == [6, 6]


def test_segments_have_curves_of_their_own() -> None:
    campaign = {"campaign": "c", "start": START, "end": None}
    contacts = [{"customer": name, "campaign": "c", "day": START} for name in "abcd"]
    contacts += [{"customer": name, "campaign": "c", "day": later(5)} for name in "ef"]
    rows = [{"customer": name, "campaign": "c", "day": later(days)} for name, days in (("a", 2), ("e", 7), ("b", 7))]
    seen = seen_at(later(11), offers_of([campaign], contacts, rows))
    new = seen.customers.customer.isin(["e", "f"])
    placed = replace(seen, customers=seen.customers.mutate(segment=new.ifelse("New", "Loyal")))
    found = curves(placed, "segment").set_index(["segment", "day"])["share"]
    assert found.to_dict() == pytest.approx({("Loyal", 2): 0.25, ("Loyal", 7): 0.5, ("New", 2): 0.5})


def test_the_campaigns_last_day_ends_the_watch_and_one_from_before_the_log_is_left_out() -> None:
    campaigns = [
        {"campaign": "short", "start": START, "end": later(3), "type": "mail"},
        {"campaign": "long", "start": START, "end": later(30), "type": "mail"},
        {"campaign": "old", "start": FIRST - timedelta(days=1), "end": later(30), "type": "mail"},
    ]
    contacts = [{"customer": str(n), "campaign": name, "day": START} for n in range(4) for name in ("short", "long")]
    contacts += [{"customer": "9", "campaign": "old", "day": START}]
    rows = [{"customer": "0", "campaign": "long", "day": later(10)}, {"customer": "9", "campaign": "old", "day": START}]
    seen = seen_at(later(20), offers_of(campaigns, contacts, rows))
    assert curves(seen)[["campaign", "day", "share"]].to_numpy().tolist() == [["long", 10, 0.25]]
    by_type = curves(seen, "type")  # at day 10 only the long campaign is watched
    assert by_type[["day", "share", "at_risk", "customers"]].to_numpy().tolist() == [[10, 0.25, 4, 4]]


def test_the_band_holds_the_truth_with_customers_who_received_several() -> None:
    """Exponential times with a rate of the customer's own, in 3 campaigns each, watched for different lengths."""
    random = np.random.default_rng(8)
    at, held = 10, []
    campaigns = [{"campaign": str(n), "start": START, "end": later(12 + 9 * n), "type": "mail"} for n in range(3)]
    people = [f"{run}-{n}" for run in range(100) for n in range(150)]
    rate = random.gamma(0.5, 0.06, len(people))
    truth = 1 - (1 + 0.06 * (at + 1)) ** -0.5  # a coupon of day 10 is one of less than 11 days
    contacts = pd.DataFrame(
        {"customer": np.tile(people, 3), "campaign": np.repeat(["0", "1", "2"], len(people)), "day": START}
    )
    waited = np.floor(random.exponential(1 / np.tile(rate, 3)).clip(max=999)).astype(int)
    redeemed = contacts.assign(day=pd.to_datetime(START) + pd.to_timedelta(waited, unit="D"))
    last = redeemed["campaign"].map({each["campaign"]: pd.Timestamp(each["end"]) for each in campaigns})
    redeemed = redeemed[redeemed["day"] <= last]
    redeemed["day"] = redeemed["day"].dt.date
    # Each run is a type of its own, so that all are counted in one pass.
    each_run = [
        each | {"campaign": f"{run}/{each['campaign']}", "type": str(run)} for run in range(100) for each in campaigns
    ]
    for frame in (contacts, redeemed):
        frame["campaign"] = frame["customer"].str.partition("-")[0] + "/" + frame["campaign"]
    offers = offers_of(each_run, contacts.to_dict("records"), redeemed.to_dict("records"))
    found = curves(seen_at(later(60), offers), "type")
    for _, curve in found.groupby("type"):
        row = curve[curve["day"] <= at].iloc[-1]
        held.append(row["low"] <= truth <= row["high"])
    assert 0.82 <= np.mean(held) <= 0.97  # 100 runs: 90 % is within 3 standard errors of these
