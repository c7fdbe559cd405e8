"""What earlier runs promised against what became of it."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..features.labels import NO_PURCHASE
from .groups import REACH
from .metrics import wilson

NEEDED = {"customer", "churn_probability"}
ABOUT = b"loyalty"
"""Key of a score file's own words on itself: JSON with `known_until`, `horizon_days`, `active_within_days`, `churn`."""


class Published(NamedTuple):
    """Scores of an earlier run whose horizon is over.

    Attributes
    ----------
    path : of the file.
    day : first day that was not known to them.
    horizon_days, active_within_days : of the question that they answer.
    model : of the first row, empty if the file does not say.
    churn : what leaving means there, see `features.labels.labels`.
    """

    path: Path
    day: date
    horizon_days: int
    active_within_days: int
    model: str
    churn: str = NO_PURCHASE


class Realised(NamedTuple):
    """What was said, and what happened.

    Attributes
    ----------
    customers : scored, whose outcome is known.
    lost : scored customers of whom nothing is known any more.
    said, low, high : leavers promised, and 90 % of what chance makes of a promise that is right.
    happened : how many left.
    table : promised and realised by about equal groups, see `models.metrics.calibration`.
    """

    customers: int
    lost: int
    said: float
    low: float
    high: float
    happened: int
    table: pd.DataFrame

    @property
    def kept(self) -> bool:
        """Whether what happened lies within chance of the promise."""
        return self.low <= self.happened <= self.high


def published(
    folder: Path, known_until: date, horizon_days: int, active_within_days: int, variant: str = ""
) -> tuple[list[Published], list[str]]:
    """Score files whose horizon is over.

    Parameters
    ----------
    folder : `data/processed/<dataset>`, with one folder a date.
    known_until : first day of which nothing is known yet.
    horizon_days, active_within_days : of files that do not say theirs.
    variant : end of the names of folders that are looked at, see `settings.variant`.

    Returns
    -------
    The files, the oldest first, and the names of folders whose file cannot be read or is none of scores.
    """
    found, unreadable = [], []
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        path = place / "scores.parquet"
        day = _day(place.name.removesuffix(variant)) if place.name.endswith(variant) else None
        if day is None or not path.is_file():
            continue
        try:
            one = _read(path, day, horizon_days, active_within_days)
        except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
            unreadable.append(place.name)
            continue
        if one.day + timedelta(days=one.horizon_days) <= known_until:
            found.append(one)
    return found, unreadable


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def _read(path: Path, day: date, horizon_days: int, active_within_days: int) -> Published:
    file = pq.ParquetFile(path)
    if not set(file.schema_arrow.names) >= NEEDED:
        raise ValueError("these are no scores")
    about = json.loads((file.schema_arrow.metadata or {}).get(ABOUT, b"{}"))
    model = ""
    if "model" in file.schema_arrow.names and file.metadata.num_rows:
        model = str(next(file.iter_batches(1, columns=["model"])).column(0)[0].as_py() or "")
    return Published(
        path,
        date.fromisoformat(about.get("known_until", day.isoformat())),
        int(about.get("horizon_days", horizon_days)),
        int(about.get("active_within_days", active_within_days)),
        model,
        str(about.get("churn", NO_PURCHASE)),
    )


def judged(cells: pd.DataFrame, groups: int = 10) -> Realised:
    """What was promised and what happened.

    Parameters
    ----------
    cells : see `features.promised.sums`.
    groups : of the calibration table, at most.
    """
    total = cells[["scored", "customers", "promised", "chance", "left"]].sum()
    half = REACH * float(np.sqrt(total["chance"]))
    return Realised(
        int(total["customers"]),
        int(total["scored"] - total["customers"]),
        float(total["promised"]),
        max(float(total["promised"]) - half, 0.0),
        min(float(total["promised"]) + half, float(total["customers"])),
        int(total["left"]),
        _calibration(cells[cells["customers"] > 0].sort_values("cell"), groups),
    )


def _calibration(cells: pd.DataFrame, groups: int) -> pd.DataFrame:
    """Cells joined to groups of about equal numbers of customers."""
    count = cells["customers"].to_numpy("float64")
    middle = (np.cumsum(count) - count / 2) / max(count.sum(), 1)
    summed = cells.groupby((middle * groups).astype("int64"))[["customers", "promised", "left"]].sum()
    rows = [
        (row.customers, row.promised / row.customers, row.left / row.customers, *wilson(row.left, row.customers))
        for row in summed.itertuples()
    ]
    return pd.DataFrame(rows, columns=["customers", "promised", "realised", "low", "high"])
