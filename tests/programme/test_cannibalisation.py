"""The split of redeemed sales: by hand, against worlds where each coupon's purchase is known, and none."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.errors import DataError
from loyalty.programme import held_out
from loyalty.programme.cannibalisation import PARTS, Cannibalisation, divided, split, weekly_differences
from loyalty.programme.chosen_sales import Ran, Together, together
from loyalty.programme.effect import Interval
from loyalty.programme.panel import Plan
from loyalty.sources.simulator import Simulation, simulate_frames
from targeted_retailers import LIFT_WEEKS
from targeted_retailers import world as targeting

RUNS = 300
DURING, AFTER = 3, 3
ERROR = 0.1


def table(*effects: float, first: int = 0) -> pd.DataFrame:
    return pd.DataFrame({"week": np.arange(first, first + len(effects)), "estimate": effects})


def read(weekly: pd.DataFrame, covariance: np.ndarray | None = None, **changed: Any) -> Cannibalisation:
    plain = {"what": "Campaign 13", "design": "randomised", "redeemed": 1000.0, "treated": 100, "weeks_during": 2}
    spread = np.eye(len(weekly)) * ERROR**2 if covariance is None else covariance
    return split(weekly, spread, **(plain | changed))


def estimates(found: Cannibalisation) -> list[float]:
    return found.frame()["estimate"].tolist()


def test_a_split_by_hand() -> None:
    # 100 customers bought for 6 more in the two weeks, and for 2 less in the two after; 1,000 were redeemed.
    found = read(table(4.0, 2.0, -1.5, -0.5))
    assert estimates(found) == pytest.approx([400.0, 200.0, 400.0])
    assert found.frame()["share"].tolist() == pytest.approx([0.4, 0.2, 0.4])
    assert found.bounds == ()
    # An error of 0.1 in each of two weeks, on their own, is 100 customers x 0.1 x the root of two.
    assert found.subsidised is not None
    assert found.subsidised.high - found.subsidised.low == pytest.approx(2 * 1.645 * 10 * np.sqrt(2), rel=0.03)


def test_a_campaign_of_eight_weeks_is_read_in_all_of_them() -> None:
    # 100 customers bought for 1 more in each of eight weeks: 800 of the 1,000 were caused.
    found = read(table(*[1.0] * 8, 0.0, 0.0, 0.0, 0.0), weeks_during=8)
    assert estimates(found) == pytest.approx([800.0, 0.0, 200.0])


def test_who_was_not_measured_is_told() -> None:
    assert any("measured on 60 of the 100 customers" in note for note in read(table(4.0, 2.0, -1.0), measured=60).notes)
    assert not any("measured on" in note for note in read(table(4.0, 2.0, -1.0)).notes)


@pytest.mark.parametrize(
    ("effects", "parts", "said"),
    [
        ((8.0, 4.0, 0.0, -1.0), [900.0, 100.0, 0.0], "more sales than its coupons brought"),
        ((-1.0, -1.0, 0.0, 0.0), [0.0, 0.0, 1000.0], "lower in the weeks of the campaign"),
        ((2.0, 2.0, 1.0, 1.0), [400.0, 0.0, 600.0], "stayed higher after the campaign"),
        ((2.0, 1.0, -3.0, -2.0), [0.0, 300.0, 700.0], "deeper than the lift"),
    ],
)
def test_a_bound_that_binds_is_told(effects: tuple[float, ...], parts: list[float], said: str) -> None:
    found = read(table(*effects))
    assert estimates(found) == pytest.approx(parts)
    assert len(found.bounds) == 1
    assert said in found.bounds[0]


effect = st.floats(-50, 50)


@given(st.lists(effect, min_size=3, max_size=8), st.floats(0.01, 1e4), st.floats(0, 10))
def test_parts_are_within_bounds_and_add_up(effects: list[float], redeemed: float, error: float) -> None:
    frame = read(table(*effects), np.eye(len(effects)) * error**2, redeemed=redeemed).frame()
    assert frame["estimate"].sum() == pytest.approx(redeemed)
    assert (frame[["estimate", "low", "high"]] >= 0).all(axis=None)
    assert (frame[["estimate", "low", "high"]] <= redeemed * (1 + 1e-9)).all(axis=None)
    assert (frame["low"] <= frame["estimate"]).all()
    assert (frame["estimate"] <= frame["high"]).all()


@pytest.mark.parametrize(
    ("weekly", "changed", "reason"),
    [
        (table(4.0, 2.0, -1.0), {"treated": 0}, "Nobody was treated."),
        (table(4.0, 2.0, -1.0), {"redeemed": 0.0}, "Nothing was redeemed, so there is nothing to split."),
        (table(4.0, 2.0), {}, "No week after the campaign is seen"),
        (table(4.0, np.nan, -1.0), {}, r"The effect is not known in weeks \[1\]."),
        (table(4.0, 2.0, -1.0, first=1), {}, r"The effect is not known in weeks \[0\]."),
    ],
)
def test_no_split_where_nothing_is_identified(weekly: pd.DataFrame, changed: dict[str, Any], reason: str) -> None:
    found = read(weekly, **changed)
    assert found.frame().empty
    assert found.incremental is None
    assert not found.identified
    assert len(found.refusals) == 1
    assert reason.replace("\\", "") in found.refusals[0]


@pytest.mark.parametrize(
    ("weekly", "changed", "wrong"),
    [
        (table(4.0, 2.0, -1.0), {"redeemed": np.nan}, "redeemed: expected"),
        (table(4.0, 2.0, -1.0), {"redeemed": -1.0}, "redeemed: expected"),
        (pd.concat([table(4.0, 2.0), table(1.0)]), {}, "each week once"),
        (table(4.0, 2.0, -1.0), {"covariance": np.eye(2)}, "covariance: expected numbers"),
        (table(4.0, 2.0, -1.0), {"covariance": np.full((3, 3), np.nan)}, "covariance: expected numbers"),
    ],
)
def test_what_is_no_money_or_does_not_fit_is_said(weekly: pd.DataFrame, changed: dict[str, Any], wrong: str) -> None:
    with pytest.raises(DataError, match=wrong):
        read(weekly, **changed)


def test_weekly_differences_need_two_customers_held_out() -> None:
    with pytest.raises(DataError, match="two held out, found 3 and 1"):
        weekly_differences(np.ones((4, 2)), np.array([True, True, True, False]))


@pytest.mark.parametrize("found", [read(table(4.0, 2.0, -1.0)), read(table(4.0, 2.0, -1.0), treated=0)])
def test_a_split_survives_json(found: Cannibalisation) -> None:
    assert Cannibalisation.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found


@dataclass(frozen=True)
class World:
    """Customers of a campaign: spend by week, what they bought before, who was treated, what each coupon's sale was."""

    spend: np.ndarray
    before: np.ndarray
    treated: np.ndarray
    truth: np.ndarray

    @property
    def redeemed(self) -> float:
        return float(self.truth.sum())


