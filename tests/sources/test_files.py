"""Files: found where the dataset file says, opened as what they are, and named when they are not there."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.schema import Customers, Table, Transactions
from loyalty.sources.files import (
    columns_named,
    connect,
    fingerprint,
    fingerprint_of,
    format_of,
    locate,
    open_table,
    require_columns,
)
from loyalty.sources.landing import Landed, land

WHERE = "data/shop.toml: transactions"


def table(source: str, **options: Any) -> Table:
    return Table(source=source, **options)


def read(about: Table, root: Path) -> pd.DataFrame:
    """A table as the package opens it."""
    landed = land(about, root, root / "kept", WHERE)
    return open_table(connect(), about, landed, WHERE).to_pandas()


def test_a_path_is_below_the_project(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("a\n1\n")
    assert locate(table("log.csv"), tmp_path, WHERE) == [tmp_path / "log.csv"]


def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("a\n1\n")
    assert locate(table(str(tmp_path / "log.csv")), tmp_path / "elsewhere", WHERE) == [tmp_path / "log.csv"]


def test_a_glob_gives_all_files_in_order(tmp_path: Path) -> None:
    for name in ("2021.csv", "2020.csv", "notes.txt"):
        (tmp_path / name).write_text("a\n1\n")
    assert [path.name for path in locate(table("20*.csv"), tmp_path, WHERE)] == ["2020.csv", "2021.csv"]


def test_a_package_holds_files_too(tmp_path: Path, package_file: Callable[[str, str], Path]) -> None:
    found = locate(table("package:lifetimes/datasets/CDNOW_master.txt"), tmp_path, WHERE)
    assert found == [package_file("lifetimes", "datasets/CDNOW_master.txt")]
    assert found[0].is_file()


@pytest.mark.parametrize(
    "source", ["log.csv", "raw/*.csv", "/nowhere/log.csv", "/nowhere/*.csv", "package:lifetimes/nothing.txt"]
)
def test_a_file_that_is_not_there_is_named(source: str, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"^data/shop\.toml: transactions\.source: no file '.*'; expected a path"
    ) as told:
        locate(table(source), tmp_path, WHERE)
    assert source in str(told.value)


@pytest.mark.parametrize("source", ["package:no_such_package/x.csv", "package:no.such/x.csv"])
def test_a_package_that_is_not_there_is_named(source: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"package 'no.such(_package)?' is not installed; run `make setup`"):
        locate(table(source), tmp_path, WHERE)


def test_the_fingerprint_follows_contents_not_names_or_times(tmp_path: Path) -> None:
    first, copy, other = (tmp_path / name for name in ("first", "copy", "other"))
    first.write_bytes(b"12345")
    copy.write_bytes(b"12345")
    other.write_bytes(b"12346")
    assert fingerprint([first]) == fingerprint([copy]) != fingerprint([other])
    assert fingerprint([first, other]) != fingerprint([other, first])


def test_the_fingerprint_knows_where_a_file_ends(tmp_path: Path) -> None:
    names = {name: tmp_path / name for name in ("ab", "c", "a", "bc")}
    for name, path in names.items():
        path.write_text(name)
    assert fingerprint([names["ab"], names["c"]]) != fingerprint([names["a"], names["bc"]])


FRAME = pd.DataFrame({"who": ["a", "b"], "money": [1.5, -2.0]})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("log.csv", {}),
        ("log.tsv", {}),
        ("log.txt", {}),
        ("log.csv.gz", {}),
        ("log.tsv.gz", {}),
        ("log.jsonl", {}),
        ("log.ndjson", {}),
        ("log.jsonl.gz", {}),
        ("LOG.CSV", {}),
        ("log.parquet", {}),
        ("log.dat", {"format": "csv"}),
        ("export.csv", {"format": "parquet"}),
        ("log", {"format": "whitespace"}),
    ],
)
def test_each_format_is_read(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / name
    if options.get("format") == "whitespace":
        path.write_text("who   money \n  a \t 1.5\nb      -2.0  \n\n")
    elif "parquet" in (path.suffix[1:], options.get("format")):
        FRAME.to_parquet(path)
    elif "json" in name:
        FRAME.to_json(path, orient="records", lines=True)
    else:
        FRAME.to_csv(path, index=False, sep="\t" if "tsv" in name else ",")
    opened = read(table(name, **options), tmp_path)
    opened["money"] = opened["money"].astype(float)
    pd.testing.assert_frame_equal(opened, FRAME, check_dtype=False)


@pytest.mark.parametrize("name", ["log.csv.zst", "log.jsonl.zst"])
def test_zstd_is_read(name: str, tmp_path: Path, write_packed: Callable[[Path, bytes], None]) -> None:
    text = FRAME.to_csv(index=False) if "csv" in name else FRAME.to_json(orient="records", lines=True)
    write_packed(tmp_path / name, text.encode())
    assert list(read(table(name), tmp_path)["who"]) == ["a", "b"]


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_text_stays_text(name: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["007", "1.0"], "day": ["2024-01-05", "05.01.2024"], "flag": ["true", "0"]})
    frame.to_csv(tmp_path / name, index=False) if "csv" in name else frame.to_json(
        tmp_path / name, orient="records", lines=True
    )
    pd.testing.assert_frame_equal(read(table(name), tmp_path), frame, check_dtype=False)


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_a_value_unlike_all_before_it_arrives(name: str, tmp_path: Path) -> None:
    """DuckDB guesses a column's type from its first twenty thousand values, and would fail on this one."""
    amounts = [str(at) for at in range(30_000)] + ["n/a"]
    frame = pd.DataFrame({"who": "a", "amount": amounts})
    frame.to_csv(tmp_path / name, index=False) if "csv" in name else frame.to_json(
        tmp_path / name, orient="records", lines=True
    )
    assert sorted(read(table(name), tmp_path)["amount"]) == sorted(amounts)


