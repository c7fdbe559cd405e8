"""What each offer is expected to be worth for each customer: what it changes, less what it costs.

    value = effect × worth − cost,        cost = redemption × reward + contact.

The reward is paid to all who take it, also to those who would have bought anyway: `redemption` is how probable it is
that a customer who is contacted takes it, not how many more do. The effect is that on spend before the reward is taken
off, or else the reward would count twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from ..errors import DataError
from ..models.validation import FloatArray
from .effect import QUANTILE, Effect, Interval

Measure = Literal["spend", "buying"]
"""What an effect is counted in: money a customer, or the probability of buying."""

How = Literal["shrunk", "estimate", "lower"]

KEYS = ("customer", "rule", "channel", "segment")
NUMBERS = ("effect", "low", "high", "worth", "redemption", "reward", "contact")
NEVER_NEGATIVE = ("worth", "reward", "contact")
COLUMNS = (*KEYS, "measure", "design", *NUMBERS)
"""Of candidates, one row a customer and rule (an offer):

customer, rule, channel, segment : text.
measure : `spend`, the effect being money, or `buying`, it being a probability.
design : how the effect is known, see `effect.Design`.
effect, low, high : what a contact changes for this customer, with its 90 % interval, or the range assumed.
worth : of one unit of the effect, money: the margin as a share of spend, or margin or CLV of a purchase.
redemption : probability that a customer who is contacted takes the reward.
reward, contact : money, of one reward taken and one contact made.
buys_anyway : may be given: probability of buying without a contact.
"""


class Assumed(NamedTuple):
    """A range of effects that nobody has measured; its middle is counted with.

    Attributes
    ----------
    measure : see `Measure`.
    low, high : ends of the range.
    """

    measure: Measure
    low: float
    high: float


UNMEASURED = Assumed("buying", 0.0, 0.02)
"""Of an offer on which there is neither evidence nor an assumption of the retailer's own: it makes none to two more of
a hundred customers buy. A cautious guess, to be printed wherever it is used, and to be replaced by the first campaign
with a hold-out."""


def with_effects(
    candidates: pd.DataFrame,
    *,
    single: pd.DataFrame | None = None,
    averages: Mapping[str, Effect] | None = None,
    measures: Mapping[str, Measure] | None = None,
    assumed: Mapping[str, Assumed] | None = None,
) -> pd.DataFrame:
    """Candidates with the best evidence on each: that on the customer, else that on the rule, else an assumption.

    Parameters
    ----------
    candidates : `COLUMNS` without measure, design, effect, low and high.
    single : effects on single customers: customer, rule, measure, design, effect, low, high; see `calibrated`.
    averages : what a rule changed on average, by rule; one that is not identified is no evidence.
    measures : what the averages are counted in, `spend` where not given.
    assumed : ranges, by rule; `UNMEASURED` where nothing is given.
    """
    rules = candidates["rule"].unique()
    by_rule = {rule: _of_rule(str(rule), averages or {}, measures or {}, assumed or {}) for rule in rules}
    told = pd.DataFrame.from_dict(by_rule, orient="index", columns=["measure", "design", "effect", "low", "high"])
    filled = candidates.join(told, on="rule")
    if single is None:
        return filled
    known = candidates[["customer", "rule"]].merge(single, on=["customer", "rule"], how="left", validate="m:1")
    there = known["effect"].notna().to_numpy()
    return filled.assign(**{name: np.where(there, known[name], filled[name]) for name in told})


def calibrated(predicted: FloatArray, centre: float, mean: Interval, slope: Interval) -> pd.DataFrame:
    """Effects on single customers as far as they have proved true: columns effect, low, high.

    Predictions of a learner are put on the line of realised on predicted effects, mean + slope × (predicted − centre),
    whose errors are told; the slope is kept between 0 and 1. What lies off the line is not in the interval.

    Parameters
    ----------
    predicted : of the customers to choose from, see `uplift.Uplift.predict`; shape (n,).
    centre : mean of the predictions of those learned from.
    mean : effect on all of those, see `responders.Responders`.
    slope : see `heterogeneity.Heterogeneity`; not a number where all were predicted the same.

    Examples
    --------
    >>> line = calibrated(np.array([1.0, 5.0]), 3.0, Interval(2.0, 1.0, 3.0), Interval(0.5, 0.5, 0.5))
    >>> line.to_numpy().tolist()
    [[1.0, 0.0, 2.0], [3.0, 2.0, 4.0]]
    """
    away = np.asarray(predicted, dtype="float64") - centre
    steep = float(np.clip(slope.estimate, 0.0, 1.0)) if np.isfinite(slope.estimate) else 0.0
    spread = (slope.high - slope.low) / 2 if np.isfinite(slope.estimate) else 0.0
    effect = mean.estimate + steep * away
    half = np.hypot((mean.high - mean.low) / 2, spread * away)
    return pd.DataFrame({"effect": effect, "low": effect - half, "high": effect + half})


def valued(candidates: pd.DataFrame, how: How = "estimate") -> pd.DataFrame:
    """Candidates with what each is expected to be worth.

    What is expected is a mean, so the effect counts as estimated, not by the end of its interval: who is uncertain is
    not worth less. `shrunk` draws single effects towards the mean of their rule by how much of their spread is error
    (empirical Bayes; DerSimonian & Laird 1986, Controlled Clinical Trials 7, 177-188). It earns most where each
    customer's error is the customer's own and they differ in size, for then the highest estimates are mostly the
    luckiest. It earns far less with the effects of `calibrated`, which were held back when they were learned and share
    the error of one line: taken as errors of their own, they would make all customers alike. `lower` mostly earns less,
    but may earn more where no budget binds. See the tests.

    Parameters
    ----------
    candidates : `COLUMNS`, and buys_anyway if known: nobody can be made to buy who does so anyway, so that an effect on
        buying is at most the rest.
    how : `estimate` (as given), `shrunk`, or `lower` (the lower end of the interval counts as the effect).

    Returns
    -------
    The same rows in order of customer and rule, effect, low and high as counted, and cost, value, value_low,
    value_high: money, expected.

    Raises
    ------
    DataError
        If a column is missing or not a number, or a customer has two rows for one rule.
    """
    _check(candidates)
    rows = candidates.sort_values(["customer", "rule"], ignore_index=True)
    effect, low, high = (rows[name].to_numpy("float64") for name in ("effect", "low", "high"))
    if how == "shrunk":
        effect, low, high = _shrunk(effect, low, high, pd.factorize(rows["rule"])[0], rows["design"] == "assumed")
    elif how == "lower":
        effect = low
    if "buys_anyway" in rows:
        rest = np.where(rows["measure"] == "buying", 1 - rows["buys_anyway"].to_numpy("float64"), np.inf)
        rest = np.where(np.isnan(rest), np.inf, rest)
        effect, low, high = (np.minimum(each, rest) for each in (effect, low, high))
    worth, cost = rows["worth"].to_numpy("float64"), (rows["redemption"] * rows["reward"] + rows["contact"]).to_numpy()
    return rows.assign(
        effect=effect, low=low, high=high, cost=cost,
        value=effect * worth - cost, value_low=low * worth - cost, value_high=high * worth - cost,
    )  # fmt: skip


def evidence(values: pd.DataFrame) -> pd.DataFrame:
    """What the values rest on, one row a rule, measure and design, in order: customers, effect, low, high (means).

    Rows whose design is `assumed` are to be printed as assumptions.
    """
    grouped = values.groupby(["rule", "measure", "design"], sort=True)
    told = grouped.agg(
        customers=("customer", "nunique"), effect=("effect", "mean"), low=("low", "mean"), high=("high", "mean")
    )
    return told.reset_index()


def _of_rule(
    rule: str, averages: Mapping[str, Effect], measures: Mapping[str, Measure], assumed: Mapping[str, Assumed]
) -> tuple[str, str, float, float, float]:
    found = averages.get(rule)
    if found is not None and found.identified:
        ends = found.found
        return measures.get(rule, "spend"), found.design, ends.estimate, ends.low, ends.high
    said = assumed.get(rule, UNMEASURED)
    return said.measure, "assumed", (said.low + said.high) / 2, said.low, said.high


def _shrunk(
    effect: FloatArray, low: FloatArray, high: FloatArray, rule: FloatArray, assumed: pd.Series
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Estimates drawn towards the mean of their rule, with the interval of what is left."""
    shrunk, error = effect.copy(), (high - low) / (2 * QUANTILE)
    left = error.copy()
    for number in np.unique(rule):
        rows = np.flatnonzero((rule == number) & ~assumed.to_numpy())
        single, noise = effect[rows], error[rows] ** 2
        if not len(rows) or np.ptp(single) <= 1e-12 * np.abs(single).max():
            continue
        spread = _spread(single, noise)
        weight = 1 / np.maximum(spread + noise, 1e-300)
        kept = np.where(noise > 0, spread * weight, 1.0)
        mean = float(weight @ single / weight.sum())
        shrunk[rows] = mean + kept * (single - mean)
        left[rows] = np.sqrt(kept * noise + (1 - kept) ** 2 / weight.sum())
    same = left == error
    half = QUANTILE * left
    return shrunk, np.where(same, low, shrunk - half), np.where(same, high, shrunk + half)


