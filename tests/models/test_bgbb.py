"""BG/BB: published figures, likelihood, predictions by a second route, recovery, bad input."""

import importlib.util
import warnings
from pathlib import Path

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.errors import ConvergenceWarning, DataError, SettingsError
from loyalty.models.beta_binomial import (
    Lattice,
    expected_purchases_while_alive,
    log_likelihood,
    probability_alive,
    purchase_distribution_while_alive,
    simulate_histories,
)
from loyalty.models.bgbb import BGBB, read_opportunities
from loyalty.models.clv import customer_lifetime_value
from loyalty.models.gamma_gamma import GammaGamma
from scipy.special import roots_jacobi
from scipy.stats import binom
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

# Fader, Hardie & Shang (2010), table 3: donations 1995-2001.
PAPER = {"alpha": 1.2035, "beta": 0.7497, "gamma": 0.6568, "delta": 2.7839}
POINTS = [(1.2, 0.75, 0.66, 2.78), (0.05, 6, 1.0, 0.3), (80, 30, 40, 900), (1e-3, 1e-3, 5, 1e-2)]


def frame(x, t_x, n, **more):
    """Build histories in opportunities."""
    return pd.DataFrame({"frequency": x, "recency": t_x, "n_periods": n, **more})


def with_parameters(*values, period_days=1.0):
    """Return a model that holds given parameters without error."""
    model, names = BGBB(period_days=period_days), list(PAPER)
    model.params_ = pd.Series(values, index=names, dtype=float)
    model.covariance_ = pd.DataFrame(0.0, index=names, columns=names)
    model.standard_errors_ = pd.Series(0.0, index=names)
    return model


@pytest.fixture(scope="module")
def donations():
    """1995-2001, read where the package lifetimes keeps them."""
    (folder,) = importlib.util.find_spec("lifetimes").submodule_search_locations
    return pd.read_csv(Path(folder) / "datasets" / "donations.csv")


@pytest.fixture(scope="module")
def fitted(donations):
    return BGBB().fit(donations)


# Published figures ------------------------------------------------------------------------------------------


def test_paper_estimates(donations, fitted):
    assert (len(donations), donations["weights"].sum()) == (22, 11_104)
    # The printed gamma and delta lie 8e-5 and 5e-4 beside the maximum, where the likelihood is flatter than any printed
    # digit: the same to 1e-5, and ours the higher.
    for (name, value), tolerance in zip(PAPER.items(), (5e-5, 5e-5, 1e-4, 5e-4), strict=True):
        assert fitted.params_[name] == pytest.approx(value, abs=tolerance)
    assert fitted.log_likelihood_ == pytest.approx(-33225.58, abs=5e-3)
    printed, _ = Lattice(read_opportunities(donations))(np.array(list(PAPER.values())))
    assert 0 <= fitted.log_likelihood_ - printed < 1e-4
    assert fitted.n_customers_ == 11_104
    assert (fitted.converged_, fitted.undetermined_) == (True, ())


@pytest.mark.parametrize(("x", "t_x", "alive"), [(0, 0, 0.11), (2, 4, 0.59), (6, 6, 0.93)])
def test_paper_probability_alive_at_the_next_opportunity(fitted, x, t_x, alive):
    history = frame([x], [t_x], [6])
    assert fitted.probability_alive(history, horizon_days=1)[0] == pytest.approx(alive, abs=5e-3)
    assert fitted.probability_alive(history)[0] > fitted.probability_alive(history, horizon_days=1)[0]


def test_paper_expectations(donations, fitted):
    """Total of five years (Fader, Hardie & Shang 2010); E[X(10)], customers A and B of the vignette of R's BTYD.

    B is printed 3.6279, at estimates that are not told; those of the paper give 3.6278 and the maximum 3.6280.
    """
    total = fitted.expected_purchases(donations, horizon_days=5) @ donations["weights"]
    assert total == pytest.approx(12_884.2, abs=0.05)
    assert fitted.expected_purchases_of_new_customer(10)[0] == pytest.approx(3.1798, abs=5e-5)
    a, b = fitted.expected_purchases(frame([0, 4], [0, 5], 6), horizon_days=10)
    assert a == pytest.approx(0.1302, abs=5e-5)
    assert b == pytest.approx(3.6279, abs=1e-4)


