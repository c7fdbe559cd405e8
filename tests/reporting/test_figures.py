"""Figures: drawn without a warning on much, little and nothing, and honest in their axes."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.reporting import figures, model_figures, style
from loyalty.reporting.figures import SEGMENT_ORDER
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.container import BarContainer

Draw = Callable[..., Axes]


def weekly(weeks: int) -> Draw:
    random = np.random.default_rng(1)
    monday = pd.date_range("2020-01-06", periods=weeks, freq="7D")
    frame = pd.DataFrame({"week": monday, "customers": random.integers(80, 120, weeks)})
    return lambda ax: figures.weekly(frame, "customers", "customers who bought", ax=ax)


def segment_bars(count: int) -> Draw:
    shares = np.full(count, 1 / max(count, 1))
    table = pd.DataFrame({"customers_share": shares, "spend_share": shares}, index=list(SEGMENT_ORDER[:count]))
    return lambda ax: figures.segment_bars(table, ax=ax)


def retention(cohorts: int, months: int) -> Draw:
    index = pd.date_range("2020-01-01", periods=cohorts, freq="MS")
    table = pd.DataFrame({m: [1 / (1 + m)] * cohorts for m in range(months)}, index=index)
    for row in range(cohorts):
        table.iloc[row, max(1, months - row) :] = np.nan
    return lambda ax: figures.retention_triangle(table, ax=ax)


def shares(count: int, **columns: Any) -> pd.DataFrame:
    middle = np.linspace(0.2, 0.6, count)
    return pd.DataFrame({"share": middle, "low": middle - 0.1, "high": middle + 0.1} | columns)


def rate(count: int, goal: float | None) -> Draw:
    frame = shares(count, end=pd.date_range("2020-01-01", periods=count, freq="28D"))
    return lambda ax: figures.rate_over_time(frame, goal, "Customers who left", ax=ax)


def time_to_second(count: int) -> Draw:
    curve = shares(count).set_index(pd.Index(np.arange(1, count + 1) * 5, name="day"))
    if count:
        curve.loc[curve.index[-1], ["low", "high"]] = np.nan  # as where everyone has come back
    return lambda ax: figures.time_to_second(curve, ax=ax)


def tenths(count: int, **columns: Any) -> pd.DataFrame:
    falling = np.arange(count, 0, -1) / max(count, 1)
    return pd.DataFrame({"tenth": np.arange(1, count + 1), "share": falling} | columns)


def spend_by_tenth(count: int) -> Draw:
    return lambda ax: figures.spend_by_tenth(tenths(count), ax=ax)


def groups(count: int) -> Draw:
    table = shares(count).set_index(pd.Index(list(SEGMENT_ORDER[:count]), dtype="str"))
    return lambda ax: figures.shares_with_intervals(table, 0.4, "Customers who bought since", ax=ax)


def clv(count: int) -> Draw:
    worth = np.linspace(100, 1, count)
    table = tenths(count, clv=worth, low=worth * 0, high=worth * 2)
    return lambda ax: model_figures.clv_by_tenth(table, "EUR", ax=ax)


def alive(classes: int) -> Draw:
    parts = [
        pd.DataFrame(
            {
                "days_since_last": [7.0, 21.0],
                "probability_alive": [0.9, 0.5],
                "customers": 20,
                "frequency": f"{n}–{n + 1}",
            }
        )
        for n in range(classes)
    ]
    columns = ["days_since_last", "probability_alive", "customers", "frequency"]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return lambda ax: model_figures.alive_by_silence(table, ax=ax)


def totals(interval: bool) -> Draw:
    table = pd.DataFrame(
        {"total": [9e5, 8e5, 1.2e6, 7e5], "low": [np.nan, 7e5, np.nan, np.nan], "high": [np.nan, 9e5, np.nan, np.nan]},
        index=["What happened", "Model", "Rate so far", "Same as last period"],
    )
    shown = table if interval else table.iloc[:1]
    return lambda ax: model_figures.total_against_actual(shown, "USD", ax=ax)


def calibration(groups: int) -> Draw:
    promised = np.linspace(0.05, 0.7, groups)
    curve = pd.DataFrame(
        {"promised": promised, "realised": promised**1.2, "low": promised * 0.8, "high": promised * 1.2}
    )
    return lambda ax: model_figures.calibration({"XGBoost": curve, "Days since last purchase": curve}, ax=ax)


def gains(customers: int) -> Draw:
    curve = pd.Series(np.linspace(0, 1, customers + 1) ** 0.5, index=np.linspace(0, 1, customers + 1))
    return lambda ax: model_figures.gains({"XGBoost": curve, "BG/NBD": curve}, ax=ax)


def risk_bands(*customers: float) -> Draw:
    table = pd.DataFrame({"customers": customers}, index=["under 10 %", "10 to 25 %", "25 to 50 %", "50 to 75 %"])
    return lambda ax: model_figures.risk_bands(table, "<10", ax=ax)


NORMAL = {
    "weekly": weekly(52),
    "segment_bars": segment_bars(7),
    "retention_triangle": retention(12, 12),
    "rate_over_time": rate(12, 0.3),
    "time_to_second": time_to_second(60),
    "spend_by_tenth": spend_by_tenth(10),
    "shares_with_intervals": groups(7),
    "clv_by_tenth": clv(10),
    "alive_by_silence": alive(3),
    "total_against_actual": totals(interval=True),
    "calibration": calibration(10),
    "gains": gains(500),
    "risk_bands": risk_bands(500, 300, 60, np.nan),
}
LITTLE = {
    "weekly": weekly(1),
    "segment_bars": segment_bars(1),
    "retention_triangle": retention(1, 2),
    "rate_over_time": rate(1, None),
    "time_to_second": time_to_second(1),
    "spend_by_tenth": spend_by_tenth(1),
    "shares_with_intervals": groups(1),
    "clv_by_tenth": clv(1),
    "alive_by_silence": alive(1),
    "total_against_actual": totals(interval=False),
    "calibration": calibration(1),
    "gains": gains(1),
    "risk_bands": risk_bands(np.nan, 12, np.nan, 0),
}
# What a shop leaves over when each of its groups is too small to be shown, or its log is too short.
NOTHING = {
    "weekly": weekly(0),
    "segment_bars": segment_bars(0),
    "retention_triangle": retention(0, 0),
    "retention_triangle without a later month": retention(2, 1),
    "time_to_second": time_to_second(0),
    "spend_by_tenth": spend_by_tenth(0),
    "shares_with_intervals": groups(0),
    "alive_by_silence": alive(0),
    "risk_bands": risk_bands(np.nan, np.nan, np.nan, np.nan),
}
CASES = [
    pytest.param(draw, id=f"{name}-{size}")
    for size, drawings in (("normal", NORMAL), ("little", LITTLE), ("nothing", NOTHING))
    for name, draw in drawings.items()
]
# What the axes of numbers are said to measure; dates and names of groups speak for themselves.
UNITS = {
    "weekly": ("", "customers"),
    "segment_bars": ("%", ""),
    "retention_triangle": ("months", "month"),
    "rate_over_time": ("period", "%"),
    "time_to_second": ("days", "%"),
    "spend_by_tenth": ("tenth", "%"),
    "shares_with_intervals": ("%", ""),
    "clv_by_tenth": ("tenth", "€"),
    "alive_by_silence": ("days", "%"),
    "total_against_actual": ("spend", ""),
    "calibration": ("%", "%"),
    "gains": ("%", "%"),
    "risk_bands": ("probability", "customers"),
}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def ax() -> Axes:
    return style.figure(720, 380)[1]  # type: ignore[no-any-return]


def test_every_public_figure_is_tried() -> None:
    public = {
        name
        for module in (figures, model_figures)
        for name, thing in vars(module).items()
        if callable(thing) and getattr(thing, "__module__", "") == module.__name__ and not name.startswith("_")
    }
    assert public - {"axes", "symbol", "nothing"} == set(NORMAL) == set(LITTLE) == set(UNITS)


@pytest.mark.parametrize("draw", CASES)
def test_it_is_drawn_on_the_axes_given_without_a_warning(draw: Draw, ax: Axes) -> None:
    assert draw(ax=ax) is ax
    with style.context():
        ax.figure.canvas.draw()
    assert ax.get_title(loc="left") or ax.get_title()
    series = [line for line in ax.get_lines() if len(line.get_xdata()) > 2]  # of two points are only guides
    assert len(series) <= 7


@pytest.mark.parametrize("name", NORMAL)
def test_it_makes_axes_of_its_own_if_none_are_given(name: str) -> None:
    drawn = NORMAL[name](ax=None)
    assert isinstance(drawn, Axes)
    assert drawn.figure.get_size_inches()[0] == pytest.approx(style.WIDTH / style.DPI)


@pytest.mark.parametrize("name", NORMAL)
def test_its_axes_say_what_they_measure(name: str, ax: Axes) -> None:
    NORMAL[name](ax=ax)
    for unit, label in zip(UNITS[name], (ax.get_xlabel(), ax.get_ylabel()), strict=True):
        assert unit.lower() in label.lower()


@pytest.mark.parametrize("draw", CASES)
def test_bars_begin_at_zero_and_the_axis_does_too(draw: Draw, ax: Axes) -> None:
    draw(ax=ax)
    for bars in (container for container in ax.containers if isinstance(container, BarContainer)):
        flat = bars.orientation == "horizontal"
        starts = [bar.get_x() if flat else bar.get_y() for bar in bars]
        assert starts == [0] * len(bars)
        assert (ax.get_xlim() if flat else ax.get_ylim())[0] == 0


@pytest.mark.parametrize(
    "name", ["segment_bars", "spend_by_tenth", "clv_by_tenth", "total_against_actual", "risk_bands"]
)
def test_figures_of_sizes_are_bars(name: str, ax: Axes) -> None:
    NORMAL[name](ax=ax)
    assert any(isinstance(container, BarContainer) for container in ax.containers)


def test_a_rate_shows_its_goal_and_band_inside_the_axes(ax: Axes) -> None:
    rate(6, 0.9)(ax=ax)
    assert any("90 %" in text.get_text() for text in ax.texts)
    assert ax.get_ylim()[0] == 0
    assert 0.9 <= ax.get_ylim()[1] <= 1


def test_a_cell_that_may_not_be_shown_stays_empty_in_the_triangle(ax: Axes) -> None:
    table = pd.DataFrame(
        {0: [1.0, 1.0], 1: [0.41, np.nan], 2: [0.32, np.nan]}, index=pd.to_datetime(["2020-01-01", "2020-02-01"])
    )
    figures.retention_triangle(table, ax=ax)
    assert sorted(text.get_text() for text in ax.texts) == ["32", "41"]


def test_a_band_that_may_not_be_shown_has_no_bar_and_says_why(ax: Axes) -> None:
    risk_bands(500, 300, 60, np.nan)(ax=ax)
    assert [bar.get_height() for bar in ax.containers[0]] == [500, 300, 60, 0]
    assert [text.get_text() for text in ax.texts][-1] == "<10"


def test_the_currency_is_written_as_its_sign() -> None:
    assert (figures.symbol("USD"), figures.symbol("CHF"), figures.symbol("SEK")) == ("$", "CHF", "SEK")


def test_a_figure_draws_the_numbers_that_it_is_given(ax: Axes) -> None:
    spend_by_tenth(10)(ax=ax)
    assert [bar.get_height() for bar in ax.containers[0]] == pytest.approx(list(tenths(10)["share"]))


def test_the_callers_settings_stay_as_they_were(ax: Axes) -> None:
    before = dict(plt.rcParams)
    NORMAL["gains"](ax=ax)
    assert dict(plt.rcParams) == before
