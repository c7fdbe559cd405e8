"""Run one notebook, and believe that it ran only on our own evidence.

Papermill's metadata is no evidence: after a kernel was killed, or a cell called `sys.exit(0)`, it can say
that all is well. A notebook ran if every code cell was executed, none made an error, and the last one said
so.
"""

import ast
import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakSet

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from ..errors import NotebookError, SettingsError
from .page import END

CELL_SECONDS = 600
"""Longest that one cell may take."""

INJECTED = "injected-parameters"
ERROR_MARKER = "papermill-error-cell-tag"

logging.getLogger("papermill").addHandler(logging.NullHandler())  # what it would say, our errors say

OnCell = Callable[[int, int], None]
"""Called as each code cell starts, with its number and the number of code cells."""


class _Kernels(AsyncKernelManager):
    """Starts kernels of this very interpreter, whatever a kernel specification called python3 says."""

    running: ClassVar["WeakSet[_Kernels]"] = WeakSet()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.running.add(self)

    @property
    def kernel_spec(self) -> KernelSpec:
        """How to start the kernel."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=50"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def stop_all() -> None:
    """Kill every kernel that was started here and still runs; their notebooks then fail."""
    for manager in list(_Kernels.running):
        process = getattr(manager.provisioner, "process", None)
        if process is not None and process.poll() is None:
            process.kill()


def run_notebook(
    path: Path,
    parameters: Mapping[str, Any],
    output_path: Path,
    *,
    on_cell: OnCell | None = None,
    cell_seconds: int = CELL_SECONDS,
    cwd: Path | None = None,
) -> NotebookNode:
    """Run a notebook from its first cell to its last.

    Parameters
    ----------
    path : the notebook; it is not changed.
    parameters : values for names that its cell tagged `parameters` assigns.
    output_path : where the executed notebook is written, also as far as it came if it fails.
    on_cell : told how far it is.
    cell_seconds : longest that one cell may take.
    cwd : working directory of the kernel; the notebook's project, two levels up from it, if not given.

    Returns
    -------
    NotebookNode
        The executed notebook.

    Raises
    ------
    SettingsError
        If a parameter is not one of the notebook's; no kernel is started.
    NotebookError
        If the notebook cannot be read, or did not run to its end.
    """
    source = read_notebook(path)
    _refuse_unknown(source, parameters, path.stem)
    options = {
        "kernel_name": "python3",
        "language": "python",
        "progress_bar": False,
        "log_output": False,
        "execution_timeout": cell_seconds,
        "kernel_manager_class": _Kernels,
        # not papermill's cwd, which moves the whole process
        "resources": {"metadata": {"path": str(cwd or path.resolve().parents[1])}},
        "on_cell_start": _counting(source, on_cell),
    }
    try:
        papermill.execute_notebook(str(path), str(output_path), dict(parameters), **options)
    except PapermillExecutionError as error:
        raise _failed(source, path.stem, output_path, f"{error.ename}: {error.evalue}") from None
    except CellTimeoutError:
        raise _failed(source, path.stem, output_path, f"took longer than {cell_seconds} s") from None
    except DeadKernelError:
        raise _failed(source, path.stem, output_path, "its kernel died (killed, or out of memory)") from None
    except (RuntimeError, OSError, ValueError) as error:
        raise NotebookError(f"{path.stem} could not be run: {_one_line(str(error))}") from error
    finally:
        _close_loop()
    executed = read_notebook(output_path)
    verify(executed, path.stem)
    return executed


def _counting(source: NotebookNode, on_cell: OnCell | None) -> Callable[..., None]:
    """Return what nbclient calls as a cell starts: it tells `on_cell` which of the author's code cells it is."""
    position = {cell.get("id"): number for number, cell in enumerate(_code_cells(source), start=1)}

    def started(*, cell: NotebookNode, cell_index: int) -> None:
        if on_cell is not None and cell.get("id") in position:
            on_cell(position[cell.get("id")], len(position))

    return started


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook.

    Raises
    ------
    NotebookError
        If the file is not one.
    """
    try:
        return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call,no-any-return]
    except (OSError, ValueError, AttributeError, TypeError, nbformat.ValidationError) as error:
        # nbformat trips over JSON of another shape before it validates it
        raise NotebookError(f"{path.name} is not a notebook: {_one_line(str(error))}") from None


def verify(notebook: NotebookNode, name: str) -> None:
    """Check the evidence that a notebook ran to its end.

    Raises
    ------
    NotebookError
        Naming the first cell that failed or was never run, or the missing sentinel.
    """
    cells = _code_cells(notebook)
    for cell in cells:
        for output in cell.outputs:
            if output.output_type == "error":
                stopped = output.ename == "SystemExit"
                reason = f"{output.ename}: {output.evalue}" if not stopped else "it ended the notebook (SystemExit)"
                raise _error(notebook, cell, name, reason)
    for cell in cells:
        if cell.execution_count is None and cell.source.strip():
            raise _error(notebook, cell, name, "it was never run, the kernel had ended before it")
    if not cells or not any(END in output.get("data", {}) for output in cells[-1].outputs):
        raise NotebookError(f"{name} did not reach its end: its last cell has to call page.end()")


def parameter_names(notebook: NotebookNode) -> set[str]:
    """Return the names that the cell tagged `parameters` assigns."""
    names: set[str] = set()
    for cell in _code_cells(notebook):
        if "parameters" not in cell.metadata.get("tags", []):
            continue
        for statement in ast.parse(cell.source).body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


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


def _refuse_unknown(notebook: NotebookNode, parameters: Mapping[str, Any], name: str) -> None:
    try:
        known = parameter_names(notebook)
    except SyntaxError as error:
        raise NotebookError(f"{name}: the cell tagged 'parameters' is not Python: {error.msg}") from None
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise SettingsError(
            f"{name} has no parameter {', '.join(unknown)}: "
            f"its cell tagged 'parameters' assigns {', '.join(sorted(known)) or 'none'}"
        )


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Code cells as the author wrote them, without those that papermill put in."""
    return [cell for cell in _own_cells(notebook) if cell.cell_type == "code"]


