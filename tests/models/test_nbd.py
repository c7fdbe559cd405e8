"""NBD: recomputed figures, likelihood, predictions by a second route, recovery, bad input."""

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from loyalty.errors import ConvergenceWarning, DataError
from loyalty.models import beta_geometric
from loyalty.models.base import distinct_histories
from loyalty.models.bgnbd import BGNBD
from loyalty.models.fitting import maximise
from loyalty.models.nbd import NBD
from loyalty.models.negative_binomial import log_likelihood, simulate_histories, weighted_log_likelihood
from loyalty.models.validation import read_histories
from scipy.special import gammaln
from scipy.stats import gamma, nbinom, poisson
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

HOLDOUT_DAYS = 273


def frame(x, t_x, T, **more):
    """Build histories in days."""
    return pd.DataFrame({"frequency": x, "recency": t_x, "T": T, **more})


def with_parameters(r, alpha, time_unit="days"):
    """Return a model that holds given parameters without error."""
    model = NBD(time_unit=time_unit)
    model.params_ = pd.Series([r, alpha], index=["r", "alpha"], dtype=float)
    model.covariance_ = pd.DataFrame(0.0, index=["r", "alpha"], columns=["r", "alpha"])
    return model


@pytest.fixture(scope="module")
def fitted(sample):
    return NBD(time_unit="weeks").fit(sample.histories)


# Published figures ------------------------------------------------------------------------------------------


def test_estimates_of_the_sample(fitted):
    """Recomputed for this project with SciPy: CDNOW 1/10 sample, weeks."""
    assert fitted.params_["r"] == pytest.approx(0.38477, abs=5e-6)
    assert fitted.params_["alpha"] == pytest.approx(12.0720, abs=5e-5)
    assert fitted.log_likelihood_ == pytest.approx(-9763.66, abs=5e-3)
    assert fitted.aic_ == pytest.approx(2 * 9763.66 + 4, abs=1e-2)
    assert fitted.converged_


def test_holdout_errors(sample, fitted):
    """Recomputed for this project: total, bias, MAE and RMSE of the 39 weeks after the calibration."""
    predicted = fitted.expected_purchases(sample.histories, horizon_days=HOLDOUT_DAYS)
    error = predicted - sample.holdout.to_numpy()
    assert predicted.sum() == pytest.approx(2929.8, abs=0.05)
    assert predicted.sum() / 1882 - 1 == pytest.approx(0.557, abs=5e-4)
    assert np.abs(error).mean() == pytest.approx(1.0410, abs=5e-5)
    assert np.sqrt((error**2).mean()) == pytest.approx(1.8595, abs=5e-5)


def test_likelihood_is_on_the_scale_of_the_models_with_dropout(sample, fitted):
    """BG/NBD without dropout is NBD, constants included, so that criteria compare them."""
    h = sample.histories
    arrays = [h[name].to_numpy(float) / unit for name, unit in (("frequency", 1), ("recency", 7), ("T", 7))]
    nobody_leaves = beta_geometric.log_likelihood(*fitted.params_, 1e-14, 1.0, *arrays).sum()
    assert fitted.log_likelihood_ == pytest.approx(nobody_leaves, abs=1e-6)
    assert fitted.aic_ > BGNBD(time_unit="weeks").fit(h).aic_


# Likelihood and gradient ------------------------------------------------------------------------------------


@pytest.mark.parametrize("history", [(0, 40), (1, 40), (26, 31), (10_000, 1095)])
@pytest.mark.parametrize("parameters", [(0.25, 4), (7, 0.3), (90, 800)])
def test_likelihood_and_gradient_against_high_precision(history, parameters):
    x, T = (np.array([float(value)]) for value in history)
    h = read_histories(frame(x, np.minimum(x, T), T))
    value, gradient = weighted_log_likelihood(h)(np.array(parameters, dtype=float))
    assert value == pytest.approx(log_likelihood(*parameters, x, T)[0], rel=1e-12)
    with mp.workdps(40):

        def exact(r, alpha):
            purchases = mp.gamma(r + history[0]) / mp.gamma(r)
            return mp.log(purchases * alpha**r / (alpha + history[1]) ** (r + history[0]))

        point = [mp.mpf(str(p)) for p in parameters]
        assert value == pytest.approx(float(exact(*point)), rel=1e-10)
        for i in range(2):
            slope = mp.diff(exact, point, tuple(int(i == j) for j in range(2)))
            assert gradient[i] == pytest.approx(float(slope), rel=1e-8, abs=1e-10)


def test_likelihood_of_the_count_differs_by_a_constant():
    """The negative binomial of the count has T^x / x! more, whatever the parameters."""
    x, T = np.array([0.0, 3, 12]), np.array([20.0, 50, 60])
    for r, alpha in ((0.4, 12.0), (3.0, 5.0)):
        counts = nbinom.logpmf(x, r, alpha / (alpha + T))
        np.testing.assert_allclose(counts - log_likelihood(r, alpha, x, T), x * np.log(T) - gammaln(x + 1), atol=1e-10)


def test_fit_does_not_depend_on_order_weights_or_unit(sample, fitted):
    h = sample.histories
    weighted = NBD(time_unit="weeks").fit(distinct_histories(h.sample(frac=1, random_state=3)))
    np.testing.assert_allclose(weighted.params_, fitted.params_, rtol=1e-7)
    days = NBD().fit(h)
    np.testing.assert_allclose(days.params_, fitted.params_ * [1, 7], rtol=1e-6)
    shift = h["frequency"].sum() * np.log(7)
    assert days.log_likelihood_ == pytest.approx(fitted.log_likelihood_ - shift, abs=1e-6)


# Predictions ------------------------------------------------------------------------------------------------


