"""What every model refuses, and how it says so."""

import inspect
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.models.bdw import BDW
from loyalty.models.beta_geometric import simulate_histories
from loyalty.models.bgbb import BGBB
from loyalty.models.bgnbd import BGNBD
from loyalty.models.cnbd_k import BGCNBDk, MBGCNBDk
from loyalty.models.covariates import WithCovariates
from loyalty.models.gamma_gamma import GammaGamma
from loyalty.models.likelihood import LikelihoodModel
from loyalty.models.mbgnbd import MBGNBD
from loyalty.models.nbd import NBD
from loyalty.models.pareto_nbd import ParetoNBD
from loyalty.models.renewal import RenewalModel
from loyalty.models.sbg import SBG
from sklearn.exceptions import NotFittedError

MODELS: dict[str, LikelihoodModel] = {
    "NBD": NBD(),
    "BGNBD": BGNBD(),
    "MBGNBD": MBGNBD(),
    "BGCNBDk": BGCNBDk(k=1),
    "MBGCNBDk": MBGCNBDk(k=1),
    "ParetoNBD": ParetoNBD(),
    "BGBB": BGBB(),
    "WithCovariates": WithCovariates(BGNBD(), purchase=["age"]),
    "GammaGamma": GammaGamma(),
    "SBG": SBG(),
    "BDW": BDW(),
}
IN_DAYS = ["NBD", "BGNBD", "MBGNBD", "BGCNBDk", "MBGCNBDk", "ParetoNBD", "WithCovariates"]


def rows(**columns: Any) -> pd.DataFrame:
    """Four customers whom every model takes."""
    good = {
        "frequency": [0, 1, 2, 3],
        "recency": [0, 5, 6, 7],
        "T": [9, 9, 9, 9],
        "n_periods": [9, 9, 9, 9],
        "monetary_value": [np.nan, 4.0, 5.0, 6.0],
        "periods": [1, 2, 3, 4],
        "churned": [True, False, True, False],
        "age": [20, 30, 40, 50],
    }
    return pd.DataFrame(good | columns)


def ways(model: LikelihoodModel) -> list[Any]:
    """Fit, and a prediction with parameters that were never fitted."""
    given: list[Any] = [model.fit]
    if isinstance(model, WithCovariates):
        return given
    guessed = model.with_parameters(dict.fromkeys(model._names, 2.0))
    if hasattr(guessed, "k"):
        guessed.k_ = 1
    if isinstance(guessed, GammaGamma):
        return [*given, guessed.expected_spend]
    if isinstance(guessed, RenewalModel):
        return [*given, lambda frame: guessed.probability_of_churn(frame.drop(columns="churned"))]
    return [*given, guessed.probability_alive]


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_a_customer_has_one_row(model: LikelihoodModel) -> None:
    for way in ways(model):
        for name in ("customer", "customer_id"):
            twice = rows(**{name: ["ann", "bob", "ann", "cem"]})
            with pytest.raises(
                DataError, match=rf"column '{name}': 1 row refused \(first: 2\); expected one row a cus"
            ):
                way(twice)
            with pytest.raises(DataError, match=rf"index '{name}': 1 row refused \(first: 'ann'\); expected one row a"):
                way(twice.set_index(name))


def test_an_index_of_no_name_may_repeat() -> None:
    """Equal labels without a name are rows of a concatenation, not customers."""
    model = BGNBD().with_parameters({"r": 0.5, "alpha": 9.0, "a": 0.8, "b": 2.5})
    assert model.probability_alive(pd.concat([rows(), rows()])).shape == (8,)
    assert model.probability_alive(rows(customer=["ann", "bob", "cem", "dia"])).shape == (4,)


@pytest.mark.parametrize("name", IN_DAYS)
@pytest.mark.parametrize("column", ["recency", "T"])
def test_dates_and_durations_are_no_days(name: str, column: str) -> None:
    for values, told in (
        (pd.to_timedelta([0, 5, 6, 7], unit="D"), "timedelta64"),
        (pd.DatetimeIndex([date(2024, 1, day) for day in (1, 5, 6, 7)]), "datetime64"),
    ):
        with pytest.raises(DataError, match=rf"column '{column}': expected days as numbers, got {told}"):
            MODELS[name].fit(rows(**{column: values, "log_gaps": 0.0}))


@pytest.mark.parametrize("name", IN_DAYS)
def test_weeks_in_which_most_buy_more_often_than_daily_are_refused(name: str) -> None:
    weeks = rows(frequency=[0, 8, 9, 1], recency=[0, 2, 3, 4], log_gaps=[0.0, -12.0, -11.0, np.log(4)])
    with pytest.raises(
        DataError, match=r"column 'frequency': 2 rows refused \(first: 1, 2\); expected at most recency \(67%"
    ):
        MODELS[name].fit(weeks)


