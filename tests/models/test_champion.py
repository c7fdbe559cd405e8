"""The champion: forecasts that hold, levels that know the season, and data that it can do little with."""

import json

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.models import trees
from loyalty.models.backtest import Origin
from loyalty.models.btyd_features import Outlook
from loyalty.models.champion import Champion
from loyalty.models.forecaster import COLUMNS, Forecaster
from loyalty.models.learners import GROWN
from retailers import origin, retailer
from sklearn.metrics import roc_auc_score

HORIZON = 60
STEADY, SEASONAL = retailer(), retailer(season=1.0, seed=4)


@pytest.fixture(scope="module")
def now() -> Origin:
    return origin(STEADY, 660)


@pytest.fixture(scope="module")
def past() -> list[Origin]:
    return [origin(STEADY, day, last=660, year=day > 480) for day in (600, 570, 540, 480)]


@pytest.fixture(scope="module")
def champion(past: list[Origin]) -> Champion:
    return Champion(horizon_days=HORIZON).fit(past)


@pytest.fixture(scope="module")
def forecast(champion: Champion, now: Origin) -> pd.DataFrame:
    return champion.predict(now)


def test_forecasts_are_complete_and_in_the_order_of_the_rows(forecast: pd.DataFrame, now: Origin) -> None:
    assert list(forecast) == list(COLUMNS)
    assert forecast.index.equals(now.features.index)
    assert np.isfinite(forecast.to_numpy()).all()
    for name in ("churn_probability", "expected_orders", "expected_spend"):
        assert (forecast[f"{name}_low"] <= forecast[name] + 1e-12).all()
        assert (forecast[name] <= forecast[f"{name}_high"] + 1e-12).all()
    assert forecast["churn_probability_high"].max() < 1
    assert (forecast.drop(columns=["churn_probability"]) >= 0).all(axis=None)


def test_rank_and_level_are_those_of_the_true_model_where_it_is_true(forecast: pd.DataFrame, now: Origin) -> None:
    said = Outlook.fit(now.histories, now.features).forecast(now.features, HORIZON)
    actual = now.churned.to_numpy("float64")
    truth = roc_auc_score(actual, said["btyd_silence"])
    assert roc_auc_score(actual, forecast["churn_probability"]) > truth - 0.02
    assert forecast["churn_probability"].mean() == pytest.approx(actual.mean(), rel=0.1)
    assert forecast["expected_spend"].sum() == pytest.approx(now.amounts["spend"].sum(), rel=0.12)


def test_median_is_nearer_than_the_mean(forecast: pd.DataFrame, now: Origin) -> None:
    spend = now.amounts["spend"]
    assert (spend - forecast["median_spend"]).abs().mean() < 0.97 * (spend - forecast["expected_spend"]).abs().mean()


@pytest.mark.parametrize(("name", "kind"), [("expected_orders", "purchases"), ("expected_spend", "spend")])
def test_nine_of_ten_lie_in_their_interval_heavy_spenders_too(
    forecast: pd.DataFrame, now: Origin, name: str, kind: str
) -> None:
    inside = now.amounts[kind].between(forecast[f"{name}_low"] - 1e-9, forecast[f"{name}_high"] + 1e-9)
    heavy = forecast[name].rank(pct=True) > 0.75
    assert 0.86 < inside.mean() < 0.95  # of 541 customers
    assert 0.8 < inside[heavy].mean() < 0.97


def test_a_year_of_history_tells_the_season() -> None:
    past = [origin(SEASONAL, day, last=640) for day in (580, 520)]
    now = origin(SEASONAL, 640)
    actual = now.amounts["spend"].sum()
    learned = Champion(horizon_days=HORIZON).fit(past)
    assert learned.predict(now)["expected_spend"].sum() == pytest.approx(actual, rel=0.15)
    blind = learned.predict(now._replace(year_before=None))
    assert blind["expected_spend"].sum() < 0.75 * actual
    assert blind["churn_probability"].mean() > 1.25 * now.churned.mean()


def test_forecast_of_a_customer_does_not_depend_on_the_others(champion: Champion, now: Origin) -> None:
    forecaster = champion.at(now)
    together = forecaster.forecast(now.features)
    alone = forecaster.forecast(now.features.iloc[[3]])
    pd.testing.assert_frame_equal(alone, together.iloc[[3]], rtol=1e-6)
    assert forecaster.forecast(now.features.iloc[:0]).shape == (0, len(COLUMNS))


