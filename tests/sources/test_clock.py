"""The store's clock, against pandas' own conversion."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.sources.clock import has_clock, is_zoned, read_time, to_local, utc_offsets

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


def read(values: list[object], time_format: str | None = None) -> list[datetime | None]:
    table = ibis.memtable(pd.DataFrame({"at": range(len(values)), "time": values}))
    got = table.mutate(time=read_time(table.time, time_format)).order_by("at").to_pyarrow()["time"].to_pylist()
    return [None if value is None else value.replace(tzinfo=None) for value in got]


@pytest.mark.parametrize(
    ("text", "time_format", "expected"),
    [
        ("2020-02-29", None, datetime(2020, 2, 29)),
        (" 2020-02-29 09:05 ", None, datetime(2020, 2, 29, 9, 5)),
        ("2020-02-29T09:05:07", None, datetime(2020, 2, 29, 9, 5, 7)),
        ("2020/2/9", None, datetime(2020, 2, 9)),
        ("2020.02.09 10:00", None, datetime(2020, 2, 9, 10)),
        ("2020-02-29T23:05:07Z", None, datetime(2020, 2, 29, 23, 5, 7)),
        ("2020-02-29 23:05:07+02:00", None, datetime(2020, 2, 29, 21, 5, 7)),
        ("2020-02-29 23:05:07 -0530", None, datetime(2020, 3, 1, 4, 35, 7)),
        ("2020-02-29 23:05:07.250+02", None, datetime(2020, 2, 29, 21, 5, 7, 250000)),
        ("2021-02-29", None, None),
        ("2020-02", None, None),
        ("2020-02-29 24:00:00", None, None),
        ("2020-02-29 Sat", None, None),
        ("soon", None, None),
        ("", None, None),
        ("29.02.2020", "%d.%m.%Y", datetime(2020, 2, 29)),
        ("9.2.2020 7:05", "%d.%m.%Y %H:%M", datetime(2020, 2, 9, 7, 5)),
        ("02/29/20", "%m/%d/%y", datetime(2020, 2, 29)),
        ("02/28/69", "%m/%d/%y", datetime(1969, 2, 28)),
        ("20200229", "%Y%m%d", datetime(2020, 2, 29)),
        ("20200229235901", "%Y%m%d%H%M%S", datetime(2020, 2, 29, 23, 59, 1)),
        ("2020年2月29日 08:30", "%Y年%m月%d日 %H:%M", datetime(2020, 2, 29, 8, 30)),
        ("29.02.2020 08:30:15.5", "%d.%m.%Y %H:%M:%S", datetime(2020, 2, 29, 8, 30, 15)),
        ("30.02.2020", "%d.%m.%Y", None),
        ("2020-02-29", "%d.%m.%Y", None),
        ("29.02.2020 late", "%d.%m.%Y", None),
        ("2020229", "%Y%m%d", None),
        ("2/29/2020 9:05 PM", "%m/%d/%Y %I:%M %p", datetime(2020, 2, 29, 21, 5)),
        ("2/29/2020 12:05 AM", "%m/%d/%Y %I:%M %p", datetime(2020, 2, 29, 0, 5)),
        ("2/29/2020 12:05 p.m.", "%m/%d/%Y %I:%M %p", datetime(2020, 2, 29, 12, 5)),
        ("2/29/2020 01:05:09pm", "%m/%d/%Y %I:%M:%S%p", datetime(2020, 2, 29, 13, 5, 9)),
        ("2/29/2020 13:05 PM", "%m/%d/%Y %I:%M %p", None),
        ("2/29/2020 0:05 AM", "%m/%d/%Y %I:%M %p", None),
        ("2/29/2020 9:05", "%m/%d/%Y %I:%M %p", None),
        ("Feb 29, 2020", "%b %d, %Y", datetime(2020, 2, 29)),
        ("29. Februar 2020 7:05", "%d. %B %Y %H:%M", datetime(2020, 2, 29, 7, 5)),
        ("1. MÄRZ 2020", "%d. %b %Y", datetime(2020, 3, 1)),
        ("5 janv. 2020", "%d %b %Y", datetime(2020, 1, 5)),
        ("12 août 2020", "%d %b %Y", datetime(2020, 8, 12)),
        ("5 de enero de 2020", "%d de %B de %Y", datetime(2020, 1, 5)),
        ("5 de dezembro de 2020", "%d de %B de %Y", datetime(2020, 12, 5)),
        ("05DEC2020", "%d%b%Y", datetime(2020, 12, 5)),
        ("5DEC2020", "%d%b%Y", datetime(2020, 12, 5)),
        ("Sat, 29 Feb 2020", "%a, %d %b %Y", datetime(2020, 2, 29)),
        ("30 Feb 2020", "%d %b %Y", None),
        ("5 stycznia 2020", "%d %B %Y", None),
        ("1582979707", "unix", datetime(2020, 2, 29, 12, 35, 7)),
        ("1582979707.999", "unix", datetime(2020, 2, 29, 12, 35, 7)),
        ("1582979707999", "unix_ms", datetime(2020, 2, 29, 12, 35, 7)),
        ("1582979707999", "unix", None),
        ("soon", "unix", None),
        ("", "unix", None),
        ("43890", "excel", datetime(2020, 2, 29)),
        ("43890.524386574", "excel", datetime(2020, 2, 29, 12, 35, 7)),
        ("43890,524386574", "excel", datetime(2020, 2, 29, 12, 35, 7)),
        ("1e300", "excel", None),
    ],
)
def test_a_time_is_read_as_it_is_written(text: str, time_format: str | None, expected: datetime | None) -> None:
    assert read([text], time_format) == [expected]


@settings(max_examples=30)
@given(
    st.lists(INSTANTS, min_size=1, max_size=20),
    st.sampled_from(
        ["%d.%m.%Y %H:%M:%S", "%Y%m%d%H%M%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%a, %d %b %Y %H:%M:%S"]
    ),
)
def test_every_time_comes_back_from_the_format_that_wrote_it(times: list[datetime], time_format: str) -> None:
    assert read([time.strftime(time_format) for time in times], time_format) == times


def test_numbers_are_dates_only_where_a_format_says_so() -> None:
    assert read([20200229], "%Y%m%d") == [datetime(2020, 2, 29)]
    assert read([20200229]) == [None]


@settings(max_examples=30)
@given(st.lists(INSTANTS, min_size=1, max_size=20))
def test_counted_times_are_where_pandas_puts_them(times: list[datetime]) -> None:
    index = pd.DatetimeIndex(times)
    since = index - pd.Timestamp("1970-01-01")
    assert read(list(since // pd.Timedelta(seconds=1)), "unix") == times
    assert read(list(since // pd.Timedelta(milliseconds=1)), "unix_ms") == times
    assert read(list((index - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)), "excel") == times


def test_counted_seconds_are_instants_and_the_days_of_excel_are_not() -> None:
    table = ibis.memtable({"time": [43890.0, 43890.5]})
    told = table.select(
        unix=is_zoned(table.time, "unix"), excel=is_zoned(table.time, "excel"), clock=has_clock(table.time, "excel")
    )
    assert told.to_pyarrow().to_pylist() == [
        {"unix": True, "excel": False, "clock": False}, {"unix": True, "excel": False, "clock": True}
    ]  # fmt: skip


def test_a_value_says_itself_whether_it_is_an_instant() -> None:
    table = ibis.memtable({"time": ["2020-01-01 10:00", "2020-01-01T10:00:00Z", "2020-01-01 10:00-05", "2020-01-05"]})
    assert table.select(zoned=is_zoned(table.time)).to_pyarrow()["zoned"].to_pylist() == [False, True, True, False]


def test_times_of_no_purchase_do_not_stop_the_reading_of_the_others() -> None:
    """Sentinels at both ends of the calendar: none can be shifted, and a zone has centuries of rules between them."""
    times = [datetime(1, 1, 1), datetime(2020, 7, 1, 12), datetime(2020, 1, 1, 12), datetime(9999, 12, 31, 23, 59, 59)]
    table = ibis.memtable({"time": times}, schema={"time": "timestamp"})
    local = to_local(table.time, "Europe/Berlin", times[0], times[-1])
    assert table.select(local=local).to_pyarrow()["local"].to_pylist() == [
        times[0], datetime(2020, 7, 1, 14), datetime(2020, 1, 1, 13), times[-1]
    ]  # fmt: skip
