"""Backtests: what is told of models that were fitted before, against what happened."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.models import backtest
from loyalty.models.backtest import BOOSTED, BTYD, RULE, Origin
from loyalty.models.bgnbd import BGNBD
from loyalty.models.churn import ChurnModel
from loyalty.study import Study


@pytest.fixture(scope="module")
def origins(simulated: Study) -> list[Origin]:
    """The as-of date of the simulated retailer, and the past dates before it."""
    now = Origin(simulated.features(), simulated.histories())
    past = [
        Origin(simulated.features(day), simulated.histories(day), simulated.outcomes(day)["churned"])
        for day in simulated.origins()
    ]
    return [now, *past]


@pytest.fixture(scope="module")
def result(origins: list[Origin]) -> dict[str, object]:
    return backtest.churn(origins[0], origins[1:], 30)


def test_the_holdout_is_the_latest_past_date(origins: list[Origin], result: dict[str, pd.DataFrame]) -> None:
    holdout = result["holdout"]
    assert list(holdout.columns) == [RULE, BTYD, BOOSTED, "churned"]
    pd.testing.assert_series_equal(holdout["churned"], origins[1].churned.loc[origins[1].features.index])
    assert holdout[[RULE, BTYD, BOOSTED]].stack().between(0, 1).all()
    assert list(result["comparison"].index) == [RULE, BTYD, BOOSTED]


def test_no_prediction_of_the_holdout_knows_its_outcome(origins: list[Origin], result: dict[str, pd.DataFrame]) -> None:
    turned = origins[1]._replace(churned=~origins[1].churned)
    again = backtest.churn(origins[0], [turned, *origins[2:]], 30)
    columns = [RULE, BTYD, BOOSTED]
    pd.testing.assert_frame_equal(again["holdout"][columns], result["holdout"][columns])


def test_the_scores_are_the_winners_and_of_everyone_active_now(
    origins: list[Origin], result: dict[str, pd.DataFrame]
) -> None:
    scores, best = result["scores"], result["about"]["winner"]
    assert scores.index.equals(origins[0].features.index)
    pd.testing.assert_series_equal(scores["churn_probability"], scores[best], check_names=False)
    assert result["contributions"].index.equals(scores.index)
    assert result["about"]["learned_from"] == sum(len(origin.features) for origin in origins[2:])


def test_for_the_present_it_learns_from_the_test_date_too(
    origins: list[Origin], result: dict[str, pd.DataFrame]
) -> None:
    """The latest outcomes are known by now; the oldest are dropped, so that it learns from as many dates as before."""
    latest = origins[1:-1]
    trees = ChurnModel().fit([origin.features for origin in latest], [origin.churned for origin in latest])
    np.testing.assert_array_equal(result["scores"][BOOSTED], trees.predict(origins[0].features))
    assert result["about"]["trees"] == trees.digest()


def test_the_model_of_purchases_is_asked_for_no_purchase_and_not_for_being_alive(
    origins: list[Origin], result: dict[str, pd.DataFrame]
) -> None:
    now = origins[0]
    model = BGNBD().fit(now.histories)
    lived = now.histories.loc[now.features.index]
    silent = model.probability_of_no_purchase(lived, horizon_days=30)
    np.testing.assert_allclose(result["scores"][BTYD], silent)
    assert (silent > 1 - model.probability_alive(lived)).all()


def test_with_one_past_date_each_customer_is_tested_by_models_that_did_not_see_it(origins: list[Origin]) -> None:
    now, only = origins[0], origins[1]
    result = backtest.churn(now, [only], 30)
    assert (result["about"]["later"], result["about"]["learned_from"]) == (False, len(only.features))
    assert result["holdout"].index.equals(only.features.index)
    first = only.features.index[0]
    turned = only.churned.copy()
    turned[first] = not turned[first]
    again = backtest.churn(now, [only._replace(churned=turned)], 30)
    columns = [RULE, BTYD, BOOSTED]
    pd.testing.assert_series_equal(result["holdout"].loc[first, columns], again["holdout"].loc[first, columns])
    assert not result["holdout"][BOOSTED].equals(again["holdout"][BOOSTED])


def test_with_several_past_dates_the_test_is_later_than_the_learning(result: dict[str, dict[str, object]]) -> None:
    assert result["about"]["later"] is True


def test_the_same_inputs_give_the_same_scores(origins: list[Origin], result: dict[str, pd.DataFrame]) -> None:
    again = backtest.churn(origins[0], origins[1:], 30)
    assert again["about"] == result["about"]
    pd.testing.assert_frame_equal(again["scores"], result["scores"])
    pd.testing.assert_frame_equal(again["comparison"], result["comparison"])


@pytest.mark.parametrize("label", [True, False])
def test_a_test_date_with_one_outcome_says_so(origins: list[Origin], label: bool) -> None:
    same = origins[1]._replace(churned=pd.Series(label, index=origins[1].features.index))
    told = r"churn cannot be predicted: at the test date, (every|no) active customer left"
    with pytest.raises(DataError, match=told):
        backtest.churn(origins[0], [same, *origins[2:]], 30)


def test_a_date_whose_horizon_is_not_over_cannot_be_learned_from(origins: list[Origin]) -> None:
    with pytest.raises(ValueError, match="the horizon of this origin is not over"):
        backtest.churn(origins[1], origins[:2], 30)


def test_the_simulated_retailer_is_what_it_is_meant_to_be(simulated: Study) -> None:
    assert simulated.data.facts["customers"] == 800
    assert [simulated.as_of - day for day in simulated.origins()] == [timedelta(days=30 * back) for back in (1, 2, 3)]
    assert 0.05 < simulated.outcomes(simulated.origin(1))["churned"].mean() < 0.6
