"""What is wrong with real logs, put in on purpose and counted.

`settings.dirt` is the share of lines that get one of `KINDS`, at most one a line. Two more things go missing whatever
the share: all lines of the first store for two weeks, in which its till did not report, and all lines of one day. With
dirt, `time` and `amount` are text, as in an export.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .randomness import BoolArray, IntArray, generator
from .settings import CHANNELS, Simulation

KINDS = {
    "no_customer": 0.2,
    "unreadable_time": 0.1,
    "unreadable_amount": 0.1,
    "impossible_date": 0.05,
    "future_date": 0.05,
    "duplicate_line": 0.195,
    "duplicate_receipt": 0.1,
    "zero_amount": 0.1,
    "extreme_amount": 0.005,
    "other_currency": 0.1,
}
"""Kinds with their part of the dirt. Extreme amounts are few, or they would not be extreme."""

EXTREME = 250
"""Times the mean order that an extreme amount is worth."""
DEAD_STORE = 1
DEAD_DAYS = 14


def dead_days(settings: Simulation) -> tuple[int, int]:
    """First day of the dead till and the first after it, counted from the log's first."""
    first = settings.days * 3 // 5
    return first, min(first + DEAD_DAYS, settings.days)


def lost_day(settings: Simulation) -> int:
    """The day of which nothing is left, counted from the log's first."""
    return settings.days * 3 // 10


def soil(settings: Simulation, lines: pa.Table, chunk: int) -> tuple[pa.Table, pa.Table]:
    """Lines with the dirt asked for, and how many of each kind: `kind`, `lines`.

    Duplicate lines come on top, each counted once. A line with a duplicate receipt carries the number of a receipt of
    another customer at the same till.
    """
    rng = generator(settings.seed, "dirt", chunk)
    kind = np.searchsorted(settings.dirt * np.cumsum(list(KINDS.values())), rng.random(lines.num_rows), side="right")
    day = (np.array(lines["time"]).astype("datetime64[D]") - np.datetime64(settings.start)).astype(int)
    first, over = dead_days(settings)
    dead = (np.array(lines["store"].fill_null(0)) == DEAD_STORE) & (day >= first) & (day < over)
    lost = (day == lost_day(settings)) & ~dead
    there = ~(dead | lost)
    lines, kind = lines.filter(pa.array(there)), kind[there]
    found = {name: kind == at for at, name in enumerate(KINDS)}
    bought = np.array(lines["amount"]) > 0
    donor, another = _donors(lines, bought & (kind == len(KINDS)), rng)
    found["duplicate_receipt"] &= bought & another
    soiled = _rewritten(settings, lines, found, donor)
    once_more = np.sort(np.concatenate([np.arange(kind.size), np.flatnonzero(found["duplicate_line"])]))
    counts = {name: int(rows.sum()) for name, rows in found.items()}
    counts |= {"dead_till": int(dead.sum()), "lost_day": int(lost.sum())}
    return soiled.take(pa.array(once_more)), pa.table({"kind": list(counts), "lines": list(counts.values())})


def _donors(lines: pa.Table, clean: BoolArray, rng: np.random.Generator) -> tuple[IntArray, BoolArray]:
    """For each line a clean line of the same till, which counts its own receipts, and whether it is another's."""
    channel, store = np.array(lines["channel"]), np.array(lines["store"].fill_null(0))
    till = np.searchsorted(np.sort(CHANNELS), channel) * (store.max(initial=0) + 1) + store
    by_till = np.flatnonzero(clean)[np.argsort(till[clean], kind="stable")]
    first, last = (np.searchsorted(till[by_till], till, side=side) for side in ("left", "right"))
    place = np.minimum(first + (rng.random(till.size) * (last - first)).astype(np.int64), by_till.size - 1)
    if not by_till.size:
        return np.zeros(till.size, dtype=np.int64), np.zeros(till.size, dtype=bool)
    customer = np.array(lines["customer"])
    return by_till[place], (last > first) & (customer[by_till[place]] != customer)


def _rewritten(settings: Simulation, lines: pa.Table, found: dict[str, BoolArray], donor: IntArray) -> pa.Table:
    """The lines with the kinds found, time and amount as text."""
    receipt = np.array(lines["receipt"])
    receipt = np.where(found["duplicate_receipt"], receipt[donor], receipt)
    return _replaced(
        lines,
        customer=pc.if_else(pa.array(found["no_customer"]), pa.scalar(None, pa.int64()), lines["customer"]),
        time=_overwritten(
            pc.strftime(lines["time"].cast(pa.timestamp("s")), "%Y-%m-%d %H:%M:%S"),
            {
                "31.02. abends": found["unreadable_time"],
                "1900-01-01 00:00:00": found["impossible_date"],
                "2099-12-31 12:00:00": found["future_date"],
            },
        ),
        receipt=pa.array(receipt),
        amount=_overwritten(
            lines["amount"].cast(pa.string()),
            {
                "#VALUE!": found["unreadable_amount"],
                "0.0": found["zero_amount"],
                f"{EXTREME * settings.mean_order:.2f}": found["extreme_amount"],
            },
        ),
        currency=_overwritten(lines["currency"], {"USD": found["other_currency"]}),
    )


def _overwritten(column: pa.ChunkedArray, values: dict[str, BoolArray]) -> pa.ChunkedArray:
    for value, rows in values.items():
        column = pc.if_else(pa.array(rows), value, column)
    return column


def _replaced(table: pa.Table, **columns: object) -> pa.Table:
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return table
