"""What the programme did with the customer: campaigns sent and coupons handed in."""

import ibis.expr.types as ir

from .columns import Column, Tables, Window
from .windows import before, days_until, in_last_days

LONGEST_RECENT = 90


def recent_days(lengths: tuple[int, ...]) -> int:
    """The longest window of a quarter or less that the data can fill."""
    return max((length for length in lengths if length <= LONGEST_RECENT), default=min(lengths))


def columns(lengths: tuple[int, ...]) -> dict[str, Column]:
    """Columns of `contacts` and `redemptions` for the given windows."""
    days = recent_days(lengths)
    return {
        "contacts": Column("Campaigns received so far", "count"),
        f"contacts_{days}": Column(f"Campaigns received in the last {days} days", "count"),
        "days_since_contact": Column("Days since the last campaign", "days", "never contacted"),
        "redemptions": Column("Coupons handed in so far", "count"),
        f"redemptions_{days}": Column(f"Coupons handed in in the last {days} days", "count"),
        "days_since_redemption": Column("Days since the last coupon", "days", "never handed one in"),
    }


def counts(lengths: tuple[int, ...]) -> list[str]:
    """The columns that count: a customer without a row in the table has had none."""
    return [name for name, column in columns(lengths).items() if column.unit == "count"]


def contacts(tables: Tables, window: Window) -> ir.Table | None:
    """Campaigns by customer; None where the dataset has no contacts."""
    return None if tables.contacts is None else _happenings(tables.contacts, window, "contacts", "contact")


def redemptions(tables: Tables, window: Window) -> ir.Table | None:
    """Coupons by customer; None where the dataset has no redemptions."""
    return None if tables.redemptions is None else _happenings(tables.redemptions, window, "redemptions", "redemption")


def _happenings(table: ir.Table, window: Window, plural: str, singular: str) -> ir.Table:
    known, days = before(table, window.as_of), recent_days(window.lengths)
    return known.group_by("customer").agg(
        **{
            plural: known.count(),
            f"{plural}_{days}": in_last_days(known.day, window.as_of, days).sum(),
            f"days_since_{singular}": days_until(window.as_of, known.day.max()),
        }
    )
