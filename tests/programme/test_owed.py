"""What points will still bring: on ledgers of customers who differ, on a ledger's past, and beyond what was seen."""

from dataclasses import replace
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError, RefusedError
from loyalty.points_rules import PointsRules
from loyalty.programme.liability import Triangle, hazards, redeemed_ahead, there_now
from loyalty.programme.owed import GROUPS, METHODS, Counted, counted, expected, triangle
from loyalty.programme.owed_tested import back_test, stress, trusted
from loyalty.programme.points import Account, own

START, LASTS = date(2020, 1, 1), 180
SCHEMA = {"customer": "string", "day": "date", "points": "float64", "kind": "string"}


def account(rows: list[tuple[str, int, float]], until: int, rules: PointsRules | None = None) -> Account:
    frame = pd.DataFrame(
        [(who, START + timedelta(days=day), points, "earn" if points > 0 else "redeem") for who, day, points in rows],
        columns=list(SCHEMA),
    )
    ledger = ibis.memtable(frame, schema=ibis.schema(SCHEMA))
    return own(ledger, rules or PointsRules(expiry_days=29), START + timedelta(days=until))


def ledger(random: np.random.Generator, customers: int, days: int, world: int) -> pd.DataFrame:
    """Members who join over time and leave for good, who buy often or seldom and want rewards often or seldom.

    Who wants one takes up to 200 of the points that are there, the oldest first, before the order brings its own.
    """
    joined, life = random.uniform(-days / 2, 0.9 * days, customers), random.exponential(400, customers)
    member = np.minimum(joined + life, days) - joined
    rate, keen = random.gamma(1.5, 1 / 45, customers), random.beta(2, 4, customers)
    who = np.repeat(np.arange(customers), random.poisson(rate * np.maximum(member, 0)))
    orders = pd.DataFrame({"who": who, "at": np.floor(joined[who] + random.random(who.size) * member[who])})
    orders = orders[orders["at"] >= 0].drop_duplicates()
    brings = np.maximum(1.0, np.round(random.lognormal(3.5, 0.6, len(orders))))
    wants = orders[random.random(len(orders)) < keen[orders["who"]]]
    moved = pd.concat(
        [orders.assign(points=brings, at=orders["at"] + 1, kind="earn"), wants.assign(points=-200.0, kind="redeem")]
    )
    day = pd.Timestamp(START) + pd.to_timedelta(moved["at"], unit="D")
    return moved.assign(customer=f"{world}-" + moved["who"].astype("str"), day=day.dt.date)[list(SCHEMA)]


@pytest.mark.slow
def test_intervals_hold_on_ledgers_nine_times_in_ten() -> None:
    """120 ledgers of 400 customers each, known for a year and a half, and for the half year more in which all ends."""
    worlds, until = 120, START + timedelta(days=720)
    frames = [ledger(np.random.default_rng(world), 400, 720, world) for world in range(worlds)]
    table = ibis.memtable(pd.concat(frames, ignore_index=True), schema=ibis.schema(SCHEMA))
    whole = own(table, PointsRules(expiry_days=LASTS), until)
    parts = whole.parts.mutate(world=whole.parts.customer.split("-")[0]).cache()
    held: dict[str, list[bool]] = {method: [] for method in METHODS}
    ratio: dict[str, list[float]] = {method: [] for method in METHODS}
    for world in range(worlds):
        seen = counted(replace(whole, parts=parts.filter(parts.world == str(world)).drop("world")))
        then, redeemed = seen.earlier(7), seen.redeemed_since(7)
        for method in METHODS:
            found = expected(then, method)
            held[method].append(bool(found.low <= redeemed <= found.high))
            ratio[method].append(float(found.total) / redeemed)
    for method in METHODS:
        assert abs(np.mean(held[method]) - 0.9) <= 0.04, (method, np.mean(held[method]))
        assert np.mean(ratio[method]) == pytest.approx(1, abs=0.08), method


