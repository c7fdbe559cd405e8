"""The benchmark of accuracy: what it promises is checked as it is said, and told where it is missed."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
DAYS = ["2020-03-01", "2020-02-01"]


@pytest.fixture
def accuracy(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("accuracy")


def result(
    *, ahead: float = -0.1, error: float = 0.01, coverage: float = 0.9, bias: float = 0.01, winner: str = "Blend"
) -> dict:
    """A tournament of two, in which NBD is `ahead` of the Blend, which is in use, on the earlier date only."""
    duels = pd.DataFrame(
        [
            {"against": own, "contender": other, "date": day, "measure": measure, "gain": sign * gain,
             "low": sign * gain - 0.02, "high": sign * gain + 0.02}
            for own, other, sign in (("Blend", "NBD", 1), ("NBD", "Blend", -1))
            if own in (winner, "Blend")
            for day, gain in zip([*DAYS, "all"], (-0.05, ahead, -0.05), strict=True)
            for measure in ("log_loss", "auc", "mae", "gini")
        ]
    )  # fmt: skip
    scores = pd.DataFrame(
        [
            {"contender": name, "date": day, "auc": 0.8, "log_loss": 0.3, "brier": 0.1, "calibration_error": error,
             "calibration_error_of_chance": 0.012, "lift": 3.0, "bias": bias, "gini": 0.7, "spearman": 0.6, "mae": 40.0,
             "rmse": 70.0, "coverage": coverage}
            for name in ("NBD", "Blend")
            for day in [*DAYS, "all"]
        ]
    )  # fmt: skip
    verdict = {"winner": winner, "used": "Blend", "rule": "NBD", "playing": ["NBD", "Blend"], "beaten": {}}
    about = {"days": DAYS, "customers": [1500, 1600], "notes": {}, "churn": verdict, "value": verdict}
    return {"about": about, "churn": scores, "value": scores, "churn_duels": duels, "value_duels": duels}


def missed(accuracy: ModuleType, log: str = "stationary", **changes: float) -> list[str]:
    return [verdict.what for verdict in accuracy.promises(result(**changes), log, "used") if not verdict.kept]


def test_all_is_kept_where_all_is_well(accuracy: ModuleType) -> None:
    assert missed(accuracy) == []
    assert [len(accuracy.promises(result(), log, "used")) for log in ("stationary", "cdnow", "seasonal")] == [7, 7, 6]


@pytest.mark.parametrize(("ahead", "worse"), [(0.03, True), (0.01, False), (-0.03, False)])
def test_worse_is_worse_beyond_the_error_at_any_date(accuracy: ModuleType, ahead: float, worse: bool) -> None:
    found = missed(accuracy, ahead=ahead)
    assert (len(found) == 4) == worse
    if worse:
        assert found[0] == "log loss at no date clearly worse than the best other contender"
        verdict = accuracy.promises(result(ahead=ahead), "stationary", "used")[0]
        assert (verdict.model, verdict.found) == ("Blend", "NBD ahead by 0.03 (0.01 to 0.05) on 2020-02-01")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"error": 0.021}, "calibration error under 0.02"),
        ({"coverage": 0.87}, "90 % intervals hold 88 to 92 %"),
        ({"coverage": 0.93}, "90 % intervals hold 88 to 92 %"),
        ({"coverage": np.nan}, "90 % intervals hold 88 to 92 %"),
        ({"bias": -0.06}, "total spend within 5 %"),
    ],
)
def test_each_promise_can_be_missed(accuracy: ModuleType, changes: dict[str, float], said: str) -> None:
    (what,) = missed(accuracy, **changes)
    assert what.startswith(said)


def test_the_total_is_promised_of_real_logs_at_every_date(accuracy: ModuleType) -> None:
    assert missed(accuracy, log="seasonal", bias=0.4) == []
    assert missed(accuracy, log="cdnow", bias=-0.09) == []
    one = result(bias=0.02)
    one["value"].loc[one["value"]["date"] == DAYS[1], "bias"] = -0.12
    verdict = accuracy.promises(one, "complete-journey", "used")[-1]
    assert (verdict.kept, verdict.found) == (False, f"-12.0% on {DAYS[1]}; +2.0% on {DAYS[0]}")


def test_the_page_tells_the_chosen_one_s_side_and_what_was_missed(accuracy: ModuleType) -> None:
    page = accuracy.told("stationary", "A shop", result(ahead=0.03))
    assert "| Blend is better than | by | 2020-02-01 | 2020-03-01 |" in page
    assert r"| NBD | log loss / AUC | -0.030\* / -0.030\* | +0.050\* / +0.050\* |" in page
    assert "Of what is promised, the chosen models kept 3 of 7, those in use 3 of 7." in page
    assert page.count("Blend, chosen and in use") == 7
    assert page.count("**missed**") == 4
    assert "nan" not in page


def test_the_chosen_one_and_the_one_in_use_are_judged_each_for_itself(accuracy: ModuleType) -> None:
    one = result(ahead=-0.03, winner="NBD")
    chosen, used = (accuracy.promises(one, "cdnow", role) for role in ("winner", "used"))
    assert [verdict.kept for verdict in chosen] == [False] * 4 + [True] * 3
    assert chosen[0].found.endswith("on 2020-02-01; Blend ahead by 0.05 (0.03 to 0.07) on 2020-03-01")
    assert all(verdict.kept for verdict in used)
    page = accuracy.told("cdnow", "A shop", one)
    assert "Who leaves: **NBD** is chosen, **Blend** in use; what they spend:" in page
    for model in ("NBD", "Blend"):
        assert page.count(f"| {model} is better than | by |") == 2
    assert page.count("| NBD, chosen | **missed** |") == 4
    assert page.count("|  | Blend, in use | kept |") == 7
    assert "Of what is promised, the chosen models kept 3 of 7, those in use 7 of 7." in page


def test_who_did_not_play_is_told_by_reason(accuracy: ModuleType) -> None:
    notes = {"one": ["did not play: too few"], "two": ["was slow", "did not play: too few"], "three": ["was slow"]}
    assert accuracy._notes({"notes": notes}) == ["Without one, two: too few."]


def test_the_committed_tables_are_of_all_logs_and_name_no_machine(accuracy: ModuleType) -> None:
    page = (FOLDER / "README.md").read_text("utf-8")
    for name in (*accuracy.REAL, *accuracy.SIMULATED):
        text = page.partition(f"<!-- accuracy on {name} -->")[2].partition(f"<!-- end of accuracy on {name} -->")[0]
        assert "Of what is promised," in text
        assert "lifetimes Pareto/NBD" in text
    assert "/work/" not in page


@pytest.mark.slow
def test_it_plays_on_a_simulated_retailer(tmp_path: Path) -> None:
    command = [
        sys.executable,
        FOLDER / "accuracy.py",
        "--logs",
        "stationary",
        "--customers",
        "700",
        "--folder",
        tmp_path,
    ]
    page = tmp_path / "page.md"
    done = subprocess.run([*command, "--write", page], capture_output=True, text=True, check=True)
    for name in ("Days since last purchase", "lifetimes BG/NBD", "lifetimes Pareto/NBD", "Blend"):
        assert f"| {name} | all dates |" in done.stdout
    assert done.stdout.strip() in page.read_text()
    assert "Of what is promised, the chosen models kept" in done.stdout
