"""A scorer gives each customer what the backtested models give, however rows are batched and wherever they are."""

import json
import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from loyalty.models import backtest, scoring, valuation
from loyalty.models.backtest import BOOSTED, BTYD, RULE, Origin
from loyalty.models.baselines import DaysSinceLast
from loyalty.models.churn import ChurnModel
from loyalty.models.contenders import build
from loyalty.models.scoring import NUMBERS, Scorer, score_batches
from loyalty.study import Study

EARNING = {"horizon_days": 30, "margin": 0.3, "annual_discount_rate": 0.1}


@pytest.fixture(scope="module")
def past(simulated: Study) -> list[Origin]:
    return [
        Origin(simulated.features(day), simulated.distinct_histories(day), simulated.outcomes(day)["churned"])
        for day in simulated.origins()
    ]


@pytest.fixture(scope="module")
def scorer(simulated: Study, past: list[Origin]) -> Scorer:
    known = simulated.histories()
    paying = known[(known["frequency"] > 0) & (known["monetary_value"] > 0)]
    return scoring.fit(past, simulated.distinct_histories(), paying, EARNING)[0]


@pytest.fixture(scope="module")
def scorers(scorer: Scorer, past: list[Origin]) -> dict[str, Scorer]:
    """The scorer with each model as the winner."""
    learned = backtest.learning(backtest.learned_from(past))
    return {
        BTYD: scorer._replace(winner=BTYD, columns=(), churn_model=scorer.purchases),
        RULE: scorer._replace(
            winner=RULE, columns=("days_since_last",), churn_model=DaysSinceLast().fit(*learned)
        ),
        BOOSTED: scorer._replace(
            winner=BOOSTED, columns=tuple(past[0].features.columns), churn_model=ChurnModel().fit(*learned)
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def rows(simulated: Study) -> pd.DataFrame:
    return simulated.features().reset_index().assign(segment="Loyal")


def test_the_churn_probability_is_the_backtested_winners(
    simulated: Study, past: list[Origin], scorer: Scorer, rows: pd.DataFrame
) -> None:
    now = Origin(simulated.features(), simulated.distinct_histories())
    told = backtest.churn(now, past, 30)
    assert scorer.winner == told["about"]["winner"]
    np.testing.assert_allclose(scorer.score(rows)["churn_probability"], told["scores"]["churn_probability"], rtol=1e-9)


def test_the_value_is_that_of_models_fitted_to_every_customer(
    simulated: Study, scorer: Scorer, rows: pd.DataFrame
) -> None:
    known = simulated.histories()
    everyone, _ = valuation.value(
        valuation.fit_value(known, known), known, simulated.distinct_histories(), **EARNING, draws=2
    )
    expected = everyone.loc[rows["customer"], ["expected_purchases", "expected_spend", "clv"]]
    np.testing.assert_allclose(scorer.score(rows)[list(NUMBERS[1:])], expected, rtol=1e-6)


@pytest.mark.parametrize("winner", [RULE, BTYD, BOOSTED])
def test_what_is_sent_to_workers_is_text_and_bytes_and_scores_the_same(
    winner: str, scorers: dict[str, Scorer], rows: pd.DataFrame
) -> None:
    parameters, trees = scorers[winner].pack()
    assert json.loads(parameters)["winner"] == winner
    assert bool(trees) == (winner == BOOSTED)
    sent = Scorer.unpack(parameters, trees)
    pd.testing.assert_frame_equal(sent.score(rows), scorers[winner].score(rows), check_exact=True)


def test_no_object_of_ours_is_pickled(scorers: dict[str, Scorer]) -> None:
    parameters, trees = scorers[BOOSTED].pack()
    sent = pickle.dumps(partial(score_batches, parameters=parameters, trees=trees, run="r"))
    names = [f"loyalty.models.{module}".encode() for module in ("churn", "bgnbd", "gamma_gamma", "baselines")]
    assert b"loyalty.models.scoring" in sent
    assert not any(name in sent for name in names)


@pytest.mark.parametrize("winner", [RULE, BTYD, BOOSTED])
@pytest.mark.parametrize("size", [1, 20])
def test_how_rows_are_batched_changes_nothing(
    winner: str, size: int, scorers: dict[str, Scorer], rows: pd.DataFrame
) -> None:
    some = rows.iloc[:50]
    needed = some[["customer", "segment", *scorers[winner].needs()]]
    how = dict(zip(("parameters", "trees"), scorers[winner].pack(), strict=True))
    whole = pd.concat(score_batches(iter([needed]), **how, run="r"))
    batches = (needed.iloc[start : start + size].reset_index(drop=True) for start in range(0, len(needed), size))
    parts = pd.concat(score_batches(batches, **how, run="r"), ignore_index=True)
    pd.testing.assert_frame_equal(parts, whole, check_exact=True)
    assert list(whole["customer"]) == list(some["customer"])
    assert list(whole.columns) == ["customer", *NUMBERS, "segment", "model", "run"]


def test_an_empty_batch_has_no_scores(scorer: Scorer, rows: pd.DataFrame) -> None:
    how = dict(zip(("parameters", "trees"), scorer.pack(), strict=True))
    assert list(score_batches(iter([rows.iloc[:0]]), **how, run="r")) == []


@pytest.mark.parametrize("used", [("Pareto/NBD", None), ("MBG/CNBD-k", 2)])
def test_another_model_of_purchases_is_sent_with_its_name(
    used: tuple[str, int | None], simulated: Study, past: list[Origin], rows: pd.DataFrame
) -> None:
    known, distinct = simulated.histories(), simulated.distinct_histories()
    scorer, _ = scoring.fit(past, distinct, valuation.paying(known), EARNING, used)
    again = Scorer.unpack(*scorer.pack())
    assert again.purchases_name == used[0]
    pd.testing.assert_frame_equal(again.score(rows), scorer.score(rows))
    direct = valuation.fit_value(distinct, known, build(*used))
    expected = valuation.expected(direct, known.loc[rows["customer"]], EARNING)
    np.testing.assert_allclose(scorer.score(rows)[list(NUMBERS[1:])], expected, rtol=1e-6)