def test_cohorts_and_ages_of_a_ledger() -> None:
    """Periods of 10 days; 100 points in each of the first four, 30 of the first are spent in the third."""
    seen = triangle(counted(account([("a", 10 * n, 100.0) for n in range(4)] + [("a", 25, -30.0)], 40), 10))
    assert seen.issued.shape == (2, GROUPS, 4)
    # Points of a customer's first period are apart from all others.
    assert seen.issued.sum(axis=1).tolist() == [[100, 0, 0, 0], [0, 100, 100, 100]]
    assert seen.redeemed.sum(axis=(0, 1)).tolist() == [[0, 0, 30, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_a_ledger_at_an_earlier_date_is_the_one_that_was_known_then() -> None:
    rows = [("a", 10 * n, 100.0) for n in range(7)] + [("a", 25, -30.0), ("b", 5, 40.0), ("b", 62, -15.0)]
    later = counted(account(rows, 70, PointsRules(expiry_days=59)), 10)
    then = counted(account([row for row in rows if row[1] < 50], 50, PointsRules(expiry_days=59)), 10)
    for one, other in zip(vars(triangle(later.earlier(2))).values(), vars(triangle(then)).values(), strict=True):
        assert one.tolist() == other.tolist()
    assert later.redeemed_since(2) == 15


def test_too_few_cohorts_are_refused() -> None:
    with pytest.raises(RefusedError, match="points: 2 periods of 30 days brought points, and 4 are needed"):
        counted(account([("a", 0, 100.0), ("a", 31, 5.0)], 60))


def long_lasting(rules: PointsRules) -> tuple[Counted, float]:
    """400 customers over eight months with 100 points each, redeemed after 500 days on average; and what is there."""
    random, rows, there = np.random.default_rng(1), [], 0.0
    for number in range(400):
        day = int(random.integers(0, 240))
        gone = day + 1 + int(random.exponential(500))
        rows.append((f"c{number}", day, 100.0))
        there += 100.0 * (gone >= 240)
        if gone < 240:
            rows.append((f"c{number}", gone, -100.0))
    return counted(account(rows, 240, rules)), there


@pytest.mark.parametrize(
    ("rules", "told"),
    [(PointsRules(expiry_months=24), "last 26 periods"), (PointsRules(), "have no end")],
)
def test_points_that_last_longer_than_the_log_have_a_least_and_no_chain_ladder(rules: PointsRules, told: str) -> None:
    """24 months of which eight are known: the truth is some 70 % of what is there, and both methods said a third."""
    seen, there = long_lasting(rules)
    with pytest.raises(DataError, match=f"{told}, and 8 periods are known: chain-ladder has not seen their ends"):
        expected(seen, "chain-ladder")
    found = expected(seen, "survival")
    assert found.bound
    assert found.total < there * (1 - np.exp(-600 / 500))
    table = stress(found, there, 0.01)
    assert table["case"].tolist() == [
        "at ages seen so far", "low end", "half of the rest is redeemed too", "everything is redeemed"
    ]  # fmt: skip
    assert back_test(seen, START).empty
    assert trusted(back_test(seen, START)) == "survival"


def test_first_points_do_not_decide_over_later_ones() -> None:
    """Nobody who came once redeems; those who come again redeem half of what they have: 25 of 50 in the next period."""
    rows = [(f"once{number}-{month}", 30 * month, 10.0) for month in range(4) for number in range(50)]
    for month in range(-1, 8):
        rows += [(f"member{number}", 30 * month + 31, 50.0) for number in range(20)]
    rows += [(f"member{number}", 30 * month + 45, -25.0) for month in range(8) for number in range(20)]
    seen = counted(account([row for row in rows if 0 <= row[1] < 240], 240, PointsRules(expiry_days=59)))
    found = expected(seen, "survival")
    then, came = triangle(seen.earlier(1)), seen.redeemed_since(1)
    assert expected(seen.earlier(1), "survival", 1).total == pytest.approx(came, rel=0.1)
    assert found.total > 0
    # All points as one promise too little of members.
    pooled = Triangle(*(part.sum(axis=(0, 1)) for part in vars(then).values()))
    assert redeemed_ahead(there_now(pooled), hazards(pooled)).sum() < 0.8 * came


def test_promises_are_held_against_what_came() -> None:
    random = np.random.default_rng(3)
    rows = []
    for number in range(120):
        for day in random.choice(600, 12, replace=False):
            rows.append((f"c{number}", int(day), 20.0))
            if random.random() < 0.5:
                rows.append((f"c{number}", int(min(day + random.integers(1, 80), 599)), -20.0))
    seen, as_of = counted(account(rows, 600, PointsRules(expiry_days=240))), START + timedelta(days=600)
    tested = back_test(seen, as_of)
    assert tested[["periods", "method"]].to_numpy().tolist() == [[8, each] for each in METHODS] + [
        [4, each] for each in METHODS
    ]
    assert tested["tested"].iloc[0] == pd.Timestamp(as_of) - pd.Timedelta(days=240)
    assert (tested["held"] == tested["redeemed"].between(tested["promised_low"], tested["promised_high"])).all()
    # In four periods less is redeemed than until the end.
    ends = expected(seen.earlier(4), "survival")
    assert tested["promised"].iloc[3] < ends.total
    misses = (tested["promised"] - tested["redeemed"]).abs().groupby(tested["method"]).sum()
    assert trusted(tested) == ("survival" if misses["survival"] < misses["chain-ladder"] else "chain-ladder")
    swapped = tested.assign(promised=tested["redeemed"].where(tested["method"] == "chain-ladder", 0.0))
    assert trusted(swapped) == "chain-ladder"


def test_stress_goes_up_to_everything() -> None:
    seen, _ = long_lasting(PointsRules(expiry_days=89))
    found = replace(expected(seen, "survival"), total=np.asarray(6.0))
    table = stress(found, 60, 0.5).set_index("case")
    assert table["points"]["half of what would lapse is redeemed"] == pytest.approx(33)
    assert table["money"]["everything is redeemed"] == 30
    assert table["change"]["expected"] == 0
