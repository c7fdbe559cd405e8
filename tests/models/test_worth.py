"""Value further ahead and under other assumptions, against the CLV of each customer and identities."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.models import worth
from loyalty.models.bgnbd import BGNBD
from loyalty.models.clv import customer_lifetime_value
from loyalty.models.gamma_gamma import GammaGamma

HORIZON, MARGIN, RATE = 91, 0.3, 0.1


@pytest.fixture(scope="module")
def customers(sample):
    return sample.histories.assign(monetary_value=lambda t: t["monetary_value"].clip(lower=0.01))


@pytest.fixture(scope="module")
def models(customers):
    paying = customers[customers["frequency"] > 0]
    return BGNBD().fit(customers), GammaGamma().fit(paying)


@pytest.fixture(scope="module")
def curve(models, customers):
    return worth.future_spend(*models, customers, HORIZON)


@pytest.mark.parametrize("horizon", [HORIZON, 2 * HORIZON, 5 * 365])
def test_the_value_is_the_sum_of_that_of_each_customer(models, customers, curve, horizon):
    each = customer_lifetime_value(
        *models, customers, horizon_days=horizon, margin=MARGIN, annual_discount_rate=RATE, step_days=3
    )
    assert worth.value_of(curve, horizon, MARGIN, RATE) == pytest.approx(each["clv"].sum(), rel=5e-4)
    assert worth.value_of(curve, horizon, MARGIN, 0.0) == pytest.approx(MARGIN * each["expected_spend"].sum())


def test_weights_count_as_customers(models, customers, curve):
    keys = ["frequency", "recency", "T"]
    distinct = customers.groupby(keys).agg(weight=("T", "size"), monetary_value=("monetary_value", "mean"))
    again = worth.future_spend(*models, distinct.reset_index(), HORIZON)
    assert again.to_numpy() == pytest.approx(curve.to_numpy(), rel=1e-9)


def test_the_curve_reaches_five_years_and_holds_the_horizons_asked_for(curve):
    assert {0.0, HORIZON / 2, HORIZON, 2 * HORIZON} <= set(curve.index)
    assert curve.index[-1] == 5 * 365
    assert curve.is_monotonic_increasing
    assert len(curve) < 60


def test_a_horizon_beyond_five_years_is_reached(models, customers):
    assert worth.future_spend(*models, customers.head(50), 1500).index[-1] == 3000


def test_each_assumption_is_moved_alone_and_the_largest_comes_first(curve):
    table = worth.sensitivity(curve, HORIZON, MARGIN, RATE)
    base = worth.value_of(curve, HORIZON, MARGIN, RATE)
    assert table.index.tolist() == ["horizon", "margin", "discount rate"]
    assert (table["low"] < base).all()
    assert (table["high"] > base).all()
    assert table.loc["margin", ["low", "high"]].tolist() == pytest.approx([base * 25 / 30, base * 35 / 30])
    assert table.loc["horizon", "high"] == worth.value_of(curve, 2 * HORIZON, MARGIN, RATE)
    assert table.loc["discount rate", ["low_at", "high_at"]].tolist() == [0.2, 0.0]


def test_a_margin_at_the_edge_stays_a_share(curve):
    table = worth.sensitivity(curve, HORIZON, 0.98, 0.0)
    assert table.loc["margin", "high_at"] == 1
    assert table.loc["discount rate", "low_at"] == 0.1


def test_values_ahead_fall_with_the_rate(curve):
    table = worth.values_ahead(curve, MARGIN, (0.0, 0.1, 0.2))
    assert table.loc[0.0].tolist() == [0, 0, 0]
    assert (table[0.0].iloc[1:] > table[0.1].iloc[1:]).all()
    assert table[0.1].iloc[-1] == worth.value_of(curve, 5 * 365, MARGIN, 0.1)


# Concentration


def test_equal_customers_hold_equal_shares():
    curve = worth.concentration(np.full(1000, 7.0))
    assert curve["value"].to_numpy() == pytest.approx(curve["customers"].to_numpy())
    assert worth.gini(curve) == pytest.approx(0, abs=1e-12)


def test_one_customer_with_everything_holds_it_from_the_first_point_on():
    curve = worth.concentration(np.r_[np.zeros(999), 5.0])
    assert curve["value"].iloc[1:].tolist() == [1.0] * 100
    assert worth.gini(curve) == pytest.approx(1, abs=0.02)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=400), st.integers(1, 30))
def test_no_point_tells_of_few_customers(values, minimum):
    curve = worth.concentration(np.array(values), minimum)
    if len(values) < minimum or sum(values) == 0:
        assert curve.empty
        return
    counts = (curve["customers"] * len(values)).round()
    assert counts.diff().dropna().min() >= min(minimum, len(values))
    assert curve.iloc[0].tolist() == [0, 0]
    assert curve.iloc[-1].tolist() == pytest.approx([1, 1])
    assert (curve["value"] >= curve["customers"] - 1e-9).all()
    assert curve["value"].is_monotonic_increasing


def test_a_series_is_as_good_as_an_array():
    values = [3.0, 1.0, 2.0] * 20
    pd.testing.assert_frame_equal(worth.concentration(pd.Series(values)), worth.concentration(np.array(values)))
