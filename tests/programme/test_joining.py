"""Who joined when, and what was bought around it, against loops over the rows."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.features.columns import Tables
from loyalty.programme.joining import PAST, comparison, counts, standing

START, AS_OF, H = date(2020, 1, 15), date(2020, 9, 16), 21


@pytest.fixture(scope="module")
def tables(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> Tables:
    """The small log, and for some customers a day of joining; one has two rows, one never bought, one joins later."""
    joined = {
        "a": date(2020, 5, 4), "b": date(2020, 6, 30), "c": date(2020, 1, 1), "d": None, "e": date(2020, 10, 1),
        "f": date(2020, 7, 20), "g": date(2020, 4, 22), "z": date(2020, 5, 5),
    }  # fmt: skip
    rows = [*joined.items(), ("a", date(2020, 8, 1))]
    return tables_of(lines, customers=pd.DataFrame(rows, columns=["customer", "joined"]))


@pytest.fixture(scope="module")
def moved(lines: pd.DataFrame) -> dict[str, dict[date, float]]:
    """Money by customer and day, before the date."""
    known = lines[lines["day"] < AS_OF]
    sums = known.groupby(["customer", "day"])["amount"].sum()
    return {who: {day: money for (_, day), money in of.items() if money} for who, of in sums.groupby(level=0)}


def joining(tables: Tables) -> dict[str, date]:
    assert tables.customers is not None
    first = tables.customers.to_pandas().dropna().groupby("customer")["joined"].min()
    return dict(zip(first.index, pd.to_datetime(first).dt.date, strict=True))


def by_loop(moved: dict[str, dict[date, float]], joined: dict[str, date]) -> dict[tuple[str, int], dict[str, Any]]:
    start = min(min(days) for days in moved.values() if days)
    rows = {}
    for who, days in moved.items():
        bought = [day for day, money in days.items() if money > 0]
        for week in range(53):
            first = start + timedelta(days=7 * week)
            joins = who in joined and first <= joined[who] < first + timedelta(days=7)
            other = who not in joined or joined[who] >= min(first + timedelta(days=7 + H), AS_OF)
            over = first + timedelta(days=7 + H) > AS_OF
            if not bought or over or not (joins or other) or (first - min(bought)).days < PAST * H:
                continue
            row: dict[str, Any] = {"joins": joins, "tenure": (first - min(bought)).days}
            row["visited"] = any(first <= day < first + timedelta(days=7) for day in bought)
            for name, shift in (("_3", -3 * H), ("_2", -2 * H), ("_1", -H), ("_after", 7)):
                begin = first + timedelta(days=shift)
                here = [day for day in days if begin <= day < begin + timedelta(days=H)]
                row[f"spend{name}"] = sum(days[day] for day in here)
                row[f"days{name}"] = sum(days[day] > 0 for day in here)
            rows[who, week] = row
    return rows


def test_the_rows_are_those_of_a_loop(tables: Tables, moved: dict[str, dict[date, float]]) -> None:
    expected = by_loop(moved, joining(tables))
    got = comparison(tables, AS_OF, H).to_pandas().set_index(["customer", "week"])
    assert got.to_dict("index") == expected
    assert {at[0] for at, row in expected.items() if row["joins"]} == {"a", "b", "f"}
    assert any(row["visited"] for row in expected.values())


def test_who_joins_later_is_not_yet_a_member(tables: Tables) -> None:
    known = comparison(tables, AS_OF, H).to_pandas()
    assert not known.loc[known["customer"] == "e", "joins"].any()
    assert (known["customer"] == "e").any()


def test_what_happens_later_changes_nothing(tables: Tables) -> None:
    cut = tables._replace(days=tables.days.filter(tables.days.day < AS_OF), returns=None)
    whole = tables._replace(returns=None)
    first, second = (comparison(each, AS_OF, H).to_pandas().sort_values(["customer", "week"]) for each in (whole, cut))
    pd.testing.assert_frame_equal(first.reset_index(drop=True), second.reset_index(drop=True))


def test_of_many_rows_all_who_joined_stay_and_a_fixed_share_of_the_others(tables: Tables) -> None:
    whole, part, again = (comparison(tables, AS_OF, H, most).to_pandas() for most in (10**6, 80, 80))
    keys = [set(zip(each["customer"], each["week"], strict=True)) for each in (whole, part, again)]
    assert keys[1] == keys[2] < keys[0]
    assert whole["joins"].sum() == part["joins"].sum() == 3


def test_counts_by_hand(tables: Tables, moved: dict[str, dict[date, float]]) -> None:
    (row,) = counts(tables, AS_OF, H).to_pyarrow().to_pylist()
    first = {
        who: min(day for day, money in days.items() if money > 0)
        for who, days in moved.items()
        if any(money > 0 for money in days.values())
    }
    waited = {
        who: (joined - first[who]).days for who, joined in joining(tables).items() if who in first and joined < AS_OF
    }
    assert row == {
        "customers": len(first),
        "members": 5,
        "later": 1,
        "at_first": sum(days <= 0 for days in waited.values()),
        "with_past": sum(days >= PAST * H for days in waited.values()),
    }
    assert row["at_first"] >= 1


def test_standing_by_hand(tables: Tables, moved: dict[str, dict[date, float]]) -> None:
    start = AS_OF - timedelta(days=H)
    rows = []
    for who, days in moved.items():
        if not any(money > 0 and day < start for day, money in days.items()):
            continue
        here = [money for day, money in days.items() if day >= start]
        bought = sum(money > 0 for money in here)
        rows.append((joining(tables).get(who, AS_OF) < start, bought > 1, bought == 0, sum(here)))
    frame = pd.DataFrame(rows, columns=["member", "repurchased", "churned", "spend"]).astype(float).groupby("member")
    got = standing(tables, AS_OF, H).to_pandas().set_index("member")
    assert got.index.tolist() == [False, True]
    assert got["customers"].tolist() == frame.size().tolist()
    for column in ("repurchased", "churned", "spend"):
        assert got[column].tolist() == pytest.approx(frame[column].mean().tolist())
    assert got["spend_deviation"].tolist() == pytest.approx(frame["spend"].std().tolist())


def test_a_log_that_is_too_short_has_no_rows(tables: Tables) -> None:
    assert comparison(tables, AS_OF, 120).to_pandas().empty


def test_a_dataset_must_say_when_customers_joined(tables: Tables) -> None:
    with pytest.raises(DataError, match=r"customers\.joined: the dataset does not say"):
        comparison(tables._replace(customers=None), AS_OF, H)


def test_a_log_must_have_begun(tables: Tables) -> None:
    with pytest.raises(DataError, match="no purchase before 2019-01-01"):
        comparison(tables, date(2019, 1, 1), H)
