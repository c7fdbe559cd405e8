"""One contender of `features.py`, in a process of its own: `contenders.py NAME LOG RESULT SCRATCH MEMORY_GB`.

It may run in an environment that has nothing but the peer it measures. It reads the log and writes its result, both
Parquet, and tells on standard output, as JSON, what of its cost was starting and importing, and whom it ran.
"""

import json
import resource
import sys
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import NamedTuple

AS_OF = date(2025, 1, 1)
"""First day after every simulated log."""
THREADS = 2
HORIZON_DAYS = 90
ACTIVE_WITHIN_DAYS = 100_000
"""Everyone is active: all contenders have all customers to do."""
COLUMNS = ["customer", "time", "amount"]
"""Of the log, for those who read them into memory."""


class Job(NamedTuple):
    """What to read and write, where to spill, and how much memory DuckDB may use."""

    log: Path
    result: Path
    scratch: Path
    memory_gb: float


Work = Callable[[Job], None]


def loyalty_histories() -> Work:
    """The project's expressions, from the lines."""
    from loyalty.features.columns import Tables
    from loyalty.features.histories import histories, purchase_days

    opened = _opener()

    def work(job: Job) -> None:
        connection, lines = opened(job)
        connection.to_parquet(histories(Tables(purchase_days(lines)), AS_OF), job.result, compression="zstd")

    return work


def loyalty_features() -> Work:
    """The project's expressions, with purchase days and returns kept in between, as `Prepared` does."""
    from loyalty.features.build import LENGTHS, features
    from loyalty.features.columns import Tables, Window
    from loyalty.features.histories import purchase_days, return_days

    opened = _opener()

    def work(job: Job) -> None:
        connection, lines = opened(job)
        kept = {}
        for name, table in (("days", purchase_days(lines)), ("returns", return_days(lines))):
            connection.to_parquet(table, job.scratch / f"{name}.parquet")
            kept[name] = connection.read_parquet(job.scratch / f"{name}.parquet")
        window = Window(AS_OF, LENGTHS, HORIZON_DAYS)
        frame = features(Tables(**kept, lines=lines), window, ACTIVE_WITHIN_DAYS)
        connection.to_parquet(frame, job.result, compression="zstd")

    return work


def _opener() -> Callable[[Job], tuple]:
    """What gives the project's DuckDB, and the lines under the project's names."""
    import ibis.backends.duckdb  # noqa: F401, or the first connection would import it
    from loyalty.sources.files import connect

    def opened(job: Job) -> tuple:
        connection = connect(job.memory_gb, job.scratch / "spill")
        connection.raw_sql(f"SET threads = {THREADS}")
        log = connection.read_parquet(job.log)
        return connection, log.mutate(day=log.time.date()).rename(order="receipt")

    return opened


def duckdb_histories() -> Work:
    """SQL written by hand for the same columns."""
    return _sql("histories.sql")


def duckdb_features() -> Work:
    """SQL written by hand for the same columns."""
    return _sql("features.sql")


def _sql(file: str) -> Work:
    import duckdb

    # Parameters of a query would make DuckDB import pandas.
    template = Template(Path(__file__).with_name(file).read_text("utf-8"))
    query = template.substitute(
        as_of=f"DATE '{AS_OF}'", horizon_days=HORIZON_DAYS, active_within_days=ACTIVE_WITHIN_DAYS
    )

    def work(job: Job) -> None:
        limits = {"memory_limit": f"{job.memory_gb}GB", "temp_directory": str(job.scratch / "spill")}
        connection = duckdb.connect(config={**limits, "threads": THREADS, "preserve_insertion_order": False})
        connection.read_parquet(str(job.log)).create_view("lines")
        connection.execute(f"COPY ({query}) TO '{job.result}' (FORMAT parquet, COMPRESSION zstd)")

    return work


def lifetimes_histories() -> Work:
    """The package lifetimes, which takes a pandas frame of lines."""
    import pandas as pd
    from lifetimes.utils import summary_data_from_transaction_data

    def work(job: Job) -> None:
        log = pd.read_parquet(job.log, columns=COLUMNS)
        found = summary_data_from_transaction_data(log, *COLUMNS, observation_period_end=AS_OF)
        found.reset_index().to_parquet(job.result, compression="zstd")

    return work


def pymc_histories() -> Work:
    """The package pymc-marketing, which takes a pandas frame of lines."""
    import pandas as pd
    from pymc_marketing.clv import rfm_summary

    def work(job: Job) -> None:
        log = pd.read_parquet(job.log, columns=COLUMNS)
        found = rfm_summary(log, *COLUMNS, observation_period_end=AS_OF)
        found.rename(columns={"customer_id": "customer"}).to_parquet(job.result, compression="zstd")

    return work


class Contender(NamedTuple):
    """Who does it: shown as, how its imports begin, and the packages whose versions are told."""

    shown: str
    begin: Callable[[], Work]
    packages: tuple[str, ...]


CONTENDERS = {
    "histories": {
        "loyalty": Contender("loyalty", loyalty_histories, ("duckdb", "ibis-framework")),
        "duckdb": Contender("hand-written DuckDB SQL", duckdb_histories, ("duckdb",)),
        "lifetimes": Contender("lifetimes", lifetimes_histories, ("lifetimes", "pandas", "pyarrow")),
        "pymc-marketing": Contender("pymc-marketing", pymc_histories, ("pymc-marketing", "pandas", "pyarrow")),
    },
    "features": {
        "loyalty": Contender("loyalty", loyalty_features, ("duckdb", "ibis-framework")),
        "duckdb": Contender("hand-written DuckDB SQL", duckdb_features, ("duckdb",)),
    },
}


def main(task: str, name: str, log: str, result: str, scratch: str, memory_gb: str) -> None:
    """Run one contender."""
    contender = CONTENDERS[task][name]
    work = contender.begin()
    started = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    work(Job(Path(log), Path(result), Path(scratch), float(memory_gb)))
    versions = {package: version(package) for package in contender.packages}
    sys.stdout.write(json.dumps({"started": started, "versions": versions}))


if __name__ == "__main__":
    main(*sys.argv[1:])
