"""Retailers who choose recent buyers: the effect is found where it can be, and refused, in words, where it cannot."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from loyalty.features.columns import Tables
from loyalty.programme import doubly_robust, observational, placebos
from loyalty.programme.effect import Interval, Placebo
from loyalty.programme.event_study import Estimates, pooled
from loyalty.programme.observational import Observed, effect, plan_for
from loyalty.programme.panel import Contacts, Panel, Plan, panel
from loyalty.programme.stacking import Stack, cohorts, outcomes, stack
from loyalty.sources.simulator.settings import Simulation
from loyalty.sources.simulator.write import simulate_frames
from loyalty.study import Study
from targeted_retailers import World, world

PLAN = Plan(matched=13)
ALL = ("0", "1", "2")


@pytest.fixture(scope="module")
def retailer() -> World:
    return world(11, customers=1500, lift=1.0)


@pytest.fixture(scope="module")
def observed(retailer: World) -> Observed:
    return effect(retailer.panel, ALL, plan=PLAN, currency="EUR", draws=40)


def contacts_of(panel: Panel, rows: np.ndarray, day: int) -> Panel:
    """The same customers, with one campaign."""
    sent = Contacts(rows, np.full(rows.size, day), np.zeros(rows.size, dtype=np.int64))
    return replace(panel, contacts=sent, campaigns=("only", "unsent"))


def test_the_effect_is_found_and_the_raw_difference_is_not_it(retailer: World, observed: Observed) -> None:
    truth = retailer.pooled()
    assert observed.effect.identified
    assert observed.effect.clear
    assert observed.effect.found.holds(truth)
    assert observed.effect.raw is not None
    assert observed.effect.raw.low > 2 * truth
    assert observed.check is not None
    assert observed.check.found.holds(truth)
    assert observed.effect.unit == "EUR a customer"


def test_lift_and_dip_are_the_effect(observed: Observed) -> None:
    assert observed.lift.estimate + observed.dip.estimate == pytest.approx(observed.effect.found.estimate)
    by_phase = observed.weeks.groupby("phase")["estimate"].sum()
    assert by_phase["during"] == pytest.approx(observed.lift.estimate)
    assert by_phase["after"] == pytest.approx(observed.dip.estimate)
    assert observed.lift.estimate > 0 > observed.dip.estimate


def test_what_it_says_survives_json(observed: Observed) -> None:
    back = Observed.from_dict(json.loads(json.dumps(observed.to_dict())))
    pd.testing.assert_frame_equal(back.weeks, observed.weeks)
    assert back.effect == observed.effect
    assert back.sensitivity == observed.sensitivity


def test_it_is_the_same_in_every_run(retailer: World, observed: Observed) -> None:
    assert effect(retailer.panel, ALL, plan=PLAN, currency="EUR", draws=40).effect == observed.effect


def test_campaigns_that_never_were_must_be_enough(retailer: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placebos, "draws", lambda *_: np.empty((0, 2)))
    found = effect(retailer.panel, ALL, plan=PLAN, currency="EUR", draws=40)
    assert not found.effect.identified
    assert found.effect.refusals[0].startswith("not identified: campaigns at random dates. Only 0 of 40")
    assert Observed.from_dict(json.loads(json.dumps(found.to_dict()))).effect.refusals == found.effect.refusals


def test_a_choice_by_what_nobody_measured_is_refused_without_a_number() -> None:
    found = effect(world(1, customers=5000, hidden=2.0).panel, ALL, plan=PLAN, draws=0)
    assert not found.effect.identified
    assert np.isnan(found.effect.found.estimate)
    assert found.effect.refusals[0].startswith("not identified: weeks before.")
    assert found.check is None
    assert (found.weeks["week"] < 0).all()
    assert found.effect.raw is not None


@pytest.mark.parametrize("campaign", ["unsent", "unknown"])
def test_a_campaign_that_nobody_received(retailer: World, campaign: str) -> None:
    bare = contacts_of(retailer.panel, np.arange(300), 36 * 7)
    assert effect(bare, campaign).effect.refusals == (f"campaign {campaign}: nobody received it",)


def test_everyone_contacted(retailer: World) -> None:
    everyone = contacts_of(retailer.panel, np.arange(1500), 36 * 7)
    (reason,) = effect(everyone, "only").effect.refusals
    assert "everyone who could be compared was contacted too, but for 0 customers" in reason


def test_no_pre_period(retailer: World) -> None:
    early = contacts_of(retailer.panel, np.arange(300), 8 * 7)
    (reason,) = effect(early, "only").effect.refusals
    assert "no pre-period: it began on 2024-02-26, 56 days into the log; 119 are needed" in reason


def test_an_arm_that_is_too_small(retailer: World) -> None:
    few = contacts_of(retailer.panel, np.arange(29), 36 * 7)
    (reason,) = effect(few, "only").effect.refusals
    assert "29 customers contacted in a week" in reason
    assert "at least 30" in reason


def test_a_campaign_that_is_not_over(retailer: World) -> None:
    late = contacts_of(retailer.panel, np.arange(300), 61 * 7)
    (reason,) = effect(late, "only").effect.refusals
    assert "the 8 weeks from 2025-03-03 on are not over" in reason


def test_campaigns_that_cannot_be_compared_are_told_and_the_others_pooled(retailer: World) -> None:
    some = effect(retailer.panel, (*ALL, "nowhere"), plan=PLAN, draws=0)
    assert some.effect.identified
    assert some.effect.notes[0] == "Left out: campaign nowhere: nobody received it."


def test_a_rolling_campaign_is_compared_week_by_week(retailer: World) -> None:
    rows = np.arange(400)
    sent = Contacts(rows, 36 * 7 + 7 * (rows // 200), np.zeros(400, dtype=np.int64))
    rolling = replace(retailer.panel, contacts=sent, campaigns=("only",))
    first, second = cohorts(rolling, "only", PLAN)
    assert second.anchor == first.anchor + 7
    assert set(first.customers[~first.treated]) & set(range(200, 400))
    assert not set(second.customers) & set(range(200))


def test_those_whom_another_campaign_reached_that_day_are_no_controls(retailer: World) -> None:
    rows = np.arange(400)
    sent = Contacts(rows, np.full(400, 36 * 7), rows // 200)
    both = replace(retailer.panel, contacts=sent, campaigns=("one", "two"))
    (cohort,) = cohorts(both, "one", PLAN)
    assert not set(cohort.customers) & set(range(200, 400))


def test_members_are_compared_with_members(retailer: World) -> None:
    joined = np.where(np.arange(1500) < 900, 0, 10**9)
    known = replace(contacts_of(retailer.panel, np.arange(300), 36 * 7), joined=joined)
    (cohort,) = cohorts(known, "only", PLAN)
    assert cohort.customers.max() < 900


def test_the_plan_follows_from_the_length_of_the_log(retailer: World) -> None:
    assert plan_for(retailer.panel, ALL).matched == 26
    early = contacts_of(retailer.panel, np.arange(300), 30 * 7)
    assert plan_for(early, ("only",)).matched == 22


@pytest.mark.slow
@pytest.mark.parametrize("matched", [13, 26])
def test_targeted_on_recency_intervals_hold_where_raw_and_plain_differences_are_wrong(matched: int) -> None:
    """200 retailers. The raw difference is wrong by the factor that the simulated choice makes, about five, and a plain
    difference in differences finds none of it: recent buyers go back to what is usual for them."""
    plan, held, told, raw, plain, factor = Plan(matched=matched), [], [], [], [], []
    for seed in range(200):
        made = world(seed)
        found, passed = effect_and_test(made, plan)
        held.append(found.holds(made.pooled()))
        told += [held[-1]] if passed else []
        factor.append((made.gap["0"] + made.truth["0"][0]) / made.truth["0"][0])
        cohort = cohorts(made.panel, "0", plan)[0]
        weeks = outcomes(made.panel, cohort, plan, "spend")
        after, change = weeks[:, -8:].sum(axis=1), weeks[:, -8:].sum(axis=1) - weeks[:, -16:-8].sum(axis=1)
        for kept, values in ((raw, after), (plain, change)):
            kept.append((values[cohort.treated].mean() - values[~cohort.treated].mean()) / made.truth["0"][0])
    assert 0.86 <= np.mean(held) <= 0.94
    # Only what passes is told: the choice among the runs must not spoil the intervals.
    assert len(told) >= 180
    assert 0.86 <= np.mean(told) <= 0.94
    assert np.mean(raw) == pytest.approx(np.mean(factor), rel=0.05)
    assert np.mean(factor) > 4
    assert np.mean(plain) < 0.3


def effect_and_test(made: World, plan: Plan) -> tuple[Interval, bool]:
    """The interval, and whether the weeks before let it be told."""
    estimates, test = with_its_test(stack(made.panel, ALL, plan, "spend"), made, plan)
    last = np.zeros((len(estimates.values), 1))
    last[-plan.window :] = 1
    return estimates.times(last).interval(), test.passed


def with_its_test(found: Stack, made: World, plan: Plan) -> tuple[Estimates, Placebo]:
    """Effects by week, and what those before tell."""
    estimates = pooled(found.trials, made.panel.customers)
    return estimates, placebos.before(estimates, plan.tested, "EUR a customer", 1)


@pytest.mark.slow
def test_intervals_of_the_second_method_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 retailers of two campaigns, all of them and those that pass; few trees, for speed."""
    monkeypatch.setitem(doubly_robust._TREES, "n_estimators", 10)
    plan, held, told = Plan(matched=13), [], []
    for seed in range(200):
        made = world(seed, starts=(36, 50))
        found = stack(made.panel, ("0", "1"), plan, "spend")
        check = observational._check(made.panel, found, plan, observational._refused("", "", ()), 1)
        held.append(check.found.holds(made.pooled()))
        told += [held[-1]] if with_its_test(found, made, plan)[1].passed else []
    assert 0.86 <= np.mean(held) <= 0.94
    assert len(told) >= 180
    assert 0.86 <= np.mean(told) <= 0.94


