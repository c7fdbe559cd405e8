"""`loyalty actions`: what it prints, what it writes, and with which exit code it refuses."""

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from acting_shop import RULES, log, opened, scored
from loyalty import cli, keys
from loyalty.commands.actions import show
from loyalty.errors import SettingsError
from mistaken_rules import MISTAKES, TWENTY
from rich.console import Console

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def loyalty_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command in a folder and gives exit code, standard output and standard error."""

    def call(root: Path, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(root)
        monkeypatch.setattr(sys, "argv", ["loyalty", *arguments])
        with pytest.raises(SystemExit, match=r"^\d+$") as left:
            cli.main()
        out, err = capsys.readouterr()
        return int(str(left.value.code)), out, err

    return call


@pytest.fixture(autouse=True)
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A configuration folder of the test's own, and no key in the environment."""
    monkeypatch.delenv("LOYALTY_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "config"


@pytest.fixture(scope="module")
def root(make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str) -> Path:
    return make_shop(log(simulated_log), shop_toml + RULES)


@pytest.mark.slow
def test_files_are_written_and_the_table_counts_them(root: Path, configuration: Path, loyalty_run: Run) -> None:
    asked = ("actions", "shop", "--horizon-days", "20")
    with scored(opened(root)):
        code, out, err = loyalty_run(root, *asked, "--dry-run")
        assert (code, "Nothing was written" in out) == (0, True)
        assert not (root / "data" / "processed").exists()
        assert not configuration.exists()
        assert "no key yet" in err
        code, out, err = loyalty_run(root, *asked)
        assert code == 0
        assert "a key was made" in err
        assert "assumed" in out
        assert "Consent: not recorded" in out
        code, said, err = loyalty_run(root, *asked, "--json")
    assert (code, err) == (0, "")
    manifest = json.loads(said)
    assert json.loads((Path(manifest["folder"]) / "manifest.json").read_text()) == {
        name: value for name, value in manifest.items() if name != "folder"
    }
    for rule in manifest["rules"]:
        assert rule["rule"] in out
        assert f"{rule['customers']:,}" in out
    assert keys.place().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("command", ["actions", "check"])
def test_twenty_four_mistakes_are_twenty_four_lines_in_one_go(
    make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str, loyalty_run: Run, command: str
) -> None:
    root = make_shop(log(simulated_log), shop_toml + TWENTY)
    before = sorted(root.rglob("*"))
    code, out, err = loyalty_run(root, command, "shop")
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert len(lines) == 24
    assert all(re.match(r"loyalty: data/shop\.toml: actions\.\w+", line) for line in lines)
    told = [[line for line in lines if part in line] for part in MISTAKES]
    assert [part for part, found in zip(MISTAKES, told, strict=True) if not found] == []
    assert {line for found in told for line in found} == set(lines)
    assert sorted(root.rglob("*")) == before


def test_a_log_that_is_too_small_is_refused(make_shop: Callable[..., Path], shop_toml: str, loyalty_run: Run) -> None:
    days = ["2020-01-01", "2020-02-01", "2020-06-01"]
    rows = pd.DataFrame({"customer": ["a", "b", "a"], "time": days, "amount": [1.0, 2.0, 3.0]})
    few = shop_toml.replace("minimum_customers = 2", "minimum_customers = 500")
    code, _, err = loyalty_run(make_shop(rows, few), "actions", "shop")
    assert code == 3, err


def test_a_key_that_others_can_read_is_none(configuration: Path) -> None:
    first = keys.key()
    assert keys.key() == keys.found() == first
    keys.place().chmod(0o644)
    with pytest.raises(SettingsError, match=r"its owner alone can read \(mode 600\), found mode 644"):
        keys.key()


def test_a_key_of_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_KEY", "sixteen bytes or more")
    assert keys.key() == b"sixteen bytes or more"
    assert not keys.place().exists()
    monkeypatch.setenv("LOYALTY_KEY", "short")
    with pytest.raises(SettingsError, match=r"LOYALTY_KEY: expected a key of 16 to 64 bytes, found 5"):
        keys.key()


NARROW = {"currency": "USD", "limits": {"budget": 500.0}, "default_rules": False, "left_out": [], "removed": {}}
RULE = {"held_out": 137, "cost": 3702.0, "value": 12345.6, "value_low": -1234.5, "value_high": 45678.9}
LARGE = {"held_out": 123456, "cost": 1234567.89, "value": 1234567.8, "value_low": -1234567.0, "value_high": 12345678.9}
TOLD = NARROW | {
    "as_of": "2026-03-02",
    "consent": "recorded",
    "folder": None,
    "rules": [
        {"rule": "nearly the next tier", "channel": "telephone", "customers": 1234, "evidence": "assumed", **RULE},
        {"rule": "x" * 60, "channel": "e-mail", "customers": 1234567, "evidence": "assumed, randomised", **LARGE},
    ],
}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_narrow_terminal_cuts_neither_names_nor_numbers(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    shop = SimpleNamespace(dataset=SimpleNamespace(title="Shop"))
    show(shop, TOLD, console)  # type: ignore[arg-type]
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    words = set(text.split())
    assert {"1,234", "(137)", "3,702.00", "12,346", "(-1,234", "45,679)", "telephone,"} <= words
    assert {"1,234,567", "(123,456)", "1,234,567.89", "1,234,568", "(-1,234,567", "12,345,679)"} <= words
    assert sum(len(word) for word in text.split() if set(word) == {"x"}) == 60
    # All that is said of a rule stands together, the name first.
    assert text.index("nearly") < text.index("telephone") < text.index("xxx") < text.index("measured")
