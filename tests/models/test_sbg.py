"""Shifted-beta-geometric: published figures, likelihood, what remains of contracts, recovery, bad input.

What it shares with beta-discrete-Weibull, the reading of contracts and the predictions, is tested here.
"""

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.errors import ConvergenceWarning, DataError, SettingsError
from loyalty.models.bdw import BDW, BetaDiscreteWeibull
from loyalty.models.contracts import contracts_from_survival, read_cohort
from loyalty.models.retention import (
    Cohort,
    discounted_survival,
    log_survival,
    retention_rate,
    sbg_log_likelihood,
    simulate_contracts,
)
from loyalty.models.sbg import SBG, ShiftedBetaGeometric
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

# Fader & Hardie (2007), table 1: per cent surviving, years 0-7 to learn from and 8-12 to be tested on.
REGULAR = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1]
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1]
LATER = {"regular": [22.3, 20.7, 19.4, 18.3, 17.3], "high_end": [46.8, 44.5, 42.7, 40.9, 39.4]}
MODELS = [ShiftedBetaGeometric, BetaDiscreteWeibull]


def with_parameters(*values, model=ShiftedBetaGeometric):
    """Return a model that holds given parameters without error."""
    made, names = model(), list(model._names)
    made.params_ = pd.Series(values, index=names, dtype=float)
    made.covariance_ = pd.DataFrame(0.0, index=names, columns=names)
    made.standard_errors_ = pd.Series(0.0, index=names)
    return made


def active(*periods, **more):
    return pd.DataFrame({"periods": periods, **more})


@pytest.fixture(scope="module")
def regular():
    return ShiftedBetaGeometric().fit(contracts_from_survival(REGULAR, customers=1000))


@pytest.fixture(scope="module")
def high_end():
    return ShiftedBetaGeometric().fit(contracts_from_survival(HIGH_END, customers=1000))


# Published figures ------------------------------------------------------------------------------------------


def test_published_estimates(regular, high_end):
    """Recomputed for this project with SciPy, 1,000 customers each."""
    for model, alpha, beta, value in ((regular, 0.704, 1.182, -1680.27), (high_end, 0.668, 3.806, -1611.16)):
        np.testing.assert_allclose(model.params_, [alpha, beta], atol=5e-4, rtol=0)
        assert model.log_likelihood_ == pytest.approx(value, abs=5e-3)
        assert model.aic_ == pytest.approx(4 - 2 * value, abs=0.01)
        assert model.n_customers_ == pytest.approx(1000)
        assert (model.converged_, model.undetermined_) == (True, ())


def test_projection_of_the_years_after(regular, high_end):
    """Actual survival in years 8-12 of the paper: the projection misses by under 1.7 points."""
    for model, key in ((regular, "regular"), (high_end, "high_end")):
        assert np.abs(100 * model.survival(12)[8:] - LATER[key]).max() < 1.7


# Likelihood and gradient ------------------------------------------------------------------------------------


COHORT = Cohort(np.arange(1.0, 6), np.array([5.0, 3, 4, 0, 1]), np.array([40.0, 30, 20, 20, 2]))


def exact_log_likelihood(cohort, alpha, beta, c=1):
    """The sum of log P(T = t) and log S(t) as printed, of customers who left and who were last seen at t."""

    def survival(t):
        return mp.beta(alpha, beta + mp.mpf(int(t)) ** c) / mp.beta(alpha, beta) if t else mp.mpf(1)

    value = mp.mpf(0)
    for t, lost, kept in zip(*(map(float, column) for column in cohort), strict=True):
        stays = survival(t) / survival(t - 1)
        value += mp.mpf(lost) * mp.log(1 - stays) + mp.mpf(kept) * mp.log(stays)
    return value


@pytest.mark.parametrize("point", [(0.7, 1.2), (1e-3, 40), (300, 900), (2e7, 3e7), (5, 1e-4)])
def test_likelihood_and_gradient_against_high_precision(point):
    value, gradient = sbg_log_likelihood(COHORT)(np.array(point, dtype=float))
    with mp.workdps(60):
        exact = [mp.mpf(str(p)) for p in point]
        assert value == pytest.approx(float(exact_log_likelihood(COHORT, *exact)), rel=1e-12)
        for i in range(2):
            step = [mp.mpf(10) ** -25 * (i == k) for k in range(2)]
            up, down = (
                exact_log_likelihood(COHORT, *(p + sign * s for p, s in zip(exact, step, strict=True)))
                for sign in (1, -1)
            )
            assert gradient[i] == pytest.approx(float((up - down) / (2 * step[i])), rel=1e-8, abs=1e-12)


