"""Which model of purchases fits: published errors, the rules of the choice, and the same by repeated rows."""

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.models import btyd_contest
from loyalty.models.beta_geometric import simulate_histories
from loyalty.models.bgnbd import BGNBD
from loyalty.models.btyd_contest import RATE, SILENCE, choose, clearly_better, contest, log_probability
from loyalty.models.contenders import CONTENDERS, REFERENCE
from loyalty.models.groups import conditional, mean_and_interval

# Holdout of 39 weeks, CDNOW 1/10 sample: bias of the total, mean and root mean square error a customer.
PUBLISHED = {
    "NBD": (0.557, 1.0410, 1.8595),
    "BG/NBD": (-0.121, 0.7855, 1.6080),
    "MBG/NBD": (-0.162, 0.7648, 1.6072),
    "Pareto/NBD": (-0.115, 0.7545, 1.6028),
    RATE: (0.557, 1.0237, 2.2119),
}


def cells_of(panel):
    """Customers of a panel, those who are equal in everything put together."""
    each = panel.histories.assign(purchases=panel.holdout)
    return each.groupby(["frequency", "recency", "T", "purchases"]).size().rename("weight").reset_index()


@pytest.fixture(scope="module")
def cells(sample):
    """CDNOW 1/10 sample."""
    return cells_of(sample)


@pytest.fixture(scope="module")
def held(cells):
    """Its contest."""
    return contest(cells, 273)


@pytest.mark.parametrize("name", PUBLISHED)
def test_errors_after_the_calibration_are_those_published(held, name):
    bias, mae, rmse = PUBLISHED[name]
    row = held.table.loc[name]
    assert row["bias"] == pytest.approx(bias, abs=0.0005)
    assert row["mae"] == pytest.approx(mae, abs=0.00005)
    assert row["rmse"] == pytest.approx(rmse, abs=0.00005)


def test_the_order_of_customers_is_as_good_as_published(held):
    assert held.table.loc["Pareto/NBD", "auc"] == pytest.approx(0.7787, abs=0.00005)
    assert held.table.loc[SILENCE, "auc"] == pytest.approx(0.7714, abs=0.00005)


def test_likelihoods_are_those_published_up_to_the_unit_of_time(held, sample):
    # Published in weeks; each repeat purchase of a density in days is a factor of seven smaller.
    repeats = sample.histories["frequency"].sum() * np.log(7)
    for name, published in {"NBD": -9763.66, "BG/NBD": -9582.429, "Pareto/NBD": -9594.976}.items():
        assert held.table.loc[name, "log_likelihood"] + repeats == pytest.approx(published, abs=0.005)
    assert held.table.loc["NBD", "parameters"] == 2
    assert held.table.loc["BG/NBD", "aic"] == pytest.approx(8 - 2 * held.table.loc["BG/NBD", "log_likelihood"])


def test_without_gaps_no_regular_buyers_are_looked_for(held):
    assert list(held.models) == [name for name, contender in CONTENDERS.items() if not contender.regular]
    assert held.notes == {}


def test_repeated_rows_say_the_same_as_weights(sample, held):
    each = sample.histories.assign(purchases=sample.holdout, weight=1)
    again = contest(each, 273)
    pd.testing.assert_frame_equal(again.table, held.table, rtol=1e-6)
    assert again.chosen == held.chosen


def test_a_score_is_the_logarithm_of_what_the_model_promised(cells, held, monkeypatch):
    model = held.models["BG/NBD"]
    monkeypatch.setattr(btyd_contest, "NUMBERS_HELD", 500)
    scores = log_probability(model, cells, 273)
    most = int(cells["purchases"].max())
    at_once = model.purchase_distribution(cells, horizon_days=273, n=most)
    assert scores == pytest.approx(np.log(at_once[np.arange(len(cells)), cells["purchases"]]), rel=1e-9)


def test_rows_at_a_time_are_bounded_and_leave_nobody_out(monkeypatch):
    monkeypatch.setattr(btyd_contest, "NUMBERS_HELD", 300)
    counts = np.random.default_rng(1).geometric(0.1, 1000)
    parts = list(btyd_contest._alike(counts))
    assert sorted(np.concatenate(parts)) == list(range(1000))
    assert max(len(part) * (counts[part].max() + 1) for part in parts) <= 300


def test_who_leaves_after_a_purchase_is_recognised():
    people = simulate_histories(0.8, 30, 1, 3, [400.0] * 3000, seed=6)
    model = BGNBD().with_parameters({"r": 0.8, "alpha": 30, "a": 1, "b": 3})
    model.covariance_ = pd.DataFrame(np.zeros((4, 4)), index=model.params_.index, columns=model.params_.index)
    drawn = next(iter(model.sample_purchases(people, horizon_days=200, draws=1, seed=1)))
    found = contest(people.assign(purchases=drawn, weight=1), 200)
    assert found.chosen != "NBD"
    assert found.table.loc["NBD", "gain_high"] < 0
    assert found.table.loc[found.chosen, "log_score"] >= found.table["log_score"].max() - 0.01


