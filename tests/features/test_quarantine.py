"""Which lines are set aside, for which reason, and by which rule."""

from datetime import date, datetime
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from loyalty.features.quarantine import MARKS, ORDER, extreme_above, judged, kept, known, quarantined
from loyalty.schema import Dataset

TODAY = date(2021, 1, 1)
TYPES = {
    "customer": "string", "time": "timestamp", "amount": "float64", "order": "string", "product": "string",
    "store": "string", "currency": "string", "day": "date", "id_as_given": "string",
}  # fmt: skip
SOUND = {
    "customer": "ann", "time": datetime(2020, 5, 4, 12), "amount": 5.0, "order": "1", "product": "p", "store": "s",
    "currency": "EUR",
}  # fmt: skip


def line(name: str, **changed: Any) -> dict[str, Any]:
    """A sound line, called `name`, with some columns changed; each has a receipt of its own."""
    values = SOUND | {"order": name} | changed
    return values | {"day": values["time"] and values["time"].date(), "id_as_given": name}


def dataset(contract: dict[str, Any] | None = None, **columns: Any) -> Dataset:
    roles = {"customer": "c", "time": "t", "amount": "a", "order": "o", "product": "p", "store": "s"} | columns
    return Dataset.model_validate(
        {
            "title": "Shop",
            "currency": "EUR",
            "timezone": "Europe/Berlin",
            "transactions": {"source": "x.csv"} | {role: column for role, column in roles.items() if column},
            "contract": contract or {},
            "study": {"horizon_days": 20, "active_within_days": 40, "margin": 0.3},
        }
    )


def table(lines: list[dict[str, Any]], about: Dataset) -> ibis.Table:
    """The lines as a table, without the columns that the dataset lacks."""
    names = [name for name in TYPES if name != "product" or about.transactions[0].product]
    schema = ibis.schema({name: TYPES[name] for name in names})
    return ibis.memtable(pa.Table.from_pylist(lines, schema=schema.to_pyarrow()), schema=schema)


def judge(lines: list[dict[str, Any]], about: Dataset) -> dict[str, str | None]:
    """The reason of each line by its name."""
    rows = judged(table(lines, about), about, TODAY).to_pyarrow().to_pylist()
    assert len(rows) == len(lines)
    return {row["id_as_given"]: row["reason"] for row in rows}


ODD_LINES = {
    "no_customer": {"customer": None},
    "no_time": {"time": None},
    "impossible_date": {"time": datetime(1989, 12, 31)},
    "future_date": {"time": datetime(2021, 1, 2)},
    "no_amount": {"amount": None},
    "other_currency": {"currency": "USD"},
    "negative_amount": {"amount": -5.0},
    "zero_amount": {"amount": 0.0},
    "extreme_amount": {"amount": 1e6},
}
"""A line of which one thing is wrong, by what it is."""


def rules(name: str) -> list[str]:
    """All that `[contract]` may say of `name`."""
    return [*Dataset.model_json_schema()["$defs"]["Contract"]["properties"][name]["enum"]]


@pytest.mark.parametrize(
    ("name", "rule"), [(name, rule) for name in ODD_LINES for rule in rules(name)], ids=lambda value: str(value)
)
def test_the_rule_decides_what_is_done(name: str, rule: str) -> None:
    sound = [line(f"sound {n}", amount=5.0 + n % 7) for n in range(20)]
    reasons = judge([*sound, line("odd", **ODD_LINES[name])], dataset({name: rule}))
    assert reasons.pop("odd") == (name if rule in ("quarantine", "refuse") else None)
    assert set(reasons.values()) == {None}


@pytest.mark.parametrize("day", [datetime(1990, 1, 1), datetime(2021, 1, 1, 23, 59)])
def test_the_first_and_the_last_possible_day_are_possible(day: datetime) -> None:
    assert judge([line("edge", time=day)], dataset()) == {"edge": None}


def test_the_earliest_day_is_a_setting() -> None:
    about = dataset({"earliest_date": date(2020, 5, 5)})
    assert judge([line("old"), line("new", time=datetime(2020, 5, 5))], about) == {
        "old": "impossible_date",
        "new": None,
    }


