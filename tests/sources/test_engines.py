"""Tables written and read; and what a person is told where Spark cannot start."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from loyalty.errors import EngineError
from loyalty.schema import Engine
from loyalty.sources import engines


@pytest.fixture
def connection(tmp_path: Path) -> ibis.BaseBackend:
    return engines.connect("duckdb", Engine(), tmp_path)


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Return a function that makes a Java of a version in JAVA_HOME; PySpark seems to be there."""

    def install(says: str, code: int = 0) -> Path:
        (tmp_path / "bin").mkdir()
        program = tmp_path / "bin" / "java"
        program.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {code}\n", "utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        return program

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *args: find("json" if name == "pyspark" else name))
    engines.check_java.cache_clear()
    yield install
    engines.check_java.cache_clear()


def test_what_duckdb_writes_it_reads(connection: ibis.BaseBackend, tmp_path: Path) -> None:
    table = ibis.memtable({"customer": ["a", "b"], "spend": [1.5, None]})
    engines.write(connection, table, tmp_path / "days.parquet")
    assert engines.read(connection, tmp_path / "days.parquet").to_pyarrow().to_pylist() == [
        {"customer": "a", "spend": 1.5},
        {"customer": "b", "spend": None},
    ]


def test_a_folder_of_parts_is_read_as_one_table_and_made_one_file(connection: ibis.BaseBackend, tmp_path: Path) -> None:
    """As Spark leaves it: parts in order, an empty one, and files that are not Parquet."""
    folder = tmp_path / "days.parquet"
    folder.mkdir()
    for number, days in enumerate([[3, 1], [], [2]]):
        pq.write_table(pa.table({"day": pa.array(days, pa.int64())}), folder / f"part-{number:05}.parquet")
    (folder / "_SUCCESS").touch()
    (folder / ".part-00000.parquet.crc").write_bytes(b"crc")
    assert engines.read(connection, folder).day.sum().execute() == 6
    engines.write_file(folder, tmp_path / "one.parquet")
    assert pq.read_table(tmp_path / "one.parquet").to_pydict() == {"day": [3, 1, 2]}


def test_rows_are_mapped_in_batches_and_in_order(
    connection: ibis.BaseBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "ROWS", 1000)
    sizes: list[int] = []

    def doubled(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in batches:
            sizes.append(len(frame))
            yield pd.DataFrame({"twice": frame["n"] * 2})

    table = ibis.memtable({"n": list(range(5000))})
    engines.write(connection, table, tmp_path / "n.parquet")
    rows = engines.read(connection, tmp_path / "n.parquet").order_by("n")
    engines.write_mapped(connection, rows, doubled, pa.schema([("twice", pa.int64())]), tmp_path / "twice.parquet")
    assert pq.read_table(tmp_path / "twice.parquet")["twice"].to_pylist() == list(range(0, 10000, 2))
    assert len(sizes) > 1
    assert sum(sizes) == 5000


def test_without_pyspark_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *args: None if name == "pyspark" else find(name, *args)
    )
    with pytest.raises(EngineError, match=r"PySpark, which is not installed; install the extra `spark`"):
        engines.connect("spark", Engine(), tmp_path)


def test_another_java_is_told_with_its_version(tmp_path: Path, java: Callable[..., Path]) -> None:
    program = java('openjdk version "21.0.4" 2024-07-16')
    with pytest.raises(EngineError, match=f"needs Java 17, and {program} is Java 21; install Java 17"):
        engines.connect("spark", Engine(), tmp_path)


def test_an_old_java_is_told_by_the_name_that_people_know(tmp_path: Path, java: Callable[..., Path]) -> None:
    java('java version "1.8.0_392"')
    with pytest.raises(EngineError, match="is Java 8;"):
        engines.connect("spark", Engine(), tmp_path)


def test_a_java_that_is_only_a_stub_is_none(tmp_path: Path, java: Callable[..., Path]) -> None:
    """As on a Mac without Java."""
    java("The operation could not be completed. Unable to locate a Java Runtime.", code=1)
    with pytest.raises(EngineError, match="is no working Java;"):
        engines.connect("spark", Engine(), tmp_path)


def test_without_any_java_it_says_where_it_looked(
    tmp_path: Path, java: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    with pytest.raises(EngineError, match=f"there is no Java in JAVA_HOME = {tmp_path / 'gone'}"):
        engines.connect("spark", Engine(), tmp_path)
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + str(tmp_path / "gone"))
    engines.check_java.cache_clear()
    with pytest.raises(EngineError, match="there is no Java on the path"):
        engines.connect("spark", Engine(), tmp_path)
