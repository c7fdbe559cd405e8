"""Answers to "How likely are you to recommend us?": who is likely to leave is less content, and says so after an order.

Contentment is the standing of a customer's true propensity to leave among all, as a standard normal number with its
sign turned; a score is a level, so many points for each standard deviation of it, and what a person says by chance.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .baskets import Receipts
from .customers import Customers
from .randomness import FloatArray, IntArray, generator
from .settings import Simulation

LEVEL = 8.0
"""Mean score before rounding."""
BY_CONTENTMENT, BY_CHANCE = 1.5, 1.5
"""Points of the score for a standard deviation of contentment, and standard deviation of the rest."""
WITHIN = 7.0
"""Days after an order in which it is answered."""


@dataclass(frozen=True)
class Answers:
    """Answers of one chunk, by customer and time: position of the customer, moment, score from 0 to 10."""

    customer: IntArray
    moment: FloatArray
    score: IntArray


def contentment(settings: Simulation, customers: Customers) -> FloatArray:
    """Standard normal over all customers, low for those who are likely to leave; 0 where nobody leaves."""
    if settings.dropout == "none":
        return np.zeros(customers.rate.size)
    if settings.dropout == "geometric":
        above = stats.beta.sf(customers.leaving, settings.a, settings.b)
    else:
        above = stats.gamma.sf(customers.leaving, settings.s, scale=1 / settings.beta)
    return np.asarray(stats.norm.ppf(np.clip(above, 1e-6, 1 - 1e-6)))


def draw_answers(settings: Simulation, customers: Customers, receipts: Receipts, chunk: int) -> Answers:
    """Answers to a share `settings.surveyed` of all orders, those before the end of the log."""
    rng = generator(settings.seed, "survey", chunk)
    n = receipts.customer.size
    asked, later, chance = rng.random(n) < settings.surveyed, WITHIN * rng.random(n), rng.standard_normal(n)
    moment = receipts.moment + later
    meant = LEVEL + BY_CONTENTMENT * contentment(settings, customers)[receipts.customer] + BY_CHANCE * chance
    score = np.clip(np.rint(meant), 0, 10).astype(np.int64)
    rows = np.flatnonzero(asked & (moment < settings.days))
    rows = rows[np.lexsort([moment[rows], receipts.customer[rows]])]
    return Answers(receipts.customer[rows], moment[rows], score[rows])
