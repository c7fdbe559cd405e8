"""Several reports in one call: each for itself, the worst exit code for all, and a record of every one."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from faulty import is_new, is_old, notebook, project, tree
from loyalty.commands import report as command
from loyalty.commands import runs
from loyalty.commands.report import Request, make, worst
from loyalty.errors import DataError, RefusedError, SettingsError
from loyalty.reporting import history, jobs
from loyalty.reporting.publish import publish
from tiny_study import DATASET, TinyStudy

SCHEMA = Path(__file__).parents[2] / "docs" / "manifest.schema.json"
Make = Callable[..., list[command.Told]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of three datasets: one is right, one is refused, one cannot be read."""
    for name in ("tiny", "late", "broken"):
        project(tmp_path, {"01_one": notebook("say('one')")}, name)
    monkeypatch.setenv("LOYALTY_ROOT", str(tmp_path))
    return tmp_path


@pytest.fixture
def report(root: Path, ran: list[str]) -> Make:
    """Return a function that makes reports, and gives what became of them."""

    def opener(name: str, day: str | None) -> TinyStudy:
        if name == "late":
            raise RefusedError("data/late.toml: the log is old")
        if name == "broken":
            raise DataError("data/broken.toml: no\nfile")
        if name == "bug":
            raise KeyError("a bug")
        return TinyStudy(root, date.fromisoformat(day or "2020-01-01"), key=f"k-{day}", name=name)

    def call(*names: str, said: list[str] | None = None, **request: Any) -> list[command.Told]:
        complain = (said if said is not None else []).append
        return make(names, Request(**request), opener, jobs.Silent(), complain)  # type: ignore[arg-type]

    return call


def test_one_that_fails_does_not_stop_the_others(root: Path, report: Make) -> None:
    said: list[str] = []
    told = report("broken", "late", "tiny", said=said)
    assert [(one.dataset, one.code, one.outcome) for one in told] == [
        ("broken", 2, "wrong"), ("late", 3, "refused"), ("tiny", 0, "done"),
    ]  # fmt: skip
    assert worst(told) == 2
    assert said[1] == "late: data/late.toml: the log is old"
    assert is_new(root, "tiny")
    assert is_old(root, "late")
    assert is_old(root, "broken")
    assert [run["outcome"] for run in history.past(root, "late")] == ["refused"]
    assert history.past(root, "broken")[0]["message"] == "data/broken.toml: no file"


@pytest.mark.parametrize(("codes", "code"), [([0, 0], 0), ([0, 5], 5), ([4, 5, 0], 4), ([3, 2], 2), ([2, 1, 5], 1)])
def test_the_worst_code_is_given(codes: list[int], code: int) -> None:
    assert worst([command.Told(dataset="x", as_of=None, code=one, outcome="") for one in codes]) == code


@pytest.mark.parametrize("name", ["../tiny", "/etc/passwd", "tiny/../tiny", "", ".", "tin\udcff"])
def test_a_name_that_is_no_dataset_touches_nothing(root: Path, report: Make, name: str) -> None:
    before = tree(root)
    said: list[str] = []
    assert [one.code for one in report(name, said=said)] == [2]
    assert said[0].startswith("unknown dataset")
    assert tree(root) == before


@pytest.mark.parametrize("name", ["../../x", "04_nothing", "/etc/passwd"])
def test_a_name_that_is_no_notebook_touches_nothing(root: Path, report: Make, name: str) -> None:
    before = tree(root)
    with pytest.raises(SettingsError, match="unknown notebook"):
        report("tiny", notebooks=(name,))
    assert tree(root) == before


def test_an_alarm_has_its_own_code(root: Path, report: Make) -> None:
    (told,) = report("tiny")
    assert told.code == 0
    (told,) = report("tiny", alarm=True)
    assert (told.code, told.outcome) == (5, "unchanged")
    assert command.show([told], Request(alarm=True)).splitlines()[1:] == [
        "Alarm:  goal missed: Customers 2,147, to be over 3,000",
        f"Open:   {(root / 'reports/tiny/2020-01-01/index.html').as_uri()}",
    ]


def test_what_failed_is_told_to_programs_too(root: Path, report: Make) -> None:
    told = json.loads(command.to_json(report("late", "tiny")))
    assert told[0] == {
        "dataset": "late", "as_of": None, "outcome": "refused", "exit_code": 3,
        "message": "data/late.toml: the log is old",
    }  # fmt: skip
    assert told[1]["outcome"] == "done"


