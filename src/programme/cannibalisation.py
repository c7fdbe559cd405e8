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

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from ..errors import DataError
from .effect import LEVEL, Design, Interval
from .panel import BoolArray, FloatArray

PARTS = ("incremental", "pulled_forward", "subsidised")
DRAWS = 20_000
AFTER = 4
"""Weeks after a campaign in which a dip is looked for, at least."""
NONE_AFTER = "No week after the campaign is seen, so sales that were pulled forward cannot be told from others."


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


class Caused(NamedTuple):
    """Sales that a campaign, or several, caused among all who were treated.

    Attributes
    ----------
    during, after : in the weeks of the campaign and in those after it that are seen, money.
    covariance : of the errors of the two, money squared, shape (2, 2). The redeemed sales are these customers' own, so
        the error is that of what they would have bought without the campaign.
    weeks_after : that are seen; of several campaigns the fewest.
    """

    during: float
    after: float
    covariance: FloatArray
    weeks_after: int


def weeks_of(days: int) -> int:
    """Weeks that hold all days of a campaign.

    Examples
    --------
    >>> weeks_of(28), weeks_of(29)
    (4, 5)
    """
    return -(-days // 7)


def split(
    weekly: pd.DataFrame,
    covariance: FloatArray,
    *,
    what: str,
    design: Design,
    redeemed: float,
    treated: int,
    weeks_during: int,
    measured: int | None = None,
) -> Cannibalisation:
    """Split the redeemed sales of a campaign by its effects by week.

    Parameters
    ----------
    weekly : week (0 is the first of the campaign) and estimate, the effect on sales in it, money for each customer
        treated, as `weekly_differences` has them.
    covariance : of the estimates, in the order of the rows.
    what, design : of the campaign, and how the effects were found.
    redeemed : sales with its coupons, by those treated, money; counted as the sales of the effects are, net of
        discounts or not.
    treated : customers who got the campaign.
    weeks_during : all weeks in which it ran, see `weeks_of`, for the coupons of all of them are in `redeemed`; later
        weeks of the table are read as after it.
    measured : customers treated on whom the effects were measured; all if None.

    Returns
    -------
    See `divided`; refused too where an effect is not known, or no week after the campaign is seen.

    Raises
    ------
    DataError : money below zero or not a number, weeks that occur twice, or a covariance that does not fit.
    """
    _check(weekly, covariance)
    week = weekly["week"].to_numpy()
    if why := _unknown(weekly, weeks_during):
        return Cannibalisation(what, design, float(redeemed), int(treated), refusals=why)
    sums = treated * np.stack([week < weeks_during, week >= weeks_during]).astype(np.float64)
    during, after = sums @ weekly["estimate"].to_numpy(dtype=np.float64)
    seen = int(week.max()) + 1 - weeks_during
    caused = Caused(float(during), float(after), sums @ covariance @ sums.T, seen)
    return divided(caused, what=what, design=design, redeemed=redeemed, treated=treated, measured=measured)


def divided(
    caused: Caused,
    *,
    what: str,
    design: Design,
    redeemed: float,
    treated: int,
    measured: int | None = None,
    seed: int = 0,
) -> Cannibalisation:
    """Split redeemed sales by the sales that were caused; see `split`.

    Returns
    -------
    With refusals instead of a split where nobody was treated or nothing was redeemed. Intervals hold 90 %.
    """
    if not (np.isfinite(redeemed) and redeemed >= 0):
        raise DataError(f"redeemed: expected sales with a coupon of 0 or more, found {redeemed!r}")
    blank = Cannibalisation(what, design, float(redeemed), int(treated))
    if why := _refusals(redeemed, treated):
        return replace(blank, refusals=why)
    effects = np.array([caused.during, caused.after])
    drawn = _drawn(effects, caused.covariance, seed)
    read, every = _parts(effects[None, :], redeemed), _parts(drawn, redeemed)
    incremental, pulled_forward, subsidised = (_interval(read[0, n], every[:, n]) for n in range(len(PARTS)))
    return replace(
        blank,
        incremental=incremental,
        pulled_forward=pulled_forward,
        subsidised=subsidised,
        bounds=_bounds(caused.during, caused.after, redeemed),
        notes=_notes(caused.weeks_after, treated, treated if measured is None else measured),
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
    estimates = there.mean(axis=0) - others.mean(axis=0)
    return pd.DataFrame({"week": np.arange(estimates.size), "estimate": estimates}), covariance


def _check(weekly: pd.DataFrame, covariance: FloatArray) -> None:
    if weekly["week"].duplicated().any():
        raise DataError(f"weekly: expected each week once, found {list(weekly['week'])}")
    rows = len(weekly)
    if not (covariance.shape == (rows, rows) and np.isfinite(covariance).all()):
        raise DataError(f"covariance: expected numbers of shape {(rows, rows)}, found shape {covariance.shape}")


def _unknown(weekly: pd.DataFrame, weeks_during: int) -> tuple[str, ...]:
    last = int(weekly["week"].max()) if len(weekly) else -1
    unknown = weekly["week"][weekly["estimate"].isna()].tolist()
    absent = sorted(set(range(last + 1)) - set(weekly["week"]))
    said = {
        NONE_AFTER: weeks_during < 1 or last < weeks_during,
        f"The effect is not known in weeks {sorted({*absent, *unknown})}.": bool(absent or unknown),
    }
    return tuple(sentence for sentence, holds in said.items() if holds)


def _refusals(redeemed: float, treated: int) -> tuple[str, ...]:
    said = {
        "Nobody was treated.": treated <= 0,
        "Nothing was redeemed, so there is nothing to split.": redeemed == 0,
    }
    return tuple(sentence for sentence, holds in said.items() if holds)


def _drawn(effects: FloatArray, covariance: FloatArray, seed: int) -> FloatArray:
    """Sales caused during and after, shape (draws, 2), as far as their error leaves them open."""
    # A covariance by the way it is made; rounding may leave it a hair from symmetric.
    drawn = np.random.default_rng(seed).multivariate_normal(
        effects, (covariance + covariance.T) / 2, DRAWS, method="eigh", check_valid="ignore"
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


def _notes(weeks_after: int, treated: int, measured: int) -> tuple[str, ...]:
    said = {
        f"Sales pulled forward from later than {weeks_after} weeks after the campaign are not seen, and count as "
        "incremental.": True,
        f"The effects were measured on {measured:,} of the {treated:,} customers treated; the others are taken to have "
        "responded as they did.": measured != treated,
    }
    return tuple(sentence for sentence, holds in said.items() if holds)
