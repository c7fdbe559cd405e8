"""A randomised file that nobody described: `loyalty init` recognises it, and the page reads it without code."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loyalty.commands.init import init
from loyalty.errors import RefusedError
from loyalty.experiments import Experiment
from loyalty.settings import load_dataset

LOYALTY = Path(sys.executable).with_name("loyalty")
REPOSITORY = Path(__file__).parents[1]
ROWS = 900


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, and the working directory in it."""
    for folder in ("data/raw", "notebooks"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("LOYALTY_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def e_mails(arms: tuple[str, ...] = ("Mens E-Mail", "Womens E-Mail", "No E-Mail")) -> pd.DataFrame:
    """The columns of a public e-mail experiment; the first arm adds 20 to what is spent."""
    random = np.random.default_rng(1)
    segment, history = random.choice(arms, ROWS), random.gamma(2, 100, ROWS).round(2)
    spend = history / 4 + random.gamma(2, 10, ROWS) + 20 * (segment == arms[0])
    return pd.DataFrame(
        {
            "recency": random.integers(1, 13, ROWS),
            "history": history,
            "zip_code": random.choice(["Surburban", "Urban", "Rural"], ROWS),
            "channel": random.choice(["Phone", "Web"], ROWS),
            "segment": segment,
            "visit": random.integers(0, 2, ROWS),
            "spend": spend.round(2),
        }
    )


def test_a_randomised_file_becomes_an_experiment_whose_effects_are_those_of_the_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = e_mails()
    frame.to_csv("data/raw/mails.csv", index=False)
    init("data/raw/mails.csv", None, False)
    assert capsys.readouterr().out.splitlines()[-1] == "Next:  loyalty check mails"
    dataset = load_dataset("mails", project)
    assert dataset.experiment is not None
    assert not dataset.transactions
    trial = Experiment.open("mails", root=project)
    assert trial.sizes.to_dict() == frame["segment"].value_counts().to_dict()
    means = frame.groupby("segment")["spend"].mean()
    for arm in ("Mens E-Mail", "Womens E-Mail"):
        found = trial.effects()["spend", arm]
        assert found.raw is not None
        assert found.raw.estimate == pytest.approx(means[arm] - means["No E-Mail"])
    assert trial.effects()["spend", "Mens E-Mail"].found.holds(20)
    assert trial.effects()["spend", "Mens E-Mail"].clear


def test_what_the_file_does_not_tell_is_a_question_and_the_file_is_kept(project: Path) -> None:
    e_mails(("A", "B")).to_csv("data/raw/mails.csv", index=False)
    with pytest.raises(RefusedError, match=r"data/mails\.toml: decide experiment\.control"):
        init("data/raw/mails.csv", None, False)
    written = (project / "data" / "mails.toml").read_text("utf-8")
    assert "[experiment]" in written
    for arm in ("A", "B"):
        assert f'# control = ["{arm}"]' in written


@pytest.mark.slow
def test_the_page_is_made_without_code(project: Path) -> None:
    e_mails().to_csv("data/raw/mails.csv", index=False)
    shutil.copy(REPOSITORY / "notebooks" / "05_campaigns.ipynb", project / "notebooks")
    init("data/raw/mails.csv", None, False)
    ran = subprocess.run(
        [LOYALTY, "report", "mails", "--notebooks", "05_campaigns"],
        capture_output=True,
        text=True,
        env={"LOYALTY_ROOT": str(project), "PATH": "", "HOME": str(project)},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (page,) = (project / "reports" / "mails").rglob("05_campaigns.html")
    told = page.read_text("utf-8")
    found = Experiment.open("mails", root=project).effects()["spend", "Mens E-Mail"].found
    assert f"{found.estimate:.2f}" in told
    assert "Traceback" not in told
