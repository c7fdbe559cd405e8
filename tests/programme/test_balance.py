"""Whether arms were alike before: against numbers by hand, and as often wrong as it says."""

import numpy as np
import pandas as pd
import pytest
from loyalty.programme import balance


def drawn(seed: int, customers: int = 300, shift: float = 0.0) -> tuple[pd.DataFrame, pd.Series]:
    """Facts from before, one of which follows from another, and an arm drawn by chance; `shift` moves one arm."""
    random = np.random.default_rng(seed)
    arm = pd.Series(random.choice(["control", "a", "b"], customers))
    before = random.gamma(2, 10, customers) + shift * (arm == "a")
    regular = (random.random(customers) < 0.4).astype(float)
    history = pd.DataFrame({"before": before, "regular": regular, "irregular": 1 - regular})
    region = pd.DataFrame({"region": random.choice(["north", "south", "west"], customers)})
    return balance.known_before(history, region), arm


def test_standardised_differences_are_those_by_hand() -> None:
    known = pd.DataFrame({"orders": [1.0, 3.0, 2.0, 6.0]})
    arm = pd.Series(["control", "control", "a", "a"])
    (row,) = balance.differences(known, arm, "control").to_dict("records")
    assert (row["control_mean"], row["arm_mean"]) == (2.0, 4.0)
    assert row["difference"] == pytest.approx(2 / np.sqrt((2 + 8) / 2))
    assert row["high"] - row["difference"] == pytest.approx(1.6448536 * np.sqrt(1 / 2 + 1 / 2))


def test_chance_alone_is_called_unlikely_as_often_as_it_is() -> None:
    chances = np.concatenate([balance.alike(*drawn(seed), "control").to_numpy() for seed in range(200)])
    # Two in a hundred more or less is three standard errors of 400 draws.
    assert np.mean(chances < 0.05) == pytest.approx(0.05, abs=0.033)
    assert np.mean(chances < 0.5) == pytest.approx(0.5, abs=0.09)


def test_an_arm_that_was_not_drawn_is_seen() -> None:
    chances = balance.alike(*drawn(1, shift=10.0), "control")
    assert chances["a"] < 0.001 < chances["b"]


def test_gaps_and_rare_classes_are_facts_too() -> None:
    history = pd.DataFrame({"orders": [2.0, np.nan, 4.0]})
    region = pd.DataFrame({"region": [f"R{number:02d}" for number in range(14)] + [None] * 3})
    assert balance.known_before(history, history[[]])["orders"].tolist() == [2.0, 3.0, 4.0]
    classes = balance.known_before(region[[]], region)
    assert classes.shape[1] == balance.MOST_CLASSES + 1
    assert classes["region: other"].sum() + classes["region: not known"].sum() == 17 - (balance.MOST_CLASSES - 1)


def test_nothing_known_before_says_nothing() -> None:
    nothing = pd.DataFrame(index=range(4))
    arm = pd.Series(["control", "control", "a", "a"])
    assert balance.differences(nothing, arm, "control").empty
    assert balance.alike(nothing, arm, "control").isna().all()
