"""CDNOW purchases, read where the package lifetimes keeps them, in the conventions of the papers."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

CALIBRATION_END = pd.Timestamp("1997-09-30")
HOLDOUT_END = pd.Timestamp("1998-06-30")


def cdnow_file(name: str) -> Path:
    """Find a data file without importing lifetimes.datasets, which needs pkg_resources."""
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / name


def purchase_days(log: pd.DataFrame) -> pd.DataFrame:
    """One row for each customer and day, amounts summed."""
    log["day"] = pd.to_datetime(log["day"].astype(str), format="%Y%m%d")
    return log.groupby(["customer", "day"], as_index=False)["amount"].sum()


def histories(days: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Count T to the last day of the period itself, as the papers do."""
    known = days[days["day"] <= end]
    first = known.groupby("customer")["day"].transform("min")
    repeats = known[known["day"] > first].groupby("customer")["amount"]
    seen = known.groupby("customer")["day"]
    return pd.DataFrame(
        {
            "frequency": seen.size() - 1,
            "recency": (seen.max() - seen.min()).dt.days,
            "T": (end - seen.min()).dt.days,
            "monetary_value": repeats.mean(),  # null without a repeat purchase
        }
    )


@dataclass(frozen=True)
class Panel:
    """Calibration histories, and purchase days in the 39 weeks after it, by customer."""

    histories: pd.DataFrame
    holdout: pd.Series


def panel(days: pd.DataFrame) -> Panel:
    """Split a log of purchase days at the end of the calibration period."""
    known = histories(days, CALIBRATION_END)
    later = days[(days["day"] > CALIBRATION_END) & (days["day"] <= HOLDOUT_END)]
    counts = later.groupby("customer").size().reindex(known.index, fill_value=0)
    return Panel(known, counts)


@pytest.fixture(scope="session")
def sample_days() -> pd.DataFrame:
    """Purchase days of the CDNOW 1/10 sample: customer, day, amount."""
    names = ["master", "customer", "day", "quantity", "amount"]
    return purchase_days(pd.read_csv(cdnow_file("CDNOW_sample.txt"), sep=r"\s+", header=None, names=names))


@pytest.fixture(scope="session")
def sample(sample_days: pd.DataFrame) -> Panel:
    """CDNOW 1/10 sample: 2,357 customers."""
    return panel(sample_days)


@pytest.fixture(scope="session")
def cdnow_summary() -> pd.DataFrame:
    """CDNOW 1/10 sample as lifetimes summed it up: ID, x, t_x, T (weeks), zbar (mean spend to the cent)."""
    return pd.read_csv(cdnow_file("cdnow_customers_summary_with_transactions.csv"))


@pytest.fixture(scope="session")
def master() -> Panel:
    """CDNOW master: 23,570 customers."""
    names = ["customer", "day", "quantity", "amount"]
    log = pd.read_csv(cdnow_file("CDNOW_master.txt"), sep=r"\s+", skiprows=1, names=names)
    return panel(purchase_days(log))
