"""What the programme did with the customer: campaigns sent and coupons handed in."""

import ibis.expr.types as ir

from .columns import Column, Tables, Window
from .windows import before, days_until, in_last_days

RECENT_DAYS = 90
COLUMNS = {
    "contacts": Column("Campaigns received so far", "count"),
    f"contacts_{RECENT_DAYS}": Column(f"Campaigns received in the last {RECENT_DAYS} days", "count"),
    "days_since_contact": Column("Days since the last campaign", "days", "never contacted"),
    "redemptions": Column("Coupons handed in so far", "count"),
    f"redemptions_{RECENT_DAYS}": Column(f"Coupons handed in in the last {RECENT_DAYS} days", "count"),
    "days_since_redemption": Column("Days since the last coupon", "days", "never handed one in"),
}
# A customer without a row in the table has had none.
COUNTS = tuple(name for name, column in COLUMNS.items() if column.unit == "count")


def contacts(tables: Tables, window: Window) -> ir.Table | None:
    """Campaigns by customer; None where the dataset has no contacts."""
    return None if tables.contacts is None else _happenings(tables.contacts, window, "contacts", "contact")


def redemptions(tables: Tables, window: Window) -> ir.Table | None:
    """Coupons by customer; None where the dataset has no redemptions."""
    return None if tables.redemptions is None else _happenings(tables.redemptions, window, "redemptions", "redemption")


def _happenings(table: ir.Table, window: Window, plural: str, singular: str) -> ir.Table:
    known = before(table, window.as_of)
    return known.group_by("customer").agg(
        **{
            plural: known.count(),
            f"{plural}_{RECENT_DAYS}": in_last_days(known.day, window.as_of, RECENT_DAYS).sum(),
            f"days_since_{singular}": days_until(window.as_of, known.day.max()),
        }
    )