def test_forecaster_travels_as_text_and_bytes(champion: Champion, now: Origin) -> None:
    forecaster = champion.at(now)
    parameters, trees = forecaster.pack()
    assert json.loads(parameters)["columns"] == list(now.features)
    there = Forecaster.unpack(parameters, trees)
    pd.testing.assert_frame_equal(there.forecast(now.features), forecaster.forecast(now.features))
    assert there.pack() == (parameters, trees)


def test_order_of_customers_and_of_fits_changes_nothing(past: list[Origin], now: Origin, champion: Champion) -> None:
    shuffled = [one._replace(features=one.features.sample(frac=1, random_state=1)) for one in past]
    again = Champion(horizon_days=HORIZON).fit(past[:2]).fit(shuffled)
    assert again.at(now).pack() == champion.at(now).pack()


def test_forecasts_do_not_look_at_what_came(champion: Champion, now: Origin, forecast: pd.DataFrame) -> None:
    blind = now._replace(churned=None, amounts=None)
    pd.testing.assert_frame_equal(champion.predict(blind), forecast)


def test_one_past_date_is_split_by_customers(past: list[Origin], now: Origin) -> None:
    forecast = Champion(horizon_days=HORIZON).fit(past[:1]).predict(now)
    assert roc_auc_score(now.churned, forecast["churn_probability"]) > 0.65


@pytest.mark.parametrize("churned", [True, False])
def test_one_outcome_leaves_the_models_alone(past: list[Origin], now: Origin, churned: bool) -> None:
    same = [
        one._replace(churned=pd.Series(churned, one.features.index), amounts=one.amounts * (0.0 if churned else 1.0))
        for one in past
    ]
    champion = Champion(horizon_days=HORIZON).fit(same)
    assert champion.learners_ is None
    assert "fewer than 50" in champion.notes_[-1]
    assert set(champion.weights_["churn"]) == {"btyd", "steady"}
    assert np.isfinite(champion.predict(now).to_numpy()).all()


def test_few_events_leave_the_models_alone(past: list[Origin], now: Origin) -> None:
    few = [past[0]._replace(features=past[0].features.iloc[:70])]
    champion = Champion(horizon_days=HORIZON).fit(few)
    assert champion.learners_ is None
    assert "nothing was learned from past dates" in champion.notes_[-1]
    assert roc_auc_score(now.churned, champion.predict(now)["churn_probability"]) > 0.65


def test_origin_without_customers_is_left_out(past: list[Origin]) -> None:
    empty = past[0]._replace(features=past[0].features.iloc[:0])
    champion = Champion(horizon_days=HORIZON).fit([empty, *past[:1]])
    assert champion.notes_ == ["left out: 1 past dates without active customers"]
    with pytest.raises(DataError, match="no past date has an active customer"):
        Champion(horizon_days=HORIZON).fit([empty])


def test_category_never_seen_counts_as_unknown(champion: Champion, now: Origin) -> None:
    few = now._replace(features=now.features.iloc[:20])
    new = few._replace(features=few.features.assign(profile_home=pd.Categorical(["elsewhere"] * 20)))
    unknown = few._replace(features=few.features.assign(profile_home=pd.Categorical([None] * 20)))
    pd.testing.assert_frame_equal(champion.predict(new), champion.predict(unknown))


def test_constant_missing_and_infinite_features_do_no_harm(past: list[Origin], now: Origin) -> None:
    def spoilt(one: Origin, worst: float) -> Origin:
        extra = {"same": 1.0, "nothing": np.nan, "beyond": np.where(np.arange(len(one.features)) < 5, worst, 0.5)}
        return one._replace(features=one.features.assign(**extra))

    champion = Champion(horizon_days=HORIZON).fit([spoilt(one, np.inf) for one in past])
    assert champion.notes_ == ["infinite values count as missing in beyond"]
    infinite, missing = (champion.predict(spoilt(now, worst)) for worst in (-np.inf, np.nan))
    pd.testing.assert_frame_equal(infinite, missing)


def test_missing_column_is_named(champion: Champion, now: Origin) -> None:
    with pytest.raises(DataError, match="spend_60 missing"):
        champion.at(now).forecast(now.features.drop(columns=["spend_60"]))


