"""Simulated logs of any size."""

import shutil
import tempfile
from datetime import date
from pathlib import Path

LINES_PER_CUSTOMER = 10


def make(lines: int, end: date, order: str, file: Path) -> None:
    """A plain log of two years, one row a line.

    Parameters
    ----------
    lines : about how many.
    end : first day after the log.
    order : of the lines: `customer`, as they are simulated, or `time`, as tills write them.
    file : zstd Parquet; it appears whole.
    """
    from loyalty.sources.simulator import Simulation, simulate

    customers, mean = max(1, lines // LINES_PER_CUSTOMER), float(LINES_PER_CUSTOMER)
    settings = Simulation.checked(customers=customers, end=end, plain=True, lines_per_customer=mean)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        scratch = Path(folder)
        simulate(settings, "log", scratch)
        shutil.rmtree(scratch / "data" / "raw" / "log-truth")
        log = scratch / "data" / "raw" / "log" / "transactions.parquet"
        (_in_order_of_time(log, scratch) if order == "time" else log).rename(file)


def _in_order_of_time(log: Path, scratch: Path) -> Path:
    import duckdb

    ordered = scratch / "ordered.parquet"
    limits = {"memory_limit": "6GB", "temp_directory": str(scratch / "spill")}
    query = f"COPY (FROM '{log}' ORDER BY time) TO '{ordered}' (FORMAT parquet, COMPRESSION zstd)"
    duckdb.connect(config=limits).execute(query)
    return ordered


def describe(file: Path) -> str:
    """Lines, customers and size of a log, in words."""
    import duckdb

    log = duckdb.connect().read_parquet(str(file))
    lines, customers = log.aggregate("count(*), count(DISTINCT customer)").fetchone()
    size = file.stat().st_size / 1e6
    return f"{lines:,} lines of {customers:,} customers in two years, {size:,.0f} MB of zstd Parquet"
