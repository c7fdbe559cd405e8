"""Whether enough of a log is known before a date, and up to it."""

from datetime import date, timedelta
from typing import Any

import pytest
from loyalty.features.span import span_findings
from loyalty.schema import Contract

FIRST, LAST, HORIZON = date(2020, 1, 1), date(2020, 6, 30), 28
LOG = {"first_day": FIRST.isoformat(), "last_day": LAST.isoformat(), "customers": 600, "longest_pause": 3}


def span(
    as_of: date = date(2020, 7, 1), horizon: int = HORIZON, contract: dict[str, Any] | None = None, **changed: Any
) -> dict[str, str]:
    """Findings about the span of a log of half a year: the detail by name."""
    found = span_findings(LOG | changed, as_of, horizon, Contract.model_validate(contract or {}), end=date(2020, 7, 1))
    return {one.name: f"{one.severity}: {one.detail} ({one.rule})" for one in found}


def test_enough_is_known() -> None:
    assert span() == {}


@pytest.mark.parametrize(("customers", "minimum", "refused"), [(500, 500, False), (499, 500, True), (9, 10, True)])
def test_too_few_customers(customers: int, minimum: int, refused: bool) -> None:
    told = span(customers=customers, contract={"minimum_customers": minimum})
    assert list(told) == (["few_customers"] if refused else [])
    if refused:
        assert told["few_customers"].startswith(
            f"refusal: {customers} customers bought before 2020-07-01, and at least {minimum}"
        )
        assert told["few_customers"].endswith(f"(contract.minimum_customers = {minimum})")


@pytest.mark.parametrize(
    ("days", "told"),
    [(55, "short_history"), (56, "thin_history"), (83, "thin_history"), (84, None)],
)
def test_two_horizons_are_needed_and_three_are_enough(days: int, told: str | None) -> None:
    as_of = FIRST + timedelta(days=days)
    found = span(as_of, last_day=(as_of - timedelta(days=1)).isoformat())
    assert list(found) == ([told] if told else [])
    if told == "thin_history":
        assert found[told].startswith(
            f"warning: {days} days are known before {as_of}, fewer than 3 horizons of 28: models"
        )


def test_a_short_history_says_which_dates_or_horizons_do() -> None:
    early = span(date(2020, 2, 1), last_day="2020-01-31")["short_history"]
    earliest = FIRST + timedelta(days=56)
    assert "31 days are known before 2020-02-01, and with horizon_days = 28 56 are needed" in early
    assert f"choose a date from {earliest} to 2020-07-01" in early
    assert early.endswith("(contract.minimum_horizons = 2)")
    assert "short_history" not in span(earliest)
    long = span(horizon=100)["short_history"]
    longest = int(long.partition("horizon_days of at most ")[2].partition(" ")[0])
    assert "short_history" not in span(horizon=longest)
    assert "short_history" in span(horizon=longest + 1)


def test_the_history_needed_is_a_setting() -> None:
    as_of = FIRST + timedelta(days=60)
    known = {"last_day": (as_of - timedelta(days=1)).isoformat()}
    assert "short_history" not in span(as_of, **known)
    assert "short_history" in span(as_of, contract={"minimum_horizons": 2.5}, **known)


# How far it reaches


@pytest.mark.parametrize("share", [0.05, 0.1, 0.12])
def test_a_log_is_stale_if_its_last_tenth_holds_no_line(share: float) -> None:
    """By hand: the last line must lie within `share` of the days from the first line to the date."""
    for silent in range(1, 28):
        as_of = LAST + timedelta(days=silent)
        by_hand = silent > share * (as_of - FIRST).days
        assert ("stale" in span(as_of, contract={"silent_share": share})) == by_hand, silent


def test_a_stale_log_says_up_to_which_date_it_is_not() -> None:
    told = span(date(2031, 1, 1))["stale"]
    latest = date.fromisoformat(told.partition("choose a date up to ")[2][:10])
    assert "the last line is of 2020-06-30, 3,836 silent days before 2031-01-01: bring newer lines" in told
    assert told.endswith("(contract.silent_share = 0.1)")
    assert "stale" not in span(latest)
    assert "stale" in span(latest + timedelta(days=1))


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_whole_horizon_of_silence_is_refused_whatever_the_share(share: float) -> None:
    assert "stale" not in span(LAST + timedelta(days=HORIZON), contract={"silent_share": share})
    assert "stale" in span(LAST + timedelta(days=HORIZON + 1), contract={"silent_share": share})


def test_the_day_after_the_last_line_is_never_stale() -> None:
    few_days = {"first_day": "2020-06-27"}
    assert "stale" not in span(contract={"silent_share": 0.01}, **few_days)
    assert "stale" in span(date(2020, 7, 2), contract={"silent_share": 0.01}, **few_days)


@pytest.mark.parametrize(("pause", "from_day"), [(1, 2), (3, 4), (90, 8)])
def test_a_silence_longer_than_usual_is_told(pause: int, from_day: int) -> None:
    """A quarter of the horizon at most: one long closure, years ago, does not make silence usual."""
    told = [silent for silent in range(1, 15) if "late" in span(LAST + timedelta(days=silent), longest_pause=pause)]
    assert told == list(range(from_day, 15))
    assert span(LAST + timedelta(days=14))["late"].startswith(
        "warning: the last line is of 2020-06-30, 13 silent days before"
    )
