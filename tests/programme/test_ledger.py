"""Points that are earned, spent and expire: by running sums in the engine, and by a loop over single points."""

from collections import deque
from datetime import date, timedelta

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.programme.ledger import STEPS, entries, settle, stretches

START, AS_OF, LASTS = date(2020, 1, 1), date(2020, 2, 20), 10


def on(day: int) -> date:
    return START + timedelta(days=day)


def table(columns: dict[str, str], rows: list[tuple[object, ...]]) -> ibis.expr.types.Table:
    return ibis.memtable(pd.DataFrame(rows, columns=list(columns)), schema=ibis.schema(columns))


LOT = {"customer": "string", "day": "date", "expires": "date", "units": "int64"}
TAKE = {"customer": "string", "day": "date", "kind": "string", "units": "int64"}


def settled(
    lots: list[tuple[str, int, int]], takes: list[tuple[str, int, str, int]], lasts: int | None = LASTS
) -> ibis.expr.types.Table:
    ends = [(who, on(day), None if lasts is None else on(day + lasts), units) for who, day, units in lots]
    return settle(table(LOT, ends), table(TAKE, [(who, on(day), *rest) for who, day, *rest in takes]), AS_OF)


def slowly(lots: list[tuple[str, int, int]], takes: list[tuple[str, int, str, int]]) -> list[tuple[object, ...]]:
    """Movements by a loop over events, and a queue of lots: customer, day, step, units."""
    events = [(who, day, 1, units) for who, day, units in lots]
    events += [(who, day + LASTS, 0, day) for who, day, _ in lots]
    events += [(who, day, STEPS.index(kind), units) for who, day, kind, units in takes]
    queues: dict[str, deque[list[int]]] = {}
    moved: dict[tuple[str, int, int], int] = {}
    for who, day, step, value in sorted(events):
        if on(day) >= AS_OF:
            continue
        queue, left = queues.setdefault(who, deque()), value
        if step == 1:
            queue.append([day, value])
            moved[who, day, 1] = moved.get((who, day, 1), 0) + value
            continue
        while queue and (queue[0][0] <= value if step == 0 else left):
            part = queue[0][1] if step == 0 else min(left, queue[0][1])
            queue[0][1] -= part
            left -= part
            moved[who, day, step] = moved.get((who, day, step), 0) + part
            if not queue[0][1]:
                queue.popleft()
    return sorted((who, on(day), step, units) for (who, day, step), units in moved.items())


who, days, units = st.sampled_from("abcd"), st.integers(0, 55), st.integers(1, 900)
some_lots = st.lists(st.tuples(who, days, units), min_size=1, max_size=40)
some_takes = st.lists(st.tuples(who, days, st.sampled_from(STEPS[2:5]), units), max_size=40)


@settings(max_examples=6)
@given(some_lots, some_takes)
def test_running_sums_do_what_a_queue_of_lots_does(lots: list, takes: list) -> None:
    check_against_a_queue(lots, takes)


@pytest.mark.slow
@settings(max_examples=50)
@given(some_lots, some_takes)
def test_running_sums_do_what_many_queues_of_lots_do(lots: list, takes: list) -> None:
    check_against_a_queue(lots, takes)


def check_against_a_queue(lots: list, takes: list) -> None:
    """Also conservation, no negative balance, and every unit leaving once."""
    found = settled(lots, takes)
    frame = found.to_pandas()
    moves = frame.assign(units=frame["earned"] + frame["taken"], day=pd.to_datetime(frame["day"]).dt.date)
    moves = moves[moves["units"] > 0]
    assert sorted(moves[["customer", "day", "step", "units"]].itertuples(index=False, name=None)) == slowly(lots, takes)
    assert (frame["held"] >= frame["gone"]).all()
    assert (frame["taken"] <= frame["wanted"])[frame["step"] > 1].all()
    parts = stretches(found).to_pandas()
    assert (parts["units"] > 0).all()
    assert parts["units"].sum() == frame["earned"].sum()
    lapsed = parts[parts["step"] == 0]
    assert (lapsed["gone_day"] == lapsed["expires"]).all()
    spent = parts[parts["step"] > 1]
    assert ((spent["day"] <= spent["gone_day"]) & (spent["gone_day"] < spent["expires"])).all()
    open_ = parts[parts["step"].isna()]
    assert (pd.to_datetime(open_["expires"]) >= pd.Timestamp(AS_OF)).all()


