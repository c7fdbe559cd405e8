"""What a purchase day looks like: its size, how much of it was bought at a discount, and what came back."""

import ibis.expr.types as ir

from .columns import Column, DayBlock, Window


def columns(window: Window) -> dict[str, Column]:
    """Columns of the block."""
    nothing = "all purchases were worth nothing"
    return {
        "lines_per_day": Column("Lines per purchase day", "count", "mean number of lines of a purchase day"),
        "orders_per_day": Column(
            "Orders per purchase day", "count", "mean number of receipts with a payment on a purchase day"
        ),
        "discount_share": Column(
            "Share of the shelf price that was discounted",
            "share",
            "discounts over spend and discounts of all purchase days: sensitivity to price",
            nothing,
            needs="transactions.discount",
        ),
        "coupon_share": Column(
            "Share of purchase days with a coupon",
            "share",
            "purchase days with money off by coupon, over all",
            needs="transactions.coupon",
        ),
        "return_days": Column(
            "Days with a return", "count", "days on which something was given back, unless all adds up to nothing"
        ),
        "returned_share": Column(
            "Share of the money that was given back",
            "share",
            "money given back over money paid before returns, at most 1",
            nothing,
        ),
    }


def sums(known: ir.Table, window: Window) -> dict[str, ir.Value]:
    """Means and totals of the days; of discounts and coupons only where the log has them."""
    named = {
        "lines_per_day": known.lines.mean(),
        "orders_per_day": known.orders.mean(),
        "return_days": (known.returned > 0).sum(),
        "returned": known.returned.sum(),
    }
    if "discount" in known.columns:
        named["discount"] = known.discount.sum()
    if "coupon" in known.columns:
        named["coupon_share"] = (known.coupon > 0).cast("float64").mean()
    return named


def values(each: ir.Table, window: Window) -> dict[str, ir.Value]:
    """The usual purchase day of each customer."""
    named = {
        "lines_per_day": each.lines_per_day,
        "orders_per_day": each.orders_per_day,
        "return_days": each.return_days,
        "returned_share": (each.returned / (each.spend + each.returned).nullif(0)).clip(upper=1.0),
    }
    if "discount" in each.columns:
        named["discount_share"] = each.discount / (each.paid + each.discount).nullif(0)
    if "coupon_share" in each.columns:
        named["coupon_share"] = each.coupon_share
    return named


BLOCK = DayBlock("basket", columns, sums, values)
