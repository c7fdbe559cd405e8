"""What the customers of each tier spent after a date, and how many of them left: as they are, which is no effect."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from ..features.columns import Tables
from ..features.labels import labels
from .effect import QUANTILE
from .rates import wilson_ends
from .tier_rules import TierRules
from .tiers import membership, tier_at


def by_tier(
    tables: Tables, rules: TierRules, as_of: date, horizon_days: int, active_within_days: int, margin: float
) -> pd.DataFrame:
    """What became of the active customers of each tier in the horizon just before `as_of`.

    Tiers hold those who bought much, so that differences between them say nothing of what a tier does.

    Parameters
    ----------
    tables : purchase days and returns.
    rules : of the tiers.
    as_of : first day that is not known.
    horizon_days : length of the period that is looked at; the tier is that at its beginning.
    active_within_days : who counts as active then.
    margin : share of spend that is left after the cost of goods.

    Returns
    -------
    One row a tier, index tier, `none` first, those without customers too:

    customers : active at the beginning of the horizon
    churned, churned_low, churned_high : share without a purchase in it, with a 90 % interval (Wilson 1927)
    spend, spend_low, spend_high : mean over the customers, money net of returns, with a normal 90 % interval
    worth, worth_low, worth_high : the same times the margin

    Shares and means are NaN in a tier without customers; ends of `spend` also in one with a single customer.
    """
    start = as_of - timedelta(days=horizon_days)
    each = labels(tables, start, horizon_days, active_within_days)
    each = each.left_join(tier_at(membership(tables, rules, start), start), "customer").drop("customer_right")
    each = each.mutate(tier=each.tier.coalesce(0))
    sums = each.group_by("tier").agg(
        customers=each.count(),
        churned=each.churned.cast("float64").mean(),
        spend=each.spend.mean(),
        deviation=each.spend.std(how="sample"),
    )
    table = sums.to_pandas().set_index("tier").reindex(range(len(rules.levels))).astype(float)
    table.index = pd.Index(rules.levels, name="tier")
    low, high = wilson_ends(table["churned"].to_numpy(), table["customers"].to_numpy())
    half = QUANTILE * table["deviation"] / np.sqrt(table["customers"])
    told = table[["customers", "churned"]].fillna({"customers": 0}).astype({"customers": int})
    told = told.assign(churned_low=low, churned_high=high)
    told = told.assign(spend=table["spend"], spend_low=table["spend"] - half, spend_high=table["spend"] + half)
    return told.assign(**{name.replace("spend", "worth"): told[name] * margin for name in told if "spend" in name})
