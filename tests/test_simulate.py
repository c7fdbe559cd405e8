"""The command `loyalty simulate`."""

import json

import pytest
import typer
from loyalty.commands.simulate import simulate
from loyalty.errors import SettingsError
from loyalty.settings import load_dataset


@pytest.fixture
def project(tmp_path, monkeypatch):
    for folder in ("data", "notebooks"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("LOYALTY_ROOT", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(project, capsys):
    """Run the command; return what it wrote to standard output."""
    app = typer.Typer()
    app.command()(simulate)

    def call(*arguments):
        app(list(arguments), standalone_mode=False)
        out, err = capsys.readouterr()
        assert err == ""  # no bar without a terminal
        return out

    return call


def test_it_says_what_was_made_and_what_comes_next(run, project):
    out = run("my-shop", "--customers", "100", "--days", "200", "--dirt", "0.02")
    assert "100 customers over 200 days" in out
    assert out.rstrip().endswith("loyalty check my-shop")
    assert load_dataset("my-shop", project).currency == "EUR"
    assert (project / "data/raw/my-shop-truth/dirt.parquet").exists()


def test_json_holds_the_settings_used(run, project):
    arguments = [
        "--customers",
        "300",
        "--days",
        "100",
        "--plain",
        "--regularity",
        "1,3",
        "--dropout",
        "exponential",
        "--json",
    ]
    told = json.loads(run("shop", *arguments))
    assert told["file"] == str(project / "data/shop.toml")
    assert told["settings"]["regularity"] == [1, 3]
    assert told["settings"]["lines_per_customer"] == 10
    assert (project / "data/raw/shop/transactions.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--customers", "0"], "customers: expected greater than or equal to 1"),
        (["--regularity", "often"], "--regularity: expected whole numbers"),
        (["--dirt", "0.5"], "dirt: expected less than or equal to 0.15, found 0.5"),
    ],
)
def test_wrong_settings_are_told_and_nothing_is_made(run, project, arguments, complaint):
    with pytest.raises(SettingsError, match=complaint):
        run("shop", *arguments)
    assert list((project / "data").iterdir()) == []


def test_a_second_run_needs_force(run):
    run("shop", "--customers", "50", "--days", "100")
    with pytest.raises(SettingsError, match="is there already"):
        run("shop", "--customers", "50", "--days", "100")
    run("shop", "--customers", "60", "--days", "100", "--force")
