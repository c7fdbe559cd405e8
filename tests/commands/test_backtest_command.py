"""What `loyalty backtest` prints."""

import io
import json
import re

import pytest
from loyalty.commands.backtest import show, to_json
from loyalty.study import Study
from rich.console import Console

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def printed(simulated: Study) -> str:
    console = Console(file=io.StringIO(), width=200)
    show(simulated, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_every_contender_stands_in_its_tables(simulated: Study, printed: str) -> None:
    about = simulated.tournament()["about"]
    for game in ("churn", "value"):
        for name in about[game]["playing"]:
            assert len(re.findall(rf"^│ {re.escape(name)} ", printed, flags=re.M)) >= 2, name
    assert all(day in printed for day in about["days"])
    assert "nan" not in printed


def test_the_verdicts_are_those_of_the_page(simulated: Study, printed: str) -> None:
    from loyalty.reporting.chapters import backtest

    flat = " ".join(printed.split())
    for sentence in (backtest.say_churn(simulated), backtest.say_value(simulated), backtest.rules(simulated)):
        assert sentence in flat


def test_an_interval_holds_its_difference(printed: str) -> None:
    found = re.findall(r"([+-][\d.]+) \(([+-][\d.]+) to ([+-][\d.]+)\)", printed)
    assert len(found) > 10
    assert all(float(low) <= float(gain) <= float(high) for gain, low, high in found)


def test_json_holds_all_of_it_and_no_number_that_is_none(simulated: Study) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    told = json.loads(to_json(simulated), parse_constant=refuse)
    result = simulated.tournament()
    assert (told["dataset"], told["run"], told["horizon_days"]) == ("shop", simulated.key, 30)
    assert told["churn_definition"] == "no purchase"
    assert told["about"] == result["about"]
    assert len(told["churn"]) == len(result["churn"])
    first = told["churn"][0]
    assert first["auc"] == pytest.approx(result["churn"]["auc"].iloc[0])
    silent = [row for row in told["value"] if row["contender"] == "Rate so far"]
    assert {row["coverage"] for row in silent} == {None}
