"""Running a notebook: believed only on evidence, and every failure names the cell and the error."""

import ast
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from loyalty.errors import NotebookError, SettingsError
from loyalty.reporting import page
from loyalty.reporting.parameters import declared
from loyalty.reporting.run import read_notebook, run_notebook, verify

FAILURES = {
    "error": r"^error, cell 5 \(under 'The hard part'\): ValueError: no such segment$",
    "exits": r"^exits, cell 3 \(under 'Who leaves, and when'\): it ended the notebook \(SystemExit\)$",
    "quits": r"^quits, cell \d .*SystemExit: quit\(\) was called",
    "killed": r"^killed, cell 3 .*: its kernel died",
    "endless": r"^endless, cell 3 .*: took longer than 2 s$",
    "unfinished": r"^unfinished did not reach its end: its last cell has to call page.end\(\)$",
}


@pytest.fixture(scope="module")
def failures(make_project: Callable[..., Path]) -> dict[str, NotebookError]:
    """Return what each broken notebook raised; they run side by side."""
    root = make_project(*FAILURES)

    def run(name: str) -> NotebookError:
        seconds = 2 if name == "endless" else 60
        try:
            run_notebook(root / "notebooks" / f"{name}.ipynb", {}, root / f"{name}.out.ipynb", cell_seconds=seconds)
        except NotebookError as error:
            return error
        raise AssertionError(f"{name} was believed")

    with ThreadPoolExecutor(max_workers=len(FAILURES)) as pool:
        return dict(zip(FAILURES, pool.map(run, FAILURES), strict=True))


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_names_notebook_cell_and_error(name: str, failures: dict[str, NotebookError]) -> None:
    with pytest.raises(NotebookError, match=FAILURES[name]) as caught:
        raise failures[name]
    assert caught.value.exit_code == 1


def test_a_good_notebook_is_believed(executed: nbformat.NotebookNode) -> None:
    verify(executed, "good")
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert page.END in outputs[-1].data


def test_the_kernel_is_this_interpreter_in_the_project(
    make_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project("where")
    foreign = root / "kernels" / "python3"
    foreign.mkdir(parents=True)
    (foreign / "kernel.json").write_text('{"argv": ["/bin/false"], "display_name": "x", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(root))
    told: list[tuple[int, int]] = []
    here = Path.cwd()
    executed = run_notebook(
        root / "notebooks" / "where.ipynb",
        {"dataset": "007", "horizon_days": 60},
        root / "out.ipynb",
        on_cell=lambda number, total: told.append((number, total)),
    )
    shown = executed.cells[-2].outputs[0].data["text/plain"]
    assert ast.literal_eval(shown) == (sys.executable, str(root), "007", 60)
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert Path.cwd() == here


def test_old_outputs_are_no_evidence(executed: nbformat.NotebookNode) -> None:
    stale = nbformat.from_dict(executed)
    stale.cells[-1].execution_count = None
    with pytest.raises(NotebookError, match=r"^good, cell \d+ .*: it was never run"):
        verify(stale, "good")
    executed_again = nbformat.from_dict(executed)
    executed_again.cells[-1].outputs = []
    with pytest.raises(NotebookError, match="did not reach its end"):
        verify(executed_again, "good")


def test_an_unknown_parameter_is_refused_before_a_kernel_starts(
    make_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("papermill.execute_notebook", lambda *a, **k: pytest.fail("a kernel was started"))
    root = make_project("good")
    expected = (
        "good has no parameter horizon_day: its cell tagged 'parameters' assigns "
        "active_within_days, as_of, dataset, horizon_days"
    )
    with pytest.raises(SettingsError, match=expected) as caught:
        run_notebook(root / "notebooks" / "good.ipynb", {"horizon_day": 3}, root / "out.ipynb")
    assert caught.value.exit_code == 2


def test_parameters_are_the_names_that_the_tagged_cell_assigns(executed: nbformat.NotebookNode) -> None:
    assert set(declared(executed, "good")) == {"dataset", "as_of", "horizon_days", "active_within_days"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3, "nbformat": 4}'])
def test_what_is_no_notebook_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(NotebookError, match=r"^broken.ipynb is not a notebook: \S"):
        read_notebook(path)


def test_parameters_that_are_no_python_are_named(make_project: Callable[..., Path]) -> None:
    root = make_project("good")
    path = root / "notebooks" / "good.ipynb"
    source = read_notebook(path)
    source.cells[1].source = "dataset ="
    nbformat.write(source, path)
    with pytest.raises(NotebookError, match="good: the cell tagged 'parameters' is not Python: invalid syntax"):
        run_notebook(path, {"dataset": "x"}, root / "out.ipynb")
