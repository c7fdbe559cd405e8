"""How large a campaign must be: golden values, and power that simulated campaigns agree with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.errors import DataError
from loyalty.programme.design import (
    Plan,
    Variation,
    by_days,
    by_hold_out,
    customers_needed,
    days_needed,
    hold_out_needed,
    minimum_effect,
    power,
    power_curve,
    standard_error,
)
from loyalty.programme.differences import cuped, newcombe, welch
from scipy import stats

TEXTBOOK = Plan(hold_out=0.5, level=0.95, cuped=False)
SPEND = Variation("spend", 28, 50.0, 10.0, 0.8, "spend_90", 0.8)
BOUGHT = Variation("repurchase", 28, 0.65, np.sqrt(0.65 * 0.35), 0.65, share=True)


def test_customers_of_a_mean():
    """Chow et al. (2017), section 3.2: 63 an arm for a difference of 5 % with standard deviation 10 %.

    Cohen (1988), table 2.4.1, has 64 by Student's t for half a standard deviation.
    """
    assert customers_needed(SPEND, TEXTBOOK, 5.0) == 2 * 63
    assert power(SPEND, TEXTBOOK, 126, 5.0) == pytest.approx(0.80, abs=0.005)


def test_customers_of_a_share():
    """Chow et al. (2017), section 4.2: 70 an arm, for 65 % against 85 %."""
    assert customers_needed(BOUGHT, TEXTBOOK, 0.20) == pytest.approx(2 * 70, abs=1)


def test_one_side_asks_for_fewer():
    """Chow et al., section 3.2: the same with 1.64 in place of 1.96 is 50 an arm."""
    one_sided = Plan(hold_out=0.5, level=0.95, cuped=False, one_sided=True)
    assert customers_needed(SPEND, one_sided, 5.0) == 2 * 50 - 1  # 99, before each arm is rounded up
    assert one_sided.threshold == pytest.approx(1.645, abs=0.0005)


def test_the_default_level_is_that_of_every_interval():
    assert Plan().threshold == pytest.approx(stats.norm.ppf(0.95))


def test_the_past_saves_the_share_of_the_variance_that_it_tells():
    plain, cuped_ = Plan(cuped=False), Plan(cuped=True)
    assert standard_error(SPEND, cuped_, 5000) == pytest.approx(np.sqrt(1 - 0.64) * standard_error(SPEND, plain, 5000))
    assert customers_needed(SPEND, cuped_, 0.5) == pytest.approx(0.36 * customers_needed(SPEND, plain, 0.5), abs=1)


@given(
    hold_out=st.floats(0.02, 0.98), wanted=st.floats(0.55, 0.99), arms=st.integers(1, 5), share=st.booleans(),
    customers=st.integers(2000, 10**6), one_sided=st.booleans(),
)  # fmt: skip
def test_size_least_effect_and_power_are_one_formula(hold_out, wanted, arms, share, customers, one_sided):
    plan = Plan(hold_out, wanted, one_sided, arms)
    variation = BOUGHT if share else SPEND
    least = minimum_effect(variation, plan, customers)
    if np.isnan(least):  # a share of 65 % rises by 35 points at most
        assert power(variation, plan, customers, 1 - variation.mean) < wanted
        return
    assert power(variation, plan, customers, least) == pytest.approx(wanted, abs=1e-6)
    smallest = 30 / min(hold_out, (1 - hold_out) / arms)
    assert customers_needed(variation, plan, least) == pytest.approx(max(customers, smallest), abs=1.5)


@settings(max_examples=30)
@given(customers=st.integers(200, 10**6), effect=st.floats(0.05, 20), arms=st.integers(1, 4))
def test_the_least_hold_out_is_just_enough(customers, effect, arms):
    plan = Plan(arms=arms)
    found = hold_out_needed(SPEND, plan, customers, effect)
    shares = np.linspace(0.005, 0.995, 199)
    enough = [s for s in shares if power(SPEND, Plan(s, arms=arms), customers, effect) >= 0.8 and s * customers >= 30]
    if found is None:
        assert not enough or customers * min(enough) < 60
    else:
        assert found * customers >= 30 - 1e-6
        assert power(SPEND, Plan(found, arms=arms), customers, effect) >= 0.8 - 1e-6
        assert not enough or found <= min(enough) + 1e-6


def test_several_arms_want_a_larger_control_group():
    """√k to k for each arm (Dunnett 1955): nothing else needs fewer customers."""
    needed = {s: customers_needed(SPEND, Plan(s, arms=4), 0.5) for s in (0.1, 0.2, 1 / 3, 0.5)}
    assert min(needed, key=needed.get) == 1 / 3


def test_several_arms_share_the_level():
    assert Plan(arms=4).threshold == pytest.approx(stats.norm.ppf(1 - 0.1 / 8))


@pytest.mark.parametrize("one_sided", [False, True])
@pytest.mark.parametrize("with_past", [False, True])
def test_simulated_campaigns_show_as_often_as_planned(with_past, one_sided):
    """800 campaigns among customers whose spend has a long tail, 20 % held out, read as they will be."""
    random = np.random.default_rng(5)
    n, held, runs = 2500, 500, 800
    plan = Plan(0.2, one_sided=one_sided, cuped=with_past)
    variation = Variation("spend", 28, 50.0, np.sqrt(50**2 / 2 + 900), 1.0, "spend_90", np.sqrt(1250 / 2150))
    effect, shown = minimum_effect(variation, plan, n), 0
    for _ in range(runs):
        before = random.gamma(2, 25, n)
        spend = before + random.gamma(1, 30, n) - 30
        spend[held:] += effect
        pair = spend[held:], spend[:held]
        if with_past:
            pair = cuped(*pair, before[held:, None], before[:held, None])
        found = welch(*pair)
        shown += found.found.estimate / found.standard_error > plan.threshold
    assert shown / runs == pytest.approx(0.8, abs=0.04)


def test_simulated_campaigns_on_a_share_show_as_often_as_planned():
    random = np.random.default_rng(6)
    n, held = 4000, 400
    plan = Plan(0.1)
    effect = minimum_effect(BOUGHT, plan, n)
    treated = random.binomial(n - held, 0.65 + effect, 1000)
    control = random.binomial(held, 0.65, 1000)
    shown = [newcombe((t, n - held), (c, held)).low > 0 for t, c in zip(treated, control, strict=True)]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.04)


def test_a_share_cannot_rise_over_one():
    high = Variation("repurchase", 28, 0.97, np.sqrt(0.97 * 0.03), 0.97, share=True)
    assert np.isnan(minimum_effect(high, Plan(), 100))
    with pytest.raises(DataError, match=r"97\.0 % of the customers do so already; 5\.0 points more"):
        customers_needed(high, Plan(), 0.05)
    assert power_curve(high, Plan(), 5000, 0.02)["effect"].max() <= 0.03


def test_tables_say_the_same_as_the_formulas():
    plan = Plan(0.15)
    table = by_hold_out(SPEND, plan, 500, (0.15,)).set_index("hold_out")
    assert 0.05 not in table.index  # 25 customers held out say nothing
    assert table.loc[0.15, "cuped"] == minimum_effect(SPEND, plan, 500)
    assert table.loc[0.15, "plain"] == minimum_effect(SPEND, Plan(0.15, cuped=False), 500)
    assert table.loc[0.15, "cuped_relative"] == pytest.approx(table.loc[0.15, "cuped"] / 50)
    curve = power_curve(SPEND, plan, 500, 3.0)
    assert curve["cuped"].is_monotonic_increasing
    assert (curve["cuped"] > curve["plain"]).all()


def test_days_are_the_fewest_that_are_enough():
    """Twice the days is twice the mean and root two of the deviation, where days are independent."""
    lengths = [Variation("spend", d, 2.0 * d, 10 * np.sqrt(d), 1.0) for d in (7, 14, 28, 56)]
    plan = Plan(0.5)
    relative = minimum_effect(lengths[2], plan, 2000) / lengths[2].mean
    assert days_needed(lengths, plan, 2000, relative) == 28
    assert days_needed(lengths, plan, 2000, 0.001) is None
    assert by_days(lengths[::-1], plan, 2000)["days"].tolist() == [7, 14, 28, 56]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hold_out": 1.0}, "hold_out: .*found 1"),
        ({"power": 0.0}, "power: .*found 0"),
        ({"arms": 0}, "arms: .*found 0"),
    ],
)
def test_a_plan_that_is_none_is_told(wrong, message):
    with pytest.raises(DataError, match=message):
        Plan(**wrong)


def test_no_effect_needs_no_campaign():
    with pytest.raises(DataError, match="minimum effect: expected a number above 0, found 0"):
        customers_needed(SPEND, Plan(), 0.0)
