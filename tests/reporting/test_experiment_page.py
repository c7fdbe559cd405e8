"""The page of an experiment: what it says follows from the results, also where there is little to say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loyalty.experiments import Experiment
from loyalty.reporting import experiment_figures as figures
from loyalty.reporting import experiment_summary as summary
from loyalty.reporting.chapters import experiment as chapter
from loyalty.reporting.chapters import experiment_numbers as numbers
from loyalty.reporting.chapters import experiment_value as value

TOML = """\
title = "Mailing"
currency = "USD"
timezone = "America/New_York"

[experiment]
source = "data/raw/mailing.csv"
arm = "group"
outcomes = ["visit", "spend"]
money = ["spend"]
history = ["before"]
attributes = ["region"]
planned = { control = 0.5, letter = 0.5 }
cost = { letter = 1.0 }

[study]
margin = 0.5
"""
CUSTOMERS = 1200


def rows(effect: float) -> pd.DataFrame:
    """Customers of the north gain twice the effect, others nothing."""
    random = np.random.default_rng(8)
    before, north = random.gamma(3, 10, CUSTOMERS), random.random(CUSTOMERS) < 0.5
    group = np.resize(["control", "letter"], CUSTOMERS)
    spend = before + random.normal(60, 4, CUSTOMERS) + 2 * effect * north * (group == "letter")
    return pd.DataFrame(
        {
            "group": group, "before": before.round(2), "region": np.where(north, "north", "south"),
            "visit": random.integers(0, 2, CUSTOMERS), "spend": spend.round(2),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Experiment]:
    """Return a function that opens an experiment; each is computed once."""
    known: dict[tuple[float, str], Experiment] = {}

    def opened(effect: float = 10.0, toml: str = TOML) -> Experiment:
        if (effect, toml) not in known:
            root: Path = tmp_path_factory.mktemp("mailing")
            (root / "notebooks").mkdir()
            (root / "data" / "raw").mkdir(parents=True)
            rows(effect).to_csv(root / "data" / "raw" / "mailing.csv", index=False)
            (root / "data" / "mailing.toml").write_text(toml, "utf-8")
            known[effect, toml] = Experiment.open("mailing", root=root, as_of="2024-05-01")
        return known[effect, toml]

    return opened


def test_a_true_effect_is_told_with_its_size_and_profit(trials: Callable[..., Experiment]) -> None:
    trial = trials()
    effect = trial.effects()["spend", "letter"].found
    answer = chapter.answer(trial)
    assert answer.startswith(f"letter raised spend by ${effect.estimate:.2f} a customer (90 % interval")
    assert "letter earned: $" in answer
    assert "chance of 100 %" in answer
    assert f"${effect.estimate:.2f}" in chapter.meeting(trial)


def test_no_effect_is_called_chance(trials: Callable[..., Experiment]) -> None:
    trial = trials(0.0)
    assert "no more than chance" in chapter.answer(trial)
    assert not value.differs(trial)
    assert "Nothing shows that customers differ" in value.read_tenths(trial)


def test_sizes_that_were_not_planned_are_said_and_no_effect_is(trials: Callable[..., Experiment]) -> None:
    trial = trials(10.0, TOML.replace("control = 0.5, letter = 0.5", "control = 0.3, letter = 0.7"))
    assert "not the planned ones" in chapter.read_arms(trial)
    assert "cannot be told" in chapter.answer(trial)
    assert "No profit is told" in value.read_accounts(trial)
    assert chapter.lifts(trial).empty
    assert not value.knows_responders(trial)
    assert "not told" in chapter.effects(trial).as_raw_html()
    assert summary.measures(trial) == []


def test_without_a_plan_the_page_asks_for_it(trials: Callable[..., Experiment]) -> None:
    told = chapter.read_arms(trials(10.0, TOML.replace("planned =", "# planned =")))
    assert "`experiment.planned`" in told
    assert "equal ones would fit" in told


def test_without_costs_the_account_stops_at_the_margin(trials: Callable[..., Experiment]) -> None:
    trial = trials(10.0, TOML.replace("cost =", "# cost ="))
    assert "stops at the margin" in value.read_accounts(trial)
    html = value.accounts(trial).as_raw_html()
    assert "Margin on them" in html
    assert "Chance of a profit" not in html
    assert "earned" not in chapter.answer(trial)


def test_without_history_the_page_says_what_it_lacks(trials: Callable[..., Experiment]) -> None:
    trial = trials(10.0, TOML.replace("history =", "# history =").replace("attributes =", "# attributes ="))
    assert "Nothing is known" in chapter.read_balance(trial)
    assert "Nothing is known from before" in chapter.effects(trial).as_raw_html()
    assert not value.knows_responders(trial)
    figures.balance(chapter.differences(trial))


@pytest.mark.slow
def test_who_gains_is_found_and_told(trials: Callable[..., Experiment]) -> None:
    trial = trials()
    assert value.differs(trial)
    assert "Customers differ" in value.read_tenths(trial)
    assert "region: north" in value.profile(trial).as_raw_html()
    assert "beyond chance" in value.read_budget(trial)
    assert value.read_qini(trial).startswith("Giving letter to the best 30 % adds $")
    assert "differ by $" in value.read_uplift(trial)
    for axes in (
        figures.tenths(value.tenths(trial), numbers.unit(trial)),
        figures.qini(value.curves(trial, "qini"), numbers.unit(trial)),
        figures.uplift(value.curves(trial, "uplift"), numbers.unit(trial)),
        figures.budget(value.budget(trial), numbers.profit_unit(trial)),
    ):
        assert axes.get_title(loc="left")


def test_the_overview_says_why_pages_are_missing(trials: Callable[..., Experiment]) -> None:
    trial = trials()
    assert [measure.name for measure in summary.measures(trial)] == ["spend: letter", "Profit: letter"]
    assert "no purchase log" in summary.certainty(trial)
    assert summary.picture(trial).alt.startswith("What each arm changed")
    assert {finding.page for finding in summary.findings(trial)} == {"05_campaigns"}


@pytest.mark.parametrize(
    ("outcome", "change", "said"),
    [
        ("spend", -1.5, "−$1.50 a customer"),
        ("spend", 0.0, "$0.00 a customer"),
        ("visit", 0.0612, "+6.1 points"),
        ("visit", -0.0012, "−0.12 points"),
    ],
)
def test_a_difference_has_sign_and_unit(
    trials: Callable[..., Experiment], outcome: str, change: float, said: str
) -> None:
    assert numbers.change(trials(), outcome, change) == said


def test_findings_of_few_customers_are_not_counted(trials: Callable[..., Experiment]) -> None:
    trial = trials()
    trial.findings.append({"name": "gaps", "severity": "warning", "count": 3, "detail": "Customers without a value"})
    assert chapter.read_findings(trial) == "- Customers without a value: fewer than 10."
    trial.findings.clear()
