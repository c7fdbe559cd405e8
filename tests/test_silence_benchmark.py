"""The benchmark of silence: figures to beat beside what was found."""

import importlib
import re
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("silence")


def row(page: str, name: str, kind: str) -> list[float]:
    """The figures of a row of the table, without their intervals."""
    (found,) = re.findall(rf"^\| {name} \| {kind} \| (.+) \|$", page, flags=re.M)
    return [float(cell.split()[0]) for cell in found.split("|")]


def test_the_log_knows_every_horizon_to_its_end(silence: ModuleType) -> None:
    assert [ask.horizon_days for ask in silence.ASKED] == [30, 60, 90]
    assert all(ask.day.day == 1 and ask.day + timedelta(days=ask.horizon_days) <= ask.day.replace(month=12, day=31)
               for ask in silence.ASKED)  # fmt: skip


def test_figures_stand_beside_those_to_beat_with_their_intervals(silence: ModuleType) -> None:
    random = np.random.default_rng(1)
    churned = (random.random(400) < 0.3).astype("float64")
    said = pd.DataFrame({"churned": churned, "Blend": churned, "XGBoost": random.random(400)})
    page = silence.told([(silence.ASKED[0], said)])
    assert f"400 households on 2017-12-01, {churned.sum():.0f} silent" in page
    assert row(page, "XGBoost", "to beat") == [0.89]
    assert "| Blend | found | 1.000 (1.000 to 1.000) |" in page
    low, high = map(float, re.search(r"XGBoost \| found \| \S+ \((\S+) to (\S+)\)", page).groups())  # type: ignore[union-attr]
    assert low < 0.5 < high
    assert 0.05 < high - low < 0.2


def test_the_committed_table_beats_what_was_to_beat_and_its_rules_are_the_same(silence: ModuleType) -> None:
    page = (FOLDER / "README.md").read_text("utf-8").partition("<!-- silence on complete-journey -->")[2]
    for name in (silence.WORDS["silence"], silence.WORDS["orders"]):
        assert row(page, name, "found") == pytest.approx(row(page, name, "to beat"), abs=0.0011)
    assert np.all(np.array(row(page, "Blend", "found")) >= row(page, "XGBoost", "to beat"))
