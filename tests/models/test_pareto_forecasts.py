"""What an active Pareto/NBD customer will do: high precision, quadrature and simulated truth."""

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from loyalty.errors import SettingsError
from loyalty.models.pareto_forecasts import (
    discounted_residual_purchases_while_alive,
    draw_while_alive,
    expected_purchases_while_alive,
    purchase_distribution_while_alive,
    simulate_histories,
)
from loyalty.models.pareto_nbd import ParetoNBD
from loyalty.models.predictions import discounted_residual_purchases

TRUTH = (0.9, 20.0, 0.8, 60.0)


def holding(*values):
    """Return a model that holds given parameters."""
    return ParetoNBD().with_parameters(dict(zip(("r", "alpha", "s", "beta"), values, strict=True)))


def frame(x, t_x, T):
    """Build histories in days."""
    return pd.DataFrame({"frequency": x, "recency": t_x, "T": T})


# Expectation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("s", ["0.01", "0.61", "0.99999999", "1", "1.00000001", "3", "900"])
@pytest.mark.parametrize(("x", "T", "t"), [(0, 0, 52), (26, 31, 52), (10_000, 1095, 365), (3, 40, "1e-6")])
def test_expectation_against_high_precision(s, x, T, t):
    got = expected_purchases_while_alive(0.55, 10.6, float(s), 11.7, np.array([x]), np.array([T]), float(t))[0]
    with mp.workdps(40):
        r, alpha, beta = (mp.mpf(v) for v in ("0.55", "10.6", "11.7"))
        lasting = mp.quad(lambda u: ((beta + T) / (beta + T + u)) ** mp.mpf(s), [0, mp.mpf(t) / 2, mp.mpf(t)])
        assert got == pytest.approx(float((r + x) / (alpha + T) * lasting), rel=1e-11)


def test_expectation_of_a_whole_life_is_bounded_by_the_rate():
    x, T = np.array([0.0, 10_000.0]), np.array([0.0, 1095.0])
    for s in (1e-8, 1.0, 1e8):
        got = expected_purchases_while_alive(0.5, 10, s, 100, x, T, 36_500.0)
        assert (np.isfinite(got) & (got > 0) & (got <= (0.5 + x) / (10 + T) * 36_500 * (1 + 1e-12))).all()


# Distribution -----------------------------------------------------------------------------------------------


def exact_probability(r, alpha, s, beta, x, T, t, j):
    """Average a negative binomial over the time of leaving, in high precision."""
    c, a, b = mp.mpf(r) + x, mp.mpf(alpha) + T, mp.mpf(beta) + T
    choices = mp.rf(c, j) / mp.factorial(j)

    def count(u):
        return choices * (a / (a + u)) ** c * (u / (a + u)) ** j

    def leaving(u):
        return s / (b + u) * (b / (b + u)) ** s * count(u)

    peak = mp.mpf(j) * a / c
    edges = sorted({mp.mpf(0), *(min(mp.mpf(t), peak * share) for share in (0.5, 0.8, 1, 1.2, 2, 8)), mp.mpf(t)})
    return (b / (b + t)) ** s * count(mp.mpf(t)) + mp.quad(leaving, edges)


@pytest.mark.parametrize(
    "parameters", [(0.55, 10.6, 0.61, 11.7), (2, 300, 3, 0.5), (0.05, 3, 0.02, 500), (40, 4, 90, 9)]
)
@pytest.mark.parametrize(("x", "T", "t"), [(0, 0, 52), (26, 31, 52), (2000, 1095, 30), (2, 400, 3000)])
def test_distribution_against_high_precision(parameters, x, T, t):
    got = purchase_distribution_while_alive(*parameters, np.array([float(x)]), np.array([float(T)]), t, 60)[0]
    with mp.workdps(25):
        for j in (0, 1, 2, 9, 60):
            exact = float(exact_probability(*parameters, x, T, t, j))
            assert got[j] == pytest.approx(exact, rel=1e-9, abs=1e-14)


def test_expectation_is_the_mean_of_the_distribution():
    model = holding(*TRUTH)
    h = frame([0, 1, 4, 12, 90], [0, 20, 100, 140, 150], [150] * 5)
    table = model.purchase_distribution(h, horizon_days=90, n=400)
    np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-10)
    np.testing.assert_allclose(table @ np.arange(401), model.expected_purchases(h, horizon_days=90), rtol=1e-8)
    np.testing.assert_allclose(table[:, 0], model.probability_of_no_purchase(h, horizon_days=90), rtol=1e-13)