def test_distribution_is_a_poisson_averaged_over_the_rates():
    """Quadrature over the quantiles of the rate, instead of the closed form."""
    model = with_parameters(0.8, 20)
    h = frame([0, 4, 30], [0, 90, 140], 150)
    levels = (np.arange(200_000) + 0.5) / 200_000
    table = model.purchase_distribution(h, horizon_days=60, n=5)
    for row, x in enumerate(h["frequency"]):
        rates = gamma.ppf(levels, 0.8 + x, scale=1 / (20 + 150))
        wanted = [poisson.pmf(j, rates * 60).mean() for j in range(6)]
        np.testing.assert_allclose(table[row], wanted, atol=2e-6)


def test_predictions_belong_together():
    model = with_parameters(0.8, 20)
    h = frame([0, 4, 30], [0, 90, 140], 150)
    table = model.purchase_distribution(h, horizon_days=60, n=400)
    np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(table @ np.arange(401), model.expected_purchases(h, horizon_days=60), rtol=1e-10)
    np.testing.assert_allclose(model.probability_of_no_purchase(h, horizon_days=60), table[:, 0], rtol=1e-14)
    assert (model.probability_alive(h) == 1).all()
    drawn = np.concatenate(list(model.sample_purchases(h.iloc[[1]], horizon_days=60, draws=20_000, seed=1)))
    shares = np.bincount(drawn, minlength=6)[:6] / 20_000
    np.testing.assert_allclose(shares, table[1, :6], atol=4 * np.sqrt(0.25 / 20_000))


def test_expectation_against_simulated_truth():
    people = simulate_histories(0.9, 20, np.random.default_rng(1).integers(10, 120, 100_000), seed=2, horizon=60)
    error = people["future"] - with_parameters(0.9, 20).expected_purchases(people, horizon_days=60)
    groups = error.groupby(people["frequency"].clip(upper=12))
    assert (groups.mean().abs() < 4 * groups.std() / np.sqrt(groups.count())).all()
    assert (people["recency"] <= people["T"]).all()
    share = (people["recency"] / people["T"])[people["frequency"] == 2]
    assert share.mean() == pytest.approx(2 / 3, abs=0.01)  # the later of two uniform times


def test_new_customers_buy_at_the_mean_rate():
    model = with_parameters(0.8, 20)
    np.testing.assert_allclose(model.expected_purchases_of_new_customer([0, 50]), [0, 2], rtol=1e-14)
    assert "once every 25 days on average, and nobody ever leaves" in model.describe()


# Stability, recovery, misuse --------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["giants", "ten_thousand", "twenty", "no_one_time_buyer", "same_age", "millions"])
def test_fit_stays_finite_on_awkward_data(case):
    ages = np.random.default_rng(7).integers(30, 1095, 20 if case == "twenty" else 3000)
    people = simulate_histories(1, 60, ages, seed=8)[["frequency", "recency", "T"]]
    if case == "giants":
        people.iloc[:3] = [1000, 395, 399]
    if case == "ten_thousand":
        people.iloc[:2] = [[10_000, 1095, 1095], [10_000, 1090, 1095]]
    if case == "no_one_time_buyer":
        people = people[people["frequency"] > 0]
    if case == "same_age":
        people = simulate_histories(1, 60, [300.0] * 3000, seed=1)[["frequency", "recency", "T"]]
    if case == "millions":
        people["weight"] = 3_000_000
    model = NBD().fit(people)
    assert model.converged_
    assert np.isfinite([model.log_likelihood_, *model.params_, *model.standard_errors_]).all()
    assert np.isfinite(model.purchase_distribution(people, horizon_days=90, n=3)).all()
    h = read_histories(people)
    for start in ((0.1, 1), (5, 1000)):
        best = maximise(weighted_log_likelihood(h), np.array(start, dtype=float), h.weight.sum())
        assert model.log_likelihood_ >= best.log_likelihood - 1e-9 * abs(best.log_likelihood)


def test_everybody_alike_is_reported_as_undetermined():
    alike = simulate_histories(1e7, 1e8, np.random.default_rng(1).integers(50, 300, 4000), seed=3)
    with pytest.warns(ConvergenceWarning, match=r"NBD: the data does not determine .*likelihood is flat"):
        model = NBD().fit(alike)
    assert model.params_["r"] / model.params_["alpha"] == pytest.approx(0.1, rel=0.02)
    assert model.standard_errors_.isna().all()


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """200 data sets: 90 % intervals of each parameter, and of purchases to come, cover 90 ± 4 %."""
    truth, covered, held = np.array([0.8, 30.0]), [], []
    for seed in range(200):
        ages = np.random.default_rng(seed).integers(30, 400, 2000)
        people = simulate_histories(*truth, ages, seed=1000 + seed, horizon=90)
        model = NBD().fit(people)
        table = model.summary()
        covered.append((table["low_90"] < truth) & (truth < table["high_90"]))
        totals = [c.sum() for c in model.sample_purchases(people, horizon_days=90, draws=200, seed=seed)]
        low, high = np.quantile(totals, [0.05, 0.95])
        held.append(low <= people["future"].sum() <= high)
    assert pd.DataFrame(covered).mean().between(0.86, 0.94).all()
    assert np.mean(held) == pytest.approx(0.9, abs=0.04)


def test_misuse():
    with pytest.raises(DataError, match="all 2 rows are 0, which identifies nothing"):
        NBD().fit(frame([0, 0], 0, 9))
    with pytest.raises(DataError, match=r"'recency': 1 row refused.*more than 0 where"):
        NBD().fit(frame([1, 1], [0, 3], 9))
    for ask in (lambda m: m.describe(), lambda m: m.probability_alive(frame([1], 3, 9))):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            ask(NBD())
    assert clone(NBD(time_unit="weeks")).time_unit == "weeks"
