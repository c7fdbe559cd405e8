"""From a study to a report that is there whole: run the notebooks, render them, and swap the folder in.

What was run is kept in `data/interim/` under a key of all that it depends on, so that a changed notebook
costs one notebook, and a run that broke off goes on where it stopped.
"""

import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from ..errors import SettingsError
from . import manifest, swap

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from ..experiments import Experiment
    from ..study import Study
    from .render import Heading, Page
    from .summary_types import Measure

WITHOUT_LOG = ("05_campaigns",)
"""Notebooks that can also be made of an experiment, without a purchase log."""

AT_ONCE = 2
"""Notebooks that run side by side. Each is light: what it shows was computed before it starts."""

KEPT_SECONDS = 24 * 3600
"""How long an executed notebook that is not of the last report is kept."""


class Progress(Protocol):
    """What is told how far the work is; `progress.Reporter` on a command line."""

    def __call__(self, message: str) -> None:
        """Tell one step."""

    def notebook(self, name: str) -> Callable[[int, int], None]:
        """Tell that a notebook starts; the result is called with each cell's number and their count."""

    def done(self, name: str, seconds: float) -> None:
        """Tell that a notebook is finished."""


class Silent:
    """Progress that tells nobody."""

    def __call__(self, message: str) -> None:
        """Tell nobody."""

    def notebook(self, name: str) -> Callable[[int, int], None]:
        """Tell nobody."""
        return lambda number, total: None

    def done(self, name: str, seconds: float) -> None:
        """Tell nobody."""


