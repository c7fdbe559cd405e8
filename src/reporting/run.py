"""Run one notebook, and believe that it ran only on our own evidence.

Papermill's metadata is no evidence: after a kernel was killed, or a cell called `sys.exit(0)`, it can say
that all is well. A notebook ran if every code cell was executed, none made an error, and the last one said
so.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import papermill
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from ..errors import NotebookError
from . import kernels, parameters
from .evidence import code_cells, failed, one_line, read_notebook, verify

__all__ = ["CELL_SECONDS", "OnCell", "read_notebook", "run_notebook", "verify"]

CELL_SECONDS = 600
"""Longest that one cell may take."""

START_SECONDS = 180
"""Longest that a kernel may take to start, on a machine that has much to do."""

OUTPUT_SECONDS = 120
"""Longest to wait for what a finished cell printed; nbclient's own 4 s are too few for a flood on a busy machine."""

logging.getLogger("papermill").addHandler(logging.NullHandler())  # what it would say, our errors say

OnCell = Callable[[int, int], None]
"""Called as each code cell starts, with its number and the number of code cells."""


def run_notebook(
    path: Path,
    given: Mapping[str, Any],
    output_path: Path,
    *,
    on_cell: OnCell | None = None,
    cell_seconds: float | None = CELL_SECONDS,
    notebook_seconds: float | None = None,
    cwd: Path | None = None,
) -> NotebookNode:
    """Run a notebook from its first cell to its last.

    Parameters
    ----------
    path : the notebook; it is not changed.
    given : values for names that its cell tagged `parameters` assigns, see `parameters.checked`.
    output_path : where the executed notebook is written, also as far as it came if it fails.
    on_cell : told how far it is.
    cell_seconds : longest that one cell may take; as long as it needs, if None.
    notebook_seconds : longest that all of them may take; as long as they need, if not given.
    cwd : working directory of the kernel; the notebook's project, two levels up from it, if not given.

    Returns
    -------
    NotebookNode
        The executed notebook.

    Raises
    ------
    SettingsError
        If a parameter is not one of the notebook's, or not what it may be; no kernel is started.
    NotebookError
        If the notebook cannot be read, or did not run to its end.
    """
    source = read_notebook(path)
    values = parameters.checked(source, path.stem, given)
    kernels.require()
    clock = _Clock(cell_seconds, notebook_seconds)
    options = {
        "kernel_name": "python3",
        "language": "python",
        "progress_bar": False,
        "log_output": False,
        "start_timeout": START_SECONDS,
        "iopub_timeout": OUTPUT_SECONDS,
        "timeout_func": clock.left,
        "kernel_manager_class": kernels.Kernels,
        # not papermill's cwd, which moves the whole process
        "resources": {"metadata": {"path": str(cwd or path.resolve().parents[1])}},
        "on_cell_start": _counting(source, on_cell),
    }
    try:
        papermill.execute_notebook(str(path), str(output_path), values, **options)
    except PapermillExecutionError as error:
        raise failed(source, path.stem, output_path, f"{error.ename}: {error.evalue}") from None
    except CellTimeoutError as error:
        late = f"what it printed did not arrive within {OUTPUT_SECONDS} s"
        said = late if "IOPub" in str(error) else clock.said()
        raise failed(source, path.stem, output_path, said) from None
    except DeadKernelError:
        raise failed(source, path.stem, output_path, "its kernel died (killed, or out of memory)") from None
    except (RuntimeError, OSError, ValueError) as error:
        raise NotebookError(f"{path.stem} could not be run: {one_line(str(error))}") from error
    finally:
        kernels.sweep()
        _close_loop()
    executed = read_notebook(output_path)
    verify(executed, path.stem)
    return executed


class _Clock:
    """Says how long the next cell may take."""

    def __init__(self, cell: float | None, notebook: float | None) -> None:
        self.cell, self.notebook = cell, notebook
        self.until = None if notebook is None else time.monotonic() + notebook

    def left(self, _: NotebookNode) -> float:
        """Seconds for the cell that starts now; below zero where there is no limit."""
        limits = [] if self.cell is None else [self.cell]
        limits += [] if self.until is None else [max(0.1, self.until - time.monotonic())]
        return min(limits, default=-1.0)

    def said(self) -> str:
        """What was too long."""
        over = self.until is not None and time.monotonic() >= self.until
        if self.cell is None or over:
            return f"the notebook took longer than the {self.notebook:g} s that it was given"
        return f"took longer than {self.cell:g} s"


def _counting(source: NotebookNode, on_cell: OnCell | None) -> Callable[..., None]:
    """Return what nbclient calls as a cell starts: it tells `on_cell` which of the author's code cells it is."""
    position = {cell.get("id"): number for number, cell in enumerate(code_cells(source), start=1)}

    def started(*, cell: NotebookNode, cell_index: int) -> None:
        if on_cell is not None and cell.get("id") in position:
            on_cell(position[cell.get("id")], len(position))

    return started


def _close_loop() -> None:
    """Close the event loop that this thread's kernel was talked to in; nobody else does."""
    loop = ensure_event_loop()
    if loop.is_running():  # we were called inside one, and it is not ours
        return
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    asyncio.set_event_loop(None)
