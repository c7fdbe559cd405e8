"""What `loyalty check` prints: facts, findings with a few lines each, the balance and the verdict."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from ibis.backends import duckdb
from loyalty.commands.check import show, to_json
from loyalty.study import Study
from rich.console import Console


def log() -> pd.DataFrame:
    """Sixteen customers who come every fourth day, and a line of each fault that a file can hold."""
    days = pd.date_range("2020-01-06", periods=120)
    rows = [(f"card{n:02d}", day, 5.0, f"r{n}-{day:%j}") for n in range(16) for day in days[n % 4 :: 4]]
    frame = pd.DataFrame(rows, columns=["customer", "time", "amount", "order"]).astype({"time": str, "amount": str})
    faults = [
        {"customer": ""}, {"time": "32.13.2020"}, {"time": "1900-01-01"}, {"time": "2199-01-01"}, {"amount": "five"},
        {}, {"amount": "-2", "order": "back"}, {"amount": "0", "order": "gift"}, {"amount": "9999", "order": "huge"},
    ]  # fmt: skip
    return pd.concat([frame, *(frame.head(1).assign(**fault) for fault in faults)], ignore_index=True)


@pytest.fixture(scope="module")
def study(make_shop: Callable[..., Path], shop_toml: str) -> Study:
    toml = shop_toml.replace('amount = "amount"', 'amount = "amount"\norder = "order"')
    toml = toml.replace("minimum_customers = 2", "minimum_customers = 17")
    return Study.open("shop", root=make_shop(log(), toml), refusing=False)


@pytest.fixture(scope="module")
def printed(study: Study) -> str:
    out = io.StringIO()
    show(study.check(), "Corner [shop]", Console(file=out, width=160))
    return out.getvalue()


def test_a_refused_log_is_shown_whole(printed: str) -> None:
    assert "Corner [shop]" in printed
    told = {
        "Without a customer": "quarantined", "Without a date that can be read": "quarantined",
        "Before the earliest possible date": "quarantined", "Dated after today": "quarantined",
        "Without an amount that can be read": "quarantined", "Equal to another line": "quarantined",
        "Below zero (returns)": "netted", "Worth nothing": "kept", "Extremely large": "kept",
        "Too few customers": "refused",
    }  # fmt: skip
    rows = {cells[2].strip(): cells for line in printed.splitlines() if (cells := line.split("│"))[4:]}
    assert {label: rows[label][6].strip() for label in told} == told
    assert [cell.strip() for cell in rows["Below zero (returns)"][3:6]] == ["1", "0.20%", "-2.00"]
    assert "489 lines in = 483 kept + 6 set aside, which lie in data/interim/shop/quarantine.parquet." in printed
    assert "No report can be made:\n  16 customers bought before 2020-05-05, and at least 17 are needed" in printed


def test_the_worst_comes_first(printed: str) -> None:
    assert printed.index("Too few customers") < printed.index("Extremely large") < printed.index("Without a customer")


def test_on_a_narrow_terminal_no_rule_is_cut(study: Study) -> None:
    out = io.StringIO()
    show(study.check(), "Corner [shop]", Console(file=out, width=80))
    rules = "".join(line.split("│")[7].strip() for line in out.getvalue().splitlines() if line.count("│") == 8)
    assert "contract.duplicate_line='quarantine'" in rules.replace(" ", "")
    assert "…" not in rules


def test_identifiers_are_cut_short_and_what_cannot_be_read_is_shown(printed: str, study: Study) -> None:
    assert "customer ca…" in printed
    assert "time_as_given 32.13.2020" in printed
    assert "amount_as_given five" in printed
    for text in (printed, to_json(study.check())):
        assert "card0" not in text
        assert "r0-006" not in text


def test_amounts_of_a_sample_are_money(printed: str) -> None:
    assert "order ba…, amount -2.00" in printed
    assert "amount 9,999.00" in printed


def test_rows_of_other_tables_are_shown_and_their_numbers_cut_short(
    make_shop: Callable[..., Path], shop_toml: str
) -> None:
    beside = '\n[identity]\nsource = "data/raw/cards.csv"\nid = "card"\ncustomer = "person"\n'
    beside += '\n[events.table]\nsource = "data/raw/events.csv"\n'
    root = make_shop(
        "customer,time,amount\n" + "".join(f"card{n % 3},2020-01-0{n},5\n" for n in range(1, 9)), shop_toml + beside
    )
    (root / "data" / "raw" / "cards.csv").write_text("card,person\ncard0,annette\ncard0,bobby\ncard1,annette\n")
    (root / "data" / "raw" / "events.csv").write_text("day,name\n31.02.2020,Fire\n")
    out = io.StringIO()
    show(Study.open("shop", root=root, refusing=False).check(), "Shop", Console(file=out, width=200))
    assert "day_as_given 31.02.2020, name Fire" in out.getvalue()
    assert "number ca…, customer an…, customers 2" in out.getvalue()


def test_as_json_it_is_all_there(study: Study) -> None:
    told: dict[str, Any] = json.loads(to_json(study.check()))
    assert (told["lines"], told["used"], told["quarantined"]) == (489, 483, 6)
    assert told["refusals"] == [told["findings"][0]["detail"] + " (contract.minimum_customers = 17)"]
    names = {finding["name"]: finding for finding in told["findings"]}
    assert names["no_customer"]["sample"][0]["amount"] == 5.0
    assert told["quarantine"] == "data/interim/shop/quarantine.parquet"
    assert told["as_of"] == "2020-05-05"


def test_the_quarantine_holds_the_lines_with_their_reasons(study: Study) -> None:
    aside = pd.read_parquet(study.root / study.check()["quarantine"])
    assert sorted(aside["reason"]) == [
        "duplicate_line", "future_date", "impossible_date", "no_amount", "no_customer", "no_time"
    ]  # fmt: skip
    said = aside.set_index("reason")
    assert said.loc["no_time", "time_as_given"] == "32.13.2020"
    assert said.loc["no_amount", "amount_as_given"] == "five"


def test_a_log_without_fault_can_be_reported(simulated: Study) -> None:
    out = io.StringIO()
    show(simulated.check(), "Shop", Console(file=out, width=160))
    assert f"{simulated.facts()['log']['lines']:,} lines in" in out.getvalue()
    assert out.getvalue().rstrip().endswith("A report can be made.")


def test_rows_of_the_log_stay_in_the_engine(
    make_shop: Callable[..., Path], shop_toml: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes out of it is counts by day, by week and by finding, and a few lines of each: a few passes in all."""
    fetched: list[int] = []

    def watched(ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*args: Any, **options: Any) -> Any:
            result = ask(*args, **options)
            fetched.append(len(result) if isinstance(result, pd.DataFrame | pa.Table) else 1)
            return result

        return asked

    for name in ("to_pyarrow", "execute"):
        monkeypatch.setattr(duckdb.Backend, name, watched(getattr(duckdb.Backend, name)))
    monkeypatch.delattr(duckdb.Backend, "to_pyarrow_batches")
    lines = pd.concat([log()] * 3, ignore_index=True)
    checked = Study.open("shop", root=make_shop(lines, shop_toml), refusing=False).check()
    assert checked["lines"] == len(lines)
    days = lines["time"].nunique()
    assert max(fetched) <= days < len(lines) / 10
    assert len(fetched) < 20, fetched
