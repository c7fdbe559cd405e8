"""Figures of effects: what is not identified has no point, and each figure says its design."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from loyalty.reporting import effect_figures as figures
from matplotlib import pyplot as plt

EFFECTS = pd.DataFrame(
    {"label": ["Type A", "Type B"], "estimate": [5.0, np.nan], "low": [-1.0, np.nan], "high": [11.0, np.nan]}
)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def study_of(last: int) -> pd.DataFrame:
    """Two weeks tested, two matched, and those after up to `last`."""
    week = np.arange(-4, last + 1)
    phase = np.select([week < -2, week < 0, week < 1], ["tested", "matched", "during"], "after")
    return pd.DataFrame(
        {
            "week": week,
            "phase": phase,
            **dict.fromkeys(("estimate", "low", "high", "band_low", "band_high"), week + 0.5),
        }
    )


def test_a_row_that_is_not_identified_has_words_and_no_point() -> None:
    ax = figures.forest(EFFECTS, "USD", "observational, simulated data")
    assert [text.get_text() for text in ax.texts] == ["not identified"]
    (points,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert list(points.get_xdata()) == [5.0]
    assert "(observational, simulated data)" in ax.get_title(loc="left")
    assert "$ a customer" in ax.get_xlabel()


def test_nothing_identified_is_said() -> None:
    ax = figures.forest(EFFECTS.tail(1), "USD", "randomised")
    assert [text.get_text() for text in ax.texts] == ["no effect is identified"]
    assert not ax.lines


def test_weeks_after_are_drawn_only_where_they_are_told() -> None:
    fig = figures.weeks({"Type A": study_of(2), "Type C: not identified": study_of(-1)}, "EUR", "observational")
    told, refused = fig.axes
    assert max(max(line.get_xdata()) for line in told.lines if line.get_marker() == "o") == 2
    assert max(max(line.get_xdata()) for line in refused.lines if line.get_marker() == "o") < -2
    assert told.get_title(loc="left") == "Type A"
    assert fig.get_suptitle().endswith("(observational)")


def test_no_group_at_all_is_said() -> None:
    fig = figures.weeks({}, "EUR", "observational")
    assert "no campaign could be compared" in fig.axes[0].texts[0].get_text()
