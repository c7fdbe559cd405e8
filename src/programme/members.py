r"""What joining the programme changed, beside how members and others differ as they are.

Better customers join, so that members bought more before they joined. Each week is an experiment of its own: those who
joined in it, against customers of the same week who had not joined by the end of the outcome. With H days to a window,

.. math:: \Delta = Y[\text{the H days after that week}] - Y[\text{the H days before it}]

is compared after the others are weighted until they are like those who joined in what they did in the windows before
these two, in the days since their first purchase, and in the part of the year (`matching.match`). The estimator is the
doubly robust difference-in-differences of Sant'Anna & Zhao (2020), Journal of Econometrics 219 (1), 101-122, with not
yet members as controls (Callaway & Sant'Anna 2021, Journal of Econometrics 225 (2), 200-230), see
`event_study.estimate`. The window that is subtracted is not matched on: matching on a noisy level and subtracting it
again would bring back the difference that it hides (Daw & Hatfield 2018, Health Services Research 53 (6), 4138-4156).
What is left between the groups may thus be a lasting difference, but not one that begins with joining. The placebo is
the same comparison one window earlier, when nobody had joined.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError, RefusedError
from ..features.columns import Tables
from ..features.sample import last_mark, tables_up_to
from ..features.windows import before
from .effect import Effect, Interval, Placebo, said
from .event_study import Estimates, estimate
from .joining import PAST, comparison, counts
from .matching import FEWEST, match
from .panel import BoolArray, FloatArray

BLOCKS = 12
"""Parts of the log within which those who joined and the others are as many, at most."""
REJECTED = 1.959963984540054
"""Standard errors from which a placebo fails: chance does that 5 times in 100."""

OUTCOMES = {
    "repurchased": "Bought on two days or more",
    "churned": "Bought nothing",
    "spend": "Spend",
    "value": "Margin",
}
ASSUMPTIONS = (
    "Had they not joined, members would have changed from the window before to the window after as customers did who "
    "bought alike earlier and had not joined.",
    "Nobody joined because of a purchase that was still to come.",
    "One customer's membership changes nothing for another.",
)
ALONE = "Hardly anyone who did not join is like those who did, in what was bought before."
APART = "So members and others did not go the same way before."
NOTHING = Interval(np.nan, np.nan, np.nan)


def against_others(
    tables: Tables,
    as_of: date,
    horizon_days: int,
    *,
    currency: str,
    margin: float | None = None,
    annual_discount_rate: float = 0.0,
    most: int = 100_000,
) -> dict[str, Effect]:
    """Effect of joining on those who joined, by outcome; see `effects`.

    Parameters
    ----------
    tables : with purchase days and customers.
    as_of : first day that is not known. Who joins from it on is not yet a member.
    horizon_days : H, length of a window.
    currency : of the unit.
    margin : share of spend that is left after the cost of goods; without it there is no outcome `value`.
    annual_discount_rate : for `value`.
    most : customers; of more, a sample that is the same in every run.

    Raises
    ------
    DataError : the dataset does not say when customers joined.
    """
    known = before(tables.days, as_of).select("customer").distinct()
    cut = tables_up_to(tables, last_mark(known, most))
    frame = comparison(cut, as_of, horizon_days).to_pandas()
    (seen,) = counts(tables, as_of, horizon_days).to_pyarrow().to_pylist()
    found = effects(frame, horizon_days, currency=currency, margin=margin, annual_discount_rate=annual_discount_rate)
    return {name: _told(effect, seen, horizon_days) for name, effect in found.items()}


def effects(
    frame: pd.DataFrame,
    horizon_days: int,
    *,
    currency: str,
    margin: float | None = None,
    annual_discount_rate: float = 0.0,
) -> dict[str, Effect]:
    """Effect of joining on those who joined, by outcome, from the rows of `comparison`.

    Where most who joined bought in the week in which they did, as at a till, they are held against others who bought in
    that week, for to buy is to be still a customer.

    Returns
    -------
    repurchased : share who bought on two days or more of the window, as the repurchase rate counts it
    churned : share who bought nothing in it
    spend : money net of returns in it, a customer
    value : margin on that, discounted as if spent evenly; where a margin is given

    `raw` is the difference between the two groups in the window after, as they are. All are refused together where the
    groups are too small or too different, and one by one where the placebo fails.

    Raises
    ------
    DataError : a column is missing or not a number.
    """
    rows = _rows(frame)
    blank = _blank(rows, horizon_days, currency)
    factor = None if margin is None else margin * _discount(annual_discount_rate, horizon_days)
    if reasons := _too_few(rows):
        return _with_value({name: each.refused(*reasons) for name, each in blank.items()}, factor)
    rows, notes = _comparable(rows)
    try:
        found, overlap = _difference(rows, ("_2", "_3"), "_1", "_after")
    except RefusedError:
        return _with_value({name: each.refused(ALONE) for name, each in blank.items()}, factor)
    raw, placebo = _raw(rows), _placebo(rows)
    told = {}
    for at, (name, effect) in enumerate(blank.items()):
        effect = replace(
            effect,
            found=found.interval(at),
            standard_error=float(found.errors[at]),
            overlap=overlap,
            raw=raw.interval(at),
            notes=notes if placebo else (*notes, "The log is too short for a placebo."),
        )
        told[name] = _judged(effect, None if placebo is None else (placebo.interval(at), float(placebo.errors[at])))
    return _with_value(told, factor)


def _rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in an order of their own, joined in the weeks of those who joined."""
    numbers = ["tenure", *(f"{kind}{name}" for kind in ("spend", "days") for name in ("_3", "_2", "_1", "_after"))]
    if lacking := {"customer", "week", "joins", "visited", *numbers} - set(frame.columns):
        raise DataError(f"members: expected the columns of `comparison`, {sorted(lacking)} missing")
    if wrong := int((~np.isfinite(frame[numbers].to_numpy(np.float64, na_value=np.nan))).any(axis=1).sum()):
        raise DataError(f"members: {wrong:,} rows hold something that is not a number; who bought nothing has 0")
    return frame.sort_values(["customer", "week"], ignore_index=True)


