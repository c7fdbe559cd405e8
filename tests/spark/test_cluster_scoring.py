"""Scores by Spark are those by DuckDB, are computed on its workers, and little is brought here for them."""

import json
from pathlib import Path

import pandas as pd
import pytest
from agreement import BOUND, DISTINCT, Brought, Pair, assert_agree
from loyalty.cli import app
from loyalty.scores import write_scores
from loyalty.study import Study
from typer.testing import CliRunner

FAR = 120
"""Days ahead: the further, the fewer past dates there are to learn from, each of which costs Spark a minute."""


def test_scores_agree(dirty_pair: Pair) -> None:
    """The parts of Spark's file in order too."""
    pair = [
        Study.open(study.name, engine=study.dataset.engine, root=study.root, horizon_days=FAR) for study in dirty_pair
    ]
    one, other = (pd.read_parquet(write_scores(study)["scores"]) for study in pair)
    assert list(one["customer"]) == list(other["customer"])
    assert_agree(one, other)


def test_no_more_is_brought_here_than_histories_samples_and_sums(
    large: Path, brought: Brought, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOYALTY_ROOT", str(large))
    asked = ["score", "large", "--engine", "spark", "--active-within-days", "200", "--horizon-days", "80"]
    asked += ["--reasons", str(BOUND // 2), "--json"]
    told = CliRunner().invoke(app, asked, catch_exceptions=False)
    made = json.loads(told.stdout)
    assert made["customers"] > 2 * BOUND
    samples = [rows for columns, rows in brought if "customer" in columns or not columns >= DISTINCT]
    assert max(samples) == BOUND
    histories = [rows for columns, rows in brought if columns >= DISTINCT]
    assert 0 < max(histories) < made["customers"]
    assert len(pd.read_parquet(made["scores"])) == made["customers"]


def test_a_sample_is_the_same_customers_on_both_engines(large: Path) -> None:
    """Else models would differ, and every score with them."""
    scores = {}
    for engine in ("spark", "duckdb"):
        study = Study.open("large", engine=engine, root=large, active_within_days=200, horizon_days=80)
        scores[engine] = pd.read_parquet(write_scores(study)["scores"])
    assert_agree(scores["duckdb"], scores["spark"])
