"""The file of scores: everyone active, once, in order, whole or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from loyalty import scores
from loyalty.cli import app
from loyalty.errors import SettingsError
from loyalty.features import rfm
from loyalty.models.champion_scores import NUMBERS
from loyalty.models.chosen import Chosen
from loyalty.models.realised import published
from loyalty.study import Study
from typer.testing import CliRunner

REASONS = ("reason_1", "reason_2", "reason_3")


@pytest.fixture(scope="module")
def written(simulated: Study) -> pd.DataFrame:
    return pd.read_parquet(scores.write_scores(simulated, explained=40, csv=True)["scores"])


def test_everyone_active_has_one_row_in_order(simulated: Study, written: pd.DataFrame) -> None:
    assert list(written.columns) == ["customer", *NUMBERS, "segment", *REASONS, "model", "run"]
    assert list(written["customer"]) == list(simulated.features().index)
    assert written.drop(columns=list(REASONS)).notna().all(axis=None)
    assert set(written["run"]) == {simulated.key}


def test_the_scores_are_those_of_the_report(simulated: Study, written: pd.DataFrame) -> None:
    churn = simulated.churn()
    told = written.set_index("customer")
    assert set(told["model"]) == {churn["about"]["winner"]}
    pd.testing.assert_frame_equal(told[list(NUMBERS)], churn["scores"], rtol=1e-6, check_index_type=False)
    segments = rfm.segments(simulated.data.tables, simulated.as_of).to_pandas().set_index("customer")["segment"]
    pd.testing.assert_series_equal(told["segment"], segments.loc[told.index], check_names=False)


def test_those_most_at_risk_and_the_most_valuable_have_reasons(written: pd.DataFrame) -> None:
    told = written[written["reason_1"].notna()]
    assert len(told) == 40
    for name in ("churn_probability", "clv"):
        assert set(written.nlargest(20, name)["customer"]) <= set(told["customer"])
    assert told["reason_1"].str.contains(r"\((?:raises|lowers) the risk\)$").all()
    assert (told["reason_1"] != told["reason_2"]).all()


def test_nobody_and_everybody_can_have_reasons(simulated: Study, written: pd.DataFrame) -> None:
    told = {most: pd.read_parquet(scores.write_scores(simulated, explained=most)["scores"]) for most in (0, None, 40)}
    assert told[0]["reason_1"].isna().all()
    assert told[None]["reason_1"].notna().all()
    pd.testing.assert_frame_equal(told[40], written)
    some = written["reason_1"].notna()
    pd.testing.assert_frame_equal(told[None][some], written[some])


def test_the_csv_says_the_same(simulated: Study, written: pd.DataFrame) -> None:
    made = scores.write_scores(simulated, explained=40, csv=True)
    again = pd.read_csv(made["csv"], dtype={"customer": "str"})
    pd.testing.assert_frame_equal(again[list(NUMBERS)].astype("float64"), written[list(NUMBERS)])
    assert again["customer"].tolist() == written["customer"].tolist()


def test_the_file_says_what_it_answers(simulated: Study, written: pd.DataFrame) -> None:
    folder = simulated.root / "data" / "processed" / "shop"
    later = simulated.known_until + pd.Timedelta(days=31)
    ((one,), unreadable) = published(folder, later, horizon_days=999, active_within_days=999, variant="-h30")
    assert not unreadable
    assert (one.day, one.horizon_days, one.active_within_days) == (simulated.known_until, 30, 40)
    assert one.model == simulated.churn()["about"]["winner"]


def test_the_model_beside_the_scores_gives_the_same(simulated: Study, written: pd.DataFrame) -> None:
    folder = simulated.processed
    told = Chosen.load(folder / "model").forecast(simulated.features())
    pd.testing.assert_series_equal(
        told["churn_probability"], written.set_index("customer")["churn_probability"], rtol=1e-6, check_index_type=False
    )


def test_a_run_that_fails_leaves_the_file_of_the_last(
    simulated: Study, written: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = simulated.processed

    def broken(batches: Iterator[pd.DataFrame], **_: object) -> Iterator[pd.DataFrame]:
        yield from ()
        raise OSError("the disk is full")

    monkeypatch.setattr(scores.champion_scores, "score_batches", broken)
    with pytest.raises(OSError, match="the disk is full"):
        scores.write_scores(simulated)
    assert sorted(file.name for file in folder.iterdir()) == ["model", "scores.csv", "scores.parquet"]
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "scores.parquet"), written)


def test_the_command_says_where_they_are(simulated: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_ROOT", str(simulated.root))
    asked = ["score", "shop", "--horizon-days", "30"]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0
    assert f"data/processed/shop/{simulated.as_of}-h30/scores.parquet" in told.stdout
    made = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    assert Path(made["scores"]).is_file()
    assert made["customers"] == len(simulated.features())
    assert made["model"] in made["about"].values()


@pytest.mark.parametrize("asked", ["few", "-3", "1.5"])
def test_a_wrong_number_of_reasons_is_told(simulated: Study, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv("LOYALTY_ROOT", str(simulated.root))
    with pytest.raises(SettingsError, match=f"--reasons: expected a number of customers or all, found '{asked}'"):
        CliRunner().invoke(app, ["score", "shop", f"--reasons={asked}"], catch_exceptions=False)
