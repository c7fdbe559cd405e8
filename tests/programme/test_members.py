"""What joining changed: worlds where better customers join and the effect is known, and where none can be told."""

import json
from collections.abc import Callable
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.features.columns import Tables
from loyalty.features.histories import purchase_days, return_days
from loyalty.programme.effect import Effect
from loyalty.programme.members import OUTCOMES, against_others, effects
from loyalty.sources.simulator import Simulation, simulate_frames

RUNS, H, WEEKS = 200, 28, 4


def world(seed: int, *, lift: float = 0.0, chosen: float = 0.8, trend: float = 0.0, n: int = 1500) -> pd.DataFrame:
    """Rows as `comparison` makes them, with what joining adds, expected, to each outcome: `caused_spend` and so on.

    Purchases at a rate of one's own, which nobody sees, in money of one's own. The chance of joining in a week goes
    with the rate to the power `chosen`. With a `trend`, those who join bought more and more before.
    """
    random = np.random.default_rng(seed)
    rate, money = random.gamma(2.0, 0.25, n), random.gamma(6.0, 4.0, n)
    joined = random.geometric(np.clip(0.04 * (2 * rate) ** chosen, 1e-3, 0.9)) - 1
    pace = rate[:, None] * np.exp(trend * (np.arange(WEEKS + 20) - 12) * (joined < WEEKS)[:, None])
    bought = random.poisson(pace)
    spend = random.gamma(4.0, 0.25, bought.shape) * money[:, None] * bought
    rows, since = [], random.integers(2 * H, 400, n)
    for week in range(WEEKS):
        who = np.flatnonzero((joined == week) | (joined > week + 4))
        joins = joined[who] == week
        more = random.poisson(4 * lift * rate[who] * joins)
        columns = {"customer": who, "week": week, "joins": joins, "tenure": since[who] + 7 * week}
        columns["visited"] = bought[who, week + 12] > 0
        for name, first in (("_3", 0), ("_2", 4), ("_1", 8), ("_after", 13)):
            here = slice(week + first, week + first + 4)
            columns[f"days{name}"] = bought[who, here].sum(axis=1) + more * (name == "_after")
            columns[f"spend{name}"] = spend[who, here].sum(axis=1) + more * money[who] * (name == "_after")
        without, with_it = 4 * rate[who], 4 * (1 + lift) * rate[who]
        columns["caused_spend"] = (with_it - without) * money[who]
        columns["caused_churned"] = np.exp(-with_it) - np.exp(-without)
        columns["caused_repurchased"] = (1 + without) * np.exp(-without) - (1 + with_it) * np.exp(-with_it)
        rows.append(pd.DataFrame(columns))
    return pd.concat(rows, ignore_index=True)


Told = list[dict[str, tuple[float, Effect]]]
"""Truth and estimate by outcome, of many worlds."""


@pytest.fixture(scope="module")
def better_join() -> Told:
    found = []
    for seed in range(RUNS):
        rows = world(seed, lift=0.3)
        truth, told = rows[rows["joins"]].mean(), effects(rows, H, currency="EUR")
        found.append({name: (truth[f"caused_{name}"], told[name]) for name in ("spend", "churned", "repurchased")})
    return found


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["spend", "churned", "repurchased"])
def test_where_better_customers_join_the_corrected_intervals_hold_the_truth(better_join: Told, outcome: str) -> None:
    held = [effect.found.holds(truth) for truth, effect in (each[outcome] for each in better_join) if effect.identified]
    assert np.mean(held) == pytest.approx(0.9, abs=0.04)


@pytest.mark.slow
def test_the_raw_difference_is_wrong_by_the_factor_that_was_simulated(better_join: Told) -> None:
    # With a gamma rate of shape 2, in which joining goes with the power 0.8, those who join in a week buy 2.8 / 2 = 1.4
    # times as much as all, and members 1.3 x 1.4 of it; the truth is 0.3 x 1.4 (chances near 1 and who has joined
    # already are neglected, which is why others buy a little less than all).
    pairs = [each["spend"] for each in better_join]
    truth, raw = np.mean([truth for truth, _ in pairs]), np.mean([e.raw.estimate for _, e in pairs if e.raw])
    assert raw / truth == pytest.approx((1.3 * 1.4 - 1) / (0.3 * 1.4), abs=0.25)
    estimate = np.mean([effect.found.estimate for _, effect in pairs if effect.identified])
    assert estimate / truth == pytest.approx(1.0, abs=0.05)
    assert np.mean([effect.raw.holds(truth) for truth, effect in pairs if effect.raw]) < 0.05


