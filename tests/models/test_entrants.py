"""Further contenders: incumbents forecast as this package's model with their parameters, trees of each kind play."""

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.models.backtest import Origin
from loyalty.models.bgnbd import BGNBD
from loyalty.models.entrants import INCUMBENTS, SPENDING, Frames, Incumbent, SpendTrees
from loyalty.models.line_up import line_up
from retailers import origin, retailer

SHOP = retailer(800, 480, seed=9)


@pytest.fixture(scope="module")
def now() -> Origin:
    return origin(SHOP, 420, last=480)


@pytest.fixture(scope="module")
def past() -> list[Origin]:
    return [origin(SHOP, day, last=480) for day in (360, 300)]


def test_they_play_after_the_models_of_this_package_and_before_the_blend() -> None:
    names = [player.name for player in line_up({"horizon_days": 60})]
    assert set(INCUMBENTS) | set(SPENDING) < set(names)
    assert names.index("MBG/CNBD-k") < min(names.index(name) for name in INCUMBENTS)
    assert names[-1] == "Blend"


@pytest.mark.parametrize("name", INCUMBENTS)
def test_incumbent_forecasts_as_the_same_model_here(name: str, now: Origin) -> None:
    said = Incumbent(name, 60).fit([]).predict(now)
    ours = BGNBD().fit(now.histories).expected_purchases(now.features, horizon_days=60)
    assert said["expected_orders"].sum() == pytest.approx(ours.sum(), rel=0.05)
    assert said["expected_spend"].sum() == pytest.approx(now.amounts["spend"].sum(), rel=0.25)
    assert said["churn_probability"].between(0, 1).all()


def test_trees_that_share_frames_say_the_same(past: list[Origin], now: Origin) -> None:
    frames: Frames = {}
    for name in ("Tweedie trees", "Trees on the logarithm"):
        alone, together = SpendTrees(name, 60).fit(past), SpendTrees(name, 60, frames=frames).fit(past)
        pd.testing.assert_frame_equal(alone.predict(now), together.predict(now))
    assert len(frames) == len(past) + 1


@pytest.mark.parametrize("name", SPENDING)
def test_trees_learn_spend(name: str, past: list[Origin], now: Origin) -> None:
    said = SpendTrees(name, 60).fit(past).predict(now)
    assert said.index.equals(now.features.index)
    assert said["expected_spend"].sum() == pytest.approx(now.amounts["spend"].sum(), rel=0.3)
    assert np.corrcoef(said["expected_spend"], now.amounts["spend"])[0, 1] > 0.3


def test_nothing_to_learn_is_said(past: list[Origin]) -> None:
    empty = past[0]._replace(features=past[0].features.iloc[:0])
    with pytest.raises(DataError, match="no past date has an active customer"):
        SpendTrees("Hurdle of trees", 60).fit([empty])
    free = past[0]._replace(amounts=pd.DataFrame({"purchases": 0.0, "spend": 0.0}, past[0].features.index))
    with pytest.raises(DataError, match="nobody spent anything"):
        SpendTrees("Hurdle of trees", 60).fit([free])


def test_what_lifetimes_prints_stays_out_of_the_way(now: Origin, capfd: pytest.CaptureFixture[str]) -> None:
    """Its search prints where it does not converge, here because nobody leaves; a program may read what is printed."""
    never = pd.DataFrame({"frequency": [0.0, 1.0, 2.0, 3.0], "recency": [0.0, 90.0, 95.0, 99.0], "T": 100.0})
    for name in INCUMBENTS:
        with suppress(DataError):
            Incumbent(name, 60).predict(now._replace(histories=never))
    assert capfd.readouterr().out == ""