@pytest.mark.slow
@settings(max_examples=50)
@given(some_lots, some_takes)
def test_settling_what_was_settled_changes_nothing(lots: list, takes: list) -> None:
    once = settled(lots, takes).to_pandas()
    taken = once[(once["taken"] > 0) & (once["step"] > 1)]
    asked = [
        (row.customer, (row.day.date() - START).days, STEPS[row.step], row.taken)
        for row in taken.assign(day=pd.to_datetime(taken["day"])).itertuples()
    ]
    twice = settled(lots, asked).to_pandas()
    keys = ["customer", "day", "step"]
    columns = [*keys, "earned", "taken"]
    moved = [each[each["earned"] + each["taken"] > 0][columns].sort_values(keys) for each in (once, twice)]
    pd.testing.assert_frame_equal(*(each.reset_index(drop=True) for each in moved))


def test_a_redemption_after_an_expiry_takes_newer_points_only() -> None:
    """By hand: 500 of day 0 and 300 of day 5; 200 spent on day 2; 300 of the first lapse on day 10; 100 on day 11."""
    found = settled([("a", 0, 500), ("a", 5, 300)], [("a", 2, "redeem", 200), ("a", 11, "redeem", 100)])
    parts = stretches(found).to_pandas().assign(day=lambda frame: pd.to_datetime(frame["day"]).dt.day)
    rows = parts.sort_values(["day", "gone_day"])[["day", "step", "units"]].to_numpy().tolist()
    assert rows == [[1, 4, 200], [1, 0, 300], [6, 4, 100], [6, 0, 200]]


def test_more_than_the_balance_is_taken_as_far_as_it_goes() -> None:
    found = settled([("a", 0, 500), ("a", 3, 100)], [("a", 1, "redeem", 700), ("a", 3, "redeem", 60)]).to_pandas()
    rows = found[found["step"] == 4][["wanted", "taken"]].to_numpy().tolist()
    assert sorted(rows) == [[60, 60], [700, 500]]


def test_on_one_day_points_expire_before_they_are_earned_and_are_earned_before_they_are_spent() -> None:
    found = settled([("a", 0, 500), ("a", 10, 200)], [("a", 10, "redeem", 700)]).to_pandas().sort_values("step")
    day = found[pd.to_datetime(found["day"]).dt.date == on(10)]
    assert day[["step", "taken"]].to_numpy().tolist() == [[0, 500], [1, 0], [4, 200]]


def test_points_that_end_at_the_as_of_date_are_still_there() -> None:
    day = (AS_OF - START).days - LASTS
    assert stretches(settled([("a", day, 500)], [])).step.isnull().all().to_pyarrow().as_py()
    assert not stretches(settled([("a", day - 1, 500)], [])).step.isnull().any().to_pyarrow().as_py()


def test_points_without_an_end_stay() -> None:
    parts = stretches(settled([("a", 0, 500)], [], lasts=None)).to_pandas()
    assert parts[["units"]].to_numpy().tolist() == [[500]]
    assert parts["gone_day"].isna().all()


def test_every_movement_leaves_one_account_and_enters_another() -> None:
    takes = [("a", 2, "redeem", 200), ("a", 6, "claw", 50)]
    lines = entries(settled([("a", 0, 500), ("a", 5, 300)], takes)).to_pandas()
    out, into = (lines.groupby(side)["units"].sum() for side in ("from_account", "to_account"))
    balance = into.sub(out, fill_value=0)
    assert balance.sum() == 0
    assert balance.to_dict() == pytest.approx(
        {"issued": -800, "balance": 0, "redeemed": 200, "clawed back": 50, "expired": 550}
    )
