"""Membership replayed through time, against a loop over the days."""

from datetime import date, timedelta
from typing import Any

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.errors import DataError, SettingsError
from loyalty.features.columns import Tables, Window
from loyalty.features.programme import TIER
from loyalty.programme.tier_rules import MONTHS, TierRules
from loyalty.programme.tiers import membership, standing, tier_at

START = date(2023, 11, 20)
DAYS = 150
AS_OF = START + timedelta(days=DAYS)

Bought = dict[str, dict[date, float]]


def tables_of_days(bought: Bought, points: pd.DataFrame | None = None) -> Tables:
    rows = [(who, day, spend) for who, days in bought.items() for day, spend in days.items() if spend]
    frame = pd.DataFrame(rows, columns=["customer", "day", "spend"])
    schema = {"customer": "string", "day": "date", "spend": "float64"}
    all_days = ibis.memtable(frame, schema=schema).mutate(orders=ibis.literal(1, "int64"))
    return Tables(
        all_days.filter(all_days.spend > 0),
        all_days.filter(all_days.spend < 0),
        points=None if points is None else ibis.memtable(points),
    )


def period_of(day: date, rules: TierRules) -> int:
    return (day.year * 12 + day.month - 1) // MONTHS[rules.period]


def end_of(period: int, rules: TierRules) -> date:
    month = (period + 1) * MONTHS[rules.period]
    return date(month // 12, month % 12 + 1, 1)


def by_loop(bought: Bought, rules: TierRules, until: date = AS_OF) -> dict[tuple[str, date], int]:
    """Tier on every day, one day after another: what is kept of each tier is moved on from the day before."""
    found = {}
    for who, days in bought.items():
        kept = [date.min] * len(rules.thresholds)
        for number in range((until - START).days):
            day = START + timedelta(days=number)
            if rules.period == "rolling":
                counts = [past for past in days if 0 <= (day - past).days < rules.days]
            else:
                counts = [p for p in days if p <= day and period_of(p, rules) == period_of(day, rules)]
            worth = sum(days[past] for past in counts)
            for top in range(len(kept)):
                if worth >= rules.thresholds[top]:
                    for tier in range(top + 1):
                        steps = top - tier if rules.downgrade == "step" else 0
                        if rules.period == "rolling":
                            last = day + timedelta(days=1 + rules.grace_days + steps * rules.days)
                        else:
                            period = period_of(day, rules) + rules.grace_periods + steps
                            last = end_of(period, rules) + timedelta(days=rules.grace_days)
                        kept[tier] = max(kept[tier], last)
            tier = sum(day < last for last in kept)
            if tier:
                found[who, day] = tier
    return found


def on_days(members: pd.DataFrame) -> dict[tuple[str, date], int]:
    found: dict[tuple[str, date], int] = {}
    for row in members.to_dict("records"):
        for day in pd.date_range(row["since"], row["until"], inclusive="left"):
            at = (row["customer"], day.date())
            assert at not in found, "a day in two tiers"
            if day.date() < AS_OF:
                found[at] = row["tier"]
    return found


money = st.one_of(st.integers(-8, 40).map(lambda quarters: quarters / 4), st.just(10.0))
when = st.integers(0, DAYS - 1).map(lambda number: START + timedelta(days=number))
logs = st.dictionaries(st.sampled_from("abc"), st.dictionaries(when, money, max_size=9), min_size=1)


@st.composite
def all_rules(draw: st.DrawFn) -> TierRules:
    period: Any = draw(st.sampled_from(["rolling", "month", "quarter", "year"]))
    return TierRules(
        ("Bronze", "Silver", "Gold"),
        (5.0, 10.0, 20.0),
        period=period,
        days=draw(st.integers(1, 60)),
        grace_days=draw(st.sampled_from([0, 0, 1, 20])),
        grace_periods=0 if period == "rolling" else draw(st.integers(0, 2)),
        downgrade=draw(st.sampled_from(["reached", "step"])),
    )


@settings(max_examples=25)
@given(logs, all_rules())
def test_the_tier_of_every_day_is_that_of_a_loop_over_the_days(bought: Bought, rules: TierRules) -> None:
    members = membership(tables_of_days(bought), rules, AS_OF).to_pandas()
    assert on_days(members) == by_loop(bought, rules)


ROLLING = TierRules(("Silver", "Gold"), (10.0, 20.0), days=30)


def stretches(bought: dict[date, float], rules: TierRules, as_of: date = AS_OF) -> list[tuple[int, str, str]]:
    members = membership(tables_of_days({"a": bought}), rules, as_of).to_pandas().sort_values("since")
    return [(row.tier, f"{row.since:%Y-%m-%d}", f"{row.until:%Y-%m-%d}") for row in members.itertuples(index=False)]


def test_a_tier_starts_on_the_day_that_reaches_it_and_ends_when_its_purchases_have_left_the_period() -> None:
    bought = {date(2024, 1, 1): 6.0, date(2024, 1, 11): 4.0}
    assert stretches(bought, ROLLING) == [(1, "2024-01-11", "2024-01-31")]


def test_grace_bridges_a_gap_that_is_no_longer() -> None:
    bought = {date(2024, 1, 1): 10.0, date(2024, 2, 5): 10.0}
    graced = TierRules(("Silver", "Gold"), (10.0, 20.0), days=30, grace_days=5)
    assert stretches(bought, graced) == [(1, "2024-01-01", "2024-03-11")]
    short = TierRules(("Silver", "Gold"), (10.0, 20.0), days=30, grace_days=4)
    assert stretches(bought, short) == [(1, "2024-01-01", "2024-02-04"), (1, "2024-02-05", "2024-03-10")]


def test_a_step_down_is_one_tier_for_one_more_period_and_a_fall_goes_to_what_is_reached() -> None:
    bought = {date(2024, 1, 1): 25.0}
    assert stretches(bought, ROLLING) == [(2, "2024-01-01", "2024-01-31")]
    stepwise = TierRules(("Silver", "Gold"), (10.0, 20.0), days=30, downgrade="step")
    assert stretches(bought, stepwise) == [(2, "2024-01-01", "2024-01-31"), (1, "2024-01-31", "2024-03-01")]


def test_a_calendar_year_is_kept_to_its_end_and_for_the_next_with_its_leap_day() -> None:
    rules = TierRules(("Silver", "Gold"), (10.0, 20.0), period="year", grace_periods=1)
    bought = {date(2023, 11, 30): 10.0, date(2024, 1, 2): 9.0}
    assert stretches(bought, rules) == [(1, "2023-11-30", "2025-01-01")]
    assert stretches({date(2023, 12, 31): 6.0, date(2024, 1, 1): 6.0}, rules) == []


def test_a_return_lowers_a_rolling_tier_and_not_that_of_a_calendar_period() -> None:
    bought = {date(2024, 1, 1): 10.0, date(2024, 1, 5): -1.0}
    assert stretches(bought, ROLLING) == [(1, "2024-01-01", "2024-01-05")]
    calendar = TierRules(("Silver",), (10.0,), period="month")
    assert stretches(bought, calendar) == [(1, "2024-01-01", "2024-02-01")]


def test_cents_that_add_up_to_the_threshold_reach_it() -> None:
    rules = TierRules(("Silver",), (0.3,), days=30)
    assert stretches({date(2024, 1, 1): 0.1, date(2024, 1, 2): 0.2}, rules) == [(1, "2024-01-02", "2024-01-31")]


def test_what_is_bought_later_changes_no_earlier_tier() -> None:
    bought = {"a": {date(2024, 1, 1): 10.0, date(2024, 2, 1): 10.0}}
    whole = tier_at(membership(tables_of_days(bought), ROLLING, AS_OF), date(2024, 1, 20)).to_pandas()
    known = tier_at(membership(tables_of_days(bought), ROLLING, date(2024, 1, 20)), date(2024, 1, 20)).to_pandas()
    assert whole.to_dict("records") == known.to_dict("records") == [{"customer": "a", "tier": 1}]


def test_points_that_are_earned_qualify_and_those_that_are_spent_take_nothing_away() -> None:
    points = pd.DataFrame(
        {"customer": "a", "day": [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)], "points": [6, -6, 4]}
    )
    rules = TierRules(("Silver",), (10.0,), by="points", days=30)
    members = membership(tables_of_days({"a": {}}, points), rules, AS_OF).to_pandas()
    assert [(f"{row.since:%m-%d}", f"{row.until:%m-%d}") for row in members.itertuples()] == [("01-03", "01-31")]
    with pytest.raises(DataError, match=r"programme\.tiers.*\[points\]"):
        membership(tables_of_days({"a": {}}), rules, AS_OF)


