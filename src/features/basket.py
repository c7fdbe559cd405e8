"""What a purchase day looks like: size, breadth, and how much of it was bought at a discount."""

import ibis.expr.types as ir

from .columns import Column, Tables, Window
from .windows import before

COLUMNS = {
    "lines_per_day": Column("Lines per purchase day", "count"),
    "orders_per_day": Column("Orders per purchase day", "count"),
    "discount_share": Column(
        "Share of the shelf price that was discounted", "share", "all purchases were worth nothing"
    ),
    "coupon_share": Column("Share of purchase days with a coupon", "share"),
    "categories_per_day": Column("Categories per purchase day", "count"),
    "stores_per_day": Column("Stores per purchase day", "count"),
}


def basket(tables: Tables, window: Window) -> ir.Table:
    """Purchase days of every customer who bought before `window.as_of`; columns that the log lacks are left out."""
    known = before(tables.days, window.as_of)
    measures = {"lines_per_day": known.lines.mean(), "orders_per_day": known.orders.mean()}
    if "discount" in known.columns:
        discount = known.discount.sum()
        measures["discount_share"] = discount / (known.spend.sum() + discount).nullif(0)
    if "coupon" in known.columns:
        measures["coupon_share"] = (known.coupon > 0).cast("float64").mean()
    for plural in ("categories", "stores"):
        if plural in known.columns:
            measures[f"{plural}_per_day"] = known[plural].mean()
    return known.group_by("customer").agg(**measures)
