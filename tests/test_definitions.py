"""What leaving means, from the dataset file to outcomes, scores and pages."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loyalty import scores
from loyalty.commands.backtest import to_json
from loyalty.errors import DataError
from loyalty.features.labels import CONTRACT_END, PARTIAL_DEFECTION
from loyalty.models.backtest import BTYD, RULE
from loyalty.models.chosen import Chosen
from loyalty.models.line_up import BLEND
from loyalty.models.realised import published
from loyalty.reporting import card, summary
from loyalty.reporting.chapters import backtest, churn
from loyalty.study import Study

HORIZON = 30
PEOPLE = """
[customers]
source = "data/raw/people.csv"
customer = "customer"
contract_end = "until"
"""
TERM, KEPT_BY = 120, 60
"""Days of a contract, and within how many before its end a purchase renews it."""


def contracts(log: pd.DataFrame) -> pd.DataFrame:
    """Customer and last day: renewed by who bought shortly before the contract ended; one in ten has no end."""
    over = log["time"].max()
    rows = []
    for at, (customer, times) in enumerate(log.groupby("customer")["time"]):
        end = times.min() + pd.Timedelta(days=TERM)
        while end <= over and ((times > end - pd.Timedelta(days=KEPT_BY)) & (times <= end)).any():
            end += pd.Timedelta(days=TERM)
        rows.append((customer, "" if at % 10 == 0 else end.date().isoformat()))
    return pd.DataFrame(rows, columns=["customer", "until"])


@pytest.fixture(scope="module")
def made(make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str) -> dict[str, Study]:
    """The simulated retailer, by what leaving means."""
    found = {}
    for churn_, more in ((PARTIAL_DEFECTION, ""), (CONTRACT_END, PEOPLE)):
        toml = shop_toml.replace("[study]", f'[study]\nchurn = "{churn_}"') + more
        root = make_shop(simulated_log, toml)
        contracts(simulated_log).to_csv(root / "data" / "raw" / "people.csv", index=False)
        found[churn_] = Study.open("shop", root=root, horizon_days=HORIZON)
    return found


@pytest.fixture(scope="module")
def days(simulated_log: pd.DataFrame) -> pd.DataFrame:
    """Spend of each customer and day."""
    return (
        simulated_log.assign(day=simulated_log["time"].dt.date)
        .groupby(["customer", "day"], as_index=False)["amount"]
        .sum()
    )


def between(days: pd.DataFrame, first: object, last: object) -> pd.Series:
    """Spend by customer from a day until before another."""
    return days[(days["day"] >= first) & (days["day"] < last)].groupby("customer")["amount"].sum()


def test_partial_defection_is_that_of_the_log(made: dict[str, Study], days: pd.DataFrame) -> None:
    study, day = made[PARTIAL_DEFECTION], made[PARTIAL_DEFECTION].origin(1)
    span = timedelta(days=HORIZON)
    before, after = between(days, day - span, day), between(days, day, day + span)
    active = between(days, day - timedelta(days=study.active_within_days), day).index
    expected = {who: bool(after.get(who, 0.0) < before[who] / 2) for who in before.index.intersection(active)}
    assert study.outcomes(day)["churned"].to_dict() == expected
    assert list(study.features(day).index) == sorted(expected)
    assert 0.2 < np.mean(list(expected.values())) < 0.8


def test_a_lost_contract_is_that_of_the_table(
    made: dict[str, Study], days: pd.DataFrame, simulated_log: pd.DataFrame
) -> None:
    study, day = made[CONTRACT_END], made[CONTRACT_END].origin(1)
    over, known = day + timedelta(days=HORIZON), set(days.loc[days["day"] < day, "customer"])
    ends = contracts(simulated_log).set_index("customer")["until"].replace("", "9999-12-31")
    expected = {
        who: end < over.isoformat() for who, end in ends.items() if who in known and end >= day.isoformat()
    }  # fmt: skip
    assert study.outcomes(day)["churned"].to_dict() == expected
    assert list(study.features(day).index) == sorted(expected)
    active = between(days, day - timedelta(days=study.active_within_days), day).index
    assert set(expected) - set(active)  # who has a contract may have stayed away for long
    assert not [name for name in study.features(day) if "contract" in name]


@pytest.mark.slow
@pytest.mark.parametrize("meaning", [PARTIAL_DEFECTION, CONTRACT_END])
def test_tournament_scores_and_pages_are_of_the_meaning(made: dict[str, Study], meaning: str) -> None:
    study = made[meaning]
    assert BTYD not in study.tournament()["about"]["churn"]["playing"]
    assert BTYD in study.tournament()["about"]["value"]["playing"]
    last = study.outcomes(study.origin(1))["churned"].astype("bool")
    assert study.tournament()["last"]["churned"].to_dict() == last.to_dict()
    found = study.churn()
    assert list(found["comparison"].index) == list(dict.fromkeys([RULE, BLEND, found["about"]["winner"]]))
    period = found["periods"].iloc[-1]
    assert (period["at_risk"], period["churned"]) == (len(last), last.sum())
    assert found["about"]["asked"] == len(study.features()) == len(found["scores"])
    written = pd.read_parquet(scores.write_scores(study, explained=10)["scores"])
    assert list(written["customer"]) == list(study.features().index)
    assert written["churn_probability"].between(0, 1).all()
    assert abs(written["churn_probability"].mean() - last.mean()) < 0.15
    later = study.known_until + timedelta(days=HORIZON)
    ((one,), _) = published(study.processed.parent, later, HORIZON, study.active_within_days, study.variant)
    assert one.churn == meaning
    saved = Chosen.load(study.processed / "model", study.features())
    assert saved.model == written["model"].iloc[0]
    assert question_of(study)["churn"] == meaning
    assert json.loads(to_json(study))["churn_definition"] == meaning


def question_of(study: Study) -> dict[str, object]:
    """What the model beside the scores says that it answers."""
    folder = study.processed / "model"
    question: dict[str, object] = json.loads((folder / "model.json").read_text("utf-8"))["question"]
    return question


SAID = {
    PARTIAL_DEFECTION: (
        "spend under half as much in the next 30 days",
        "partial defection",
    ),
    CONTRACT_END: ("let their contract end in the next 30 days", "while a contract runs"),
}


@pytest.mark.slow
@pytest.mark.parametrize("meaning", [PARTIAL_DEFECTION, CONTRACT_END])
def test_every_page_says_which_meaning_its_numbers_have(made: dict[str, Study], meaning: str) -> None:
    study, (doing, defined) = made[meaning], SAID[meaning]
    for said in (churn.answer, churn.meeting, summary.answer, summary.meeting, backtest.rules):
        assert doing in said(study)
    assert defined in churn.definition(study)
    assert card.describe(study)[card.CHURN]["definition"] == churn.definition(study)
    assert "Models of purchases foretell who buys nothing" in churn.read_comparison(study)
    assert "who had bought nothing one period before" in churn.came_back(study)
    looking_back = summary.measures(study)[2]
    assert (looking_back.name, "bought nothing since" in looking_back.definition) == (
        "Active customers who bought nothing",
        True,
    )


@pytest.mark.slow
def test_scores_of_another_meaning_are_not_held_against_this_one(made: dict[str, Study]) -> None:
    study = made[PARTIAL_DEFECTION]
    scores.write_scores(Study.open("shop", root=study.root, horizon_days=HORIZON, as_of=study.origin(1)), explained=0)
    assert len(study.promises()["runs"]) == 1
    file = study.root / "data" / "shop.toml"
    file.write_text(file.read_text("utf-8").replace(f'churn = "{PARTIAL_DEFECTION}"\n', ""), "utf-8")
    assert Study.open("shop", root=study.root, horizon_days=HORIZON).promises()["runs"].empty


def test_nobody_with_a_contract_is_told_with_the_meaning(
    make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str
) -> None:
    root = make_shop(simulated_log, shop_toml.replace("[study]", f'[study]\nchurn = "{CONTRACT_END}"') + PEOPLE)
    people = contracts(simulated_log).assign(until="2019-01-01")
    people.to_csv(root / "data" / "raw" / "people.csv", index=False)
    with pytest.raises(
        DataError, match=r"no active customer within the horizon.*study\.churn, which is 'contract end'"
    ):
        Study.open("shop", root=root, horizon_days=HORIZON).check_outcomes()
