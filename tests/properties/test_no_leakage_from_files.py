"""From the file to the feature: whatever a raw log says of the date or later, nothing of what was known changes.

The rules are the default ones. Under `extreme_amount` or `duplicate_receipt` other than "keep" a later line may change
which of the past are set aside, as the documents say.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from loyalty.features import rfm
from loyalty.study import Study

AS_OF, FIRST, HORIZON = date(2020, 3, 30), date(2020, 1, 1), 20
Rows = list[dict[str, str]]
World = dict[str, Rows]
"""Rows of every file, as text."""

COLUMNS = {
    "log": ("card", "time", "paid", "off", "receipt", "item", "shop"),
    "items": ("item", "shelf"),
    "sent": ("card", "campaign"),
    "campaigns": ("campaign", "start"),
    "coupons": ("card", "day"),
    "points": ("card", "day", "points"),
    "people": ("card", "joined", "town"),
    "cards": ("number", "person"),
}
TOML = """\
title = "Corner shop"
currency = "EUR"
timezone = "Europe/Berlin"

[transactions]
source = "data/raw/log.csv"
customer = "card"
time = "time"
amount = "paid"
discount = ["off"]
order = "receipt"
product = "item"
store = "shop"
channel_is = "till"

[products]
source = "data/raw/items.csv"
product = "item"
category = "shelf"

[contacts]
source = "data/raw/sent.csv"
customer = "card"
campaign = "campaign"

[campaigns]
source = "data/raw/campaigns.csv"
campaign = "campaign"
start = "start"

[redemptions]
source = "data/raw/coupons.csv"
customer = "card"
time = "day"

[points]
source = "data/raw/points.csv"
customer = "card"
time = "day"
points = "points"

[customers]
source = "data/raw/people.csv"
customer = "card"
joined = "joined"
attributes = ["town"]

[identity]
source = "data/raw/cards.csv"
id = "number"
customer = "person"

[programme]
tiers = [{ name = "Silver", spend = 10 }, { name = "Gold", spend = 30 }]

[contract]
minimum_customers = 2

