"""Whatever happens at or after the date, no feature knows it; and no label knows what comes after the horizon."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import ibis
import pandas as pd
import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from loyalty.features import basket, build, cadence, cohorts, programme, rfm, trend
from loyalty.features.columns import Tables, Window
from loyalty.features.histories import distinct, histories, purchase_days
from loyalty.features.labels import active, labels, spending


def few(examples: int) -> hypothesis_settings:
    """Each example is a few queries, and its log small enough to be read without minutes of shrinking."""
    return hypothesis_settings(max_examples=examples, phases=[Phase.explicit, Phase.generate])


AS_OF, HORIZON = date(2020, 3, 16), 30
WINDOW = Window(AS_OF, (7, 30, 60))
Frames = dict[str, pd.DataFrame]

LINE_TYPES = {
    "customer": "string", "day": "date", "amount": "float64", "order": "string", "discount": "float64",
    "coupon": "float64", "category": "string", "store": "string",
}  # fmt: skip
HAPPENING_TYPES = {"customer": "string", "day": "date"}


def happenings(oldest: int, newest: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.fixed_dictionaries({"customer": customers, "day": days(oldest, newest)})
    return st.lists(one, max_size=8)


customers = st.sampled_from(["ann", "bob", "cy", "dee", "eve"])


def days(oldest: int, newest: int) -> st.SearchStrategy[date]:
    return st.integers(oldest, newest).map(lambda shift: AS_OF + timedelta(days=shift))


def logs(oldest: int, newest: int, least: int = 0) -> st.SearchStrategy[list[dict[str, Any]]]:
    line = st.fixed_dictionaries(
        {
            "customer": customers,
            "day": days(oldest, newest),
            "amount": st.integers(-12, 80).map(lambda quarters: quarters / 4),
            "order": st.sampled_from(["1", "2"]),
            "discount": st.sampled_from([0.0, 0.5]),
            "coupon": st.sampled_from([0.0, 0.25]),
            "category": st.sampled_from(["fruit", "bread", None]),
            "store": st.sampled_from(["north", "south"]),
        }
    )
    return st.lists(line, min_size=least, max_size=20)


# What is known at the date, and what two different futures add to it.
known_logs, known_happenings = logs(-120, -1, least=1), happenings(-120, -1)
future_logs, future_happenings = logs(0, 60), happenings(0, 60)


def tables(lines: list[dict[str, Any]], contacts: list[dict[str, Any]], redemptions: list[dict[str, Any]]) -> Tables:
    def table(rows: list[dict[str, Any]], types: dict[str, str]) -> ibis.Table:
        return ibis.memtable(pd.DataFrame(rows, columns=list(types)), schema=types)

    return Tables(
        purchase_days(table(lines, LINE_TYPES)), table(contacts, HAPPENING_TYPES), table(redemptions, HAPPENING_TYPES)
    )


def by_customer(expression: ibis.Table) -> pd.DataFrame:
    return expression.to_pandas().set_index("customer").sort_index()


# Everything that may be computed from the past alone.
PAST: dict[str, Callable[[Tables], pd.DataFrame]] = {
    "histories": lambda t: by_customer(histories(t.days, AS_OF)),
    "distinct": lambda t: distinct(histories(t.days, AS_OF)).to_pandas(),
    "rfm": lambda t: by_customer(rfm.rfm(t, WINDOW)),
    "cadence": lambda t: by_customer(cadence.cadence(t, WINDOW)),
    "trend": lambda t: by_customer(trend.trend(t, WINDOW)),
    "basket": lambda t: by_customer(basket.basket(t, WINDOW)),
    "contacts": lambda t: by_customer(programme.contacts(t, WINDOW)),
    "redemptions": lambda t: by_customer(programme.redemptions(t, WINDOW)),
    "frame": lambda t: build.frame(t, WINDOW, 60),
    "active": lambda t: by_customer(active(t.days, AS_OF, 60)),
    "segments": lambda t: by_customer(rfm.segments(t.days, AS_OF)),
    "measures": lambda t: rfm.measures(t.days, AS_OF, HORIZON, 60).to_pandas(),
    "retention": lambda t: cohorts.retention(t.days, AS_OF).to_pandas(),
    "second purchase": lambda t: cohorts.second_purchase(t.days, AS_OF).to_pandas(),
    "concentration": lambda t: cohorts.concentration(t.days, AS_OF, groups=3).to_pandas(),
    "weekly": lambda t: cohorts.weekly(t.days, AS_OF).to_pandas(),
}
GROUPED = {"distinct", "measures", "retention", "second purchase", "concentration", "weekly"}


@pytest.mark.parametrize("name", PAST)
def test_another_future_changes_nothing(name: str) -> None:
    """A future is added, changed or deleted: with two of them drawn at will, each of the three."""

    @few(8)
    @given(
        known_logs,
        known_happenings,
        st.tuples(future_logs, future_happenings),
        st.tuples(future_logs, future_happenings),
    )
    def check(
        lines: list[dict[str, Any]],
        sent: list[dict[str, Any]],
        one: tuple[list[dict[str, Any]], ...],
        other: tuple[list[dict[str, Any]], ...],
    ) -> None:
        first, second = (
            PAST[name](tables(lines + later, sent + happened, sent[::2] + happened)) for later, happened in (one, other)
        )
        pd.testing.assert_frame_equal(first, second)

    check()


@pytest.mark.parametrize("name", PAST)
def test_the_order_of_rows_changes_nothing(name: str) -> None:
    @few(6)
    @given(known_logs, known_happenings, st.randoms(use_true_random=False))
    def check(lines: list[dict[str, Any]], sent: list[dict[str, Any]], random: Any) -> None:
        shuffled = [random.sample(rows, len(rows)) for rows in (lines, sent, sent[::2])]
        pd.testing.assert_frame_equal(PAST[name](tables(lines, sent, sent[::2])), PAST[name](tables(*shuffled)))

    check()


NAMES = {"ann": "zoe", "bob": "yan", "cy": "xi", "dee": "wim", "eve": "vic"}  # in the opposite order


def renamed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"customer": NAMES[row["customer"]]} for row in rows]


@pytest.mark.parametrize("name", PAST)
def test_what_customers_are_called_changes_nothing(name: str) -> None:
    @few(5)
    @given(known_logs, known_happenings)
    def check(lines: list[dict[str, Any]], sent: list[dict[str, Any]]) -> None:
        first = PAST[name](tables(lines, sent, sent[::2]))
        second = PAST[name](tables(renamed(lines), renamed(sent), renamed(sent[::2])))
        if name not in GROUPED:
            first = first.rename(index=NAMES).sort_index()
        pd.testing.assert_frame_equal(first, second, check_index_type=False)

    check()


@pytest.mark.parametrize("name", ["labels", "spending"])
def test_labels_do_not_know_what_comes_after_the_horizon(name: str) -> None:
    def outcome(lines: list[dict[str, Any]]) -> pd.DataFrame:
        days = tables(lines, [], []).days
        later = labels(days, AS_OF, HORIZON, 60) if name == "labels" else spending(days, AS_OF, HORIZON)
        return by_customer(later)

    @few(10)
    @given(logs(-120, HORIZON - 1, least=1), logs(HORIZON, 90), logs(HORIZON, 90))
    def check(lines: list[dict[str, Any]], one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
        pd.testing.assert_frame_equal(outcome(lines + one), outcome(lines + other))

    check()


def test_what_happened_in_the_horizon_does_not_know_the_past() -> None:
    @few(10)
    @given(logs(0, HORIZON - 1, least=1), logs(-120, -1), logs(-120, -1))
    def check(lines: list[dict[str, Any]], one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
        first, second = (
            by_customer(spending(tables(lines + past, [], []).days, AS_OF, HORIZON)) for past in (one, other)
        )
        pd.testing.assert_frame_equal(first, second)

    check()


def test_the_first_day_of_the_horizon_is_the_date_itself() -> None:
    """The properties above would hold for features that see nothing; they do see the day before."""
    line = {"amount": 4.0, "order": "1", "discount": 0.0, "coupon": 0.0, "category": "fruit", "store": "north"}
    before, on = ([line | {"customer": "ann", "day": AS_OF + timedelta(days=shift)}] for shift in (-1, 0))
    assert len(build.frame(tables(before, [], []), WINDOW, 60)) == 1
    assert len(build.frame(tables(on, [], []), WINDOW, 60)) == 0
    assert list(by_customer(spending(tables(on, [], []).days, AS_OF, HORIZON))["spend"]) == [4.0]
    assert spending(tables(before, [], []).days, AS_OF, HORIZON).count().execute() == 0
