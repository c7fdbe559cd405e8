"""Tiny notebooks in a tiny project, each run once a module."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from loyalty.reporting.run import run_notebook
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = """\
dataset = "tiny"         # name
as_of = "2020-01-01"
horizon_days: int = 28   # days
active_within_days = 56"""
END = "from loyalty.reporting import page\npage.end()"

FIGURE = """\
from loyalty.reporting import page, style, tables
import pandas as pd
fig, ax = style.figure(720, 300)
ax.plot([1, 2, 3], [0.42, 0.38, 0.35])
ax.set_title("Fewer customers come back")
page.show(ax, "After three months **35 %** (32 to 38 %) come back, $5 and $6 each.")"""

TABLE = """\
frame = pd.DataFrame({"segment": ["Loyal <b>", "Lost"], "n": [1234, "<10"], "spend": [52.5, None]})
page.table(tables.table(frame, title="Segments", columns={
    "segment": "Segment", "n": tables.count("Customers"), "spend": tables.money("Spend", "USD")},
    notes="Spend of the last 28 days."), "Loyal customers are **1,234**.")"""

WORDS = """\
import sys, warnings
print("on standard output")
print("on standard error", file=sys.stderr)
warnings.warn("a warning that is nobody's business")
page.say("A product called <script>alert(1)</script> and <img src=x onerror=alert(2)> & co.")
page.say("![evil](https://example.org/x.png) and [link](javascript:alert(3))")
page.say("One in ten left. It was one in nine. Win them back.", role="answer")
page.say("We lose one in ten customers a month (9 to 11 %).", role="meeting")"""


def notebook(*cells: str | nbformat.NotebookNode, end: bool = True) -> nbformat.NotebookNode:
    """Make a notebook of a title, parameters, the given code cells and the sentinel."""
    parameters = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    title = new_markdown_cell("# Who leaves, and when\n\nHow many customers stop buying? Can we see it coming?")
    body = [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    closing = [new_code_cell(END)] if end else []
    return new_notebook(cells=[title, parameters, *body, *closing])


VARIANTS: dict[str, nbformat.NotebookNode] = {
    "good": notebook(FIGURE, new_markdown_cell("## How sure are we?\n\nFairly."), TABLE, WORDS),
    "error": notebook("x = 1", new_markdown_cell("## The hard part"), 'raise ValueError("no such\\nsegment")', "1"),
    "exits": notebook("import sys; sys.exit(0)", "x = 1"),
    "quits": notebook("quit()", "x = 1"),
    "killed": notebook("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "x = 1"),
    "endless": notebook("import time; time.sleep(60)"),
    "unfinished": notebook("x = 1", end=False),
    "where": notebook("import sys, os; page_of = (sys.executable, os.getcwd(), dataset, horizon_days); page_of"),
}


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that makes a project folder holding the named variants as notebooks."""

    def make(*names: str, **renamed: str) -> Path:
        root = tmp_path_factory.mktemp("project")
        (root / "data").mkdir()
        (root / "notebooks").mkdir()
        for file, variant in {**{name: name for name in names}, **renamed}.items():
            text = json.dumps(VARIANTS[variant])
            (root / "notebooks" / f"{file}.ipynb").write_text(text, encoding="utf-8")
        return root

    return make


@pytest.fixture(scope="session")
def executed(make_project: Callable[..., Path]) -> nbformat.NotebookNode:
    """Return the good notebook, executed."""
    root = make_project("good")
    return run_notebook(root / "notebooks" / "good.ipynb", {"dataset": "tiny"}, root / "out.ipynb")
