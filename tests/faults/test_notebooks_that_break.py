"""Notebooks that fail in every way that was thought of: none is believed, whatever papermill says of it."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest
from faulty import END, is_new, is_old, notebook, project, with_fixed_words
from loyalty.errors import NotebookError, SettingsError
from loyalty.reporting.kernels import stop_all
from loyalty.reporting.publish import publish
from nbformat.v4 import new_code_cell
from tiny_study import TinyStudy

NEVER_ENDS = """\
import time
while True:
    try:
        time.sleep(1)
    except BaseException:
        pass"""
IN_A_THREAD = """\
import threading
thread = threading.Thread(target=lambda: 1 / 0, name="sums")
thread.start()
thread.join()"""
CHILD = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', 'orphan'])"

DIED = r"its kernel died"
BREAKS: dict[str, tuple[nbformat.NotebookNode, str]] = {
    "killed": (notebook(f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})", "1"), DIED),
    "killed_in_last_cell": (notebook(f"{END}\nimport os; os.kill(os.getpid(), 9)", end=False), DIED),
    "segfault": (notebook("import ctypes; ctypes.string_at(0)", "1"), DIED),
    "aborted": (notebook("import os; os.abort()", "1"), DIED),
    "left": (notebook("import os; os._exit(0)", "1"), DIED),
    "no_memory": (notebook("x = bytearray(1 << 60)", "1"), "MemoryError"),
    "says_no_memory": (notebook("raise MemoryError", "1"), "MemoryError"),
    "exit_0": (notebook("import sys; sys.exit(0)", "1"), "it ended the notebook"),
    "exit_0_at_end": (notebook(f"{END}\nraise SystemExit(0)", end=False), "it ended the notebook"),
    "quit": (notebook("quit()", "1"), r"SystemExit: quit\(\) was called"),
    "exit_1": (notebook("raise SystemExit(1)", "1"), "SystemExit: 1"),
    "interrupt": (notebook("raise KeyboardInterrupt", "1"), "KeyboardInterrupt"),
    "thread": (notebook(IN_A_THREAD, "1"), "a thread of it failed: ZeroDivisionError"),
    "too_long": (notebook("import time; time.sleep(600)", "1"), r"took longer than the 3 s that it was given"),
    "swallows_interrupts": (notebook(NEVER_ENDS, "1"), r"took longer than the 3 s that it was given"),
    "slow_in_sum": (notebook(*["import time; time.sleep(2)"] * 4), r"took longer than the 3 s that it was given"),
    "not_python": (notebook("for x in", "1"), "SyntaxError"),
    "endless_recursion": (notebook("def f(): return f()\nf()", "1"), "RecursionError"),
    "asks": (notebook("input('name?')", "1"), "StdinNotImplementedError"),
    "end_too_early": (notebook(END, "1", end=False), "did not reach its end"),
    "end_and_error": (notebook(f"{END}\n1 / 0", end=False), "ZeroDivisionError"),
    "no_end": (notebook("1", end=False), "did not reach its end"),
    "error_allowed": (
        notebook(new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}), "1"), "ZeroDivisionError",
    ),
    "skipped": (notebook(new_code_cell("1", metadata={"tags": ["skip-execution"]})), "was never run"),
    "no_unicode": (notebook("say('\\ud800')"), "UnicodeEncodeError"),
}  # fmt: skip


def study_of(root: Path, name: str, content: nbformat.NotebookNode | str) -> TinyStudy:
    return TinyStudy(project(root / name, {"01_one": content}))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, BaseException | None]]]:
    """Publish a report of each; return where, and what was raised. They run side by side."""
    root = tmp_path_factory.mktemp("broken")

    def attempt(name: str) -> BaseException | None:
        try:
            limit = 3.0 if "given" in BREAKS[name][1] else 300.0
            publish(study_of(root, name, BREAKS[name][0]), notebook_seconds=limit)
        except Exception as error:
            return error
        return None

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(max_workers=6) as pool:
        with_fixed_words(partial(patch.setattr, raising=False))
        yield root, dict(zip(BREAKS, pool.map(attempt, BREAKS), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", BREAKS)
def test_it_is_not_believed(name: str, broken: tuple[Path, dict[str, BaseException | None]]) -> None:
    root, errors = broken
    assert is_old(root / name)
    with pytest.raises(NotebookError, match=f"^01_one.*({BREAKS[name][1]})") as raised:
        raise errors[name] or AssertionError(f"{name} was believed")
    assert "\n" not in str(raised.value)
    assert list((root / name / "data/interim/tiny/notebooks").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "01_one.ipynb is not a notebook"),
        (str(notebook("1"))[:300], "01_one.ipynb is not a notebook"),
        ('{"cells": 3, "nbformat": 4, "nbformat_minor": 5}', "01_one.ipynb is not a notebook"),
        ("[]", "01_one.ipynb is not a notebook"),
    ],
    ids=["empty", "cut off", "no cells", "no notebook"],
)
def test_what_is_no_notebook_is_not_begun(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(NotebookError, match=said):
        publish(study_of(tmp_path, "x", content))
    assert is_old(tmp_path / "x")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("tpo=3", r"--param tpo: did you mean 'top'\? the notebooks declare code, top"),
        ("top=many", "top: expected a whole number, found 'many'"),
        ("top=007", "top: expected a whole number, found '007'"),
        ("top=101", "top: expected 1 to 100, found 101"),
        ("top", "expected NAME=VALUE, found 'top'"),
        ("x;import os=1", "expected NAME=VALUE"),
        ("../../x=1", "expected NAME=VALUE"),
        ("dataset=other", "--param dataset: the command sets it"),
        ("horizon_days=9", "use its argument or --horizon-days"),
        ("code=\udcff", r"code: expected text that can be printed, found '.udcff'"),
        ("code=a\nb", r"code: expected text that can be printed"),
    ],
)
def test_a_wrong_parameter_starts_no_kernel(study: TinyStudy, ran: list[str], option: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        publish(study, options=[option])
    assert ran == []
    assert is_old(study.root)


@pytest.mark.slow
def test_text_stays_text_and_is_no_code(tmp_path: Path) -> None:
    code = "say(repr(code))\nassert code == '007\"; import os; x = \"', code\nassert top == 7"
    study = study_of(tmp_path, "x", notebook(code))
    index = publish(study, options=['code=007"; import os; x = "', "top=7"])
    assert index.parent.name.startswith("2020-01-01-p")
    assert (index.parent / "01_one.html").read_text("utf-8").count("007")
    assert is_old(tmp_path / "x") is False  # there is a folder beside it now ...
    assert (tmp_path / "x/reports/tiny/latest").readlink() == Path("2020-01-01")  # ... which is not what readers see


@pytest.mark.slow
def test_a_flood_of_output_is_no_page(tmp_path: Path) -> None:
    flood = ["for _ in range(200): print('x' * 100_000)", "print('lone: \\udfff')"]
    index = publish(study_of(tmp_path, "x", notebook(*flood, "say('the flood is over')")))
    assert is_new(tmp_path / "x")
    page = (index.parent / "01_one.html").read_text("utf-8")
    assert "the flood is over" in page
    assert len(page) < 2_000_000


@pytest.mark.slow
def test_what_a_kernel_started_does_not_outlive_it(tmp_path: Path) -> None:
    publish(study_of(tmp_path, "x", notebook(CHILD)))
    assert [one for one in psutil.process_iter(["cmdline"]) if "orphan" in (one.info["cmdline"] or [])] == []


def test_a_missing_kernel_is_told(study: TinyStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = SimpleNamespace(util=SimpleNamespace(find_spec=lambda name: None))
    monkeypatch.setattr("loyalty.reporting.kernels.importlib", nowhere)
    with pytest.raises(NotebookError, match="the package ipykernel is not installed; run `make setup`"):
        publish(study)
    assert is_old(study.root)


@pytest.mark.slow
def test_a_kernel_that_does_not_start_is_told(study: TinyStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyalty.reporting.kernels.sys", SimpleNamespace(executable="/bin/false"))
    with pytest.raises(NotebookError, match=r"^0\w+ (could not be run|failed before its first cell)"):
        publish(study)
    assert is_old(study.root)


@pytest.mark.slow
def test_kernels_can_be_stopped_from_outside(tmp_path: Path) -> None:
    class Stopping:
        def __call__(self, message: str) -> None: ...
        def expect(self, seconds: object) -> None: ...
        def notebook(self, name: str) -> Callable[[int, int], None]:
            return lambda number, total: stop_all() if number == 3 else None

        def done(self, name: str, seconds: float) -> None: ...

    with pytest.raises(NotebookError, match=DIED):
        publish(study_of(tmp_path, "x", notebook("import time; time.sleep(600)")), progress=Stopping())
    assert is_old(tmp_path / "x")
