"""The comparison of models of purchases, and what is said of customers in general, as steps of a study."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty import purchases
from loyalty.models import valuation
from loyalty.models.contenders import CONTENDERS, REFERENCE, build
from loyalty.study import Study


@pytest.fixture(scope="module")
def found(simulated: Study) -> dict[str, Any]:
    return simulated.purchase_models()


def test_all_models_are_compared_at_the_oldest_date(simulated: Study, found: dict[str, Any]) -> None:
    day = simulated.origins()[-1]
    assert found["about"]["calibrated"] == day.isoformat()
    assert found["about"]["period_days"] == (simulated.known_until - day).days
    assert set(CONTENDERS) <= set(found["table"].index)
    assert found["about"]["customers"] == len(simulated.histories(day))


def test_customers_who_follow_a_model_choose_one_that_knows_their_leaving(found: dict[str, Any]) -> None:
    # They buy at random and leave after a repeat purchase: who says that nobody leaves must lose.
    assert found["about"]["chosen"] != "NBD"
    assert found["table"].loc["NBD", "gain_high"] < 0
    assert abs(found["table"].loc[found["about"]["chosen"], "bias"]) < 0.15
    assert found["about"]["regularity"] is None or found["about"]["used"].endswith("-k")


def test_groups_hold_everyone(found: dict[str, Any]) -> None:
    for name in ("by_frequency", "by_silence", "counts"):
        assert found[name]["customers"].sum() == found["about"]["customers"]
    for name in ("by_frequency", "by_silence"):
        table = found[name]
        assert (table["actual"] * table["customers"]).sum() == pytest.approx(found["about"]["purchases"])
        used = found["about"]["used"]
        total = (table[used] * table["customers"]).sum()
        assert total == pytest.approx(found["table"].loc[used, "total"])


def test_the_forecast_rests_on_the_model_in_use(simulated: Study, found: dict[str, Any]) -> None:
    model = purchases.model_in_use(simulated)
    assert isinstance(model, CONTENDERS[found["about"]["used"]].model)
    fitted = valuation.fit_value(simulated.distinct_histories(), simulated.histories(), model)
    estimates = simulated.value()["parameters"]["estimate"]
    pd.testing.assert_series_equal(fitted.purchases.params_, estimates, check_names=False)


@pytest.mark.parametrize(("name", "k"), [(REFERENCE, None), ("NBD", None), ("MBG/CNBD-k", 2)])
def test_a_portrait_is_drawn_of_every_kind_of_model(name: str, k: int | None, simulated: Study) -> None:
    distinct = simulated.distinct_histories()
    models = valuation.fit_value(distinct, simulated.histories(), build(name, k))
    drawn = purchases.portrait(models, distinct, 30)
    assert ("leaving" in drawn) == (name != "NBD")
    assert drawn["rates"]["share"].sum() == pytest.approx(1)
    assert drawn["grid"]["probability_alive"].between(0, 1).all()
    assert drawn["grid"]["recency"].max() == drawn["pictured"]["age_days"]
    assert len(drawn["story"]) > max(drawn["pictured"]["purchases"])
    expected = valuation.expected_of_all(
        models, distinct, {"horizon_days": 30, "margin": 0.3, "annual_discount_rate": 0.0}
    )
    assert drawn["ahead"]["spend"][30.0] == pytest.approx(expected["expected_spend"])
    assert np.isfinite(drawn["ahead"]["spend"]).all()
