"""Tiers and high-value customers are the same by DuckDB and by Spark."""

from dataclasses import asdict
from datetime import timedelta

import pandas as pd
import pytest
from agreement import Pair, assert_agree, assert_alike
from loyalty.high_value_customers import overlap
from loyalty.programme import high_value
from loyalty.programme.assumed_tiers import assumed_benefits, assumed_rules, spend_below
from loyalty.programme.effect import Interval
from loyalty.programme.tier_bunching import around_threshold
from loyalty.programme.tier_counts import holders, over_time
from loyalty.programme.tier_moves import migration, near_misses
from loyalty.programme.tier_rules import TierRules
from loyalty.programme.tier_simulator import Offer, replay
from loyalty.programme.tier_value import by_tier
from loyalty.programme.tiers import membership

NAMES, THRESHOLDS = ("Silver", "Gold"), (80.0, 300.0)
RULES = {
    "rolling": TierRules(NAMES, THRESHOLDS, days=120, grace_days=20, downgrade="step"),
    "quarter": TierRules(NAMES, THRESHOLDS, period="quarter", grace_periods=1),
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_membership_and_its_counts(dirty_pair: Pair, rules: TierRules) -> None:
    tables, day = [study.data.tables for study in dirty_pair], dirty_pair[0].as_of
    assert_agree(*(membership(each, rules, day) for each in tables))
    assert_agree(*(holders(each, rules, day, 120) for each in tables))
    ends = [day - timedelta(days=back) for back in (60, 30, 0)]
    assert_agree(*(over_time(each, rules, ends, 120) for each in tables))
    assert_agree(*(migration(each, rules, ends[0], day) for each in tables))
    assert_agree(*(near_misses(each, rules, day).reset_index() for each in tables))
    assert_agree(*(around_threshold(each, rules, 1, day) for each in tables))
    assert_agree(*(by_tier(each, rules, day, 30, 90, 0.3).reset_index() for each in tables))


def test_points_that_qualify(dirty_pair: Pair) -> None:
    rules = TierRules(NAMES, THRESHOLDS, by="points", days=120)
    assert_agree(*(membership(study.data.tables, rules, study.as_of) for study in dirty_pair))


def test_assumed_tiers_and_their_replay(dirty_pair: Pair) -> None:
    one, other = (
        assumed_rules(study.data.tables, study.as_of, study.first_day, study.horizon_days) for study in dirty_pair
    )
    assert one is not None
    assert one == other
    spends = [spend_below(study.data.tables, study.as_of, 365, (0.5, 0.9)) for study in dirty_pair]
    assert spends[0] == pytest.approx(spends[1])
    present = Offer(one, assumed_benefits(len(one.names)))
    cheaper = TierRules(one.names, tuple(0.8 * each for each in one.thresholds), days=one.days)
    found = [
        replay(study.data.tables, present, Offer(cheaper, present.benefits), study.as_of, 0.3) for study in dirty_pair
    ]
    assert_agree(*(each.moves for each in found))
    assert_agree(*(each.costs.reset_index() for each in found))
    assert found[0].lift.high == pytest.approx(found[1].lift.high)
    assert found[0].gainers == found[1].gainers > 0


def test_high_value_customers(dirty_pair: Pair) -> None:
    day = dirty_pair[0].as_of
    scores = high_value.by_spend(dirty_pair[0].data.tables, day, 1.0).to_pandas()
    scores = pd.DataFrame({"customer": scores["customer"], "clv": scores["value"].round(2), "churn_probability": 0.4})
    seen = []
    for study in dirty_pair:
        tables = study.data.tables
        groups = {"margin": high_value.by_share_of_margin(tables, day, 0.5), "clv": high_value.by_clv(scores, 0.5)}
        mix = high_value.mix(tables, groups["margin"], day, "category")
        assert mix is not None
        portrait = high_value.portrait(tables, groups["clv"], day)
        risk = high_value.at_risk(groups["margin"], scores, 0.3)
        told = {name: asdict(each) if isinstance(each, Interval) else each for name, each in risk.items()}
        seen.append((overlap(groups), portrait.reset_index(), mix.reset_index(), told))
    (*tables_of_one, risk_of_one), (*tables_of_other, risk_of_other) = seen
    for one, other in zip(tables_of_one, tables_of_other, strict=True):
        assert_agree(one, other)
    assert_alike(risk_of_one, risk_of_other)
