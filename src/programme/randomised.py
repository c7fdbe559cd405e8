"""What a campaign changed where chance decided who got it.

The customer is the unit, and everyone who was drawn is counted, whether reached or not. The number of customers in each
arm is held against the plan first: where chance cannot explain it, something else decided who is in the data, and no
effect is told (Fabijan et al. 2019, "Diagnosing sample ratio mismatch in online controlled experiments", KDD).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from ..errors import DataError
from .differences import Difference, FloatArray, covariates, cuped, holm, linearised, newcombe, welch, winsorised
from .effect import Effect, Interval, Placebo, said
from .trial import IMPOSSIBLE, Trial, refusal

LEAST = 30
"""Customers that an arm needs."""
EXTREME = 0.001
"""Share of the values at each end that the reading beside the mean holds in."""
CUSTOMERS_A_COVARIATE = 20
"""Customers of the smaller arm for each fact from before that is used."""

ASSUMPTIONS = (
    "Chance alone decided who was held out.",
    "What one customer was sent changes nothing for another.",
    "Everyone who was drawn is counted, whether the campaign reached them or not.",
)
NOTHING = Interval(np.nan, np.nan, np.nan)

Kind = Literal["mean", "ratio", "share"]


def means(trial: Trial, outcome: str, *, what: str, unit: str, before: Sequence[str] = ()) -> dict[str, Effect]:
    """Effect on the mean of an outcome, such as spend, by arm.

    Parameters
    ----------
    trial : see `Trial`.
    outcome : column; a customer who did nothing has 0.
    what, unit : see `Effect`.
    before : columns known before the campaign, the best one first; the first is also what the placebo is made of. Their
        gaps are allowed. CUPED narrows the interval with them.

    Raises
    ------
    DataError
        If a column is missing, or an outcome is.
    """
    return _effects(trial, _Asked("mean", outcome, "", what, unit, tuple(before)))


def ratios(
    trial: Trial, numerator: str, denominator: str, *, what: str, unit: str, before: Sequence[str] = ()
) -> dict[str, Effect]:
    """Effect on the ratio of two sums, such as spend an order, by arm; the error by the delta method. See `means`."""
    return _effects(trial, _Asked("ratio", numerator, denominator, what, unit, tuple(before)))


def shares(trial: Trial, outcome: str, *, what: str, before: Sequence[str] = ()) -> dict[str, Effect]:
    """Effect on the share of customers who did something, by arm: an outcome of 0 and 1, or False and True.

    The interval is Newcombe's, or with facts from before that of `means`. See there.
    """
    return _effects(trial, _Asked("share", outcome, "", what, "share of the customers", tuple(before)))


class _Asked(NamedTuple):
    """What is measured: a column, for a ratio one over another, and the columns from before."""

    kind: Kind
    outcome: str
    denominator: str
    what: str
    unit: str
    before: tuple[str, ...]

    def columns(self) -> tuple[str, ...]:
        return (self.outcome, self.denominator) if self.denominator else (self.outcome,)


def _check_values(trial: Trial, asked: _Asked) -> None:
    for name in (*asked.columns(), *asked.before):
        if name not in trial.frame:
            raise DataError(f"a campaign's customers: column {name!r} is missing; there are {list(trial.frame)}")
    for name in asked.columns():
        values = trial.frame[name].to_numpy("float64", na_value=np.nan)
        if wrong := int((~np.isfinite(values)).sum()):
            raise DataError(f"{name}: {wrong:,} customers without a number; who did nothing has 0")
        if asked.kind == "share" and not np.isin(values, (0, 1)).all():
            raise DataError(f"{name}: expected 0 or 1 for each customer, found {values[~np.isin(values, (0, 1))][0]:g}")


def _effects(trial: Trial, asked: _Asked) -> dict[str, Effect]:
    _check_values(trial, asked)
    found = {arm: _effect(trial, asked, arm) for arm in trial.arms}
    return _counted(found) if len(found) > 1 else found


def _effect(trial: Trial, asked: _Asked, arm: str) -> Effect:
    """One arm against the control group."""
    treated, control = (trial.frame[trial.frame["arm"] == name] for name in (arm, trial.control))
    effect = Effect(
        what=asked.what,
        design="randomised",
        estimand=f"Mean difference that being drawn for {arm!r} rather than held out makes to a customer of the trial.",
        unit=asked.unit,
        found=NOTHING,
        standard_error=np.nan,
        treated=len(treated),
        control=len(control),
        assumptions=ASSUMPTIONS,
        notes=() if trial.planned else ("The planned shares of the arms are not known, so they could not be checked.",),
    )
    if reasons := [*filter(None, [refusal(trial)]), *_too_little(treated, control, asked)]:
        return effect.refused(*reasons)
    return _estimated(effect, asked, treated, control)


def _too_little(treated: pd.DataFrame, control: pd.DataFrame, asked: _Asked) -> list[str]:
    """Why nothing can be said of two arms."""
    if control.empty:
        return ["Nobody was held out: there is nobody to compare with."]
    if treated.empty:
        return ["Nobody was sent anything: everyone is in the control group."]
    if (smaller := min(len(treated), len(control))) < LEAST:
        return [f"An arm has {smaller} customers; fewer than {LEAST} say nothing about its error."]
    if asked.denominator and any(arm[asked.denominator].sum() <= 0 for arm in (treated, control)):
        return [f"An arm has no {asked.denominator} at all: there is no ratio."]
    if _flat(_values(treated, asked), _values(control, asked)):
        return ["The outcome is the same for all customers of each arm: nothing is known of its error."]
    return []


def _flat(treated: FloatArray, control: FloatArray, scale: float | None = None) -> bool:
    """Whether values differ in neither arm by more than their last digits."""
    if scale is None:
        scale = max(float(np.abs(arm).max()) for arm in (treated, control))
    return all(np.ptp(arm) <= 1e-9 * scale for arm in (treated, control))


def _values(arm: pd.DataFrame, asked: _Asked) -> FloatArray:
    """One value a customer, whose mean is what is compared."""
    outcome = arm[asked.outcome].to_numpy("float64")
    return linearised(outcome, arm[asked.denominator].to_numpy("float64")) if asked.denominator else outcome


def _estimated(effect: Effect, asked: _Asked, treated: pd.DataFrame, control: pd.DataFrame) -> Effect:
    pair = _values(treated, asked), _values(control, asked)
    plain = welch(*pair)
    if asked.kind == "share":
        treated_did, control_did = ((int(arm.sum()), arm.size) for arm in pair)
        plain = plain._replace(found=newcombe(treated_did, control_did))
    best, notes = _narrowed(plain, pair, asked, treated, control)
    if asked.kind == "mean":
        notes += _held_in(pair)
    if (level := pair[1].mean()) > 0:
        share = f"{100 * best.found.estimate / level:+.1f}".replace("-", "−")
        notes += [f"The control group has {said(level)} on average; the difference is {share} % of it."]
    effect = replace(
        effect,
        found=best.found,
        standard_error=best.standard_error,
        raw=plain.found,
        notes=(*effect.notes, *notes),
    )
    return _with_placebo(effect, asked, treated, control)


def _narrowed(
    plain: Difference, pair: tuple[FloatArray, FloatArray], asked: _Asked, treated: pd.DataFrame, control: pd.DataFrame
) -> tuple[Difference, list[str]]:
    """The difference after CUPED, where there is a past to adjust for."""
    if not asked.before:
        return plain, ["Nothing from before the campaign is used: the difference is the plain one."]
    both = pd.concat([treated, control])[list(asked.before)].to_numpy("float64", na_value=np.nan)
    known = covariates(both, min(len(treated), len(control)) // CUSTOMERS_A_COVARIATE)
    if not known.shape[1]:
        return plain, [f"No customer has a past in {', '.join(asked.before)}: the difference is the plain one."]
    spread = max(float(np.abs(arm).max()) for arm in pair)
    pair = cuped(*pair, known[: len(treated)], known[len(treated) :])
    if _flat(*pair, scale=spread):
        return plain, ["The past tells the outcome without error, so it is not used: the difference is the plain one."]
    best = welch(*pair, fitted=known.shape[1])
    times = said(best.standard_error / plain.standard_error)
    notes = [f"What was known before (CUPED) makes the standard error {times} times what it would be."]
    if gaps := int(np.isnan(both).any(axis=1).sum()):
        notes += [f"{gaps:,} customers lack a part of their past; they are compared with others who do."]
    return best, notes


def _held_in(pair: tuple[FloatArray, FloatArray]) -> list[str]:
    """The plain difference without its most extreme values, where that changes any."""
    both = np.concatenate(pair)
    held = winsorised(both, EXTREME)
    treated, control = np.split(held, [pair[0].size])
    if np.array_equal(both, held) or _flat(treated, control):
        return []
    found = welch(treated, control).found
    return [
        f"With the most extreme {100 * EXTREME:.1f} % of the values at each end held in, the plain difference is "
        f"{said(found.estimate)} ({said(found.low)} to {said(found.high)})."
    ]


def _with_placebo(effect: Effect, asked: _Asked, treated: pd.DataFrame, control: pd.DataFrame) -> Effect:
    """The same comparison of the first fact from before, which the campaign cannot have changed."""
    if not asked.before:
        return effect
    name = asked.before[0]
    pair = [arm[name].dropna().to_numpy("float64") for arm in (treated, control)]
    if min(arm.size for arm in pair) < LEAST or _flat(*pair):
        return effect
    found = welch(*pair)
    passed = found.p_value >= 0.05
    reading = (
        f"Before the campaign the arms differed in {name} by {said(found.found.estimate)} "
        f"({said(found.found.low)} to {said(found.found.high)}), "
        + ("as chance allows." if passed else f"more than chance allows 19 times in 20 (p = {found.p_value:.1g}).")
    )
    effect = replace(effect, placebos=(Placebo(f"{name}, before the campaign", found.found, passed, reading),))
    if found.p_value >= IMPOSSIBLE:
        return effect
    return replace(effect.refused(f"{reading} Chance did not decide alone."), raw=None)


def _counted(effects: dict[str, Effect]) -> dict[str, Effect]:
    """Several arms against one control group: what is left of each finding, given that there are several (Holm)."""
    told = {arm: effect for arm, effect in effects.items() if effect.identified}
    p_values = [float(2 * stats.norm.sf(abs(e.found.estimate) / e.standard_error)) for e in told.values()]
    for (arm, effect), adjusted in zip(told.items(), holm(p_values), strict=True):
        note = (
            f"One of {len(told)} arms against one control group: p = {adjusted:.2g} after Holm's correction for their "
            "number; the interval is for this arm alone."
        )
        effects = effects | {arm: replace(effect, notes=(*effect.notes, note))}
    return effects
