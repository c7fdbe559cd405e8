"""The same projects on both engines, each in a root of its own so that neither reads what the other kept."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ibis
import pytest
from agreement import BOUND, ENGINES, Brought, Pair, project
from loyalty.schema import Engine
from loyalty.sources import engines
from loyalty.sources.simulator import Simulation, simulate
from loyalty.study import Study

DATA = Path(__file__).parents[2] / "data"
DIRTY = Simulation(customers=600, days=420, dirt=0.1, channel_ids=True, seed=3, horizon_days=30)
# The first compiler of Java is enough for jobs of seconds, and takes half the time.
QUICK = {
    "spark.driver.memory": "2g",
    "spark.sql.shuffle.partitions": 2,
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
SETTINGS = Engine(master="local[2]", options=QUICK)


# PySpark 4.0 calls what pandas 4 will drop, and leaves its connections to Java to the garbage collector.
TOLERATED = (
    "ignore:The copy keyword is deprecated:DeprecationWarning",
    "ignore:unclosed <socket:ResourceWarning",
    "ignore:.*<socket:pytest.PytestUnraisableExceptionWarning",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.spark)
            for warning in TOLERATED:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ibis.BaseBackend]:
    """The one Spark session of the run; studies that are opened later use it."""
    connection = engines.connect("spark", SETTINGS, tmp_path_factory.mktemp("spark"))
    yield connection
    connection.disconnect()


@pytest.fixture(scope="session")
def journey_pair(spark: ibis.BaseBackend, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Complete Journey by DuckDB and by Spark."""
    roots = [project(tmp_path_factory.mktemp(f"journey-{engine}")) for engine in ENGINES]
    for root in roots:
        shutil.copy(DATA / "complete_journey.toml", root / "data")
    return opened("complete-journey", roots)


@pytest.fixture(scope="session")
def dirty_pair(spark: ibis.BaseBackend, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A simulated retailer with dirt, whose channels number their own customers, by DuckDB and by Spark."""
    roots = [project(tmp_path_factory.mktemp(f"dirty-{engine}")) for engine in ENGINES]
    for root in roots:
        simulate(DIRTY, "dirty", root)
    return opened("dirty", roots)


def opened(name: str, roots: list[Path]) -> Pair:
    by_duckdb, by_spark = (
        Study.open(name, engine=engine, root=root) for engine, root in zip(ENGINES, roots, strict=True)
    )
    return by_duckdb, by_spark


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A retailer with more active customers than may be brought to one machine to learn from."""
    root = project(tmp_path_factory.mktemp("large"))
    simulate(
        Simulation(customers=4000, days=240, horizon_days=40, acquisition_days=150, seed=5, plain=True), "large", root
    )
    file = root / "data" / "large.toml"
    file.write_text(file.read_text("utf-8") + f"\n[engine_settings]\ntraining_customers = {BOUND}\n", "utf-8")
    return root


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch, spark: Any) -> Brought:
    """Columns and number of rows of everything that Spark hands to this process."""
    seen: Brought = []
    frame = type(spark._session.range(1))

    def watched(ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(self: Any, *args: Any, **options: Any) -> Any:
            rows = ask(self, *args, **options)
            seen.append((frozenset(self.columns), len(rows)))
            return rows

        return asked

    for name in ("toPandas", "collect", "toArrow", "take", "tail"):
        monkeypatch.setattr(frame, name, watched(getattr(frame, name)))

    def refused(self: Any, *args: Any, **options: Any) -> None:
        raise AssertionError("rows are streamed to this process")

    monkeypatch.setattr(frame, "toLocalIterator", refused)
    return seen