def _own_cells(notebook: NotebookNode) -> list[NotebookNode]:
    added = {INJECTED, ERROR_MARKER}
    return [cell for cell in notebook.cells if not added & set(cell.metadata.get("tags", []))]


def _failed(source: NotebookNode, name: str, output_path: Path, reason: str) -> NotebookError:
    """Say in which cell the notebook stopped: the one with an error, else the last that was started."""
    try:
        ran = read_notebook(output_path)
    except NotebookError:
        ran = source
    stopped: NotebookNode | None = None
    for cell in _code_cells(ran):
        times = cell.metadata.get("papermill", {})
        if any(output.output_type == "error" for output in cell.outputs):
            return _error(ran, cell, name, reason)
        if times.get("start_time"):
            stopped = cell
    if stopped is None:
        return NotebookError(f"{name} failed before its first cell: {_one_line(reason)}")
    return _error(ran, stopped, name, reason)


def _error(notebook: NotebookNode, cell: NotebookNode, name: str, reason: str) -> NotebookError:
    """Say which cell it was in a way that a reader of the notebook can find."""
    heading = ""
    for number, candidate in enumerate(_own_cells(notebook), start=1):
        if candidate.cell_type == "markdown":
            lines = [line.lstrip("# ").strip() for line in candidate.source.splitlines() if line.startswith("#")]
            heading = lines[-1] if lines else heading
        if candidate is cell:
            where = f"cell {number}" + (f" (under {heading!r})" if heading else "")
            return NotebookError(f"{name}, {where}: {_one_line(reason)}")
    return NotebookError(f"{name}: {_one_line(reason)}")


def _one_line(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
