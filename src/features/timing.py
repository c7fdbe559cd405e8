"""When the customer comes: days of the week and parts of the day."""

import ibis.expr.types as ir

from .columns import Column, DayBlock, Window

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PARTS = {"morning": (5, 11), "midday": (11, 16), "evening": (16, 21), "night": (21, 5)}
"""Parts of the day: the hour in which each begins, and the one before which it ends."""


def columns(window: Window) -> dict[str, Column]:
    """Columns of the block."""
    days = {
        f"{weekday}_share": Column(
            f"Share of purchase days on a {weekday.title()}", "share", f"purchase days on a {weekday.title()}, over all"
        )
        for weekday in WEEKDAYS
    }
    parts = {
        f"{part}_share": Column(
            f"Share of purchase days begun {'at' if part == 'midday' else 'in the'} {part}",
            "share",
            f"purchase days whose first purchase was from {begins}:00 to {ends}:00, over those with a known time",
            "the log has dates without times",
        )
        for part, (begins, ends) in PARTS.items()
    }
    return days | parts


def sums(known: ir.Table, window: Window) -> dict[str, ir.Value]:
    """Purchase days by weekday, and by part of the day where the log has times."""
    weekday = known.day.day_of_week.index()
    named = {
        f"{name}_share": (weekday == number).cast("float64").mean(where=known.purchase)
        for number, name in enumerate(WEEKDAYS)
    }
    if "hour" in known.columns:
        named |= {f"{part}_share": _within(known.hour, *edges).cast("float64").mean() for part, edges in PARTS.items()}
    return named


def values(each: ir.Table, window: Window) -> dict[str, ir.Value]:
    """The shares."""
    return {name: each[name] for name in columns(window) if name in each.columns}


BLOCK = DayBlock("timing", columns, sums, values)


def _within(hour: ir.IntegerValue, begins: int, ends: int) -> ir.BooleanValue:
    """Whether an hour lies in a part of the day, which may run over midnight."""
    return (hour >= begins) & (hour < ends) if begins < ends else (hour >= begins) | (hour < ends)
