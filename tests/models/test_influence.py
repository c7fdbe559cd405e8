"""Groups of customers that pictures are drawn from."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.models import influence


def said(size: int, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(seed)
    features = pd.DataFrame({"x": random.normal(size=size), "few": random.integers(0, 3, size) * 1.0})
    features.loc[random.random(size) < 0.1, "x"] = np.nan
    contributions = pd.DataFrame({"x": 2 * features["x"].fillna(-3), "few": -features["few"], "base": 0.5})
    return contributions, features


@given(st.integers(10, 400), st.integers(1, 30), st.integers(1, 50))
def test_no_group_of_a_cloud_is_small_and_nobody_is_lost(size: int, fewest: int, most: int) -> None:
    contributions, features = said(size)
    cloud = influence.cloud(contributions, features, fewest=fewest, most=most)
    if size < fewest:
        assert cloud is None
        return
    assert cloud is not None
    assert cloud.customers >= fewest
    assert len(cloud.contributions) == len(cloud.levels) <= most
    # Groups differ by one in size, so the mean of their means is the mean of all, nearly.
    assert cloud.contributions["few"].mean() == pytest.approx(contributions["few"].mean(), abs=0.5)


def test_a_cloud_says_whether_high_values_raise_or_lower() -> None:
    cloud = influence.cloud(*said(3000))
    assert cloud is not None
    assert cloud.contributions["x"].corr(cloud.levels["x"]) > 0.9
    assert cloud.contributions["few"].corr(cloud.levels["few"]) < -0.9
    assert "base" not in cloud.contributions
    assert cloud.levels["x"].isna().any()  # the group of those whose value is missing has no level


def test_a_cloud_of_attributes_has_no_level() -> None:
    contributions, features = said(100)
    cloud = influence.cloud(contributions, features.assign(few=pd.Categorical(features["few"])))
    assert cloud is not None
    assert cloud.levels["few"].isna().all()


@given(st.integers(0, 300), st.integers(1, 40), st.sampled_from(["x", "few"]))
def test_dependence_tells_of_groups_that_are_large_enough(size: int, fewest: int, name: str) -> None:
    contributions, features = said(size)
    found = influence.dependence(contributions[name], features[name], fewest=fewest)
    known = features[name].notna().sum()
    assert (found.table["customers"] >= fewest).all()
    assert found.table["customers"].sum() == (known if known >= fewest else 0)
    assert found.table["value"].is_monotonic_increasing
    assert (found.unknown is None) == (size - known < fewest)


def test_dependence_finds_the_line_and_where_the_unknown_lie() -> None:
    contributions, features = said(4000)
    found = influence.dependence(contributions["x"], features["x"])
    assert np.allclose(found.table["contribution"], 2 * found.table["value"])
    noisy = influence.dependence(features["few"] * 0 + np.random.default_rng(2).normal(size=4000), features["few"])
    assert np.allclose(noisy.table["high"], 1.645, atol=0.1)  # nine of ten of a standard normal
    assert np.allclose(noisy.table["low"], -1.645, atol=0.1)
    assert found.unknown is not None
    assert found.unknown["contribution"] == pytest.approx(-6)
    assert list(influence.dependence(contributions["few"], features["few"]).table["value"]) == [0, 1, 2]


def test_the_typical_customer_is_the_mean_of_the_likeliest_to_leave() -> None:
    contributions, features = said(200)
    probability = pd.Series(np.arange(200) / 200, index=contributions.index)
    found = influence.typical(contributions, features, probability, 20)
    assert found.customers == 20
    assert found.contributions["few"] == pytest.approx(contributions["few"].iloc[-20:].mean())
    assert found.values["x"] == pytest.approx(features["x"].iloc[-20:].mean())
    assert found.contributions.sum() == pytest.approx(contributions.iloc[-20:].sum(axis=1).mean())
