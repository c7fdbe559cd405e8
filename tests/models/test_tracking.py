"""What a base is expected to buy over time, against published figures, plain loops and simulation."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.models import tracking
from loyalty.models.beta_geometric import simulate_histories
from loyalty.models.bgnbd import BGNBD
from loyalty.models.nbd import NBD

# Fader, Hardie & Lee (2005), table 2: CDNOW 1/10 sample, weeks.
PAPER = {"r": 0.24259, "alpha": 4.41360, "a": 0.79292, "b": 2.42591}
AS_OF, UNTIL = date(2020, 4, 1), date(2020, 7, 1)


@pytest.fixture(scope="module")
def paper():
    """BG/NBD as published, in weeks."""
    return BGNBD(time_unit="weeks").with_parameters(PAPER)


@pytest.fixture(scope="module")
def starts():
    """Customers who began on four days, some apart."""
    days = pd.to_datetime(["2020-01-01", "2020-01-02", "2020-02-10", "2020-03-31"])
    return pd.DataFrame({"day": days.date, "customers": [40, 25, 60, 10]})


@pytest.fixture(scope="module")
def weeks():
    """Purchases in three weeks."""
    return pd.DataFrame({"week": [-5, -1, 3], "purchases": [11, 7, 4], "customers": [10, 6, 4]})


def test_a_cohort_buys_the_published_number_in_a_year(paper):
    # REFERENCE: unconditional E[X(52)] of BG/NBD is 1.4440.
    one_day = pd.DataFrame({"day": [date(2020, 1, 1)], "customers": [1000]})
    expected = tracking.expected_by_day(paper, one_day, date(2020, 12, 30))
    assert len(expected) == 364
    assert expected.sum() / 1000 == pytest.approx(1.4440, abs=5e-5)


def test_the_expectation_at_the_date_is_that_of_the_histories(paper, starts):
    expected = tracking.expected_by_day(paper, starts, AS_OF)
    age = (pd.Timestamp(AS_OF) - pd.to_datetime(starts["day"])).dt.days
    of_histories = starts["customers"] @ paper.expected_purchases_of_new_customer(age)
    assert expected.sum() == pytest.approx(of_histories, rel=1e-12)


def test_each_day_adds_what_every_cohort_buys_on_it(paper, starts):
    expected = tracking.expected_by_day(paper, starts, UNTIL)
    day = pd.Timestamp("2020-05-17")
    loop = 0.0
    for began, customers in zip(pd.to_datetime(starts["day"]), starts["customers"], strict=True):
        age = (day - began).days
        before, after = paper.expected_purchases_of_new_customer([age, age + 1])
        loop += customers * (after - before)
    assert expected[day] == pytest.approx(loop, rel=1e-10)


def test_simulated_customers_buy_what_is_expected():
    truth = {"r": 0.8, "alpha": 40.0, "a": 1.0, "b": 3.0}
    people = simulate_histories(*truth.values(), [float(200 - n % 50) for n in range(20_000)], seed=4)
    began = pd.Timestamp("2020-07-19") - pd.to_timedelta(people["T"], unit="D")
    counts = began.value_counts().sort_index()
    starts = pd.DataFrame({"day": counts.index.date, "customers": counts.to_numpy()})
    expected = tracking.expected_by_day(BGNBD().with_parameters(truth), starts, date(2020, 7, 19))
    error = people["frequency"].std() * np.sqrt(len(people))
    assert abs(expected.sum() - people["frequency"].sum()) < 3 * error


def test_weeks_hold_all_days_and_all_purchases(paper, starts, weeks):
    model = fitted()
    table = tracking.track(model, starts, weeks, AS_OF, UNTIL, draws=20, seed=1)
    assert table.index.tolist() == list(range(-13, 13))
    assert table.loc[0, "start"] == pd.Timestamp(AS_OF)
    assert table["days"].sum() == 182
    assert table["days"].iloc[1:].eq(7).all()
    assert table["actual"].sum() == 22
    assert table.loc[-5, "actual"] == 11
    assert table["total_actual"].iloc[-1] == 22
    assert table["total_expected"].iloc[-1] == pytest.approx(
        tracking.expected_by_day(model, starts, UNTIL).sum(), rel=1e-9
    )
    assert (table["low"] <= table["expected"].round(6) + 1).all()
    assert (table["total_low"] <= table["total_high"]).all()
    assert table["customers"].to_dict()[-1] == 6


def test_a_log_that_begins_in_the_middle_of_a_week_has_a_short_first_one(paper, weeks):
    starts = pd.DataFrame({"day": [date(2020, 3, 22)], "customers": [50]})
    table = tracking.track(fitted(), starts, weeks, AS_OF, date(2020, 4, 10), draws=5, seed=1)
    assert table["days"].tolist() == [3, 7, 7, 2]


def test_the_band_holds_nine_of_ten_weeks_of_a_base_that_follows_the_model():
    truth, random = {"r": 3.0, "alpha": 30.0}, np.random.default_rng(8)
    first, rate = random.integers(0, 100, 800), random.gamma(3.0, 1 / 30.0, 800)
    bought = [(first[n] + np.cumsum(random.exponential(1 / rate[n], 90))) for n in range(800)]
    day = np.floor(np.concatenate([each[each < 364] for each in bought])).astype(int)
    as_of = date(2020, 7, 1)
    begin = pd.Timestamp(as_of) - pd.Timedelta(days=182)
    count = pd.Series(first).value_counts().sort_index()
    starts = pd.DataFrame({"day": (begin + pd.to_timedelta(count.index, unit="D")).date, "customers": count.to_numpy()})
    week = pd.Series((day - 182) // 7).value_counts()
    weeks = pd.DataFrame({"week": week.index, "purchases": week.to_numpy(), "customers": week.to_numpy()})
    x = np.array([(each < 182).sum() for each in bought])
    t_x = np.array([each[each < 182].max() - f if n else 0.0 for each, f, n in zip(bought, first, x, strict=True)])
    model = NBD().fit(pd.DataFrame({"frequency": x, "recency": t_x, "T": 182.0 - first}))
    assert model.params_["r"] == pytest.approx(truth["r"], rel=0.15)
    table = tracking.track(model, starts, weeks, as_of, date(2020, 12, 30), seed=2).iloc[2:]
    inside = table["actual"].between(table["low"], table["high"]).mean()
    assert 0.8 <= inside <= 1.0


def test_customers_by_count_add_up_and_match_the_paper(sample):
    # The histogram of Fader, Hardie & Lee (2005), figure 3, shows these actual counts; expected ones are near them.
    model = BGNBD().fit(sample.histories)
    table = tracking.by_count(model, sample.histories, [*range(8), np.inf])
    assert table.index.tolist() == ["0", "1", "2", "3", "4", "5", "6", "7+"]
    assert table["customers"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert table["customers"].sum() == 2357
    assert table["expected"].sum() == pytest.approx(2357)
    assert (table["expected"] - table["customers"]).abs().max() < 25


def test_ages_in_classes_cost_little(sample):
    model = BGNBD().fit(sample.histories)
    fine, coarse = (tracking.by_count(model, sample.histories, classes=classes) for classes in (1000, 20))
    assert coarse["expected"].to_numpy() == pytest.approx(fine["expected"].to_numpy(), rel=0.002)


def test_wide_classes_hold_what_single_counts_do(sample):
    model = BGNBD().fit(sample.histories)
    single = tracking.by_count(model, sample.histories, [*range(8), np.inf])
    wide = tracking.by_count(model, sample.histories, [0, 1, 4, np.inf])
    for name, parts in {"0": ["0"], "1–3": ["1", "2", "3"], "4+": ["4", "5", "6", "7+"]}.items():
        assert wide.loc[name, "expected"] == pytest.approx(single.loc[parts, "expected"].sum())
        assert wide.loc[name, "customers"] == single.loc[parts, "customers"].sum()


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=50))
def test_classes_of_counts_are_few_and_begin_at_nothing(counts):
    edges = tracking.count_edges(pd.Series(counts), pd.Series(1.0, index=range(len(counts))))
    assert edges[0] == 0
    assert np.isinf(edges[-1])
    assert 2 <= len(edges) <= 11
    assert all(edge == int(edge) for edge in edges[:-1])


def test_weights_count_as_customers(sample):
    model = BGNBD().fit(sample.histories)
    keys = ["frequency", "recency", "T"]
    distinct = sample.histories.groupby(keys).size().rename("weight").reset_index()
    pd.testing.assert_frame_equal(
        tracking.by_count(model, distinct), tracking.by_count(model, sample.histories), check_dtype=False
    )


def fitted():
    """A small fit, with errors of its parameters."""
    return BGNBD().fit(simulate_histories(0.8, 40, 1, 3, [200.0] * 1500, seed=2))
