"""The loyalty programme: a point for each euro, more in higher tiers, and a ledger that adds up.

Points of an order count from the moment of the order. Returns take theirs back, as far as the balance goes. Rewards are
whole hundreds of points, spent at an order before it earns its own. What is not spent after a year expires, the
oldest first. A balance is never negative.
"""

from dataclasses import dataclass

import numpy as np

from .baskets import Lines, Receipts
from .customers import Customers
from .randomness import FloatArray, IntArray, generator
from .settings import Simulation

QUALIFYING_DAYS = 365
EXPIRY_DAYS = 365
REWARD = 100
"""Points that a reward costs."""
KINDS = ("earn", "redeem", "expire", "adjust")
MULTIPLIERS = (1.0, 1.1, 1.25, 1.5)
"""Points for a euro below the first tier, and in each; the last holds for all above."""

_ORDER, _RETURN, _EXPIRY = range(3)


@dataclass(frozen=True)
class Ledger:
    """Movements of points: position of the customer, moment, points (negative when they go), kind as in `KINDS`."""

    customer: IntArray
    moment: FloatArray
    points: IntArray
    kind: IntArray


@dataclass(frozen=True)
class _Events:
    """All that may move points, by customer and time.

    Attributes
    ----------
    customer, moment, kind : whose, when, and whether an order, a return or an expiry.
    points : added by an order; taken, as far as they are there, by a return.
    earned : at an expiry, all that was earned up to the order whose points expire.
    spends : at an order, the share of the balance that goes into rewards.
    """

    customer: IntArray
    moment: FloatArray
    kind: IntArray
    points: IntArray
    earned: IntArray
    spends: FloatArray


def tier_at(settings: Simulation, receipts: Receipts) -> IntArray:
    """Tier before each order, by the spend of the 365 days before it: 0 for none, 1 for the lowest."""
    paid = np.concatenate([[0], np.cumsum(receipts.cents - receipts.coupon)])
    # One line of time for all customers, with gaps that no window bridges.
    stride = settings.days + QUALIFYING_DAYS + 1.0
    place = receipts.customer * stride + receipts.moment
    since = np.searchsorted(place, place - QUALIFYING_DAYS)
    spend = (paid[np.arange(place.size)] - paid[since]) / 100
    thresholds = np.array([tier.threshold for tier in settings.tiers])
    return np.asarray(np.searchsorted(thresholds, spend, side="right"))


def draw_ledger(settings: Simulation, customers: Customers, receipts: Receipts, lines: Lines, chunk: int) -> Ledger:
    """The movements of all members' points."""
    events = _events(settings, customers, receipts, lines, chunk)
    change, spent = _settle(events)
    columns = [
        (events.customer, events.moment, -spent, np.full(spent.size, KINDS.index("redeem"))),
        (events.customer, events.moment, change, np.array([0, 3, 2])[events.kind]),
    ]
    customer, moment, points, kind = (np.concatenate(each) for each in zip(*columns, strict=True))
    # A reward stands before the points of the order at which it is spent: it is paid from the balance before.
    rows = np.lexsort([kind != KINDS.index("redeem"), moment, customer])
    rows = rows[points[rows] != 0]
    return Ledger(customer[rows], moment[rows], points[rows], kind[rows])


def _events(settings: Simulation, customers: Customers, receipts: Receipts, lines: Lines, chunk: int) -> _Events:
    rng = generator(settings.seed, "points", chunk)
    u, keen = rng.random(receipts.customer.size), 0.1 + 0.3 * customers.sensitivity[receipts.customer]
    rewarded = (u < keen) * u / keen  # a uniform number for those who want a reward, 0 for the others
    rate = np.array(MULTIPLIERS)[np.minimum(tier_at(settings, receipts), len(MULTIPLIERS) - 1)]
    member = receipts.moment >= np.floor(customers.joined)[receipts.customer]  # from the morning of the day of joining
    earns = np.floor((receipts.cents - receipts.coupon) * rate / 100 + 1e-9).astype(np.int64) * member
    total = np.cumsum(earns)
    counts = np.bincount(receipts.customer, minlength=customers.rate.size)
    before = np.concatenate([[0], total])[np.cumsum(counts) - counts]
    orders = np.flatnonzero(earns)
    ending = orders[receipts.moment[orders] + EXPIRY_DAYS + 1 < settings.days]
    returned = np.flatnonzero(np.isfinite(lines.back) & member[lines.order])
    of = lines.order[returned]
    claim = np.floor(lines.amount[returned] * rate[of] / 100 + 1e-9).astype(np.int64)
    parts = [
        (receipts.customer[orders], receipts.moment[orders], earns[orders], 0 * orders, rewarded[orders], _ORDER),
        (receipts.customer[of], lines.back[returned], claim, 0 * of, 0.0 * of, _RETURN),
        (
            receipts.customer[ending],
            np.floor(receipts.moment[ending]) + EXPIRY_DAYS + 1,
            0 * ending,
            (total - before[receipts.customer])[ending],
            0.0 * ending,
            _EXPIRY,
        ),
    ]
    kind = np.concatenate([np.full(part[0].size, part[-1]) for part in parts])
    columns = zip(*(part[:-1] for part in parts), strict=True)
    customer, moment, points, earned, spends = map(np.concatenate, columns)
    rows = np.lexsort([kind, moment, customer])
    return _Events(customer[rows], moment[rows], kind[rows], points[rows], earned[rows], spends[rows])


def _settle(events: _Events) -> tuple[IntArray, IntArray]:
    """What each event adds or takes, and what is spent at it; everyone's first event at once, then the second …"""
    change, spent = np.zeros_like(events.points), np.zeros_like(events.points)
    counts = np.bincount(events.customer)
    first = np.cumsum(counts) - counts
    busiest = np.argsort(-counts, kind="stable")
    earned, used = np.zeros(counts.size, dtype=np.int64), np.zeros(counts.size, dtype=np.int64)
    having = np.searchsorted(-counts[busiest], -np.arange(counts.max(initial=0)), side="left")
    for number, many in enumerate(having):
        who = busiest[:many]
        rows = first[who] + number
        kind, points, balance = events.kind[rows], events.points[rows], earned[who] - used[who]
        reward = np.floor(events.spends[rows] * (balance // REWARD + 1)).astype(np.int64) * REWARD
        spent[rows] = np.minimum(reward, balance // REWARD * REWARD)
        taken = np.where(kind == _RETURN, np.minimum(points, balance), 0)
        taken = np.where(kind == _EXPIRY, np.clip(events.earned[rows] - used[who], 0, balance), taken)
        added = np.where(kind == _ORDER, points, 0)
        change[rows] = added - taken
        earned[who] += added
        used[who] += taken + spent[rows]
    return change, spent
