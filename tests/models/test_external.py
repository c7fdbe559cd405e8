"""Trees from Parquet files a row group at a time are the trees of the same rows in memory."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loyalty.models.churn import ChurnModel
from loyalty.models.external import RowGroups, train

COLUMNS = ["days_since_last", "spend", "orders"]
GROUP = 900
Data = tuple[pd.DataFrame, list[Path]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Rows in memory, and the same in two files of several row groups; one column has more values than bins."""
    random = np.random.default_rng(11)
    frame = pd.DataFrame(random.gamma(2, 20, (6000, 3)), columns=COLUMNS).round({"orders": 0})
    frame = frame.mask(random.random(frame.shape) < 0.1)
    frame.insert(0, "customer", [f"c{number:05d}" for number in range(len(frame))])
    frame["churned"] = frame["days_since_last"].fillna(0) + random.normal(0, 20, len(frame)) > 40
    folder = tmp_path_factory.mktemp("external")
    files = [folder / "first.parquet", folder / "second.parquet"]
    frame[:4000].to_parquet(files[0], row_group_size=GROUP)
    frame[4000:].to_parquet(files[1], row_group_size=GROUP)
    return frame, files


def test_the_trees_are_those_of_the_same_rows_in_memory(data: Data) -> None:
    frame, files = data
    indexed = frame.set_index("customer")
    in_memory = ChurnModel(rounds=40).fit([indexed[COLUMNS]], [indexed["churned"]])
    external = ChurnModel(rounds=40).fit_parquet(files, "churned")
    assert external.columns_ == COLUMNS
    np.testing.assert_allclose(external.predict(indexed[COLUMNS]), in_memory.predict(indexed[COLUMNS]), rtol=1e-6)
    assert np.ptp(external.predict(indexed[COLUMNS])) > 0.3  # trees that learned nothing would agree too


def test_pages_lie_in_the_folder_that_is_given_and_are_gone_afterwards(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    read = RowGroups.next

    def watched(self: RowGroups, input_data: object) -> bool:
        seen.extend(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
        return read(self, input_data)

    monkeypatch.setattr(RowGroups, "next", watched)
    train({"tree_method": "hist"}, 3, data[1], COLUMNS, "churned", tmp_path)
    assert sum(seen) > 0
    assert list(tmp_path.iterdir()) == []


def test_no_more_than_a_row_group_is_read_at_a_time(data: Data, tmp_path: Path) -> None:
    frame, files = data
    batches: list[tuple[int, int]] = []
    groups = RowGroups(files, COLUMNS, "churned", tmp_path)
    while groups.next(lambda data, label, feature_names: batches.append(data.shape)):
        pass
    assert [rows for rows, _ in batches] == [GROUP] * 4 + [400] + [GROUP] * 2 + [200]
    assert sum(rows for rows, _ in batches) == len(frame)
    groups.reset()
    assert groups.next(lambda data, label, feature_names: batches.append(data.shape))
    assert batches[-1] == (GROUP, len(COLUMNS))
