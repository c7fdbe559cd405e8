"""The allocation on Complete Journey: its households and their spend, to which a known effect is added.

What its own campaigns changed for a household nobody knows, so no allocation can be held against that. Here half of the
households, drawn at random, spend more by 30 % of what they spent in a month before.
"""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from known_effects import learned, of_customers, shares_of_the_oracle
from loyalty.programme.regret import AS_FAR, AT_RANDOM, BY_RISK

pytestmark = pytest.mark.slow
DAYS = 28


def households(days, day):
    """What was known of households at a date, their spend in the next 28 days, and what a contact adds to it."""
    ago = (pd.Timestamp(day) - days["day"]).dt.days
    features = pd.DataFrame(index=pd.Index(sorted(days.loc[ago > 0, "customer"].unique()), name="customer"))
    for length in (28, 84, 180):
        window = days[(ago > 0) & (ago <= length)].groupby("customer")["spend"]
        features[f"spend_{length}"], features[f"days_{length}"] = window.sum(), window.size()
    features = features.fillna(0.0).assign(since=ago[ago > 0].groupby(days["customer"]).min())
    later = days[(ago <= 0) & (ago > -DAYS)].groupby("customer")["spend"].sum()
    return features, later.reindex(features.index, fill_value=0.0).to_numpy(), 0.1 * features["spend_84"].to_numpy()


def test_the_allocation_earns_nine_tenths_of_the_oracles_value(journey):
    days = journey.data.tables.days.select("customer", "day", "spend").to_pandas()
    days = days.assign(day=pd.to_datetime(days["day"]), spend=days["spend"].astype("float64"))
    features, spend, truth = households(days, journey.known_until - timedelta(days=3 * DAYS))
    treated = np.random.default_rng(1).random(len(features)) < 0.5
    arm = np.where(treated, "mail", "control")
    new, _, true = households(days, journey.known_until - timedelta(days=DAYS))
    effects = learned((features, arm, spend + truth * treated, truth), new)
    rows, risk = of_customers(effects, worth=0.3, contact=3.0), new["since"].to_numpy("float64")
    for share in (0.2, 0.4, 0.6):
        earned = shares_of_the_oracle(rows, 0.3 * true - 3.0, share, risk)
        assert earned["allocation"] >= 0.9
        assert earned["allocation"] > max(earned[name] for name in (AS_FAR, AT_RANDOM, BY_RISK)) + 0.2
