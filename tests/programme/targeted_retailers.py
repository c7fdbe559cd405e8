"""Small retailers who choose recent buyers for their campaigns; what the campaigns changed is known.

Purchases by week are Poisson at a rate of the customer's own until the customer leaves, as in the simulator. A campaign
adds to it for `LIFT_WEEKS` weeks; as long again it takes a part of that back.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from loyalty.programme.panel import Contacts, Events, Panel
from numpy.typing import NDArray
from scipy.special import expit

LIFT_WEEKS = 3
WINDOW = 8
"""Weeks of an effect."""
PULLED_FORWARD = 0.3
GIVEN = 0.3
"""Share of the sales of those weeks that would have come without the campaign, for which a coupon is handed in."""


@dataclass(frozen=True)
class World:
    """A retailer, and what each campaign changed for a contacted customer: in its window, in the lift, in the dip.

    `gap` is what those contacted would have spent in its window without it, less what the others who had bought before
    spent, expected. `sold` is money of all campaigns as it came out: caused, prevented in the dip, and given a coupon
    though it would have been bought.
    """

    panel: Panel
    truth: dict[str, tuple[float, float, float]]
    contacted: dict[str, int]
    gap: dict[str, float]
    sold: tuple[float, float, float]

    def pooled(self) -> float:
        """What a contact changed on average over all campaigns."""
        total = sum(self.contacted.values())
        return sum(self.truth[name][0] * count / total for name, count in self.contacted.items())


def world(
    seed: int,
    *,
    customers: int = 1000,
    starts: tuple[int, ...] = (36, 47, 58),
    weeks: int = 68,
    lift: float = 0.5,
    hidden: float = 0.0,
    slope: float = 1.5,
    noise: float = 0.0,
) -> World:
    """A retailer.

    Parameters
    ----------
    starts : first week of each campaign.
    lift : mean over customers of what a contact adds to the rate, as a share of it.
    hidden : how much the retailer chooses by the true rate, which nobody sees.
    slope : how much it chooses by the purchases of the last 13 weeks.
    noise : standard deviation of a week's shock to all customers, in logs.
    """
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.2, 1 / 3, customers)
    value = rng.gamma(6, 4, customers)
    left = rng.exponential(120, customers)
    alive = np.clip(left[:, None] - np.arange(weeks), 0, 1)
    season = np.exp(noise * rng.standard_normal(weeks))
    bought = rng.poisson(rate[:, None] * alive * season).astype(float)
    response = np.maximum(lift + 0.3 * rng.standard_normal(customers) * (lift > 0), 0)
    keen = (np.log(rate) - np.log(rate).mean()) / np.log(rate).std()
    rows, days, numbers, truth, contacted, gap = [], [], [], {}, {}, {}
    sold = np.zeros((3, *bought.shape))
    for number, start in enumerate(starts):
        counts = bought[:, start - 13 : start].sum(axis=1)
        chance = expit(slope * np.log1p(counts) - 2.6 * slope / 1.5 + hidden * keen)
        treated = np.flatnonzero(rng.random(customers) < 0.9 * chance)
        known, chosen = bought[:, :start].any(axis=1), np.isin(np.arange(customers), treated)
        without = (value * rate) * (alive * season)[:, start : start + WINDOW].sum(axis=1)
        gap[str(number)] = float(without[known & chosen].mean() - without[known & ~chosen].mean())
        more = (rate * response)[treated, None] * (alive * season)[treated, start : start + LIFT_WEEKS]
        turn, over = start + LIFT_WEEKS, start + 2 * LIFT_WEEKS
        fewer = (PULLED_FORWARD * response)[treated, None]
        prevented = rng.binomial(bought[treated, turn:over].astype(int), np.minimum(fewer, 1))
        lost = (rate[treated, None] * (alive * season)[treated, turn:over] * np.minimum(fewer, 1)).sum(axis=1)
        sold[2, treated, start:turn] = GIVEN * bought[treated, start:turn]
        sold[0, treated, start:turn] = rng.poisson(more)
        sold[1, treated, turn:over] = prevented
        bought[treated, start:turn] += sold[0, treated, start:turn]
        bought[treated, turn:over] -= prevented
        rise, fall = (value[treated] * more.sum(axis=1)).mean(), -(value[treated] * lost).mean()
        truth[str(number)], contacted[str(number)] = (rise + fall, rise, fall), treated.size
        rows.append(treated)
        days.append(np.full(treated.size, 7 * start))
        numbers.append(np.full(treated.size, number))
    worth = value[:, None] * rng.gamma(8, 1 / 8, bought.shape)
    contacts = Contacts(np.concatenate(rows), np.concatenate(days), np.concatenate(numbers))
    caused, prevented, given = ((counts * worth).sum() for counts in sold)
    seen = panel_of(bought, bought * worth, contacts, tuple(truth))
    return World(seen, truth, contacted, gap, (float(caused), float(prevented), float(given)))


def panel_of(
    bought: NDArray[np.float64], spend: NDArray[np.float64], contacts: Contacts, campaigns: tuple[str, ...]
) -> Panel:
    """A panel of sums by week, each happening in the middle of its week."""
    row, week = np.nonzero(bought)
    day = 7 * week + 3
    first = np.where(bought.any(axis=1), (bought > 0).argmax(axis=1) * 7 + 3, 10**6)
    return Panel(
        customers=len(bought),
        first_day=date(2024, 1, 1),
        days=7 * bought.shape[1],
        spend=Events(row, day, spend[row, week]),
        purchases=Events(row, day, bought[row, week]),
        since=first.astype(np.int64),
        contacts=contacts,
        campaigns=campaigns,
    )
