"""What comes from data is shown as it is, and never obeyed."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from loyalty.reporting import safe, tables

SCRIPT, IMAGE = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>'


def words(html: str) -> str:
    return BeautifulSoup(html, "html.parser").get_text().strip()


@pytest.mark.parametrize("name", [SCRIPT, IMAGE, "a & b", "<!-- c", "</td></table>", "<style>*{}</style>", "&lt;b&gt;"])
def test_a_table_shows_every_name_as_it_is(name: str) -> None:
    frame = pd.DataFrame({"name": [name], "n": [12]})
    columns = {"name": tables.text(name), "n": tables.count(f"{name} n")}
    parts = safe.table(tables.table(frame, title=name, columns=columns, notes=f"Note: {name} ends.").as_raw_html())
    assert parts.title == name
    assert parts.notes == [f"Note: {name} ends."]
    soup = BeautifulSoup(parts.body, "html.parser")
    assert [cell.get_text() for cell in soup.find_all("th")] == [name, f"{name} n"]
    assert [cell.get_text() for cell in soup.find_all("td")] == [name, "12"]
    assert {tag.name for tag in soup.find_all(True)} <= {"div", "table", "thead", "tbody", "tfoot", "tr", "th", "td"}


def test_a_table_marks_the_words_that_may_break_and_holds_numbers_together() -> None:
    frame = pd.DataFrame({"name": ["x" * 19, "y" * 18, "30\u00a0Apr\u00a02017 in Linz"], "share": ["12 %", "−$5", "3"]})
    body = BeautifulSoup(safe.table(tables.table(frame).as_raw_html()).body, "html.parser")
    cells = {cell.get_text(): cell.get("class", []) for cell in body.find_all("td")}
    assert [text for text, classes in cells.items() if "long" in classes] == ["x" * 19]
    assert {"12\u00a0%", "−\u2060$5"} <= set(cells)


def test_no_line_ends_between_a_minus_and_an_amount() -> None:
    assert words(safe.markdown(r"Between −\$5 and +\$7.")) == "Between −\u2060$5 and +\u2060$7."


@pytest.mark.parametrize("name", [SCRIPT, IMAGE])
def test_a_sentence_shows_every_name_as_it_is(name: str) -> None:
    html = safe.markdown(f"Of {name} **12 %** were sold.")
    assert words(html) == f"Of {name} 12\u00a0% were sold."
    assert {tag.name for tag in BeautifulSoup(html, "html.parser").find_all(True)} == {"p", "strong"}


@pytest.mark.parametrize(
    "link", ["[prize](https://evil.example/)", "[prize](//evil.example)", "[prize](file:///etc/x)"]
)
def test_what_data_say_leads_nowhere_else(link: str) -> None:
    html = safe.markdown(f"Of {link} 12 were sold.")
    assert "<a" not in html
    assert words(html) == f"Of {link.replace('[', '').replace(']', ' ')} 12 were sold."


@pytest.mark.parametrize("address", ["04_churn.html", "model-card.html#limits", "#use"])
def test_what_data_say_may_lead_to_another_page(address: str) -> None:
    assert f'<a href="{address}" rel="noopener noreferrer">there</a>' in safe.markdown(f"[there]({address})")


def test_what_is_written_into_a_notebook_may_lead_anywhere_but_into_a_script() -> None:
    assert '<a href="https://example.org/" rel' in safe.markdown("[paper](https://example.org/)", written=True)
    assert "javascript" not in safe.markdown("[x](javascript:alert(3))", written=True)


def test_sections_are_named_as_their_headings_are() -> None:
    text = f"## Of {SCRIPT} *and* & others\n\nMany.\n\n### Deeper"
    [(name, said)] = safe.sections(text)
    assert said == f"Of {SCRIPT} and & others"
    assert f'<h2 id="{name}">' in safe.markdown(text)


@given(st.text())
def test_no_text_becomes_markup_that_runs_or_loads(text: str) -> None:
    soup = BeautifulSoup(safe.markdown(text), "html.parser")
    for tag in soup.find_all(True):
        assert tag.name not in {"script", "img", "style", "iframe", "svg", "link", "meta", "input", "form"}
        assert set(tag.attrs) <= {"id", "href", "rel", "class", "style", "start"}
        assert "style" not in tag.attrs or tag.name in {"td", "th"}
