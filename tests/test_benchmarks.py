"""The benchmarks run, compare what they measure, and tell it in a table."""

import doctest
import importlib
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
ROWS = [
    ("histories", "loyalty"),
    ("histories", "hand-written DuckDB SQL"),
    ("histories", "lifetimes"),
    ("all blocks", "loyalty"),
    ("all blocks", "hand-written DuckDB SQL"),
]


MODELS = ["BG/NBD", "MBG/NBD", "Pareto/NBD", "Gamma-Gamma"]


@pytest.fixture(autouse=True)
def path(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)


def rows_of(page):
    """First two cells of each row of the tables in a page."""
    found = re.findall(r"^\| ([^|]+) \| ([^|]+) \| [\d.]+ \|", page, re.MULTILINE)
    return [tuple(cell.strip() for cell in row) for row in found]


def fits_of(page):
    """Model, package and customers of each row of the tables of fits in a page."""
    found = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([\d,]+) \|", page, re.MULTILINE)
    return [tuple(cell.strip() for cell in row) for row in found]


@pytest.mark.slow
def test_contenders_agree_on_a_small_log(tmp_path):
    folder, page = tmp_path / "bench", tmp_path / "page.md"
    command = [
        sys.executable,
        FOLDER / "features.py",
        "20k",
        "--order",
        "time",
        "--runs",
        "1",
        "--folder",
        folder,
        "--write",
        page,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert rows_of(done.stdout) == ROWS
    assert "of 2,000 customers" in done.stdout
    assert "Without pymc-marketing: it is not installed." in done.stdout
    assert done.stdout.strip() in page.read_text()
    assert [file.name for file in folder.iterdir()] == ["lines-20k-by-time.parquet"]  # nothing else is left on the disk


def test_packages_that_hold_all_lines_do_not_meet_a_large_log():
    features = importlib.import_module("features")
    left_out = features._left_out(Namespace(size="100M", peers=Path("python")))
    assert set(left_out) == {"lifetimes", "pymc-marketing"}
    assert features._left_out(Namespace(size="10M", peers=Path("python"))) == {}


def test_no_table_without_agreement(tmp_path, monkeypatch):
    features = importlib.import_module("features")

    def run(task, name, log, result, asked):
        frequency = [0, 3] if name == "loyalty" else [0, 4]
        pd.DataFrame({"customer": [1, 2], "frequency": frequency}).to_parquet(result)

    monkeypatch.setattr(features, "run", run)
    with pytest.raises(SystemExit, match="loyalty and duckdb do not agree on frequency of 1 customers"):
        features.race("histories", ["loyalty", "duckdb"], tmp_path / "log", Namespace(folder=tmp_path))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, ""),
        ({"spend": [2.0 + 1e-10, None, 0.0, 7.0]}, ""),
        ({"spend": [2.0 + 1e-8, None, 0.0, 7.0]}, "spend of 1 customers"),
        ({"spend": [2.0, 0.0, None, 7.0]}, "spend of 2 customers"),
        ({"customer": [1, 2, 3, 5]}, "customers (4 and 4)"),
        ({"extra": [1, 1, 1, 1]}, "columns ['extra']"),
    ],
)
def test_differences_are_found(tmp_path, change, told):
    agree = importlib.import_module("agree")
    frame = {"customer": [1, 2, 3, 4], "spend": [2.0, None, 0.0, 7.0]}
    pd.DataFrame(frame).to_parquet(tmp_path / "ours.parquet")
    pd.DataFrame(frame | change).to_parquet(tmp_path / "theirs.parquet")
    assert agree.differences(tmp_path / "ours.parquet", tmp_path / "theirs.parquet") == told


def test_none_may_be_zero_where_packages_say_so(tmp_path):
    agree = importlib.import_module("agree")
    for name, spend in (("ours", [2.0, None]), ("theirs", [2.0, 0.0])):
        pd.DataFrame({"customer": [1, 2], "spend": spend}).to_parquet(tmp_path / f"{name}.parquet")
    assert agree.differences(tmp_path / "ours.parquet", tmp_path / "theirs.parquet", null_is_zero=True) == ""


def test_peak_memory_is_that_of_the_command():
    # Measured from a small process: the tests' own may be larger than what is measured.
    program = "import sys, measure; print(measure.measure([sys.executable, '-c', sys.argv[1]])[0].peak)"
    peaks = [
        int(subprocess.run([sys.executable, "-c", program, each], capture_output=True, cwd=FOLDER, check=True).stdout)
        for each in ("pass", "b'x' * 2**29")
    ]
    assert peaks[0] < 2**28 < 2**29 <= peaks[1] < 2**29 + 2**28


