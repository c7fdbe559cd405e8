"""Gaps, breaks of level, and hours that cannot be."""

from datetime import date, datetime, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from loyalty.features.continuity import Gap, among, clock_changes, daily, episodes, gaps, weekly, whole_weeks

MONDAY = date(2020, 1, 6)


def days(*numbers: int) -> list[date]:
    """Days after a Monday."""
    return [MONDAY + timedelta(days=n) for n in numbers]


EVERY_DAY = range(140)
NOT_ON_SUNDAYS = [n for n in EVERY_DAY if n % 7 != 6]


def test_a_shop_that_is_open_as_usual_has_no_gap() -> None:
    assert gaps(days(*EVERY_DAY)) == []
    assert gaps(days(*NOT_ON_SUNDAYS)) == []
    assert gaps(days()) == gaps(days(3)) == []


def test_days_missing_from_the_usual_week_are_a_gap() -> None:
    first, second = days(37, 40)
    missing = [n for n in NOT_ON_SUNDAYS if n not in (37, 38, 39, 40)]  # Wednesday to Saturday, then the free Sunday
    assert gaps(days(*missing)) == [Gap(first, second, 4)]
    around = [n for n in NOT_ON_SUNDAYS if n not in (40, 42)]  # the Sunday between is free anyway
    assert gaps(days(*around)) == [Gap(days(40)[0], days(42)[0], 2)]


def test_an_export_without_a_quarter_is_one_gap_and_does_not_change_what_is_usual() -> None:
    kept = [n for n in range(280) if not 90 <= n < 180 and n != 250]
    assert gaps(days(*kept)) == [Gap(*days(90, 179), 90), Gap(*days(250, 250), 1)]


def test_a_stray_line_of_another_decade_is_seen() -> None:
    stray = [date(2001, 1, 1), *days(*EVERY_DAY)]
    assert gaps(stray) == [Gap(date(2001, 1, 2), MONDAY - timedelta(days=1), (MONDAY - date(2001, 1, 1)).days - 1)]


def test_a_shop_without_a_rhythm_has_no_gaps() -> None:
    random = np.random.default_rng(2).choice(400, 130, replace=False)
    assert gaps(days(*map(int, sorted(random)))) == []


def series(*values: float) -> pd.Series:
    return pd.Series(values, index=pd.date_range(MONDAY, periods=len(values), freq="W-MON"))


def noisy(seed: int, *levels: float) -> pd.Series:
    return series(*np.random.default_rng(seed).poisson(levels))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("level", [3, 30, 3000])
def test_noise_is_no_break(seed: int, level: float) -> None:
    assert episodes(noisy(seed, *[level] * 60)) == []


def test_a_slow_decline_is_no_break() -> None:
    assert episodes(series(*1000 * 0.97 ** np.arange(80))) == []


def test_weeks_far_below_are_told_with_when_and_how_long() -> None:
    (found,) = episodes(noisy(1, *[200] * 20, 5, 0, 3, *[200] * 20))
    assert (found.start, found.weeks, found.stays) == (MONDAY + timedelta(weeks=20), 3, False)
    assert found.usual == pytest.approx(200, rel=0.1)
    assert found.level < 10


@pytest.mark.parametrize("silent", [1, 4, 30])
def test_a_till_that_stopped_stays_silent(silent: int) -> None:
    (found,) = episodes(noisy(1, *[60] * 20, *[0] * silent))
    assert (found.start, found.level, found.stays) == (MONDAY + timedelta(weeks=20), 0, True)


@pytest.mark.parametrize("level", [80, 500])
def test_a_new_level_is_told_once(level: float) -> None:
    (found,) = episodes(noisy(1, *[200] * 20, *[level] * 30))
    assert (found.start, found.stays) == (MONDAY + timedelta(weeks=20), True)
    assert found.level == pytest.approx(level, rel=0.15)


def test_a_good_season_is_no_fault() -> None:
    assert episodes(noisy(1, *[200] * 20, *[600] * 5, *[200] * 20)) == []


def test_small_numbers_say_nothing() -> None:
    assert episodes(series(*[9] * 20, 0, *[9] * 20)) == []


def log(**columns: list[object]) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(columns))


def test_customers_are_counted_by_week_and_store() -> None:
    lines = log(
        customer=["a", "a", "b", "a", "c", "c"],
        day=pd.Series(days(0, 1, 6, 14, 15, 21)).astype("date32[pyarrow]").tolist(),
        store=["n", "n", "n", "n", "s", None],
    )
    total = weekly(lines)[""]
    assert total.to_dict() == {pd.Timestamp(MONDAY) + pd.Timedelta(weeks=n): count for n, count in enumerate([2, 0, 2])}
    by_store = weekly(lines, "store")
    assert {name: list(counts) for name, counts in by_store.items()} == {"n": [2, 0, 1], "s": [0, 0, 1]}


def test_whole_weeks_only() -> None:
    assert whole_weeks(MONDAY, MONDAY + timedelta(days=7)) == [MONDAY]
    assert whole_weeks(MONDAY, MONDAY + timedelta(days=6)) == []
    assert whole_weeks(MONDAY + timedelta(days=1), MONDAY + timedelta(days=14)) == [MONDAY + timedelta(days=7)]


def test_lines_by_day() -> None:
    times = [datetime(2020, 1, 6), datetime(2020, 1, 6, 4, 59), datetime(2020, 1, 6, 5), datetime(2020, 1, 7, 0, 0, 1)]
    lines = log(time=times, amount=[1.0, 2.0, 3.0, 4.0])
    by_day = daily(lines.mutate(day=lines.time.date()))
    assert by_day.drop(columns="day").to_dict("list") == {
        "lines": [3, 1], "spend": [6.0, 4.0], "timed": [2, 1], "night": [1, 1]
    }  # fmt: skip


def test_hours_that_do_not_exist_and_hours_that_come_twice() -> None:
    """Berlin in 2020: from 2 to 3 on 29 March, and twice from 2 to 3 on 25 October."""
    skipped, repeated = clock_changes("Europe/Berlin", date(2020, 3, 29), date(2020, 10, 25))
    assert skipped == [(datetime(2020, 3, 29, 2), datetime(2020, 3, 29, 3))]
    assert repeated == [(datetime(2020, 10, 25, 2), datetime(2020, 10, 25, 3))]
    assert clock_changes("Asia/Shanghai", date(2020, 1, 1), date(2020, 12, 31)) == ([], [])
    lines = log(time=[datetime(2020, 3, 29, hour, minute) for hour, minute in [(1, 59), (2, 0), (2, 59), (3, 0)]])
    assert lines.filter(among(lines.time, skipped)).count().to_pyarrow().as_py() == 2
