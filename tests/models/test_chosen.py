"""What makes the scores: the blend, or a rule, packed, saved, and opened again."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.models.backtest import Origin
from loyalty.models.champion import Champion
from loyalty.models.chosen import Chosen, Slope
from loyalty.models.forecaster import COLUMNS, Forecaster
from loyalty.models.line_up import NAIVE, OF_LATE, RATE, SAME_AGAIN, line_up
from loyalty.models.players import Curve
from loyalty.models.trees import SETTINGS
from retailers import origin, retailer

SHOP = retailer(700, 480, seed=9)
ABOUT: dict[str, Any] = {
    "question": {"churn": "no purchase", "horizon_days": 60},
    "settings": {"max_depth": 4},
    "origin": date(2020, 1, 1),
    "data": "abc",
}
EARNING = {"horizon_days": 60, "margin": 0.25, "annual_discount_rate": 0.1}


def at(day: int) -> Origin:
    """A date of the shop; every purchase day has one order."""
    found = origin(SHOP, day, last=480)
    return found._replace(features=found.features.assign(orders_60=found.features["purchase_days_60"]))


PAST = [at(360), at(300)]


@pytest.fixture(scope="module")
def now() -> Origin:
    return at(420)


@pytest.fixture(scope="module")
def forecaster(now: Origin) -> Forecaster:
    return Champion(horizon_days=60).fit(PAST).at(now)


CURVES = [each for each in line_up(EARNING) if isinstance(each, Curve) and each.name in NAIVE]


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_a_rule_of_who_leaves_says_what_it_said_in_the_tournament(
    curve: Curve, forecaster: Forecaster, now: Origin
) -> None:
    chosen = Chosen(forecaster, Slope.of(curve.fit(PAST)))
    told = chosen.forecast(now.features)
    np.testing.assert_allclose(told["churn_probability"], curve.predict(now)["churn_probability"], rtol=1e-9)
    assert told[["churn_probability_low", "churn_probability_high"]].isna().all(axis=None)
    blend = forecaster.forecast(now.features)
    pd.testing.assert_frame_equal(told[list(COLUMNS[3:])], blend[list(COLUMNS[3:])])
    assert chosen.model == f"{curve.name}; spend: Blend"


@pytest.mark.parametrize("name", [SAME_AGAIN, RATE])
def test_a_rule_of_spend_says_what_it_said_in_the_tournament(name: str, forecaster: Forecaster, now: Origin) -> None:
    (player,) = (each for each in line_up(EARNING) if each.name == name)
    told = Chosen(forecaster, spending=name).forecast(now.features)
    expected = player.predict(now)
    np.testing.assert_allclose(told[["expected_orders", "expected_spend"]], expected)
    np.testing.assert_allclose(told["median_spend"], expected["expected_spend"])
    assert told[["expected_spend_low", "expected_orders_high"]].isna().all(axis=None)
    assert told["churn_probability"].notna().all()


def test_every_rule_of_the_tournament_can_be_used() -> None:
    assert {curve.name for curve in CURVES} | {SAME_AGAIN, RATE} == set(NAIVE)
    assert OF_LATE in {curve.name for curve in CURVES}


def test_what_was_packed_forecasts_the_same(forecaster: Forecaster, now: Origin) -> None:
    chosen = Chosen(forecaster, Slope.of(CURVES[0].fit(PAST)), RATE)
    again = Chosen.unpack(*chosen.pack())
    assert (again.churn, again.spending, again.model) == (chosen.churn, RATE, f"{CURVES[0].name}; spend: {RATE}")
    pd.testing.assert_frame_equal(again.forecast(now.features), chosen.forecast(now.features))


def test_what_was_saved_forecasts_the_same(forecaster: Forecaster, now: Origin, tmp_path: Path) -> None:
    chosen = Chosen(forecaster)
    manifest = chosen.save(tmp_path, now.features, **ABOUT)
    again = Chosen.load(tmp_path, now.features, expected_hash=manifest["hash"])
    pd.testing.assert_frame_equal(again.forecast(now.features), chosen.forecast(now.features))
    assert [column["name"] for column in manifest["columns"]] == list(forecaster.columns)
    assert manifest["question"] == {"churn": "no purchase", "horizon_days": 60}
    assert (manifest["settings"]["max_depth"], manifest["settings"]["max_bin"]) == (4, SETTINGS["max_bin"])
    assert not list(tmp_path.rglob("*.pkl"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="T"), "T missing"),
        (lambda f: f.assign(shoe_size=43.0), "shoe_size too many"),
        (lambda f: f[[*f.columns[1:], f.columns[0]]], "another order"),
    ],
)
def test_a_saved_model_is_not_loaded_for_other_features(
    forecaster: Forecaster, now: Origin, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    Chosen(forecaster).save(tmp_path, now.features, **ABOUT)
    with pytest.raises(DataError, match=message):
        Chosen.load(tmp_path, change(now.features))


def test_a_saved_model_whose_trees_were_changed_is_refused(forecaster: Forecaster, now: Origin, tmp_path: Path) -> None:
    Chosen(forecaster).save(tmp_path, now.features, **ABOUT)
    place = next(tmp_path.glob("churn-*.ubj"))
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="another hash"):
        Chosen.load(tmp_path)


def test_a_feature_that_is_missing_is_named(forecaster: Forecaster, now: Origin) -> None:
    with pytest.raises(DataError, match="the features differ from those that were learned: T missing"):
        Chosen(forecaster).forecast(now.features.drop(columns="T"))
