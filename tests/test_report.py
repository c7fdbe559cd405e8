"""From a log to a report, through the command line, on a retailer made up for it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
LOYALTY = Path(sys.executable).with_name("loyalty")
PAGES = [
    "index", "01_data_health", "02_customer_base", "03_lifetime_value", "04_churn", "05_campaigns", "06_programme",
    "07_actions", "08_backtest", "09_summary",
]  # fmt: skip

DATASET = """
title = "Corner shop <script>alert(1)</script>"
notice = "Made up for a test."
currency = "EUR"
timezone = "Europe/Berlin"

[transactions]
source = "data/raw/corner.csv"
customer = "client"
time = "day"
amount = "paid"

[study]
horizon_days = 30
active_within_days = 60
origins = 2
margin = 0.3

[goals]
churn_rate = 0.3
"""


def corner_shop(customers: int = 700, days: int = 300) -> pd.DataFrame:
    """Purchases of customers who come at rates of their own and may leave after each visit."""
    random = np.random.default_rng(20260101)
    rows = []
    for customer in range(customers):
        gap, leaving, basket = random.gamma(2, 8) + 2, random.beta(1, 14), random.gamma(4, 6)
        day = random.uniform(0, 180)
        while day < days:
            rows.append((f"Anna-{customer:04d}", int(day), round(basket * random.gamma(4, 0.25) + 0.5, 2)))
            if random.random() < leaving:
                break
            day += random.exponential(gap) + 0.5
    frame = pd.DataFrame(rows, columns=["client", "day", "paid"])
    return frame.assign(day=pd.Timestamp("2025-01-01") + pd.to_timedelta(frame["day"], unit="D"))


def call(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LOYALTY, *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LOYALTY_ROOT": str(root), "COLUMNS": "200"} | variables,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A project with one dataset, and the run that made its report."""
    root = tmp_path_factory.mktemp("shop")
    (root / "data" / "raw").mkdir(parents=True)
    (root / "data" / "corner.toml").write_text(DATASET, "utf-8")
    corner_shop().to_csv(root / "data" / "raw" / "corner.csv", index=False)
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    run = call(root, "report", "corner")
    assert run.returncode == 0, run.stderr
    return root, run


def latest(root: Path) -> Path:
    return root / "reports" / "corner" / "latest"


def test_it_says_where_to_open_the_report(shop):
    root, run = shop
    last_day = corner_shop()["day"].max().date()
    as_of = (last_day + pd.Timedelta(days=1)).isoformat()
    assert f"reports/corner/{as_of}/index.html" in run.stdout
    assert latest(root).resolve() == (root / "reports" / "corner" / as_of).resolve()


def test_every_page_holds_a_figure_and_a_number(shop):
    root, _ = shop
    check = subprocess.run(
        [sys.executable, ROOT / ".ci" / "check_pages.py", root / "reports" / "corner"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stdout


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_no_customer_and_runs_nothing_of_the_data(shop, page):
    root, _ = shop
    text = (latest(root) / f"{page}.html").read_text("utf-8")
    assert "Anna-0" not in text
    assert "<script>alert" not in text
    assert "Corner shop &lt;script&gt;" in text
    assert "€" in text or page in ("02_customer_base", "04_churn")


def test_the_manifest_tells_what_it_was_made_from(shop):
    root, _ = shop
    manifest = json.loads((latest(root) / "manifest.json").read_text("utf-8"))
    assert manifest["outcome"] == "done"
    assert manifest["horizon_days"] == 30
    assert list(manifest["notebooks"]) == PAGES[1:]
    assert len(manifest["measures"]) == 6


def test_counts_on_the_first_page_are_those_of_the_log(shop):
    """A second route: the measures that look back, by plain pandas from the CSV."""
    root, _ = shop
    log = corner_shop()
    as_of = log["day"].max() + pd.Timedelta(days=1)
    start = as_of - pd.Timedelta(days=30)
    active = log[log["day"] >= as_of - pd.Timedelta(days=60)]["client"].nunique()
    then = set(log[(log["day"] >= start - pd.Timedelta(days=60)) & (log["day"] < start)]["client"])
    since = log[log["day"] >= start]
    left = len(then - set(since["client"])) / len(then)
    visits = since.drop_duplicates().groupby("client")["day"].nunique()
    values = {
        measure["name"]: measure["value"]
        for measure in json.loads((latest(root) / "manifest.json").read_text("utf-8"))["measures"]
    }
    assert values["Active customers"] == f"{active:,}"
    assert values["Active customers who left"] == f"{100 * left:.1f} %".replace(".0 %", " %")
    assert values["Buyers who bought again"] == f"{100 * (visits > 1).mean():.1f} %".replace(".0 %", " %")


def test_nothing_is_done_where_nothing_changed(shop):
    root, _ = shop
    before = contents(latest(root))
    again = call(root, "report", "corner")
    assert again.returncode == 0
    assert "nothing changed" in again.stdout + again.stderr
    assert "running" not in again.stdout + again.stderr
    assert contents(latest(root)) == before


def test_a_failed_notebook_leaves_the_report_that_was_there(shop):
    root, _ = shop
    path = root / "notebooks" / "04_churn.ipynb"
    good, before = path.read_bytes(), contents(latest(root))
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[5].source = "raise RuntimeError('the till is on fire')"
    nbformat.write(notebook, path)
    try:
        failed = call(root, "report", "corner")
    finally:
        path.write_bytes(good)
    assert failed.returncode == 1
    assert "04_churn" in failed.stderr
    assert "the till is on fire" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert contents(latest(root)) == before
    assert [path.name for path in (root / "reports" / "corner").iterdir() if path.name.startswith(".")] == []


def test_plain_papermill_runs_a_notebook_with_other_parameters(shop, tmp_path):
    root, _ = shop
    parameters = ["-p", "dataset", "corner", "-p", "horizon_days", "45", "-p", "as_of", "2025-10-01"]
    run = subprocess.run(
        [LOYALTY.with_name("papermill"), "notebooks/04_churn.ipynb", tmp_path / "out.ipynb", *parameters],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LOYALTY_ROOT": str(root)},
    )
    assert run.returncode == 0, run.stderr
    said = json.dumps(nbformat.read(tmp_path / "out.ipynb", as_version=4))
    assert "next 45 days" in said


def test_another_day_makes_a_report_beside_the_first(shop):
    root, _ = shop
    run = call(root, "report", "corner", "--as-of", "2025-09-15", "--notebooks", "01_data_health", "--json")
    assert run.returncode == 0, run.stderr
    folder = root / "reports" / "corner" / "2025-09-15"
    written = sorted(path.name for path in folder.iterdir())
    card = [f"model-card{which}.{kind}" for which in ("-value", "") for kind in ("html", "json")]
    assert written == ["01_data_health.html", "index.html", "manifest.json", *card]
    assert json.loads(run.stdout)["as_of"] == "2025-09-15"
    assert latest(root).resolve() != folder.resolve()


def test_check_shows_what_the_log_holds(shop):
    root, _ = shop
    shown = json.loads(call(root, "check", "corner", "--json").stdout)
    log = corner_shop()
    assert shown["lines"] == len(log)
    assert shown["customers"] == log["client"].nunique()
    assert shown["spend"] == pytest.approx(log["paid"].sum())
