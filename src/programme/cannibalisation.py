"""Sales with a coupon, split into what the campaign added, what it took from later weeks, and what it gave away.

Let R be the sales of a campaign's coupons, L the sales caused in the weeks of the campaign, and A those caused in the
weeks after it, of all who were treated; A is below zero where there is a dip. Then

    subsidised     = R - L    would have been bought in these weeks anyway,
    pulled forward = -A       would have been bought in the weeks after,
    incremental    = L + A    would not have been bought at all,

and the three add up to R: the decomposition of van Heerde, Leeflang & Wittink (2004, Marketing Science 23, 317-334) in
time alone. It reads L as sales with the coupon: what the campaign sold without one would count as incremental, and what
it took from other products of the same customer is already taken off. L and A are effects; the split is no better
identified than they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from ..errors import DataError
from .effect import LEVEL, Design, Interval
from .event_study import estimate, residuals
from .matching import Match
from .panel import BoolArray, FloatArray

PARTS = ("incremental", "pulled_forward", "subsidised")
DRAWS = 20_000


@dataclass(frozen=True)
class Cannibalisation:
    """What the sales with a coupon were.

    Attributes
    ----------
    what : the campaign.
    design : of the weekly effects.
    redeemed : sales with its coupons, money.
    customers : treated.
    incremental, pulled_forward, subsidised : money. The estimates add up to `redeemed`, and none lies below zero; None
        where there is no split. The intervals do not add up, for when one part is larger another is smaller.
    bounds : where the effects alone would leave the range of 0 to `redeemed`, and how it was read, in sentences.
    refusals : why there is no split; empty if there is one.
    notes : what else a reader must know, in sentences.
    """

    what: str
    design: Design
    redeemed: float
    customers: int
    incremental: Interval | None = None
    pulled_forward: Interval | None = None
    subsidised: Interval | None = None
    bounds: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def identified(self) -> bool:
        """Whether there is a split."""
        return not self.refusals

    def frame(self) -> pd.DataFrame:
        """part, estimate, low, high (money), share, share_low, share_high (of the redeemed sales); empty if refused."""
        rows = []
        for part in PARTS:
            found: Interval | None = getattr(self, part)
            if found is None:
                continue
            share = found.times(1 / self.redeemed)
            rows.append((part, found.estimate, found.low, found.high, share.estimate, share.low, share.high))
        columns = ["part", "estimate", "low", "high", "share", "share_low", "share_high"]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote, also after a detour through JSON."""
        parts = {part: Interval(**said[part]) if said[part] else None for part in PARTS}
        tuples = {name: tuple(said[name]) for name in ("bounds", "refusals", "notes")}
        return cls(**{**said, **parts, **tuples})


