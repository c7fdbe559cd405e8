"""The store's clock, against pandas' own conversion."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.sources.clock import to_local, utc_offsets

ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "Australia/Sydney",  # summer over the turn of the year
    "Australia/Lord_Howe",  # half an hour of summer time
    "America/Sao_Paulo",  # gave summer time up in 2019
    "Africa/Casablanca",  # summer time but for Ramadan
    "Asia/Kolkata",  # half an hour off, and none at all
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
]
INSTANTS = st.datetimes(datetime(2015, 1, 1), datetime(2021, 12, 31)).map(lambda t: t.replace(microsecond=0))


def by_pandas(times: list[datetime], zone: str) -> list[pd.Timestamp]:
    return list(pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(zone).tz_localize(None))


def by_us(times: list[datetime], zone: str) -> list[pd.Timestamp]:
    table = ibis.memtable(pd.DataFrame({"at": range(len(times)), "time": pd.to_datetime(times)}))
    local = table.mutate(local=to_local(table.time, zone, min(times), max(times)))
    return list(local.order_by("at").to_pandas()["local"])


@pytest.mark.parametrize("zone", ZONES)
def test_any_instants_are_where_pandas_puts_them(zone: str) -> None:
    @settings(max_examples=4)
    @given(st.lists(INSTANTS, min_size=2, max_size=60))
    def check(times: list[datetime]) -> None:
        assert by_us(times, zone) == by_pandas(times, zone)

    check()


@pytest.mark.parametrize("zone", ZONES)
def test_every_change_of_the_clock_is_met_to_the_second(zone: str) -> None:
    hours = pd.date_range("2016-01-01", "2019-12-31", freq="30min").to_pydatetime()
    offset = [time.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() for time in hours]
    changes = [after for after, old, new in zip(hours[1:], offset, offset[1:], strict=False) if old != new]
    near = [time + timedelta(seconds=s) for time in changes for s in (-1801, -1800, -1799, -1, 0, 1)]
    times = [hours[0], *near, hours[-1]]
    assert by_us(times, zone) == by_pandas(times, zone)


def test_two_changes_a_year_in_new_york() -> None:
    pairs = utc_offsets("America/New_York", datetime(2017, 1, 1), datetime(2018, 1, 1))
    assert pairs == [
        (datetime(2017, 1, 1), timedelta(hours=-5)),
        (datetime(2017, 3, 12, 7), timedelta(hours=-4)),
        (datetime(2017, 11, 5, 6), timedelta(hours=-5)),
    ]


@pytest.mark.parametrize("first", [datetime(2017, 3, 12, 6, 59, 59, 999_999), datetime(2017, 3, 11, 12, 0, 0, 333_333)])
def test_a_log_that_begins_at_a_fraction_of_a_second_meets_the_change(first: datetime) -> None:
    assert utc_offsets("America/New_York", first, datetime(2017, 4, 1))[1][0] == datetime(2017, 3, 12, 7)


def test_a_log_of_one_instant_has_one_offset() -> None:
    instant = datetime(2017, 7, 1, 12)
    assert utc_offsets("Asia/Kolkata", instant, instant) == [(instant, timedelta(hours=5, minutes=30))]


def test_missing_times_stay_missing() -> None:
    table = ibis.memtable(pd.DataFrame({"time": pd.to_datetime(["2017-07-01 03:00", None])}))
    local = to_local(table.time, "America/New_York", datetime(2017, 1, 1), datetime(2018, 1, 1)).to_pandas()
    assert local[0] == pd.Timestamp("2017-06-30 23:00")
    assert pd.isna(local[1])
