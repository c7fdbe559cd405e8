"""Why a customer is likely to leave or to stay, in words that can be read out on the telephone.

Features that look at the same thing, such as the spend of several windows, are one group and are told once, by one
template. What a template says are the customer's own numbers; the model says which groups are told and in which
direction they push.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..features.profile import ATTRIBUTE
from ..models.explain import BASE, grouped
from . import templates_of_reasons as say

Teller = Callable[[pd.DataFrame, str], pd.Series]
RAISES, LOWERS = "raises the risk", "lowers the risk"


class Group(NamedTuple):
    """Features that are told once.

    Attributes
    ----------
    label : what they look at, as a figure names it.
    columns : pattern of their names.
    tell : their sentence for each row of a feature frame, in a currency; null where there is nothing to say.
    """

    label: str
    columns: str
    tell: Teller


RHYTHM = (
    r"days_since_last|gap_(mean|longest)|overdue|longer_gaps_share|rate|silence(_share|_in_gaps)?"
    r"|(btyd|steady)_(?!spend)\w+"
)
"""What models of purchases expect follows from the rhythm and the silence, and is told by them."""

GROUPS: tuple[Group, ...] = (
    Group("Rhythm and silence", RHYTHM, say.rhythm),
    Group("Regularity of the rhythm", r"gap_(sd|cv)|regularity", say.regularity),
    Group("Time since the first purchase", r"T|recency", say.tenure),
    Group("How often the customer buys", r"frequency|(purchase_days|orders)_\d+", say.often),
    Group("Spend", r"spend_\d+", say.spend),
    Group(
        "Spend per purchase day",
        r"(spend_per|spend_a)_day|monetary_value|last_against_mean|btyd_spend",
        say.spend_a_day,
    ),
    Group("Change of spend", r"spend_trend_\d+|spend_slope", say.trend),
    Group("Size of the baskets", r"(lines|orders)_per_day", say.baskets),
    Group("Discounts and coupons used", r"(discount|coupon)_share", say.discounts),
    Group("Returns", r"return_days|returned_share", say.returns),
    Group("Day of the week", r"(mon|tues|wednes|thurs|fri|satur|sun)day_share", say.weekdays),
    Group("Time of day", r"(morning|midday|evening|night)_share", say.time_of_day),
    Group("The second purchase", r"second_purchase|days_to_second|second_against_first", say.second),
    Group("The same weeks last year", r"(purchase_days|spend)_last_year", say.last_year),
    Group("Kinds of product", r"categor(ies|y)(_\w+)?|favourite_category_share", say.breadth),
    Group("Stores", r"stores|favourite_store_share", say.stores),
    Group("Channels", r"channels|omnichannel", say.channels),
    Group("Campaigns received", r"contacts(_90)?|contact_rate|days_since_contact", say.campaigns),
    Group("Coupons handed in", r"redemptions(_90)?|redemption_rate|days_since_redemption", say.coupons),
    Group("Points", r"points_\w+|days_since_points", say.points),
    Group("Tier of the programme", r"qualifying_spend|tier|to_next_tier", say.tier),
    Group("Time in the programme", r"days_since_joined", say.joined),
    Group("Age", r"age", say.age),
)
"""In this order the first pattern that fits a column takes it."""


def group_of(column: str) -> Group | None:
    """The group of a feature; None if nothing can be said of it.

    Examples
    --------
    >>> group_of("spend_90").label, group_of("profile_income").label, group_of("unheard_of")
    ('Spend', 'Income', None)
    """
    for group in GROUPS:
        if re.fullmatch(group.columns, column):
            return group
    if column.startswith(ATTRIBUTE):
        label = column.removeprefix(ATTRIBUTE).replace("_", " ").strip().capitalize()
        return Group(label, re.escape(column), say.attribute(column, label))
    return None


def groups(columns: Iterable[str]) -> dict[str, str]:
    """Feature → label of its group; features without one are left out.

    Examples
    --------
    >>> groups(["spend_7", "T"])
    {'spend_7': 'Spend', 'T': 'Time since the first purchase'}
    """
    return {column: group.label for column in columns if (group := group_of(column)) is not None}


def reasons(contributions: pd.DataFrame, features: pd.DataFrame, n: int = 3, *, currency: str = "") -> pd.DataFrame:
    """The strongest reasons of each customer in words, the strongest first, each with its direction.

    Parameters
    ----------
    contributions : log-odds of leaving, see `models.explain`; features that belong to no group are not told.
    features : the same customers, in any order; columns of the data dictionary, missing where not known.
    n : reasons of a customer at most.
    currency : ISO code of the dataset.

    Returns
    -------
    Index of `contributions`; reason_1 … reason_n, null where nothing else moves the prediction or can be said.

    Examples
    --------
    >>> why = pd.DataFrame({"overdue": [1.5], "gap_mean": [-0.5], "T": [-0.2], "base": [0.0]})
    >>> known = pd.DataFrame({"overdue": [4.6], "gap_mean": [8.9], "days_since_last": [41.0], "T": [204.0]})
    >>> for reason in reasons(why, known, 2).iloc[0]: print(reason)
    usually buys every 9 days, silent for 41 (raises the risk)
    first bought 204 days ago (lowers the risk)
    """
    told = groups(str(name) for name in contributions.columns.drop(BASE))
    sums = grouped(contributions[list(told)], told)
    known = features.loc[contributions.index]
    ranked = np.argsort(-sums.abs().to_numpy(), axis=1, kind="stable")
    return _in_words(sums, known, ranked, _tellers(told), n, currency)


def _tellers(told: Mapping[str, str]) -> dict[str, Teller]:
    tellers = {}
    for column, label in told.items():
        group = group_of(column)
        if group is not None:
            tellers[label] = group.tell
    return tellers


def _in_words(
    sums: pd.DataFrame, known: pd.DataFrame, ranked: np.ndarray, tellers: Mapping[str, Teller], n: int, currency: str
) -> pd.DataFrame:
    """Fill the reasons rank by rank; who has nothing to be said of a group takes the next one."""
    texts = np.full((len(sums), n), None, dtype=object)
    filled = np.zeros(len(sums), dtype="int64")
    for rank in range(sums.shape[1]):
        for place, label in enumerate(sums.columns):
            size = sums[label].to_numpy()
            rows = np.flatnonzero((ranked[:, rank] == place) & (filled < n) & (size != 0))
            if len(rows):
                said = tellers[label](known.iloc[rows], currency)
                rows, said = rows[said.notna().to_numpy()], said[said.notna()]
                ways = np.where(size[rows] > 0, f" ({RAISES})", f" ({LOWERS})")
                texts[rows, filled[rows]] = said.to_numpy(object) + ways.astype(object)
                filled[rows] += 1
    return pd.DataFrame(texts, index=sums.index, columns=[f"reason_{place + 1}" for place in range(n)], dtype="str")
