"""Simulated ledgers of points of any size, in which nobody redeems what is not there, or a few customers do."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

LINES_PER_CUSTOMER = 10
EARNED_SHARE = 0.7
"""Of the lines; the others redeem."""
DAYS = 730
EXPIRY_DAYS = 365
START = date(2023, 1, 1)
AS_OF = START + timedelta(days=DAYS)
EARN, REDEEM = 1, 2
"""On one day points expire first, are earned, and are then redeemed."""


def make(lines: int, file: Path, greedy_every: int = 0) -> None:
    """A ledger of two years, whose table does not say what expires.

    Parameters
    ----------
    lines : about how many.
    file : zstd Parquet with customer, day, points, kind, in order of customer and day; it appears whole.
    greedy_every : of so many customers one redeems three times as many points; nobody if 0.
    """
    import duckdb
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(lines)
    customers = max(1, lines // LINES_PER_CUSTOMER)
    customer, day = random.integers(0, customers, lines), random.integers(0, DAYS, lines)
    step = np.where(random.random(lines) < EARNED_SHARE, EARN, REDEEM)
    rows = np.unique((customer * DAYS + day) * 3 + step)
    events = pd.DataFrame({"customer": rows // (3 * DAYS), "day": rows // 3 % DAYS, "step": rows % 3})
    events["points"] = moved(events, 1 + random.poisson(30, len(events)), random.random(len(events)))
    if greedy_every:
        asks = (events["customer"] % greedy_every == 0) & (events["points"] < 0)
        events["points"] *= np.where(asks, 3, 1)
    scratch = file.with_suffix(".new")
    table = duckdb.from_df(events[events["points"] != 0])
    named = table.project(
        f"format('card{{:07d}}', customer) AS customer, DATE '{START}' + day::INT AS day, points::DOUBLE AS points, "
        f"CASE step WHEN {EARN} THEN 'earn' ELSE 'redeem' END AS kind"
    )
    named.write_parquet(str(scratch), compression="zstd")
    scratch.rename(file)


def moved(events: Any, earned: Any, share: Any) -> Any:
    """What each line moves, the first lines of all customers at once, then the second …

    Parameters
    ----------
    events : customer (a number), day (since the start), step, in this order.
    earned : points that each line earns, if it does.
    share : of the balance that it redeems otherwise.
    """
    import numpy as np

    customer, day, step = (events[name].to_numpy() for name in ("customer", "day", "step"))
    counts = np.bincount(customer)
    first = np.cumsum(counts) - counts
    busiest = np.argsort(-counts, kind="stable")
    points = np.where(step == EARN, earned, 0)
    # All that was earned up to each line, and up to the last line whose points are over by then.
    total = np.cumsum(points)
    start = (total - points)[first[customer]]
    place = customer * (3 * DAYS) + day
    over = np.searchsorted(place, place - EXPIRY_DAYS) - 1
    lapsed = np.where(over >= first[customer], total[np.maximum(over, 0)] - start, 0)
    gone = np.zeros(counts.size, dtype=np.int64)
    for number in range(int(counts.max())):
        who = busiest[: np.searchsorted(-counts[busiest], -number, side="left")]
        rows = first[who] + number
        gone[who] = np.maximum(gone[who], lapsed[rows])
        there = np.floor(share[rows] * (total[rows] - start[rows] - gone[who])).astype(np.int64)
        taken = np.where(step[rows] == REDEEM, there, 0)
        gone[who] += taken
        points[rows] -= taken
    return points


def describe(file: Path) -> str:
    """Lines, customers and size of a ledger, in words."""
    import duckdb

    ledger = duckdb.connect().read_parquet(str(file))
    lines, customers = ledger.aggregate("count(*), count(DISTINCT customer)").fetchone()
    size = file.stat().st_size / 1e6
    return f"{lines:,} lines of {customers:,} customers in two years, {size:,.0f} MB of zstd Parquet"
