"""Where a measure is going: against the textbook, and how often the interval holds what came."""

import numpy as np
import pandas as pd
import pytest
from loyalty.programme.goal_forecast import MODELS, ahead, backtest, chosen
from scipy import stats


def test_as_now_is_a_random_walk() -> None:
    """The last value, and steps whose variance is that of the differences: t with as many degrees of freedom."""
    series = np.array([3.0, 5.0, 4.0, 6.5, 6.0, 7.0])
    steps = np.diff(series)
    scale = np.sqrt(np.sum(steps**2) / len(steps) * 4)
    found = ahead(series, 4, "as now")
    assert found.mean == pytest.approx(7.0)
    assert found.quantile(0.95) == pytest.approx(7.0 + scale * stats.t.ppf(0.95, len(steps)))


def test_without_smoothing_the_level_is_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alpha of 0: the prediction of one more draw from a normal of unknown mean and variance."""
    monkeypatch.setitem(MODELS, "mean", ((0.0, None),))
    series = np.array([3.0, 5.0, 4.0, 6.5, 6.0, 7.0])
    found, n = ahead(series, 3, "mean"), len(series)
    assert found.mean == pytest.approx(series.mean())
    scale = series.std(ddof=1) * np.sqrt(1 + 1 / n)
    assert found.quantile(0.95) == pytest.approx(series.mean() + scale * stats.t.ppf(0.95, n - 1))


def test_a_given_smoothing_is_that_of_the_recursion(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forecast of the linear algebra is the last level of the recursion that begins at the fitted one."""
    monkeypatch.setitem(MODELS, "one", ((0.5, None),))
    series = np.array([3.0, 5.0, 4.0, 6.5, 6.0, 7.0])

    def errors(level: float) -> tuple[np.ndarray, float]:
        found = []
        for value in series:
            found.append(value - level)
            level += 0.5 * found[-1]
        return np.array(found), level

    starts = np.linspace(2, 6, 4001)
    best = starts[np.argmin([np.sum(errors(start)[0] ** 2) for start in starts])]
    assert ahead(series, 1, "one").mean == pytest.approx(errors(best)[1], abs=1e-3)


def test_the_trend_is_found_and_as_now_is_not_used() -> None:
    series = 10 + 0.9 * np.arange(14.0) + np.tile([0.1, -0.1], 7)
    tested = backtest(series, 2)
    assert chosen(tested) == "trend"
    assert tested.loc["trend", "error"] < tested.loc["as now", "error"]
    assert ahead(series, 2, "trend").mean > series[-1]


def test_what_cannot_be_tested_stays_as_it_is() -> None:
    tested = backtest(np.arange(6.0), 4)
    assert tested["origins"].tolist() == [0, 0, 0]
    assert chosen(tested) == "as now"
    assert chosen(pd.DataFrame({"error": {"as now": 1.0, "level": 1.0, "trend": 1.0}})) == "as now"


def test_a_series_that_never_moves_goes_on() -> None:
    found = ahead(np.full(8, 0.4), 3, "level").interval
    assert (found.low, found.estimate, found.high) == pytest.approx((0.4, 0.4, 0.4), abs=1e-6)


def world(name: str, random: np.random.Generator, n: int) -> np.ndarray:
    """A series of n periods: scatter alone, a level that moves, a random walk, a trend that dies out."""
    error = random.normal(size=n)
    if name == "trend":
        return np.cumsum(random.normal() * 0.9 ** np.arange(1, n + 1)) + np.cumsum(0.4 * error) + 0.6 * error
    alpha = {"scatter": 0.0, "level": 0.4, "walk": 1.0}[name]
    return 10 + alpha * (np.cumsum(error) - error) + error


@pytest.mark.slow
def test_intervals_hold_nine_in_ten_of_what_came() -> None:
    """Nine periods, two ahead, the model chosen on the past: over four kinds of series, 150 of each."""
    random, held = np.random.default_rng(20260101), {}
    for name in ("scatter", "level", "walk", "trend"):
        hits = 0
        for _ in range(150):
            series = world(name, random, 11)
            past = series[:9]
            found = ahead(past, 2, chosen(backtest(past, 2)))
            hits += 0.05 <= found.at_most(series[-1]) <= 0.95
        held[name] = hits / 150
    assert np.mean(list(held.values())) == pytest.approx(0.9, abs=0.04), held
    assert min(held.values()) > 0.8, held
