"""`[actions]`: what is given is read, and all mistakes of all rules are told in one go."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from loyalty.action_rules import ActionRule
from loyalty.errors import SettingsError
from loyalty.programme.rule_columns import COLUMNS
from loyalty.schema import Actions
from loyalty.settings import load_dataset
from mistaken_rules import MISTAKES, TWENTY

RIGHT = """
[actions]
budget = 500
most_contacts = 2
period_days = 28
minimum_per_segment = { Champions = 20 }
hold_out = 0.2
purpose = "Marketing"
offers = [{ category = "wine", starts = 2026-03-01, ends = 2026-03-14 }]

[[actions.rules]]
name = "wake-up"
when = '''
  days_since_last >= 90
  and state != 'lost'
'''
channel = "letter"
offer = "What has changed"
kind = "information"
cost = 0.8
cool_down_days = 60
priority = 5
months = [3, 4]
assumed = { of = "spend", low = -1.0, high = 4.0 }

[[actions.rules]]
name = "thanks"
when = "orders > 10"
channel = "e-mail"
offer = "Thank you"
kind = "points"
reward_share = 0.05
"""


@pytest.fixture
def load(make_shop: Callable[..., Path], shop_toml: str) -> Callable[[str], Actions]:
    """Return a function that reads what a dataset file says of actions."""
    root = make_shop("customer,time,amount\n")

    def read(text: str) -> Actions:
        (root / "data" / "shop.toml").write_text(shop_toml + text, "utf-8")
        return load_dataset("shop", root).actions

    return read


def test_what_is_given_is_read_and_what_is_left_out_has_its_default(load: Callable[[str], Actions]) -> None:
    assert load("") == Actions()
    actions = load(RIGHT)
    assert (actions.budget, actions.most_contacts, actions.hold_out, actions.purpose) == (500, 2, 0.2, "marketing")
    assert actions.minimum_per_segment == {"Champions": 20}
    assert (actions.offers[0].category, actions.offers[0].ends) == ("wine", date(2026, 3, 14))
    wake_up, thanks = actions.rules
    assert wake_up.needs == ["days_since_last", "state"]
    assert (wake_up.months, wake_up.assumed and wake_up.assumed.high) == ((3, 4), 4.0)
    assert (thanks.reward, thanks.reward_share, thanks.cool_down_days, thanks.assumed) == (0.0, 0.05, 30, None)


def test_twenty_four_mistakes_are_twenty_four_messages_in_one_go(load: Callable[[str], Actions]) -> None:
    with pytest.raises(SettingsError, match=r"^data/shop\.toml: ") as caught:
        load(TWENTY)
    message = str(caught.value)
    assert [part for part in MISTAKES if part not in message] == []
    told = message.removeprefix("data/shop.toml: ").split("; ")
    assert len(told) == 24
    assert all(re.match(r"actions\.\w+", each) for each in told)
    assert "\n" not in message


def test_an_unknown_column_is_told_with_all_that_there_are_the_nearest_first(load: Callable[[str], Actions]) -> None:
    with pytest.raises(SettingsError, match="one of the columns") as caught:
        load(RIGHT.replace("orders > 10", "ordres > 10"))
    listed = re.search(r"one of the columns (.*) \(in rule 'thanks', character 1\)", str(caught.value))
    assert listed is not None
    names = listed[1].split(", ")
    assert names[0] == "orders"
    assert set(names) == set(COLUMNS)


def test_in_a_condition_of_several_lines_the_line_is_told(load: Callable[[str], Actions]) -> None:
    with pytest.raises(SettingsError, match=r"in rule 'wake-up', line 2, character 16\), found 'lst'"):
        load(RIGHT.replace("'lost'", "'lst'"))


@pytest.mark.parametrize("rules", ["5", '"x"', "[1]", "{ name = 'x' }"])
def test_what_is_no_list_of_rules_is_told(load: Callable[[str], Actions], rules: str) -> None:
    with pytest.raises(SettingsError, match=r"actions\.rules"):
        load(f"[actions]\nrules = {rules}\n")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("name", "a\nb", "string should match pattern"),
        ("offer", "", "at least 1 character"),
        ("assumed", {"low": 0.0, "high": 2.0}, "a difference of probabilities, from -1 to 1"),
        ("assumed", {"low": float("nan"), "high": 1.0}, "finite number"),
        ("months", [0], "greater than or equal to 1"),
        ("cost", float("inf"), "finite number"),
        ("when", 5, "valid string"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(key: str, value: Any, told: str) -> None:
    right = {"name": "a", "when": "true", "channel": "e-mail", "offer": "x", "kind": "points"}
    assert ActionRule.model_validate(right).needs == []
    with pytest.raises(ValueError, match=rf"(?i){key}[\s\S]*{told}"):
        ActionRule.model_validate(right | {key: value})
