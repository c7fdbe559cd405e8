"""The rest of a customer's life: its mean by quadrature, sums and closed forms, its draws by simulated lives."""

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import SettingsError
from loyalty.models.bgbb import BGBB
from loyalty.models.bgnbd import BGNBD
from loyalty.models.cnbd_k import BGCNBDk, MBGCNBDk
from loyalty.models.mbgnbd import MBGNBD
from loyalty.models.nbd import NBD
from loyalty.models.pareto_nbd import ParetoNBD
from loyalty.models.predictions import predict
from loyalty.models.residual import discounted_residual_purchases, sample_residual_purchases
from scipy.integrate import quad

TRUTH = {"r": 0.9, "alpha": 45.0, "a": 0.8, "b": 2.6}
RACE = {"r": 0.9, "alpha": 45.0, "s": 0.8, "beta": 150.0}
DONORS = {"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.78}
THREE = pd.DataFrame({"frequency": [0, 3, 12], "recency": [0, 80, 290], "T": [200, 300, 300]}, index=["c", "a", "b"])
CHANCES = pd.DataFrame({"frequency": [0, 3, 6], "recency": [0, 4, 6], "n_periods": [6, 6, 6]})


def regular(kind):
    """Return a model of regular buyers with k = 2."""
    model = kind(k=2).with_parameters(TRUTH)
    model.k_ = 2
    return model


MODELS = {
    "NBD": (NBD().with_parameters({"r": 0.9, "alpha": 45.0}), THREE),
    "BG/NBD": (BGNBD().with_parameters(TRUTH), THREE),
    "MBG/NBD in weeks": (MBGNBD(time_unit="weeks").with_parameters(TRUTH | {"alpha": 45 / 7}), THREE),
    "Pareto/NBD": (ParetoNBD().with_parameters(RACE), THREE),
    "BG/CNBD-k": (regular(BGCNBDk), THREE),
    "MBG/CNBD-k": (regular(MBGCNBDk), THREE),
    "BG/BB, monthly": (BGBB(period_days=30).with_parameters(DONORS), CHANCES),
    "BG/BB, yearly": (BGBB(period_days=365).with_parameters(DONORS), CHANCES),
}

# The mean ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [BGNBD(), MBGNBD(), BGNBD(time_unit="weeks")], ids=["BG", "MBG", "weeks"])
@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_residual_purchases_agree_with_adaptive_quadrature(model, rate):
    known = model.with_parameters(TRUTH)
    got = discounted_residual_purchases(known, THREE, annual_discount_rate=rate)
    delta = np.log1p(rate) / 365
    for i in range(len(THREE)):
        one = THREE.iloc[[i]]
        expected, _ = quad(
            lambda s, one=one: known.expected_purchases(one, horizon_days=s / delta)[0] * np.exp(-s), 0, 60, limit=200
        )
        assert got[i] == pytest.approx(expected, rel=1e-7)


def test_residual_purchases_are_those_of_an_endless_horizon():
    known = BGNBD().with_parameters(TRUTH)
    endless = known.discounted_expected_purchases(
        THREE, horizon_days=365 * 120, annual_discount_rate=0.2, step_days=1.0
    )
    got = discounted_residual_purchases(known, THREE, annual_discount_rate=0.2)
    np.testing.assert_allclose(got, endless, rtol=1e-4)


@pytest.mark.parametrize("period", [30, 365])
def test_residual_purchases_at_opportunities_by_hand(period):
    """Each opportunity's expectation at its own day; BG/BB refuses days between two of them."""
    known = BGBB(period_days=period).with_parameters(DONORS)
    days = period * np.arange(1, 120 * 365 // period)
    expected = [known.expected_purchases(CHANCES, horizon_days=float(day)) for day in days]
    by_hand = np.diff(expected, axis=0, prepend=0.0).T @ 1.3 ** (-days / 365)
    got = discounted_residual_purchases(known, CHANCES, annual_discount_rate=0.3)
    np.testing.assert_allclose(got, by_hand, rtol=1e-9)


@pytest.mark.parametrize("name", ["BG/NBD", "Pareto/NBD", "BG/BB, yearly"])
@pytest.mark.parametrize("rate", [0.0, -0.1, np.nan, np.inf])
def test_residual_purchases_need_a_discount(name, rate):
    model, people = MODELS[name]
    drawn = pd.DataFrame([model.params_])
    for ask in (
        lambda: discounted_residual_purchases(model, people, annual_discount_rate=rate),
        lambda: sample_residual_purchases(model, people, annual_discount_rate=rate, parameters=drawn),
    ):
        with pytest.raises(SettingsError, match="annual_discount_rate: expected a number above 0"):
            ask()


# Draws ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_draws_of_a_life_have_its_mean(name):
    model, people = MODELS[name]
    many, truth = pd.concat([people] * 4000), pd.DataFrame([model.params_])
    (lives,) = sample_residual_purchases(model, many, annual_discount_rate=0.5, parameters=truth, seed=1)
    drawn = lives.reshape(-1, len(people))
    expected = discounted_residual_purchases(model, people, annual_discount_rate=0.5)
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    # Four standard errors of the draws, and what worths in steps may be off.
    np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - expected), 4 * error + 0.01 * expected)


