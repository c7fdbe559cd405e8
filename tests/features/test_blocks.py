"""Every feature block against a loop over the same purchase days."""

import math
import statistics
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from loyalty.features import basket, build, cadence, programme, rfm, trend
from loyalty.features.columns import Tables, Window

AS_OF = date(2020, 9, 16)
LENGTHS = (7, 14, 30, 60, 90, 180)
WINDOW = Window(AS_OF, LENGTHS)
Day = dict[str, Any]


@pytest.fixture(scope="module")
def tables(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> Tables:
    random = np.random.default_rng(5)
    days = pd.date_range("2020-02-01", "2020-12-01")

    def happenings(customers: str, count: int) -> pd.DataFrame:
        return pd.DataFrame({"customer": random.choice(list(customers), count), "day": random.choice(days, count)})

    contacts, redemptions = (
        frame.assign(day=frame["day"].dt.date) for frame in (happenings("abcdefz", 40), happenings("abc", 20))
    )
    return tables_of(lines, contacts, redemptions)


@pytest.fixture(scope="module")
def known(tables: Tables) -> dict[str, list[Day]]:
    """Purchase days of each customer before the date, in order."""
    found: dict[str, list[Day]] = {}
    for row in sorted(tables.days.to_pyarrow().to_pylist(), key=lambda row: row["day"]):
        if row["day"] < AS_OF:
            found.setdefault(row["customer"], []).append(row)
    assert {len(days) for days in found.values()} >= {1, 2}
    return found


def ago(day: date) -> int:
    return (AS_OF - day).days


def over(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def spend_between(days: list[Day], newest: int, oldest: int) -> float:
    """Spend of the days that are more than `newest` and at most `oldest` days old."""
    return sum(day["spend"] for day in days if newest < ago(day["day"]) <= oldest)


def by_loop(block: str, days: list[Day]) -> dict[str, float]:
    spends, at = [day["spend"] for day in days], [day["day"] for day in days]
    gaps = [(later - earlier).days for earlier, later in pairwise(at)]
    since = ago(at[-1])
    if block == "rfm":
        windows = {f"purchase_days_{n}": sum(ago(day) <= n for day in at) for n in LENGTHS}
        return windows | {f"spend_{n}": spend_between(days, 0, n) for n in LENGTHS} | {
            "days_since_last": since,
            "spend_per_day": sum(spends) / len(spends),
            "frequency": len(gaps),
            "recency": sum(gaps),
            "T": ago(at[0]),
            "monetary_value": sum(spends[1:]) / len(gaps) if gaps else math.nan,
        }  # fmt: skip
    if block == "cadence":
        mean = sum(gaps) / len(gaps) if gaps else math.nan
        sd = statistics.stdev(gaps) if len(gaps) > 1 else math.nan
        return {
            "gap_mean": mean,
            "gap_sd": sd,
            "gap_cv": sd / mean,
            "gap_longest": max(gaps, default=math.nan),
            "overdue": since / mean,
            "longer_gaps_share": sum(gap > since for gap in gaps) / len(gaps) if gaps else math.nan,
        }
    if block == "trend":
        halves = {
            f"spend_trend_{n}": over(spend_between(days, 0, n), spend_between(days, 0, 2 * n)) for n in (30, 60, 90)
        }
        return halves | {"last_against_mean": over(spends[-1], sum(spends) / len(spends))}
    discount = sum(day["discount"] for day in days)
    means = {
        f"{name}_per_day": sum(day[name] for day in days) / len(days)
        for name in ("lines", "orders", "categories", "stores")
    }
    return means | {
        "discount_share": over(discount, sum(spends) + discount),
        "coupon_share": sum(day["coupon"] > 0 for day in days) / len(days),
    }


BLOCKS = {"rfm": rfm.rfm, "cadence": cadence.cadence, "trend": trend.trend, "basket": basket.basket}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_what_a_loop_finds(name: str, tables: Tables, known: dict[str, list[Day]]) -> None:
    got = BLOCKS[name](tables, WINDOW).to_pandas().set_index("customer")
    wanted = pd.DataFrame.from_dict({customer: by_loop(name, days) for customer, days in known.items()}, orient="index")
    assert set(got.columns) == set(wanted.columns)
    assert sorted(got.index) == sorted(known)
    pd.testing.assert_frame_equal(
        got.loc[wanted.index, wanted.columns].astype(float), wanted.astype(float), check_names=False, rtol=1e-12
    )


@pytest.mark.parametrize("name", BLOCKS)
def test_the_dictionary_knows_every_column_and_when_it_is_missing(name: str, tables: Tables) -> None:
    frame = BLOCKS[name](tables, WINDOW).to_pandas().set_index("customer")
    meaning = build.dictionary(LENGTHS)
    assert set(frame.columns) <= set(meaning)
    with_gaps = {column for column in frame if frame[column].isna().any()}
    assert {column for column in with_gaps if meaning[column].null == "never null"} == set()
    shares = [column for column in frame if meaning[column].unit == "share"]
    assert frame[shares].stack().dropna().between(0, 1).all()


@pytest.mark.parametrize(
    ("block", "plural", "singular"), [("contacts", "contacts", "contact"), ("redemptions",) * 2 + ("redemption",)]
)
def test_happenings_are_counted_as_a_loop_counts_them(block: str, plural: str, singular: str, tables: Tables) -> None:
    rows = getattr(tables, plural).to_pyarrow().to_pylist()
    ages: dict[str, list[int]] = {}
    for row in rows:
        if row["day"] < AS_OF:
            ages.setdefault(row["customer"], []).append(ago(row["day"]))
    expected = {
        who: {plural: len(of), f"{plural}_90": sum(age <= 90 for age in of), f"days_since_{singular}": min(of)}
        for who, of in ages.items()
    }
    got = getattr(programme, block)(tables, WINDOW).to_pandas().set_index("customer")
    assert got.to_dict("index") == expected
    assert sum(len(of) for of in ages.values()) < len(rows)  # some are still to come


def test_a_dataset_without_a_programme_has_no_such_block(tables: Tables) -> None:
    assert programme.contacts(Tables(tables.days), WINDOW) is None
    assert programme.redemptions(Tables(tables.days), WINDOW) is None
    assert not set(build.frame(Tables(tables.days), WINDOW, 60)) & set(programme.columns(LENGTHS))


def test_the_frame_holds_the_blocks_of_the_active_in_the_dictionarys_order(
    tables: Tables, known: dict[str, list[Day]]
) -> None:
    frame = build.frame(tables, WINDOW, 60)
    active = sorted(customer for customer, days in known.items() if ago(days[-1]["day"]) <= 60)
    assert list(frame.index) == active
    assert list(frame.columns) == [name for name in build.dictionary(LENGTHS) if name in frame.columns]
    assert len(frame.columns) == len(build.dictionary(LENGTHS))
    assert (frame.dtypes == "float64").all()
    for name, block in BLOCKS.items():
        part = block(tables, WINDOW).to_pandas().set_index("customer").astype(float)
        pd.testing.assert_frame_equal(frame[part.columns], part.loc[active], check_names=False, obj=name)


def test_who_was_never_contacted_has_no_contacts_and_an_unknown_age(tables: Tables) -> None:
    frame = build.frame(tables, WINDOW, 365)
    never = sorted(set(frame.index) - set(programme.contacts(tables, WINDOW).to_pandas()["customer"]))
    assert never
    assert (frame.loc[never, ["contacts", "contacts_90"]] == 0).all(axis=None)
    assert frame.loc[never, "days_since_contact"].isna().all()


def test_columns_that_the_log_lacks_are_left_out(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> None:
    frame = build.frame(tables_of(lines[["customer", "time", "day", "order", "amount"]]), WINDOW, 60)
    assert not {"discount_share", "coupon_share", "categories_per_day", "stores_per_day"} & set(frame)
    assert {"lines_per_day", "orders_per_day"} <= set(frame)


def test_windows_are_those_that_the_earliest_date_can_fill() -> None:
    first = date(2020, 1, 1)
    assert build.windows_that_fit(first, first + timedelta(days=30)) == (7, 14, 30)
    assert build.windows_that_fit(first, first + timedelta(days=29)) == (7, 14)
    assert build.windows_that_fit(first, first + timedelta(days=3)) == (7,)
    assert build.windows_that_fit(first, first + timedelta(days=4000))[-1] == 365


def test_a_purchase_day_on_the_edge_of_a_window_is_inside(tables_of: Callable[..., Tables]) -> None:
    days = [AS_OF - timedelta(days=7), AS_OF - timedelta(days=8)]
    lines = pd.DataFrame({"customer": "a", "day": days, "amount": [2.0, 5.0], "order": ["1", "2"]})
    row = rfm.rfm(tables_of(lines), WINDOW).to_pandas().iloc[0]
    assert (row["purchase_days_7"], row["spend_7"], row["spend_14"]) == (1, 2.0, 7.0)


def segment_by_hand(r: int, f: int, purchases_ever: int) -> str:
    if f >= 4:
        return "Champions" if r >= 4 else "Loyal" if r == 3 else "Slipping"
    if r >= 4:
        return "New" if purchases_ever == 1 else "Occasional"
    return "Cooling" if r >= 2 else "Dormant"


def score_by_hand(values: pd.Series) -> pd.Series:
    """Fifth in which the middle of a value's ranks lies."""
    below, above = values.rank(method="min") - 1, len(values) - values.rank(method="max")
    middle = (1 + (below - above) / max(len(values) - 1, 1)) / 2
    return np.floor(np.minimum(middle * 5, 4.999)).astype(int) + 1


def test_segments_follow_from_ranks_within_the_year(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> None:
    many = pd.concat(
        [
            lines.assign(customer=lines["customer"] + str(copy), day=lines["day"] - timedelta(days=9 * copy))
            for copy in range(6)
        ]
    )
    tables = tables_of(many)
    got = rfm.segments(tables.days, AS_OF).to_pandas().set_index("customer").sort_index()
    days = tables.days.to_pandas().assign(day=lambda d: pd.to_datetime(d["day"]))
    recent = days[
        days["day"].between(pd.Timestamp(AS_OF) - pd.Timedelta(days=365), pd.Timestamp(AS_OF) - pd.Timedelta(days=1))
    ]
    each = recent.groupby("customer").agg(last=("day", "max"), purchase_days=("day", "size"), spend=("spend", "sum"))
    each["days_since_last"] = (pd.Timestamp(AS_OF) - each["last"]).dt.days
    r, f, m = (
        score_by_hand(-each["days_since_last"]),
        score_by_hand(each["purchase_days"]),
        score_by_hand(each["spend"]),
    )
    expected = each[["days_since_last", "purchase_days", "spend"]].assign(r=r, f=f, m=m)
    ever = days[days["day"] < pd.Timestamp(AS_OF)]["customer"].value_counts().loc[each.index]
    expected["segment"] = [segment_by_hand(*row) for row in zip(r, f, ever, strict=True)]
    pd.testing.assert_frame_equal(got[list(expected)], expected, check_dtype=False)
    assert set(got["segment"]) >= {"Champions", "Occasional", "Cooling", "Dormant"}


def test_equal_customers_are_in_equal_segments(tables_of: Callable[..., Tables]) -> None:
    rows = [(f"c{n}", AS_OF - timedelta(days=age), 5.0) for n in range(11) for age in (3, 40)]
    lines = pd.DataFrame(rows, columns=["customer", "day", "amount"]).assign(order=range(22))
    got = rfm.segments(tables_of(lines).days, AS_OF).to_pandas()
    assert len(got[["r", "f", "m", "segment"]].drop_duplicates()) == 1
    assert got[["r", "f", "m"]].iloc[0].tolist() == [3, 3, 3]


def test_scores_spread_over_fifths_and_go_the_right_way(tables_of: Callable[..., Tables]) -> None:
    rows = [(f"c{n:02d}", AS_OF - timedelta(days=n + 1 + gap), float(n)) for n in range(25) for gap in range(n + 1)]
    lines = pd.DataFrame(rows, columns=["customer", "day", "amount"]).assign(order=range(len(rows)))
    got = rfm.segments(tables_of(lines).days, AS_OF).to_pandas().set_index("customer").sort_index()
    assert got["f"].value_counts().to_dict() == dict.fromkeys(range(1, 6), 5)
    assert (got["f"].diff().dropna() >= 0).all()
    assert (got["r"].diff().dropna() <= 0).all()
    assert got["segment"].iloc[-1] == "Slipping"  # buys most often, and is silent for longest


def test_who_comes_again_after_a_long_time_is_not_new(tables_of: Callable[..., Tables]) -> None:
    rows = [("back", 1, 1.0), ("back", 500, 1.0), ("new", 1, 1.0)]
    rows += [(f"c{n}", age, 1.0) for n in range(6) for age in (60, 70, 80)]
    frame = pd.DataFrame(rows, columns=["customer", "age", "amount"])
    lines = frame.assign(day=[AS_OF - timedelta(days=age) for age in frame["age"]], order=range(len(frame)))
    got = rfm.segments(tables_of(lines).days, AS_OF).to_pandas().set_index("customer")
    assert got.loc[["new", "back"], "segment"].tolist() == ["New", "Occasional"]
    assert got.loc["back", "purchase_days"] == 1  # of the last year


def test_a_single_customer_is_in_the_middle(tables_of: Callable[..., Tables]) -> None:
    lines = pd.DataFrame({"customer": "a", "day": [AS_OF - timedelta(days=1)], "amount": 1.0, "order": "1"})
    (row,) = rfm.segments(tables_of(lines).days, AS_OF).to_pyarrow().to_pylist()
    assert (row["r"], row["f"], row["m"], row["segment"]) == (3, 3, 3, "Cooling")


@pytest.mark.parametrize(("horizon", "active"), [(30, 60), (90, 30), (1, 1)])
def test_measures_are_sums_over_the_period(
    horizon: int, active: int, tables: Tables, known: dict[str, list[Day]]
) -> None:
    spends = {who: [day["spend"] for day in days if ago(day["day"]) <= horizon] for who, days in known.items()}
    buyers = {who: of for who, of in spends.items() if of}
    (got,) = rfm.measures(tables.days, AS_OF, horizon, active).to_pyarrow().to_pylist()
    assert got == {
        "active": sum(ago(days[-1]["day"]) <= active for days in known.values()),
        "buyers": len(buyers),
        "repeat_buyers": sum(len(of) > 1 for of in buyers.values()),
        "spend": sum(map(sum, buyers.values())),
        "spend_squared": sum(sum(of) ** 2 for of in buyers.values()),
        "purchase_days": sum(map(len, buyers.values())),
    }


def test_a_period_without_purchases_measures_nothing(tables: Tables) -> None:
    (got,) = rfm.measures(tables.days, date(2019, 1, 1), 30, 60).to_pyarrow().to_pylist()
    assert set(got.values()) == {0}


def test_free_purchases_have_no_shares(tables_of: Callable[..., Tables]) -> None:
    days = [AS_OF - timedelta(days=shift) for shift in (3, 5, 40)]
    lines = pd.DataFrame({"customer": "a", "day": days, "amount": 0.0, "order": "1", "discount": 0.0, "coupon": 0.0})
    frame = build.frame(tables_of(lines), WINDOW, 60).loc["a"]
    assert frame[["discount_share", "last_against_mean", "spend_trend_30"]].isna().all()
    assert (frame["coupon_share"], frame["monetary_value"], frame["gap_mean"]) == (0, 0, 18.5)


def test_no_one_active_makes_an_empty_frame_with_its_columns(tables: Tables) -> None:
    frame = build.frame(tables, Window(date(2019, 6, 1), (7, 14)), 30)
    assert frame.empty
    assert "days_since_last" in frame.columns


def test_the_blocks_are_written_for_any_engine(tables: Tables) -> None:
    unbound = Tables(*(ibis.table(table.schema(), name=name) for name, table in tables._asdict().items()))
    expression = build.features(unbound, WINDOW, 60)
    for dialect in ("duckdb", "databricks"):
        assert "SELECT" in ibis.to_sql(expression, dialect=dialect)
