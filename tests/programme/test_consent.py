"""Who may be reached: whatever was said, in whatever order, as by hand; and in doubt nobody."""

from datetime import date, timedelta
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from acting_shop import UNREADABLE, may_be_reached
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.programme.consent import allowed

AS_OF = date(2021, 2, 1)
CUSTOMERS = ("a", "b", "c")
CHANNELS = ("e-mail", "Post")
PURPOSES = ("contact", "contact e-mail", "contact post", "analysis", "")
ROWS = pd.DataFrame([(one, channel) for one in CUSTOMERS for channel in CHANNELS], columns=["customer", "channel"])
SCHEMA = pa.schema(
    {"customer": pa.string(), "day": pa.date32(), "granted": pa.bool_(), "purpose": pa.string()}
)  # fmt: skip

words = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS),
        st.one_of(st.none(), st.integers(-4, 3).map(lambda days: AS_OF + timedelta(days=days))),
        st.sampled_from([True, True, False, None]),
        st.sampled_from(PURPOSES),
    ),
    max_size=12,
)


def reached(said: list[tuple[Any, ...]], as_of: date = AS_OF) -> set[tuple[str, str]]:
    # As `Prepared.consent` leaves them: what has no day is a withdrawal.
    kept = [row for row in said if row[1] is not None or not row[2]]
    columns = zip(*kept, strict=True) if kept else [[], [], [], []]
    table = ibis.memtable(
        pa.Table.from_arrays(
            [pa.array(list(each), kind) for each, kind in zip(columns, SCHEMA.types, strict=True)], schema=SCHEMA
        )
    )
    found = allowed(ibis.memtable(ROWS), table, "contact", CHANNELS, as_of).to_pandas()
    assert not found.duplicated().any()
    return set(found.itertuples(index=False, name=None))


@settings(max_examples=40)
@given(words)
def test_whoever_is_reached_agreed_and_has_not_taken_it_back(said: list[tuple[Any, ...]]) -> None:
    told = pd.DataFrame(said, columns=["customer", "day", "granted", "purpose"]).astype("object")
    told["day"] = [UNREADABLE if day is None else day.isoformat() for day in told["day"]]
    told["granted"] = [{True: "true", False: "false"}.get(yes, "") for yes in told["granted"]]
    told = told.astype("str")
    by_hand = {
        (one, channel) for one in CUSTOMERS for channel in CHANNELS
        if may_be_reached(told, one, channel.lower(), AS_OF)
    }  # fmt: skip
    assert reached(said) == by_hand


@settings(max_examples=20)
@given(words, st.sampled_from(CUSTOMERS), st.sampled_from(["contact", ""]), st.one_of(st.none(), st.just(AS_OF)))
def test_a_last_no_is_the_end_of_it(said: list[tuple[Any, ...]], one: str, purpose: str, day: date | None) -> None:
    later = [row for row in said if row[1] is None or row[1] <= AS_OF]
    assert not [pair for pair in reached([*later, (one, day, False, purpose)]) if pair[0] == one]


@pytest.mark.parametrize("granted", [False, None])
def test_a_withdrawal_without_a_readable_day_counts(granted: bool | None) -> None:
    yes = ("a", AS_OF - timedelta(days=1), True, "contact")
    assert reached([yes]) == {("a", channel) for channel in CHANNELS}
    assert reached([yes, ("a", None, granted, "contact")]) == set()
    assert reached([yes, ("a", None, granted, "contact e-mail")]) == {("a", "Post")}
