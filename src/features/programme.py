"""What the programme did with the customer: campaigns and coupons, points, tier."""

import ibis
import ibis.expr.types as ir

from .columns import Column, TableBlock, Tables, Window
from .histories import NOTHING, net_spend
from .windows import before, days_until, in_last_days


def offer_columns(window: Window) -> dict[str, Column]:
    """Columns of `offers`."""
    last = f"the last {window.recent} days"
    sent = {
        "contacts": Column("Campaigns received so far", "count", "contacts before the as-of date", needs="contacts"),
        f"contacts_{window.recent}": Column(
            f"Campaigns received in {last}", "count", f"contacts in {last}", needs="contacts"
        ),
        "contact_rate": Column(
            "Campaigns received in 30 days",
            "count",
            "contacts, over the days since the first of them but at least 30, times 30",
            needs="contacts",
        ),
        "days_since_contact": Column(
            "Days since the last campaign",
            "days",
            "from the last contact to the as-of date",
            "never contacted",
            "contacts",
        ),
    }
    used = {
        "redemptions": Column(
            "Coupons handed in so far", "count", "redemptions before the as-of date", needs="redemptions"
        ),
        f"redemptions_{window.recent}": Column(
            f"Coupons handed in in {last}", "count", f"redemptions in {last}", needs="redemptions"
        ),
        "days_since_redemption": Column(
            "Days since the last coupon",
            "days",
            "from the last redemption to the as-of date",
            "never handed one in",
            "redemptions",
        ),
        "redemption_rate": Column(
            "Coupons handed in per campaign received",
            "ratio",
            "redemptions over contacts",
            "never contacted",
            "contacts and redemptions",
        ),
    }
    return sent | used


def offers(tables: Tables, window: Window) -> ir.Table | None:
    """Campaigns and coupons by customer; None where the dataset has neither."""
    both = (("contact", tables.contacts), ("redemption", tables.redemptions))
    kinds = {kind: table for kind, table in both if table is not None}
    if not kinds:
        return None
    rows = [table.select("customer", "day", kind=ibis.literal(kind)) for kind, table in kinds.items()]
    known = before(ibis.union(*rows) if len(rows) > 1 else rows[0], window.as_of)
    age = days_until(window.as_of, known.day)
    recent = in_last_days(known.day, window.as_of, window.recent)
    named: dict[str, ir.Value] = {}
    for kind in kinds:
        of_kind = known.kind == kind
        named |= {
            f"{kind}s": of_kind.sum(),
            f"{kind}s_{window.recent}": (of_kind & recent).sum(),
            f"days_since_{kind}": age.min(where=of_kind),
        }
    each = known.group_by("customer").agg(**named, first_contact=age.max(where=known.kind == "contact"))
    rates = {}
    if "contact" in kinds:
        rates["contact_rate"] = (each.contacts * 30 / ibis.greatest(each.first_contact, 30)).coalesce(0.0)
    if len(kinds) > 1:
        rates["redemption_rate"] = each.redemptions / each.contacts.nullif(0)
    return each.mutate(**rates).drop("first_contact")


def point_columns(window: Window) -> dict[str, Column]:
    """Columns of `points`."""
    last = f"the last {window.recent} days"
    return {
        "points_balance": Column("Points on the account", "points", "sum of all movements", needs="points"),
        f"points_earned_{window.recent}": Column(
            f"Points earned in {last}", "points", f"sum of positive movements in {last}", needs="points"
        ),
        f"points_spent_{window.recent}": Column(
            f"Points spent or expired in {last}",
            "points",
            f"minus the sum of negative movements in {last}",
            needs="points",
        ),
        "points_used_share": Column(
            "Share of the earned points that are gone",
            "share",
            "minus the sum of negative movements over that of positive ones, at most 1",
            "none earned yet",
            "points",
        ),
        "days_since_points": Column(
            "Days since the points last moved",
            "days",
            "from the last movement to the as-of date",
            "no movement yet",
            "points",
        ),
    }


def points(tables: Tables, window: Window) -> ir.Table | None:
    """Points by customer; None where the dataset has none."""
    if tables.points is None:
        return None
    known = before(tables.points, window.as_of)
    recent = in_last_days(known.day, window.as_of, window.recent)
    earned, gone = known.points.clip(lower=0).cast("float64"), (-known.points).clip(lower=0).cast("float64")
    each = known.group_by("customer").agg(
        points_balance=known.points.sum(),
        **{
            f"points_earned_{window.recent}": recent.ifelse(earned, 0.0).sum(),
            f"points_spent_{window.recent}": recent.ifelse(gone, 0.0).sum(),
        },
        days_since_points=days_until(window.as_of, known.day.max()),
        earned=earned.sum(),
        gone=gone.sum(),
    )
    used = (each.gone / each.earned.nullif(0)).clip(upper=1.0)
    return each.mutate(points_used_share=used).drop("earned", "gone")


def tier_columns(window: Window) -> dict[str, Column]:
    """Columns of `tier`."""
    needs = "programme.tiers, and transactions that reach back its qualifying days before the earliest date"
    return {
        "qualifying_spend": Column(
            "Spend that counts for the tier", "money", "net spend within the programme's qualifying days", needs=needs
        ),
        "tier": Column(
            "Tier",
            "level",
            "number of thresholds that qualifying_spend reaches: 0 is below the first tier",
            needs=needs,
        ),
        "to_next_tier": Column(
            "Spend still missing for the next tier",
            "money",
            "next threshold less qualifying_spend",
            "in the highest tier",
            needs,
        ),
    }


def tier(tables: Tables, window: Window) -> ir.Table | None:
    """Tier of everyone who bought before the as-of date; None without tiers, or where the log is too short for them."""
    if not tables.tiers or not window.reaches(tables.qualifying_days):
        return None
    known = before(net_spend(tables), window.as_of)
    counts = in_last_days(known.day, window.as_of, tables.qualifying_days)
    each = known.group_by("customer").agg(qualifying_spend=counts.ifelse(known.spend, 0.0).sum())
    missing = [
        (each.qualifying_spend < threshold - NOTHING, threshold - each.qualifying_spend) for threshold in tables.tiers
    ]
    reached = [(each.qualifying_spend >= threshold - NOTHING).cast("int64") for threshold in tables.tiers]
    return each.mutate(tier=sum(reached), to_next_tier=ibis.cases(*missing, else_=None))


OFFERS = TableBlock("offers", offer_columns, offers)
POINTS = TableBlock("points", point_columns, points)
TIER = TableBlock("tier", tier_columns, tier)
