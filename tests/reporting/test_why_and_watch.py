"""What the churn page says of reasons, errors, drift and earlier promises: whole sentences, true to the results."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from great_tables import GT
from loyalty.reporting import explain_figures, words
from loyalty.reporting.chapters import watch, why
from loyalty.schema import Privacy
from loyalty.study import Study
from matplotlib import pyplot as plt

CHAPTERS = {"why": why, "watch": watch}
ONLY_JUDGED = {"promises_curve", "read_promises_curve", "promises"}
STUDIES = pytest.mark.parametrize(
    "name", ["simulated", *(pytest.param(name, marks=pytest.mark.slow) for name in ("cdnow", "journey"))]
)
BROKEN = re.compile(r"\bnan\b|\bNone\b|\binf\b|\bTrue\b|\bFalse\b|  |\.\.|<NA>|\{|_|–")


def of_a_study(module: ModuleType, kind: type) -> list[Callable[[Study], Any]]:
    return [
        thing
        for name, thing in vars(module).items()
        if inspect.isfunction(thing)
        and not name.startswith("_")
        and name not in ONLY_JUDGED
        and thing.__module__ == module.__name__
        and thing.__annotations__.get("return") is kind
    ]


@pytest.fixture
def study(name: str, request: pytest.FixtureRequest) -> Study:
    return request.getfixturevalue(name)  # type: ignore[no-any-return]


@STUDIES
@pytest.mark.parametrize("chapter", CHAPTERS.values(), ids=CHAPTERS)
def test_sentences_are_whole(chapter: ModuleType, study: Study) -> None:
    said = of_a_study(chapter, str)
    assert len(said) >= 4
    for function in said:
        text = function(study)
        assert text.endswith("."), text
        assert BROKEN.search(text) is None, text


@STUDIES
@pytest.mark.parametrize("chapter", CHAPTERS.values(), ids=CHAPTERS)
def test_tables_hold_numbers(chapter: ModuleType, study: Study) -> None:
    for function in of_a_study(chapter, GT):
        html = function(study).as_raw_html()
        cells = re.findall(r"<td[^>]*gt_right[^>]*>(.*?)</td>", html)
        assert cells
        assert not [cell for cell in cells if re.search(r"nan|None|inf", cell)]


@STUDIES
def test_every_picture_can_be_drawn(study: Study) -> None:
    explain_figures.importance(why.importance(study))
    explain_figures.beeswarm(why.cloud(study), why.labels(study))
    explain_figures.dependence(why.dependence(study))
    explain_figures.waterfall(why.typical(study))
    plt.close("all")


@STUDIES
def test_the_worst_class_is_counted_as_in_the_holdout(study: Study) -> None:
    holdout, best = study.churn()["holdout"], study.churn()["about"]["winner"]
    features = study.features(study.origins()[0]).loc[holdout.index]
    table = study.churn()["weak_spots"]
    row = table[(table["by"] == "Repeat purchase days") & (table["of"] == "2 to 4")].iloc[0]
    inside = features["frequency"].between(2, 4)
    assert row["customers"] == inside.sum()
    assert row["realised"] == pytest.approx(holdout.loc[inside, "churned"].mean())
    assert row["promised"] == pytest.approx(holdout.loc[inside, best].mean())


@STUDIES
def test_rates_are_those_of_the_past_dates(study: Study) -> None:
    rates = study.churn()["rates"]
    assert [day.date() for day in rates.index] == sorted(study.origins())
    assert words.percent(study.churn()["holdout"]["churned"].mean()) in watch.read_rates(study)


def test_small_classes_and_groups_are_not_told_of(simulated: Study) -> None:
    dataset = simulated.dataset.model_copy(update={"privacy": Privacy(minimum_cell=60)})
    strict = Study(
        simulated.name, dataset, simulated.root, simulated.data, as_of=simulated.as_of,
        horizon_days=simulated.horizon_days, active_within_days=simulated.active_within_days,
    )  # fmt: skip
    assert (watch.told_spots(strict)["customers"] >= 60).all()
    cloud, one = why.cloud(strict), why.typical(strict)
    assert cloud is not None
    assert cloud.customers >= 60
    assert one is not None
    assert one.customers == 60
    assert all((panel.found.table["customers"] >= 60).all() for panel in why.dependence(strict))


# Promises


@pytest.fixture(scope="module")
def promised(make_shop: Callable[..., Path], simulated_log: pd.DataFrame) -> Study:
    """The simulated retailer, with scores of two past dates, of one too late, and one file that is broken."""
    root = make_shop(simulated_log)
    study = Study.open("shop", root=root)
    for back, shift in ((1, 0.0), (2, 0.4)):
        day = study.origin(back)
        truth = study.outcomes(day)["churned"].astype("float64")
        chance = np.clip(0.1 + 0.7 * truth.mean() + 0.1 * truth + shift, 0, 0.95)
        write(root, day.isoformat(), truth.index, chance.to_numpy() * truth.mean() / (chance.mean() - shift))
    write(root, study.origin(0).isoformat(), pd.Index(["c001"]), np.array([0.5]))
    broken = root / "data" / "processed" / "shop" / "2020-01-20"
    broken.mkdir()
    (broken / "scores.parquet").write_bytes(b"PAR1")
    return study


def write(root: Path, day: str, customers: pd.Index, chance: np.ndarray) -> None:
    folder = root / "data" / "processed" / "shop" / day
    folder.mkdir(parents=True)
    table = pa.table({"customer": customers.tolist(), "churn_probability": chance, "model": ["BG/NBD"] * len(chance)})
    pq.write_table(table, folder / "scores.parquet")


def test_promises_of_earlier_runs_are_held_against_what_happened(promised: Study) -> None:
    runs = promised.promises()["runs"]
    assert [day.date() for day in runs["day"]] == [promised.origin(1), promised.origin(2)]
    for row in runs.itertuples():
        outcome = promised.outcomes(row.day.date())["churned"]
        assert (row.customers, row.lost, row.happened) == (len(outcome), 0, outcome.sum())
    assert runs["said"].iloc[0] == pytest.approx(runs["happened"].iloc[0])
    text = watch.read_promises(promised)
    assert (
        f"we said that {words.count(runs['said'].iloc[0])} of {words.count(runs['customers'].iloc[0])} would leave"
        in text
    )
    assert f"{words.count(runs['happened'].iloc[0])} did, inside of what chance makes" in text
    assert "The scores of 2020-01-20 cannot be read." in text
    assert not runs["low"].iloc[1] <= runs["happened"].iloc[1] <= runs["high"].iloc[1]


def test_their_calibration_is_told_in_groups(promised: Study) -> None:
    (curve,) = watch.promises_curve(promised).values()
    assert curve["customers"].sum() == promised.promises()["runs"]["customers"].iloc[0]
    assert watch.read_promises_curve(promised).endswith(".")
    assert len(re.findall("<tr", watch.promises(promised).as_raw_html())) >= 3


def test_new_scores_are_judged_without_a_new_study(promised: Study) -> None:
    before = len(promised.promises()["runs"])
    day = promised.origin(3)
    write(promised.root, day.isoformat(), promised.outcomes(day).index, np.full(len(promised.outcomes(day)), 0.3))
    assert len(promised.promises()["runs"]) == before + 1


def test_no_scores_are_no_promises(simulated: Study) -> None:
    assert not watch.is_judged(simulated)
    assert watch.read_promises(simulated).startswith("There are no scores yet whose horizon is over")
