"""Lines in are lines kept and lines set aside, each under one reason, whatever the log and whatever the rules."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from loyalty.features.checks import line_findings
from loyalty.features.contract import facts
from loyalty.features.histories import purchase_days
from loyalty.features.quarantine import ORDER, judged, kept, quarantined
from loyalty.schema import Contract, Dataset

TODAY, EARLIEST = date(2020, 6, 30), date(2020, 1, 1)
TYPES = ibis.schema(
    {"customer": "string", "time": "timestamp", "amount": "float64", "order": "string", "product": "string",
     "currency": "string", "day": "date"}
)  # fmt: skip
Line = dict[str, Any]

times = st.sampled_from([datetime(2019, 12, 31), datetime(2020, 7, 1), *(datetime(2020, 3, n, 12) for n in (1, 2))])
log_lines = st.fixed_dictionaries(
    {
        "customer": st.sampled_from(["ann", "bob", None]),
        "time": times | st.none(),
        "amount": st.sampled_from([4.0, 5.0, 0.0, -4.0, 999.0, None]),
        "order": st.sampled_from(["1", "2", "3", None]),
        "product": st.sampled_from(["p", None]),
        "currency": st.sampled_from(["EUR", None, "USD"]),
    }
)
logs = st.lists(log_lines, max_size=25)
rules = st.fixed_dictionaries(
    {name: st.sampled_from(Contract.model_json_schema()["properties"][name]["enum"]) for name in ORDER}
)


def dataset(contract: dict[str, str], receipts: bool, products: bool) -> Dataset:
    roles = {"order": "o"} if receipts else {}
    roles |= {"product": "p"} if products else {}
    return Dataset.model_validate(
        {
            "title": "Shop",
            "currency": "EUR",
            "timezone": "Europe/Berlin",
            "transactions": {"source": "x", "customer": "c", "time": "t", "amount": "a", **roles},
            "contract": contract | {"earliest_date": EARLIEST, "extreme_times": 2.0},
            "study": {"horizon_days": 20, "active_within_days": 40, "margin": 0.3},
        }
    )


def reasons(lines: list[Line], about: Dataset) -> Counter[str | None]:
    """How many lines have each reason, by going through them one by one."""
    aside = {name: getattr(about.contract, name) in ("quarantine", "refuse") for name in ORDER}
    receipts = about.transactions[0].order is not None
    counted: Counter[str | None] = Counter()
    usable = []
    for line in lines:
        first = next((name for name in ORDER[:6] if unusable(line, name)), None)
        counted[first] += first is not None
        usable += [line] if first is None else []
    paid = sorted(line["amount"] for line in usable if line["amount"] > 0)
    limit = 2 * paid[(len(paid) - 1) * 999 // 1000] if paid else float("inf")
    seen: Counter[tuple[Any, ...]] = Counter()
    twice = reused(usable, about) if receipts else set()
    for line in usable:
        same = tuple(value for name, value in line.items())
        seen[same] += line["order"] is not None
        conditions = {
            "duplicate_line": receipts and seen[same] > 1,
            "duplicate_receipt": line["order"] in twice and line["amount"] >= 0,
            "negative_amount": line["amount"] < 0,
            "zero_amount": line["amount"] == 0,
            "extreme_amount": abs(line["amount"]) > limit,
        }
        counted[next((name for name in conditions if conditions[name] and aside[name]), None)] += 1
    return Counter({name: number for name, number in counted.items() if number})


def unusable(line: Line, name: str) -> bool:
    time = line["time"]
    return {
        "no_customer": line["customer"] is None,
        "no_time": time is None,
        "impossible_date": time is not None and time.date() < EARLIEST,
        "future_date": time is not None and time.date() > TODAY,
        "no_amount": line["amount"] is None,
        "other_currency": line["currency"] == "USD",
    }[name]


def reused(lines: list[Line], about: Dataset) -> set[str]:
    """Receipt numbers that stand for several customers or days; where a line is a receipt, for several lines."""
    numbers = [line["order"] for line in lines if line["order"] is not None]
    several = sum(number > 1 for number in Counter(numbers).values())
    by_receipt = about.transactions[0].product is None and 2 * several <= len(set(numbers))
    found = set()
    for number in set(numbers):
        of_it = [line for line in lines if line["order"] == number and line["amount"] >= 0]
        whose = {(line["customer"], line["time"].date()) for line in of_it}
        different = {tuple(line.values()) for line in of_it}
        if len(whose) > 1 or (by_receipt and len(different) > 1):
            found.add(number)
    return found


@pytest.mark.slow
@given(lines=logs, contract=rules, receipts=st.booleans(), products=st.booleans())
@settings(max_examples=50, phases=[Phase.explicit, Phase.generate])
def test_every_line_is_kept_or_set_aside_for_one_reason(
    lines: list[Line], contract: dict[str, str], receipts: bool, products: bool
) -> None:
    about = dataset(contract, receipts, products)
    columns = [name for name in TYPES.names if products or name != "product"]
    lines = [{name: line[name] for name in columns if name != "day"} for line in lines]
    if not receipts:
        lines = [line | {"order": f"{line['customer']}|{line['time']}"} for line in lines]
    rows = [line | {"day": line["time"] and line["time"].date()} for line in lines]
    schema = ibis.schema({name: TYPES[name] for name in columns})
    raw = ibis.memtable(pa.Table.from_pylist(rows, schema=schema.to_pyarrow()), schema=schema)
    # Kept as a table, as in a study: judging again could set another of two equal lines aside.
    whole = judged(raw, about, TODAY).cache()

    counted = {
        row["reason"]: row["lines"]
        for row in whole.group_by("reason").agg(lines=whole.count()).to_pyarrow().to_pylist()
    }
    assert counted == reasons(lines, about)
    used, aside = kept(whole), quarantined(whole)
    found = facts(whole, purchase_days(used))
    assert found["lines"] == len(lines) == found["used"] + found["quarantined"]
    assert (found["used"], found["quarantined"]) == (
        used.count().to_pyarrow().as_py(),
        aside.count().to_pyarrow().as_py(),
    )
    told = {one.name: one.lines for one in line_findings(whole, about, found) if one.done in ("quarantined", "refused")}
    assert told == {name: number for name, number in counted.items() if name is not None}
    # The lines themselves, too: nothing is changed or made up on the way.
    out = [*used.select(*columns).to_pyarrow().to_pylist(), *aside.select(*columns).to_pyarrow().to_pylist()]
    assert Counter(tuple(row[name] for name in columns) for row in out) == Counter(
        tuple(row[name] for name in columns) for row in rows
    )


def test_the_dirt_is_of_every_kind() -> None:
    """What the property draws from does hold each kind of fault, or it would prove nothing."""
    sound: Line = {"customer": "ann", "time": datetime(2020, 3, 1, 12), "amount": 4.0, "order": "1", "product": "p",
                   "currency": "EUR"}  # fmt: skip
    day = timedelta(days=1)
    dirt = [
        sound, sound, sound | {"order": "2"}, sound | {"order": "2", "customer": "bob"}, sound | {"customer": None},
        sound | {"time": None}, sound | {"time": datetime(2019, 12, 31)}, sound | {"time": datetime(2020, 7, 1)},
        sound | {"amount": None}, sound | {"currency": "USD"}, sound | {"amount": -4.0, "order": "3"},
        sound | {"amount": 0.0, "order": "3"}, sound | {"amount": 999.0, "order": "4"},
    ] + [sound | {"order": str(10 + n), "time": sound["time"] + n * day} for n in range(5)]  # fmt: skip
    assert set(reasons(dirt, dataset(dict.fromkeys(ORDER, "quarantine"), True, True))) == {*ORDER, None}
