"""The value of each budget: it rises ever more slowly to what all that pays is worth."""

import numpy as np
import pytest
from loyalty.programme import value_curve
from loyalty.programme.allocation import Limits, allocate
from loyalty.programme.value_curve import SHARES, by_budget
from offers_at_hand import at_random, values


@pytest.mark.parametrize("quick", [value_curve.QUICK, 0])
def test_more_money_brings_more_and_ever_less_of_it(quick, monkeypatch):
    monkeypatch.setattr(value_curve, "QUICK", quick)
    rows = at_random(3, 400)
    told = by_budget(rows, Limits())
    assert len(told) == len(SHARES)
    assert (told["cost"] <= told["budget"] + 1e-9).all()
    steps = np.diff(told["value"]) / np.diff(told["budget"])
    assert (steps > 0).all()
    assert (np.diff(steps) < 0.05 * steps[0]).all()
    whole = allocate(rows)
    last = told.iloc[-1]
    assert last[["customers", "cost", "value", "low", "high"]].tolist() == pytest.approx(
        [len(whole.chosen), whole.cost, whole.value.estimate, whole.value.low, whole.value.high]
    )


def test_the_budget_that_is_set_lies_on_the_curve():
    rows = at_random(4, 200)
    told = by_budget(rows, Limits(60.0))
    found = allocate(rows, Limits(60.0))
    row = told[told["budget"] == 60.0].iloc[0]
    assert [row["customers"], row["value"]] == pytest.approx([len(found.chosen), found.value.estimate])
    assert told["budget"].max() > 60.0


def test_budgets_that_cannot_pay_for_the_least_number_are_left_out():
    rows = values([(f"c{number}", "mail", 1.0 + number, 2.0) for number in range(10)])
    told = by_budget(rows, Limits(least={"all": 5}))
    assert told["budget"].min() >= 10.0
    assert (told["customers"] >= 5).all()


def test_where_nothing_pays_there_is_no_curve():
    assert by_budget(values([("a", "mail", -1.0, 2.0)]), Limits()).empty
