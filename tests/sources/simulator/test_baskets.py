"""Lines of receipts: sums, products and returns."""

import numpy as np


def test_a_receipt_has_each_product_once_and_one_customer(shop):
    lines = shop["transactions"]
    assert not lines.duplicated(["receipt", "product"]).any()
    each = lines.groupby("receipt")[["customer", "time", "channel"]].nunique()
    assert (each == 1).all(axis=None)


def test_nobody_brings_back_what_was_not_bought(shop):
    """Each return is a line bought before, at the price paid, and no line comes back twice."""
    lines = shop["transactions"]
    back, bought = lines.query("amount < 0"), lines.query("amount > 0")
    assert 0.02 < len(back) / len(bought) < 0.04
    keys = ["customer", "product", "cents"]
    bought = bought.assign(cents=(bought["amount"] * 100).round())
    back = back.assign(cents=(-back["amount"] * 100).round())
    assert (back.groupby(keys).size() <= bought.groupby(keys).size().reindex(back.groupby(keys).size().index)).all()
    pairs = back.merge(bought, on=keys, suffixes=("", "_bought"))
    pairs = pairs[pairs["time"] > pairs["time_bought"]]
    assert set(pairs["receipt"]) == set(back["receipt"])
    running = lines.sort_values("time", kind="stable").groupby(["customer", "product"])["amount"].cumsum()
    assert running.min() > -1e-6


def test_orders_are_worth_what_the_truth_says(shop):
    """Mean value before coupons over the customer's own mean: 1 on average."""
    lines = shop["transactions"].query("amount > 0")
    value = (
        lines.assign(value=lines["amount"] + lines["coupon_discount"]).groupby(["customer", "receipt"])["value"].sum()
    )
    ratio = value / shop["truth_customers"].set_index("customer")["mean_order"].reindex(value.index, level="customer")
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(ratio))
    assert abs(ratio.std() - 0.5) < 0.02  # of a gamma of shape 4


def test_thrifty_customers_buy_on_promotion(shop):
    lines = shop["transactions"].query("amount > 0")
    share = lines["discount"].gt(0).groupby(lines["customer"]).mean()
    truth = shop["truth_customers"].set_index("customer")
    often = truth["orders"] > 15
    assert np.corrcoef(share[often], truth.loc[often, "price_sensitivity"])[0, 1] > 0.7


def test_stores_belong_to_the_store_and_hours_to_the_day(shop):
    lines = shop["transactions"]
    assert lines["store"].notna().eq(lines["channel"] == "store").all()
    hour = lines["time"].dt.hour
    assert hour[lines["channel"] == "store"].between(8, 19).all()
    assert hour.between(6, 23).all()  # clocks change between 2 and 3
    truth = shop["truth_customers"].set_index("customer")
    several = lines.groupby("customer")["channel"].nunique().gt(1)
    assert not several[~truth["omnichannel"]].any()
    assert several[truth["omnichannel"] & (truth["orders"] > 15)].mean() > 0.9