@given(rows=st.lists(st.tuples(st.integers(1, 8), st.booleans(), st.integers(1, 5)), min_size=1, max_size=25))
@settings(max_examples=60, deadline=None)
def test_cohort_is_counted_customer_by_customer(rows):
    """A second route: every customer walks to the end; weights are repeated rows."""
    rows = [*rows, (1, True, 1), (2, False, 1)]
    lost, kept = np.zeros(9), np.zeros(9)
    for periods, churned, weight in rows:
        for _ in range(weight):
            for t in range(1, periods + 1):
                (lost if churned and t == periods else kept)[t] += 1
    cohort = read_cohort(pd.DataFrame(rows, columns=["periods", "churned", "weight"]))
    last = int(cohort.t[-1])
    np.testing.assert_allclose(cohort.lost, lost[1 : last + 1])
    np.testing.assert_allclose(cohort.kept, kept[1 : last + 1])


def test_likelihood_of_customers_is_that_of_the_cohort(regular):
    contracts = contracts_from_survival(REGULAR, customers=1000)
    alpha, beta = regular.params_
    surviving = np.exp(log_survival(alpha, beta, np.arange(8)))
    leaves, stays = -np.log(surviving[:-1] - surviving[1:]), -np.log(surviving)
    by_row = np.where(contracts["churned"], leaves[contracts["periods"] - 1], stays[contracts["periods"]])
    assert regular.log_likelihood_ == pytest.approx(-(by_row @ contracts["weight"]), rel=1e-12)


# Fit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_fit_does_not_depend_on_order_or_grouping(model):
    people = simulate_contracts(0.8, 2, np.random.default_rng(1).integers(1, 9, 4000), c=1.2, seed=2)
    cells = people.groupby(["periods", "churned"], as_index=False).size().rename(columns={"size": "weight"})
    one, other = model().fit(people.sample(frac=1, random_state=3)), model().fit(cells)
    np.testing.assert_allclose(one.params_, other.params_, rtol=1e-7)
    np.testing.assert_allclose(one.standard_errors_, other.standard_errors_, rtol=1e-6)


def test_standard_errors_against_the_exact_hessian(regular):
    cohort = read_cohort(contracts_from_survival(REGULAR, customers=1000))
    with mp.workdps(40):
        point = [mp.mpf(str(p)) for p in regular.params_]
        hessian = [
            [float(mp.diff(lambda a, b: exact_log_likelihood(cohort, a, b), point, (2 - i - j, i + j))) for i in (0, 1)]
            for j in (0, 1)
        ]
    errors = np.sqrt(np.diag(np.linalg.inv(-np.array(hessian))))
    np.testing.assert_allclose(regular.standard_errors_, errors, rtol=1e-5)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("surviving", "open_"),
    [
        ([100, 60], {"alpha", "beta"}),  # one period tells the mean only
        ([100, 80, 64, 51.2, 40.96, 32.768], {"alpha", "beta"}),  # all alike
        ([100, 60, 60, 60], {"alpha", "beta"}),  # who stays once stays for ever
    ],
)
def test_what_data_leaves_open_is_told(model, surviving, open_):
    contracts = contracts_from_survival(surviving, customers=1000)
    with pytest.warns(ConvergenceWarning, match=r"does not determine .*likelihood is flat"):
        fitted = model().fit(contracts)
    assert open_ <= set(fitted.undetermined_)
    assert fitted.standard_errors_[list(open_)].isna().all()
    np.testing.assert_allclose(fitted.survival(len(surviving) - 1), np.array(surviving) / 100, atol=1e-4)


@pytest.mark.filterwarnings("ignore::loyalty.errors.ConvergenceWarning")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("case", ["five", "millions", "long", "ages"])
def test_fit_stays_finite_on_awkward_data(model, case):
    watched = {"five": [4] * 5, "long": [1000] * 400, "ages": np.arange(1, 500), "millions": [6] * 300}[case]
    people = simulate_contracts(0.5, 6, watched, seed=7)
    people["weight"] = 3_000_000 if case == "millions" else 1
    fitted = model().fit(people)
    assert np.isfinite([fitted.log_likelihood_, *fitted.params_]).all()
    rates = fitted.retention_rate(100)
    assert ((rates > 0) & (rates <= 1)).all()
    objective = fitted._objective(read_cohort(people))
    for start in ((0.5, 2, 0.7), (20, 300, 1), (0.1, 0.1, 2)):
        assert fitted.log_likelihood_ >= objective(np.array(start[: len(fitted.params_)], dtype=float))[0] - 1e-6


