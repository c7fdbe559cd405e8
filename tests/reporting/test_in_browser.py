"""Pages as a browser opens them: nothing asked for, no policy broken, fit for a phone, for paper and for everyone."""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from loyalty.reporting import tables
from loyalty.reporting.render import Heading, page_of, render
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / ".ci"))

import browse_pages  # noqa: E402
import browser  # noqa: E402

GOOD = (
    '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>A page</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'"><main><h1>A page</h1>{}</main>'
)
WIDE_TABLE = "<table><tr>" + "<th>a long heading that does not break</th>".replace(" ", "\u00a0") * 9 + "</tr></table>"


@pytest.fixture(scope="session")
def tab() -> Iterator[browser.Tab]:
    """One page in Chromium; where that is missing, there is nothing to test with."""
    if browser.program() is None:
        missing = "no Chromium on this machine: apt-get install chromium"
        if os.environ.get("LOYALTY_REQUIRE_CHROMIUM") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    with browser.browsing() as chromium:
        yield browser.Tab(chromium)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, where `LOYALTY_AXE` says that it is; else nothing, and its findings are not looked at."""
    named = os.environ.get("LOYALTY_AXE")
    return Path(named).read_text("utf-8") if named else ""


@pytest.fixture
def faults(tab: browser.Tab, tmp_path: Path) -> Callable[[str], str]:
    """Return a function that opens a page of this body, and tells what is wrong with it."""

    def tell(body: str) -> str:
        file = tmp_path / "page.html"
        file.write_text(GOOD.format(body), "utf-8")
        return "\n".join(browse_pages.faults(tab, file, ""))

    return tell


def test_a_rendered_notebook_is_fit_for_every_reader(
    tab: browser.Tab, axe: str, executed: nbformat.NotebookNode, tmp_path: Path
) -> None:
    heading = Heading(
        dataset="Tiny <panel>", as_of=date(2017, 12, 4), horizon_days=28, notice="Small.", created=datetime.now(UTC)
    )
    pages = [page_of("good", executed)]
    file = tmp_path / "good.html"
    file.write_text(render(executed, pages=pages, current="good", heading=heading), "utf-8")
    assert list(browse_pages.faults(tab, file, axe)) == []
    tab.show(width=1280)
    tab.open(file)
    shown = "getComputedStyle(document.querySelector('.code')).display"
    assert tab.run(shown) == "none"
    tab.run(browse_pages.CODE)
    assert tab.run(shown) == "block"


def test_the_page_has_two_themes(tab: browser.Tab, executed: nbformat.NotebookNode, tmp_path: Path) -> None:
    heading = Heading(dataset="T", as_of=date(2017, 12, 4), horizon_days=28, notice="", created=datetime.now(UTC))
    file = tmp_path / "good.html"
    file.write_text(render(executed, pages=[page_of("good", executed)], current="good", heading=heading), "utf-8")
    papers = []
    for theme in ("light", "dark"):
        tab.show(width=1280, theme=theme)
        tab.open(file)
        papers.append(tab.run("getComputedStyle(document.documentElement).backgroundColor"))
    assert papers == ["rgb(255, 255, 255)", "rgb(21, 24, 28)"]


def test_a_table_of_many_columns_and_long_names_fits_on_paper(tab: browser.Tab, tmp_path: Path) -> None:
    names = ["Redemption rate, 90 % (%)", "Bought before", "Customers reached", "Normalised gain"]
    frame = pd.DataFrame({f"{name} {number}": [12.5] for name in names for number in range(2)})
    frame.insert(0, "name", ["x" * 90 + " in the summer"])
    html = tables.table(pd.concat([frame] * 60), title="Wide and long").as_raw_html()
    shown = new_output("display_data", {"text/html": html}, metadata={"loyalty": {"role": "table"}})
    node = new_notebook(cells=[new_markdown_cell("# Wide\n\nHow wide?"), new_code_cell("show()", outputs=[shown])])
    heading = Heading(dataset="T", as_of=date(2017, 12, 4), horizon_days=28, notice="", created=datetime.now(UTC))
    file = tmp_path / "wide.html"
    file.write_text(render(node, pages=[page_of("wide", node)], current="wide", heading=heading), "utf-8")
    assert list(browse_pages.faults(tab, file, "")) == []
    tab.show(width=browse_pages.PAPER, medium="print")
    tab.open(file)
    assert tab.run("getComputedStyle(document.querySelector('figure.table')).breakInside") == "auto"


def test_a_word_that_paper_cuts_is_found(tab: browser.Tab, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    style = "<style>td { overflow-wrap: anywhere; max-width: 2em }</style>"
    row = '<tr><td>Champions of 2017</td><td class="long">Unbreakable</td></tr>'
    file.write_text(f"<!DOCTYPE html><title>x</title>{style}<table>{row}</table>", "utf-8")
    found = "\n".join(browse_pages.faults(tab, file, ""))
    assert "cuts the word Champions in a table" in found
    assert "Unbreakable" not in found


def test_a_whole_page_is_let_pass(faults: Callable[[str], str]) -> None:
    assert faults("<p>Fine.</p>") == ""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<img alt="1" src="http://evil.example/x.png">', "asks for http://evil.example/x.png"),
        ('<img alt="1" src="x.png" onerror="alert(2)">', "the policy of the page broke: script-src-attr"),
        ("<script>alert(1)</script>", "the policy of the page broke: script-src-elem"),
        ('<p style="color: red">a</p>', "the policy of the page broke: style-src-attr"),
        (WIDE_TABLE, "px wide on a screen of 390"),
        (WIDE_TABLE, "px wide on paper of 658"),
        (WIDE_TABLE, "has a table that ends at"),
        ("<svg width='700' height='9'></svg>", "has a svg that ends at 708 px on paper of 658"),
        ("<mark>b</mark>", "prints a ground of colour: <mark>b</mark>"),
        ("<h2>b</h2>", "may leave a heading at the foot of a sheet: b"),
        ("<table><tr><th>a</th></tr></table>", "has a table outside of a box that scrolls"),
        ('<p id="a">a</p><p id="a">b</p>', "has two #a"),
        ('<a href="#gone">b</a>', "links to #gone, not there"),
        ('<header class="bar">b</header>', "prints its .bar"),
        ("<figure>b</figure>", "has a figure that may be cut"),
    ],
)
def test_what_is_wrong_is_found(faults: Callable[[str], str], body: str, said: str) -> None:
    assert said in faults(body)


def test_a_box_that_a_script_opens_is_found_and_closed(tab: browser.Tab, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<!DOCTYPE html><title>x</title><script>alert(1)</script>", "utf-8")
    tab.open(file)
    assert tab.said == ["a box was opened: 1"]


def test_a_blurred_figure_is_found(faults: Callable[[str], str], tab: browser.Tab, tmp_path: Path) -> None:
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
    file = tmp_path / "page.html"
    file.write_text(
        f'<!DOCTYPE html><title>x</title><img alt="7" width="100" src="data:image/png;base64,{dot}">', "utf-8"
    )
    assert "has a figure of 0.01 pixels a pixel: 7" in "\n".join(browse_pages.faults(tab, file, ""))
