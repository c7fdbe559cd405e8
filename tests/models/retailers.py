"""Small retailers of whom the truth is known, as a champion sees them: features, histories and outcomes of dates."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from loyalty.models.backtest import Origin

START = date(2022, 1, 1)
ACTIVE_WITHIN = 120


@dataclass(frozen=True)
class Retailer:
    """Purchase days of customers who buy at random and leave after some purchases (BG/NBD), and what they spend.

    Attributes
    ----------
    log : customer, day (from the start), spend.
    home : customer → town.
    """

    log: pd.DataFrame
    home: pd.Series


def retailer(customers: int = 1500, days: int = 720, season: float = 0.0, seed: int = 3) -> Retailer:
    """Simulate one; with a season of 1, customers buy three times as much in the last quarter of a year as else."""
    rng = np.random.default_rng(seed)
    pace = rng.gamma(1.2, 1 / 30, customers)
    leaving, usual = rng.beta(1, 8, customers), rng.gamma(5, 6, customers)
    busy = 1 + 2 * season * (np.arange(days) % 364 >= 273)
    clock = np.concatenate([[0.0], np.cumsum(busy)])
    rows = []
    for customer in range(customers):
        now = rng.uniform(0, clock[-1] / 2)
        while True:
            day = int(np.searchsorted(clock, now, side="right")) - 1
            if day >= days:
                break
            rows.append((customer, day, usual[customer] * rng.gamma(6, 1 / 6)))
            if rng.random() < leaving[customer]:
                break
            now += rng.exponential(1 / pace[customer])
    log = pd.DataFrame(rows, columns=["customer", "day", "spend"])
    log = log.groupby(["customer", "day"], as_index=False)["spend"].sum()
    return Retailer(log, pd.Series(np.where(pace > np.median(pace), "north", "south")))


def origin(shop: Retailer, day: int, horizon_days: int = 60, *, last: int = 720, year: bool = True) -> Origin:
    """What was known at a day, and what came after it, if that is over by the last day of the log."""
    known = shop.log[shop.log["day"] < day]
    seen = known.groupby("customer")
    first, latest, count = seen["day"].min(), seen["day"].max(), seen.size()
    later = known[known["day"] > known["customer"].map(first)]
    lived = pd.DataFrame(
        {
            "frequency": (count - 1).astype("float64"),
            "recency": (latest - first).astype("float64"),
            "T": (day - first).astype("float64"),
            "monetary_value": later.groupby("customer")["spend"].mean().reindex(count.index),
        }
    )
    active = lived[day - latest <= ACTIVE_WITHIN]
    features = active.assign(days_since_last=(day - latest)[active.index].astype("float64"))
    for length in (30, 60):
        window = known[known["day"] >= day - length].groupby("customer")
        features[f"purchase_days_{length}"] = window.size().reindex(active.index, fill_value=0).astype("float64")
        features[f"spend_{length}"] = window["spend"].sum().reindex(active.index, fill_value=0.0)
    features["profile_home"] = shop.home[active.index].astype("category").to_numpy()
    coming = shop.log[(shop.log["day"] >= day) & (shop.log["day"] < day + horizon_days)].groupby("customer")
    amounts = pd.DataFrame(
        {
            "purchases": coming.size().reindex(active.index, fill_value=0).astype("float64"),
            "spend": coming["spend"].sum().reindex(active.index, fill_value=0.0),
        }
    )
    over = day + horizon_days <= last
    before = origin(shop, day - 364, horizon_days, last=last, year=False) if year and day - 364 > 90 else None
    return Origin(
        features,
        lived[["frequency", "recency", "T"]],
        (amounts["purchases"] == 0).rename("churned") if over else None,
        amounts if over else None,
        START + timedelta(days=day),
        before,
    )
