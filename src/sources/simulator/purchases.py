"""When customers buy, as long as no campaign reaches them, and when they leave."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from ...errors import SettingsError
from .customers import Customers, draw_customers
from .expected import expected_purchases
from .randomness import FloatArray, IntArray, generator, numbered
from .season import Season
from .settings import Simulation


@dataclass(frozen=True)
class Purchases:
    """Purchases of one chunk, by customer and time.

    Attributes
    ----------
    customer : position in the chunk, shape (orders,).
    clock : operational time, shape (orders,).
    gone : operational time of leaving, shape (customers,); infinite for those who are active when the log ends.
    last : operational time of the last purchase, shape (customers,).
    """

    customer: IntArray
    clock: FloatArray
    gone: FloatArray
    last: FloatArray


@dataclass(frozen=True)
class Base:
    """One chunk as it would be without campaigns."""

    settings: Simulation
    season: Season
    chunk: int
    customers: Customers
    purchases: Purchases


def draw_base(settings: Simulation, season: Season, chunk: int) -> Base:
    """The customers of a chunk and their purchases."""
    customers = draw_customers(settings, season, chunk)
    return Base(settings, season, chunk, customers, draw_purchases(settings, season, customers, chunk))


def draw_purchases(settings: Simulation, season: Season, customers: Customers, chunk: int) -> Purchases:
    """Purchases up to the end of the log.

    Given their number, the events of a Poisson process are spread like the partial sums of exponentials, scaled; every
    k-th of them is a purchase of a customer of regularity k.
    """
    rng = generator(settings.seed, "purchases", chunk)
    length = season.clock(settings.days) - customers.first
    lifetime = np.full(length.size, np.inf)
    if settings.dropout == "exponential":
        lifetime = rng.exponential(1 / np.maximum(customers.leaving, 1e-12))
    seen = np.minimum(length, lifetime)
    phases = rng.poisson(customers.k * customers.rate * seen)
    customer, number = numbered(phases + 1)
    total = np.cumsum(rng.standard_exponential(customer.size))
    ends = np.cumsum(phases + 1) - 1
    before = np.concatenate([[0.0], total[ends[:-1]]])
    elapsed = (total - before[customer]) / (total[ends] - before)[customer] * seen[customer]
    # The last exponential of a customer reaches beyond the log: it is no purchase.
    bought = (number + 1) % customers.k[customer] == 0
    bought[ends] = False
    customer, elapsed = customer[bought], elapsed[bought]
    if settings.dropout == "geometric":
        allowed = rng.geometric(np.clip(customers.leaving, 1e-15, 1.0))
        counts = np.bincount(customer, minlength=length.size)
        _, number = numbered(counts)
        kept = number < allowed[customer]
        customer, elapsed = customer[kept], elapsed[kept]
        counts, left = np.minimum(counts, allowed), counts >= allowed
        lifetime[left] = elapsed[np.cumsum(counts)[left] - 1]
    return _with_first(customers, customer, elapsed, np.where(lifetime < length, lifetime, np.inf))


def _with_first(customers: Customers, customer: IntArray, elapsed: FloatArray, lifetime: FloatArray) -> Purchases:
    """Add everyone's first purchase to the repeat purchases."""
    n = customers.first.size
    counts = np.bincount(customer, minlength=n) + 1
    group, number = numbered(counts)
    since = np.zeros(group.size)
    since[number > 0] = elapsed
    clock = customers.first[group] + since
    return Purchases(group, clock, customers.first + lifetime, clock[np.cumsum(counts) - 1])


def expected_orders(base: Base) -> FloatArray:
    """Expected purchases from each customer's first to the end of the log, both counted, without campaigns."""
    customers = base.customers
    length = base.season.clock(base.settings.days) - customers.first
    return 1 + expected_purchases(customers.rate, customers.k, customers.leaving, base.settings.dropout, length)


def expected_next(base: Base) -> FloatArray:
    """Expected purchases in the horizon after the log, without campaigns; 0 for those who have left."""
    settings, season, customers, purchases = base.settings, base.season, base.customers, base.purchases
    end = season.clock(settings.days)
    ahead = np.full(customers.rate.size, float(season.clock(settings.days + settings.horizon) - end))
    since = end - purchases.last
    active = expected_purchases(customers.rate, customers.k, customers.leaving, settings.dropout, ahead, since)
    return np.where(np.isinf(purchases.gone), active, 0.0)


def with_lines_per_customer(settings: Simulation) -> Simulation:
    """The settings with `alpha` such that `lines_per_customer` holds in expectation, if it is given.

    Raises
    ------
    SettingsError
        If customers leave too early for that many lines.
    """
    if settings.lines_per_customer is None:
        return settings
    wanted, season = settings.lines_per_customer / settings.lines_per_order, Season(settings)
    customers = draw_customers(settings, season, 0)

    def excess(log_speed: float) -> float:
        faster = customers.rate * np.exp(log_speed)
        length = season.clock(settings.days) - customers.first
        mean = expected_purchases(faster, customers.k, customers.leaving, settings.dropout, length).mean()
        return float(1 + mean - wanted)

    if excess(7) < 0:
        raise SettingsError(
            f"lines_per_customer: customers leave before they have bought {settings.lines_per_customer:g} lines; "
            "choose fewer, or a dropout that comes later"
        )
    speed = float(np.exp(brentq(excess, -30, 7, xtol=1e-6)))
    return settings.model_copy(update={"alpha": settings.alpha / speed, "lines_per_customer": None})
