"""Publishing: a report is there whole or the old one stays, and what did not change costs nothing."""

import json
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import loyalty.reporting
import nbformat
import numpy as np
import pytest
from loyalty.errors import NotebookError, SettingsError
from loyalty.reporting import alarms, manifest, run, swap
from loyalty.reporting import archive as archives
from loyalty.reporting.publish import publish
from loyalty.reporting.summary_types import Finding, Measure, Number, Past
from tiny_study import TinyStudy


@pytest.fixture(autouse=True)
def summary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a summary of fixed words in the place of the computed one."""
    words = ModuleType("loyalty.reporting.summary")
    words.measures = lambda study: [Measure(name="Customers", value="2,147", goal_met=np.True_)]
    words.findings = lambda study: [Finding(text="One left.", page="01_one")]
    words.answer = lambda study: "All is well."
    words.certainty = lambda study: "Quite."
    words.picture = lambda study: None
    words.past = lambda study: Past()
    words.actions = lambda study, pages: []
    words.QUESTION, words.PICTURE_QUESTION = "How are they?", "Are there fewer?"
    monkeypatch.setitem(sys.modules, words.__name__, words)
    monkeypatch.setattr(loyalty.reporting, "summary", words, raising=False)
    card = ModuleType("loyalty.reporting.card")
    card.describe = lambda study: {}  # type: ignore[attr-defined]
    card.files = lambda said, *, pages, heading: {}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, card.__name__, card)
    monkeypatch.setattr(loyalty.reporting, "card", card, raising=False)
    monkeypatch.setattr(alarms, "moved", lambda study: [])
    monkeypatch.setattr(alarms, "dated", lambda study: [])
    # Somebody may be editing the package, and every notebook would run again.
    monkeypatch.setattr(manifest, "PACKAGE", Path(__file__).parent / "data")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, executed: nbformat.NotebookNode) -> list[str]:
    """Write outputs that were made before instead of starting kernels; return the names that were run."""
    names: list[str] = []

    def instead(path: Path, parameters: dict[str, Any], output_path: Path, **_: Any) -> None:
        assert parameters == {
            "dataset": "tiny", "as_of": "2020-01-01", "horizon_days": 28, "active_within_days": 56
        }  # fmt: skip
        names.append(path.stem)
        if "fail" in run.read_notebook(path).cells[0].source:
            raise NotebookError(f"{path.stem}, cell 3: ValueError: no")
        nbformat.write(executed, output_path)

    monkeypatch.setattr(run, "run_notebook", instead)
    return names


@pytest.fixture
def study(make_project: Callable[..., Path]) -> TinyStudy:
    return TinyStudy(make_project(**{"01_one": "good", "04_two": "unfinished"}))


def edit(study: TinyStudy, name: str, title: str) -> None:
    """Change a notebook's first cell."""
    path = study.root / "notebooks" / f"{name}.ipynb"
    source = run.read_notebook(path)
    source.cells[0].source = title
    nbformat.write(source, path)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_report_is_whole(study: TinyStudy, ran: list[str]) -> None:
    index = publish(study)
    folder = study.root / "reports" / "tiny" / "2020-01-01"
    assert index == folder / "index.html"
    assert files(folder) == {"index.html", "01_one.html", "04_two.html", "manifest.json"}
    assert sorted(ran) == ["01_one", "04_two"]
    assert (folder.parent / "latest").readlink() == Path("2020-01-01")
    assert files(folder.parent) == {"2020-01-01", "latest"}
    assert "All is well." in index.read_text("utf-8")


def test_the_manifest_says_what_the_report_is(study: TinyStudy, ran: list[str]) -> None:
    said = json.loads((publish(study).parent / "manifest.json").read_text("utf-8"))
    plain = {name: value for name, value in said.items() if isinstance(value, str | int)}
    assert plain == {
        "schema_version": 3, "outcome": "done", "dataset": "tiny", "as_of": "2020-01-01", "horizon_days": 28,
        "active_within_days": 56, "currency": "EUR", "data": "d1",
        **{name: plain[name] for name in ("run", "key", "started", "created")},
    }  # fmt: skip
    assert said["created"].endswith("+00:00")
    assert said["notebooks"]["01_one"]["title"] == "Who leaves, and when"
    assert said["notebooks"]["01_one"]["seconds"] > 0
    assert said["measures"][0]["value"] == "2,147"
    assert said["measures"][0]["goal_met"] is True
    assert {"python", "loyalty", "pandas"} <= set(said["versions"])
    assert set(said["files"]) == {"index.html", "01_one.html", "04_two.html"}


