"""Every block against a loop over the same rows."""

import math
import statistics
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from loyalty.features import breadth, build, channel, profile, programme
from loyalty.features.columns import Block, DayBlock, Tables, Window

AS_OF = date(2020, 9, 16)
LENGTHS = (7, 14, 30, 60, 90, 180)
Day = dict[str, Any]
Values = dict[str, float | None]


def ago(day: date) -> int:
    return (AS_OF - day).days


def over(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def bought(moved: list[Day]) -> list[Day]:
    return [day for day in moved if day["spend"] > 0]


def money(moved: list[Day], oldest: int, newest: int = 0) -> float:
    """What was spent on the days that are more than `newest` and at most `oldest` days old, less what came back."""
    return sum(day["spend"] for day in moved if newest < ago(day["day"]) <= oldest)


def histories(moved: list[Day]) -> Values:
    at = [day["day"] for day in bought(moved)]
    repeats = len(at) - 1
    later = sum(day["spend"] for day in moved if repeats and day["day"] >= at[1])
    return {
        "frequency": repeats,
        "recency": (at[-1] - at[0]).days,
        "T": ago(at[0]),
        "monetary_value": over(max(later, 0), repeats),
    }


def orders(day: Day) -> int:
    """Receipts of a day on which something was paid for."""
    return len({line["order"] for line in day["lines"] if line["amount"] > 0})


def rfm(moved: list[Day]) -> Values:
    days = bought(moved)
    values: Values = {
        "days_since_last": ago(days[-1]["day"]),
        "spend_per_day": max(sum(day["spend"] for day in moved), 0) / len(days),
    }
    for n in LENGTHS:
        recent = [day for day in days if ago(day["day"]) <= n]
        values[f"purchase_days_{n}"] = len(recent)
        values[f"orders_{n}"] = sum(map(orders, recent))
        values[f"spend_{n}"] = money(moved, n)
    return values


def cadence(moved: list[Day]) -> Values:
    at = [day["day"] for day in bought(moved)]
    gaps, since = [(later - earlier).days for earlier, later in pairwise(at)], ago(at[-1])
    mean = sum(gaps) / len(gaps) if gaps else math.nan
    sd = statistics.stdev(gaps) if len(gaps) > 1 else math.nan
    return {
        "gap_mean": mean,
        "gap_sd": sd,
        "gap_cv": sd / mean,
        "gap_longest": max(gaps, default=math.nan),
        "regularity": statistics.geometric_mean(gaps) / mean if len(gaps) > 1 else math.nan,
        "overdue": since / mean,
        "longer_gaps_share": sum(gap > since for gap in gaps) / len(gaps) if gaps else math.nan,
    }


def trend(moved: list[Day]) -> Values:
    spends = [day["spend"] for day in bought(moved)]
    values: Values = {"last_against_mean": spends[-1] / statistics.mean(spends)}
    for n in (30, 60, 90):
        newer, older = max(money(moved, n), 0), max(money(moved, 2 * n, n), 0)
        values[f"spend_trend_{n}"] = over(newer, newer + older)
    periods = min(math.ceil(ago(moved_first(moved)) / 28), 180 // 28)
    points = [money(moved, 28 * (k + 1), 28 * k) for k in reversed(range(periods))]
    values["spend_slope"] = np.polyfit(range(periods), points, 1)[0] if periods > 1 else math.nan
    return values


def moved_first(moved: list[Day]) -> date:
    """First day with a purchase or a return; days that add up to nothing are neither."""
    return min(day["day"] for day in moved if day["spend"])


def basket(moved: list[Day]) -> Values:
    days = bought(moved)
    lines = [line for day in days for line in day["lines"]]
    discount, spend = sum(line["discount"] for line in lines), sum(day["spend"] for day in days)
    back = [-sum(min(line["amount"], 0) for line in day["lines"]) for day in moved if day["spend"]]
    return {
        "lines_per_day": len(lines) / len(days),
        "orders_per_day": sum(map(orders, days)) / len(days),
        "discount_share": over(discount, spend + discount),
        "coupon_share": sum(any(line["coupon"] for line in day["lines"]) for day in days) / len(days),
        "return_days": sum(money > 0 for money in back),
        "returned_share": min(over(sum(back), sum(day["spend"] for day in moved) + sum(back)), 1),
    }


def timing(moved: list[Day]) -> Values:
    days = bought(moved)
    firsts = [min(line["time"] for line in day["lines"]) for day in days]
    parts = [part_of_day(first) for first in firsts if first.time() != datetime.min.time()]
    values: Values = {
        f"{name.lower()}_share": sum(day["day"].strftime("%A") == name for day in days) / len(days)
        for name in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    }
    return values | {
        f"{name}_share": over(parts.count(name), len(parts)) for name in ("morning", "midday", "evening", "night")
    }


def part_of_day(time: datetime) -> str:
    for name, end in (("night", 5), ("morning", 11), ("midday", 16), ("evening", 21)):
        if time.hour < end:
            return name
    return "night"


def second(moved: list[Day]) -> Values:
    days = bought(moved)
    if len(days) == 1:
        return {"second_purchase": 0, "days_to_second": math.nan, "second_against_first": math.nan}
    return {
        "second_purchase": 1,
        "days_to_second": (days[1]["day"] - days[0]["day"]).days,
        "second_against_first": days[1]["spend"] / days[0]["spend"],
    }


LOOPS: dict[str, Callable[[list[Day]], Values]] = {
    "histories": histories, "rfm": rfm, "cadence": cadence, "trend": trend, "basket": basket, "timing": timing,
    "second": second,
}  # fmt: skip
DAY_BLOCKS = {block.name: block for block in build.DAY_BLOCKS}


def of_days(name: str, tables: Tables, window: Window) -> pd.DataFrame:
    table = build.day_features(tables, window, (DAY_BLOCKS[name],))
    return table.to_pandas().set_index("customer").sort_index().astype(float)


def one(rows: Iterable[tuple[int, float]], tables_of: Callable[..., Tables], **more: Any) -> Tables:
    """A log of one customer: how many days ago, and for how much."""
    frame = pd.DataFrame([(AS_OF - timedelta(days=age), money) for age, money in rows], columns=["day", "amount"])
    return tables_of(frame.assign(customer="a", order="1", **more))


@pytest.mark.parametrize("name", LOOPS)
def test_a_block_is_what_a_loop_finds(name: str, tables: Tables, window: Window, moved: dict[str, list[Day]]) -> None:
    got = of_days(name, tables, window)
    wanted = pd.DataFrame.from_dict({who: LOOPS[name](days) for who, days in moved.items()}, orient="index")
    assert set(got.columns) == set(wanted.columns)
    assert sorted(got.index) == sorted(moved)
    pd.testing.assert_frame_equal(
        got.loc[wanted.index, wanted.columns], wanted.astype(float), check_names=False, rtol=1e-9, atol=1e-9
    )


def test_all_day_blocks_have_a_loop_here() -> None:
    assert set(LOOPS) | {"season"} == set(DAY_BLOCKS)


@pytest.mark.parametrize("as_of", [date(2021, 2, 15), date(2021, 2, 28), date(2021, 9, 1)])
def test_the_same_period_last_year(as_of: date, lines: pd.DataFrame, tables: Tables) -> None:
    window = Window(as_of, (30,), horizon_days=28, known_days=365)
    begin = as_of - timedelta(days=365)
    days = lines[lines["day"] < as_of].groupby(["customer", "day"])["amount"].sum().reset_index()
    period = days[(days["day"] >= begin) & (days["day"] < begin + timedelta(days=28))]
    got = of_days("season", tables, window)
    spend = period.groupby("customer")["amount"].sum()
    count = period[period["amount"] > 0].groupby("customer").size()
    assert got["spend_last_year"].to_dict() == spend.reindex(got.index, fill_value=0).to_dict()
    assert got["purchase_days_last_year"].to_dict() == count.reindex(got.index, fill_value=0).to_dict()
    assert got.any(axis=None)


def test_last_year_is_left_out_where_the_log_is_younger(tables: Tables, window: Window) -> None:
    assert of_days("season", tables, window).empty
    assert list(of_days("season", tables, window._replace(known_days=365))) == [
        "purchase_days_last_year", "spend_last_year"
    ]  # fmt: skip


def test_a_horizon_of_more_than_a_year_sees_no_future(tables_of: Callable[..., Tables]) -> None:
    window = Window(AS_OF, (30,), horizon_days=500, known_days=400)
    got = of_days("season", one([(300, 2.0), (1, 3.0), (0, 50.0), (-20, 50.0)], tables_of), window)
    assert got.loc["a"].tolist() == [2, 5.0]


# Odd customers


def test_one_purchase_has_no_rhythm(tables_of: Callable[..., Tables], window: Window) -> None:
    tables = one([(40, 7.5)], tables_of)
    assert of_days("cadence", tables, window).isna().all(axis=None)
    assert of_days("second", tables, window).loc["a"].fillna(-1).tolist() == [0, -1, -1]
    assert of_days("trend", tables, window).loc["a", ["last_against_mean", "spend_slope"]].tolist() == [1.0, 7.5 * -1]


def test_equal_gaps_are_perfectly_regular(tables_of: Callable[..., Tables], window: Window) -> None:
    got = of_days("cadence", one([(age, 1.0) for age in (73, 52, 31, 10)], tables_of), window).loc["a"]
    assert (got["regularity"], got["gap_cv"], got["gap_mean"]) == (pytest.approx(1, abs=1e-12), 0, 21)
    assert got["regularity"] <= 1


def test_gaps_over_a_leap_day_count_it(tables_of: Callable[..., Tables]) -> None:
    days = [date(2020, 2, 28), date(2020, 3, 1), date(2021, 2, 28)]
    lines = pd.DataFrame({"customer": "a", "day": days, "amount": 1.0, "order": "1"})
    got = of_days("cadence", tables_of(lines), Window(date(2021, 3, 1), (7,))).loc["a"]
    assert (got["gap_longest"], got["gap_mean"], got["overdue"]) == (364, 183, 1 / 183)


def test_a_gap_as_long_as_the_present_one_is_not_longer(tables_of: Callable[..., Tables], window: Window) -> None:
    got = of_days("cadence", one([(age, 1.0) for age in (61, 40, 10)], tables_of), window).loc["a"]
    assert got["longer_gaps_share"] == 1  # gaps of 21 and 30, silent for 10
    got = of_days("cadence", one([(age, 1.0) for age in (60, 40, 20)], tables_of), window).loc["a"]
    assert got["longer_gaps_share"] == 0


@pytest.mark.parametrize(
    ("rows", "monetary_value"),
    [
        ([(50, 100.0), (40, 50.0), (38, -20.0)], 30),  # against the repeat purchase
        ([(50, 100.0), (45, -100.0), (40, 50.0)], 50),  # against the first
        ([(60, -30.0), (50, 100.0), (40, 50.0)], 50),  # of what was bought before the log
        ([(50, 100.0), (40, 50.0), (30, 20.0), (20, -90.0)], 0),  # more than all of them
        ([(50, 100.0), (45, -100.0)], math.nan),
        ([(50, 100.0), (40, 50.0), (40, -20.0), (30, 10.0)], 20),  # on the day itself
        ([(50, 100.0), (40, 50.0), (0, -50.0)], 50),  # not known yet
    ],
)
def test_returns_lower_what_a_repeat_purchase_is_worth(
    rows: list[tuple[int, float]], monetary_value: float, tables_of: Callable[..., Tables], window: Window
) -> None:
    got = of_days("histories", one(rows, tables_of), window).loc["a", "monetary_value"]
    assert got == pytest.approx(monetary_value, nan_ok=True)


def test_a_return_before_the_first_purchase_is_money_and_nothing_else(
    tables_of: Callable[..., Tables], window: Window
) -> None:
    tables = one([(50, -5.0), (20, 9.0)], tables_of)
    history, spend = of_days("histories", tables, window).loc["a"], of_days("rfm", tables, window).loc["a"]
    assert history[["frequency", "recency", "T"]].tolist() == [0, 0, 20]
    names = ["days_since_last", "spend_30", "spend_60", "purchase_days_60", "orders_60", "spend_per_day"]
    assert spend[names].tolist() == [20, 9.0, 4.0, 1, 1, 4.0]
    assert of_days("cadence", tables, window).isna().all(axis=None)
    assert of_days("basket", tables, window).loc["a", ["return_days", "returned_share"]].tolist() == [1, 5 / 9]


def test_who_only_gave_back_is_in_no_block(tables_of: Callable[..., Tables], window: Window) -> None:
    tables = one([(20, -9.0), (10, 0.0)], tables_of)
    for name in DAY_BLOCKS:
        assert of_days(name, tables, window).empty


def test_a_purchase_day_on_the_edge_of_a_window_is_inside(tables_of: Callable[..., Tables], window: Window) -> None:
    row = of_days("rfm", one([(7, 2.0), (8, 5.0)], tables_of), window).loc["a"]
    assert (row["purchase_days_7"], row["spend_7"], row["spend_14"]) == (1, 2.0, 7.0)


def test_spend_that_rises_by_ten_every_four_weeks_has_that_slope(tables_of: Callable[..., Tables]) -> None:
    tables = one([(28 * k + 3, 100.0 - 10 * k) for k in range(8)], tables_of)
    slope = of_days("trend", tables, Window(AS_OF, (7, 180))).loc["a", "spend_slope"]
    assert slope == pytest.approx(10)


def test_dates_without_times_have_no_part_of_the_day(tables_of: Callable[..., Tables], window: Window) -> None:
    dated = one([(3, 1.0), (5, 1.0)], tables_of, time=[pd.Timestamp("2020-09-13"), pd.Timestamp("2020-09-11")])
    got = of_days("timing", dated, window).loc["a"]
    assert got[["morning_share", "midday_share", "evening_share", "night_share"]].isna().all()
    assert (got["sunday_share"], got["friday_share"]) == (0.5, 0.5)
    assert "night_share" not in of_days("timing", one([(3, 1.0)], tables_of), window)


# Blocks of other tables


def of_table(block: Any, tables: Tables, window: Window) -> pd.DataFrame:
    return block.table(tables, window).to_pandas().set_index("customer").sort_index()


def shares(lines: pd.DataFrame, kind: str) -> dict[str, list[float]]:
    """Shares of the money that each customer paid, by kind."""
    paid = lines[(lines["day"] < AS_OF) & (lines["amount"] > 0)].dropna(subset=[kind])
    sums = paid.groupby(["customer", kind])["amount"].sum()
    return {who: list(of / of.sum()) for who, of in sums.groupby("customer")}


def test_breadth_is_that_of_the_shares(lines: pd.DataFrame, tables: Tables, window: Window) -> None:
    recent = lines[(lines["day"] >= AS_OF - timedelta(days=90)) & (lines["day"] < AS_OF) & (lines["amount"] > 0)]
    lately = recent.groupby("customer")["category"].nunique()
    wanted = {
        who: [len(of), lately.get(who, 0), -sum(share * math.log(share) for share in of), max(of)]
        for who, of in shares(lines, "category").items()
    }
    names = ["categories", "categories_90", "category_entropy", "favourite_category_share"]
    expected = pd.DataFrame.from_dict(wanted, orient="index", columns=names).sort_index()
    got = of_table(breadth.BLOCK, tables, window)[names]
    pd.testing.assert_frame_equal(got.astype(float), expected.astype(float), check_names=False, atol=1e-12)
    assert got["category_entropy"].min() >= 0
    assert got["category_entropy"].max() > 0.5


def test_stores_and_channels_are_those_of_the_shares(lines: pd.DataFrame, tables: Tables, window: Window) -> None:
    stores = of_table(channel.STORES, tables, window)
    assert stores["stores"].to_dict() == {who: len(of) for who, of in shares(lines, "store").items()}
    favourite = {who: max(of) for who, of in shares(lines, "store").items()}
    assert stores["favourite_store_share"].to_dict() == pytest.approx(favourite)
    channels = of_table(channel.CHANNELS, tables, window)
    assert channels["channels"].to_dict() == {who: len(of) for who, of in shares(lines, "channel").items()}
    assert channels["omnichannel"].to_dict() == {who: int(len(of) > 1) for who, of in shares(lines, "channel").items()}
    assert set(channels["omnichannel"]) == {0, 1}


def test_offers_are_counted_as_a_loop_counts_them(
    others: dict[str, pd.DataFrame], tables: Tables, window: Window
) -> None:
    ages: dict[str, dict[str, list[int]]] = {"contact": {}, "redemption": {}}
    for kind, of_kind in ages.items():
        for row in others[f"{kind}s"].itertuples():
            if row.day < AS_OF:
                of_kind.setdefault(row.customer, []).append(ago(row.day))
    wanted = {}
    for who in sorted(set(ages["contact"]) | set(ages["redemption"])):
        row: Values = {}
        for kind, of_kind in ages.items():
            of = of_kind.get(who, [])
            row |= {
                f"{kind}s": len(of),
                f"{kind}s_90": sum(age <= 90 for age in of),
                f"days_since_{kind}": min(of, default=math.nan),
            }
        sent = ages["contact"].get(who, [])
        row["contact_rate"] = len(sent) / max(*sent, 30) * 30 if sent else 0
        row["redemption_rate"] = over(row["redemptions"], row["contacts"])
        wanted[who] = row
    expected = pd.DataFrame.from_dict(wanted, orient="index").astype(float)
    got = of_table(programme.OFFERS, tables, window).astype(float)
    pd.testing.assert_frame_equal(got[expected.columns], expected, check_names=False)
    assert set(got) == set(expected)
    assert got.isna().any(axis=None)  # somebody was never contacted, or never handed one in
    alone = of_table(programme.OFFERS, tables._replace(contacts=None), window)
    assert set(alone) == {"redemptions", "redemptions_90", "days_since_redemption"}
    pd.testing.assert_frame_equal(
        alone.astype(float), got.loc[got["redemptions"] > 0, alone.columns], check_names=False
    )


def test_points_are_those_of_a_loop(others: dict[str, pd.DataFrame], tables: Tables, window: Window) -> None:
    rows = others["points"]
    known = rows[rows["day"] < AS_OF]
    wanted = {}
    for who, of in known.groupby("customer"):
        recent = of[[ago(day) <= 90 for day in of["day"]]]["points"]
        earned, gone = of["points"].clip(lower=0).sum(), -of["points"].clip(upper=0).sum()
        wanted[who] = {
            "points_balance": earned - gone,
            "points_earned_90": recent.clip(lower=0).sum(),
            "points_spent_90": -recent.clip(upper=0).sum(),
            "points_used_share": min(over(gone, earned), 1),
            "days_since_points": min(ago(day) for day in of["day"]),
        }
    expected = pd.DataFrame.from_dict(wanted, orient="index").astype(float)
    got = of_table(programme.POINTS, tables, window).astype(float)
    pd.testing.assert_frame_equal(got[expected.columns], expected, check_names=False)
    assert len(known) < len(rows)


def test_the_tier_is_the_highest_that_is_reached(tables: Tables, window: Window, moved: dict[str, list[Day]]) -> None:
    got = of_table(programme.TIER, tables, window)
    for who, days in moved.items():
        spend = money(days, 200)
        assert got.loc[who, "qualifying_spend"] == spend
        assert got.loc[who, "tier"] == sum(spend >= threshold for threshold in tables.tiers)
        missing = [threshold - spend for threshold in tables.tiers if threshold > spend]
        assert got.loc[who, "to_next_tier"] == (missing[0] if missing else pytest.approx(math.nan, nan_ok=True))
    assert len(set(got["tier"])) >= 3


def test_a_threshold_that_is_met_exactly_is_reached(tables_of: Callable[..., Tables], window: Window) -> None:
    for spend, tier, missing in ((49.75, 0, 0.25), (50.0, 1, 50.0), (100.0, 2, math.nan)):
        tables = one([(5, spend)], tables_of)._replace(tiers=(50.0, 100.0), qualifying_days=30)
        row = of_table(programme.TIER, tables, window).loc["a"]
        assert (row["tier"], row["to_next_tier"]) == (tier, pytest.approx(missing, nan_ok=True))


def test_there_is_no_tier_where_the_log_is_shorter_than_its_period(tables: Tables, window: Window) -> None:
    assert programme.tier(tables, window._replace(known_days=200)) is not None
    assert programme.tier(tables, window._replace(known_days=199)) is None
    assert programme.tier(tables._replace(tiers=()), window) is None


def test_the_profile_is_that_of_who_had_joined(others: dict[str, pd.DataFrame], tables: Tables, window: Window) -> None:
    got = of_table(profile.BLOCK, tables, window).to_dict("index")
    rows = {row["customer"]: row for row in others["customers"].to_dict("records")}
    known = {who: row for who, row in rows.items() if not isinstance(row["joined"], date) or row["joined"] < AS_OF}
    assert set(got) == set(known)
    assert 0 < len(known) < len(rows)
    for who, row in known.items():
        joined, born, band = row["joined"], row["birthday"], row["profile_age_band"]
        since = ago(joined) if isinstance(joined, date) else math.nan
        age = ago(born) / 365.25 if isinstance(born, date) and born < AS_OF else math.nan
        assert got[who]["days_since_joined"] == pytest.approx(since, nan_ok=True)
        assert got[who]["age"] == pytest.approx(age, nan_ok=True)
        assert got[who]["profile_age_band"] == band or (pd.isna(got[who]["profile_age_band"]) and pd.isna(band))


def test_a_customer_with_two_rows_has_one_profile(tables_of: Callable[..., Tables], window: Window) -> None:
    customers = pd.DataFrame(
        {
            "customer": ["a", "a"],
            "joined": [AS_OF - timedelta(days=9), AS_OF + timedelta(days=9)],
            "profile_sex": ["f", "m"],
        }
    )
    tables = one([(5, 1.0)], tables_of)._replace(customers=ibis.memtable(customers))
    assert of_table(profile.BLOCK, tables, window).to_dict("index") == {
        "a": {"days_since_joined": 9, "profile_sex": "f"}
    }


@pytest.mark.parametrize("block", build.TABLE_BLOCKS, ids=lambda block: block.name)
def test_a_dataset_without_its_table_has_no_such_block(block: Any, tables: Tables, window: Window) -> None:
    assert block.table(tables, window) is not None
    assert block.table(Tables(tables.days), window) is None


@pytest.mark.parametrize("block", build.BLOCKS, ids=lambda block: block.name)
def test_every_column_is_described_and_null_only_where_it_says_so(block: Block, tables: Tables, window: Window) -> None:
    window = window._replace(known_days=365)
    isolated = isinstance(block, DayBlock)
    frame = of_days(block.name, tables, window) if isolated else of_table(block, tables, window)
    meaning = block.columns(window)
    assert set(frame.columns) - set(profile.attributes(tables)) == set(meaning)
    with_gaps = {name for name in meaning if frame[name].isna().any()}
    assert {name for name in with_gaps if meaning[name].null == "never null"} == set()
    shares = [name for name in meaning if meaning[name].unit == "share"]
    assert frame[shares].stack().dropna().between(0, 1).all()


def test_who_joins_again_later_changes_nothing_of_before(tables: Tables, window: Window) -> None:
    """Of several rows the first is taken whole: no attribute of a later row, and none of two rows mixed."""
    first = {"customer": "a", "joined": AS_OF - timedelta(days=9), "profile_city": "Zwickau", "profile_sex": None}
    later = [
        {"customer": "a", "joined": AS_OF - timedelta(days=2), "profile_city": "Bonn", "profile_sex": "f"},
        {"customer": "a", "joined": AS_OF + timedelta(days=2), "profile_city": "Aachen", "profile_sex": "m"},
    ]
    kinds = {"customer": "string", "joined": "date", "profile_city": "string", "profile_sex": "string"}
    for rows in ([first], [first, later[1]], [later[1], later[0], first]):
        known = ibis.memtable(pd.DataFrame(rows), schema=kinds)
        (row,) = profile.profile(tables._replace(customers=known), window).to_pyarrow().to_pylist()
        assert row == {"customer": "a", "days_since_joined": 9, "profile_city": "Zwickau", "profile_sex": None}


def test_a_threshold_reached_in_cents_is_reached(tables_of: Callable[..., Tables], window: Window) -> None:
    """Ten times ten cents add up to a little less than one in binary."""
    lines = pd.DataFrame({"customer": "a", "day": AS_OF - timedelta(days=1), "order": "1", "amount": [0.1] * 10})
    tables = tables_of(lines)._replace(tiers=(1.0, 2.0), qualifying_days=1)
    (row,) = programme.tier(tables, window._replace(known_days=400)).to_pyarrow().to_pylist()
    assert (row["tier"], row["to_next_tier"]) == (1, pytest.approx(1.0))
