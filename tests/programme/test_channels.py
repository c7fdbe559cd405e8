"""Channels on the same customers: paired, so that who uses one does not decide."""

from datetime import date
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from campaign_world import LINES, offers_of, seen_at, table
from loyalty.programme.channels import contact_channels, purchase_channels
from scipy import stats

AS_OF = date(2020, 4, 1)


def campaign(name: str, channel: str | None) -> dict[str, Any]:
    return {"campaign": name, "start": date(2020, 3, 1), "channel": channel, "contact_cost": 0.25}


def test_only_customers_of_both_channels_are_compared() -> None:
    """Those of one channel alone redeem far more, which must not count."""
    campaigns = [campaign("1", "mail"), campaign("2", "app"), campaign("3", "mail")]
    both, one = [f"b{n}" for n in range(40)], [f"m{n}" for n in range(500)]
    sent = [(who, number) for who in both for number in "123"] + [(who, "1") for who in one]
    random = np.random.default_rng(3)
    used = [(who, number) for who, number in sent if who in one or random.random() < (0.6 if number == "2" else 0.2)]

    def rows(pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
        return [{"customer": who, "campaign": number, "day": date(2020, 3, 1)} for who, number in pairs]

    found = contact_channels(seen_at(AS_OF, offers_of(campaigns, rows(sent), rows(used))))
    row = found.set_index("measure").loc["redemption_rate"]
    app = np.array([(who, "2") in used for who in both], dtype=float)
    mail = np.array([((who, "1") in used) + ((who, "3") in used) for who in both]) / 2
    interval = stats.ttest_rel(app, mail).confidence_interval(0.9)
    assert (row["channel"], row["other"], row["customers"]) == ("app", "mail", 40)
    assert row[["mean", "other_mean"]].to_list() == pytest.approx([app.mean(), mail.mean()])
    assert row[["low", "high"]].to_list() == pytest.approx([interval.low, interval.high])
    assert "open_rate" not in set(found["measure"])  # nothing tells


def test_a_campaign_by_several_channels_at_once_is_of_none() -> None:
    day = date(2020, 3, 1)
    contacts = [{"customer": "a", "campaign": "1", "day": day, "sent_by": channel} for channel in ("app", "mail")]
    assert contact_channels(seen_at(AS_OF, offers_of([campaign("1", None)], contacts, []))).empty


def test_without_channels_there_is_nothing_to_compare() -> None:
    contacts = [{"customer": "a", "campaign": "1", "day": date(2020, 3, 1)}]
    assert contact_channels(seen_at(AS_OF, offers_of([campaign("1", None)], contacts, []))).empty
    log = table(LINES, []).drop("channel")
    assert purchase_channels(log, AS_OF).empty


def test_purchases_in_two_channels(lines: pd.DataFrame) -> None:
    """A loop over the receipts of the small log says the same."""
    found = purchase_channels(ibis.memtable(lines), date(2020, 10, 1))
    known = lines[(lines["day"] < date(2020, 10, 1)) & lines["channel"].notna()]
    receipts = known.groupby(["customer", "channel", "order", "day"])[["amount", "coupon", "discount"]].sum()
    receipts = receipts[receipts["amount"] > 0]
    by = receipts.groupby(["customer", "channel"])
    values = pd.DataFrame(
        {
            "order_value": by["amount"].mean(),
            "coupon_share": (receipts["coupon"] > 0).groupby(["customer", "channel"]).mean(),
            "discount_share": by["discount"].sum() / (by["amount"].sum() + by["discount"].sum()),
        }
    ).unstack("channel")
    assert set(zip(found["channel"], found["other"], strict=True)) == {("till", "web")}
    for row in found.itertuples():
        pairs = values[row.measure].dropna()
        interval = stats.ttest_rel(pairs["till"], pairs["web"]).confidence_interval(0.9)
        assert row.customers == len(pairs)
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
