"""Shares of campaigns with their intervals: a customer who received several counts as one observation."""

import numpy as np
import pandas as pd

from .effect import QUANTILE


def clustered_share(sums: pd.DataFrame) -> pd.DataFrame:
    r"""A share over rows that belong to customers, with a 90 % interval.

    The share is :math:`p = \sum y_i / \sum m_i` over the customers i. Its variance is that of a ratio,
    :math:`\frac{n}{n-1} \sum (y_i - p m_i)^2 / (\sum m_i)^2` (Cochran 1977, Sampling Techniques, eq. 11.30), which is
    turned into the number of independent rows that would have it, :math:`p (1 - p) / var`; the interval is Wilson's
    (1927) for so many, as Korn and Graubard (1998, Survey Methodology 24) do for other intervals. Where a customer has
    one row, it is Wilson's. No more rows count than there are, and where all or none succeed as many as customers.

    Parameters
    ----------
    sums : by group: customers (n), rows (sum of m), hits (sum of y), and the sums rows_squared, hits_squared, product.

    Returns
    -------
    share, low, high, effective (independent rows that would be as sure) : index as given; NaN without rows.

    Examples
    --------
    >>> counts = {"customers": 100, "rows": 100, "hits": 10}
    >>> sums = {"rows_squared": 100, "hits_squared": 10, "product": 10}
    >>> clustered_share(pd.DataFrame([counts | sums])).round(3).values.tolist()
    [[0.1, 0.061, 0.16, 100.0]]
    """
    n, rows, hits = (sums[name].astype(float) for name in ("customers", "rows", "hits"))
    share = hits / rows.where(rows > 0)
    residual = sums["hits_squared"] - 2 * share * sums["product"] + share**2 * sums["rows_squared"]
    # Where each customer has one row, the residual sum is that of independent rows, and needs no correction.
    several = (n > 1) & (rows != n)
    variance = residual.clip(lower=0) / rows.where(rows > 0) ** 2 * (n / (n - 1).where(several)).fillna(1.0)
    inside = (share > 0) & (share < 1) & (variance > 0)
    effective = (share * (1 - share) / variance.where(inside)).fillna(n).clip(upper=rows).where(rows > 0)
    low, high = wilson_ends(share.to_numpy(), effective.to_numpy())
    return pd.DataFrame({"share": share, "low": low, "high": high, "effective": effective}, index=sums.index)


def wilson_ends(share: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of Wilson's 90 % interval of shares, of any shape; `trials` need not be whole, and NaN stays NaN."""
    z2 = QUANTILE**2 / trials
    centre = (share + z2 / 2) / (1 + z2)
    half = np.sqrt(z2 * (share * (1 - share) + z2 / 4)) / (1 + z2)
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)
