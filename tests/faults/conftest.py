"""Tests that break something on purpose: nothing wrong is ever published, and the old report is never lost."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import nbformat
import pytest
from faulty import as_run, notebook, project, with_fixed_words
from loyalty.reporting import run
from loyalty.reporting.run import read_notebook
from tiny_study import TinyStudy


@pytest.fixture(autouse=True)
def _fixed_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with_fixed_words(partial(monkeypatch.setattr, raising=False))


@pytest.fixture
def study(tmp_path: Path) -> TinyStudy:
    """A study of a project with two notebooks, and with a report that was made before."""
    return TinyStudy(project(tmp_path, {"01_one": notebook("say('one')"), "04_two": notebook("say('two')")}))


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write notebooks as if they had been run; return the names of those."""
    names: list[str] = []

    def instead(path: Path, given: Mapping[str, object], output_path: Path, **_: object) -> None:
        names.append(path.stem)
        nbformat.write(as_run(read_notebook(path)), output_path)

    monkeypatch.setattr(run, "run_notebook", instead)
    return names


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that lets another fail."""

    def fail(owner: object, name: str, error: Exception) -> None:
        def instead(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(owner, name, instead)

    return fail
