"""Campaigns: whom they reach, and what that changes.

Purchases without campaigns come first. A contact then adds purchases of its own (Poisson, at a share of the customer's
rate), or, where it annoys, takes some of the others away, from the day after it for `lift_days`. As long again, a share
of the others is missing that takes back about `pull_forward` of what it added. It neither keeps a customer who leaves
nor brings one back. So every purchase is known to be caused, prevented or neither, and the effect on each customer is
known, not estimated.

Randomised campaigns draw among all who may be contacted and hold some back. Targeted ones prefer recent buyers, as
retailers do: those who got them would have bought more anyway. The effects of one end before the next begins.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from .purchases import Base
from .randomness import BoolArray, FloatArray, IntArray, generator, numbered
from .settings import Simulation

LOOK_BACK = 90
"""Days whose purchases decide who is targeted."""
COUPON = 0.1
"""A coupon takes this share off the order."""
CAUSED_REDEEM = 0.8
"""Share of the purchases caused by a coupon that hand it in."""


@dataclass(frozen=True)
class Campaign:
    """One campaign: number from 1, first day, kind (`voucher` brings a coupon), design, strength (1 on average)."""

    number: int
    start: int
    kind: str
    design: str
    strength: float


@dataclass(frozen=True)
class Orders:
    """All orders of one chunk, also those that a campaign prevented.

    Attributes
    ----------
    customer : position in the chunk.
    clock, day : operational and calendar time.
    value : money, before a coupon.
    prevented : whether a campaign prevented it.
    cause : number of the campaign that caused it; 0 for none.
    coupon : number of the campaign whose coupon was handed in; 0 for none.
    """

    customer: IntArray
    clock: FloatArray
    day: FloatArray
    value: FloatArray
    prevented: BoolArray
    cause: IntArray
    coupon: IntArray

    def join(self, more: "Orders") -> "Orders":
        """These orders, then `more`."""
        pairs = zip(vars(self).values(), vars(more).values(), strict=True)
        return Orders(*map(np.concatenate, pairs))

    def take(self, rows: IntArray) -> "Orders":
        """Some of them, in the order of `rows`."""
        return Orders(*(column[rows] for column in vars(self).values()))


@dataclass(frozen=True)
class Contacts:
    """Who was drawn for one campaign, and the truth about it, arrays of shape (drawn,).

    Attributes
    ----------
    campaign : its number.
    customer : position in the chunk.
    moment : of the contact, days.
    treated : false for those held out.
    effect : what the contact adds to the rate, as a share of it, while it lasts.
    expected_orders, expected_spend : caused less prevented, in the lift and the dip, expected from the customer's
        parameters and purchases without the campaign; for those held out, what they would have been.
    orders, spend : the same as it came out; 0 for those held out. Spend is net of coupons.
    """

    campaign: IntArray
    customer: IntArray
    moment: FloatArray
    treated: BoolArray
    effect: FloatArray
    expected_orders: FloatArray
    expected_spend: FloatArray
    orders: FloatArray
    spend: FloatArray


def plan(settings: Simulation) -> list[Campaign]:
    """The campaigns, in order: every second randomised, every third a newsletter, the others vouchers."""
    if not settings.campaign_every or settings.plain:
        return []
    starts = range(settings.campaign_every, settings.days, settings.campaign_every)
    strength = generator(settings.seed, "plan").uniform(0.6, 1.4, len(starts))
    return [
        Campaign(
            number,
            start,
            "newsletter" if number % 3 == 0 else "voucher",
            "randomised" if number % 2 else "targeted",
            float(strength[number - 1]),
        )
        for number, start in enumerate(starts, start=1)
    ]


@dataclass(frozen=True)
class _Effect:
    """What one campaign does to those drawn, arrays of shape (drawn,), had they all been treated.

    Attributes
    ----------
    begin, turn, over : operational time at which the lift begins, the dip begins, and all is over.
    relative : what is added to the rate, as a share of it, may be negative.
    more : expected purchases caused.
    until : operational time up to which they may fall: the customer leaves, or the lift ends.
    fewer, dip : chance that a purchase in the lift, or in the dip, is prevented.
    redeems : chance that a purchase in the lift, not caused, hands in the coupon.
    """

    begin: float
    turn: float
    over: float
    relative: FloatArray
    more: FloatArray
    until: FloatArray
    fewer: FloatArray
    dip: FloatArray
    redeems: FloatArray


def order_values(settings: Simulation, mean: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Gamma values around each order's mean, in whole cents, at least one euro."""
    return np.maximum(np.round(rng.gamma(settings.p, size=mean.size) / settings.p * mean, 2), 1.0)


def without_campaigns(base: Base) -> Orders:
    """The orders that come by themselves."""
    bought, rng = base.purchases, generator(base.settings.seed, "values", base.chunk)
    return Orders(
        customer=bought.customer,
        clock=bought.clock,
        day=base.season.day(bought.clock),
        value=order_values(base.settings, base.customers.mean_order[bought.customer], rng),
        prevented=np.zeros(bought.customer.size, dtype=bool),
        cause=np.zeros(bought.customer.size, dtype=np.int64),
        coupon=np.zeros(bought.customer.size, dtype=np.int64),
    )


