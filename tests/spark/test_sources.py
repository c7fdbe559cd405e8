"""A retailer's own files as Spark reads them, whatever wrote them."""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from agreement import ENGINES, assert_agree, project
from loyalty.prepared import Prepared
from loyalty.settings import load_dataset, with_engine

TODAY = date(2024, 1, 1)
SHOP = """\
title = "Shop"
currency = "EUR"
timezone = "Europe/Berlin"
[transactions]
source = "{source}"
customer = "who"
time = "time"
amount = "amount"
order = "receipt"
[study]
horizon_days = 30
active_within_days = 60
margin = 0.3
"""
TIMES = [
    datetime(2023, 3, 26, 0, 59, 59, 250000), datetime(2023, 3, 26, 1), datetime(2023, 6, 30, 22, 30), None,
    datetime(1000, 1, 1), datetime(2023, 12, 31, 23, 30), datetime(9999, 12, 31, 23, 59, 59), datetime(2023, 10, 29, 1),
]  # fmt: skip
MONEY = ["1.50", "-0.25", "3.00", "4.00", "5.00", "6.00", None, "8.10"]
WHO = [7, 7, None, 12, 2**40, 0, 1, 7]


def column(kind: pa.DataType) -> pa.Array:
    return pa.array(TIMES, pa.timestamp("us")).cast(kind, safe=False)


def log(**columns: pa.Array) -> pa.Table:
    usual = {
        "who": pa.array(WHO, pa.int64()),
        "time": column(pa.timestamp("us")),
        "amount": pa.array([None if money is None else float(money) for money in MONEY]),
        "receipt": pa.array([f"fv{at}v" for at in range(len(MONEY))]),
        "opened": pa.array([time(9, 30)] * len(MONEY), pa.time64("us")),
    }
    return pa.table(usual | columns)


NEAR = [moment for moment in TIMES if moment is None or 1700 < moment.year < 2200]
MONEY_OR_NONE = [None if money is None else Decimal(money) for money in MONEY]
LOGS: dict[str, pa.Table] = {
    "times without a zone": log(),
    "instants": log(time=column(pa.timestamp("us", "UTC"))),
    "instants of another zone": log(time=column(pa.timestamp("us", "Asia/Tokyo"))),
    "milliseconds": log(time=column(pa.timestamp("ms"))),
    "dates": log(time=column(pa.date32())),
    "customers with gaps as fractions": log(who=pa.array(WHO, pa.float64())),
    "unsigned customers": log(who=pa.array(WHO, pa.uint64())),
    "decimal money": log(amount=pa.array(MONEY_OR_NONE, pa.decimal128(12, 2))),
    "categories": log(receipt=pa.array(["a", "b", "a", None, "c", "c", "\tb ", ""]).dictionary_encode()),
}


def raw_lines(root: Path, engine: str) -> ibis.Table:
    prepared = Prepared("shop", with_engine(load_dataset("shop", root), engine), root, TODAY)
    return prepared.judged


def both(tmp_path: Path, write: Callable[[Path], None], source: str) -> tuple[ibis.Table, ibis.Table]:
    tables = []
    for engine in ENGINES:
        (tmp_path / engine).mkdir()
        root = project(tmp_path / engine)
        (root / "data" / "raw").mkdir()
        write(root / "data" / "raw")
        (root / "data" / "shop.toml").write_text(SHOP.format(source=source), "utf-8")
        tables.append(raw_lines(root, engine))
    return tables[0], tables[1]


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("name", LOGS)
def test_parquet_of_any_types(name: str, tmp_path: Path) -> None:
    """But for what the source said, as text: engines write instants and large fractions in their own way."""
    tables = both(tmp_path, lambda raw: pq.write_table(LOGS[name], raw / "log.parquet"), "data/raw/log.parquet")
    assert_agree(*(table.drop(*(column for column in table.columns if column.endswith("_given"))) for table in tables))


@pytest.mark.usefixtures("spark")
def test_parquet_in_nanoseconds_as_older_pandas_wrote_it(tmp_path: Path) -> None:
    keep = pa.array([moment in NEAR for moment in TIMES])

    def write(raw: Path) -> None:
        near = log().filter(keep)
        nanoseconds = near.set_column(1, "time", near["time"].cast(pa.timestamp("ns")))
        pq.write_table(nanoseconds, raw / "log.parquet")

    assert_agree(*both(tmp_path, write, "data/raw/log.parquet"))


@pytest.mark.usefixtures("spark")
def test_several_files_one_of_which_lacks_a_column(tmp_path: Path) -> None:
    def write(raw: Path) -> None:
        pq.write_table(log().drop_columns("opened"), raw / "log-1.parquet")
        pq.write_table(log(), raw / "log-2.parquet")

    assert_agree(*both(tmp_path, write, "data/raw/log-*.parquet"))


@pytest.mark.usefixtures("spark")
def test_text_that_landed_as_parquet(tmp_path: Path) -> None:
    rows = "who;time;amount;receipt\nfv1v;2023-06-01T10:00:00+02:00;1,5;1\n\x0b2\x0c;2023-06-31;-2;2\n;2023-06;x;\n"

    def write(raw: Path) -> None:
        (raw / "log.csv").write_text(rows * 3, "utf-8")

    assert_agree(*both(tmp_path, write, "data/raw/log.csv"))
