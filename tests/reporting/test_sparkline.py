"""A measure over past runs as a small drawing that is read from its numbers."""

import re
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from loyalty.reporting import words
from loyalty.reporting.sparkline import Point, described, line


def points(*values: float, apart: int = 30) -> list[Point]:
    return [Point(day=date(2020, 1, 1) + timedelta(days=apart * at), value=value) for at, value in enumerate(values)]


def places(drawn: str, width: int = 216) -> list[tuple[float, float]]:
    found = re.search(r'<polyline points="([^"]+)" [^>]*var\(--accent\)', drawn)
    assert found is not None
    return [(float(x), float(y)) for x, y in (spot.split(",") for spot in found[1].split())]


def test_the_words_are_made_from_the_numbers() -> None:
    told = described(points(9, 4, 12, 10), "Buyers", words.count, goal=11)
    assert told == (
        "Buyers in 4 reports: 9 on 1 January 2020, 10 on 31 March 2020; lowest 4 on 31 January 2020; "
        "highest 12 on 1 March 2020. Goal: 11."
    )


def test_higher_values_lie_higher_and_dates_are_as_far_apart_as_they_are() -> None:
    uneven = [*points(10, 30, apart=10), Point(day=date(2020, 2, 10), value=20)]
    (x0, y0), (x1, y1), (x2, y2) = places(line(uneven, "Buyers", words.count))
    assert y1 < y2 < y0
    assert (x2 - x0) / (x1 - x0) == pytest.approx(4, abs=0.01)


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=60), st.one_of(st.none(), st.floats(-1e9, 1e9)))
def test_nothing_is_drawn_outside(values: list[float], goal: float | None) -> None:
    drawn = line(points(*values), "Buyers", words.number, goal=goal, width=200, height=50)
    assert all(0 <= x <= 200 and 0 <= y <= 50 for x, y in places(drawn))


def test_it_has_a_text_and_nothing_that_the_policy_forbids() -> None:
    banded = [Point(day=one.day, value=one.value, low=one.value - 1, high=one.value + 2) for one in points(5, 7)]
    drawn = line(banded, 'Buyers "<script>"', words.count, goal=6, promised=points(4, 8))
    soup = BeautifulSoup(drawn, "html.parser")
    svg = soup.find("svg")
    assert svg is not None
    assert svg["aria-label"].startswith(
        'Buyers "<script>" in 2 reports: 5 on 1 January 2020, 7 on 31 January 2020. Goal'
    )
    assert svg["aria-label"].endswith("Promised in 2 reports: 4 on 1 January 2020, 8 on 31 January 2020.")
    assert len(soup.find_all("polyline")) == 2
    assert len(soup.find_all("polygon")) == 1
    names = {name for tag in soup.find_all(True) for name in tag.attrs}
    assert "style" not in names
    assert not any(name.startswith("on") for name in names)
    assert {tag.name for tag in soup.find_all(True)} <= {"svg", "polyline", "polygon", "line", "circle"}


def test_the_same_value_throughout_is_a_line_in_the_middle() -> None:
    assert {y for _, y in places(line(points(3, 3, 3), "Buyers", words.count))} == {24.0}


def test_one_point_is_no_history() -> None:
    with pytest.raises(ValueError, match="expected two points or more, found 1"):
        line(points(3), "Buyers", words.count)
