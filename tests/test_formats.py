"""Ways to write a time: what is understood, and what a format must have."""

import calendar

import pytest
from loyalty.formats import MONTHS, missing_directives, unknown_directives


def test_no_name_stands_for_two_months() -> None:
    names = [name for names in MONTHS for name in names.split()]
    assert len(names) == len(set(names))
    assert names == [name.lower() for name in names]


def test_english_months_are_those_of_the_calendar() -> None:
    for number, names in enumerate(MONTHS, start=1):
        assert {calendar.month_name[number].lower(), calendar.month_abbr[number].lower()} <= {*names.split()}


@pytest.mark.parametrize(
    ("time_format", "lacking"),
    [
        ("%d.%m.%Y", []),
        ("%B %d, %y", []),
        ("%d/%m", ["%Y"]),
        ("%m/%d/%Y %I:%M", ["%p"]),
        ("%m/%d/%Y %H:%M %p", ["%I"]),
        ("%m/%d/%Y %I:%M %p", []),
    ],
)
def test_what_a_format_lacks_is_told(time_format: str, lacking: list[str]) -> None:
    assert missing_directives(time_format) == lacking


def test_a_percent_sign_is_no_part() -> None:
    assert unknown_directives("%d %% %Z %f") == ["%Z", "%f"]
