"""What a churn model is worth in money, if its list is used to keep customers (Verbraken, Verbeke & Baesens 2013).

Everyone on the list is contacted and offered an incentive. A leaver accepts with probability γ and stays; one who would
have stayed anyway takes the incentive for nothing. In the paper's symbols δ = incentive / value, φ = contact / value,
and class 0 are those who leave.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import betainc

from .validation import FloatArray


class Offer(NamedTuple):
    """What it costs to keep a customer, and how often it succeeds; the paper's own values unless given.

    Attributes
    ----------
    value : what a customer who is kept is worth, money (CLV).
    incentive : what the offer costs if it is taken, money (d).
    contact : what it costs to make it, money (f).
    alpha, beta : of the beta distribution of the share of leavers who accept, on average alpha / (alpha + beta).
    """

    value: float = 200.0
    incentive: float = 10.0
    contact: float = 1.0
    alpha: float = 6.0
    beta: float = 14.0

    @property
    def accepted(self) -> float:
        """Mean share of leavers who accept."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def kept(self) -> float:
        """Expected gain on a leaver who is contacted, money."""
        return self.accepted * (self.value - self.incentive) - self.contact

    @property
    def wasted(self) -> float:
        """What it costs to contact one who stays anyway, money."""
        return self.incentive + self.contact

    @property
    def break_even(self) -> float:
        """Probability of leaving above which contacting a customer pays.

        Examples
        --------
        >>> round(Offer().break_even, 4)
        0.1642
        """
        return self.wasted / (self.kept + self.wasted)


class MaximumProfit(NamedTuple):
    """Expected maximum profit.

    Attributes
    ----------
    profit : money per customer of the base.
    share : of the customers who are contacted to reach it, on average over γ.
    """

    profit: float
    share: float


def maximum_profit(churned: FloatArray, score: FloatArray, offer: Offer | None = None) -> MaximumProfit:
    """Expected maximum profit of a churn model (EMPC): each time the best list for the γ that comes, averaged over γ.

    The best list lies on the convex hull of the ROC curve; a piece of it is best between two γ, and the average over
    those is one of incomplete beta functions.

    Parameters
    ----------
    churned : 1 where the customer left, shape (n,), both kinds among them.
    score : higher for who is likelier to leave, shape (n,).
    offer : the paper's, if not given.

    Examples
    --------
    >>> round(maximum_profit(np.array([0.0, 1.0]), np.array([0.0, 1.0])).profit, 4)
    28.0
    """
    offer = offer or Offer()
    delta, phi = offer.incentive / offer.value, offer.contact / offer.value
    leavers, stayers = hull(churned, score)
    left = float(churned.mean())
    gain, loss = left * np.diff(leavers), (1 - left) * np.diff(stayers)
    with np.errstate(divide="ignore"):
        edges = (loss * (delta + phi) + gain * phi) / (gain * (1 - delta))
    # Beyond the last γ at which a longer list pays, the list stays as it is.
    edges = np.concatenate([[0.0], edges[edges < 1], [1.0]])
    reached, bothered = left * leavers[: len(edges) - 1], (1 - left) * stayers[: len(edges) - 1]
    chance = np.diff(betainc(offer.alpha, offer.beta, edges))
    accepting = offer.accepted * np.diff(betainc(offer.alpha + 1, offer.beta, edges))
    profit = (1 - delta) * reached @ accepting - (phi * reached + (delta + phi) * bothered) @ chance
    return MaximumProfit(float(offer.value * profit), float((reached + bothered) @ chance))


def hull(churned: FloatArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Corners of the convex hull of the ROC curve, from nobody to everyone.

    Returns
    -------
    Share of the leavers, and share of those who stay, who have a score of at least that of the corner.

    Examples
    --------
    >>> leavers, stayers = hull(np.array([1.0, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1]))
    >>> leavers.tolist(), stayers.tolist()
    ([0.0, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 1.0])
    """
    order = np.argsort(-score, kind="stable")
    last = np.r_[np.diff(score[order]) < 0, True]
    y = np.concatenate([[0.0], np.cumsum(churned[order])[last] / churned.sum()])
    x = np.concatenate([[0.0], np.cumsum(1 - churned[order])[last] / (1 - churned).sum()])
    corners: list[int] = []
    for point in range(len(x)):
        while len(corners) > 1 and _not_above(x, y, corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    return y[corners], x[corners]


def _not_above(x: FloatArray, y: FloatArray, first: int, middle: int, last: int) -> bool:
    """Whether the middle point lies on or below the line from the first to the last."""
    rise = (y[middle] - y[first]) * (x[last] - x[first])
    return bool(rise <= (y[last] - y[first]) * (x[middle] - x[first]) + 1e-15)


def profit_curve(churned: FloatArray, probability: FloatArray, offer: Offer | None = None) -> pd.DataFrame:
    """Expected profit of contacting the customers at most risk, by how many are contacted.

    Customers with the same probability are contacted together.

    Returns
    -------
    share (of the customers contacted), cut_off (the least probability among them, above 1 for nobody), profit (money
    per customer of the base); from nobody to everyone.

    Examples
    --------
    >>> profit_curve(np.array([1.0, 0.0]), np.array([0.7, 0.2])).round(2)
       share  cut_off  profit
    0    0.0      inf     0.0
    1    0.5      0.7    28.0
    2    1.0      0.2    22.5
    """
    offer = offer or Offer()
    order = np.argsort(-probability, kind="stable")
    each = np.where(churned[order] > 0, offer.kept, -offer.wasted)
    last = np.flatnonzero(np.r_[np.diff(probability[order]) < 0, True])
    return pd.DataFrame(
        {
            "share": np.concatenate([[0.0], (last + 1) / len(churned)]),
            "cut_off": np.concatenate([[np.inf], probability[order][last]]),
            "profit": np.concatenate([[0.0], np.cumsum(each)[last] / len(churned)]),
        }
    )


def best_cut_off(curve: pd.DataFrame) -> float:
    """The probability from which on customers should be contacted, by a curve: that of its highest point.

    Examples
    --------
    >>> best_cut_off(profit_curve(np.array([1.0, 0.0]), np.array([0.7, 0.2])))
    0.7
    """
    return float(curve.loc[curve["profit"].idxmax(), "cut_off"])


def profit_at(churned: FloatArray, probability: FloatArray, cut_off: float, offer: Offer | None = None) -> float:
    """Profit of contacting everyone with at least a probability, money per customer of the base.

    Examples
    --------
    >>> round(profit_at(np.array([1.0, 0.0]), np.array([0.7, 0.2]), 0.5), 6)
    28.0
    """
    offer = offer or Offer()
    each = np.where(churned > 0, offer.kept, -offer.wasted)
    return float(np.where(probability >= cut_off, each, 0.0).mean())
