"""Who the customers are: what drives them, which nobody sees, and what a retailer knows of them."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr, polygamma, psi

from .randomness import BoolArray, FloatArray, IntArray, generator
from .season import Season
from .settings import CHANNELS, CHUNK, Simulation

CATEGORIES = (
    "Bakery", "Dairy", "Drinks", "Fruit", "Frozen", "Household",
    "Meat", "Pantry", "Pets", "Beauty", "Snacks", "Vegetables",
)  # fmt: skip
AGE_BANDS = ("18-29", "30-44", "45-59", "60+")
REGIONS = ("North", "East", "South", "West")
PURPOSES = ("analysis", "profiling", "contact")
AGREE = np.array([0.97, 0.65, 0.8])
"""Share of members who agree to each purpose when they join."""
WITHDRAW = 0.08
"""Share of those who agreed to be contacted who change their mind before the log ends."""
FOUNDING_DAYS = 28


@dataclass(frozen=True)
class Customers:
    """One chunk of customers, arrays of shape (`CHUNK`,). Moments are in days since the log's first midnight.

    Attributes
    ----------
    first : moment of the first purchase, in operational time.
    rate : purchases per day while active.
    k : regularity.
    leaving : probability of leaving after a repeat purchase, or rate of leaving per day, as `settings.dropout` says.
    mean_order : expected order value.
    sensitivity : share of promotions and coupons that the customer goes for, in (0, 1).
    response : what a contact of strength 1 adds to the rate, as a share of it.
    main_channel, omnichannel, home_store, favourite : habits; channels, stores and categories as positions.
    age, household, region : known attributes; age in years at the end of the log.
    birthday : day of the year, 0-364.
    joined : moment of joining the programme; NaN if never.
    agreed : to each of `PURPOSES`, shape (`CHUNK`, 3).
    withdrew : moment of withdrawing the consent to be contacted; NaN if never.
    """

    first: FloatArray
    rate: FloatArray
    k: IntArray
    leaving: FloatArray
    mean_order: FloatArray
    sensitivity: FloatArray
    response: FloatArray
    main_channel: IntArray
    omnichannel: BoolArray
    home_store: IntArray
    favourite: IntArray
    age: FloatArray
    household: IntArray
    region: IntArray
    birthday: IntArray
    joined: FloatArray
    agreed: BoolArray
    withdrew: FloatArray

    def contactable(self, moment: float) -> BoolArray:
        """Members by that moment who agreed to be contacted and have not withdrawn."""
        withdrawn = self.withdrew <= moment  # NaN is never
        return np.asarray((self.joined < moment) & self.agreed[:, PURPOSES.index("contact")] & ~withdrawn)


def draw_customers(settings: Simulation, season: Season, chunk: int) -> Customers:
    """One chunk of customers.

    Rates, dropout and order values are independent of each other, as the models say. What the retailer knows or
    decides by (age, membership) leans on the rate, so that there is something to learn and something to be misled by.
    """
    rng = generator(settings.seed, "customers", chunk)
    n = CHUNK
    rate = np.maximum(rng.gamma(settings.r, 1 / settings.alpha, n), 1e-12)
    keen = (np.log(rate * settings.alpha) - psi(settings.r)) / np.sqrt(polygamma(1, settings.r))
    thrift, home = rng.standard_normal(n), _popular(settings.stores, rng.random(n))
    mean_order = settings.p / rng.gamma(settings.q, 1 / settings.v, n)
    first = _first_purchases(settings, season, rng)
    joined = _joined(settings, season.day(first), keen, rng)
    agreed = (rng.random((n, len(PURPOSES))) < AGREE) & np.isfinite(joined)[:, None]
    leaves_list, when = rng.random(n) < WITHDRAW, rng.random(n)
    withdrew = joined + when * (settings.days - joined)
    main = _channel_of(rng.random(n))
    return Customers(
        first=first,
        rate=rate,
        k=rng.choice(np.array(settings.regularity), n),
        leaving=_leaving(settings, rng),
        mean_order=mean_order,
        sensitivity=expit(thrift - 0.4),
        response=settings.lift + settings.lift_spread * (0.6 * thrift + 0.8 * rng.standard_normal(n)),
        main_channel=main,
        omnichannel=rng.random(n) < settings.omnichannel,
        home_store=home,
        favourite=rng.integers(0, len(CATEGORIES), n),
        age=18 + 65 * ndtr(0.35 * keen + np.sqrt(1 - 0.35**2) * rng.standard_normal(n)),
        household=1 + np.minimum(rng.poisson(0.4 + 0.8 * np.minimum(mean_order / settings.mean_order, 3)), 5),
        region=home % len(REGIONS),
        birthday=rng.integers(0, 365, n),
        joined=joined,
        agreed=agreed,
        withdrew=np.where(leaves_list & agreed[:, PURPOSES.index("contact")], withdrew, np.nan),
    )  # fmt: skip


def _first_purchases(settings: Simulation, season: Season, rng: np.random.Generator) -> FloatArray:
    """First purchases in operational time: they follow the seasons as all purchases do."""
    last = settings.acquisition_days or settings.days
    founding = rng.random(CHUNK) < settings.founders
    return np.asarray(rng.random(CHUNK) * season.clock(np.where(founding, min(FOUNDING_DAYS, last), last)))


def _leaving(settings: Simulation, rng: np.random.Generator) -> FloatArray:
    if settings.dropout == "geometric":
        return rng.beta(settings.a, settings.b, CHUNK)
    return rng.gamma(settings.s, 1 / settings.beta, CHUNK) if settings.dropout == "exponential" else np.zeros(CHUNK)


def _joined(settings: Simulation, first: FloatArray, keen: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Most members join with their first purchase, some up to two months later; keen buyers join more often."""
    odds = np.log(np.clip(settings.members, 1e-12, 1 - 1e-12) / np.clip(1 - settings.members, 1e-12, 1))
    joins = rng.random(CHUNK) < expit(odds + 0.6 * keen)
    moment = first + np.where(rng.random(CHUNK) < 0.7, 0.0, 60 * rng.random(CHUNK))
    return np.where(joins & (moment < settings.days), moment, np.nan)


def _popular(n: int, u: FloatArray) -> IntArray:
    """One of n, the first the most popular, from a uniform number."""
    return np.minimum((n * u**1.7).astype(np.int64), n - 1)


def _channel_of(u: FloatArray) -> IntArray:
    """Channel by its share of customers: most go to the store."""
    return np.asarray(np.searchsorted([0.6, 0.85], u, side="right").clip(0, len(CHANNELS) - 1))
