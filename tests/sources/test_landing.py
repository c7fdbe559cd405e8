"""Landing: what an engine reads stays where it is, the rest is converted once, whole or not at all."""

import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from loyalty.errors import DataError
from loyalty.schema import Table
from loyalty.sources import landing
from loyalty.sources.files import connect, open_table
from loyalty.sources.landing import Landed, land

WHERE = "data/shop.toml: transactions"
CHINESE = pd.DataFrame(
    {"会员编号": ["000123", "000124"], "实付金额": ["35.50", "8"], "门店": ["上海市,静安区", "北京\n西单"]}
)


def rows_of(landed: Landed, table: Table) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, open_table(connect(), table, landed, WHERE).to_pandas().to_numpy()), key=str)


def land_in(root: Path, source: str, **options: Any) -> Landed:
    return land(Table(source=source, **options), root, root / "kept", WHERE)


def read(root: Path, source: str, **options: Any) -> list[tuple[Any, ...]]:
    return rows_of(land_in(root, source, **options), Table(source=source, **options))


def never(*_: object, **__: object) -> None:
    raise AssertionError("converted again")


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log.tsv", "log.parquet", "log.jsonl"])
def test_what_an_engine_reads_stays_where_it_is(name: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["1", "2"], "b": ["x", "y"]})
    if name.endswith("parquet"):
        frame.to_parquet(tmp_path / name)
    elif name.endswith("jsonl"):
        frame.to_json(tmp_path / name, orient="records", lines=True)
    else:
        frame.to_csv(tmp_path / name, index=False, sep="\t" if "tsv" in name else ",")
    landed = land_in(tmp_path, name)
    assert landed.files == (tmp_path / name,)
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and file != tmp_path / name]
    assert rows_of(landed, Table(source=name)) == [("1", "x"), ("2", "y")]


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
def test_chinese_is_read_whatever_its_encoding(
    name: str, encoding: str, given: bool, tmp_path: Path, write_packed: Callable[[Path, bytes], None]
) -> None:
    write_packed(tmp_path / name, CHINESE.to_csv(index=False).encode(encoding))
    options = {"encoding": encoding} if given else {}
    landed = land_in(tmp_path, name, **options)
    opened = open_table(connect(), Table(source=name, **options), landed, WHERE).to_pandas()
    pd.testing.assert_frame_equal(opened, CHINESE, check_dtype=False)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8"])
def test_german_with_a_decimal_comma_is_read(encoding: str, tmp_path: Path) -> None:
    text = "Kunde;Größe;Betrag\n007;groß;1.234,50\n008;klein;-3,00\n"
    (tmp_path / "log.csv").write_bytes(text.encode(encoding))
    assert read(tmp_path, "log.csv") == [("007", "groß", "1.234,50"), ("008", "klein", "-3,00")]