@pytest.mark.slow
def test_recovery_and_coverage_of_intervals():
    """200 data sets: 90 % intervals of the parameters, and of how many leave at the next opportunity."""
    truth, covered, estimates, counted = np.array([0.8, 2.0]), [], [], []
    for seed in range(200):
        people = simulate_contracts(*truth, [8] * 3000, seed=seed)
        known = people.assign(churned=people["churned"] & (people["periods"] <= 7))
        known["periods"] = people["periods"].clip(upper=7)
        model = ShiftedBetaGeometric().fit(known)
        table = model.summary()
        covered.append((table["low_90"] < truth) & (truth < table["high_90"]))
        estimates.append(model.params_)
        told = model.churners(known[~known["churned"]], draws=400, seed=seed)
        counted.append(told["low"] <= (people["churned"] & (people["periods"] == 8)).sum() <= told["high"])
    share = pd.DataFrame(covered).mean()
    assert share.between(0.86, 0.94).all(), share
    assert 0.86 <= np.mean(counted) <= 0.94, np.mean(counted)
    np.testing.assert_allclose(np.median(estimates, axis=0), truth, rtol=0.05)


# Predictions ------------------------------------------------------------------------------------------------


def test_retention_of_a_cohort_by_hand():
    """The recursion of Fader & Hardie (2007): r(t) = (beta + t - 1) / (alpha + beta + t - 1)."""
    model = with_parameters(0.7, 1.2)
    rates = [(1.2 + t - 1) / (1.9 + t - 1) for t in range(1, 7)]
    np.testing.assert_allclose(model.retention_rate(6), rates, rtol=1e-13)
    np.testing.assert_allclose(model.survival(6), np.concatenate([[1], np.cumprod(rates)]), rtol=1e-13)
    ahead = model.conditional_survival(active(0, 3, 3), horizon=3)
    np.testing.assert_allclose(ahead[0], np.cumprod(rates[:3]), rtol=1e-13)
    np.testing.assert_allclose(ahead[[1, 2]], [np.cumprod(rates[3:])] * 2, rtol=1e-13)
    np.testing.assert_allclose(model.probability_of_churn(active(3, 5)), [1 - rates[3], 1 - rates[5]], rtol=1e-12)
    np.testing.assert_allclose(model.probability_of_churn(active(3), horizon=3), 1 - ahead[1, 2], rtol=1e-12)
    np.testing.assert_allclose(model.expected_renewals(active(3, 0), horizon=3), ahead[[1, 0]].sum(axis=1), rtol=1e-13)


@pytest.mark.parametrize("rate", [0.001, 0.1, 1.5])
@pytest.mark.parametrize("point", [(0.7, 1.2), (1.0, 0.01), (3.0, 0.01), (1e-4, 5), (40, 90)])
def test_discounted_lifetime_against_the_closed_form(point, rate):
    """mpmath's 2F1. SciPy's is negative at alpha = 1, beta = .01 and a rate of .001."""
    alpha, beta = point
    renewed = np.array([0.0, 2.0, 30.0])
    got = with_parameters(alpha, beta).discounted_expected_renewals(active(0, 2, 30), discount_rate=rate)
    with mp.workdps(30):
        z = 1 / (1 + mp.mpf(str(rate)))
        for n, value in zip(renewed, got, strict=True):
            b, total = mp.mpf(str(beta)) + n, mp.mpf(str(alpha)) + mp.mpf(str(beta)) + n
            # The 2F1 has a removable singularity at whole alpha; its neighbour is as good as it.
            want = z * b / total * mp.hyp2f1(1, b + 1, total + 1 + mp.mpf(10) ** -20, z)
            assert value == pytest.approx(float(want), rel=1e-8)


def test_value_of_contracts_by_hand():
    model = with_parameters(0.7, 1.2)
    ahead = model.conditional_survival(active(2), horizon=400)[0]
    later = 1.1 ** -np.arange(1.0, 401)
    lifetime = model.discounted_expected_renewals(active(2), discount_rate=0.1)[0]
    assert lifetime == pytest.approx(ahead @ later, rel=1e-9)
    due = model.discounted_expected_renewals(active(2), discount_rate=0.1, until_next=0.0)[0]
    half = model.discounted_expected_renewals(active(2), discount_rate=0.1, until_next=0.5)[0]
    assert due == pytest.approx(1.1 * lifetime)
    assert half == pytest.approx(1.1**0.5 * lifetime)
    value = model.customer_lifetime_value(active(2), payment=120, discount_rate=0.1, until_next=0.5)[0]
    assert value == pytest.approx(120 * half)


