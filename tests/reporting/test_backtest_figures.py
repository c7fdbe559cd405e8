"""Figures of a tournament: drawn on much and little, honest in their axes."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from loyalty.reporting import backtest_figures as figures
from loyalty.reporting import style
from matplotlib import pyplot as plt
from matplotlib.axes import Axes


@pytest.fixture
def ax() -> Iterator[Axes]:
    figure, axes = style.figure()
    yield axes
    figure.canvas.draw()  # where something does not fit, matplotlib warns only now
    plt.close(figure)


def gains(count: int) -> pd.DataFrame:
    middle = np.linspace(-0.01, 0.05, count)
    names = [f"contender {n}" for n in range(count)]
    return pd.DataFrame({"gain": middle, "low": middle - 0.01, "high": middle + 0.01}, index=names)


@pytest.mark.parametrize("count", [1, 3, 15])
def test_gains_stand_in_order_with_their_intervals_and_zero_between(count: int, ax: Axes) -> None:
    figures.gains(gains(count), "The rule", "contender 0", "log-loss", "Who leaves", ax=ax)
    assert [text.get_text() for text in ax.get_yticklabels()] == list(gains(count).index)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first at the top
    assert ax.get_xlim()[0] < 0
    lines = [collection.get_segments()[0] for collection in ax.collections]
    assert [line[:, 0].tolist() for line in lines] == [
        pytest.approx([row.low, row.high]) for row in gains(count).itertuples()
    ]
    assert "the rule" in ax.get_xlabel()


def test_no_contender_is_told_as_nothing(ax: Axes) -> None:
    figures.gains(gains(0), "The rule", "", "log-loss", "Who leaves", ax=ax)
    assert ax.texts[0].get_text() == "too few customers to show"


@pytest.mark.parametrize("dates", [1, 4])
def test_dates_show_the_chosen_one_and_the_rule_in_colour(dates: int, ax: Axes) -> None:
    table = pd.DataFrame(
        {name: np.linspace(0.7, 0.8, dates) for name in ("rule", "model", "other")},
        index=pd.date_range("2020-05-01", periods=dates, freq="56D"),
    )
    figures.by_date(table, "model", "rule", "pairs told apart", "Date by date", ax=ax)
    colours = {line.get_label(): line.get_color() for line in ax.lines}
    assert (colours["model"], colours["rule"]) == (style.ACCENT, style.VERMILLION)
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"rule", "model", "other contenders"}


def test_a_rule_that_is_chosen_has_one_line_of_its_own(ax: Axes) -> None:
    table = pd.DataFrame({"rule": [0.7, 0.8], "other": [0.6, 0.7]}, index=pd.to_datetime(["2020-05-01", "2020-05-02"]))
    figures.by_date(table, "rule", "rule", "pairs told apart", "Date by date", ax=ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["rule", "other contenders"]


def test_profit_marks_the_cut_off_and_nothing_earned(ax: Axes) -> None:
    share = np.linspace(0, 1, 101)
    curves = {name: pd.Series(3 * share - 4 * share**2, index=share) for name in ("model", "rule")}
    figures.profit(curves, 0.3, 0.5, "EUR", ax=ax)
    assert any(line.get_xydata().tolist() == [[0.3, 0.5]] for line in ax.lines)
    assert any("30 %" in text.get_text() for text in ax.texts)
    low, high = ax.get_ylim()
    assert low < 0 < high
    assert "costs assumed" in ax.get_title(loc="left")


@pytest.mark.parametrize("groups", [1, 10])
def test_tenths_begin_at_zero_unless_more_was_given_back(groups: int, ax: Axes) -> None:
    spend = np.linspace(1, 90, groups)
    table = pd.DataFrame({"promised": spend + 1, "realised": spend, "low": spend - 0.5, "high": spend + 2})
    figures.tenths(table, "model", "EUR", ax=ax)
    assert ax.get_ylim()[0] == 0
    figures.tenths(table.assign(low=-5.0), "model", "EUR", ax=ax)
    assert ax.get_ylim()[0] == -5
