"""Which redemptions count for a campaign, and what is told of the others."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from loyalty.prepared import Prepared
from loyalty.programme import campaigns, held_out
from loyalty.programme.responses import responses
from loyalty.settings import load_dataset

LOG = "customer,time,amount\n" + "".join(f"{name},2020-0{m}-10,5\n" for name in "abcde" for m in range(1, 7))
SECTIONS = """
[campaigns]
source = "data/raw/campaigns.csv"
campaign = "id"
start = "first"
end = "last"
[contacts]
source = "data/raw/contacts.csv"
customer = "who"
campaign = "id"
group = "arm"
[redemptions]
source = "data/raw/redemptions.csv"
customer = "who"
time = "at"
campaign = "id"
coupon = "coupon"
[coupons]
source = "data/raw/coupons.csv"
coupon = "coupon"
campaign = "id"
"""
FILES = {
    "campaigns": "id,first,last\nspring,2020-03-01,2020-03-31\nmay,2020-05-01,2020-05-31\n",
    "contacts": "who,id,arm\na,spring,treated\nb,spring,treated\nc,spring,control\na,may,treated\nb,may,treated\n",
    "redemptions": "who,at,id,coupon\na,2020-03-05,spring,S\nb,2020-05-06,may,M\n",
    "coupons": "coupon,id\nS,spring\nM,may\n",
}


@pytest.fixture
def prepare(make_shop: Callable[..., Path], shop_toml: str) -> Callable[..., Prepared]:
    """Return a function that makes the shop with other files, or with more rows in some of them."""

    def make(sections: str = SECTIONS, files: dict[str, str] | None = None, **more: str) -> Prepared:
        root = make_shop(LOG, shop_toml + sections)
        for name, text in (FILES | (files or {})).items():
            (root / "data" / "raw" / f"{name}.csv").write_text(text + more.get(name, ""), "utf-8")
        return Prepared("shop", load_dataset("shop", root), root)

    return make


def findings(data: Prepared) -> dict[str, dict[str, Any]]:
    kinds = ("redemption_", "both_arms", "empty_campaign", "hold_out_no_share")
    told = data.health(date(2020, 6, 20), 20)["findings"]
    return {finding["name"]: finding for finding in told if finding["name"].startswith(kinds)}


def rates(data: Prepared, as_of: date = date(2020, 6, 20)) -> Any:
    assert data.offers is not None
    return campaigns.measures(responses(data.offers, data.tables, as_of, date(2020, 1, 10)), "campaign")


def test_a_sound_file_is_not_told_of(prepare: Callable[..., Prepared]) -> None:
    data = prepare()
    assert findings(data) == {}
    table = rates(data)
    assert table["redemption_rate"].to_list() == [0.5, 0.5]
    assert table["reached"].to_list() == [2, 2]  # who was held out was not reached


@pytest.mark.parametrize(
    ("row", "kind", "says"),
    [
        ("d,2020-03-05,spring,S\n", "redemption_no_contact", "by customers who were not sent the campaign"),
        ("a,2020-04-02,spring,S\n", "redemption_outside_window", "before the contact or outside the campaign's days"),
        ("a,2020-02-29,spring,S\n", "redemption_outside_window", "before the contact or outside the campaign's days"),
        ("a,2020-03-05,spring,X\n", "redemption_unknown_coupon", "of a coupon that belongs to no such campaign"),
        ("a,2020-03-05,spring,M\n", "redemption_unknown_coupon", "of a coupon that belongs to no such campaign"),
        ("c,2020-03-05,spring,S\n", "redemption_held_out", "by customers who were held out"),
    ],
)
def test_a_redemption_that_counts_for_no_campaign(
    prepare: Callable[..., Prepared], row: str, kind: str, says: str
) -> None:
    data = prepare(redemptions=row)
    (told,) = findings(data).values()
    assert (told["name"], told["severity"], told["customers"]) == (kind, "warning", 1)
    assert told["detail"] == f"redemptions: 1 of 3 are {says}, and count for no campaign"
    assert told["sample"][0]["customer"] == row[0]
    table = rates(data)
    assert table["redemptions"].to_list() == [1, 1]
    assert table["redemption_rate"].to_list() == [0.5, 0.5]
    assert table.loc["spring", "left_out"] == 1


def test_a_customer_in_both_arms_is_in_neither(prepare: Callable[..., Prepared]) -> None:
    data = prepare(contacts="d,spring,treated\nd,spring,control\n", redemptions="d,2020-03-05,spring,S\n")
    told = findings(data)
    assert told["both_arms"]["detail"] == (
        "contacts: 1 of 6 customers of a campaign were both treated and held out, and are left out of both"
    )
    assert told["redemption_both_arms"]["customers"] == 1
    assert rates(data).loc["spring", "reached"] == 2
    assert {row["customer"] for row in data.tables.contacts.to_pyarrow().to_pylist()} == {"a", "b"}


def test_a_campaign_that_nobody_received(prepare: Callable[..., Prepared]) -> None:
    data = prepare(campaigns="june,2020-06-01,2020-06-30\n")
    assert findings(data)["empty_campaign"]["detail"] == "campaigns: nobody received 1 of 3: june"
    row = rates(data).loc["june"]
    assert (row["reached"], row["customers"]) == (0, 0)
    assert row[["redemption_rate", "redemption_rate_low", "contact_cost"]].isna().all()


def test_a_planned_hold_out_that_is_no_share_is_told_and_not_held_against_the_arms(
    prepare: Callable[..., Prepared],
) -> None:
    sections = SECTIONS.replace('end = "last"', 'end = "last"\nhold_out = "kept"')
    rows = "id,first,last,kept\nspring,2020-03-01,2020-03-31,{}\nmay,2020-05-01,2020-05-31,\n"
    wrong = prepare(sections, {"campaigns": rows.format(33)})
    told = findings(wrong)["hold_out_no_share"]
    assert told["severity"] == "warning"
    assert told["detail"] == "campaigns: hold_out is no share between 0 and 1 in 1: spring"
    right = prepare(sections, {"campaigns": rows.format(0.33)})
    assert findings(right) == {}
    for data, planned in ((wrong, None), (right, 0.33)):
        assert data.offers is not None
        found = held_out.campaigns(data.offers, date(2020, 6, 20)).loc["spring", "planned"]
        assert found == planned if planned else pd.isna(found)


def test_what_happens_later_is_not_known(prepare: Callable[..., Prepared]) -> None:
    """A second arm, a campaign and a redemption of the as-of date change nothing before it."""
    as_of = date(2020, 5, 6)
    sections = SECTIONS.replace('group = "arm"', 'group = "arm"\ntime = "on"')
    dated = "who,id,arm,on\na,spring,treated,2020-03-01\nb,spring,treated,2020-03-01\na,may,treated,2020-05-01\n"
    before = rates(prepare(sections, {"contacts": dated}), as_of)
    after = rates(
        prepare(
            sections,
            {"contacts": dated},
            contacts="a,spring,control,2020-05-06\nb,may,treated,2020-05-06\n",
            redemptions="a,2020-05-06,may,M\n",
            campaigns="june,2020-05-06,2020-06-30\n",
        ),
        as_of,
    )
    assert before.equals(after)
    assert before.loc["may", "redemptions"] == 0


@pytest.mark.parametrize(
    ("row", "campaign"),
    [("a,2020-05-05", "may"), ("a,2020-03-31", "spring"), ("a,2020-04-15", None), ("c,2020-03-05", None)],
)
def test_a_redemption_without_a_campaign_is_of_the_latest_that_still_ran(
    prepare: Callable[..., Prepared], row: str, campaign: str | None
) -> None:
    sections = SECTIONS.split("[redemptions]")[0]
    sections += '[redemptions]\nsource = "data/raw/plain.csv"\ncustomer = "who"\ntime = "at"\n'
    counted = rates(prepare(sections, {"plain": f"who,at\n{row}\n{row}\n"}))["redemptions"]
    expected = {name: 2 if name == campaign else 0 for name in ("spring", "may")}
    assert counted.to_dict() == expected
