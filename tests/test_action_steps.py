"""The step on actions: limits are kept, evidence is used where there is some, and everyone is counted once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from acting_shop import RULES, log, opened, scored
from loyalty.action_plan import planned
from loyalty.action_rules import ActionRule
from loyalty.action_words import WORDS, reasons, said
from loyalty.actions import FRAMES, actions
from loyalty.errors import SettingsError
from loyalty.programme.effect import Effect, Interval
from loyalty.programme.rule_columns import COLUMNS
from loyalty.programme.rules import campaign
from loyalty.store import Store
from loyalty.study import Study


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str) -> Callable[[str], Study]:
    """Return a function that opens the shop with more in its dataset file."""
    return lambda more: opened(make_shop(log(simulated_log), shop_toml + more))


@pytest.fixture(scope="module")
def study(shop: Callable[[str], Study]) -> Study:
    return shop(RULES)


@pytest.fixture(scope="module")
def told(study: Study, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The step as it is kept."""
    with scored(study):
        kept = Store(tmp_path_factory.mktemp("kept")).get("actions", lambda: actions(study))
    assert isinstance(kept, dict)
    return kept


def test_everyone_is_counted_once(told: dict[str, Any]) -> None:
    assert set(told) == {"about", *FRAMES}
    chosen = told["about"]["allocation"]["customers"]
    assert told["alone"]["customers"].sum() + chosen == told["about"]["customers"] == 300
    assert told["states"]["customers"].sum() == 300
    assert told["moves"]["customers"].sum() == 300
    for name in ("rule", "channel", "segment", "state"):
        assert told[f"by_{name}"]["customers"].sum() == chosen
        assert told[f"by_{name}"]["value"].sum() == pytest.approx(told["about"]["allocation"]["value"]["estimate"])
    assert told["rules"]["customers"].sum() == chosen


def test_what_is_assumed_is_told_so(told: dict[str, Any]) -> None:
    assert told["about"]["assumed"] is True
    assert told["about"]["default_rules"] is False
    assert set(told["evidence"]["design"]) == {"assumed"}
    assert told["about"]["item"]["winner"] == ""
    assert told["holdouts"]["share"].tolist() == [0.25] * len(told["holdouts"])


def test_the_value_of_an_action_by_hand(study: Study) -> None:
    with scored(study) as scores:
        plan = planned(study)
    days = study.data.tables.days.to_pandas()
    usual = days.groupby("customer")["spend"].mean()
    rows = plan.values[plan.values["rule"] == "hello"].set_index("customer")
    rest = (scores["churn_probability"].reindex(rows.index)).fillna(1.0)
    expected = rest.clip(upper=0.2) * 0.3 * usual.reindex(rows.index) - 0.01
    pd.testing.assert_series_equal(rows["value"], expected, check_names=False)


def test_what_was_measured_takes_the_place_of_what_is_assumed(study: Study) -> None:
    rule = next(rule for rule in study.dataset.actions.rules if rule.name == "hello")
    name = campaign(rule, study.as_of)

    def effect(estimate: float, error: float) -> dict[str, Any]:
        found = Effect(
            "spend", "randomised", "mean", "EUR", Interval.around(estimate, error), error, treated=100, control=100
        )
        return {"campaign": name, "running": False, "effects": {"spend": found.to_dict()}}

    others = [{"campaign": "other", "running": False, "effects": {}}, effect(99.0, 0.1) | {"running": True}]
    with scored(study, [effect(10.0, 1.0), effect(4.0, 2.0), *others]):
        plan = planned(study)
    rows = plan.values[plan.values["rule"] == "hello"]
    assert set(rows["design"]) == {"randomised"}
    # Weights 1 and 1/4: (10 + 4 / 4) / 1.25.
    assert rows["effect"].unique() == pytest.approx([8.8])
    assert rows["value"].unique() == pytest.approx([8.8 * 0.3 - 0.01])


