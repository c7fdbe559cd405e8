"""Moving over from lifetimes is a change of import: the same calls, the same answers where lifetimes is right."""

import warnings

import numpy as np
import pandas as pd
import pytest
from loyalty import from_lifetimes as ours
from loyalty.errors import DataError, SettingsError
from loyalty.models.beta_geometric import simulate_histories
from sklearn.exceptions import NotFittedError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lifetimes


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    simulated = simulate_histories(0.8, 8.0, 1.0, 3.0, np.linspace(20, 60, 1500), seed=4)
    random = np.random.default_rng(5)
    # Gamma spend on each purchase, of a gamma rate of the customer's own.
    x, rate = simulated["frequency"].clip(lower=1), random.gamma(4.0, 1 / 15.0, len(simulated))
    return simulated.assign(monetary_value=random.gamma(6.0 * x) / rate / x)


@pytest.mark.parametrize("name", ["BetaGeoFitter", "ModifiedBetaGeoFitter", "ParetoNBDFitter"])
def test_purchases_are_called_and_answered_as_in_lifetimes(name: str, customers: pd.DataFrame) -> None:
    h = (customers["frequency"], customers["recency"], customers["T"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = getattr(lifetimes, name)(penalizer_coef=0.0).fit(*h)
        mine = getattr(ours, name)(penalizer_coef=0.0).fit(*h)
        # With their own parameters, so that the search is not what is compared.
        mine.model_ = mine.model_.with_parameters(theirs.params_)
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
    assert fitter.predict(10, 3, 20.0, 40.0).shape == (1,)
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


def test_what_cannot_be_moved_is_said() -> None:
    with pytest.raises(SettingsError, match=r"penalizer_coef: expected 0, got 0\.1"):
        ours.ParetoNBDFitter(penalizer_coef=0.1)
    with pytest.raises(NotFittedError, match="not fitted"):
        ours.BetaGeoFitter().predict(10, 3, 20.0, 40.0)
    with pytest.raises(DataError, match="column 'T': 1 row refused"):
        ours.BetaGeoFitter().fit([1, 2], [30, 20], [10, 40])
