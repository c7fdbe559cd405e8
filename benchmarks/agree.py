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
    for name, file in (("ours", ours), ("theirs", theirs)):
        connection.read_parquet(str(file)).create_view(name)
    columns, others = (connection.table(name).columns for name in ("ours", "theirs"))
    if set(columns) != set(others):
        return f"columns {sorted(set(columns) ^ set(others))}"
    columns.remove("customer")
    rows, other_rows = (connection.table(name).shape[0] for name in ("ours", "theirs"))
    every = max(1, rows // COMPARED)
    expected = _scalars(connection, "SELECT count(*) FROM ours WHERE customer % $every = 0", every)
    counted = ", ".join(f"count(*) FILTER (NOT ({_alike(name, null_is_zero)}))" for name in columns)
    joined = "FROM ours JOIN theirs USING (customer) WHERE ours.customer % $every = 0"
    both, *wrong = _scalars(connection, f"SELECT count(*), {counted} {joined}", every)
    told = [f"{name} of {number} customers" for name, number in zip(columns, wrong, strict=True) if number]
    if (rows, both) != (other_rows, *expected):
        told.insert(0, f"customers ({rows} and {other_rows})")
    return ", ".join(told)


def _scalars(connection, query: str, every: int) -> tuple[int, ...]:
    return connection.execute(query, {"every": every}).fetchone()


def _alike(column: str, null_is_zero: bool) -> str:
    """SQL for: both are null, or numbers that hardly differ."""
    mine, other = (
        f'coalesce({side}."{column}", 0)' if null_is_zero else f'{side}."{column}"' for side in ("ours", "theirs")
    )
    close = f"abs({mine} - {other}) <= {TOLERANCE} * greatest(1, abs({mine}))"
    return f"coalesce({close}, {mine} IS NULL AND {other} IS NULL)"
