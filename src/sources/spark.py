"""Spark as an engine: a session that stays inside the project, and what Ibis needs to agree with DuckDB on it.

Imported only where PySpark is there.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis.backends.pyspark import Backend
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.formats.pandas import PandasData
from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession
from pyspark.sql.types import TimestampType

from ..errors import EngineError
from ..schema import Engine

ERRORS = (PySparkException, Py4JError)

ALWAYS = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
LOCAL = {
    # A laptop's own name may lead to an address that it does not have today.
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "4g",
    # 200, the default, is for clusters: most of those tasks would have nothing to do.
    "spark.sql.shuffle.partitions": "16",
}
MEANING = {
    # Times have no zone, as by DuckDB, and are written so.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.session.timeZone": "UTC",
    # What cannot be read or counted is an error, unless an expression says otherwise.
    "spark.sql.ansi.enabled": "true",
    # Days long ago are of one calendar.
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
}
"""Other values of these would change results."""


def connect(settings: Engine, scratch: Path) -> "SparkBackend":
    """The Spark session of this process, started if there is none, for Ibis.

    Parameters
    ----------
    settings : its master and options.
    scratch : folder for what does not fit into memory, and for Spark's log.

    Raises
    ------
    EngineError
        If it does not start.
    """
    if SparkContext._active_spark_context is None:
        scratch.mkdir(parents=True, exist_ok=True)
        options = ALWAYS | {"spark.sql.warehouse.dir": str(scratch / "warehouse")}
        if settings.master.startswith("local"):
            options |= LOCAL | {"spark.local.dir": str(scratch)}
            # Otherwise workers are whatever `python3` is on the path.
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        options |= {name: _as_spark_writes(value) for name, value in settings.options.items()}
        _start(settings.master, options, scratch / "spark.log")
    session = SparkSession.builder.getOrCreate()
    for name, value in MEANING.items():
        session.conf.set(name, value)
    SparkBackend.register_options()
    connection: SparkBackend = SparkBackend().connect(session)
    return connection


def _start(master: str, options: dict[str, str], log: Path) -> None:
    """Start Spark's Java, which tells its log rather than the terminal what it does."""
    conf = SparkConf().setMaster(master).setAppName("loyalty").setAll(list(options.items()))
    try:
        with log.open("ab") as stream:
            gateway = launch_gateway(conf, {"stdout": stream, "stderr": stream})
        SparkContext(conf=conf, gateway=gateway)
    except ERRORS as error:
        reason = str(error).strip().splitlines()[0]
        raise EngineError(f"Spark does not start on {master}: {reason}; its log is {log}") from None


def _as_spark_writes(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Compiler(PySparkCompiler):  # type: ignore[misc]
    """Ibis's own, but for an operation that it writes so that Spark reads something else."""

    def visit_Strip(self, op: Any, *, arg: Any) -> Any:  # noqa: D102, N802
        # Ibis strips `\v` and `\f`, which Spark takes for the letters: the customer "fv1" would be "1".
        blank = r"[ \t\n\r\x0B\f]+"
        return self.f.regexp_replace(arg, f"^{blank}|{blank}$", "")


class SparkBackend(Backend):  # type: ignore[misc]
    """Ibis's own, but for how results are fetched: as Arrow, in the types that DuckDB gives.

    Ibis goes by way of pandas with times in nanoseconds, which do not reach to the year 9999.
    """

    compiler = Compiler()

    def get_schema(self, name: str, **where: Any) -> ibis.Schema:  # noqa: D102
        # Ibis does not tell instants, which only files of others hold, from times without a zone.
        schema = super().get_schema(name, **where)
        kinds = {field.name: field.dataType for field in self._session.table(name).schema.fields}
        instant = ibis.dtype("timestamp('UTC')")
        return ibis.schema(
            {column: instant if isinstance(kinds[column], TimestampType) else kind for column, kind in schema.items()}
        )

    def to_pyarrow(  # noqa: D102
        self,
        expr: ir.Expr,
        /,
        *,
        params: Mapping[ir.Scalar, Any] | None = None,
        limit: int | str | None = None,
        **options: Any,
    ) -> pa.Table:
        self._run_pre_execute_hooks(expr)
        table = expr.as_table()
        fetched = self.raw_sql(self.compile(table, params=params, limit=limit, **options)).toArrow()
        return expr.__pyarrow_result__(fetched.cast(table.schema().to_pyarrow()))

    def execute(self, expr: ir.Expr, /, **options: Any) -> Any:  # noqa: D102
        table = expr.as_table()
        fetched = self.to_pyarrow(table, **options)
        # Whole numbers with gaps stay whole.
        frame = pd.DataFrame(
            {name: column.to_pylist() if column.null_count else column.to_pandas() for name, column in
             zip(fetched.column_names, fetched.columns, strict=True)}
        )  # fmt: skip
        return expr.__pandas_result__(PandasData.convert_table(frame, table.schema()))

    def _create_cached_table(self, name: str, expr: ir.Expr) -> ir.Table:
        """Compute a table at once, and let what uses it begin from its rows.

        Spark's own cache plans again, at each use, all that a table is made of: of a table of tables that takes more
        memory than its rows.
        """
        self._run_pre_execute_hooks(expr)
        frame = self._session.sql(self.compile(expr)).localCheckpoint(eager=True)
        frame.createTempView(name)
        self._cached_dataframes[name] = frame
        return self.table(name)

    def _drop_cached_table(self, name: str) -> None:
        self._session.catalog.dropTempView(name)
        del self._cached_dataframes[name]
