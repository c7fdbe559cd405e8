"""Gamma-Gamma: published figures, likelihood, predictions by a second route, bad input."""

import warnings

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.errors import DataError
from loyalty.models.base import AssumptionWarning
from loyalty.models.gamma_gamma import GammaGamma, log_likelihood, weighted_log_likelihood
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import gamma
from sklearn.base import clone
from sklearn.exceptions import NotFittedError


def table(x, z, **more):
    """Build a frame of spenders."""
    return pd.DataFrame({"frequency": x, "monetary_value": z, **more})


def simulate(p, q, v, n, seed):
    """Draw spenders as the model tells the story, one day at a time."""
    rng = np.random.default_rng(seed)
    x, rate = rng.integers(1, 8, n), rng.gamma(q, 1 / v, n)
    days = rng.gamma(p, 1, (n, 7)) / rate[:, None]
    seen = np.arange(7) < x[:, None]
    return table(x, (days * seen).sum(axis=1) / x)


def with_parameters(p, q, v):
    """Return a model that holds given parameters."""
    model = GammaGamma()
    model.params_ = pd.Series({"p": p, "q": q, "v": v}, dtype=float)
    return model


@pytest.fixture(scope="module")
def fitted(sample):
    return GammaGamma().fit(sample.histories)


def test_published_estimates(fitted):
    """Fader & Hardie (2013), CDNOW sample; likelihood recomputed from the log."""
    for name, value in {"p": 6.25, "q": 3.74, "v": 15.44}.items():
        assert fitted.params_[name] == pytest.approx(value, abs=5e-3)
    assert fitted.log_likelihood_ == pytest.approx(-4055.918, abs=5e-4)
    assert fitted.n_customers_ == 946
    assert fitted.converged_


def test_published_likelihood_of_the_summary(cdnow_summary):
    """Of the summary that lies beside the log, whose means are rounded to a cent."""
    model = GammaGamma().fit(table(cdnow_summary["x"], cdnow_summary["zbar"]))
    assert model.log_likelihood_ == pytest.approx(-4055.923, abs=5e-4)
    assert model.n_customers_ == 946


def test_correlation_of_the_sample_is_small(fitted, sample):
    buyers = sample.histories.query("frequency > 0")
    assert fitted.correlation_ == pytest.approx(buyers["frequency"].corr(buyers["monetary_value"]))
    assert abs(fitted.correlation_) < 0.3


@pytest.mark.parametrize("point", [(6.25, 3.74, 15.44), (0.3, 0.8, 900.0), (400.0, 90.0, 2.0)])
@pytest.mark.parametrize("buyer", [(1, 0.01), (7, 35.0), (10_000, 4e4)])
def test_likelihood_and_gradient_against_high_precision(point, buyer):
    def exact(p, q, v):
        x, z = (mp.mpf(str(value)) for value in buyer)
        gammas = mp.loggamma(p * x + q) - mp.loggamma(p * x) - mp.loggamma(q)
        return gammas + q * mp.log(v) + (p * x - 1) * mp.log(z) + p * x * mp.log(x) - (p * x + q) * mp.log(v + x * z)

    x, z = np.array([float(buyer[0])]), np.array([buyer[1]])
    value, gradient = weighted_log_likelihood(x, z, np.ones(1))(np.array(point))
    assert log_likelihood(*point, x, z)[0] == pytest.approx(value, rel=1e-9, abs=1e-7)
    with mp.workdps(60):
        at = [mp.mpf(str(number)) for number in point]
        assert value == pytest.approx(float(exact(*at)), rel=1e-9, abs=1e-7)
        for i, slope in enumerate(gradient):
            step = [mp.mpf(10) ** -20 if i == j else mp.mpf(0) for j in range(3)]
            up, down = (exact(*[a + sign * s for a, s in zip(at, step, strict=True)]) for sign in (1, -1))
            assert slope == pytest.approx(float((up - down) / (2 * step[i])), rel=1e-7, abs=1e-8)


