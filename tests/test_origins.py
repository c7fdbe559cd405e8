"""What a champion sees of a date: nothing later, everyone active, and the year before."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loyalty import origins
from loyalty.models.champion import Champion
from loyalty.sources.simulator import Simulation, simulate
from loyalty.study import Study

pytestmark = pytest.mark.slow

SIMULATED = Simulation(customers=700, days=560, horizon_days=40, acquisition_days=300, seed=5)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    root: Path = tmp_path_factory.mktemp("seen")
    for name in ("notebooks", "data"):
        (root / name).mkdir()
    simulate(SIMULATED, "seen", root)
    return Study.open("seen", root=root, active_within_days=90)


def test_days_lie_half_a_horizon_apart_and_none_is_before_the_first(study: Study) -> None:
    days = origins.days(study)
    assert days[0] == study.origin(1)
    assert days[-1] == study.origins()[-1]
    assert {(one - two).days for one, two in pairwise(days)} == {study.horizon_days // 2}


def test_what_came_is_told_of_past_dates_alone(study: Study) -> None:
    now, past = origins.seen(study, study.known_until), origins.seen(study, study.origin(1))
    assert now.churned is None
    assert now.amounts is None
    assert past.amounts.index.equals(past.features.index)
    assert (past.churned == (past.amounts["purchases"] == 0)).all()
    pd.testing.assert_series_equal(past.churned, study.outcomes(past.day)["churned"].astype("bool"))


def test_histories_are_those_of_everyone_with_their_gaps(study: Study) -> None:
    histories = origins.gapped(study, study.known_until)
    pd.testing.assert_frame_equal(
        histories.drop(columns="log_gaps"), study.distinct_histories()[["frequency", "recency", "T", "weight"]]
    )
    days = study.data.tables.days.select("customer", "day").to_pandas().sort_values(["customer", "day"])
    gaps = days.groupby("customer")["day"].diff().dropna().dt.days
    assert (histories["weight"] @ histories["log_gaps"]) == pytest.approx(np.log(gaps).sum())


def test_year_before_is_a_date_of_its_own(study: Study) -> None:
    now = origins.seen(study, study.known_until)
    before = now.year_before
    assert before.day == study.known_until - timedelta(days=364)
    assert before.churned.index.equals(before.features.index)
    known = study.histories(before.day)[origins.LIVED].loc[before.features.index]
    pd.testing.assert_frame_equal(before.features, known.astype("float64"), check_names=False)
    assert origins.year_before(study, study.first_day + timedelta(days=364 + origins.YOUNGEST - 1)) is None


def test_champion_learns_from_them(study: Study) -> None:
    past = [origins.seen(study, day) for day in origins.days(study)]
    said = Champion(horizon_days=study.horizon_days).fit(past).predict(origins.seen(study, study.known_until))
    assert np.isfinite(said.to_numpy()).all()