def test_a_thousand_purchases_have_a_distribution():
    x, T = np.array([0.0, 3000.0]), np.array([5.0, 300.0])
    table = purchase_distribution_while_alive(0.5, 10, 0.8, 60, x, T, 90, 1500)
    mean = expected_purchases_while_alive(0.5, 10, 0.8, 60, x, T, 90)
    assert table[1].sum() == pytest.approx(1, abs=1e-10)
    assert table[1] @ np.arange(1501) == pytest.approx(mean[1], rel=1e-9)
    assert (table >= 0).all()


def test_no_purchase_in_no_time():
    x, T = np.array([0.0, 5.0, 10_000.0]), np.array([0.0, 50.0, 1095.0])
    table = purchase_distribution_while_alive(0.5, 10, 0.8, 60, x, T, 1e-9, 1)
    np.testing.assert_allclose(table[:, 0], 1, atol=1e-7)
    np.testing.assert_allclose(table[:, 1], (0.5 + x) / (10 + T) * 1e-9, rtol=1e-6)


def test_parameters_of_a_row_of_its_own():
    rng = np.random.default_rng(2)
    own = [rng.uniform(0.5, 1.5, 6) * centre for centre in TRUTH]
    x, T = np.array([0.0, 1, 2, 5, 9, 40]), np.linspace(10, 300, 6)
    table = purchase_distribution_while_alive(*own, x, T, 90, 4)
    mean = expected_purchases_while_alive(*own, x, T, 90)
    rest = discounted_residual_purchases_while_alive(*own, x, T, 0.001)
    for i in range(6):
        point, one = [values[i] for values in own], (x[[i]], T[[i]])
        np.testing.assert_allclose(table[i], purchase_distribution_while_alive(*point, *one, 90, 4)[0], rtol=1e-12)
        assert mean[i] == pytest.approx(expected_purchases_while_alive(*point, *one, 90)[0], rel=1e-13)
        assert rest[i] == pytest.approx(discounted_residual_purchases_while_alive(*point, *one, 0.001)[0], rel=1e-13)
    drawn = [draw_while_alive(*own, x, T, np.array([90.0]), np.random.default_rng(seed))[0] for seed in range(4000)]
    np.testing.assert_allclose(np.mean(drawn, axis=0), mean, rtol=0.12)


# The rest of a customer's life ------------------------------------------------------------------------------


@pytest.mark.parametrize("s", [0.02, 0.60624, 1.0, 2.0, 2.0000001, 7.5, 400.0])
@pytest.mark.parametrize("delta", [1e-7, 0.0027, 0.5, 30.0])
def test_residual_purchases_are_the_function_of_tricomi(s, delta):
    """Fader, Hardie & Lee (2005), with U(s, s, k), in high precision."""
    r, alpha, beta, x, T = 0.55328, 10.5777, 11.6687, 26, 31
    got = discounted_residual_purchases_while_alive(r, alpha, s, beta, np.array([26.0]), np.array([31.0]), delta)[0]
    with mp.workdps(60):
        k = mp.mpf(delta) * (mp.mpf(beta) + T)
        exact = (mp.mpf(r) + x) * (mp.mpf(beta) + T) / (mp.mpf(alpha) + T) * k ** (mp.mpf(s) - 1) * mp.hyperu(s, s, k)
        assert got == pytest.approx(float(exact), rel=1e-10)


def test_residual_purchases_are_those_of_an_endless_horizon():
    """The discrete sum of the base, in days over 80 years, and the sum that serves every model."""
    model = holding(*TRUTH)
    h = frame([0, 3, 12], [0, 80, 290], [200, 300, 300])
    got = model.discounted_residual_purchases(h, annual_discount_rate=0.3)
    np.testing.assert_allclose(got, discounted_residual_purchases(model, h, annual_discount_rate=0.3), rtol=1e-8)
    endless = model.discounted_expected_purchases(h, horizon_days=365 * 80, annual_discount_rate=0.3, step_days=1.0)
    np.testing.assert_allclose(got, endless, rtol=1e-5)


def test_residual_purchases_do_not_depend_on_the_unit():
    h = frame([0, 3], [0, 80], [200, 300])
    in_weeks = ParetoNBD(time_unit="weeks").with_parameters({"r": 0.9, "alpha": 20 / 7, "s": 0.8, "beta": 60 / 7})
    np.testing.assert_allclose(
        in_weeks.discounted_residual_purchases(h, annual_discount_rate=0.1),
        holding(*TRUTH).discounted_residual_purchases(h, annual_discount_rate=0.1),
        rtol=1e-12,
    )