def test_the_budget_is_kept_and_its_price_told(shop: Callable[[str], Study]) -> None:
    limited = shop(RULES.replace("hold_out", "budget = 20\nhold_out"))
    with scored(limited):
        told = actions(limited)
    allocation = told["about"]["allocation"]
    assert 15 < allocation["cost"] <= 20
    assert allocation["budget_price"] > 0
    alone = told["alone"].set_index("reason")["customers"]
    assert alone.sum() + allocation["customers"] == 300
    worth = told["regret"].set_index("rule")["value"]
    assert worth["this allocation"] >= worth.drop("everyone, whatever it costs").max() - 1e-9


def test_a_channel_makes_no_more_contacts_than_it_can(shop: Callable[[str], Study]) -> None:
    limited = shop(RULES.replace("hold_out", "most_by_channel = { post = 7 }\nhold_out"))
    with scored(limited):
        told = actions(limited)
    assert told["by_channel"].set_index("channel")["customers"]["post"] == 7
    assert set(told["about"]["allocation"]["channel_prices"]) == {"post"}
    unknown = shop(RULES.replace("hold_out", "most_by_channel = { telephone = 7 }\nhold_out"))
    with scored(unknown), pytest.raises(SettingsError, match=r"found 'telephone'; rules have e-mail, post"):
        actions(unknown)


def test_a_minimum_that_cannot_be_reached_is_told_and_breaks_no_page(shop: Callable[[str], Study]) -> None:
    asked = shop(RULES.replace("hold_out", "minimum_per_segment = { Champions = 1000 }\nhold_out"))
    with scored(asked):
        told = actions(asked)
    assert "'Champions' is to have 1000 customers" in told["about"]["refused"]
    assert all(told[name].empty for name in FRAMES)


def test_rules_that_are_for_nobody_choose_nobody(shop: Callable[[str], Study]) -> None:
    rules = RULES.replace("days_since_last >= 0", "orders > 100000").replace("purchase_days >= 2", "orders > 100000")
    nobody = shop(rules)
    with scored(nobody):
        told = actions(nobody)
    assert told["about"]["allocation"]["customers"] == 0
    assert told["alone"].set_index("reason")["customers"]["no rule is for them"] == 300


def test_of_equal_actions_priority_decides(shop: Callable[[str], Study]) -> None:
    rules = RULES.replace('"post"', '"e-mail"').replace("cost = 0.5", "cost = 0.01").replace("high = 0.5", "high = 0.3")
    equal = shop(rules)
    with scored(equal):
        plan = planned(equal)
    both = plan.known.filter(plan.known.purchase_days >= 2).select("customer").to_pandas()["customer"]
    chosen = plan.allocation.chosen.set_index("customer")["rule"]
    assert set(chosen.reindex(both).dropna()) == {"hello"}


def test_every_column_of_rules_has_words() -> None:
    assert set(WORDS) == set(COLUMNS)
    samples = {"number": 0.5, "text": "x", "truth": True, "date": pd.Timestamp("2020-01-31")}
    for name, column in COLUMNS.items():
        assert "{" not in said(name, samples[column.kind])


@pytest.mark.parametrize("name", [name for name, text in WORDS.items() if "{s}" in text])
def test_one_of_a_thing_is_not_told_as_several(name: str) -> None:
    one, several, none = (said(name, number) for number in (1.0, 2.0, 0.0))
    noun = WORDS[name].partition("{s}")[0].split()[-1]
    assert noun in one.split()
    assert f"{noun}s" not in one.split()
    assert f"{noun}s" in several.split()
    assert f"{noun}s" in none.split()
    assert f"{noun}s" in said(name, 1001.0).split()


def test_a_favourite_that_is_not_on_offer_is_told_so() -> None:
    assert said("favourite_on_offer", True) == "the favourite category is on offer"
    assert said("favourite_on_offer", False) == "the favourite category is not on offer"


def test_what_is_not_known_is_no_reason() -> None:
    rule = ActionRule(name="r", when="orders > 1 or clv > 5", channel="c", offer="o", kind="service")
    rows = pd.DataFrame({"orders": [1.0, 0.0], "clv": [None, 7.0]})
    assert reasons(rule, rows).tolist() == ["1 receipt in a year", "0 receipts in a year; worth 7.00"]
