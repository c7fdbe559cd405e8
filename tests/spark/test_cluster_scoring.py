"""Scores by Spark are those by DuckDB, are computed on its workers, and little is brought here for them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from agreement import Pair, assert_agree, project
from loyalty.cli import app
from loyalty.scores import write_scores
from loyalty.sources.simulator import Simulation, simulate
from loyalty.study import Study
from typer.testing import CliRunner

DISTINCT = {"frequency", "recency", "T", "weight"}
BOUND = 1000
"""The least that `engine_settings.training_customers` may be."""


def test_scores_agree(dirty_pair: Pair) -> None:
    """The parts of Spark's file in order too."""
    one, other = (pd.read_parquet(write_scores(study)["scores"]) for study in dirty_pair)
    assert list(one["customer"]) == list(other["customer"])
    assert_agree(one, other)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A retailer with more active customers than may be brought to one machine to learn from."""
    root = project(tmp_path_factory.mktemp("large"))
    simulate(
        Simulation(customers=4000, days=240, horizon_days=40, acquisition_days=150, seed=5, plain=True), "large", root
    )
    file = root / "data" / "large.toml"
    file.write_text(file.read_text("utf-8") + f"\n[engine_settings]\ntraining_customers = {BOUND}\n", "utf-8")
    return root


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch, spark: Any) -> list[tuple[frozenset[str], int]]:
    """Columns and number of rows of everything that Spark hands to this process."""
    seen: list[tuple[frozenset[str], int]] = []
    frame = type(spark._session.range(1))

    def watched(ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(self: Any, *args: Any, **options: Any) -> Any:
            rows = ask(self, *args, **options)
            seen.append((frozenset(self.columns), len(rows)))
            return rows

        return asked

    for name in ("toPandas", "collect", "toArrow", "take", "tail"):
        monkeypatch.setattr(frame, name, watched(getattr(frame, name)))

    def refused(self: Any, *args: Any, **options: Any) -> None:
        raise AssertionError("rows are streamed to this process")

    monkeypatch.setattr(frame, "toLocalIterator", refused)
    return seen


def test_no_more_is_brought_here_than_histories_samples_and_sums(
    large: Path, brought: list[tuple[frozenset[str], int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOYALTY_ROOT", str(large))
    asked = ["score", "large", "--engine", "spark", "--active-within-days", "200", "--json"]
    told = CliRunner().invoke(app, asked, catch_exceptions=False)
    made = json.loads(told.stdout)
    assert made["customers"] > 2 * BOUND
    samples = [rows for columns, rows in brought if columns != DISTINCT]
    assert max(samples) == BOUND
    histories = [rows for columns, rows in brought if columns == DISTINCT]
    assert 0 < max(histories) < made["customers"]
    assert len(pd.read_parquet(made["scores"])) == made["customers"]


def test_a_sample_is_the_same_customers_on_both_engines(large: Path) -> None:
    """Else models would differ, and every score with them."""
    scores = {}
    for engine in ("spark", "duckdb"):
        study = Study.open("large", engine=engine, root=large, active_within_days=200)
        scores[engine] = pd.read_parquet(write_scores(study)["scores"])
    assert_agree(scores["duckdb"], scores["spark"])
