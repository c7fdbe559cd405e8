"""Placebos reject as often as they say where nothing is wrong, and far more often where something is."""

import numpy as np
import pytest
from loyalty.programme import placebos
from loyalty.programme.event_study import Estimates, pooled
from loyalty.programme.panel import Plan
from loyalty.programme.stacking import stack
from targeted_retailers import world

PLAN = Plan(matched=13)
ALL = ("0", "1", "2")


def weeks_before(seed: int, **retailer: float) -> bool:
    made = world(seed, **retailer)  # type: ignore[arg-type]
    found = stack(made.panel, ALL, PLAN, "spend")
    return placebos.before(pooled(found.trials, made.panel.customers), PLAN.tested, "EUR a customer", seed).passed


def test_a_difference_in_the_weeks_before_fails_and_is_told() -> None:
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((400, 4)) / 20
    same = placebos.before(Estimates(np.array([0.2, -0.5, 0.3, 40.0]), noise), 3, "EUR", 1)
    other = placebos.before(Estimates(np.array([0.2, 9.5, 0.3, 0.0]), noise), 3, "EUR", 1)
    assert same.passed
    assert not other.passed
    assert other.found.estimate == pytest.approx(10 / 3)
    assert "+3.33 EUR a week (p < 0.001" in other.reading


def test_rejections_that_chance_allows_pass_and_others_do_not() -> None:
    found = np.column_stack([np.zeros(100), np.ones(100)])
    found[:8, 0] = 3.0
    assert placebos.at_random_dates(found, 100, "EUR").passed
    found[:12, 0] = 3.0
    failed = placebos.at_random_dates(found, 100, "EUR")
    assert not failed.passed
    assert "12% seem to have an effect" in failed.reading


@pytest.mark.parametrize("usable", [0, 3, 39])
def test_too_few_campaigns_that_never_were_settle_nothing(usable: int) -> None:
    found = np.column_stack([np.zeros(usable), np.ones(usable)])
    test = placebos.at_random_dates(found, 100, "EUR")
    assert not test.passed
    assert f"Only {usable} of 100" in test.reading
    assert placebos.at_random_dates(np.column_stack([np.zeros(40), np.ones(40)]), 100, "EUR").passed


def test_draws_are_the_same_in_every_run_and_know_no_real_effect() -> None:
    made = world(1, customers=600, lift=3.0)
    found = stack(made.panel, ALL, PLAN, "spend")
    once, again = (placebos.draws(made.panel, found, PLAN, "spend", 30, 7) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert abs(once[:, 0].mean()) < made.pooled() / 4


@pytest.mark.slow
def test_weeks_before_reject_five_per_cent_where_nothing_is_hidden() -> None:
    assert 0.03 <= 1 - np.mean([weeks_before(seed) for seed in range(300)]) <= 0.07


@pytest.mark.slow
def test_weeks_before_see_a_choice_by_what_nobody_measured() -> None:
    rejected = 1 - np.mean([weeks_before(seed, hidden=1.0, customers=4000) for seed in range(40)])
    assert rejected > 0.5


@pytest.mark.slow
def test_campaigns_that_never_were_reject_five_per_cent() -> None:
    tests = []
    for seed in range(30):
        made = world(seed, lift=0.0)
        drawn = placebos.draws(made.panel, stack(made.panel, ALL, PLAN, "spend"), PLAN, "spend", 40, seed)
        tests.append(np.abs(drawn[:, 0] / drawn[:, 1]) > 1.96)
    assert 0.03 <= np.concatenate(tests).mean() <= 0.07
