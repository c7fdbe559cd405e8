"""Executed notebooks and the executive page as HTML files that stand alone."""

import base64
import copy
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from . import safe
from .page import Picture
from .summary_types import Changed, Finding, Measure

TEMPLATES = Path(__file__).parent / "templates"
_WORDS = {"up": ("▲", "up"), "down": ("▼", "down"), "flat": ("■", "unchanged")}


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What every page of a report says about its study.

    Attributes
    ----------
    dataset : the dataset's title.
    as_of : first day that is not known.
    horizon_days : length of the period that is predicted, days; None where nothing is.
    notice : where the data comes from and what it may be used for; stands at the foot.
    created : when the report was made, with its time zone.
    minimum_cell : smallest number of customers that a cell may show.
    """

    dataset: str
    as_of: date
    horizon_days: int | None
    notice: str
    created: datetime
    minimum_cell: int = 10


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a report, as the others link to it.

    Attributes
    ----------
    name : of the notebook, such as "04_churn"; the file is `<name>.html`.
    label : two or three words for the navigation bar.
    title : the notebook's title.
    question : what it answers, Markdown.
    """

    name: str
    label: str
    title: str
    question: str


def page_of(name: str, notebook: NotebookNode) -> Page:
    """Read title and question from a notebook's first Markdown cell: `# title`, then the question."""
    label = re.sub(r"^\d+[_-]*", "", name).replace("_", " ").strip().capitalize() or name
    title, question = _opening(notebook)
    return Page(name=name, label=label, title=title or label, question=question)


def render(notebook: NotebookNode, *, pages: Sequence[Page], current: str, heading: Heading) -> str:
    """Render an executed notebook as a page.

    Parameters
    ----------
    notebook : as it came from `run_notebook`.
    pages : all pages of the report, in the order of the navigation bar.
    current : name of this page, one of `pages`.
    heading : what every page says about its study.

    Returns
    -------
    str
        A page that asks no other host for anything. Code is on it, hidden until it is asked for.
    """
    page = next(page for page in pages if page.name == current)
    body = copy.copy(notebook)
    first = next((cell for cell in notebook.cells if _is_opening(cell)), None)
    body.cells = _with_something_to_show([cell for cell in notebook.cells if cell is not first])
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="page", template_file="notebook.html.j2", extra_template_basedirs=[str(TEMPLATES)]
    )
    exporter.environment.autoescape = True
    exporter.environment.filters.update(_filters())
    shared = _shared(pages, current, heading)
    contents = [
        section for cell in body.cells if cell.cell_type == "markdown" for section in safe.sections(cell.source)
    ]
    resources = {"loyalty": {**shared, "page": page, "answers": _answers(notebook), "contents": contents}}
    html, _ = exporter.from_notebook_node(body, resources=resources)
    return html


def render_index(
    *,
    measures: Sequence[Measure],
    findings: Sequence[Finding],
    pages: Sequence[Page],
    heading: Heading,
    question: str,
    answer: str,
    certainty: str,
    picture: Picture | None = None,
    picture_question: str = "How did it go?",
    changed: Changed | None = None,
    actions: Sequence[Finding] = (),
) -> str:
    """Render the executive page.

    Parameters
    ----------
    measures : the cards, six of them in a full report.
    findings : sentences, each linked to its page if that is among `pages`.
    pages : the pages to link to.
    heading : what every page says about its study.
    question, answer, certainty : Markdown; what was asked, what came out, and how sure that is.
    picture : the one figure of the page.
    picture_question : what it answers.
    changed : what is told of earlier runs; None where runs are not compared.
    actions : what to do, sentences linked as the findings are.
    """
    content = {
        "measures": measures,
        "findings": findings,
        "question": question,
        "answer": answer,
        "certainty": certainty,
        "words": _WORDS,
        "picture": picture,
        "picture_question": picture_question,
        "changed": changed,
        "actions": actions,
    }
    return render_template("summary.html.j2", "index", content, pages=pages, heading=heading)


def render_template(
    template: str, current: str, content: Mapping[str, Any], *, pages: Sequence[Page], heading: Heading
) -> str:
    """Render a page that is no notebook.

    Parameters
    ----------
    template : file in `templates/page`.
    current : name of the page.
    content : what the template shows; it finds it in `resources.loyalty`, beside what every page has.
    pages : all pages of the report.
    heading : what every page says about its study.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES / "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_held,
    )
    environment.filters.update(_filters())
    shared = _shared(pages, current, heading)
    return environment.get_template(template).render(resources={"loyalty": shared | dict(content)})


def _held(value: Any) -> Any:
    """Plain text as `safe.held` has it; what is HTML already was seen to."""
    return safe.held(value) if type(value) is str else value


def _filters() -> dict[str, Any]:
    written = partial(safe.markdown, written=True)
    return {
        "safe_markdown": safe.markdown,
        "written_markdown": written,
        "table_parts": safe.table,
        "day": _day,
        "moment": _moment,
    }


def _shared(pages: Sequence[Page], current: str, heading: Heading) -> dict[str, Any]:
    """Return what the layout needs: navigation, heading, style and the policy that allows only that style."""
    css, digest = _style()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return {
        "pages": pages,
        "labels": {page.name: page.label for page in pages},
        "current": current,
        "heading": heading,
        "css": Markup(css),  # noqa: S704  our own file
        "policy": policy,
        "version": version("loyalty"),
    }


@lru_cache(maxsize=1)
def _style() -> tuple[str, str]:
    """Return the style sheet and its SHA-256, base64, as a content security policy wants it."""
    css = (TEMPLATES / "page" / "page.css").read_text("utf-8")
    return css, base64.b64encode(hashlib.sha256(css.encode("utf-8")).digest()).decode("ascii")


def _is_opening(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "markdown" and cell.source.lstrip().startswith("# "))


def _opening(notebook: NotebookNode) -> tuple[str, str]:
    """Return the title, plain, and the rest of the first cell, Markdown."""
    for cell in notebook.cells:
        if _is_opening(cell):
            title, _, rest = cell.source.lstrip().partition("\n")
            return title.removeprefix("# ").strip(), rest.strip()
    return "", ""


def _with_something_to_show(cells: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Leave out the sections whose code shows nothing: what they are about is not in this dataset."""
    sections: list[list[NotebookNode]] = [[]]
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.lstrip().startswith("#"):
            sections.append([])
        sections[-1].append(cell)
    opening, *others = sections
    kept = [section for section in others if any(map(_shows, section)) or not any(map(_is_code, section))]
    return [cell for section in (opening, *kept) for cell in section]


def _is_code(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code" and cell.source.strip())


def _shows(cell: NotebookNode) -> bool:
    """Whether a cell puts anything on the page."""
    roles = [output.get("metadata", {}).get("loyalty", {}).get("role") for output in cell.get("outputs", [])]
    return any(role not in ("answer", "caption", "end") for role in roles)


def _answers(notebook: NotebookNode) -> list[str]:
    """Return what was said with the role `answer`, Markdown, wherever it was said."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [
        output.data["text/markdown"]
        for output in outputs
        if output.get("metadata", {}).get("loyalty", {}).get("role") == "answer"
    ]


def _day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"


def _moment(value: datetime) -> str:
    return f"{_day(value)}, {value:%H:%M %Z}".rstrip()
