"""Recency, frequency and money: the windows of the last days, and the segments that marketing speaks of."""

from datetime import date

import ibis
import ibis.expr.types as ir

from .columns import Column, DayBlock, Tables, Window
from .histories import net_spend
from .windows import before, days_until, in_last_days, last_days

SEGMENTS = {
    "Champions": "often and recently",
    "Loyal": "often, not quite as recently",
    "Slipping": "often, but not recently",
    "Occasional": "recently, not often",
    "New": "recently, for the first time",
    "Cooling": "not often, some while ago",
    "Dormant": "not often, longest ago",
}
"""Segments in words, relative to the other customers of the same year."""


def columns(window: Window) -> dict[str, Column]:
    """Columns of the block."""
    named = {
        "days_since_last": Column("Days since last purchase", "days", "from the last purchase day to the as-of date"),
        "spend_per_day": Column(
            "Spend per purchase day", "money", "all spend, less what was given back, over purchase days; at least 0"
        ),
    }
    for length in window.lengths:
        last = f"the last {length} days"
        named[f"purchase_days_{length}"] = Column(f"Purchase days in {last}", "count", f"purchase days in {last}")
        named[f"orders_{length}"] = Column(
            f"Orders in {last}", "count", f"receipts with a payment, on the purchase days of {last}"
        )
        named[f"spend_{length}"] = Column(f"Spend in {last}", "money", f"spend in {last}, less what was given back")
    return named


def sums(known: ir.Table, window: Window) -> dict[str, ir.Value]:
    """Days, orders and money in each window."""
    named = {}
    for length in window.lengths:
        inside = in_last_days(known.day, window.as_of, length)
        named[f"purchase_days_{length}"] = (inside & known.purchase).sum()
        named[f"orders_{length}"] = inside.ifelse(known.orders, 0).sum().coalesce(0)
        named[f"spend_{length}"] = inside.ifelse(known.spend, 0.0).sum()
    return named


def values(each: ir.Table, window: Window) -> dict[str, ir.Value]:
    """The windows, the age of the last purchase and the mean purchase."""
    windowed = {name: each[name] for name in each.columns if name in columns(window)}
    return {
        "days_since_last": days_until(window.as_of, each.last_day),
        "spend_per_day": each.spend.clip(lower=0.0) / each.purchase_days,
        **windowed,
    }


BLOCK = DayBlock("rfm", columns, sums, values)


def segments(tables: Tables, as_of: date, within_days: int = 365) -> ir.Table:
    """Segment of each customer who bought in the `within_days` before `as_of`.

    Every measure becomes a score from 1 to 5 by its percentile rank, equal values with equal scores; the
    segment follows from the scores of days_since_last and frequency, spend is told beside it. New is who bought for the
    first time ever.

    Returns
    -------
    customer, days_since_last (days), purchase_days (count), spend (money, net of returns), r, f, m (1 to 5), segment
    """
    recent = last_days(net_spend(tables), as_of, within_days)
    known = before(tables.days, as_of)
    ever = known.group_by("customer").agg(purchase_days_ever=known.count())
    each = recent.group_by("customer").agg(
        days_since_last=days_until(as_of, recent.day.max(where=recent.purchase)),
        purchase_days=recent.purchase.sum(),
        spend=recent.spend.sum(),
    )
    each = each.filter(each.purchase_days > 0).join(ever, "customer")
    by_silence, by_days = _ranks(each, "days_since_last"), _ranks(each, "purchase_days")
    placed = each.join(by_silence, "days_since_last").join(by_days, "purchase_days")
    scored = placed.select(
        *each.columns,
        r=_fifth(placed.days_since_last_above, placed.days_since_last_below),
        f=_fifth(placed.purchase_days_below, placed.purchase_days_above),
        # A window over all customers is one task of a cluster: nobody pays for it who does not ask for this score.
        m=_fifth(placed.spend.percent_rank(), (-placed.spend).percent_rank()),
    )
    often, lately = scored.f >= 4, scored.r >= 4
    return scored.mutate(
        segment=ibis.cases(
            (often & lately, "Champions"),
            (often & (scored.r == 3), "Loyal"),
            (often, "Slipping"),
            (lately & (scored.purchase_days_ever == 1), "New"),
            (lately, "Occasional"),
            (scored.r >= 2, "Cooling"),
            else_="Dormant",
        )
    ).drop("purchase_days_ever")


def segment_sizes(segments: ir.Table) -> ir.Table:
    """What is told of each segment.

    Parameters
    ----------
    segments : see `segments`.

    Returns
    -------
    segment
    customers : count
    spend : money, net of returns; their sum
    days_since_last, purchase_days : their medians
    """
    return (
        segments.group_by("segment")
        .agg(
            customers=segments.count(),
            spend=segments.spend.sum(),
            days_since_last=segments.days_since_last.median(),
            purchase_days=segments.purchase_days.median(),
        )
        .order_by("segment")
    )


def _ranks(each: ir.Table, name: str) -> ir.Table:
    """Percentile ranks of the different values of a count, from below and from above: of customers who have others."""
    counted = each.group_by(name).agg(alike=each.count())
    upwards = ibis.window(order_by=counted[name], preceding=None, following=0)
    ranked = counted.mutate(up_to=counted.alike.sum().over(upwards), everyone=counted.alike.sum().over(ibis.window()))
    others = (ranked.everyone - 1).nullif(0)
    below, above = ranked.up_to - ranked.alike, ranked.everyone - ranked.up_to
    return ranked.select(
        name,
        **{f"{name}_below": (below / others).coalesce(0.0), f"{name}_above": (above / others).coalesce(0.0)},
    )


def _fifth(worse: ir.NumericValue, better: ir.NumericValue) -> ir.IntegerValue:
    """Fifth of the customers that a value falls in, 1 to 5; ties share the middle of their ranks.

    Parameters
    ----------
    worse, better : share of the other customers who have a worse or a better value.
    """
    return ibis.least((worse + (1 - better)) / 2 * 5, 4.999).floor().cast("int64") + 1


def measures(tables: Tables, as_of: date, horizon_days: int, active_within_days: int) -> ir.Table:
    """What happened in the horizon just before `as_of`, one row.

    Returns
    -------
    active : customers with a purchase in the last `active_within_days`.
    buyers : customers with a purchase in the last `horizon_days`.
    repeat_buyers : those of them with at least two purchase days in it.
    spend, spend_squared : money, net of returns; sum over those buyers of their spend and of its square.
    purchase_days : their purchase days.
    """
    active = last_days(tables.days, as_of, active_within_days).customer.nunique().name("active").as_table()
    recent = last_days(net_spend(tables), as_of, horizon_days)
    each = recent.group_by("customer").agg(purchase_days=recent.purchase.sum(), spend=recent.spend.sum())
    each = each.filter(each.purchase_days > 0)
    bought = each.agg(
        buyers=each.count(),
        repeat_buyers=(each.purchase_days >= 2).sum().coalesce(0),
        spend=each.spend.sum().coalesce(0.0),
        spend_squared=(each.spend * each.spend).sum().coalesce(0.0),
        purchase_days=each.purchase_days.sum().coalesce(0),
    )
    return active.cross_join(bought)
