"""Kaplan & Meier's curve against published values, and against what must hold of any such curve."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.models.survival import kaplan_meier

# Remission of 21 leukaemia patients on 6-mercaptopurine, weeks (Freireich et al. 1963; Kleinbaum & Klein, table 2.1).
EVENTS = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def curve_of(events: list[int], censored: list[int], level: float = 0.9) -> pd.DataFrame:
    elapsed = pd.Series(events + censored, dtype="int64")
    happened = pd.Series([True] * len(events) + [False] * len(censored))
    return kaplan_meier(elapsed, happened, pd.Series(1, index=elapsed.index), level)


def test_the_textbooks_remission_times() -> None:
    curve = curve_of(EVENTS, CENSORED, 0.95)
    # Surviving, and limits on the log(-log) scale as R prints them: survfit(conf.type = "log-log").
    expected = {
        6: (0.8571, 0.6197, 0.9516),
        7: (0.8067, 0.5631, 0.9228),
        10: (0.7529, 0.5032, 0.8894),
        13: (0.6902, 0.4316, 0.8491),
        16: (0.6275, 0.3675, 0.8049),
        22: (0.5378, 0.2678, 0.7468),
        23: (0.4482, 0.1881, 0.6801),
    }
    surviving = pd.DataFrame({"share": 1 - curve["share"], "low": 1 - curve["high"], "high": 1 - curve["low"]})
    wanted = pd.DataFrame.from_dict(expected, orient="index", columns=["share", "low", "high"])
    pd.testing.assert_frame_equal(surviving, wanted, check_names=False, atol=5e-5, rtol=0)


def test_weights_are_as_good_as_repeated_rows() -> None:
    rows = pd.DataFrame({"elapsed": [3, 3, 5, 8], "happened": [True, False, True, False], "weight": [4, 2, 7, 9]})
    weighted = kaplan_meier(rows["elapsed"], rows["happened"], rows["weight"])
    each = rows.loc[rows.index.repeat(rows["weight"])].reset_index(drop=True)
    repeated = kaplan_meier(each["elapsed"], each["happened"], pd.Series(1, index=each.index))
    pd.testing.assert_frame_equal(weighted, repeated)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=40))
def test_without_censoring_it_is_the_share_so_far(events: list[int]) -> None:
    curve = curve_of(events, [])
    so_far = [np.mean([event <= day for event in events]) for day in curve.index]
    assert list(curve.index) == sorted(set(events))
    np.testing.assert_allclose(curve["share"], so_far, rtol=1e-12)


durations = st.lists(st.integers(1, 30), max_size=40)


@settings(max_examples=60)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), durations)
def test_the_curve_rises_inside_its_band(events: list[int], censored: list[int]) -> None:
    curve = curve_of(events, censored)
    assert curve["share"].between(0, 1 + 1e-12).all()
    assert (curve["share"].diff().dropna() > 0).all()
    # Where everyone has come back nothing is left to be unsure of, and no band is given.
    unsure = curve[curve["share"] < 1 - 1e-9]
    assert unsure[["low", "high"]].notna().all(axis=None)
    assert (unsure["low"] < unsure["share"]).all()
    assert (unsure["share"] < unsure["high"]).all()
    assert unsure[["low", "high"]].stack().between(0, 1).all()


def test_a_customer_whose_watch_ended_that_day_was_still_at_risk() -> None:
    assert curve_of([5], [5, 4])["share"].to_dict() == {5: 0.5}


def test_with_no_event_there_is_no_curve() -> None:
    assert curve_of([], [3, 4]).empty


def test_a_higher_level_is_a_wider_band() -> None:
    narrow, wide = curve_of(EVENTS, CENSORED, 0.5), curve_of(EVENTS, CENSORED, 0.99)
    assert (wide["low"] < narrow["low"]).all()
    assert (wide["high"] > narrow["high"]).all()


def test_the_band_holds_the_truth_nine_times_in_ten() -> None:
    random = np.random.default_rng(11)
    truth, rounds, held = 1 - np.exp(-1.0), 300, 0
    for _ in range(rounds):
        back, watched = random.exponential(30, 150), random.uniform(10, 90, 150)
        curve = kaplan_meier(pd.Series(np.minimum(back, watched)), pd.Series(back <= watched), pd.Series(np.ones(150)))
        at = curve[curve.index <= 30].iloc[-1]
        held += at["low"] <= truth <= at["high"]
    assert held / rounds == pytest.approx(0.9, abs=0.052)  # three standard errors
