"""Whatever happens at or after the date, no feature knows it; and no label knows what comes after the horizon."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import ibis
import pandas as pd
import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from loyalty.features import build, cohorts, rfm
from loyalty.features.columns import Block, DayBlock, Tables, Window
from loyalty.features.histories import distinct, histories, purchase_days, return_days
from loyalty.features.labels import NO_PURCHASE, PARTIAL_DEFECTION, active, labels, spending

AS_OF, HORIZON = date(2020, 3, 16), 30
WINDOW = Window(AS_OF, (7, 30, 60), horizon_days=HORIZON, known_days=400)
Rows = list[dict[str, Any]]
World = dict[str, Rows]
"""Rows of every table."""

TYPES = {
    "lines": {
        "customer": "string", "time": "timestamp", "day": "date", "amount": "float64", "order": "string",
        "discount": "float64", "coupon": "float64", "category": "string", "store": "string", "channel": "string",
    },
    "contacts": {"customer": "string", "day": "date", "campaign": "string"},
    "redemptions": {"customer": "string", "day": "date"},
    "points": {"customer": "string", "day": "date", "points": "float64"},
    "customers": {"customer": "string", "joined": "date", "birthday": "date", "profile_region": "string"},
}  # fmt: skip


def few(examples: int) -> hypothesis_settings:
    """Each example is a few queries, and its log small enough to be read without minutes of shrinking."""
    return hypothesis_settings(max_examples=examples, phases=[Phase.explicit, Phase.generate])


# Worlds


def days(oldest: int, newest: int) -> st.SearchStrategy[date]:
    return st.integers(oldest, newest).map(lambda shift: AS_OF + timedelta(days=shift))


def worlds(when: st.SearchStrategy[date], least: int = 0) -> st.SearchStrategy[World]:
    """Rows that happened then; customers who joined then, with birthdays before and after the date."""
    customer = st.sampled_from(["ann", "bob", "cy", "dee"])
    some = {"customer": customer, "day": when}
    line = st.fixed_dictionaries(
        some
        | {
            "hour": st.sampled_from([0, 4, 9, 14, 18, 22]),
            "amount": st.integers(-24, 80).map(lambda quarters: quarters / 4),
            "order": st.sampled_from(["1", "2"]),
            "discount": st.sampled_from([0.0, 0.5]),
            "coupon": st.sampled_from([0.0, 0.25]),
            "category": st.sampled_from(["fruit", "bread", None]),
            "store": st.sampled_from(["north", "south"]),
            "channel": st.sampled_from(["till", "web"]),
        }
    ).map(lambda row: {"time": datetime.combine(row["day"], time(row.pop("hour")))} | row)
    joined = st.fixed_dictionaries(
        {
            "customer": customer,
            "joined": when,
            "birthday": st.one_of(st.none(), days(-20_000, -1), days(0, 40)),
            "profile_region": st.sampled_from(["hill", "dale", None]),
        }
    )
    points = st.integers(-20, 50).map(float)
    return st.fixed_dictionaries(
        {
            "lines": st.lists(line, min_size=least, max_size=24),
            "contacts": st.lists(st.fixed_dictionaries(some | {"campaign": st.just("spring")}), max_size=6),
            "redemptions": st.lists(st.fixed_dictionaries(some), max_size=5),
            "points": st.lists(st.fixed_dictionaries(some | {"points": points}), max_size=6),
            "customers": st.lists(joined, max_size=4),
        }
    )


# What is known at the date, some of it a year old; what two different futures add to it; and a time of both.
KNOWN = worlds(st.one_of(days(-70, -1), days(-365, -330)), least=8)
FUTURE = worlds(st.one_of(days(0, 0), days(1, 60)))


def added(*worlds: World) -> World:
    return {name: [row for world in worlds for row in world[name]] for name in TYPES}


def tables(world: World) -> Tables:
    made = {name: ibis.memtable(pd.DataFrame(world[name], columns=list(of)), schema=of) for name, of in TYPES.items()}
    lines = made["lines"]
    return Tables(purchase_days(lines), return_days(lines), **made, tiers=(10.0, 30.0), qualifying_days=60)


# What may be computed from the past alone


def by_customer(expression: ibis.Table) -> pd.DataFrame:
    return expression.to_pandas().set_index("customer").sort_index()


def of_block(block: Block) -> Callable[[Tables], pd.DataFrame]:
    if isinstance(block, DayBlock):
        return lambda t: by_customer(build.day_features(t, WINDOW, (block,)))
    return lambda t: by_customer(block.table(t, WINDOW))


PAST: dict[str, Callable[[Tables], pd.DataFrame]] = {
    f"block {block.name}": of_block(block) for block in build.BLOCKS
} | {
    "frame": lambda t: build.frame(t, WINDOW, 60),
    "active": lambda t: by_customer(active(t.days, AS_OF, 60)),
    "histories": lambda t: by_customer(histories(t, AS_OF)),
    "distinct": lambda t: distinct(histories(t, AS_OF)).to_pandas(),
    "segments": lambda t: by_customer(rfm.segments(t, AS_OF)),
    "measures": lambda t: rfm.measures(t, AS_OF, HORIZON, 60).to_pandas(),
    "retention": lambda t: cohorts.retention(t.days, AS_OF).to_pandas(),
    "second purchase": lambda t: cohorts.second_purchase(t.days, AS_OF).to_pandas(),
    "concentration": lambda t: cohorts.concentration(t, AS_OF, groups=3).to_pandas(),
    "weekly": lambda t: cohorts.weekly(t, AS_OF),
}
GROUPED = {"distinct", "measures", "retention", "second purchase", "concentration", "weekly"}


def assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, rtol=1e-9, atol=1e-9, check_index_type=False)


@pytest.mark.parametrize("name", PAST)
def test_another_future_changes_nothing(name: str) -> None:
    """A future is added, changed or deleted: with two of them drawn at will, each of the three."""

    @few(5)
    @given(KNOWN, FUTURE, FUTURE)
    def check(known: World, one: World, other: World) -> None:
        first, second = (PAST[name](tables(added(known, later))) for later in (one, other))
        assert_same(first, second)

    check()


def test_a_birthday_to_come_changes_nothing() -> None:
    @few(10)
    @given(KNOWN)
    def check(known: World) -> None:
        unborn = [
            row | {"birthday": None if row["birthday"] and row["birthday"] >= AS_OF else row["birthday"]}
            for row in known["customers"]
        ]
        assert_same(
            *(PAST["block profile"](tables(known | {"customers": rows})) for rows in (known["customers"], unborn))
        )

    check()


@pytest.mark.parametrize("name", PAST)
def test_the_order_of_rows_changes_nothing(name: str) -> None:
    @few(4)
    @given(KNOWN, st.randoms(use_true_random=False))
    def check(known: World, random: Any) -> None:
        shuffled = {table: random.sample(rows, len(rows)) for table, rows in known.items()}
        assert_same(PAST[name](tables(known)), PAST[name](tables(shuffled)))

    check()


NAMES = {"ann": "zoe", "bob": "yan", "cy": "xi", "dee": "wim"}  # in the opposite order


@pytest.mark.parametrize("name", PAST)
def test_what_customers_are_called_changes_nothing(name: str) -> None:
    @few(4)
    @given(KNOWN)
    def check(known: World) -> None:
        renamed = {table: [row | {"customer": NAMES[row["customer"]]} for row in rows] for table, rows in known.items()}
        first, second = PAST[name](tables(known)), PAST[name](tables(renamed))
        if name not in GROUPED:
            first = first.rename(index=NAMES).sort_index()
        assert_same(first, second)

    check()


@pytest.mark.parametrize("outcome", ["labels", "spending", "partial defection", "labels of a horizon that is not over"])
def test_labels_do_not_know_what_comes_after_the_horizon(outcome: str) -> None:
    end = HORIZON if outcome != "labels of a horizon that is not over" else 10

    def of(world: World) -> pd.DataFrame:
        if outcome == "spending":
            return by_customer(spending(tables(world), AS_OF, HORIZON))
        churn = outcome if outcome == PARTIAL_DEFECTION else NO_PURCHASE
        return by_customer(labels(tables(world), AS_OF, HORIZON, 60, AS_OF + timedelta(days=end), churn))

    @few(6)
    @given(worlds(days(-120, end - 1), least=1), worlds(days(end, 90)), worlds(days(end, 90)))
    def check(known: World, one: World, other: World) -> None:
        assert_same(of(added(known, one)), of(added(known, other)))

    check()


def test_what_happened_in_the_horizon_does_not_know_the_past() -> None:
    @few(6)
    @given(worlds(days(0, HORIZON - 1), least=1), KNOWN, KNOWN)
    def check(later: World, one: World, other: World) -> None:
        first, second = (by_customer(spending(tables(added(past, later)), AS_OF, HORIZON)) for past in (one, other))
        assert_same(first, second)

    check()


def test_the_first_day_of_the_horizon_is_the_date_itself() -> None:
    """The properties above would hold for features that see nothing; they do see the day before."""
    nothing: World = {name: [] for name in TYPES}
    line = {"amount": 4.0, "order": "1", "discount": 0.0, "coupon": 0.0, "category": "fruit", "store": "north"}
    before, on = (
        nothing | {"lines": [line | {"customer": "ann", "day": day, "time": datetime.combine(day, time(9))}]}
        for day in (AS_OF - timedelta(days=1), AS_OF)
    )
    assert len(build.frame(tables(before), WINDOW, 60)) == 1
    assert len(build.frame(tables(on), WINDOW, 60)) == 0
    assert list(by_customer(spending(tables(on), AS_OF, HORIZON))["spend"]) == [4.0]
    assert spending(tables(before), AS_OF, HORIZON).count().execute() == 0


def test_the_worlds_reach_every_column() -> None:
    """A column that is always null or always the same would pass all of the above."""
    all_known: list[World] = []

    @few(100)
    @given(KNOWN)
    def collect(known: World) -> None:
        others = {
            table: [row | {"customer": f"{row['customer']} {len(all_known)}"} for row in rows]
            for table, rows in known.items()
        }
        all_known.append(others)

    collect()
    frame = build.frame(tables(added(*all_known)), WINDOW, 365)
    assert {name for name in build.dictionary(WINDOW) if frame[name].nunique() < 2} == set()
