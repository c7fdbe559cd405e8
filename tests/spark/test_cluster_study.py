"""A whole report's results by Spark: little is brought to this process, and they are those by DuckDB."""

from pathlib import Path

import pandas as pd
import pytest
from agreement import BOUND, DISTINCT, Brought, assert_agree, assert_alike
from loyalty.study import STEPS, Study

ACTIVE_DAYS = 200


def of(large: Path, engine: str) -> Study:
    return Study.open("large", engine=engine, root=large, active_within_days=ACTIVE_DAYS)


@pytest.fixture(scope="module")
def by_duckdb(large: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Every step by DuckDB, in a root of its own."""
    root = tmp_path_factory.mktemp("alone")
    for name in ("notebooks", "data"):
        (root / name).mkdir()
    (root / "data" / "large.toml").write_text((large / "data" / "large.toml").read_text("utf-8"), "utf-8")
    (root / "data" / "raw").symlink_to(large / "data" / "raw")
    study = of(root, "duckdb")
    return {name: getattr(study, name)() for name in STEPS}


def test_a_study_brings_no_more_here_than_histories_samples_and_sums(
    large: Path, brought: Brought, by_duckdb: dict[str, object]
) -> None:
    study = of(large, "spark")
    study.prepare()
    everyone = study.value()["totals"]["customers"]
    assert min(everyone, study.periods()["active"].iloc[-1]) > 2 * BOUND
    of_customers = [rows for columns, rows in brought if "customer" in columns]
    assert max(of_customers) == BOUND
    histories = [rows for columns, rows in brought if columns >= DISTINCT]
    assert 0 < max(histories) <= everyone
    # Weeks, months, and days since a first purchase: their number follows from the days of the log.
    days = (study.as_of - study.first_day).days
    others = [rows for columns, rows in brought if not (columns >= DISTINCT or "customer" in columns)]
    assert max(others) < 2 * days < BOUND
    for name, expected in by_duckdb.items():
        same(expected, getattr(study, name)())


def same(one: object, other: object) -> None:
    if isinstance(one, pd.DataFrame) and one.empty:  # as of a retailer without goals
        assert isinstance(other, pd.DataFrame)
        assert list(one.columns) == list(other.columns)
        assert other.empty
    elif isinstance(one, pd.DataFrame):
        assert_agree(one.reset_index(), other.reset_index())  # type: ignore[attr-defined]
    elif isinstance(one, dict):
        assert isinstance(other, dict)
        assert one.keys() == other.keys()
        for name, part in one.items():
            same(part, other[name])
    else:
        assert_alike(one, other)