@pytest.mark.parametrize("c", [1.0, 0.6, 1.7])
def test_predictions_against_simulated_truth(c):
    alpha, beta, n = 0.8, 2.0, 200_000
    model = with_parameters(alpha, beta, c, model=BetaDiscreteWeibull)
    people = simulate_contracts(alpha, beta, [12] * n, c=c, seed=3)
    lived = people["periods"] - people["churned"]  # renewals made
    surviving = np.array([(lived >= t).mean() for t in range(13)])
    np.testing.assert_allclose(model.survival(12), surviving, atol=4 * np.sqrt(0.25 / n))
    there = lived[lived >= 4] - 4
    for horizon in (1, 8):
        made = np.minimum(there, horizon)
        tolerance = 4 * made.std() / np.sqrt(there.size)
        assert model.expected_renewals(active(4), horizon=horizon)[0] == pytest.approx(made.mean(), abs=tolerance)
        left = (there < horizon).mean()
        assert model.probability_of_churn(active(4), horizon=horizon)[0] == pytest.approx(left, abs=tolerance + 4e-3)
    assert people["dropout"].mean() == pytest.approx(alpha / (alpha + beta), abs=4e-3)


def test_sampled_renewals_follow_survival():
    model = with_parameters(0.8, 2.0)
    contracts = active(*[0] * 500, *[6] * 500)
    made = np.stack(list(model.sample_renewals(contracts, horizon=4, draws=80, seed=1)))
    assert made.shape == (80, 1000)
    shares = np.stack([(made >= k).mean(axis=0).reshape(2, 500).mean(axis=1) for k in range(1, 5)], axis=1)
    want = model.conditional_survival(active(0, 6), horizon=4)
    np.testing.assert_allclose(shares, want, atol=4 * np.sqrt(0.25 / 40_000))
    again = np.stack(list(model.sample_renewals(contracts, horizon=4, draws=80, seed=1)))
    np.testing.assert_array_equal(made, again)


def test_interval_of_the_score_holds_what_parameters_may_be(regular):
    """Its width is that of the delta method, worked out by hand for the first renewal: alpha / (alpha + beta)."""
    (alpha, beta), covariance = regular.params_, regular.covariance_.to_numpy()
    slope = np.array([beta, -alpha]) / (alpha + beta) ** 2
    error = np.sqrt(slope @ covariance @ slope)
    table = regular.probability_of_churn_interval(active(0, 5).set_axis(["new", "old"]), draws=20_000, seed=1)
    assert list(table.index) == ["new", "old"]
    half = 1.645 * error
    np.testing.assert_allclose(
        table.loc["new"], [alpha / (alpha + beta) - half, alpha / (alpha + beta) + half], atol=0.05 * half
    )


def test_count_of_those_who_leave_holds_chance_and_parameters(regular):
    contracts = active(1, 4, weight=[300, 700])
    told = regular.churners(contracts, draws=4000, seed=1)
    chance = regular.probability_of_churn(contracts)
    assert told["expected"] == pytest.approx(300 * chance[0] + 700 * chance[1])
    same = with_parameters(*regular.params_).churners(contracts, draws=4000, seed=1)
    by_chance = 1.645 * np.sqrt((chance * (1 - chance)) @ contracts["weight"])
    assert same["high"] - same["low"] == pytest.approx(2 * by_chance, rel=0.06)
    assert told["high"] - told["low"] > 1.05 * (same["high"] - same["low"])


def test_simulating_the_fitted_model(high_end):
    people = high_end.simulate(50_000, 7, seed=1)
    again = ShiftedBetaGeometric().fit(people)
    assert (np.abs(again.params_ - high_end.params_) < 4 * again.standard_errors_).all()
    assert people["periods"].between(1, 7).all()


def test_what_the_estimates_say(regular):
    assert regular.describe() == (
        "At the first opportunity 37 % leave, at the fifth 12 % of those who face it, and half have left after 2."
    )
    assert "half have left" not in with_parameters(1e-4, 5).describe()


def test_retention_of_sure_and_hopeless_customers_stays_a_probability():
    for alpha, beta in ((1e-8, 1e8), (1e8, 1e-8), (1e9, 1e9), (1e-8, 1e-8)):
        for c in (1e-6, 1.0, 40.0):
            rates = retention_rate(alpha, beta, np.arange(1, 60), c)
            assert ((rates >= 0) & (rates <= 1)).all()
            assert np.isfinite(discounted_survival(alpha, beta, np.array([0.0, 9.0]), 0.05, c)).all()


# Contracts --------------------------------------------------------------------------------------------------