def test_times_that_are_not_whole_may_hold_any_number_of_purchases() -> None:
    """Simulated purchases, and times in other units, are not counted by the day."""
    crowded = simulate_histories(2.0, 0.2, 1.0, 9.0, np.linspace(3, 9, 500), seed=1)
    assert (crowded["frequency"] > crowded["recency"]).mean() > 0.5
    assert BGNBD().fit(crowded).converged_


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"frequency": [0, np.nan, 2, 3]}, r"column 'frequency': 1 row refused \(first: 1\); expected a finite"),
        ({"frequency": [0, 1, 2.5, 3]}, r"column 'frequency': 1 row refused \(first: 2\); expected a whole number"),
        ({"frequency": [0, -1, 2, -3]}, r"column 'frequency': 2 rows refused \(first: 1, 3\); expected a number of at"),
        ({"recency": [0, 5, 60, 70]}, r"column 'T': 2 rows refused \(first: 2, 3\); expected T of at least recency"),
        ({"weight": [1, 0, -1, np.nan]}, r"column 'weight': 3 rows refused \(first: 1, 2, 3\); expected a positive"),
    ],
)
@pytest.mark.parametrize("name", IN_DAYS)
def test_impossible_rows_are_named(name: str, change: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        MODELS[name].fit(rows(log_gaps=0.0, **change))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_no_customer_is_refused(model: LikelihoodModel) -> None:
    for way in ways(model):
        with pytest.raises(DataError, match=r"no rows; expected at least one customer"):
            way(rows().iloc[:0])


def test_spend_is_not_negative_even_where_it_is_not_used() -> None:
    negative = rows(monetary_value=[-1.0, 4.0, 5.0, 6.0])
    for way in ways(GammaGamma()):
        with pytest.raises(DataError, match=r"column 'monetary_value': 1 row refused \(first: 0\); expected a mean"):
            way(negative)


ARGUMENTS: dict[str, Any] = {
    "horizon_days": 9,
    "horizon": 2,
    "n": 1,
    "t_days": 9,
    "draws": 2,
    "ends_days": [3, 9],
    "purchases": [1, 1, 1, 1],
    "annual_discount_rate": 0.1,
    "discount_rate": 0.1,
    "payment": 1.0,
    "periods": 3,
    "customers": 3,
    "histories": rows(),
    "contracts": rows().drop(columns="churned"),
}


def questions(model: LikelihoodModel) -> list[str]:
    """All public methods but those of scikit-learn, of fitting and of what needs no fit."""
    others = {"fit", "with_parameters", "get_params", "set_params", "get_metadata_routing", "set_fit_request"}
    return [
        name
        for name in dir(type(model))
        if not name.startswith(("_", "set_")) and name not in others and inspect.isfunction(getattr(type(model), name))
    ]


@pytest.mark.parametrize(
    ("model", "question"),
    [pytest.param(model, q, id=f"{name}.{q}") for name, model in MODELS.items() for q in questions(model)],
)
def test_nothing_is_answered_before_a_fit(model: LikelihoodModel, question: str) -> None:
    fresh = type(model)(**model.get_params(deep=False))
    method = getattr(fresh, question)
    needed = [
        name for name, each in inspect.signature(method).parameters.items() if each.default is inspect.Parameter.empty
    ]
    with pytest.raises(NotFittedError, match="not fitted yet"):
        method(**{name: ARGUMENTS[name] for name in needed})


def test_methods_are_found_to_be_asked() -> None:
    """The test above asks what it finds; these it must find."""
    assert {"describe", "summary", "expected_purchases", "to_lifetimes", "sample_purchases"} <= set(questions(BGNBD()))


def test_correlation_of_estimates() -> None:
    model = BGNBD().fit(simulate_histories(0.8, 8.0, 1.0, 3.0, np.linspace(20, 60, 1500), seed=4))
    error = model.standard_errors_
    np.testing.assert_allclose(np.diag(model.parameter_correlation_), 1)
    by_hand = model.covariance_.loc["a", "b"] / (error["a"] * error["b"])
    assert model.parameter_correlation_.loc["b", "a"] == pytest.approx(by_hand)
    assert list(model.parameter_correlation_) == ["r", "alpha", "a", "b"]
    with pytest.raises(NotFittedError, match="not fitted yet"):
        _ = BGNBD().parameter_correlation_


def test_an_undetermined_estimate_has_no_correlation() -> None:
    model = BGNBD().fit(simulate_histories(0.8, 8.0, 1.0, 3.0, np.linspace(20, 60, 300), seed=4))
    model.covariance_.loc["a"] = model.covariance_["a"] = np.nan
    model.standard_errors_["a"] = np.nan
    assert model.parameter_correlation_.isna().to_numpy().sum() == 7
