"""All blocks side by side: who is in, which columns, and what is said of those that are not."""

from collections.abc import Callable
from datetime import date, timedelta

import ibis
import pandas as pd
import pytest
from loyalty.features import build, profile
from loyalty.features.columns import Tables, Window
from loyalty.features.windows import before

AS_OF = date(2020, 9, 16)


@pytest.fixture(scope="module")
def frame(tables: Tables, window: Window) -> pd.DataFrame:
    return build.frame(tables, window, 60)


def test_the_frame_holds_the_active_and_every_column(
    frame: pd.DataFrame, tables: Tables, lines: pd.DataFrame, window: Window
) -> None:
    sums = lines.groupby(["customer", "day"])["amount"].sum()
    bought = sums[sums > 0].reset_index()
    active = bought[(bought["day"] < AS_OF) & (bought["day"] >= AS_OF - timedelta(days=60))]
    assert list(frame.index) == sorted(set(active["customer"]))
    described = [name for name in build.dictionary(window) if "last_year" not in name]
    assert list(frame.columns) == [*described, "profile_age_band"]
    assert (frame[described].dtypes == "float64").all()
    assert frame["profile_age_band"].dtype == "category"


@pytest.mark.parametrize("block", build.BLOCKS, ids=lambda block: block.name)
def test_the_frame_holds_what_each_block_says_of_its_customers(
    block: build.Block, frame: pd.DataFrame, tables: Tables, window: Window
) -> None:
    is_of_days = isinstance(block, build.DayBlock)
    table = build.day_features(tables, window, (block,)) if is_of_days else block.table(tables, window)
    part = table.to_pandas().set_index("customer")
    numbers = [name for name in part if name not in profile.attributes(tables)]
    there = frame.index.intersection(part.index)
    pd.testing.assert_frame_equal(
        frame.loc[there, numbers], part.loc[there, numbers].astype("float64"), check_names=False, check_exact=False
    )


def test_who_is_in_no_other_table_has_had_none_and_unknown_ages(
    frame: pd.DataFrame, tables: Tables, others: dict[str, pd.DataFrame]
) -> None:
    known = [
        before(getattr(tables, name), AS_OF).to_pandas()["customer"] for name in ("contacts", "redemptions", "points")
    ]
    never = sorted(set(frame.index) - set(pd.concat(known)))
    assert never
    counts = [
        "contacts",
        "contacts_90",
        "contact_rate",
        "redemptions",
        "redemptions_90",
        "points_balance",
        "points_earned_90",
    ]
    assert (frame.loc[never, counts] == 0).all(axis=None)
    unknown = [
        "days_since_contact",
        "days_since_redemption",
        "redemption_rate",
        "days_since_points",
        "points_used_share",
    ]
    assert frame.loc[never, unknown].isna().all(axis=None)
    assert frame.drop(never)[["contacts", "points_earned_90"]].to_numpy().any()


def test_what_the_dataset_lacks_is_left_out_and_said(
    lines: pd.DataFrame, tables_of: Callable[..., Tables], tables: Tables, window: Window
) -> None:
    bare = tables_of(lines[["customer", "time", "day", "order", "amount"]])
    produced = set(build.features(bare, window, 60).columns)
    missing = set(build.dictionary(window)) - produced
    said = build.left_out(bare, window)
    assert {name for _, _, names in said for name in names} == missing
    assert ("stores", "transactions.store", ["stores", "favourite_store_share"]) in said
    assert {block for block, _, _ in said} == {
        "basket", "season", "breadth", "stores", "channels", "offers", "points", "tier", "profile"
    }  # fmt: skip
    assert {"discount_share", "coupon_share", "points_balance", "age"} <= missing
    assert build.left_out(tables, window._replace(known_days=365)) == []


def test_a_dataset_of_everything_has_about_eighty_columns(tables: Tables) -> None:
    window = Window(date(2020, 12, 1), build.LENGTHS)
    columns = set(build.features(tables, window, 60).columns)
    assert columns == {"customer", "profile_age_band", *build.dictionary(window)}
    assert set(build.dictionary()) == set(build.dictionary(window))
    assert 75 <= len(columns) <= 95


def test_blocks_do_not_share_a_column(window: Window) -> None:
    names = [name for block in build.BLOCKS for name in block.columns(window)]
    assert len(names) == len(set(names))


def test_blocks_do_not_sum_different_things_under_one_name(tables: Tables, window: Window) -> None:
    known = build.known_days(tables, window)
    names = [*build.histories.sums(known)]
    names += [name for block in build.DAY_BLOCKS for name in block.sums(known, window)]
    assert len(names) == len(set(names))


def test_windows_are_those_that_the_earliest_date_can_fill() -> None:
    first = date(2020, 1, 1)
    assert build.windows_that_fit(first, first + timedelta(days=30)) == (7, 14, 30)
    assert build.windows_that_fit(first, first + timedelta(days=29)) == (7, 14)
    assert build.windows_that_fit(first, first + timedelta(days=3)) == (7,)
    assert build.windows_that_fit(first, first + timedelta(days=4000))[-1] == 365


def test_no_one_active_makes_an_empty_frame_with_its_columns(tables: Tables) -> None:
    frame = build.frame(tables, Window(date(2019, 6, 1), (7, 14)), 30)
    assert frame.empty
    assert {"days_since_last", "points_balance", "profile_age_band"} <= set(frame.columns)


def test_the_blocks_are_written_for_any_engine(tables: Tables) -> None:
    unbound = Tables(
        *(
            ibis.table(value.schema(), name=name) if isinstance(value, ibis.Table) else value
            for name, value in tables._asdict().items()
        )
    )
    expression = build.features(unbound, Window(date(2020, 12, 1), build.LENGTHS), 60)
    for dialect in ("duckdb", "databricks"):
        assert "SELECT" in ibis.to_sql(expression, dialect=dialect)
