"""Notebooks run side by side, each believed or the whole run given up."""

import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

AT_ONCE = 2
"""Notebooks that run side by side. Each is light: what it shows was computed before it starts."""

NOTEBOOK_SECONDS = 1800.0
"""Longest that a notebook may take."""


class Progress(Protocol):
    """What is told how far the work is; `progress.Reporter` on a command line."""

    def __call__(self, message: str) -> None:
        """Tell one step."""

    def expect(self, seconds: Mapping[str, float]) -> None:
        """Tell how long notebooks took when they were run last, by name."""

    def notebook(self, name: str) -> Callable[[int, int], None]:
        """Tell that a notebook starts; the result is called with each cell's number and their count."""

    def done(self, name: str, seconds: float) -> None:
        """Tell that a notebook is finished."""


class Silent:
    """Progress that tells nobody."""

    def __call__(self, message: str) -> None:
        """Tell nobody."""

    def expect(self, seconds: Mapping[str, float]) -> None:
        """Tell nobody."""

    def notebook(self, name: str) -> Callable[[int, int], None]:
        """Tell nobody."""
        return lambda number, total: None

    def done(self, name: str, seconds: float) -> None:
        """Tell nobody."""


@dataclass(frozen=True)
class Job:
    """A notebook to run.

    Attributes
    ----------
    path : the notebook.
    parameters : its values, by name.
    executed : where it is put when it is known to be complete.
    """

    path: Path
    parameters: Mapping[str, Any]
    executed: Path


def run_all(
    jobs: list[Job], root: Path, tell: Progress, *, at_once: int = AT_ONCE, seconds: float | None = NOTEBOOK_SECONDS
) -> None:
    """Run notebooks. The first one to fail, or a signal, stops the others.

    Parameters
    ----------
    jobs : the notebooks.
    root : the project's folder, in which they run.
    tell : told how far they are.
    at_once : how many run side by side.
    seconds : longest that one may take; as long as it needs, if None.

    Raises
    ------
    NotebookError
        If one did not run to its end.
    """
    if not jobs:
        return
    from .kernels import stop_all

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        pending = {pool.submit(_run_one, job, root, tell, seconds) for job in jobs}
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


def _run_one(job: Job, root: Path, tell: Progress, seconds: float | None) -> None:
    """Run one notebook; it gets its place only when it is known to be complete."""
    from .run import run_notebook

    started, name = time.monotonic(), job.path.stem
    with tempfile.TemporaryDirectory(dir=job.executed.parent, prefix=".run-") as scratch:
        output = Path(scratch) / job.path.name
        run_notebook(
            job.path,
            job.parameters,
            output,
            on_cell=tell.notebook(name),
            cell_seconds=None,
            notebook_seconds=seconds,
            cwd=root,
        )
        output.replace(job.executed)
    tell.done(name, time.monotonic() - started)
