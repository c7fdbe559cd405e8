"""Scores in batches: the same in any batch, and worth what they earn."""

import numpy as np
import pandas as pd
import pytest
from loyalty.models.backtest import Origin
from loyalty.models.champion import Champion
from loyalty.models.champion_scores import NUMBERS, score, score_batches
from loyalty.models.chosen import Chosen
from retailers import origin, retailer

EARNING = {"horizon_days": 60, "margin": 0.25, "annual_discount_rate": 0.1}
SHOP = retailer(700, 480, seed=9)


@pytest.fixture(scope="module")
def now() -> Origin:
    return origin(SHOP, 420, last=480)


@pytest.fixture(scope="module")
def champion() -> Champion:
    return Champion(horizon_days=60).fit([origin(SHOP, day, last=480) for day in (360, 300)])


def test_batches_change_nothing(champion: Champion, now: Origin) -> None:
    chosen = Chosen(champion.at(now))
    parameters, trees = chosen.pack()
    # What an engine brings: another order of columns, text for categories, sums that differ in their last digits.
    rows = now.features.assign(
        profile_home=now.features["profile_home"].astype("str"), spend_60=now.features["spend_60"] + 1e-12
    )
    rows = rows[rows.columns[::-1]].rename_axis("customer").reset_index().assign(segment="loyal")
    batches = [rows.iloc[:50], rows.iloc[50:50], rows.iloc[50:]]
    told = pd.concat(score_batches(iter(batches), parameters, trees, EARNING, "r1"))
    assert list(told) == ["customer", *NUMBERS, "segment", "model", "run"]
    assert told["customer"].tolist() == now.features.index.tolist()
    assert set(told["model"]) == {"Blend"}
    expected = chosen.forecast(now.features)
    np.testing.assert_allclose(told[list(expected)].to_numpy(), expected.to_numpy(), rtol=1e-6)


def test_worth_is_the_discounted_margin(champion: Champion, now: Origin) -> None:
    told = score(Chosen(champion.at(now)), now.features, EARNING)
    share = told["clv"] / told["expected_spend"]
    assert share.min() == pytest.approx(share.max())
    assert share.mean() == pytest.approx(0.25 * 1.1 ** (-30 / 365), rel=1e-4)
    assert (told["clv_low"] <= told["clv"]).all()
    assert (told["clv"] <= told["clv_high"]).all()
