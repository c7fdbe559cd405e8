"""Dirt: every finding of the contract is there, as often as the truth says."""

import pandas as pd
import pytest
from loyalty.sources.simulator import Simulation, simulate, simulate_frames
from loyalty.sources.simulator.dirt import KINDS, dead_days, lost_day
from loyalty.study import Study

SETTINGS = Simulation(customers=10_500, days=500, seed=5, dirt=0.05)


@pytest.fixture(scope="module")
def dirty():
    return simulate_frames(SETTINGS)


@pytest.fixture(scope="module")
def clean():
    return simulate_frames(SETTINGS.model_copy(update={"dirt": 0.0}))


def gone(lines):
    """Lines of a clean log that dirt takes away: of the dead till, and of the lost day."""
    day = (lines["time"].dt.normalize() - pd.Timestamp(SETTINGS.start)).dt.days
    first, over = dead_days(SETTINGS)
    till = lines["store"].eq(1) & (day >= first) & (day < over)
    return till, day.eq(lost_day(SETTINGS)) & ~till


def test_every_kind_is_counted_right(dirty, clean):
    lines = dirty["transactions"]
    time = pd.to_datetime(lines["time"], errors="coerce", format="%Y-%m-%d %H:%M:%S")
    amount = pd.to_numeric(lines["amount"], errors="coerce")
    till, day = gone(clean["transactions"])
    once = lines[~lines.duplicated()].reset_index(drop=True)
    meant = clean["transactions"][~till & ~day].reset_index(drop=True)
    moved = once["receipt"].ne(meant["receipt"])
    owner = meant.groupby("receipt")["customer"].first()
    assert once.loc[moved, "customer"].ne(once.loc[moved, "receipt"].map(owner)).all()
    ordinary = amount[amount.abs() < 5_000].abs()
    found = {
        "no_customer": lines["customer"].isna().sum(),
        "unreadable_time": time.isna().sum(),
        "unreadable_amount": amount.isna().sum(),
        "impossible_date": (time < "1990-01-01").sum(),
        "future_date": (time > "2030-01-01").sum(),
        "duplicate_line": lines.duplicated().sum(),
        "duplicate_receipt": moved.sum(),
        "zero_amount": amount.eq(0).sum(),
        "extreme_amount": (amount > 20 * ordinary.quantile(0.999)).sum(),
        "other_currency": lines["currency"].ne("EUR").sum(),
    }
    told = dirty["truth_dirt"].set_index("kind")["lines"]
    assert found == told[list(KINDS)].to_dict()
    assert (told > 0).all()
    assert told[list(KINDS)].sum() == pytest.approx(0.05 * len(lines), rel=0.05)


def test_the_clean_log_has_none_of_it(clean):
    lines = clean["transactions"]
    assert not lines.duplicated().any()
    assert lines.notna().drop(columns="store").all(axis=None)
    assert lines["amount"].ne(0).all()
    assert "truth_dirt" not in clean


def test_a_till_is_dead_for_two_weeks_and_a_day_is_lost(dirty, clean):
    told = dirty["truth_dirt"].set_index("kind")["lines"]
    till, day = gone(clean["transactions"])
    assert clean["transactions"].loc[till, "time"].dt.normalize().nunique() == 14
    assert [till.sum(), day.sum()] == [told["dead_till"], told["lost_day"]]
    lines = dirty["transactions"]
    assert len(lines) == (~till & ~day).sum() + told["duplicate_line"]
    there = lines.assign(time=pd.to_datetime(lines["time"], errors="coerce", format="%Y-%m-%d %H:%M:%S"))
    assert not any(missing.any() for missing in gone(there))


@pytest.mark.slow
def test_the_contract_finds_what_the_truth_says(tmp_path):
    """Every kind of dirt is found, and each line that lacks something or comes twice is counted once."""
    for folder in ("data", "notebooks"):
        (tmp_path / folder).mkdir()
    simulate(SETTINGS.model_copy(update={"customers": 2_000}), "shop", tmp_path)
    told = pd.read_parquet(tmp_path / "data/raw/shop-truth/dirt.parquet").set_index("kind")["lines"]
    found = {each["name"]: each for each in Study.open("shop", root=tmp_path).check()["findings"]}
    same = {"unreadable_time": "no_time", "unreadable_amount": "no_amount"}
    exact = [kind for kind in KINDS if kind != "duplicate_receipt"]
    assert {kind: found[same.get(kind, kind)]["lines"] for kind in exact} == told[exact].to_dict()
    assert found["duplicate_receipt"]["lines"] >= told["duplicate_receipt"]  # those whose number it is too
    assert {"negative_amount", "gap_days", "level_break"} <= set(found)
    assert "store 1 " in found["level_break"]["detail"]