def world(seed: int, *, pulled: float = 0.4, lift: float = 0.5, n: int = 1200, weeks: int = DURING) -> World:
    """Purchases at a rate of one's own, of which 60 % are treated for so many weeks."""
    random = np.random.default_rng(seed)
    rate, money = random.gamma(3.0, 0.3, n), random.gamma(8.0, 1.0, n)
    before = random.poisson(rate[:, None], (n, 8))
    during, after = (random.poisson(rate[:, None], (n, length)) for length in (weeks, max(weeks, AFTER)))
    treated = random.random(n) < 0.6
    caused = random.poisson(lift * rate[:, None], (n, weeks)) * treated[:, None]
    moved = random.binomial(after, pulled) * treated[:, None]
    given = random.binomial(during, 0.3) * treated[:, None]
    spend = np.concatenate([during + caused + moved[:, :weeks], after - moved], axis=1)
    truth = np.array([(counts * money[:, None]).sum() for counts in (caused, moved, given)])
    return World(spend * money[:, None], before * money[:, None], treated, truth)


def coverage(found: list[tuple[World, Cannibalisation]]) -> np.ndarray:
    held = [
        [getattr(split, part).holds(truth) for part, truth in zip(PARTS, world.truth, strict=True)]
        for world, split in found
    ]
    return np.mean(held, axis=0)


def randomised(world: World, weeks: int = DURING) -> Cannibalisation:
    """As a campaign with a control group is split, by what was spent before."""
    people = pd.DataFrame({f"week_{week}": spend for week, spend in enumerate(world.spend.T)})
    arms = np.where(world.treated, "treated", "control")
    weekly, covariance = held_out.weekly(people.assign(arm=arms, **{"spend before": world.before.sum(axis=1)}))
    return read(weekly, covariance, treated=int(world.treated.sum()), redeemed=world.redeemed, weeks_during=weeks)


@pytest.mark.slow
def test_with_a_hold_out_intervals_hold_the_truth_nine_times_in_ten() -> None:
    worlds = [world(seed) for seed in range(RUNS)]
    assert coverage([(each, randomised(each)) for each in worlds]) == pytest.approx(0.9, abs=0.04)


@pytest.mark.slow
def test_a_campaign_of_seven_weeks_is_covered_too_and_not_by_its_first_four() -> None:
    worlds = [world(seed, weeks=7) for seed in range(1000)]
    assert coverage([(each, randomised(each, 7)) for each in worlds]) == pytest.approx(0.9, abs=0.04)
    assert coverage([(each, randomised(each, 4)) for each in worlds[:100]])[2] < 0.5


@pytest.mark.slow
def test_where_nothing_was_pulled_forward_the_interval_says_so() -> None:
    worlds = [world(seed, pulled=0.0) for seed in range(RUNS)]
    found = [(each, randomised(each)) for each in worlds]
    assert coverage(found).min() >= 0.86
    lows = [split.pulled_forward.low for _, split in found if split.pulled_forward]
    assert np.mean(np.array(lows) <= 1e-6) >= 0.9


