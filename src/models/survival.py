"""How long until it happens, when for some it has not happened yet."""

import numpy as np
import pandas as pd
from scipy import stats


def kaplan_meier(elapsed: pd.Series, happened: pd.Series, weight: pd.Series, level: float = 0.9) -> pd.DataFrame:
    """Share for whom it has happened by each day (one minus Kaplan & Meier 1958), with Greenwood's interval.

    Parameters
    ----------
    elapsed : days until it happened, or until the watch ended.
    happened : whether it did.
    weight : customers in the row.
    level : of the pointwise interval, on the log(-log) scale.

    Returns
    -------
    Index day; share, low, high. Only days on which it happened to someone.
    """
    events = (weight * happened).groupby(elapsed).sum()
    leaving = weight.groupby(elapsed).sum()
    at_risk = leaving[::-1].cumsum()[::-1]
    hazard = events / at_risk
    surviving = (1 - hazard).cumprod()
    remaining = (at_risk - events).clip(lower=0)
    variance = (events / (at_risk * remaining.replace(0, np.nan))).cumsum()
    inside = surviving.between(0, 1, inclusive="neither")
    log_surviving = np.log(surviving.where(inside))
    half = stats.norm.ppf(0.5 + level / 2) * np.sqrt(variance) / log_surviving
    curve = pd.DataFrame(
        {"share": 1 - surviving, "low": 1 - surviving ** np.exp(-half), "high": 1 - surviving ** np.exp(half)}
    )
    curve = curve[events > 0].rename_axis("day")
    return curve.assign(low=curve[["low", "high"]].min(axis=1), high=curve[["low", "high"]].max(axis=1))
