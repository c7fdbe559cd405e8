"""Text and tables from notebooks as HTML that can do no harm: what comes from data is shown, never obeyed."""

import re
from dataclasses import dataclass

import mistune
from bs4 import BeautifulSoup, Tag
from markupsafe import Markup

from . import words

_STRUCTURE = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
_WORDS = {"span", "strong", "em", "b", "i", "sub", "sup", "br", "p", "div", "small", "code"}
_TAGS = _STRUCTURE | _WORDS
_ATTRIBUTES = frozenset({"class", "colspan", "rowspan", "scope"})
_WITHIN = re.compile(r"([\w-]+\.html)?(#[\w-]*)?")
"""Addresses of pages beside this one, and of places on them."""

_LONG = re.compile(r"\S{19,}")
"""A word that is as wide as two columns: paper, which does not scroll, may break it."""

_EMPTIED = ("script", "style", "template", "iframe", "object", "noscript", "svg", "math", "head", "title")


class _Renderer(mistune.HTMLRenderer):
    """HTML in the source is escaped, pictures become their text, and the page's title stays the only h1.

    Parameters
    ----------
    outside : whether links may lead out of the report.
    """

    def __init__(self, *, outside: bool) -> None:
        super().__init__(escape=True, allow_harmful_protocols=False)
        self.outside = outside

    def heading(self, text: str, level: int, **attrs: object) -> str:
        """Return a heading that can be linked to, at level 2 or deeper."""
        shown = max(level, 2)
        return f'<h{shown} id="{slug(text)}">{text}</h{shown}>\n'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Return the picture's text: a page loads nothing."""
        return mistune.escape(text)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Return a link that tells the other side nothing, or its text and address where it must not lead there."""
        if not self.outside and not _WITHIN.fullmatch(url):
            return f"{text} ({mistune.escape(url)})"
        return f'<a href="{self.safe_url(url)}" rel="noopener noreferrer">{text}</a>'


_PLUGINS = ["table", "strikethrough"]
_said = mistune.create_markdown(renderer=_Renderer(outside=False), plugins=_PLUGINS)
_written = mistune.create_markdown(renderer=_Renderer(outside=True), plugins=_PLUGINS)


def slug(text: str) -> str:
    """Return `text`, which may hold HTML, as an identifier for links within a page."""
    bare = re.sub(r"<[^>]+>|&\w+;", "", text).lower()
    return re.sub(r"[^\w]+", "-", bare).strip("-") or "section"


def markdown(text: str, *, written: bool = False) -> Markup:
    """Render Markdown; HTML in it is shown as text, and no line breaks within a number with its signs.

    Parameters
    ----------
    text : Markdown, with names from the data in it.
    written : whether someone wrote it into a notebook, whose links may lead anywhere. What data say links to no other
        host: nobody is led astray by the name of a product.
    """
    render = _written if written else _said
    return Markup(render(held(text)))  # noqa: S704  the renderer escapes


def held(text: str) -> str:
    r"""Keep numbers together with what stands around them, where a line could end between.

    Examples
    --------
    >>> held("12 % or −\\$5")
    '12\xa0% or −\u2060\\$5'
    """
    return re.sub(r"(?<=[−+])(?=\\?[€$£¥])", "\u2060", re.sub(r"(?<=\d) (?=%)", "\u00a0", text))


def sections(text: str) -> list[tuple[str, str]]:
    r"""Identifier and words, plain, of each heading of the second level in Markdown, as `markdown` sets it.

    Examples
    --------
    >>> sections("## Who *leaves*?\n\nMany.\n\n### Why?")
    [('who-leaves', 'Who leaves?')]
    """
    headings = BeautifulSoup(markdown(text), "html.parser").find_all("h2")
    return [(str(heading["id"]), heading.get_text()) for heading in headings]


@dataclass(frozen=True)
class TableParts:
    """A table taken apart: its title and notes stay in place when its body scrolls.

    Attributes
    ----------
    title : plain text, empty if there is none.
    body : the table itself.
    notes : the lines below it.
    """

    title: str
    body: Markup
    notes: list[str]


def table(html: str) -> TableParts:
    """Keep a table's structure and words, and drop everything else: styles, scripts, identifiers, links.

    Parameters
    ----------
    html : what great-tables or pandas made.
    """
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(_EMPTIED):
        tag.decompose()
    title = " – ".join(_take(soup, ".gt_title, .gt_subtitle"))
    notes = _take(soup, ".gt_sourcenote, .gt_footnote")
    for tag in soup.find_all(True):
        if tag.name not in _TAGS:
            tag.unwrap()
        else:
            tag.attrs = {name: value for name, value in tag.attrs.items() if name in _ATTRIBUTES}
    for cell in soup.find_all(["td", "th"]):
        if _LONG.search(cell.get_text()):
            cell["class"] = " ".join((*(cell.get("class") or ()), "long"))
    for tag in soup.find_all(["thead", "tfoot", "tr"]):
        if not tag.get_text(strip=True) and not tag.find(["td", "th"]):
            tag.decompose()
    body = Markup(held(soup.decode().strip()))  # noqa: S704  cleaned above
    return TableParts(title=held(title), body=body, notes=[held(note) for note in notes])


def _take(soup: BeautifulSoup, selector: str) -> list[str]:
    """Cut the elements out, with the row they stand in, and return their texts."""
    texts = []
    for element in soup.select(selector):
        texts.append(words.one_line(element.get_text()))
        row = element.find_parent("tr")
        (row if isinstance(row, Tag) and len(row.find_all("td")) == 1 else element).extract()
    return [text for text in texts if text]
