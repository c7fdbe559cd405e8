"""Counts before and after a past date, by a second route through the lines in plain pandas."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.features import holdout
from loyalty.features.columns import Tables
from loyalty.features.histories import histories

AS_OF, UNTIL = date(2020, 9, 16), date(2020, 11, 5)
PERIOD = (UNTIL - AS_OF).days


@pytest.fixture(scope="module")
def bought(lines: pd.DataFrame) -> pd.DataFrame:
    """Customer and day of every purchase, in order."""
    each = lines.groupby(["customer", "day"], as_index=False)["amount"].sum()
    days = each[each["amount"] > 1e-6].assign(day=lambda t: pd.to_datetime(t["day"]))
    return days.sort_values(["customer", "day"])[["customer", "day"]].reset_index(drop=True)


@pytest.fixture(scope="module")
def tables(lines: pd.DataFrame, tables_of: Any) -> Tables:
    return tables_of(lines)  # type: ignore[no-any-return]


def known(bought: pd.DataFrame) -> pd.DataFrame:
    return bought[bought["day"] < pd.Timestamp(AS_OF)]


def test_starts_are_counted_by_day(tables: Tables, bought: pd.DataFrame) -> None:
    found = holdout.starts(tables.days, AS_OF).to_pandas()
    first = known(bought).groupby("customer")["day"].min().value_counts().sort_index()
    assert pd.to_datetime(found["day"]).tolist() == first.index.tolist()
    assert found["customers"].tolist() == first.tolist()


def test_repeats_are_counted_in_weeks_from_the_date_on(tables: Tables, bought: pd.DataFrame) -> None:
    found = holdout.repeats(tables.days, AS_OF, UNTIL).to_pandas().set_index("week")
    first = known(bought).groupby("customer")["day"].min()
    seen = bought[bought["day"] < pd.Timestamp(UNTIL)].assign(first=lambda t: t["customer"].map(first))
    seen = seen[seen["day"] > seen["first"]]
    week = np.floor((seen["day"] - pd.Timestamp(AS_OF)).dt.days / 7).astype(int)
    assert found["purchases"].to_dict() == week.value_counts().to_dict()
    assert found["customers"].to_dict() == seen.groupby(week)["customer"].nunique().to_dict()
    assert (week < 0).any()
    assert (week >= 0).any()


def test_gaps_of_customers_without_a_repeat_are_nothing(tables: Tables, bought: pd.DataFrame) -> None:
    found = holdout.log_gaps(tables.days, AS_OF).to_pandas().set_index("customer")["log_gaps"]
    gaps = known(bought).groupby("customer")["day"].diff().dt.days
    expected = np.log(gaps).groupby(known(bought)["customer"]).sum()
    assert found["once"] == 0
    pd.testing.assert_series_equal(found.sort_index(), expected, check_names=False, rtol=1e-12)


def test_held_out_purchases_belong_to_the_histories(tables: Tables, bought: pd.DataFrame) -> None:
    cells = holdout.held_out(histories(tables, AS_OF), tables.days, AS_OF, PERIOD).to_pandas()
    later = bought[bought["day"].between(pd.Timestamp(AS_OF), pd.Timestamp(UNTIL), inclusive="left")]
    days = known(bought).groupby("customer")["day"]
    each = pd.DataFrame(
        {
            "frequency": days.size() - 1,
            "recency": (days.max() - days.min()).dt.days,
            "T": (pd.Timestamp(AS_OF) - days.min()).dt.days,
            "purchases": later.groupby("customer").size().reindex(days.size().index, fill_value=0),
        }
    )
    expected = each.groupby(list(each)).size().rename("weight").reset_index()
    pd.testing.assert_frame_equal(cells[list(expected)], expected, check_dtype=False)
    assert cells["weight"].sum() == len(each)


def test_newcomers_had_not_bought_before(tables: Tables, bought: pd.DataFrame) -> None:
    (row,) = holdout.newcomers(tables.days, AS_OF, PERIOD).to_pandas().to_dict("records")
    later = bought[bought["day"].between(pd.Timestamp(AS_OF), pd.Timestamp(UNTIL), inclusive="left")]
    new = later[~later["customer"].isin(known(bought)["customer"])]
    assert row == {"customers": new["customer"].nunique(), "purchases": len(new)}
