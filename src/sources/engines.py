"""The engines that compute tables: DuckDB in this process, or Spark on one machine or many.

Both compute the same Ibis expressions to the same numbers. What they hand to each other is Parquet: DuckDB writes one
file, Spark a folder of parts with the same name; both read either.
"""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from ..errors import EngineError
from ..schema import Engine
from .files import connect as connect_duckdb

JAVA = 17
ROWS = 100_000
"""Rows of a batch where a table is streamed."""


def connect(name: str, settings: Engine, folder: Path) -> ibis.BaseBackend:
    """An engine, its session in UTC.

    Parameters
    ----------
    name : duckdb or spark. A Spark session that this process has already is used as it is.
    settings : of the dataset file.
    folder : where the engine may write what does not fit into memory. For a cluster it lies on storage that all its
        machines see.

    Raises
    ------
    EngineError
        If Spark or Java is missing, or does not start.
    """
    if name == "duckdb":
        return connect_duckdb(settings.memory_gb, folder / "spill")
    if importlib.util.find_spec("pyspark") is None:
        raise EngineError(
            "engine = 'spark' needs PySpark, which is not installed; install the extra `spark` (pip install "
            "'loyalty[spark]'), or use engine = 'duckdb'"
        )
    check_java()
    from . import spark

    return spark.connect(settings, folder.resolve() / "spark")


def read(connection: ibis.BaseBackend, place: Path) -> ir.Table:
    """A table that `write` wrote, whichever engine did."""
    if connection.name == "duckdb":
        return connection.read_parquet(place / "*.parquet" if place.is_dir() else place)
    return connection.read_parquet(place.resolve())


def write(connection: ibis.BaseBackend, table: ir.Table, place: Path) -> None:
    """Compute a table into Parquet: a file by DuckDB, a folder of parts by Spark."""
    connection.to_parquet(table, place.resolve())


def write_file(source: Path, file: Path) -> None:
    """Put a table that `write` wrote, and the rows of its parts in order, into one file, a batch at a time."""
    if source.is_file():
        shutil.copyfile(source, file)
        return
    parts = pyarrow.dataset.dataset(sorted(source.glob("*.parquet")), format="parquet")
    schema = parts.schema.remove_metadata()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in parts.to_batches(batch_size=ROWS):
            writer.write_batch(pa.RecordBatch.from_arrays(part.columns, schema=schema))


def write_mapped(
    connection: ibis.BaseBackend,
    table: ir.Table,
    function: Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]],
    schema: pa.Schema,
    file: Path,
) -> None:
    """Put what a function makes of the rows of a table into one file, a batch at a time.

    Parameters
    ----------
    connection : by Spark the function runs where the rows are, so that its machines must have this package.
    table : in the order in which the rows are to be written.
    function : batches of rows → batches with the columns of `schema`; it must not matter how rows are batched.
    schema : of the file.
    file : written over.
    """
    if connection.name == "duckdb":
        # Not by Ibis, which asks for the batches in a way that DuckDB will drop.
        reader = connection.con.sql(connection.compile(table)).to_arrow_reader(ROWS)
        batches = (batch.to_pandas() for batch in reader)
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for frame in function(batches):
                writer.write_batch(pa.RecordBatch.from_pandas(frame, schema=schema, preserve_index=False))
        return
    from pyspark.sql.pandas.types import from_arrow_schema

    rows = connection.raw_sql(connection.compile(table))
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".new-") as scratch:
        parts = Path(scratch).resolve() / "parts"
        rows.mapInPandas(function, schema=from_arrow_schema(schema)).write.parquet(str(parts))
        write_file(parts, file)


def engine_errors() -> tuple[type[Exception], ...]:
    """What an engine raises for a value that it cannot read; to be caught around what is computed."""
    if "pyspark" not in sys.modules:
        return (duckdb.Error,)
    from . import spark

    return (duckdb.Error, *spark.ERRORS)


@functools.cache
def check_java() -> None:
    """Raise EngineError unless the Java that Spark will start is of the version that it needs."""
    home = os.environ.get("JAVA_HOME")
    remedy = (
        f"install Java {JAVA} (on Debian and Ubuntu `apt-get install openjdk-{JAVA}-jre-headless`) and set JAVA_HOME "
        "to its folder, or use engine = 'duckdb'"
    )
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if java is None:
        where = f"in JAVA_HOME = {home}" if home else "on the path"
        raise EngineError(f"engine = 'spark' needs Java {JAVA}, and there is no Java {where}; {remedy}")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    if found is None or int(found[1]) != JAVA:
        version = f"Java {found[1]}" if found else "no working Java"
        raise EngineError(f"engine = 'spark' needs Java {JAVA}, and {java} is {version}; {remedy}")
