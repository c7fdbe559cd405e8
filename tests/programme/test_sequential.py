"""A reading that holds however often one looks."""

import numpy as np
import pytest
from loyalty.errors import DataError
from loyalty.programme.effect import QUANTILE, Effect, Interval
from loyalty.programme.sequential import factor, still_running


def effect(estimate=5.0, standard_error=2.0):
    return Effect(
        "Spend",
        "randomised",
        "Mean difference",
        "EUR",
        Interval.around(estimate, standard_error),
        standard_error,
        90,
        90,
    )


def paper(t, rho, alpha):
    """Waudby-Smith et al. (2024), theorem 2.2, of unit variance, as it is written there."""
    return np.sqrt(2 * (t * rho**2 + 1) / (t**2 * rho**2) * np.log(np.sqrt(t * rho**2 + 1) / alpha))


@pytest.fixture(scope="module")
def best_rho():
    """The rho that is narrowest for 1,000 customers, by trying."""
    return min(np.geomspace(0.001, 10, 20001), key=lambda rho: paper(1000, rho, 0.1))


@pytest.mark.parametrize("t", [40, 250, 1000, 3000])
def test_the_width_is_that_of_the_paper_narrowest_where_the_campaign_is_to_end(best_rho, t):
    assert factor(t / 1000) / np.sqrt(t) == pytest.approx(paper(t, best_rho, 0.1), rel=1e-3)


def test_a_higher_level_is_wider_and_all_are_wider_than_one_reading():
    assert QUANTILE < factor(1.0) < factor(1.0, level=0.95) < factor(0.1, level=0.95)


def looks(differences, share):
    """For each world the largest distance from zero in half-widths, over all days."""
    wide = np.array([factor(each) for each in share])
    return np.abs(differences / wide).max(axis=1)


@pytest.mark.parametrize("heavy", [False, True])
def test_customers_who_come_in_one_by_one_are_seen_every_day_at_no_cost(heavy):
    """1,000 worlds without an effect, 20 new customers an arm each day, until half as many again as planned came."""
    random = np.random.default_rng(7)
    worlds, days, a_day = 1000, 90, 20
    planned = 60 * a_day
    draws = (worlds, 2, days * a_day)
    value = random.gamma(0.5, 30.0, draws) * (random.random(draws) < 0.6) if heavy else random.normal(0, 1, draws)
    n = np.arange(1, days + 1) * a_day
    total, square = (np.cumsum(x, axis=2)[:, :, n - 1] for x in (value, value**2))
    variance = (square - total**2 / n) / (n - 1)
    z = (total[:, 0] - total[:, 1]) / n / np.sqrt(variance.sum(axis=1) / n)
    ever = (looks(z[:, 4:], n[4:] / planned) > 1).mean()
    naive = (np.abs(z[:, 4:]).max(axis=1) > QUANTILE).mean()
    assert naive > 0.3  # what it protects from
    assert ever <= 0.10


@pytest.mark.parametrize("persistent", [0.0, 1.0, 5.0])
def test_spend_that_adds_up_day_by_day_is_seen_every_day_at_no_cost(persistent):
    """2,000 worlds of 300 customers who were contacted at once; some always spend more than others."""
    random = np.random.default_rng(11)
    worlds, customers, days = 2000, 150, 28
    usual = persistent * random.normal(0, 1, (worlds, 2, customers, 1))
    spend = (random.normal(0, 1, (worlds, 2, customers, days)) + usual).cumsum(axis=3)
    variance = spend.var(axis=2, ddof=1).sum(axis=1) / customers
    z = (spend.mean(axis=2)[:, 0] - spend.mean(axis=2)[:, 1]) / np.sqrt(variance)
    assert (looks(z, np.arange(1, days + 1) / days) > 1).mean() <= 0.10


def test_the_effect_keeps_its_estimate_and_says_why_it_is_wide():
    wide = still_running(effect(), reached=7, planned=28)
    half = factor(0.25) * 2.0
    assert wide.found == Interval(5.0, 5.0 - half, 5.0 + half)
    assert wide.standard_error == 2.0
    assert "25 % of what was planned" in wide.notes[-1]
    assert f"{factor(0.25) / QUANTILE:.2g} times as wide" in wide.notes[-1]


def test_a_refused_effect_stays_refused():
    refused = effect().refused("too few")
    assert still_running(refused, reached=7, planned=28) is refused


@pytest.mark.parametrize(("reached", "planned", "found"), [(0, 28, "0.0"), (7, 0, "found 0"), (np.nan, 28, "nan")])
def test_a_campaign_without_length_is_told(reached, planned, found):
    with pytest.raises(DataError, match=f"expected a number above 0, .*{found}"):
        still_running(effect(), reached=reached, planned=planned)
