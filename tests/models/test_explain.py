"""Contributions that add up, and what is said of them."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from loyalty.errors import LoyaltyError
from loyalty.models import explain
from loyalty.models.churn import ChurnModel
from sklearn.linear_model import LogisticRegression

NAMES = ["silence", "spend", "gappy"]


def people(size: int = 600, seed: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    index = pd.Index([f"c{number:04d}" for number in range(size)], name="customer")
    features = pd.DataFrame(random.normal(size=(size, 3)), index=index, columns=NAMES)
    features.loc[random.random(size) < 0.2, "gappy"] = np.nan
    chance = 1 / (1 + np.exp(-(1.5 * features["silence"] - features["spend"])))
    return features, (random.random(size) < chance).to_numpy(dtype="float64")


def trees(
    features: pd.DataFrame, labels: np.ndarray, margin: np.ndarray | None = None, seed: int = 1
) -> xgboost.Booster:
    data = xgboost.DMatrix(features, label=labels, base_margin=margin, enable_categorical=True)
    settings = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1, "subsample": 0.6, "seed": seed}
    return xgboost.train(settings, data, num_boost_round=20)


@pytest.fixture(scope="module")
def fitted() -> tuple[pd.DataFrame, xgboost.Booster]:
    features, labels = people()
    return features, trees(features, labels)


def test_a_tree_of_one_split_is_explained_as_by_hand() -> None:
    # Shapley's value of the only feature is the prediction less its mean over what was learned from.
    features = pd.DataFrame({"x": [0.0] * 30 + [1.0] * 10})
    model = trees(features, np.r_[np.zeros(30), np.ones(10)])
    said = explain.of_trees(model, features)
    odds = model.predict(xgboost.DMatrix(features), output_margin=True)
    assert said["base"].nunique() == 1
    assert np.allclose(said["x"], odds - said["base"], atol=1e-5)
    assert said["x"].iloc[-1] > 0 > said["x"].iloc[0]


def test_contributions_of_a_model_with_few_features_are_shapley_values_of_its_conditional_means() -> None:
    # The definition, all orders of the features one by one, with the trees' own way of not knowing a feature
    # (following both branches, weighted by how many training rows went there): here with independent binary features,
    # where that equals the mean over the training rows.
    grid = pd.DataFrame(list(itertools.product([0.0, 1.0], repeat=3)), columns=NAMES)
    features = pd.concat([grid] * 50, ignore_index=True)
    labels = ((features["silence"] + features["spend"] * features["gappy"]) > 0.5).to_numpy("float64")
    data = xgboost.DMatrix(features, label=labels)
    model = xgboost.train({"objective": "reg:squarederror", "max_depth": 3, "nthread": 1}, data, num_boost_round=1)

    def mean_given(row: pd.Series, names: tuple[str, ...]) -> float:
        alike = grid.loc[(grid[list(names)] == row[list(names)]).all(axis=1)]
        return float(model.predict(xgboost.DMatrix(alike)).mean())

    said = explain.of_trees(model, grid)
    for place, row in grid.iterrows():
        for name in NAMES:
            others = [other for other in NAMES if other != name]
            value = 0.0
            for count in range(3):
                for known in itertools.combinations(others, count):
                    weight = math.factorial(count) * math.factorial(2 - count) / 6
                    value += weight * (mean_given(row, (*known, name)) - mean_given(row, known))
            assert said.loc[place, name] == pytest.approx(value, abs=1e-5)


def test_batches_change_nothing_and_progress_is_told(fitted: tuple[pd.DataFrame, xgboost.Booster]) -> None:
    features, model = fitted
    told: list[tuple[int, int]] = []
    parts = explain.of_trees(model, features, batch=250, progress=lambda done, of: told.append((done, of)))
    pd.testing.assert_frame_equal(parts, explain.of_trees(model, features))
    assert told == [(250, 600), (500, 600), (600, 600)]


def test_it_says_what_the_churn_model_says() -> None:
    features, labels = people()
    model = ChurnModel(rounds=10).fit([features], [pd.Series(labels == 1, index=features.index)])
    pd.testing.assert_frame_equal(explain.of_trees(model.booster_, features), model.contributions(features))


def test_nobody_is_explained_without_an_error(fitted: tuple[pd.DataFrame, xgboost.Booster]) -> None:
    features, model = fitted
    assert list(explain.of_trees(model, features.iloc[:0]).columns) == [*NAMES, "base"]


def test_categories_are_explained_too() -> None:
    features, labels = people()
    features["kind"] = pd.Categorical(np.where(labels == 1, "b", "a"), categories=["a", "b", "never seen"])
    said = explain.of_trees(trees(features, labels), features)
    assert said["kind"].abs().mean() > said["spend"].abs().mean()


def test_what_trees_started_from_becomes_a_feature() -> None:
    features, labels = people()
    margin = np.random.default_rng(5).normal(size=len(features))
    model = trees(features, labels, margin)
    said = explain.told_apart(explain.of_trees(model, features, margin=margin), margin, "btyd")
    assert said["base"].std() == pytest.approx(0, abs=1e-5)
    assert said["btyd"].corr(pd.Series(margin, index=features.index)) == pytest.approx(1)
    odds = model.predict(xgboost.DMatrix(features, base_margin=margin), output_margin=True)
    explain.check_additive(said, odds)


def test_a_mean_of_trees_and_a_line_adds_up_to_the_mean_of_their_log_odds(
    fitted: tuple[pd.DataFrame, xgboost.Booster],
) -> None:
    features, model = fitted
    known, labels = features[["silence", "spend"]], people()[1]
    line = LogisticRegression().fit(known, labels)
    of_line = explain.of_line(
        pd.Series(line.coef_[0], index=known.columns), float(line.intercept_[0]), known, known.mean()
    )
    explain.check_additive(of_line, line.decision_function(known))
    both = explain.blended([explain.of_trees(model, features), of_line], [0.7, 0.3])
    odds = model.predict(xgboost.DMatrix(features), output_margin=True)
    explain.check_additive(both, 0.7 * odds + 0.3 * line.decision_function(known))


def test_a_row_that_does_not_add_up_is_an_error(fitted: tuple[pd.DataFrame, xgboost.Booster]) -> None:
    features, model = fitted
    said = explain.of_trees(model, features)
    odds = model.predict(xgboost.DMatrix(features), output_margin=True).astype("float64")
    said.iloc[4, 1] += 2e-4
    with pytest.raises(LoyaltyError, match=r"do not add up to the prediction for 1 of 600 .* at most 0\.0001"):
        explain.check_additive(said, odds)
    said.iloc[4, 1] = np.nan
    with pytest.raises(LoyaltyError, match="for 1 of 600 customers"):
        explain.check_additive(said, odds)


@given(st.integers(0, 60), st.integers(1, 80), st.integers(0, 5))
def test_chosen_customers_are_the_riskiest_and_the_most_valuable(size: int, most: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    index = pd.Index([f"c{number}" for number in range(size)])
    risk, value = pd.Series(random.random(size), index), pd.Series(random.integers(0, 4, size) * 1.0, index)
    value[random.random(size) < 0.3] = np.nan
    picked = explain.chosen(risk, value, most)
    assert len(picked) == min(most, size)
    assert not picked.has_duplicates
    half = most // 2
    assert set(risk.sort_values(ascending=False).index[:half]) <= set(picked)
    assert set(value.sort_values(ascending=False, kind="stable").index[:half]) <= set(picked)


def test_groups_add_up_as_their_features_do(fitted: tuple[pd.DataFrame, xgboost.Booster]) -> None:
    features, model = fitted
    said = explain.of_trees(model, features)
    groups = explain.grouped(said, {"silence": "both", "spend": "both"})
    assert list(groups.columns) == ["both", "gappy", "base"]
    assert np.allclose(groups.sum(axis=1), said.sum(axis=1))


def test_importance_is_the_mean_size_and_its_band_has_the_width_that_theory_says() -> None:
    random = np.random.default_rng(8)
    said = pd.DataFrame({"weak": random.normal(size=2000), "strong": 3 * random.normal(size=2000), "base": 1.0})
    table = explain.importance(said, draws=1000)
    assert list(table.index) == ["strong", "weak"]
    assert table.loc["strong", "importance"] == pytest.approx(said["strong"].abs().mean())
    assert table["share"].sum() == pytest.approx(1)
    half = 1.645 * said["strong"].abs().std() / np.sqrt(2000)
    assert table.loc["strong", "high"] - table.loc["strong", "low"] == pytest.approx(2 * half, rel=0.1)
    pd.testing.assert_frame_equal(table, explain.importance(said, draws=1000))


def test_models_of_several_seeds_agree_on_what_matters_and_not_on_noise() -> None:
    features, labels = people(1500)
    noise = pd.DataFrame(np.random.default_rng(1).normal(size=(1500, 3)), index=features.index, columns=list("abc"))
    features = features.join(noise)
    said = {seed: explain.of_trees(trees(features, labels, seed=seed), features) for seed in (1, 2, 3)}
    steady = explain.stability(said, top=2)
    assert list(steady.table.index[:2]) == ["silence", "spend"]
    assert steady.table[["best_rank", "worst_rank"]].to_numpy()[:2].tolist() == [[1, 1], [2, 2]]
    assert steady.top_shared == 1
    assert 0.5 < steady.rank_correlation < 1
    assert 0.5 < steady.same_reason < 1
    assert (steady.table["low"] <= steady.table["importance"]).all()


def test_the_same_model_thrice_is_perfectly_stable(fitted: tuple[pd.DataFrame, xgboost.Booster]) -> None:
    said = explain.of_trees(fitted[1], fitted[0])
    steady = explain.stability({1: said, 2: said, 3: said})
    assert steady[1:] == (pytest.approx(1), 1, 1)
