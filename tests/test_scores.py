"""The file of scores: everyone active, once, in order, whole or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from loyalty import scores
from loyalty.cli import app
from loyalty.features import rfm
from loyalty.models.scoring import NUMBERS
from loyalty.study import Study
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def written(simulated: Study) -> pd.DataFrame:
    return pd.read_parquet(scores.write_scores(simulated)["scores"])


def test_everyone_active_has_one_row_in_order(simulated: Study, written: pd.DataFrame) -> None:
    assert list(written.columns) == ["customer", *NUMBERS, "segment", "model", "run"]
    assert list(written["customer"]) == list(simulated.features().index)
    assert written.notna().all(axis=None)
    assert set(written["run"]) == {simulated.key}


def test_the_scores_are_those_of_the_report(simulated: Study, written: pd.DataFrame) -> None:
    churn, value = simulated.churn(), simulated.value()["customers"]
    told = written.set_index("customer")
    assert set(told["model"]) == {churn["about"]["winner"]}
    expected = churn["scores"]["churn_probability"]
    pd.testing.assert_series_equal(told["churn_probability"], expected, rtol=1e-9, check_index_type=False)
    pairs = {"expected_orders": "expected_purchases", "expected_spend": "expected_spend", "clv": "clv"}
    for name, same in pairs.items():
        reported = value.loc[told.index, same]
        pd.testing.assert_series_equal(told[name], reported, rtol=1e-6, check_names=False)
    segments = rfm.segments(simulated.data.tables, simulated.as_of).to_pandas().set_index("customer")["segment"]
    pd.testing.assert_series_equal(told["segment"], segments.loc[told.index], check_names=False)


def test_a_run_that_fails_leaves_the_file_of_the_last(
    simulated: Study, written: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = simulated.root / "data" / "processed" / "shop" / simulated.as_of.isoformat()

    def broken(batches: Iterator[pd.DataFrame], **_: object) -> Iterator[pd.DataFrame]:
        yield from ()
        raise OSError("the disk is full")

    monkeypatch.setattr(scores.scoring, "score_batches", broken)
    with pytest.raises(OSError, match="the disk is full"):
        scores.write_scores(simulated)
    assert [file.name for file in folder.iterdir()] == ["scores.parquet"]
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "scores.parquet"), written)


def test_the_command_says_where_they_are(simulated: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_ROOT", str(simulated.root))
    asked = ["score", "shop", "--horizon-days", "30"]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0
    assert f"data/processed/shop/{simulated.as_of}/scores.parquet" in told.stdout
    made = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    assert Path(made["scores"]).is_file()
    assert made["customers"] == len(simulated.features())
    assert made["model"] in made["comparison"]
