"""What is in an order: lines with products, promotions and coupons, and what is brought back.

An order's value is what the customer pays before a coupon; a promotion takes its share off a higher shelf price, so
that order values keep their distribution. A coupon takes a tenth off the value. All sums are whole cents.
"""

from dataclasses import dataclass

import numpy as np

from .campaigns import COUPON, Orders
from .customers import CATEGORIES, Customers
from .randomness import FloatArray, IntArray, generator, numbered
from .settings import CHANNELS, Simulation

FAVOURITE = 0.4
"""Share of lines from the customer's favourite category."""
HOURS = np.array([[8.0, 20.0], [7.0, 24.0], [6.0, 24.0]])
"""First and last hour of each channel; none when clocks change."""
MOST_LINES = 60
"""Of a receipt: fewer than the cents of the smallest order."""
LONGEST_RETURN = 30
PROMOTIONS = np.array([0.1, 0.2, 0.3, 0.5])


@dataclass(frozen=True)
class Catalogue:
    """Products, numbered from 1.

    Attributes
    ----------
    category : of each product, as a position in `CATEGORIES`.
    price : what a product weighs in the value of an order.
    """

    category: IntArray
    price: FloatArray


@dataclass(frozen=True)
class Receipts:
    """Orders as they happened, by customer and time.

    Attributes
    ----------
    customer : position in the chunk.
    moment : days since the log's first midnight, to the second.
    cents, coupon : paid before the coupon, and the coupon's money, in cents.
    campaign : number of the coupon's campaign; 0 for none.
    channel, store : positions; -1 where there is no store.
    """

    customer: IntArray
    moment: FloatArray
    cents: IntArray
    coupon: IntArray
    campaign: IntArray
    channel: IntArray
    store: IntArray


@dataclass(frozen=True)
class Lines:
    """Lines of receipts, in cents; `order` is a position among the receipts, `back` the moment of the return or NaN."""

    order: IntArray
    product: IntArray
    amount: IntArray
    discount: IntArray
    coupon: IntArray
    back: FloatArray


def draw_catalogue(settings: Simulation) -> Catalogue:
    """The same products whatever the number of customers."""
    rng = generator(settings.seed, "shop")
    category = np.arange(settings.products) * len(CATEGORIES) // settings.products
    return Catalogue(category, np.exp(rng.normal(0, 0.6, settings.products)))


def draw_receipts(settings: Simulation, customers: Customers, orders: Orders, chunk: int) -> Receipts:
    """Orders that took place, with channel, store and hour."""
    rng = generator(settings.seed, "receipts", chunk)
    happened = np.flatnonzero(~orders.prevented)
    customer = orders.customer[happened]
    main, elsewhere = customers.main_channel[customer], rng.random(happened.size) < 0.3
    other = (main + rng.integers(1, len(CHANNELS), happened.size)) % len(CHANNELS)
    channel = np.where(customers.omnichannel[customer] & elsewhere, other, main)
    visiting = rng.random(happened.size) < 0.1
    store = np.where(visiting, rng.integers(0, settings.stores, happened.size), customers.home_store[customer])
    moment = _at_hour(orders.day[happened], channel, rng)
    cents = np.rint(orders.value[happened] * 100).astype(np.int64)
    campaign = orders.coupon[happened]
    by_time = np.lexsort([moment, customer])
    return Receipts(
        customer[by_time],
        moment[by_time],
        cents[by_time],
        coupon=np.rint(COUPON * cents * (campaign > 0)).astype(np.int64)[by_time],
        campaign=campaign[by_time],
        channel=channel[by_time],
        store=np.where(channel == 0, store, -1)[by_time],
    )


def _at_hour(day: FloatArray, channel: IntArray, rng: np.random.Generator) -> FloatArray:
    """A moment of the day within the channel's hours, most likely in their middle, to the second."""
    opens, closes = HOURS[channel].T
    hour = opens + (closes - opens) * rng.random((2, day.size)).mean(axis=0)
    return np.asarray(np.floor(day) + np.floor(hour * 3600) / 86400)


def draw_lines(
    settings: Simulation, catalogue: Catalogue, customers: Customers, receipts: Receipts, chunk: int
) -> Lines:
    """Lines of the receipts, each product once a receipt."""
    rng = generator(settings.seed, "lines", chunk)
    counts = np.minimum(1 + rng.poisson(settings.lines_per_order - 1, receipts.customer.size), MOST_LINES)
    order, _ = numbered(counts)
    product = _products(catalogue, customers.favourite[receipts.customer[order]], rng)
    pair = np.sort(order * catalogue.price.size + product)
    pair = pair[np.concatenate([[True], pair[1:] != pair[:-1]])] if pair.size else pair
    order, product = np.divmod(pair, catalogue.price.size)
    weight = catalogue.price[product]
    amount = _split(receipts.cents - receipts.coupon, order, weight, least=1)
    if settings.plain:
        none = np.zeros(order.size, dtype=np.int64)
        return Lines(order, product, amount, none, none, np.full(order.size, np.nan))
    promoted = rng.random(order.size) < 0.1 + 0.6 * customers.sensitivity[receipts.customer[order]]
    off = np.where(promoted, rng.choice(PROMOTIONS, order.size), 0.0)
    return Lines(
        order,
        product,
        amount,
        discount=np.rint(amount * off / (1 - off)).astype(np.int64),
        coupon=_split(receipts.coupon, order, weight, least=0),
        back=_brought_back(settings, receipts, order, chunk),
    )


def _products(catalogue: Catalogue, favourite: IntArray, rng: np.random.Generator) -> IntArray:
    """A product for each line: in the favourite category or in any, the first ones of each the most popular."""
    n, kinds = favourite.size, len(CATEGORIES)
    category = np.where(rng.random(n) < FAVOURITE, favourite, rng.integers(0, kinds, n))
    edges = np.searchsorted(catalogue.category, np.arange(kinds + 1))
    size = np.diff(edges)[category]
    return np.asarray(edges[category] + (size * rng.random(n) ** 2).astype(np.int64))


def _split(cents: IntArray, order: IntArray, weight: FloatArray, least: int) -> IntArray:
    """Divide each order's money among its lines by weight, to the cent, with at least `least` for each.

    Every order has a line, and the lines of an order follow each other; the first takes what rounding leaves.
    """
    counts = np.bincount(order, minlength=cents.size)
    share = weight / np.bincount(order, weights=weight, minlength=cents.size)[order]
    amount = least + np.floor((cents - least * counts)[order] * share).astype(np.int64)
    rest = cents - np.bincount(order, weights=amount, minlength=cents.size).astype(np.int64)
    amount[np.cumsum(counts) - counts] += rest
    return amount


def _brought_back(settings: Simulation, receipts: Receipts, order: IntArray, chunk: int) -> FloatArray:
    """Moment at which each line is returned, within 30 days and the log; NaN if it is not."""
    rng = generator(settings.seed, "returns", chunk)
    back, delay = rng.random(order.size) < settings.returned, rng.integers(1, LONGEST_RETURN + 1, order.size)
    day = receipts.moment[order] + delay
    moment = _at_hour(day, receipts.channel[order], rng)
    return np.where(back & (moment < settings.days), moment, np.nan)
