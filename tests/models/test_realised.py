"""Promises of earlier runs held against what became of the customers."""

import json
from datetime import date
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from loyalty.features.promised import sums
from loyalty.models.realised import judged, published


def people(size: int, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(seed)
    p = random.beta(1, 3, size)
    customer = [f"c{number}" for number in range(size)]
    scores = pd.DataFrame({"customer": customer, "churn_probability": p})
    return scores, pd.DataFrame({"customer": customer, "churned": random.random(size) < p})


def summed(scores: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    return sums(ibis.memtable(scores), ibis.memtable(outcomes)).to_pandas()


def test_sums_say_what_pandas_says() -> None:
    scores, outcomes = people(2000)
    found = judged(summed(scores, outcomes))
    p, left = scores["churn_probability"], outcomes["churned"]
    assert (found.customers, found.lost, found.happened) == (2000, 0, left.sum())
    assert found.said == pytest.approx(p.sum())
    half = 1.645 * np.sqrt((p * (1 - p)).sum())
    assert (found.low, found.high) == (pytest.approx(p.sum() - half), pytest.approx(p.sum() + half))
    assert found.table["customers"].sum() == 2000
    assert (found.table["realised"] * found.table["customers"]).sum() == pytest.approx(left.sum())
    assert (found.table["promised"] * found.table["customers"]).sum() == pytest.approx(p.sum())
    assert found.table["promised"].is_monotonic_increasing
    assert found.table["customers"].between(100, 300).all()


def test_a_right_promise_is_kept_nine_times_in_ten_and_a_wrong_one_is_not() -> None:
    found = [judged(summed(*people(400, seed))) for seed in range(20)]
    assert sum(one.kept for one in found) >= 15  # nine tenths of 20 expected; 14 or fewer has a chance under 1 %
    scores, outcomes = people(2000)
    assert not judged(summed(scores.assign(churn_probability=scores["churn_probability"] ** 2), outcomes)).kept


def test_who_cannot_be_found_or_judged_is_counted_apart() -> None:
    scores, outcomes = people(100)
    outcomes = outcomes.iloc[:80].astype({"churned": "boolean"})
    outcomes.loc[:9, "churned"] = pd.NA
    found = judged(summed(scores, outcomes))
    assert (found.customers, found.lost) == (70, 30)
    assert found.said == pytest.approx(scores["churn_probability"].iloc[10:80].sum())


def test_nobody_found_is_no_promise() -> None:
    scores, outcomes = people(20)
    found = judged(summed(scores, outcomes.assign(customer="another")))
    assert (found.customers, found.lost, found.said, found.happened) == (0, 20, 0, 0)
    assert found.table.empty


def test_certainties_stay_in_the_last_class() -> None:
    scores = pd.DataFrame({"customer": ["a", "b"], "churn_probability": [1.0, 0.0]})
    cells = summed(scores, pd.DataFrame({"customer": ["a", "b"], "churned": [True, False]}))
    assert cells["cell"].tolist() == [0, 99]


def write(folder: Path, day: str, about: dict[str, object] | None = None, column: str = "churn_probability") -> None:
    (folder / day).mkdir(parents=True)
    table = pa.table({"customer": ["a"], column: [0.3], "model": ["XGBoost"]})
    if about is not None:
        table = table.replace_schema_metadata({"loyalty": json.dumps(about)})
    pq.write_table(table, folder / day / "scores.parquet")


def test_only_scores_whose_horizon_is_over_are_judged(tmp_path: Path) -> None:
    for day in ("2024-02-01", "2024-01-01", "2024-03-01"):
        write(tmp_path, day)
    (tmp_path / "tuned").mkdir()
    found, unreadable = published(tmp_path, date(2024, 3, 2), 30, 60)
    assert [one.day for one in found] == [date(2024, 1, 1), date(2024, 2, 1)]
    assert (found[0].model, found[0].horizon_days, found[0].active_within_days) == ("XGBoost", 30, 60)
    assert unreadable == []


def test_a_file_that_says_its_question_is_judged_by_that(tmp_path: Path) -> None:
    about = {"known_until": "2024-01-05", "horizon_days": 10, "active_within_days": 20}
    write(tmp_path, "2024-01-08", about)
    found, _ = published(tmp_path, date(2024, 1, 15), 30, 60)
    assert [(one.day, one.horizon_days, one.active_within_days) for one in found] == [(date(2024, 1, 5), 10, 20)]


def test_what_is_no_file_of_scores_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    write(tmp_path, "2024-01-01")
    write(tmp_path, "2024-01-02", column="something_else")
    write(tmp_path, "2024-01-04", about={"known_until": 7})
    (tmp_path / "2024-01-03").mkdir()
    (tmp_path / "2024-01-03" / "scores.parquet").write_bytes(b"PAR1 broken off")
    found, unreadable = published(tmp_path, date(2024, 6, 1), 30, 60)
    assert [one.day for one in found] == [date(2024, 1, 1)]
    assert unreadable == ["2024-01-02", "2024-01-03", "2024-01-04"]


def test_scores_of_another_horizon_lie_and_are_judged_apart(tmp_path: Path) -> None:
    write(tmp_path, "2024-01-01", {"horizon_days": 30})
    write(tmp_path, "2024-01-01-h10", {"horizon_days": 10})
    standard, _ = published(tmp_path, date(2024, 6, 1), 30, 60)
    other, unreadable = published(tmp_path, date(2024, 6, 1), 10, 60, "-h10")
    assert [[one.horizon_days for one in found] for found in (standard, other)] == [[30], [10]]
    assert unreadable == []


def test_no_folder_is_nothing_published(tmp_path: Path) -> None:
    assert published(tmp_path / "none", date(2024, 1, 1), 30, 60) == ([], [])
