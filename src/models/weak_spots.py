"""Where a churn model is wrong: its error in classes of customers, each with its own error."""

import numpy as np
import pandas as pd
from scipy import stats

from ..features.profile import ATTRIBUTE
from .groups import REACH
from .metrics import auc, wilson
from .validation import FloatArray

FEWEST = 10
MOST_CLASSES = 8
"""Classes of an attribute that are told apart; the customers of the smaller ones are taken together."""

DOUBT = 0.1
"""Chance that any class at all is called wrong where the model is right in every one."""

TENURE = {"under 90 days": 90, "90 to 180 days": 180, "180 days to a year": 365, "one to two years": 730}
REPEATS = {"none": 1, "one": 2, "2 to 4": 5, "5 to 9": 10}
FIFTHS = ("lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth")


def classes(features: pd.DataFrame) -> pd.DataFrame:
    """Classes of customers by tenure, purchases, value, channel and attribute.

    Parameters
    ----------
    features : see `features.build.frame`; attributes, whose names begin with `profile_`, may be among its columns.

    Returns
    -------
    Index of `features`; one column for each way to divide them that gives more than one class: its name and its classes
    in words.
    """
    found = {
        "Time since the first purchase": _banded(features, "T", TENURE, "over two years"),
        "Repeat purchase days": _banded(features, "frequency", REPEATS, "10 or more"),
        "Value (recent spend)": _fifths(features),
        "Channels": _channels(features),
    }
    for name in features.columns:
        if str(name).startswith(ATTRIBUTE):
            label = str(name).removeprefix(ATTRIBUTE).replace("_", " ").strip().capitalize()
            found[label] = _largest(features[name])
    telling = {name: column for name, column in found.items() if column is not None and column.nunique() > 1}
    return pd.DataFrame(telling, index=features.index)


def _banded(features: pd.DataFrame, column: str, edges: dict[str, int], beyond: str) -> pd.Series | None:
    if column not in features:
        return None
    names = np.asarray([*edges, beyond], dtype=object)
    return pd.Series(names[np.digitize(features[column], list(edges.values()))], features.index)


def _fifths(features: pd.DataFrame) -> pd.Series | None:
    windows = [str(name) for name in features if str(name).startswith("spend_") and str(name)[6:].isdigit()]
    if not windows:
        return None
    spend = features[max(windows, key=lambda name: int(name[6:]))]
    # Of equal amounts, as where many spent nothing, all are in one class.
    place = np.minimum((spend.rank(pct=True, method="average") * 5 - 1e-9).astype("int64"), 4)
    return pd.Series(np.asarray(FIFTHS, dtype=object)[place], features.index)


def _channels(features: pd.DataFrame) -> pd.Series | None:
    if "channels" not in features:
        return None
    count = features["channels"]
    return pd.Series(np.where(count.isna(), "not known", np.where(count > 1, "several", "one")), features.index)


def _largest(values: pd.Series) -> pd.Series:
    words = values.astype("object").where(values.notna(), "not known").astype("str")
    kept = words.value_counts().index[:MOST_CLASSES]
    return words.where(words.isin(kept), "all others")


def weak_spots(
    churned: FloatArray, probability: FloatArray, divided: pd.DataFrame, fewest: int = FEWEST
) -> pd.DataFrame:
    """The error of churn probabilities in each class of customers, the clearest error first.

    Parameters
    ----------
    churned : 1 where the customer left, shape (n,).
    probability : of leaving, shape (n,).
    divided : see `classes`, n rows.
    fewest : customers in a class whose error is told.

    Returns
    -------
    by, of (how customers are divided, and the class); customers; promised and realised (shares that leave); gap,
    promised less realised, with low and high (90 %, by Wilson's interval of the realised share); auc with auc_low and
    auc_high (90 %, Hanley & McNeil 1982; null where all left or all stayed); clear, whether the gap is more than chance
    makes, where that is asked of every class at once (Holm 1979). All but the first three are null for small classes.
    """
    known = pd.DataFrame({"churned": churned, "p": probability}, index=divided.index)
    rows = [
        {"by": by, "of": of, "customers": len(part)} | (_error(part) if len(part) >= fewest else {})
        for by in divided
        for of, part in known.groupby(divided[by], observed=True)
    ]
    columns = ["by", "of", "customers", *_MEASURES, "chance"]
    table = pd.DataFrame(rows, columns=columns).sort_values("chance", kind="stable", na_position="last")
    told = table.assign(clear=_clear(table["chance"])).drop(columns="chance")
    return told.reset_index(drop=True)


_MEASURES = ("promised", "realised", "gap", "low", "high", "auc", "auc_low", "auc_high")


def _error(part: pd.DataFrame) -> dict[str, float]:
    count, left, promised = len(part), part["churned"].sum(), part["p"].mean()
    low, high = wilson(left, count)
    spread = np.sqrt((part["p"] * (1 - part["p"])).sum())
    distance = abs(left - part["p"].sum())
    ranked = _ranked(part["churned"].to_numpy("float64"), part["p"].to_numpy("float64"))
    return {
        "promised": promised,
        "realised": left / count,
        "gap": promised - left / count,
        "low": promised - high,
        "high": promised - low,
        "auc": ranked[0],
        "auc_low": ranked[1],
        "auc_high": ranked[2],
        # Half a customer less: leavers are counted, and the normal distribution is not.
        "chance": float(2 * stats.norm.sf(max(distance - 0.5, 0) / spread)) if spread else float(distance < 0.5),
    }


def _ranked(churned: FloatArray, probability: FloatArray) -> tuple[float, float, float]:
    """Area under the ROC curve with its 90 % interval."""
    left, stayed = churned.sum(), (1 - churned).sum()
    if not left or not stayed:
        return np.nan, np.nan, np.nan
    area = float(auc(churned, probability, np.ones((1, len(churned))))[0])
    both_left, both_stayed = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (left - 1) * (both_left - area**2) + (stayed - 1) * (both_stayed - area**2)
    half = REACH * float(np.sqrt(max(variance, 0) / (left * stayed)))
    return area, max(area - half, 0.0), min(area + half, 1.0)


def _clear(chances: pd.Series) -> pd.Series:
    """Holm's procedure on chances in rising order, those that are null last."""
    tried = int(chances.notna().sum())
    limits = DOUBT / np.maximum(tried - np.arange(len(chances)), 1)
    return pd.Series(np.logical_and.accumulate((chances <= limits).to_numpy()), chances.index)
