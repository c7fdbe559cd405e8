"""A whole report's results by Spark: little is brought to this process, and they are those by DuckDB."""

from pathlib import Path

import pandas as pd
import pytest
from agreement import BOUND, DISTINCT, Brought, assert_agree, assert_alike
from loyalty.programme.ledger import STEPS as STEPS_OF_POINTS
from loyalty.programme.owed import GROUPS, PERIOD_DAYS
from loyalty.study import STEPS, Study

ACTIVE_DAYS = 200
CELLS = {"group", "half", "later", "cohort", "gone", "step"}


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
    days = (study.as_of - study.first_day).days
    # Points by group of customers, first or later, when they came, when they went, and how: bound by the days, too.
    periods = days // PERIOD_DAYS + 2
    cells = [rows for columns, rows in brought if columns >= CELLS]
    assert 0 < max(cells) <= GROUPS * 2 * periods * (periods + 1) / 2 * len(STEPS_OF_POINTS)
    # Weeks, months, and days since a first purchase.
    others = [
        rows for columns, rows in brought if not (columns >= DISTINCT or columns >= CELLS or "customer" in columns)
    ]
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
