"""Who moved between tiers, and who is one purchase away from the next."""

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from ..errors import SettingsError
from ..features.columns import Tables
from ..features.windows import before
from .rates import wilson_ends
from .tier_rules import TierRules
from .tiers import PARTS, membership, qualifying, standing, tier_at, whole_parts

NEW = "new"
"""Customers who had not bought by the first date."""


def migration(tables: Tables, rules: TierRules, first: date, second: date) -> pd.DataFrame:
    """Tiers at two dates: how many customers went from which to which.

    Parameters
    ----------
    tables : with purchase days.
    rules : of the tiers.
    first, second : the tier is that at the end of the day before.

    Returns
    -------
    One row a pair of tiers, in the order of the tiers, those that nobody took too:

    before : tier at the first date, `none` below the first tier, `new` who had not bought by then
    after : tier at the second
    customers : count
    share, low, high : of those in `before`, with a 90 % interval (Wilson 1927); NaN where there are none

    Raises
    ------
    SettingsError
        If the second date is not after the first.
    """
    if second <= first:
        raise SettingsError(f"migration: expected a second date after {first}, found {second}; swap the dates")
    known = before(tables.days, second)
    everyone = known.group_by("customer").agg(begun=known.day.min())
    members = membership(tables, rules, second)
    placed = everyone
    for name, day in (("was", first), ("became", second)):
        at = tier_at(members, day).select("customer", **{name: "tier"})
        placed = placed.left_join(at, "customer").drop("customer_right")
    was = (placed.begun < ibis.literal(first)).ifelse(placed.was.coalesce(0), -1)
    pairs = placed.group_by(was=was, became=placed.became.coalesce(0)).agg(customers=placed.count())
    counted = {(row["was"], row["became"]): row["customers"] for row in pairs.to_pyarrow().to_pylist()}
    rows = [
        {"before": NEW if was < 0 else rules.levels[was], "after": after, "customers": counted.get((was, became), 0)}
        for was in (*range(len(rules.levels)), -1)
        for became, after in enumerate(rules.levels)
    ]
    moves = pd.DataFrame(rows)
    return _with_shares(moves, "customers", moves.groupby("before")["customers"].transform("sum"))


def near(tables: Tables, rules: TierRules, as_of: date) -> ir.Table:
    """Everyone below the highest tier who has something in the qualifying period, and what is missing for the next.

    Returns
    -------
    customer
    tier : that is held, 0 for none
    worth, missing : towards the next tier above, and what it still takes, in the unit of the thresholds
    usual : median worth of a purchase day, or of a day that earned points, of all that is known
    near : whether `missing` is no more than `usual`
    """
    held = tier_at(membership(tables, rules, as_of), as_of)
    some = standing(tables, rules, as_of)
    each = some.filter(some.worth > 0).left_join(held, "customer").drop("customer_right")
    each = each.mutate(tier=each.tier.coalesce(0))
    each = each.filter(each.tier < len(rules.thresholds))
    bought = qualifying(tables, rules, as_of).filter(ibis._.worth > 0)
    usual = bought.group_by("customer").agg(usual=bought.worth.median().cast("float64"))
    each = each.left_join(usual, "customer").drop("customer_right")
    above = ibis.cases(*((each.tier == at, needed) for at, needed in enumerate(whole_parts(rules))))
    # Who is to lose a tier still reaches less than the next one; nobody reaches one and does not hold it.
    missing = above - each.worth
    return each.select(
        "customer",
        "tier",
        worth=each.worth / PARTS,
        missing=missing / PARTS,
        usual=each.usual / PARTS,
        near=(missing <= each.usual).fill_null(False),
    )


def near_misses(tables: Tables, rules: TierRules, as_of: date) -> pd.DataFrame:
    """Customers one usual purchase below the next tier, see `near`.

    Returns
    -------
    One row a tier that can be missed, index next_tier:

    customers : on their way to it: with something in the qualifying period, and in the tier below
    near : of them, one usual purchase away
    share, low, high : of `near`, with a 90 % interval (Wilson 1927); NaN where there are no customers
    missing : median of what those near lack; NaN where there are none
    """
    each = near(tables, rules, as_of)
    # Spark has no median of some of the rows alone.
    each = each.mutate(lacked=each.near.ifelse(each.missing, ibis.null("float64")))
    sums = each.group_by("tier").agg(
        customers=each.count(), near=each.near.sum(), missing=each.lacked.median().cast("float64")
    )
    found: dict[Any, dict[str, Any]] = {row["tier"]: row for row in sums.to_pyarrow().to_pylist()}
    rows = [found.get(at, {}) for at in range(len(rules.names))]
    table = pd.DataFrame(rows, index=pd.Index(rules.names, name="next_tier"), columns=["customers", "near", "missing"])
    table = table.astype(float).fillna({"customers": 0, "near": 0}).astype({"customers": int, "near": int})
    return _with_shares(table, "near", table["customers"])


def _with_shares(table: pd.DataFrame, hits: str, trials: pd.Series) -> pd.DataFrame:
    trials = trials.astype(float).where(trials > 0)
    share = table[hits] / trials
    low, high = wilson_ends(share.to_numpy(), trials.to_numpy())
    return table.assign(share=share, low=low, high=high)
