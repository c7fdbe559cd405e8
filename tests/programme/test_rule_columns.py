"""Columns of conditions: documented, and what pandas and loops make of the same log."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.action_rules import Actions, OnOffer
from loyalty.features import rfm
from loyalty.features.columns import Tables
from loyalty.points_rules import PointsRules
from loyalty.programme import default_rules, rule_columns
from loyalty.programme.moments import moments
from loyalty.programme.rule_columns import COLUMNS, KINDS
from loyalty.programme.rule_values import days_to_next, values
from loyalty.programme.rules import candidates, reach, rule_set
from loyalty.programme.states import STATES
from loyalty.schema import Programme, Tier

AS_OF = date(2020, 9, 16)
DOCUMENT = Path(__file__).parents[2] / "docs" / "rules.md"
PROGRAMME = Programme(
    tiers=(Tier(name="Silver", spend=20), Tier(name="Gold", spend=60)),
    qualifying_days=200,
    points=PointsRules(expiry_days=100),
)
OFFERS = (
    OnOffer(category="fruit", starts=date(2020, 9, 1), ends=AS_OF),
    OnOffer(category="bread", starts=date(2020, 9, 17), ends=date(2020, 9, 30)),
)


@pytest.fixture(scope="module")
def tables(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> Tables:
    """A log with returns, and the tables beside it; some rows lie at the date or after it."""
    points = pd.DataFrame(
        [("a", 10, 50), ("a", 90, 30), ("a", 80, -20), ("b", 101, 40), ("c", 0, 70)],
        columns=["customer", "ago", "points"],
    )
    contacts = pd.DataFrame([("a", 5), ("a", 40), ("b", 0), ("c", -3)], columns=["customer", "ago"])
    for table in (points, contacts):
        table["day"] = [AS_OF - timedelta(days=ago) for ago in table.pop("ago")]
    people = pd.DataFrame({"customer": ["a", "b", "leap"], "birthday": [date(1980, 9, 16), None, date(1996, 2, 29)]})
    return tables_of(lines, points=points, contacts=contacts.assign(campaign="spring"), customers=people)


SCORES = pd.DataFrame(
    {
        "customer": ["a", "b", "c", "d"],
        "churn_probability": [0.1, 0.9, np.nan, 0.6],
        "expected_spend": [5.0, 0.5, 1.0, 2.0],
        "clv": [9.0, 1.0, 1.0, 4.0],
    }
)


@pytest.fixture(scope="module")
def known(tables: Tables) -> pd.DataFrame:
    """Everything that rules can know, index customer."""
    table = values(tables, AS_OF, programme=PROGRAMME, offers=OFFERS, scores=SCORES)
    return table.to_pandas().set_index("customer").sort_index()


@pytest.fixture(scope="module")
def past(lines: pd.DataFrame) -> pd.DataFrame:
    """Net spend of each customer and day before the date."""
    before = lines[lines["day"] < AS_OF]
    return before.groupby(["customer", "day"])["amount"].sum().reset_index()


def test_the_document_holds_the_tables_that_the_code_makes() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert rule_columns.text() in text
    assert default_rules.text() in text
    for name, state in STATES.items():
        assert f"| {name} | {state.meaning} | {state.change} | {'; '.join(state.actions)} |" in text


def test_segments_are_those_of_the_features() -> None:
    assert tuple(rfm.SEGMENTS) == rule_columns.SEGMENTS


def test_a_dataset_that_has_everything_has_every_column_in_the_type_of_its_kind(tables: Tables) -> None:
    table = values(tables, AS_OF, programme=PROGRAMME, offers=OFFERS, scores=SCORES)
    assert list(table.columns) == ["customer", *COLUMNS]
    types = {"number": "float64", "text": "string", "truth": "boolean", "date": "date"}
    assert {name: str(table.schema()[name]) for name in COLUMNS} == {
        name: types[column.kind] for name, column in COLUMNS.items()
    }
    assert set(KINDS) == set(COLUMNS)


def test_a_log_alone_has_the_columns_that_need_no_more(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> None:
    tables = tables_of(lines[["customer", "day", "order", "amount"]])
    needed = [name for name, column in COLUMNS.items() if column.needs == "transactions"]
    assert list(values(tables, AS_OF).columns) == ["customer", *needed]


def test_everyone_who_bought_has_one_row_and_is_known_where_that_is_promised(
    known: pd.DataFrame, past: pd.DataFrame
) -> None:
    assert known.index.is_unique
    assert set(known.index) == set(past.loc[past["amount"] > 0, "customer"])
    promised = [name for name, column in COLUMNS.items() if column.unknown == "nobody"]
    assert known[promised].notna().all().all()
    for name, column in COLUMNS.items():
        if column.values:
            assert set(known[name].dropna()) <= set(column.values)


def test_days_and_money_are_those_of_pandas(known: pd.DataFrame, past: pd.DataFrame) -> None:
    bought = past[past["amount"] > 0].groupby("customer")["day"].agg(["count", "min", "max"])
    net = past[past["amount"] != 0].groupby("customer")["amount"].sum().reindex(bought.index)
    assert known["purchase_days"].to_dict() == bought["count"].to_dict()
    assert known["days_since_last"].to_dict() == {who: (AS_OF - day).days for who, day in bought["max"].items()}
    assert known["tenure_days"].to_dict() == {who: (AS_OF - day).days for who, day in bought["min"].items()}
    assert known["spend"].to_dict() == pytest.approx(net.to_dict())  # the log is younger than a year
    assert known["usual_order"].to_dict() == pytest.approx((net / bought["count"]).clip(lower=0).to_dict())
    ranks = {who: (net < money).sum() / (len(net) - 1) for who, money in net.items()}
    assert known["spend_rank"].to_dict() == pytest.approx(ranks)


def test_the_rhythm_and_the_state_are_those_of_moments(known: pd.DataFrame, tables: Tables) -> None:
    told = moments(tables, AS_OF).to_pandas().set_index("customer").sort_index()
    pd.testing.assert_frame_equal(
        known[["usual_gap", "overdue", "state"]], told[["usual_gap", "overdue", "state"]], check_dtype=False
    )


def test_the_tier_is_that_of_the_spend_in_the_qualifying_days(known: pd.DataFrame, past: pd.DataFrame) -> None:
    since = AS_OF - timedelta(days=200)
    worth = past[past["day"] >= since].groupby("customer")["amount"].sum().reindex(known.index).fillna(0)
    level = (worth >= 20).astype(int) + (worth >= 60)
    assert known["tier_level"].to_dict() == level.to_dict()
    assert known["tier"].to_dict() == level.map({0: "none", 1: "Silver", 2: "Gold"}).to_dict()
    missing = (level.map({0: 20.0, 1: 60.0}) - worth).dropna()
    assert known["to_next_tier"].dropna().to_dict() == pytest.approx(missing.to_dict())
    assert level.nunique() > 1


def test_points_that_end_within_thirty_days_are_counted_the_oldest_spent_first(known: pd.DataFrame) -> None:
    balance, ending, until = (known[name] for name in ("points_balance", "points_expiring", "days_to_expiry"))
    # a: of 30 earned 90 days ago 20 were spent 80 days ago; 50 of 10 days ago end later.
    assert (balance["a"], ending["a"], until["a"]) == (60, 10, 11)
    # b: 40 earned 101 days ago lasted 100 days, and are gone; the table does not say so, but the rules do.
    assert (balance["b"], ending["b"]) == (0, 0)
    assert np.isnan(until["b"])
    # c earns them on the date itself, which is not known yet.
    assert (balance["c"], ending["c"]) == (0, 0)


def test_the_favourite_category_is_the_one_most_was_paid_for(known: pd.DataFrame, lines: pd.DataFrame) -> None:
    paid = lines[(lines["day"] < AS_OF) & (lines["amount"] > 0) & lines["category"].notna()]
    sums = paid.groupby(["customer", "category"])["amount"].sum().reset_index()
    first = sums.sort_values(["customer", "amount", "category"], ascending=[True, False, True])
    favourite = first.groupby("customer")["category"].first()
    told = known["favourite_category"].dropna()
    assert told.to_dict() == favourite.reindex(told.index).to_dict()
    assert set(known.index) - set(told.index) == set(known.index) - set(favourite.index)
    # Fruit is on offer up to and with the date, bread from the day after.
    assert known["favourite_on_offer"].dropna().to_dict() == (favourite == "fruit").reindex(told.index).to_dict()


def test_the_last_channel_is_that_of_the_last_line_that_has_one(known: pd.DataFrame, lines: pd.DataFrame) -> None:
    paid = lines[(lines["day"] < AS_OF) & (lines["amount"] > 0) & lines["channel"].notna()]
    last = paid.sort_values(["day", "channel"], ascending=[False, True]).groupby("customer")["channel"].first()
    assert known["last_channel"].dropna().to_dict() == last.reindex(known.index).dropna().to_dict()


def test_contacts_birthdays_and_scores_are_as_known_before_the_date(known: pd.DataFrame) -> None:
    assert known["days_since_contact"].dropna().to_dict() == {"a": 5}
    assert known["days_to_birthday"].dropna().to_dict() == {"a": 0, "leap": (date(2021, 2, 28) - AS_OF).days}
    assert known["churn_probability"].dropna().to_dict() == {"a": 0.1, "b": 0.9, "d": 0.6}
    assert known["clv_rank"].dropna().to_dict() == pytest.approx({"a": 1.0, "b": 0.0, "c": 0.0, "d": 2 / 3})


@settings(max_examples=20)
@given(st.lists(st.dates(date(1950, 1, 1), date(2024, 12, 31)), min_size=1, max_size=20), st.dates(date(2025, 1, 1)))
def test_the_next_return_of_a_day_is_that_of_a_loop_over_days(born: list[date], as_of: date) -> None:
    as_of = min(as_of, date(2090, 1, 1))
    table = ibis.memtable(pd.DataFrame({"place": range(len(born)), "day": born}))
    told = table.select("place", days=days_to_next(table.day, as_of)).order_by("place").to_pandas()["days"]

    def by_loop(day: date) -> int:
        for ahead in range(367):
            coming = as_of + timedelta(days=ahead)
            leap = (day.month, day.day) == (2, 29) and (coming + timedelta(days=1)).month == 3
            if (coming.month, coming.day) == (day.month, day.day) or (leap and coming.month == 2):
                return ahead
        raise AssertionError(day)

    assert told.tolist() == [by_loop(day) for day in born]


def test_whoever_may_have_bought_before_the_log_has_no_anniversary(lines: pd.DataFrame, known: pd.DataFrame) -> None:
    seen = pd.to_datetime(known["first_purchase"]) - pd.Timestamp(lines["day"].min()) >= pd.Timedelta(days=90)
    assert (known["days_to_anniversary"].notna() == seen).all()
    assert 0 < seen.sum() < len(seen)


def test_what_happens_from_the_date_on_changes_nothing(
    lines: pd.DataFrame, tables: Tables, tables_of: Callable[..., Tables], known: pd.DataFrame
) -> None:
    def past_of(table: Any) -> pd.DataFrame:
        frame = table.to_pandas().assign(day=lambda rows: pd.to_datetime(rows["day"]).dt.date)
        return frame[frame["day"] < AS_OF]

    early = tables_of(
        lines[lines["day"] < AS_OF],
        points=past_of(tables.points),
        contacts=past_of(tables.contacts),
        customers=tables.customers.to_pandas(),  # type: ignore[union-attr]
    )
    table = values(early, AS_OF, programme=PROGRAMME, offers=OFFERS, scores=SCORES)
    pd.testing.assert_frame_equal(table.to_pandas().set_index("customer").sort_index(), known)


def test_all_default_rules_apply_where_a_dataset_has_everything(tables: Tables, known: pd.DataFrame) -> None:
    table = values(tables, AS_OF, programme=PROGRAMME, offers=OFFERS, scores=SCORES)
    chosen = rule_set(Actions(), table, AS_OF)
    assert chosen.left_out == ()
    counted = reach(candidates(table, chosen.rules), chosen.rules)["customers"]
    rhythm = (known["state"] == "slipping") & (known["overdue"] > 2)
    by_hand = {
        "call": (known["spend_rank"] >= 0.9) & (known["churn_probability"] >= 0.5),
        "points expire": known["points_expiring"] > 0,
        "nearly the next tier": known["to_next_tier"] <= known["usual_order"],
        "second purchase": known["state"] == "awaiting second purchase",
        "birthday": known["days_to_birthday"] <= 7,
        "anniversary": (known["days_to_anniversary"] <= 7) & (known["days_since_last"] < 365),
        "favourite on offer": known["favourite_on_offer"].fillna(False).astype(bool),
        "overdue": rhythm,
        "wake-up": known["days_since_last"].between(90, 365) & (known["state"] != "lost"),
    }
    assert counted.to_dict() == {name: int(who.sum()) for name, who in by_hand.items()}
    assert counted.sum() > 0
