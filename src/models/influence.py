"""What pictures of contributions are drawn from: means over groups of customers, never a single one of them.

Contributions are those of `explain`.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from .explain import BASE
from .groups import REACH

FEWEST = 10


class Cloud(NamedTuple):
    """Groups of customers for each feature, one row a group.

    Attributes
    ----------
    contributions : mean contribution of the group, log-odds.
    levels : mean rank of the group's values of the feature among all, 0 to 1; missing where no value is known.
    customers : fewest in any group.
    """

    contributions: pd.DataFrame
    levels: pd.DataFrame
    customers: int


class Dependence(NamedTuple):
    """What a feature adds, by its value.

    Attributes
    ----------
    table : value (mean of the group), contribution (mean, log-odds), low and high (between which nine of ten customers
        lie, if they are normal about the mean), customers; in order of value.
    unknown : the same of those whose value is missing; None if they are too few to be told of.
    """

    table: pd.DataFrame
    unknown: pd.Series | None


class Typical(NamedTuple):
    """Several customers as one.

    Attributes
    ----------
    contributions : index feature and `base`: means, log-odds; they add up to the mean log-odds.
    values : index feature: means of the values that are known.
    customers : how many they are means of.
    """

    contributions: pd.Series
    values: pd.Series
    customers: int


def cloud(
    contributions: pd.DataFrame, features: pd.DataFrame, *, fewest: int = FEWEST, most: int = 200
) -> Cloud | None:
    """Gather customers, for each feature anew, into groups of like contributions.

    Parameters
    ----------
    contributions : of at least one customer.
    features : the same customers and columns; categories have no level.
    fewest : customers in a group, at least.
    most : groups, at most.

    Returns
    -------
    None if there are fewer than `fewest` customers.
    """
    count = min(most, len(contributions) // fewest)
    if not count:
        return None
    starts = np.arange(count) * len(contributions) // count
    sizes = np.diff(np.append(starts, len(contributions)))
    means, levels = {}, {}
    for name in contributions.columns.drop(BASE):
        values = contributions[name].to_numpy("float64")
        order = np.argsort(values, kind="stable")
        means[name] = np.add.reduceat(values[order], starts) / sizes
        levels[name] = _mean_levels(features[name], order, starts)
    return Cloud(pd.DataFrame(means), pd.DataFrame(levels), int(sizes.min()))


def _mean_levels(values: pd.Series, order: np.ndarray, starts: np.ndarray) -> np.ndarray:
    if not pd.api.types.is_numeric_dtype(values):
        return np.full(len(starts), np.nan)
    ranked = values.rank(pct=True).to_numpy("float64")[order]
    known = np.add.reduceat((~np.isnan(ranked)).astype("float64"), starts)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.add.reduceat(np.nan_to_num(ranked), starts) / np.where(known > 0, known, np.nan))


def dependence(contribution: pd.Series, value: pd.Series, *, fewest: int = FEWEST, groups: int = 20) -> Dependence:
    """Mean contribution of a feature by groups of customers with like values of it.

    Parameters
    ----------
    contribution, value : of one feature, the same customers; value may be missing.
    fewest : customers in a group, at least; equal values are never parted.
    groups : at most.
    """
    known = value.notna()
    seen = pd.DataFrame({"value": value[known].astype("float64"), "contribution": contribution[known]})
    group = _of_like_values(seen["value"], fewest, groups)
    table = pd.DataFrame([_told(part) for _, part in seen.groupby(group)], columns=[*_TOLD])
    gap = pd.DataFrame({"value": np.nan, "contribution": contribution[~known]})
    return Dependence(table[table["customers"] >= fewest], _told(gap) if len(gap) >= fewest else None)


_TOLD = ("value", "contribution", "low", "high", "customers")


def _told(part: pd.DataFrame) -> pd.Series:
    mean, half = part["contribution"].mean(), REACH * part["contribution"].std(ddof=0)
    value = part["value"].mean() if part["value"].notna().any() else np.nan
    return pd.Series([value, mean, mean - half, mean + half, len(part)], index=_TOLD)


def _of_like_values(value: pd.Series, fewest: int, groups: int) -> pd.Series:
    """Number of each customer's group: as many of equal size as there may be, equal values together."""
    size = max(fewest, int(np.ceil(len(value) / groups)))
    counts = value.value_counts().sort_index()
    numbers, number, held = [], 0, 0
    for count in counts:
        numbers.append(number)
        held += count
        if held >= size:
            number, held = number + 1, 0
    if 0 < held < fewest and number:  # the last values join the group before them
        numbers = [min(each, number - 1) for each in numbers]
    return value.map(pd.Series(numbers, index=counts.index, dtype="int64"))


def typical(
    contributions: pd.DataFrame, features: pd.DataFrame, probability: pd.Series, count: int = FEWEST
) -> Typical:
    """The `count` customers most likely to leave as one, so that no single customer is shown.

    Parameters
    ----------
    contributions, features, probability : the same customers.
    count : customers; all of them if there are fewer.
    """
    most = probability.reindex(contributions.index).sort_values(ascending=False, kind="stable").index[:count]
    numbers = features.loc[most].select_dtypes("number")
    return Typical(contributions.loc[most].mean(), numbers.mean(), len(most))
