"""The values of the columns that conditions look at, one row for everyone who has bought."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from ..action_rules import OnOffer
from ..features import rfm
from ..features.breadth import paid_by
from ..features.columns import Tables, Window
from ..features.histories import net_spend
from ..features.windows import before, days_until, in_last_days
from ..schema import Programme
from .ledger import UNITS
from .moments import moments
from .points import own
from .rule_columns import COLUMNS, SOON_DAYS, UNSEEN_DAYS
from .tier_rules import NO_TIER, TierRules
from .tiers import PARTS, membership, standing, tier_at, whole_parts

YEAR = 365
SCORES = ("churn_probability", "expected_spend", "clv")
CENTS = 100


def values(
    tables: Tables,
    as_of: date,
    *,
    programme: Programme | None = None,
    offers: Iterable[OnOffer] = (),
    scores: ir.Table | pd.DataFrame | None = None,
) -> ir.Table:
    """What rules can know of each customer at a date, from days before it.

    Parameters
    ----------
    tables : all that the dataset has.
    as_of : first day that is not known; the day of the actions.
    programme : its tiers, and the rules of its points.
    offers : categories on offer.
    scores : customer, and of churn_probability, expected_spend and clv what there is.

    Returns
    -------
    customer, and those of `rule_columns.COLUMNS` that the dataset has, in their order; null where unknown
    """
    programme = programme or Programme()
    joined = _rhythm(tables, as_of)
    parts = (
        _year(tables, as_of),
        _usual_order(tables, as_of),
        rfm.segments(tables, as_of).select("customer", "segment"),
        _tier(tables, programme, as_of),
        _points(tables, programme, as_of),
        _favourite(tables, list(offers), as_of),
        _last_channel(tables, as_of),
        _contacted(tables, as_of),
        _birthday(tables, as_of),
        _scores(scores),
    )
    for part in parts:
        if part is not None:
            joined = joined.left_join(part, "customer").drop("customer_right")
    given = [name for name in COLUMNS if name in joined.columns]
    return joined.select("customer", **{name: _of_kind(joined[name], name) for name in given})


NOTHING: dict[str, float | str] = {
    "orders": 0, "spend": 0.0, "points_balance": 0, "points_expiring": 0, "tier_level": 0, "tier": NO_TIER,
}  # fmt: skip
"""What a customer has of whom a table knows nothing."""


def _of_kind(value: ir.Value, name: str) -> ir.Value:
    """A column in the type of its kind: numbers are doubles, so that every engine compares them alike."""
    value = value.coalesce(NOTHING[name]) if name in NOTHING else value
    return value.cast("float64") if COLUMNS[name].kind == "number" else value


def days_to_next(day: ir.DateValue, as_of: date) -> ir.IntegerValue:
    """Days from `as_of` to the next return of a day of the year, 0 on the day itself.

    29 February is kept on the 28th in years that have none.
    """

    def in_year(year: int) -> ir.DateValue:
        leap = (day.month() == 2) & (day.day() == 29) & ibis.literal(not calendar.isleap(year))
        return ibis.date(ibis.literal(year), day.month(), leap.ifelse(28, day.day()))

    this, following = in_year(as_of.year), in_year(as_of.year + 1)
    coming = (this < ibis.literal(as_of)).ifelse(following, this)
    return coming.delta(ibis.literal(as_of), unit="day")


def _rhythm(tables: Tables, as_of: date) -> ir.Table:
    each = moments(tables, as_of).rename(first_purchase="first_day", last_purchase="last_day")
    began = each.first_purchase.min().over(ibis.window())
    seen = each.first_purchase.delta(began, unit="day") >= UNSEEN_DAYS
    return each.mutate(
        tenure_days=days_until(as_of, each.first_purchase),
        days_to_anniversary=seen.ifelse(days_to_next(each.first_purchase, as_of), ibis.null("int64")),
    )


def _year(tables: Tables, as_of: date) -> ir.Table:
    """Receipts and money of the last year, and the rank by money among those who bought in it."""
    known = before(net_spend(tables), as_of)
    recent = known.filter(in_last_days(known.day, as_of, YEAR))
    each = recent.group_by("customer").agg(
        orders=recent.orders.sum(), spend=recent.spend.sum(), bought=recent.purchase.sum()
    )
    # Of cents, which are whole, so that equal sums are equal on every engine.
    cents = (each.spend * CENTS).round().cast("int64")
    buyers = each.filter(each.bought > 0).select("customer", cents=cents)
    ranked = buyers.join(_ranks(buyers, "cents"), "cents").select("customer", spend_rank="rank")
    return each.select("customer", "orders", "spend").left_join(ranked, "customer").drop("customer_right")


def _ranks(each: ir.Table, name: str) -> ir.Table:
    """Of each different value, the share of the others whose value is lower; null where there is only one customer."""
    counted = each.group_by(name).agg(alike=each.count())
    upwards = ibis.window(order_by=counted[name], preceding=None, following=0)
    summed = counted.mutate(upto=counted.alike.sum().over(upwards), all=counted.alike.sum().over(ibis.window()))
    return summed.select(name, rank=(summed.upto - summed.alike) / (summed["all"] - 1).nullif(0))


def _usual_order(tables: Tables, as_of: date) -> ir.Table:
    known = before(net_spend(tables), as_of)
    each = known.group_by("customer").agg(spend=known.spend.sum(), days=known.purchase.sum())
    return each.select("customer", usual_order=each.spend.clip(lower=0.0) / each.days.nullif(0))


def _tier(tables: Tables, programme: Programme, as_of: date) -> ir.Table | None:
    """Tier and what is missing for the next; nobody without a row has any."""
    if not programme.tiers:
        return None
    rules = TierRules.of(programme)
    if rules.by == "points" and tables.points is None:
        return None
    held = tier_at(membership(tables, rules, as_of), as_of)
    everyone = before(tables.days, as_of).select("customer").distinct()
    joined = everyone.left_join(held, "customer").drop("customer_right")
    joined = joined.left_join(standing(tables, rules, as_of), "customer").drop("customer_right")
    level, worth = joined.tier.coalesce(0), joined.worth.coalesce(0)
    missing = [(level == number, needed - worth) for number, needed in enumerate(whole_parts(rules))]
    return joined.select(
        "customer",
        tier=level.cases(*enumerate(rules.levels)),
        tier_level=level,
        to_next_tier=ibis.cases(*missing, else_=None).cast("float64") / PARTS,
    )


def _points(tables: Tables, programme: Programme, as_of: date) -> ir.Table | None:
    if tables.points is None:
        return None
    rules = programme.points
    if rules is None or (rules.expiry_months is None and rules.expiry_days is None):
        known = before(tables.points, as_of)
        return known.group_by("customer").agg(points_balance=known.points.sum())
    parts = own(tables.points, rules, as_of).parts
    # What ends with the day before is gone on the day of the actions.
    left = parts.filter(parts.step.isnull() & (parts.expires.isnull() | (parts.expires > ibis.literal(as_of))))
    ahead = left.expires.delta(ibis.literal(as_of), unit="day")
    return left.group_by("customer").agg(
        points_balance=left.units.sum().cast("float64") / UNITS,
        points_expiring=(ahead <= SOON_DAYS).ifelse(left.units, 0).sum().cast("float64") / UNITS,
        days_to_expiry=ahead.min(),
    )


def _favourite(tables: Tables, offers: list[OnOffer], as_of: date) -> ir.Table | None:
    parts = paid_by("category", tables, Window(as_of, (YEAR,)))
    if parts is None:
        return None
    cents = (parts.paid * CENTS).round().cast("int64")
    order = ibis.window(group_by="customer", order_by=[cents.desc(), parts.category])
    first = parts.mutate(place=ibis.row_number().over(order)).filter(ibis._.place == 0)
    each = first.select("customer", favourite_category="category")
    if not offers:
        return each
    running = sorted({offer.category for offer in offers if offer.starts <= as_of <= offer.ends})
    on_offer = each.favourite_category.isin(running) if running else ibis.literal(False)
    return each.mutate(favourite_on_offer=on_offer)


def _last_channel(tables: Tables, as_of: date) -> ir.Table | None:
    parts = paid_by("channel", tables, Window(as_of, (YEAR,)))
    if parts is None:
        return None
    order = ibis.window(group_by="customer", order_by=[parts.last_day.desc(), parts.channel])
    last = parts.mutate(place=ibis.row_number().over(order)).filter(ibis._.place == 0)
    return last.select("customer", last_channel="channel")


def _contacted(tables: Tables, as_of: date) -> ir.Table | None:
    if tables.contacts is None:
        return None
    known = before(tables.contacts, as_of)
    return known.group_by("customer").agg(days_since_contact=days_until(as_of, known.day.max()))


def _birthday(tables: Tables, as_of: date) -> ir.Table | None:
    known = tables.customers
    if known is None or "birthday" not in known.columns:
        return None
    born = known.filter(known.birthday <= ibis.literal(as_of - timedelta(days=1)))
    each = born.group_by("customer").agg(birthday=born.birthday.min())
    return each.select("customer", days_to_birthday=days_to_next(each.birthday, as_of))


def _scores(scores: ir.Table | pd.DataFrame | None) -> ir.Table | None:
    """Scores with a rank of the CLV; what is no number is unknown."""
    if scores is None:
        return None
    table = ibis.memtable(scores) if isinstance(scores, pd.DataFrame) else scores
    given = [name for name in SCORES if name in table.columns]
    doubles = {name: table[name].cast("float64") for name in given}
    each = table.select(
        "customer", **{name: value.isnan().ifelse(ibis.null("float64"), value) for name, value in doubles.items()}
    )
    if "clv" not in given:
        return each
    cents = (each.clv * CENTS).round().cast("int64")
    valued = each.filter(each.clv.notnull()).select("customer", cents=cents)
    ranked = valued.join(_ranks(valued, "cents"), "cents").select("customer", clv_rank="rank")
    return each.left_join(ranked, "customer").drop("customer_right")