def _spread(single: FloatArray, noise: FloatArray) -> float:
    """Variance of the true effects: what the estimates vary by beyond their errors, by the method of moments."""
    if not noise.all():
        return max(float(single.var() - noise.mean()), 0.0)
    weight = 1 / noise
    total, mean = weight.sum(), weight @ single / weight.sum()
    beyond = weight @ (single - mean) ** 2 - (len(single) - 1)
    return max(float(beyond / (total - (weight**2).sum() / total)), 0.0)


def _check(candidates: pd.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in candidates]
    if missing:
        raise DataError(f"candidates: expected the columns {', '.join(COLUMNS)}; missing are {', '.join(missing)}")
    for name in (*KEYS, "measure", "design"):
        if candidates[name].isna().any():
            raise DataError(f"candidates: {name} is missing in {int(candidates[name].isna().sum())} rows")
    for name in NUMBERS:
        values = candidates[name].to_numpy("float64")
        least = 0.0 if name in NEVER_NEGATIVE else -np.inf
        wrong = ~np.isfinite(values) | (values < least)
        if name == "redemption":
            wrong |= (values < 0) | (values > 1)
        if wrong.any():
            expected = {"redemption": "a probability"}.get(name, "a number of at least 0" if least == 0 else "a number")
            raise DataError(
                f"candidates: {name}: expected {expected}, found {values[wrong][0]} ({int(wrong.sum())} rows)"
            )
    if candidates.duplicated(["customer", "rule"]).any():
        twice = int(candidates.duplicated(["customer", "rule"]).sum())
        raise DataError(f"candidates: expected one row a customer and rule, found {twice} more")
    each = candidates[["customer", "segment"]].drop_duplicates()
    if each["customer"].duplicated().any():
        several = int(each["customer"].duplicated().sum())
        raise DataError(f"candidates: expected one segment a customer, found more for {several} customers")
