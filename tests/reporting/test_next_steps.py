"""What to do, on the first page: the actions that bring most, with their error, and nothing of few customers."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from loyalty.reporting import next_steps

DATASET = SimpleNamespace(privacy=SimpleNamespace(minimum_cell=10), currency="EUR", title="Shop", notice="")


def a_study(customers: dict[str, int], refused: str = "", share: float = 0.0) -> Any:
    """A study with so many customers by rule, each of whom costs 1 and brings as much as the rule's name is long."""
    rows = [
        {"rule": rule, "channel": "e-mail", "customers": many, "spent": many, "value": many * len(rule),
         "low": many / 2, "high": 3.0 * many}
        for rule, many in customers.items()
    ]  # fmt: skip
    about = {"refused": refused, "assumed": False, "allocation": {"customers": sum(customers.values())}}
    step = {
        "about": about,
        "rules": pd.DataFrame(rows),
        "holdouts": pd.DataFrame({"rule": list(customers), "share": share}),
        "evidence": pd.DataFrame({"design": ["randomised"]}),
    }
    return SimpleNamespace(dataset=DATASET, actions=lambda: step)


def test_those_that_bring_most_come_first() -> None:
    study = a_study({"a": 100, "longest": 100, "long": 100, "lo": 100}, share=0.2)
    told = [step.text for step in next_steps.steps(study)]
    assert [text.split("**")[1] for text in told] == ["longest", "long", "lo"]
    assert told[0] == (
        "**longest**: contact 80 customers by e-mail, 20 more are held out to measure it. It costs €80.00 and should "
        "bring €560 beyond that (90 % interval: €40.00 to €240)."
    )
    assert {step.page for step in next_steps.steps(study)} == {"07_actions"}


@pytest.mark.parametrize(
    ("customers", "refused", "said"),
    [
        (
            {"a": 50},
            "the budget is less than the least",
            "No action could be chosen: the budget is less than the least.",
        ),
        ({"a": 9}, "", "No action is worth its cost"),
        (
            {"a": 6, "bb": 7},
            "",
            "Contact 13 customers, by rules of which none has enough to be told by itself. All together cost €13.00",
        ),
    ],
)
def test_where_there_is_nothing_to_tell_it_says_so(customers: dict[str, int], refused: str, said: str) -> None:
    (step,) = next_steps.steps(a_study(customers, refused))
    assert said in step.text


def test_a_rule_for_few_is_not_told() -> None:
    told = [step.text for step in next_steps.steps(a_study({"large": 100, "small": 3, "other": 50}))]
    assert not any("small" in text for text in told)