[study]
horizon_days = 20
active_within_days = 60
origins = 2
margin = 0.3
"""
NAMES = {"ann": "zoe", "bob": "yan", "cy": "xi", "dee": "wim", "ann 2": "zoe 2", "": ""}
"""Other names, in the opposite order; `ann 2` is the second card of ann."""


# Worlds

UNREADABLE = ["32.13.2020", "", "1900-01-01", "2199-01-01 12:00"]
"""Times that no day can be told of; they are in every version of the log."""


def times(days: st.SearchStrategy[date]) -> st.SearchStrategy[str]:
    """Times on these days, in the clock of the store or with a zone."""
    written = st.sampled_from(["{:%F %H:%M}", "{:%FT%H:%M:%S}+01:00"])
    return st.builds(lambda day, at, text: text.format(datetime.combine(day, time(at, 30))), days,
                     st.sampled_from([9, 13, 22]), written)  # fmt: skip


def rows(days: st.SearchStrategy[date], edge: str, more_times: list[str], lines: int) -> st.SearchStrategy[World]:
    """Rows of these days, dirty ones among them. `edge` is a time at the date's midnight, told in another zone."""
    card = st.sampled_from([*NAMES])
    line = st.fixed_dictionaries(
        {
            "card": card,
            "time": times(days) | st.sampled_from([edge, *more_times]),
            "paid": st.sampled_from(["4", "2.25", "7.5", "-2.5", "-30", "0", "99999", "five", ""]),
            "off": st.sampled_from(["0", "0.5", ""]),
            "receipt": st.sampled_from(["1", "2", "3", ""]),
            "item": st.sampled_from(["apple", "roll", "unknown", ""]),
            "shop": st.sampled_from(["north", "south"]),
        }
    )
    some = {"card": card, "day": days.map(str)}
    earned = some | {"points": st.sampled_from(["5", "-3", "x"])}
    joined = {"card": card, "joined": days.map(str), "town": st.sampled_from(["hill", "dale"])}
    once = st.lists(line, min_size=lines // 2, max_size=lines)
    return st.fixed_dictionaries(
        {
            "log": once | once.map(lambda export: export + export[:3]),  # exports hold lines twice
            "sent": st.lists(st.fixed_dictionaries({"card": card, "campaign": st.just("later")}), max_size=2),
            "coupons": st.lists(st.fixed_dictionaries(some), max_size=3),
            "points": st.lists(st.fixed_dictionaries(earned), max_size=3),
            "people": st.lists(st.fixed_dictionaries(joined), max_size=2),
        }
    )


def shifted(oldest: int, newest: int) -> st.SearchStrategy[date]:
    return st.integers(oldest, newest).map(lambda shift: AS_OF + timedelta(days=shift))


SOUND = {"off": "0", "item": "apple", "shop": "north", "paid": "5"}
CORE: World = {
    "log": [
        SOUND | {"card": card, "time": f"{FIRST + timedelta(days=n)}", "receipt": f"{card}{n}"}
        for card, every in (("ann", 7), ("bob", 11), ("cy", 30))
        for n in range(0, 88, every)
    ],
    "items": [{"item": "apple", "shelf": "fruit"}, {"item": "roll", "shelf": "bread"}],
    "campaigns": [{"campaign": "spring", "start": "2020-03-01"}, {"campaign": "later", "start": str(AS_OF)}],
    "sent": [{"card": "ann", "campaign": "spring"}],
    "cards": [{"number": "ann 2", "person": "ann"}],
}
"""A log that a study can be made of, and tables that do not change."""

KNOWN = rows(shifted(-89, -1), f"{AS_OF}T01:30:00+09:00", UNREADABLE, 40)
FUTURE = rows(shifted(0, 0) | shifted(1, 40), f"{AS_OF - timedelta(days=1)}T22:30:00Z", [], 16)


def added(*worlds: World) -> World:
    return {name: [row for world in worlds for row in world.get(name, [])] for name in COLUMNS}


def renamed(world: World) -> World:
    who = ("card", "number", "person")
    return {
        name: [{key: NAMES[value] if key in who else value for key, value in row.items()} for row in rows]
        for name, rows in world.items()
    }


# What is known at the date


def known(make_shop: Callable[..., Path], world: World, as_of: date = AS_OF) -> dict[str, Any]:
    """Features, segments, labels whose horizon is over, histories and facts at the date."""
    root = make_shop("", TOML)
    for name, columns in COLUMNS.items():
        frame = pd.DataFrame(world[name], columns=list(columns))
        frame.to_csv(root / "data" / "raw" / f"{name}.csv", index=False)
    study = Study.open("shop", as_of=as_of, root=root, refusing=False)
    return {
        "features": study.features(),
        "segments": rfm.segments(study.data.tables, study.known_until).to_pandas().set_index("customer"),
        "labels": study.outcomes(study.origin(1)),
        "histories": study.histories(),
        "facts": study.facts()["log"],
    }


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """The same to 1e-9, but for the names of the customers."""
    for what, value in one.items():
        if isinstance(value, pd.DataFrame):
            value = value.rename(index=NAMES).sort_index()
            pd.testing.assert_frame_equal(value, other[what].sort_index(), rtol=1e-9, atol=1e-9, check_index_type=False)
        else:
            assert value == pytest.approx(other[what]), what


@pytest.mark.slow
def test_no_line_of_the_date_or_later_changes_what_was_known(make_shop: Callable[..., Path]) -> None:
    """Of two futures one takes the other's place, rows change their order, and customers their names."""

    @settings(max_examples=4, phases=[Phase.explicit, Phase.generate])
    @given(KNOWN, FUTURE, FUTURE, st.randoms(use_true_random=False))
    def check(past: World, one: World, other: World, random: Any) -> None:
        shuffled = {name: random.sample(rows, len(rows)) for name, rows in added(CORE, past, one).items()}
        assert_same(known(make_shop, shuffled), known(make_shop, renamed(added(CORE, past, other))))

    check()


@pytest.mark.slow
def test_the_days_before_the_date_are_known(make_shop: Callable[..., Path]) -> None:
    """The property would hold for a study that sees nothing; a customer of the day before is seen."""
    line = SOUND | {"card": "dee", "receipt": "d"}
    before, on = (added(CORE, {"log": [line | {"time": str(AS_OF - timedelta(days=back))}]}) for back in (1, 0))
    assert len(known(make_shop, before)["features"]) == len(known(make_shop, on)["features"]) + 1 == 4


def test_the_logs_hold_dirt_of_every_kind() -> None:
    """What the property draws holds each fault in the past, and lines on the date that are of the day before in UTC."""
    drawn: Rows = []

    @settings(max_examples=20, phases=[Phase.generate])
    @given(KNOWN, FUTURE)
    def collect(past: World, later: World) -> None:
        drawn.extend([*past["log"], *later["log"]])

    collect()
    seen = {(name, row[name]) for row in drawn for name in ("card", "time", "paid", "receipt", "item")}
    faults = {("card", ""), ("paid", "five"), ("paid", "-30"), ("paid", "0"), ("receipt", ""), ("item", "unknown")}
    assert faults | {("time", text) for text in [*UNREADABLE, "2020-03-29T22:30:00Z"]} <= seen