def split(
    weekly: pd.DataFrame,
    *,
    what: str,
    design: Design,
    redeemed: float,
    treated: int,
    weeks_during: int,
    covariance: FloatArray | None = None,
    draws: FloatArray | None = None,
    refusals: Sequence[str] = (),
    seed: int = 0,
) -> Cannibalisation:
    """Split the redeemed sales of a campaign.

    Parameters
    ----------
    weekly : week (0 is the first of the campaign; earlier ones are not used) and estimate, the effect on sales in it,
        money for each customer treated, as `event_study.by_week` has them; and standard_error, where neither a
        covariance nor draws are given.
    what, design : of the campaign, and how the effects were found.
    redeemed : sales with its coupons, by those treated, money; counted as the sales of the effects are, net of
        discounts or not.
    treated : customers who got the campaign.
    weeks_during : weeks in which it raises sales; all later ones of the table are read as after it.
    covariance : of the estimates, in the order of the rows. Without it, and without draws, the errors of all weeks are
        taken to go the same way, which is the widest that the error of a sum can be.
    draws : of the effects, shape (draws, rows); instead of a covariance.
    refusals : why the effects are not identified, where they are not.
    seed : of the draws.

    Returns
    -------
    With refusals instead of a split where the effects are not identified or not known, nobody was treated, nothing was
    redeemed, or no week after the campaign is seen. Intervals hold 90 %. The
    redeemed sales are these customers' own, so the error is that of what they would have bought without the campaign:
    the covariances of `weekly_differences` and `weekly_matched`. That of an effect on all customers like them is wider
    for the subsidised part than it need be.

    Raises
    ------
    DataError : money below zero or not a number, weeks that occur twice, or a covariance or draws that do not fit.
    """
    _check(weekly, redeemed, covariance, draws)
    blank = Cannibalisation(what, design, float(redeemed), int(treated))
    if why := (*refusals, *_refusals(weekly, redeemed, treated, weeks_during)):
        return replace(blank, refusals=why)
    week = weekly["week"].to_numpy()
    sums = treated * np.stack([(week >= 0) & (week < weeks_during), week >= weeks_during])
    effects = sums @ np.nan_to_num(weekly["estimate"].to_numpy(dtype=np.float64))
    drawn = _drawn(weekly, sums, effects, covariance, seed) if draws is None else draws @ sums.T
    read, every = _parts(effects[None, :], redeemed), _parts(drawn, redeemed)
    incremental, pulled_forward, subsidised = (_interval(read[0, n], every[:, n]) for n in range(len(PARTS)))
    return replace(
        blank,
        incremental=incremental,
        pulled_forward=pulled_forward,
        subsidised=subsidised,
        bounds=_bounds(float(effects[0]), float(effects[1]), redeemed),
        notes=_notes(week, weeks_during, covariance is None and draws is None),
    )


def weekly_differences(spend: FloatArray, treated: BoolArray) -> tuple[pd.DataFrame, FloatArray]:
    """What a randomised campaign changed for those treated, by week: they less those held out.

    Parameters
    ----------
    spend : money, shape (customers, weeks), from the first week of the campaign on. Less noisy where it is adjusted for
        what was spent before.
    treated : whether each customer was, shape (customers,); at least one treated, and two held out.

    Returns
    -------
    week and estimate, and the covariance of their errors, shape (weeks, weeks), as `split` takes them. What the treated
    would have bought varies as what the others did: the covariance is theirs, times 1 / treated + 1 / held out.

    Raises
    ------
    DataError : a side has fewer customers than that.
    """
    there, others = spend[treated], spend[~treated]
    if len(there) < 1 or len(others) < 2:
        raise DataError(
            f"treated: expected at least one customer treated and two held out, found {len(there)} and {len(others)}"
        )
    covariance = np.atleast_2d(np.cov(others, rowvar=False)) * (1 / len(there) + 1 / len(others))
    return _table(there.mean(axis=0) - others.mean(axis=0)), covariance


def weekly_matched(match: Match, spend: FloatArray) -> tuple[pd.DataFrame, FloatArray]:
    """What a campaign changed for those treated, by week, where others were matched to them; see `weekly_differences`.

    Parameters
    ----------
    match : n customers.
    spend : theirs, money, shape (n, weeks), from the first week of the campaign on.
    """
    found = estimate(match, spend)
    left, _ = residuals(match, spend)
    influence = found.influence[~match.treated]
    own = (left * match.weights[:, None]).T @ left / match.treated.sum()
    return _table(found.values), influence.T @ influence + own


def _table(estimates: FloatArray) -> pd.DataFrame:
    return pd.DataFrame({"week": np.arange(estimates.size), "estimate": estimates})


