"""Moving over from lifetimes is a change of import: the same calls, the same answers where lifetimes is right."""

import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty import from_lifetimes as ours
from loyalty.errors import ConvergenceWarning, DataError, SettingsError
from loyalty.models.beta_geometric import simulate_histories
from loyalty.models.bgbb import BGBB
from loyalty.models.bgnbd import BGNBD
from loyalty.models.gamma_gamma import GammaGamma
from loyalty.models.mbgnbd import MBGNBD
from loyalty.models.pareto_nbd import ParetoNBD
from sklearn.exceptions import NotFittedError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lifetimes
    import lifetimes.plotting


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    simulated = simulate_histories(0.8, 8.0, 1.0, 3.0, np.linspace(20, 60, 1500), seed=4)
    random = np.random.default_rng(5)
    # Gamma spend on each purchase, of a gamma rate of the customer's own.
    x, rate = simulated["frequency"].clip(lower=1), random.gamma(4.0, 1 / 15.0, len(simulated))
    return simulated.assign(monetary_value=random.gamma(6.0 * x) / rate / x)


PURCHASES = ["BetaGeoFitter", "ModifiedBetaGeoFitter", "ParetoNBDFitter"]


@pytest.fixture(scope="module")
def pairs(customers: pd.DataFrame) -> dict[str, tuple[Any, Any]]:
    """Fitters of lifetimes and ours, with the same parameters."""
    h = (customers["frequency"], customers["recency"], customers["T"])
    made = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in PURCHASES:
            mine = getattr(ours, name)().fit(*h)
            if name == "ParetoNBDFitter":  # here nothing leaves but after a purchase
                mine.model_ = mine.model_.with_parameters({"r": 0.55, "alpha": 10.6, "s": 0.61, "beta": 11.7})
            made[name] = mine.model_.to_lifetimes(), mine
    return made


@pytest.mark.parametrize("name", PURCHASES)
def test_purchases_are_called_and_answered_as_in_lifetimes(
    name: str, pairs: dict[str, Any], customers: pd.DataFrame
) -> None:
    theirs, mine = pairs[name]
    some = customers.iloc[::50]
    at = (some["frequency"], some["recency"], some["T"])
    conditional = theirs.conditional_expected_number_of_purchases_up_to_time(13, *at)
    np.testing.assert_allclose(mine.predict(13, *at), conditional, rtol=1e-5)
    np.testing.assert_allclose(
        mine.conditional_probability_alive(*at), theirs.conditional_probability_alive(*at), rtol=1e-5
    )
    np.testing.assert_allclose(
        mine.expected_number_of_purchases_up_to_time(26),
        theirs.expected_number_of_purchases_up_to_time(26),
        rtol=1e-5,
    )
    assert list(mine.summary) == ["coef", "se(coef)", "lower 95% bound", "upper 95% bound"]  # as lifetimes names them


