"""Files: found where the dataset file says, opened as what they are, and named when they are not there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.settings import Table
from loyalty.sources.files import connect, fingerprint, locate, open_table, require_columns

WHERE = "data/shop.toml: transactions"


def table(source: str, **options: Any) -> Table:
    return Table(source=source, **options)


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
        ("log.parquet", {}),
        ("log.dat", {"format": "csv"}),
        ("export.csv", {"format": "parquet"}),
        ("log", {"format": "whitespace"}),
    ],
)
def test_each_format_is_read(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / name
    if options.get("format") == "whitespace":
        path.write_text("who   money \n  a \t 1.5\nb      -2.0  \n")
    elif "parquet" in (path.suffix[1:], options.get("format")):
        FRAME.to_parquet(path)
    else:
        FRAME.to_csv(path, index=False, sep="\t" if name.endswith("tsv") else ",")
    opened = open_table(connect(), table(name, **options), [path], WHERE).to_pandas()
    opened["money"] = opened["money"].astype(float)
    pd.testing.assert_frame_equal(opened, FRAME, check_dtype=False)


def test_files_of_a_glob_are_read_as_one(tmp_path: Path) -> None:
    files = []
    for year in (2020, 2021):
        files.append(tmp_path / f"{year}.csv")
        FRAME.assign(year=year).to_csv(files[-1], index=False)
    read = open_table(connect(), table("*.csv"), files, WHERE).to_pandas()
    assert sorted(read["year"]) == [2020, 2020, 2021, 2021]


def test_blanks_between_columns_are_read_as_pandas_reads_them(package_file: Callable[[str, str], Path]) -> None:
    file = package_file("lifetimes", "datasets/CDNOW_master.txt")
    ours = open_table(connect(), table("x", format="whitespace"), [file], WHERE).to_pandas()
    theirs = pd.read_csv(file, sep=r"\s+", dtype=str)
    assert list(ours.columns) == list(theirs.columns)
    assert sorted(map(tuple, ours.to_numpy())) == sorted(map(tuple, theirs.to_numpy()))


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("log.xlsx", {}, r"transactions\.format: cannot tell the format of log\.xlsx; expected one of parquet, csv"),
        ("log.parquet", {}, r"transactions\.source: log\.parquet cannot be read as parquet: "),
        ("log.dat", {"format": "parquet"}, r"log\.dat cannot be read as parquet: "),
        ("log.dat", {"format": "whitespace"}, r"log\.dat cannot be read as whitespace: "),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(
    name: str, options: dict[str, Any], told: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe\x00 no table at all")
    with pytest.raises(DataError, match=told) as caught:
        open_table(connect(), table(name, **options), [tmp_path / name], WHERE).to_pandas()
    assert "\n" not in str(caught.value)


def test_each_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("household,amount\n1,2\n")
    opened = open_table(connect(), table("log.csv"), [tmp_path / "log.csv"], WHERE)
    require_columns(opened, {"customer": "household"}, WHERE)
    with pytest.raises(
        DataError,
        match=r"^data/shop\.toml: transactions: customer = 'houshold' is not a column; did you mean 'household'\?; "
        r"time = 'when' is not a column; the file has household, amount$",
    ):
        require_columns(opened, {"customer": "houshold", "time": "when", "amount": "amount"}, WHERE)
