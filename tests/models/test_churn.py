"""The boosted classifier and the rule it has to beat, on customers whose chances are known."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.models.backtest import Origin
from loyalty.models.baselines import rate_so_far
from loyalty.models.churn import ChurnModel, check_two_classes, stack
from loyalty.models.metrics import compare
from loyalty.models.players import Curve, silence
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

Population = tuple[list[pd.DataFrame], list[pd.Series], list[np.ndarray]]


def population(seed: int, size: int = 1500, origins: int = 3, strength: float = 1.0) -> Population:
    """Feature frames, outcomes and true chances of leaving: they turn on the silence and on how two others differ."""
    random = np.random.default_rng(seed)
    frames, outcomes, chances = [], [], []
    for _ in range(origins):
        index = pd.Index([f"c{number:04d}" for number in range(size)], name="customer")
        frame = pd.DataFrame(random.normal(size=(size, 4)), index=index, columns=["rhythm", "spend", "noise", "gappy"])
        frame["days_since_last"] = random.integers(1, 57, size).astype("float64")
        frame.loc[random.random(size) < 0.2, "gappy"] = np.nan
        pull = np.log(frame["days_since_last"] / 15) + 2 * np.where(frame["rhythm"] > frame["spend"], 1, -1)
        chance = 1 / (1 + np.exp(-strength * pull))
        frames.append(frame)
        outcomes.append(pd.Series(random.random(size) < chance, index=index, name="churned"))
        chances.append(chance.to_numpy())
    return frames, outcomes, chances


@pytest.fixture(scope="module")
def people() -> Population:
    return population(1)


@pytest.fixture(scope="module")
def model(people: Population) -> ChurnModel:
    return ChurnModel().fit(people[0][:2], people[1][:2])


def shuffled(parts: Sequence[pd.DataFrame | pd.Series], seed: int) -> list[pd.DataFrame | pd.Series]:
    return [part.sample(frac=1, random_state=seed + place) for place, part in enumerate(parts)]


def test_the_same_data_gives_the_same_trees_to_the_byte(people: Population, model: ChurnModel) -> None:
    again = ChurnModel().fit(people[0][:2], people[1][:2])
    assert again.booster_.save_raw("ubj") == model.booster_.save_raw("ubj")
    assert again.digest() == model.digest()


def test_the_order_of_customers_changes_no_byte(people: Population, model: ChurnModel) -> None:
    again = ChurnModel().fit(shuffled(people[0][:2], 5), shuffled(people[1][:2], 7))
    assert again.digest() == model.digest()


def test_another_seed_or_other_labels_give_other_trees(people: Population, model: ChurnModel) -> None:
    assert ChurnModel(seed=1).fit(people[0][:2], people[1][:2]).digest() != model.digest()
    turned = [~labels for labels in people[1][:2]]
    assert ChurnModel().fit(people[0][:2], turned).digest() != model.digest()


def test_labels_find_their_customer_by_name(people: Population) -> None:
    features, labels = stack(people[0][:1], [people[1][0].sample(frac=1, random_state=3)])
    np.testing.assert_array_equal(labels, people[1][0].loc[features.index].astype(float))


def test_a_prediction_follows_its_row(people: Population, model: ChurnModel) -> None:
    frame = people[0][2]
    backwards = frame.iloc[::-1]
    np.testing.assert_array_equal(model.predict(backwards)[::-1], model.predict(frame))
    assert ((model.predict(frame) > 0) & (model.predict(frame) < 1)).all()


def test_contributions_add_up_to_the_log_odds(people: Population, model: ChurnModel) -> None:
    frame, probability = people[0][2], model.predict(people[0][2])
    parts = model.contributions(frame)
    assert list(parts.columns) == [*frame.columns, "base"]
    assert parts.index.equals(frame.index)
    # Trees are summed in 32-bit floats.
    np.testing.assert_allclose(parts.sum(axis=1), np.log(probability / (1 - probability)), atol=2e-5)
    assert parts["base"].nunique() == 1
    strongest = parts.drop(columns="base").abs().mean().sort_values().index
    assert set(strongest[-3:]) == {"rhythm", "spend", "days_since_last"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda frame: frame.drop(columns="spend"), r"\['spend'\]"),
        (lambda frame: frame.assign(new=1.0), r"\['new'\]"),
        (lambda frame: frame[frame.columns[::-1]], "the same columns in another order"),
    ],
    ids=["fewer", "more", "another order"],
)
def test_other_columns_are_refused(people: Population, model: ChurnModel, change: object, told: str) -> None:
    frame = change(people[0][2])  # type: ignore[operator]
    for use in (model.predict, model.contributions):
        with pytest.raises(DataError, match=f"the features differ from those that the model learned: {told}"):
            use(frame)


def test_nothing_is_predicted_before_it_has_learned(people: Population) -> None:
    for use in (ChurnModel().predict, ChurnModel().contributions):
        with pytest.raises(NotFittedError, match="not fitted"):
            use(people[0][0])


@pytest.mark.parametrize(
    ("label", "told"),
    [(True, "every active customer left .*lengthen horizon_days"), (False, "no active customer left .*shorten")],
)
def test_labels_of_one_class_teach_nothing(people: Population, label: bool, told: str) -> None:
    same = [pd.Series(label, index=frame.index) for frame in people[0]]
    with pytest.raises(DataError, match=f"churn cannot be predicted: at the past dates .*{told}"):
        ChurnModel().fit(people[0], same)


def test_no_customers_teach_nothing(people: Population) -> None:
    with pytest.raises(DataError, match="no active customer within the horizon"):
        ChurnModel().fit([people[0][0].iloc[:0]], [people[1][0].iloc[:0]])
    check_two_classes([True, False])


def test_its_parameters_are_those_that_scikit_learn_copies() -> None:
    assert clone(ChurnModel(rounds=3, seed=4)).get_params() == ChurnModel(rounds=3, seed=4).get_params()


def ruled(frames: list[pd.DataFrame], outcomes: list[pd.Series], at: pd.DataFrame) -> np.ndarray:
    """What the days since the last purchase say."""
    past = [
        Origin(frame, pd.DataFrame(), outcome, pd.DataFrame({"purchases": 0.0, "spend": 0.0}, frame.index))
        for frame, outcome in zip(frames, outcomes, strict=True)
    ]
    return Curve("rule", silence).fit(past).predict(Origin(at, pd.DataFrame()))["churn_probability"].to_numpy()


def judged(people: Population) -> tuple[pd.DataFrame, np.ndarray]:
    """The last origin judged after learning on the others."""
    frames, outcomes, chances = people
    tried = {
        "rule": ruled(frames[:-1], outcomes[:-1], frames[-1]),
        "trees": ChurnModel().fit(frames[:-1], outcomes[:-1]).predict(frames[-1]),
        "truth": chances[-1],
    }
    return compare(outcomes[-1].to_numpy(dtype="float64"), tried), tried["trees"]


def better(table: pd.DataFrame) -> bool:
    """Whether the trees beat the rule beyond the error."""
    return bool(table.loc["trees", "log_loss_gain_low"] > 0)


def test_it_beats_the_rule_where_there_is_more_to_know(people: Population) -> None:
    table, trees = judged(people)
    assert better(table)
    gain, best = table.loc["trees", "log_loss_gain"], table.loc["truth", "log_loss_gain"]
    assert 0.5 * best < gain < best  # more than half of what can be known, and not more than all
    assert np.corrcoef(trees, people[2][-1])[0, 1] > 0.8
    assert table.loc["trees", "expected"] == pytest.approx(people[2][-1].sum(), rel=0.05)


@pytest.mark.slow
def test_it_wins_nothing_where_there_is_nothing_to_know() -> None:
    wins = [better(judged(population(seed, 400, strength=0.0))[0]) for seed in range(12)]
    assert sum(wins) <= 1


def test_it_does_not_win_where_the_rule_is_the_truth() -> None:
    frames, outcomes, _ = population(3)
    random = np.random.default_rng(4)
    for frame, outcome in zip(frames, outcomes, strict=True):
        outcome[:] = random.random(len(frame)) < 1 / (1 + 15 / frame["days_since_last"])
    chances = [(frame["days_since_last"] / (15 + frame["days_since_last"])).to_numpy() for frame in frames]
    table, _ = judged((frames, outcomes, chances))
    assert not better(table)


def test_the_rate_so_far_by_hand() -> None:
    lived = pd.DataFrame({"frequency": [0, 3, 10], "T": [40, 60, 20]})
    assert rate_so_far(lived, 30).tolist() == [0.0, 1.5, 15.0]
