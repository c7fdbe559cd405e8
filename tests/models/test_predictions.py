"""Predictions with intervals, for any model: against closed forms, quadrature and simulated truth."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError, SettingsError
from loyalty.models import beta_binomial, erlang_draws, negative_binomial, pareto_forecasts, predictions
from loyalty.models.beta_geometric import simulate_histories
from loyalty.models.bgbb import BGBB
from loyalty.models.bgnbd import BGNBD
from loyalty.models.cnbd_k import BGCNBDk, MBGCNBDk
from loyalty.models.mbgnbd import MBGNBD
from loyalty.models.nbd import NBD
from loyalty.models.pareto_nbd import ParetoNBD
from loyalty.models.predictions import next_purchase_days, predict
from sklearn.exceptions import NotFittedError

TRUTH = {"r": 0.9, "alpha": 45.0, "a": 0.8, "b": 2.6}
THREE = pd.DataFrame({"frequency": [0, 3, 12], "recency": [0, 80, 290], "T": [200, 300, 300]}, index=["c", "a", "b"])


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return simulate_histories(**TRUTH, T=np.linspace(60, 400, 3000), seed=3, horizon=120.0)


@pytest.fixture(scope="module")
def fitted(customers: pd.DataFrame) -> BGNBD:
    return BGNBD().fit(customers)


@pytest.mark.parametrize("probability", [0.05, 0.5, 0.9])
def test_wait_is_the_quantile_of_a_lomax(probability: float) -> None:
    model = BGNBD().with_parameters(TRUTH)
    shape, scale = TRUTH["r"] + THREE["frequency"], TRUTH["alpha"] + THREE["T"]
    exact = scale * ((1 - probability) ** (-1 / shape) - 1)
    got = next_purchase_days(model, THREE, probability=probability)
    np.testing.assert_allclose(got, exact, rtol=5e-3)


def test_wait_beyond_a_century_is_infinite() -> None:
    slow = BGNBD().with_parameters({"r": 0.01, "alpha": 5.0, "a": 1.0, "b": 1.0})
    never = pd.DataFrame({"frequency": [0], "recency": [0], "T": [3000]})
    assert next_purchase_days(slow, never).tolist() == [np.inf]


@pytest.mark.parametrize("probability", [0.0, 1.0, np.nan])
def test_wait_refuses_what_is_no_probability(fitted: BGNBD, probability: float) -> None:
    with pytest.raises(SettingsError, match="probability: expected a number in"):
        next_purchase_days(fitted, THREE, probability=probability)


@pytest.mark.slow
def test_intervals_hold_what_comes(fitted: BGNBD, customers: pd.DataFrame) -> None:
    told = predict(fitted, customers, horizon_days=120, seed=1)
    future = customers["future"]
    inside = future.between(told["expected_purchases_low"], told["expected_purchases_high"]).mean()
    # Counts are whole, so that an interval of 90 % holds a little more.
    assert 0.90 <= inside <= 0.975
    rng = np.random.default_rng(2)
    active = customers["alive"].to_numpy()
    wait = rng.exponential(1 / customers["rate"])
    low, high = told["next_purchase_days_low"], told["next_purchase_days_high"]
    # With truth drawn together with the data, the wait of the active falls inside in 90 of 100 cases.
    assert ((wait >= low) & (wait <= high))[active].mean() == pytest.approx(0.90, abs=0.03)


AGES = np.random.default_rng(8).integers(60, 400, 800)
REGULAR = {"r": 1.2, "alpha": 20.0, "a": 0.8, "b": 2.6}
TELLERS = {
    "NBD": (NBD(), lambda: negative_binomial.simulate_histories(0.9, 45.0, AGES, seed=3, horizon=120.0)),
    "MBG/NBD": (MBGNBD(), lambda: simulate_histories(**TRUTH, T=AGES, seed=3, horizon=120.0, first=1)),
    "Pareto/NBD": (
        ParetoNBD(),
        lambda: pareto_forecasts.simulate_histories(0.9, 45.0, 0.8, 150.0, AGES, seed=3, horizon=120.0),
    ),
    "BG/CNBD-k": (
        BGCNBDk(k=2),
        lambda: erlang_draws.simulate_histories(**REGULAR, T=AGES, k=2, seed=3, horizon=120.0),
    ),
    "MBG/CNBD-k": (
        MBGCNBDk(k=2),
        lambda: erlang_draws.simulate_histories(**REGULAR, T=AGES, k=2, seed=3, horizon=120.0, first=1),
    ),
    "BG/BB": (
        BGBB(period_days=10),
        lambda: beta_binomial.simulate_histories(1.2, 1.5, 0.8, 4.0, np.ceil(AGES / 30), seed=3, horizon=12),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TELLERS)
def test_intervals_of_each_customer_hold_what_comes(name: str) -> None:
    model, tell = TELLERS[name]
    people = tell()
    told = predict(model.fit(people), people, horizon_days=120, draws=100, seed=1)
    above = (people["future"] > told["expected_purchases_high"]).mean()
    below = (people["future"] < told["expected_purchases_low"]).mean()
    # Counts are whole, so that an end leaves out 5 % at most; 1.5 % are two standard errors of 800 customers.
    assert 0.01 < above < 0.065
    assert below < 0.065


def test_predictions_come_with_their_customers(fitted: BGNBD) -> None:
    told = predict(fitted, THREE, horizon_days=90, draws=20, seed=5)
    assert told.index.tolist() == ["c", "a", "b"]
    np.testing.assert_array_equal(told["probability_alive"], fitted.probability_alive(THREE))
    np.testing.assert_array_equal(told["expected_purchases"], fitted.expected_purchases(THREE, horizon_days=90))
    for name in ("probability_alive", "probability_of_no_purchase", "expected_purchases", "next_purchase_days"):
        assert (told[f"{name}_low"] <= told[f"{name}_high"]).all()
    pd.testing.assert_frame_equal(told, predict(fitted, THREE, horizon_days=90, draws=20, seed=5))


def test_customers_with_one_history_have_one_prediction(fitted: BGNBD) -> None:
    twice = pd.concat([THREE, THREE.set_axis(["x", "y", "z"])]).assign(monetary_value=[np.nan, 5, 6, np.nan, 7, 8])
    told = predict(fitted, twice, horizon_days=90, draws=10, seed=5)
    np.testing.assert_array_equal(told.iloc[:3].to_numpy(), told.iloc[3:].to_numpy())


def test_small_parts_predict_as_well(fitted: BGNBD, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = predict(fitted, THREE, horizon_days=90, draws=20, seed=5)
    monkeypatch.setattr(predictions, "NUMBERS_HELD", 1)
    parts = predict(fitted, THREE, horizon_days=90, draws=20, seed=5)
    # Outcomes are drawn part by part; all else is the same.
    same = [name for name in whole if not name.startswith("expected_purchases_")]
    pd.testing.assert_frame_equal(parts[same], whole[same])


def test_bad_arguments_and_histories_are_named(fitted: BGNBD) -> None:
    with pytest.raises(SettingsError, match=r"level: expected a probability in \(0, 1\), got 90"):
        predict(fitted, THREE, horizon_days=90, level=90)
    with pytest.raises(SettingsError, match="draws: expected at least 1, got 0"):
        predict(fitted, THREE, horizon_days=90, draws=0)
    with pytest.raises(SettingsError, match="horizon_days: expected a positive number of days"):
        predict(fitted, THREE, horizon_days=0)
    with pytest.raises(DataError, match="missing column 'recency'"):
        predict(fitted, THREE.drop(columns="recency"), horizon_days=90)
    with pytest.raises(DataError, match="column 'T': 1 row refused"):
        predict(fitted, THREE.assign(T=[200, 10, 300]), horizon_days=90)
    with pytest.raises(NotFittedError, match="not fitted"):
        predict(BGNBD(), THREE, horizon_days=90)


def test_given_parameters_are_checked() -> None:
    with pytest.raises(SettingsError, match="parameters: expected r, alpha, a, b, got r"):
        BGNBD().with_parameters({"r": 1.0})
    with pytest.raises(SettingsError, match="expected positive numbers, got b = -1"):
        BGNBD().with_parameters(TRUTH | {"b": -1.0})
    assert BGNBD().with_parameters(TRUTH).params_.to_dict() == TRUTH


def test_opportunities_are_predicted_in_whole_periods() -> None:
    model = BGBB(period_days=365).with_parameters({"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.78})
    donors = pd.DataFrame({"frequency": [0, 6], "recency": [0, 6], "n_periods": [6, 6]})
    days = next_purchase_days(model, donors)
    first = 1 - model.probability_of_no_purchase_if_active(donors, horizon_days=365)
    assert first[1] > 0.5
    assert 0 < days[1] < 365 < days[0]


@pytest.mark.slow
def test_memory_stays_under_what_the_docstring_says(fitted: BGNBD) -> None:
    ages = np.arange(60, 460)
    many = pd.DataFrame({"frequency": np.tile([1, 2, 3, 4, 5] * 8, 400), "recency": 0.0, "T": np.repeat(ages, 40)})
    many["recency"] = many["frequency"] * 10 + np.tile(np.arange(8).repeat(5), 400)
    assert len(many.drop_duplicates()) == 16_000 > predictions.NUMBERS_HELD / 200
    tracemalloc.start()
    try:
        predict(fitted, many, horizon_days=90, draws=200, seed=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 150e6