def test_nothing_can_be_fitted_to_customers_who_never_came_back():
    once = pd.DataFrame(
        {"frequency": [0] * 5, "recency": [0] * 5, "T": [9] * 5, "purchases": [0] * 5, "weight": [3] * 5}
    )
    with pytest.raises(DataError, match="no model of purchases can be fitted: column 'frequency'"):
        contest(once, 30)


# The rules, on made-up tables


def table_of(rows):
    columns = ["parameters", "aic", "log_score", "determined"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def scores_of(**means):
    """Scores of two hundred customers who differ, by model; equal but for their means."""
    noise = np.tile([-0.5, 0.5], 100)
    return pd.DataFrame({name.replace("_", "/"): mean + noise for name, mean in means.items()})


WEIGHT = pd.Series(np.ones(200))


def test_a_clearly_better_forecast_wins_against_the_criterion():
    table = table_of({"BG/NBD": (4, 100.0, -1.0, True), "MBG/NBD": (4, 50.0, -1.5, True)})
    assert choose(table, scores_of(BG_NBD=-1.0, MBG_NBD=-1.5), WEIGHT) == "BG/NBD"


def test_of_equal_forecasts_the_criterion_decides():
    table = table_of({"BG/NBD": (4, 100.0, -1.0, True), "MBG/NBD": (4, 50.0, -1.001, True)})
    assert choose(table, scores_of(BG_NBD=-1.0, MBG_NBD=-1.001), WEIGHT) == "MBG/NBD"


def test_of_equal_criteria_the_simplest_is_taken():
    table = table_of(
        {"NBD": (2, 101.5, -1.0, True), "BG/NBD": (4, 100.0, -1.0, True), "MBG/NBD": (4, 100.0, -1.0, True)}
    )
    assert choose(table, scores_of(NBD=-1.0, BG_NBD=-1.0, MBG_NBD=-1.0), WEIGHT) == "NBD"
    assert choose(table.drop("NBD"), scores_of(BG_NBD=-1.0, MBG_NBD=-1.0), WEIGHT) == "BG/NBD"


def test_what_the_data_leaves_open_is_not_chosen_unless_everything_is():
    rows = {"BG/NBD": (4, 10.0, -1.0, False), "NBD": (2, 90.0, -2.0, True)}
    scores = scores_of(BG_NBD=-1.0, NBD=-2.0)
    assert choose(table_of(rows), scores, WEIGHT) == "NBD"
    open_too = table_of(rows).assign(determined=False)
    assert choose(open_too, scores, WEIGHT) == "BG/NBD"


@pytest.mark.parametrize(
    ("gain", "low", "bias", "better"),
    [(0.05, 0.02, 0.1, True), (0.05, -0.01, 0.1, False), (0.005, 0.004, 0.1, False), (0.05, 0.02, -0.3, False)],
)
def test_a_forecast_rests_on_another_model_only_for_a_reason(gain, low, bias, better):
    table = pd.DataFrame(
        {"gain": [0.0, gain], "gain_low": [0.0, low], "bias": [0.2, bias]}, index=[REFERENCE, "Pareto/NBD"]
    )
    assert clearly_better(table, "Pareto/NBD") is better


# Groups


def test_groups_hold_the_means_of_their_customers(sample, cells, held):
    found = conditional(cells, held.expected, cells["frequency"], (0, 1, 2, 5, np.inf))
    each = sample.histories.assign(purchases=sample.holdout, rate=lambda t: t["frequency"] * 273 / t["T"])
    middle = each[each["frequency"].between(2, 4)]
    assert found.index.tolist() == ["0", "1", "2–4", "5+"]
    assert found.loc["2–4", "customers"] == len(middle)
    assert found.loc["2–4", "actual"] == pytest.approx(middle["purchases"].mean())
    assert found.loc["2–4", RATE] == pytest.approx(middle["rate"].mean())
    half = 1.645 * middle["purchases"].std(ddof=0) / np.sqrt(len(middle))
    assert found.loc["2–4", "high"] == pytest.approx(middle["purchases"].mean() + half)


def test_groups_without_customers_are_missing(cells, held):
    found = conditional(cells, held.expected, cells["frequency"], (0, 1, 500, 900))
    assert found.index.tolist() == ["0", "1–499"]
    assert conditional(cells.head(0), held.expected.head(0), cells["frequency"].head(0), (0, 1, np.inf)).empty


def test_an_interval_of_a_mean_is_that_of_its_customers():
    repeated = np.repeat([1.0, 4.0], [30, 10])
    mean, low, _ = mean_and_interval(np.array([1.0, 4.0]), np.array([30.0, 10.0]))
    assert mean == repeated.mean()
    assert low == pytest.approx(repeated.mean() - 1.645 * repeated.std() / np.sqrt(40))