def test_expectations_of_a_new_customer_as_btyd_documents_them():
    """Example of `bgbb.Expectation` in R's BTYD 2.4.3."""
    documented = [0.4973166, 0.9207078, 1.2927317, 1.6266289, 1.9309062]
    documented += [2.2113893, 2.4722624, 2.7166434, 2.9469256, 3.1649902]
    got = with_parameters(1.20, 0.75, 0.66, 2.78).expected_purchases_of_new_customer(np.arange(1, 11))
    np.testing.assert_allclose(got, documented, atol=5e-8, rtol=0)


# Likelihood and gradient ------------------------------------------------------------------------------------


def exact_likelihood(alpha, beta, gamma, delta, x, t_x, n):
    """The likelihood as it is printed, in high precision."""
    stays = mp.beta(alpha + x, beta + n - x) * mp.beta(gamma, delta + n)
    left = sum(mp.beta(alpha + x, beta + t - x) * mp.beta(gamma + 1, delta + t) for t in range(t_x, n))
    return (stays + left) / (mp.beta(alpha, beta) * mp.beta(gamma, delta))


@pytest.mark.parametrize("history", [(0, 0, 0), (0, 0, 6), (2, 4, 6), (6, 6, 6), (3, 5, 400), (380, 390, 400)])
@pytest.mark.parametrize("point", POINTS)
def test_likelihood_and_gradient_against_high_precision(point, history):
    h = read_opportunities(frame(*([value] for value in history)))
    value, gradient = Lattice(h)(np.array(point, dtype=float))
    with mp.workdps(60):
        exact = [mp.mpf(str(p)) for p in point]
        assert value == pytest.approx(float(mp.log(exact_likelihood(*exact, *history))), rel=1e-10, abs=1e-12)
        for i in range(4):
            step = [mp.mpf(10) ** -20 * (i == k) for k in range(4)]
            up, down = (
                mp.log(exact_likelihood(*(p + sign * s for p, s in zip(exact, step, strict=True)), *history))
                for sign in (1, -1)
            )
            assert gradient[i] == pytest.approx(float((up - down) / (2 * step[i])), rel=1e-8, abs=1e-10)


def test_gradient_of_many_histories_at_once():
    """Histories of one x share what is computed; each must take out of it what is its own."""
    people = simulate_histories(0.8, 1.5, 0.7, 4, np.random.default_rng(1).integers(0, 60, 3000), seed=2)
    objective = Lattice(read_opportunities(people).distinct()[0])
    for point in ((0.8, 1.5, 0.7, 4), (30, 0.1, 2, 900), (0.01, 4, 60, 0.2)):
        at = np.array(point)
        value, gradient = objective(at)
        rows = log_likelihood(at, *(people[name].to_numpy(float) for name in ("frequency", "recency", "n_periods")))
        assert value == pytest.approx(rows.sum(), rel=1e-12)
        numeric = [(objective(at + u)[0] - objective(at - u)[0]) / (2 * u.sum()) for u in np.diag(at * 1e-5)]
        np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-5 * np.abs(numeric).max())


def test_probabilities_of_all_histories_add_up_to_one():
    """A history stands for as many orders of purchases as x - 1 of the t_x - 1 opportunities before the last."""
    n, rows = 12, [(0, 0, 1)]
    rows += [(x, t, int(mp.binomial(t - 1, x - 1))) for t in range(1, n + 1) for x in range(1, t + 1)]
    x, t_x, ways = np.array(rows, dtype=float).T
    for point in POINTS:
        assert np.exp(log_likelihood(np.array(point), x, t_x, np.full(x.size, float(n)))) @ ways == pytest.approx(1)


