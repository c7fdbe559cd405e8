"""Workbooks: what a person sees in a sheet is what arrives."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from loyalty.errors import DataError
from loyalty.schema import Table
from loyalty.sources.files import connect, open_table
from loyalty.sources.landing import land
from loyalty.sources.workbook import read_workbooks

WHERE = "data/shop.toml: transactions"
Write = Callable[..., None]


def test_each_column_keeps_its_kind(tmp_path: Path, write_workbook: Write) -> None:
    write_workbook(
        tmp_path / "log.xlsx",
        log=[
            ["顾客", "day", "time", "money", "member", "code", "none"],
            [12.0, date(2024, 2, 29), datetime(2024, 2, 29, 13, 45), 1.5, True, "A7"],
            [13.0, date(2024, 3, 1), date(2024, 3, 1), -2.0, False, 7.0],
        ],
    )
    read = read_workbooks([tmp_path / "log.xlsx"], None)
    assert dict(zip(read.column_names, map(str, read.schema.types), strict=True)) == {
        "顾客": "double", "day": "date32[day]", "time": "timestamp[us]", "money": "double", "member": "bool",
        "code": "string", "none": "string",
    }  # fmt: skip
    assert read.to_pylist() == [
        {"顾客": 12.0, "day": date(2024, 2, 29), "time": datetime(2024, 2, 29, 13, 45), "money": 1.5, "member": True,
         "code": "A7", "none": None},
        {"顾客": 13.0, "day": date(2024, 3, 1), "time": datetime(2024, 3, 1), "money": -2.0, "member": False,
         "code": "7", "none": None},
    ]  # fmt: skip


def test_a_date_among_words_is_text(tmp_path: Path, write_workbook: Write) -> None:
    write_workbook(tmp_path / "log.xlsx", log=[["when"], [date(2024, 5, 31)], ["unknown"]])
    assert read_workbooks([tmp_path / "log.xlsx"], None)["when"].to_pylist() == ["2024-05-31", "unknown"]


def test_empty_rows_at_the_end_are_no_rows(tmp_path: Path, write_workbook: Write) -> None:
    rows = [["a", "b"], ["1", "x"], [None, None], ["2", None], [None, ""], [None, None]]
    write_workbook(tmp_path / "log.xlsx", log=rows)
    assert read_workbooks([tmp_path / "log.xlsx"], None).to_pylist() == [
        {"a": "1", "b": "x"},
        {"a": None, "b": None},
        {"a": "2", "b": None},
    ]


def test_a_sheet_is_chosen_by_name(tmp_path: Path, write_workbook: Write) -> None:
    write_workbook(tmp_path / "log.xlsx", Notes=[["read me"], ["please"]], Orders=[["a"], ["1"]])
    assert read_workbooks([tmp_path / "log.xlsx"], None).column_names == ["read me"]
    assert read_workbooks([tmp_path / "log.xlsx"], "Orders").column_names == ["a"]


def test_workbooks_are_stacked_by_name_and_agree_on_a_kind(tmp_path: Path, write_workbook: Write) -> None:
    write_workbook(tmp_path / "1.xlsx", log=[["id", "money"], [12.0, 1.0]])
    write_workbook(tmp_path / "2.xlsx", log=[["money", "id", "store"], [2.0, "B1", "north"]])
    landed = land(Table(source="*.xlsx"), tmp_path, tmp_path / "kept", WHERE)
    read = open_table(connect(), Table(source="*.xlsx"), landed, WHERE)
    assert sorted(read.to_pyarrow().to_pylist(), key=str) == [
        {"id": "12", "money": 1.0, "store": None},
        {"id": "B1", "money": 2.0, "store": "north"},
    ]


def test_the_header_is_in_the_row_that_the_sheet_counts(tmp_path: Path, write_workbook: Write) -> None:
    write_workbook(tmp_path / "log.xlsx", log=[[None], ["Sales"], [None], ["id", "money"], ["7", 1.5]])
    expected = [{"id": "7", "money": 1.5}]
    assert read_workbooks([tmp_path / "log.xlsx"], None, 4).to_pylist() == expected
    table = Table(source="log.xlsx", header_row=4)
    opened = open_table(connect(), table, land(table, tmp_path, tmp_path / "kept", WHERE), WHERE)
    assert opened.to_pyarrow().to_pylist() == expected
    with pytest.raises(DataError, match=r"sheet 'log' of log\.xlsx is empty from row 9 on; expected a row with"):
        land(Table(source="log.xlsx", header_row=9), tmp_path, tmp_path / "kept", WHERE)


@pytest.mark.parametrize(
    ("sheet", "told"),
    [
        ("Order", r"^data/shop\.toml: transactions\.source: log\.xlsx has no sheet 'Order'; did you mean 'Orders'\?$"),
        ("x", r"log\.xlsx has no sheet 'x'; did you mean 'Orders' or 'Empty'\?$"),
        ("Empty", r"sheet 'Empty' of log\.xlsx is empty; expected a row with the names of the columns$"),
    ],
)
def test_a_sheet_that_cannot_be_read_is_named(sheet: str, told: str, tmp_path: Path, write_workbook: Write) -> None:
    write_workbook(tmp_path / "log.xlsx", Orders=[["a"], ["1"]], Empty=[[None]])
    with pytest.raises(DataError, match=told):
        land(Table(source="log.xlsx", sheet=sheet), tmp_path, tmp_path / "kept", WHERE)


def test_a_file_that_is_no_workbook_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.xlsx").write_bytes(b"PK but no workbook")
    with pytest.raises(DataError, match=r"transactions\.source: log\.xlsx is no workbook that can be opened: ") as told:
        land(Table(source="log.xlsx"), tmp_path, tmp_path / "kept", WHERE)
    assert "\n" not in str(told.value)
    assert list((tmp_path / "kept").iterdir()) == []