@given(rows=st.lists(st.tuples(st.integers(1, 30), st.floats(0.01, 1e4), st.integers(1, 5)), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_weights_are_repeated_rows(rows):
    x, z, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    value, _ = weighted_log_likelihood(x, z, weight)(np.array([2.0, 3.0, 20.0]))
    times = weight.astype(int)
    assert value == pytest.approx(log_likelihood(2.0, 3.0, 20.0, np.repeat(x, times), np.repeat(z, times)).sum())


def test_fit_does_not_depend_on_order_weights_or_currency(sample, fitted):
    h = sample.histories
    shuffled = GammaGamma().fit(h.sample(frac=1, random_state=1))
    tripled = GammaGamma().fit(h.assign(weight=3))
    cents = GammaGamma().fit(h.assign(monetary_value=h["monetary_value"] * 100))
    np.testing.assert_allclose(shuffled.params_, fitted.params_, rtol=1e-6)
    np.testing.assert_allclose(tripled.params_, fitted.params_, rtol=1e-6)
    np.testing.assert_allclose(tripled.standard_errors_ * np.sqrt(3), fitted.standard_errors_, rtol=1e-5)
    np.testing.assert_allclose(cents.params_, fitted.params_ * [1, 1, 100], rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e6, 1e12])
def test_a_fit_is_the_same_in_any_currency(fitted, sample, scale):
    """Densities of spend are per unit of it, so that the log-likelihood moves by log(scale) a customer."""
    h = sample.histories
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled = GammaGamma().fit(h.assign(monetary_value=h["monetary_value"] * scale))
    units = np.array([1, 1, scale])
    assert scaled.converged_
    assert scaled.undetermined_ == ()
    np.testing.assert_allclose(scaled.params_, fitted.params_ * units, rtol=1e-6)
    np.testing.assert_allclose(scaled.covariance_, fitted.covariance_ * np.outer(units, units), rtol=1e-5)
    np.testing.assert_allclose(scaled.standard_errors_, fitted.standard_errors_ * units, rtol=1e-5)
    assert scaled.log_likelihood_ == pytest.approx(fitted.log_likelihood_ - 946 * np.log(scale), rel=1e-10)
    assert scaled.aic_ == pytest.approx(6 - 2 * scaled.log_likelihood_)
    assert scaled.correlation_ == pytest.approx(fitted.correlation_)


def test_log_likelihood_of_a_fit_is_that_of_the_data(fitted, sample):
    buyers = sample.histories.query("frequency > 0")
    x, z = buyers["frequency"].to_numpy(float), buyers["monetary_value"].to_numpy(float)
    assert fitted.log_likelihood_ == pytest.approx(log_likelihood(*fitted.params_, x, z).sum(), rel=1e-10)


@pytest.mark.slow
def test_recovery_and_coverage_of_intervals():
    """90 % intervals of each parameter, and of what all customers spend next, over 200 simulated data sets."""
    truth, n = np.array([6.0, 4.0, 15.0]), 1500
    p, q, v = truth
    covered = []
    for seed in range(200):
        rng = np.random.default_rng(1000 + seed)
        x, rate, future = rng.integers(1, 8, n), rng.gamma(q, 1 / v, n), rng.poisson(2, n)
        h = table(x, rng.gamma(p * x) / (rate * x))
        happened = (rng.gamma(p * np.maximum(future, 1)) / rate)[future > 0].sum()
        model = GammaGamma().fit(h)
        rows = model.summary()
        # Of the 100 gaps around 99 draws, 90 lie between the 5th and the 95th.
        draws = model.sample_parameters(99, seed=rng).iterrows()
        totals = [model.sample_spend(h, future, parameters=draw, seed=rng).sum() for _, draw in draws]
        low, high = np.sort(totals)[[4, 94]]
        covered.append({**((rows["low_90"] < truth) & (truth < rows["high_90"])), "future": low <= happened <= high})
    share = pd.DataFrame(covered).mean()
    assert share.between(0.86, 0.94).all(), share


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("case", ["three_giants", "twenty", "alike", "once", "millions", "ten_thousand"])
def test_fit_of_awkward_data_is_finite_and_as_good_as_any(case):
    usual = simulate(6, 4, 15, 20 if case == "twenty" else 2000, 3)
    h = {
        "three_giants": lambda: pd.concat([usual, table([1000] * 3, [9e5, 1.1e6, 1.3e6])], ignore_index=True),
        "twenty": lambda: usual,
        "alike": lambda: table(usual["frequency"], np.full(2000, 25.0)),
        "once": lambda: table(1, simulate(6, 4, 15, 2000, 5)["monetary_value"]),
        "millions": lambda: usual.assign(weight=3_000_000),
        "ten_thousand": lambda: usual.assign(frequency=usual["frequency"] * 1400),
    }[case]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = GammaGamma().fit(h)
    assert np.isfinite([model.log_likelihood_, *model.params_]).all()
    assert bool(model.undetermined_) == (case in {"alike", "twenty"})  # one spend for everybody; too few
    spend = model.expected_spend(h) if model.params_["q"] > 1 else np.ones(1)
    assert (np.isfinite(spend) & (spend > 0)).all()
    if case == "alike":  # the more alike days and customers are said to be the better, so that there is no best fit
        np.testing.assert_allclose(spend, 25, rtol=1e-6)
        return
    x, z = h["frequency"].to_numpy(float), h["monetary_value"].to_numpy(float)
    objective = weighted_log_likelihood(x, z, h.get("weight", pd.Series(1.0, h.index)).to_numpy(float))
    reached = [climbed(objective, start, len(h)) for start in ((1, 1, 1), (6, 4, 15), (50, 2, 400), (0.5, 20, 9))]
    slack = 2e-3 if model.undetermined_ else 1e-12 * abs(model.log_likelihood_) + 1e-6
    assert model.log_likelihood_ >= max(reached) - slack


def climbed(objective, start, customers):
    """Log-likelihood that another search reaches from a start of its own."""

    def loss(logs):
        value, gradient = objective(np.exp(logs))
        return -value / customers, -gradient * np.exp(logs) / customers

    options = {"ftol": 1e-12, "gtol": 1e-8, "maxiter": 1000}
    found = minimize(loss, np.log(start), jac=True, method="L-BFGS-B", bounds=[(-18, 22)] * 3, options=options)
    return -found.fun * customers


def test_large_data_begin_at_a_sample_and_end_at_the_same_estimates(monkeypatch):
    h = simulate(6, 4, 15, 30_000, 1)
    direct = GammaGamma().fit(h)
    passes = []

    def counted(x, z, weight):
        objective = weighted_log_likelihood(x, z, weight)
        return lambda parameters: passes.append(x.size) or objective(parameters)

    monkeypatch.setattr("loyalty.models.gamma_gamma.SAMPLED_FROM", 20_000)
    monkeypatch.setattr("loyalty.models.gamma_gamma.SAMPLE", 3000)
    monkeypatch.setattr("loyalty.models.gamma_gamma.weighted_log_likelihood", counted)
    sampled = GammaGamma().fit(h)
    np.testing.assert_allclose(sampled.params_, direct.params_, rtol=1e-7)
    np.testing.assert_allclose(sampled.standard_errors_, direct.standard_errors_, rtol=1e-4)
    assert passes.count(30_000) < 20


def test_expected_spend_against_quadrature():
    """Average p / rate over the posterior of the rate by a route that does not use equation 5."""
    p, q, v = 6.25, 3.74, 15.44
    for x, z in ((0, np.nan), (1, 80.0), (9, 12.0)):
        posterior = gamma(q + p * x, scale=1 / (v + (x * z if x else 0)))
        edges = posterior.ppf([1e-12, 1 - 1e-12])
        want, _ = quad(lambda rate, density=posterior.pdf: p / rate * density(rate), *edges, epsabs=1e-9)
        got = with_parameters(p, q, v).expected_spend(table([x], [z]))[0]
        assert got == pytest.approx(want, rel=1e-5)


def test_sampled_spend_has_the_expected_mean_and_spread():
    p, q, v = 6.25, 8.0, 40.0
    model, h = with_parameters(p, q, v), table(np.repeat([0, 4], 40_000), np.repeat([0.0, 60.0], 40_000))
    totals = model.sample_spend(h, np.full(80_000, 3), seed=1)
    for part, group in ((slice(0, 40_000), h.iloc[:1]), (slice(40_000, None), h.iloc[-1:])):
        drawn, want = totals[part], 3 * model.expected_spend(group)[0]
        assert drawn.mean() == pytest.approx(want, abs=4 * drawn.std() / 200)
    assert (model.sample_spend(h, np.zeros(80_000), seed=1) == 0).all()
    # Law of total variance with the posterior of the rate: n p E[1/rate^2] + (n p)^2 Var[1/rate].
    shape, scale, n = q + 4 * p, v + 240, 3
    first, second = scale / (shape - 1), scale**2 / ((shape - 1) * (shape - 2))
    variance = n * p * second + (n * p) ** 2 * (second - first**2)
    assert totals[40_000:].std() == pytest.approx(np.sqrt(variance), rel=0.03)


def test_sampled_spend_takes_the_parameters_of_the_draw(fitted, sample):
    h = sample.histories.iloc[:50]
    draw = fitted.sample_parameters(1, seed=1).iloc[0]
    ones = np.ones(50)
    given_draw = fitted.sample_spend(h, ones, parameters=draw, seed=3)
    estimated = fitted.sample_spend(h, ones, seed=3)
    assert (given_draw != estimated).any()
    np.testing.assert_array_equal(estimated, fitted.sample_spend(h, ones, seed=3))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_lifetimes_agrees(sample, fitted):
    theirs, h = fitted.to_lifetimes(), sample.histories.fillna({"monetary_value": 0})
    want = theirs.conditional_expected_average_profit(h["frequency"], h["monetary_value"])
    np.testing.assert_allclose(fitted.expected_spend(h), want, rtol=1e-10)


def test_description(fitted):
    assert "spends 35." in fitted.describe()
    assert "no mean" in with_parameters(2, 0.9, 5).describe()


def test_mean_that_does_not_exist():
    model, h = with_parameters(0.5, 0.4, 15), table([0, 1, 2], [np.nan, 20, 20])
    with pytest.raises(DataError, match=r"'frequency': 2 rows refused \(first: 0, 1\).*q = 0.4"):
        model.expected_spend(h)
    with pytest.warns(AssumptionWarning, match="mean spend does not exist"):
        GammaGamma().fit(simulate(3, 0.7, 10, 3000, 1))


def test_dependence_of_spend_on_frequency_is_reported():
    h = simulate(6, 4, 15, 2000, 2)
    with pytest.warns(AssumptionWarning, match=r"correlate by 0\.\d\d"):
        model = GammaGamma().fit(h.assign(monetary_value=h["monetary_value"] * h["frequency"] ** 1.5))
    assert model.correlation_ > 0.3


@pytest.mark.parametrize(
    ("h", "message"),
    [
        (
            table([1, 2, 0], [5.0, 0.0, 0.0]),
            r"'monetary_value': 1 row refused \(first: 1\).*positive mean spend",
        ),
        (table([1, 2], [-5.0, -1.0]), r"'monetary_value': 2 rows refused \(first: 0, 1\)"),
        (table([1, 2], [np.nan, 1.0]), r"'monetary_value': 1 row refused.*finite number"),
        (table([0, 0], [0.0, np.nan]), "all 2 rows are 0, which identifies nothing"),
        (table([1, 2.5], [3.0, 1.0]), "whole number"),
        (table([1], [3.0], weight=[-1]), "'weight': 1 row refused"),
        (pd.DataFrame({"frequency": [1]}), "missing column 'monetary_value'"),
    ],
)
def test_fit_refuses_impossible_input(h, message):
    with pytest.raises(DataError, match=message):
        GammaGamma().fit(h)


def test_conventions():
    assert isinstance(clone(GammaGamma()), GammaGamma)
    assert GammaGamma().get_params() == {}
    with pytest.raises(NotFittedError, match="not fitted yet"):
        GammaGamma().expected_spend(table([1], [3.0]))
    with pytest.raises(DataError, match="one count for each of 1 rows"):
        with_parameters(6, 4, 15).sample_spend(table([1], [3.0]), [1, 2])
