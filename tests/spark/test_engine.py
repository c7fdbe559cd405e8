"""One session, quiet and inside the project; tables that either engine writes and both read."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from agreement import Pair, assert_agree
from loyalty.schema import Engine, Table
from loyalty.sources import engines
from loyalty.sources.clock import is_zoned, read_time
from loyalty.sources.values import finite, identifier, truth
from loyalty.study import Study


@pytest.mark.parametrize("writer", [0, 1], ids=["DuckDB's", "Spark's"])
def test_what_one_engine_kept_the_other_reads(writer: int, dirty_pair: Pair, tmp_path: Path) -> None:
    """A study that is opened by the other engine finds everything under its key and computes nothing anew."""
    study = dirty_pair[writer]
    assert study.data.tables
    root = tmp_path / "root"
    shutil.copytree(study.root, root)
    kept = root / "data" / "interim" / "dirty" / f"tables-{study.data.key}"
    before = {place: place.stat().st_mtime_ns for place in kept.glob("*.parquet")}
    other = Study.open("dirty", engine=("spark", "duckdb")[writer], root=root)
    for name in ("days", "returns", "lines", "customers"):
        assert_agree(getattr(study.data.tables, name), getattr(other.data.tables, name))
    assert {place: place.stat().st_mtime_ns for place in kept.glob("*.parquet")} == before


def test_quarantine_is_published_as_one_file(dirty_pair: Pair) -> None:
    by_duckdb, by_spark = (study.data.publish_quarantine() for study in dirty_pair)
    assert by_spark.is_file()
    duckdb = ibis.duckdb.connect()
    assert_agree(duckdb.read_parquet(by_duckdb), duckdb.read_parquet(by_spark))


def test_a_second_connection_is_the_same_session(spark: ibis.BaseBackend, tmp_path: Path) -> None:
    again = engines.connect("spark", Engine(), tmp_path)
    assert again._session.sparkContext.applicationId == spark._session.sparkContext.applicationId


def test_the_session_is_local_in_utc_and_leaves_the_working_directory_alone(spark: ibis.BaseBackend) -> None:
    conf = spark._session.conf
    assert conf.get("spark.driver.host") == conf.get("spark.driver.bindAddress") == "127.0.0.1"
    assert conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark._session.sparkContext.uiWebUrl is None
    for key in ("spark.local.dir", "spark.sql.warehouse.dir"):
        assert Path.cwd() not in Path(conf.get(key).removeprefix("file:")).parents
    assert not any((Path.cwd() / name).exists() for name in ("spark-warehouse", "metastore_db", "derby.log"))


def test_master_and_options_are_those_of_the_settings(spark: ibis.BaseBackend) -> None:
    """See the fixture: two cores, and other options than those of a session that is told nothing."""
    assert spark._session.sparkContext.master == "local[2]"
    assert spark._session.conf.get("spark.sql.shuffle.partitions") == "2"
    assert spark._session.conf.get("spark.driver.memory") == "2g"


def test_what_goes_wrong_in_java_is_caught(spark: ibis.BaseBackend, tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_text("no Parquet")
    with pytest.raises(engines.engine_errors(), match=r"(?i)parquet"):
        engines.read(spark, tmp_path / "broken.parquet")


TIMES = [
    "2020-01-02", " 2020-01-02 03:04:05 ", "2020-01-02T03:04:05.123456", "2020-01-02T03:04:05Z", "2020/01/02 3:04",
    "2020-06-02 03:04:05+02:00", "2020-06-02T03:04:05.5-0530", "2020.06.02", "20200602", "2020-02-30", "02.06.2020",
    "0001-01-01", "9999-12-31", "2020-13-01", "2020-1-2", "1.5", "NaN", "nan", "", "  ", "NULL", "gestern", "now",
    "epoch", "today", "infinity", "2020", "2020-06", "2020-01-02 25:00:00", "2020-01-02\t", "\t2020-01-02\n",
    "2020-06-02 3", "2020-06-02 03", "2020-06-02T", "2020-06-02 03:04:05.123456789", "2020-06-02 24:00:00",
    "2020-06-02 03:04:60", "2016-12-31 23:59:60", "2020-06-02 03:04:05 UTC", "2020-06-02 03:04:05 Europe/Berlin",
    "2020-06-02 03:04 PM", "2020-06-02x", "20200-01-01", "2020-06-02 03:04:05,123", "2020-06-02 03:04:05.",
    "-2020-01-01",
    "2020-06-02 3:4:5", "2020-06-02  03:04", "2020-06-02Z", "2020-06-02 03:04Z", "2020-06-02 03:04:05 +02:00",
    "2020-06-02 03:04:05+02", "2020-06-02 03:04:05 America/New_York", "2020-6-2T3:04:05", "2020-06-02-03:04", None,
]  # fmt: skip
NUMBERS = [
    "1", "-1.50", " 12 ", "1e3", "1E-2", "1,234.5", "12,5", "€ 5", "5 €", "(3.20)", "7-", "−8", "1 234", "0x1F",
    "1_000", "inf", "-Infinity", "NaN", "1d", "1f", "", ".", ".5", "5.", "+4", "١٢", "1.7976931348623157e309", None,
    "12.0", "007", "007.0", "\tA1 ", "fv1v", "\n\x0b\x0cn\r", "v", "f",
    "None", "<NA>", "yes", "TRUE", "Opt-in", "withdrawn", "0", "\u00a09\u00a0",
]  # fmt: skip


def text(connection: ibis.BaseBackend, values: list[str | None], folder: Path) -> ibis.Table:
    """Values as a column of text, with the place of each, read by the engine as it reads what has landed."""
    file = folder / "values.parquet"
    pq.write_table(pa.table({"at": range(len(values)), "value": pa.array(values, pa.string())}), file)
    return engines.read(connection, file)


READINGS: dict[str, tuple[list[str | None], Callable[[ibis.Column], ibis.Value]]] = {
    "time": (TIMES, lambda column: read_time(column, None)),
    "zone": (TIMES, is_zoned),
    "time by a format": (
        ["02.06.2020 7:05", "31.02.2020 10:00", "2.6.1999 23:59:59", "2.6.9999 1:00", None],
        lambda column: read_time(column, "%d.%m.%Y %H:%M"),
    ),
    "time by a short year": (["02.06.20", "02.06.70", "2/6/20", ""], lambda column: read_time(column, "%d.%m.%y")),
    "number": (NUMBERS, lambda column: finite(column, Table(source="x"))),
    "European number": (NUMBERS, lambda column: finite(column, Table(source="x", decimal=",", thousands="."))),
    "Swiss number": (NUMBERS, lambda column: finite(column, Table(source="x", thousands="'"))),
    "identifier": (NUMBERS + TIMES, identifier),
    "truth": (NUMBERS, truth),
    "hash": (NUMBERS, lambda column: column.hexdigest("md5")),
}  # fmt: skip


@pytest.mark.parametrize("name", READINGS)
def test_values_are_read_the_same(name: str, spark: ibis.BaseBackend, tmp_path: Path) -> None:
    values, read = READINGS[name]
    tables = (text(connection, values, tmp_path) for connection in (ibis.duckdb.connect(), spark))
    one, other = (table.select("at", "value", told=read(table.value)) for table in tables)
    assert_agree(one, other)


SCRIPT = """
import sys
from pathlib import Path
from loyalty.schema import Engine
from loyalty.sources import engines
connection = engines.connect("spark", Engine(master=sys.argv[1]), Path("scratch"))
print(connection.sql("select 2 as two").two.sum().execute())
"""


def in_a_process_of_its_own(master: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, master], cwd=folder, capture_output=True, text=True, check=False
    )


def test_it_starts_quietly_and_writes_where_it_is_told(tmp_path: Path) -> None:
    done = in_a_process_of_its_own("local[1]", tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("2\n", "", 0)
    assert [place.name for place in tmp_path.iterdir()] == ["scratch"]


def test_a_cluster_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    done = in_a_process_of_its_own("nowhere", tmp_path)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("loyalty.errors.EngineError: Spark does not start on nowhere: ")
    assert "nowhere" in last
    assert "its log is" in last
