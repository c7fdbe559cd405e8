"""What a log can tell of an effect at best: its posterior mean, by whoever knows how the retailer was drawn.

Rates, regularity and dropout by integration over all that they may be, the mean order by Gamma-Gamma, and what a
contact adds by the share of lines that were bought on promotion. Nothing is learned, and no campaign is looked at. What
is left out says little: the household's size, age, and how soon a customer joined.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from loyalty.models.btyd_features import STEADY, Outlook, expected_spend
from loyalty.sources.simulator import Simulation
from loyalty.sources.simulator.season import Season
from scipy import special, stats

QUANTILES = np.concatenate([np.linspace(0, 0.98, 300, endpoint=False), 1 - np.geomspace(0.02, 1e-7, 101)])
THRIFT = np.linspace(-4, 4, 161)
COUPON, CAUSED_REDEEM = 0.1, 0.8


class Past(NamedTuple):
    """What customers did before a campaign, arrays of shape (customers,) in operational time."""

    orders: Any
    since: Any
    gaps: Any
    log_gaps: Any
    paid: Any
    lines: Any
    promoted: Any


def past(shop: dict[str, pd.DataFrame], settings: Simulation, day: pd.Timestamp, names: pd.Index) -> Past:
    """Receipts before a day."""
    sold = shop["transactions"]
    sold = sold[(sold["time"] < day) & (sold["amount"] > 0) & sold["customer"].isin(names)]
    receipts = sold.groupby(["customer", "receipt"], as_index=False).agg(
        time=("time", "first"), paid=("amount", "sum"), coupon=("coupon_discount", "sum"), lines=("amount", "size"),
        promoted=("discount", lambda off: (off > 0).sum()),
    )  # fmt: skip
    season, begin = Season(settings), pd.Timestamp(settings.start)
    receipts["clock"] = season.clock(((receipts["time"] - begin) / pd.Timedelta(days=1)).to_numpy())
    receipts = receipts.sort_values(["customer", "clock"])
    receipts["gap"] = receipts.groupby("customer")["clock"].diff().clip(lower=1e-4)
    receipts["log_gap"] = np.log(receipts["gap"])
    receipts["paid"] += receipts["coupon"]
    each = receipts.groupby("customer")
    sums = each[["gap", "log_gap", "paid", "lines", "promoted"]].sum().reindex(names, fill_value=0.0)
    now = float(season.clock((day - begin) / pd.Timedelta(days=1)))
    since = (now - each["clock"].max()).reindex(names, fill_value=0.0)
    orders = each.size().reindex(names, fill_value=0)
    return Past(orders.to_numpy(), since.to_numpy(), *(sums[name].to_numpy() for name in sums))


def rates(settings: Simulation, known: Past) -> Any:
    """E[rate of who is still there], shape (customers,): 0 for whoever has surely left."""
    middle, share = (QUANTILES[1:] + QUANTILES[:-1]) / 2, np.diff(QUANTILES)
    rate = stats.gamma.ppf(middle, settings.r) / settings.alpha
    # Members are drawn, who are keener than others.
    keen = (np.log(rate * settings.alpha) - special.psi(settings.r)) / np.sqrt(special.polygamma(1, settings.r))
    prior = np.log(share) + special.log_expit(special.logit(settings.members) + 0.6 * keen)
    repeats = np.maximum(known.orders - 1, 0)[:, None]
    stayed, left = _dropout(settings, repeats)
    there, gone = [], []
    for k in settings.regularity:
        fast = k * rate
        history = repeats * (k * np.log(fast) - special.gammaln(k)) + (k - 1) * known.log_gaps[:, None]
        history = prior + history - fast * known.gaps[:, None]
        silent = special.gammaincc(k, fast * known.since[:, None])
        there.append(history + stayed + np.log(np.maximum(silent, 1e-300)))
        gone.append(history + left)
    alive, dead = np.stack(there, axis=1), np.stack(gone, axis=1)
    top = np.maximum(alive.max(axis=(1, 2)), dead.max(axis=(1, 2)))[:, None, None]
    alive, dead = np.exp(alive - top), np.exp(dead - top)
    return (alive * rate).sum(axis=(1, 2)) / (alive.sum(axis=(1, 2)) + dead.sum(axis=(1, 2)))


def _dropout(settings: Simulation, repeats: Any) -> tuple[Any, Any]:
    """Log-probabilities of having stayed after every repeat purchase, and of having left after the last."""
    if settings.dropout == "none":
        return np.zeros_like(repeats, dtype=float), np.full_like(repeats, -np.inf, dtype=float)
    a, b = settings.a, settings.b
    stayed = special.betaln(a, b + repeats) - special.betaln(a, b)
    left = special.betaln(a + 1, b + np.maximum(repeats - 1, 0)) - special.betaln(a, b)
    return stayed, np.where(repeats > 0, left, -np.inf)


def caused(settings: Simulation, known: Past, strength: float, edges: Any) -> Any:
    """Purchases that a contact adds to a rate of 1, less coupons in purchases; shape (customers,)."""
    promoted = 0.1 + 0.6 * special.expit(THRIFT - 0.4)
    plain = known.lines - known.promoted
    log = stats.norm.logpdf(THRIFT) + np.outer(known.promoted, np.log(promoted)) + np.outer(plain, np.log(1 - promoted))
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    normal, share = np.polynomial.hermite_e.hermegauss(40)
    response = settings.lift + settings.lift_spread * (0.6 * THRIFT[:, None] + 0.8 * normal)
    relative = np.clip(response * strength, -0.9, 3.0)
    added = np.maximum(relative, 0.0)
    lift, dip = np.diff(edges)
    more, fewer, later = (
        each @ (share / share.sum())
        for each in (added, added - relative, np.minimum(settings.pull_forward * added, 0.9))
    )
    redeems = 0.1 + 0.5 * special.expit(THRIFT - 0.4)
    coupons = lift * (1 - fewer) * redeems + lift * more * CAUSED_REDEEM
    return weight @ (lift * (more - fewer) - dip * later - COUPON * coupons)


def effects(shop: dict[str, pd.DataFrame], settings: Simulation, names: pd.Index) -> Any:
    """Posterior means of what the first campaign, a voucher, adds to the spend of customers; money."""
    plan = shop["truth_campaigns"].iloc[0]
    day, season = pd.Timestamp(plan["start"]), Season(settings)
    begins = (day - pd.Timestamp(settings.start)).days + 1
    edges = season.clock(np.minimum(begins + settings.lift_days * np.arange(3.0), settings.days))
    known = past(shop, settings, day, names)
    order = settings.p * (settings.v + known.paid) / (settings.q + settings.p * known.orders - 1)
    return rates(settings, known) * order * caused(settings, known, float(plan["strength"]), edges)


def with_outlook(features: pd.DataFrame, shop: dict[str, pd.DataFrame], days: int) -> pd.DataFrame:
    """Features with what buy-till-you-die models expect of customers at the first campaign, as `gains` has them."""
    day = pd.Timestamp(shop["truth_campaigns"]["start"].iloc[0])
    sold = shop["transactions"]
    sold = sold[(sold["time"] < day) & (sold["amount"] > 0)]
    spent = sold.groupby(["customer", sold["time"].dt.normalize().rename("day")], as_index=False)["amount"].sum()
    each = spent.groupby("customer")
    first, last = each["day"].min(), each["day"].max()
    spent["gap"] = np.log(each["day"].diff() / pd.Timedelta(days=1))
    known = pd.DataFrame({"frequency": each.size() - 1.0, "recency": (last - first) / pd.Timedelta(days=1)})
    known["T"] = (day - first) / pd.Timedelta(days=1)
    known["log_gaps"] = spent.groupby("customer")["gap"].sum()
    known["monetary_value"] = spent[spent["gap"].notna()].groupby("customer")["amount"].mean()
    there = known.loc[known.index.intersection(features.index)]
    said = Outlook.fit(known, there).forecast(there, days)
    joined = features.join(said).join(there["monetary_value"])
    return joined.assign(expected_spend=pd.Series(expected_spend(said, STEADY), said.index)).fillna(
        {"expected_spend": 0.0}
    )