@given(rows=st.lists(st.tuples(*[st.integers(0, 9)] * 3, st.integers(1, 4)), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_weights_are_repeated_rows(rows):
    purchases, silent, after, weight = np.array(rows).T
    t_x = np.where(purchases > 0, purchases + silent, 0)
    table = frame(purchases, t_x, t_x + after, weight=weight)
    repeated = table.loc[table.index.repeat(table["weight"])].drop(columns="weight")
    values = [Lattice(read_opportunities(each).distinct()[0])(np.array(POINTS[0])) for each in (table, repeated)]
    assert values[0][0] == pytest.approx(values[1][0], rel=1e-12)
    np.testing.assert_allclose(values[0][1], values[1][1], rtol=1e-9, atol=1e-9)


# Fit --------------------------------------------------------------------------------------------------------


def test_fit_does_not_depend_on_names_order_or_weights(donations, fitted):
    many = donations.loc[donations.index.repeat(donations["weights"])].drop(columns="weights")
    ours = many.rename(columns={"periods": "n_periods"}).sample(frac=1, random_state=3)
    shared = donations.rename(columns={"periods": "T", "weights": "weight"})
    for other in (ours, shared):
        again = BGBB(period_days=365).fit(other)
        np.testing.assert_allclose(again.params_, fitted.params_, rtol=1e-7)
        np.testing.assert_allclose(again.standard_errors_, fitted.standard_errors_, rtol=1e-6)


def test_what_the_estimates_say(fitted):
    assert fitted.describe() == (
        "While there, customers buy at 62 % of their opportunities; before the first, 19 % leave."
    )


@pytest.mark.parametrize("case", ["twenty", "three_giants", "same_n", "last_one", "millions", "long"])
def test_fit_stays_finite_on_awkward_data(case):
    n = np.full(3000, 25) if case == "same_n" else np.random.default_rng(1).integers(2, 40, 3000)
    n = np.random.default_rng(1).integers(300, 1000, 300) if case == "long" else n
    people = simulate_histories(1, 2, 0.8, 9, n, seed=5)[["frequency", "recency", "n_periods"]]
    if case == "twenty":
        people = people.iloc[:20]
    if case == "three_giants":
        people.iloc[:3] = [1000, 1000, 1000]
    if case == "last_one":
        people["recency"] = np.where(people["frequency"] > 0, people["n_periods"], 0)
    if case == "millions":
        people["weight"] = 3_000_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = BGBB().fit(people)
    assert np.isfinite([model.log_likelihood_, *model.params_]).all()
    for predicted in (
        model.probability_alive(people),
        model.expected_purchases(people, horizon_days=9),
        model.discounted_expected_residual_transactions(people, discount_rate=0.05),
    ):
        assert (np.isfinite(predicted) & (predicted >= 0)).all()
    objective = Lattice(read_opportunities(people).distinct()[0])
    for start in ((0.5, 0.5, 0.5, 5), (5, 5, 2, 2), (1, 20, 0.1, 50)):
        assert model.log_likelihood_ >= objective(np.array(start, dtype=float))[0] - 1e-6


@pytest.mark.parametrize(("truth", "open_"), [((1, 2, 1e-9, 1), {"gamma"}), ((3e6, 7e6, 2e6, 8e6), {"alpha", "beta"})])
def test_what_data_leaves_open_is_told(truth, open_):
    """Nobody leaves; everybody is alike, in data whose chance variation does not look like a difference."""
    people = simulate_histories(*truth, [15] * 4000, seed=3)
    with pytest.warns(ConvergenceWarning, match=r"does not determine .*likelihood is flat"):
        model = BGBB().fit(people)
    assert open_ <= set(model.undetermined_)
    assert model.standard_errors_[list(open_)].isna().all()
    assert np.isfinite(model.expected_purchases(people, horizon_days=5)).all()


@pytest.mark.slow
def test_recovery_and_coverage_of_intervals():
    """200 data sets: 90 % intervals of the parameters, and of the total of the next five opportunities."""
    truth = np.array([1.2, 1.5, 0.8, 4.0])
    covered, estimates, totals = [], [], []
    for seed in range(200):
        people = simulate_histories(*truth, [10] * 4000, seed=seed, horizon=5)
        cells = people.groupby(["frequency", "recency", "n_periods"], as_index=False).size()
        model = BGBB().fit(cells.rename(columns={"size": "weight"}))
        table = model.summary()
        covered.append((table["low_90"] < truth) & (truth < table["high_90"]))
        estimates.append(model.params_)
        draws = [d.sum() for d in model.sample_purchases(people, horizon_days=5, draws=80, seed=seed)]
        low, high = np.quantile(draws, [0.05, 0.95])
        totals.append(low <= people["future"].sum() <= high)
    share = pd.DataFrame(covered).mean()
    assert share.between(0.86, 0.94).all(), share
    assert 0.86 <= np.mean(totals) <= 0.94, np.mean(totals)
    np.testing.assert_allclose(np.median(estimates, axis=0), truth, rtol=0.05)


# Predictions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", ["0.66", "1", "2.5"])
def test_expectation_against_the_closed_form(gamma):
    """Equation 13 in high precision; beside the point gamma = 1, where it is 0/0 (and NaN in lifetimes)."""
    alpha, beta, delta, x, t_x, n, t = 1.2, 0.75, 2.78, 2, 4, 6, 10
    with mp.workdps(60):
        a, b, d, g = (mp.mpf(str(v)) for v in (alpha, beta, delta, gamma))
        g += mp.mpf(10) ** -25 * (g == 1)
        bracket = mp.gamma(1 + d + n) / mp.gamma(g + d + n) - mp.gamma(1 + d + n + t) / mp.gamma(g + d + n + t)
        front = d / (g - 1) * mp.gamma(g + d) / mp.gamma(1 + d)
        buys = mp.beta(a + x + 1, b + n - x) / mp.beta(a, b)
        want = float(buys * front * bracket / exact_likelihood(a, b, g, d, x, t_x, n))
    model = with_parameters(alpha, beta, float(gamma), delta)
    assert model.expected_purchases(frame([x], [t_x], [n]), horizon_days=t)[0] == pytest.approx(want, rel=1e-11)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("rate", [0.02, 0.1, 1.0])
def test_discounted_residual_transactions_against_the_closed_form(point, rate):
    """Equation 14 with mpmath's 2F1."""
    x, t_x, n = 2, 4, 6
    with mp.workdps(30):
        a, b, g, d = (mp.mpf(str(v)) for v in point)
        z = 1 / (1 + mp.mpf(str(rate)))
        front = mp.beta(a + x + 1, b + n - x) / mp.beta(a, b) * mp.beta(g, d + n + 1) / (mp.beta(g, d) * (1 + rate))
        series = mp.hyp2f1(1, d + n + 1, g + d + n + 1, z)
        want = float(front * series / exact_likelihood(a, b, g, d, x, t_x, n))
    got = with_parameters(*point).discounted_expected_residual_transactions(frame([x], [t_x], [n]), discount_rate=rate)
    assert got[0] == pytest.approx(want, rel=1e-8)


def test_discounting_by_hand():
    model = with_parameters(1.2, 0.75, 0.66, 2.78, period_days=365)
    h = frame([2, 0], [4, 0], [6, 6])
    at = [np.zeros(2)] + [model.expected_purchases(h, horizon_days=365 * k) for k in (1, 2, 3)]
    want = sum((at[k] - at[k - 1]) / 1.1**k for k in (1, 2, 3))
    got = model.discounted_expected_purchases(h, horizon_days=3 * 365, annual_discount_rate=0.1)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    endless = model.discounted_expected_residual_transactions(h, discount_rate=0.1)
    long = model.discounted_expected_purchases(h, horizon_days=365 * 300, annual_discount_rate=0.1)
    np.testing.assert_allclose(long, endless, rtol=1e-9)


@pytest.mark.parametrize("point", POINTS)
def test_expectation_is_the_mean_of_the_distribution(point):
    p, x, n = np.array(point, dtype=float), np.array([0.0, 2.0, 9.0]), np.array([0.0, 6.0, 9.0])
    table = purchase_distribution_while_alive(p, x, n, 30, 30)
    np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(table @ np.arange(31), expected_purchases_while_alive(p, x, n, 30), rtol=1e-10)
    cut = purchase_distribution_while_alive(p, x, n, 30, 4)
    np.testing.assert_allclose(cut, table[:, :5], rtol=1e-12)


def beta_nodes(a, b):
    """Nodes and weights that average a polynomial of degree 15 over Beta(a, b) exactly."""
    nodes, weights = roots_jacobi(8, b - 1, a - 1)
    return (nodes + 1) / 2, weights / weights.sum()


def test_distribution_against_quadrature():
    """Average over p and theta of the chance to buy j times, by the story of the model, without its algebra."""
    alpha, beta, gamma, delta, x, n, t = 1.2, 1.75, 0.9, 2.78, 2.0, 6.0, 5
    (p, weight_p), (theta, weight_theta) = beta_nodes(alpha + x, beta + n - x), beta_nodes(gamma, delta + n)
    stays = [theta * (1 - theta) ** i for i in range(t)] + [(1 - theta) ** t]
    got = purchase_distribution_while_alive(np.array([alpha, beta, gamma, delta]), np.array([x]), np.array([n]), t, t)
    for j in range(t + 1):
        buys = [binom.pmf(j, i, p) for i in range(t + 1)]
        want = sum((weight_theta @ stays[i]) * (weight_p @ buys[i]) for i in range(t + 1))
        assert got[0, j] == pytest.approx(want, rel=1e-10)


def test_predictions_against_simulated_truth():
    """Among simulated customers of equal frequency, predictions average to what happened."""
    truth = (0.9, 1.6, 0.8, 5.0)
    people = simulate_histories(*truth, np.random.default_rng(1).integers(1, 15, 150_000), seed=2, horizon=6)
    model = with_parameters(*truth)
    predicted = pd.DataFrame(
        {
            "alive": model.probability_alive(people),
            "future": model.expected_purchases(people, horizon_days=6),
            "none": model.probability_of_no_purchase(people, horizon_days=6),
            "two": model.purchase_distribution(people, horizon_days=6, n=2)[:, 2],
        }
    )
    happened = people[["alive", "future"]].astype(float)
    happened["none"], happened["two"] = happened["future"] == 0, happened["future"] == 2
    error = happened - predicted
    for by in (people["frequency"].clip(upper=10), people["n_periods"] - people["recency"]):
        groups = error.groupby(by)
        assert (groups.mean().abs() <= 4.5 * groups.std() / np.sqrt(groups.count()) + 1e-12).all(axis=None)


def donors_one_by_one(alpha, beta, gamma, delta, n, customers, rng):
    """Walk customers through their opportunities as the paper tells the story."""
    rows = []
    for _ in range(customers):
        buying, dropout, x, t_x = rng.beta(alpha, beta), rng.beta(gamma, delta), 0, 0
        for t in range(1, n + 1):
            if rng.random() < dropout:
                break
            if rng.random() < buying:
                x, t_x = x + 1, t
        rows.append((x, t_x))
    return pd.DataFrame(rows, columns=["frequency", "recency"])


def test_simulated_customers_follow_the_story():
    walked = donors_one_by_one(1.2, 1.5, 0.8, 4.0, 5, 20_000, np.random.default_rng(4)).value_counts(normalize=True)
    drawn = simulate_histories(1.2, 1.5, 0.8, 4.0, [5] * 200_000, seed=1)
    shares = drawn[["frequency", "recency"]].value_counts(normalize=True)
    assert (walked - shares.reindex(walked.index)).abs().max() < 4 * np.sqrt(0.25 / 20_000)
    assert shares[~shares.index.isin(walked.index)].sum() < 1e-3


def test_sampled_purchases_follow_the_distribution():
    model = with_parameters(1.2, 0.75, 0.66, 2.78)
    h = frame(np.repeat([0, 2, 6], 400), np.repeat([0, 4, 6], 400), 6)
    exact = model.purchase_distribution(h.iloc[[0, 400, 800]], horizon_days=5, n=5)
    drawn = np.stack(list(model.sample_purchases(h, horizon_days=5, draws=100, seed=1))).reshape(100, 3, 400)
    shares = np.stack([(drawn == j).mean(axis=(0, 2)) for j in range(6)], axis=1)
    np.testing.assert_allclose(shares, exact, atol=4 * np.sqrt(0.25 / 40_000))


def test_new_customer_is_an_empty_history():
    model = with_parameters(1.2, 0.75, 0.66, 2.78, period_days=30)
    table = model.new_customer_distribution(300, 10)
    mean = model.expected_purchases_of_new_customer([0, 300, 329, 330])
    assert mean[0] == 0
    assert table @ np.arange(11) == pytest.approx(mean[1], rel=1e-12)
    assert mean[1] == mean[2] < mean[3]  # the eleventh opportunity has not come before day 330


def test_probability_alive_falls_with_the_opportunities_ahead(donations, fitted):
    alive = [fitted.probability_alive(donations, horizon_days=k) for k in range(8)]
    assert (np.diff(alive, axis=0) < 0).all()
    np.testing.assert_allclose(alive[0][donations["recency"] == 6], 1, rtol=1e-14)
    p = fitted.params_.to_numpy()
    by_step = probability_alive(p, *(np.array([v]) for v in (2.0, 4.0, 6.0)))[0]
    for n in range(6, 9):
        by_step *= (p[3] + n) / (p[2] + p[3] + n)
    assert fitted.probability_alive(frame([2], [4], [6]), horizon_days=3)[0] == pytest.approx(by_step, rel=1e-12)


def test_lifetime_value_of_donors(donations, fitted):
    spend = GammaGamma()
    spend.params_ = pd.Series({"p": 6.25, "q": 3.74, "v": 15.44})
    h = donations.assign(monetary_value=30.0)
    earning = {"horizon_days": 5, "margin": 1.0, "annual_discount_rate": 0.1}
    value = customer_lifetime_value(fitted, spend, h, **earning)
    np.testing.assert_allclose(value["expected_purchases"], fitted.expected_purchases(h, horizon_days=5))
    assert (value["clv"] <= value["expected_spend"]).all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_lifetimes_agrees(donations, fitted):
    theirs, (x, t_x, n) = fitted.to_lifetimes(), donations[["frequency", "recency", "periods"]].to_numpy().T
    for ahead in (0, 1, 4):
        alive = theirs.conditional_probability_alive(ahead, x, t_x, n)
        np.testing.assert_allclose(fitted.probability_alive(donations, horizon_days=ahead), alive, rtol=1e-9)
    expected = fitted.expected_purchases(donations, horizon_days=5)
    np.testing.assert_allclose(theirs.predict(5, x, t_x, n), expected, rtol=1e-9)


# Use and misuse ---------------------------------------------------------------------------------------------


def test_scikit_learn_conventions():
    model = BGBB(period_days=365)
    assert model.get_params() == {"period_days": 365}
    assert clone(model).period_days == 365


@pytest.mark.parametrize(
    "ask",
    [
        lambda m, h: m.probability_alive(h),
        lambda m, h: m.expected_purchases(h, horizon_days=9),
        lambda m, h: m.discounted_expected_purchases(h, horizon_days=9, annual_discount_rate=0.1),
        lambda m, h: m.discounted_expected_residual_transactions(h, discount_rate=0.1),
        lambda m, h: m.describe(),
        lambda m, h: m.to_lifetimes(),
        lambda m, h: m.new_customer_distribution(9, 2),
    ],
)
def test_unfitted_model_says_so(ask):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        ask(BGBB(), frame([1], [3], [9]))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (frame([1], [3], [9]).drop(columns="n_periods"), r"missing column 'n_periods'"),
        (frame([1], [3], [9]).drop(columns="recency"), r"missing column 'recency'"),
        (frame([], [], []), "no rows"),
        (frame([1, np.nan, 2, np.inf], 3, 9), r"'frequency': 2 rows refused \(first: 1, 3\); expected a finite"),
        (frame([1, -1], 3, 9), r"'frequency': 1 row refused \(first: 1\).*at least 0"),
        (frame([1, 4], 3, 9), r"'frequency': 1 row refused \(first: 1\); expected at most recency"),
        (frame([1, 2], [3, 10], 9), r"'n_periods': 1 row refused \(first: 1\); expected n_periods of at least rec"),
        (frame([0, 0], [0, 3], 9), r"'recency': 1 row refused.*0 where frequency is 0"),
        (frame([1.5, 1], 3, 9), r"'frequency': 1 row refused.*whole number of opportunities"),
        (frame([1, 1], [30.4, 3], 99), r"'recency': 1 row refused.*not days: divide times by"),
        (frame([1, 1], 30, [1095, 99]), r"'n_periods': 1 row refused.*at most 1000 opportunities.*not days"),
        (frame([1, 1], 3, 9, weight=[1, 0]), r"'weight': 1 row refused.*positive"),
        (frame([1, 1], 3, 9, weights=[-1, 1]), r"'weight': 1 row refused.*positive"),
        (frame(["one", "two"], 3, 9), r"'frequency': expected numbers"),
        (frame([0, 0], 0, 9), r"all 2 rows are 0, which identifies nothing"),
        ([1, 2], "expected a pandas DataFrame, got list"),
    ],
)
def test_fit_refuses_impossible_input(table, message):
    with pytest.raises(DataError, match=message):
        BGBB().fit(table)


def test_predictions_refuse_bad_arguments():
    model, h = with_parameters(1.2, 0.75, 0.66, 2.78, period_days=7), frame([1], [3], [9])
    with pytest.raises(SettingsError, match=r"horizon_days: expected a multiple of period_days = 7.*got 30"):
        model.expected_purchases(h, horizon_days=30)
    with pytest.raises(SettingsError, match="horizon_days: expected a positive number"):
        model.probability_alive(h, horizon_days=-7)
    with pytest.raises(SettingsError, match="discount_rate: expected at least 1e-06 a period"):
        model.discounted_expected_residual_transactions(h, discount_rate=0)
    with pytest.raises(SettingsError, match="annual_discount_rate"):
        model.discounted_expected_purchases(h, horizon_days=7, annual_discount_rate=-1)
    with pytest.raises(SettingsError, match="period_days: expected a positive number of days"):
        with_parameters(1, 1, 1, 1, period_days=0).expected_purchases(h, horizon_days=7)