def test_nothing_is_done_where_nothing_changed(study: TinyStudy, ran: list[str]) -> None:
    first = publish(study)
    before = first.stat().st_mtime_ns
    ran.clear()
    assert publish(study) == first
    assert publish(study, notebooks=["04_two"]) == first
    assert (ran, study.prepared, first.stat().st_mtime_ns) == ([], 1, before)


def test_force_runs_all_again(study: TinyStudy, ran: list[str]) -> None:
    publish(study)
    ran.clear()
    publish(study, force=True)
    assert sorted(ran) == ["01_one", "04_two"]


def test_a_changed_notebook_costs_one_notebook(study: TinyStudy, ran: list[str]) -> None:
    publish(study)
    ran.clear()
    edit(study, "04_two", "# Another title")
    publish(study)
    assert ran == ["04_two"]


def test_changed_data_costs_all(study: TinyStudy, ran: list[str]) -> None:
    publish(study)
    ran.clear()
    study.key = "k2"
    publish(study)
    assert sorted(ran) == ["01_one", "04_two"]


@pytest.mark.parametrize("harm", ["deleted", "changed", "manifest"])
def test_a_damaged_report_is_made_again(study: TinyStudy, ran: list[str], harm: str) -> None:
    folder = publish(study).parent
    page = (folder / "04_two.html").read_text("utf-8")
    ran.clear()
    if harm == "deleted":
        (folder / "04_two.html").unlink()
    else:
        (folder / ("04_two.html" if harm == "changed" else "manifest.json")).write_text("{}")
    publish(study)
    assert ran == []
    assert len((folder / "04_two.html").read_text("utf-8")) == len(page)
    said = manifest.read(folder)
    assert said is not None
    assert manifest.intact(folder, said)


def test_a_part_of_the_notebooks_makes_a_part_of_the_report(study: TinyStudy, ran: list[str]) -> None:
    folder = publish(study, notebooks=["04_two"]).parent
    assert files(folder) == {"index.html", "04_two.html", "manifest.json"}
    publish(study, notebooks=["01_one"])
    assert files(folder) == {"index.html", "01_one.html", "04_two.html", "manifest.json"}
    assert 'href="01_one.html"' in (folder / "04_two.html").read_text("utf-8")
    assert ran == ["04_two", "01_one"]


def test_a_page_that_is_no_longer_true_is_dropped(study: TinyStudy, ran: list[str]) -> None:
    folder = publish(study).parent
    study.key = "k2"
    publish(study, notebooks=["01_one"])
    assert files(folder) == {"index.html", "01_one.html", "manifest.json"}


def test_a_failed_notebook_leaves_the_old_report(study: TinyStudy, ran: list[str]) -> None:
    folder = publish(study).parent
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    edit(study, "04_two", "# fail")
    with pytest.raises(NotebookError, match="04_two, cell 3: ValueError: no"):
        publish(study)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert files(folder.parent) == {"2020-01-01", "latest"}


def test_a_failed_first_report_leaves_nothing(study: TinyStudy, ran: list[str]) -> None:
    edit(study, "04_two", "# fail")
    with pytest.raises(NotebookError, match="04_two"):
        publish(study)
    assert not (study.root / "reports").exists()
    ran.clear()
    edit(study, "04_two", "# mended")
    publish(study)
    assert "04_two" in ran


