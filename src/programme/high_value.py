"""The customers who matter most: by what they spend, by the year's margin, or by what they are expected to be worth."""

from __future__ import annotations

from datetime import date
from math import isfinite

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from ..errors import DataError, SettingsError
from ..features.columns import Tables
from ..features.histories import NOTHING, net_spend
from ..features.windows import last_days
from .effect import QUANTILE, Interval
from .rates import wilson_ends

YEAR = 365


def by_spend(tables: Tables, as_of: date, at_least: float) -> ir.Table:
    """Customers who spent so much in the year before `as_of`: customer, value (money, net of returns).

    Raises
    ------
    SettingsError
        If the threshold is not above 0.
    """
    if not (isfinite(at_least) and at_least > 0):
        raise SettingsError(f"at_least: expected a spend above 0, found {at_least!r}; give the spend of a year")
    each = _year(tables, as_of)
    return each.filter(each.value >= at_least - NOTHING)


def by_share_of_margin(tables: Tables, as_of: date, share: float) -> ir.Table:
    """The fewest customers who together made so much of the year's margin: customer, value (spend, net of returns).

    With one margin for all that is sold it is the same share of the spend above zero. Who spent as much as the last of
    them is one of them.

    Raises
    ------
    SettingsError
        If the share is not above 0 and at most 1.
    """
    return _top(_year(tables, as_of), _checked(share))


def by_clv(scores: ir.Table | pd.DataFrame, share: float) -> ir.Table:
    """The fewest customers who together hold so much of the predicted CLV: customer, value (money).

    Parameters
    ----------
    scores : customer, clv.
    share : of the sum of all that are above zero.

    Raises
    ------
    SettingsError
        If the share is not above 0 and at most 1.
    DataError
        If the scores lack a column.
    """
    table = _scores(scores, "clv")
    return _top(table.select("customer", value=table.clv.cast("float64")), _checked(share))


def portrait(tables: Tables, group: ir.Table, as_of: date) -> pd.DataFrame:
    """Who they are: what they bought in the year before `as_of`, beside all others who bought in it.

    Parameters
    ----------
    tables : with purchase days.
    group : customer, one row each.

    Returns
    -------
    Two rows, index high_value (True, False), a group without customers with 0 of them and NaN:

    customers, share_of_customers : who bought
    spend, share_of_spend : money net of returns; of what all spent
    spend_each, purchase_days_each : means over the customers
    discount_share : discounts over what the goods cost without them, on purchase days: how price-sensitive they are;
        left out where the log has no discounts
    """
    known = last_days(_marked(tables.days, group), as_of, YEAR)
    net = last_days(_marked(net_spend(tables), group), as_of, YEAR)
    discounts = {"discounts": known.discount.sum()} if "discount" in known.columns else {}
    buyers = known.group_by("high_value").agg(
        customers=known.customer.nunique(), days=known.count(), paid=known.spend.sum(), **discounts
    )
    spend = net.semi_join(known, "customer").group_by("high_value").agg(spend=ibis._.spend.sum())
    table = buyers.to_pandas().set_index("high_value").join(spend.to_pandas().set_index("high_value"))
    table = table.reindex([True, False]).astype(float).fillna({"customers": 0, "spend": 0})
    count = table["customers"].where(table["customers"] > 0)
    told = pd.DataFrame(
        {
            "customers": table["customers"].astype(int),
            "share_of_customers": table["customers"] / _nonzero(table["customers"].sum()),
            "spend": table["spend"],
            "share_of_spend": table["spend"] / _nonzero(table["spend"].sum()),
            "spend_each": table["spend"] / count,
            "purchase_days_each": table["days"] / count,
        }
    ).rename_axis("high_value")
    if "discounts" not in table:
        return told
    return told.assign(discount_share=table["discounts"] / (table["paid"] + table["discounts"]))


def mix(tables: Tables, group: ir.Table, as_of: date, kind: str) -> pd.DataFrame | None:
    """What they buy, or where, beside all others: shares of what was paid in the year before `as_of`.

    Parameters
    ----------
    tables : with lines.
    group : customer, one row each.
    kind : column of the lines: category, channel or store.

    Returns
    -------
    None where the lines do not have it; else index `kind`, most important to the group first:

    high_value, others : share of what they paid for known ones
    index : the first over the second, 1 where they are alike; NaN where the others buy none
    customers, other_customers : how many of them bought it
    """
    if tables.lines is None or kind not in tables.lines.columns:
        return None
    lines = last_days(_marked(tables.lines, group), as_of, YEAR)
    lines = lines.filter((lines.amount > 0) & lines[kind].notnull())
    sums = lines.group_by(kind, "high_value").agg(paid=lines.amount.sum(), customers=lines.customer.nunique())
    paid, buyers = (_beside(sums.to_pandas(), kind, value) for value in ("paid", "customers"))
    shares = paid / paid.sum().where(paid.sum() > 0)
    shares["index"] = shares["high_value"] / shares["others"].where(shares["others"] > 0)
    shares["customers"], shares["other_customers"] = (buyers[side].astype(int) for side in ("high_value", "others"))
    return shares.sort_values("high_value", ascending=False, kind="stable")


