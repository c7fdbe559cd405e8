"""`loyalty runs --diff`: two runs by id, date or `latest`."""

import json
from pathlib import Path

import pytest
from loyalty.cli import app
from loyalty.commands import runs
from loyalty.errors import SettingsError
from loyalty.reporting.history import Run
from loyalty.reporting.summary_types import Number
from typer.testing import CliRunner


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with three runs of one dataset, the first of another horizon."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "shop.toml").touch()
    monkeypatch.setenv("LOYALTY_ROOT", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")
    leave(tmp_path, "2020-01-01", 50, horizon_days=60, place="2020-01-01-h60")
    leave(tmp_path, "2020-01-01", 100)
    leave(tmp_path, "2020-02-01", 120)
    return tmp_path


def leave(root: Path, as_of: str, active: float, **said: object) -> None:
    run = Run(root, "shop")
    run.outcome = "done"
    number = Number(name="active", label="Active customers", group="base", unit="customers", value=active)
    run.write(
        as_of=as_of,
        numbers=[vars(number)],
        alarms=[f"drift: it moved ({active})"],
        **{"place": as_of, "horizon_days": 28, "active_within_days": 56, "currency": "EUR"} | said,
    )


def test_two_runs_as_a_table(root: Path) -> None:
    told = CliRunner().invoke(app, ["runs", "shop", "--diff", "2020-01-01", "latest"])
    assert told.exit_code == 0
    assert [line.split() for line in told.stdout.splitlines()] == [
        ["Measure", "2020-01-01", "2020-02-01", "Change", "Beyond", "chance"],
        ["Active", "customers", "100", "120", "up", "20"],
    ]


def test_two_runs_for_a_program(root: Path) -> None:
    told = CliRunner().invoke(app, ["runs", "shop", "--diff", "2020-02-01", "2020-01-01", "--json"])
    said = json.loads(told.stdout)
    assert (said["before"]["as_of"], said["after"]["as_of"]) == ("2020-02-01", "2020-01-01")
    assert [one["told"] for one in said["measures"]] == ["down 20"]


def test_runs_of_different_horizons_are_not_compared(root: Path) -> None:
    told = CliRunner().invoke(app, ["runs", "shop", "--diff", "2020-01-01-h60", "latest"])
    assert told.stdout.strip() == "Not comparable: another horizon (60 and 28)."


def test_a_run_is_known_by_its_id_or_the_beginning_of_it(root: Path) -> None:
    first, second, _ = (run["run"] for run in reversed(runs.find("shop", 20)))
    assert runs.compared("shop", first, second)["before"]["run"] == first
    with pytest.raises(SettingsError, match=r"--diff 20: .* found 3 runs that begin so; known are 2020-02-01"):
        runs.compared("shop", "20", second)


def test_a_run_that_is_not_known_is_refused_with_those_that_are(root: Path) -> None:
    with pytest.raises(SettingsError, match=r"--diff 2021-01-01: expected .* found none .* known are 2020-02-01, "):
        runs.compared("shop", "2021-01-01", "latest")
    with pytest.raises(SettingsError, match="--diff: expected the name of the dataset"):
        runs.compared(None, "2020-01-01", "latest")
