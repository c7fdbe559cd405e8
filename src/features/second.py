"""The second purchase, which makes a customer of a buyer."""

import ibis.expr.types as ir

from .columns import Column, DayBlock, Window


def columns(window: Window) -> dict[str, Column]:
    """Columns of the block."""
    return {
        "second_purchase": Column("Came a second time", "flag", "1 if there is a second purchase day, else 0"),
        "days_to_second": Column(
            "Days from first to second purchase", "days", "from the first purchase day to the second", "no second one"
        ),
        "second_against_first": Column(
            "Second purchase day over the first",
            "ratio",
            "spend of the second purchase day over that of the first",
            "no second one, or the first was worth nothing",
        ),
    }


def sums(known: ir.Table, window: Window) -> dict[str, ir.Value]:
    """The second purchase day: the first that has a gap before it."""
    repeat = known.gap.notnull()
    return {"second_day": known.day.min(where=repeat), "second_spend": known.spend.argmin(known.day, where=repeat)}


def values(each: ir.Table, window: Window) -> dict[str, ir.Value]:
    """When each customer came again, and how large the second purchase was."""
    return {
        "second_purchase": each.second_day.notnull().cast("int64"),
        "days_to_second": each.second_day.delta(each.first_day, unit="day"),
        "second_against_first": each.second_spend / each.first_spend.nullif(0),
    }


BLOCK = DayBlock("second", columns, sums, values)