def chosen(seed: int, **retailer: Any) -> tuple[np.ndarray, Together, Cannibalisation]:
    """A retailer who chooses recent buyers for three campaigns: the truth, and the split of all three."""
    made = targeting(seed, customers=800, **retailer)
    ends = {
        name: made.panel.first_day + timedelta(days=7 * (start + LIFT_WEEKS) - 1)
        for name, start in zip(made.truth, (36, 47, 58), strict=True)
    }
    ran = {name: Ran(end, made.contacted[name]) for name, end in ends.items()}
    found = together(made.panel, ran, Plan(matched=13))
    assert found.caused is not None
    rise, fall, given = made.sold
    truth = np.array([rise - fall, fall, given])
    return truth, found, divided(
        found.caused, what="All", design="difference-in-differences", redeemed=rise + given,
        treated=sum(made.contacted.values()),
    )  # fmt: skip


@pytest.mark.slow
def test_where_customers_were_chosen_the_split_of_several_campaigns_holds_the_truth() -> None:
    runs = [chosen(seed) for seed in range(RUNS)]
    held = [
        [getattr(split, part).holds(true) for part, true in zip(PARTS, truth, strict=True)] for truth, _, split in runs
    ]
    assert np.mean(held, axis=0) == pytest.approx(0.9, abs=0.04)


@pytest.mark.slow
def test_sales_caused_by_campaigns_of_nine_weeks_are_held_nine_times_in_ten() -> None:
    """All that an account counts, lift and dip, of two campaigns whose coupons were taken long after the lift."""
    held, starts = [], (36, 52)
    for seed in range(RUNS):
        made = targeting(seed, customers=800, starts=starts)
        ran = {
            name: Ran(made.panel.first_day + timedelta(days=7 * (start + 9) - 1), made.contacted[name])
            for name, start in zip(made.truth, starts, strict=True)
        }
        found = together(made.panel, ran, Plan(matched=13), most_after=4)
        assert found.caused is not None
        assert found.caused.weeks_after == 4
        caused = Interval.around(found.caused.during + found.caused.after, found.error)
        rise, fall, _ = made.sold
        held.append(caused.holds(rise - fall))
    assert np.mean(held) == pytest.approx(0.9, abs=0.04)


def test_campaigns_of_several_lengths_are_each_read_over_their_own() -> None:
    made = targeting(3, customers=800)
    first = made.panel.first_day
    ends = {"0": first + timedelta(days=7 * 41 - 1), "1": first + timedelta(days=7 * 50 - 1), "2": date(2025, 12, 31)}
    both = together(made.panel, {name: Ran(end, 100) for name, end in ends.items()}, Plan(matched=13))
    assert both.campaigns == ("0", "1")
    assert both.refusals == ("campaign 2: the 4 weeks after its end are not over when the log ends",)
    alone = [together(made.panel, {name: Ran(ends[name], 100)}, Plan(matched=13)).caused for name in ("0", "1")]
    assert both.caused is not None
    assert both.caused.during == pytest.approx(sum(each.during for each in alone if each))
    assert both.caused.after == pytest.approx(sum(each.after for each in alone if each))
    assert both.caused.weeks_after == 4


def test_without_a_campaign_that_can_be_compared_nothing_is_caused() -> None:
    made = targeting(3, customers=800)
    found = together(made.panel, {"nowhere": Ran(made.panel.first_day + timedelta(days=300), 0)}, Plan(matched=13))
    assert found.caused is None
    assert found.refusals == ("campaign nowhere: nobody received it",)


@pytest.mark.slow
def test_the_campaign_of_a_simulated_retailer_added_what_it_added() -> None:
    settings = Simulation(
        customers=6000, days=240, campaign_every=90, lift=1.0, lift_spread=0.1, seed=5, season=0.0, returned=0.0
    )
    tables = simulate_frames(settings)
    drawn = tables["truth_contacts"].query("campaign == 1").set_index("customer")
    start = pd.Timestamp(tables["campaigns"]["start"].iloc[0]) + pd.Timedelta(days=1)
    lines = tables["transactions"].assign(week=lambda t: (t["time"] - start).dt.days // 7)
    here = lines[lines["week"].between(0, 5) & lines["customer"].isin(drawn.index)]
    spend = here.pivot_table(index="customer", columns="week", values="amount", aggfunc="sum").reindex(drawn.index)
    coupons = tables["redemptions"].query("campaign == 1")["receipt"]
    treated = (drawn["group"] == "treated").to_numpy()
    weekly, covariance = weekly_differences(spend.fillna(0.0).to_numpy(), treated)
    redeemed = lines.loc[lines["receipt"].isin(coupons), "amount"].sum()
    found = read(weekly, covariance, treated=int(treated.sum()), redeemed=redeemed, weeks_during=3)
    assert found.incremental is not None
    assert found.incremental.holds(drawn["spend"].sum())
    assert found.incremental.low > 0