def test_an_encoding_that_is_given_is_believed(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes("клиент;сумма\nиванов;5\n".encode("cp1251"))
    assert read(tmp_path, "log.csv", encoding="cp1251") == [("иванов", "5")]
    with pytest.raises(DataError, match=r"log\.csv cannot be read as csv: its encoding cannot be found out; give it"):
        read(tmp_path, "log.csv")


@pytest.mark.parametrize("options", [{}, {"encoding": "utf-8"}])
@pytest.mark.parametrize("kind", ["csv", "whitespace"])
def test_bytes_that_do_not_decode_are_told_with_their_place(kind: Any, options: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_bytes("a,店\n1,北京\n2,上".encode() + b"\xff\n")
    place = r"line 3, byte 6 \(0xff\) is not utf-8"
    with pytest.raises(
        DataError, match=rf"^data/shop\.toml: transactions\.source: log\.txt cannot be read as \w+: {place}$"
    ):
        land_in(tmp_path, "log.txt", format=kind, **options)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "log.csv",
            "a,b\n1,2\n3\n",
            "line 3 has 1 values, expected 2 as in the header; mend the line, or give delimiter",
        ),
        ("log.csv", 'a,b\n1,"' + "x" * 200_000, r"its first lines cannot be read \(field larger than field limit"),
        ("log.csv", "", "it is empty; expected a line with the names of the columns"),
        ("log.jsonl", '{"a": 1}\n{"a":\n', r"Invalid Input Error: Malformed JSON in file .*log\.jsonl\", at byte"),
        ("log.jsonl", '[{"a": 1}]\n', "expected a JSON object in each line"),
        ("log.jsonl", "", "expected a JSON object in each line"),
        ("log.json", "[1, 2]", "expected an array of JSON objects"),
        ("log.json", '[{"a": 1}, {"a"', "Invalid Input Error: Malformed JSON"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_at_once(name: str, content: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(
        DataError, match=f"^data/shop.toml: transactions.source: {name} cannot be read as .*: {told}"
    ) as caught:
        land_in(tmp_path, name)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "kept").iterdir()) == []


def test_packed_files_that_are_damaged_are_told(tmp_path: Path, write_packed: Callable[[Path, bytes], None]) -> None:
    for name in ("log.csv.gz", "log.csv.zst"):
        write_packed(tmp_path / name, b"".join(b"%d,%d\n" % (at, at * at) for at in range(10_000)))
        whole = (tmp_path / name).read_bytes()
        half = len(whole) // 2
        for damaged in (whole[:half], whole[:half] + b"\xff" * 200 + whole[half + 200 :], b"no packing"):
            (tmp_path / name).write_bytes(damaged)
            with pytest.raises(DataError, match=f"transactions.source: {name} cannot be read as csv: "):
                land_in(tmp_path, name)


def test_a_ragged_line_far_from_the_first_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("a,b\n" + "1,2\n" * 50_000 + "3\n")
    with pytest.raises(DataError, match="line 50002 has 1 values, expected 2"):
        land_in(tmp_path, "log.csv")


def test_a_whitespace_file_with_a_blank_in_a_value_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("a  b\n1  2\n\n3  4 5\n")
    with pytest.raises(DataError, match=r"log\.txt cannot be read as whitespace: line 4 has 3 values, expected 2"):
        land_in(tmp_path, "log.txt", format="whitespace")


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("who,amount\n")
    opened = open_table(connect(), Table(source="log.csv"), land_in(tmp_path, "log.csv"), WHERE)
    assert (opened.columns, opened.count().execute()) == (("who", "amount"), 0)


def test_a_glob_of_several_encodings_is_one_table(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_bytes("店,n\n北京,1\n".encode())
    (tmp_path / "2.csv").write_bytes("n;店\n2;上海\n".encode("gbk"))
    assert read(tmp_path, "*.csv") == [("上海", "2"), ("北京", "1")]


def test_a_file_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log.csv").write_bytes(CHINESE.to_csv(index=False).encode("gbk"))
    first = land_in(tmp_path, "log.csv")
    assert first.format == "parquet"
    (tmp_path / "copy.csv").write_bytes((tmp_path / "log.csv").read_bytes())
    with monkeypatch.context() as patched:
        patched.setattr(landing, "_convert", never)
        assert land_in(tmp_path, "log.csv") == land_in(tmp_path, "copy.csv") == first


def test_another_content_or_meaning_is_converted_anew(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(CHINESE.to_csv(index=False).encode("gbk"))
    first = land_in(tmp_path, "log.csv")
    other = land_in(tmp_path, "log.csv", encoding="big5hkscs")
    assert other.files != first.files
    assert other.fingerprint == first.fingerprint
    (tmp_path / "log.csv").write_bytes(CHINESE[::-1].to_csv(index=False).encode("gbk"))
    assert land_in(tmp_path, "log.csv").fingerprint != first.fingerprint


def test_a_plain_file_is_examined_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log.csv").write_text("a,b\n1,2\n")
    first = land_in(tmp_path, "log.csv")
    monkeypatch.setattr(landing, "_convert", never)
    assert land_in(tmp_path, "log.csv") == first


def test_what_is_used_is_marked_as_in_use(tmp_path: Path) -> None:
    """`store.forget` deletes what was not opened for a month."""
    (tmp_path / "log.csv").write_bytes(CHINESE.to_csv(index=False).encode("gbk"))
    folder = land_in(tmp_path, "log.csv").files[0].parent
    os.utime(folder, (0, 0))
    land_in(tmp_path, "log.csv")
    assert folder.stat().st_mtime > 0


def test_a_conversion_that_stops_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1.csv").write_bytes("店,n\n北京,1\n".encode("gbk"))
    (tmp_path / "2.csv").write_bytes("店,n\n北京,1\n".encode("gbk"))
    real, calls = landing.write_parquet, []

    def stop(*given: Any, **named: Any) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt("pulled the plug")
        real(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(landing, "write_parquet", stop)
        with pytest.raises(KeyboardInterrupt, match="pulled the plug"):
            land_in(tmp_path, "*.csv")
    assert list((tmp_path / "kept").iterdir()) == []
    assert len(read(tmp_path, "*.csv")) == 2


def test_two_that_land_at_once_agree(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(("店,n\n" + "北京,1\n" * 20_000).encode("gbk"))
    with ThreadPoolExecutor(4) as pool:
        landed = set(pool.map(lambda _: land_in(tmp_path, "log.csv"), range(4)))
    assert len(landed) == 1
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_the_users_files_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(CHINESE.to_csv(index=False).encode("gbk"))
    (tmp_path / "log.csv").chmod(0o444)
    before = (tmp_path / "log.csv").read_bytes(), (tmp_path / "log.csv").stat().st_mtime_ns
    land_in(tmp_path, "log.csv")
    assert ((tmp_path / "log.csv").read_bytes(), (tmp_path / "log.csv").stat().st_mtime_ns) == before


def write_each(root: Path, write_workbook: Callable[..., None]) -> dict[str, dict[str, Any]]:
    """The same two rows in every kind of source; source → options."""
    frame = pd.DataFrame({"a": ["1", "2"], "b": ["x", "y"]})
    frame.to_csv(root / "log.csv", index=False)
    frame.to_csv(root / "log.txt", index=False, sep=" ")
    frame.to_parquet(root / "log.parquet")
    frame.to_json(root / "log.jsonl", orient="records", lines=True)
    write_workbook(root / "log.xlsx", log=[["a", "b"], ["1", "x"], ["2", "y"]])
    with sqlite3.connect(root / "log.db") as connection:
        connection.execute("CREATE TABLE log (a text, b text)")
        connection.executemany("INSERT INTO log VALUES (?, ?)", [("1", "x"), ("2", "y")])
    connection.close()
    return {
        "log.csv": {}, "log.txt": {"format": "whitespace"}, "log.parquet": {}, "log.jsonl": {}, "log.xlsx": {},
        "sqlite:log.db": {"table": "log"},
    }  # fmt: skip


def test_for_spark_everything_becomes_parquet(tmp_path: Path, write_workbook: Callable[..., None]) -> None:
    for source, options in write_each(tmp_path, write_workbook).items():
        table = Table(source=source, **options)
        landed = land(table, tmp_path, tmp_path / "kept", WHERE, parquet_only=True)
        assert landed.format == "parquet"
        assert pd.read_parquet([str(file) for file in landed.files]).to_dict("list") == {
            "a": ["1", "2"],
            "b": ["x", "y"],
        }
        plain = land(table, tmp_path, tmp_path / "kept", WHERE)
        assert plain.fingerprint == landed.fingerprint
        assert rows_of(plain, table) == rows_of(landed, table) == [("1", "x"), ("2", "y")]


def test_for_spark_parquet_with_types_that_it_does_not_know_is_written_anew(tmp_path: Path) -> None:
    """Nanoseconds, as pandas wrote them for years, and times of day: Spark would not open the file at all."""
    moment = pd.Timestamp("2020-02-29 10:20:30.123456")
    frame = pd.DataFrame({"time": pd.Series([moment], dtype="datetime64[ns]"), "opened": [time(9, 30)], "a": [1.5]})
    frame.to_parquet(tmp_path / "log.parquet")
    assert land_in(tmp_path, "log.parquet").files == (tmp_path / "log.parquet",)
    landed = land(Table(source="log.parquet"), tmp_path, tmp_path / "kept", WHERE, parquet_only=True)
    assert landed.fingerprint == land_in(tmp_path, "log.parquet").fingerprint
    schema = pq.read_schema(landed.files[0])
    assert [str(kind) for kind in schema.types] == ["timestamp[us]", "string", "double"]
    assert pq.read_table(landed.files[0]).to_pylist() == [
        {"time": moment.to_pydatetime(), "opened": "09:30:00", "a": 1.5}
    ]


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/home/other/log.csv")

    (tmp_path / "log.csv").write_text("a,b\n1,2\n")
    monkeypatch.setattr(landing, "fingerprint", refuse)
    with pytest.raises(DataError, match=r"source: /home/other/log\.csv cannot be read: Permission denied$"):
        land_in(tmp_path, "log.csv")


def test_an_address_of_another_kind_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"transactions\.source: expected a file, postgres://…, .* found 's3://…'$"):
        land_in(tmp_path, "s3://bucket/log")
