"""No number about fewer customers than may be shown."""

import pandas as pd
from loyalty.reporting.privacy import suppress

GROUPS = pd.DataFrame(
    {"segment": ["Loyal", "New", "Lost"], "n": [10, 9, 0], "spend": [100.0, 90.0, 0.0], "median": [3, 2, 1]},
    index=[5, 5, 7],
)


def test_a_small_group_keeps_its_name_and_nothing_else() -> None:
    shown = suppress(GROUPS, "n", 10)
    assert shown["segment"].tolist() == ["Loyal", "New", "Lost"]
    assert shown["n"].tolist() == [10, "<10", 0]
    assert shown["spend"].isna().tolist() == shown["median"].isna().tolist() == [False, True, False]
    assert shown["spend"].iloc[0] == 100.0


def test_the_least_number_is_that_of_the_dataset() -> None:
    assert suppress(GROUPS, "n", 2)["n"].tolist() == [10, 9, 0]
    assert suppress(GROUPS, "n", 11)["n"].tolist() == ["<11", "<11", 0]


def test_the_columns_to_hide_can_be_named() -> None:
    shown = suppress(GROUPS, "n", 10, hide=["spend", "segment"])
    assert shown["median"].tolist() == [3, 2, 1]
    assert shown["segment"].isna().tolist() == [False, True, False]


def test_an_empty_group_tells_nothing_of_anyone_and_stays() -> None:
    assert suppress(GROUPS, "n", 10).iloc[2].tolist() == ["Lost", 0, 0.0, 1.0]


def test_the_frame_given_is_not_changed() -> None:
    before = GROUPS.copy()
    suppress(GROUPS, "n", 10)
    pd.testing.assert_frame_equal(GROUPS, before)


def test_no_group_stays_no_group() -> None:
    assert suppress(GROUPS.iloc[:0], "n", 10).empty
