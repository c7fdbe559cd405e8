"""Small projects made for a test, the two real datasets, and a retailer of whom the truth is known."""

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from loyalty.features.columns import Tables
from loyalty.features.histories import purchase_days, return_days
from loyalty.study import Study

# The same examples in every run, so that a red build is red for everyone.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")


SHOP = """\
title = "Corner shop"
currency = "EUR"
timezone = "Europe/Berlin"

[transactions]
source = "data/raw/log.csv"
customer = "customer"
time = "time"
amount = "amount"

[contract]
minimum_customers = 2

[study]
horizon_days = 20
active_within_days = 40
origins = 2
margin = 0.3
"""


@pytest.fixture(scope="session")
def shop_toml() -> str:
    """A dataset file that is right: customer, time and amount in data/raw/log.csv, a horizon of 20 days."""
    return SHOP


@pytest.fixture(scope="session")
def make_shop(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that makes a project around a log (a frame, or the text of a CSV) and returns its root."""

    def make(log: pd.DataFrame | str, toml: str = SHOP) -> Path:
        root = tmp_path_factory.mktemp("shop")
        (root / "notebooks").mkdir()
        (root / "data" / "raw").mkdir(parents=True)
        text = log if isinstance(log, str) else log.to_csv(index=False)
        (root / "data" / "raw" / "log.csv").write_text(text, "utf-8")
        (root / "data" / "shop.toml").write_text(toml, "utf-8")
        return root

    return make


def kept_root(tmp_path_factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], None]) -> Path:
    """A project that all workers of a run share, so that what it keeps is computed once."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / name
    if not root.exists():
        made = tmp_path_factory.mktemp(name)
        (made / "notebooks").mkdir()
        (made / "data").mkdir()
        fill(made)
        try:
            made.rename(root)
        except OSError:  # another worker was first
            shutil.rmtree(made)
    return root


@pytest.fixture(scope="session")
def package_file() -> Callable[[str, str], Path]:
    """Return a function that finds a file inside an installed package, without importing it."""

    def find(package: str, inner: str) -> Path:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        return Path(spec.origin).parent / inner

    return find


@pytest.fixture(scope="session")
def real_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the dataset files of this repository."""

    def fill(root: Path) -> None:
        for file in (Path(__file__).parents[1] / "data").glob("*.toml"):
            shutil.copy(file, root / "data")

    return kept_root(tmp_path_factory, "real", fill)


@pytest.fixture(scope="session")
def journey(real_root: Path) -> Study:
    """Complete Journey."""
    return Study.open("complete-journey", root=real_root)


@pytest.fixture(scope="session")
def cdnow(real_root: Path) -> Study:
    """CDNOW."""
    return Study.open("cdnow", root=real_root)


@pytest.fixture(scope="session")
def simulated_log() -> pd.DataFrame:
    """800 customers over 400 days who buy at random at a rate of their own until they leave unseen (BG/NBD)."""
    random = np.random.default_rng(20200101)
    start = pd.Timestamp("2020-01-01")
    rows = []
    for customer in range(800):
        day, gap = random.uniform(0, 360), 25 / random.gamma(2, 0.8)
        leaves, usual, first = random.beta(1, 9), random.gamma(6, 3), True
        while day < 400:
            time = start + pd.Timedelta(seconds=int(86400 * day))
            rows.append((f"c{customer:03d}", time, round(usual * random.gamma(8, 1 / 8), 2)))
            if not first and random.random() < leaves:  # this model knows no one who leaves after the first purchase
                break
            day, first = day + random.exponential(gap), False
    return pd.DataFrame(rows, columns=["customer", "time", "amount"])


@pytest.fixture(scope="session")
def simulated(simulated_log: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of `simulated_log`."""

    def fill(root: Path) -> None:
        (root / "data" / "raw").mkdir()
        simulated_log.to_csv(root / "data" / "raw" / "log.csv", index=False)
        (root / "data" / "shop.toml").write_text(SHOP + "\n[goals]\nchurn_rate = 0.2\n", "utf-8")

    return Study.open("shop", root=kept_root(tmp_path_factory, "simulated", fill), horizon_days=30)


@pytest.fixture(scope="session")
def lines() -> pd.DataFrame:
    """A small log that has everything: returns, free days, several purchases a day, a leap day. Money in quarters."""
    random = np.random.default_rng(29)
    rows = []
    for customer in "abcdefghijkl":
        for day in random.choice(pd.date_range("2020-01-15", "2020-12-20"), random.integers(1, 14), replace=False):
            for _ in range(random.integers(1, 4)):
                rows.append((customer, day, random.integers(-16, 60) / 4))
    rows += [("leap", pd.Timestamp("2020-02-29"), 4.0), ("leap", pd.Timestamp("2020-03-31"), 0.0)]
    rows += [("once", pd.Timestamp("2020-08-31"), 7.5)]
    rows += [("returns", pd.Timestamp(day), money) for day, money in [("2020-07-01", -5.0), ("2020-08-01", 9.0)]]
    frame = pd.DataFrame(rows, columns=["customer", "time", "amount"])
    frame["day"] = frame["time"].dt.date
    frame["order"] = frame["customer"] + frame["time"].dt.strftime("%j") + random.choice(list("xy"), len(frame))
    frame["discount"] = random.integers(0, 8, len(frame)) / 4
    frame["coupon"] = random.choice([0.0, 0.0, 0.5], len(frame))
    frame["category"] = random.choice(["fruit", "bread", None], len(frame))
    frame["store"] = random.choice(["north", "south"], len(frame))
    frame["channel"] = random.choice(["till", "web", None], len(frame))
    hours = pd.to_timedelta(random.integers(0, 24 * 60, len(frame)), unit="min")
    frame["time"] += hours.where(random.random(len(frame)) < 0.8, pd.Timedelta(0))
    return frame


@pytest.fixture(scope="session")
def tables_of() -> Callable[..., Tables]:
    """Return a function that makes the tables which features are computed from, of a log and other frames."""

    def make(lines: pd.DataFrame, **others: pd.DataFrame) -> Tables:
        log = ibis.memtable(lines)
        return Tables(
            purchase_days(log), return_days(log), log, **{name: ibis.memtable(frame) for name, frame in others.items()}
        )

    return make