@pytest.mark.slow
def test_the_simulators_targeted_campaigns(tables_of: Callable[..., Tables]) -> None:
    """Eight campaigns, so that only what is far off is seen: four intervals or fewer hold once in 200 times."""
    held, ratio = [], []
    for seed in range(4):
        frames = simulate_frames(Simulation(customers=6000, days=540, seed=seed, lift=0.6))
        made = panel(simulated_tables(frames, tables_of), frames["transactions"]["time"].max().date())
        truth = frames["truth_contacts"].groupby("campaign")["expected_spend"].mean()
        for campaign in (4, 6):
            found = effect(made, str(campaign), draws=0)
            assert found.effect.raw is not None
            ratio.append(found.effect.raw.estimate / truth[campaign])
            held.append(found.effect.identified and found.effect.found.holds(truth[campaign]))
    assert min(ratio) > 1.5
    assert sum(held) >= 5


def simulated_tables(frames: dict[str, pd.DataFrame], tables_of: Callable[..., Tables]) -> Tables:
    lines = frames["transactions"].rename(columns={"receipt": "order"})
    lines = lines.assign(day=pd.to_datetime(lines["time"]).dt.date)[["customer", "time", "day", "order", "amount"]]
    sent = frames["contacts"][frames["contacts"]["group"] == "treated"]
    contacts = pd.DataFrame(
        {
            "customer": sent["customer"],
            "day": pd.to_datetime(sent["time"]).dt.date,
            "campaign": sent["campaign"].astype(str),
        }
    )
    joined = frames["customers"][["customer"]].assign(joined=pd.to_datetime(frames["customers"]["joined"]).dt.date)
    frames_of = {"lines": lines, "contacts": contacts, "customers": joined}
    named = {name: frame.assign(customer=frame["customer"].astype(str)) for name, frame in frames_of.items()}
    return tables_of(named.pop("lines"), **named)


@pytest.mark.slow
def test_complete_journey(journey: Study) -> None:
    """A quarter of pre-period leaves heavy buyers among the contacted; half a year, where the log has it, does not."""
    made = panel(journey.data.tables, journey.known_until)
    first = effect(made, "8", currency="USD", draws=20)
    assert not first.effect.identified
    assert "not identified: weeks before" in first.effect.refusals[0]
    later = effect(made, ("13", "18"), currency="USD", draws=20)
    assert later.effect.identified
    assert later.effect.raw is not None
    assert later.effect.raw.low > later.effect.found.high
    assert "no pre-period" in effect(made, "27").effect.refusals[0]