def publish(
    study: "Study | Experiment",
    *,
    notebooks: Sequence[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Make the report of a study, unless it is there already.

    Parameters
    ----------
    study : what is reported; of an experiment alone, the notebooks that need no purchase log.
    notebooks : names of the notebooks to run, such as `04_churn`; all if not given. Pages of the report that
        was there are kept if they are still true.
    force : run them even if nothing changed since they were run last.
    progress : told how far the work is.

    Returns
    -------
    Path
        The report's `index.html`.

    Raises
    ------
    SettingsError
        If a notebook is not known, or needs a purchase log that is not there.
    NotebookError
        If a notebook did not run to its end. Nothing is published then, and the report that was there stays.
    """
    tell = progress or Silent()
    everything = notebook_paths(study.root)
    paths = _possible(study, everything)
    wanted = _of_these(select(notebooks, everything) if notebooks else list(paths), paths, study.name)
    trial = _experiment_in(study)
    target = study.root / "reports" / study.name / study.as_of.isoformat()
    keys = manifest.keys(study.key if trial is None else f"{study.key}\n{trial.key}", paths)
    before = manifest.read(target)
    listed: list[str] = list(before["notebooks"]) if before else []
    current = before is not None and before["key"] == keys[""] and manifest.intact(target, before)
    if current and not force and set(wanted) <= set(listed):
        tell("nothing changed: the report is as it was")
        _move_latest(target)
        return target / "index.html"
    study.prepare(tell)
    if trial is not None:
        trial.prepare(tell)
    os.environ["LOYALTY_ROOT"] = str(study.root)  # the notebooks read what this study reads, wherever they run
    runs = study.root / "data" / "interim" / study.name / "notebooks"
    runs.mkdir(parents=True, exist_ok=True)
    executed = {name: runs / f"{name}-{keys[name]}.ipynb" for name in paths}
    _run(study, {name: paths[name] for name in wanted if force or not executed[name].exists()}, executed, tell)
    kept = [name for name in listed if name in paths and executed[name].exists()]
    tell("rendering")
    _build(study, target, {name: executed[name] for name in sorted({*wanted, *kept})}, keys[""])
    _move_latest(target)
    _forget(runs, target.parent, keep=set(executed.values()))
    return target / "index.html"


def notebook_paths(root: Path) -> dict[str, Path]:
    """Return the notebooks of a project, by name, in order.

    Raises
    ------
    SettingsError
        If there is none.
    """
    paths = {path.stem: path for path in sorted((root / "notebooks").glob("*.ipynb"))}
    if not paths:
        raise SettingsError(f"no notebook in {root / 'notebooks'}")
    return paths


def select(asked: Sequence[str] | None, paths: Mapping[str, Path]) -> list[str]:
    """Return the notebooks asked for, in order; all if none is named.

    Raises
    ------
    SettingsError
        If one is not among them.
    """
    names = sorted({name.strip().removesuffix(".ipynb") for name in asked or ()} - {""})
    unknown = [name for name in names if name not in paths]
    if unknown:
        raise SettingsError(f"unknown notebook {', '.join(unknown)}: there are {', '.join(paths)}")
    return names or list(paths)


def _possible(study: "Study | Experiment", paths: Mapping[str, Path]) -> dict[str, Path]:
    """Return the notebooks that can be made of what the dataset has."""
    from ..experiments import Experiment

    alone = isinstance(study, Experiment)
    return {name: path for name, path in paths.items() if not alone or name in WITHOUT_LOG}


def _of_these(wanted: list[str], paths: Mapping[str, Path], dataset: str) -> list[str]:
    """Return the notebooks asked for, if all of them can be made."""
    if lacking := [name for name in wanted if name not in paths]:
        raise SettingsError(f"{lacking[0]} needs a purchase log: {dataset} has no [transactions] in its dataset file")
    if not wanted:
        raise SettingsError(f"{dataset} has no [transactions], and no notebook is {' or '.join(WITHOUT_LOG)}")
    return wanted


def _experiment_in(study: "Study | Experiment") -> "Experiment | None":
    """Return the experiment beside a purchase log, if there is one."""
    from ..experiments import Experiment

    if isinstance(study, Experiment) or study.dataset.experiment is None:
        return None
    return Experiment.find(study.name, as_of=study.as_of, root=study.root)


def _run(study: "Study | Experiment", paths: Mapping[str, Path], executed: Mapping[str, Path], tell: Progress) -> None:
    """Run notebooks, some at once. The first one to fail stops the others."""
    if not paths:
        return
    from .run import stop_all

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        pending = {pool.submit(_run_one, study, path, executed[name], tell) for name, path in paths.items()}
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in pending):  # again and again: a kernel may be just starting
                stop_all()
                time.sleep(0.1)
            raise


def _run_one(study: "Study | Experiment", path: Path, executed: Path, tell: Progress) -> None:
    """Run one notebook; it gets its place only when it is known to be complete."""
    from .run import run_notebook

    started = time.monotonic()
    parameters = {
        "dataset": study.name,
        "as_of": study.as_of.isoformat(),
        "horizon_days": study.horizon_days,
        "active_within_days": study.active_within_days,
    }
    with tempfile.TemporaryDirectory(dir=executed.parent, prefix=".run-") as scratch:
        output = Path(scratch) / path.name
        run_notebook(path, parameters, output, on_cell=tell.notebook(path.stem), cwd=study.root)
        output.replace(executed)
    tell.done(path.stem, time.monotonic() - started)


def _build(study: "Study | Experiment", target: Path, executed: Mapping[str, Path], key: str) -> None:
    """Render everything into a folder beside the target, and put it in the target's place."""
    from .render import Heading, page_of
    from .run import read_notebook

    created = datetime.now(UTC).replace(microsecond=0)
    nodes = {name: read_notebook(path) for name, path in executed.items()}
    pages = [page_of(name, node) for name, node in nodes.items()]
    heading = Heading(
        dataset=study.dataset.title,
        as_of=study.as_of,
        horizon_days=study.horizon_days,
        notice=study.dataset.notice,
        created=created,
        minimum_cell=study.dataset.privacy.minimum_cell,
    )
    files, measures = _texts(study, nodes, pages, heading)
    about = {
        page.name: {"title": page.title, "seconds": round(nodes[page.name].metadata.papermill.duration, 2)}
        for page in pages
    }
    said = manifest.describe(study, key=key, created=created, notebooks=about, measures=measures, files=files)
    files["manifest.json"] = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    _write(files, target)


def _texts(
    study: "Study | Experiment", nodes: Mapping[str, "NotebookNode"], pages: Sequence["Page"], heading: "Heading"
) -> tuple[dict[str, str], "list[Measure]"]:
    """Return the files of the report by name, and the measures that its first page shows."""
    from ..experiments import Experiment
    from . import card, experiment_summary, summary
    from .render import render, render_index

    texts = {f"{name}.html": render(node, pages=pages, current=name, heading=heading) for name, node in nodes.items()}
    overview: ModuleType = summary
    if isinstance(study, Experiment):
        overview = experiment_summary
    else:
        texts |= card.files(card.describe(study), pages=pages, heading=heading)
    measures = overview.measures(study)
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
    )
    return {"index.html": index} | texts, measures


def _write(texts: Mapping[str, str], target: Path) -> None:
    """Write the files beside the target, bring them to the disk, and swap them in."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
    staged.mkdir()
    try:
        for name, text in texts.items():
            (staged / name).write_text(text, encoding="utf-8", newline="\n")
        swap.sync(staged)
        swap.swap_in(staged, target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _move_latest(target: Path) -> None:
    """Let `latest` point to `target`, unless it points to a report of a later date."""
    link = target.parent / "latest"
    now = link.readlink().name if link.is_symlink() else ""
    if now == target.name or (now > target.name and (link / "manifest.json").exists()):
        return
    swap.point(link, target.name)


def _forget(runs: Path, reports: Path, keep: set[Path]) -> None:
    """Delete executed notebooks that have not been used for long, and what killed runs left behind."""
    oldest = time.time() - KEPT_SECONDS
    for path in [*runs.iterdir(), *reports.glob(".*")]:
        try:
            if path in keep or path.lstat().st_mtime > oldest:
                continue
        except FileNotFoundError:  # a run beside this one has moved it
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
