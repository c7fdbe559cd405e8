r"""Customers who were not contacted, weighted until they are like those who were.

The propensity to be contacted is a logistic regression on the path before the campaign. Those contacted whom hardly
anyone resembles are left out (Crump, Hotz, Imbens & Mitnik 2009, Biometrika 96 (1), 187-199). The others' odds
:math:`p / (1 - p)` are then tilted until the weighted means of the path are those of the contacted: entropy balancing,
Hainmueller (2012), Political Analysis 20 (1), 25-46, which is doubly robust (Zhao & Percival 2017, Journal of Causal
Inference 5 (1)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from ..errors import RefusedError
from .effect import Overlap
from .panel import BoolArray, FloatArray, IntArray, Panel, Plan

MOST = 0.9
"""A customer whose propensity is above this resembles too few of the others."""
FEWEST = 30
"""Customers that an arm needs, and controls that the weights must be worth."""
EDGES = (1, 2, 4, 8, 13, 26)
"""Weeks before the campaign at which one stretch of the path ends and the next begins."""
TILT = 1e-3
"""Penalty on the tilt, so that there is one where no weights balance everything; what is left is adjusted for."""


@dataclass(frozen=True)
class Rule:
    """How customers seem to have been chosen: a logistic regression.

    Attributes
    ----------
    centre, scale : of the features, shape (p,); a feature that is the same for everyone has scale infinity.
    slopes : of the standardised features, shape (p,).
    intercept : of the log odds.
    """

    centre: FloatArray
    scale: FloatArray
    slopes: FloatArray
    intercept: float

    def standardised(self, features: FloatArray) -> FloatArray:
        """Features with mean 0 and standard deviation 1 where the rule was learned, shape (n, p)."""
        return np.asarray((features - self.centre) / self.scale)

    def chance(self, features: FloatArray) -> FloatArray:
        """Propensity of each customer, shape (n,)."""
        return np.asarray(expit(self.intercept + self.standardised(features) @ self.slopes))


@dataclass(frozen=True)
class Match:
    """Customers who are compared.

    Attributes
    ----------
    rows : their positions among those given, shape (n,).
    treated : shape (n,).
    weights : of those not contacted, adding up to 1; 0 for those contacted; shape (n,).
    design : a one and their standardised features, shape (n, 1 + p).
    propensity : shape (n,).
    trimmed : customers left out because nobody is like them.
    rule : how customers were chosen.
    before, after : differences of the means of the features in standard deviations, as they are and weighted, shape
        (p,).
    """

    rows: IntArray
    treated: BoolArray
    weights: FloatArray
    design: FloatArray
    propensity: FloatArray
    trimmed: int
    rule: Rule
    before: FloatArray
    after: FloatArray

    @property
    def overlap(self) -> Overlap:
        """The same in few numbers."""
        ends = float(self.propensity.min()), float(self.propensity.max())
        return Overlap(self.rows.size, self.trimmed, *ends)

    @property
    def worth(self) -> float:
        """Unweighted controls that would be worth as much (Kish)."""
        return float(1 / (self.weights**2).sum())


def path(panel: Panel, anchor: int, plan: Plan) -> tuple[FloatArray, tuple[str, ...]]:
    """What each customer did in the matched weeks before a day, nothing later and nothing earlier.

    Returns
    -------
    features, shape (n, p), and their names.
    """
    spend = panel.weekly(panel.spend, anchor, plan.matched, 0)[:, ::-1]
    bought = panel.weekly(panel.purchases, anchor, plan.matched, 0)[:, ::-1]
    edges = sorted({edge for edge in EDGES if edge < plan.matched} | {plan.matched})
    columns: dict[str, FloatArray] = {}
    for start, stop in zip([0, *edges[:-1]], edges, strict=True):
        columns[f"spend, weeks {start + 1} to {stop} before"] = spend[:, start:stop].sum(axis=1)
    for stop in edges:
        columns[f"log purchase days, last {stop} weeks"] = np.log1p(bought[:, :stop].sum(axis=1))
    columns[f"log spend, last {plan.matched} weeks"] = np.log1p(np.maximum(spend.sum(axis=1), 0))
    silent = (bought > 0).argmax(axis=1) + plan.matched * (bought.sum(axis=1) == 0)
    columns["weeks since the last purchase"] = silent.astype(np.float64)
    columns["weeks since the first purchase"] = np.clip((anchor - panel.since) // 7, 0, plan.matched).astype(np.float64)
    for weeks in (4, plan.matched):
        columns[f"campaigns received, last {weeks} weeks"] = panel.contacted(anchor - 7 * weeks, anchor).astype(float)
    if panel.redemptions is not None:
        redeemed = panel.weekly(panel.redemptions, anchor, plan.matched, 0).sum(axis=1)
        columns["log coupons handed in"] = np.log1p(redeemed)
    return np.column_stack(list(columns.values())), tuple(columns)


def match(features: FloatArray, treated: BoolArray, most: float = MOST) -> Match:
    """Weights that make those not contacted like those contacted.

    Parameters
    ----------
    features : known before the campaign, shape (n, p).
    treated : who was contacted, shape (n,).
    most : propensity above which a customer is left out.

    Raises
    ------
    RefusedError
        If fewer than `FEWEST` of either are left, or the controls' weights are worth fewer.
    """
    _check_arms(treated, "")
    rule = _rule(features, treated)
    everyone = rule.chance(features)
    rows = np.flatnonzero(everyone <= most)
    _check_arms(treated[rows], " once those are left out whom nobody resembles")
    arm, chance, x = treated[rows], everyone[rows], rule.standardised(features[rows])
    goal = x[arm].mean(axis=0)
    weights = np.zeros(rows.size)
    weights[~arm] = _balanced(x[~arm] - goal, logit(np.maximum(chance[~arm], 1e-12)))
    found = Match(
        rows=rows,
        treated=arm,
        weights=weights,
        design=np.column_stack([np.ones(rows.size), x]),
        propensity=chance,
        trimmed=treated.size - rows.size,
        rule=rule,
        before=goal - x[~arm].mean(axis=0),
        after=goal - weights @ x,
    )
    if found.worth < FEWEST:
        raise RefusedError(
            f"hardly anyone who was not contacted is like those who were: {int((~arm).sum())} customers to compare "
            f"with are worth {found.worth:.1f} once weighted, fewer than {FEWEST}"
        )
    return found


def balance(found: Match, names: tuple[str, ...]) -> pd.DataFrame:
    """Columns feature, before, after: differences of the means, in standard deviations; the largest first."""
    frame = pd.DataFrame({"feature": names, "before": found.before, "after": found.after})
    return frame.sort_values(["before", "feature"], key=_size, ascending=[False, True], ignore_index=True)


def same_share(rule: Rule, features: FloatArray, share: float) -> FloatArray:
    """Propensities of other customers or another day under the same rule, with as large a share contacted."""
    slope = rule.standardised(features) @ rule.slopes
    low, high = logit(share) - slope.max() - 1.0, logit(share) - slope.min() + 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(middle + slope).mean() < share else (low, middle)
    return np.asarray(expit(low + slope))


def _size(column: pd.Series) -> pd.Series:
    return column.abs().round(9) if column.dtype.kind == "f" else column


def _check_arms(treated: BoolArray, when: str) -> None:
    contacted, others = int(treated.sum()), int((~treated).sum())
    if contacted < FEWEST:
        raise RefusedError(f"{contacted} contacted customers{when}: at least {FEWEST} are needed")
    if others < FEWEST:
        raise RefusedError(
            f"{others} customers who were not contacted{when}: at least {FEWEST} are needed to compare with"
        )


def _rule(features: FloatArray, treated: BoolArray) -> Rule:
    centre, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-9 * (1 + np.abs(centre)), scale, np.inf)
    model = LogisticRegression(C=1.0, solver="newton-cholesky").fit((features - centre) / scale, treated)
    return Rule(centre, scale, model.coef_[0].astype(np.float64), float(model.intercept_[0]))


def _balanced(z: FloatArray, log_odds: FloatArray) -> FloatArray:
    r"""Weights :math:`\propto e^{o + \theta' z}` whose mean of z is nearly 0, by Newton's method on the convex dual."""
    theta = np.zeros(z.shape[1])

    def dual(at: FloatArray) -> tuple[float, FloatArray]:
        exponent = log_odds + z @ at
        top = exponent.max()
        raw = np.exp(exponent - top)
        return float(np.log(raw.sum()) + top + TILT / 2 * at @ at), raw / raw.sum()

    value, weights = dual(theta)
    for _ in range(100):
        mean = weights @ z
        gradient = mean + TILT * theta
        if np.abs(gradient).max() < 1e-9:
            break
        curvature = (z * weights[:, None]).T @ z - np.outer(mean, mean) + TILT * np.eye(z.shape[1])
        step = np.linalg.solve(curvature, gradient)
        length, slope = 1.0, gradient @ step
        while (new := dual(theta - length * step))[0] > value - 1e-4 * length * slope and length > 1e-6:
            length /= 2
        theta, (value, weights) = theta - length * step, new
    return weights
