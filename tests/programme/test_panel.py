"""Weeks are counted from the campaign, nothing that happened later is in the path, and the sample is bounded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.features.columns import Tables
from loyalty.programme.matching import path
from loyalty.programme.panel import NEVER, Panel, Plan, by_kind, day_of, panel

UNTIL = date(2020, 12, 21)
PLAN = Plan(matched=4, tested=2, least_tested=1, during=1, after=1)


@pytest.fixture(scope="module")
def contacts() -> pd.DataFrame:
    june, august = date(2020, 6, 1), date(2020, 8, 1)
    rows = [("a", june, "x"), ("a", date(2020, 6, 3), "x"), ("b", june, "x"), ("b", august, "y")]
    rows += [("stranger", june, "x"), ("c", date(2021, 1, 1), "y")]
    return pd.DataFrame(rows, columns=["customer", "day", "campaign"])


@pytest.fixture(scope="module")
def small(lines: pd.DataFrame, contacts: pd.DataFrame, tables_of: Callable[..., Tables]) -> Panel:
    joined = pd.DataFrame({"customer": ["a", "b"], "joined": [date(2020, 5, 1), None]})
    redemptions = pd.DataFrame({"customer": ["a"], "day": [date(2020, 5, 28)]})
    return panel(tables_of(lines, contacts=contacts, customers=joined, redemptions=redemptions), UNTIL)


def test_weekly_sums_are_those_of_the_lines(small: Panel, lines: pd.DataFrame) -> None:
    anchor = 100
    start = small.first_day + timedelta(days=anchor)
    daily = lines.groupby(["customer", "day"])["amount"].sum()
    ids = sorted(daily[daily > 0].reset_index()["customer"].unique())
    weeks = small.weekly(small.spend, anchor, 3, 2)
    bought = small.weekly(small.purchases, anchor, 3, 2)
    for row, customer in enumerate(ids):
        own = daily[customer]
        for at, week in enumerate(range(-3, 2)):
            inside = own[[0 <= (day - start).days - 7 * week < 7 for day in own.index]]
            assert weeks[row, at] == pytest.approx(inside.sum())
            assert bought[row, at] == (inside > 0).sum()
    assert small.customers == len(ids)


def test_first_contact_of_known_customers_before_the_end(small: Panel) -> None:
    assert small.campaigns == ("x", "y")
    assert [day_of(small, int(day)) for day in small.contacts.day] == [date(2020, 6, 1)] * 2 + [date(2020, 8, 1)]
    assert small.contacts.row.tolist() == [0, 1, 1]


def test_joining_and_coupons_are_dated(small: Panel) -> None:
    assert small.joined is not None
    assert day_of(small, int(small.joined[0])) == date(2020, 5, 1)
    assert (small.joined[1:] == NEVER).all()
    assert small.redemptions is not None
    assert [day_of(small, int(day)) for day in small.redemptions.day] == [date(2020, 5, 28)]


def test_the_path_knows_nothing_of_the_campaign_or_later(
    lines: pd.DataFrame, contacts: pd.DataFrame, tables_of: Callable[..., Tables], small: Panel
) -> None:
    anchor = 150
    cut = small.first_day + timedelta(days=anchor)
    early = panel(
        tables_of(lines[lines["day"] < cut], contacts=contacts[contacts["day"] < cut]),
        UNTIL,
    )
    whole = replace(small, redemptions=None)
    known = small.since < anchor
    np.testing.assert_allclose(path(whole, anchor, PLAN)[0][known], path(early, anchor, PLAN)[0])


def test_the_path_knows_nothing_of_the_weeks_that_test_it(small: Panel) -> None:
    anchor = 150
    early = small.spend.day < anchor - 7 * PLAN.matched
    doubled = replace(small.spend, value=np.where(early, 2 * small.spend.value, small.spend.value))
    np.testing.assert_array_equal(path(small, anchor, PLAN)[0], path(replace(small, spend=doubled), anchor, PLAN)[0])


def test_a_sample_is_bounded_and_said(
    lines: pd.DataFrame, contacts: pd.DataFrame, tables_of: Callable[..., Tables], small: Panel
) -> None:
    fewer = panel(tables_of(lines, contacts=contacts), UNTIL, most=5)
    assert fewer.customers == 5
    assert fewer.sampled
    assert not small.sampled


def test_without_contacts_it_is_refused(lines: pd.DataFrame, tables_of: Callable[..., Tables]) -> None:
    with pytest.raises(DataError, match=r"name them under \[contacts\]"):
        panel(tables_of(lines), UNTIL)


def test_before_the_log_it_is_refused(
    lines: pd.DataFrame, contacts: pd.DataFrame, tables_of: Callable[..., Tables]
) -> None:
    with pytest.raises(DataError, match="no purchase before 2019-01-01"):
        panel(tables_of(lines, contacts=contacts), date(2019, 1, 1))


def test_campaigns_by_kind(small: Panel) -> None:
    assert by_kind(small, {"x": "mail", "z": "app"}) == {"app": (), "mail": ("x",)}


@pytest.mark.parametrize(("weeks", "matched"), [(60, 26), (34, 26), (30, 22), (21, 13), (17, 13), (5, 13)])
def test_as_many_weeks_are_matched_as_the_log_allows(weeks: int, matched: int) -> None:
    assert Plan().fitting(weeks).matched == matched
