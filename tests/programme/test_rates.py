"""Shares of rows that belong to customers: their intervals hold the truth, also where customers differ."""

import numpy as np
import pandas as pd
import pytest
from loyalty.programme.rates import clustered_share, wilson_ends
from scipy import stats


def sums(rows: np.ndarray, hits: np.ndarray) -> pd.DataFrame:
    """Sums over the last axis, one row for each of the first."""
    rows, hits = (np.atleast_2d(np.asarray(values, dtype=float)) for values in (rows, hits))
    seen = (rows > 0).sum(axis=1)
    squares = {"rows_squared": rows * rows, "hits_squared": hits * hits, "product": rows * hits}
    totals = {"rows": rows, "hits": hits} | squares
    return pd.DataFrame({"customers": seen} | {name: values.sum(axis=1) for name, values in totals.items()})


@pytest.mark.parametrize(("hits", "trials"), [(0, 7), (1, 7), (7, 7), (30, 1000)])
def test_with_one_row_each_it_is_wilsons_interval(hits: int, trials: int) -> None:
    found = clustered_share(sums(np.ones(trials), np.arange(trials) < hits)).iloc[0]
    exact = stats.binomtest(hits, trials).proportion_ci(0.9, "wilson")
    assert found[["low", "high"]].to_list() == pytest.approx([exact.low, exact.high], abs=1e-9)


def test_nothing_is_said_of_no_rows() -> None:
    assert clustered_share(sums(np.zeros(3), np.zeros(3)))[["share", "low", "high"]].isna().all(axis=None)
    assert np.isnan(wilson_ends(np.array([np.nan]), np.array([5.0]))).all()


def test_the_interval_holds_the_truth_where_customers_differ_and_rows_alone_would_not() -> None:
    random = np.random.default_rng(4)
    rows = random.integers(1, 12, (1000, 300))
    own = random.beta(0.5, 2.0, rows.shape)
    counted = sums(rows, random.binomial(rows, own))
    found = clustered_share(counted)
    assert 0.86 <= ((found["low"] <= 0.2) & (found["high"] >= 0.2)).mean() <= 0.94
    low, high = wilson_ends(found["share"].to_numpy(), counted["rows"].to_numpy())
    assert ((low <= 0.2) & (high >= 0.2)).mean() < 0.8
