"""What customers are worth: sums, their intervals, and the naive rules by hand."""

import numpy as np
import pandas as pd
import pytest
from loyalty.models import valuation
from loyalty.sampled import spent_by_all
from loyalty.study import Study

EARNING = {"horizon_days": 30, "margin": 0.3, "annual_discount_rate": 0.1}


@pytest.fixture(scope="module")
def present(simulated: Study) -> pd.DataFrame:
    """Histories of the simulated retailer's customers at the as-of date."""
    return simulated.histories()


def everyone(known: pd.DataFrame) -> pd.DataFrame:
    """Different histories, as the engine groups them."""
    by = known.groupby(["frequency", "recency", "T"], as_index=False)
    return by.agg(weight=("frequency", "size"), monetary_value=("monetary_value", "mean"))


def test_totals_are_sums_with_an_interval_around_them(present: pd.DataFrame) -> None:
    lived = present
    customers, totals = valuation.value(valuation.fit_value(lived, lived), lived, everyone(lived), **EARNING)
    assert customers.index.equals(lived.index)
    for name in ("expected_purchases", "expected_spend", "clv"):
        assert totals[name] == pytest.approx(customers[name].sum())
        assert totals[f"{name}_low"] < totals[name] < totals[f"{name}_high"]
        assert (customers[f"{name}_low"] <= customers[f"{name}_high"]).all()
        # One customer is far less sure than the sum of all.
        widths = customers[f"{name}_high"] - customers[f"{name}_low"]
        assert totals[f"{name}_high"] - totals[f"{name}_low"] < widths.sum() / 3
    assert customers["probability_alive"].between(0, 1).all()


def test_value_is_margin_on_spend_and_little_less(present: pd.DataFrame) -> None:
    lived = present
    models = valuation.fit_value(lived, lived)
    customers, _ = valuation.value(models, lived, everyone(lived), **EARNING)
    undiscounted, _ = valuation.value(models, lived, everyone(lived), **(EARNING | {"annual_discount_rate": 0.0}))
    np.testing.assert_allclose(undiscounted["clv"], 0.3 * undiscounted["expected_spend"], rtol=1e-9)
    ratio = customers["clv"].sum() / undiscounted["clv"].sum()
    assert 1.1 ** (-30 / 365) < ratio < 1


@pytest.mark.slow
def test_the_forecast_of_a_retailer_as_the_model_assumes_comes_true(simulated: Study) -> None:
    """One past date is one draw, and here the draws come from the model itself."""
    day = simulated.origin(1)
    known = simulated.histories(day)
    _, totals = valuation.value(valuation.fit_value(known, known), known, everyone(known), **EARNING)
    happened = spent_by_all(simulated, day, day)
    assert totals["expected_purchases_low"] < happened["purchases"] < totals["expected_purchases_high"]
    assert totals["expected_spend_low"] < happened["spend"] < totals["expected_spend_high"]


def test_free_repeat_purchases_do_not_stop_the_forecast(present: pd.DataFrame) -> None:
    lived = present.copy()
    free = lived.index[lived["frequency"] > 2][:5]
    lived.loc[free, "monetary_value"] = 0.0
    customers, _ = valuation.value(valuation.fit_value(lived, lived), lived, everyone(lived), **EARNING)
    assert np.isfinite(customers.to_numpy()).all()
    assert (customers.loc[free, "expected_spend"] < present.loc[free, "monetary_value"].sum()).all()


HISTORIES = pd.DataFrame(
    {"frequency": [0, 4, 2], "recency": [0, 30, 10], "T": [10, 40, 80], "monetary_value": [np.nan, 10.0, 0.0]},
    index=pd.Index(["a", "b", "c"], name="customer"),
)
LAST = pd.DataFrame({"purchases": [2, 5], "spend": [8.0, 99.0]}, index=pd.Index(["b", "new"], name="customer"))


def test_the_naive_rules_by_hand() -> None:
    naive = valuation.naive_value(HISTORIES, LAST, 20)
    assert naive.to_dict("list") == {
        "rate_purchases": [0.0, 2.0, 0.5],
        "rate_spend": [0.0, 20.0, 0.0],
        "last_purchases": [0, 2, 0],
        "last_spend": [0.0, 8.0, 0.0],
    }
    assert naive.index.equals(HISTORIES.index)


def test_a_sum_over_everyone_needs_no_row_a_customer(present: pd.DataFrame) -> None:
    """Three customers share a history and spend differently: the sum follows from their mean."""
    lived = pd.concat([present] * 3, keys=range(3))
    lived["monetary_value"] *= np.repeat([0.5, 1.0, 2.5], len(lived) // 3)
    models = valuation.fit_value(lived, lived)
    each, of_all = (
        valuation.expected(models, lived, EARNING),
        valuation.expected_of_all(models, everyone(lived), EARNING),
    )
    assert len(everyone(lived)) <= len(lived) / 3
    assert of_all == pytest.approx(each.sum().to_dict(), rel=1e-9)
    last = {"purchases": 7.0, "spend": 11.0}
    naive = valuation.naive_of_all(everyone(lived), last, 20)
    by_customer = valuation.naive_value(lived, LAST, 20)[["rate_purchases", "rate_spend"]].sum()
    assert naive == pytest.approx(by_customer.to_dict() | {"last_purchases": 7.0, "last_spend": 11.0})


def test_what_is_told_of_everyone(present: pd.DataFrame) -> None:
    lived = present
    models = valuation.fit_value(lived, lived)
    told = valuation.base(models, everyone(lived), EARNING, 40)
    again, active = lived[lived["frequency"] > 0], lived[lived["T"] - lived["recency"] <= 40]
    assert 0 < len(active) < len(again) < len(lived)
    assert told == pytest.approx(
        {
            "customers": len(lived),
            "repeat_buyers": len(again),
            "repeat_buyers_alive": models.purchases.probability_alive(again).sum(),
            "active_spend": valuation.expected(models, active, EARNING)["expected_spend"].sum(),
        }
    )


def test_of_a_sample_the_sums_are_everyones_and_their_intervals_wider(present: pd.DataFrame) -> None:
    lived = present
    models = valuation.fit_value(lived, lived)
    _, whole = valuation.value(models, lived, everyone(lived), **EARNING)
    customers, sampled = valuation.value(models, lived.iloc[::8], everyone(lived), **EARNING)
    assert len(customers) == 100
    for name in ("expected_purchases", "expected_spend", "clv"):
        assert sampled[name] == whole[name]
        widths = [told[f"{name}_high"] - told[f"{name}_low"] for told in (whole, sampled)]
        assert 1 < widths[1] / widths[0] < np.sqrt(8)
