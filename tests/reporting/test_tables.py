"""Tables: units in headings, numbers as they should be written, nothing from data obeyed."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from loyalty.reporting import safe, tables
from loyalty.reporting.tables import Column


@pytest.mark.parametrize(
    ("value", "kind", "written"),
    [
        (12345, "count", "12,345"),
        (12345.4, "count", "12,345"),
        (-3, "count", "−3"),
        (0.1234, "percent", "12.3"),
        (1.0, "percent", "100"),
        (-0.00001, "percent", "0.0"),
        (52.5, "money", "52.50"),
        (1234.5, "money", "1,234"),
        (0.01234, "number", "0.0123"),
        (1234.5, "number", "1,234"),
        (0, "number", "0"),
        (28, "days", "28"),
        (2.25, "days", "2.25"),
        (date(2017, 12, 4), "date", "4 Dec 2017"),
        (pd.Timestamp("2017-12-04"), "text", "4 Dec 2017"),
        (float("inf"), "number", "∞"),
        (None, "money", "–"),
        (np.nan, "percent", "–"),
        (pd.NA, "count", "–"),
        (pd.NaT, "date", "–"),
        ("<10", "count", "<10"),
        ("", "text", "–"),
        (True, "text", "True"),
    ],
)
def test_write(value: object, kind: tables.Kind, written: str) -> None:
    assert tables.write(value, kind) == written


@pytest.mark.parametrize(
    ("column", "heading"),
    [
        (tables.text("Segment"), "Segment"),
        (tables.count("Customers"), "Customers"),
        (tables.money("Spend", "USD"), "Spend (USD)"),
        (tables.percent("Left"), "Left (%)"),
        (tables.days("Since last purchase"), "Since last purchase (days)"),
        (tables.number("Basket", unit="items"), "Basket (items)"),
    ],
)
def test_headings_carry_the_unit(column: Column, heading: str) -> None:
    assert column.heading == heading


def body(frame: pd.DataFrame, columns: dict[str, Column | str]) -> str:
    """The table's HTML as the page shows it."""
    return safe.table(tables.table(frame, columns=columns).as_raw_html()).body


def test_a_column_has_the_same_number_of_places_throughout() -> None:
    html = body(pd.DataFrame({"x": [1.5, 12.25, None, "<10"]}), {"x": tables.number("X")})
    for text in ("1.5", "12.2", "–", "&lt;10"):
        assert f">{text}</td>" in html


def test_an_interval_stands_after_its_value() -> None:
    frame = pd.DataFrame({"p": [0.1, None], "lo": [0.08, None], "hi": [0.12, None]})
    html = body(frame, {"p": tables.percent("Left", interval=("lo", "hi"))})
    assert ">10.0 (8.0 to 12.0)</td>" in html
    assert ">–</td>" in html


def test_numbers_stand_right_and_words_left() -> None:
    html = body(pd.DataFrame({"s": ["a"], "n": [1]}), {"s": "Segment", "n": tables.count("Customers")})
    assert '<td class="gt_row gt_left">a</td>' in html
    assert '<td class="gt_row gt_right">1</td>' in html


def test_only_the_named_columns_are_shown_in_their_order() -> None:
    html = body(pd.DataFrame({"a": [1], "b": [2], "c": [3]}), {"c": tables.count("C"), "a": tables.count("A")})
    assert html.index(">C<") < html.index(">A<")
    assert ">2<" not in html


def test_without_columns_kinds_are_guessed() -> None:
    frame = pd.DataFrame({"a_b": [1234], "x": [0.5], "when": pd.to_datetime(["2017-12-04"]), "ok": [True]})
    html = safe.table(tables.table(frame).as_raw_html()).body
    for text in (">A b<", ">1,234<", ">0.500<", ">4 Dec 2017<", ">True<"):
        assert text in html


def test_an_absent_column_is_named() -> None:
    with pytest.raises(ValueError, match="no column low in this frame: it has p, n"):
        tables.table(pd.DataFrame({"p": [1.0], "n": [1]}), columns={"p": tables.percent("P", interval=("low", "n"))})


def test_an_empty_frame_is_a_table_of_headings() -> None:
    assert ">Customers<" in body(pd.DataFrame({"n": []}), {"n": tables.count("Customers")})


def test_title_and_notes_are_taken_out_of_the_table() -> None:
    built = tables.table(pd.DataFrame({"n": [1]}), title="Who <i>", notes=["One *note*.", "Two."])
    parts = safe.table(built.as_raw_html())
    assert parts.title == "Who <i>"
    assert parts.notes == ["One note.", "Two."]
    assert "note" not in parts.body
    assert "Who" not in parts.body


def test_data_is_shown_and_not_obeyed() -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    html = body(pd.DataFrame({evil: [evil]}), {evil: evil})
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2


def test_a_foreign_table_is_reduced_to_structure_and_words() -> None:
    html = (
        "<style>td {color: red}</style><script>alert(1)</script><svg onload=alert(1)></svg>"
        '<table id="t" style="x" onclick="alert(1)"><tr><td colspan="2" style="y"><a href="http://x.y">word</a>'
        '<img src="http://x.y/z.png"></td></tr></table>'
    )
    assert safe.table(html).body == '<table><tr><td colspan="2">word</td></tr></table>'


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        ("<div>x</div>", "&lt;div&gt;x&lt;/div&gt;"),
        ("![pic](http://x.y/z.png)", "<p>pic</p>"),
        ("[go](javascript:alert(1))", "<p>go (javascript:alert(1))</p>"),
        ('[go](http://x.y/"onclick="a)', "<p>go (http://x.y/%22onclick=%22a)</p>"),
        (r"\$5 and \$7", "<p>$5 and $7</p>"),
        ("in 9.5 % of", "<p>in 9.5\u00a0% of</p>"),
        ("# One", '<h2 id="one">One</h2>'),
        ("### Three & *more*", '<h3 id="three-more">'),
    ],
)
def test_markdown_is_safe(source: str, html: str) -> None:
    assert html in safe.markdown(source)


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("[go](javascript:alert(1))", "#harmful-link"),
        ('[go](http://x.y/"onclick="a)', 'href="http://x.y/%22onclick=%22a"'),
    ],
)
def test_links_in_notebooks_are_safe(source: str, html: str) -> None:
    assert html in safe.markdown(source, written=True)
