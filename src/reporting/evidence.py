"""What tells that a notebook ran: our own evidence, and in which cell it did not."""

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ..errors import NotebookError

INJECTED = "injected-parameters"
ERROR_MARKER = "papermill-error-cell-tag"
THREAD_FAILED = re.compile(r"^(?:Exception in thread |Unhandled exception in thread started by )", re.MULTILINE)


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
        raise NotebookError(f"{path.name} is not a notebook: {one_line(str(error))}") from None


def verify(notebook: NotebookNode, name: str) -> None:
    """Check the evidence that a notebook ran to its end.

    Raises
    ------
    NotebookError
        Naming the first cell that failed, in itself or in a thread, or was never run, or the missing sentinel.
    """
    from .page import END

    cells = code_cells(notebook)
    for cell in cells:
        for output in cell.outputs:
            if reason := _failure(output):
                raise in_cell(notebook, cell, name, reason)
    for cell in cells:
        if cell.execution_count is None and cell.source.strip():
            raise in_cell(notebook, cell, name, "it was never run, the kernel had ended before it")
    if not cells or not any(END in output.get("data", {}) for output in cells[-1].outputs):
        raise NotebookError(f"{name} did not reach its end: its last cell has to call page.end()")


def is_whole(path: Path) -> bool:
    """Whether a notebook that was run earlier is there, and can still be believed."""
    try:
        verify(read_notebook(path), path.stem)
    except NotebookError:
        return False
    return True


def failed(source: NotebookNode, name: str, output_path: Path, reason: str) -> NotebookError:
    """Say in which cell a notebook stopped: the one with an error, else the last that was started.

    Parameters
    ----------
    source : the notebook.
    name : its name.
    output_path : where it was written to as far as it came.
    reason : why it stopped.
    """
    try:
        ran = read_notebook(output_path)
    except NotebookError:
        ran = source
    stopped: NotebookNode | None = None
    for cell in code_cells(ran):
        times = cell.metadata.get("papermill", {})
        if any(output.output_type == "error" for output in cell.outputs):
            return in_cell(ran, cell, name, reason)
        if times.get("start_time"):
            stopped = cell
    if stopped is None:
        return NotebookError(f"{name} failed before its first cell: {one_line(reason)}")
    return in_cell(ran, stopped, name, reason)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Code cells as the author wrote them, without those that papermill put in."""
    return [cell for cell in _own_cells(notebook) if cell.cell_type == "code"]


def in_cell(notebook: NotebookNode, cell: NotebookNode, name: str, reason: str) -> NotebookError:
    """Say which cell it was in a way that a reader of the notebook can find."""
    heading = ""
    for number, candidate in enumerate(_own_cells(notebook), start=1):
        if candidate.cell_type == "markdown":
            lines = [line.lstrip("# ").strip() for line in candidate.source.splitlines() if line.startswith("#")]
            heading = lines[-1] if lines else heading
        if candidate is cell:
            where = f"cell {number}" + (f" (under {heading!r})" if heading else "")
            return NotebookError(f"{name}, {where}: {one_line(reason)}")
    return NotebookError(f"{name}: {one_line(reason)}")


def one_line(text: str, limit: int = 300) -> str:
    """The text on one line, and no longer than can be read."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _own_cells(notebook: NotebookNode) -> list[NotebookNode]:
    added = {INJECTED, ERROR_MARKER}
    return [cell for cell in notebook.cells if not added & set(cell.metadata.get("tags", []))]


def _failure(output: NotebookNode) -> str:
    """What an output says that went wrong; empty if nothing did."""
    if output.output_type == "error":
        stopped = output.ename == "SystemExit"
        return "it ended the notebook (SystemExit)" if stopped else f"{output.ename}: {output.evalue}"
    if output.output_type == "stream" and output.name == "stderr" and THREAD_FAILED.search(output.text):
        return f"a thread of it failed: {output.text.strip().splitlines()[-1]}"
    return ""
