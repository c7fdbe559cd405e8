"""A run of `loyalty report` in a process of its own, which can be told to die at a moment of it."""

import importlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from faulty import as_run, with_fixed_words
from loyalty.commands.report import Request, make, worst
from loyalty.reporting import build, run
from loyalty.reporting.progress import Reporter
from loyalty.reporting.run import read_notebook
from loyalty.reporting.summary_types import Past
from tiny_study import TinyStudy

MOMENTS = (
    "history.Run.write", "history.Run.forget_old", "history.expected", "locks._sign", "locks._let_go",
    "publish._planned", "manifest.keys", "manifest.describe", "place.clear", "publish.run_all",
    "run.run_notebook", "build.files_of", "freshness.require_unchanged_data", "build.put", "swap.sync", "swap.swap_in",
    "swap._exchange", "place.move_latest", "archive.refresh", "place.forget",
)  # fmt: skip
"""Functions of `loyalty.reporting`; a run can die as one is called, or as it returns."""


def report(root: Path, **request: Any) -> int:
    """Make the report of the tiny project; the exit code."""
    os.environ["LOYALTY_ROOT"] = str(root)
    with_fixed_words()

    def opener(name: str, day: str | None) -> Any:
        return TinyStudy(root, key="k2")

    def complain(said: str) -> None:
        sys.stderr.write(f"{said}\n")

    return worst(make(["tiny"], Request(**request), opener, Reporter(), complain))


def die(root: Path, moment: str, when: str, number: int) -> None:
    """Make the report without kernels, and send this process a signal at a moment."""
    run.run_notebook = _as_if_run  # type: ignore[assignment]
    build._texts = lambda study, nodes, pages, heading: ({"index.html": "new", "01_one.html": "one"}, [], Past())  # type: ignore[assignment]
    module, _, name = moment.partition(".")
    owner: Any = importlib.import_module(f"loyalty.reporting.{module}")
    while "." in name:
        inner, _, name = name.partition(".")
        owner = getattr(owner, inner)
    whole = getattr(owner, name)

    def dying(*arguments: Any, **options: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), number)
        result = whole(*arguments, **options)
        if when == "after":
            os.kill(os.getpid(), number)
        return result

    setattr(owner, name, dying)
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  what it says of its death is not looked at here
    sys.exit(report(root))


def _as_if_run(path: Path, given: Mapping[str, Any], output_path: Path, **_: Any) -> None:
    nbformat.write(as_run(read_notebook(path)), output_path)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        code = report(
            Path(sys.argv[1]), **{name: float(value) for name, _, value in (a.partition("=") for a in sys.argv[2:])}
        )
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
