"""A run that is killed, at any moment: readers see the old report or the new one, and the next run mends the rest."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from faulty import OLD, is_new, is_old, notebook, project
from loyalty.commands.runs import find
from loyalty.reporting import manifest
from loyalty.reporting.history import past
from loyalty.reporting.publish import publish
from runner import MOMENTS, die
from tiny_study import TinyStudy

RUNNER = Path(__file__).with_name("runner.py")
BESIDE = os.environ | {"PYTHONPATH": str(RUNNER.parents[1])}  # where runner.py finds tiny_study
SIGNALS = {"SIGKILL": -signal.SIGKILL, "SIGTERM": 143}
SLEEPS = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    """Processes that have everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["runner", "loyalty.reporting.publish", "loyalty.experiments", "loyalty.reporting.render"]
    )
    return context


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("signal_name", SIGNALS)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_whenever_it_is_killed(
    tmp_path: Path,
    processes: multiprocessing.context.ForkServerContext,
    ran: list[str],
    moment: str,
    when: str,
    signal_name: str,
) -> None:
    root = project(tmp_path, {"01_one": notebook("say('one')")})
    process = processes.Process(target=die, args=(root, moment, when, getattr(signal, signal_name)))
    process.start()
    process.join(120)
    assert process.exitcode == SIGNALS[signal_name]
    assert is_old(root, killed=signal_name == "SIGKILL") or is_new(root)
    first = past(root, "tiny")[0]["outcome"] if past(root, "tiny") else None
    assert first in (None, "broken off", "stopped", "done")
    publish(TinyStudy(root, key="k2"))
    assert is_new(root)
    left = {path.name for path in (root / "reports/tiny").iterdir()}
    assert left == {"2020-01-01", "latest"}


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("signal_name", SIGNALS)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("moment", ["swap.swap_in", "place.move_latest", "swap.point"])
def test_whenever_it_is_killed_on_a_new_day(
    tmp_path: Path,
    processes: multiprocessing.context.ForkServerContext,
    ran: list[str],
    moment: str,
    when: str,
    signal_name: str,
) -> None:
    root = project(tmp_path, {"01_one": notebook("say('one')")}, day="2019-12-31")
    process = processes.Process(target=die, args=(root, moment, when, getattr(signal, signal_name)))
    process.start()
    process.join(120)
    assert process.exitcode == SIGNALS[signal_name]
    assert (root / "reports/tiny/latest/index.html").read_text("utf-8") == OLD or is_new(root)
    folder = root / "reports/tiny/2020-01-01"
    said = manifest.read(folder)
    assert not folder.exists() or (said is not None and manifest.intact(folder, said))
    publish(TinyStudy(root, key="k2"))
    assert is_new(root)
    assert {path.name for path in folder.parent.iterdir()} == {"2019-12-31", "2020-01-01", "latest"}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path, int]]:
    """A run in the middle of a cell: its process, its project, and the process of its kernel."""
    root = project(tmp_path, {"01_one": notebook(SLEEPS)})
    with subprocess.Popen([sys.executable, RUNNER, root], stderr=subprocess.PIPE, text=True, env=BESIDE) as process:
        until = time.monotonic() + 300
        while not ((root / "pid").exists() and (root / "pid").read_text("ascii")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.1)
        try:
            yield process, root, int((root / "pid").read_text("ascii"))
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)], ids=str
)
def test_no_kernel_outlives_the_run(running: tuple[subprocess.Popen[str], Path, int], number: int, code: int) -> None:
    process, root, kernel = running
    assert psutil.pid_exists(kernel)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == code
    assert "Traceback" not in said
    psutil.wait_procs([psutil.Process(kernel)] if psutil.pid_exists(kernel) else [], timeout=30)
    assert not psutil.pid_exists(kernel) or psutil.Process(kernel).status() == psutil.STATUS_ZOMBIE
    assert is_old(root)
    assert past(root, "tiny")[0]["outcome"] == ("broken off" if number == signal.SIGKILL else "stopped")


@pytest.mark.slow
def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    root = project(tmp_path, {"01_one": notebook("import time; time.sleep(600)")})
    done = subprocess.run(
        [sys.executable, RUNNER, root, "minutes=0.1"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env=BESIDE,
    )
    assert done.returncode == 1
    assert "the run took longer than the 0.1 minutes that it was given" in done.stderr
    assert is_old(root)


@pytest.mark.slow
def test_a_second_run_is_told_who_is_at_work(
    running: tuple[subprocess.Popen[str], Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, root, _ = running
    second = subprocess.run(
        [sys.executable, RUNNER, root], capture_output=True, text=True, timeout=200, check=False, env=BESIDE
    )
    assert second.returncode == 4
    assert f"tiny: another run is at work (process {process.pid} on " in second.stderr
    assert is_old(root)
    monkeypatch.setenv("LOYALTY_ROOT", str(root))
    assert [run["outcome"] for run in find("tiny", 9)] == ["busy", "running"]
