"""One contender of `programme.py`, in a process of its own: `settlers.py NAME LEDGER SCRATCH MEMORY_GB`.

It reads a ledger of points and tells on standard output, as JSON, what became of all points, what of its cost was
starting and importing, and whom it ran.
"""

import json
import resource
import sys
from collections import deque
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from ledgers import AS_OF, EXPIRY_DAYS

THREADS = 2

Points = dict[str, float]
Work = Callable[[Path, Path, float], Points]


def loyalty() -> Work:
    """The project: settled, then moved by day, used, left by age, expiring, and both liabilities with their test."""
    import ibis.backends.duckdb  # noqa: F401, or the first connection would import it
    from loyalty.points_rules import PointsRules
    from loyalty.programme import points_measures as measures
    from loyalty.programme.owed import METHODS, counted, expected
    from loyalty.programme.owed_tested import back_test
    from loyalty.programme.points import own
    from loyalty.programme.points_totals import totals
    from loyalty.sources.files import connect

    def work(ledger: Path, scratch: Path, memory_gb: float) -> Points:
        connection = connect(memory_gb, scratch / "spill")
        connection.raw_sql(f"SET threads = {THREADS}")
        rules = PointsRules(expiry_days=EXPIRY_DAYS, cost_per_point=0.01)
        account = own(connection.read_parquet(ledger), rules, AS_OF)
        told = totals(account)
        measures.moved(account)
        measures.use(account)
        measures.balance_by_age(account)
        measures.expiry_calendar(account)
        seen = counted(account)
        # A ledger of a few lines is too short for a method.
        for method in METHODS if seen.whole else ("survival",):
            expected(seen, method)
        back_test(seen, AS_OF)
        return {name: float(told[name] or 0) for name in ("issued", "redeemed", "expired", "outstanding")}

    return work


def pandas_loop() -> Work:
    """A loop over the customers of a pandas frame, each with a queue of what was earned: settled, and no more."""
    import pandas as pd

    def work(ledger: Path, scratch: Path, memory_gb: float) -> Points:
        frame = pd.read_parquet(ledger)
        frame["day"] = (pd.to_datetime(frame["day"]) - pd.Timestamp(AS_OF)).dt.days
        told = dict.fromkeys(("issued", "redeemed", "expired", "outstanding"), 0.0)
        for _, rows in frame.groupby("customer", sort=False):
            _settle(rows, told)
        return told

    return work


def _settle(rows, told: Points) -> None:
    """The movements of one customer, the oldest points going first."""
    queue: deque[list[float]] = deque()

    def expire(today: int) -> None:
        while queue and queue[0][0] + EXPIRY_DAYS < today:
            told["expired"] += queue.popleft()[1]

    for day, points in zip(rows["day"], rows["points"], strict=True):
        expire(day)
        if points > 0:
            told["issued"] += points
            queue.append([day, points])
            continue
        wanted = -points
        while queue and wanted:
            part = min(wanted, queue[0][1])
            queue[0][1] -= part
            wanted -= part
            told["redeemed"] += part
            if not queue[0][1]:
                queue.popleft()
    # What ends with the last day is still there on the next.
    expire(-1)
    told["outstanding"] += sum(points for _, points in queue)


class Settler(NamedTuple):
    """Who does it: shown as, how its imports begin, and the packages whose versions are told."""

    shown: str
    begin: Callable[[], Work]
    packages: tuple[str, ...]


SETTLERS = {
    "loyalty": Settler("loyalty", loyalty, ("duckdb", "ibis-framework")),
    "pandas": Settler("a pandas loop by customer", pandas_loop, ("pandas",)),
}


def main(name: str, ledger: str, scratch: str, memory_gb: str) -> None:
    """Run one contender."""
    settler = SETTLERS[name]
    work = settler.begin()
    started = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    told = work(Path(ledger), Path(scratch), float(memory_gb))
    versions = {package: version(package) for package in settler.packages}
    sys.stdout.write(json.dumps({"started": started, "points": told, "versions": versions}))


if __name__ == "__main__":
    main(*sys.argv[1:])