def _blank(rows: pd.DataFrame, horizon_days: int, currency: str) -> dict[str, Effect]:
    units = dict.fromkeys(OUTCOMES, f"{currency} a customer") | dict.fromkeys(("repurchased", "churned"), "share")
    joins = rows["joins"].to_numpy(bool)
    return {
        name: Effect(
            what=f"{OUTCOMES[name]} in the {horizon_days} days after the week of joining",
            design="difference-in-differences",
            estimand="Mean over those who joined of what joining changed, in the same days.",
            unit=units[name],
            found=NOTHING,
            standard_error=np.nan,
            treated=int(joins.sum()),
            control=int(rows["customer"][~joins].nunique()),
            assumptions=ASSUMPTIONS,
        )
        for name in ("repurchased", "churned", "spend")
    }


def _too_few(rows: pd.DataFrame) -> tuple[str, ...]:
    joins = rows["joins"].to_numpy(bool)
    sizes = {"joined": int(joins.sum()), "did not join": int(rows["customer"][~joins].nunique())}
    return tuple(
        f"{size} customers who {name} have a past to compare and a window after it; at least {FEWEST} are needed."
        for name, size in sizes.items()
        if size < FEWEST
    )


def _comparable(rows: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rows of weeks in which somebody joined, and where joining goes with buying only of those who bought."""
    joins = rows["joins"].to_numpy(bool)
    here = rows["week"].between(rows["week"][joins].min(), rows["week"][joins].max()).to_numpy()
    visited = rows["visited"].to_numpy(bool)
    share = visited[joins].mean()
    if share <= 0.5:
        return rows[here].reset_index(drop=True), ()
    note = (
        f"{100 * share:.0f} % of those who joined bought in that week: they are held against others who bought in the "
        "same week, and the rest are left out."
    )
    return rows[here & visited].reset_index(drop=True), (note,)


def _difference(rows: pd.DataFrame, matched: tuple[str, ...], base: str, after: str) -> tuple[Estimates, Any]:
    """Effects by outcome, errors clustered by customer, and the overlap."""
    joins = rows["joins"].to_numpy(bool)
    found = match(_features(rows, matched, joins), joins)
    change = (_outcomes(rows, after) - _outcomes(rows, base))[found.rows]
    each = estimate(found, change)
    return _clustered(rows["customer"].iloc[found.rows], each), found.overlap


def _features(rows: pd.DataFrame, windows: tuple[str, ...], joins: BoolArray) -> FloatArray:
    columns = [np.log(rows["tenure"].to_numpy(np.float64) + 1)]
    for name in windows:
        spend, days = (rows[kind + name].to_numpy(np.float64) for kind in ("spend", "days"))
        columns += [days, np.log1p(days), spend, np.log1p(np.maximum(spend, 0))]
    week = rows["week"].to_numpy(np.float64)
    blocks = max(min(BLOCKS, int(joins.sum()) // FEWEST), 1)
    edges = np.unique(np.quantile(week[joins], np.linspace(0, 1, blocks + 1)[1:-1]))
    block = np.searchsorted(edges, week, side="right")
    return np.column_stack([*columns, *(block == n for n in range(1, edges.size + 1))]).astype(np.float64)


def _outcomes(rows: pd.DataFrame, window: str) -> FloatArray:
    """Shape (rows, outcomes), in the order of `OUTCOMES`, without value."""
    days, spend = rows["days" + window].to_numpy(), rows["spend" + window].to_numpy(np.float64)
    return np.column_stack([days > 1, days == 0, spend]).astype(np.float64)


def _clustered(customers: pd.Series, each: Estimates) -> Estimates:
    """The same with one influence a customer, who may have been looked at in several weeks."""
    codes, seen = pd.factorize(customers)
    influence = np.zeros((len(seen), each.values.size))
    np.add.at(influence, codes, each.influence)
    return Estimates(each.values, influence)


def _raw(rows: pd.DataFrame) -> Estimates:
    """Differences in the window after, as they are."""
    joins, after = rows["joins"].to_numpy(bool)[:, None], _outcomes(rows, "_after")
    means = [after[side[:, 0]].mean(axis=0) for side in (joins, ~joins)]
    influence = np.where(joins, (after - means[0]) / joins.sum(), (means[1] - after) / (~joins).sum())
    return _clustered(rows["customer"], Estimates(means[0] - means[1], influence))


def _placebo(rows: pd.DataFrame) -> Estimates | None:
    """The same one window earlier; None where nobody is like those who joined in the one window that is left."""
    try:
        return _difference(rows, ("_3",), "_2", "_1")[0]
    except RefusedError:
        return None


def _judged(effect: Effect, placebo: tuple[Interval, float] | None) -> Effect:
    """The effect with its placebo, refused where that fails or nothing varies."""
    if not effect.standard_error > 0:
        return effect.refused("The outcome is the same for everyone: nothing is known of its error.")
    if placebo is None:
        return effect
    found, error = placebo
    told = _placebo_told(found, bool(abs(found.estimate) <= REJECTED * error))
    effect = replace(effect, placebos=(told,))
    return effect if told.passed else effect.refused(f"{told.reading} {APART}")


def _placebo_told(found: Interval, passed: bool) -> Placebo:
    chance = "as chance allows." if passed else "more than chance allows 19 times in 20."
    interval = f"{said(found.estimate)} ({said(found.low)} to {said(found.high)})"
    reading = f"Before they joined, the same method finds {interval}, {chance}"
    return Placebo("one window earlier, before anyone joined", found, passed, reading)


def _with_value(told: dict[str, Effect], factor: float | None) -> dict[str, Effect]:
    """The effects with that on the margin, which is a fixed share of that on spend; without it where that is None."""
    if factor is None:
        return told
    spend = told["spend"]
    placebos = tuple(_placebo_told(each.found.times(factor), each.passed) for each in spend.placebos)
    failed = tuple(f"{each.reading} {APART}" for each in placebos if not each.passed)
    value = replace(
        spend,
        what=spend.what.replace(OUTCOMES["spend"], OUTCOMES["value"]),
        found=spend.found.times(factor),
        standard_error=spend.standard_error * factor,
        raw=None if spend.raw is None else spend.raw.times(factor),
        placebos=placebos,
        refusals=failed or spend.refusals,
        notes=(*spend.notes, f"{said(factor)} of spend: the margin, discounted as if it were spent evenly."),
    )
    return told | {"value": value}


def _discount(annual_rate: float, days: int) -> float:
    """Mean of (1 + rate)^(-t / 365) over the days of a window."""
    return float(((1 + annual_rate) ** (-(np.arange(days) + 0.5) / 365)).mean())


def _told(effect: Effect, seen: dict[str, int], horizon_days: int) -> Effect:
    """The effect with what is known of everybody's joining."""
    members, past = seen["members"], PAST * horizon_days
    reasons = {
        "Nobody has joined by this date.": members == 0,
        "Every customer is a member: there is nobody to compare with.": 0 < members == seen["customers"],
        f"Nobody who joined was known for {past} days before: what they would have done is not to be told.": (
            members > 0 and seen["with_past"] == 0
        ),
    }
    notes = {
        f"{seen['at_first']:,} of {members:,} members joined with their first purchase or before, and "
        f"{members - seen['at_first'] - seen['with_past']:,} others within {past} days of it: nothing is said of "
        "them.": members > seen["with_past"],
        f"{seen['later']:,} customers have a date of joining that is not known yet: they count as not joined.": (
            seen["later"] > 0
        ),
    }
    effect = replace(effect, notes=(*effect.notes, *(note for note, holds in notes.items() if holds)))
    why = tuple(reason for reason, holds in reasons.items() if holds)
    return replace(effect.refused(), refusals=(*why, *effect.refusals)) if why else effect
