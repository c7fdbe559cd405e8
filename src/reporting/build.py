"""The files of a report, made from executed notebooks, and put in its place all at once."""

import json
import shutil
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import NotebookError
from . import limits, manifest, place, swap, words

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from ..experiments import Experiment
    from ..study import Study
    from .history import Run
    from .render import Heading, Page
    from .summary_types import Measure, Past

PRINTED = 20_000
"""Characters that a page shows of what a cell printed."""


def files_of(
    study: "Study | Experiment",
    executed: Mapping[str, Path],
    *,
    run: "Run",
    key: str,
    data: str,
    parameters: Mapping[str, Any],
) -> dict[str, str]:
    """Return the files of a report by name, `manifest.json` last.

    Parameters
    ----------
    study : what is reported.
    executed : notebooks by name, in order.
    run, key, data, parameters : for the manifest, see `manifest.describe`.

    Raises
    ------
    NotebookError
        If a notebook cannot be read, or holds text that no file can.
    """
    from . import alarms
    from .render import Heading, page_of
    from .run import read_notebook

    created = datetime.now(UTC).replace(microsecond=0)
    nodes = {name: shortened(read_notebook(path)) for name, path in executed.items()}
    pages = [page_of(name, node) for name, node in nodes.items()]
    heading = Heading(
        dataset=study.dataset.title,
        as_of=study.as_of,
        horizon_days=study.horizon_days,
        notice=study.dataset.notice,
        created=created,
        minimum_cell=study.dataset.privacy.minimum_cell,
    )
    files, measures, past = _texts(study, nodes, pages, heading)
    _require_unicode(files)
    about = {
        page.name: {"title": page.title, "seconds": round(nodes[page.name].metadata.papermill.duration, 2)}
        for page in pages
    }
    said = manifest.describe(
        study,
        run=run,
        key=key,
        data=data,
        parameters=parameters,
        created=created,
        notebooks=about,
        measures=measures,
        numbers=past.numbers,
        value=past.value,
        bridge=past.bridge,
        alarms=alarms.alarms(study, measures),
        files=files,
    )
    return files | {"manifest.json": json.dumps(said, indent=2, ensure_ascii=False) + "\n"}


def shortened(notebook: "NotebookNode", limit: int = PRINTED) -> "NotebookNode":
    """Cut off what a cell printed after so many characters, in place: a page is to be read."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and len(output.text) > limit:
                left = len(output.text) - limit
                output.text = f"{output.text[:limit]}\n… {words.count(left)} more characters are not shown\n"
    return notebook


def put(files: Mapping[str, str], target: Path) -> None:
    """Write files beside the target, bring them to the disk, swap them in, and move `latest`.

    Raises
    ------
    OSError
        If there is no room, or no right to write; the folder that was there is then still there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
    staged.mkdir()
    try:
        for name, text in files.items():
            (staged / name).write_text(text, encoding="utf-8", newline="\n")
        swap.sync(staged)
        with limits.uninterrupted():
            swap.swap_in(staged, target)
            place.move_latest(target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _texts(
    study: "Study | Experiment", nodes: Mapping[str, "NotebookNode"], pages: Sequence["Page"], heading: "Heading"
) -> tuple[dict[str, str], "list[Measure]", "Past"]:
    """Return the pages of the report by file name, the measures that its first page shows, and their past."""
    from ..experiments import Experiment
    from . import card, experiment_summary, summary
    from .render import render, render_index

    texts = {f"{name}.html": render(node, pages=pages, current=name, heading=heading) for name, node in nodes.items()}
    overview: ModuleType = summary
    if isinstance(study, Experiment):
        overview = experiment_summary
    else:
        texts |= card.files(card.describe(study), pages=pages, heading=heading)
    measures, past = overview.measures(study), overview.past(study)
    index = render_index(
        measures=measures,
        findings=overview.findings(study),
        pages=pages,
        heading=heading,
        question=overview.QUESTION,
        answer=overview.answer(study),
        certainty=overview.certainty(study),
        picture=overview.picture(study),
        picture_question=overview.PICTURE_QUESTION,
        changed=past.changed,
        actions=overview.actions(study, list(nodes)),
    )
    return {"index.html": index} | texts, measures, past


def _require_unicode(files: Mapping[str, str]) -> None:
    for name, text in files.items():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise NotebookError(
                f"{name} holds {error.object[error.start : error.end]!r}, which is no Unicode and cannot be written"
            ) from None
