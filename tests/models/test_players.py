"""The contenders that a champion has to beat, by hand and by the models they stand for."""

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.models.backtest import Origin, fit_and_note
from loyalty.models.bgnbd import BGNBD
from loyalty.models.contenders import CONTENDERS
from loyalty.models.entrants import INCUMBENTS
from loyalty.models.line_up import BLEND, NAIVE, line_up
from loyalty.models.players import (
    BuyTillYouDie,
    Curve,
    RateSoFar,
    SameAgain,
    Trees,
    nearest_window,
    recency_frequency_money,
    silence,
)
from scipy.special import expit

EARNING = {"horizon_days": 28, "margin": 0.3, "annual_discount_rate": 0.1}


def an_origin(size: int, seed: int, left: float | None = None) -> Origin:
    """Customers of whom those who were silent for long leave, and the others spend what they spent before."""
    random = np.random.default_rng(seed)
    index = pd.Index([f"c{n:04d}" for n in range(size)], name="customer")
    rate = random.gamma(1.5, 0.04, size)
    T = random.integers(60, 300, size).astype("float64")
    frequency = random.poisson(rate * T).astype("float64")
    recency = np.where(frequency > 0, T * random.beta(5, 1, size), 0.0).round()
    money = np.where(frequency > 0, random.gamma(4, 10, size), np.nan)
    features = pd.DataFrame(
        {"frequency": frequency, "recency": recency, "T": T, "monetary_value": money, "days_since_last": T - recency,
         "purchase_days_30": random.poisson(30 * rate), "orders_30": random.poisson(30 * rate), "orders_90": 2.0,
         "spend_30": random.normal(40, 30, size), "spend_90": 99.0}, index=index,
    ).astype("float64")  # fmt: skip
    churned = random.random(size) < (expit((features["days_since_last"] - 60) / 30) if left is None else left)
    spend = np.where(churned, 0.0, 40 * random.gamma(3, 1 / 3, size))
    amounts = pd.DataFrame({"purchases": (~churned).astype(int), "spend": spend}, index=index)
    histories = features[["frequency", "recency", "T"]].reset_index(drop=True)
    return Origin(features, histories, pd.Series(churned, index), amounts)


PAST = [an_origin(600, seed) for seed in (1, 2)]
NOW = an_origin(300, 3)._replace(churned=None, amounts=None)


def test_the_same_again_is_the_nearest_window_at_the_length_of_the_horizon() -> None:
    said = SameAgain(28).fit(PAST).predict(NOW)
    assert nearest_window(NOW.features, 28) == 30
    np.testing.assert_allclose(said["expected_spend"], NOW.features["spend_30"].clip(lower=0) * 28 / 30)
    np.testing.assert_allclose(said["expected_orders"], NOW.features["purchase_days_30"] * 28 / 30)
    assert (NOW.features["spend_30"] < 0).any()


def test_the_rate_so_far_spends_nothing_on_who_never_came_back() -> None:
    said = RateSoFar(28).fit(PAST).predict(NOW)
    once = NOW.features["frequency"] == 0
    assert once.any()
    assert (said.loc[once] == 0).all(axis=None)
    row = NOW.features[~once].iloc[0]
    assert said.loc[row.name, "expected_spend"] == pytest.approx(row.frequency * 28 / row["T"] * row.monetary_value)


def test_a_curve_over_silence_rises_and_keeps_the_level() -> None:
    curve = Curve("silence", silence).fit(PAST)
    learned = pd.concat([curve.predict(origin) for origin in PAST])["churn_probability"]
    left = pd.concat([origin.churned for origin in PAST])
    assert learned.mean() == pytest.approx(left.mean(), abs=0.01)
    said = curve.predict(NOW)["churn_probability"]
    assert said.corr(NOW.features["days_since_last"], method="spearman") == pytest.approx(1.0)
    assert list(curve.predict(NOW)) == ["churn_probability"]


