"""Customer lifetime value: by hand, against simulated truth, and in bounded memory."""

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError, SettingsError
from loyalty.models import clv
from loyalty.models.bgnbd import BGNBD, simulate_histories
from loyalty.models.clv import customer_lifetime_value, customer_lifetime_value_interval
from loyalty.models.gamma_gamma import GammaGamma

TERMS = {"horizon_days": 273, "margin": 0.3, "annual_discount_rate": 0.1}


@pytest.fixture(scope="module")
def models(sample):
    return BGNBD(time_unit="weeks").fit(sample.histories), GammaGamma().fit(sample.histories)


@pytest.fixture(scope="module")
def values(models, sample):
    return customer_lifetime_value(*models, sample.histories, **TERMS)


def test_value_by_hand(models, sample, values):
    btyd, spend = models
    h = sample.histories.iloc[::97]
    discounted, before = np.zeros(len(h)), np.zeros(len(h))
    for week in range(39):
        after = btyd.expected_purchases(h, horizon_days=7 * (week + 1))
        discounted += (after - before) / 1.1 ** ((week + 0.5) * 7 / 365)
        before = after
    want = discounted * spend.expected_spend(h) * 0.3
    np.testing.assert_allclose(values.loc[h.index, "clv"], want, rtol=1e-10)
    np.testing.assert_allclose(values["expected_purchases"].sum(), 1653.4, atol=0.05)  # reference figure


def test_value_without_discount_or_cost_is_spend(models, sample):
    table = customer_lifetime_value(*models, sample.histories, horizon_days=100, margin=1, annual_discount_rate=0)
    np.testing.assert_allclose(table["clv"], table["expected_spend"], rtol=1e-12)


def test_result_is_aligned_with_the_index(models, sample, values):
    order = np.random.default_rng(1).permutation(len(values))[:200]
    some = customer_lifetime_value(*models, sample.histories.iloc[order], **TERMS)
    pd.testing.assert_frame_equal(some, values.iloc[order])


def test_intervals_of_the_sample(models, sample, values):
    interval = customer_lifetime_value_interval(*models, sample.histories, **TERMS, draws=150, seed=1)
    customers, total = interval.customers, interval.total
    assert customers.index.equals(sample.histories.index)
    for quantity in clv.QUANTITIES:
        assert (customers[f"{quantity}_low"] <= customers[f"{quantity}_high"]).all()
        assert total.loc[quantity, "low"] < values[quantity].sum() < total.loc[quantity, "high"]
        assert total.loc[quantity, "mean"] == pytest.approx(values[quantity].sum(), rel=0.05)
        # Chance averages out over customers: the bounds of the total are far inside the summed bounds.
        assert total.loc[quantity, "high"] < 0.7 * customers[f"{quantity}_high"].sum()
    counts = customers["expected_purchases_high"]
    assert (counts == counts.round()).all()


def test_customer_intervals_cover_simulated_truth():
    truth = (0.9, 30.0, 0.8, 3.0)
    ages = np.random.default_rng(1).integers(60, 300, 3000)
    people = simulate_histories(*truth, ages, seed=2, horizon=180)
    rng = np.random.default_rng(3)
    rate = rng.gamma(4, 1 / 15, len(people))
    x = people["frequency"].to_numpy()
    people["monetary_value"] = rng.gamma(6 * np.maximum(x, 1)) / rate / np.maximum(x, 1)
    spent = np.where(people["future"] > 0, rng.gamma(6 * people["future"].clip(lower=1)) / rate, 0)
    interval = customer_lifetime_value_interval(
        BGNBD().fit(people),
        GammaGamma().fit(people),
        people,
        horizon_days=180,
        margin=1,
        annual_discount_rate=0,
        draws=200,
        seed=4,
    )
    table, buyers = interval.customers, (people["future"] > 0).to_numpy()
    inside = (table["expected_spend_low"] <= spent + 1e-9) & (spent <= table["expected_spend_high"])
    # Half of the customers sit at the bound 0, which widens the lower side: at least 90 %, not exactly.
    assert 0.89 <= inside.mean() <= 0.97
    assert (spent > table["expected_spend_high"]).mean() == pytest.approx(0.05, abs=0.013)
    assert buyers.any()
    assert interval.total.loc["expected_spend", "low"] < spent.sum()
    assert spent.sum() < interval.total.loc["expected_spend", "high"]


def test_chunks_share_parameters(models, sample, monkeypatch):
    """Chunks with parameters of their own would average parameter error away and shrink the total."""
    settings = dict(**TERMS, draws=150, seed=1)
    whole = customer_lifetime_value_interval(*models, sample.histories, **settings).total
    monkeypatch.setattr(clv, "NUMBERS_HELD", 150 * 3 * 100)  # 100 customers at a time
    parts = customer_lifetime_value_interval(*models, sample.histories, **settings)
    assert len(parts.customers) == len(sample.histories)
    width = whole["high"] - whole["low"]
    np.testing.assert_allclose(parts.total["high"] - parts.total["low"], width, rtol=0.3)
    np.testing.assert_allclose(parts.total["mean"], whole["mean"], rtol=0.02)


def test_equal_seeds_give_equal_intervals(models, sample):
    few = sample.histories.iloc[:50]
    first, again = (customer_lifetime_value_interval(*models, few, **TERMS, draws=20, seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(first.customers, again.customers)
    pd.testing.assert_frame_equal(first.total, again.total)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"margin": 0}, r"margin: expected a share in \(0, 1\], got 0"),
        ({"horizon_days": -1}, "horizon_days: expected a positive number"),
        ({"annual_discount_rate": -2}, "annual_discount_rate: expected a number above -1"),
        ({"step_days": 0}, "step_days: expected a positive number"),
        ({"level": 1}, r"level: expected a probability in \(0, 1\)"),
        ({"draws": 0}, "draws: expected at least 1"),
    ],
)
def test_terms_out_of_range(models, sample, change, message):
    with pytest.raises(SettingsError, match=message):
        customer_lifetime_value_interval(*models, sample.histories.iloc[:5], **{**TERMS, "draws": 5, **change})


def test_shared_rows_have_no_interval(models, sample):
    few = sample.histories.iloc[:5].assign(weight=[1, 2, 1, 1, 1])
    with pytest.raises(DataError, match=r"'weight': 1 row refused.*one customer"):
        customer_lifetime_value_interval(*models, few, **TERMS)


def test_nobody_has_no_interval(models, sample):
    with pytest.raises(DataError, match="no rows"):
        customer_lifetime_value_interval(*models, sample.histories.iloc[:0], **TERMS)
