"""Customers of whom it is known what a contact changes for each."""

import numpy as np
import pandas as pd
from loyalty.sources.simulator import Simulation, simulate_frames


def customers(n, seed, *, effect="lines", treated=0.5, noise=10.0, targeted=False):
    """Features, arm, outcome and true effect of `n` customers."""
    random = np.random.default_rng(seed)
    features = pd.DataFrame(random.normal(size=(n, 6)), columns=[f"x{number}" for number in range(6)])
    features["region"] = pd.Categorical(random.choice(["north", "south", "west"], n))
    features.loc[random.random(n) < 0.1, "x5"] = np.nan
    x = features[["x0", "x1", "x2"]].to_numpy()
    truth = {
        "lines": 2.0 + 3.0 * x[:, 0] - 2.0 * x[:, 1],
        "corner": 8.0 * ((x[:, 0] > 0) & (x[:, 1] > 0)),
        "none": np.full(n, 2.0),
    }[effect]
    chance = 1 / (1 + np.exp(-1.2 * x[:, 2])) if targeted else np.full(n, treated)
    inside = random.random(n) < chance
    outcome = 20 + 8 * x[:, 2] + truth * inside + random.normal(scale=noise, size=n)
    return features, np.where(inside, "mail", "control"), outcome, truth


def settings_of(n, seed, lift=1.0, spread=1.0, **more):
    """Of a simulated retailer with one campaign, which is randomised."""
    return Simulation(
        customers=n, days=420, seed=seed, lift=lift, lift_spread=spread, campaign_every=300, alpha=15.0, **more
    )


def retailer(*how, **more):
    """As `customers`, of a simulated retailer's first campaign: spend in the 42 days after it, in money."""
    return first_campaign(simulate_frames(settings_of(*how, **more)))


def first_campaign(shop):
    """The same, of its tables."""
    day = pd.Timestamp(shop["campaigns"]["start"].iloc[0])
    drawn = shop["contacts"].merge(shop["truth_contacts"].drop(columns=["group"]), on=["campaign", "customer"])
    drawn = drawn[drawn["campaign"] == drawn["campaign"].min()].sort_values("customer").set_index("customer")
    lines = shop["transactions"].assign(paid=lambda frame: frame["amount"] * (frame["amount"] > 0))
    before, after = (
        lines[(lines["time"] >= day + pd.Timedelta(days=first)) & (lines["time"] < day + pd.Timedelta(days=last))]
        for first, last in ((-300, 0), (1, 43))
    )
    recent = before[before["time"] >= day - pd.Timedelta(days=60)].groupby("customer")
    past, features = before.groupby("customer"), pd.DataFrame(index=drawn.index)
    features["orders"], features["recent"] = past["receipt"].nunique(), recent["receipt"].nunique()
    features["spend"], features["coupons"] = past["paid"].sum(), past["coupon_discount"].sum()
    features["off"] = past["discount"].sum() / features["spend"]
    features["since"] = (day - past["time"].max()).dt.days
    features = features.assign(**features[["orders", "recent", "spend", "coupons"]].fillna(0.0))
    outcome = after.groupby("customer")["paid"].sum().reindex(drawn.index, fill_value=0.0)
    arm = np.where(drawn["group"] == "treated", "mail", "control")
    return features, arm, outcome.to_numpy(), drawn["expected_spend"].to_numpy()
