"""Whether the customers of today are like those that a model learned from."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats

from .metrics import newcombe, wilson
from .validation import FloatArray

CELLS = 10
SOME, MUCH = 0.1, 0.25
"""From where on a population stability index is taken to matter, and to matter much (Siddiqi 2006, "Credit Risk
Scorecards"); what chance is expected to add is taken off first."""

DOUBT = 0.05
"""Chance that any feature at all is said to have moved where none has."""


class Labels(NamedTuple):
    """Whether as many leave as before.

    Attributes
    ----------
    table : index day, the oldest first; customers, left, rate with low and high (90 %).
    difference : rate of the latest day less that of the days before it.
    low, high : 90 % interval of that.
    """

    table: pd.DataFrame
    difference: float
    low: float
    high: float


def drift(origins: Sequence[pd.DataFrame], now: pd.DataFrame) -> pd.DataFrame:
    """How far each feature has moved between the dates that a model learned from and the customers that it scores.

    The population stability index (PSI) of two samples of one population is on average (cells - 1)(1/n + 1/m), and a
    chi-square of cells - 1 degrees of freedom times (1/n + 1/m) (Yurdakul 2018, "Statistical Properties of Population
    Stability Index"; Yurdakul & Naranjo 2020, Journal of Risk Model Validation 14 (4)), so that no fixed limit fits
    samples of all sizes. Of populations that differ it is a non-central one, which gives the interval.

    Parameters
    ----------
    origins : features at each date that was learned from, index customer, the same columns.
    now : features of the customers that are scored, index customer.

    Returns
    -------
    Index feature, what has moved most first; psi; low and high (90 % interval of the PSI of the populations); chance
    (its mean if nothing had moved); limit (the most that chance makes of any feature, at 5 %); usual (the largest PSI
    of one date that was learned from against the others, null if there is one date only); moved: "no", "some", "much".

    A customer who is seen at several dates counts once in n: rows of one customer are alike.
    """
    before = pd.concat(origins)
    size = 1 / (1 / max(before.index.nunique(), 1) + 1 / max(len(now), 1))
    rows = {}
    for name in now.columns:
        cells = _cells(before[name])
        counted = [_counts(origin[name], cells) for origin in origins]
        rows[str(name)] = _moved(np.sum(counted, axis=0), _counts(now[name], cells), size, now.shape[1]) | {
            "usual": _usual(counted)
        }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[*_COLUMNS]).rename_axis("feature")
    return table.sort_values("psi", ascending=False, kind="stable")


_COLUMNS = ("psi", "low", "high", "chance", "limit", "usual", "moved")


def psi(before: FloatArray, now: FloatArray) -> float:
    """Population stability index of two counts of the same cells; half a customer is added to each.

    Examples
    --------
    >>> round(psi(np.array([5000.0, 5000]), np.array([6000.0, 4000])), 4)  # .1 ln(.6 / .4)
    0.0405
    """
    p, q = (before + 0.5) / (before + 0.5).sum(), (now + 0.5) / (now + 0.5).sum()
    return float(((q - p) * np.log(q / p)).sum())


def _moved(before: FloatArray, now: FloatArray, size: float, features: int) -> dict[str, object]:
    """One row of `drift`; `size` is the harmonic size of both samples."""
    freedom = int(((before > 0) | (now > 0)).sum()) - 1
    index = psi(before, now)
    if freedom < 1:
        return dict(zip(_COLUMNS, (0.0, 0.0, 0.0, 0.0, 0.0, np.nan, "no"), strict=True))
    limit = float(stats.chi2.isf(DOUBT / features, freedom)) / size
    low, high = (_noncentrality(index * size, freedom, share) / size for share in (0.95, 0.05))
    beyond = index - freedom / size
    said = "no" if index <= limit or beyond < SOME else "some" if beyond < MUCH else "much"
    return dict(zip(_COLUMNS, (index, low, high, freedom / size, limit, np.nan, said), strict=True))


def _noncentrality(seen: float, freedom: int, share: float) -> float:
    """The non-centrality of which `seen` is exceeded by 1 - `share` of all draws; 0 if there is none."""
    if stats.chi2.cdf(seen, freedom) <= share:
        return 0.0
    return float(
        optimize.brentq(lambda middle: stats.ncx2.cdf(seen, freedom, middle) - share, 1e-9, 4 * seen + 100, xtol=1e-6)
    )


def _usual(counted: Sequence[FloatArray]) -> float:
    whole = np.sum(counted, axis=0)
    return max((psi(whole - one, one) for one in counted), default=np.nan) if len(counted) > 1 else np.nan


def _cells(values: pd.Series) -> FloatArray | list[object]:
    """Edges of cells of about equal size, or the categories."""
    if not pd.api.types.is_numeric_dtype(values):
        return list(values.dropna().astype("str").unique())
    known = values[np.isfinite(values.astype("float64"))]
    return np.unique(np.quantile(known, np.arange(1, CELLS) / CELLS)) if len(known) else np.array([])


def _counts(values: pd.Series, cells: FloatArray | list[object]) -> FloatArray:
    """Customers in each cell; the last two are what no cell holds (categories only), and what is missing."""
    missing = float(values.isna().sum())
    if isinstance(cells, list):
        counted = values.dropna().astype("str").value_counts()
        inside = counted.reindex(cells, fill_value=0).to_numpy("float64")
        return np.array([*inside, counted.sum() - inside.sum(), missing])
    place = np.searchsorted(cells, values.dropna().to_numpy("float64"), side="left")
    return np.append(np.bincount(place, minlength=len(cells) + 1), missing).astype("float64")


def labels(outcomes: Mapping[date, pd.Series]) -> Labels:
    """Shares that left after each date, and how the latest differs from those before.

    Parameters
    ----------
    outcomes : date → whether each customer active then left, boolean.

    Returns
    -------
    The interval of the difference is Newcombe's (1998, "Interval estimation for the difference between independent
    proportions", method 10); null with fewer than two dates.
    """
    rows = {}
    for day in sorted(outcomes):
        left, count = float(outcomes[day].sum()), len(outcomes[day])
        low, high = wilson(left, count)
        rows[day] = {
            "customers": count,
            "left": left,
            "rate": left / count if count else np.nan,
            "low": low,
            "high": high,
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("day")
    if len(table) < 2:
        return Labels(table, np.nan, np.nan, np.nan)
    last, earlier = table.iloc[-1], table.iloc[:-1]
    rate = earlier["left"].sum() / earlier["customers"].sum()
    before = (earlier["left"].sum(), earlier["customers"].sum())
    return Labels(table, float(last["rate"] - rate), *newcombe((last["left"], last["customers"]), before))
