"""Expected purchases: against formulas where there are some, and what happened where there are none."""

import numpy as np
import pytest
from loyalty.sources.simulator.expected import expected_purchases
from loyalty.sources.simulator.purchases import draw_base
from loyalty.sources.simulator.season import Season
from loyalty.sources.simulator.settings import Simulation

RATE, LEAVING, LENGTH = np.array([0.05, 0.2, 1.5]), np.array([0.02, 0.3, 0.8]), np.array([10.0, 90.0, 700.0])
POISSON = np.ones(3, dtype=np.int64)


def test_poisson_with_geometric_dropout():
    # Fader, Hardie & Lee (2005), equation 3: E[X(t) | λ, p] = (1 - exp(-λ p t)) / p
    expected = (1 - np.exp(-RATE * LEAVING * LENGTH)) / LEAVING
    np.testing.assert_allclose(expected_purchases(RATE, POISSON, LEAVING, "geometric", LENGTH), expected, rtol=1e-9)


def test_poisson_with_an_exponential_lifetime():
    # Schmittlein, Morrison & Colombo (1987): E[X(t) | λ, μ] = λ / μ (1 - exp(-μ t))
    expected = RATE / LEAVING * (1 - np.exp(-LEAVING * LENGTH))
    np.testing.assert_allclose(expected_purchases(RATE, POISSON, LEAVING, "exponential", LENGTH), expected, rtol=1e-9)


def test_erlang_two_without_dropout():
    # Cox (1962), Renewal Theory: m(t) = λ t - 1/4 + exp(-4 λ t) / 4 for gaps of two phases of rate 2 λ
    expected = RATE * LENGTH - 0.25 + np.exp(-4 * RATE * LENGTH) / 4
    none = np.zeros(3)
    np.testing.assert_allclose(expected_purchases(RATE, 2 * POISSON, none, "none", LENGTH), expected, rtol=1e-9)
    hardly = np.full(3, 1e-9)
    close = expected_purchases(RATE, 2 * POISSON, hardly, "geometric", LENGTH)
    np.testing.assert_allclose(close, expected, rtol=1e-5)


def test_a_regular_customer_who_has_waited_is_nearer_to_the_next_purchase():
    one = np.ones(2)
    soon = expected_purchases(0.1 * one, 6 * POISSON[:2], 0 * one, "none", 5 * one, since=np.array([0.0, 9.0]))
    assert soon[1] > 5 * soon[0]


@pytest.mark.parametrize("dropout", ["geometric", "exponential", "none"])
def test_what_happens_is_what_was_expected(dropout):
    """From the first purchase on, and from a later moment on given what happened before, for each regularity."""
    settings = Simulation(customers=10_000, days=500, dropout=dropout, regularity=(1, 2, 5), alpha=20)
    season = Season(settings)
    base = draw_base(settings, season, 0)
    buyer, bought = base.customers, base.purchases
    moment, end = season.clock(400.0), season.clock(500.0)
    before = bought.clock < moment
    last = np.zeros(buyer.rate.size)
    last[bought.customer[before]] = bought.clock[before]
    active = (buyer.first < moment) & (bought.gone > moment)
    later = np.bincount(bought.customer[~before], minlength=active.size)
    for k in (1, 2, 5):
        of = active & (buyer.k == k)
        expected = expected_purchases(
            buyer.rate[of], buyer.k[of], buyer.leaving[of], dropout, np.full(of.sum(), end - moment), moment - last[of]
        )
        error = later[of] - expected
        assert abs(error.mean()) < 3.5 * error.std() / np.sqrt(of.sum())
        assert np.corrcoef(later[of], expected)[0, 1] > 0.5
        all_of = buyer.k == k
        whole = 1 + expected_purchases(
            buyer.rate[all_of], buyer.k[all_of], buyer.leaving[all_of], dropout, end - buyer.first[all_of]
        )
        error = np.bincount(bought.customer, minlength=active.size)[all_of] - whole
        assert abs(error.mean()) < 3.5 * error.std() / np.sqrt(all_of.sum())
