"""Figures of campaigns: they draw what they are given, and say so where there is nothing."""

import numpy as np
import pandas as pd
from loyalty.reporting import campaign_figures as figures
from loyalty.reporting import style
from matplotlib import pyplot as plt

RATES = pd.DataFrame(
    {
        "type": ["letter", "e-mail", None],
        "redemption_rate": [0.2, 0.1, np.nan],
        "redemption_rate_low": [0.15, 0.05, np.nan],
        "redemption_rate_high": [0.25, 0.15, np.nan],
        "most": [np.nan, np.nan, 0.7],
    },
    index=["spring", "summer", "autumn"],
)
DAYS = pd.date_range("2020-01-01", periods=3)
SPANS = pd.DataFrame({"start": DAYS, "end": DAYS, "rows": [3, 1, 2], "per_day": [3.0, 1.0, 2.0]})


def teardown_function() -> None:
    plt.close("all")


def test_every_campaign_has_its_row_and_few_customers_a_bar() -> None:
    ax = figures.rates(RATES, 0.12)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["spring", "summer", "autumn"]
    labels = ax.get_legend_handles_labels()[1]
    assert {"letter", "e-mail", "to be stopped below 12 %"} < set(labels)
    # A bar of little knowledge does not set the scale.
    assert 0.25 < ax.get_xlim()[1] < 0.4


def test_curves_are_at_most_seven_each_with_a_colour() -> None:
    curve = pd.DataFrame({"share": [0.1, 0.2], "low": [0.05, 0.1], "high": [0.2, 0.3]}, index=[1, 5])
    ax = figures.curves({f"type {number}": curve for number in range(9)})
    colours = [line.get_color() for line in ax.lines]
    assert colours == list(style.PALETTE)


def test_days_are_drawn_over_each_other_with_what_happened() -> None:
    events = pd.DataFrame({"day": DAYS[1:2], "until": DAYS[1:2], "name": ["Holiday"]})
    fig = figures.days(SPANS, SPANS, events)
    above, below = fig.axes
    assert [text.get_text() for text in above.texts] == ["Holiday"]
    assert below.patches[0].get_data().values.tolist() == [3.0, 1.0, 2.0]


def test_least_effects_stand_by_the_share_held_out() -> None:
    table = pd.DataFrame({"hold_out": [0.1, 0.2], "plain": [8.0, 6.0], "cuped": [6.0, 4.0]})
    ax = figures.hold_outs(table, "EUR")
    assert ax.get_ylabel() == "€ a customer"
    assert [line.get_ydata().tolist() for line in ax.lines] == [[8.0, 6.0], [6.0, 4.0]]


def test_the_chance_to_see_an_effect_stands_by_its_size() -> None:
    table = pd.DataFrame({"effect": [1.0, 2.0], "plain": [0.3, 0.7], "cuped": [0.5, 0.9]})
    ax = figures.powers(table, "EUR")
    assert ax.get_xlabel() == "effect, € a customer"
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0.3, 0.7], [0.5, 0.9]]


def test_nothing_is_said_where_there_is_nothing() -> None:
    empty = pd.DataFrame()
    for ax in (
        figures.rates(RATES.iloc[:0]), figures.curves({}), figures.hold_outs(empty, "EUR"), figures.powers(empty, "EUR")
    ):  # fmt: skip
        assert ax.texts[0].get_text() == "too few customers to show"
    assert figures.days(SPANS.iloc[:0], SPANS.iloc[:0]).axes[0].texts