@pytest.mark.slow
def test_a_placebo_fails_five_times_in_a_hundred_where_nothing_is_there() -> None:
    found = [effects(world(1000 + seed), H, currency="EUR")["spend"] for seed in range(400)]
    passed = [effect.placebos[0].passed for effect in found]
    assert 1 - np.mean(passed) == pytest.approx(0.05, abs=0.02)
    assert [effect.identified for effect in found] == passed
    assert np.mean([effect.found.holds(0.0) for effect in found if effect.identified]) == pytest.approx(0.9, abs=0.04)


def test_who_bought_more_and_more_before_joining_has_no_effect_told() -> None:
    found = effects(world(1, trend=0.15), H, currency="EUR")["spend"]
    assert not found.placebos[0].passed
    assert not found.identified
    assert "did not go the same way before" in found.refusals[0]
    value = effects(world(1, trend=0.15), H, currency="EUR", margin=0.5)["value"]
    assert value.placebos[0].found.estimate == pytest.approx(found.placebos[0].found.estimate / 2)
    assert value.refusals == (f"{value.placebos[0].reading} So members and others did not go the same way before.",)


def test_all_outcomes_go_the_way_of_the_truth_and_the_margin_is_a_share_of_spend() -> None:
    found = effects(world(3, lift=2.0), H, currency="EUR", margin=0.25, annual_discount_rate=0.1)
    assert list(found) == list(OUTCOMES)
    assert found["spend"].found.low > 0
    assert found["repurchased"].found.low > 0
    assert found["churned"].found.high < 0
    # Half a window of 28 days from now, 0.25 is worth 0.25 / 1.1^(14 / 365).
    assert found["value"].found.estimate == pytest.approx(
        found["spend"].found.estimate * 0.25 / 1.1 ** (14 / 365), rel=1e-4
    )
    assert all(effect.raw and effect.overlap for effect in found.values())
    assert [effect.unit for effect in found.values()] == ["share", "share", "EUR a customer", "EUR a customer"]
    for effect in found.values():
        assert Effect.from_dict(json.loads(json.dumps(effect.to_dict(), allow_nan=False))) == effect


def test_the_order_of_the_rows_changes_nothing() -> None:
    rows = world(3)
    assert effects(rows.sample(frac=1, random_state=1), H, currency="EUR") == effects(rows, H, currency="EUR")


def test_where_members_join_as_they_buy_they_are_held_against_others_who_bought() -> None:
    rows = world(4)
    rows["visited"] |= rows["joins"]
    found = effects(rows, H, currency="EUR")["spend"]
    assert found.overlap is not None
    assert found.overlap.kept + found.overlap.trimmed == rows["visited"].sum()
    assert "held against others who bought in the same week" in found.notes[0]
    kept = effects(world(4), H, currency="EUR")["spend"].overlap
    assert kept is not None
    assert kept.kept > found.overlap.kept


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (lambda rows: rows[~rows["joins"]], "0 customers who joined"),
        (lambda rows: rows[rows["joins"]], "0 customers who did not join"),
        (lambda rows: pd.concat([rows[rows["joins"]].head(29), rows[~rows["joins"]]]), "29 customers who joined"),
        (lambda rows: rows[rows["joins"] | (rows["customer"] < 20)], "customers who did not join"),
    ],
)
def test_no_effect_of_few(kept: Callable[[pd.DataFrame], pd.DataFrame], reason: str) -> None:
    found = effects(kept(world(5)), H, currency="EUR", margin=0.3)
    assert all(not effect.identified and reason in effect.refusals[0] for effect in found.values())
    assert all("at least 30 are needed" in effect.refusals[0] for effect in found.values())


