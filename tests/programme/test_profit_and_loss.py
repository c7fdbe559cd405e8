"""What campaigns earned: by hand, against campaigns whose profit is known, and where something is missing."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.errors import DataError
from loyalty.programme.effect import Effect, Interval
from loyalty.programme.profit_and_loss import Costs, ProfitAndLoss, profit_and_loss
from loyalty.programme.whole_programme import programme

COSTS = Costs(discount=200.0, contact=50.0, points=30.0)
RUNS = 1000


def effect(estimate: float = 2.0, standard_error: float = 0.5, treated: int = 1000) -> Effect:
    return Effect(
        what="Campaign 13",
        design="randomised",
        estimand="Mean difference.",
        unit="EUR a customer",
        found=Interval.around(estimate, standard_error),
        standard_error=standard_error,
        treated=treated,
        control=500,
    )


def test_a_profit_by_hand() -> None:
    # 1,000 customers bought for 2 more each, net of 200 in discounts: 2,200 at usual prices, of which 660 are margin.
    # The standard error of the margin is 0.3 x 1,000 x 0.5 = 150.
    account = profit_and_loss(effect(), 0.3, COSTS)
    lines = account.lines().set_index("line")
    assert lines["estimate"].to_dict() == pytest.approx(
        {
            "Incremental sales at usual prices": 2200.0,
            "Incremental margin": 660.0,
            "Discounts": -200.0,
            "Contact cost": -50.0,
            "Points cost": -30.0,
            "Profit": 380.0,
        }
    )
    assert account.profit is not None
    assert account.profit.high - account.profit.estimate == pytest.approx(1.6448536 * 150)
    assert account.probability_positive == pytest.approx(0.994351, abs=1e-6)  # Φ(380 / 150)


def test_discounts_are_subtracted_once_whether_sales_are_net_of_them_or_not() -> None:
    net = profit_and_loss(effect(2.0), 0.3, COSTS)
    gross = profit_and_loss(effect(2.2), 0.3, COSTS, net=False)
    assert gross.lines()["estimate"].tolist() == pytest.approx(net.lines()["estimate"].tolist())


money = st.floats(0, 1e6)


@given(st.floats(-1e3, 1e3), st.floats(0, 1e3), st.integers(1, 10**6), st.floats(0.01, 1), money, money, money)
def test_lines_add_up(
    estimate: float, error: float, treated: int, margin: float, discount: float, contact: float, points: float
) -> None:
    account = profit_and_loss(effect(estimate, error, treated), margin, Costs(discount, contact, points))
    lines = account.lines()
    for column in ("estimate", "low", "high"):
        (total,) = lines.loc[lines["kind"] == "total", column]
        assert lines.loc[lines["kind"] == "part", column].sum() == pytest.approx(total, rel=1e-9, abs=1e-3)
    assert account.probability_positive is not None
    assert 0 <= account.probability_positive <= 1


def test_a_discount_that_is_a_lower_bound_makes_the_profit_an_upper_one() -> None:
    account = profit_and_loss(effect(), 0.3, COSTS, discount_share=0.54)
    assert account.at_most
    assert any("54 % of the coupons" in note and "at most" in note for note in account.notes)
    more = profit_and_loss(effect(), 0.3, replace(COSTS, discount=300.0))
    assert account.profit is not None
    assert more.profit is not None
    assert not more.at_most
    assert account.profit.estimate - more.profit.estimate == pytest.approx(0.7 * 100)
    assert programme([account, more]).at_most
    assert not profit_and_loss(effect(), 0.3, replace(COSTS, discount=None), discount_share=0.54).at_most
    with pytest.raises(DataError, match="discount_share: expected a share"):
        profit_and_loss(effect(), 0.3, COSTS, discount_share=1.2)


@pytest.mark.parametrize("missing", ["discount", "contact", "points"])
def test_without_a_cost_the_account_stops_at_the_margin_and_says_so(missing: str) -> None:
    account = profit_and_loss(effect(), 0.3, replace(COSTS, **{missing: None}))
    assert account.missing == (missing,)
    assert account.lines()["line"].tolist() == ["Incremental sales at usual prices", "Incremental margin"]
    assert account.profit is account.probability_positive is None
    assert any("stops at the margin" in note for note in account.notes)


def test_a_cost_of_nothing_is_known() -> None:
    account = profit_and_loss(effect(), 0.3, Costs(0.0, 0.0, 0.0))
    assert account.profit is not None
    assert account.profit.estimate == pytest.approx(600.0)


def test_what_is_not_identified_has_costs_and_no_profit() -> None:
    account = profit_and_loss(effect().refused("The placebo fails."), 0.3, COSTS)
    assert account.refusals == ("The placebo fails.",)
    assert account.profit is None
    assert account.lines()["line"].tolist() == ["Discounts", "Contact cost", "Points cost"]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (effect(treated=0), "Nobody was treated."),
        (effect(np.nan), "The effect on sales is not known."),
        (effect(2.0, np.nan), "The effect on sales is not known."),
    ],
)
def test_no_profit_of_nobody_and_of_nothing_known(found: Effect, reason: str) -> None:
    account = profit_and_loss(found, 0.3, COSTS)
    assert account.refusals == (reason,)
    assert account.profit is None


@pytest.mark.parametrize("margin", [0.0, -0.1, 1.1, np.nan])
def test_a_margin_is_a_share(margin: float) -> None:
    with pytest.raises(DataError, match="margin: expected a share"):
        profit_and_loss(effect(), margin, COSTS)


@pytest.mark.parametrize("cost", [-1.0, np.nan, np.inf])
def test_a_cost_is_money(cost: float) -> None:
    with pytest.raises(DataError, match=r"costs\.contact: expected money"):
        Costs(contact=cost)


def test_customers_who_were_not_compared_are_told() -> None:
    account = profit_and_loss(effect(), 0.3, COSTS, customers=1200)
    assert account.sales == pytest.approx(2400.0)
    assert "The effect was measured on 1,000 of the 1,200 customers treated" in account.notes[0]


@pytest.mark.parametrize("found", [effect(), effect().refused("No.")])
def test_an_account_survives_json(found: Effect) -> None:
    account = profit_and_loss(found, 0.3, replace(COSTS, points=None))
    assert ProfitAndLoss.from_dict(json.loads(json.dumps(account.to_dict(), allow_nan=False))) == account


def test_a_programme_is_the_sum_of_its_campaigns() -> None:
    parts = [profit_and_loss(effect(estimate, error), 0.3, COSTS) for estimate, error in ((2.0, 0.3), (1.0, 0.4))]
    whole = programme(parts)
    assert whole.profit is not None
    assert whole.profit.estimate == pytest.approx(sum(part.profit.estimate for part in parts if part.profit))
    assert whole.standard_error == pytest.approx(500.0)  # of 300 and 400
    assert programme(parts, shared_controls=True).standard_error == pytest.approx(700.0)
    assert whole.notes == ("Errors of campaigns are taken as independent.",)


def test_a_programme_names_the_campaigns_that_it_leaves_out() -> None:
    told = profit_and_loss(effect(), 0.3, COSTS)
    left = replace(profit_and_loss(effect().refused("No."), 0.3, COSTS), what="Campaign 14")
    whole = programme([told, left])
    assert whole.profit == told.profit
    assert any("Campaign 14" in note and "280" in note for note in whole.notes)
    nothing = programme([left, left])
    assert nothing.profit is None
    assert nothing.refusals == ("No campaign has an effect that is identified.",)
    assert nothing.costs.total == pytest.approx(560.0)


def test_a_programme_stops_at_the_margin_if_one_campaign_does() -> None:
    whole = programme(
        [profit_and_loss(effect(), 0.3, COSTS), profit_and_loss(effect(), 0.3, replace(COSTS, contact=None))]
    )
    assert whole.missing == ("contact",)
    assert whole.profit is None


def test_campaigns_of_a_programme_have_one_margin() -> None:
    with pytest.raises(DataError, match="at one margin"):
        programme([profit_and_loss(effect(), margin, COSTS) for margin in (0.3, 0.4)])


def campaigns(random: np.random.Generator, shared: bool) -> list[ProfitAndLoss]:
    """Three campaigns of 300 customers who spend 1.5 more, against 100 each or the same 100."""
    n, m, margin = 300, 100, 0.4
    control = random.gamma(2.0, 10.0, (1 if shared else 3, m))
    accounts = []
    for at in range(3):
        spend, others = random.gamma(2.0, 10.0, n) + 1.5, control[0 if shared else at]
        error = np.sqrt(spend.var(ddof=1) / n + others.var(ddof=1) / m)
        found = effect(spend.mean() - others.mean(), error, n)
        accounts.append(profit_and_loss(found, margin, Costs(60.0, 20.0, 10.0)))
    return accounts


def coverage(truth: float, accounts: list[ProfitAndLoss]) -> float:
    return float(np.mean([each.profit is not None and each.profit.holds(truth) for each in accounts]))


def test_intervals_hold_the_profit_that_was_made_nine_times_in_ten() -> None:
    random = np.random.default_rng(0)
    runs = [campaigns(random, shared=False) for _ in range(RUNS)]
    truth = 0.4 * (300 * 1.5 + 60) - 90
    assert coverage(truth, [run[0] for run in runs]) == pytest.approx(0.9, abs=0.04)
    assert coverage(3 * truth, [programme(run) for run in runs]) == pytest.approx(0.9, abs=0.04)


def test_shared_controls_are_accounted_for() -> None:
    random = np.random.default_rng(1)
    runs = [campaigns(random, shared=True) for _ in range(RUNS)]
    truth = 3 * (0.4 * (300 * 1.5 + 60) - 90)
    assert coverage(truth, [programme(run) for run in runs]) < 0.86  # as if each had controls of its own
    assert coverage(truth, [programme(run, shared_controls=True) for run in runs]) >= 0.9


def test_a_campaign_that_earns_nothing_is_said_to_pay_as_often_as_chance_allows() -> None:
    random = np.random.default_rng(2)
    accounts = [campaigns(random, shared=False)[0] for _ in range(RUNS)]
    spent = Costs(60.0, 0.4 * (300 * 1.5 + 60) - 60, 0.0)  # all that the campaign brings
    sure = [replace(each, costs=spent).probability_positive or 0.0 for each in accounts]
    assert np.mean(np.array(sure) > 0.95) == pytest.approx(0.05, abs=0.03)
    assert np.mean(np.array(sure) > 0.5) == pytest.approx(0.5, abs=0.08)
