"""The command line: what it prints, where, and with which exit code."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import loyalty
import pytest
from loyalty import cli
from loyalty.errors import DataError, NotebookError

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def loyalty_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command and gives exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["loyalty", *arguments])
        with pytest.raises(SystemExit, match=r"^\d+$") as left:
            cli.main()
        out, err = capsys.readouterr()
        return int(str(left.value.code)), out, err

    return call


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Put a study of fixed facts in the place of the real one; return how it was opened."""
    calls: list[tuple[str, dict[str, Any]]] = []
    facts = {"rows": 1234567, "first_day": date(2017, 1, 1), "spend": 12.5, "mended": True, "note": None}

    def open_study(name: str, **options: Any) -> Any:
        calls.append((name, options))
        if name == "broken":
            raise DataError("data/broken.toml: the file is\nnot there")
        if name == "bug":
            raise KeyError("a bug")
        if name == "impatient":
            raise KeyboardInterrupt
        return SimpleNamespace(dataset=SimpleNamespace(title="Tiny [panel]", experiment=None), check=lambda: facts)

    stub = ModuleType("loyalty.study")
    stub.Study = SimpleNamespace(open=open_study)
    monkeypatch.setitem(sys.modules, "loyalty.study", stub)
    monkeypatch.setattr(loyalty, "study", stub, raising=False)
    return calls


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project with two notebooks and a published report, and go there."""
    for folder in ("data", "notebooks", "reports/tiny/2020-01-01"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("01_one", "04_two"):
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text("{}")
    (tmp_path / "data/tiny.toml").touch()
    (tmp_path / "reports/tiny/2020-01-01/manifest.json").write_text('{"outcome": "done"}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, project: Path) -> list[dict[str, Any]]:
    """Publish nothing; return how it was asked."""
    calls: list[dict[str, Any]] = []

    def publish(study: Any, **options: Any) -> Path:
        calls.append(options)
        if options["force"]:
            raise NotebookError("04_two, cell 3 (under 'Who'): ValueError: no")
        return project / "reports/tiny/2020-01-01/index.html"

    monkeypatch.setattr("loyalty.reporting.publish.publish", publish)
    return calls


def test_help_lists_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from loyalty.cli import main; main()", "--help"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "report" in done.stdout
    assert "check" in done.stdout


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'pandas', 'matplotlib', 'papermill', 'nbconvert', 'ibis', 'pydantic'}"
    code = f"import sys, loyalty.cli; assert not {heavy} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_version(loyalty_run: Run) -> None:
    code, out, _ = loyalty_run("--version")
    assert code == 0
    assert out.startswith("loyalty 0.")


def test_check_shows_the_facts(loyalty_run: Run, opened: list[Any]) -> None:
    code, out, err = loyalty_run("check", "tiny", "--as-of", "2020-01-01", "--horizon-days", "60")
    assert (code, err) == (0, "")
    for text in ("Tiny [panel]", "Rows", "1,234,567", "First day", "2017-01-01", "12.50", "yes", "–"):
        assert text in out
    (name, options), *others = opened
    assert (name, options["as_of"], options["horizon_days"], options["refusing"]) == ("tiny", "2020-01-01", 60, False)
    assert others == []


def test_check_as_json(loyalty_run: Run, opened: list[Any]) -> None:
    code, out, _ = loyalty_run("check", "tiny", "--active-within-days", "90", "--json")
    assert code == 0
    assert json.loads(out) == {
        "rows": 1234567, "first_day": "2017-01-01", "spend": 12.5, "mended": True, "note": None
    }  # fmt: skip
    assert opened[0][1]["active_within_days"] == 90


def test_report_ends_by_saying_where_to_open_it(
    loyalty_run: Run, opened: list[Any], published: list[dict[str, Any]], project: Path
) -> None:
    code, out, _ = loyalty_run("report", "tiny", "--notebooks", "04_two,01_one")
    assert code == 0
    assert out.splitlines() == [
        "Report: reports/tiny/2020-01-01/index.html",
        f"Open:   {(project / 'reports/tiny/2020-01-01/index.html').as_uri()}",
    ]
    assert published[0]["notebooks"] == ["04_two", "01_one"]


def test_report_as_json(loyalty_run: Run, opened: list[Any], published: list[Any], project: Path) -> None:
    code, out, _ = loyalty_run("report", "tiny", "--json")
    assert code == 0
    assert json.loads(out) == {
        "index": str(project / "reports/tiny/2020-01-01/index.html"),
        "outcome": "done",
    }


def test_a_failed_notebook_is_one_line_and_exit_1(loyalty_run: Run, opened: list[Any], published: list[Any]) -> None:
    code, out, err = loyalty_run("report", "tiny", "--force")
    assert (code, out) == (1, "")
    assert err == "loyalty: 04_two, cell 3 (under 'Who'): ValueError: no\n"


def test_an_unknown_notebook_is_refused_before_the_data_is_read(
    loyalty_run: Run, opened: list[Any], published: list[Any]
) -> None:
    code, out, err = loyalty_run("report", "tiny", "--notebooks", "05_three")
    assert (code, out) == (2, "")
    assert err == "loyalty: unknown notebook 05_three: there are 01_one, 04_two\n"
    assert opened == []


def test_wrong_input_is_one_line_and_exit_2(loyalty_run: Run, opened: list[Any]) -> None:
    assert loyalty_run("check", "broken") == (2, "", "loyalty: data/broken.toml: the file is not there\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check"], "dataset"),
        (["check", "tiny", "--horizon", "3"], "No such option"),
        (["check", "tiny", "--horizon-days", "many"], "valid integer"),
        (["nonsense"], "No such command 'nonsense'"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(
    loyalty_run: Run, opened: list[Any], arguments: list[str], message: str
) -> None:
    code, out, err = loyalty_run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("loyalty: ")
    assert message in err
    assert err.count("\n") == 1


def test_an_interrupt_is_one_line_and_exit_130(loyalty_run: Run, opened: list[Any]) -> None:
    assert loyalty_run("check", "impatient") == (130, "", "loyalty: interrupted\n")


def test_a_bug_keeps_its_traceback(opened: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["loyalty", "check", "bug"])
    with pytest.raises(KeyError, match="a bug"):
        cli.main()


@pytest.mark.parametrize(("code", "said"), [(1, ""), (143, "loyalty: stopped; what was published before stays\n")])
def test_only_a_signal_is_told_as_one(loyalty_run: Run, monkeypatch: pytest.MonkeyPatch, code: int, said: str) -> None:
    def leave(**_: object) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(cli, "app", leave)
    assert loyalty_run() == (code, "", said)
