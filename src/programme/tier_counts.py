"""How many customers have which tier, and what they spend: at a date, and at many dates."""

from collections.abc import Sequence
from datetime import date

import ibis
import pandas as pd

from ..features.columns import Tables
from ..features.histories import net_spend
from ..features.windows import before, last_days
from .tier_rules import TierRules
from .tiers import EPOCH, day_number, membership, stretches, tier_at


def holders(tables: Tables, rules: TierRules, as_of: date, days: int) -> pd.DataFrame:
    """Who has which tier at `as_of`: of those who bought in the `days` before it, or have a tier anyway.

    Returns
    -------
    One row a tier, `none` first, those without customers too:

    tier, customers
    spend : of the `days`, money net of returns
    """
    recent = last_days(net_spend(tables), as_of, days)
    spent = recent.group_by("customer").agg(spend=recent.spend.sum(), bought=recent.purchase.any())
    each = spent.outer_join(tier_at(membership(tables, rules, as_of), as_of), "customer")
    each = each.select(
        tier=each.tier.coalesce(0), spend=each.spend.coalesce(0.0), bought=each.bought.fill_null(False)
    ).filter(lambda row: row.bought | (row.tier > 0))
    sums = each.group_by("tier").agg(customers=each.count(), spend=each.spend.sum()).to_pandas().set_index("tier")
    table = sums.reindex(range(len(rules.levels))).fillna(0)
    return table.assign(tier=rules.levels, customers=table["customers"].astype(int)).reset_index(drop=True)[
        ["tier", "customers", "spend"]
    ]


def over_time(tables: Tables, rules: TierRules, ends: Sequence[date], days: int) -> pd.DataFrame:
    """The customers of `holders` at many dates.

    Parameters
    ----------
    ends : dates; the tier is that at the end of the day before.

    Returns
    -------
    end, tier, customers : one row a date and tier, in order, those without customers too
    """
    last = max(ends)
    held = membership(tables, rules, last)
    held = held.select("customer", "tier", number=day_number(held.since), until=day_number(held.until))
    known = before(tables.days, last)
    bought = known.select("customer", number=day_number(known.day))
    there = bought.mutate(until=bought.number + days).union(held.select("customer", "number", "until"))
    # Whoever bought lately or has a tier is there, once.
    there = there.group_by("customer", "number").agg(until=there.until.max()).mutate(tier=ibis.literal(0, "int64"))
    both = stretches(there).select("customer", "tier", "number", "until").union(held)
    numbers = [(end - EPOCH).days for end in ends]
    inside = {f"at_{end}": ((both.number < end) & (both.until >= end)).sum() for end in numbers}
    counts = both.group_by("tier").agg(**inside).to_pandas().set_index("tier")
    counts = counts.reindex(range(len(rules.levels))).fillna(0).astype(int)
    counts.loc[0] = 2 * counts.loc[0] - counts.sum()
    rows = [
        {"end": pd.Timestamp(end), "tier": name, "customers": int(counts.at[level, f"at_{number}"])}
        for end, number in zip(ends, numbers, strict=True)
        for level, name in enumerate(rules.levels)
    ]
    return pd.DataFrame(rows)