def run_campaigns(base: Base) -> tuple[Orders, list[Contacts]]:
    """Orders, in no order, and the contacts of each campaign."""
    rng = generator(base.settings.seed, "campaigns", base.chunk)
    orders, contacts = without_campaigns(base), []
    for campaign in plan(base.settings):
        drawn, treated = _draw(base, campaign, orders, rng)
        effect = _effect(base, campaign, drawn)
        orders, told = _apply(base, campaign, effect, drawn, treated, orders, rng)
        contacts.append(told)
    return orders, contacts


def _draw(base: Base, campaign: Campaign, orders: Orders, rng: np.random.Generator) -> tuple[IntArray, BoolArray]:
    """Who is drawn, and who of them is treated."""
    n = base.customers.rate.size
    u, coin = rng.random(n), rng.random(n)
    if campaign.design == "randomised":
        chance, treated = np.full(n, base.settings.reach), coin >= base.settings.hold_out
    else:
        recent = ~orders.prevented & (orders.day < campaign.start) & (orders.day >= campaign.start - LOOK_BACK)
        counts = np.bincount(orders.customer[recent], minlength=n)
        chance, treated = expit(1.5 * np.log1p(counts) - 2.0), np.ones(n, dtype=bool)
    drawn = np.flatnonzero(base.customers.contactable(campaign.start) & (u < chance))
    return drawn, treated[drawn]


def _effect(base: Base, campaign: Campaign, drawn: IntArray) -> _Effect:
    settings, customers = base.settings, base.customers
    edges = campaign.start + 1 + settings.lift_days * np.arange(3.0)
    begin, turn, over = map(float, base.season.clock(np.minimum(edges, settings.days)))
    relative = np.clip(customers.response[drawn] * campaign.strength, -0.9, 3.0)
    added = np.maximum(relative, 0)
    until = np.clip(base.purchases.gone[drawn], begin, turn)
    return _Effect(
        begin,
        turn,
        over,
        relative=relative,
        more=customers.rate[drawn] * added * (until - begin),
        until=until,
        fewer=added - relative,
        dip=np.minimum(settings.pull_forward * added, 0.9),
        redeems=(0.1 + 0.5 * customers.sensitivity[drawn]) * (campaign.kind == "voucher"),
    )


def _apply(
    base: Base,
    campaign: Campaign,
    effect: _Effect,
    drawn: IntArray,
    treated: BoolArray,
    orders: Orders,
    rng: np.random.Generator,
) -> tuple[Orders, Contacts]:
    """Orders after the campaign, and its contacts with the truth."""
    mean = base.customers.mean_order[drawn]
    place = np.full(base.customers.rate.size, -1)
    place[drawn] = np.arange(drawn.size)
    of = place[orders.customer]
    rows = np.flatnonzero((of >= 0) & ~orders.prevented & (orders.clock >= effect.begin) & (orders.clock < effect.over))
    of, lifted = of[rows], orders.clock[rows] < effect.turn
    chance = np.where(lifted, effect.fewer[of], effect.dip[of])
    prevented = treated[of] & (rng.random(rows.size) < chance)
    coupon = treated[of] & lifted & ~prevented & (rng.random(rows.size) < effect.redeems[of])
    caused, of_caused = _caused(base, campaign, effect, drawn, treated, rng)

    def total(values: FloatArray | BoolArray) -> FloatArray:
        return np.bincount(of, weights=values, minlength=drawn.size).astype(np.float64)

    expected = effect.more - total(chance)
    coupons = total(lifted * (1 - chance)) * effect.redeems + effect.more * CAUSED_REDEEM * (campaign.kind == "voucher")
    paid = caused.value - COUPON * caused.value * (caused.coupon > 0)
    lost = orders.value[rows] * (prevented + COUPON * coupon)
    told = Contacts(
        campaign=np.full(drawn.size, campaign.number),
        customer=drawn,
        moment=campaign.start + rng.uniform(8, 18, drawn.size) / 24,
        treated=treated,
        effect=effect.relative,
        expected_orders=expected,
        expected_spend=mean * (expected - COUPON * coupons),
        orders=np.bincount(of_caused, minlength=drawn.size) - total(prevented),
        spend=np.bincount(of_caused, weights=paid, minlength=drawn.size) - total(lost),
    )
    return _marked(orders, rows, prevented, coupon * campaign.number).join(caused), told


def _marked(orders: Orders, rows: IntArray, prevented: BoolArray, coupon: IntArray) -> Orders:
    """The orders with what a campaign did to those in `rows`."""
    all_prevented, all_coupons = orders.prevented.copy(), orders.coupon.copy()
    all_prevented[rows], all_coupons[rows] = prevented, coupon
    return replace(orders, prevented=all_prevented, coupon=all_coupons)


def _caused(
    base: Base, campaign: Campaign, effect: _Effect, drawn: IntArray, treated: BoolArray, rng: np.random.Generator
) -> tuple[Orders, IntArray]:
    """Orders that the campaign caused, and the contact that each belongs to."""
    of, _ = numbered(rng.poisson(effect.more * treated))
    clock = effect.begin + rng.random(of.size) * (effect.until[of] - effect.begin)
    redeems = (rng.random(of.size) < CAUSED_REDEEM) & (campaign.kind == "voucher")
    number = np.full(of.size, campaign.number)
    orders = Orders(
        customer=drawn[of],
        clock=clock,
        day=base.season.day(clock),
        value=order_values(base.settings, base.customers.mean_order[drawn[of]], rng),
        prevented=np.zeros(of.size, dtype=bool),
        cause=number,
        coupon=number * redeems,
    )
    return orders, of
