"""What it means that two engines agree."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
from loyalty.study import Study

ENGINES = ("duckdb", "spark")
Pair = tuple[Study, Study]
"""The same study by DuckDB and by Spark."""
Brought = list[tuple[frozenset[str], int]]
"""Columns and number of rows of everything that Spark hands to this process."""

DISTINCT = {"frequency", "recency", "T", "weight"}
"""Columns that every table of different histories has, and no table of customers."""
BOUND = 1000
"""The least that `engine_settings.training_customers` may be."""


def project(root: Path) -> Path:
    """An empty project in a folder that exists."""
    (root / "notebooks").mkdir()
    (root / "data").mkdir()
    return root


def assert_agree(one: Any, other: Any) -> None:
    """Rows of two expressions or frames: numbers equal to 1e-9, relative or absolute, and all else exactly."""
    one, other = frame_of(one), frame_of(other)
    assert len(one), "nothing is compared"
    pd.testing.assert_frame_equal(one, other, check_dtype=False, rtol=1e-9, atol=1e-9)


def assert_alike(one: Any, other: Any) -> None:
    """The same for plain values inside dicts and lists."""
    if isinstance(one, dict):
        assert list(one) == list(other)
        assert_alike(list(one.values()), list(other.values()))
    elif isinstance(one, list):
        assert len(one) == len(other)
        for value, same in zip(one, other, strict=True):
            assert_alike(value, same)
    elif isinstance(one, float):
        assert math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    else:
        assert one == other


def frame_of(result: Any) -> pd.DataFrame:
    """An expression or frame with its rows in a total order, which engines do not promise."""
    frame = result.copy() if isinstance(result, pd.DataFrame) else result.to_pandas()
    for name, column in frame.items():
        if column.dtype == object:  # a column that holds nothing may say so in different ways
            frame[name] = column.where(column.notna(), None)
    return frame.sort_values(list(frame.columns), ignore_index=True)
