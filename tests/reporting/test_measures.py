"""The measures of a real report as numbers, what becomes of them in the next, and the page that tells it."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from loyalty import bridge as bridges
from loyalty.reporting import change, history, measures, summary, words
from loyalty.reporting.render import Heading, render_index
from loyalty.reporting.summary_types import Changed, Number
from loyalty.store import Store
from loyalty.study import Study

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "manifest.schema.json").read_text("utf-8"))
PARTS = {name: SCHEMA["properties"][name] for name in ("numbers", "value", "bridge")}


@pytest.fixture(scope="module")
def numbers(simulated: Study) -> dict[str, Number]:
    return {number.name: number for number in measures.numbers(simulated)}


@pytest.fixture(scope="module")
def before(simulated: Study) -> Study:
    """The same retailer a period before."""
    day = simulated.as_of - timedelta(days=simulated.horizon_days)
    return Study.open("shop", as_of=day, horizon_days=30, root=simulated.root)


@pytest.fixture(scope="module")
def earlier(before: Study, numbers: dict[str, Number]) -> dict[str, Any]:
    """The run of the period before, as it would be read again from its record; all but the value made up."""
    others = [asdict(replace(one, value=0.9 * (one.value or 0))) for one in numbers.values()]
    told = {"run": "r1", "as_of": before.as_of.isoformat(), "numbers": others, "value": bridges.told(before)}
    again: dict[str, Any] = json.loads(json.dumps(told))
    return again


def test_the_numbers_are_those_of_the_cards(simulated: Study, numbers: dict[str, Number]) -> None:
    cards = {card.number: card for card in summary.measures(simulated)}
    assert set(cards) <= set(numbers)
    assert len(cards) == 6
    assert cards["active_customers"].value == f"{numbers['active_customers'].value:,.0f}"
    assert cards["churned_rate"].value == f"{100 * numbers['churned_rate'].value:.1f} %".replace(".0 %", " %")


def test_the_numbers_by_hand(simulated: Study, simulated_log: pd.DataFrame, numbers: dict[str, Number]) -> None:
    log = simulated_log.assign(day=simulated_log["time"].dt.normalize())
    since = log[log["day"] >= pd.Timestamp(simulated.as_of) - pd.Timedelta(days=30)]
    days = since.groupby(["customer", "day"])["amount"].sum()
    assert numbers["order_value"].value == pytest.approx(days.mean())
    assert numbers["spend_per_buyer"].value == pytest.approx(days.groupby("customer").sum().mean())
    assert numbers["lines"].value == len(log)
    assert (numbers["set_aside"].value, numbers["days_late"].value) == (0, 0)


def test_what_is_known_is_as_the_schema_says(simulated: Study, numbers: dict[str, Number]) -> None:
    said = {"numbers": [asdict(one) for one in numbers.values()], "value": bridges.told(simulated)}
    for name, part in said.items():
        jsonschema.Draft202012Validator(PARTS[name]).validate(json.loads(json.dumps(part)))


def test_few_customers_have_no_number(simulated: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    few = Number(name="n", label="N", group="base", unit="customers", value=9, low=8, high=10)
    assert (measures._told(simulated, few).value, measures._told(simulated, few).low) == (None, None)
    assert measures._pair(simulated, "scores", "Left", 30.0, 9.0, 100.0)[1].value is None
    assert measures._pair(simulated, "scores", "Left", 30.0, 91.0, 100.0)[0].value is None
    assert measures._pair(simulated, "scores", "Left", 30.0, 20.0, 100.0)[1].value == 0.2


@pytest.mark.slow
def test_the_bridge_between_two_runs_adds_up(simulated: Study, before: Study, earlier: dict[str, Any]) -> None:
    walked = bridges.between(simulated, earlier["value"])
    steps = walked["steps"]
    now, then = (round(100 * study.value()["totals"]["clv"]) for study in (simulated, before))
    assert steps["cents"].sum() == now - then
    assert steps.loc["corrections", "cents"] == 0  # the log is what it was
    assert not walked["about"]["refused"]
    first = simulated.histories().index.difference(before.histories().index)
    assert steps.loc["new", "customers"] == len(first)
    jsonschema.Draft202012Validator(PARTS["bridge"]).validate(change.bridged(simulated, [earlier]))


@pytest.mark.slow
def test_a_corrected_log_is_a_correction(simulated: Study, earlier: dict[str, Any]) -> None:
    less = earlier["value"] | {"clv": earlier["value"]["clv"] - 25.0}
    steps = bridges.between(simulated, less)["steps"]
    assert steps.loc["corrections", "cents"] == pytest.approx(2500, abs=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"known_until": "2031-01-01"}, "knew more of the log"),
        ({"known_until": "2001-01-01"}, "the log told nothing before that run"),
        ({"model": "of another time"}, "the models of that run cannot be used any more"),
        ({"earning": {"horizon_days": 60}}, "that run looked 60 days ahead"),
    ],
)
def test_where_no_bridge_can_be_it_says_why(
    simulated: Study, earlier: dict[str, Any], other: dict[str, Any], why: str
) -> None:
    said = bridges.between(simulated, earlier["value"] | other)
    assert why in said["about"]["refused"]
    assert said["steps"].empty


@pytest.mark.slow
def test_the_bridge_is_kept_by_what_the_earlier_run_said(
    simulated: Study, earlier: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []

    def get(_: Store, name: str, compute: Callable[[], Any]) -> dict[str, Any]:
        names.append(name)
        return {}

    monkeypatch.setattr(Store, "get", get)
    for clv in (1.0, 1.0, 2.0):
        simulated.bridge(earlier["value"] | {"clv": clv})
    assert len(set(names)) == 2


def index(changed: Changed, study: Study) -> BeautifulSoup:
    heading = Heading(
        dataset="Shop",
        as_of=study.as_of,
        horizon_days=30,
        notice="",
        created=pd.Timestamp("2020-01-01").to_pydatetime(),
    )
    html = render_index(
        measures=summary.measures(study), findings=[], pages=[], heading=heading, question="?", answer="", certainty="",
        changed=changed,
    )  # fmt: skip
    assert len(html) < 1_500_000
    return BeautifulSoup(html, "html.parser")


def test_the_first_page_says_that_there_is_no_earlier_run(simulated: Study, numbers: dict[str, Number]) -> None:
    soup = index(change.changed(simulated, list(numbers.values()), [], None), simulated)
    assert "there is no earlier run to compare with" in soup.get_text()
    assert soup.find("svg") is None
    assert [link["href"] for link in soup.find_all("a") if "archive" in link["href"]] == ["../archive.html"]


@pytest.mark.slow
def test_the_next_page_draws_what_became_of_it_and_says_why(
    simulated: Study, numbers: dict[str, Number], earlier: dict[str, Any]
) -> None:
    crossed = change.bridged(simulated, [earlier])
    assert crossed is not None
    soup = index(change.changed(simulated, list(numbers.values()), [earlier], crossed), simulated)
    assert len(soup.find_all("svg")) == 6
    text = " ".join(soup.get_text(" ").split())
    assert "were worth" in text
    assert f"Since {words.day(earlier['as_of'])}: up" in text
    assert soup.find("img")["alt"].startswith("What moved the value of all customers: Together")
    assert all(svg["aria-label"] for svg in soup.find_all("svg"))


def test_only_earlier_runs_of_the_same_question_are_looked_at(
    simulated: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = {"horizon_days": 30, "active_within_days": 40, "currency": "EUR", "numbers": [{}], "run": "r"}
    days = [simulated.as_of + timedelta(days=int(shift)) for shift in np.array([-60, -30, 0, 30])]
    runs = [same | {"as_of": day.isoformat()} for day in days] + [same | {"as_of": "2020-01-09", "horizon_days": 9}]
    monkeypatch.setattr(history, "past", lambda root, name: runs)
    assert [run["as_of"] for run in change.earlier_runs(simulated)] == [day.isoformat() for day in days[:2]]
