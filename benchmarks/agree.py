"""Whether two results hold the same numbers."""

from pathlib import Path

COMPARED = 100_000
"""Customers, or a few more, whose every number is compared."""
TOLERANCE = 1e-9
"""Largest difference, relative above 1."""


def differences(ours: Path, theirs: Path, null_is_zero: bool = False) -> str:
    """What differs between two Parquet files with a row a customer, whose numbers run from 1; empty if they agree.

    Columns and numbers of rows are compared, and of every n-th customer all columns.

    Parameters
    ----------
    ours, theirs : the files.
    null_is_zero : whether one may have zero where the other has none.
    """
    import duckdb

    connection = duckdb.connect()
    mine, other = (connection.read_parquet(str(file)) for file in (ours, theirs))
    if set(mine.columns) != set(other.columns):
        return f"columns {sorted(set(mine.columns) ^ set(other.columns))}"
    rows, other_rows = len(mine), len(other)
    every = max(1, rows // COMPARED)
    mine, other = (each.filter(f"customer % {every} = 0") for each in (mine, other))
    columns = [name for name in mine.columns if name != "customer"]
    counted = [f"count(*) FILTER (NOT ({_alike(name, null_is_zero)}))" for name in columns]
    joined = mine.set_alias("ours").join(other.set_alias("theirs"), "customer")
    both, *wrong = joined.aggregate(", ".join(["count(*)", *counted])).fetchone()
    told = [f"{name} of {number} customers" for name, number in zip(columns, wrong, strict=True) if number]
    if (rows, both) != (other_rows, len(mine)):
        told.insert(0, f"customers ({rows} and {other_rows})")
    return ", ".join(told)


def _alike(column: str, null_is_zero: bool) -> str:
    """SQL for: both are null, or numbers that hardly differ."""
    mine, other = (
        f'coalesce({side}."{column}", 0)' if null_is_zero else f'{side}."{column}"' for side in ("ours", "theirs")
    )
    close = f"abs({mine} - {other}) <= {TOLERANCE} * greatest(1, abs({mine}))"
    return f"coalesce({close}, {mine} IS NULL AND {other} IS NULL)"
