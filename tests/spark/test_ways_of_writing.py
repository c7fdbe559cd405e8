"""Times in every form, and totals that stand once an order, as Spark reads them: as DuckDB does."""

from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest
from agreement import assert_agree, project
from loyalty.prepared import Prepared
from loyalty.settings import load_dataset, with_engine
from loyalty.sources.clock import has_clock, read_time
from loyalty.sources.files import connect

WRITTEN: dict[str, list[Any]] = {
    "%m/%d/%Y %I:%M %p": ["1/5/2024 9:05 PM", "12/31/2024 12:00 am", "1/1/2024 12:30 p.m.", "1/1/2024 13:00 PM", "x"],
    "%d. %B %Y %H:%M": ["5. Januar 2024 9:05", "3. MÄRZ 2024 23:59", "12. août 2023 0:00", "3. foo 2024 1:00", None],
    "%a, %b %d, %y": ["Fri, Jan 5, 24", "sam., févr. 3, 24", "Jan 5, 24"],
    "%d%b%Y": ["05JAN2024", "31dez1999", "5MAR2024"],
    "unix": ["1704067200", " 1704067200.9 ", "-1", "99999999999999", "1e300", "x", ""],
    "unix_ms": [1704067200123, -5, None],
    "excel": [45322.572916666664, 45322.0, -1e300, float("nan")],
}
SHOP = """\
title = "Shop"
currency = "EUR"
timezone = "Europe/Berlin"
[transactions]
source = "log.csv"
customer = "Email"
time = "Created at"
time_format = "%m/%d/%Y %I:%M %p"
amount = "Total"
order = "Name"
currency = "Currency"
product = "Item"
total_on_first_line = true
[study]
horizon_days = 30
active_within_days = 60
margin = 0.3
"""
LOG = """\
Name,Email,Total,Currency,Created at,Item
#1,a@x.eu,30.00,EUR,1/5/2024 9:05 PM,tea
#1,a@x.eu,,,1/5/2024 9:05 PM,
#1,a@x.eu,,,1/5/2024 9:05 PM,
#2,,,,,cup
#2,b@x.eu,5.00,USD,1/6/2024 9:05 AM,tea
#3,c@x.eu,,EUR,1/7/2024 9:05 AM,cup
,c@x.eu,,EUR,1/7/2024 9:05 AM,cup
"""


@pytest.mark.parametrize("time_format", WRITTEN)
def test_times_are_the_same_instants(time_format: str, spark: ibis.BaseBackend) -> None:
    values = WRITTEN[time_format]
    table = ibis.memtable(pd.DataFrame({"at": range(len(values)), "time": values}))
    read = table.select("at", time=read_time(table.time, time_format), clock=has_clock(table.time, time_format))
    assert_agree(connect().execute(read), spark.execute(read))


def test_totals_that_stand_once_an_order_are_the_same_money(spark: ibis.BaseBackend, tmp_path: Path) -> None:
    found = []
    for engine in ("duckdb", "spark"):
        (tmp_path / engine).mkdir()
        root = project(tmp_path / engine)
        (root / "data" / "shop.toml").write_text(SHOP, "utf-8")
        (root / "log.csv").write_text(LOG, "utf-8")
        found.append(Prepared("shop", with_engine(load_dataset("shop", root), engine), root).facts)
    by_duckdb, by_spark = ({name: facts[name] for name in ("lines", "used", "spend", "quarantined")} for facts in found)
    assert by_duckdb == by_spark == {"lines": 7, "used": 3, "spend": 30.0, "quarantined": 4}
