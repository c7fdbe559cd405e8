"""The benchmark of points: its ledger is one, both contenders find the same in it, and the table tells the ratio."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def path(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)


def test_nobody_redeems_what_is_not_there(tmp_path):
    ledgers, settlers = importlib.import_module("ledgers"), importlib.import_module("settlers")
    ledgers.make(3000, tmp_path / "ledger.parquet")
    frame = pd.read_parquet(tmp_path / "ledger.parquet")
    assert list(frame.columns) == ["customer", "day", "points", "kind"]
    assert frame["customer"].is_monotonic_increasing
    assert ((frame["points"] > 0) == (frame["kind"] == "earn")).all()
    told = settlers.pandas_loop()(tmp_path / "ledger.parquet", tmp_path, 1.0)
    assert told["issued"] == frame["points"].clip(lower=0).sum()
    assert told["redeemed"] == -frame["points"].clip(upper=0).sum()
    assert told["issued"] == told["redeemed"] + told["expired"] + told["outstanding"]
    assert min(told.values()) > 0


@pytest.mark.slow
def test_contenders_find_the_same_points(tmp_path):
    folder, page = tmp_path / "bench", tmp_path / "page.md"
    asked = ["20k", "--part", "5k", "--runs", "1", "--folder", folder, "--write", page]
    command = [sys.executable, FOLDER / "programme.py", *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = re.findall(r"^\| (\w+) \| ([^|]+) \| [\d.]+ \|", done.stdout, re.MULTILINE)
    greedy = importlib.import_module("programme").GREEDY
    assert rows == [("20k", "loyalty"), ("20k", greedy), ("5k", "loyalty"), ("5k", "a pandas loop by customer")]
    assert re.search(r"lines of (1,9\d\d|2,000) customers", done.stdout)
    assert done.stdout.strip() in page.read_text()
    assert sorted(file.name for file in folder.iterdir()) == [
        "ledger-20k-greedy.parquet", "ledger-20k.parquet", "ledger-5k.parquet"
    ]  # fmt: skip


def test_no_table_without_agreement():
    programme = importlib.import_module("programme")
    cost = importlib.import_module("measure").Cost(10.0, 0.0, 10.0, 10**9)
    ours = programme.Outcome("1M", "loyalty", cost, 1.0, {"expired": 5.0}, {})
    theirs = ours._replace(shown="loop", cost=cost._replace(user=28.0), points={"expired": 5.001})
    programme.agree(ours, theirs)
    assert [row[-2:] for row in programme.rows([ours, theirs])] == [["9.0", "1.00"], ["27.0", "3.00"]]
    with pytest.raises(SystemExit, match=r"1M lines: loyalty finds 5\.00 points expired, loop 6\.00"):
        programme.agree(ours, theirs._replace(points={"expired": 6.0}))
