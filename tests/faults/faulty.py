"""A tiny project to break: a study of fixed facts, notebooks of three cells, and what has to be so afterwards."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import loyalty.reporting
import nbformat
from loyalty.reporting import alarms, manifest
from loyalty.reporting.summary_types import Finding, Measure, Past
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

PARAMETERS = """\
dataset = "tiny"
as_of = None
horizon_days = None
active_within_days = None
top: int = 10  # customers to list, 1 to 100
code = "007"  # of a shop"""

SAY = """\
from IPython.display import display
def say(text, role="text"):
    display({"text/markdown": text, "text/plain": text}, raw=True, metadata={"loyalty": {"role": role}})"""

END = """\
display({"application/vnd.loyalty.end+json": {"version": 1}, "text/plain": ""}, raw=True,
        metadata={"loyalty": {"role": "end"}})"""
"""What `page.end` shows, without its imports."""

OLD = "the report that was there before"


def notebook(*cells: str | nbformat.NotebookNode, end: bool = True) -> nbformat.NotebookNode:
    """Make a notebook of a title, parameters, the given code cells and the sentinel."""
    title = new_markdown_cell("# Who leaves\n\nHow many?")
    opening = [title, new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), new_code_cell(SAY)]
    body = [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    return new_notebook(cells=[*opening, *body, *([new_code_cell(END)] if end else [])])


def as_run(source: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook as if it had been run."""
    ran = nbformat.from_dict(json.loads(json.dumps(source)))
    for number, cell in enumerate((cell for cell in ran.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
        cell.metadata["papermill"] = {"start_time": "2020-01-01T00:00:00"}
    sentinel = {"application/vnd.loyalty.end+json": {"version": 1}, "text/plain": ""}
    ran.cells[-1].outputs = [new_output("display_data", sentinel, metadata={"loyalty": {"role": "end"}})]
    ran.metadata["papermill"] = {"duration": 0.5}
    return ran


def project(
    root: Path, notebooks: Mapping[str, nbformat.NotebookNode | str], name: str = "tiny", day: str = "2020-01-01"
) -> Path:
    """Make a project with a dataset file, notebooks and a report of a day that was made before."""
    for folder in ("data", "notebooks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "data" / f"{name}.toml").touch()
    for file, content in notebooks.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (root / "notebooks" / f"{file}.ipynb").write_text(text, "utf-8")
    old = root / "reports" / name / day
    old.mkdir(parents=True)
    (old / "index.html").write_text(OLD, "utf-8")
    (old / "manifest.json").write_text("{}", "utf-8")
    (old.parent / "latest").symlink_to(day)
    return root


def tree(folder: Path) -> dict[str, str]:
    """Everything in a folder, with a hash of each file, or where each link points to."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def is_old(root: Path, name: str = "tiny", *, killed: bool = False) -> bool:
    """Whether readers see the old report, and nothing else is there; after a kill there may be hidden folders."""
    reports = root / "reports" / name
    link = reports / "latest"
    old = {"2020-01-01/index.html", "2020-01-01/manifest.json", "latest", "latest/index.html", "latest/manifest.json"}
    whole = (link / "index.html").read_text("utf-8") == OLD and link.readlink() == Path("2020-01-01")
    return whole and {path for path in tree(reports) if not (killed and path.startswith("."))} <= old


def is_new(root: Path, name: str = "tiny") -> bool:
    """Whether readers see a new report, and it is whole."""
    folder = root / "reports" / name / "latest"
    said = manifest.read(folder)
    return said is not None and said["outcome"] == "done" and manifest.intact(folder, said)


def words() -> tuple[ModuleType, ModuleType]:
    """A summary of fixed words, and a model card without any."""
    summary: Any = ModuleType("loyalty.reporting.summary")
    summary.measures = lambda study: [Measure(name="Customers", value="2,147", goal="over 3,000", goal_met=False)]
    summary.findings = lambda study: [Finding(text="One left.", page="01_one")]
    summary.answer = lambda study: "All is well."
    summary.certainty = lambda study: "Quite."
    summary.picture = lambda study: None
    summary.past = lambda study: Past()
    summary.actions = lambda study, pages: []
    summary.QUESTION, summary.PICTURE_QUESTION = "How are they?", "Are there fewer?"
    card: Any = ModuleType("loyalty.reporting.card")
    card.describe = lambda study: {}
    card.files = lambda said, *, pages, heading: {}
    return summary, card


def with_fixed_words(put: Callable[[Any, str, Any], None] = setattr) -> None:
    """Put them in the place of the computed ones; `put` is `setattr`, or undoes it later."""
    for module in words():
        name = module.__name__.rpartition(".")[2]
        put(loyalty.reporting, name, module)
    put(alarms, "moved", lambda study: [])
    put(alarms, "dated", lambda study: [])
    # Somebody may be editing the package, and every notebook would run again.
    put(manifest, "PACKAGE", Path(__file__).parent / "data")