def test_a_curve_with_spend_has_the_total_of_the_past() -> None:
    curve = Curve("rfm", recency_frequency_money, spend=True).fit(PAST)
    learned = pd.concat([curve.predict(origin) for origin in PAST])["expected_spend"]
    assert learned.sum() == pytest.approx(pd.concat([origin.amounts for origin in PAST])["spend"].sum(), rel=0.05)


def test_what_was_given_back_counts_as_nothing_spent() -> None:
    back = [origin._replace(amounts=origin.amounts.assign(spend=origin.amounts["spend"] - 20)) for origin in PAST]
    for player in (Curve("rfm", recency_frequency_money, spend=True), Trees("trees", recency_frequency_money)):
        player.fit(back)
        assert (player.predict(NOW)["expected_spend"] >= 0).all()


def test_one_outcome_is_refused_by_those_who_learn() -> None:
    gone = [an_origin(200, 4, left=1.0)]
    with pytest.raises(DataError, match="every active customer left"):
        Curve("silence", silence).fit(gone)
    with pytest.raises(DataError, match="too little to learn from: 0 customers left, or stayed; 50 needed"):
        Trees("trees", recency_frequency_money).fit(gone)


def test_a_purchase_model_is_fitted_at_the_date_and_not_before() -> None:
    said = BuyTillYouDie("BG/NBD", EARNING).fit(PAST).predict(NOW)
    model, _ = fit_and_note(BGNBD(), NOW.histories)
    lived = NOW.features[["frequency", "recency", "T"]]
    np.testing.assert_allclose(said["expected_orders"], model.expected_purchases(lived, horizon_days=28))
    np.testing.assert_allclose(said["churn_probability"], model.probability_of_no_purchase(lived, horizon_days=28))
    assert (said["expected_spend"] >= 0).all()


def test_without_a_paid_repeat_there_is_no_spend_to_tell() -> None:
    free = NOW._replace(features=NOW.features.assign(monetary_value=0.0))
    assert list(BuyTillYouDie("BG/NBD", EARNING).predict(free)) == ["churn_probability", "expected_orders"]


def test_a_model_of_regular_buyers_needs_to_know_how_regular_they_are() -> None:
    with pytest.raises(DataError, match="do not tell how regularly customers buy"):
        BuyTillYouDie("BG/CNBD-k", EARNING).predict(NOW)


def test_trees_tell_what_can_be_told_and_the_same_in_another_order() -> None:
    trees = Trees("trees", recency_frequency_money).fit(PAST)
    said = trees.predict(NOW)
    assert said["churn_probability"].corr(NOW.features["days_since_last"], method="spearman") > 0.7
    assert (said[["expected_spend", "median_spend", "expected_orders"]] >= 0).all(axis=None)
    backwards = NOW._replace(features=NOW.features.iloc[::-1])
    pd.testing.assert_frame_equal(trees.predict(backwards).loc[said.index], said)


def test_the_line_up_is_the_contenders_of_the_field_the_simplest_first() -> None:
    names = [contender.name for contender in line_up(EARNING)]
    assert len(set(names)) == len(names)
    assert names[: len(NAIVE)] == list(NAIVE)
    assert set(CONTENDERS) < set(names)
    assert names[-2:] == ["XGBoost", BLEND]
    assert names.index("XGBoost on RFM") < names.index("XGBoost")


def test_where_leaving_is_not_silence_purchase_models_play_for_spend_alone() -> None:
    usual = BuyTillYouDie("BG/NBD", EARNING).predict(NOW)
    other = BuyTillYouDie("BG/NBD", EARNING, by_silence=False).predict(NOW)
    pd.testing.assert_frame_equal(other, usual.drop(columns="churn_probability"))
    silent = [each.name for each in line_up(EARNING, by_silence=False) if getattr(each, "by_silence", None) is False]
    assert silent == [*CONTENDERS, *INCUMBENTS, BLEND]
    assert [each.name for each in line_up(EARNING)] == [each.name for each in line_up(EARNING, by_silence=False)]
