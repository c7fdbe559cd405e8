"""What lies before a date, what after it, and which side the date itself is on."""

from datetime import date, timedelta

import ibis
import pandas as pd
import pytest
from loyalty.features.windows import before, days_until, horizon, in_last_days, last_days

AS_OF = date(2020, 3, 1)
DAYS = [AS_OF + timedelta(days=shift) for shift in range(-40, 41)]
TABLE = ibis.memtable(pd.DataFrame({"day": DAYS}))


def kept(table: ibis.Table) -> list[date]:
    return sorted(row["day"] for row in table.to_pyarrow().to_pylist())


def test_before_ends_the_day_before() -> None:
    assert kept(before(TABLE, AS_OF)) == [day for day in DAYS if day < AS_OF]
    assert kept(before(TABLE, AS_OF))[-1] == date(2020, 2, 29)


@pytest.mark.parametrize("length", [1, 2, 29, 30, 40])
def test_the_last_days_are_that_many_and_end_the_day_before(length: int) -> None:
    days = kept(last_days(TABLE, AS_OF, length))
    assert len(days) == length
    assert (days[0], days[-1]) == (AS_OF - timedelta(days=length), AS_OF - timedelta(days=1))


@pytest.mark.parametrize("length", [1, 2, 31, 40])
def test_the_horizon_is_that_many_days_and_begins_with_the_date(length: int) -> None:
    days = kept(horizon(TABLE, AS_OF, length))
    assert len(days) == length
    assert (days[0], days[-1]) == (AS_OF, AS_OF + timedelta(days=length - 1))


def test_no_day_is_both_known_and_to_come() -> None:
    assert not set(kept(before(TABLE, AS_OF))) & set(kept(horizon(TABLE, AS_OF, 40)))
    assert kept(last_days(TABLE, AS_OF, 20)) == kept(horizon(TABLE, AS_OF - timedelta(days=20), 20))


def test_a_missing_day_is_in_no_window() -> None:
    table = ibis.memtable(pd.DataFrame({"day": [date(2020, 2, 29), None]}))
    assert kept(before(table, AS_OF)) == kept(last_days(table, AS_OF, 5)) == [date(2020, 2, 29)]
    assert table.agg(n=in_last_days(table.day, AS_OF, 5).sum()).to_pandas()["n"].item() == 1


def test_ages_are_whole_days_over_a_leap_day() -> None:
    table = ibis.memtable(pd.DataFrame({"day": [date(2019, 3, 1), date(2020, 2, 28), date(2020, 2, 29), AS_OF]}))
    assert list(table.mutate(age=days_until(AS_OF, table.day)).order_by("day").to_pandas()["age"]) == [366, 2, 1, 0]
