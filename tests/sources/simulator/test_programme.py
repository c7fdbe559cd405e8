"""The ledger of points, against a slow one that keeps every lot."""

from collections import defaultdict, deque
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from loyalty.sources.simulator import Simulation, simulate_frames
from loyalty.sources.simulator.programme import MULTIPLIERS

YEAR = timedelta(days=365)


@pytest.fixture(scope="module")
def ledger():
    """Three years, so that points expire; frequent returns and few members who never spend."""
    return simulate_frames(Simulation(customers=2_000, days=1095, seed=3, returned=0.1, alpha=20))


def replay(movements, end):
    """Lots, the oldest first: no movement may take what is not there, and none may outlive its year.

    A movement is (day, points, kind); a lot expires with the day after its year. Returns what expired.
    """
    lots, expired = deque(), 0
    for day, points, kind in movements:
        if kind == "earn":
            assert points > 0
            lots.append((day + 366, points))
            continue
        owed = -points
        assert owed > 0
        if kind == "expire":
            assert lots[0] == (day, owed)
            expired += owed
        assert all(due > day for due, _ in lots) or kind == "expire"
        while owed:
            due, there = lots.popleft()  # from an empty deque: a negative balance
            used = min(there, owed)
            owed -= used
            if used < there:
                lots.appendleft((due, there - used))
    assert all(due >= end for due, _ in lots)
    return expired


def test_every_balance_adds_up_and_what_is_a_year_old_expires_once(ledger):
    points = ledger["points"]
    assert set(points["kind"]) == {"earn", "redeem", "expire", "adjust"}
    assert points.groupby("customer")["points"].cumsum().min() >= 0
    day = (points["time"].dt.normalize() - pd.Timestamp("2022-01-01")).dt.days
    movements = defaultdict(list)
    for customer, *movement in zip(points["customer"], day, points["points"], points["kind"], strict=True):
        movements[customer].append(movement)
    end = (pd.Timestamp("2025-01-01") - pd.Timestamp("2022-01-01")).days
    assert sum(replay(mine, end) for mine in movements.values()) == -points.query("kind == 'expire'")["points"].sum()
    assert (points.loc[points["kind"] == "redeem", "points"] % 100 == 0).all()


def test_a_point_a_euro_and_more_in_a_higher_tier(ledger):
    """Tier by the 365 days before, one customer and one order at a time."""
    lines = ledger["transactions"].query("amount > 0")
    orders = lines.groupby(["customer", "receipt", "time"], as_index=False)["amount"].sum()
    earned = ledger["points"].query("kind == 'earn'").set_index(["customer", "time"])["points"]
    busiest = orders["customer"].value_counts().index[:8]
    checked = 0
    for customer in busiest[busiest.isin(earned.index.get_level_values(0))]:
        mine = orders[orders["customer"] == customer]
        for row in mine.itertuples():
            before = mine[(mine["time"] < row.time) & (mine["time"] >= row.time - YEAR)]
            tier = np.searchsorted([250, 750, 2000], round(before["amount"].sum(), 2), side="right")
            if (customer, row.time) in earned.index:
                assert earned[customer, row.time] == np.floor(round(row.amount * MULTIPLIERS[tier], 6))
                checked += 1
    assert checked > 300


def test_points_and_consent_belong_to_members_from_the_day_of_joining(ledger):
    joined = pd.to_datetime(ledger["customers"].set_index("customer")["joined"])
    assert 0.75 < joined.notna().mean() < 0.92
    for table in ("points", "consent"):
        day = ledger[table]["time"].dt.normalize()
        assert (day >= joined[ledger[table]["customer"]].to_numpy()).all()


def test_without_members_there_is_no_programme():
    tables = simulate_frames(Simulation(customers=300, days=200, members=0, campaign_every=0))
    assert "points" not in tables
    assert tables["customers"]["joined"].isna().all()