@pytest.mark.parametrize("name", MODELS)
def test_a_path_ends_where_a_horizon_does_and_never_falls(name):
    model, people = MODELS[name]
    many, truth = pd.concat([people] * 2000), pd.DataFrame([model.params_])
    ends = [30, 60, 360] if name != "BG/BB, yearly" else [365, 730, 3650]
    (path,) = model.sample_paths(many, ends_days=ends, draws=1, seed=2, parameters=truth)
    assert path.shape == (3, len(many))
    assert (np.diff(path, axis=0) >= 0).all()
    for counts, days in zip(path, ends, strict=True):
        drawn = counts.reshape(-1, len(people))
        expected = model.expected_purchases(people, horizon_days=days)
        error = drawn.std(axis=0) / np.sqrt(len(drawn))
        np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - expected), 4.5 * error + 1e-9)
    (alone,) = model.sample_paths(many, ends_days=ends[:1], draws=1, seed=3, parameters=truth)
    (horizon,) = model.sample_purchases(many, horizon_days=ends[0], draws=1, seed=3, parameters=truth)
    np.testing.assert_array_equal(alone[0], horizon)


@pytest.mark.parametrize("ends", [[], [30, 30], [60, 30]])
def test_a_path_needs_times_that_rise(ends):
    model, people = MODELS["NBD"]
    with pytest.raises(SettingsError, match="ends_days: expected times that rise"):
        model.sample_paths(people, ends_days=ends, draws=1, parameters=pd.DataFrame([model.params_]))


# Intervals --------------------------------------------------------------------------------------------------


def lives(truth, n, seed, delta, leaves_at_purchase):
    """Simulate customers purchase by purchase: histories of 300 days, and the worth of all that comes after them."""
    rng, rows, worth = np.random.default_rng(seed), [], []
    while len(rows) < n:
        rate = rng.gamma(truth[0]) / truth[1]
        if leaves_at_purchase:
            allowed, until = rng.geometric(max(rng.beta(*truth[2:]), 1e-12)), np.inf
        else:
            allowed, until = np.inf, rng.exponential() * truth[3] / rng.gamma(truth[2])
        # Five-per-mille of the worth of a purchase is left at the end of 15 years.
        times = np.cumsum(rng.exponential(1 / rate, size=int(min(allowed, 40 + 6000 * rate))))
        times = times[times <= min(until, 300 + 15 * 365)]
        known = times[times <= 300]
        rows.append((known.size, known[-1] if known.size else 0.0, 300.0))
        worth.append(np.exp(-delta * (times[times > 300] - 300)).sum())
    return pd.DataFrame(rows, columns=["frequency", "recency", "T"]), np.array(worth)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [BGNBD, ParetoNBD])
def test_intervals_hold_the_lives_that_come(kind):
    truth = list((TRUTH if kind is BGNBD else RACE).values())
    people, worth = lives(truth, 2500, 5, np.log1p(0.42) / 365, kind is BGNBD)
    told = predict(kind().fit(people), people, horizon_days=90, annual_discount_rate=0.42, seed=1)
    low, high = told["residual_purchases_low"], told["residual_purchases_high"]
    assert (worth > high + 1e-9).mean() == pytest.approx(0.05, abs=0.013)
    # Who may never buy again has a lower end of 0, below which nobody falls.
    sure = low > 0
    assert (worth < low)[sure].mean() == pytest.approx(0.05, abs=0.03)


def test_residual_purchases_come_with_an_interval():
    model = BGNBD().fit(lives(list(TRUTH.values()), 600, 3, 0.001, True)[0])
    told = predict(model, THREE, horizon_days=90, annual_discount_rate=0.1, draws=40, seed=5)
    expected = discounted_residual_purchases(model, THREE, annual_discount_rate=0.1)
    np.testing.assert_array_equal(told["residual_purchases"], expected)
    assert (told["residual_purchases_low"] < expected).all()
    assert (told["residual_purchases_high"] > expected).all()
