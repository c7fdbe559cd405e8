"""No number about fewer customers than may be shown."""

import pandas as pd
from loyalty.reporting.privacy import suppress

GROUPS = pd.DataFrame(
    {"segment": ["Loyal", "New", "Lost"], "n": [10, 9, 0], "spend": [100.0, 90.0, 0.0], "median": [3, 2, 1]},
    index=[5, 6, 7],
)


def test_a_small_group_keeps_its_name_and_nothing_else() -> None:
    two = pd.concat([GROUPS, GROUPS.iloc[[1]].assign(segment="Loud", n=4)], ignore_index=True)
    shown = suppress(two, "n", 10)
    assert shown["segment"].tolist() == ["Loyal", "New", "Lost", "Loud"]
    assert shown["n"].tolist() == [10, "<10", 0, "<10"]
    assert shown["spend"].isna().tolist() == shown["median"].isna().tolist() == [False, True, False, True]
    assert shown["spend"].iloc[0] == 100.0


def test_a_single_small_group_cannot_be_found_by_taking_the_others_from_the_whole() -> None:
    four = pd.concat([GROUPS, GROUPS.iloc[[0]].assign(segment="Many", n=500)], ignore_index=True)
    shown = suppress(four, "n", 10)
    assert shown["spend"].isna().tolist() == [True, True, False, False]
    assert not isinstance(shown["n"].iloc[0], int)
    assert shown["n"].iloc[[1, 3]].tolist() == ["<10", 500]


def test_the_least_number_is_that_of_the_dataset() -> None:
    assert suppress(GROUPS, "n", 2)["n"].tolist() == [10, 9, 0]
    assert suppress(GROUPS, "n", 11)["n"].tolist() == ["<11", "<11", 0]


def test_an_empty_group_tells_nothing_of_anyone_and_stays() -> None:
    assert suppress(GROUPS, "n", 10).iloc[2].tolist() == ["Lost", 0, 0.0, 1.0]


def test_the_frame_given_is_not_changed() -> None:
    before = GROUPS.copy()
    suppress(GROUPS, "n", 10)
    pd.testing.assert_frame_equal(GROUPS, before)


def test_no_group_stays_no_group() -> None:
    assert suppress(GROUPS.iloc[:0], "n", 10).empty