@pytest.mark.parametrize("currency", [None, "eur", " EUR "])
def test_a_line_that_names_no_other_currency_is_in_the_dataset_s(currency: str | None) -> None:
    assert judge([line("own", currency=currency)], dataset()) == {"own": None}


def test_a_line_with_several_faults_has_the_first_as_its_reason() -> None:
    everything = {key: value for odd in reversed(ODD_LINES.values()) for key, value in odd.items()}
    faults = ["no_customer", "no_time", "no_amount", "other_currency"]
    for at, name in enumerate(faults):
        wrong = everything | {key: SOUND[key] for fault in faults[:at] for key in ODD_LINES[fault]}
        assert judge([line("odd", **wrong)], dataset()) == {"odd": name}
    assert [name for name in ORDER if name in faults] == faults


# Duplicates


def test_all_but_one_of_equal_lines_are_set_aside() -> None:
    same = [line(f"same {n}", order="1") for n in range(3)]
    other = [line("other product", order="1", product="q"), line("no product", order="1", product=None)]
    reasons = judge([*same, *other, line("no product again", order="1", product=None)], dataset())
    assert sorted(map(str, (reasons[f"same {n}"] for n in range(3)))) == ["None", "duplicate_line", "duplicate_line"]
    assert reasons["other product"] is None
    assert {reasons["no product"], reasons["no product again"]} == {None, "duplicate_line"}


@pytest.mark.parametrize(
    "changed", [{"amount": 5.01}, {"time": datetime(2020, 5, 4, 12, 0, 1)}, {"store": "t"}, {"product": None}]
)
def test_lines_that_differ_in_one_column_are_no_copies(changed: dict[str, Any]) -> None:
    assert set(judge([line("one", order="1"), line("two", order="1", **changed)], dataset()).values()) == {None}


def test_without_receipt_numbers_equal_lines_are_two_purchases() -> None:
    about = dataset({"duplicate_line": "quarantine", "duplicate_receipt": "quarantine"}, order=None)
    same = [line("one", order="ann|2020-05-04"), line("two", order="ann|2020-05-04")]
    assert set(judge(same, about).values()) == {None}
    assert judged(table(same, about), about, TODAY).duplicate_line.sum().to_pyarrow().as_py() == 1  # but it is told


@pytest.mark.parametrize("rule", ["quarantine", "refuse"])
@pytest.mark.parametrize(
    "other",
    [{"customer": "bob"}, {"time": datetime(2020, 5, 5, 12)}],
    ids=["two customers", "two days"],
)
def test_a_receipt_of_two_customers_or_days_cannot_be_trusted(other: dict[str, Any], rule: str) -> None:
    lines = [line("one", order="1"), line("two", order="1", product="q", **other), line("apart")]
    reasons = judge(lines, dataset({"duplicate_receipt": rule}))
    assert reasons == {"one": "duplicate_receipt", "two": "duplicate_receipt", "apart": None}
    assert set(judge(lines, dataset()).values()) == {None}  # kept, if nothing else is said


def test_a_return_may_name_the_receipt_of_the_purchase() -> None:
    lines = [line("bought", order="1"), line("back", order="1", amount=-5.0, time=datetime(2020, 6, 1))]
    assert set(judge(lines, dataset({"duplicate_receipt": "quarantine"})).values()) == {None}


def test_tills_count_their_receipts_for_themselves() -> None:
    lines = [line("here", order="1"), line("there", order="1", store="t", customer="bob")]
    assert set(judge(lines, dataset({"duplicate_receipt": "quarantine"})).values()) == {None}


def test_a_log_of_receipts_holds_each_once() -> None:
    about = dataset({"duplicate_receipt": "quarantine"}, product=None)
    apart = [line(f"apart {n}") for n in range(3)]
    twice = [line("one", order="1"), line("corrected", order="1", amount=6.0)]
    reasons = judge([*apart, *twice], about)
    assert {reasons["one"], reasons["corrected"]} == {"duplicate_receipt"}
    copies = judge([*apart, line("one", order="1"), line("copy", order="1")], about)
    assert {copies["one"], copies["copy"]} == {None, "duplicate_line"}  # what is left of the copies is one receipt


