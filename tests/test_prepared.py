"""A dataset's tables as they are kept: what is told of tables beside the log, of clocks, and of what is set aside."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from loyalty.commands.check import show, to_json
from loyalty.prepared import Prepared
from loyalty.reporting.chapters import health
from loyalty.settings import load_dataset
from loyalty.study import Study
from rich.console import Console


@pytest.fixture
def told(make_shop: Callable[..., Path], shop_toml: str) -> Callable[..., dict[str, dict[str, Any]]]:
    """Return a function that tells the findings of a log by name, with more sections and files."""

    def find(log: str, sections: str, as_of: date, **files: str) -> dict[str, dict[str, Any]]:
        root = make_shop(log, shop_toml + sections)
        for name, text in files.items():
            (root / "data" / "raw" / f"{name}.csv").write_text(text, "utf-8")
        data = Prepared("shop", load_dataset("shop", root), root)
        return {finding["name"]: finding for finding in data.health(as_of, 20)["findings"]}

    return find


def written(*times: str) -> str:
    return "customer,time,amount\n" + "".join(f"c{n % 3},{time},5\n" for n, time in enumerate(times))


def test_happenings_that_cannot_be_read_are_told(told: Callable[..., dict[str, dict[str, Any]]]) -> None:
    sections = '\n[events.table]\nsource = "data/raw/events.csv"\nuntil = "last"\n'
    events = "day,name,last\n2020-05-01,May Day,\n31.02.2020,Fire,\n2020-05-02,,\n2020-05-03,Heat,soon\n"
    found = told(written("2020-01-01", "2020-01-02"), sections, date(2020, 1, 3), events=events)
    assert "of 4 rows" in found["unusable_rows"]["detail"]
    assert "day_as_given" in found["unusable_rows"]["sample"][0]


def test_a_number_of_two_customers_is_told(told: Callable[..., dict[str, dict[str, Any]]]) -> None:
    sections = '\n[identity]\nsource = "data/raw/cards.csv"\nid = "card"\ncustomer = "person"\n'
    found = told(
        written("2020-01-01", "2020-01-02"), sections, date(2020, 1, 3), cards="card,person\nc0,ann\nc0,bob\nc1,ann\n"
    )
    assert "1 of 2 numbers stand for several customers" in found["shared_number"]["detail"]


@pytest.mark.parametrize(("written_as", "lines"), [("{}", 2), ("{}+01:00", None), ("{}Z", None)])
def test_an_hour_that_comes_twice_is_told_of_times_without_a_zone_alone(
    told: Callable[..., dict[str, dict[str, Any]]], written_as: str, lines: int | None
) -> None:
    times = [f"2020-{day} {hour:02}:30:00" for day in ("10-24", "10-25", "10-26") for hour in (0, 1, 2, 2, 9)]
    found = told(written(*map(written_as.format, times)), "", date(2020, 10, 27))
    assert (found.get("repeated_hour") or {"lines": None})["lines"] == lines


# What is set aside


@pytest.fixture(scope="module")
def study(make_shop: Callable[..., Path], shop_toml: str) -> Study:
    """A log with lines that lack an amount: three before the date, two from it on; and one whose day is not known."""
    days = pd.date_range("2020-01-01", periods=120).strftime("%F")
    log = pd.DataFrame([(f"c{n}", day, "5") for n in range(8) for day in days], columns=["customer", "time", "amount"])
    log.loc[log["time"].isin([*days[[3, 50, 89]], *days[[90, 110]]]) & (log["customer"] == "c0"), "amount"] = "?"
    log.loc[5, "time"] = "never"
    return Study.open("shop", root=make_shop(log, shop_toml), as_of="2020-03-31", refusing=False)


def test_at_a_past_date_the_counts_are_those_that_the_file_holds(study: Study) -> None:
    checked = study.check()
    aside = pd.read_parquet(study.root / checked["quarantine"])
    later = aside["day"].notna() & (pd.to_datetime(aside["day"]) >= pd.Timestamp(study.as_of))
    assert (int((~later).sum()), int(later.sum())) == (4, 2)
    assert (checked["quarantined"], checked["quarantined_later"]) == (4, 2)


def test_the_lines_of_later_days_are_told_beside_them(study: Study) -> None:
    out = io.StringIO()
    show(study.check(), "Shop", Console(file=out, width=200))
    assert "4 set aside, which lie in data/interim/shop/quarantine.parquet, beside 2 of 2020-03-31 or later." in (
        out.getvalue()
    )
    assert "quarantine.parquet`, beside 2 of 31 March 2020 or later; what is" in health.read_oddities(study)
    assert '"quarantined_later": 2' in to_json(study.check())
