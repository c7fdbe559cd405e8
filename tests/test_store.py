"""Results on disk: computed once, whole or not at all, and read back as they were."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty import store
from loyalty.store import Store, digest


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "kept")


FRAME = pd.DataFrame(
    {
        "name": ["a", None],
        "day": [date(2020, 2, 29), date(2020, 3, 1)],
        "time": pd.to_datetime(["2020-02-29 12:00:00.5", None]),
        "money": [0.1 + 0.2, np.nan],
        "count": [2**60, -1],
        "left": [True, False],
    },
    index=pd.Index(["x", "y"], name="customer"),
)


def test_a_frame_comes_back_as_it_was(kept: Store) -> None:
    back = kept.get("frame", lambda: FRAME)
    pd.testing.assert_frame_equal(back, FRAME, check_dtype=False)
    assert back["count"].dtype == "int64"
    assert back["left"].dtype == "bool"
    assert back["money"].iloc[0] == 0.1 + 0.2


def test_a_dict_of_frames_and_plain_values_comes_back_as_it_was(kept: Store) -> None:
    values: dict[str, Any] = {"totals": {"spend": 1 / 3, "n": 3}, "notes": ["ä", "–"], "none": None, "text": "x"}
    back = kept.get("both", lambda: values | {"each": FRAME[["money"]], "empty": FRAME.iloc[:0]})
    assert {name: back[name] for name in values} == values
    pd.testing.assert_frame_equal(back["each"], FRAME[["money"]])
    assert len(back["empty"]) == 0
    assert list(back["empty"].columns) == list(FRAME.columns)


def test_the_second_call_reads(kept: Store) -> None:
    calls = []
    for _ in range(2):
        kept.get("result", lambda: calls.append(1) or {"n": len(calls)})  # type: ignore[func-returns-value]
    assert kept.get("result", lambda: pytest.fail("computed again")) == {"n": 1}
    assert Store(kept.folder).get("result", lambda: pytest.fail("computed again")) == {"n": 1}
    assert len(calls) == 1


def test_a_computation_that_fails_leaves_nothing_behind(kept: Store) -> None:
    def fail() -> pd.DataFrame:
        raise ZeroDivisionError("no customers")

    with pytest.raises(ZeroDivisionError, match="no customers"):
        kept.get("result", fail)
    assert list(kept.folder.rglob("*")) == []
    assert kept.get("result", lambda: {"n": 1}) == {"n": 1}


def test_a_result_that_cannot_be_written_leaves_nothing_behind(kept: Store) -> None:
    mixed = pd.DataFrame({"what": [object(), 3]})
    with pytest.raises(Exception, match="object"):
        kept.get("result", lambda: {"good": FRAME, "bad": mixed})
    assert list(kept.folder.rglob("*")) == []


def test_a_half_written_result_is_not_read(kept: Store) -> None:
    broken = kept.folder / ".new-killed"
    broken.mkdir(parents=True)
    (broken / "frame.parquet").write_bytes(b"PAR1")
    pd.testing.assert_frame_equal(kept.get("result", lambda: FRAME), FRAME, check_dtype=False)


def test_the_first_of_two_that_compute_the_same_is_kept(kept: Store) -> None:
    def slower() -> dict[str, Any]:
        kept.get("result", lambda: {"by": "the first"})
        return {"by": "the second"}

    assert kept.get("result", slower) == {"by": "the first"}
    assert [path.name for path in kept.folder.iterdir()] == ["result"]


def test_a_file_is_made_once_and_whole(kept: Store) -> None:
    made = kept.file("log.txt", lambda path: path.write_text("whole"))  # type: ignore[arg-type,return-value]
    assert kept.file("log.txt", lambda path: pytest.fail("made again")) == made
    assert made.read_text() == "whole"


def test_a_file_whose_making_breaks_off_is_not_there(kept: Store) -> None:
    def breaks(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        kept.file("log.txt", breaks)
    assert list(kept.folder.rglob("*")) == []


def test_a_digest_knows_where_its_parts_end() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("a", 1) == digest("a", "1")
    assert len({digest(), digest(""), digest("", "")}) >= 2


def test_the_code_version_follows_the_code_that_computes_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("models/fit.py", "reporting/figures.py", "store.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    monkeypatch.setattr(store, "__file__", str(tmp_path / "store.py"))
    version = store.code_version.__wrapped__
    first = version()
    (tmp_path / "reporting" / "figures.py").write_text("x = 2\n")
    assert version() == first
    (tmp_path / "models" / "fit.py").write_text("x = 2\n")
    assert version() != first


def test_the_code_version_follows_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    first = store.code_version.__wrapped__()
    monkeypatch.setattr(store.importlib.metadata, "version", lambda name: f"{name} of tomorrow")
    assert store.code_version.__wrapped__() != first


def test_every_module_that_a_study_imports_to_compute_is_part_of_the_code_version() -> None:
    source = Path(store.__file__).parent
    outside = {"__init__.py", "cli.py", "commands", "exports.py", "from_lifetimes.py", "keys.py", "scores.py"}
    computing = {path.relative_to(source).parts[0] for path in source.rglob("*.py")} - outside - {"reporting"}
    assert computing <= set(store.COMPUTING)