def test_receipts_of_many_lines_are_no_duplicates_because_no_product_is_named() -> None:
    lines = [line(f"{receipt}.{n}", order=str(receipt), amount=1.0 + n) for receipt in range(4) for n in range(3)]
    assert set(judge(lines, dataset({"duplicate_receipt": "quarantine"}, product=None)).values()) == {None}


def test_what_cannot_be_used_is_no_duplicate_of_anything() -> None:
    lines = [line("one", customer=None, order="1"), line("two", customer=None, order="1"), line("good", order="1")]
    about = dataset({"duplicate_receipt": "quarantine"})
    assert judge(lines, about) == {"one": "no_customer", "two": "no_customer", "good": None}


# Extreme amounts


def amounts(*values: float) -> ibis.Table:
    return ibis.memtable(
        {"amount": list(values), "reason": [None] * len(values)}, schema={"amount": "float64", "reason": "string"}
    )


@pytest.mark.parametrize("n", [1, 2, 100, 999, 1000, 1001, 2500])
def test_the_percentile_is_numpy_s(n: int) -> None:
    values = np.random.default_rng(n).gamma(2, 10, n).round(2) + 0.01
    wanted = np.sort(values)[(n - 1) * 999 // 1000]
    assert extreme_above(amounts(*values), 20.0) == wanted * 20
    assert wanted == np.quantile(values, 0.999, method="lower")


def test_returns_and_gifts_do_not_lower_the_percentile() -> None:
    assert extreme_above(amounts(-5, 0, 0, 0, 7), 10) == 70
    assert extreme_above(amounts(-5, 0), 10) is None


def test_one_huge_amount_does_not_set_its_own_limit() -> None:
    lines = [line(f"sound {n}") for n in range(50)]
    quarantine: dict[str, Any] = {"extreme_amount": "quarantine"}
    about = dataset(quarantine)
    assert judge([*lines, line("huge", amount=100.01)], about)["huge"] == "extreme_amount"
    assert judge([*lines, line("twenty times", amount=100.0)], about)["twenty times"] is None
    assert judge([*lines, line("back", amount=-100.01)], about)["back"] == "extreme_amount"
    assert judge([*lines, line("huge", amount=100.01)], dataset({"extreme_times": 30.0} | quarantine))["huge"] is None


# What is made of it


def test_kept_and_set_aside_are_the_whole_log() -> None:
    lines = [line("good"), line("lost", customer=None), line("late", time=datetime(2022, 1, 1))]
    whole = judged(table(lines, dataset()), dataset(), TODAY)
    assert set(kept(whole).columns) == set(TYPES) - {"id_as_given"}
    aside = quarantined(whole).to_pandas().set_index("id_as_given")
    assert aside["reason"].to_dict() == {"lost": "no_customer", "late": "future_date"}
    assert not set(MARKS) & set(aside.columns)


def test_how_a_time_was_told_is_of_no_purchase() -> None:
    """Two lines that differ in it alone are equal, and neither the lines nor the quarantine have it."""
    lines = [line("one", order="1"), line("two", order="1"), line("lost", customer=None)]
    raw = table(lines, dataset())
    whole = judged(raw.mutate(zoned=raw.id_as_given == "one"), dataset(), TODAY)
    assert sorted(quarantined(whole).reason.to_pyarrow().to_pylist()) == ["duplicate_line", "no_customer"]
    assert "zoned" not in {*kept(whole).columns, *quarantined(whole).columns}


def test_what_is_known_at_a_date_has_lines_without_a_day_in_it() -> None:
    lines = [
        line("before"), line("after", time=datetime(2020, 7, 1)), line("no day", time=None),
        line("to come", time=datetime(2022, 1, 1)), line("long ago", time=datetime(1900, 1, 1)),
    ]  # fmt: skip
    seen = (
        known(judged(table(lines, dataset()), dataset(), TODAY), date(2020, 6, 1)).to_pandas().set_index("id_as_given")
    )
    assert set(seen.index) == {"before", "no day", "to come", "long ago"}
    assert seen["day"].notna().sum() == 1


def test_an_empty_log_is_judged_too() -> None:
    assert judge([], dataset()) == {}