@pytest.mark.parametrize("rate", [0.0, -0.1, np.nan, np.inf])
def test_residual_purchases_need_a_discount(rate):
    with pytest.raises(SettingsError, match="annual_discount_rate: expected a number above 0"):
        holding(*TRUTH).discounted_residual_purchases(frame([1], [3], [9]), annual_discount_rate=rate)


# Simulated truth --------------------------------------------------------------------------------------------


def test_predictions_against_simulated_truth():
    """Among simulated customers of equal frequency, predictions average to what happened."""
    ages = np.random.default_rng(1).integers(10, 120, 150_000)
    people = simulate_histories(*TRUTH, ages, seed=2, horizon=60)
    model = holding(*TRUTH)
    predicted = pd.DataFrame(
        {
            "alive": model.probability_alive(people),
            "future": model.expected_purchases(people, horizon_days=60),
            "none": model.probability_of_no_purchase(people, horizon_days=60),
        }
    )
    happened = people[["alive", "future"]].astype(float)
    happened["none"] = happened["future"] == 0
    error = happened - predicted
    groups = error.groupby(people["frequency"].clip(upper=12))
    assert (groups.mean().abs() <= 4 * groups.std() / np.sqrt(groups.count())).all(axis=None)
    late = (people["T"] - people["recency"] > 40) & (people["frequency"] > 2)
    assert error[late].mean().abs().max() < 4 * error[late].std().max() / np.sqrt(late.sum())


def customer_event_by_event(rate, dropout, T, end, rng):
    """Walk one customer through life as the model tells the story."""
    leaves, clock, before, after, last = rng.exponential(1 / dropout), 0.0, 0, 0, 0.0
    while (clock := clock + rng.exponential(1 / rate)) < min(leaves, end):
        if clock <= T:
            before, last = before + 1, clock
        else:
            after += 1
    return before, last, leaves > T, after


def test_simulation_is_the_process():
    rng, n, T, end = np.random.default_rng(4), 30_000, 100.0, 160.0
    r, alpha, s, beta = TRUTH
    rates, dropouts = rng.gamma(r, 1 / alpha, n), rng.gamma(s, 1 / beta, n)
    walked = pd.DataFrame(
        [customer_event_by_event(*both, T, end, rng) for both in zip(rates, dropouts, strict=True)],
        columns=["frequency", "recency", "alive", "future"],
    ).astype(float)
    drawn = simulate_histories(*TRUTH, [T] * n, seed=5, horizon=end - T)[list(walked)].astype(float)
    for mine, theirs in ((walked, drawn), tuple(one[one["frequency"] == 2] for one in (walked, drawn))):
        spread = np.sqrt(mine.var() / len(mine) + theirs.var() / len(theirs))
        assert ((mine.mean() - theirs.mean()).abs() <= 4 * spread).all()


def test_sampled_purchases_follow_the_distribution():
    model = holding(*TRUTH)
    h = frame(np.repeat([0, 3, 12], 400), np.repeat([0, 60, 140], 400), 150)
    exact = model.purchase_distribution(h.iloc[[0, 400, 800]], horizon_days=90, n=6)
    same = pd.DataFrame([model.params_] * 100)
    samples = model.sample_purchases(h, horizon_days=90, draws=100, seed=1, parameters=same)
    drawn = np.stack(list(samples)).reshape(100, 3, 400)
    shares = np.stack([(drawn == j).mean(axis=(0, 2)) for j in range(7)], axis=1)
    np.testing.assert_allclose(shares, exact, atol=4 * np.sqrt(0.25 / 40_000))


def test_new_customer_is_an_empty_history():
    model = holding(*TRUTH)
    table = model.new_customer_distribution(100, 400)
    mean = model.expected_purchases_of_new_customer([0, 100])
    assert mean[0] == 0
    assert table @ np.arange(401) == pytest.approx(mean[1], rel=1e-8)
    simulated = simulate_histories(*TRUTH, [100.0] * 100_000, seed=3)["frequency"]
    shares = np.bincount(simulated, minlength=5)[:5] / simulated.size
    np.testing.assert_allclose(table[:5], shares, atol=4 * np.sqrt(0.25 / simulated.size))


def test_equal_seeds_give_equal_customers():
    one, again = (simulate_histories(*TRUTH, [90.0] * 50, seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(one, again)
    assert (one["recency"] <= one["T"]).all()
    assert ((one["recency"] > 0) == (one["frequency"] > 0)).all()
