"""What simpler rules are worth beside the allocation, and who is left alone and why: by hand."""

import numpy as np
import pandas as pd
import pytest
from loyalty.programme import regret as rules
from loyalty.programme.allocation import Limits, allocate
from loyalty.programme.regret import by_reason, in_order, left_alone, regret
from offers_at_hand import at_random, values

ROWS = [
    ("a", "mail", 5.0, 2.0), ("b", "call", 9.0, 6.0), ("b", "mail", 2.0, 2.0), ("c", "mail", -4.0, 2.0),
    ("d", "mail", -1.0, 2.0), ("e", "mail", -3.0, 2.0), ("f", "mail", 0.5, 2.0),
]  # fmt: skip
RISK = pd.Series({"e": 0.9, "c": 0.8, "a": 0.7, "d": 0.2})


def test_rules_by_hand():
    """With 8: the allocation mails a and calls b. By risk e, c and a come first, then d, who still fits."""
    rows, limits = values(ROWS), Limits(8.0)
    told = regret(rows, allocate(rows, limits), limits, RISK).set_index("rule")
    assert told["value"].to_dict() == pytest.approx(
        {
            "this allocation": 14.0, rules.EVERYONE: 5 + 9 - 4 - 1 - 3 + 0.5, rules.AS_FAR: 14.0,
            rules.AT_RANDOM: told.loc[rules.AT_RANDOM, "value"], rules.BY_RISK: -3 - 4 + 5 - 1, rules.NOBODY: 0.0,
        }
    )  # fmt: skip
    assert told["customers"].tolist()[:3] == [2, 6, 2]
    assert told.loc[rules.EVERYONE, "cost"] == 16.0
    assert told.loc[rules.BY_RISK, ["regret", "low", "high"]].tolist() == [17.0, -7.0, 1.0]


def test_no_rule_within_the_limits_beats_the_allocation():
    for seed in range(5):
        rows = at_random(seed, 300)
        limits = Limits(0.15 * rows["cost"].sum(), {"mail": 20, "call": 40})
        risk = pd.Series(np.random.default_rng(seed).random(300), rows["customer"].unique())
        told = regret(rows, allocate(rows, limits), limits, risk).set_index("rule")
        within = told.drop(rules.EVERYONE)
        assert (within["cost"] <= limits.budget + 1e-9).all()
        assert (within["regret"] >= 0).all()
        assert within.loc[rules.BY_RISK, "regret"] > 0


def test_customers_in_order_get_the_best_offer_that_fits():
    rows = values(ROWS).sort_values(["customer", "rule"])
    found = in_order(rows, Limits(5.0), pd.Series({"b": 2.0, "a": 1.0}))
    assert found[["customer", "rule"]].to_numpy().tolist() == [["a", "mail"], ["b", "mail"]]


def test_why_customers_are_left_alone():
    """c is made worse beyond doubt, d buys anyway, e costs more than it brings, and for f there is no money."""
    rows = values(ROWS, high=[5.0, 9.0, 2.0, -0.1, 1.0, 1.0, 1.0])
    rows["buys_anyway"] = [0.95, 0.5, 0.5, 0.95, 0.95, 0.3, np.nan]
    alone = left_alone(rows, allocate(rows, Limits(8.0)).chosen)
    assert alone.to_numpy().tolist() == [
        ["c", "all", rules.WORSE, -4.0], ["d", "all", rules.SURE_BUYER, -1.0], ["e", "all", rules.TOO_DEAR, -3.0],
        ["f", "all", rules.BEYOND, 0.5],
    ]  # fmt: skip
    assert by_reason(alone)["customers"].tolist() == [1, 1, 1, 1]
    assert by_reason(alone)["reason"].tolist() == list(rules.REASONS)


def test_an_offer_that_does_no_harm_keeps_a_customer_from_being_called_worse_off():
    rows = values([("a", "mail", -4.0, 2.0), ("a", "call", -1.0, 2.0)], high=[-1.0, 1.0])
    assert left_alone(rows, rows[:0])["reason"].tolist() == [rules.TOO_DEAR]


def test_chosen_and_left_alone_are_everyone():
    rows = at_random(3, 200)
    limits = Limits(0.1 * rows["cost"].sum())
    chosen = allocate(rows, limits).chosen
    alone = left_alone(rows, chosen)
    assert sorted([*alone["customer"], *chosen["customer"]]) == sorted(rows["customer"].unique())
    assert ((alone["reason"] == rules.BEYOND) == (alone["value"] > 0)).all()
