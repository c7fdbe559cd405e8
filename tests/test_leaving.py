"""Who will leave: the model in use, what it says now, why, and how it did before."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty import leaving, tournaments
from loyalty.models.backtest import BTYD, RULE
from loyalty.models.champion import Champion
from loyalty.models.champion_scores import NUMBERS
from loyalty.models.line_up import BLEND, NAIVE, RATE
from loyalty.schema import Engine
from loyalty.study import Study
from scipy.special import expit


@pytest.fixture(scope="module")
def said(simulated: Study) -> dict[str, Any]:
    return simulated.churn()


def test_the_simulated_retailer_is_what_it_is_meant_to_be(simulated: Study) -> None:
    assert simulated.data.facts["customers"] == 800
    assert [simulated.as_of - day for day in simulated.origins()] == [timedelta(days=30 * back) for back in range(1, 6)]
    assert 0.05 < simulated.outcomes(simulated.origin(1))["churned"].mean() < 0.6


def test_the_holdout_is_the_latest_past_date(simulated: Study, said: dict[str, Any]) -> None:
    holdout = said["holdout"]
    assert list(holdout.columns) == [*dict.fromkeys([RULE, BTYD, said["about"]["winner"]]), "churned"]
    outcome = simulated.outcomes(simulated.origin(1))["churned"].astype("bool")
    pd.testing.assert_series_equal(holdout["churned"], outcome, check_index_type=False)
    assert list(said["comparison"].index) == list(holdout.columns[:-1])
    assert said["about"]["later"] is True


def test_everyone_active_now_has_every_score(simulated: Study, said: dict[str, Any]) -> None:
    scores = said["scores"]
    assert list(scores.columns) == list(NUMBERS)
    assert list(scores.index) == list(simulated.features().index)
    assert scores["churn_probability"].between(0, 1).all()


def test_reasons_add_up_to_the_probability(simulated: Study, said: dict[str, Any]) -> None:
    chosen = leaving.opened(simulated)
    blend = chosen.forecaster.forecast(said["attributes"])["churn_probability"]
    np.testing.assert_allclose(expit(said["contributions"].sum(axis=1)), blend, atol=1e-4)
    assert set(said["contributions"].columns) - {"base"} <= set(said["features"].columns)


def test_trees_from_other_seeds_say_something_else_of_the_same_customers(simulated: Study) -> None:
    first, second = (simulated.in_use()[f"seed_{seed}"] for seed in leaving.SEEDS[:2])
    assert first.index.equals(second.index)
    assert not first.equals(second)


def test_trees_grow_where_the_dataset_file_says(simulated: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Engine(device="cuda")
    study = Study(
        simulated.name, simulated.dataset.model_copy(update={"engine_settings": there}), simulated.root, simulated.data,
        as_of=simulated.as_of, horizon_days=30, active_within_days=simulated.active_within_days,
    )  # fmt: skip
    assert study.key != simulated.key
    asked: list[object] = []
    won = {game: {"winner": BLEND} for game in ("churn", "value")}
    monkeypatch.setattr(Study, "tournament", lambda _: {"about": won})
    monkeypatch.setattr(Champion, "fit", lambda champion, _: asked.append(champion.device) or 1 / 0)
    monkeypatch.setattr(tournaments, "rounds_of", lambda *_: [])
    monkeypatch.setattr(tournaments, "line_up", lambda _, device, *more: asked.append(device) or 1 / 0)
    for step in (study.in_use, lambda: tournaments.tournament(study)):
        with pytest.raises(ZeroDivisionError, match="division"):
            step()
    assert asked == ["cuda", "cuda"]


def won_by(simulated: Study, churn: str, value: str) -> Study:
    """The same study after a tournament that others won."""
    told = simulated.tournament()
    about = told["about"] | {
        "churn": told["about"]["churn"] | {"winner": churn},
        "value": told["about"]["value"] | {"winner": value},
    }
    other = Study.open("shop", root=simulated.root, horizon_days=30)
    other._results["tournament"] = told | {"about": about}
    other._results["in_use"] = leaving.in_use(other)
    return other


@pytest.mark.slow
def test_where_a_rule_wins_it_is_used_and_said(simulated: Study) -> None:
    assert {RULE, RATE} <= set(NAIVE)
    other = won_by(simulated, RULE, RATE)
    said = leaving.churn(other)
    assert said["about"]["winner"] == RULE
    scores, lived = said["scores"], said["attributes"]
    assert scores["churn_probability"].corr(lived["days_since_last"], method="spearman") == pytest.approx(1.0)
    assert scores[["churn_probability_low", "expected_spend_low", "clv_high"]].isna().all(axis=None)
    expected = lived["frequency"] * 30 / lived["T"] * lived["monetary_value"].fillna(0.0)
    np.testing.assert_allclose(scores["expected_spend"], expected, atol=1e-6)
    assert leaving.opened(other).model == f"{RULE}; spend: {RATE}"


@pytest.mark.slow
def test_where_another_model_wins_the_blend_is_used_and_the_winner_told(simulated: Study) -> None:
    about = won_by(simulated, BTYD, BTYD).in_use()["about"]
    assert (about["churn"], about["value"], about["winners"]["churn"]) == (BLEND, BLEND, BTYD)
