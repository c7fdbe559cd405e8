"""What a model says of customers: shares that add up, histories that make sense, the same in any unit of time."""

import numpy as np
import pandas as pd
import pytest
from loyalty.models import portrait
from loyalty.models.beta_geometric import simulate_histories
from loyalty.models.bgnbd import BGNBD
from loyalty.models.nbd import NBD
from loyalty.models.pareto_nbd import ParetoNBD


@pytest.fixture(scope="module")
def customers():
    return simulate_histories(0.8, 40, 1, 3, [200.0] * 3000, seed=2)


@pytest.fixture(scope="module")
def model(customers):
    return BGNBD().fit(customers)


def test_shares_of_customers_add_up(model):
    for table in (portrait.rates(model, seed=1), portrait.leaving(model, seed=1)):
        assert table["share"].sum() == pytest.approx(1)
        assert (table["low"] <= table["high"]).all()
        assert table["share"].between(table["low"], table["high"]).mean() > 0.8
        assert table["left"].iloc[1:].tolist() == table["right"].iloc[:-1].tolist()


def test_rates_are_those_that_the_customers_have(model):
    table = portrait.rates(model, seed=1)
    true_rates = 365 * np.random.default_rng(1).gamma(0.8, 1 / 40, 200_000)
    counted = np.histogram(true_rates, bins=[*table["left"], np.inf])[0] / 200_000
    assert table["share"].to_numpy() == pytest.approx(counted, abs=0.04)
    assert np.isinf(table["right"].iloc[-1])
    assert table["share"].iloc[-1] < 0.05


def test_the_unit_of_time_does_not_matter(customers, model):
    weekly = BGNBD(time_unit="weeks").fit(customers)
    for compute in (portrait.rates, portrait.leaving):
        assert compute(weekly, seed=1)["share"].to_numpy() == pytest.approx(compute(model, seed=1)["share"], abs=1e-4)


def test_nobody_leaves_where_the_model_knows_no_leaving(customers):
    assert portrait.leaving(NBD().fit(customers), seed=1) is None
    assert not portrait.leaves_by_purchase(NBD().fit(customers))


def test_leaving_at_any_time_is_told_per_year(model):
    # Published for CDNOW in weeks: r, alpha, s, beta.
    known = pd.Series({"r": 0.55328, "alpha": 10.5777, "s": 0.60624, "beta": 11.6687})
    pareto = ParetoNBD(time_unit="weeks").with_parameters(known)
    pareto.covariance_ = pd.DataFrame(np.zeros((4, 4)), index=known.index, columns=known.index)
    table = portrait.leaving(pareto, seed=1)
    s, beta = known["s"], known["beta"]
    within_a_year = -np.expm1(-365 / 7 * np.random.default_rng(1).gamma(s, 1 / beta, 200_000))
    counted = np.histogram(within_a_year, bins=[*table["left"], 1.0])[0] / 200_000
    assert table["share"].to_numpy() == pytest.approx(counted, abs=0.01)
    assert not portrait.leaves_by_purchase(pareto)
    assert portrait.leaves_by_purchase(model)


def test_the_grid_holds_what_the_model_predicts_of_each_history(model):
    grid = portrait.history_grid(model, 100, 12, 30)
    assert (grid["recency"] >= grid["frequency"]).all()
    assert grid["recency"].max() == 100
    assert grid["frequency"].max() == 12
    row = grid.iloc[[57]]
    one = row[["frequency", "recency"]].assign(T=100.0)
    assert row["probability_alive"].item() == model.probability_alive(one)[0]
    assert row["expected_purchases"].item() == model.expected_purchases(one, horizon_days=30)[0]
    # The later the last purchase, the likelier a customer still.
    for _, part in grid.groupby("frequency"):
        assert part.sort_values("recency")["probability_alive"].is_monotonic_increasing


def test_a_young_base_has_a_grid_too(model):
    grid = portrait.history_grid(model, 1, 3, 30)
    assert grid[["frequency", "recency"]].to_numpy().tolist() == [[1, 1]]


def test_a_history_is_what_was_known_each_day(model):
    table = portrait.alive_history(model, [10, 25], 60)
    assert table["day"].tolist() == list(range(1, 61))
    alive = table.set_index("day")["probability_alive"]
    seen = pd.DataFrame({"frequency": [0, 1, 2], "recency": [0, 10, 25], "T": [10, 25, 61]})
    assert alive[[9, 24, 60]].to_numpy() == pytest.approx(model.probability_alive(seen))
    assert alive[9] == 1
    assert (alive.loc[25:].diff().dropna() < 0).all()


def test_the_invented_customer_buys_pauses_and_comes_back():
    purchases, until = portrait.invented_customer(0.2)
    assert purchases == [1, 2, 3, 4, 5, 9, 10, 11]
    assert until == 19
    assert portrait.invented_customer(30)[0][:2] == [30, 60]
