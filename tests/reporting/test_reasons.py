"""Reasons that a person at a telephone can read."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.features.build import dictionary
from loyalty.reporting.reasons import GROUPS, group_of, groups, reasons

COLUMNS = tuple(dictionary())
NUMBERS = [0.0, 0.3, 0.5, 1.0, 1.4, 7.0, 41.0, 365.0]


def one(**values: float) -> pd.DataFrame:
    return pd.DataFrame([values], index=pd.Index(["c1"], name="customer"))


def told(contribution: dict[str, float], known: dict[str, float], **options: str) -> list[str]:
    return reasons(one(**contribution, base=-1.0), one(**known), **options).iloc[0].dropna().tolist()


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_of_the_data_dictionary_can_be_told(column: str) -> None:
    group = group_of(column)
    assert group is not None
    known = {name: 12.0 if description.unit != "share" else 0.3 for name, description in dictionary().items()}
    (text,) = told({column: 0.7}, known)
    assert not re.search(r"_|\b(T|frequency|recency|entropy|cv|sd|share|btyd)\b", text)
    assert text.endswith(" (raises the risk)")


def test_no_group_is_without_a_column() -> None:
    used = set(groups(COLUMNS).values())
    assert used == {group.label for group in GROUPS}


def test_every_label_is_words() -> None:
    assert all(re.fullmatch(r"[A-Z][a-z -]+", group.label) for group in GROUPS)


@given(
    st.sets(st.sampled_from(COLUMNS), min_size=1, max_size=12),
    st.sets(st.sampled_from(COLUMNS), max_size=12),
    st.integers(0, 10_000),
)
def test_whatever_is_known_nothing_odd_is_said(moving: set[str], beside: set[str], seed: int) -> None:
    random = np.random.default_rng(seed)
    columns = sorted(moving | beside)
    values = random.choice([*NUMBERS, -3.0, np.nan, np.inf], size=(6, len(columns)))
    known = pd.DataFrame(values, columns=columns)
    contributions = pd.DataFrame(random.normal(size=(6, len(moving))), columns=sorted(moving)).assign(base=0.0)
    said = reasons(contributions, known)
    for text in said.stack().dropna():
        assert not re.search(r"\bnan\b|\binf\b|\bNone\b|_|  |\b1 (days|orders|kinds|stores)\b", text), text
        assert re.search(r" \((raises|lowers) the risk\)$", text)
    assert (said.isna().astype("int64").diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)  # gaps are at the end


def test_the_example_of_the_call_centre() -> None:
    known = {"days_since_last": 41, "gap_mean": 9.2, "overdue": 4.4, "T": 300}
    assert told({"overdue": 1.0, "T": -0.1}, known)[0] == "usually buys every 9 days, silent for 41 (raises the risk)"


def test_windows_of_the_same_thing_are_told_once_by_their_sum() -> None:
    contribution = {"spend_30": 0.9, "spend_60": -0.4, "spend_90": -0.3, "discount_share": 0.3}
    known = {"spend_30": 5.0, "spend_60": 20.0, "spend_90": 45.0, "discount_share": 0.23}
    assert told(contribution, known, currency="EUR") == [
        "pays 23 % less than the shelf price (raises the risk)",
        "spent €45.00 in the last 90 days (raises the risk)",
    ]


def test_strongest_first_and_directions_as_the_signs() -> None:
    contribution = {"age": 0.1, "stores": -2.0, "channels": 0.5, "tier": -0.4}
    known = {"age": 43.2, "stores": 1.0, "channels": 2.0, "tier": 0.0}
    assert told(contribution, known) == [
        "has shopped in 1 store (lowers the risk)",
        "shops through 2 channels (raises the risk)",
        "is below the first tier (lowers the risk)",
    ]


def test_a_feature_that_moves_nothing_is_no_reason_and_one_that_is_not_known_gives_way() -> None:
    contribution = {"age": 0.0, "gap_mean": 2.0, "stores": 1.0}
    known = {"age": 40.0, "gap_mean": np.nan, "stores": 2.0}
    assert told(contribution, known) == ["has shopped in 2 stores (raises the risk)"]


def test_a_column_that_nobody_has_words_for_is_never_told() -> None:
    assert told({"secret_feature": 9.0, "age": 0.1}, {"secret_feature": 1.0, "age": 40}) == [
        "is 40 years old (raises the risk)"
    ]


def test_attributes_are_told_by_their_own_name() -> None:
    features = pd.DataFrame({"profile_home_owner": pd.Categorical(["yes", None])})
    contributions = pd.DataFrame({"profile_home_owner": [0.5, -0.5], "base": [0.0, 0.0]})
    assert reasons(contributions, features)["reason_1"].tolist() == [
        "Home owner: yes (raises the risk)",
        "Home owner not known (lowers the risk)",
    ]


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "spent nothing in the last 30 days, but did in the 30 before"),
        (1.0, "spends again in the last 30 days, after nothing in the 30 before"),
        (0.5, "spends as much in the last 30 days as in the 30 before"),
        (0.2, "spent 75 % less in the last 30 days than in the 30 before"),
        (0.6, "spent 50 % more in the last 30 days than in the 30 before"),
        (0.75, "spent 3 times as much in the last 30 days as in the 30 before"),
    ],
)
def test_the_share_of_two_periods_is_put_as_a_change(share: float, words: str) -> None:
    assert told({"spend_trend_30": 1.0}, {"spend_trend_30": share}) == [f"{words} (raises the risk)"]


def test_rows_are_those_of_the_contributions_whatever_the_order_of_the_features() -> None:
    random = np.random.default_rng(2)
    index = pd.Index([f"c{n}" for n in range(50)])
    features = pd.DataFrame({"T": random.integers(1, 99, 50) * 1.0, "age": random.integers(18, 90, 50) * 1.0}, index)
    contributions = pd.DataFrame(random.normal(size=(50, 3)), index, ["T", "age", "base"])
    said = reasons(contributions.iloc[:20], features.sample(frac=1, random_state=3))
    assert list(said.index) == list(index[:20])
    for customer, text in said["reason_1"].items():
        strongest = contributions.loc[customer, ["T", "age"]].abs().idxmax()
        assert f"{features.loc[customer, strongest]:.0f}" in text


def test_nobody_gets_no_reasons() -> None:
    said = reasons(pd.DataFrame({"age": [], "base": []}), pd.DataFrame({"age": []}))
    assert list(said.columns) == ["reason_1", "reason_2", "reason_3"]
    assert said.empty
