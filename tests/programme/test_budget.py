"""Plan against actual, and what the money brought."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from loyalty.aims import Budget
from loyalty.errors import DataError, SettingsError
from loyalty.programme.budget import account, brought, totals
from loyalty.programme.effect import Interval
from loyalty.programme.profit_and_loss import Costs, ProfitAndLoss
from loyalty.programme.whole_programme import programme
from loyalty.settings import load_dataset

TOML = """
[budget.preparation]
starts = 2026-01-01
ends = 2026-01-31
plan = { contacts = 500, people = 12000 }
actual = { contacts = 620, people = 11000 }

[budget.launch]
starts = 2026-02-01
ends = 2026-04-11
plan = { rewards = 7000, contacts = 700 }
actual = { contacts = 100 }
"""
AS_OF = date(2026, 3, 1)  # 28 of the launch's 70 days are over


@pytest.fixture
def budget(make_shop: Callable[..., Any], shop_toml: str) -> Budget:
    return load_dataset("shop", make_shop("customer,time,amount\na,2020-01-01,1\n", shop_toml + TOML)).budget


def test_plan_and_actual_by_phase_and_kind(budget: Budget) -> None:
    lines = account(budget, AS_OF, {("launch", "rewards"): 3000.0, ("launch", "contacts"): 5.0})
    assert lines.loc[("launch", "rewards")].tolist() == pytest.approx([7000, 2800, 3000, 200, 4000])
    # The file's own figure comes before what the log tells.
    assert lines.loc[("launch", "contacts"), "actual"] == 100
    assert lines.loc[("preparation", "people"), "left"] == 1000
    assert ("launch", "people") not in lines.index
    assert totals(lines, "phase").loc["preparation", ["plan", "actual", "left"]].tolist() == [12500, 11620, 880]
    assert totals(lines).loc["all", "spread"] == totals(lines, "kind")["spread"].sum()


def test_what_nobody_knows_is_not_nothing(budget: Budget) -> None:
    lines = account(budget, AS_OF)
    assert np.isnan(lines.loc[("launch", "rewards"), "actual"])
    told = totals(lines, "kind")
    assert np.isnan(told.loc["rewards", "left"])
    assert told["unknown"].to_dict() == {"contacts": 0, "people": 0, "rewards": 1}


def test_before_a_phase_nothing_is_due_and_after_it_all(budget: Budget) -> None:
    assert account(budget, date(2026, 1, 1))["due"].sum() == 0
    assert account(budget, date(2026, 4, 12))["due"].sum() == 20200


EARNED = ProfitAndLoss("The programme", 100_000.0, 10_000.0, True, 500, 0.3, Costs(discount=2000.0))


def test_the_return_is_margin_less_discounts_and_what_was_spent(budget: Budget) -> None:
    """0.3 (100,000 + 2,000) - 2,000 - 14,720, and 1.645 x 0.3 x 10,000 to each side."""
    found = brought(account(budget, AS_OF, {("launch", "rewards"): 3000.0}), EARNED)
    assert found.spent == 14_720
    assert found.profit is not None
    assert found.profit.estimate == pytest.approx(13_880)
    assert found.profit.high - found.profit.estimate == pytest.approx(4934.56, abs=0.01)
    assert found.on_spend == Interval(
        *(each / 14_720 for each in (found.profit.estimate, found.profit.low, found.profit.high))
    )


def test_without_a_cost_there_is_no_profit(budget: Budget) -> None:
    found = brought(account(budget, AS_OF), EARNED)
    assert (found.missing, found.profit) == (("launch.rewards",), None)
    assert found.margin is not None
    # What has not begun cannot lack anything.
    assert brought(account(budget, date(2026, 1, 20)), EARNED).missing == ()
    nothing = ProfitAndLoss("The programme", None, None, True, 500, 0.3, Costs(discount=2000.0))
    assert brought(account(budget, AS_OF), nothing).margin is None


def test_a_discount_known_in_part_makes_it_an_upper_bound(budget: Budget) -> None:
    lines = account(budget, AS_OF, {("launch", "rewards"): 3000.0})
    part = replace(EARNED, discount_share=0.54)
    assert brought(lines, part).at_most
    assert brought(lines, programme([EARNED, part])).at_most
    assert not brought(lines, EARNED).at_most
    assert not brought(lines, None).at_most


def test_an_empty_budget_is_an_empty_account() -> None:
    assert account(Budget(), AS_OF).empty
    assert brought(account(Budget(), AS_OF), EARNED).on_spend is None


@pytest.mark.parametrize("place", [("evaluation", "people"), ("launch", "flowers")])
def test_money_without_a_place_is_told(budget: Budget, place: tuple[str, str]) -> None:
    with pytest.raises(DataError, match=r"budget.*phase among preparation, launch and a kind among rewards"):
        account(budget, AS_OF, {place: 1.0})


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("starts = 2026-02-01", "starts = 2026-01-31", "launch to start after preparation ends on 2026-01-31"),
        ("ends = 2026-04-11", "ends = 2026-01-11", "a last day not before 2026-02-01, found 2026-01-11"),
        ("rewards = 7000", "rewards = -7", "budget.launch.plan.rewards: expected greater than or equal to 0"),
        ("rewards = 7000", "gifts = 7", "budget.launch.plan.gifts is not a known key"),
        ("[budget.launch]", "[budget.lunch]", "did you mean 'launch'"),
    ],
)
def test_a_budget_that_cannot_be_is_told(
    make_shop: Callable[..., Any], shop_toml: str, old: str, new: str, told: str
) -> None:
    root = make_shop("customer,time,amount\na,2020-01-01,1\n", shop_toml + TOML.replace(old, new))
    with pytest.raises(SettingsError, match=told):
        load_dataset("shop", root)
