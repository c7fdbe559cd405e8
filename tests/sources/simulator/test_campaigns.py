"""Campaigns: what is told of their effect is the effect that they had."""

import numpy as np
import pandas as pd
import pytest
from loyalty.sources.simulator import Simulation, simulate_frames
from loyalty.sources.simulator.settings import Simulation as Settings

LIFT_AND_DIP = 2 * Settings().lift_days


def orders_after(shop, campaign, days=LIFT_AND_DIP):
    """Orders of each customer in the lift and the dip of a campaign, counted in the log."""
    lines = shop["transactions"]
    start = pd.Timestamp(shop["campaigns"].set_index("campaign")["start"][campaign]) + pd.Timedelta(days=1)
    inside = (lines["time"] >= start) & (lines["time"] < start + pd.Timedelta(days=days)) & (lines["amount"] > 0)
    counts = lines[inside].groupby("customer")["receipt"].nunique()
    return counts.reindex(shop["truth_customers"]["customer"], fill_value=0)


def randomised(shop):
    return shop["truth_campaigns"].query("design == 'randomised'").set_index("campaign")


def test_the_share_held_out_is_the_one_asked_for(shop):
    """Within four standard deviations of a binomial."""
    table = randomised(shop)
    drawn = table["treated"] + table["held_out"]
    assert (drawn > 500).all()
    assert ((table["held_out"] - 0.2 * drawn).abs() < 4 * np.sqrt(0.2 * 0.8 * drawn)).all()
    assert (shop["truth_campaigns"].query("design == 'targeted'")["held_out"] == 0).all()


def test_randomised_differences_find_the_true_effect(shop):
    """Treated less held out, each campaign for itself and all together."""
    misses = []
    for campaign, truth in randomised(shop).iterrows():
        after = orders_after(shop, campaign)
        group = shop["contacts"].query("campaign == @campaign").set_index("customer")["group"]
        treated, held_out = (after[group.index[group == name]] for name in ("treated", "held out"))
        difference = treated.mean() - held_out.mean()
        error = np.sqrt(treated.var() / len(treated) + held_out.var() / len(held_out))
        misses.append((difference - truth["expected_orders"]) / error)
    assert np.abs(misses).max() < 3.5
    assert abs(np.mean(misses)) < 3 / np.sqrt(len(misses))


def test_targeted_campaigns_look_better_than_they_are(shop):
    """Against everyone who was not contacted, who bought less before too."""
    truth = shop["truth_campaigns"].query("design == 'targeted'").iloc[2]
    after = orders_after(shop, truth["campaign"])
    contacted = shop["contacts"].query("campaign == @truth.campaign")["customer"]
    joined = shop["customers"].dropna(subset="joined")
    known = joined.loc[pd.to_datetime(joined["joined"]) < pd.Timestamp(truth["start"]), "customer"]
    naive = after[contacted].mean() - after[known[~known.isin(contacted)]].mean()
    assert naive > 3 * truth["expected_orders"]


def test_every_order_is_caused_prevented_or_neither(shop):
    truth, contacts = shop["truth_customers"].set_index("customer"), shop["truth_contacts"]
    change = contacts.groupby("customer")["orders"].sum().reindex(truth.index, fill_value=0)
    assert (truth["orders"] - truth["orders_without_campaigns"] == change).all()
    lines = shop["transactions"].query("amount > 0")
    assert (lines.groupby("customer")["receipt"].nunique() == truth["orders"]).all()


def test_effects_differ_and_some_are_negative(shop):
    contacts = shop["truth_contacts"]
    assert 0.1 < (contacts["effect"] < 0).mean() < 0.4
    assert (contacts.loc[contacts["group"] == "held out", ["orders", "spend"]] == 0).all(axis=None)
    error = (contacts["orders"] - contacts["expected_orders"])[contacts["group"] == "treated"]
    assert abs(error.mean()) < 3.5 * error.std() / np.sqrt(len(error))
    money = (contacts["spend"] - contacts["expected_spend"])[contacts["group"] == "treated"]
    assert abs(money.mean()) < 3.5 * money.std() / np.sqrt(len(money))


def test_the_dip_takes_back_what_the_lift_pulled_forward():
    settings = Simulation(
        customers=10_000, days=300, lift=1.0, lift_spread=0, pull_forward=0.6, dropout="none", season=0
    )
    shop = simulate_frames(settings)
    group = shop["contacts"].query("campaign == 1").set_index("customer")["group"]

    def difference(first, last):
        after = orders_after(shop, 1, last) - orders_after(shop, 1, first)
        return after[group.index[group == "treated"]].mean() / after[group.index[group == "held out"]].mean() - 1

    strength = shop["truth_campaigns"]["strength"][0]
    assert difference(0, 21) == pytest.approx(strength, abs=0.15)
    assert difference(21, 42) == pytest.approx(-0.6 * strength, abs=0.1)
    assert difference(42, 58) == pytest.approx(0, abs=0.12)


def test_without_campaigns_the_same_customers_buy_as_they_would_have(shop):
    alone = simulate_frames(Simulation(customers=10_000, days=600, seed=11, campaign_every=0))
    with_them = shop["truth_customers"]["orders_without_campaigns"]
    pd.testing.assert_series_equal(alone["truth_customers"]["orders"], with_them, check_names=False)
    assert "contacts" not in alone


def test_only_those_who_agreed_are_contacted(shop):
    consent = shop["consent"].query("purpose == 'contact'").sort_values("time")
    contacts = shop["contacts"].sort_values("time")
    latest = pd.merge_asof(contacts, consent, on="time", by="customer")
    assert latest["granted"].eq(True).mean() > 0.999  # who withdraws in the morning may have been written to at noon
    assert consent["granted"].eq(False).any()


def test_coupons_are_handed_in_by_those_treated_with_a_voucher(shop):
    redeemed = shop["redemptions"].merge(
        shop["contacts"], on=["customer", "campaign"], how="left", suffixes=("", "_sent")
    )
    redeemed = redeemed.merge(shop["campaigns"], on="campaign")
    assert (redeemed["group"] == "treated").all()
    assert (redeemed["kind"] == "voucher").all()
    assert (redeemed["time"] > redeemed["time_sent"]).all()
    lines = shop["transactions"].groupby("receipt")[["amount", "coupon_discount"]].sum()
    paid = lines.loc[redeemed["receipt"]]
    np.testing.assert_allclose(paid["coupon_discount"], redeemed["discount"], atol=1e-9)
    np.testing.assert_allclose(paid["coupon_discount"], 0.1 * paid.sum(axis=1), atol=0.0051)