def test_files_of_a_glob_are_read_as_one(tmp_path: Path) -> None:
    for year in (2020, 2021):
        FRAME.assign(year=year).to_csv(tmp_path / f"{year}.csv", index=False)
    assert sorted(read(table("*.csv"), tmp_path)["year"]) == ["2020", "2020", "2021", "2021"]


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_columns_of_several_files_are_matched_by_name(kind: str, tmp_path: Path) -> None:
    def write(frame: pd.DataFrame, name: str) -> None:
        if kind == "csv":
            frame.to_csv(tmp_path / f"{name}.csv", index=False, sep=";" if name == "2021" else ",")
        elif kind == "jsonl":
            frame.to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True)
        else:
            frame.to_parquet(tmp_path / f"{name}.parquet")

    write(pd.DataFrame({"who": ["a"], "money": ["1"]}), "2020")
    write(pd.DataFrame({"store": ["north"], "money": ["2"], "who": ["b"]}), "2021")
    write(pd.DataFrame({"money": ["3"], "who": ["c"]}), "2022")
    found = read(table(f"*.{kind}"), tmp_path).sort_values("who", ignore_index=True)
    expected = pd.DataFrame({"who": ["a", "b", "c"], "money": ["1", "2", "3"], "store": [None, "north", None]})
    pd.testing.assert_frame_equal(found[list(expected.columns)], expected, check_dtype=False)


def test_folders_that_name_a_value_are_a_column(tmp_path: Path) -> None:
    for store in ("7", "12"):
        (tmp_path / f"store={store}").mkdir()
        FRAME.to_parquet(tmp_path / f"store={store}" / "part.parquet")
    found = read(table("store=*/*.parquet"), tmp_path)
    assert sorted(found["store"]) == ["12", "12", "7", "7"]
    files = sorted(tmp_path.glob("store=*/*.parquet"))
    assert fingerprint(files[:1]) != fingerprint(files[1:])


def test_a_json_key_that_appears_late_is_found(tmp_path: Path) -> None:
    lines = ['{"who": "a"}'] * 30_000 + ['{"who": "b", "amount": 2.5, "at": "2024-01-01"}']
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    about = Transactions(source="log.jsonl", customer="who", time="at", amount="amount")
    found = read(about, tmp_path)
    assert found["amount"].dropna().tolist() == ["2.5"]
    assert found["at"].dropna().tolist() == ["2024-01-01"]


