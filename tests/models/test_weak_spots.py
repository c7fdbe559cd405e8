"""Where a model is wrong: found where it is planted, and seldom where it is not."""

import numpy as np
import pandas as pd
import pytest
from loyalty.models.weak_spots import classes, weak_spots


def people(size: int, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    features = pd.DataFrame(
        {
            "T": random.integers(0, 900, size) * 1.0,
            "frequency": random.integers(0, 15, size) * 1.0,
            "spend_30": random.gamma(1, 20, size),
            "spend_90": random.gamma(1, 60, size) * (random.random(size) < 0.6),
            "channels": random.integers(1, 4, size) * 1.0,
            "profile_home_town": pd.Categorical(random.choice(["A", "B", "C"], size)),
        }
    )
    return features, random.uniform(0.05, 0.6, size)


def test_customers_are_divided_in_words() -> None:
    divided = classes(people(4000)[0])
    assert list(divided) == [
        "Time since the first purchase", "Repeat purchase days", "Value (recent spend)", "Channels", "Home town"
    ]  # fmt: skip
    features = pd.DataFrame(
        {"T": [0, 89, 90, 364, 730], "frequency": [0, 1, 2, 9, 10], "channels": [1, 1, 2, 3, np.nan]}
    )
    told = classes(features)
    assert told["Time since the first purchase"].tolist() == [
        "under 90 days", "under 90 days", "90 to 180 days", "180 days to a year", "over two years"
    ]  # fmt: skip
    assert told["Repeat purchase days"].tolist() == ["none", "one", "2 to 4", "5 to 9", "10 or more"]
    assert told["Channels"].tolist() == ["one", "one", "several", "several", "not known"]


def test_value_is_told_by_the_longest_window_in_fifths_and_equal_amounts_stay_together() -> None:
    features = people(1000)[0]
    value = classes(features)["Value (recent spend)"]
    assert (
        features["spend_90"].groupby(value).max()["fourth fifth"]
        <= features["spend_90"].groupby(value).min()["highest fifth"]
    )
    assert value[features["spend_90"] == 0].nunique() == 1


def test_small_towns_are_taken_together_and_what_divides_nobody_is_left_out() -> None:
    towns = pd.Series([f"town {number % 30 if number < 60 else number % 8}" for number in range(900)])
    divided = classes(pd.DataFrame({"profile_town": towns, "frequency": 3.0}))
    assert list(divided) == ["Town"]
    assert divided["Town"].nunique() == 9
    assert "all others" in set(divided["Town"])


def test_the_class_in_which_the_model_is_wrong_comes_first_and_is_clear() -> None:
    features, p = people(3000)
    really = np.where(features["profile_home_town"] == "B", p + 0.12, p)
    churned = (np.random.default_rng(2).random(3000) < really).astype("float64")
    table = weak_spots(churned, p, classes(features))
    worst = table.iloc[0]
    assert (worst["by"], worst["of"], bool(worst["clear"])) == ("Home town", "B", True)
    inside = (features["profile_home_town"] == "B").to_numpy()
    assert worst["customers"] == inside.sum()
    assert worst["gap"] == pytest.approx(p[inside].mean() - churned[inside].mean())
    assert worst["low"] < worst["gap"] < worst["high"] < 0


@pytest.mark.slow
def test_a_model_that_is_right_is_seldom_called_wrong_anywhere() -> None:
    features, p = people(800)
    divided, alarms, covered, classes_seen = classes(features), 0, 0, 0
    for seed in range(40):
        churned = (np.random.default_rng(seed).random(800) < p).astype("float64")
        table = weak_spots(churned, p, divided)
        alarms += bool(table["clear"].any())
        covered += int(((table["low"] <= 0) & (table["high"] >= 0)).sum())
        classes_seen += len(table)
    assert alarms <= 9  # a tenth of 40 expected; 10 or more has a chance under 1 %
    assert covered / classes_seen == pytest.approx(0.9, abs=0.04)


def test_the_area_agrees_with_pairs_counted_one_by_one() -> None:
    _, p = people(80)
    churned = (np.random.default_rng(7).random(80) < p).astype("float64")
    table = weak_spots(churned, p, pd.DataFrame({"all": ["everyone"] * 80}))
    pairs = [(1.0 if a > b else 0.5 if a == b else 0.0) for a in p[churned == 1] for b in p[churned == 0]]
    assert table.loc[0, "auc"] == pytest.approx(np.mean(pairs))
    assert table.loc[0, "auc_low"] < table.loc[0, "auc"] < table.loc[0, "auc_high"]


def test_small_classes_and_classes_of_one_outcome_say_no_more_than_they_can() -> None:
    divided = pd.DataFrame({"by": ["few"] * 9 + ["stayed"] * 20})
    table = weak_spots(np.r_[np.ones(9), np.zeros(20)], np.r_[np.full(9, 0.5), np.full(20, 0.1)], divided).set_index(
        "of"
    )
    assert table.loc["few", "customers"] == 9
    assert table.loc["few", ["promised", "realised", "gap", "low", "high", "auc"]].isna().all()
    assert not table.loc["few", "clear"]
    assert pd.isna(table.loc["stayed", "auc"])
    assert table.loc["stayed", "gap"] == pytest.approx(0.1)


def test_certainties_that_come_true_are_no_error() -> None:
    table = weak_spots(np.ones(12), np.ones(12), pd.DataFrame({"by": ["all"] * 12}))
    assert table.loc[0, "gap"] == 0
    assert not table.loc[0, "clear"]


def test_nobody_is_an_empty_table() -> None:
    assert weak_spots(np.array([]), np.array([]), pd.DataFrame({"by": []})).empty