def _beside(sums: pd.DataFrame, kind: str, value: str) -> pd.DataFrame:
    """A sum of the group beside that of the others, 0 where there is none."""
    wide = sums.pivot(index=kind, columns="high_value", values=value).reindex(columns=[True, False])
    return wide.set_axis(["high_value", "others"], axis="columns").fillna(0.0)


def at_risk(group: ir.Table, scores: ir.Table | pd.DataFrame, cut: float) -> dict[str, float | int | Interval]:
    """How many of them may leave, and what they are worth.

    Parameters
    ----------
    group : customer, one row each.
    scores : customer, churn_probability, clv (money).
    cut : churn probability from which a customer is at risk.

    Returns
    -------
    customers : of the group
    scored : of them, those with a score; the others were not active
    at_risk : scored with a probability of `cut` or more
    share : of the scored, with a 90 % interval (Wilson 1927); NaN without any
    leavers : who are expected to leave of the scored, with the 90 % interval of chance if the probabilities are right
    worth, worth_at_risk : sum of CLV of the scored, and of those at risk, money

    Raises
    ------
    SettingsError
        If the cut is not between 0 and 1.
    DataError
        If the scores lack a column.
    """
    if not 0 < cut < 1:
        raise SettingsError(f"cut: expected a probability above 0 and below 1, found {cut!r}; 0.5 is usual")
    table = _scores(scores, "churn_probability", "clv")
    own = group.select("customer").distinct()
    both = own.left_join(table, "customer").drop("customer_right")
    p, high = both.churn_probability, (both.churn_probability >= cut).fill_null(False)
    row = both.agg(
        customers=both.count(),
        scored=p.notnull().sum().coalesce(0),
        at_risk=high.sum().coalesce(0),
        leavers=p.sum().coalesce(0.0),
        variance=(p * (1 - p)).sum().coalesce(0.0),
        worth=both.clv.sum(where=p.notnull()).coalesce(0.0),
        worth_at_risk=both.clv.sum(where=high).coalesce(0.0),
    )
    said: dict[str, float | int] = row.to_pyarrow().to_pylist()[0]
    trials = np.array([float(said["scored"]) or np.nan])
    share = said["at_risk"] / trials
    low, high_end = wilson_ends(share, trials)
    half = QUANTILE * float(np.sqrt(said.pop("variance")))
    leavers = said["leavers"]
    ends = (max(0.0, leavers - half), min(float(said["scored"]), leavers + half))
    return {
        **said,
        "share": Interval(float(share[0]), float(low[0]), float(high_end[0])),
        "leavers": Interval(float(leavers), *ends),
    }


def _year(tables: Tables, as_of: date) -> ir.Table:
    spent = last_days(net_spend(tables), as_of, YEAR)
    return spent.group_by("customer").agg(value=spent.spend.sum())


def _top(each: ir.Table, share: float) -> ir.Table:
    """The customers with the highest values, down to the value at which they hold the share of all."""
    some = each.filter(each.value > NOTHING)
    # Equal values are counted first: the window over everyone then sees each value once.
    values = some.group_by("value").agg(alike=some.count())
    held = values.value * values.alike
    higher = ibis.window(order_by=ibis.desc(values.value), preceding=None, following=0)
    ranked = values.mutate(upto=held.sum().over(higher), own=held, all=held.sum().over(ibis.window()))
    # The one with whom the share is reached is the last: what those above hold is still too little.
    needed = ranked.filter(ranked.upto - ranked.own < share * ranked.all - NOTHING)
    return some.semi_join(needed, "value")


def _marked(table: ir.Table, group: ir.Table) -> ir.Table:
    """A table with a column high_value: whether the customer belongs to the group."""
    own = group.select("customer", inside=ibis.literal(True)).distinct()
    joined = table.left_join(own, "customer").drop("customer_right")
    return joined.mutate(high_value=joined.inside.fill_null(False)).drop("inside")


def _scores(scores: ir.Table | pd.DataFrame, *needed: str) -> ir.Table:
    if lacking := [name for name in ("customer", *needed) if name not in scores.columns]:
        raise DataError(f"scores: expected the columns customer, {', '.join(needed)}; {', '.join(lacking)} is missing")
    return ibis.memtable(scores[["customer", *needed]]) if isinstance(scores, pd.DataFrame) else scores


def _checked(share: float) -> float:
    if not 0 < share <= 1:
        raise SettingsError(
            f"share: expected a number above 0 and at most 1, found {share!r}; 0.5 is half of the value"
        )
    return share


def _nonzero(total: float) -> float:
    return total if total else float("nan")
