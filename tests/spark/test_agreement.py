"""Every number is the same by DuckDB and by Spark: on Complete Journey, and on a simulated log with dirt."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from agreement import Pair, assert_agree, assert_alike
from loyalty.features import build, cohorts, contract, labels, rfm
from loyalty.features.columns import Window
from loyalty.features.histories import distinct, histories
from loyalty.study import Study


@pytest.fixture(scope="module", params=["journey_pair", "dirty_pair"])
def pair(request: pytest.FixtureRequest) -> Pair:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def window(study: Study, day: date) -> Window:
    lengths = build.windows_that_fit(study.first_day, day)
    return Window(day, lengths, study.horizon_days, (day - study.first_day).days)


def test_the_same_study(pair: Pair) -> None:
    """What Spark kept under a key is what DuckDB would keep under it."""
    by_duckdb, by_spark = pair
    assert by_duckdb.data.dataset.engine == "duckdb"
    assert by_spark.data.dataset.engine == "spark"
    assert by_duckdb.key == by_spark.key
    assert_alike(by_duckdb.data.facts, by_spark.data.facts)


@pytest.mark.parametrize("name", ["days", "returns", "lines", "contacts", "redemptions", "points", "customers"])
def test_tables(name: str, dirty_pair: Pair) -> None:
    assert_agree(*(getattr(study.data.tables, name) for study in dirty_pair))


@pytest.mark.parametrize("name", ["days", "contacts", "redemptions"])
def test_tables_of_complete_journey(name: str, journey_pair: Pair) -> None:
    assert_agree(*(getattr(study.data.tables, name) for study in journey_pair))


def test_consent_and_events(dirty_pair: Pair) -> None:
    assert_agree(*(study.data.consent for study in dirty_pair))
    assert_agree(*(study.data.events for study in dirty_pair))


def test_quarantine(dirty_pair: Pair) -> None:
    """Every line that is set aside, with its reason and what the source said."""
    assert_agree(*(study.data.quarantine for study in dirty_pair))


def test_findings(pair: Pair) -> None:
    """What is told of the log, with how many, how much money, and the same sample."""
    assert_alike(
        *(
            contract.examine(study.data.judged, study.data.tables.days, study.dataset, study.as_of, study.horizon_days)
            for study in pair
        )
    )


@pytest.mark.parametrize("back", [0, 2], ids=["now", "earlier"])
def test_features(pair: Pair, back: int) -> None:
    """Every column of every block, at the as-of date and two horizons before it."""
    one, other = (
        build.features(study.data.tables, window(study, study.origin(back)), study.active_within_days) for study in pair
    )
    assert set(one.columns) == set(other.columns)
    assert_agree(one, other)


def outcomes(study: Study, day: date, churn: str = labels.NO_PURCHASE) -> Any:
    """Labels; a contract ends on the last day of purchase."""
    days = study.data.tables.days
    tables = study.data.tables._replace(customers=days.group_by("customer").agg(contract_end=days.day.max()))
    return labels.labels(tables, day, study.horizon_days, study.active_within_days, study.as_of, churn)


HORIZON = {
    "labels": outcomes,
    "partial defection": lambda study, day: outcomes(study, day, labels.PARTIAL_DEFECTION),
    "contract end": lambda study, day: outcomes(study, day, labels.CONTRACT_END),
    "spending": lambda study, day: labels.spending(study.data.tables, day, study.horizon_days),
}


@pytest.mark.parametrize("name", HORIZON)
def test_what_happened_next(pair: Pair, name: str) -> None:
    assert_agree(*(HORIZON[name](study, study.origin(1)) for study in pair))


def test_labels_of_a_horizon_that_is_not_over(pair: Pair) -> None:
    assert_agree(*(HORIZON["labels"](study, study.as_of - timedelta(days=9)) for study in pair))


BASE: dict[str, Callable[[Study], Any]] = {
    "histories": lambda study: histories(study.data.tables, study.as_of),
    "distinct": lambda study: distinct(histories(study.data.tables, study.as_of)),
    "segments": lambda study: rfm.segments(study.data.tables, study.as_of),
    "measures": lambda study: rfm.measures(
        study.data.tables, study.as_of, study.horizon_days, study.active_within_days
    ),
    "retention": lambda study: cohorts.retention(study.data.tables.days, study.as_of),
    "second purchase": lambda study: cohorts.second_purchase(study.data.tables.days, study.as_of),
    "concentration": lambda study: cohorts.concentration(study.data.tables, study.as_of),
    "weekly": lambda study: cohorts.weekly(study.data.tables, study.as_of),
}


@pytest.mark.parametrize("name", BASE)
def test_the_customer_base(pair: Pair, name: str) -> None:
    assert_agree(*(BASE[name](study) for study in pair))
