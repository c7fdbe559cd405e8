"""Which campaigns are to be stopped: not by chance, not too early, and what it saves."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from campaign_world import FIRST, offers_of, seen_at
from loyalty.programme.stop_loss import judge, stop_loss
from loyalty.schema import Programme
from scipy import stats

START = date(2020, 3, 1)
LINES = Programme(stop_redemption_below=0.3, stop_after_days=14)


def later(days: int) -> date:
    return START + timedelta(days=days)


def found(
    reached: int, redeemed: list[int], as_of: date, lines: Programme = LINES, contacted: int = 0, **more: Any
) -> pd.Series:
    """The row of a campaign of so many customers, some of whom redeem after these days."""
    campaign = {"campaign": "c", "start": START, "end": later(29), "type": "mail"} | more
    contacts = [{"customer": str(n), "campaign": "c", "day": later(contacted)} for n in range(reached)]
    rows = [
        {"customer": str(n), "campaign": "c", "day": later(day), "amount": 2.0, "order": "x"}
        for n, day in enumerate(redeemed)
    ]
    lines_of_log = [
        {"customer": str(n), "day": later(day), "order": "x", "amount": 8.0, "coupon": 2.0}
        for n, day in enumerate(redeemed)
    ]
    return stop_loss(seen_at(as_of, offers_of([campaign], contacts, rows), lines_of_log), lines).iloc[0]


def test_a_campaign_is_under_from_the_first_day_on_which_it_is_judged() -> None:
    row = found(100, [1, 2, 3], later(20))
    assert (row["verdict"], row["since"], row["rate"]) == ("under", pd.Timestamp(later(13)), 0.03)
    assert (row["reached"], row["redeemed"]) == (100, 3)


def test_before_its_days_are_over_no_campaign_is_judged() -> None:
    assert found(100, [], later(13))["verdict"] == "too early"
    assert found(100, [], later(14))["verdict"] == "under"
    # Whoever was contacted later has had less time.
    assert found(100, [], later(20), contacted=8)["verdict"] == "too early"
    # One that ended sooner is judged when it is over.
    assert found(100, [], later(10), end=later(9))["verdict"] == "under"


def test_since_when_is_the_last_time_it_went_under() -> None:
    """Judged from day 13 on, 20 of 100 then (upper end 0.27 < 0.3): it was under at once; with 28 on day 16 no more."""
    assert found(100, [1] * 20 + [16] * 8, later(16))["verdict"] == "under"
    assert found(100, [1] * 20 + [16] * 8, later(18))["verdict"] == "not clear"
    assert found(100, [1] * 50, later(18))["verdict"] == "not under"


def test_few_customers_are_no_proof() -> None:
    assert found(6, [], later(20))["verdict"] == "not clear"
    assert found(0, [], later(20))["verdict"] == "nobody reached"


def test_what_is_not_known_is_not_judged() -> None:
    assert found(100, [], later(20), start=FIRST - timedelta(days=3))["verdict"] == "began before the log"
    seen = seen_at(later(20), offers_of([{"campaign": "c", "start": START}], []))
    assert stop_loss(seen, LINES).empty  # no redemptions
    assert stop_loss(seen, Programme()).empty  # no line


def test_what_stopping_saves() -> None:
    """Discounts of 2 on days 15 and 19: both after the day since; in the last 14 days 6 are spent; 10 days are left."""
    row = found(100, [1, 8, 15, 19], later(20), contact_cost=0.5)
    assert (row["discount_since"], row["contact_cost_since"], row["days_left"]) == (4.0, 0.0, 10)
    assert row["discount_to_come"] == pytest.approx(6 / 14 * 10)
    assert row["saves"] == row["discount_to_come"] + row["contact_cost_to_come"]
    ended = found(100, [1, 15], later(50), contact_cost=0.5)
    assert (ended["days_left"], ended["saves"], ended["discount_since"]) == (0, 0.0, 2.0)
    assert np.isnan(found(100, [1], later(20), end=None)["saves"])


def test_contacts_to_come_are_at_most_what_is_left_of_the_budget_and_unknown_without_a_cost() -> None:
    contacts = [{"customer": str(n), "campaign": "c", "day": later(n // 10)} for n in range(200)]

    def saved(**more: Any) -> pd.Series:
        campaign = {"campaign": "c", "start": START, "end": later(29), "contact_cost": 0.5} | more
        return stop_loss(seen_at(later(20), offers_of([campaign], contacts, [])), LINES).iloc[0]

    assert saved()["contact_cost_to_come"] == pytest.approx(10 * 0.5 * 10)
    assert saved(budget=110.0)["contact_cost_to_come"] == pytest.approx(10.0)
    row = saved(contact_cost=None)
    assert (row["verdict"], np.isnan(row["saves"]), np.isnan(row["contact_cost_since"])) == ("under", True, True)


def test_a_line_of_its_own_comes_before_the_types_and_that_before_the_general() -> None:
    lines = Programme(stop_redemption_below=0.3, stop_redemption_of={"mail": 0.02}, stop_after_days=14)
    assert found(100, [1] * 6, later(20), lines)["verdict"] == "not under"
    own = Programme(stop_redemption_of={"c": 0.2, "mail": 0.02}, stop_after_days=14)
    assert found(100, [1] * 6, later(20), own)["verdict"] == "under"


def test_a_campaign_on_its_line_is_rarely_called_under_by_chance() -> None:
    """All that can come of 200 customers of whom each redeems with 30 %, weighted by how likely it is."""
    redeemed = np.arange(201)
    names = [str(n) for n in redeemed]
    start, end = pd.Timestamp(START), pd.Timestamp(later(29))
    campaigns = pd.DataFrame(
        {"type": None, "start": start, "end": end, "reached": 200, "whole": True, "running": True, "budget": np.nan},
        index=names,
    )
    times = pd.DataFrame(
        {
            "campaign": np.repeat(names, 2),
            "first_contact": start,
            "first_redemption": [start, pd.NaT] * len(names),
            "customers": np.column_stack([redeemed, 200 - redeemed]).ravel(),
        }
    )
    days = pd.DataFrame({"campaign": [], "day": pd.to_datetime([]), "cost": [], "discount": []})
    told = judge(campaigns, times, days, LINES, later(14))["verdict"].reindex(names).to_numpy()
    assert 0.03 <= stats.binom.pmf(redeemed, 200, 0.3)[told == "under"].sum() <= 0.055
