"""What rules know of customers, and who gets which action, are the same on a cluster, and little is brought here."""

from datetime import timedelta

import ibis
import pandas as pd
import pytest
from acting_shop import scored
from agreement import Brought, Pair, assert_agree
from loyalty import action_plan
from loyalty.action_plan import planned
from loyalty.action_rules import OnOffer
from loyalty.errors import RefusedError
from loyalty.programme.rule_columns import COLUMNS
from loyalty.programme.rule_values import SCORES, values
from loyalty.study import Study

UNKNOWN = ("churn_probability", "clv")
"""Scores that not all customers have."""


def scores(study: Study) -> pd.DataFrame:
    """Scores of every second customer, one of them not a number."""
    names = sorted(study.data.tables.days.select("customer").distinct().to_pandas()["customer"])[::2]
    frame = pd.DataFrame({"customer": names, **{name: range(len(names)) for name in SCORES}})
    frame[list(SCORES)] = frame[list(SCORES)] / 7 % 1
    return frame.assign(**{name: frame[name].where(frame.index != 3) for name in UNKNOWN})


@pytest.mark.parametrize("ago", [0, 97])
def test_every_column_of_rules_agrees(dirty_pair: Pair, ago: int) -> None:
    by_duckdb, by_spark = dirty_pair
    day = by_duckdb.known_until - timedelta(days=ago)
    said = scores(by_duckdb)
    on_offer = [OnOffer(category="Bakery", starts=day - timedelta(days=3), ends=day)]

    def known(study: Study) -> ibis.Table:
        return values(study.data.tables, day, programme=study.dataset.programme, offers=on_offer, scores=said)

    one, other = known(by_duckdb).to_pandas(), known(by_spark).to_pandas()
    assert set(one.columns) == {"customer", *COLUMNS}
    assert not [name for name in COLUMNS if one[name].isna().all()]
    assert_agree(one, other)


def test_the_same_customers_get_the_same_actions(dirty_pair: Pair, brought: Brought) -> None:
    by_duckdb, by_spark = dirty_pair
    with scored(by_duckdb):
        one = planned(by_duckdb)
    brought.clear()
    with scored(by_spark):
        other = planned(by_spark)
    assert len(one.allocation.chosen) > 20
    assert_agree(one.allocation.chosen, other.allocation.chosen)
    pd.testing.assert_frame_equal(one.passed, other.passed)
    pd.testing.assert_frame_equal(one.reached, other.reached)
    # Of customers come those with an action at hand, once an action, and the columns that the choice needs.
    (rows,) = [number for columns, number in brought if "rule" in columns and "customer" in columns and number]
    assert rows == other.passed["actions"].iloc[-1]


def test_more_actions_than_are_chosen_from_at_once_are_refused_before_any_comes(
    dirty_pair: Pair, brought: Brought, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(action_plan, "MOST_ACTIONS", 5)
    brought.clear()
    with scored(dirty_pair[1]), pytest.raises(RefusedError, match=r"are more than the 5 that are chosen from at once"):
        planned(dirty_pair[1])
    assert not [number for columns, number in brought if {"customer", "rule"} <= columns]
