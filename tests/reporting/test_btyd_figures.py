"""Figures of purchases and of value: drawn without a warning on much and little, and honest in their axes."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
from loyalty.reporting import btyd_figures, page, portrait_figures, style, value_figures
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.container import BarContainer

Draw = Callable[..., Axes]
CALIBRATED = pd.Timestamp("2020-03-02")


def weeks(count: int) -> pd.DataFrame:
    """Actual and expected purchases in so many weeks."""
    start = pd.date_range("2020-01-06", periods=count, freq="7D")
    actual = np.random.default_rng(1).poisson(50, count).astype("float64")
    table = pd.DataFrame({"start": start, "end": start + pd.Timedelta(days=7), "actual": actual, "expected": 50.0})
    table = table.assign(low=40.0, high=60.0)
    totals = {f"total_{name}": table[name].cumsum() for name in ("actual", "expected", "low", "high")}
    return table.assign(**totals)


def total(count: int) -> Draw:
    return lambda ax: btyd_figures.total_purchases(weeks(count), CALIBRATED, ax=ax)


def weekly(count: int) -> Draw:
    holiday = pd.Timestamp("2020-02-14")
    events = pd.DataFrame({"day": [holiday], "until": [holiday], "name": ["Valentine"]})
    return lambda ax: btyd_figures.weekly_purchases(weeks(count), CALIBRATED, events=events, ax=ax)


def counts(groups: int) -> Draw:
    expected = 1000 / np.arange(1, groups + 1)
    table = pd.DataFrame(
        {"customers": expected.round(), "expected": expected, "low": expected - 9, "high": expected + 9}
    )
    table.index = pd.Index([str(group) for group in range(groups)], dtype="str")
    return lambda ax: btyd_figures.customers_by_count(table, ax=ax)


def expected(groups: int, models: int) -> Draw:
    level = np.arange(1.0, groups + 1)
    table = pd.DataFrame({"actual": level, "low": level - 0.5, "high": level + 0.5})
    names = [f"Model {n}" for n in range(models)]
    table = table.assign(**{name: level * (1 + n / 10) for n, name in enumerate(names)})
    table.index = pd.Index([str(group) for group in range(groups)], dtype="str")
    return lambda ax: btyd_figures.expected_by_group(table, names, "repeat purchases", ax=ax)


def new_customer(models: int) -> Draw:
    ages = np.linspace(0, 400, 41)
    curves = {f"Model {n}": np.log1p(ages / (50 + 10 * n)) for n in range(models)}
    table = pd.DataFrame(curves | {"low": curves["Model 0"] * 0.9, "high": curves["Model 0"] * 1.1}, index=ages)
    return lambda ax: btyd_figures.new_customer(table, "Model 0", 200, ax=ax)


def matrix(size: int) -> Draw:
    pairs = [(x, 10 * step) for x in range(1, size + 1) for step in range(1, size + 1) if 10 * step >= x]
    grid = pd.DataFrame(pairs, columns=["frequency", "recency"]).assign(alive=lambda t: 1 / t["frequency"])
    return lambda ax: portrait_figures.history_matrix(
        grid, "alive", "probability, %", "Who is still one", share=True, ax=ax
    )


def spread(classes: int) -> Draw:
    edges = np.append(np.arange(classes, dtype="float64"), np.inf)
    share = np.full(classes, 1 / max(classes, 1))
    table = pd.DataFrame(
        {"left": edges[:-1], "right": edges[1:], "share": share, "low": share * 0.9, "high": share * 1.1}
    )
    return lambda ax: portrait_figures.spread(table, "purchase days a year", "How often customers buy", ax=ax)


def story(days: int) -> Draw:
    table = pd.DataFrame({"day": np.arange(1, days + 1), "probability_alive": np.linspace(1, 0.2, days)})
    return lambda ax: portrait_figures.alive_history(table, [max(1, days // 2)], ax=ax)


def lorenz(points: int) -> Draw:
    share = np.linspace(0, 1, points) if points else np.array([])
    curve = pd.DataFrame({"customers": share, "value": share**0.3})
    return lambda ax: value_figures.concentration(curve, ax=ax)


def ahead(rates: int) -> Draw:
    days = np.arange(0.0, 1826, 91.25)
    table = pd.DataFrame({n / 10: days * 1000 / (1 + n) for n in range(rates)}, index=pd.Index(days, name="days"))
    return lambda ax: value_figures.values_ahead(table, 182.5, "EUR", ax=ax)


def assumptions(count: int) -> Draw:
    table = pd.DataFrame(
        {
            "low": [60.0 - 9 * n for n in range(count)],
            "high": [110.0 + 9 * n for n in range(count)],
            "label": "5 % to 9 %",
        },
        index=[f"assumption {n}" for n in range(count)],
    )
    return lambda ax: value_figures.sensitivity(table, 100.0, "EUR", ax=ax)


NORMAL = {
    "total_purchases": total(20),
    "weekly_purchases": weekly(20),
    "customers_by_count": counts(8),
    "expected_by_group": expected(9, 4),
    "new_customer": new_customer(6),
    "history_matrix": matrix(30),
    "spread": spread(21),
    "alive_history": story(200),
    "concentration": lorenz(101),
    "values_ahead": ahead(3),
    "sensitivity": assumptions(4),
}
LITTLE = {
    "total_purchases": total(1),
    "weekly_purchases": weekly(1),
    "customers_by_count": counts(1),
    "expected_by_group": expected(1, 1),
    "new_customer": new_customer(1),
    "history_matrix": matrix(1),
    "spread": spread(2),
    "alive_history": story(19),
    "concentration": lorenz(2),
    "values_ahead": ahead(1),
    "sensitivity": assumptions(1),
}
# What a shop leaves over when each of its groups is too small to be shown.
NOTHING = {
    "total_purchases": total(0),
    "weekly_purchases": weekly(0),
    "customers_by_count": counts(0),
    "expected_by_group": expected(0, 2),
    "spread": spread(0),
    "concentration": lorenz(0),
}
CASES = [
    pytest.param(draw, id=f"{name}-{size}")
    for size, drawings in (("normal", NORMAL), ("little", LITTLE), ("nothing", NOTHING))
    for name, draw in drawings.items()
]
UNITS = {
    "total_purchases": ("", "purchase days"),
    "weekly_purchases": ("", "a week"),
    "customers_by_count": ("purchases", "customers"),
    "expected_by_group": ("purchases", "per customer"),
    "new_customer": ("days", "per customer"),
    "history_matrix": ("purchases", "days"),
    "spread": ("a year", "%"),
    "alive_history": ("days", "%"),
    "concentration": ("%", "%"),
    "values_ahead": ("years", "margin"),
    "sensitivity": ("margin", ""),
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
        for module in (btyd_figures, portrait_figures, value_figures)
        for name, thing in vars(module).items()
        if callable(thing) and getattr(thing, "__module__", "") == module.__name__ and not name.startswith("_")
    }
    assert public == set(NORMAL) == set(LITTLE) == set(UNITS)


@pytest.mark.parametrize("draw", CASES)
def test_it_is_drawn_on_the_axes_given_without_a_warning(draw: Draw, ax: Axes) -> None:
    assert draw(ax=ax) is ax
    with style.context():
        ax.figure.canvas.draw()
    assert ax.get_title(loc="left")
    named = [line for line in ax.get_lines() if not line.get_label().startswith("_")]
    assert len(named) <= 7


@pytest.mark.parametrize("name", NORMAL)
def test_it_is_drawn_for_a_phone_too(name: str) -> None:
    drawn = page.picture(NORMAL[name](ax=None), "A sentence.")
    assert drawn.width == style.WIDTH
    assert drawn.narrow != drawn.png


@pytest.mark.parametrize("name", NORMAL)
def test_its_axes_say_what_they_measure(name: str, ax: Axes) -> None:
    NORMAL[name](ax=ax)
    for unit, label in zip(UNITS[name], (ax.get_xlabel(), ax.get_ylabel()), strict=True):
        assert unit in label


@pytest.mark.parametrize("draw", CASES)
def test_bars_and_counts_begin_at_zero(draw: Draw, ax: Axes) -> None:
    draw(ax=ax)
    for bars in (container for container in ax.containers if isinstance(container, BarContainer)):
        flat = bars.orientation == "horizontal"
        assert (ax.get_xlim() if flat else ax.get_ylim())[0] == 0
        # A bar that stands for a range from one value to another lies, and begins at the lower one.
        assert flat or [bar.get_y() for bar in bars] == [0] * len(bars)


def test_the_date_of_the_fit_is_marked(ax: Axes) -> None:
    total(20)(ax=ax)
    assert "forecast begins" in [text.get_text() for text in ax.texts]


def test_a_map_has_a_bar_of_colours_with_its_unit(ax: Axes) -> None:
    matrix(10)(ax=ax)
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    assert bar.get_ylabel() == "probability, %"
    assert ax.collections[0].get_clim() == (0, 1)


def test_a_history_that_nobody_can_have_stays_empty(ax: Axes) -> None:
    matrix(30)(ax=ax)
    assert np.ma.count_masked(ax.collections[0].get_array()) == sum(
        10 * step < x for x in range(1, 31) for step in range(1, 31)
    )


def test_what_could_not_be_tested_is_dashed(ax: Axes) -> None:
    ahead(1)(ax=ax)
    solid, dashed = ax.get_lines()
    assert max(solid.get_xdata()) == dashed.get_xdata()[0] == 0.5
    assert dashed.is_dashed()
    assert not solid.is_dashed()


def test_an_assumption_is_drawn_from_its_low_to_its_high_end(ax: Axes) -> None:
    assumptions(2)(ax=ax)
    assert [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.containers[0]] == [(60, 110), (51, 119)]
    assert "5 % to 9 %" in [text.get_text() for text in ax.texts]


def test_a_model_without_leaving_says_so(ax: Axes) -> None:
    spread(0)(ax=ax)
    assert [text.get_text() for text in ax.texts] == ["this model knows none of it"]


def test_concentration_names_the_share_of_the_first_tenth(ax: Axes) -> None:
    lorenz(101)(ax=ax)
    assert "10 % hold 50.1 %" in [text.get_text() for text in ax.texts]