def test_no_effect_where_nobody_is_like_those_who_joined() -> None:
    rows = world(6)
    rows.loc[rows["joins"], ["spend_2", "spend_3"]] += 10_000.0
    found = effects(rows, H, currency="EUR")
    assert all("Hardly anyone who did not join" in effect.refusals[0] for effect in found.values())


def test_no_effect_on_what_does_not_vary() -> None:
    rows = world(7)
    rows[["days_1", "days_2", "days_after"]] += 3
    found = effects(rows, H, currency="EUR")
    assert "the same for everyone" in found["churned"].refusals[0]
    assert found["spend"].identified


def test_a_number_that_is_missing_is_said() -> None:
    rows = world(8)
    rows.loc[3, "spend_1"] = np.nan
    with pytest.raises(DataError, match="1 rows hold something that is not a number"):
        effects(rows, H, currency="EUR")
    with pytest.raises(DataError, match=r"\['tenure'\] missing"):
        effects(rows.drop(columns="tenure"), H, currency="EUR")


AS_OF = date(2024, 1, 1)


def shop(tables_of: Callable[..., Tables], joined: dict[str, date]) -> Tables:
    """Forty customers who buy every ten days in the year before the date."""
    days = [AS_OF - timedelta(days=each) for each in range(5, 365, 10)]
    rows = [(f"c{n:02d}", day, f"{n}-{day}", 10.0) for n in range(40) for day in days]
    lines = pd.DataFrame(rows, columns=["customer", "day", "order", "amount"])
    who = pd.DataFrame(list(joined.items()), columns=["customer", "joined"])
    return tables_of(lines, customers=who)


FIRST = AS_OF - timedelta(days=355)
EVERYONE = [f"c{n:02d}" for n in range(40)]


@pytest.mark.parametrize(
    ("joined", "reason", "note"),
    [
        ({"never bought": FIRST}, "Nobody has joined by this date.", None),
        (dict.fromkeys(EVERYONE, AS_OF - timedelta(days=90)), "Every customer is a member", None),
        (
            dict.fromkeys(EVERYONE[:20], FIRST),
            "was known for 56 days before",
            "20 of 20 members joined with their first",
        ),
        (
            dict.fromkeys(EVERYONE, AS_OF + timedelta(days=3)),
            "Nobody has joined",
            "40 customers have a date of joining",
        ),
    ],
)
def test_why_nothing_can_be_said_is_told_of_everybody(
    tables_of: Callable[..., Tables], joined: dict[str, date], reason: str, note: str | None
) -> None:
    found = against_others(shop(tables_of, joined), AS_OF, H, currency="EUR")
    for effect in found.values():
        assert not effect.identified
        assert reason in effect.refusals[0]
        assert note is None or any(note in each for each in effect.notes)


def test_a_dataset_without_days_of_joining_says_so(tables_of: Callable[..., Tables]) -> None:
    tables = shop(tables_of, {"c00": FIRST})._replace(customers=None)
    with pytest.raises(DataError, match=r"customers\.joined: the dataset does not say"):
        against_others(tables, AS_OF, H, currency="EUR")


@pytest.mark.slow
def test_of_a_simulated_retailer_whose_programme_changes_nothing_nothing_is_found() -> None:
    settings = Simulation(customers=8000, days=500, seed=11, campaign_every=0, season=0.0, members=0.5)
    frames = simulate_frames(settings)
    lines = frames["transactions"].rename(columns={"receipt": "order"}).astype({"customer": str})
    lines["day"] = lines["time"].dt.date
    log = ibis.memtable(lines[["customer", "day", "time", "order", "amount"]])
    joined = frames["customers"][["customer", "joined"]].astype({"customer": str})
    tables = Tables(purchase_days(log), return_days(log), log, customers=ibis.memtable(joined))
    found = against_others(tables, settings.end, 14, currency="EUR", most=5000)["spend"]
    assert found.identified
    assert found.treated >= 200
    assert abs(found.found.estimate) <= 2.5 * found.standard_error
    assert found.raw is not None