def test_estimates_are_those_of_lifetimes(customers: pd.DataFrame) -> None:
    h = (customers["frequency"], customers["recency"], customers["T"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lifetimes.BetaGeoFitter().fit(*h)
    mine = ours.BetaGeoFitter().fit(*h)
    np.testing.assert_allclose(mine.params_, theirs.params_[mine.params_.index], rtol=2e-3)
    assert ours.BetaGeoFitter().fit(*h, weights=np.full(1500, 2)).params_.to_numpy() == pytest.approx(
        mine.params_.to_numpy(), rel=1e-4
    )


def test_a_single_customer_may_be_given_as_numbers(customers: pd.DataFrame) -> None:
    fitter = ours.BetaGeoFitter().fit(customers["frequency"], customers["recency"], customers["T"])
    assert np.ndim(fitter.predict(10, 3, 20.0, 40.0)) == 0
    assert fitter.conditional_probability_alive(3, 20.0, 40.0).shape == (1,)  # as in lifetimes
    assert 0 < fitter.probability_of_n_purchases_up_to_time(10, 0) < 1


def test_spend_and_lifetime_value_are_those_of_lifetimes(customers: pd.DataFrame) -> None:
    paying = customers[customers["frequency"] > 0]
    h = (paying["frequency"], paying["recency"], paying["T"], paying["monetary_value"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lifetimes.GammaGammaFitter().fit(paying["frequency"], paying["monetary_value"])
        purchases = lifetimes.BetaGeoFitter().fit(customers["frequency"], customers["recency"], customers["T"])
        expected = theirs.customer_lifetime_value(purchases, *h, time=6, discount_rate=0.02, freq="W")
        mine = ours.GammaGammaFitter().fit(paying["frequency"], paying["monetary_value"])
        np.testing.assert_allclose(mine.params_, theirs.params_[mine.params_.index], rtol=2e-2)
        mine.model_ = mine.model_.with_parameters(theirs.params_)
        got = mine.customer_lifetime_value(purchases, *h, time=6, discount_rate=0.02, freq="W")
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert got.index.equals(paying.index)


def test_donors_are_called_and_answered_as_in_lifetimes() -> None:
    donors = pd.DataFrame({"frequency": [6, 4, 2, 0, 1], "recency": [6, 6, 5, 0, 1], "n_periods": [6] * 5})
    weights = [1203, 509, 180, 3464, 1091]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lifetimes.BetaGeoBetaBinomFitter()
        theirs.fit(donors["frequency"], donors["recency"], donors["n_periods"], weights)
        mine = ours.BetaGeoBetaBinomFitter()
        mine.fit(donors["frequency"], donors["recency"], donors["n_periods"], weights)
        mine.model_ = mine.model_.with_parameters(theirs.params_)
        at = (donors["frequency"], donors["recency"], donors["n_periods"])
        np.testing.assert_allclose(
            mine.predict(5, *at), theirs.conditional_expected_number_of_purchases_up_to_time(5, *at), rtol=1e-5
        )
        np.testing.assert_allclose(
            mine.conditional_probability_alive(1, *at), theirs.conditional_probability_alive(1, *at), rtol=1e-5
        )


@pytest.mark.parametrize("name", PURCHASES)
def test_answers_have_the_form_of_lifetimes(name: str, pairs: dict[str, Any], customers: pd.DataFrame) -> None:
    """Series with their index for series, arrays for lists; P(alive) an array but for Pareto/NBD."""
    theirs, mine = pairs[name]
    some = customers.iloc[5:50:5].set_axis([f"c{i}" for i in range(9)])
    at = (some["frequency"], some["recency"], some["T"])
    times = pd.Series(np.linspace(1, 30, 9), index=some.index)
    for call in (
        lambda f: f.predict(13, *at),
        lambda f: f.predict(times, *at),
        lambda f: f.conditional_probability_alive(*at),
        lambda f: f.expected_number_of_purchases_up_to_time(times),
        lambda f: f.expected_number_of_purchases_up_to_time(9.0),
        lambda f: f.predict(13, 2, 9.0, 20.0),
    ):
        expected, got = call(theirs), call(mine)
        assert isinstance(got, pd.Series) == isinstance(expected, pd.Series)
        assert np.shape(got) == np.shape(expected)
        np.testing.assert_allclose(got, expected, rtol=1e-5)
        if isinstance(expected, pd.Series):
            assert got.index.equals(expected.index)
    np.testing.assert_allclose(
        mine.predict([0, 5, 9], [1, 2, 2], [3, 9, 9], [20, 20, 20]),
        [0, mine.predict(5, 2, 9, 20), mine.predict(9, 2, 9, 20)],
    )


@pytest.mark.parametrize("name", PURCHASES)
def test_lifetime_value_of_lifetimes_takes_our_fitter(
    name: str, pairs: dict[str, Any], customers: pd.DataFrame
) -> None:
    """It asks what is bought up to time 0 first."""
    paying = customers[customers["frequency"] > 0].iloc[:50]
    h = (paying["frequency"], paying["recency"], paying["T"], paying["monetary_value"])
    theirs, mine = pairs[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spend = lifetimes.GammaGammaFitter().fit(h[0], h[3])
        expected, got = (spend.customer_lifetime_value(each, *h, time=3, freq="W") for each in (theirs, mine))
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert got.index.equals(paying.index)


@pytest.mark.parametrize("name", PURCHASES)
def test_matrix_of_who_is_there_is_that_of_lifetimes(name: str, pairs: dict[str, Any]) -> None:
    theirs, mine = pairs[name]
    expected = theirs.conditional_probability_alive_matrix(6, 12)
    np.testing.assert_allclose(mine.conditional_probability_alive_matrix(6, 12), expected, rtol=1e-6)
    largest = int(mine.data["T"].max()) + 1, int(mine.data["frequency"].max()) + 1
    assert mine.conditional_probability_alive_matrix().shape == largest


def test_chance_of_n_purchases_is_that_of_lifetimes(pairs: dict[str, Any], customers: pd.DataFrame) -> None:
    theirs, mine = pairs["ParetoNBDFitter"]
    some = customers.iloc[::100]
    at = (some["frequency"], some["recency"], some["T"])
    for n in (0, 1, 4):
        got = mine.conditional_probability_of_n_purchases_up_to_time(n, 10, *at)
        np.testing.assert_allclose(
            got, theirs.conditional_probability_of_n_purchases_up_to_time(n, 10, *at), rtol=1e-5, atol=1e-9
        )
        assert got.index.equals(some.index)
    # Nothing is bought in no time: lifetimes says 0 to that.
    assert mine.conditional_probability_of_n_purchases_up_to_time(0, 0, 2, 9.0, 20.0) == 1
    assert mine.conditional_probability_of_n_purchases_up_to_time(1, 0, 2, 9.0, 20.0) == 0


def test_a_fit_is_saved_and_loaded(tmp_path: Path, customers: pd.DataFrame) -> None:
    fitted = ours.BetaGeoFitter().fit(customers["frequency"], customers["recency"], customers["T"])
    place = tmp_path / "fit.json"
    fitted.save_model(place, save_data=False)
    fitted.save_model(place)
    loaded = ours.BetaGeoFitter()
    loaded.load_model(place)
    pd.testing.assert_frame_equal(loaded.summary, fitted.summary)
    assert loaded.predict(9, 2, 5.0, 20.0) == fitted.predict(9, 2, 5.0, 20.0)
    assert loaded.model_.describe() == fitted.model_.describe()
    assert (loaded.model_.aic_, loaded.model_.converged_) == (fitted.model_.aic_, True)
    with pytest.raises(SettingsError, match="max_frequency: expected a number, as a loaded fit has no data"):
        loaded.conditional_probability_alive_matrix()
    with pytest.raises(DataError, match=r"fit\.json: expected a fit of ParetoNBDFitter, got one of BetaGeoFitter"):
        ours.ParetoNBDFitter().load_model(place)
    with pytest.raises(SettingsError, match="save_data, save_generate_data_method: expected False"):
        fitted.save_model(place, save_data=True)


def test_a_saved_fit_is_nothing_but_a_saved_fit(tmp_path: Path, customers: pd.DataFrame) -> None:
    """A pickle is not opened, and a file of somebody else is not written over."""
    fitted = ours.BetaGeoFitter().fit(customers["frequency"], customers["recency"], customers["T"])
    foreign = tmp_path / "notes.txt"
    foreign.write_bytes(b"\x80\x04mine")
    with pytest.raises(DataError, match=r"notes\.txt: expected a fit saved by save_model"):
        fitted.save_model(foreign)
    with pytest.raises(DataError, match=r"notes\.txt: expected a fit saved by save_model"):
        fitted.load_model(foreign)
    assert foreign.read_bytes() == b"\x80\x04mine"
    with pytest.raises(DataError, match=r"none\.json: no such file"):
        fitted.load_model(tmp_path / "none.json")


def test_options_are_ignored_only_where_they_do_not_matter(customers: pd.DataFrame) -> None:
    h = (customers["frequency"], customers["recency"], customers["T"])
    warnings.simplefilter("ignore", ConvergenceWarning)  # simulated customers leave after a purchase only
    plain = ours.ParetoNBDFitter().fit(*h)
    index = [f"c{i}" for i in range(len(customers))]
    asked = ours.ParetoNBDFitter().fit(
        *h, initial_params=[1, 1, 1, 1], verbose=True, tol=1e-3, maxiter=5, iterative_fitting=3, index=index
    )
    pd.testing.assert_series_equal(asked.params_, plain.params_)
    assert list(asked.data.index) == index
    for fitter, options in ((ours.BetaGeoFitter, "iterative_fitting"), (ours.ParetoNBDFitter, "bounds")):
        with pytest.raises(SettingsError, match=f"{options}: not an option of this fit"):
            fitter().fit(*h, **{options: 1})
    paying = customers[customers["frequency"] > 0]
    with pytest.raises(SettingsError, match="q_constraint: expected False"):
        ours.GammaGammaFitter().fit(paying["frequency"], paying["monetary_value"], q_constraint=True)
    spend = ours.GammaGammaFitter().fit(paying["frequency"], paying["monetary_value"], q_constraint=False)
    assert spend.conditional_expected_average_profit().index.equals(paying.index)


def test_series_must_be_of_the_same_customers(customers: pd.DataFrame) -> None:
    turned = customers["recency"].iloc[::-1]
    with pytest.raises(DataError, match="frequency and recency: series with different indexes"):
        ours.BetaGeoFitter().fit(customers["frequency"], turned, customers["T"])
    with pytest.raises(DataError, match="expected as many values of each, got frequency 2, recency 3, T 2"):
        ours.BetaGeoFitter().fit([1, 2], [1, 2, 3], [4, 4])


def test_periods_of_donors_are_as_in_lifetimes() -> None:
    donors = pd.DataFrame({"frequency": [6, 4, 2, 0, 1], "recency": [6, 6, 5, 0, 1], "n_periods": [6] * 5})
    weights = [1203, 509, 180, 3464, 1091]
    h = (donors["frequency"], donors["recency"], donors["n_periods"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, mine = (each.BetaGeoBetaBinomFitter().fit(*h, weights) for each in (lifetimes, ours))
        mine.model_ = mine.model_.with_parameters(theirs.params_)
        expected = theirs.expected_number_of_transactions_in_first_n_periods(6)
    got = mine.expected_number_of_transactions_in_first_n_periods(6)
    pd.testing.assert_frame_equal(got, expected, check_index_type=False, rtol=1e-6)
    assert mine.predict(0, *h).tolist() == [0] * 5


@pytest.mark.parametrize("model", [BGNBD, MBGNBD, ParetoNBD, BGBB, GammaGamma])
def test_models_handed_over_have_errors(model: type[Any], customers: pd.DataFrame) -> None:
    """`summary` of lifetimes asks for them."""
    counts = pd.DataFrame({"frequency": [6, 4, 2, 0, 1], "recency": [6, 6, 5, 0, 1], "n_periods": [6] * 5})
    data = counts.assign(weight=[1203, 509, 180, 3464, 1091]) if model is BGBB else customers
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model().fit(data)
        theirs = fitted.to_lifetimes()
        guessed = model().with_parameters(fitted.params_).to_lifetimes()
    np.testing.assert_allclose(theirs.summary["coef"], fitted.params_)
    np.testing.assert_allclose(theirs.summary["se(coef)"], fitted.standard_errors_)
    np.testing.assert_allclose(
        theirs.summary["upper 95% bound"], fitted.params_ + 1.96 * fitted.standard_errors_, rtol=1e-12
    )
    np.testing.assert_allclose(theirs.variance_matrix_, fitted.covariance_)
    assert not hasattr(guessed, "standard_errors_")


def test_what_cannot_be_moved_is_said() -> None:
    with pytest.raises(SettingsError, match=r"penalizer_coef: expected 0, got 0\.1"):
        ours.ParetoNBDFitter(penalizer_coef=0.1)
    with pytest.raises(NotFittedError, match="not fitted"):
        ours.BetaGeoFitter().predict(10, 3, 20.0, 40.0)
    with pytest.raises(DataError, match="column 'T': 1 row refused"):
        ours.BetaGeoFitter().fit([1, 2], [30, 20], [10, 40])


def test_every_plot_of_lifetimes_has_a_counterpart() -> None:
    plots = {name for name in vars(lifetimes.plotting) if name.startswith("plot_")}
    rows = [line.split() for line in (ours.__doc__ or "").splitlines() if line.startswith("plot_")]
    assert {name for name, _, _ in rows} == plots
    for _, figure, data in rows:
        for package, named in (("reporting", figure), ("models", data)):
            module, name = named.split(".")
            assert callable(getattr(import_module(f"loyalty.{package}.{module}"), name))
