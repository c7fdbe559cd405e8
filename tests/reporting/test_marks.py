"""Happenings in charts over time: each is there, readable, and told in words."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from loyalty.reporting import backtest_figures, btyd_figures, figures, goal_figures, marks, points_figures
from matplotlib import dates as mdates
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

WEEKS = pd.DataFrame({"week": pd.date_range("2020-01-06", periods=40, freq="7D"), "customers": range(100, 140)})


def events(*rows: tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["day", "until", "name"])
    return frame.astype({"day": "datetime64[us]", "until": "datetime64[us]"})


@pytest.fixture
def names() -> object:
    """Return a function that says which names a chart with these events bears, from left to right."""

    def drawn(ax: Axes) -> list[str]:
        written = [text for text in ax.texts if text.get_rotation() == 90]
        return [text.get_text() for text in sorted(written, key=lambda text: text.xy[0])]

    yield drawn
    plt.close("all")


def test_a_day_is_a_line_at_its_date(names) -> None:  # type: ignore[no-untyped-def]
    ax = figures.weekly(WEEKS, "customers", "Customers", events=events(("2020-04-12", "2020-04-12", "Easter")))
    assert names(ax) == ["Easter"]
    places = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":" or line.get_linewidth() == 0.8]
    assert mdates.date2num(pd.Timestamp("2020-04-12")) in places


def test_a_span_is_a_band_to_the_end_of_its_last_day(names) -> None:  # type: ignore[no-untyped-def]
    outage = events(("2020-05-01", "2020-05-10", "Outage"))
    plain, marked = (figures.weekly(WEEKS, "customers", "Customers", events=told) for told in (None, outage))
    (band,) = marked.patches[len(plain.patches) :]
    low, high = band.get_x(), band.get_x() + band.get_width()
    assert (low, high) == tuple(mdates.date2num(pd.to_datetime(["2020-05-01", "2020-05-11"])))
    assert names(marked) == ["Outage"]


def test_names_that_would_lie_on_each_other_are_one(names) -> None:  # type: ignore[no-untyped-def]
    near = events(
        ("2020-05-01", "2020-05-01", "May Day"),
        ("2020-05-03", "2020-05-03", "Fair"),
        ("2020-08-01", "2020-08-01", "Sale"),
    )
    assert names(figures.weekly(WEEKS, "customers", "Customers", events=near)) == ["May Day · Fair", "Sale"]


def test_what_lies_outside_the_chart_neither_shows_nor_stretches_it(names) -> None:  # type: ignore[no-untyped-def]
    plain = figures.weekly(WEEKS, "customers", "Customers").get_xlim()
    far = events(("2010-01-01", "2010-01-01", "Long ago"), ("2030-01-01", "2030-01-02", "To come"))
    ax = figures.weekly(WEEKS, "customers", "Customers", events=far)
    assert names(ax) == []
    assert ax.get_xlim() == plain


def test_a_rate_over_time_is_marked_too(names) -> None:  # type: ignore[no-untyped-def]
    ends = pd.date_range("2020-01-01", periods=8, freq="28D")
    rates = pd.DataFrame({"end": ends, "share": 0.3, "low": 0.2, "high": 0.4})
    ax = figures.rate_over_time(rates, 0.25, "Left", events=events(("2020-03-01", "2020-03-01", "New rival")))
    assert names(ax) == ["New rival"]


def test_goals_scores_sums_and_points_that_expire_are_marked() -> None:
    told = events(("2020-03-01", "2020-03-01", "New rival"))
    ends = pd.date_range("2020-01-01", periods=8, freq="28D")
    measured = pd.DataFrame({"end": ends, "value": 0.3, "low": 0.2, "high": 0.4})
    path = pd.DataFrame({"day": ends[[0, -1]], "target": [0.3, 0.5]})
    goal = goal_figures.Panel("Repurchase", "share", measured, path, measured.head(0))
    totals = pd.DataFrame(
        {f"total_{name}": 1.0 for name in ("actual", "expected", "low", "high")}, index=range(8)
    ).assign(end=ends)
    drawn = [
        *goal_figures.paths([goal, goal], told).axes,
        points_figures.calendar(pd.DataFrame({"day": ends, "points": 100.0}), told),
        backtest_figures.by_date(
            pd.DataFrame({"model": 0.8, "rule": 0.7}, index=ends), "model", "rule", "score", "Scores", events=told
        ),
        btyd_figures.total_purchases(totals, ends[3], events=told),
    ]
    assert len(drawn) == 5
    assert all("New rival" in [text.get_text() for text in ax.texts] for ax in drawn)


def calls(part: ast.AST) -> dict[str, ast.Call]:
    return {ast.unparse(each.func): each for each in ast.walk(part) if isinstance(each, ast.Call)}


def charts() -> dict[str, tuple[set[str], bool]]:
    """Functions of the figures: what each calls, by way of its helpers too, and whether it takes happenings."""
    found = {}
    for file in sorted(Path(figures.__file__).parent.glob("*figures.py")):
        parts = ast.parse(file.read_text("utf-8")).body
        made = {part.name: part for part in parts if isinstance(part, ast.FunctionDef)}
        called = {name: set(calls(part)) for name, part in made.items()}
        for name in (name for name in made if not name.startswith("_")):
            reached = called[name].union(*(called[helper] for helper in called[name] & set(made)))
            arguments = made[name].args
            takes = "events" in [each.arg for each in (*arguments.args, *arguments.kwonlyargs)]
            found[f"{file.stem}.{name}"] = (reached, takes)
    return found


def test_every_chart_with_dates_marks_what_happened() -> None:
    dated = {name for name, (called, _) in charts().items() if "style.dates" in called}
    marked = {name for name, (called, takes) in charts().items() if "mark" in called and takes}
    assert len(dated) >= 9
    assert dated <= marked


def cells() -> Iterator[tuple[str, str]]:
    """Code that draws pages: of the notebooks, and of the summary."""
    root = Path(figures.__file__).parents[2]
    for file in sorted((root / "notebooks").glob("*.ipynb")):
        for cell in json.loads(file.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                yield file.stem, "".join(cell["source"])
    yield "summary", (root / "src/reporting/summary.py").read_text("utf-8")


def test_every_page_says_what_to_mark() -> None:
    takes = {name.partition(".")[2] for name, (_, takes) in charts().items() if takes}
    shown, unmarked = set(), []
    for page, code in cells():
        for name, call in calls(ast.parse(code)).items():
            module, _, chart = name.rpartition(".")
            if module.endswith("figures") and chart in takes:
                shown.add(chart)
                told = [ast.unparse(each) for each in (*call.args, *(keyword.value for keyword in call.keywords))]
                unmarked += [] if "study.events()" in told else [f"{page}: {name}"]
    assert shown == takes
    assert unmarked == []


def test_marks_are_told_in_words_for_those_who_do_not_see_them() -> None:
    told = events(("2020-04-12", "2020-04-12", "Easter"), ("2020-05-01", "2020-05-10", "Outage"))
    first, last = pd.Timestamp("2020-04-01"), pd.Timestamp("2020-05-05")
    assert marks.read(told, first, last) == " Marked: Easter (12 April 2020) and Outage (1 May 2020)."
    assert marks.read(told, first, pd.Timestamp("2020-04-02")) == ""
    assert marks.read(None, first, last) == ""
