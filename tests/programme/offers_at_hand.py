"""Candidates for tests: small ones by hand, and large ones at random."""

import numpy as np
import pandas as pd


def candidates(rows, **same):
    """Rows of (customer, rule, effect), worth 1 a unit and free unless said otherwise."""
    frame = pd.DataFrame(rows, columns=["customer", "rule", "effect"])
    usual = {
        "channel": "mail", "segment": "all", "measure": "spend", "design": "randomised", "worth": 1.0,
        "redemption": 0.0, "reward": 0.0, "contact": 0.0,
    }  # fmt: skip
    frame = frame.assign(low=frame["effect"], high=frame["effect"], **usual)
    return frame.assign(**same)


def values(rows, **same):
    """Rows of (customer, rule, value, cost) as they come from `targeting.valued`."""
    frame = pd.DataFrame(rows, columns=["customer", "rule", "value", "cost"])
    usual = {"channel": frame["rule"], "segment": "all", "high": frame["value"]}
    ends = {"value_low": frame["value"] - 1, "value_high": frame["value"] + 1}
    return frame.assign(**usual, **ends).assign(**same)


def at_random(seed, customers=200, rules=3):
    """Values, costs, channels and segments at random; some offers cost more than they bring."""
    random = np.random.default_rng(seed)
    n = customers * rules
    channel = random.integers(0, 3, n)
    rows = {
        "customer": np.repeat([f"c{number:07d}" for number in range(customers)], rules),
        "rule": np.tile([f"rule {number}" for number in range(rules)], customers),
        "value": random.normal(1, 3, n),
        "cost": np.array([0.1, 0.5, 3.0])[channel] + random.gamma(2, 0.5, n),
    }
    channels, segments = np.array(["mail", "post", "call"]), np.array(["A", "B", "C"])
    segment = np.repeat(segments[random.integers(0, 3, customers)], rules)
    return values(pd.DataFrame(rows), channel=channels[channel], segment=segment)