def _check(weekly: pd.DataFrame, redeemed: float, covariance: FloatArray | None, draws: FloatArray | None) -> None:
    if not (np.isfinite(redeemed) and redeemed >= 0):
        raise DataError(f"redeemed: expected sales with a coupon of 0 or more, found {redeemed!r}")
    if weekly["week"].duplicated().any():
        raise DataError(f"weekly: expected each week once, found {list(weekly['week'])}")
    if covariance is None and draws is None:
        used = weekly[weekly["week"] >= 0]
        if "standard_error" not in used or not (used["standard_error"] >= 0).all():
            raise DataError("weekly.standard_error: expected 0 or more in every week, or a covariance or draws")
    rows = len(weekly)
    if covariance is not None and not (covariance.shape == (rows, rows) and np.isfinite(covariance).all()):
        raise DataError(f"covariance: expected numbers of shape {(rows, rows)}, found shape {covariance.shape}")
    if draws is not None and not (draws.shape == (len(draws), rows) and np.isfinite(draws).all()):
        raise DataError(f"draws: expected numbers in {rows} columns, one for each week, found shape {draws.shape}")


def _refusals(weekly: pd.DataFrame, redeemed: float, treated: int, weeks_during: int) -> tuple[str, ...]:
    used = weekly[weekly["week"] >= 0]
    last = int(used["week"].max()) if len(used) else -1
    unknown = used["week"][used["estimate"].isna()].tolist()
    absent = sorted(set(range(last + 1)) - set(used["week"]))
    said = {
        "Nobody was treated.": treated <= 0,
        "Nothing was redeemed, so there is nothing to split.": redeemed == 0,
        "No week after the campaign is seen, so sales that were pulled forward cannot be told from others.": (
            weeks_during < 1 or last < weeks_during
        ),
        f"The effect is not known in weeks {sorted({*absent, *unknown})}.": bool(absent or unknown),
    }
    return tuple(sentence for sentence, holds in said.items() if holds)


def _drawn(
    weekly: pd.DataFrame, sums: FloatArray, effects: FloatArray, covariance: FloatArray | None, seed: int
) -> FloatArray:
    """Sales caused during and after, shape (draws, 2), as far as the error of the weekly effects leaves them open."""
    if covariance is None:
        errors = np.nan_to_num(weekly["standard_error"].to_numpy(dtype=np.float64))
        covariance = np.outer(errors, errors)
    spread = sums @ covariance @ sums.T
    # A covariance by the way it is made; rounding may leave it a hair from symmetric.
    drawn = np.random.default_rng(seed).multivariate_normal(
        effects, (spread + spread.T) / 2, DRAWS, method="eigh", check_valid="ignore"
    )
    return drawn


def _parts(effects: FloatArray, redeemed: float) -> FloatArray:
    """Parts in the order of `PARTS`, each at least 0 and together `redeemed`, from (during, after), shape (n, 2)."""
    lift = effects[:, 0].clip(0.0, redeemed)
    pulled = (-effects[:, 1]).clip(0.0, lift)
    return np.stack([lift - pulled, pulled, redeemed - lift], axis=1)


def _interval(estimate: float, drawn: FloatArray) -> Interval:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    # Where a bound binds, the estimate can lie at the very end of what was drawn.
    return Interval(float(estimate), float(min(low, estimate)), float(max(high, estimate)))


def _bounds(during: float, after: float, redeemed: float) -> tuple[str, ...]:
    said = {
        "The campaign caused more sales than its coupons brought: it also sold without them, and the split is of the "
        "coupons alone.": during > redeemed,
        "Sales were lower in the weeks of the campaign than without it: all of the redeemed sales are read as "
        "subsidised.": during < 0,
        "Sales stayed higher after the campaign: nothing is read as pulled forward.": after > 0,
        "The dip after the campaign is deeper than the lift in it: none of the redeemed sales is read as "
        "incremental.": during >= 0 and -after > min(during, redeemed),
    }
    return tuple(sentence for sentence, binds in said.items() if binds)


def _notes(week: FloatArray, weeks_during: int, errors_alone: bool) -> tuple[str, ...]:
    seen = int(week.max()) + 1 - weeks_during
    said = {
        f"Sales pulled forward from later than {seen} weeks after the campaign are not seen, and count as "
        "incremental.": True,
        "The errors of the weeks are taken to go the same way, for how they hang together is not known: the intervals "
        "are rather too wide.": errors_alone,
    }
    return tuple(sentence for sentence, holds in said.items() if holds)