def test_without_grace_it_is_the_tier_that_the_features_know() -> None:
    bought = {"a": {date(2024, 3, 1): 12.0, date(2024, 4, 1): 9.0}, "b": {date(2024, 4, 17): 10.0}}
    tables = tables_of_days(bought)._replace(tiers=ROLLING.thresholds, qualifying_days=ROLLING.days)
    known = TIER.table(tables, Window(AS_OF, (30,), known_days=60))
    assert known is not None
    told = known.to_pandas().set_index("customer")["tier"]
    got = tier_at(membership(tables, ROLLING, AS_OF), AS_OF).to_pandas().set_index("customer")["tier"]
    assert got.to_dict() == told[told > 0].to_dict() == {"b": 1}
    worth = standing(tables, ROLLING, AS_OF).to_pandas().set_index("customer")["worth"]
    assert worth.to_dict() == {"a": 90_000, "b": 100_000}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"names": (), "thresholds": ()}, r"programme\.tiers: expected at least one"),
        ({"thresholds": (20.0, 10.0)}, r"each threshold above the one before, found \(20\.0, 10\.0\)"),
        ({"thresholds": (10.0, 10.0)}, "each threshold above the one before"),
        ({"thresholds": (0.0, 10.0)}, "thresholds above 0"),
        ({"thresholds": (1.0, float("nan"))}, "thresholds above 0"),
        ({"names": ("Gold", "Gold")}, "one name of its own"),
        ({"days": 0}, r"programme\.qualifying_days: expected at least 1, found 0"),
        ({"grace_days": -1}, r"programme\.grace_days: expected 0 or more, found -1"),
        ({"grace_periods": 1}, r"programme\.grace_periods: expected 0 in a rolling period"),
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, Any], told: str) -> None:
    right: dict[str, Any] = {"names": ("Silver", "Gold"), "thresholds": (10.0, 20.0)}
    with pytest.raises(SettingsError, match=told):
        TierRules(**(right | wrong))
