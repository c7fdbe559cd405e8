"""The examples of schedules: each is what its scheduler can read, and calls the command as it is."""

import ast
import configparser
import py_compile
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from loyalty import cli
from typer.main import get_command

EXAMPLES = Path(__file__).parents[1] / "examples" / "schedule"
OPTIONS = {option for one in get_command(cli.app).commands["report"].params for option in one.opts}  # type: ignore[attr-defined]


def unit(name: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None, strict=True)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string((EXAMPLES / name).read_text("utf-8"))
    return found


def called(line: str) -> list[str]:
    """The words after `loyalty` up to the first sign of a shell."""
    words = shlex.split(line.partition("bin/loyalty ")[2].replace("{{{{ data_interval_end | ds }}}}", "DAY"))
    return words[: next((i for i, word in enumerate(words) if word in (">>", "||", "&&")), len(words))]


def is_known(words: list[str]) -> bool:
    return words[:2] == ["report", "my-shop"] and {word for word in words if word.startswith("--")} <= OPTIONS


def cron_fields(line: str) -> list[str]:
    return line.split(None, 5)


def test_the_crontab_is_one() -> None:
    text = (EXAMPLES / "loyalty.cron").read_text("utf-8")
    assert text.endswith("\n")  # or cron ignores the last line
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    variables = [line for line in lines if re.fullmatch(r"[A-Z]+=\S+", line)]
    (job,) = [line for line in lines if line not in variables]
    *times, command = cron_fields(job)
    within = [range(60), range(24), range(1, 32), range(1, 13), range(8)]
    assert all(field == "*" or int(field) in span for field, span in zip(times, within, strict=True))
    assert "%" not in command  # a line end to cron
    assert is_known(called(command))


def test_the_service_ends_as_the_command_does() -> None:
    service = unit("loyalty.service")["Service"]
    assert service["Type"] == "oneshot"
    assert service["KillMode"] == "mixed"
    assert service["SuccessExitStatus"] == "5"
    assert "--alarm" in called(service["ExecStart"])
    assert is_known(called(service["ExecStart"]))
    assert service["ReadWritePaths"].split() == [
        f"{service['WorkingDirectory']}/{name}" for name in ("data", "reports")
    ]


def test_the_timer_makes_up_for_nights_that_were_missed() -> None:
    timer = unit("loyalty.timer")
    assert timer["Timer"]["Persistent"] == "true"
    assert timer["Install"]["WantedBy"] == "timers.target"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    for name in ("loyalty.service", "loyalty.timer"):
        text = (EXAMPLES / name).read_text("utf-8")
        # The command and its user are not on this machine.
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE).replace(
            "User=loyalty", "User=root"
        )
        (tmp_path / name).write_text(text, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "loyalty.service", tmp_path / "loyalty.timer"],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "loyalty" in line]
    assert ours == []
    calendar = unit("loyalty.timer")["Timer"]["OnCalendar"]
    assert subprocess.run(["systemd-analyze", "calendar", calendar], capture_output=True, check=False).returncode == 0


def test_the_dag_only_calls_the_command(tmp_path: Path) -> None:
    path = EXAMPLES / "loyalty_dag.py"
    py_compile.compile(str(path), cfile=str(tmp_path / "dag.pyc"), doraise=True)
    tree = ast.parse(path.read_text("utf-8"))
    roots = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert roots == {"airflow", "datetime"}
    (operator,) = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "BashOperator"
    ]
    arguments = {keyword.arg: keyword.value for keyword in operator.keywords}
    command = ast.unparse(arguments["bash_command"]).removeprefix("f").strip("'\"").replace("{DATASET}", "my-shop")
    assert is_known(called(command))
    assert ast.literal_eval(arguments["skip_on_exit_code"]) == 3
