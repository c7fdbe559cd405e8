"""The split of redeemed sales: by hand, against worlds where each coupon's purchase is known, and none."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.errors import DataError
from loyalty.programme.cannibalisation import PARTS, Cannibalisation, split, weekly_differences, weekly_matched
from loyalty.programme.matching import match
from loyalty.sources.simulator import Simulation, simulate_frames

RUNS = 300
DURING, AFTER = 3, 3


def table(*effects: float, error: float = 0.1, first: int = 0) -> pd.DataFrame:
    weeks = np.arange(first, first + len(effects))
    return pd.DataFrame({"week": weeks, "estimate": effects, "standard_error": error})


def read(weekly: pd.DataFrame, **changed: Any) -> Cannibalisation:
    plain = {"what": "Campaign 13", "design": "randomised", "redeemed": 1000.0, "treated": 100, "weeks_during": 2}
    return split(weekly, **(plain | changed))


def estimates(found: Cannibalisation) -> list[float]:
    return found.frame()["estimate"].tolist()


def test_a_split_by_hand() -> None:
    # 100 customers bought for 6 more in the two weeks, and for 2 less in the two after; 1,000 were redeemed.
    found = read(table(4.0, 2.0, -1.5, -0.5))
    assert estimates(found) == pytest.approx([400.0, 200.0, 400.0])
    assert found.frame()["share"].tolist() == pytest.approx([0.4, 0.2, 0.4])
    assert found.bounds == ()
    # All errors go one way: 0.1 in each of two weeks is 0.2 x 100 customers.
    assert found.subsidised is not None
    assert found.subsidised.high - found.subsidised.low == pytest.approx(2 * 1.645 * 20, rel=0.03)


def test_a_covariance_narrows_what_errors_alone_leave_open() -> None:
    weekly = table(4.0, 2.0, -1.5, -0.5)
    alone, known = read(weekly), read(weekly, covariance=np.eye(4) * 0.01)
    draws = np.random.default_rng(1).normal(weekly["estimate"], 0.1, (20_000, 4))
    drawn = read(weekly.drop(columns="standard_error"), draws=draws)
    wide, narrow, third = (
        [each.high - each.low for each in map(found.__getattribute__, PARTS)] for found in (alone, known, drawn)
    )
    assert np.array(narrow) == pytest.approx(np.array(wide) / np.sqrt([4, 2, 2]), rel=0.03)
    assert third == pytest.approx(narrow, rel=0.03)
    assert any("too wide" in note for note in alone.notes)
    assert not any("too wide" in note for note in known.notes)


def test_weeks_before_the_campaign_are_not_used() -> None:
    before = table(9.0, np.nan, 4.0, 2.0, -1.5, -0.5, first=-2).assign(standard_error=[3.0, np.nan, 0.1, 0.1, 0.1, 0.1])
    assert read(before).to_dict() == read(table(4.0, 2.0, -1.5, -0.5)).to_dict()


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
    frame = read(table(*effects, error=error), redeemed=redeemed).frame()
    assert frame["estimate"].sum() == pytest.approx(redeemed)
    assert (frame[["estimate", "low", "high"]] >= 0).all(axis=None)
    assert (frame[["estimate", "low", "high"]] <= redeemed * (1 + 1e-9)).all(axis=None)
    assert (frame["low"] <= frame["estimate"]).all()
    assert (frame["estimate"] <= frame["high"]).all()


@pytest.mark.parametrize(
    ("weekly", "changed", "reason"),
    [
        (table(4.0, 2.0, -1.0), {"refusals": ("Pre-trends differ.",)}, "Pre-trends differ."),
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
        (table(4.0, 2.0, -1.0, error=np.nan), {}, r"weekly\.standard_error"),
        (table(4.0, 2.0, -1.0, error=-1.0), {}, r"weekly\.standard_error"),
        (table(4.0, 2.0, -1.0).drop(columns="standard_error"), {}, r"weekly\.standard_error"),
        (table(4.0, 2.0, -1.0), {"covariance": np.eye(2)}, "covariance: expected numbers"),
        (table(4.0, 2.0, -1.0), {"covariance": np.full((3, 3), np.nan)}, "covariance: expected numbers"),
        (table(4.0, 2.0, -1.0), {"draws": np.zeros((10, 2))}, "draws: expected numbers in 3"),
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


def world(seed: int, *, chosen: float = 0.0, pulled: float = 0.4, lift: float = 0.5, n: int = 1200) -> World:
    """Purchases at a rate of one's own; `chosen` is how much treatment goes by the purchases of the weeks before."""
    random = np.random.default_rng(seed)
    rate, money = random.gamma(3.0, 0.3, n), random.gamma(8.0, 1.0, n)
    before = random.poisson(rate[:, None], (n, 8))
    treated = random.random(n) < 1 / (1 + np.exp(-chosen * (np.log1p(before.sum(axis=1)) - 2)))
    during, after = (random.poisson(rate[:, None], (n, weeks)) for weeks in (DURING, AFTER))
    if chosen == 0:
        treated = random.random(n) < 0.6
    caused = random.poisson(lift * rate[:, None], (n, DURING)) * treated[:, None]
    moved = random.binomial(after, pulled) * treated[:, None]
    given = random.binomial(during, 0.3) * treated[:, None]
    weeks = np.concatenate([during + caused + moved[:, :DURING], after - moved], axis=1)
    truth = np.array([(counts * money[:, None]).sum() for counts in (caused, moved, given)])
    return World(weeks * money[:, None], before * money[:, None], treated, truth)


