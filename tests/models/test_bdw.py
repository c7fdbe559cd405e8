"""Beta-discrete-Weibull: what it adds to the shifted-beta-geometric model, see test_sbg.py for what they share."""

from itertools import product

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from loyalty.errors import ConvergenceWarning
from loyalty.models.bdw import BetaDiscreteWeibull
from loyalty.models.beta_ratio import log_beta_ratio, psi_step
from loyalty.models.contracts import contracts_from_survival
from loyalty.models.fitting import LOG_BOUNDS
from loyalty.models.retention import (
    Cohort,
    bdw_log_likelihood,
    discounted_survival,
    log_survival,
    sbg_log_likelihood,
    simulate_contracts,
)
from loyalty.models.sbg import ShiftedBetaGeometric

# Fader & Hardie (2007), table 1, 'High End': per cent surviving in years 0-7, and in 8-12.
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1]
HIGH_END_LATER = [46.8, 44.5, 42.7, 40.9, 39.4]
COHORT = Cohort(np.arange(1.0, 6), np.array([5.0, 3, 4, 0, 1]), np.array([40.0, 30, 20, 20, 2]))
POINTS = [(0.7, 1.2, 1.0), (0.2, 1.4, 1.7), (0.02, 40, 0.4), (300, 900, 1.3), (2e7, 3e7, 0.8), (5, 1e-4, 3), (2, 3, 60)]


def exact_log_likelihood(alpha, beta, c):
    def survival(t):
        return mp.beta(alpha, beta + mp.mpf(int(t)) ** c) / mp.beta(alpha, beta) if t else mp.mpf(1)

    value = mp.mpf(0)
    for t, lost, kept in zip(*(map(float, column) for column in COHORT), strict=True):
        stays = survival(t) / survival(t - 1)
        value += mp.mpf(lost) * mp.log(1 - stays) + mp.mpf(kept) * mp.log(stays)
    return value


@pytest.mark.parametrize("point", POINTS)
def test_likelihood_and_gradient_against_high_precision(point):
    value, gradient = bdw_log_likelihood(COHORT)(np.array(point, dtype=float))
    with mp.workdps(80):
        exact = [mp.mpf(str(p)) for p in point]
        assert value == pytest.approx(float(exact_log_likelihood(*exact)), rel=1e-11)
        for i in range(3):
            step = [mp.mpf(10) ** -30 * (i == k) for k in range(3)]
            up, down = (
                exact_log_likelihood(*(p + sign * s for p, s in zip(exact, step, strict=True))) for sign in (1, -1)
            )
            want = float((up - down) / (2 * step[i]))
            assert gradient[i] * point[i] == pytest.approx(want * point[i], rel=1e-7, abs=1e-7)


def test_ratio_of_betas_against_high_precision():
    values = [1e-7, 0.3, 1, 14, 16, 900, 1e9]
    with mp.workdps(60):
        for a in values:
            for b in values:
                for s in (1e-3, 1, 7, 1000, 1e8):
                    z, w, t = mp.mpf(a), mp.mpf(b), mp.mpf(s)
                    want = mp.loggamma(w + t) - mp.loggamma(w) + mp.loggamma(z + w) - mp.loggamma(z + w + t)
                    rounding = 1e-15 * min(a, s) * np.log(b + a + s) + 1e-14
                    assert float(log_beta_ratio(a, b, s)) == pytest.approx(float(want), rel=1e-12, abs=rounding)
                step = float(psi_step(np.array(b), np.array(a)))
                assert step == pytest.approx(float(mp.digamma(mp.mpf(b) + mp.mpf(a)) - mp.digamma(b)), rel=1e-7)


@pytest.mark.parametrize("customers", [1, 1e9])
def test_likelihood_is_finite_wherever_the_search_may_step(customers):
    """Overflow warns, and warnings are errors here; zero or infinite retention is at the ends of the range."""
    objective = bdw_log_likelihood(COHORT._replace(lost=COHORT.lost * customers, kept=COHORT.kept * customers))
    ends = np.exp([*LOG_BOUNDS, -8, 0, 8, 15])
    for point in product(ends, repeat=3):
        value, gradient = objective(np.array(point))
        assert np.isfinite([value, *gradient]).all(), point


def test_contracts_that_nearly_all_last_for_thirty_years():
    """On its way the search tries parameters with which nobody would stay; there an exponential overflowed."""
    with pytest.warns(ConvergenceWarning, match="does not determine"):
        model = BetaDiscreteWeibull().fit(contracts_from_survival([100] * 31 + [90], customers=1000))
    assert np.isfinite([model.log_likelihood_, *model.params_]).all()
    assert model.survival(31)[10] > 0.999
    assert model.survival(31)[31] == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("point", [(0.7, 1.2), (300, 900), (1e-3, 40)])
def test_c_of_one_is_the_shifted_beta_geometric(point):
    alpha, beta = point
    one, gradient = bdw_log_likelihood(COHORT)(np.array([alpha, beta, 1.0]))
    other, slopes = sbg_log_likelihood(COHORT)(np.array([alpha, beta]))
    assert one == pytest.approx(other, rel=1e-12)
    np.testing.assert_allclose(gradient[:2], slopes, rtol=1e-7)
    t = np.arange(30)
    same = np.cumsum(np.log((beta + t) / (alpha + beta + t)))
    np.testing.assert_allclose(log_survival(alpha, beta, t + 1, 1.0), same, rtol=1e-11)