def test_past_dates_are_reported_the_oldest_first(root: Path, report: Make) -> None:
    told = report("tiny", since="2019-11-04", every=28, as_of="2020-01-01")
    assert [one.as_of for one in told] == ["2019-11-04", "2019-12-02", "2019-12-30"]
    assert (root / "reports/tiny/latest").readlink() == Path("2020-01-01")
    assert [run["as_of"] for run in history.past(root, "tiny")] == ["2019-12-30", "2019-12-02", "2019-11-04"]
    told = report("tiny", since="2019-11-04", as_of="2019-12-30")  # the horizon apart: 28 days
    assert [one.outcome for one in told] == ["unchanged"] * 3


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"every": 7}, "--every: expected --since DATE"),
        ({"since": "2021-01-01"}, "--since: expected a date up to 2020-01-01, found 2021-01-01"),
        ({"since": "last year"}, "expected YYYY-MM-DD"),
    ],
)
def test_past_dates_that_are_none_are_told(report: Make, request_: dict[str, Any], said: str) -> None:
    told: list[str] = []
    try:
        assert [one.code for one in report("tiny", said=told, **request_)] == [2]
    except SettingsError as error:  # the call itself is wrong
        told.append(str(error))
    assert said in told[0]


def test_the_newest_are_kept(root: Path, report: Make) -> None:
    report("tiny", as_of="2020-01-01")
    report("tiny", since="2019-10-01", every=28, as_of="2020-01-01")
    report("tiny", as_of="2020-01-29", keep=2)
    left = sorted(path.name for path in (root / "reports/tiny").iterdir())
    assert left == ["2020-01-01", "2020-01-29", "latest"]
    assert (root / "reports/tiny/latest").readlink() == Path("2020-01-29")
    assert len(history.past(root, "tiny")) == 6  # records stay


def test_a_manifest_is_as_documented(root: Path, ran: list[str]) -> None:
    run = history.Run(root, "tiny")
    index = publish(TinyStudy(root), options=["top=7"], run=run)
    said = json.loads((index.parent / "manifest.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(said)
    assert said["parameters"] == {"top": 7}
    assert said["run"] == run.id
    assert {"computing", "notebooks"} <= set(said["phases"])
    documented = SCHEMA.with_name("manifest.md").read_text("utf-8")
    assert all(f"`{name}`" in documented for name in said)


def test_runs_are_listed(root: Path, report: Make, capsys: pytest.CaptureFixture[str]) -> None:
    report("tiny")
    report("late", "broken")
    found = runs.find(None, 5)
    assert [(run["dataset"], run["outcome"]) for run in found] == [
        ("broken", "wrong"), ("late", "refused"), ("tiny", "done"),
    ]  # fmt: skip
    assert json.loads(runs.to_json(found))[2]["measures"][0]["value"] == "2,147"
    runs.show(found)
    assert "Customers 2,147; 1 alarm" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SettingsError, match="unknown dataset 'tny': did you mean 'tiny'"):
        runs.find("tny", 5)


def test_a_run_without_a_record_is_known_from_its_report(root: Path, report: Make) -> None:
    report("tiny")
    for path in history.records(root, "tiny").iterdir():
        path.unlink()
    (run,) = history.past(root, "tiny")
    assert (run["outcome"], run["place"], run["measures"][0]["name"]) == ("done", "2020-01-01", "Customers")
    assert history.expected(root, "tiny") == {"01_one": 0.5}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"record_version": 9, "run": "x"}', "\x00"])
def test_a_record_that_is_none_is_passed_over(root: Path, report: Make, text: str) -> None:
    report("tiny")
    (history.records(root, "tiny") / "20000101T000000-abcdef.json").write_text(text, "utf-8")
    assert [run["outcome"] for run in history.past(root, "tiny")] == ["done"]


def test_records_do_not_grow_for_ever(root: Path, report: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "RECORDS_KEPT", 3)
    for _ in range(5):
        report("tiny")
    assert len(list(history.records(root, "tiny").iterdir())) == 3


def test_no_memory_is_one_line(root: Path, report: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(self: TinyStudy, progress: Callable[[str], None]) -> None:
        raise MemoryError

    monkeypatch.setattr(TinyStudy, "prepare", greedy)
    said: list[str] = []
    assert [one.code for one in report("tiny", said=said)] == [1]
    assert said == ["there is not enough memory; nothing was published"]
    assert is_old(root)


def test_an_experiment_has_no_past(root: Path, report: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TinyStudy, "horizon_days", None)
    monkeypatch.setattr(TinyStudy, "__init__", lambda self, *_, **__: setattr(self, "dataset", DATASET))
    said: list[str] = []
    assert [one.code for one in report("tiny", said=said, since="2019-01-01")] == [2]
    assert said[0].startswith("--since: tiny has no purchase log")


def test_a_bug_in_one_of_several_is_told_and_counted(
    root: Path, report: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    project(root, {}, "bug")
    said: list[str] = []
    told = report("bug", "tiny", said=said)
    assert [one.code for one in told] == [1, 0]
    assert said == ["bug: KeyError: 'a bug'"]
    assert "KeyError" in capsys.readouterr().err
    with pytest.raises(KeyError, match="a bug"):
        report("bug")
    assert [run["outcome"] for run in history.past(root, "bug")] == ["bug", "bug"]
