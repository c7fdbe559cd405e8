"""Faults between the notebooks and the readers: no room, no rights, changed under our hands, left half done."""

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from faulty import as_run, is_new, is_old, notebook, tree
from loyalty.errors import NotebookError, RefusedError
from loyalty.reporting import build, freshness, history, manifest, place, publish, render, swap
from loyalty.reporting.publish import publish as make
from loyalty.reporting.summary_types import Past
from loyalty.roles import Table
from tiny_study import DATASET, TinyStudy

Fails = Callable[..., None]
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")
READ_ONLY = OSError(errno.EROFS, os.strerror(errno.EROFS), "somewhere")


@pytest.mark.parametrize("error", [FULL, READ_ONLY], ids=["full", "read-only"])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Path, "mkdir"), (Path, "write_text"), (os, "fsync"), (os, "replace"), (os, "rename"), (swap, "sync"),
        (swap, "swap_in"), (publish, "run_all"), (build, "files_of"), (nbformat, "write"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)  # fmt: skip
def test_a_disk_that_cannot_be_written_leaves_the_old_report(
    study: TinyStudy,
    ran: list[str],
    fails: Fails,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    error: OSError,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(swap, "_exchange", lambda *_: False)  # two renames: the harder way
        fails(owner, name, error)
        with pytest.raises(OSError, match=r"No space left|Read-only"):
            make(study)
    monkeypatch.undo()
    assert is_old(study.root)


def test_a_rename_that_fails_in_the_middle_is_taken_back(
    study: TinyStudy, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "_exchange", lambda *_: False)
    rename, done = os.rename, []

    def second_fails(one: Path, other: Path) -> None:
        done.append(one)
        if len(done) == 2:
            raise FULL
        rename(one, other)

    monkeypatch.setattr(os, "rename", second_fails)
    with pytest.raises(OSError, match="No space left"):
        make(study)
    assert is_old(study.root)


def test_an_error_in_a_page_leaves_the_old_report(study: TinyStudy, ran: list[str], fails: Fails) -> None:
    fails(render, "render", ValueError("a page"))
    with pytest.raises(ValueError, match="a page"):
        make(study)
    assert is_old(study.root)


def test_text_that_is_no_unicode_is_told(study: TinyStudy, ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_texts", lambda *_: ({"index.html": "a \udc80 b"}, [], Past()))
    with pytest.raises(NotebookError, match=r"index.html holds '\\udc80', which is no Unicode"):
        make(study)
    assert is_old(study.root)


@pytest.mark.parametrize("harm", ["cut off", "empty", "unfinished", "gone"])
def test_what_was_kept_is_believed_only_if_it_is_whole(study: TinyStudy, ran: list[str], harm: str) -> None:
    make(study)
    ran.clear()
    (kept,) = (study.root / "data/interim/tiny/notebooks").glob("04_two-*")
    if harm == "cut off":
        kept.write_bytes(kept.read_bytes()[:-200])
    elif harm == "empty":
        kept.write_bytes(b"")
    elif harm == "unfinished":
        nbformat.write(notebook("say('two')"), kept)
    else:
        kept.unlink()
    (study.root / "reports/tiny/2020-01-01/04_two.html").unlink()
    make(study)
    assert ran == ["04_two"]
    assert is_new(study.root)


@pytest.mark.parametrize("content", ["", "[]", '{"schema_version": 3}', '{"schema_version": 3, "files": 3}', "\x00"])
def test_a_manifest_that_is_none_is_made_again(study: TinyStudy, ran: list[str], content: str) -> None:
    folder = make(study).parent
    (folder / "manifest.json").write_text(content, "utf-8")
    make(study)
    assert is_new(study.root)


def test_a_run_goes_on_where_it_broke_off(study: TinyStudy, ran: list[str], fails: Fails) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "files_of", lambda *_, **__: (_ for _ in ()).throw(FULL))
        with pytest.raises(OSError, match="No space left"):
            make(study)
    assert sorted(ran) == ["01_one", "04_two"]
    ran.clear()
    make(study)
    assert ran == []
    assert is_new(study.root)


@pytest.fixture
def log(study: TinyStudy, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the study is read from; its key is its text."""
    path = study.root / "data" / "log.csv"
    path.write_text("d1", "utf-8")
    study.dataset = SimpleNamespace(**vars(DATASET), transactions=(Table(source="data/log.csv"),))
    monkeypatch.setattr(freshness, "key_now", lambda study: path.read_text("utf-8"))
    return path


@pytest.mark.parametrize("change", ["written", "replaced", "deleted"])
def test_data_that_changes_meanwhile_is_refused(
    study: TinyStudy, ran: list[str], log: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    def during(*_: object, **__: object) -> dict[str, str]:
        if change == "written":
            log.write_text("d2", "utf-8")
        elif change == "replaced":
            other = log.with_name("other")
            other.write_text("d2", "utf-8")
            os.utime(other, (0, 0))
            other.replace(log)
        else:
            monkeypatch.setattr(freshness, "key_now", lambda study: "nothing")
            log.unlink()
        return {"index.html": "made of both"}

    monkeypatch.setattr(build, "files_of", during)
    with pytest.raises(RefusedError, match=r"^log.csv was changed while the report was made: nothing was published"):
        make(study, run=history.Run(study.root, "tiny", recorded=False))
    assert is_old(study.root)
    assert not list((study.root / "data/interim/tiny").glob("notebooks/*"))


def test_data_that_is_only_touched_is_reported(study: TinyStudy, ran: list[str], log: Path) -> None:
    log.touch()
    make(study)
    assert is_new(study.root)


def test_old_files_are_not_read_again(study: TinyStudy, ran: list[str], log: Path, fails: Fails) -> None:
    fails(freshness, "key_now", AssertionError("it was hashed again"))
    run = history.Run(study.root, "tiny", recorded=False)
    run.started = datetime.fromtimestamp(log.stat().st_ctime + 60, UTC)
    make(study, run=run)
    assert is_new(study.root)


def test_a_notebook_that_changes_meanwhile_is_refused(
    study: TinyStudy, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_all = publish.run_all

    def during(*arguments: Any, **options: Any) -> None:
        run_all(*arguments, **options)
        nbformat.write(notebook("say('three')"), study.root / "notebooks" / "04_two.ipynb")

    monkeypatch.setattr(publish, "run_all", during)
    with pytest.raises(RefusedError, match=r"^04_two.ipynb was changed while the report was made"):
        make(study)
    assert is_old(study.root)
    assert not list((study.root / "data/interim/tiny/notebooks").iterdir())


def test_a_report_of_code_that_changed_meanwhile_is_made_anew(
    study: TinyStudy, ran: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "package"
    (package / "reporting" / "templates").mkdir(parents=True)
    (package / "code.py").touch()
    monkeypatch.setattr(manifest, "PACKAGE", package)
    run_all = publish.run_all

    def during(*arguments: Any, **options: Any) -> None:
        run_all(*arguments, **options)
        (package / "code.py").write_text("x = 1", "utf-8")

    with monkeypatch.context() as patch:
        patch.setattr(publish, "run_all", during)
        make(study)
    assert is_new(study.root)
    (package / "code.py").write_text("", "utf-8")  # and were it taken back
    make(study)
    assert sorted(ran) == ["01_one", "01_one", "04_two", "04_two"]


def test_a_folder_called_latest_is_not_lost(study: TinyStudy, ran: list[str]) -> None:
    link = study.root / "reports/tiny/latest"
    link.unlink()
    link.mkdir()
    (link / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(OSError, match=r"latest"):
        make(study)
    assert (link / "mine.txt").read_text("utf-8") == "mine"
    folder = study.root / "reports/tiny/2020-01-01"
    said = manifest.read(folder)
    assert said is not None
    assert manifest.intact(folder, said)


def test_another_horizon_has_a_place_of_its_own(study: TinyStudy, ran: list[str]) -> None:
    make(study)
    standard = tree(study.root / "reports/tiny/2020-01-01")
    study.horizon_days, study.active_within_days, study.key = 60, 90, "k2"
    assert make(study).parent.name == "2020-01-01-h60-a90"
    assert tree(study.root / "reports/tiny/2020-01-01") == standard
    assert (study.root / "reports/tiny/latest").readlink() == Path("2020-01-01")


def test_only_reports_that_are_too_old_are_deleted(tmp_path: Path) -> None:
    names = [f"2020-01-0{day}" for day in range(1, 6)] + ["2020-01-02-h60", "2020-01-04-h60", "notes", "2019-12-31"]
    for name in names:
        (tmp_path / name).mkdir()
        if name != "2019-12-31":  # a folder of a person
            (tmp_path / name / "manifest.json").touch()
    (tmp_path / "latest").symlink_to("2020-01-01")
    gone = place.keep_newest(tmp_path, 2, made=["2020-01-03"])
    assert gone == ["2020-01-02", "2020-01-02-h60"]
    assert {path.name for path in tmp_path.iterdir()} == {*names, "latest"} - set(gone)


def test_what_a_killed_run_left_is_cleared_away_and_nothing_else(study: TinyStudy, ran: list[str]) -> None:
    reports, runs = study.root / "reports/tiny", study.root / "data/interim/tiny/notebooks"
    for left in (reports / ".2020-01-01-killed", runs / ".run-killed", reports / ".mine-here"):
        left.mkdir(parents=True)
        (left / "file").touch()
    (reports / ".latest-killed").symlink_to("nowhere")
    make(study)
    assert {path.name for path in reports.iterdir()} == {"2020-01-01", "latest", ".mine-here"}
    assert {path.name.partition("-")[0] for path in runs.iterdir()} == {"01_one", "04_two"}


def test_a_notebook_that_was_run_is_what_it_seems(study: TinyStudy) -> None:
    """The stand-in of these tests would be believed as the real thing is."""
    path = study.root / "ran.ipynb"
    nbformat.write(as_run(notebook("1")), path)
    assert publish.is_whole(path)