def test_blanks_between_columns_are_read_as_pandas_reads_them(
    package_file: Callable[[str, str], Path], tmp_path: Path
) -> None:
    file = package_file("lifetimes", "datasets/CDNOW_master.txt")
    ours = read(table(str(file), format="whitespace"), tmp_path)
    theirs = pd.read_csv(file, sep=r"\s+", dtype=str)
    assert list(ours.columns) == list(theirs.columns)
    assert sorted(map(tuple, ours.to_numpy())) == sorted(map(tuple, theirs.to_numpy()))


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("log.abc", {}, r"transactions\.format: cannot tell the format of log\.abc; expected one of parquet, csv"),
        ("log.parquet", {}, r"transactions\.source: log\.parquet cannot be read as parquet: "),
        ("log.dat", {"format": "parquet"}, r"log\.dat cannot be read as parquet: "),
        ("log.dat", {"format": "whitespace"}, r"log\.dat cannot be read as whitespace: "),
        ("log.csv", {}, r"log\.csv cannot be read as csv: it is not utf-16$"),
        ("log.jsonl", {}, r"log\.jsonl cannot be read as jsonl: "),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(
    name: str, options: dict[str, Any], told: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe\x00 no table at all")
    with pytest.raises(DataError, match=told) as caught:
        read(table(name, **options), tmp_path)
    assert "\n" not in str(caught.value)


def test_files_of_several_formats_are_not_one_table(tmp_path: Path) -> None:
    files = [tmp_path / "2020.csv", tmp_path / "2021.parquet"]
    with pytest.raises(
        DataError, match=r"files of several formats: 2020\.csv \(csv\), 2021\.parquet \(parquet\); stack"
    ):
        format_of(table("*"), files, WHERE)


@pytest.mark.parametrize(
    "text",
    ['[{"who": "007", "amount": 1.5}, {"who": null, "amount": 2}]', '{"who": "007", "amount": 1.5}\n{"amount": 2}\n',
     ' \n[\n  {"who": "007",\n   "amount": 1.5},\n  {"who": null, "amount": 2}\n]\n'],
    ids=["an array", "one a line", "an array over lines"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["log.json", "log.json.gz"])
def test_json_is_an_array_or_an_object_a_line(
    text: str, name: str, tmp_path: Path, write_packed: Callable[[Path, bytes], None]
) -> None:
    write_packed(tmp_path / name, text.encode())
    rows = read(Table(source=name), tmp_path)
    assert rows["amount"].tolist() == ["1.5", "2"]
    assert rows["who"].fillna("none").tolist() == ["007", "none"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("orders.zip", "orders.zip is not read as it is: unpack the archive and name the file that is in it"),
        ("orders.csv.zip", "orders.csv.zip is not read as it is: unpack the archive"),
        ("orders.xls", "orders.xls is not read as it is: save it as .xlsx, or as CSV"),
        ("shop.db", 'shop.db is not read as it is: name a database file as "sqlite:PATH" or "duckdb:PATH", with its'),
        ("shop.duckdb", 'name a database file as "sqlite:PATH" or "duckdb:PATH"'),
    ],
)
def test_what_is_not_read_is_told_with_the_way_out(name: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=f"^{WHERE}.source: .*{re.escape(told)}"):
        read(Table(source=name), tmp_path)


def test_columns_named_are_those_of_the_source() -> None:
    about = Transactions(
        source="x.csv", customer="id", time="at", time_format="%Y%m%d", amount="paid", discount=("d1", "d2"),
        channel_is="web", encoding="gbk", sheet="s", table="t",
    )  # fmt: skip
    assert columns_named(about) == {
        "customer": "id", "time": "at", "amount": "paid", "discount[0]": "d1", "discount[1]": "d2"
    }  # fmt: skip
    assert columns_named(Customers(source="x", customer="id", attributes=("age",))) == {
        "customer": "id",
        "attributes": "age",
    }
    assert columns_named(table("x")) == {}


def test_fingerprints_together_depend_on_each_and_on_their_order() -> None:
    assert fingerprint_of(["a", "b"]) == fingerprint_of(iter(["a", "b"]))
    assert len({fingerprint_of(parts) for parts in (["a", "b"], ["b", "a"], ["ab"], ["a"], [])}) == 5


def test_memory_is_limited_and_spilled_where_asked(tmp_path: Path) -> None:
    limited = connect(0.5, tmp_path / "spill").con
    told = limited.execute("SELECT current_setting('memory_limit'), current_setting('temp_directory')").fetchone()
    assert told == ("476.8 MiB", str(tmp_path / "spill"))
    assert connect().con.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)


def test_each_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("household,amount\n1,2\n")
    landed = Landed((tmp_path / "log.csv",), "csv", "")
    opened = open_table(connect(), table("log.csv"), landed, WHERE)
    require_columns(opened, {"customer": "household"}, WHERE)
    with pytest.raises(
        DataError,
        match=r"^data/shop\.toml: transactions: customer = 'houshold' is not a column; did you mean 'household'\?; "
        r"time = 'when' is not a column; the file has household, amount$",
    ):
        require_columns(opened, {"customer": "houshold", "time": "when", "amount": "amount"}, WHERE)


def test_names_in_a_later_row_are_thought_of(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("Sales 2024,,\nwho,at,paid\n1,2024-01-01,5\n")
    about = Transactions(source="log.csv", customer="who", time="at", amount="paid")
    rows = open_table(connect(), about, land(about, tmp_path, tmp_path / "kept", WHERE), WHERE)
    with pytest.raises(
        DataError, match=r"customer = 'who' is not a column; .*; if the names stand in a later row, say"
    ):
        require_columns(rows, columns_named(about), WHERE)