def test_survival_tables_of_counts_shares_and_per_cent_are_one():
    counts = contracts_from_survival([1000, 631, 468])
    for other in ([1, 0.631, 0.468], [100, 63.1, 46.8]):
        pd.testing.assert_frame_equal(contracts_from_survival(other, customers=1000), counts)
    assert counts["weight"].sum() == 1000
    assert contracts_from_survival([10, 10, 0]).to_dict("list") == {"periods": [2], "churned": [True], "weight": [10.0]}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([100], "expected values after 0, 1, … opportunities"),
        ([[100, 60]], "expected values after 0, 1, … opportunities"),
        ([100, np.nan], "finite numbers"),
        ([100, -1], "finite numbers of at least 0"),
        ([0, 0], "the first of them positive"),
        ([100, 60, 61], "no growth, got more at opportunity 2 than before"),
    ],
)
def test_impossible_survival_tables_are_refused(table, message):
    with pytest.raises(DataError, match=message):
        contracts_from_survival(table)


def test_customers_of_a_survival_table_are_a_positive_number():
    with pytest.raises(SettingsError, match="customers: expected a positive number, got 0"):
        contracts_from_survival([100, 60], customers=0)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("table", "message"),
    [
        (active(1, 2), "contracts: missing column 'churned'; expected periods, churned"),
        (active(churned=[]), "contracts: no rows"),
        (active(1, np.nan, churned=[True, False]), r"'periods': 1 row refused \(first: 1\); expected a finite"),
        (active(1, -2, churned=[True, False]), r"'periods': 1 row refused.*at least 0"),
        (active(1.5, 2, churned=[True, False]), r"'periods': 1 row refused.*whole number of opportunities"),
        (active(1, 1400, churned=[True, False]), r"'periods': 1 row refused.*at most 1000 opportunities.*not days"),
        (active(0, 2, churned=[True, False]), r"'periods': 1 row refused.*nobody leaves before the first"),
        (active(1, 2, churned=[True, np.nan]), r"'churned': 1 row refused.*true or false"),
        (active(1, 2, churned=[1, 2]), r"'churned': 1 row refused.*true or false"),
        (active(1, 2, churned=["yes", "no"]), r"'churned': expected numbers"),
        (active(1, 2, churned=[True, False], weight=[1, 0]), r"'weight': 1 row refused.*positive"),
        (active(3, 2, churned=[False, False]), "nobody has left, which identifies nothing"),
        (active(1, 0, churned=[True, False]), "nobody in 2 rows has renewed, which identifies nothing"),
        ([1, 2], "contracts: expected a pandas DataFrame, got list"),
    ],
)
def test_fit_refuses_impossible_contracts(model, table, message):
    with pytest.raises(DataError, match=message):
        model().fit(table)


def test_predictions_refuse_customers_who_have_left_and_bad_arguments():
    model = with_parameters(0.8, 2)
    with pytest.raises(
        DataError, match=r"'churned': 1 row refused \(first: 1\); expected only customers who are still"
    ):
        model.probability_of_churn(active(1, 2, churned=[False, True]))
    for horizon in (0, -1, 1.5):
        with pytest.raises(SettingsError, match="horizon: expected a positive whole number"):
            model.conditional_survival(active(1), horizon=horizon)
    with pytest.raises(SettingsError, match="periods: expected a positive whole number"):
        model.retention_rate(0)
    with pytest.raises(SettingsError, match="discount_rate: expected at least"):
        model.discounted_expected_renewals(active(1), discount_rate=0)
    with pytest.raises(SettingsError, match="until_next: expected a part of a period"):
        model.discounted_expected_renewals(active(1), discount_rate=0.1, until_next=2)
    with pytest.raises(SettingsError, match="payment: expected a finite amount"):
        model.customer_lifetime_value(active(1), payment=np.nan, discount_rate=0.1)
    with pytest.raises(SettingsError, match="level: expected a probability"):
        model.churners(active(1), level=1)
    with pytest.raises(SettingsError, match="draws: expected a positive whole number"):
        model.probability_of_churn_interval(active(1), draws=0)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "ask",
    [
        lambda m: m.retention_rate(3),
        lambda m: m.probability_of_churn(active(1)),
        lambda m: m.probability_of_churn_interval(active(1)),
        lambda m: m.churners(active(1)),
        lambda m: m.sample_renewals(active(1), horizon=2, draws=2),
        lambda m: m.customer_lifetime_value(active(1), payment=1, discount_rate=0.1),
        lambda m: m.simulate(3, 3),
        lambda m: m.describe(),
        lambda m: m.summary(),
    ],
)
def test_unfitted_model_says_so(model, ask):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        ask(model())


def test_scikit_learn_conventions():
    assert SBG().get_params() == {}
    assert isinstance(clone(BDW()), BetaDiscreteWeibull)
