"""What is told of a log: how many lines, how much money, whose, what was done, and a few of the lines."""

from datetime import date, datetime, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest
from loyalty.features.checks import SAMPLE, line_findings
from loyalty.features.contract import examine, refusals
from loyalty.features.findings import FINDINGS
from loyalty.features.histories import purchase_days
from loyalty.features.quarantine import ORDER, judged, kept
from loyalty.schema import Contract, Dataset

FIRST, DAYS, AS_OF = date(2020, 1, 6), 140, date(2020, 5, 25)
TYPES = {
    "customer": "string", "time": "timestamp", "amount": "float64", "order": "string", "store": "string",
    "currency": "string", "day": "date", "customer_as_given": "string", "time_as_given": "string",
    "amount_as_given": "string", "zoned": "boolean",
}  # fmt: skip


def line(number: int, **changed: Any) -> dict[str, Any]:
    """Line `number` of a log of three a day at noon, each with a receipt of its own."""
    time = datetime.combine(FIRST + timedelta(days=number // 3), datetime.min.time()) + timedelta(hours=12)
    values = {
        "customer": f"c{number % 20:02d}", "time": time, "amount": 5.0, "order": str(number), "store": "s",
        "currency": "EUR", "zoned": False,
    } | changed  # fmt: skip
    given = {f"{name}_as_given": str(values[name]) for name in ("customer", "time", "amount")}
    return {"day": values["time"] and values["time"].date()} | given | values


SOUND = [line(n) for n in range(3 * DAYS)]


def dataset(contract: dict[str, Any] | None = None, timezone: str = "Europe/Berlin", **roles: str | None) -> Dataset:
    log = {"source": "x", "customer": "c", "time": "t", "amount": "a", "order": "o", "store": "s"} | roles
    return Dataset.model_validate(
        {
            "title": "Shop",
            "currency": "EUR",
            "timezone": timezone,
            "transactions": {role: column for role, column in log.items() if column},
            "contract": {"minimum_customers": 2} | (contract or {}),
            "study": {"horizon_days": 20, "active_within_days": 40, "margin": 0.3},
        }
    )


def judge(lines: list[dict[str, Any]], about: Dataset) -> ibis.Table:
    schema = ibis.schema(TYPES)
    raw = ibis.memtable(pa.Table.from_pylist(lines, schema=schema.to_pyarrow()), schema=schema)
    return judged(raw, about, date(2021, 1, 1)).cache()


def found(
    lines: list[dict[str, Any]], about: Dataset | None = None, as_of: date = AS_OF, horizon_days: int = 20
) -> dict[str, dict[str, Any]]:
    """Findings by name, in their order."""
    about = about or dataset()
    whole = judge(lines, about)
    findings = examine(whole, purchase_days(kept(whole)), about, as_of, horizon_days)["findings"]
    return {finding["name"]: finding for finding in findings}


def test_of_a_sound_log_nothing_is_told() -> None:
    assert found(SOUND) == {}


ONE_OF_EACH = {
    "no_customer": {"customer": None},
    "no_time": {"time": None},
    "impossible_date": {"time": datetime(1989, 1, 1)},
    "future_date": {"time": datetime(2021, 6, 1)},
    "no_amount": {"amount": None},
    "other_currency": {"currency": "USD"},
    "duplicate_line": {},
    "duplicate_receipt": {"customer": "c19"},
    "negative_amount": {"amount": -2.5},
    "zero_amount": {"amount": 0.0},
    "extreme_amount": {"amount": 101.0},
}
"""What is changed in a copy of a sound line so that it becomes each finding."""

DONE = {"keep": "kept", "purchase": "kept", "net": "netted", "quarantine": "quarantined", "refuse": "refused"}


def with_some(name: str) -> list[dict[str, Any]]:
    """The sound log and one or two lines of a finding, of one customer or none."""
    numbers = (0,) if name == "extreme_amount" else (0, 60)  # of two as large, none is extreme in so small a log
    apart = [{} if name.startswith("duplicate") else {"order": f"apart {number}"} for number in numbers]
    return [*SOUND, *(line(n, **ONE_OF_EACH[name] | changed) for n, changed in zip(numbers, apart, strict=True))]


@pytest.mark.parametrize(
    ("name", "rule"),
    [(name, rule) for name in ORDER for rule in Contract.model_json_schema()["properties"][name]["enum"]],
)
def test_each_finding_is_counted_and_the_rule_says_what_is_done(name: str, rule: str) -> None:
    log, about = with_some(name), dataset({name: rule})
    (one,) = line_findings(judge(log, about), about, {"lines": len(log), "spend": 2100.0})
    told = one.told()
    lines = {"duplicate_receipt": 4, "extreme_amount": 1}.get(name, 2)  # both lines of either receipt
    worth = {
        "no_amount": None,
        "other_currency": None,
        "negative_amount": -5.0,
        "zero_amount": 0.0,
        "extreme_amount": 101.0,
    }
    assert told["lines"] == lines
    assert told["share"] == lines / len(log)
    assert told["money"] == worth.get(name, 5.0 * lines)
    assert told["customers"] == {"no_customer": 0, "duplicate_receipt": 2}.get(name, 1)
    assert (told["done"], told["rule"]) == (DONE[rule], f"contract.{name} = '{rule}'")
    assert told["severity"] == "refusal" if rule == "refuse" else told["severity"] != "refusal"
    assert len(told["sample"]) == lines
    assert f": {lines} of {len(log)} lines" in told["detail"]


def test_a_rule_that_refuses_says_which() -> None:
    lines = with_some("other_currency")
    assert refusals(found(lines, dataset({"other_currency": "refuse"})).values()) == [
        "In another currency: 2 of 422 lines, 10.00 USD (contract.other_currency = 'refuse')"
    ]
    assert refusals(found(lines).values()) == []


def test_amounts_of_other_currencies_are_told_in_each_and_never_added_up() -> None:
    prices = {"USD": (4.0, 1.5), " usd": (0.5,), "JPY": (900.0, 100.0), "GBP": (2.0,), "CHF": (7.0,)}
    lines = [
        line(n, currency=currency, amount=amount, order=f"{currency} {amount}")
        for n, (currency, amounts) in enumerate(prices.items())
        for amount in amounts
    ]
    told = found([*SOUND, *lines])["other_currency"]
    assert told["money"] is None
    assert told["detail"].endswith("7 of 427 lines, 6.00 USD, 1,000.00 JPY, 7.00 CHF, …")


def test_a_line_may_be_kept_under_several_findings_but_is_set_aside_under_one() -> None:
    lines = [*SOUND, line(0, amount=-200.0, order="back")]
    kept_both = found(lines)
    assert (kept_both["negative_amount"]["lines"], kept_both["extreme_amount"]["lines"]) == (1, 1)
    assert "extreme_amount" not in found(lines, dataset({"negative_amount": "quarantine"}))


def test_equal_lines_without_receipt_numbers_are_kept_and_told() -> None:
    told = found([*SOUND, line(0)], dataset(order=None))["duplicate_line"]
    assert (told["lines"], told["done"]) == (1, "kept")
    assert "transactions.order is not named" in told["rule"]


def test_many_lines_or_much_money_is_a_warning() -> None:
    assert found([*SOUND, line(0, customer=None)])["no_customer"]["severity"] == "note"
    assert found([*SOUND, *(line(n, customer=None) for n in range(5))])["no_customer"]["severity"] == "warning"
    assert found([*SOUND, line(0, amount=1e6, order="x")])["extreme_amount"]["severity"] == "warning"
    returns = [line(n, amount=-1.0, order=f"back {n}") for n in range(100)]
    assert found([*SOUND, *returns])["negative_amount"]["severity"] == "note"  # a shop may have many


def test_the_sample_is_the_same_in_whatever_order_the_lines_come() -> None:
    gifts = [line(n, amount=0.0, order=f"gift {n}", store=None if n % 2 else "s") for n in range(40, 0, -1)]
    told = found([*SOUND, *gifts])["zero_amount"]["sample"]
    assert told == found([*gifts[::2], *SOUND, *gifts[1::2]])["zero_amount"]["sample"]
    assert [row["order"] for row in told] == [f"gift {n}" for n in range(1, SAMPLE + 1)]
    assert told[0] == {
        "time": "2020-01-06 12:00:00", "customer": "c01", "order": "gift 1", "amount": 0.0, "currency": "EUR",
    }  # fmt: skip


def test_amounts_are_shown_without_the_noise_of_binary_fractions() -> None:
    told = found([*SOUND, line(0, amount=-(0.1 + 0.2), order="back")])["negative_amount"]
    assert told["sample"][0]["amount"] == -0.3 != -(0.1 + 0.2)


def test_what_the_source_said_is_shown() -> None:
    told = found([*SOUND, line(0, time=None) | {"time_as_given": "32.13.2020"}])["no_time"]
    assert told["sample"][0]["time_as_given"] == "32.13.2020"


def test_the_worst_comes_first() -> None:
    lines = [
        *with_some("zero_amount"),
        *(line(n, customer=None) for n in range(9)),
        line(0, currency="USD", order="usd"),
    ]
    names = list(found(lines, dataset({"other_currency": "refuse"})))
    assert names == ["other_currency", "no_customer", "zero_amount"]


def test_every_kind_says_what_it_means_and_what_to_do() -> None:
    for name, kind in FINDINGS.items():
        assert kind.means.endswith("."), name
        assert kind.mend, name
        assert kind.key == "" or kind.key.removeprefix("contract.") in Contract.model_fields, name


# Days, weeks and clocks


def test_days_without_a_line() -> None:
    closed = [row for row in SOUND if row["day"] not in (date(2020, 3, 4), date(2020, 3, 5), date(2020, 4, 20))]
    told = found(closed)["gap_days"]
    assert told["severity"] == "note"
    assert told["detail"].startswith(
        "3 days without a line, where there usually are some: 2020-03-04 to 2020-03-05, 2020"
    )
    assert told["detail"].endswith("a usual day brings 15.00")
    assert told["sample"][0] == {"first": "2020-03-04", "last": "2020-03-05", "days": 2}
    longer = [row for row in closed if row["day"] != date(2020, 3, 6)]
    assert found(longer)["gap_days"]["severity"] == "warning"


def busy(stops: date | None) -> list[dict[str, Any]]:
    """Thirty customers a week in each of two stores; the second has no line from a day on."""
    lines = [
        line(0, time=datetime.combine(FIRST + timedelta(days=n), datetime.min.time()) + timedelta(hours=12),
             customer=f"{store}{(n * 5 + k) % 35}", store=store, order=f"{store}{n}.{k}")
        for n in range(DAYS) for k in range(5) for store in ("north", "south")
    ]  # fmt: skip
    return [row for row in lines if stops is None or row["store"] == "north" or row["day"] < stops]


def test_a_store_that_stopped_reporting() -> None:
    assert "level_break" not in found(busy(None))
    told = found(busy(date(2020, 5, 4)))["level_break"]
    assert (told["severity"], told["done"]) == ("warning", "counted")
    assert "store south went from 35 to 0 customers a week for good from 2020-05-04" in told["detail"]
    assert told["sample"][0]["place"] == "store south"


def test_a_store_that_opened_is_no_fault() -> None:
    opened = [row for row in busy(None) if row["store"] == "north" or row["day"] > date(2020, 4, 1)]
    assert "store" not in found(opened).get("level_break", {"detail": ""})["detail"]


def at(day: date, hour: int, number: int) -> dict[str, Any]:
    return line(
        number, time=datetime.combine(day, datetime.min.time()) + timedelta(hours=hour, minutes=1 + number % 50)
    )


def test_a_clock_that_looks_shifted() -> None:
    shifted = [at(row["day"], 1 + number % 5, number) for number, row in enumerate(SOUND)]
    told = found(shifted)["night_hours"]
    assert (told["lines"], told["severity"]) == (336, "warning")
    assert told["detail"].startswith("80% of the lines are of the hours from midnight to five")
    by_day = [at(row["day"], 9 + number % 9, number) for number, row in enumerate(SOUND)]
    assert "night_hours" not in found(by_day)


def test_a_log_of_dates_has_no_hours() -> None:
    dates = [line(n, time=datetime.combine(row["day"], datetime.min.time())) for n, row in enumerate(SOUND)]
    assert found(dates, dataset(timezone="Asia/Beirut")) == {}  # where midnight itself is left out in spring


def test_hours_that_the_clock_left_out_or_had_twice() -> None:
    spring = [at(date(2020, 3, 29), 2, n) for n in range(2)]
    told = found([*SOUND, *spring])["skipped_hour"]
    assert (told["lines"], told["money"], told["severity"], len(told["sample"])) == (2, 10.0, "warning", 2)
    assert "skipped_hour" not in found([*SOUND, *spring], dataset(timezone="Asia/Shanghai"))
    autumn = [line(n, time=row["time"] + timedelta(days=170)) for n, row in enumerate(SOUND)]
    twice = found([*SOUND, *autumn, at(date(2020, 10, 25), 2, 0)], as_of=date(2020, 11, 11))["repeated_hour"]
    assert (twice["lines"], twice["severity"]) == (1, "note")


def test_of_an_instant_that_the_source_told_no_hour_is_in_doubt() -> None:
    """One o'clock in UTC is three in Berlin on that day: such lines lie in the hour after the change by right."""
    spring = [at(date(2020, 3, 29), 2, n) | {"zoned": n != 1} for n in range(3)]
    assert found([*SOUND, *spring])["skipped_hour"]["lines"] == 1
    assert "skipped_hour" not in found([*SOUND, *(row | {"zoned": True} for row in spring)])
    autumn = [line(n, time=row["time"] + timedelta(days=170)) for n, row in enumerate(SOUND)]
    twice = [at(date(2020, 10, 25), 2, n) | {"zoned": True} for n in range(3)]
    assert "repeated_hour" not in found([*SOUND, *autumn, *twice], as_of=date(2020, 11, 11))


def test_only_what_is_known_at_the_date_is_told() -> None:
    later = [line(n, time=datetime(2020, 6, 5, 12), amount=0.0, order=f"later {n}") for n in range(9)]
    assert found([*SOUND, *later]) == {}
    assert found([*SOUND, *later], as_of=date(2020, 6, 6))["zero_amount"]["lines"] == 9
