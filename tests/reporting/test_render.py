"""Pages: whole, safe, readable without the code, and asking no other host for anything."""

import base64
import hashlib
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from itertools import pairwise

import nbformat
import pytest
from loyalty.reporting.page import Picture
from loyalty.reporting.render import TEMPLATES, Heading, Page, page_of, render, render_index
from loyalty.reporting.summary_types import Finding, Measure

HEADING = Heading(
    dataset="Tiny <panel>",
    as_of=date(2017, 12, 4),
    horizon_days=28,
    notice="Made up & small.",
    created=datetime(2026, 11, 21, 20, 46, tzinfo=UTC),
)
PAGES = [
    Page(name="good", label="Good", title="Who leaves, and when", question="How many?"),
    Page(name="04_churn", label="Churn", title="Who is <next>?", question="Which **ones**?"),
]
VOID = {"meta", "link", "img", "br", "input", "hr", "source"}


class Tags(HTMLParser):
    """Collects the tags of a page, and checks that each is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def html(executed: nbformat.NotebookNode) -> str:
    pages = [page_of("good", executed), PAGES[1]]
    return render(executed, pages=pages, current="good", heading=HEADING).replace("\u00a0", " ")


@pytest.fixture(scope="module")
def index() -> str:
    measure = Measure(
        name="Left <b>", value="12.0 %", interval="10 to 14 %", change="1.2 points on the 28 days before",
        goal="under 12 %", goal_met=False, direction="up", good=False, definition="Did not buy.",
    )  # fmt: skip
    return render_index(
        measures=[measure, Measure(name="Customers", value="2,147")],
        findings=[Finding(text="One in **ten** left.", page="04_churn"), Finding(text="Two.", page="gone")],
        pages=PAGES,
        heading=HEADING,
        question="How are our customers?",
        answer="Well, <script>alert(1)</script>.",
        certainty="Fairly sure.",
        picture=Picture(
            png="iVBORw0KGgo=", narrow="iVBORw0KGgp=", width=720, height=320, alt="Churn <b>", caption="Up."
        ),
    )


@pytest.fixture(scope="module", params=["html", "index"])
def either(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def test_every_page_is_a_whole_document(either: str) -> None:
    tags = Tags(either)
    assert either.startswith("<!DOCTYPE html>")
    assert tags.all("html") == [{"lang": "en"}]
    for once in ("h1", "main", "title", "nav", "footer"):
        assert len(tags.all(once)) == 1
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in tags.all("meta")
    assert "Tiny &lt;panel&gt;</span> <span>as of 4 December 2017</span> <span>looking 28 days ahead" in either
    assert "Made up &amp; small." in either
    assert "21 November 2026, 20:46 UTC" in either


def test_no_page_asks_for_anything(either: str) -> None:
    tags = Tags(either)
    for tag, attributes in tags.found:
        assert tag not in {"script", "iframe", "object", "embed", "form", "base"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href", "srcset"):
            assert re.match(r"$|data:|#|[\w-]+\.html$", attributes.get(name) or ""), attributes
    assert "@import" not in either
    assert "url(" not in either
    assert "http" not in re.sub(r'http-equiv="|<div class="code">.*?</div>', "", either, flags=re.DOTALL)


def test_the_policy_allows_only_the_style_of_the_page(either: str) -> None:
    name = "Content-Security-Policy"
    [policy] = [meta["content"] for meta in Tags(either).all("meta") if meta.get("http-equiv") == name]
    [css] = re.findall(r"<style>(.*?)</style>", either, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_data_is_shown_and_not_obeyed(either: str) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in either


def test_identifiers_are_unique(either: str) -> None:
    names = [attributes["id"] for _, attributes in Tags(either).found if "id" in attributes]
    assert len(names) == len(set(names))


def test_headings_descend_one_level_at_a_time(either: str) -> None:
    levels = [int(tag[1]) for tag, _ in Tags(either).found if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_navigation_marks_this_page(html: str, index: str) -> None:
    assert '<a aria-current="page" href="good.html">Good</a>' in html
    assert '<a href="04_churn.html">Churn</a>' in html
    assert '<a href="index.html" aria-current="page">Overview</a>' in index


def test_a_figure_has_its_text_once_as_alternative_and_once_as_caption(html: str) -> None:
    [image] = Tags(html).all("img")
    assert image["alt"] == (
        "Fewer customers come back: After three months 35 % (32 to 38 %) come back, $5 and $6 each."
    )
    assert image["width"] == "720"
    assert html.count("<strong>35 %</strong> (32 to 38 %) come back, $5 and $6 each.") == 1


def test_a_phone_gets_the_figure_that_was_drawn_for_it(html: str, index: str) -> None:
    for text in (html, index):
        [source], [image] = Tags(text).all("source"), Tags(text).all("img")
        assert source["media"] == "screen and (max-width: 480px)"
        assert source["srcset"] != image["src"]


def test_the_first_page_holds_its_figure_with_its_text(index: str) -> None:
    [image] = Tags(index).all("img")
    assert image["alt"] == "Churn <b>"
    assert "<figcaption><p>Up.</p>" in index


def test_a_table_scrolls_inside_itself_and_has_no_style_of_its_own(html: str) -> None:
    assert '<p class="title">Segments</p>' in html
    assert '<p class="note">Spend of the last 28 days.</p>' in html
    assert {"class": "scroll", "role": "region", "tabindex": "0", "aria-label": "Segments"} in Tags(html).all("div")
    assert "Loyal &lt;b&gt;" in html
    assert ">&lt;10</td>" in html
    assert html.count("<style") == 1


def test_the_answer_leads_and_stands_once(html: str) -> None:
    answer = "One in ten left. It was one in nine. Win them back."
    assert html.count(f"<p>{answer}</p>") == 1
    assert html.index(f"<p>{answer}</p>") < html.index("</header>", html.index("<main"))
    assert html.index("How many customers stop buying?") < html.index(answer)


def test_the_sentence_for_the_meeting_stands_in_a_box(html: str) -> None:
    box = html[html.index('<aside class="meeting">') :]
    assert "To say in the meeting" in box
    assert "<p>We lose one in ten customers a month (9 to 11 %).</p>" in box


def test_warnings_and_standard_error_do_not_reach_the_page(html: str) -> None:
    visible = re.sub(r'<div class="code">.*?</div>', "", html, flags=re.DOTALL)
    assert "on standard error" not in visible
    assert "nobody's business" not in visible
    assert "UserWarning" not in html


def test_code_and_what_it_printed_are_hidden_until_asked_for(html: str) -> None:
    css = (TEMPLATES / "page" / "page.css").read_text("utf-8")
    assert "\n.code { display: none; }\nhtml:has(#show-code:checked) .code { display: block; }" in css
    assert [box["id"] for box in Tags(html).all("input")] == ["show-code"]
    assert re.search(r'<pre [^>]*class="code output"[^>]*>on standard output', html)
    [output] = [pre for pre in Tags(html).all("pre") if "output" in (pre.get("class") or "")]
    assert (output["role"], output["tabindex"], output["aria-label"]) == ("region", "0", "Output")
    assert all("code" in (pre.get("class") or "code") for pre in Tags(html).all("pre"))
    assert html.count('<div class="code">') == 6


def test_the_end_leaves_no_trace(html: str) -> None:
    assert "vnd.loyalty" not in html


def test_a_page_of_several_sections_lists_them(html: str, executed: nbformat.NotebookNode) -> None:
    assert "On this page" not in html
    cells = [nbformat.v4.new_markdown_cell(f"## Part {n} of <b>\n\nText.\n\n### Deeper") for n in (1, 2, 3)]
    long = nbformat.v4.new_notebook(cells=[executed.cells[0], *cells])
    page = render(long, pages=[page_of("good", long)], current="good", heading=HEADING)
    assert page.count('<li><a href="#part-2-of-b">Part 2 of &lt;b&gt;</a></li>') == 2  # beside the text, and folded
    assert page.count('<h2 id="part-2-of-b">') == 1
    assert "Deeper</a>" not in page
    for nav in Tags(page).all("nav"):
        assert nav.get("aria-label") or nav.get("aria-labelledby")


def test_links_lead_out_only_where_someone_wrote_them() -> None:
    link = "[there](https://example.org/)"
    told = nbformat.v4.new_output("display_data", data={"text/markdown": link}, metadata={"loyalty": {"role": "text"}})
    code = nbformat.v4.new_code_cell("say()", outputs=[told])
    written = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A\n\nB?"), nbformat.v4.new_markdown_cell(link), code]
    )
    page = render(written, pages=[page_of("good", written)], current="good", heading=HEADING)
    assert page.count('<a href="https://example.org/" rel="noopener noreferrer">there</a>') == 1
    assert page.count("there (https://example.org/)") == 1


def test_a_measure_is_said_in_words(index: str) -> None:
    text = " ".join(re.sub(r"<[^>]+>", " ", index).split())
    assert "Left &lt;b&gt; 12.0 % 10 to 14 % ▲ up 1.2 points on the 28 days before, worse" in text
    assert "Goal: under 12 % – not met Did not buy." in text
    assert "Customers 2,147 No earlier period to compare with" in text


def test_a_finding_links_to_its_page_if_that_is_there(index: str) -> None:
    assert '<a href="04_churn.html">Why we say so: Churn</a>' in index
    assert "gone.html" not in index


def test_the_executive_page_says_what_each_page_answers(index: str) -> None:
    assert '<dt><a href="04_churn.html">Who is &lt;next&gt;?</a></dt>' in index
    assert "Which <strong>ones</strong>?" in index


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("04_churn", "# Who leaves\n\nHow many?", ("Churn", "Who leaves", "How many?")),
        ("03_lifetime_value", "no title", ("Lifetime value", "Lifetime value", "")),
    ],
)
def test_title_and_question_come_from_the_first_cell(name: str, source: str, expected: tuple[str, str, str]) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source)])
    page = page_of(name, notebook)
    assert (page.label, page.title, page.question) == expected
