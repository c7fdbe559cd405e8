"""Other thresholds and benefits on the same log, by hand."""

from dataclasses import replace as changed
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from loyalty.errors import SettingsError
from loyalty.features.columns import Tables
from loyalty.programme.tier_rules import TierRules
from loyalty.programme.tier_simulator import Benefits, Offer, replay

AS_OF = date(2024, 7, 1)
RULES = TierRules(("Silver", "Gold"), (100.0, 200.0))
PRESENT = Offer(RULES, Benefits((0.02, 0.05), (3.65, 7.3)))


def bought(rows: list[tuple[str, int, float]]) -> Tables:
    frame = pd.DataFrame(rows, columns=["customer", "ago", "spend"])
    frame["day"] = [AS_OF - timedelta(days=ago) for ago in frame.pop("ago")]
    return Tables(ibis.memtable(frame.assign(orders=1)))


LOG = bought(
    [
        ("a", 100, 150.0), ("a", 50, 40.0), ("b", 100, 90.0), ("b", 40, 5.0), ("c", 80, 100.0), ("c", 30, 100.0),
        ("d", 20, 10.0),
    ]
)  # fmt: skip


def test_the_same_offer_moves_nobody_and_costs_what_days_and_purchases_in_the_tiers_cost() -> None:
    same = replay(LOG, PRESENT, PRESENT, AS_OF, margin=0.3)
    assert same.moves.to_dict("records") == [
        {"before": "none", "after": "none", "customers": 2},
        {"before": "Silver", "after": "Silver", "customers": 1},
        {"before": "Gold", "after": "Gold", "customers": 1},
    ]
    # a is Silver for 100 days and buys for 40 in it; c is Silver for 50 days, buys for 100 in it, then Gold for 30.
    present = same.costs.loc["present"]
    assert present["customer_years"].to_dict() == pytest.approx({"Silver": 150 / 365, "Gold": 30 / 365})
    assert present["spend"].to_dict() == {"Silver": 140.0, "Gold": 0.0}
    assert present["cost"].to_dict() == pytest.approx({"Silver": 140 * 0.02 + 1.5, "Gold": 0.6})
    assert (same.gainers, same.losers, same.extra_cost) == (0, 0, 0.0)
    assert np.isnan(same.lift.estimate)
    assert np.isnan(same.loss.estimate)


def test_a_lower_threshold_is_paid_by_those_whom_it_lifts() -> None:
    other = changed(PRESENT, rules=TierRules(("Silver", "Gold"), (90.0, 200.0)))
    found = replay(LOG, PRESENT, other, AS_OF, margin=0.3)
    moved = found.moves[found.moves["before"] != found.moves["after"]]
    assert moved.to_dict("records") == [{"before": "none", "after": "Silver", "customers": 1}]
    gained = 100 * 0.01 + 5 * 0.02  # b is Silver for 100 days, and buys for 5 in it
    assert (found.gainers, found.losers) == (1, 0)
    assert found.extra_cost == pytest.approx(gained)
    assert found.gainers_spend == 95.0
    # If b buys more by the lift, the margin on it less what goes back of it is what b gained.
    lift = found.lift.estimate
    assert lift * 95 * (0.3 - 5 * 0.02 / 95) == pytest.approx(gained)


def test_a_higher_threshold_saves_on_those_who_lose_a_tier() -> None:
    other = changed(PRESENT, rules=TierRules(("Silver", "Gold"), (160.0, 300.0)))
    found = replay(LOG, PRESENT, other, AS_OF, margin=0.3)
    assert (found.gainers, found.losers) == (0, 2)
    assert found.losers_saving == pytest.approx(-found.extra_cost)
    assert found.losers_spend == 390.0
    costs = found.costs.groupby("offer")["cost"].sum()
    assert costs["other"] - costs["present"] == pytest.approx(found.extra_cost)
    assert found.loss.low < found.loss.estimate < found.loss.high
    assert found.loss.estimate > 0


def test_a_benefit_above_the_margin_never_pays() -> None:
    other = changed(PRESENT, benefits=Benefits((0.9, 0.9), (0.0, 0.0)))
    dear = replay(bought([("a", 100, 110.0), ("a", 50, 400.0)]), PRESENT, other, AS_OF, margin=0.3)
    assert dear.lift.estimate == np.inf


def test_more_tiers_than_before_can_be_tried() -> None:
    rules = TierRules(("Bronze", "Silver", "Gold"), (10.0, 100.0, 200.0))
    found = replay(LOG, PRESENT, Offer(rules, Benefits((0.0, 0.02, 0.05), (0.0, 3.65, 7.3))), AS_OF, margin=0.3)
    assert {"before": "none", "after": "Bronze", "customers": 2} in found.moves.to_dict("records")
    assert found.extra_cost == pytest.approx(0.0)


def test_a_purchase_on_the_first_day_counts_in_the_tier_that_ends_there_under_any_rules() -> None:
    # Silver at first; 90 days before the date a rises to Gold under the lower thresholds alone.
    log = bought([("a", 200, 150.0), ("a", 90, 30.0)])
    lower = changed(PRESENT, rules=TierRules(("Silver", "Gold"), (90.0, 180.0)))
    found = replay(log, PRESENT, lower, AS_OF, margin=0.3, days=90)
    assert found.costs.loc["present", "spend"].to_dict() == {"Silver": 30.0, "Gold": 0.0}
    assert found.costs.loc["other", "spend"].to_dict() == {"Silver": 30.0, "Gold": 0.0}
    assert (found.gainers, found.losers) == (1, 0)


def test_what_is_given_back_lowers_every_purchase_alike_and_lower_thresholds_harm_nobody() -> None:
    log = bought([("a", 90, 90.0), ("a", 60, 60.0), ("a", 30, 50.0)])
    back = ibis.memtable(pd.DataFrame({"customer": ["a"], "day": [AS_OF - timedelta(days=10)], "spend": [-100.0]}))
    lower = changed(PRESENT, rules=TierRules(("Silver", "Gold"), (40.0, 200.0)))
    found = replay(log._replace(returns=back), PRESENT, lower, AS_OF, margin=0.3)
    # Half of what was paid came back: 50 was bought as Silver, and from 40 on 110.
    assert found.costs.loc["present", "spend"].to_dict() == {"Silver": 25.0, "Gold": 0.0}
    assert found.costs.loc["other", "spend"].to_dict() == {"Silver": 55.0, "Gold": 0.0}
    assert found.losers == 0


@pytest.mark.parametrize("wrong", [(0.1,), (0.1, -0.1), (0.1, float("inf"))])
def test_benefits_are_one_for_each_tier_and_not_below_zero(wrong: tuple[float, ...]) -> None:
    with pytest.raises(SettingsError, match=r"benefits\.a_year: expected 2 numbers of 0 or more"):
        Offer(RULES, Benefits((0.0, 0.0), wrong))
