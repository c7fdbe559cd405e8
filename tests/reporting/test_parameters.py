"""Parameters: what a notebook declares is what it is given."""

from typing import Any

import pytest
from loyalty.errors import NotebookError, SettingsError
from loyalty.reporting.parameters import checked, declared, read_options
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook


def of(source: str) -> NotebookNode:
    """A notebook whose parameters are these."""
    return new_notebook(cells=[new_code_cell(source, metadata={"tags": ["parameters"]}), new_code_cell("other = 1")])


@pytest.mark.parametrize(
    ("source", "value", "said"),
    [
        ("top = 10", "3", "top: expected a whole number, found '3'"),
        ("top = 10", 3.5, "top: expected a whole number, found 3.5"),
        ("top = 10", True, "top: expected a whole number, found True"),
        ("top: float = 0.5", "x", "top: expected a number, found 'x'"),
        ("top = 'a'", 3, "top: expected text, found 3"),
        ("top = False", 1, "top: expected true or false, found 1"),
        ("top = 10  # 1 to 100", 0, "top: expected 1 to 100, found 0"),
        ("top: float = 0.5  # share, 0 to 1", 1.01, "top: expected 0 to 1, found 1.01"),
        ("top: int | None = None  # -3 to 3", -4, "top: expected -3 to 3, found -4"),
        ("as_of = None", "tomorrow", "as_of: expected a date as YYYY-MM-DD, found 'tomorrow'"),
        ("horizon_days = None", 0, "horizon_days: expected greater than or equal to 1, found 0"),
        ("horizon_days = None", 28.0, "horizon_days: expected a whole number, found 28.0"),
    ],
)
def test_what_it_may_not_be_is_told(source: str, value: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=f"^page: {said}$"):
        checked(of(source), "page", {source.partition(" ")[0].rstrip(":"): value})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("top = 10", 3), ("top: float = 0.5", 3), ("top = 'a'", "007"), ("top = None", "007"), ("top = None", 7),
        ("top: int | None = None  # 1 to 9", None), ("top = 10  # 1 to 100", 100), ("as_of = None", "2020-02-29"),
        ("as_of = None", None), ("top = sum([1, 2])", 4), ("top = other = 1", 2),
    ],
)  # fmt: skip
def test_what_it_may_be_is_passed_on(source: str, value: Any) -> None:
    name = source.partition(" ")[0].rstrip(":")
    given = checked(of(source), "page", {name: value})
    assert given == {name: value}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("top: int = 'many'", "page: the default of top: expected a whole number, found 'many'"),
        ("top: list = []", "page: parameter top: expected an annotation of int, float, str, bool, None, found list"),
        ("top = 0  # 1 to 9", "page: the default of top: expected 1 to 9, found 0"),
        ("top =", "page: the cell tagged 'parameters' is not Python: invalid syntax"),
        ("top = '\x00'", "page: the cell tagged 'parameters' is not Python: "),
    ],
)
def test_a_wrong_declaration_is_the_notebook_s_fault(source: str, said: str) -> None:
    with pytest.raises(NotebookError, match=f"^{said}"):
        checked(of(source), "page", {})


def test_only_the_tagged_cell_declares() -> None:
    source = "a, b = 1, 2\nc = 3\nd: int\nx.y = 4\nprint(c)"
    assert set(declared(of(source), "page")) == {"c", "d"}


def test_an_option_is_read_as_it_is_declared() -> None:
    notebooks = {"one": of("top = 10\nshare = 0.5\nname = 'x'\nflag = False"), "two": of("name = 'y'")}
    said = ["top=3", "share=1e-1", "name=007", "flag=true"]
    assert read_options(said, notebooks) == {"top": 3, "share": 0.1, "name": "007", "flag": True}


def test_an_option_holds_for_every_notebook_that_declares_it() -> None:
    notebooks = {"one": of("top = 10"), "two": of("top = 1  # 1 to 5")}
    with pytest.raises(SettingsError, match="two: top: expected 1 to 5, found 9"):
        read_options(["top=9"], notebooks)
