"""A heading that has something else above it is found, and a plain file is left alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.sources.guessing.heading import heading_at, row_in_sheet, row_in_text

NAMES = ["customer", "day", "amount", "store"]
LINES = [[f"K{at}", f"2024-01-{at + 1:02}", f"{at}.50", ""] for at in range(9)]


@pytest.mark.parametrize(
    ("above", "found"),
    [
        ([], None),
        ([["Sales 2024"]], 1),
        ([["Sales", "", "", ""], [""] * 4], 2),
        ([["Period:", "2024-01-01 - 2024-12-31"], [], ["made", "by", ""]], 3),
        ([[""] * 4], None),
    ],
    ids=["nothing", "a title", "a title and a gap", "a title in columns", "a gap"],
)
def test_the_heading_is_the_first_row_as_wide_as_the_others(above: list[list[str]], found: int | None) -> None:
    assert heading_at([*above, NAMES, *LINES]) == found


@pytest.mark.parametrize(
    "rows",
    [[], [[]], [["a title"]], LINES, [["a title"], *LINES], [["a title"], ["same", "same", "same"], *LINES]],
    ids=["nothing", "a blank", "one value", "no heading", "a title above data", "names twice"],
)
def test_where_it_is_unclear_nothing_is_said(rows: list[list[str]]) -> None:
    assert heading_at(rows) is None


@given(st.lists(st.lists(st.text(max_size=5), max_size=6), max_size=12))
def test_any_rows_have_a_heading_among_them_or_none(rows: list[list[str]]) -> None:
    found = heading_at(rows)
    assert found is None or any(rows[found])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("customer;day;amount\nK1;2024-01-01;3,50\nK2;2024-01-02;3,50\n", None),
        ("Bericht\n\nKunde;Tag;Betrag\nK1;2024-01-01;3,50\nK2;2024-01-02;3,50\n", 3),
        ("Bericht;;\n;;\nKunde;Tag;Betrag\nK1;2024-01-01;3,50\nK2;2024-01-02;3,50\n", 3),
        ('"two\nlines";;\nKunde;Tag;Betrag\nK1;2024-01-01;3,50\nK2;2024-01-02;3,50\n', 3),
        ("", None),
    ],
    ids=["plain", "a title", "a title with delimiters", "a title of two lines", "empty"],
)
def test_lines_of_text_are_counted_as_an_editor_does(text: str, line: int | None, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(text, "utf-8")
    assert row_in_text(tmp_path / "log.csv", "utf-8") == line


def test_rows_of_a_sheet_are_counted_as_the_sheet_does(tmp_path: Path, write_workbook: Callable[..., None]) -> None:
    below = [[f"K{at}", 20240101.0 + at, 3.5, "x"] for at in range(5)]
    write_workbook(tmp_path / "plain.xlsx", log=[NAMES, *below])
    write_workbook(tmp_path / "titled.xlsx", log=[[None], ["Sales"], [None], NAMES, *below])
    assert row_in_sheet(tmp_path / "plain.xlsx") is None
    assert row_in_sheet(tmp_path / "titled.xlsx") == 4