def test_high_end_customers_fit_and_project_better():
    """The dip of the first years, which shifted-beta-geometric cannot follow (Fader et al. 2018)."""
    contracts = contracts_from_survival(HIGH_END, customers=1000)
    plain, fitted = ShiftedBetaGeometric().fit(contracts), BetaDiscreteWeibull().fit(contracts)
    assert fitted.log_likelihood_ > plain.log_likelihood_ + 5
    assert fitted.aic_ < plain.aic_
    assert fitted.summary().loc["c", "low_90"] > 1
    miss, plain_miss = (np.abs(100 * m.survival(12)[8:] - HIGH_END_LATER).max() for m in (fitted, plain))
    assert miss < 1.1 < plain_miss
    assert "With every renewal a customer becomes more likely to leave (c = 1.72)." in fitted.describe()


@pytest.mark.parametrize("c", [0.6, 1.8])
def test_duration_dependence_is_found_and_beats_the_plain_model(c):
    people = simulate_contracts(0.8, 2.0, [12] * 20_000, c=c, seed=4)
    plain, fitted = ShiftedBetaGeometric().fit(people), BetaDiscreteWeibull().fit(people)
    assert (np.abs(fitted.params_ - [0.8, 2.0, c]) < 3.5 * fitted.standard_errors_).all()
    assert fitted.log_likelihood_ > plain.log_likelihood_ + 20
    assert ("less likely" in fitted.describe()) == (c < 1)


def test_without_duration_dependence_it_gains_nothing():
    people = simulate_contracts(0.8, 2.0, [12] * 20_000, seed=5)
    plain, fitted = ShiftedBetaGeometric().fit(people), BetaDiscreteWeibull().fit(people)
    assert 0 <= fitted.log_likelihood_ - plain.log_likelihood_ < 4
    assert fitted.bic_ > plain.bic_


@pytest.mark.parametrize("surviving", [[100, 60], [100, 60, 45]])
def test_two_periods_do_not_tell_three_parameters(surviving):
    with pytest.warns(ConvergenceWarning, match="BetaDiscreteWeibull: the data does not determine .*c = "):
        model = BetaDiscreteWeibull().fit(contracts_from_survival(surviving, customers=1000))
    assert "c" in model.undetermined_


@pytest.mark.parametrize("c", [0.5, 1.0, 2.5])
def test_discounted_lifetime_against_a_plain_sum(c):
    alpha, beta, rate = 0.4, 1.5, 0.05
    i = np.arange(1, 3000)
    renewed = np.array([7.0, 0.0, 3.0])
    got = discounted_survival(alpha, beta, renewed, rate, c)
    for n, value in zip(renewed, got, strict=True):
        stays = np.exp(log_survival(alpha, beta, n + i, c) - log_survival(alpha, beta, n, c))
        assert value == pytest.approx(stays @ (1 + rate) ** -i.astype(float), rel=1e-9)


def test_a_customer_one_by_one_follows_the_story():
    """Leaves at t with the hazard 1 - (1 - theta) to the power of t^c - (t - 1)^c."""
    rng, alpha, beta, c, n = np.random.default_rng(3), 0.8, 2.0, 1.5, 20_000
    ends = []
    for _ in range(n):
        stay, t = 1 - rng.beta(alpha, beta), 1
        while t <= 5 and rng.random() < stay ** (t**c - (t - 1) ** c):
            t += 1
        ends.append(t)  # 6: renewed five times
    drawn = simulate_contracts(alpha, beta, [5] * 200_000, c=c, seed=1)
    shares = np.bincount(np.where(drawn["churned"], drawn["periods"], 6), minlength=7) / 200_000
    np.testing.assert_allclose(np.bincount(ends, minlength=7) / n, shares, atol=4 * np.sqrt(0.25 / n))


@pytest.mark.slow
def test_recovery_and_coverage_of_intervals():
    """200 data sets: 90 % intervals of the parameters, and of how many leave at the next opportunity.

    800 of them gave 90.0, 89.6 and 89.8 % for the three parameters.
    """
    truth, covered, estimates, counted = np.array([0.8, 2.0, 1.4]), [], [], []
    for seed in range(1000, 1200):
        people = simulate_contracts(*truth[:2], [9] * 4000, c=truth[2], seed=seed)
        known = people.assign(churned=people["churned"] & (people["periods"] <= 8))
        known["periods"] = people["periods"].clip(upper=8)
        model = BetaDiscreteWeibull().fit(known)
        table = model.summary()
        covered.append((table["low_90"] < truth) & (truth < table["high_90"]))
        estimates.append(model.params_)
        told = model.churners(known[~known["churned"]], draws=300, seed=seed)
        counted.append(told["low"] <= (people["churned"] & (people["periods"] == 9)).sum() <= told["high"])
    share = pd.DataFrame(covered).mean()
    assert share.between(0.86, 0.94).all(), share
    assert 0.86 <= np.mean(counted) <= 0.94, np.mean(counted)
    np.testing.assert_allclose(np.median(estimates, axis=0), truth, rtol=0.05)