@pytest.mark.parametrize("when", ["sync", "swap_in"])
def test_a_full_disk_leaves_the_old_report(
    study: TinyStudy, ran: list[str], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    folder = publish(study).parent
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(swap, when, full)
    with pytest.raises(OSError, match="No space left"):
        publish(study, force=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert files(folder.parent) == {"2020-01-01", "latest"}


@pytest.mark.parametrize(("second", "latest"), [(date(2020, 1, 2), "2020-01-02"), (date(2019, 1, 1), "2020-01-01")])
def test_latest_is_the_latest_date(
    study: TinyStudy, ran: list[str], monkeypatch: pytest.MonkeyPatch, second: date, latest: str
) -> None:
    publish(study)
    study.as_of, study.key = second, "other"
    monkeypatch.setattr(
        run,
        "run_notebook",
        lambda path, parameters, output, **_: nbformat.write(run.read_notebook(old), output),
    )
    old = next((study.root / "data" / "interim" / "tiny" / "notebooks").glob("*.ipynb"))
    publish(study)
    assert (study.root / "reports" / "tiny" / "latest").readlink() == Path(latest)


def test_an_unknown_notebook_is_refused(study: TinyStudy, ran: list[str]) -> None:
    with pytest.raises(SettingsError, match="unknown notebook 05_three: there are 01_one, 04_two"):
        publish(study, notebooks=["01_one", "05_three"])
    assert (ran, study.prepared) == ([], 0)


def test_a_project_without_notebooks_is_refused(make_project: Callable[..., Path]) -> None:
    with pytest.raises(SettingsError, match="no notebook in "):
        publish(TinyStudy(make_project()))


def test_the_first_failure_stops_the_other_kernels(make_project: Callable[..., Path]) -> None:
    slow = dict.fromkeys(("01_slow", "03_slow", "04_slow", "05_slow"), "endless")
    study = TinyStudy(make_project(**slow, **{"02_broken": "error"}))
    with pytest.raises(NotebookError, match=r"02_broken, cell 5 .*ValueError: no such segment"):
        publish(study)
    assert files(study.root / "data" / "interim" / "tiny" / "notebooks") == set()


def test_what_is_old_and_unused_is_deleted(study: TinyStudy, ran: list[str]) -> None:
    publish(study)
    runs, reports = study.root / "data/interim/tiny/notebooks", study.root / "reports/tiny"
    used = files(runs)
    for old in (runs / "01_one-before.ipynb", runs / ".run-killed" / "x.ipynb", reports / ".2020-01-01-killed" / "x"):
        old.parent.mkdir(exist_ok=True)
        old.touch()
    recent = runs / "01_one-other.ipynb"
    for path in [*runs.iterdir(), *reports.glob(".*")]:
        os.utime(path, (0, 0))
    recent.touch()
    publish(study, force=True)
    assert files(runs) == {*used, recent.name}
    assert files(reports) == {"2020-01-01", "latest"}


def tree(base: Path, name: str, text: str) -> Path:
    folder = base / name
    folder.mkdir()
    (folder / "index.html").write_text(text)
    return folder


@pytest.fixture(params=["exchange", "two steps"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Swap folders in one system call, or as where there is none."""
    if request.param == "two steps":
        monkeypatch.setattr(swap, "_exchange", lambda *_: False)
    return str(request.param)


def test_a_folder_takes_the_place_of_another(tmp_path: Path, way: str) -> None:
    old, new = tree(tmp_path, "report", "old"), tree(tmp_path, ".new", "new")
    swap.swap_in(new, old)
    assert (old / "index.html").read_text() == "new"
    assert files(tmp_path) == {"report"}


def test_a_failed_swap_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tree(tmp_path, "report", "old")
    monkeypatch.setattr(swap, "_exchange", lambda *_: False)
    with pytest.raises(FileNotFoundError, match="gone"):
        swap.swap_in(tmp_path / "gone", old)
    assert (old / "index.html").read_text() == "old"
    assert files(tmp_path) == {"report"}


def test_latest_is_moved_in_one_step(tmp_path: Path) -> None:
    for name in ("one", "two"):
        tree(tmp_path, name, name)
        swap.point(tmp_path / "latest", name)
        assert (tmp_path / "latest" / "index.html").read_text() == name
    assert files(tmp_path) == {"one", "two", "latest"}


@pytest.fixture
def remembered(study: TinyStudy, monkeypatch: pytest.MonkeyPatch) -> TinyStudy:
    """The study, whose runs leave a measure behind."""
    number = Number(name="active", label="Active customers", group="base", unit="customers", value=2147)
    monkeypatch.setattr(loyalty.reporting.summary, "past", lambda study: Past(numbers=[number]))
    return study


def test_the_archive_tells_of_each_report(remembered: TinyStudy, ran: list[str]) -> None:
    archive = remembered.root / "reports" / "tiny" / "archive.html"
    publish(remembered)
    assert "There is one report so far" in archive.read_text("utf-8")
    assert 'href="2020-01-01/index.html"' in archive.read_text("utf-8")
    assert archive.stat().st_mode & 0o444 == (archive.parent / "2020-01-01" / "index.html").stat().st_mode & 0o444


def test_an_archive_that_is_gone_is_made_again(remembered: TinyStudy, ran: list[str]) -> None:
    publish(remembered)
    archive = remembered.root / "reports" / "tiny" / "archive.html"
    archive.unlink()
    ran.clear()
    publish(remembered)
    assert archive.is_file()
    assert ran == []


def test_an_archive_that_does_not_know_the_report_is_made_again(
    remembered: TinyStudy, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = remembered.root / "reports" / "tiny" / "archive.html"
    publish(remembered)
    os.utime(archive, (0, 0))  # a run was killed between the two
    publish(remembered)
    assert archive.stat().st_mtime > 0
    monkeypatch.setattr(archives, "rebuild", lambda *_: pytest.fail("it is there, and knows the report"))
    publish(remembered)


def test_an_archive_that_cannot_be_made_does_not_undo_the_report(
    remembered: TinyStudy, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives, "rebuild", full)
    index = publish(remembered)
    assert (index.parent.parent / "latest" / "index.html").is_file()
