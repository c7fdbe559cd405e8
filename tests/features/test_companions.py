"""Tables beside the log: rows that cannot be used, customers that the log does not know, numbers of two minds."""

from typing import Any

import ibis
import pytest
from loyalty.features.companions import event_findings, identity_findings

EVENT = {"day": "date", "until": "date", "name": "string", "day_as_given": "string", "until_as_given": "string"}
IDENTITY = {"id": "string", "key": "string", "channel": "string"}


def rows(types: dict[str, str], *given: tuple[Any, ...]) -> ibis.Table:
    return ibis.memtable([dict(zip(types, values, strict=True)) for values in given], schema=types)


SALE = ("2020-05-04", "2020-05-09", "Sale", "2020-05-04", "2020-05-09")


def test_whole_tables_are_not_told_of() -> None:
    assert event_findings(rows(EVENT, SALE, ("2020-05-01", None, "May Day", "2020-05-01", None))) == []
    assert identity_findings(rows(IDENTITY, ("7", "ann", "web"), ("7", "bob", "app"), ("8", "ann", "web"))) == []


def test_happenings_that_cannot_be_read() -> None:
    odd = [(None, None, "Fire", "31.02.2020", None), ("2020-06-01", None, None, "2020-06-01", None)]
    (told,) = event_findings(rows(EVENT, SALE, *odd))
    assert told.detail == "events: 2 of 3 rows lack a day that can be read or a name, and are left out"
    assert (told.name, told.severity) == ("unusable_rows", "warning")
    assert told.sample == [
        {"day": "2020-06-01", "day_as_given": "2020-06-01"},
        {"day_as_given": "31.02.2020", "name": "Fire"},
    ]


def test_a_last_day_that_cannot_be_read() -> None:
    (told,) = event_findings(rows(EVENT, SALE, ("2020-06-01", None, "Heat", "2020-06-01", "until autumn")))
    assert told.detail == "events: 1 of 2 rows have a last day that cannot be read, and are marked on their first"
    assert told.sample[0]["until_as_given"] == "until autumn"


def test_few_of_many_rows_are_a_note() -> None:
    lost = (None, None, "Fire", "soon", None)
    assert event_findings(rows(EVENT, *[SALE] * 99, lost))[0].severity == "note"
    assert event_findings(rows(EVENT, *[SALE] * 98, lost))[0].severity == "warning"


@pytest.mark.parametrize("channel", ["web", None])
def test_a_number_of_two_customers(channel: str | None) -> None:
    pairs = [("7", "bob"), ("7", "ann"), ("7", "ann"), ("8", "ann")]
    (told,) = identity_findings(rows(IDENTITY, *((number, key, channel) for number, key in pairs)))
    assert told.name == "shared_number"
    assert told.detail.startswith("identity: 1 of 2 numbers stand for several customers; what was bought under one is ")
    where = {} if channel is None else {"channel": "web"}
    assert told.sample == [{"number": "7", "customer": "ann", "customers": 2} | where]


def test_rows_without_a_number_or_a_customer() -> None:
    (told,) = identity_findings(rows(IDENTITY, ("7", "ann", None), (None, "bob", None), ("8", None, None)))
    assert told.detail == "identity: 2 of 3 rows lack a number or a customer, and are left out"
    assert told.sample == []