def test_column_order_does_not_matter(champion: Champion, now: Origin, forecast: pd.DataFrame) -> None:
    turned = now._replace(features=now.features[now.features.columns[::-1]])
    pd.testing.assert_frame_equal(champion.predict(turned), forecast)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_device_is_passed_on(past: list[Origin], monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    asked, train = [], trees.xgboost.train

    def spy(settings: dict[str, object], *arguments: object, **more: object) -> object:
        asked.append(settings["device"])
        return train(settings | {"device": "cpu"}, *arguments, **more)

    monkeypatch.setattr(trees.xgboost, "train", spy)
    Champion(horizon_days=HORIZON, device=device).fit(past[:1])
    assert len(asked) >= len(GROWN)
    assert set(asked) == {device}


def halved(one: Origin, day: int) -> Origin:
    """A date at which to leave is to spend under half as much as in the horizon before, of those who spent in it."""
    if one.amounts is None:
        return one
    known = STEADY.log[(STEADY.log["day"] >= day - HORIZON) & (STEADY.log["day"] < day)]
    spent = known.groupby("customer")["spend"].sum().reindex(one.features.index, fill_value=0.0)
    asked = one.features.index[spent > 0]
    left = one.amounts.loc[asked, "spend"] < spent[asked] / 2
    year = None if one.year_before is None else halved(one.year_before, day - 364)
    return one._replace(
        features=one.features.loc[asked],
        amounts=one.amounts.loc[asked],
        churned=left.rename("churned"),
        year_before=year,
    )


@pytest.fixture(scope="module")
def halving() -> tuple[list[Origin], Origin]:
    """Past dates, and the one to forecast."""
    past = [halved(origin(STEADY, day, last=660, year=day > 480), day) for day in (600, 570, 540, 480)]
    return past, halved(origin(STEADY, 660), 660)


def test_where_leaving_is_not_silence_it_is_learned_and_levelled_by_past_dates(
    halving: tuple[list[Origin], Origin],
) -> None:
    past, now = halving
    champion = Champion(horizon_days=HORIZON, by_silence=False).fit(past)
    weights = champion.weights_
    assert (weights["churn"]["btyd"], weights["churn"]["steady"], weights["spend"]["hurdle"]) == (0, 0, 0)
    assert weights["churn"]["line"] + weights["churn"]["trees"] + weights["churn"]["trees_on_line"] > 0.5
    said = champion.predict(now)
    assert np.isfinite(said.to_numpy()).all()
    assert roc_auc_score(now.churned, said["churn_probability"]) > 0.6
    rates = [float(one.churned.mean()) for one in past]
    assert said["churn_probability"].mean() == pytest.approx(np.mean(rates), rel=0.1)
    # The models foretell another event, which is rarer.
    silence = Champion(horizon_days=HORIZON).fit(past).predict(now)["churn_probability"].mean()
    assert abs(silence - now.churned.mean()) > abs(said["churn_probability"].mean() - now.churned.mean())


def test_level_of_another_meaning_weighs_past_rates_by_how_far_off_they_were(
    halving: tuple[list[Origin], Origin],
) -> None:
    past, _ = halving
    champion = Champion(horizon_days=HORIZON, by_silence=False).fit(past)
    rates = [float(one.churned.mean()) for one in past]  # of days 600, 570, 540 and 480, sixty days each
    expected = [np.mean(rates[2:]) / rates[0], rates[3] / rates[1], rates[3] / rates[2]]
    assert champion.levels_.errors["churned"]["of late"] == pytest.approx(np.log(expected))
    years = [float(one.year_before.churned.mean()) / float(one.churned.mean()) for one in past if one.year_before]
    assert champion.levels_.errors["churned"]["a year ago"] == pytest.approx(np.log(years))
    assert len(years) == 3
    assert champion.levels_.left == pytest.approx(np.mean(rates))


def test_with_few_events_of_another_meaning_all_are_as_likely_to_leave(halving: tuple[list[Origin], Origin]) -> None:
    (first, *_), now = halving
    few = first._replace(features=first.features.iloc[:70])
    champion = Champion(horizon_days=HORIZON, by_silence=False).fit([few])
    assert champion.notes_[-1].endswith("fewer than 50; all are as likely to leave")
    said = champion.predict(now._replace(year_before=None))["churn_probability"]
    assert said.to_numpy() == pytest.approx(few.churned.loc[few.features.index].mean())