def coverage(found: list[tuple[World, Cannibalisation]]) -> np.ndarray:
    held = [
        [getattr(split, part).holds(truth) for part, truth in zip(PARTS, world.truth, strict=True)]
        for world, split in found
    ]
    return np.mean(held, axis=0)


def randomised(world: World) -> Cannibalisation:
    weekly, covariance = weekly_differences(world.spend, world.treated)
    return read(
        weekly, covariance=covariance, treated=int(world.treated.sum()), redeemed=world.redeemed, weeks_during=DURING
    )


def matched(world: World) -> Cannibalisation:
    before = world.before.sum(axis=1)
    found = match(np.column_stack([before, np.log1p(before), (world.before > 0).sum(axis=1)]), world.treated)
    weekly, covariance = weekly_matched(found, world.spend[found.rows])
    return read(
        weekly,
        covariance=covariance,
        design="difference-in-differences",
        treated=int(world.treated.sum()),
        redeemed=world.redeemed,
        weeks_during=DURING,
    )


@pytest.mark.slow
def test_with_a_hold_out_intervals_hold_the_truth_nine_times_in_ten() -> None:
    worlds = [world(seed) for seed in range(RUNS)]
    assert coverage([(each, randomised(each)) for each in worlds]) == pytest.approx(0.9, abs=0.04)


@pytest.mark.slow
def test_where_nothing_was_pulled_forward_the_interval_says_so() -> None:
    worlds = [world(seed, pulled=0.0) for seed in range(RUNS)]
    found = [(each, randomised(each)) for each in worlds]
    assert coverage(found).min() >= 0.86
    lows = [split.pulled_forward.low for _, split in found if split.pulled_forward]
    assert np.mean(np.array(lows) <= 1e-6) >= 0.9


@pytest.mark.slow
def test_without_one_the_matched_effects_split_and_the_raw_differences_do_not() -> None:
    worlds = [world(10_000 + seed, chosen=1.0, n=800) for seed in range(RUNS)]
    assert coverage([(each, matched(each)) for each in worlds]) == pytest.approx(0.9, abs=0.04)
    assert coverage([(each, randomised(each)) for each in worlds])[2] < 0.5


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
    found = read(weekly, covariance=covariance, treated=int(treated.sum()), redeemed=redeemed, weeks_during=3)
    assert found.incremental is not None
    assert found.incremental.holds(drawn["spend"].sum())
    assert found.incremental.low > 0