def test_a_contender_that_fails_stops_the_run():
    measure = importlib.import_module("measure")
    with pytest.raises(subprocess.CalledProcessError, match="exit status 3"):
        measure.measure([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_table_takes_the_place_of_the_former_one(tmp_path):
    asked, page = importlib.import_module("asked"), tmp_path / "page.md"
    page.write_text("# Title\n")
    for name, text in (("1M", "old"), ("10M", "other"), ("1M", "new")):
        asked.put(page, name, text)
    marks = "<!-- {0} -->\n\n{1}\n\n<!-- end of {0} -->"
    assert page.read_text() == f"# Title\n\n{marks.format('1M', 'new')}\n\n{marks.format('10M', 'other')}\n"


@pytest.mark.slow
def test_fits_are_told_beside_those_of_a_peer(tmp_path):
    folder, page = tmp_path / "bench", tmp_path / "page.md"
    asked = ["2k", "--part", "1k", "--models", "bgnbd,pareto_nbd", "--populations", "low", "--runs", "1"]
    command = [sys.executable, FOLDER / "btyd.py", *asked, "--folder", folder, "--write", page]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert fits_of(done.stdout) == [
        ("BG/NBD", "loyalty", "2,000"),
        ("BG/NBD", "lifetimes", "2,000"),
        ("Pareto/NBD", "loyalty", "2,000"),
        ("Pareto/NBD", "loyalty", "1,000"),
        ("Pareto/NBD", "lifetimes", "1,000"),
    ]
    assert "2,000 customers with 1." in done.stdout
    assert "Without pymc-marketing: it is not installed." in done.stdout
    assert done.stdout.strip() in page.read_text()
    assert [file.name for file in folder.iterdir()] == ["customers-2k-low.parquet"]


@pytest.mark.parametrize(("theirs", "told"), [(-100.0, True), (-99.0, False)])
def test_no_table_if_a_peer_reaches_a_higher_likelihood(tmp_path, monkeypatch, theirs, told):
    btyd = importlib.import_module("btyd")
    monkeypatch.setattr(btyd, "aside", lambda function, file, customers, model, found: [at["LL"] for at in found])
    spent = btyd.Spent(2.0, 3.0)
    ours = btyd.Outcome("loyalty", 1000, spent, 5 * 10**8, spent, 0, {"LL": -100.0}, 0.0, {})
    peer = ours._replace(name="lifetimes", fit=btyd.Spent(30.0, 30.0), predict=None, parameters={"LL": theirs})
    if not told:
        with pytest.raises(SystemExit, match=r"BG/NBD: loyalty stops at -100\.000, lifetimes reaches -99\.000"):
            btyd._rows_of("bgnbd", tmp_path, [ours, peer])
        return
    rows = btyd._rows_of("bgnbd", tmp_path, [ours, peer])
    assert rows[1] == ["BG/NBD", "lifetimes", "1,000", "30.00", "30.00", "15.0 / 10.0", "0.50", "-100.00", *["–"] * 4]


def test_an_unknown_model_is_refused(monkeypatch, capsys):
    btyd = importlib.import_module("btyd")
    monkeypatch.setattr(sys, "argv", ["btyd.py", "--models", "bgnbd,bgbb"])
    with pytest.raises(SystemExit, match="2"):
        btyd.main()
    assert "bgbb: expected some of bgnbd, mbgnbd, pareto_nbd, gamma_gamma" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["asked", "measure"])
def test_examples_hold(name):
    failed, attempted = doctest.testmod(importlib.import_module(name))
    assert attempted > 0
    assert failed == 0


def test_the_committed_table_has_all_contenders_and_names_no_machine():
    page = (FOLDER / "README.md").read_text()
    before, _, rest = page.partition("<!-- ledger of 10M lines -->")
    ledger, _, after = rest.partition("<!-- end of ledger of 10M lines -->")
    assert rows_of(ledger) == [
        ("10M", "loyalty"),
        ("10M", "loyalty, where one of 50 customers redeems more than is there"),
        ("1M", "loyalty"),
        ("1M", "a pandas loop by customer"),
    ]
    silence = {(name, "to beat") for name in ("Days since last purchase", "Orders of late", "XGBoost")}
    assert set(ROWS) | {("histories", "pymc-marketing")} | silence == set(rows_of(before + after))
    assert "/work/" not in page


def test_the_committed_tables_of_fits_have_all_models_and_peers():
    rows = fits_of((FOLDER / "README.md").read_text())
    peers = {"loyalty", "lifetimes", "pymc-marketing MAP"}
    assert {(model, name) for model, name, _ in rows} == {(model, name) for model in MODELS for name in peers}
